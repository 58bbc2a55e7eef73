"""The level meter."""

import math

import numpy as np
import pytest

from osrec_drivers.dsp.g711 import alaw_encode
from osrec_drivers.dsp.level import level


def sine(peak: float, frequency: float = 1020.0) -> bytes:
    time = np.arange(8000) / 8000
    return alaw_encode((peak * np.sin(2 * np.pi * frequency * time)).astype(np.int16)).tobytes()


@pytest.mark.parametrize("octets", [b"", b"\xd5" * 80, b"\x55" * 80, b"\xd5\x55" * 40])
def test_both_zeros_are_silence(octets: bytes) -> None:
    assert level(octets) == -math.inf


@pytest.mark.parametrize(("below", "dbm0"), [(0, 3.14), (3.14, 0.0), (23.14, -20.0), (43.14, -40.0)])
def test_a_sine_has_its_level_below_full_scale(below: float, dbm0: float) -> None:  # G.711 2
    assert level(sine(32767 * 10 ** (-below / 20))) == pytest.approx(dbm0, abs=0.15)


def test_one_sample_above_zero_is_sound() -> None:
    assert -90 < level(b"\xd5" * 79 + b"\xd4") < -70
