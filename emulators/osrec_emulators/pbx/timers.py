"""What the switch will do by itself, and when: each timer belongs to a call or a device and has a name there."""

import heapq
import itertools
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field


@dataclass(order=True, slots=True)
class _Timer:
    at: float
    order: int
    owner: Hashable = field(compare=False)
    name: str = field(compare=False)
    action: Callable[[], None] = field(compare=False)


class Timers:
    """Timers in the order of time; those of one instant in the order in which they were set."""

    def __init__(self) -> None:
        self._heap: list[_Timer] = []
        self._running: dict[Hashable, dict[str, _Timer]] = {}
        self._order = itertools.count()

    @property
    def deadline(self) -> float | None:
        while self._heap and not self._runs(self._heap[0]):
            heapq.heappop(self._heap)
        return self._heap[0].at if self._heap else None

    def set(self, owner: Hashable, name: str, at: float, action: Callable[[], None]) -> None:
        """Start a timer, in place of the owner's one of the same name."""
        timer = _Timer(at, next(self._order), owner, name, action)
        self._running.setdefault(owner, {})[name] = timer
        heapq.heappush(self._heap, timer)

    def runs(self, owner: Hashable, name: str) -> bool:
        return name in self._running.get(owner, ())

    def cancel(self, owner: Hashable, *names: str) -> None:
        """Stop these timers of an owner, without names all of them."""
        timers = self._running.get(owner, {})
        for name in names or list(timers):
            timers.pop(name, None)
        if not timers:
            self._running.pop(owner, None)

    def run(self, now: float) -> None:
        """Do what is due."""
        while (due := self.deadline) is not None and due <= now:
            timer = heapq.heappop(self._heap)
            self.cancel(timer.owner, timer.name)
            timer.action()

    def _runs(self, timer: _Timer) -> bool:
        return self._running.get(timer.owner, {}).get(timer.name) is timer
