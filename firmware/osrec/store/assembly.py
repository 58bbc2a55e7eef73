"""One recording as the journal tells it: where its audio lies, what is missing, what was said about it.

Of the audio only its places are kept in memory, 32 octets a block; the journal's size bounds their number.
"""

from array import array
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple, Protocol
from uuid import UUID

import numpy as np

from osrec.errors import WireError
from osrec.store.block import NO_RECORDING, Block, Flag, Kind, Sides, decode
from osrec.store.disk import Disk
from osrec.store.records import Channel, Clock, Closed, Decision, Erased, Kept, Note, Opened
from osrec.store.running import CHANGEABLE, PAUSED, earlier
from osrec.store.scan import opened
from osrec.store.segment import Segment
from osrec_drivers.line import FRAME_RATE

JOURNAL_DAMAGED = "journal_damaged"  # blocks that should be there are not, or not whole
_ALL = 1 << 62  # past any sample


@dataclass(frozen=True, slots=True)
class Hole:
    """Samples `first` .. `first + count - 1` are missing."""

    first: int
    count: int
    cause: str


@dataclass(frozen=True, slots=True)
class Audio:
    """Samples from `first` on, the same number of each side."""

    first: int
    left: bytes
    right: bytes


class Place(NamedTuple):
    """Where an audio block is, and which samples it has."""

    segment: Segment
    position: int
    length: int
    first: int
    samples: int


class BlockSource(Protocol):
    def __call__(self, segment: Segment, position: int, length: int) -> Block | None:
        """A block read before; None when it can no longer be read."""


