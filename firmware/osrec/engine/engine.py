"""Decides which call is on which channel, from when to when, and says so.

Events in, outputs out; no clock, no I/O. The CSTA link's outputs go in as they are. A recording is the audio of one
monitored station's part in a conversation; a conversation in which several recorded stations talk is recorded once
(at the first of them) or at each, as configured, and always for as long as one of them talks in it.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

from osrec.calls import changes as calls
from osrec.calls.conversation import Conversation
from osrec.calls.tracker import Tracker
from osrec.csta import messages as link
from osrec.engine.alarms import AlarmCleared, AlarmRaised, Severity
from osrec.engine.dossier import Dossier, Step, calls_of, parties_of
from osrec.engine.fork import ForkStrategy
from osrec.engine.forks import Forks
from osrec.engine.hearing import audio_ended, listen, silence_alarms
from osrec.engine.link_alarms import link_alarms
from osrec.engine.messages import (
    Adopt,
    Concluded,
    Event,
    Finish,
    Forget,
    Heard,
    JournalChanged,
    Open,
    OpenRefused,
    Output,
    Remark,
    TimerExpired,
)
from osrec.engine.pool import Pair, Pool
from osrec.engine.recording import Recording, State
from osrec.engine.rules import Facts, RuleSet
from osrec.engine.settings import EngineConfig
from osrec.engine.vigil import Vigil
from osrec.store.records import Decision
from osrec.wire.csta.model import ConnectionId, DeviceId, DeviceSnapshot, SnapshotDevice, SnapshotLeg


class Engine:
    """All recordings of one recorder.

    Attributes:
        tracker: the conversations.
        rules: what is recorded.
        forks: the recordings, and what the PBX is asked for them.
    """

    def __init__(
        self,
        config: EngineConfig,
        tracker: Tracker,
        rules: RuleSet,
        pool: Pool,
        strategy: ForkStrategy,
        new_id: Callable[[], UUID],
    ) -> None:
        self.tracker = tracker
        self.rules = rules
        self.forks = Forks(pool, strategy)
        self._config = config
        self._new_id = new_id
        self._dossiers: dict[UUID, Dossier] = {}
        self._vigil = Vigil(tracker.monitored)
        self._accepts_new = True
        self._pool_alarm = False

    @property
    def recordings(self) -> dict[UUID, Recording]:
        """Those that hold a pair now, by id."""
        return self.forks.recordings

    @property
    def pool(self) -> Pool:
        return self.forks.pool

    @property
    def link_up(self) -> bool:
        return self.forks.link_up

    @property
    def deadline(self) -> float | None:
        """When to call handle(TimerExpired()); None: nothing is due."""
        return min((r.release_at for r in self.recordings.values() if r.release_at is not None), default=None)

    def handle(self, event: Event | link.Output, now: float, at: datetime) -> list[Output]:
        """Advance by one event. `at` is the wall time of `now`, aware, UTC."""
        outputs = self._handle(event, now, at)
        outputs += self._pool_state()
        return outputs

    def _handle(self, event: Event | link.Output, now: float, at: datetime) -> list[Output]:
        match event:
            case link.Reported(station, report):
                return self._apply(self.tracker.handle(station, report.event, now), now, at)
            case link.SnapshotTaken(station, legs):
                self._vigil.take(event)
                return self._resync(station, legs, now, at)
            case link.ServiceAnswered():
                return self._answered(event, now, at)
            case Heard():
                return self._heard(event, now, at)
            case TimerExpired():
                return self._timer(now, at)
            case Adopt():
                return self._adopt(event, now, at)
            case JournalChanged(accepts_new):
                return self._journal(accepts_new, now, at)
            case OpenRefused(recording, reason):
                return self._open_refused(recording, reason)
            case _:
                return self._link_state(event)

    def conversation_reason(self, conversation: UUID) -> str | None:
        """Why a running conversation is not recorded, None when it is or nothing is known against it."""
        dossier = self._dossiers.get(conversation)
        return dossier.reason if dossier else None

    # --- conversations

    def _apply(self, changes: Iterable[calls.Change], now: float, at: datetime) -> list[Output]:
        outputs: list[Output] = []
        for change in changes:
            match change:
                case calls.Began(conversation):
                    self._dossiers[conversation.id] = Dossier(at)
                case calls.Happened(conversation):
                    outputs += self._remark(change, now, at)
                    outputs += self._review(conversation, now, at, change.cause)
                case calls.Merged(conversation, gone):
                    outputs += self._merge(conversation, gone, now, at)
                case calls.PortDropped(port):
                    self.forks.port_dropped(port, now)
                case calls.PortMoved(port, call_id):
                    self.forks.port_moved(port, call_id)
                case calls.Ended(conversation, cause):
                    outputs += self._end(conversation, cause, now, at)
        return outputs

    def _resync(self, station: str, legs: Iterable[SnapshotLeg], now: float, at: datetime) -> list[Output]:
        """A snapshot is a fresh start: what was refused before the link was lost may work now."""
        outputs = self._apply(self.tracker.reconcile(station, legs, now), now, at)
        for conversation in list(self.tracker.conversations.values()):
            if conversation.has(station) and (dossier := self._dossiers.get(conversation.id)):
                dossier.forgive(station)
                outputs += self._review(conversation, now, at)
        return outputs

    def _remark(self, change: calls.Happened, now: float, at: datetime) -> list[Output]:
        """Put a step on the time lines of the conversation's recordings, also of those that begin later."""
        conversation = change.conversation
        device = {"device": change.device} if change.device else {}
        step = Step(now, at, change.kind, change.cause, dict(change.detail) | device)
        dossier = self._dossiers.get(conversation.id)
        if dossier is not None:
            dossier.remember(step)
        running = self.forks.of(conversation.id, State.RUNNING)
        return [self._remark_on(recording, conversation, step) for recording in running]

    def _remark_on(self, recording: Recording, conversation: Conversation, step: Step) -> Remark:
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
        )

    def _review(self, conversation: Conversation, now: float, at: datetime, cause: str | None = None) -> list[Output]:
        """Bring the recordings of a conversation to what its legs now ask for; `cause`: of the change."""
        outputs: list[Output] = []
        for recording in self.forks.of(conversation.id, State.REQUESTING, State.RUNNING):
            if not conversation.has(recording.station):
                outputs += self._stop(recording, cause or "the station left the conversation", now)
        dossier = self._dossiers.get(conversation.id)
        if dossier is None:
            return outputs
        dossier.waiting = False
        for call in conversation.calls.values():
            talkers = [station for station in conversation.stations if call.talking(station)]
            active = self.forks.of(conversation.id, State.REQUESTING, State.RUNNING)
            covered = {recording.station for recording in active} & set(talkers)
            for station in talkers:
                if station in covered or (covered and self._config.internal == "once"):
                    continue
                if not dossier.may_ask(station, call.call_id, now):
                    continue
                connection = call.connections.get(station) or ConnectionId(call.call_id, DeviceId(station))
                started = self._consider(conversation, dossier, station, connection)
                outputs += started
                if started:
                    covered.add(station)
        return outputs

    def _consider(
        self, conversation: Conversation, dossier: Dossier, station: str, connection: ConnectionId
    ) -> list[Output]:
        decision = self._decide(conversation, station)
        dossier.decide(decision)
        if decision.action != "record":
            return []
        return self._start(conversation, dossier, station, connection, decision)

    def _decide(self, conversation: Conversation, station: str) -> Decision:
        numbers = tuple(number for number in conversation.participants if number != station)
        return self.rules.decide(Facts(station, conversation.direction, numbers))

    def _start(
        self,
        conversation: Conversation,
        dossier: Dossier,
        station: str,
        connection: ConnectionId,
        decision: Decision,
        tried: tuple[Pair, ...] = (),
    ) -> list[Output]:
        """Ask for the fork; nothing when it has to wait."""
        outputs: list[Output] = []
        if not self._accepts_new:
            dossier.wait("the journal has no room for a new recording")
        elif not self.link_up:
            dossier.wait("the CSTA link is down")
        elif not self.forks.ready:
            dossier.wait("ended before the recorder had found its ports free")
        else:
            outputs = self.forks.start(self._new_id(), conversation.id, connection, station, decision, tried)
            if not outputs:
                dossier.wait("no free channel pair")
        return outputs

    def _merge(self, conversation: Conversation, gone: Conversation, now: float, at: datetime) -> list[Output]:
        dossier = self._dossiers.setdefault(conversation.id, Dossier(at))
        absorbed = self._dossiers.pop(gone.id, None)
        if absorbed is not None:
            dossier.absorb(absorbed)
        outputs: list[Output] = []
        for recording in self.forks.of(gone.id, *State):
            recording.conversation = conversation.id
            if recording.state is State.RUNNING:
                detail = {"conversation": str(gone.id)}
                outputs.append(Remark(recording.id, now, at, "merged", None, detail, conversation=conversation.id))
        return outputs

    def _end(self, conversation: Conversation, cause: str | None, now: float, at: datetime) -> list[Output]:
        outputs: list[Output] = []
        for recording in self.forks.of(conversation.id, State.REQUESTING, State.RUNNING):
            outputs += self._stop(recording, cause or "call ended", now)
        dossier = self._dossiers.pop(conversation.id, None)
        if dossier is None:
            return outputs
        decision = dossier.decision or self._decision_unanswered(conversation)
        return [*outputs, Concluded(dossier.conclude(conversation, decision, now, at))]

    def _decision_unanswered(self, conversation: Conversation) -> Decision:
        """Nobody talked, so nothing was decided yet: say what the rules would have said for its first station."""
        return self._decide(conversation, conversation.stations[0] if conversation.stations else "")

    # --- forks

    def _answered(self, event: link.ServiceAnswered, now: float, at: datetime) -> list[Output]:
        if (station := self._vigil.answered(event.token)) is not None:
            return self._inquired(station, event.outcome, now, at)
        follow_up = self.forks.sweep_answered(event.token, event.outcome, now)
        if follow_up is not None:
            return follow_up + (self._review_waiting(now, at) if self.forks.ready else [])
        recording = self.forks.answered(event.token, event.outcome)
        if recording is None:
            return []
        if recording.state is State.ABANDONED:
            return self.forks.give_back(recording)
        if recording.refused is not None:
            return self._refused(recording, now, at)
        return self._running(recording, now)

    def _running(self, recording: Recording, now: float) -> list[Output]:
        conversation = self.tracker.conversations[recording.conversation]
        dossier = self._dossiers[recording.conversation]
        dossier.recordings.append(recording.id)
        dossier.reason = None
        recording.state, recording.since = State.RUNNING, now
        return [
            AlarmCleared("fork-refused"),
            Open(
                recording.id,
                recording.conversation,
                recording.station,
                recording.pair,
                conversation.direction,
                parties_of(conversation, recording.station),
                calls_of(conversation),
                recording.decision,
            ),
            *(self._remark_on(recording, conversation, step) for step in dossier.history),
        ]

    def _open_refused(self, recording_id: UUID, reason: str) -> list[Output]:
        """The journal filled up between the request and the answer: as if it had been full before."""
        recording = self.recordings.get(recording_id)
        if recording is None:
            return []
        dossier = self._dossiers.get(recording.conversation)
        if dossier is not None:
            dossier.recordings.remove(recording_id)
            dossier.wait(reason)
        return self.forks.give_back(recording)

    def _refused(self, recording: Recording, now: float, at: datetime) -> list[Output]:
        """Never half a pair: give both ports back, and try another pair while the station still talks."""
        conversation = self.tracker.conversations.get(recording.conversation)
        dossier = self._dossiers.get(recording.conversation)
        outputs = [Forget(recording.id), *self.forks.give_back(recording)]
        if conversation is None or dossier is None:
            return outputs
        dossier.reason = f"fork refused by the PBX: {recording.refused}"
        call_id = recording.connection.call_id or b""
        if len(recording.tried) < self._config.attempts and conversation.has(recording.station):
            retry = self._start(
                conversation,
                dossier,
                recording.station,
                recording.connection,
                recording.decision,
                recording.tried,
            )
            if retry:
                return outputs + retry
            dossier.reason = f"fork refused by the PBX: {recording.refused}"
        dossier.refused(recording.station, call_id, now)
        text = f"the PBX refused to fork station {recording.station}: {recording.refused}"
        return [*outputs, AlarmRaised("fork-refused", Severity.MAJOR, text), *self._review(conversation, now, at)]

    def _stop(self, recording: Recording, reason: str, now: float) -> list[Output]:
        if recording.state is State.REQUESTING:
            recording.state = State.ABANDONED
            return [Forget(recording.id)]
        recording.state = State.DRAINING
        recording.release_at = now + self._config.tail
        return [Finish(recording.id, recording.release_at, reason), *silence_alarms(recording)]

    # --- time, lines, journal, link

    def _timer(self, now: float, at: datetime) -> list[Output]:
        outputs: list[Output] = []
        due = [r for r in self.recordings.values() if r.release_at is not None and r.release_at <= now]
        for recording in due:
            outputs += self.forks.give_back(recording)
        return outputs + (self._review_waiting(now, at) if due else [])

    def _review_waiting(self, now: float, at: datetime) -> list[Output]:
        outputs: list[Output] = []
        for conversation in list(self.tracker.conversations.values()):
            dossier = self._dossiers.get(conversation.id)
            if dossier is not None and dossier.due(now):
                outputs += self._review(conversation, now, at)
        return outputs

    def _heard(self, heard: Heard, now: float, at: datetime) -> list[Output]:
        for line in {pair.line for pair in self.pool.pairs}:
            self.pool.block(line, line in heard.lines_down)
        outputs: list[Output] = []
        for recording in list(self.recordings.values()):
            if recording.state is State.RUNNING and recording.pair in heard.pairs:
                outputs += listen(recording, heard.pairs[recording.pair], self._config, now)
                outputs += self._silent(recording, now, at)
        return outputs + self._review_waiting(now, at)

    def _silent(self, recording: Recording, now: float, at: datetime) -> list[Output]:
        """Is the call over, and nobody told us? While nobody could, silence says so; else the PBX is asked."""
        if not audio_ended(recording, self._config, now):
            return []
        station = recording.station
        if self._vigil.blind(station):
            outputs = self._stop(recording, "audio ended while the station was not monitored", now)
            return outputs + self._apply(self.tracker.reconcile(station, (), now), now, at)
        gone = not recording.joined
        patience = self._config.audio_end if gone else self._config.inquire_after
        if recording.idle_since is None or now - recording.idle_since < patience or self._vigil.asking(station):
            return []
        recording.idle_since = now  # not again before as long a silence
        token, request = self.forks.ask(SnapshotDevice(DeviceId(station)))
        self._vigil.asked(station, token)
        return [request]

    def _inquired(self, station: str, outcome: object, now: float, at: datetime) -> list[Output]:
        """A silent station was asked for; when the PBX does not tell, the recordings go on."""
        return self._resync(station, outcome.legs, now, at) if isinstance(outcome, DeviceSnapshot) else []

    def _journal(self, accepts_new: bool, now: float, at: datetime) -> list[Output]:
        self._accepts_new = accepts_new
        if not accepts_new:
            text = "the journal has no room: new recordings are refused until the keeper has freed some"
            return [AlarmRaised("journal-full", Severity.CRITICAL, text)]
        return [AlarmCleared("journal-full"), *self._review_waiting(now, at)]

    def _link_state(self, event: link.Output) -> list[Output]:
        self._vigil.take(event)
        outputs: list[Output] = [*link_alarms(event)]
        if isinstance(event, link.LinkUp):
            outputs += self.forks.connected()
        elif isinstance(event, link.LinkDown):
            self.forks.disconnected()
        return outputs

    def _adopt(self, event: Adopt, now: float, at: datetime) -> list[Output]:
        opened, conversation = event.opened, event.conversation
        if conversation.id not in self.tracker.conversations:
            self.tracker.adopt(conversation)
            self._dossiers[conversation.id] = Dossier(opened.at, decision=opened.decision)
        self._dossiers[conversation.id].recordings.append(opened.recording)
        connection = ConnectionId(next(iter(conversation.calls), None), DeviceId(opened.station))
        recording = Recording(
            opened.recording, conversation.id, opened.station, event.pair, connection, opened.decision, State.RUNNING
        )
        recording.since = now
        self.forks.adopt(recording)
        return []

    def _pool_state(self) -> list[Output]:
        waiting = sum(dossier.waiting for dossier in self._dossiers.values())
        short = bool(waiting) and self._accepts_new and self.forks.ready
        if short == self._pool_alarm:
            return []
        self._pool_alarm = short
        if not short:
            return [AlarmCleared("no-pair")]
        text = f"all {len(self.pool.pairs)} channel pairs are taken or on lines in alarm: conversations wait for one"
        return [AlarmRaised("no-pair", Severity.MAJOR, text)]
