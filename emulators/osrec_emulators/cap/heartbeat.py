"""SystemStatus that the server sends: the first after the association, then one at intervals, each to be answered."""

from osrec.wire.csta import model
from osrec_emulators.cap.config import CapConfig
from osrec_emulators.cap.exit import Exit
from osrec_emulators.cap.faults import Heartbeat as Faults


class Heartbeat:
    """The server's SystemStatus to one client.

    Attributes:
        deadline: when the next one is due.
        status: what it says from the second one on, and when it is asked.
    """

    def __init__(self, config: CapConfig, faults: Faults, exit_: Exit) -> None:
        self.deadline: float | None = None
        self.status: int = model.Status.NORMAL
        self._interval = config.status_interval
        self._unanswered = config.status_unanswered
        self._faults = faults
        self._exit = exit_
        self._pending: set[int] = set()
        self._first = True
        self._lost_from = float("inf")

    @property
    def given_up(self) -> str:
        """Why the client is to be dropped; empty while it answers."""
        if self._unanswered and len(self._pending) >= self._unanswered:
            return f"{len(self._pending)} SystemStatus unanswered"
        return ""

    def start(self, now: float) -> None:
        """The client has associated."""
        if self._faults.lost_after is not None:
            self._lost_from = now + self._faults.lost_after
        if self._faults.never:
            self._exit.played("first_status_missing", now)
            self._first = False
            self.deadline = now + self._interval if self._interval > 0 else None
        elif self._faults.late > 0:
            self._exit.played("first_status_late", now, f"{self._faults.late:g} s")
            self.deadline = now + self._faults.late
        else:
            self.beat(now)

    def beat(self, now: float) -> None:
        """The next one."""
        self.deadline = now + self._interval if self._interval > 0 else None
        status = model.Status.ENABLED if self._first else self.status
        self._first = False
        if self.lost(now):
            self._exit.played("status_lost", now)
        else:
            self.say(status, now)

    def say(self, status: int, now: float) -> None:
        """A SystemStatus of its own."""
        invoke_id = self._exit.invoke_id()
        if self._unanswered:
            self._pending.add(invoke_id)
        self._exit.send(model.Invoke(invoke_id, model.SystemStatus(status)), now)

    def lost(self, now: float) -> bool:
        """Whether SystemStatus gets lost by now."""
        return now >= self._lost_from

    def answered(self, invoke_id: int) -> None:
        self._pending.discard(invoke_id)
