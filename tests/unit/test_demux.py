"""Frames to slots and back."""

import random

import numpy as np
import pytest

from osrec_drivers.e1.demux import demux, mux


@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 160, 1000])
def test_turns_frames_into_slots_and_back(count: int) -> None:
    frames = random.Random(count).randbytes(32 * count)
    slots = demux(frames)
    assert slots.shape == (32, count)
    assert np.array_equal(slots, np.frombuffer(frames, np.uint8).reshape(-1, 32).T)
    assert mux(slots) == frames


def test_writes_into_an_array_of_the_caller() -> None:
    out = np.zeros((32, 4), np.uint8)
    demux(bytes(range(128)), out)
    assert out[5].tolist() == [5, 37, 69, 101]


def test_refuses_shapes_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="31 octets"):
        demux(bytes(31))
    with pytest.raises(ValueError, match="2 frames need 32 x 2"):
        demux(bytes(64), np.zeros((32, 3), np.uint8))
    with pytest.raises(ValueError, match="31 rows"):
        mux(np.zeros((31, 3), np.uint8))
