"""An emulated osmo-e1d on a control socket, with virtual pairs whose time is the computer's.

Interfaces 2n and 2n+1 form a pair: what line m of one sends, line m of the other receives. As in the daemon one thread
does everything; what a test wants done to the lines, it asks that thread for.
"""

import contextlib
import os
import queue
import select
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

from osrec_drivers import e1d_messages as messages
from osrec_drivers.e1d_messages import E1dError, Kind, Message
from osrec_emulators.e1d.lines import DaemonLine, cross
from osrec_emulators.e1d.requests import answer
from osrec_emulators.elastic import ElasticClock

_FRAME_NS = 125_000
_PATIENCE = 0.4  # seconds
_STEP = 0.005  # seconds between looks at the clock


class Daemon:
    """Runs from construction to `close`.

    Args:
        path: of the control socket; a socket file that nobody serves any more is replaced.
        pairs: virtual pairs of interfaces, with so many lines each.
        patient: time waits a little for clients that send too slowly, then makes up for it. Boards do not, but their
            clients run on machines that do nothing else.
        clock: made to follow the time that passes here.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        pairs: int = 1,
        lines: int = 1,
        patient: bool = True,
        clock: ElasticClock | None = None,
    ) -> None:
        self.path = str(path)
        self.lines = {(i, n): DaemonLine(i, n) for i in range(2 * pairs) for n in range(lines)}
        Path(self.path).unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(self.path)
        self._listener.listen()
        self._clients: dict[int, socket.socket] = {}
        self._wishes: queue.Queue[Callable[[], None]] = queue.Queue()
        self._wake = os.eventfd(0)
        self._ended = threading.Event()
        self._frames = 0
        self._patient = patient
        self._waited_since: float | None = None
        self._begin = time.monotonic_ns()
        self._clock = clock
        if clock is not None:
            clock.follow(lambda: self._begin + self._frames * _FRAME_NS)
        self._thread = threading.Thread(target=self._run, name="e1d", daemon=True)
        self._thread.start()

    def do(self, wish: Callable[[], None]) -> None:
        """Have the daemon's thread do something, and wait until it has."""
        done = threading.Event()

        def granted() -> None:
            wish()
            done.set()

        self._wishes.put(granted)
        os.eventfd_write(self._wake, 1)
        done.wait()

    def tell(self, kind: Kind, interface: int = 0, line: int = 0, payload: bytes = b"") -> None:
        """An event to all clients."""
        event = messages.encode(Message(kind, interface, line, messages.ANY, payload))

        def wish() -> None:
            for client in self._clients.values():
                client.send(event)

        self.do(wish)

    def lose(self, frames: int, interface: int = 0, line: int = 0) -> None:
        """The next frames that this line receives do not come."""

        def wish() -> None:
            self.lines[interface, line].lose += frames

        self.do(wish)

    def stall(self, seconds: float) -> None:
        """The daemon does nothing for a time, then catches up."""
        self.do(lambda: time.sleep(seconds))

    def close(self) -> None:
        """The daemon ends, and its socket file with it."""
        if self._ended.is_set():
            return
        self._ended.set()
        os.eventfd_write(self._wake, 1)
        self._thread.join()
        if self._clock is not None:
            self._clock.follow(None)
        for line in self.lines.values():
            line.close()
        for client in self._clients.values():
            client.close()
        self._listener.close()
        os.close(self._wake)
        Path(self.path).unlink(missing_ok=True)

    # ---- the thread ----

    def _run(self) -> None:
        while not self._ended.is_set():
            fds = [self._listener.fileno(), self._wake, *self._clients]
            for fd in select.select(fds, [], [], _STEP)[0]:
                self._serve(fd)
            now = time.monotonic_ns()
            self._pass_time(self._due((now - self._begin) // _FRAME_NS - self._frames, now / 1e9))

    def _serve(self, fd: int) -> None:
        if fd == self._wake:
            os.eventfd_read(self._wake)
            with contextlib.suppress(queue.Empty):
                while True:
                    self._wishes.get_nowait()()
        elif fd == self._listener.fileno():
            client, _ = self._listener.accept()
            self._clients[client.fileno()] = client
        else:
            self._answer(self._clients[fd])

    def _answer(self, client: socket.socket) -> None:
        try:
            request = messages.decode(client.recv(messages.LONGEST))
        except (OSError, E1dError):  # gone, or no client of ours: the daemon hangs up, too
            del self._clients[client.fileno()]
            client.close()
            return
        reply = answer(self.lines, request)
        octets = messages.encode(reply.message)
        if reply.fd is None:
            client.send(octets)
            return
        socket.send_fds(client, [octets], [reply.fd])
        os.close(reply.fd)

    def _due(self, frames: int, now: float) -> int:
        """How much of the time that has passed may pass here."""
        ready = [count for line in self.lines.values() if (count := line.ready()) is not None]
        if not self._patient or frames <= min(ready, default=frames):
            self._waited_since = None
            return frames
        self._waited_since = self._waited_since or now
        return frames if now - self._waited_since > _PATIENCE else min(ready)

    def _pass_time(self, frames: int) -> None:
        self._frames += frames
        step = 10  # as the daemon's own virtual pairs
        for count in [step] * (frames // step) + [frames % step]:
            for (interface, number), line in self.lines.items():
                if interface % 2 == 0 and count:
                    cross(line, self.lines[interface + 1, number], count)
