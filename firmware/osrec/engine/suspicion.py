"""Slots that stay silent while their calls talk: avoided, reported, and cleared by the first sound on them."""

from dataclasses import dataclass

from osrec.engine.alarms import AlarmCleared, AlarmRaised, Severity
from osrec.engine.pool import Pair, Pool, Port
from osrec.engine.recording import Recording
from osrec.engine.settings import EngineConfig


@dataclass(slots=True)
class _Silence:
    """Calls in a row in which a slot was silent; `partner_spoke`: in how many of them the other slot was not."""

    calls: int = 0
    partner_spoke: int = 0


class Suspicion:
    """Keeps count of the slots of all pairs; `pool` is told which pairs to use only when there is no other."""

    def __init__(self, pool: Pool, config: EngineConfig) -> None:
        self._pool = pool
        self._config = config
        self._silent: dict[tuple[str, int], _Silence] = {}

    def suspected(self, pair: Pair) -> bool:
        """Whether a slot of the pair was silent in too many calls."""
        return any(self._is_suspect(pair, port) for port in (pair.own, pair.other))

    def heard(self, recording: Recording) -> list[AlarmRaised | AlarmCleared]:
        """Energy on a slot proves that it works."""
        alarms: list[AlarmRaised | AlarmCleared] = []
        pair = recording.pair
        for port, heard in ((pair.own, recording.own_heard), (pair.other, recording.other_heard)):
            if heard and self._silent.pop((pair.line, port.slot), None) is not None:
                alarms.append(AlarmCleared(_key(pair, port)))
                self._pool.doubt(pair, self.suspected(pair))
        return alarms

    def ended(self, recording: Recording, now: float) -> list[AlarmRaised | AlarmCleared]:
        """A recording is over that had its time to bring a sound."""
        if now - recording.since < self._config.quiet_after:
            return []
        pair = recording.pair
        both = recording.own_heard, recording.other_heard
        alarms: list[AlarmRaised | AlarmCleared] = []
        for port, side, (heard, partner) in ((pair.own, "own voice", both), (pair.other, "other side", both[::-1])):
            if heard:
                continue
            count = self._silent.setdefault((pair.line, port.slot), _Silence())
            count.calls += 1
            count.partner_spoke += partner
            if self._is_suspect(pair, port):
                self._pool.doubt(pair, True)
                alarms.append(AlarmRaised(_key(pair, port), Severity.MAJOR, _text(pair, port, side, count)))
        return alarms

    def _is_suspect(self, pair: Pair, port: Port) -> bool:
        count = self._silent.get((pair.line, port.slot))
        return count is not None and count.calls >= self._config.suspect_after


def _key(pair: Pair, port: Port) -> str:
    return f"suspect-slot:{pair.line}:{port.slot}"


def _text(pair: Pair, port: Port, side: str, count: _Silence) -> str:
    partner = f"; the other slot of its pair had audio in {count.partner_spoke} of them" if count.partner_spoke else ""
    return (
        f"suspect: slot {port.slot} of {pair.line} ({side}) was silent in its last {count.calls} calls"
        f"{partner}. Check that port {port.number} is this slot in the PBX and that it gets this side of the call"
    )
