"""HDLC against spandsp (Debian package libspandsp2), which is not ours."""

import ctypes
import random
from collections.abc import Sequence
from typing import Any

import pytest

from osrec_drivers.e1.hdlc import HdlcDecoder, HdlcEncoder

_HANDLER = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(ctypes.c_uint8), ctypes.c_int, ctypes.c_int)
_UNDERFLOW = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
FLAGS = 2  # between the frames of their transmitter


def library() -> Any:
    spandsp = ctypes.CDLL("libspandsp.so.2")
    spandsp.hdlc_rx_init.restype = spandsp.hdlc_tx_init.restype = ctypes.c_void_p
    return spandsp


def decoded(octets: bytes) -> list[bytes]:
    """Good frames that their receiver finds, 16-bit FCS."""
    spandsp, out = library(), []

    def take(_: int | None, octets: Any, count: int, good: int) -> None:
        if good and count > 0:  # below 0: a change of the line's state
            out.append(bytes(octets[:count]))

    handler = _HANDLER(take)
    state = ctypes.c_void_p(spandsp.hdlc_rx_init(None, 0, 0, 1, handler, None))
    spandsp.hdlc_rx_put(state, octets, len(octets))
    return out


def encoded(frames: Sequence[bytes]) -> bytes:
    """The line of their transmitter, 16-bit FCS."""
    spandsp, drained = library(), [False]
    handler = _UNDERFLOW(lambda _: drained.__setitem__(0, True))
    state = ctypes.c_void_p(spandsp.hdlc_tx_init(None, 0, FLAGS, 0, handler, None))
    spandsp.hdlc_tx_flags(state, FLAGS)  # else nothing opens the first frame
    line, octet = b"", ctypes.create_string_buffer(1)
    for frame in frames:
        drained[0] = False
        assert spandsp.hdlc_tx_frame(state, frame, len(frame)) == 0
        flags = 4  # octets to go once it has no more to send, so that the closing flag is on the line
        while flags:
            flags -= drained[0]
            assert spandsp.hdlc_tx_get(state, octet, 1) == 1
            line += octet.raw
    return line


def frames_of(seed: int) -> list[bytes]:
    dice = random.Random(seed)
    return [
        bytes(dice.choice((0xFF, 0x7E, dice.randrange(256))) for _ in range(dice.randrange(2, 261)))
        for _ in range(dice.randrange(1, 20))
    ]


@pytest.mark.parametrize("seed", range(12))
def test_spandsp_decodes_what_we_encode(seed: int) -> None:
    encoder, frames = HdlcEncoder(), frames_of(seed)
    assert all(encoder.send(frame) for frame in frames)
    assert decoded(encoder.pull(encoder.pending + 2)) == frames


@pytest.mark.parametrize("seed", range(12))
def test_we_decode_what_spandsp_encodes(seed: int) -> None:
    frames = frames_of(seed)
    found = HdlcDecoder().feed(encoded(frames))
    assert [frame.octets for frame in found if frame.error is None] == frames
