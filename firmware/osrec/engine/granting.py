"""What follows the PBX's answer to a request for a fork, or its silence."""

from datetime import datetime
from uuid import UUID

from osrec.calls.conversation import Conversation
from osrec.engine.alarms import AlarmCleared, AlarmRaised, Severity
from osrec.engine.busy import Pause
from osrec.engine.coverage import Obstacle
from osrec.engine.desk import Desk, Want
from osrec.engine.dossier import Dossier, Hold, Step, calls_of, parties_of
from osrec.engine.keeping import pause
from osrec.engine.messages import Forget, Open, Output, Remark
from osrec.engine.recording import Recording, State
from osrec.engine.review import Reviewer


class Granting:
    """Opens what was granted, tries elsewhere what was refused."""

    def __init__(self, desk: Desk, reviewer: Reviewer) -> None:
        self._desk = desk
        self._reviewer = reviewer
        self._pause = Pause()

    def answered(self, recording: Recording, now: float, at: datetime) -> list[Output]:
        """All requests of a recording are answered."""
        if recording.state is State.ABANDONED:
            outputs = self._desk.forks.give_back(recording, now)
            return outputs + self._reviewer.review_waiting(now, at)
        if recording.refused is None:
            return self._running(recording, now, at)
        outputs = [Forget(recording.id), *self._desk.forks.give_back(recording, now)]
        if "resourceBusy" in recording.refused:  # we took the ports for free: where does the PBX have them?
            outputs += self._desk.forks.look_for(recording)
        return outputs + self._refused(recording, now, at)

    def not_answered(self, recording: Recording, now: float, at: datetime) -> list[Output]:
        """It has waited long enough: another pair is tried. The late answer says which ports to take out again."""
        recording.state, recording.due = State.ABANDONED, None
        recording.refused = f"no answer for {self._desk.config.fork_timeout:g} s"
        return [Forget(recording.id), *self._desk.forks.give_up(recording, now), *self._refused(recording, now, at)]

    def open_refused(self, recording_id: UUID, reason: str, now: float, at: datetime) -> list[Output]:
        """The journal filled up between the request and the answer: as if it had been full before."""
        recording = self._desk.forks.recordings.get(recording_id)
        if recording is None:
            return []
        dossier = self._desk.dossiers.get(recording.conversation)
        if dossier is not None:
            if recording.id in dossier.recordings:
                dossier.recordings.remove(recording.id)
            dossier.hinder(recording.station, Obstacle("journal_full", reason))
            dossier.refused(recording.station, recording.connection.call_id or b"", now)  # not at once again
        outputs = self._desk.forks.give_back(recording, now)
        conversation = self._desk.tracker.conversations.get(recording.conversation)
        if conversation is not None:
            self._desk.settle(conversation, now, at)
        return outputs

    # --- granted

    def _running(self, recording: Recording, now: float, at: datetime) -> list[Output]:
        conversation = self._desk.tracker.conversations[recording.conversation]
        dossier = self._desk.dossiers[recording.conversation]
        recording.state, recording.since = State.RUNNING, now
        self._pause.granted()
        half_gone = recording.port_dropped is not None  # one port has left while the other was still coming
        recording.due = now + self._desk.config.port_loss if half_gone else None
        recording.provisional = recording.provisional and dossier.keeping is None
        dossier.reason = None
        if recording.provisional:
            dossier.offered = True
        else:
            dossier.recordings.append(recording.id)
            dossier.recorded_by = dossier.recorded_by or recording.decision
        outputs: list[Output] = [AlarmCleared("fork-refused")]
        outputs += [AlarmCleared(f"{code}:{recording.station}") for code in ("fork-lost", "preempted")]
        outputs.append(self._open(recording, conversation))
        outputs += [remark_on(recording, conversation, step) for step in dossier.history]
        if dossier.paused is not None:
            outputs += pause(recording, now, at, dossier.paused, recording.asked)
        self._desk.settle(conversation, now, at)
        return outputs

    def _open(self, recording: Recording, conversation: Conversation) -> Open:
        return Open(
            recording.id,
            recording.conversation,
            recording.station,
            recording.pair,
            conversation.direction,
            parties_of(conversation, recording.station),
            calls_of(conversation),
            recording.decision,
            recording.provisional,
            list(conversation.via),
            conversation.parked_by,
        )

    # --- refused

    def _refused(self, recording: Recording, now: float, at: datetime) -> list[Output]:
        """Never half a pair: try another one while the station still talks."""
        desk = self._desk
        conversation = desk.tracker.conversations.get(recording.conversation)
        dossier = desk.dossiers.get(recording.conversation)
        if conversation is None or dossier is None:
            return []
        self._blame(dossier, recording)
        if recording.busy:
            return self._busy(conversation, dossier, recording, now, at)
        retry = self._retry(conversation, recording, now, at)
        if retry:
            desk.settle(conversation, now, at)
            return retry
        dossier.refused(recording.station, recording.connection.call_id or b"", now)
        text = f"the PBX refused to fork station {recording.station}: {recording.refused}"
        outputs: list[Output] = [AlarmRaised("fork-refused", Severity.MAJOR, text)]
        return outputs + self._reviewer.review(conversation, now, at)

    def _busy(
        self, conversation: Conversation, dossier: Dossier, recording: Recording, now: float, at: datetime
    ) -> list[Output]:
        """The same fork may be granted a moment later: that is no refusal of the station, and none of the pair."""
        key = recording.station, recording.connection.call_id or b""
        known = dossier.holds.get(key)
        dossier.holds[key] = Hold(known.times if known else 0, self._pause.refused(now))
        outputs: list[Output] = []
        if self._pause.long:
            text = (
                f"the PBX has been too busy {self._pause.times} times in a row to fork a station: {recording.refused}"
            )
            outputs.append(AlarmRaised("fork-refused", Severity.MAJOR, text))
        return outputs + self._reviewer.review(conversation, now, at)

    def _blame(self, dossier: Dossier, recording: Recording) -> None:
        down = not self._desk.forks.link_up
        text = f"fork refused by the PBX: {recording.refused}"
        dossier.hinder(recording.station, Obstacle("link_down" if down else "fork_refused", text))

    def _retry(self, conversation: Conversation, recording: Recording, now: float, at: datetime) -> list[Output]:
        call = conversation.talking(recording.station)
        if call is None or len(recording.tried) >= self._desk.config.attempts:
            return []
        if self._desk.forbidding(conversation, recording.station) is not None:
            return []
        want = Want(call, recording.station, recording.decision)
        return self._reviewer.starter.start(conversation, want, now, at, recording.tried)


def remark_on(recording: Recording, conversation: Conversation, step: Step) -> Remark:
    """A step of the conversation on the recording's time line, with how the conversation stands now."""
    return Remark(
        recording.id,
        step.now,
        step.at,
        step.kind,
        step.cause,
        step.detail,
        parties_of(conversation, recording.station),
        conversation.direction,
        calls_of(conversation),
        list(conversation.via),
        conversation.parked_by,
    )
