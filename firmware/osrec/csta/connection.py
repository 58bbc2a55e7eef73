"""One TCP connection to a CAP server: octets to frames and back, on asyncio. It decides nothing."""

import asyncio
import socket
from dataclasses import dataclass
from typing import Protocol

from osrec.csta.tap import Address
from osrec.errors import WireError
from osrec.wire.csta.framing import Framing

MAX_UNSENT = 1 << 20  # octets that a server which does not read may leave with us
PROBE_TIMEOUT = 3.0  # seconds


@dataclass(frozen=True, slots=True)
class KeepAlive:
    """The second line behind the heartbeat: TCP itself finds a peer that is gone. Times in seconds."""

    idle: int
    user_timeout: float

    def tune(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, self.idle)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, max(1, self.idle // 3))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(self.user_timeout * 1000))


class Owner(Protocol):
    """Who is told what the connection brings."""

    def connected(self, connection: "Connection") -> None: ...

    def octets(self, connection: "Connection", octets: bytes) -> None: ...

    def frame(self, connection: "Connection", frame: bytes) -> None: ...

    def fault(self, connection: "Connection", reason: str, octets: bytes) -> None:
        """The octets that came last cannot be told apart into frames."""

    def over(self, connection: "Connection", reason: str) -> None:
        """Nothing comes any more. May be told twice."""


class Connection(asyncio.Protocol):
    """What comes after its owner let go of it is dropped.

    Attributes:
        number: tells connections apart.
        ended: done when the owner has dealt with its end.
        sent, received: octets.
        timed_out: it ended since TCP waited for the peer in vain.
    """

    def __init__(self, owner: Owner, framing: Framing, number: int, keep_alive: KeepAlive) -> None:
        self.number = number
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.sent = self.received = 0
        self.timed_out = False
        self.local: Address = ("0.0.0.0", 0)
        self.peer: Address = ("0.0.0.0", 0)
        self._owner = owner
        self._framing = framing
        self._keep_alive = keep_alive
        self._transport: asyncio.Transport | None = None

    @property
    def open(self) -> bool:
        """The owner has not let go of it."""
        return self._transport is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=MAX_UNSENT)
        self.local = transport.get_extra_info("sockname")[:2]
        self.peer = transport.get_extra_info("peername")[:2]
        self._keep_alive.tune(transport.get_extra_info("socket"))
        self._owner.connected(self)

    def data_received(self, data: bytes) -> None:
        if not self.open:
            return
        self._owner.octets(self, data)
        self.received += len(data)
        try:
            frames = self._framing.feed(data)
            while frames:
                for frame in frames:
                    self._owner.frame(self, frame)
                frames = self._framing.feed(b"")  # a fault behind the last whole PDU shows now
        except WireError as error:  # the stream cannot be read any further: a new connection begins a new one
            self._owner.fault(self, str(error), data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.timed_out = isinstance(exc, TimeoutError)
        self._owner.over(self, str(exc) if exc else "the PBX closed the connection")

    def pause_writing(self) -> None:
        if self._transport is not None:
            self._transport.abort()
        self._owner.over(self, f"the PBX does not read: {MAX_UNSENT} octets unsent")

    def framed(self, pdu: bytes) -> bytes:
        """The PDU as it goes out. Raises UsageError."""
        return self._framing.encode(pdu)

    def write(self, octets: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(octets)
            self.sent += len(octets)

    def let_go(self) -> bool:
        """Close; what was written is still sent. False when that was done before."""
        transport, self._transport = self._transport, None
        if transport is None:
            return False
        transport.close()
        return True


async def answers(host: str, port: int) -> bool:
    """Whether something takes TCP connections there. Nothing is said on it: a standby CAP is not disturbed."""
    try:
        async with asyncio.timeout(PROBE_TIMEOUT):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
