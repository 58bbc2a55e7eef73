"""The computer's clock, held back while an emulation waits for somebody: for drivers that are to see its time."""

import time
from collections.abc import Callable

_SLACK = 10_000_000  # ns that an emulation may be behind without waiting: it moves in steps


class ElasticClock:
    """Give `now` to whoever is to live in the emulation's time; it never goes back."""

    def __init__(self) -> None:
        self._emulated: Callable[[], int] | None = None

    def follow(self, emulated: Callable[[], int] | None) -> None:
        """From now on nobody is ahead of that time, CLOCK_MONOTONIC in ns; None: of the computer's."""
        self._emulated = emulated

    def now(self) -> int:
        real, emulated = time.monotonic_ns(), self._emulated
        return real if emulated is None else min(real, emulated() + _SLACK)
