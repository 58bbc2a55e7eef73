"""Tones of the PBX and the numbered tones."""

import numpy as np
import pytest

from osrec_emulators.audio import alaw, tones
from osrec_emulators.audio.alaw import Octets


def level_dbm0(octets: Octets) -> float:
    rms = np.sqrt(np.mean(alaw.decode(octets).astype(float) ** 2))
    return float(20 * np.log10(rms * np.sqrt(2) / tones.PEAK) + tones.FULL_SCALE_DBM0)


def loudest_hz(octets: Octets) -> float:
    spectrum = np.abs(np.fft.rfft(alaw.decode(octets)))
    return float(np.argmax(spectrum[1:]) + 1) * tones.RATE / len(octets)


def test_ringback_is_425_hz_for_one_second_in_five() -> None:
    ringback = tones.call_progress()["ringback"]
    assert len(ringback) == 5 * tones.RATE
    assert loudest_hz(ringback[:8000]) == 425
    assert level_dbm0(ringback[:8000]) == pytest.approx(-10, abs=0.2)
    assert set(ringback[8000:].tolist()) == {alaw.IDLE}


def test_busy_is_425_hz_on_and_off_twice_as_fast_as_seconds() -> None:
    busy = tones.call_progress()["busy"]
    assert len(busy) == tones.RATE
    assert loudest_hz(busy[:4000]) == pytest.approx(425, abs=2)
    assert set(busy[4000:].tolist()) == {alaw.IDLE}


def test_dial_tone_has_no_seam() -> None:
    dial = tones.call_progress()["dial"]
    assert loudest_hz(np.tile(dial, 25)) == 425


def test_music_is_the_same_each_time_and_moderate() -> None:
    music = tones.call_progress()["music"]
    assert np.array_equal(music, tones.call_progress()["music"])
    assert -30 < level_dbm0(music) < -15


@pytest.mark.parametrize("number", [0, 1, 59, 60, 4711, 65535])
def test_a_numbered_tone_spells_its_number_and_has_its_frequency(number: int) -> None:
    block = tones.numbered_tone(number)
    assert tones.find_marks(np.tile(block, 3)) == [tones.Mark(at, number, 0) for at in (0, 160, 320)]
    assert loudest_hz(block) == pytest.approx(tones.numbered_hz(number), abs=50)


def test_only_marks_reach_the_segment_of_marks() -> None:
    for number in range(60):
        sine = tones.numbered_tone(number)[tones.MARK :]
        assert np.abs(alaw.decode(sine)).max() < 2048


def test_a_cut_mark_is_not_read() -> None:
    block = tones.numbered_tone(7)
    assert tones.find_marks(block[3:]) == []
    assert tones.find_marks(np.concatenate([block, block[:5]])) == [tones.Mark(0, 7, 0)]


def test_there_is_no_tone_beyond_65535() -> None:
    with pytest.raises(ValueError, match="tone:65536"):
        tones.numbered_tone(65536)
