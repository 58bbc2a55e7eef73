"""Blocks of the journal: octets <-> dataclasses. The format is described in docs/journal.md."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from uuid import UUID

import google_crc32c

from osrec.errors import WireError

MAGIC = b"\xa5OSRECJ\n"
VERSION = 1
MAX_PAYLOAD = 1 << 20  # a longer one is damage: the longest that we write is 1 s of two sides, or a record

# magic, version, kind, codec, sides, header length, flags, segment, sequence, recording, sample, count, key,
# monotonic ns, wall ns, payload length, CRC-32C
_HEADER = struct.Struct("<8sBBBBHHQQ16sqIIqqII")
HEADER_LENGTH = _HEADER.size
MAX_HEADER = 1024  # of a later version
_CRC_AT = HEADER_LENGTH - 4
_SEGMENT_AT = 16
_U64 = struct.Struct("<Q")

NO_RECORDING = UUID(int=0)


class Kind(IntEnum):
    AUDIO = 1
    GAP = 2  # the payload names the cause
    RECORD = 3  # the payload is JSON, see records.py


class Codec(IntEnum):
    NONE = 0
    ALAW = 1
    ULAW = 2


class Sides(IntFlag):
    """Which sides an AUDIO block carries; of both, left comes first and each has half of the payload."""

    NONE = 0
    LEFT = 1
    RIGHT = 2
    BOTH = 3


class Flag(IntFlag):
    NONE = 0
    REPEATED = 1  # a record of an earlier segment, said again at the start of this one
    SET_END = 2  # the last one of those


@dataclass(frozen=True, slots=True)
class Block:
    """One block.

    Attributes:
        segment: id of the segment it was written to; a block of a segment's earlier life has another one.
        sequence: counts the blocks of a segment from 0.
        recording: whose it is; NO_RECORDING for records of no recording.
        sample: number of its first sample on the line.
        count: samples of each side.
        key: 0 when the payload is in clear.
        monotonic_ns, wall_ns: when it was written; the latter counts from 1970-01-01 UTC.
    """

    kind: Kind
    segment: int
    sequence: int
    recording: UUID
    payload: bytes
    sample: int = 0
    count: int = 0
    codec: Codec = Codec.NONE
    sides: Sides = Sides.NONE
    flags: Flag = Flag.NONE
    key: int = 0
    monotonic_ns: int = 0
    wall_ns: int = 0
    version: int = VERSION
    header_length: int = HEADER_LENGTH

    @property
    def length(self) -> int:
        """Octets of the whole block."""
        return self.header_length + len(self.payload)


def encode(block: Block) -> bytes:
    """The octets of a block, always of this version."""
    header = _HEADER.pack(
        MAGIC,
        VERSION,
        block.kind,
        block.codec,
        block.sides,
        HEADER_LENGTH,
        block.flags,
        block.segment,
        block.sequence,
        block.recording.bytes,
        block.sample,
        block.count,
        block.key,
        block.monotonic_ns,
        block.wall_ns,
        len(block.payload),
        0,
    )[:_CRC_AT]
    crc = google_crc32c.extend(google_crc32c.value(header), block.payload)
    return b"".join((header, crc.to_bytes(4, "little"), block.payload))


def decode(octets: bytes, at: int = 0) -> Block:
    """The block that begins at `at`.

    Raises WireError when no whole, undamaged block of a version that we know begins there.
    """
    if len(octets) - at < HEADER_LENGTH:
        raise WireError(f"{len(octets) - at} octets are left, a block's header has {HEADER_LENGTH}")
    fields = _HEADER.unpack_from(octets, at)
    (magic, version, kind, codec, sides, header_length, flags, segment, sequence) = fields[:9]
    (recording, sample, count, key, monotonic_ns, wall_ns, payload_length, crc) = fields[9:]
    if magic != MAGIC:
        raise WireError(f"magic {magic.hex()}: a block begins with {MAGIC.hex()}")
    if version < 1 or not HEADER_LENGTH <= header_length <= MAX_HEADER or payload_length > MAX_PAYLOAD:
        raise WireError(f"version {version}, header of {header_length}, payload of {payload_length} octets")
    end = at + header_length + payload_length
    if end > len(octets):
        raise WireError(f"the block needs {end - at} octets, {len(octets) - at} are there")
    payload = octets[at + header_length : end]
    check = google_crc32c.value(octets[at : at + _CRC_AT])
    if header_length > HEADER_LENGTH:  # members that a later version added
        check = google_crc32c.extend(check, octets[at + HEADER_LENGTH : at + header_length])
    if google_crc32c.extend(check, payload) != crc:
        raise WireError(f"CRC-32C {crc:#010x} of block {sequence} of segment {segment:016x} does not fit its octets")
    try:
        return Block(
            Kind(kind),
            segment,
            sequence,
            UUID(bytes=recording),
            payload,
            sample,
            count,
            Codec(codec),
            Sides(sides),
            Flag(flags),
            key,
            monotonic_ns,
            wall_ns,
            version,
            header_length,
        )
    except ValueError as error:  # the octets are as they were written, by a version that knows more kinds
        raise WireError(str(error)) from None


def find(octets: bytes, start: int, segment: int | None = None) -> tuple[int, Block] | None:
    """The first whole block at or after `start`, of that segment if one is given."""
    at = octets.find(MAGIC, start)
    ours = None if segment is None else _U64.pack(segment)
    while at >= 0:
        if ours is None or octets[at + _SEGMENT_AT : at + _SEGMENT_AT + 8] == ours:
            try:
                return at, decode(octets, at)
            except WireError:
                pass
        at = octets.find(MAGIC, at + 1)
    return None


def blocks(octets: bytes, segment: int | None = None) -> Iterator[tuple[int, Block]]:
    """All whole blocks with their positions; what is between them is skipped."""
    found = find(octets, 0, segment)
    while found is not None:
        yield found
        at, block = found
        found = find(octets, at + block.length, segment)
