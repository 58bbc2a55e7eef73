"""The recorder: carries out what the engine decides, on real lines, a real journal and a real link.

All methods are quick and run in one thread; `runner` calls them from asyncio, tests call them in virtual time.
"""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog

from osrec.calls.conversation import Call, Conversation, Participant
from osrec.csta import messages as link
from osrec.engine.alarms import AlarmBoard, AlarmCleared, AlarmRaised, Severity
from osrec.engine.engine import Engine
from osrec.engine.messages import (
    Adopt,
    Concluded,
    Event,
    Finish,
    Forget,
    JournalChanged,
    Listen,
    Open,
    OpenRefused,
    Output,
    Remark,
    Request,
    TimerExpired,
)
from osrec.engine.pool import Pair
from osrec.engine.recording import State
from osrec.errors import StoreError
from osrec.recorder.clock import Clock
from osrec.recorder.listening import Ears
from osrec.store.records import Channel, ConversationEnded, LineAnchor, Note, Opened, TimelineEvent
from osrec.store.recovery import OpenRecording
from osrec.store.state import Condition, JournalState
from osrec.store.writer import JournalWriter
from osrec.wire.csta.model import Argument, LocalState
from osrec_drivers.line import FRAME_RATE, Line

log = structlog.get_logger()
LOOK_SECONDS = 0.5
HUNG_AFTER = 3.0  # seconds without a commit; one is due every half second


@dataclass(slots=True)
class _Begun:
    """Where a recording's audio begins, noted when the PBX was asked for it."""

    pair: Pair
    first: int
    head: int
    now: float


@dataclass(slots=True)
class _Finishing:
    when: float
    reason: str


