"""When the server's addresses are down, as declared in [[cap.restarts]]."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from osrec_emulators.cap.faults import Restart
from osrec_emulators.cap.timetable import Timetable


@dataclass(frozen=True, slots=True)
class Down:
    """These addresses, counted from 1, refuse connections from now on, for so many seconds; who is there is cut off."""

    listeners: tuple[int, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Up:
    """These addresses take connections again."""

    listeners: tuple[int, ...]


class Outages:
    """What changes when.

    Args:
        listeners: how many addresses there are.
        begin: PBX time; what was due before is past.
    """

    def __init__(self, restarts: Iterable[Restart], listeners: int, begin: float) -> None:
        self._all = range(1, listeners + 1)
        self._held_down: Counter[int] = Counter()
        self._table: Timetable[Down | Up] = Timetable(
            ((one.at, one.every, Down(self._concerned(one), one.closed)) for one in restarts), begin
        )

    @property
    def deadline(self) -> float | None:
        return self._table.deadline

    def is_down(self, listener: int) -> bool:
        return self._held_down[listener] > 0

    def take(self, now: float) -> list[Down | Up]:
        """What changes now. An address that two outages hold down comes up after the second."""
        changes: list[Down | Up] = []
        for change in self._table.take(now):
            if isinstance(change, Down):
                self._held_down.update(change.listeners)
                self._table.add(now + change.seconds, Up(change.listeners))
                changes.append(change)
            else:
                self._held_down.subtract(change.listeners)
                changes.append(Up(tuple(one for one in change.listeners if not self.is_down(one))))
        return changes

    def _concerned(self, restart: Restart) -> tuple[int, ...]:
        return tuple(one for one in self._all if restart.listener in (None, one))
