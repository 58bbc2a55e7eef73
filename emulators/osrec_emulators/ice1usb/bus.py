"""A USB bus with emulated icE1usb boards, and cables between their ports; libusb.py is how a driver sees it.

Time is the computer's; it passes on the bus whenever somebody handles events, so a host that does not look for a while
finds its transfers full, and then finds that the board had to wait, too.
"""

import threading
import time
from dataclasses import dataclass
from typing import Protocol

import usb1

from osrec_drivers.virtual import Direction
from osrec_emulators.elastic import ElasticClock
from osrec_emulators.ice1usb.board import E1Port, IceBoard

_PATIENCE = 0.4  # seconds
_MS = 1_000_000  # in ns


class Host(Protocol):
    """Who has a board open."""

    board: IceBoard

    def ready(self) -> bool:
        """Whether it has buffers for what comes next."""

    def millisecond(self, number: int) -> None:
        """Time passes."""

    def fail(self, status: int) -> None:
        """All that is under way comes back, with that status of a transfer."""


@dataclass(slots=True)
class Cable:
    """Between two ports of boards, or one port and nothing."""

    a: E1Port
    b: E1Port | None
    from_a: Direction
    from_b: Direction
    out: bool = False  # pulled: neither end has a signal


class Bus:
    """Boards and the cables between their ports. May be used from any thread.

    Args:
        patient: time waits a little for drivers that are too slow, then makes up for it. A bus does not, but its
            drivers run on machines that do nothing else.

    Attributes:
        clock: the bus's time, for its drivers.
    """

    def __init__(self, *, patient: bool = True) -> None:
        self.boards: list[IceBoard] = []
        self.lock = threading.RLock()
        self._cables: list[Cable] = []
        self._hosts: list[Host] = []
        self._begin = time.monotonic_ns()
        self.clock = ElasticClock()
        self.clock.follow(lambda: self._begin + self._passed * _MS)
        self._passed = 0  # milliseconds
        self._patient = patient
        self._waited_since: float | None = None

    def plug(self, board: IceBoard) -> IceBoard:
        with self.lock:
            board.plugged = True
            if board not in self.boards:
                self.boards.append(board)
        return board

    def unplug(self, board: IceBoard) -> None:
        """In mid-stream: all that is under way comes back with an error."""
        with self.lock:
            board.plugged = False
            for port in board.ports:
                port.start(False)
            for host in self._hosts:
                if host.board is board:
                    host.fail(usb1.TRANSFER_NO_DEVICE)

    def connect(self, a: E1Port, b: E1Port) -> Cable:
        with self.lock:
            self._cables.append(Cable(a, b, Direction(), Direction()))
            return self._cables[-1]

    def attach(self, host: Host) -> None:
        with self.lock:
            self._hosts.append(host)

    def detach(self, host: Host) -> None:
        with self.lock:
            if host in self._hosts:
                self._hosts.remove(host)

    def pass_time(self) -> None:
        """Up to now."""
        with self.lock:
            due = (time.monotonic_ns() - self._begin) // _MS
            while self._passed < due and not self._waits():
                self._passed += 1
                for cable in self._cables:
                    _carry(cable)
                for host in self._hosts:
                    host.millisecond(self._passed)

    def _waits(self) -> bool:
        """Whether a driver has to do something first."""
        if not self._patient or all(host.ready() for host in self._hosts):
            self._waited_since = None
            return False
        self._waited_since = self._waited_since or time.monotonic()
        return time.monotonic() - self._waited_since < _PATIENCE


def _carry(cable: Cable) -> None:
    """A millisecond of both directions."""
    assert cable.b is not None
    for sender, direction, receiver in ((cable.a, cable.from_a, cable.b), (cable.b, cable.from_b, cable.a)):
        octets = sender.transmit(8)
        if cable.out:
            receiver.receive(None)
            continue
        for part in direction.carry(octets):
            if isinstance(part, bytes):  # what is lost in a cable nobody counts
                receiver.receive(part)
