"""G.711 against spandsp (Debian package libspandsp2), which is not ours."""

import ctypes

import numpy as np
import pytest

from osrec_drivers.dsp import g711

ALAW, ULAW = 0, 1  # G711_ALAW, G711_ULAW of spandsp/g711.h
ALL = np.arange(-32768, 32768).astype(np.int16)


class Spandsp:
    """g711_decode and g711_encode of the library."""

    def __init__(self, law: int) -> None:
        self._library = ctypes.CDLL("libspandsp.so.2")
        self._library.g711_init.restype = ctypes.c_void_p
        self._state = ctypes.c_void_p(self._library.g711_init(None, law))

    def decode(self, octets: bytes) -> list[int]:
        out = (ctypes.c_int16 * len(octets))()
        assert self._library.g711_decode(self._state, out, octets, len(octets)) == len(octets)
        return list(out)

    def encode(self, samples: bytes) -> bytes:
        out = (ctypes.c_uint8 * (len(samples) // 2))()
        assert self._library.g711_encode(self._state, out, samples, len(samples) // 2) == len(samples) // 2
        return bytes(out)


@pytest.mark.parametrize(("law", "decode"), [(ALAW, g711.alaw_decode), (ULAW, g711.ulaw_decode)])
def test_all_codes_decode_alike(law: int, decode: object) -> None:
    octets = bytes(range(256))
    assert callable(decode)
    assert Spandsp(law).decode(octets) == decode(octets).tolist()


@pytest.mark.parametrize(
    ("law", "encode", "decode"),
    [(ALAW, g711.alaw_encode, g711.alaw_decode), (ULAW, g711.ulaw_encode, g711.ulaw_decode)],
)
def test_our_codes_are_as_near_to_the_sample_as_theirs(law: int, encode: object, decode: object) -> None:
    """Encoders differ by a code where a sample stands between two; the error must not be larger for it."""
    assert callable(encode)
    assert callable(decode)
    ours = decode(encode(ALL)).astype(int)
    theirs = decode(Spandsp(law).encode(ALL.tobytes())).astype(int)
    our_error, their_error = np.abs(ALL - ours), np.abs(ALL - theirs)
    assert our_error.sum() <= their_error.sum() * 1.001
    assert np.mean(ours != theirs) < 0.05
