"""Stereo and levels of a line's pairs, against G.711 decoding and numpy."""

import random

import numpy as np
import pytest

from osrec_drivers.dsp.g711 import alaw_decode
from osrec_drivers.e1.audio import LineAudio
from osrec_drivers.e1.engine import Engine
from osrec_drivers.errors import LineError
from tests.reference import e1

PAIRS = [(slot, slot + 1) for slot in (*range(1, 15, 2), *range(17, 31, 2))] + [(15, 31)]
FRAME = 32


def filled(frames: int, *, capacity: int = 1 << 14, seed: int = 1) -> Engine:
    engine = Engine(crc4=False, capacity=capacity)
    engine.receive(e1.send(random.Random(seed).randbytes(FRAME * frames), with_crc4=False))
    return engine


def expected(engine: Engine, first: int, count: int) -> np.ndarray:
    rows = [[alaw_decode(engine.read(slot, first, count)) for slot in pair] for pair in PAIRS]
    return np.array(rows).transpose(0, 2, 1)


@pytest.mark.parametrize("portable", [False, True])
@pytest.mark.parametrize(("first", "count"), [(0, 160), (7, 160), (100, 1), (3, 31), (0, 1999), (5, 1100)])
def test_decodes_and_measures_what_the_ring_holds(first: int, count: int, portable: bool) -> None:
    engine = filled(2000)
    audio, out = LineAudio(engine, PAIRS, portable=portable), np.zeros((15, count, 2), np.int16)
    audio.listen(first, out)
    wanted = expected(engine, first, count)
    assert np.array_equal(out, wanted)
    channels = wanted.transpose(0, 2, 1).reshape(30, count).astype(np.float64)
    assert audio.peaks.tolist() == np.abs(channels).max(axis=1).tolist()
    assert audio.powers == pytest.approx((channels**2).mean(axis=1))


@pytest.mark.parametrize("portable", [False, True])
def test_every_code_at_its_loudest_for_long_overflows_nothing(portable: bool) -> None:
    engine = Engine(crc4=False, capacity=1 << 14)
    frames = b"".join(bytes([0, *([code % 256] * 31)]) for code in [0xAA] * 8000 + list(range(256)) * 8)
    engine.receive(e1.send(frames, with_crc4=False))
    audio, out = LineAudio(engine, [(1, 2)], portable=portable), np.zeros((1, 10_000, 2), np.int16)
    audio.listen(0, out)
    wanted = alaw_decode(engine.read(1, 0, 10_000))
    assert np.array_equal(out[0, :, 0], wanted)
    assert audio.peaks.tolist() == [32256, 32256]
    assert audio.powers[0] == pytest.approx((wanted.astype(np.float64) ** 2).mean())


@pytest.mark.parametrize("portable", [False, True])
def test_reads_over_the_end_of_the_ring_s_memory(portable: bool) -> None:
    engine, first = filled(2300, capacity=1 << 10), 2048 - 77  # sample 2048 is at the beginning of the memory again
    audio, out = LineAudio(engine, PAIRS, portable=portable), np.zeros((15, 300, 2), np.int16)
    audio.listen(first, out)
    assert np.array_equal(out, expected(engine, first, 300))


def test_what_the_ring_does_not_hold_is_refused() -> None:
    audio, out = LineAudio(filled(100), PAIRS), np.zeros((15, 160, 2), np.int16)
    with pytest.raises(LineError, match=r"samples 0\.\.159 asked for: the ring holds 0\.\.99"):
        audio.listen(0, out)
    with pytest.raises(ValueError, match="out of shape 14 x 160 x 2: it takes 15 x count x 2"):
        audio.listen(0, out[:14])
    with pytest.raises(ValueError, match=r"slot 32: time slots 1\.\.31"):
        LineAudio(filled(8), [(1, 32)])
    with pytest.raises(ValueError, match="no pairs of time slots: one at least"):
        LineAudio(filled(8), [])


def test_of_no_samples_the_levels_are_nothing() -> None:
    audio = LineAudio(filled(200), PAIRS)
    audio.listen(0, np.zeros((15, 160, 2), np.int16))
    audio.listen(0, np.zeros((15, 0, 2), np.int16))
    assert not audio.peaks.any()
    assert not audio.powers.any()
