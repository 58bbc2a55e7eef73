"""One running recording: from the ring of its line into entries of the journal."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from osrec.store.block import Codec, Kind, Sides
from osrec.store.config import BLOCK_SAMPLES
from osrec.store.journal import Entry
from osrec.store.records import Closed, Note, Opened
from osrec_drivers.errors import LineError
from osrec_drivers.line import FRAME_RATE, Gap

_MAX_PULL = 5 * FRAME_RATE  # samples a step: after a stall the backlog of a minute goes out in portions
JOURNAL_STALLED = "journal_stalled"  # the disk stood still until the ring had gone round
RECORDER_RESTART = "recorder_restart"  # the recorder was down

CHANGEABLE = ("parties", "direction", "calls", "conversation")  # what a note may change of what was told at first
CODECS = {"alaw": Codec.ALAW, "ulaw": Codec.ULAW}


class Source(Protocol):
    """Where the audio comes from; `osrec_drivers.line.Line` is one. Called from the writer's thread."""

    @property
    def head(self) -> int: ...

    @property
    def oldest(self) -> int: ...

    def read(self, slot: int, first: int, count: int) -> bytes: ...

    def gaps(self, first: int, count: int) -> Sequence[Gap]: ...


class Running:
    """A recording whose last sample is not yet on the disk.

    Attributes:
        written: one past the last sample in the kernel.
        committed: one past the last sample on the disk.
        closed: what will be, or was, its last record; its last sample may still lie ahead.
        closed_written: whether that record is in the kernel.
    """

    def __init__(
        self, opened: Opened, source: Source, slots: tuple[int, int], first: int, cause: str = JOURNAL_STALLED
    ) -> None:
        """
        Args:
            slots: of left and right.
            first: sample to begin with.
            cause: why samples are missing that the ring no longer has at the start.
        """
        self.opened = opened
        self._source = source
        self._slots = slots
        self._codec = CODECS[opened.codec]
        self._cause = cause
        self._from = first
        self.written = self.committed = first
        self.closed: Closed | None = None
        self.closed_written = False
        self._latest: dict[str, Note] = {}

    @property
    def end(self) -> int:
        """One past the last sample that can be written now."""
        head = self._source.head
        return head if self.closed is None else min(head, self.closed.last_sample)

    @property
    def complete(self) -> bool:
        """Whether all of it is written, up to the sample at which it was closed."""
        return self.closed is not None and self.written >= self.closed.last_sample

    def note(self, note: Note) -> None:
        """Remember what must be said again at the start of each segment."""
        for name in CHANGEABLE:
            if getattr(note, name) is not None:
                self._latest.pop(name, None)
                self._latest[name] = note

    @property
    def latest(self) -> list[Note]:
        """The notes that tell its parties, direction, calls and conversation now, in the order they came."""
        return list({id(note): note for note in self._latest.values()}.values())

    def close(self, last_sample: int, at: datetime, reason: str) -> None:
        """End it before that sample. A second time does nothing."""
        if self.closed is None:
            last = max(last_sample, self.opened.first_sample, self._from)  # never less than an earlier run has written
            self.closed = Closed(recording=self.opened.recording, at=at, last_sample=last, reason=reason)

    def cut(self, at: datetime) -> None:
        """The process ends: if it is closed, then no later than now."""
        if self.closed is not None and self.closed.last_sample > self._source.head:
            self.closed = self.closed.model_copy(update={"last_sample": max(self.written, self._source.head), "at": at})

    def restore(self) -> None:
        """What was not committed has to be written again."""
        self.written, self.closed_written = self.committed, False

    def commit(self) -> None:
        self.committed = self.written

    def entries(self) -> Iterator[Entry]:
        """What came since the last call; `written` moves along with what is taken from the iterator."""
        end = min(self.end, self.written + _MAX_PULL)
        while self.written < end:
            if (oldest := self._source.oldest) > self.written:
                yield self._gap(min(oldest, self.end) - self.written, self._cause)
                continue
            entries = self._read(min(BLOCK_SAMPLES, end - self.written))
            if entries is None:
                if self._source.oldest > self.written:
                    continue  # overtaken by the ring while reading
                return
            self._cause = JOURNAL_STALLED
            for entry in entries:
                self.written += entry.count
                yield entry

    def _read(self, count: int) -> list[Entry] | None:
        """Audio and gaps of the next samples in order; None when the line does not give them."""
        try:
            entries, at, end = [], self.written, self.written + count
            for gap in self._source.gaps(at, count):
                if gap.first > at:
                    entries.append(self._audio(at, gap.first - at))
                entries.append(self._missing(gap.first, gap.count, gap.cause))
                at = gap.first + gap.count
            if at < end:
                entries.append(self._audio(at, end - at))
        except LineError:
            return None
        return entries

    def _audio(self, first: int, count: int) -> Entry:
        left, right = self._slots
        payload = self._source.read(left, first, count) + self._source.read(right, first, count)
        return Entry(Kind.AUDIO, payload, self.opened.recording, first, count, self._codec, Sides.BOTH)

    def _gap(self, count: int, cause: str) -> Entry:
        entry = self._missing(self.written, count, cause)
        self.written += count
        return entry

    def _missing(self, first: int, count: int, cause: str) -> Entry:
        return Entry(Kind.GAP, cause.encode(), self.opened.recording, first, count)
