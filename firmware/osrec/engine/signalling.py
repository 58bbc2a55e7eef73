"""What the trunk's own signalling says: leases and its calls must agree."""

from datetime import datetime

from osrec.engine.alarms import AlarmCleared, AlarmRaised, Severity
from osrec.engine.desk import Desk
from osrec.engine.granting import Granting
from osrec.engine.messages import Cut, HangUp, Output, Released, Seized, SignallingChanged
from osrec.engine.pool import Block
from osrec.engine.recording import Recording, State
from osrec.engine.review import Reviewer


class Signalling:
    """Follows the PBX's calls to our ports."""

    def __init__(self, desk: Desk, reviewer: Reviewer, granting: Granting) -> None:
        self._desk = desk
        self._reviewer = reviewer
        self._granting = granting

    def take(self, event: Seized | Released | SignallingChanged, now: float, at: datetime) -> list[Output]:
        match event:
            case Seized():
                return self._seized(event, now, at)
            case Released():
                return self._released(event, now, at)
            case SignallingChanged():
                return self._changed(event, now, at)

    def overdue(self, now: float) -> list[Output]:
        """Calls to ports that no recording holds for too long."""
        forks = self._desk.forks
        return forks.bearers.overdue(now, lambda port: forks.holder(port) is not None)

    def _seized(self, event: Seized, now: float, at: datetime) -> list[Output]:
        forks = self._desk.forks
        recording = forks.holder(event.port)
        before = forks.bearers.slot(event.port)
        twice = before is not None and before != event.slot
        outputs: list[Output] = [HangUp(event.line, before, "its port has a newer call")] if twice and before else []
        forks.bearers.seize(event.line, event.slot, event.port, now, held=recording is not None)
        if recording is None:
            return outputs
        if recording.state is State.RUNNING and self._has_moved(recording):
            forks.call_released(recording, now)  # what comes on the new slot is no part of what runs
            return [*outputs, Cut(recording.id, now)]
        if recording.state is State.UNANSWERED:  # the link broke; where it is, the ear decides (evidence.py)
            return outputs + self._granting.located(recording)
        return outputs + self._granting.granted(recording, now, at)

    def _has_moved(self, recording: Recording) -> bool:
        found = self._desk.forks.bearers.carrier(recording.pair)
        return found is not None and found[0] != recording.channels

    def _released(self, event: Released, now: float, at: datetime) -> list[Output]:
        forks = self._desk.forks
        outputs = forks.bearers.release(event.line, event.port, event.slot, now)
        recording = forks.holder(event.port)
        if recording is not None and self._carries(recording, event):
            outputs.append(Cut(recording.id, now))  # the slot is good for the next call at once
            if recording.state is State.RUNNING:
                forks.call_released(recording, now)  # the call may just be ending
                return outputs
        return outputs + self._reviewer.review_waiting(now, at)

    @staticmethod
    def _carries(recording: Recording, event: Released) -> bool:
        channels = recording.channels
        return any((port.number, port.slot) == (event.port, event.slot) for port in (channels.own, channels.other))

    def _changed(self, event: SignallingChanged, now: float, at: datetime) -> list[Output]:
        line = event.line
        self._desk.forks.pool.block(line, not event.up, Block.SIGNALLING)
        if event.up:
            return [AlarmCleared(_key(line)), *self._reviewer.review_waiting(now, at, all_of_them=True)]
        text = f"the signalling of {line} is down: {event.why}. No call can be put on its slots; what runs goes on"
        return [AlarmRaised(_key(line), Severity.MAJOR, text)]


def _key(line: str) -> str:
    return f"signalling:{line}"
