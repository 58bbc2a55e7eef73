"""Which recording gives its pair to a conversation of a higher class."""

from uuid import UUID

from osrec.engine.forks import Forks
from osrec.engine.recording import Recording, State

Waiter = tuple[UUID, str]  # conversation and station


class Preemption:
    """Who waits for which pair that is about to be free, so that no more recordings end than are needed."""

    def __init__(self, forks: Forks) -> None:
        self._forks = forks
        self._claims: dict[Waiter, UUID] = {}

    def victim(self, waiter: Waiter, priority: int) -> Recording | None:
        """The recording to end for it; None when there is none, or no need.

        It is of the lowest class; of that rather one that nobody has asked to keep, then the youngest. There is no need
        while a pair is about to be free that nobody else has a claim on.
        """
        lowest = self._forks.lowest_priority
        if lowest is None or lowest >= priority:
            return None
        recordings = self._forks.recordings
        self._claims = {one: held for one, held in self._claims.items() if held in recordings}
        if waiter in self._claims:
            return None
        taken = set(self._claims.values())
        usable = [r for r in recordings.values() if not self._forks.pool.blocked(r.pair.line) and r.id not in taken]
        freed = next((r for r in usable if r.state is State.DRAINING), None)
        lower = [r for r in usable if r.state is State.RUNNING and r.decision.priority < priority]
        if not lower:
            return None
        victim = freed or min(lower, key=lambda r: (r.decision.priority, not r.provisional, -r.since))
        self._claims[waiter] = victim.id
        return None if freed else victim
