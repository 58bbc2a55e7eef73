"""Takes audio that must not be kept out of the journal: idle code is written over it where it lies.

The blocks stay whole blocks, so nothing that reads the journal sees a hole, and the writer may be appending to the same
segment. Of a block of which only a part must go the rest stays. Doing it again does no harm: the keeper does it before
it lets anything go, so a crash in between only means that it is done once more.
"""

import os
from dataclasses import replace

from osrec.errors import WireError
from osrec.store.assembly import Assembly, Place
from osrec.store.block import Codec, decode, encode
from osrec.store.companding import IDLE, CodecName
from osrec.store.disk import Disk, write_all
from osrec.store.segment import Segment

_CODEC_NAMES: dict[int, CodecName] = {Codec.ALAW: "alaw", Codec.ULAW: "ulaw"}
Spans = tuple[tuple[int, int], ...]
Done = set[tuple[Place, Spans]]


def scrub(disk: Disk, assembly: Assembly, done: Done) -> int:
    """Overwrite what is forbidden of a recording; the number of blocks changed. Raises OSError.

    Args:
        done: what was done before; grows.
    """
    changed: dict[Segment, list[tuple[int, bytes]]] = {}
    forbidden = assembly.forbidden
    for place in dict.fromkeys(place for span in forbidden for place in assembly.places(*span)):
        spans = _clipped(forbidden, place)
        if (place, spans) not in done:
            octets = _clean(disk, place, spans)
            if octets is not None:
                changed.setdefault(place.segment, []).append((place.position, octets))
            done.add((place, spans))
    for segment, blocks in changed.items():
        _overwrite(disk, segment, blocks)
    return sum(len(blocks) for blocks in changed.values())


def _clipped(spans: list[tuple[int, int]], place: Place) -> Spans:
    """The parts of a block that must go, counted from its first sample."""
    inside = ((max(first - place.first, 0), min(end - place.first, place.samples)) for first, end in spans)
    return tuple((first, end) for first, end in inside if first < end)


def _clean(disk: Disk, place: Place, spans: Spans) -> bytes | None:
    """The block without what is forbidden; None when there is nothing of it in there."""
    fd = disk.open(place.segment.path, os.O_RDONLY)
    try:
        block = decode(disk.pread(fd, place.length, place.position))
    except WireError:  # damaged since it was read: nothing of it can be kept, all of it can go
        return bytes(place.length)
    finally:
        disk.close(fd)
    payload = bytearray(block.payload)
    idle = bytes([IDLE[_CODEC_NAMES[block.codec]]])
    for first, end in spans:
        for side in (0, block.count):
            payload[side + first : side + end] = idle * (end - first)
    return None if payload == block.payload else encode(replace(block, payload=bytes(payload)))


def _overwrite(disk: Disk, segment: Segment, blocks: list[tuple[int, bytes]]) -> None:
    fd = disk.open(segment.path, os.O_WRONLY)
    try:
        for position, octets in blocks:
            write_all(disk, fd, octets, position)
        disk.fdatasync(fd)
    finally:
        disk.close(fd)
