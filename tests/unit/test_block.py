from uuid import UUID

import google_crc32c
import pytest

from osrec.errors import WireError
from osrec.store.block import HEADER_LENGTH, MAGIC, Block, Codec, Flag, Kind, Sides, blocks, decode, encode, find

BLOCK = Block(
    Kind.AUDIO,
    segment=0x0102030405060708,
    sequence=9,
    recording=UUID(int=0xA1),
    payload=b"\xd5" * 8,
    sample=-2,
    count=4,
    codec=Codec.ALAW,
    sides=Sides.BOTH,
    flags=Flag.SET_END,
    key=7,
    monotonic_ns=10,
    wall_ns=11,
)


def test_a_block_is_laid_out_as_documented() -> None:  # docs/journal.md, "Block"
    octets = encode(BLOCK)
    assert octets[:8] == MAGIC == bytes.fromhex("a5 4f 53 52 45 43 4a 0a")
    assert octets[8:16] == bytes([1, 1, 1, 3, 88, 0, 2, 0])
    assert octets[16:24] == bytes([8, 7, 6, 5, 4, 3, 2, 1])
    assert octets[24:32] == bytes([9, 0, 0, 0, 0, 0, 0, 0])
    assert octets[32:48] == UUID(int=0xA1).bytes
    assert octets[48:56] == (-2).to_bytes(8, "little", signed=True)
    assert octets[56:64] == bytes([4, 0, 0, 0, 7, 0, 0, 0])
    assert octets[64:80] == (10).to_bytes(8, "little") + (11).to_bytes(8, "little")
    assert octets[80:84] == bytes([8, 0, 0, 0])
    assert octets[84:88] == google_crc32c.value(octets[:84] + octets[88:]).to_bytes(4, "little")
    assert octets[88:] == b"\xd5" * 8


def test_a_block_is_read_as_it_was_written() -> None:
    assert decode(b"before" + encode(BLOCK) + b"behind", 6) == BLOCK


def test_a_longer_header_of_a_later_version_is_read() -> None:
    octets = bytearray(encode(BLOCK))
    octets[8], octets[12] = 2, HEADER_LENGTH + 4
    octets[HEADER_LENGTH:HEADER_LENGTH] = b"more"
    octets[84:88] = google_crc32c.value(bytes(octets[:84] + octets[88:])).to_bytes(4, "little")
    found = decode(bytes(octets))
    assert (found.payload, found.version, found.length) == (BLOCK.payload, 2, len(octets))


def test_a_flipped_bit_anywhere_is_noticed() -> None:
    for bit in range(8 * (HEADER_LENGTH + 8)):
        octets = bytearray(encode(BLOCK))
        octets[bit // 8] ^= 1 << bit % 8
        with pytest.raises(WireError):
            decode(bytes(octets))


def test_a_block_cut_short_is_noticed() -> None:
    octets = encode(BLOCK)
    for length in range(len(octets)):
        with pytest.raises(WireError):
            decode(octets[:length])


def test_a_kind_that_we_do_not_know_is_an_error_that_names_it() -> None:
    octets = bytearray(encode(BLOCK))
    octets[9] = 99
    octets[84:88] = google_crc32c.value(bytes(octets[:84] + octets[88:])).to_bytes(4, "little")
    with pytest.raises(WireError, match="99"):
        decode(bytes(octets))


def test_blocks_of_another_segment_are_not_found() -> None:
    octets = encode(BLOCK) + b"rubbish" + MAGIC + encode(BLOCK)
    assert [at for at, _ in blocks(octets)] == [0, len(encode(BLOCK)) + 15]
    assert find(octets, 0, segment=1) is None
