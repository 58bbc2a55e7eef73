"""The CAP server over TCP: several clients at once, each a Session. Everything of interest is in session.py."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from osrec_emulators.cap.config import CapConfig
from osrec_emulators.cap.faults import Faults
from osrec_emulators.cap.licences import LicencePool
from osrec_emulators.cap.session import Close, Counters, Happened, Output, Pbx, Send, Session
from osrec_emulators.pbx.calls import Occurrence

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ClientStatus:
    """One connected client, for a live view."""

    peer: str
    user: str
    associated: bool
    monitors: int
    counters: Counters


class CapServer:
    """Listens and serves.

    Args:
        pbx: usually a World.
        clock: PBX time in seconds.

    Attributes:
        licences: the pool that all clients share.
        on_occurrences: called with what clients' requests made happen, for a log; events go out by themselves.
    """

    def __init__(self, config: CapConfig, pbx: Pbx, clock: Callable[[], float], faults: Faults | None = None) -> None:
        self.config = config
        self.faults = faults or Faults()
        self.licences = LicencePool(config.licences)
        self.licences.used = self.faults.licences_taken
        self.on_occurrences: Callable[[tuple[Occurrence, ...]], None] = lambda occurrences: None
        self._pbx = pbx
        self._clock = clock
        self._clients: set[_Client] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen. Raises OSError when the address cannot be had."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Client(self), self.config.listen, self.config.port)

    @property
    def port(self) -> int:
        """Where it listens; of interest when the configuration says 0."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def clients(self) -> list[ClientStatus]:
        """Who is connected."""
        return [client.status() for client in self._clients]

    def publish(self, occurrences: Iterable[Occurrence]) -> None:
        """Tell every client what it monitors."""
        occurrences = tuple(occurrences)
        now = self._clock()
        for client in list(self._clients):
            client.publish(occurrences, now)

    async def close(self) -> None:
        """Stop listening and close all connections."""
        if self._server is not None:
            self._server.close()
        for client in list(self._clients):
            client.close("server stops")
        if self._server is not None:
            await self._server.wait_closed()
        await asyncio.sleep(0)  # let the transports report that they are gone


class _Client(asyncio.Protocol):
    """Carries one session's outputs out and arms one timer from its deadline."""

    def __init__(self, server: CapServer) -> None:
        self._server = server
        self._session = Session(server.config, server._pbx, server.licences, server.faults)
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._peer = "?"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._peer = "{}:{}".format(*transport.get_extra_info("peername")[:2])
        self._server._clients.add(self)
        _log.info("client %s connected", self._peer)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server._clients.discard(self)
        self._session.closed()
        if self._timer is not None:
            self._timer.cancel()
        _log.info("client %s gone%s", self._peer, f": {exc}" if exc else "")

    def data_received(self, data: bytes) -> None:
        self._carry_out(self._session.receive(data, self._server._clock()))

    def publish(self, occurrences: tuple[Occurrence, ...], now: float) -> None:
        octets = self._session.publish(occurrences, now)
        if octets:
            self._carry_out([Send(octets)])

    def close(self, reason: str) -> None:
        _log.info("client %s closed: %s", self._peer, reason)
        if self._transport is not None:
            self._transport.close()

    def status(self) -> ClientStatus:
        session = self._session
        associated = session.state.value == "associated"
        return ClientStatus(self._peer, session.user, associated, len(session.monitors), session.counters)

    def _carry_out(self, outputs: list[Output]) -> None:
        for output in outputs:
            match output:
                case Send(octets):
                    self._write(octets)
                case Happened(occurrences):
                    self._server.on_occurrences(occurrences)
                    self._server.publish(occurrences)
                case Close(reason):
                    self.close(reason)
        self._arm()

    def _write(self, octets: bytes) -> None:
        """A slow client must not cost memory or hold up the others: beyond the limit it is dropped."""
        if self._transport is None or self._transport.is_closing():
            return
        self._transport.write(octets)
        waiting = self._transport.get_write_buffer_size()
        if waiting > self._server.config.buffer:
            _log.warning(
                "client %s dropped: %d octets unread, %d allowed", self._peer, waiting, self._server.config.buffer
            )
            self._transport.abort()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self._session.deadline
        if deadline is not None:
            delay = max(0.0, deadline - self._server._clock())
            self._timer = asyncio.get_running_loop().call_later(delay, self._expire)

    def _expire(self) -> None:
        self._timer = None
        self._carry_out(self._session.expire(self._server._clock()))
