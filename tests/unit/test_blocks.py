"""Levels and stereo of many channels at once, against numpy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from osrec_drivers.dsp.blocks import Listener, interleave, measure
from osrec_drivers.dsp.g711 import alaw_decode


@st.composite
def rows(draw: st.DrawFn) -> NDArray[np.int16]:
    shape = draw(st.integers(0, 5)) * 2, draw(st.integers(0, 70))
    dice = np.random.default_rng(draw(st.integers(0, 2**32)))
    samples = dice.integers(-32768, 32768, shape).astype(np.int16)
    samples[dice.random(shape) < draw(st.sampled_from([0.0, 0.9, 1.0]))] = draw(st.sampled_from([-32768, 0, 32767]))
    return samples


@pytest.mark.parametrize("portable", [False, True])
@given(rows())
def test_peak_and_power_equal_numpy(portable: bool, samples: NDArray[np.int16]) -> None:
    peaks, powers = measure(samples, portable=portable)
    wide = samples.astype(np.int64)
    if samples.shape[1]:
        assert peaks.tolist() == np.abs(wide).max(axis=1).tolist()
        assert powers.tolist() == ((wide**2).sum(axis=1) / samples.shape[1]).tolist()
    else:
        assert not peaks.any()
        assert not powers.any()


@given(rows())
def test_stereo_has_left_and_right_in_turn(samples: NDArray[np.int16]) -> None:
    stereo = interleave(samples)
    assert stereo.shape == (samples.shape[0] // 2, samples.shape[1], 2)
    assert np.array_equal(stereo[:, :, 0], samples[0::2])
    assert np.array_equal(stereo[:, :, 1], samples[1::2])


def test_a_channel_without_a_partner_is_refused() -> None:
    with pytest.raises(ValueError, match="3 channels"):
        interleave(np.zeros((3, 8), np.int16))


@given(st.integers(1, 4), st.integers(0, 1200), st.integers(0, 2**32))
def test_a_listener_does_what_decoding_measuring_and_pairing_do(pairs: int, count: int, seed: int) -> None:
    octets = np.random.default_rng(seed).integers(0, 256, (2 * pairs, count)).astype(np.uint8)
    listener, stereo = Listener(pairs), np.zeros((pairs, count, 2), np.int16)
    listener.feed(np.full((2 * pairs, 8), 0xAA, np.uint8), np.zeros((pairs, 8, 2), np.int16))
    listener.feed(octets, stereo)
    samples = alaw_decode(octets.reshape(-1)).reshape(2 * pairs, count)
    peaks, powers = measure(samples)
    assert np.array_equal(stereo, interleave(samples))
    assert listener.peaks.tolist() == peaks.tolist()
    assert listener.powers.tolist() == powers.tolist()


@pytest.mark.parametrize(
    ("rows_in", "shape", "rule"),
    [
        (3, (2, 8, 2), "3 rows of octets: 2 pairs have 4"),
        (4, (1, 8, 2), "1 x 8 x 2: it takes 2 x 8 x 2"),
        (4, (2, 7, 2), "2 x 7 x 2: it takes 2 x 8 x 2"),
        (4, (2, 8, 1), "2 x 8 x 1: it takes 2 x 8 x 2"),
    ],
)
def test_blocks_that_do_not_fit_are_refused(rows_in: int, shape: tuple[int, int, int], rule: str) -> None:
    with pytest.raises(ValueError, match=rule):
        Listener(2).feed(np.zeros((rows_in, 8), np.uint8), np.zeros(shape, np.int16))
