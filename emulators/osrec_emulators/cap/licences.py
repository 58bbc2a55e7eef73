"""The pool of CAP-A licences: one for each device that a client monitors, shared by all clients."""

from collections.abc import Iterable

from osrec_emulators.cap.faults import LicenceChange
from osrec_emulators.cap.timetable import Timetable


class LicencePool:
    """Counts licences.

    Args:
        changes: how many there will be from when on.

    Attributes:
        size: licences there are, None without limit.
        used: licences in use; more than there are right after a change to fewer.
    """

    def __init__(self, size: int | None, changes: Iterable[LicenceChange] = ()) -> None:
        self.size = size
        self.used = 0
        self._changes = Timetable((change.at, None, change) for change in changes)

    @property
    def deadline(self) -> float | None:
        """When the next change comes."""
        return self._changes.deadline

    @property
    def overdrawn(self) -> int:
        """Licences that somebody has to give back."""
        return 0 if self.size is None else max(self.used - self.size, 0)

    def advance(self, now: float) -> bool:
        """Whether the size has changed."""
        due = self._changes.take(now)
        if due:
            self.size = due[-1].licences
        return bool(due)

    def take(self) -> bool:
        """Whether there was one left."""
        if self.size is not None and self.used >= self.size:
            return False
        self.used += 1
        return True

    def give_back(self, count: int = 1) -> None:
        self.used -= count
