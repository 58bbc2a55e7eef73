"""One recording as the journal tells it: where its audio lies, what is missing, what was said about it.

Of the audio only its places are kept in memory, 32 octets a block; the journal's size bounds their number.
"""

from array import array
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

import numpy as np

from osrec.errors import WireError
from osrec.store.block import NO_RECORDING, Block, Flag, Kind, Sides, decode
from osrec.store.disk import Disk
from osrec.store.records import Channel, Clock, Closed, Decision, Note, Opened
from osrec.store.scan import opened
from osrec.store.segment import Segment
from osrec_drivers.line import FRAME_RATE

JOURNAL_DAMAGED = "journal_damaged"  # blocks that should be there are not, or not whole


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


class BlockSource(Protocol):
    def __call__(self, segment: Segment, position: int, length: int) -> Block | None:
        """A block read before; None when it can no longer be read."""


class Assembly:
    """A recording while it is read from the journal, block after block in the order of writing.

    Attributes:
        pinned: segments that hold something of it.
        blocks: how many of its blocks were read; grows when something new came.
        run: of the recorder that wrote the latest one.
    """

    def __init__(self, recording: UUID) -> None:
        self.recording = recording
        self.opened: Opened | None = None
        self.closed: Closed | None = None
        self.pinned: set[Segment] = set()
        self.blocks = 0
        self.run: UUID = NO_RECORDING
        self._notes: dict[str, Note] = {}  # by their text: notes are said again in each segment
        self._holes: list[Hole] = []
        self._segments: list[Segment] = []
        self._first, self._count, self._segment = array("q"), array("q"), array("q")
        self._position, self._length = array("q"), array("q")
        self._first_wall_ns = self._last_wall_ns = 0

    def take(self, segment: Segment, position: int, block: Block) -> None:
        """An AUDIO or GAP block of this recording."""
        self._pin(segment, block)
        self._first_wall_ns = self._first_wall_ns or block.wall_ns
        self._last_wall_ns = block.wall_ns
        if block.kind is Kind.GAP:
            self._take_hole(Hole(block.sample, block.count, block.payload.decode("utf-8", "replace")))
        elif block.key == 0 and block.sides == Sides.BOTH and len(block.payload) == 2 * block.count:
            self._first.append(block.sample)
            self._count.append(block.count)
            self._segment.append(self._segments.index(segment))
            self._position.append(position)
            self._length.append(block.length)

    def take_record(self, segment: Segment, block: Block, record: Opened | Note | Closed) -> None:
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

    @property
    def notes(self) -> list[Note]:
        return list(self._notes.values())

    @property
    def first_sample(self) -> int:
        return self.opened.first_sample if self.opened else min(self._starts(), default=0)

    @property
    def end_sample(self) -> int:
        """One past the last sample."""
        if self.closed is not None:
            return max(self.first_sample, self.closed.last_sample)
        ends = [hole.first + hole.count for hole in self._holes]
        ends += [first + count for first, count in zip(self._first, self._count, strict=True)]
        return max(ends, default=self.first_sample)

    @property
    def sample_count(self) -> int:
        return self.end_sample - self.first_sample

    @property
    def ended(self) -> datetime:
        return self.closed.at if self.closed else datetime.fromtimestamp(self._last_wall_ns / 1e9, UTC)

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
        """The whole of it, first sample to last, without overlap; what is nowhere is a hole."""
        at, end = self.first_sample, self.end_sample
        for number in np.argsort(np.frombuffer(self._first, np.int64), kind="stable"):
            first = self._first[number]
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
