"""What is due when: single moments and such as come again."""

import heapq
import itertools
from collections.abc import Iterable
from typing import Generic, TypeVar

T = TypeVar("T")


class Timetable(Generic[T]):
    """Entries in the order of time.

    Args:
        entries: (when, seconds until it comes again or None, what).
        begin: what was due before is past, unless it comes again.
    """

    def __init__(self, entries: Iterable[tuple[float, float | None, T]] = (), begin: float = float("-inf")) -> None:
        self._due: list[tuple[float, int, float | None, T]] = []
        self._order = itertools.count()
        for when, every, what in entries:
            if when >= begin:
                self.add(when, what, every)
            elif every is not None:
                self.add(when + every * -(-(begin - when) // every), what, every)

    @property
    def deadline(self) -> float | None:
        return self._due[0][0] if self._due else None

    def add(self, when: float, what: T, every: float | None = None) -> None:
        heapq.heappush(self._due, (when, next(self._order), every, what))

    def take(self, now: float) -> list[T]:
        """What has become due. What comes again comes once, however late one asks."""
        taken = []
        while self._due and self._due[0][0] <= now:
            when, _, every, what = heapq.heappop(self._due)
            taken.append(what)
            if every is not None:
                self.add(when + every * (1 + (now - when) // every), what, every)
        return taken
