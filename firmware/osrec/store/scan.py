"""Reading segments: all of one at once, or the tail of one that is being written."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from osrec.errors import WireError
from osrec.store.block import MAX_HEADER, MAX_PAYLOAD, Block, decode, find
from osrec.store.disk import Disk
from osrec.store.segment import Ids, Segment, SegmentDirectory

_CHUNK = 1 << 20
_WINDOW = _CHUNK + MAX_PAYLOAD + MAX_HEADER  # holds any block that begins in the first chunk


def list_segments(disk: Disk, directories: Iterable[Path]) -> list[Segment]:
    """The segments of a journal in the order they were written; a directory that cannot be read has none."""
    found: list[Segment] = []
    for path in directories:
        try:
            found += SegmentDirectory(disk, path, 0, Ids()).segments()
        except OSError:
            continue
    return sorted(found)


@contextmanager
def opened(disk: Disk, path: Path) -> Iterator[int]:
    fd = disk.open(path, os.O_RDONLY)
    try:
        yield fd
    finally:
        disk.close(fd)


class SegmentReader:
    """Reads the blocks of one segment in order, as far as they are written.

    Attributes:
        at: position after the last block read.
        missing: blocks that are damaged or never reached the disk though later ones did.
    """

    def __init__(self, disk: Disk, segment: Segment) -> None:
        self._disk = disk
        self.segment = segment
        self.at = 0
        self.missing = 0
        self._sequence = 0
        self._suspect: int | None = None

    def read(self, *, live: bool = False) -> Iterator[tuple[int, Block]]:
        """Blocks after `at` with their positions.

        Args:
            live: the writer may be just writing. A hole is then only passed when a second reading still finds it.
        """
        large = False  # a block longer than the small window begins here
        with opened(self._disk, self.segment.path) as fd:
            while window := self._disk.pread(fd, _WINDOW if not live or large else 1 << 18, self.at):
                found = False
                for position, block in self._parse(window, self.at):
                    found = True
                    yield position, block
                if not found and not self._skip(fd, live):
                    return
                large = not found

    def _parse(self, window: bytes, base: int) -> Iterator[tuple[int, Block]]:
        """Blocks that follow each other without a hole."""
        position = 0
        while True:
            try:
                block = decode(window, position)
            except WireError:
                return
            if block.segment != self.segment.id or block.sequence < self._sequence:
                return
            self.missing += block.sequence - self._sequence
            self._sequence = block.sequence + 1
            start, position = base + position, position + block.length
            self.at = base + position
            yield start, block

    def _skip(self, fd: int, live: bool) -> bool:
        """Go to the next whole block behind a hole. False when there is none.

        In a segment that is being written only the next octets are searched, or every look at its end would read the
        rest of the file; a hole longer than that waits until the segment is complete.
        """
        base = self.at
        while window := self._disk.pread(fd, _WINDOW, base):
            hit = find(window, 0, self.segment.id)
            while hit is not None and hit[1].sequence < self._sequence:
                hit = find(window, hit[0] + hit[1].length, self.segment.id)
            if hit is not None:
                return self._pass_to(base + hit[0], live)
            if live:
                return False
            base += _CHUNK
        return False

    def _pass_to(self, position: int, live: bool) -> bool:
        if position != self.at and live and self._suspect != self.at:
            self._suspect = self.at
            return False
        self.at = position
        return True
