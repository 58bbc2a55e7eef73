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

    def take_overdue(self) -> Request:
        """The request that was overdue first; `deadline` must have passed, so there is one."""
        request = self.take(self._due[0][2])
        assert request is not None
        return request

    def clear(self) -> list[Request]:
        requests = [request for _, request in self._table.values()]
        self._table.clear()
        self._due.clear()
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
