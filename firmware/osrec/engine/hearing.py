"""Does what was agreed with the PBX really arrive, each side on its own slot?"""

from osrec.engine.alarms import AlarmCleared, AlarmRaised, Severity
from osrec.engine.messages import PairHeard
from osrec.engine.recording import Recording
from osrec.engine.settings import EngineConfig


def listen(
    recording: Recording, heard: PairHeard, config: EngineConfig, now: float
) -> list[AlarmRaised | AlarmCleared]:
    """Note what was heard on the recording's pair, and say what is wrong with it."""
    pair, station = recording.channels, recording.station
    recording.own_heard |= heard.own > config.energy
    recording.other_heard |= heard.other > config.energy
    _note_idle(recording, heard, now)
    alarms: list[AlarmRaised | AlarmCleared] = []
    quiet = [
        f"slot {port.slot} ({side})"
        for port, side, was_heard in (
            (pair.own, "own voice", recording.own_heard),
            (pair.other, "other side", recording.other_heard),
        )
        if not was_heard
    ]
    idle = recording.idle_since is not None and now - recording.idle_since >= config.quiet_after
    if idle and not quiet:
        text = f"station {station}, line {pair.line}: idle code on both slots of {pair} for {config.quiet_after:.0f} s"
        alarms.append(AlarmRaised(f"no-energy:{pair}", Severity.WARNING, text))
    elif not quiet:
        alarms.append(AlarmCleared(f"no-energy:{pair}"))
    elif now - recording.since >= config.quiet_after:
        text = f"station {station}, line {pair.line}: no audio for {config.quiet_after:.0f} s on {' and '.join(quiet)}"
        alarms.append(AlarmRaised(f"no-energy:{pair}", Severity.WARNING, text))
    if heard.same:
        text = f"line {pair.line}: slots {pair.own.slot} and {pair.other.slot} carry the same audio"
        alarms.append(AlarmRaised(f"same-audio:{pair}", Severity.WARNING, text))
    return alarms


def _note_idle(recording: Recording, heard: PairHeard, now: float) -> None:
    recording.idle_since = (recording.idle_since or now) if heard.idle else None
    recording.own_idle_since = (recording.own_idle_since or now) if heard.own_idle else None
    recording.other_idle_since = (recording.other_idle_since or now) if heard.other_idle else None


def silence_alarms(recording: Recording) -> list[AlarmCleared]:
    """A recording that ends takes its alarms with it."""
    return [AlarmCleared(f"{code}:{recording.channels}") for code in ("no-energy", "same-audio")]
