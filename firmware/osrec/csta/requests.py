"""Our own invokes that are not answered yet: what each was for, and until when its answer is awaited."""

from collections.abc import Hashable
from dataclasses import dataclass
from enum import Enum

from osrec.wire.csta.model import Argument, Invoke


class Purpose(Enum):
    """Why a request was sent."""

    SERVICE = "service"
    START = "monitor start"
    SNAPSHOT = "snapshot"
    STOP = "monitor stop"
    HEARTBEAT = "heartbeat"


PACED = (Purpose.START, Purpose.SNAPSHOT)  # those that the window counts


@dataclass(frozen=True, slots=True)
class Request:
    """`device` for START and SNAPSHOT, `token` for SERVICE."""

    purpose: Purpose
    argument: Argument
    deadline: float
    device: str = ""
    token: Hashable = None


class Requests:
    """The table of outstanding invokes of one association."""

    def __init__(self, max_invoke_id: int) -> None:
        self._max = max_invoke_id
        self._last = 0
        self._table: dict[int, Request] = {}

    def add(self, request: Request) -> Invoke:
        """Give the request an invoke id that no outstanding one has."""
        self._last = self._last % self._max + 1
        while self._last in self._table:
            self._last = self._last % self._max + 1
        self._table[self._last] = request
        return Invoke(self._last, request.argument)

    def take(self, invoke_id: int) -> Request | None:
        """The request that an answer is for; it is outstanding no longer."""
        return self._table.pop(invoke_id, None)

    def expire(self, now: float) -> list[Request]:
        """Requests whose answer is overdue, in the order they were sent."""
        late = [invoke_id for invoke_id, request in self._table.items() if request.deadline <= now]
        return [self._table.pop(invoke_id) for invoke_id in late]

    def clear(self) -> list[Request]:
        requests = list(self._table.values())
        self._table.clear()
        return requests

    @property
    def full(self) -> bool:
        """Every invoke id is outstanding."""
        return len(self._table) >= self._max

    @property
    def paced(self) -> int:
        return sum(request.purpose in PACED for request in self._table.values())

    def awaits(self, purpose: Purpose) -> bool:
        return any(request.purpose is purpose for request in self._table.values())

    @property
    def deadline(self) -> float | None:
        return min((request.deadline for request in self._table.values()), default=None)
