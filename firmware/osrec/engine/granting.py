"""What follows the PBX's answer to a request for a fork, or its silence."""

from datetime import datetime, timedelta
from uuid import UUID

from osrec.calls.conversation import Conversation
from osrec.engine.alarms import AlarmCleared, AlarmRaised, Severity
from osrec.engine.busy import Pause
from osrec.engine.coverage import Obstacle
from osrec.engine.desk import Desk, Want
from osrec.engine.dossier import Dossier, Hold, Step, calls_of, parties_of
from osrec.engine.keeping import pause
from osrec.engine.messages import Forget, Listen, Open, Output, Remark
from osrec.engine.recording import Recording, State
from osrec.engine.review import Reviewer

LOOK = 0.5  # seconds between two looks at a pair: so long before the first that was not idle, audio may have begun
SOUND = 0.05  # seconds between two looks whether the PBX has told anything: it answers within tens of milliseconds
INQUIRE_EVERY = 5.0  # seconds at least between two questions for a station whose connection the PBX does not know
OUTDATED = ("invalidConnectionID", "invalidConnectionState", "noActiveCall")  # errors: the station is not there (now)


class Granting:
    """Opens what was granted, tries elsewhere what was refused."""

    def __init__(self, desk: Desk, reviewer: Reviewer) -> None:
        self._desk = desk
        self._reviewer = reviewer
        self._pause = Pause()
        self._inquired: dict[str, float] = {}  # when the PBX was asked for a station's calls

    def answered(self, recording: Recording, now: float, at: datetime) -> list[Output]:
        """All requests of a recording are answered."""
        if recording.state is State.ABANDONED:
            outputs = self._desk.forks.give_back(recording, now)
            return outputs + self._reviewer.review_waiting(now, at)
        if recording.refused is None:
            return self.granted(recording, now, at)
        outputs = [Forget(recording.id), *self._desk.forks.give_back(recording, now)]
        if "resourceBusy" in recording.refused:  # we took the ports for free: where does the PBX have them?
            outputs += self._desk.forks.look_for(recording)
        outputs += self._refused(recording, now, at)
        return outputs if recording.busy else outputs + self._reviewer.review_waiting(now, at)  # others want the pair

    def granted(self, recording: Recording, now: float, at: datetime) -> list[Output]:
        """The PBX forks; where the trunk has signalling, it first has to call both ports."""
        called = not self._desk.forks.bearers.lacking(recording.pair)
        if recording.state is not State.REQUESTING or recording.awaited or not called:
            return []
        return [*self.located(recording), *self.running(recording, now, at)]

    def located(self, recording: Recording) -> list[Output]:
        """Where the trunk has signalling, its calls say which slots the audio is on."""
        found = self._desk.forks.bearers.carrier(recording.pair)
        if found is None:
            return []
        recording.carrier, alone = found
        since = max(alone, recording.asked - LOOK)  # not before it was asked for, either
        return [Listen(recording.id, recording.carrier, reach_back=False, since=since)]

    def not_answered(self, recording: Recording, now: float, at: datetime) -> list[Output]:
        """It has waited long enough: another pair is tried. The late answer says which ports to take out again.

        Where audio has come, and nothing else from the PBX since it was asked, the link may be half open: that shows
        before long, and the audio is waited with (evidence.py). A question for its ports has a sound link tell at once.
        """
        if not recording.awaited:
            return self._not_called(recording, now, at)
        if recording.flowing is not None and self._desk.vigil.told <= recording.asked:
            recording.due = now + SOUND
            if recording.looked_for is not None:
                return []
            recording.looked_for = now
            return self._desk.forks.look_for(recording)
        recording.state, recording.due = State.ABANDONED, None
        recording.refused = f"no answer for {self._desk.config.fork_timeout:g} s"
        return [Forget(recording.id), *self._desk.forks.give_up(recording, now), *self._refused(recording, now, at)]

    def _not_called(self, recording: Recording, now: float, at: datetime) -> list[Output]:
        """The PBX granted the fork, and does not call the ports."""
        ports, line = self._desk.forks.bearers.lacking(recording.pair), recording.pair.line
        which = f"port{'s' if len(ports) > 1 else ''} {' and '.join(ports)}"
        recording.refused = (
            f"granted, but no call came to {which} over the signalling of {line} for "
            f"{self._desk.config.fork_timeout:g} s: does the PBX route these numbers to this trunk?"
        )
        outputs = [Forget(recording.id), *self._desk.forks.give_back(recording, now)]
        self._desk.forks.rest(recording.pair, now + self._desk.config.fork_timeout)  # they may yet come
        return outputs + self._refused(recording, now, at)

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

    def running(self, recording: Recording, now: float, at: datetime) -> list[Output]:
        """The recording begins, with what has come on its pair since it was asked for."""
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
            recording.kept_since = recording.asked
            dossier.recordings.append(recording.id)
            dossier.recorded_by = dossier.recorded_by or recording.decision
        outputs: list[Output] = [AlarmCleared("fork-refused")]
        outputs += [AlarmCleared(f"{code}:{recording.station}") for code in ("fork-lost", "preempted")]
        outputs.append(self._open(recording, conversation))
        outputs += [remark_on(recording, conversation, step) for step in dossier.history]
        if dossier.paused is not None:
            outputs += pause(recording, now, at, dossier.paused, recording.asked)
        covered = now if recording.flowing is None else recording.flowing - LOOK
        self._desk.settle(conversation, covered, at - timedelta(seconds=now - covered))
        return outputs

    def _open(self, recording: Recording, conversation: Conversation) -> Open:
        return Open(
            recording.id,
            recording.conversation,
            recording.station,
            recording.channels,
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
        desk.settle(conversation, now, at)  # the wait for the answer was for this; what hinders from now on comes after
        if recording.busy:
            return self._busy(conversation, dossier, recording, now, at)
        outdated = self._inquire(recording.station, now) if _is_outdated(recording) else []
        retry = self._retry(conversation, recording, now, at)
        if retry:
            desk.settle(conversation, now, at)
            return outdated + retry
        dossier.refused(recording.station, recording.connection.call_id or b"", now)
        text = f"the PBX refused to fork station {recording.station}: {recording.refused}"
        outputs: list[Output] = [*outdated, AlarmRaised("fork-refused", Severity.MAJOR, text)]
        return outputs + self._reviewer.review(conversation, now, at)

    def _inquire(self, station: str, now: float) -> list[Output]:
        """The station is not where we think: an event was lost, or nobody sends any. The PBX is asked where it is."""
        if now - self._inquired.get(station, now - INQUIRE_EVERY) < INQUIRE_EVERY:
            return []
        self._inquired[station] = now
        return self._desk.inquire(station)

    def _busy(
        self, conversation: Conversation, dossier: Dossier, recording: Recording, now: float, at: datetime
    ) -> list[Output]:
        """The same fork may be granted a moment later: that is no refusal of the station, and none of the pair."""
        key = recording.station, recording.connection.call_id or b""
        known = dossier.holds.get(key)
        until, obstacle = self._pause.refused(now), dossier.obstacles.get(recording.station)
        dossier.holds[key] = Hold(known.times if known else 0, until, obstacle)
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
        unseen = self._desk.vigil.unmonitored(recording.station) if _is_outdated(recording) else None
        dossier.hinder(recording.station, unseen or Obstacle("link_down" if down else "fork_refused", text))

    def _retry(self, conversation: Conversation, recording: Recording, now: float, at: datetime) -> list[Output]:
        call = conversation.talking(recording.station)
        if call is None or len(recording.tried) >= self._desk.config.attempts:
            return []
        if self._desk.forbidding(conversation, recording.station) is not None:
            return []
        want = Want(call, recording.station, recording.decision)
        return self._reviewer.starter.start(conversation, want, now, at, recording.tried)


def _is_outdated(recording: Recording) -> bool:
    """Whether the PBX refused since its call is not what we take it for."""
    return recording.refused is not None and any(error in recording.refused for error in OUTDATED)


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
