"""What becomes of conversations: begun, changed, joined, ended."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TypeGuard
from uuid import UUID

from osrec.calls import changes as calls
from osrec.calls.conversation import Conversation
from osrec.calls.snapshots import FoundCall
from osrec.csta.messages import ServiceAnswered
from osrec.engine.alarms import AlarmCleared
from osrec.engine.coverage import Obstacle
from osrec.engine.desk import IN_CALL, Desk
from osrec.engine.dossier import Dossier, Step
from osrec.engine.facts import facts_of
from osrec.engine.granting import remark_on
from osrec.engine.keeping import keep, pause
from osrec.engine.messages import Adopt, Concluded, Output, Remark, Restore, TakenOver
from osrec.engine.proof import end
from osrec.engine.questions import Questions
from osrec.engine.recording import ACTIVE, Recording, State
from osrec.engine.restoring import Restoring, end_unseen
from osrec.engine.review import Reviewer
from osrec.engine.telling import Telling
from osrec.store.going import cut_off
from osrec.wire.csta.model import Event, SnapshotLeg

_REVIEWED = (calls.Happened, calls.Restated)  # changes whose conversation is looked at for their own sake


class Happenings:
    """Follows the tracker."""

    def __init__(self, desk: Desk, reviewer: Reviewer, telling: Telling) -> None:
        self._desk = desk
        self._reviewer = reviewer
        self._telling = telling
        self._restoring = Restoring(desk)
        self.questions = Questions(desk.forks, allowed=desk.config.snapshot_calls)

    def reported(self, station: str, event: Event, now: float, at: datetime) -> list[Output]:
        """An event that a monitor saw.

        One that changes no leg may still change who talks to whom (somebody of whom only the presence is known), so
        its conversation is looked at in any case.
        """
        changes = self._desk.tracker.handle(station, event, now)
        outputs = self.apply(changes, now, at)
        connection = getattr(event, "connection", None)
        conversation = self._desk.tracker.of_call(connection.call_id) if connection is not None else None
        if conversation is not None and not any(isinstance(change, _REVIEWED) for change in changes):
            outputs += self._reviewer.review(conversation, now, at)
        return outputs

    def taken_over(self, event: Restore | Adopt | TakenOver, now: float, at: datetime) -> list[Output]:
        """What an earlier run of the recorder left."""
        match event:
            case Restore():
                return self.apply(self._restoring.restore(event, now), now, at)
            case Adopt():
                return self._restoring.adopt(event, now, at)
            case TakenOver():
                return self._restoring.taken_over()

    def apply(self, changes: Iterable[calls.Change], now: float, at: datetime) -> list[Output]:
        outputs: list[Output] = []
        for change in changes:
            match change:
                case calls.Began(conversation):
                    self._desk.dossiers[conversation.id] = Dossier(at, now)
                case calls.Happened(conversation):
                    self._restoring.seen_in(conversation, change.device)
                    outputs += self._remark(change, now, at)
                    outputs += self._reviewer.review(conversation, now, at, change.cause)
                case calls.Merged(conversation, gone):
                    outputs += self._merge(conversation, gone, now, at)
                case calls.PortDropped(port, call_id, dynamic):
                    outputs += self._desk.forks.port_left(port, call_id, dynamic, now)
                case calls.PortMoved(port, call_id, dynamic):
                    self._desk.forks.port_moved(port, call_id, dynamic)
                case calls.Unclear():
                    outputs += self.questions.ask(change)
                case calls.Restated(conversation):
                    outputs += self._reviewer.review(conversation, now, at)
                case calls.Ended(conversation, cause, when):
                    outputs += self._end(conversation, cause, now, at)
                    outputs += self._conclude(conversation, when, at - timedelta(seconds=now - when))
        return outputs

    def answered(self, answer: ServiceAnswered, now: float, at: datetime) -> list[Output]:
        """The PBX was asked who is in a call."""
        found = self.questions.answered(answer.token, answer.outcome)
        return [] if found is None else self.apply(self._desk.tracker.found(*found, now), now, at)

    def resync(
        self,
        station: str,
        legs: Iterable[SnapshotLeg],
        now: float,
        at: datetime,
        found: Iterable[FoundCall] = (),
        unseen: Obstacle | None = None,
    ) -> list[Output]:
        """A snapshot is a fresh start: what was refused before the link was lost may work now.

        Args:
            unseen: why the beginning of a call that was not known was not seen.
        """
        changes = self._desk.tracker.reconcile(station, legs, now, found)
        outputs = self.apply(changes, now, at)
        for change in changes:
            if unseen is not None and self._hides_talk(change, station):
                self._mark_unseen(change.conversation, station, unseen, now, at)
        for conversation in list(self._desk.tracker.conversations.values()):
            dossier = self._desk.dossiers.get(conversation.id)
            if dossier is not None and station in conversation.stations:
                self._restoring.seen_again(conversation, station, now, at)
                dossier.forgive(station)
                for recording in self._desk.forks.of(conversation.id, State.RUNNING):
                    recording.unseen &= recording.station != station  # the call goes on: it is on hold
                outputs += self._reviewer.review(conversation, now, at)
        return outputs

    def fell_silent(self, identity: UUID, station: str, now: float, at: datetime) -> list[Output]:
        """The audio of a station's part in a conversation is over, and nobody could tell us; so is that part.

        The station may talk in another call by now, that others tell of.
        """
        conversation = self._desk.tracker.conversations.get(identity)
        if conversation is None:
            return []
        outputs = self.apply(self._desk.tracker.left(conversation, station, now), now, at)
        if identity not in self._desk.dossiers:
            return outputs
        self._restoring.seen_again(conversation, station, now, at)
        return outputs + self._reviewer.review(conversation, now, at)

    @staticmethod
    def _hides_talk(change: calls.Change, station: str) -> TypeGuard[calls.Began | calls.Happened]:
        """Whether there was, or may have been, talk that nobody told us of, before the snapshot that shows this."""
        match change:
            case calls.Began(conversation):  # in progress when it was found
                in_call = any(call.state(station) in IN_CALL for call in conversation.calls.values())
                return in_call and conversation.answered is not None
            case calls.Happened(conversation):  # it rang before and is gone now: it may have been answered meanwhile
                return conversation.answered is None and not conversation.has(station)
            case _:
                return False

    def _mark_unseen(
        self, conversation: Conversation, station: str, unseen: Obstacle, now: float, at: datetime
    ) -> None:
        dossier = self._desk.dossiers.get(conversation.id)
        if dossier is not None and self._desk.decide(conversation, station).action == "record":
            dossier.coverage.mark(station, unseen, now, at)

    def stop(self, now: float, at: datetime) -> list[Output]:
        """The recorder ends: conversations whose recordings do not go on in the next run are told of now.

        If no other run comes, that was all of them. One that comes must know them all the same: the call may go on,
        and a rule may have said that it is never to be recorded.
        """
        outputs: list[Output] = []
        for conversation in list(self._desk.tracker.conversations.values()):
            dossier = self._desk.dossiers.get(conversation.id)
            if dossier is None or self._desk.forks.of(conversation.id, State.RUNNING):
                continue
            over = conversation.over
            if over is not None and not self._may_go_on(conversation):  # it only waited for events that are late
                outputs += self._conclude(conversation, over, at - timedelta(seconds=now - over))
                continue
            dossier.coverage.close(now)
            going = self._telling.whole(conversation, now, at)
            outputs += self._conclude(conversation, now, at, "the recorder was stopped during the call")
            outputs += going
        return outputs

    @staticmethod
    def _may_go_on(conversation: Conversation) -> bool:
        return conversation.over is None or conversation.parked_at is not None

    def _remark(self, change: calls.Happened, now: float, at: datetime) -> list[Output]:
        """Put a step on the time lines of the conversation's recordings, also of those that begin later."""
        conversation = change.conversation
        device = {"device": change.device} if change.device else {}
        step = Step(now, at, change.kind, change.cause, dict(change.detail) | device)
        dossier = self._desk.dossiers.get(conversation.id)
        if dossier is not None:
            dossier.history.append(step)
        running = self._desk.forks.of(conversation.id, State.RUNNING)
        return [remark_on(recording, conversation, step) for recording in running]

    def _merge(self, conversation: Conversation, gone: Conversation, now: float, at: datetime) -> list[Output]:
        """What was asked for one of them (to pause, to keep) holds for both."""
        desk = self._desk
        dossier = desk.dossiers.setdefault(conversation.id, Dossier(at, now))
        absorbed = desk.dossiers.pop(gone.id, None)
        if absorbed is not None:
            dossier.absorb(absorbed)
        desk.uncovered.discard(gone.id)
        desk.merged.append((gone.id, conversation.id))
        outputs: list[Output] = []
        for recording in desk.forks.of(gone.id, *State):
            desk.forks.move(recording, conversation.id)
            if recording.state is State.RUNNING:
                detail = {"conversation": str(gone.id)}
                outputs.append(Remark(recording.id, now, at, "merged", None, detail, conversation=conversation.id))
        for recording in desk.forks.of(conversation.id, State.RUNNING):
            outputs += self._inherit(recording, dossier, now, at)
        desk.settle(conversation, now, at)
        return outputs

    def _inherit(self, recording: Recording, dossier: Dossier, now: float, at: datetime) -> list[Output]:
        outputs: list[Output] = []
        if dossier.paused is not None and not recording.paused:
            outputs += pause(recording, now, at, dossier.paused)
        if dossier.keeping is not None and recording.provisional:
            outputs += keep(self._desk, recording, now, dossier.keeping)
        return outputs

    def _end(self, conversation: Conversation, cause: str | None, now: float, at: datetime) -> list[Output]:
        desk = self._desk
        outputs: list[Output] = []
        for recording in desk.forks.of(conversation.id, *ACTIVE):
            outputs += end(desk, recording, conversation, cause or "call ended", now, at)
        for station in conversation.stations:
            outputs += [AlarmCleared(f"{code}:{station}") for code in ("fork-lost", "preempted")]
        return outputs

    def _conclude(
        self, conversation: Conversation, now: float, at: datetime, stopped: str | None = None
    ) -> list[Output]:
        """It was over at `now`, which may be some seconds ago; `stopped`: it goes on, but not for us."""
        desk = self._desk
        desk.uncovered.discard(conversation.id)
        dossier = desk.dossiers.pop(conversation.id, None)
        if dossier is None:
            return []
        desk.touched[conversation.id] = None
        station = conversation.stations[0] if conversation.stations else ""
        unanswered = desk.rules.decide(facts_of(conversation, station, dossier.started))
        dossier.reason = stopped or dossier.reason
        ended, ended_at = end_unseen(dossier, now, at)
        record = dossier.conclude(conversation, unanswered, ended, ended_at, desk.config.late_after)
        return [Concluded(record if ended == now else cut_off(record))]