class Recorder:
    """One recorder.

    Args:
        lines: open lines by name.
        request: sends a service request over the CSTA link; the answer comes to `take` as ServiceAnswered.
        boot_id: of this boot of the machine, for the anchors.

    Attributes:
        alarms: what stands now.
        journal: latest state of the journal, None before the first.
        begun, concluded: recordings begun and conversations ended by this process.
    """

    def __init__(
        self,
        engine: Engine,
        lines: Mapping[str, Line],
        ears: Ears,
        writer: JournalWriter,
        request: Callable[[Any, Argument], None],
        clock: Clock,
        boot_id: str,
    ) -> None:
        self.engine = engine
        self.lines = lines
        self.ears = ears
        self.alarms = AlarmBoard()
        self.journal: JournalState | None = None
        self.begun = 0
        self.concluded = 0
        self._writer = writer
        self._request = request
        self._clock = clock
        self._boot_id = boot_id
        self._begun: dict[UUID, _Begun] = {}
        self._finishing: dict[UUID, _Finishing] = {}
        self._next_look = 0.0

    # --- what comes in

    def resume(self, recordings: Sequence[OpenRecording], in_step: Container[str], longest: float) -> None:
        """Go on with what the earlier run had open; what cannot go on is closed.

        Args:
            in_step: lines whose sample numbers go on from the earlier run's.
            longest: seconds; after a longer absence a recording is not taken up again.
        """
        for recovered in recordings:
            opened = recovered.opened
            pair = self._pair_of(opened)
            away = (self._clock.at() - recovered.last_at).total_seconds()
            if pair is None or opened.station not in self.engine.tracker.monitored:
                self._close_left(recovered, "its station or its channels are no longer configured")
            elif pair.line not in in_step or away > longest:
                self._close_left(recovered, "the recorder was away")
            else:
                self._go_on(recovered, pair)

    def _go_on(self, recovered: OpenRecording, pair: Pair) -> None:
        opened, line, now = recovered.opened, self.lines[pair.line], self._clock.now()
        self._give(Adopt(opened, pair, self._conversation_of(recovered, now)))
        self._begun[opened.recording] = _Begun(pair, opened.first_sample, line.head, now)
        self._writer.resume(opened.recording, line, pair.own.slot, pair.other.slot)
        log.info("recording goes on", recording=str(opened.recording), station=opened.station, pair=str(pair))

    def _close_left(self, recovered: OpenRecording, reason: str) -> None:
        opened, recording = recovered.opened, recovered.opened.recording
        self._writer.close(recording, recovered.last_sample, recovered.last_at, reason)
        self._writer.conversation(
            ConversationEnded(
                conversation=recovered.conversation,
                started=opened.at,
                answered=opened.at,
                ended=recovered.last_at,
                direction=recovered.direction,
                stations=[opened.station],
                parties=recovered.parties,
                calls=recovered.calls,
                decision=opened.decision,
                recordings=[recording],
                outcome="recorded",
            )
        )
        log.warning("recording ended with the earlier run", recording=str(recording), reason=reason)

    def take(self, output: link.Output) -> None:
        """Take an output of the CSTA link."""
        self._give(output)

    def journal_state(self, state: JournalState) -> None:
        """The journal's thread reports (called in the recorder's own thread)."""
        before, self.journal = self.journal, state
        if before is None or before.accepts_new != state.accepts_new:
            self._give(JournalChanged(state.accepts_new))
        text = f"the journal: {state.error}"
        for condition, severity in ((Condition.STOPPED, Severity.CRITICAL), (Condition.FAILED_OVER, Severity.MAJOR)):
            key = f"journal-{condition}"
            self._alarm(AlarmRaised(key, severity, text) if state.condition is condition else AlarmCleared(key))

    @property
    def deadline(self) -> float:
        """When `tick` has something to do."""
        dues = [self._next_look, *(one.when for one in self._finishing.values())]
        if self.engine.deadline is not None:
            dues.append(self.engine.deadline)
        return min(dues)

    def tick(self) -> None:
        """Do what is due."""
        now = self._clock.now()
        for recording, one in list(self._finishing.items()):
            if one.when <= now:
                self._close(recording, one.reason)
        if self.engine.deadline is not None and self.engine.deadline <= now:
            self._give(TimerExpired())
        if now >= self._next_look:
            self._next_look = now + LOOK_SECONDS
            self._look()

    def stop(self) -> None:
        """Leave recordings open in the journal for the next run: the calls go on, and so do they."""
        for recording in list(self._finishing):
            self._close(recording, self._finishing[recording].reason)
        self._anchor()
        if self._begun:
            log.info("recordings stay open: the next start goes on with them or closes them", count=len(self._begun))

    # --- what the engine wants done

    def _give(self, event: Event | link.Output) -> None:
        for output in self.engine.handle(event, self._clock.now(), self._clock.at()):
            self._do(output)

    def _do(self, output: Output) -> None:
        match output:
            case Request(token, argument):
                self._request(token, argument)
            case Listen(recording, pair, reach_back):
                first, head = self.ears.begin(pair, reach_back=reach_back)
                self._begun[recording] = _Begun(pair, first, head, self._clock.now())
            case Open():
                self._open(output)
            case Remark():
                self._remark(output)
            case Finish(recording, when, reason):
                self._finishing[recording] = _Finishing(when, reason)
            case Forget(recording):
                self._begun.pop(recording, None)
            case Concluded(record):
                self._conclude(record)
            case AlarmRaised() | AlarmCleared():
                self._alarm(output)

    def _open(self, wanted: Open) -> None:
        begun = self._begun[wanted.recording]
        line = self.lines[begun.pair.line]
        age = self._clock.now() - begun.now + (begun.head - begun.first) / FRAME_RATE
        clock = self._clock.state().model_copy(update={"line_ppm": line.status().ppm})
        opened = Opened(
            recording=wanted.recording,
            conversation=wanted.conversation,
            station=wanted.station,
            at=self._clock.at() - timedelta(seconds=age),
            first_sample=begun.first,
            channels=(
                Channel(side="left", line=begun.pair.line, slot=begun.pair.own.slot, port=begun.pair.own.number),
                Channel(side="right", line=begun.pair.line, slot=begun.pair.other.slot, port=begun.pair.other.number),
            ),
            direction=wanted.direction,
            parties=wanted.parties,
            calls=wanted.calls,
            decision=wanted.decision,
            clock=clock,
        )
        try:
            self._writer.open(opened, line, begun.pair.own.slot, begun.pair.other.slot)
        except StoreError as error:
            log.error("recording not begun", recording=str(wanted.recording), error=str(error))
            del self._begun[wanted.recording]
            self._give(OpenRefused(wanted.recording, f"the journal refused it: {error}"))
            return
        self.begun += 1
        log.info("recording begins", recording=str(wanted.recording), station=wanted.station, pair=str(begun.pair))

    def _remark(self, remark: Remark) -> None:
        begun = self._begun.get(remark.recording)
        if begun is None:
            return
        age = self._clock.now() - remark.now
        event = TimelineEvent(
            at=remark.at,
            sample=self.lines[begun.pair.line].head - round(age * FRAME_RATE),
            kind=remark.kind,
            cause=remark.cause,
            detail=remark.detail,
        )
        self._writer.note(
            Note(
                recording=remark.recording,
                event=event,
                parties=remark.parties,
                direction=remark.direction,
                calls=remark.calls,
                conversation=remark.conversation,
            )
        )

    def _close(self, recording: UUID, reason: str) -> None:
        del self._finishing[recording]
        begun = self._begun.pop(recording)
        last = max(self.lines[begun.pair.line].head, begun.first)
        self.ears.end(begun.pair, last)
        self._writer.close(recording, last, self._clock.at(), reason)
        log.info("recording ends", recording=str(recording), pair=str(begun.pair), reason=reason)

    def _conclude(self, record: ConversationEnded) -> None:
        self.concluded += 1
        self._writer.conversation(record)
        log.info(
            "conversation ends", conversation=str(record.conversation), outcome=record.outcome, reason=record.reason
        )

    def _alarm(self, change: AlarmRaised | AlarmCleared) -> None:
        if not self.alarms.take(change, self._clock.at()):
            return
        if isinstance(change, AlarmRaised):
            log.warning("alarm", key=change.key, severity=str(change.severity), text=change.text)
        else:
            log.info("alarm cleared", key=change.key)

    # --- looking at the lines

    def _look(self) -> None:
        for change in self.ears.alarms():
            self._alarm(change)
        self._watch_journal()
        running = [r.pair for r in self.engine.recordings.values() if r.state is State.RUNNING]
        self._give(self.ears.look(running))
        self._anchor()

    def _watch_journal(self) -> None:
        """A disk that hangs blocks the journal's thread, which then cannot say so itself."""
        silent = self._clock.now() - self._writer.state.committed
        if silent > HUNG_AFTER:
            text = f"the disk of the journal has not answered for {silent:.0f} s: audio waits in memory"
            self._alarm(AlarmRaised("journal-hung", Severity.CRITICAL, text))
        else:
            self._alarm(AlarmCleared("journal-hung"))

    def _anchor(self) -> None:
        for name, line in self.lines.items():
            anchor = line.anchor()
            if anchor is not None:
                self._writer.anchor(
                    LineAnchor(
                        line=name,
                        sample=anchor.sample,
                        sequence=anchor.sequence,
                        monotonic_ns=anchor.monotonic_ns,
                        boot_id=self._boot_id,
                        at=self._clock.at(),
                    )
                )

    # --- taking over from an earlier run

    def _pair_of(self, opened: Opened) -> Pair | None:
        left, right = opened.channels
        for pair in self.engine.pool.pairs:
            if pair.line == left.line == right.line and (pair.own.slot, pair.other.slot) == (left.slot, right.slot):
                return pair if pair.line in self.lines and self.engine.pool.owner(pair) is None else None
        return None

    def _conversation_of(self, recovered: OpenRecording, now: float) -> Conversation:
        """What the journal knows of the conversation; the snapshot after reconnection puts it right."""
        opened = recovered.opened
        known = self.engine.tracker.conversations.get(recovered.conversation)
        began = now - (self._clock.at() - opened.at).total_seconds()
        conversation = known or Conversation(recovered.conversation, began, recovered.direction, answered=began)
        for party in recovered.parties:
            if party.number is not None:
                conversation.participants[party.number] = Participant(party.number, party.name, party.external)
        for call in (bytes.fromhex(call) for call in recovered.calls):
            if call not in conversation.call_ids:
                conversation.call_ids.append(call)
        if conversation.call_ids:
            newest = conversation.call_ids[-1]
            call_now = conversation.calls.setdefault(newest, Call(newest, answered=True))
            call_now.legs[opened.station] = LocalState.CONNECTED
        if opened.station not in conversation.stations:
            conversation.stations.append(opened.station)
        return conversation
