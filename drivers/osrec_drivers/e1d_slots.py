"""Whole frames of what osmo-e1d gives: 31 octets a frame on the superchannel, or one descriptor for each time slot.

TS0 stays with the daemon. On single slots nothing says which octets belong to one frame but that all began together:
when a slot falls behind the others, its socket has overflowed, and all slots begin anew.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from osrec_drivers.line import IDLE, Octets

FRAME = 32
CARRIED = 31  # octets of a frame that osmo-e1d gives: TS1..TS31
_SKEW = 320  # octets that slots may differ by in passing: twice what osmo-e1d writes at a time
_LOOKS = 8  # in a row that must find more than that: we may be stopped between reading one slot and the next


def frames_of(carried: NDArray[np.uint8]) -> bytes:
    """Frames with nothing in TS0."""
    frames = np.zeros((len(carried), FRAME), np.uint8)
    frames[:, 1:] = carried
    return frames.tobytes()


def carried_of(frames: Octets) -> bytes:
    """The octets of TS1..TS31, frame by frame."""
    return np.frombuffer(frames, np.uint8).reshape(-1, FRAME)[:, 1:].tobytes()


class Superchannel:
    """Octets as they come from one stream; what is no whole frame yet waits."""

    def __init__(self) -> None:
        self._rest = b""

    def take(self, octets: bytes) -> NDArray[np.uint8]:
        """n x 31: the whole frames."""
        octets = self._rest + octets
        count = len(octets) // CARRIED
        self._rest = octets[count * CARRIED :]
        return np.frombuffer(octets, np.uint8, count * CARRIED).reshape(count, CARRIED)


class Slots:
    """Octets as they come from one stream for each slot.

    Args:
        slots: those that are open, of 1..31; the others are idle in every frame.
    """

    def __init__(self, slots: Sequence[int]) -> None:
        self._waiting = {slot: bytearray() for slot in slots}
        self._uneven = 0  # looks in a row that found the slots so

    def take(self, octets: Mapping[int, bytes]) -> tuple[int, NDArray[np.uint8]]:
        """What came of each slot in one look at all: (frames lost before, n x 31 whole frames)."""
        for slot, came in octets.items():
            self._waiting[slot] += came
        lengths = [len(waiting) for waiting in self._waiting.values()]
        count, most = min(lengths), max(lengths)
        self._uneven = self._uneven + 1 if most - count > _SKEW else 0
        lost = 0
        if self._uneven >= _LOOKS and count:
            self._uneven = 0
            count, lost = 0, most
            for waiting in self._waiting.values():
                waiting.clear()
        carried = np.full((count, CARRIED), IDLE, np.uint8)
        for slot, waiting in self._waiting.items():
            carried[:, slot - 1] = np.frombuffer(bytes(waiting[:count]), np.uint8)
            del waiting[:count]
        return lost, carried
