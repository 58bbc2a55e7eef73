"""HDLC against libosmocore (Debian package libosmocore19), which is not ours."""

import random

import pytest

from osrec_drivers.e1.hdlc import HdlcDecoder, HdlcEncoder
from tests.interop.osmocore import OsmoDecoder, OsmoEncoder

ROUNDS = 12


def frames_of(seed: int) -> list[bytes]:
    """Random frames, some of them mostly ones, which need most zeros inserted."""
    dice = random.Random(seed)
    return [
        bytes(dice.choice((0xFF, 0x7E, 0x1F, dice.randrange(256))) for _ in range(dice.randrange(2, 261)))
        for _ in range(dice.randrange(1, 30))
    ]


@pytest.mark.parametrize("lsb_first", [False, True])
@pytest.mark.parametrize("seed", range(ROUNDS))
def test_libosmocore_decodes_what_we_encode(seed: int, lsb_first: bool) -> None:
    encoder, frames = HdlcEncoder(lsb_first=lsb_first), frames_of(seed)
    assert all(encoder.send(frame) for frame in frames)
    assert OsmoDecoder(lsb_first=lsb_first).feed(encoder.pull(encoder.pending + 2)) == frames


@pytest.mark.parametrize("lsb_first", [False, True])
@pytest.mark.parametrize("seed", range(ROUNDS))
def test_we_decode_what_libosmocore_encodes(seed: int, lsb_first: bool) -> None:
    frames = frames_of(seed)
    line = OsmoEncoder(lsb_first=lsb_first).encode(frames)
    decoder = HdlcDecoder(lsb_first=lsb_first)
    assert [frame.octets for frame in decoder.feed(line)] == frames
    assert not any(decoder.errors.values())


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_both_find_the_same_frames_on_a_line_with_wrong_bits(seed: int) -> None:
    encoder, dice = HdlcEncoder(), random.Random(seed)
    for frame in frames_of(seed):
        encoder.send(frame)
    line = bytearray(encoder.pull(encoder.pending + 2))
    for _ in range(8):
        line[dice.randrange(len(line))] ^= 1 << dice.randrange(8)
    found = HdlcDecoder(longest=1024).feed(line)
    assert [frame.octets for frame in found if frame.error is None] == OsmoDecoder().feed(bytes(line))
    assert any(frame.error for frame in found)
