"""Takes: recordings on their way from the lines' rings into the journal, as the engine wants them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from uuid import UUID

import structlog

from osrec.engine.messages import Cut, Finish, Forget, Keep, Listen, Open, Pause, Remark, Resume, Wipe
from osrec.engine.pool import Pair, Port
from osrec.recorder.clock import Clock
from osrec.recorder.listening import Ears
from osrec.store.records import Channel, Erased, Kept, Note, Opened, TimelineEvent
from osrec.store.writer import JournalWriter
from osrec_drivers.line import FRAME_RATE, Line

log = structlog.get_logger()


@dataclass(slots=True)
class Take:
    """Where a recording's audio begins, noted when the PBX was asked for it.

    Attributes:
        first: sample that it begins with.
        head: the line's head when that was noted, at `now`.
        opened: the journal has it.
        ends_at: when it is to be closed, None while nobody said.
        last: sample before which it ends, when that was some time ago.
        erased: nothing more of it may be kept; its pair is still leased.
        limit: sample from which on its slots are not its own any more, None while they are.
    """

    pair: Pair
    first: int
    head: int
    now: float
    opened: bool = False
    ends_at: float | None = None
    last: int | None = None
    reason: str = ""
    erased: bool = False
    limit: int | None = None


class Takes:
    """All of one recorder."""

    def __init__(
        self,
        lines: Mapping[str, Line],
        ears: Ears,
        writer: JournalWriter,
        clock: Clock,
        reference: Callable[[str, int], int | None],
    ) -> None:
        """
        Args:
            reference: of the call on a line's slot, where it has one.
        """
        self._lines = lines
        self._ears = ears
        self._writer = writer
        self._clock = clock
        self._reference = reference
        self._takes: dict[UUID, Take] = {}
        self.paused: set[UUID] = set()

    def __len__(self) -> int:
        """Those that are in the journal and not closed."""
        return sum(take.opened for take in self._takes.values())

    @property
    def deadline(self) -> float | None:
        """When `close_due` has something to do."""
        return min((take.ends_at for take in self._takes.values() if take.ends_at is not None), default=None)

    def do(self, wanted: Listen | Remark | Pause | Resume | Keep | Wipe | Cut | Finish | Forget) -> None:
        """Carry out what the engine wants of a recording; of one that is not known, nothing."""
        match wanted:
            case Listen():
                self._listen(wanted)
            case Remark():
                self._remark(wanted)
            case Pause() | Resume():
                self._pause(wanted)
            case Keep():
                self._keep(wanted)
            case Wipe():
                self._wipe(wanted)
            case Cut():
                self._cut(wanted)
            case Finish():
                self._finish(wanted)
            case Forget(recording):
                self._takes.pop(recording, None)

    def _listen(self, wanted: Listen) -> None:
        if wanted.since is not None:
            line = self._lines[wanted.pair.line]
            first, head = max(self._sample_of(line, wanted.since), line.oldest), line.head
        else:
            first, head = self._ears.begin(wanted.pair, reach_back=wanted.reach_back)
        if (known := self._takes.get(wanted.recording)) is not None:
            first = max(first, known.first)  # what was there before it was first asked for is none of it
        self._takes[wanted.recording] = Take(wanted.pair, first, head, self._clock.now())

    def open(self, wanted: Open) -> None:
        """Raises StoreError when the journal does not take it; then it is forgotten."""
        take = self._takes[wanted.recording]
        pair, line = take.pair, self._lines[take.pair.line]
        age = self._clock.now() - take.now + (take.head - take.first) / FRAME_RATE
        opened = Opened(
            recording=wanted.recording,
            conversation=wanted.conversation,
            station=wanted.station,
            at=self._clock.at() - timedelta(seconds=age),
            first_sample=take.first,
            channels=(self._channel("left", pair.line, pair.own), self._channel("right", pair.line, pair.other)),
            direction=wanted.direction,
            parties=wanted.parties,
            calls=wanted.calls,
            via=wanted.via,
            parked_by=wanted.parked_by,
            decision=wanted.decision,
            clock=self._clock.state().model_copy(update={"line_ppm": line.status().ppm}),
            provisional=wanted.provisional,
        )
        try:
            self._writer.open(opened, line, pair.own.slot, pair.other.slot)
        except BaseException:
            del self._takes[wanted.recording]
            raise
        take.opened = True
        log.info("recording begins", recording=str(wanted.recording), station=wanted.station, pair=str(pair))

    def _channel(self, side: Literal["left", "right"], line: str, port: Port) -> Channel:
        reference = self._reference(line, port.slot)
        return Channel(side=side, line=line, slot=port.slot, port=port.number, reference=reference)

    def adopt(self, opened: Opened, pair: Pair, *, paused: bool) -> None:
        """Go on with one that an earlier run had opened."""
        line = self._lines[pair.line]
        self._takes[opened.recording] = Take(pair, opened.first_sample, line.head, self._clock.now(), opened=True)
        if paused:
            self.paused.add(opened.recording)
        self._writer.resume(opened.recording, line, pair.own.slot, pair.other.slot)

    def _remark(self, remark: Remark) -> None:
        take = self._takes.get(remark.recording)
        if take is None:
            return
        event = TimelineEvent(
            at=remark.at,
            sample=self._sample(take, remark.now),
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
                via=remark.via,
                parked_by=remark.parked_by,
                conversation=remark.conversation,
            )
        )

    def _pause(self, wanted: Pause | Resume) -> None:
        """Take the audio out from a moment on, or in again."""
        take = self._takes.get(wanted.recording)
        paused = isinstance(wanted, Pause)
        if take is None or paused == (wanted.recording in self.paused):
            return
        (self.paused.add if paused else self.paused.discard)(wanted.recording)
        at = self._clock.at() - timedelta(seconds=self._clock.now() - wanted.now)
        event = TimelineEvent(at=at, sample=self._sample(take, wanted.now), kind="pause" if paused else "resume")
        self._writer.note(Note(recording=wanted.recording, event=event, paused=paused))
        log.info(
            "recording paused" if paused else "recording goes on", recording=str(wanted.recording), sample=event.sample
        )

    def _keep(self, wanted: Keep) -> None:
        take = self._takes.get(wanted.recording)
        if take is None:
            return
        since = None if wanted.since is None else max(self._sample(take, wanted.since), take.first)
        self._writer.keep(Kept(recording=wanted.recording, at=self._clock.at(), first_sample=since, by=wanted.by))
        log.info("recording kept", recording=str(wanted.recording), since_sample=since, by=wanted.by)

    def _wipe(self, wanted: Wipe) -> None:
        """Overwrite what the rings of its slots hold since then; the recording ends there."""
        line = self._lines[wanted.line]
        first = self._sample_of(line, wanted.since)
        take = self._takes.get(wanted.recording)
        if take is not None and take.opened and not take.erased:
            take.erased = True
            erased = Erased(recording=wanted.recording, at=self._clock.at(), first_sample=max(first, take.first))
            self._writer.erase(erased)
        # what is in the framer's doubt, too, where nobody else's call has come meanwhile
        end = line.head + FRAME_RATE if wanted.until is None else self._sample_of(line, wanted.until)
        for slot in wanted.slots:
            line.wipe(slot, first, end - first)
        if take is not None:
            self._ears.end(take.pair, line.head)

    def _cut(self, wanted: Cut) -> None:
        take = self._takes.get(wanted.recording)
        if take is not None and take.limit is None:
            take.limit = self._sample(take, wanted.now)

    def _finish(self, wanted: Finish) -> None:
        take = self._takes.get(wanted.recording)
        if take is not None:
            take.ends_at, take.reason = wanted.when, wanted.reason
            take.last = self._sample(take, wanted.when) if wanted.when < self._clock.now() else None

    def close_due(self, now: float) -> None:
        """Close those whose end has come."""
        for recording, take in list(self._takes.items()):
            if take.ends_at is not None and take.ends_at <= now:
                self._close(recording, take)

    def close_ending(self) -> None:
        """Close those that were to end anyway."""
        self.close_due(float("inf"))

    def _close(self, recording: UUID, take: Take) -> None:
        del self._takes[recording]
        self.paused.discard(recording)
        head = max(self._lines[take.pair.line].head, take.first)
        limit = head if take.limit is None else max(take.first, min(take.limit, head))
        self._ears.end(take.pair, head)
        if not take.opened:
            return
        if not take.erased:
            last = limit if take.last is None else max(take.first, min(take.last, limit))
            at = self._clock.at() - timedelta(seconds=(head - last) / FRAME_RATE)
            self._writer.close(recording, last, at, take.reason)
        log.info("recording ends", recording=str(recording), pair=str(take.pair), reason=take.reason)

    def _sample(self, take: Take, now: float) -> int:
        """The line's sample at a moment of the monotonic clock."""
        return self._sample_of(self._lines[take.pair.line], now)

    def _sample_of(self, line: Line, now: float) -> int:
        return line.head - round((self._clock.now() - now) * FRAME_RATE)
