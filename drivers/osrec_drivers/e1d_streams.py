"""The descriptors that osmo-e1d hands out: octets come and go through them."""

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from osrec_drivers.e1d_slots import CARRIED, FRAME, Slots, Superchannel
from osrec_drivers.errors import LineError

_UNSENT = 1280 * FRAME  # octets that the daemon does not take; then it does not send, and we drop


class Stream(ABC):
    """The descriptors that octets come and go through."""

    fds: Sequence[int]

    @abstractmethod
    def read(self) -> tuple[int, NDArray[np.uint8]]:
        """(frames lost before, n x 31 whole frames that came). Raises LineError when the daemon is gone."""

    @abstractmethod
    def write(self, carried: bytes) -> None:
        """n x 31 octets to be sent; more than the daemon takes is dropped, whole frames of it."""

    def close(self) -> None:
        for fd in self.fds:
            os.close(fd)


def _drain(fd: int) -> bytes:
    """What waits there. Raises LineError at its end."""
    parts = []
    try:
        while part := os.read(fd, 1 << 16):
            parts.append(part)
    except BlockingIOError:
        return b"".join(parts)
    except OSError as error:
        raise LineError(f"osmo-e1d took a time slot away: {error.strerror}", error.errno) from error
    raise LineError("osmo-e1d took a time slot away: another program forced it open, or the daemon ended")


class _Sender:
    """Octets towards one descriptor; what does not fit waits, so that frames stay whole."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._rest = b""

    def send(self, octets: bytes) -> None:
        waiting = self._rest + octets if len(self._rest) < _UNSENT else self._rest
        try:
            self._rest = waiting[os.write(self._fd, waiting) :]
        except BlockingIOError:
            self._rest = waiting
        except OSError as error:
            raise LineError(f"osmo-e1d took a time slot away: {error.strerror}", error.errno) from error


class SuperStream(Stream):
    """All 31 time slots through one descriptor."""

    def __init__(self, fd: int) -> None:
        self.fds = [fd]
        self._frames = Superchannel()
        self._sender = _Sender(fd)

    def read(self) -> tuple[int, NDArray[np.uint8]]:
        return 0, self._frames.take(_drain(self.fds[0]))

    def write(self, carried: bytes) -> None:
        self._sender.send(carried)


class SlotStream(Stream):
    """A descriptor for each time slot."""

    def __init__(self, slots: Sequence[int], fds: Sequence[int]) -> None:
        self.fds = fds
        self._slots = slots
        self._frames = Slots(slots)
        self._senders = [_Sender(fd) for fd in fds]

    def read(self) -> tuple[int, NDArray[np.uint8]]:
        return self._frames.take({slot: _drain(fd) for slot, fd in zip(self._slots, self.fds, strict=True)})

    def write(self, carried: bytes) -> None:
        for slot, sender in zip(self._slots, self._senders, strict=True):
            sender.send(carried[slot - 1 :: CARRIED])
