"""In which calls does the PBX have the recorder's own ports?

After each connection all of them are asked for. A recorder that was killed between the request for a fork and its
first record in the journal knows nothing of that fork, but the PBX does: the ports are busy, and the station may not
be forked again. And a fork that ended while the link was down was told to nobody. What no recording holds is taken
out of its call before any new fork is requested, and a recording learns which call its ports are in, or that they are
in none. Single ports are asked for when there is doubt: a request that got no answer may be carried out late.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from osrec.csta.messages import Lost
from osrec.engine.busy import is_busy
from osrec.wire.csta.model import Argument, ClearConnection, ConnectionId, DeviceId, DeviceSnapshot, SnapshotDevice

WINDOW = 8  # requests unanswered at a time


@dataclass(frozen=True, slots=True)
class Found:
    """Where a port that a recording holds is: in a call, or in none."""

    port: str
    connection: ConnectionId | None


@dataclass(frozen=True, slots=True)
class Step:
    """What follows an answer.

    Attributes:
        requests: to send now.
        found: what it told of a port in use.
        left: a port that was taken out of its call.
        stuck: ports that are in a call still, since the PBX was busy or silent.
        unseen: ports that it was too busy to look for.
        settled: the port about which nothing more is to be done.
    """

    requests: list[tuple[object, Argument]]
    found: Found | None = None
    left: str | None = None
    stuck: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    settled: str | None = None


@dataclass(frozen=True, slots=True)
class _Query:
    """`holds_up`: forks must wait for it; `holder`: who held the port when the PBX was asked where it is."""

    argument: Argument
    holds_up: bool
    port: str
    holder: object = None


class Sweep:
    """What is asked about ports, so many requests at a time; sans I/O.

    Args:
        token: makes a token for a request.
        holder: which recording holds a port, None: none does; those of one are not taken out of their calls.
    """

    def __init__(self, token: Callable[[], object], holder: Callable[[str], object]) -> None:
        self._token = token
        self._holder = holder
        self._todo: deque[_Query] = deque()
        self._awaited: dict[object, _Query] = {}

    @property
    def running(self) -> bool:
        """Whether forks must wait."""
        return any(query.holds_up for query in (*self._awaited.values(), *self._todo))

    @property
    def clearing(self) -> frozenset[str]:
        """Ports that are being taken out of calls."""
        queries = (*self._awaited.values(), *self._todo)
        return frozenset(query.port for query in queries if isinstance(query.argument, ClearConnection))

    def looks_for(self, port: str) -> bool:
        """Whether the PBX is being asked where a port is."""
        queries = (*self._awaited.values(), *self._todo)
        return any(query.port == port and isinstance(query.argument, SnapshotDevice) for query in queries)

    def begin(self, ports: Iterable[str]) -> list[tuple[object, Argument]]:
        """Ask for all of them; requests to send now. Answers to what was asked before no longer count."""
        self.stop()
        self._todo.extend(_Query(SnapshotDevice(DeviceId(port)), True, port) for port in ports)
        return self._next()

    def look(self, ports: Iterable[str]) -> list[tuple[object, Argument]]:
        """Ask for a few ports; requests to send now. Nothing waits for the answers."""
        self._todo.extend(_Query(SnapshotDevice(DeviceId(port)), False, port) for port in ports)
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
        if is_busy(outcome):
            return self._postponed([query])
        if isinstance(outcome, Lost):
            dropped = [query, *self._awaited.values(), *self._todo]
            self.stop()
            return self._postponed([one for one in dropped if isinstance(one.argument, ClearConnection)])
        found = None
        told = isinstance(outcome, DeviceSnapshot) and outcome.service_cross_ref is None  # else the legs come apart
        if isinstance(query.argument, SnapshotDevice) and isinstance(outcome, DeviceSnapshot) and told:
            found = self._found(query, query.argument.device, outcome)
        left = query.port if isinstance(query.argument, ClearConnection) else None
        requests = self._next()
        return Step(requests, found, left, settled=None if query.port in self.clearing else query.port)

    def _postponed(self, queries: list[_Query]) -> Step:
        stuck = tuple(query.port for query in queries if isinstance(query.argument, ClearConnection))
        unseen = tuple(query.port for query in queries if query.port not in stuck)
        return Step(self._next(), stuck=stuck, unseen=unseen)

    def _found(self, query: _Query, port: DeviceId, snapshot: DeviceSnapshot) -> Found | None:
        holder = self._holder(port.number)
        if holder is not None and holder != query.holder:
            return None  # leased since: where it was before says nothing of the new fork
        connections = [
            ConnectionId(leg.connection.call_id, leg.connection.device or port)
            for leg in snapshot.legs
            if leg.connection.call_id is not None
        ]
        if holder is not None:
            return Found(port.number, connections[-1] if connections else None)
        self._todo.extend(_Query(ClearConnection(one), query.holds_up, query.port) for one in connections)
        return None

    def _next(self) -> list[tuple[object, Argument]]:
        requests: list[tuple[object, Argument]] = []
        while self._todo and len(self._awaited) < WINDOW:
            token, query = self._token(), self._todo.popleft()
            if isinstance(query.argument, SnapshotDevice):
                query = replace(query, holder=self._holder(query.port))
            self._awaited[token] = query
            requests.append((token, query.argument))
        return requests
