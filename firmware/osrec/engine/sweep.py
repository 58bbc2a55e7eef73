"""After each connection: in which calls does the PBX have the recorder's own ports?

A recorder that was killed between the request for a fork and its first record in the journal knows nothing of that
fork, but the PBX does: the ports are busy, and the station may not be forked again. And a fork that ended while the
link was down was told to nobody. So every port is asked for; what no recording holds is taken out of its call before
any new fork is requested, and a recording learns which call its ports are in, or that they are in none.
"""

from collections import deque
from collections.abc import Callable, Container, Iterable
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


class Sweep:
    """One sweep after another; sans I/O.

    Args:
        token: makes a token for a request.

    Attributes:
        running: forks must wait.
    """

    def __init__(self, token: Callable[[], object]) -> None:
        self._token = token
        self._todo: deque[Argument] = deque()
        self._awaited: dict[object, Argument] = {}
        self._in_use: Container[str] = ()

    @property
    def running(self) -> bool:
        return bool(self._todo or self._awaited)

    def begin(self, ports: Iterable[str], in_use: Container[str]) -> list[tuple[object, Argument]]:
        """Requests to send now; answers to those of an earlier sweep no longer count.

        Args:
            in_use: those of the ports that a recording holds; they are not taken out.
        """
        self.stop()
        self._in_use = in_use
        self._todo = deque(SnapshotDevice(DeviceId(port)) for port in ports)
        return self._next()

    def stop(self) -> None:
        """The link is lost, or the PBX does not answer such requests."""
        self._todo.clear()
        self._awaited.clear()

    def answered(self, token: object, outcome: object) -> Step | None:
        """What follows an answer; None when the token is not of this sweep.

        A PBX that does not give snapshots of ports refuses or is silent, and nothing is to be done about it.
        """
        asked = self._awaited.pop(token, None)
        if asked is None:
            return None
        if isinstance(outcome, Lost):
            self.stop()
        found = None
        if isinstance(asked, SnapshotDevice) and isinstance(outcome, DeviceSnapshot):
            port = asked.device
            connections = [
                ConnectionId(leg.connection.call_id, leg.connection.device or port)
                for leg in outcome.legs
                if leg.connection.call_id is not None
            ]
            if port.number in self._in_use:
                found = Found(port.number, connections[-1] if connections else None)
            else:
                self._todo.extend(ClearConnection(connection) for connection in connections)
        return Step(self._next(), found)

    def _next(self) -> list[tuple[object, Argument]]:
        requests: list[tuple[object, Argument]] = []
        while self._todo and len(self._awaited) < WINDOW:
            token, argument = self._token(), self._todo.popleft()
            self._awaited[token] = argument
            requests.append((token, argument))
        return requests
