"""Finds blocks in anything: a segment, a disk image, the raw device of a file system that will not mount.

Blocks carry all that is needed, so neither names nor a file system are: they are found by their magic and proved by
their CRC-32C. Blocks of earlier lives of recycled segments are found too; all of them were true when they were written.
"""

import os
from collections.abc import Generator, Iterator
from pathlib import Path

from osrec.errors import StoreError
from osrec.store.block import MAX_HEADER, MAX_PAYLOAD, Block, find
from osrec.store.disk import Disk, write_all
from osrec.store.scan import opened
from osrec.store.segment import Segment

_CHUNK = 8 << 20
_OVERLAP = MAX_PAYLOAD + 2 * MAX_HEADER


def salvage(source: Path) -> Iterator[tuple[int, Block]]:
    """All whole blocks of a file or device with their positions. Raises StoreError."""
    try:
        with source.open("rb", buffering=0) as file:
            base, octets = 0, b""
            while more := file.read(_CHUNK):
                octets += more
                end = max(0, len(octets) - _OVERLAP)  # a block that begins later may not be whole yet
                at = yield from _blocks(octets, base, end)
                base, octets = base + max(at, end), octets[max(at, end) :]
            yield from _blocks(octets, base, len(octets))
    except OSError as error:
        raise StoreError(f"{source}: cannot be read: {error}") from error


def _blocks(octets: bytes, base: int, end: int) -> Generator[tuple[int, Block], None, int]:
    """Yields the blocks that begin before `end`; returns the position behind the last one."""
    at = 0
    while (found := find(octets, at)) is not None and found[0] < end:
        yield base + found[0], found[1]
        at = found[0] + found[1].length
    return at


def salvage_segments(source: Path, journal: Path) -> list[Segment]:
    """Write the blocks found into segment files again, for the keeper to finish. Those that exist are left alone.

    Raises StoreError.
    """
    places: dict[int, dict[int, tuple[int, int]]] = {}
    for position, block in salvage(source):
        places.setdefault(block.segment, {})[block.sequence] = position, block.length
    disk, written = Disk(), []
    try:
        disk.make_directory(journal)
        with opened(disk, source) as fd:
            for segment in (Segment(id, journal) for id in sorted(places)):
                if not segment.path.exists():
                    _copy(disk, fd, segment, places[segment.id])
                    written.append(segment)
        disk.sync_directory(journal)
    except OSError as error:
        raise StoreError(f"{journal}: cannot be written: {error}") from error
    return written


def _copy(disk: Disk, source: int, segment: Segment, blocks: dict[int, tuple[int, int]]) -> None:
    """Blocks one after the other in the order of their sequence numbers."""
    temporary, end = segment.path.with_suffix(".salvaged"), 0
    fd = disk.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        for _, (position, length) in sorted(blocks.items()):
            write_all(disk, fd, disk.pread(source, length, position), end)
            end += length
        disk.fsync(fd)
    finally:
        disk.close(fd)
    disk.rename(temporary, segment.path)
