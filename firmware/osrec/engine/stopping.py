"""How a recording ends."""

from osrec.engine.desk import Desk
from osrec.engine.hearing import silence_alarms
from osrec.engine.messages import Finish, Forget, Output
from osrec.engine.recording import Recording, State


def stop(desk: Desk, recording: Recording, reason: str, now: float) -> list[Output]:
    """The call is over for the station: what is still on its way is recorded, then the pair is free.

    When nobody could tell, the call was over when its audio was: the silence since then, but for as much as may be a
    pause of the talk, is none of it.
    """
    if recording.state is State.REQUESTING and not recording.awaited:  # granted, but the ports are not called yet
        return [Forget(recording.id), *desk.forks.give_back(recording, now)]
    if recording.state is State.REQUESTING:
        recording.state, recording.due = State.ABANDONED, None
        return [Forget(recording.id)]
    if recording.state is State.UNANSWERED:
        return [Forget(recording.id), *desk.forks.give_back(recording, now)]
    if recording.state is not State.RUNNING:
        return []
    recording.state, recording.due = State.DRAINING, now + desk.config.tail
    ended = recording.due
    if recording.unseen and recording.idle_since is not None:
        ended = min(ended, recording.idle_since + desk.config.audio_end)
    return [
        Finish(recording.id, ended, reason),
        *silence_alarms(recording),
        *desk.suspicion.ended(recording, now),
    ]


def take_away(desk: Desk, recording: Recording, reason: str, now: float) -> list[Output]:
    """The same while the station talks on: the PBX is told at once to put nothing more on the pair."""
    return [*stop(desk, recording, reason, now), *desk.forks.clear(recording, now)]


def forbid(desk: Desk, recording: Recording, rule: str, now: float) -> list[Output]:
    """A rule says never: nothing that comes from now on may be kept, not even in memory."""
    recording.wipe_since = now
    if recording.state in (State.REQUESTING, State.UNANSWERED):
        recording.wipe_since = recording.asked
        return stop(desk, recording, "", now)  # its answer takes the ports out again, and wipes
    outputs: list[Output] = []
    for output in take_away(desk, recording, f"rule {rule!r} says never", now):
        outputs.append(Finish(output.recording, now, output.reason) if isinstance(output, Finish) else output)
    return [*outputs, *desk.forks.wipe(recording, now)]
