"""Follows the journal while it is written: new blocks, in the order of writing, from all its directories."""

from collections.abc import Iterator
from pathlib import Path

from osrec.store.block import Block, Flag
from osrec.store.disk import Disk
from osrec.store.scan import SegmentReader
from osrec.store.segment import Ids, Segment, SegmentDirectory


class Follower:
    """Reads each block once. Raises OSError when a directory cannot be read: what is there must not be overlooked."""

    def __init__(self, disk: Disk, directories: tuple[Path, ...]) -> None:
        self._disk = disk
        self._directories = [SegmentDirectory(disk, path, 0, Ids()) for path in directories]
        self._readers: dict[Segment, SegmentReader] = {}
        self._beginnings: dict[Segment, int] = {}  # records read without a hole from the segment's beginning
        self._complete: set[Segment] = set()  # segments that can be understood without earlier ones
        self._read: set[Segment] = set()  # to their end

    def poll(self) -> Iterator[tuple[Segment, int, Block]]:
        """The blocks written since the last call."""
        for segment in self._segments():
            if segment in self._read:
                continue
            newest = segment == self._newest
            for position, block in self._readers[segment].read(live=newest):
                self._look_at_beginning(segment, block)
                yield segment, position, block
            if not newest:
                self._read.add(segment)

    @property
    def missing(self) -> int:
        """Blocks found damaged in the segments that are there."""
        return sum(reader.missing for reader in self._readers.values())

    def positions(self) -> dict[str, int]:
        """By segment file, up to where it was read."""
        return {str(segment.path): reader.at for segment, reader in self._readers.items()}

    def disposable(self) -> list[Segment]:
        """Segments that the journal itself no longer needs: complete, and a newer one tells what runs."""
        if self._newest is None or self._newest not in self._complete:
            return []
        return sorted(self._read)

    def forget(self, segment: Segment) -> None:
        """It was released."""
        for known in (self._read, self._complete):
            known.discard(segment)
        self._readers.pop(segment, None)
        self._beginnings.pop(segment, None)

    def _segments(self) -> list[Segment]:
        found = sorted(segment for directory in self._directories for segment in directory.segments())
        for segment in found:
            self._readers.setdefault(segment, SegmentReader(self._disk, segment))
        self._newest = found[-1] if found else None
        return found

    def _look_at_beginning(self, segment: Segment, block: Block) -> None:
        if Flag.REPEATED in block.flags and block.sequence == self._beginnings.get(segment, 0):
            self._beginnings[segment] = block.sequence + 1
            if Flag.SET_END in block.flags:
                self._complete.add(segment)

    _newest: Segment | None = None
