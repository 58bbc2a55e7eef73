"""G.711 A-law of the emulators: the Recommendation's own numbers, and the product's as a second opinion."""

import numpy as np

from osrec_drivers.dsp import g711
from osrec_emulators.audio import alaw

CODES = np.arange(256, dtype=np.uint8)
VALUES = np.arange(-32768, 32768).astype(np.int16)


def g191_compress(value: int) -> int:
    """alaw_compress of ITU-T G.191, step by step."""
    step = (~value) >> 4 if value < 0 else value >> 4
    if step > 15:
        exponent = 1
        while step > 16 + 15:
            step >>= 1
            exponent += 1
        step = step - 16 + (exponent << 4)
    return (step | (0x80 if value >= 0 else 0)) ^ 0x55


def test_encodes_all_values_as_g191_does() -> None:
    assert np.array_equal(alaw.encode(VALUES), np.array([g191_compress(int(value)) for value in VALUES], np.uint8))


def test_gives_all_codes_back() -> None:
    assert np.array_equal(alaw.encode(alaw.decode(CODES)), CODES)


def test_idle_is_the_smallest_positive_value_and_full_scale_is_32256() -> None:
    assert alaw.decode(np.array([alaw.IDLE, 0x55, 0xAA, 0x2A], np.uint8)).tolist() == [8, -8, 32256, -32256]


def test_counts_values_that_no_code_stands_for() -> None:
    assert alaw.inexact(alaw.decode(CODES)) == 0
    assert alaw.inexact(np.array([8, 9, 0, -8], np.int16)) == 2


def test_agrees_with_the_product() -> None:
    assert np.array_equal(g711.alaw_decode(CODES), alaw.decode(CODES))
    assert np.array_equal(g711.alaw_encode(VALUES), alaw.encode(VALUES))
