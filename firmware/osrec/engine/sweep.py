"""Takes the recorder's own ports out of calls in which an earlier run, or a lost link, has left them.

A recorder that was killed between the request for a fork and its first record in the journal knows nothing of that
fork, but the PBX does: the ports are busy, and the station may not be forked again. So after each connection every port
that no recording holds is asked for, and what is found is cleared, before any new fork is requested.
"""

from collections import deque
from collections.abc import Callable, Iterable

from osrec.wire.csta.model import Argument, ClearConnection, ConnectionId, DeviceId, DeviceSnapshot, SnapshotDevice

WINDOW = 8  # requests unanswered at a time


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

    @property
    def running(self) -> bool:
        return bool(self._todo or self._awaited)

    def begin(self, ports: Iterable[str]) -> list[tuple[object, Argument]]:
        """Requests to send now; answers to those of an earlier sweep no longer count."""
        self._awaited.clear()
        self._todo = deque(SnapshotDevice(DeviceId(port)) for port in ports)
        return self._next()

    def stop(self) -> None:
        """The link is lost."""
        self._todo.clear()
        self._awaited.clear()

    def answered(self, token: object, outcome: object) -> list[tuple[object, Argument]] | None:
        """Requests that follow an answer; None when the token is not of this sweep.

        A PBX that does not give snapshots of ports refuses, and nothing is to be done about it.
        """
        asked = self._awaited.pop(token, None)
        if asked is None:
            return None
        if isinstance(asked, SnapshotDevice) and isinstance(outcome, DeviceSnapshot):
            connections = [leg.connection for leg in outcome.legs if leg.connection.call_id is not None]
            self._todo.extend(
                ClearConnection(ConnectionId(connection.call_id, connection.device or asked.device))
                for connection in connections
            )
        return self._next()

    def _next(self) -> list[tuple[object, Argument]]:
        requests: list[tuple[object, Argument]] = []
        while self._todo and len(self._awaited) < WINDOW:
            token, argument = self._token(), self._todo.popleft()
            self._awaited[token] = argument
            requests.append((token, argument))
        return requests
