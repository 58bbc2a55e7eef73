"""Time, read in one place so that tests can jump it."""

import ctypes
import time
from datetime import UTC, datetime
from typing import Protocol

from osrec.store.records import Clock as ClockState

STA_UNSYNC = 0x0040  # adjtimex(2): the kernel clock is not synchronised
STA_NANO = 0x2000  # adjtimex(2): offset is in nanoseconds


class Clock(Protocol):
    """The two times of the recorder: `now` for protocols, `at` for people; never mixed up."""

    def now(self) -> float:
        """CLOCK_MONOTONIC, seconds."""
        ...

    def at(self) -> datetime:
        """System time, UTC, aware."""
        ...

    def state(self) -> ClockState:
        """How far the system time can be trusted."""
        ...


class _Timex(ctypes.Structure):
    """struct timex of adjtimex(2), the members that we read; the rest is room."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("room", ctypes.c_byte * 160),
    )


class SystemClock:
    """The machine's clocks; the state comes from the kernel, which chrony and ntpd keep informed."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)

    def now(self) -> float:
        return time.monotonic()

    def at(self) -> datetime:
        return datetime.now(UTC)

    def state(self) -> ClockState:
        timex = _Timex()
        if self._libc.adjtimex(ctypes.byref(timex)) < 0:
            return ClockState(source="system", synchronised=None)
        synchronised = not timex.status & STA_UNSYNC
        offset_us = timex.offset // 1000 if timex.status & STA_NANO else timex.offset
        return ClockState(
            source="system",
            synchronised=synchronised,
            offset_us=offset_us,
            uncertainty_us=timex.maxerror if synchronised else None,
        )
