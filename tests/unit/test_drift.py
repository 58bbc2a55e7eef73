"""The estimate of the far end's clock."""

import random

import pytest

from osrec_drivers.e1.drift import ppm

SECOND = 1_000_000_000


def points(true_ppm: float, count: int, noise_ns: int = 20_000, seed: int = 1) -> list[tuple[int, int]]:
    dice = random.Random(seed)
    return [(n * SECOND, round(-n * SECOND * true_ppm / 1e6) + dice.randrange(noise_ns)) for n in range(count)]


@pytest.mark.parametrize("true", [-50.0, -4.6, 0.0, 4.6, 50.0])
def test_finds_the_clock_within_two_ppm_in_half_a_minute(true: float) -> None:
    assert ppm(points(true, 30)) == pytest.approx(true, abs=2.0)


def test_one_window_in_eight_may_be_far_off() -> None:
    spoilt = [(t, d + (40_000_000 if n % 8 == 3 else 0)) for n, (t, d) in enumerate(points(10.0, 40))]
    assert ppm(spoilt) == pytest.approx(10.0, abs=2.0)


def test_says_nothing_before_five_full_windows() -> None:
    assert ppm(points(1.0, 5)) is None
    assert ppm(points(1.0, 6)) is not None
