"""DTMF: what Q.24 wants taken is taken, what it wants left is left, and nobody's talk dials."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from osrec_drivers.dsp.dtmf import DIGITS, DtmfDetector, DtmfDigit
from osrec_drivers.dsp.dtmf_tones import tones
from osrec_drivers.dsp.g711 import alaw_decode, alaw_encode
from tests.reference import dtmf

SPEECH = sorted((Path(__file__).parents[1] / "vectors" / "speech").glob("*.alaw"))
QUIET = np.zeros(400, np.int16)


def heard(samples: NDArray[np.int16], *, portable: bool = False) -> list[DtmfDigit]:
    """What a detector finds in one channel after A-law."""
    detector = DtmfDetector(portable=portable)
    coded = alaw_decode(alaw_encode(np.ascontiguousarray(samples)))
    return detector.feed(coded.reshape(1, -1)) + detector.flush()


def dialled(samples: NDArray[np.int16]) -> str:
    return "".join(one.digit for one in heard(samples))


def late(samples: NDArray[np.int16], by: int) -> NDArray[np.int16]:
    """Behind so many samples of silence: the windows meet it at every phase."""
    return np.concatenate([QUIET, QUIET[:by], samples])


def test_all_sixteen_digits_are_told_apart() -> None:
    assert dialled(tones(DIGITS)) == DIGITS


@pytest.mark.parametrize("digit", DIGITS)
def test_forty_milliseconds_are_taken_and_less_than_twenty_left_wherever_they_begin(digit: str) -> None:
    for by in range(0, 32, 3):
        assert dialled(late(tones(digit, on=0.040), by)) == digit
        assert dialled(late(tones(digit, on=0.0195), by)) == ""


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("digit", DIGITS)
def test_tones_a_percent_and_a_half_off_are_taken_and_three_and_a_half_left(digit: str, sign: int) -> None:
    for on, twist in product((0.040, 0.2), (-8.0, 4.0)):
        assert dialled(tones(digit, on=on, twist=twist, level=-12.0, detuned=sign * 0.015)) == digit
        assert dialled(tones(digit, on=on, twist=twist, level=-12.0, detuned=sign * 0.035)) == ""


@pytest.mark.parametrize(("twist", "taken"), [(4, True), (-8, True), (7, False), (-11, False)])
def test_twist_of_four_and_minus_eight_decibels_is_taken_and_much_more_left(twist: float, taken: bool) -> None:
    assert dialled(tones(DIGITS, on=0.04, twist=twist, level=-14.0)) == (DIGITS if taken else "")


@pytest.mark.parametrize(("level", "taken"), [(-34.0, True), (-3.0, True), (-39.0, False)])
def test_tones_down_to_the_limit_are_taken(level: float, taken: bool) -> None:
    assert dialled(tones(DIGITS, level=level, twist=0.0)) == (DIGITS if taken else "")


def test_noise_twelve_decibels_below_does_not_hide_digits() -> None:
    clean = tones(DIGITS, on=0.05).astype(np.float64)
    power = float(np.mean(tones("1", on=0.05, off=0.0).astype(np.float64) ** 2))
    noise = np.random.default_rng(1).normal(0.0, np.sqrt(power / 10**1.2), len(clean))
    assert dialled((clean + noise).astype(np.int16)) == DIGITS


def test_one_tone_alone_is_no_digit() -> None:
    time = np.arange(8000) / 8000
    for frequency in dtmf.FREQUENCIES:
        assert dialled((8000 * np.sin(2 * np.pi * frequency * time)).astype(np.int16)) == ""


def test_a_third_tone_as_strong_spoils_a_digit() -> None:
    third = (4000 * np.sin(2 * np.pi * 2000 * np.arange(1600) / 8000)).astype(np.int16)
    digit = tones("5", level=-15.0, twist=0.0)  # sines of 4,000 each
    assert dialled(digit) == "5"
    assert dialled(digit + third) == ""


def test_a_break_of_ten_milliseconds_is_no_pause_and_forty_are_one() -> None:
    assert dialled(np.concatenate([tones("5", on=0.05, off=0.010), tones("5", on=0.05)])) == "5"
    assert dialled(np.concatenate([tones("5", on=0.05, off=0.040), tones("5", on=0.05)])) == "55"


def test_another_digit_ends_the_one_before_without_a_pause() -> None:
    assert dialled(tones("1597", on=0.06, off=0.0)) == "1597"


def test_where_and_how_long_a_digit_is_comes_out_to_four_milliseconds() -> None:
    for by, on in product(range(0, 32, 5), (0.04, 0.07, 0.5)):
        (found,) = heard(late(tones("8", on=on), by))
        assert abs(found.first - 400 - by) <= 32
        assert abs(found.count - on * 8000) <= 32


def test_a_digit_that_still_sounds_comes_out_when_the_channel_ends() -> None:
    detector = DtmfDetector()
    assert detector.feed(tones("3", on=0.2, off=0.0).reshape(1, -1)) == []
    assert [one.digit for one in detector.flush()] == ["3"]
    assert detector.flush() == []


def test_channels_do_not_hear_each_other() -> None:
    detector = DtmfDetector(16)
    rows = np.stack([tones(digit) for digit in DIGITS])
    assert [(one.channel, one.digit) for one in detector.feed(rows)] == list(enumerate(DIGITS))
    with pytest.raises(ValueError, match="15 rows of samples: the detector has 16 channels"):
        detector.feed(rows[:15].copy())


@pytest.mark.parametrize("file", SPEECH, ids=lambda file: file.stem)
def test_talk_dials_nothing(file: Path) -> None:
    assert heard(alaw_decode(file.read_bytes())) == []


def test_digits_dialled_into_talk_are_found_between_words() -> None:
    talk = alaw_decode(SPEECH[0].read_bytes())[: 8 * 8000].astype(np.int32)
    dial = tones("08154711", on=0.08, off=0.9, level=-8.0)
    talk[: len(dial)] = talk[: len(dial)] // 8 + dial  # their echo in what the other side says
    assert dialled(np.clip(talk, -32768, 32767).astype(np.int16)) == "08154711"


def test_what_is_no_digit_cannot_be_dialled() -> None:
    with pytest.raises(ValueError, match=r"'E' is no DTMF digit: one of 123A456B789C\*0#D"):
        tones("1E")


SOUND = st.tuples(
    st.sampled_from(DIGITS),
    st.integers(10, 90).map(lambda n: n / 1000),
    st.integers(0, 60).map(lambda n: n / 1000),
    st.sampled_from([-30.0, -20.0, -10.0]),
    st.sampled_from([-12.0, -10.5, -7.0, 0.0, 3.0, 6.5, 8.0]),
    st.sampled_from([-0.04, -0.03, -0.02, 0.0, 0.02, 0.03, 0.04]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(SOUND, max_size=5), st.integers(0, 40), st.integers(1, 997), st.integers(0, 2**32 - 1))
def test_finds_what_the_oracle_finds_in_any_pieces_and_without_avx2(
    sounds: list[tuple[str, float, float, float, float, float]], noise: int, piece: int, seed: int
) -> None:
    parts = [
        tones(digit, on=on, off=off, level=level, twist=twist, detuned=detuned)
        for digit, on, off, level, twist, detuned in sounds
    ]
    clean = np.concatenate([QUIET, *parts, QUIET])
    samples = clean + np.random.default_rng(seed).integers(-noise, noise + 1, len(clean)).astype(np.int16)
    wanted = dtmf.detect(samples)
    for portable in (False, True):
        detector = DtmfDetector(portable=portable)
        found: list[DtmfDigit] = []
        for first in range(0, len(samples), piece):
            found += detector.feed(np.ascontiguousarray(samples[first : first + piece]).reshape(1, -1))
        found += detector.flush()
        assert [(one.digit, one.first, one.count) for one in found] == wanted