class Assembly:
    """A recording while it is read from the journal, block after block in the order of writing.

    Attributes:
        pinned: segments that hold something of it.
        blocks: how many of its blocks were read; grows when something new came.
        run: of the recorder that wrote the latest one.
        abandoned: it was not closed, and nobody goes on with it.
    """

    def __init__(self, recording: UUID) -> None:
        self.recording = recording
        self.opened: Opened | None = None
        self.closed: Closed | None = None
        self.kept: Kept | None = None
        self.erased: Erased | None = None
        self.abandoned = False
        self.pinned: set[Segment] = set()
        self.blocks = 0
        self.run: UUID = NO_RECORDING
        self._notes: dict[str, Note] = {}  # by their text: notes are said again in each segment
        self._holes: list[Hole] = []
        self._segments: list[Segment] = []
        self._first, self._count, self._segment = array("q"), array("q"), array("q")
        self._position, self._length = array("q"), array("q")
        self._heard: int | None = None  # asked for at each step: not to be looked up among all blocks
        self._first_wall_ns = self._last_wall_ns = 0

    def take(self, segment: Segment, position: int, block: Block) -> None:
        """An AUDIO or GAP block of this recording."""
        self._pin(segment, block)
        self._first_wall_ns = self._first_wall_ns or block.wall_ns
        self._last_wall_ns = block.wall_ns
        end = block.sample + block.count
        if block.kind is Kind.GAP:
            self._take_hole(Hole(block.sample, block.count, block.payload.decode("utf-8", "replace")))
            self._heard = max(end, self._heard or end)
        elif block.key == 0 and block.sides == Sides.BOTH and len(block.payload) == 2 * block.count:
            self._heard = max(end, self._heard or end)
            self._first.append(block.sample)
            self._count.append(block.count)
            self._segment.append(self._segments.index(segment))
            self._position.append(position)
            self._length.append(block.length)

    def take_record(self, segment: Segment, block: Block, record: Opened | Kept | Erased | Note | Closed) -> None:
        if Flag.REPEATED not in block.flags:
            self._pin(segment, block)
            self._last_wall_ns = max(self._last_wall_ns, block.wall_ns)
        match record:
            case Opened():
                self.opened = self.opened or record
            case Note():
                self._notes.setdefault(record.model_dump_json(), record)
            case Closed():
                self.closed = record
            case Kept():
                self.kept = record if self.kept is None else earlier(self.kept, record)
            case Erased():
                self.erased = record

    @property
    def notes(self) -> list[Note]:
        return list(self._notes.values())

    @property
    def is_closed(self) -> bool:
        """Nothing more of it comes."""
        return self.closed is not None

    @property
    def unwanted(self) -> Literal["not_kept", "never"] | None:
        """Why no file is made of it, None when one is."""
        if self.erased is not None and self.erased.first_sample <= self.first_sample:
            return self.erased.cause
        return "not_kept" if self.opened is not None and self.opened.provisional and self.kept is None else None

    @property
    def began(self) -> int:
        """Its first sample in the journal, whether it may be kept or not."""
        return self.opened.first_sample if self.opened else min(self._starts(), default=0)

    @property
    def stopped(self) -> int:
        """One past its last sample in the journal, whether it may be kept or not."""
        return self.heard if self.closed is None else max(self.began, self.closed.last_sample)

    @property
    def heard(self) -> int:
        """One past the last sample of its blocks."""
        return self.began if self._heard is None else self._heard

    @property
    def first_sample(self) -> int:
        """The first one that is kept."""
        asked = self.kept.first_sample if self.kept is not None else None
        return self.began if asked is None else min(max(self.began, asked), self.stopped)

    @property
    def end_sample(self) -> int:
        """One past the last one that is kept."""
        end = self.stopped if self.erased is None else min(self.stopped, self.erased.first_sample)
        return max(self.first_sample, end)

    @property
    def sample_count(self) -> int:
        return self.end_sample - self.first_sample

    @property
    def started(self) -> datetime:
        """When the first sample that is kept was on the line."""
        return self.time_of(self.first_sample)

    def time_of(self, sample: int) -> datetime:
        return self.description().at + timedelta(seconds=seconds(sample - self.began))

    @property
    def latest(self) -> dict[str, Any]:
        """Parties, direction, calls and conversation as they were in the end."""
        described = self.description()
        members = {name: getattr(described, name) for name in CHANGEABLE}
        for note in self.notes:
            members |= {name: value for name in members if (value := getattr(note, name)) is not None}
        return members

    @property
    def ended(self) -> datetime:
        return self.closed.at if self.closed else datetime.fromtimestamp(self._last_wall_ns / 1e9, UTC)

    @property
    def pauses(self) -> list[tuple[int, int]]:
        """(first, one past the last) sample of each pause, in order."""
        edges = [(note.event.sample, note.paused) for note in self.notes if note.paused is not None]
        spans: list[tuple[int, int]] = []
        since: int | None = None
        for sample, paused in edges:
            if sample is None:
                continue
            if since is not None and not paused:
                spans.append((since, sample))
            since = (sample if since is None else since) if paused else None
        return spans if since is None else [*spans, (since, max(since, self.stopped))]

    @property
    def forbidden(self) -> list[tuple[int, int]]:
        """Spans of samples that no disk may have: what somebody paused, and of a closed one what is not kept."""
        if self.unwanted is not None and (self.is_closed or self.abandoned):
            return [(self.began, _ALL)]
        spans = self.pauses
        if self.erased is not None:
            spans.append((self.erased.first_sample, _ALL))
        if (self.is_closed or self.abandoned) and self.first_sample > self.began:
            spans.append((self.began, self.first_sample))
        return spans

    def places(self, first: int, end: int) -> Iterator[Place]:
        """Where audio blocks with samples of that span are."""
        for number, start in enumerate(self._first):
            if start < end and first < start + self._count[number]:
                segment = self._segments[self._segment[number]]
                yield Place(segment, self._position[number], self._length[number], start, self._count[number])

    def description(self) -> Opened:
        """What was said when it was opened; what the blocks tell when that is lost."""
        if self.opened is not None:
            return self.opened
        at = datetime.fromtimestamp(self._first_wall_ns / 1e9, UTC)
        lost = [Channel(side=side, line="", slot=0, port="") for side in ("left", "right")]
        return Opened(
            recording=self.recording,
            conversation=NO_RECORDING,
            station="",
            at=at,
            first_sample=self.first_sample,
            channels=(lost[0], lost[1]),
            direction="unknown",
            parties=[],
            decision=Decision(action="none", rule=None, version=""),
            clock=Clock(source="unknown", synchronised=None),
        )

    def pieces(self, read: BlockSource) -> Iterator[Audio | Hole]:
        """What is kept of it, first sample to last, without overlap; what is nowhere, or was paused, is a hole."""
        spans = self.pauses
        for piece in self._pieces(read):
            yield from _without(piece, spans) if spans else (piece,)

    def _pieces(self, read: BlockSource) -> Iterator[Audio | Hole]:
        at, end = self.first_sample, self.end_sample
        for number in np.argsort(np.frombuffer(self._first, np.int64), kind="stable"):
            first = self._first[number]
            if first >= end:
                break
            last = min(first + self._count[number], end)
            if last <= at:
                continue  # written a second time after a disk error
            block = read(self._segments[self._segment[number]], self._position[number], self._length[number])
            if block is None:
                continue
            if first > at:
                yield from self._missing(at, first)
                at = first
            left, right = block.payload[: block.count], block.payload[block.count :]
            yield Audio(at, left[at - first : last - first], right[at - first : last - first])
            at = last
        if at < end:
            yield from self._missing(at, end)

    def _missing(self, at: int, end: int) -> Iterator[Hole]:
        """The causes that the journal gives for samples without audio."""
        for hole in sorted(self._holes, key=lambda hole: hole.first):
            last = min(hole.first + hole.count, end)
            if last <= at:
                continue
            if hole.first >= end:
                break
            if hole.first > at:
                yield Hole(at, hole.first - at, JOURNAL_DAMAGED)
                at = hole.first
            yield Hole(at, last - at, hole.cause)
            at = last
        if at < end:
            yield Hole(at, end - at, JOURNAL_DAMAGED)

    def _pin(self, segment: Segment, block: Block) -> None:
        self.blocks += 1
        if segment not in self.pinned:
            self.pinned.add(segment)
            self._segments.append(segment)

    def _take_hole(self, hole: Hole) -> None:
        last = self._holes[-1] if self._holes else None
        if last and last.cause == hole.cause and last.first + last.count == hole.first:
            self._holes[-1] = Hole(last.first, last.count + hole.count, hole.cause)
        else:
            self._holes.append(hole)

    def _starts(self) -> list[int]:
        return [*self._first, *(hole.first for hole in self._holes)]


