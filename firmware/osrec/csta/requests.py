"""Our own invokes that are not answered yet: what each was for, and until when its answer is awaited."""

import heapq
from collections.abc import Hashable
from dataclasses import dataclass
from enum import Enum

from osrec.wire.csta.model import Argument, Invoke


class Purpose(Enum):
    """Why a request was sent."""

    SERVICE = "service"
    START = "monitor start"
    SNAPSHOT = "snapshot"
    CALL = "snapshot of a call"
    STOP = "monitor stop"
    HEARTBEAT = "heartbeat"
    REGISTER = "system register"
    SESSION = "session timer"


PACED = frozenset({Purpose.START, Purpose.SNAPSHOT, Purpose.CALL})  # those that the window counts


@dataclass(frozen=True, slots=True)
class Request:
    """`device` for START, SNAPSHOT and CALL, `token` for SERVICE."""

    purpose: Purpose
    argument: Argument
    sent: float
    deadline: float
    device: str = ""
    token: Hashable = None


class Requests:
    """The table of outstanding invokes; what is asked of it does not depend on how many there are.

    Attributes:
        paced: how many of those outstanding the window counts.
    """

    def __init__(self, max_invoke_id: int) -> None:
        self.paced = 0
        self._max = max_invoke_id
        self._last = 0
        self._sent = 0
        self._table: dict[int, tuple[int, Request]] = {}
        self._due: list[tuple[float, int, int]] = []  # (deadline, number, invoke id); answered ones leave late
        self._held: list[tuple[int, int]] = []  # (number, invoke id); so do these

    def add(self, request: Request) -> Invoke:
        """Give the request an invoke id that no outstanding one has."""
        self._last = self._last % self._max + 1
        while self._last in self._table:
            self._last = self._last % self._max + 1
        self._sent += 1
        self._table[self._last] = self._sent, request
        self.paced += request.purpose in PACED
        heapq.heappush(self._due, (request.deadline, self._sent, self._last))
        return Invoke(self._last, request.argument)

    def take(self, invoke_id: int) -> Request | None:
        """The request that an answer is for; it is outstanding no longer."""
        _, request = self._table.pop(invoke_id, (0, None))
        if request is not None:
            self.paced -= request.purpose in PACED
        return request

    @property
    def overdue(self) -> Request:
        """The request that was overdue first; `deadline` must have passed, so there is one."""
        return self._table[self._due[0][2]][1]

    def take_overdue(self) -> Request:
        """The same; it is outstanding no longer."""
        request = self.take(self._due[0][2])
        assert request is not None
        return request

    def hold_overdue(self) -> None:
        """Go on waiting for the one that was overdue first, without a deadline, until `release`."""
        self._held.append(heapq.heappop(self._due)[1:])

    def release(self) -> list[Request]:
        """Those held that were not answered meanwhile; they are outstanding no longer."""
        held, self._held = self._held, []
        requests = [self.take(invoke_id) for number, invoke_id in held if not self._answered(number, invoke_id)]
        return [request for request in requests if request is not None]

    def clear(self) -> list[Request]:
        requests = [request for _, request in self._table.values()]
        self._table.clear()
        self._due.clear()
        self._held.clear()
        self.paced = 0
        return requests

    @property
    def oldest(self) -> float | None:
        """When the one was sent that has waited longest."""
        return next((request.sent for _, request in self._table.values()), None)

    @property
    def full(self) -> bool:
        """Every invoke id is outstanding."""
        return len(self._table) >= self._max

    @property
    def outstanding(self) -> int:
        return len(self._table)

    @property
    def deadline(self) -> float | None:
        while self._due and self._answered(*self._due[0][1:]):
            heapq.heappop(self._due)
        return self._due[0][0] if self._due else None

    def _answered(self, number: int, invoke_id: int) -> bool:
        standing = self._table.get(invoke_id)
        return standing is None or standing[0] != number
