"""Frames of a line, 32 octets each, and what DAHDI has of them: some of the time slots, and never TS0."""

from collections.abc import Sequence

import numpy as np

from osrec_drivers.line import SLOTS, Octets

NOT_CARRIED = 0xFF  # stands in frames for a time slot that DAHDI keeps; TS0 is written by the intake


def line_frames(octets: Octets, slots: Sequence[int]) -> bytes:
    """n x 32 octets of n x len(slots)."""
    came = np.frombuffer(octets, np.uint8).reshape(-1, len(slots))
    frames = np.full((len(came), SLOTS), NOT_CARRIED, np.uint8)
    frames[:, slots] = came
    return frames.tobytes()


def board_octets(frames: Octets, slots: Sequence[int]) -> bytes:
    """n x len(slots) octets of n x 32."""
    return np.frombuffer(frames, np.uint8).reshape(-1, SLOTS)[:, slots].tobytes()
