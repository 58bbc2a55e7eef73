"""In which calls does the PBX have the recorder's own ports?

After each connection all of them are asked for. A recorder that was killed between the request for a fork and its
first record in the journal knows nothing of that fork, but the PBX does: the ports are busy, and the station may not
be forked again. And a fork that ended while the link was down was told to nobody. What no recording holds is taken
out of its call before any new fork is requested, and a recording learns which call its ports are in, or that they are
in none. Single ports are asked for when there is doubt: a request that got no answer may be carried out late.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from osrec.csta.messages import Lost
from osrec.wire.csta.model import Argument, ClearConnection, ConnectionId, DeviceId, DeviceSnapshot, SnapshotDevice

WINDOW = 8  # requests unanswered at a time


@dataclass(frozen=True, slots=True)
class Found:
    """Where a port that a recording holds is: in a call, or in none."""

    port: str
    connection: ConnectionId | None


@dataclass(frozen=True, slots=True)
class Step:
    """What follows an answer: requests to send now, and what it told of a port in use."""

    requests: list[tuple[object, Argument]]
    found: Found | None = None


@dataclass(frozen=True, slots=True)
class _Query:
    """`holds_up`: forks must wait for it."""

    argument: Argument
    holds_up: bool


class Sweep:
    """What is asked about ports, so many requests at a time; sans I/O.

    Args:
        token: makes a token for a request.
        in_use: whether a recording holds the port; those are not taken out of their calls.
    """

    def __init__(self, token: Callable[[], object], in_use: Callable[[str], bool]) -> None:
        self._token = token
        self._in_use = in_use
        self._todo: deque[_Query] = deque()
        self._awaited: dict[object, _Query] = {}

    @property
    def running(self) -> bool:
        """Whether forks must wait."""
        return any(query.holds_up for query in (*self._awaited.values(), *self._todo))

    def begin(self, ports: Iterable[str]) -> list[tuple[object, Argument]]:
        """Ask for all of them; requests to send now. Answers to what was asked before no longer count."""
        self.stop()
        self._todo.extend(_Query(SnapshotDevice(DeviceId(port)), True) for port in ports)
        return self._next()

    def look(self, ports: Iterable[str]) -> list[tuple[object, Argument]]:
        """Ask for a few ports; requests to send now. Nothing waits for the answers."""
        self._todo.extend(_Query(SnapshotDevice(DeviceId(port)), False) for port in ports)
        return self._next()

    def stop(self) -> None:
        """The link is lost, or the PBX does not answer such requests."""
        self._todo.clear()
        self._awaited.clear()

    def answered(self, token: object, outcome: object) -> Step | None:
        """What follows an answer; None when the token is not of this sweep.

        A PBX that does not give snapshots of ports refuses or is silent, and nothing is to be done about it.
        """
        query = self._awaited.pop(token, None)
        if query is None:
            return None
        if isinstance(outcome, Lost):
            self.stop()
        found = None
        told = isinstance(outcome, DeviceSnapshot) and outcome.service_cross_ref is None  # else the legs come apart
        if isinstance(query.argument, SnapshotDevice) and isinstance(outcome, DeviceSnapshot) and told:
            found = self._found(query, query.argument.device, outcome)
        return Step(self._next(), found)

    def _found(self, query: _Query, port: DeviceId, snapshot: DeviceSnapshot) -> Found | None:
        connections = [
            ConnectionId(leg.connection.call_id, leg.connection.device or port)
            for leg in snapshot.legs
            if leg.connection.call_id is not None
        ]
        if self._in_use(port.number):
            return Found(port.number, connections[-1] if connections else None)
        self._todo.extend(_Query(ClearConnection(connection), query.holds_up) for connection in connections)
        return None

    def _next(self) -> list[tuple[object, Argument]]:
        requests: list[tuple[object, Argument]] = []
        while self._todo and len(self._awaited) < WINDOW:
            token, query = self._token(), self._todo.popleft()
            self._awaited[token] = query
            requests.append((token, query.argument))
        return requests
