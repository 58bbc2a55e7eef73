"""Which of several CAP servers to talk to: one at a time, the next when one does not come up, back when the first can.

A machine of its own beside the link (link.py): it says when to dial and whom, the link says what is talked.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

FAIL_BACK_MOST = 3600.0  # seconds for which a server that failed again after a fail-back has to be well, at most
QUIET_MOST = 1800.0  # seconds to wait for a quiet moment before failing back without one


@dataclass(frozen=True, slots=True)
class Server:
    """Where a CAP server is."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class EndpointsConfig:
    """Times in seconds.

    Attributes:
        servers: best first.
        backoff_first, backoff_most: pause before dialling again, doubled each time until the link was up.
        fail_over_after: without link before the next server is dialled; with one server it does not matter.
        fail_back: for how long a better server must answer probes before we go back to it; None: never go back.
        probe_every: between two probes of the better servers.
    """

    servers: tuple[Server, ...]
    backoff_first: float = 0.5
    backoff_most: float = 30.0
    fail_over_after: float = 30.0
    fail_back: float | None = 60.0
    probe_every: float = 5.0


class State(Enum):
    """Where the choice stands."""

    IDLE = "idle"
    WAITING = "waiting before dialling again"
    TRYING = "dialled, the link is not up"
    UP = "up"


# --- events


@dataclass(frozen=True, slots=True)
class Started:
    pass


@dataclass(frozen=True, slots=True)
class WentUp:
    """The link on the dialled connection is up."""


@dataclass(frozen=True, slots=True)
class WentDown:
    """It is not up any longer, though its connection may still stand."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The dialled connection is over, or could not be made."""


@dataclass(frozen=True, slots=True)
class Probed:
    """The answer to Probe."""

    server: Server
    answered: bool


@dataclass(frozen=True, slots=True)
class TimeIs:
    """`deadline` has come. `quiet`: no events just now, and nothing that was asked is unanswered."""

    quiet: bool


EndpointEvent = Started | WentUp | WentDown | Ended | Probed | TimeIs

# --- outputs


@dataclass(frozen=True, slots=True)
class Dial:
    server: Server


@dataclass(frozen=True, slots=True)
class HangUp:
    """Release and close the connection; Ended must follow."""

    reason: str


@dataclass(frozen=True, slots=True)
class Probe:
    """Find out whether the server can be reached, without disturbing anybody; Probed must follow."""

    server: Server


@dataclass(frozen=True, slots=True)
class Settled:
    """The link is up at another server than before."""

    server: Server
    preferred: bool


EndpointOutput = Dial | HangUp | Probe | Settled


class Endpoints:
    """The choice of the server.

    Args:
        jitter: gives a factor for each pause: many recorders shall not come back at the same moment.

    Attributes:
        state: where the choice stands.
        current: the server dialled now or next.
        changes: how often another server became the current one.
    """

    def __init__(self, config: EndpointsConfig, jitter: Callable[[], float]) -> None:
        self.state = State.IDLE
        self.changes = 0
        self._config = config
        self._jitter = jitter
        self._index = 0
        self._told = 0
        self._attempts = 0
        self._due: float | None = None  # WAITING: to dial; TRYING: to hang up
        self._give_up = float("inf")
        self._probe_due: float | None = None
        self._good_since: dict[int, float] = {}
        self._well_for = config.fail_back or 0.0
        self._failing_back = False

    @property
    def current(self) -> Server:
        return self._config.servers[self._index]

    @property
    def deadline(self) -> float | None:
        """When to call handle(TimeIs(...)); None: no timer runs."""
        return min((due for due in (self._due, self._probe_due) if due is not None), default=None)

    def handle(self, event: EndpointEvent, now: float) -> list[EndpointOutput]:
        match event:
            case Started():
                self._give_up = self._deadline_of_try(now)
                return self._dial()
            case WentUp():
                return self._up(now)
            case WentDown():
                self._down(now)
                return []
            case Ended():
                return self._ended(now)
            case Probed(server, answered):
                self._probed(server, answered, now)
                return []
            case TimeIs(quiet):
                return self._timer(quiet, now)

    # --- dialling

    def _deadline_of_try(self, now: float) -> float:
        return now + self._config.fail_over_after if len(self._config.servers) > 1 else float("inf")

    def _dial(self) -> list[EndpointOutput]:
        self.state = State.TRYING
        self._due = self._give_up if self._give_up != float("inf") else None
        return [Dial(self.current)]

    def _down(self, now: float) -> None:
        if self.state is State.UP:
            self.state = State.TRYING
            self._stop_probing()
            self._due = self._give_up = self._deadline_of_try(now)
            if self._due == float("inf"):
                self._due = None

    def _ended(self, now: float) -> list[EndpointOutput]:
        self._down(now)
        if self._failing_back and self._attempts == 0:
            self._attempts = 1  # the old connection is closed: dial the better server at once
            self._give_up = self._deadline_of_try(now)
            return self._dial()
        if now >= self._give_up:
            self._next_server(now)
        pause = min(self._config.backoff_first * 2.0 ** min(self._attempts, 30), self._config.backoff_most)
        self._attempts += 1
        self.state, self._due = State.WAITING, min(now + pause * self._jitter(), self._give_up)
        return []

    def _next_server(self, now: float) -> None:
        if self._failing_back:  # it could be reached and did not work: let it prove itself for longer
            self._failing_back = False
            self._well_for = min(self._well_for * 2, FAIL_BACK_MOST)
        self._index = (self._index + 1) % len(self._config.servers)
        self.changes += 1
        self._attempts = 0
        self._give_up = self._deadline_of_try(now)

    def _up(self, now: float) -> list[EndpointOutput]:
        self.state, self._due, self._attempts = State.UP, None, 0
        self._give_up = float("inf")
        if self._failing_back:
            self._failing_back, self._well_for = False, self._config.fail_back or 0.0
        if self._index and self._config.fail_back is not None:
            self._probe_due = now
        if self._told == self._index:
            return []
        self._told = self._index
        return [Settled(self.current, preferred=self._index == 0)]

    # --- the way back

    def _timer(self, quiet: bool, now: float) -> list[EndpointOutput]:
        outputs: list[EndpointOutput] = []
        if self._due is not None and self._due <= now:
            if self.state is State.WAITING:
                if now >= self._give_up:
                    self._next_server(now)
                return self._dial()
            self._due = None  # Ended follows, which looks at the time again
            outputs.append(HangUp(f"no link to {self.current} within {self._config.fail_over_after:g} s"))
        if self._probe_due is not None and self._probe_due <= now:
            self._probe_due = now + self._config.probe_every
            outputs += self._go_back(quiet, now) or [Probe(one) for one in self._config.servers[: self._index]]
        return outputs

    def _go_back(self, quiet: bool, now: float) -> list[EndpointOutput]:
        well = [index for index, since in self._good_since.items() if now - since >= self._well_for]
        if not well or self._config.fail_back is None:
            return []
        better = min(well)
        if not quiet and now - self._good_since[better] < self._well_for + QUIET_MOST:
            return []
        reason = f"back from {self.current} to {self._config.servers[better]}"
        self._stop_probing()
        self._index, self._attempts, self._failing_back = better, 0, True
        self.changes += 1
        return [HangUp(reason)]

    def _probed(self, server: Server, answered: bool, now: float) -> None:
        if self._probe_due is None or server not in self._config.servers:
            return
        index = self._config.servers.index(server)
        if answered:
            self._good_since.setdefault(index, now)
        else:
            self._good_since.pop(index, None)

    def _stop_probing(self) -> None:
        self._probe_due = None
        self._good_since.clear()
