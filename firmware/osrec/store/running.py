"""One running recording: from the ring of its line into entries of the journal."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from osrec.store.block import Codec, Kind, Sides
from osrec.store.config import BLOCK_SAMPLES
from osrec.store.journal import Entry
from osrec.store.records import Closed, Erased, Kept, Note, Opened, Record
from osrec_drivers.errors import LineError
from osrec_drivers.line import FRAME_RATE, Gap

_MAX_PULL = 5 * FRAME_RATE  # samples a step: after a stall the backlog of a minute goes out in portions
JOURNAL_STALLED = "journal_stalled"  # the disk stood still until the ring had gone round
RECORDER_RESTART = "recorder_restart"  # the recorder was down
UNASSIGNED = "unassigned"  # on a time line: the recording is of no conversation that is known
PAUSED = "paused"  # somebody asked that it not be recorded

# what a note may change of what was told at first
CHANGEABLE = ("parties", "direction", "calls", "via", "parked_by", "conversation")
REPEATED = (*CHANGEABLE, "paused")  # what each segment says again
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
        kept: if it is provisional: that somebody asked for it.
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
        self.kept: Kept | None = None
        self._edges: list[tuple[int, bool]] = []  # from this sample on it is paused, or no longer
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
        """Remember what must be said again at the start of each segment; follow a pause."""
        for name in REPEATED:
            if getattr(note, name) is not None:
                self._latest.pop(name, None)
                self._latest[name] = note
        if note.paused is not None:
            self._set_paused(note.paused, self.written if note.event.sample is None else note.event.sample)

    @property
    def latest(self) -> list[Record]:
        """What tells its parties, direction, calls, conversation and pause now, and whether it is kept."""
        notes = list({id(note): note for note in self._latest.values()}.values())
        return [*notes] if self.kept is None else [*notes, self.kept]

    def keep(self, kept: Kept) -> None:
        """Somebody asks for it. What was asked for before stays asked for."""
        self.kept = kept if self.kept is None else earlier(self.kept, kept)

    def erase(self, erased: Erased, at: datetime) -> None:
        """Write no more of it; it ends where nothing may be kept any more."""
        self.closed = Closed(
            recording=self.opened.recording, at=at, last_sample=erased.first_sample, reason=erased.cause
        )
        self.closed_written = False

    def _set_paused(self, paused: bool, sample: int) -> None:
        last = self._edges[-1][0] if self._edges else sample
        edge = max(sample, last)
        if not paused and self._paused_at(edge):  # the gap was written beyond the moment at which it was to end
            self.written = min(self.written, edge)
            self.committed = min(self.committed, edge)
        self._edges.append((edge, paused))

    def _paused_at(self, sample: int) -> bool:
        return next((paused for edge, paused in reversed(self._edges) if edge <= sample), False)

    def _until_edge(self, sample: int, end: int) -> int:
        """Where what holds at a sample may change; `end` at the latest."""
        return min((edge for edge, _ in self._edges if edge > sample), default=end)

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
            edge = min(end, self._until_edge(self.written, end))
            if self._paused_at(self.written):
                yield self._gap(edge - self.written, PAUSED)  # the line is not even read
                continue
            if (oldest := self._source.oldest) > self.written:
                yield self._gap(min(oldest, edge) - self.written, self._cause)
                continue
            entries = self._read(min(BLOCK_SAMPLES, edge - self.written))
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


def earlier(one: Kept, other: Kept) -> Kept:
    """The one that asks for more; None is from the beginning."""
    if one.first_sample is None or other.first_sample is None:
        return one if one.first_sample is None else other
    return one if one.first_sample <= other.first_sample else other
