"""WAV files of G.711, octet for octet as on the line (RIFF, Microsoft's format tags 6 and 7)."""

import struct

from osrec.errors import StoreError
from osrec.store.companding import CodecName

_TAGS: dict[CodecName, int] = {"alaw": 6, "ulaw": 7}
_NAMES: dict[int, CodecName] = {6: "alaw", 7: "ulaw"}
_CHANNELS = 2
_RATE = 8000
_HEADER = struct.Struct("<4sI4s4sIHHIIHHH4sII4sI")
HEADER_LENGTH = _HEADER.size
_MAX_DATA = 0xFFFF_FFFF - HEADER_LENGTH


def header(codec: CodecName, sample_count: int) -> bytes:
    """What stands before the octets: left and right in turn, `sample_count` of each.

    A format other than PCM has a `fact` chunk and the length of its format's extension, here 0.
    """
    data = _CHANNELS * sample_count
    if data > _MAX_DATA:
        raise StoreError(f"{sample_count} samples of {_CHANNELS} channels: a WAV file holds {_MAX_DATA} octets at most")
    return _HEADER.pack(
        b"RIFF", HEADER_LENGTH - 8 + data, b"WAVE",
        b"fmt ", 18, _TAGS[codec], _CHANNELS, _RATE, _CHANNELS * _RATE, _CHANNELS, 8, 0,
        b"fact", 4, sample_count,
        b"data", data,
    )  # fmt: skip


def parse_header(octets: bytes) -> tuple[CodecName, int]:
    """Codec and sample count of a file that we wrote. Raises StoreError for any other."""
    if len(octets) < HEADER_LENGTH:
        raise StoreError(f"a WAV header of {len(octets)} octets: ours has {HEADER_LENGTH}")
    tag, sample_count = struct.unpack_from("<H", octets, 20)[0], struct.unpack_from("<I", octets, 46)[0]
    if tag not in _NAMES or octets[:HEADER_LENGTH] != header(_NAMES[tag], sample_count):
        raise StoreError(f"format tag {tag}: not a WAV file of G.711 as this recorder writes it")
    return _NAMES[tag], sample_count


def interleave(left: bytes | memoryview, right: bytes | memoryview) -> bytes:
    octets = bytearray(2 * len(left))
    octets[0::2], octets[1::2] = left, right
    return bytes(octets)