def _without(piece: Audio | Hole, spans: list[tuple[int, int]]) -> Iterator[Audio | Hole]:
    """The piece, with holes where it was paused."""
    at, end = piece.first, piece.first + (piece.count if isinstance(piece, Hole) else len(piece.left))
    for first, last in ((max(first, at), min(last, end)) for first, last in spans):
        if first < last:
            if first > at:
                yield _part(piece, at, first)
            yield Hole(first, last - first, PAUSED)
            at = last
    if at < end:
        yield _part(piece, at, end)


def _part(piece: Audio | Hole, first: int, end: int) -> Audio | Hole:
    if isinstance(piece, Hole):
        return Hole(first, end - first, piece.cause)
    cut = slice(first - piece.first, end - piece.first)
    return Audio(first, piece.left[cut], piece.right[cut])


class Blocks:
    """Reads blocks again by their places; keeps the segments open meanwhile."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._open: dict[Segment, int] = {}
        self._stack = ExitStack()

    def __enter__(self) -> "Blocks":
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    def __call__(self, segment: Segment, position: int, length: int) -> Block | None:
        if segment not in self._open:
            self._open[segment] = self._stack.enter_context(opened(self._disk, segment.path))
        try:
            return decode(self._disk.pread(self._open[segment], length, position))
        except WireError:
            return None


def seconds(samples: int) -> float:
    return samples / FRAME_RATE
