"""One client's TCP connection: carries its session's outputs out and arms one timer from its deadline."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Protocol

from osrec_emulators.cap.faults import Connection
from osrec_emulators.cap.messages import Close, Happened, Output, Played, Reading, Send, State
from osrec_emulators.cap.session import Session
from osrec_emulators.cap.status import ClientStatus
from osrec_emulators.pbx.calls import Occurrence

_log = logging.getLogger(__name__)


class Host(Protocol):
    """What a client needs of its server."""

    def clock(self) -> float: ...

    def session(self, connection: Connection) -> Session: ...

    def joined(self, client: "Client") -> None: ...

    def left(self, client: "Client") -> None: ...

    def happened(self, occurrences: tuple[Occurrence, ...]) -> None: ...

    def played(self, client: "Client", fault: Played) -> None: ...


class Client(asyncio.Protocol):
    """Args:
    listener: which of the server's addresses it came to, from 1.
    number: of the connection, from 1 over all.
    buffer: octets that it may leave unread.
    """

    def __init__(self, host: Host, listener: int, number: Callable[[], int], buffer: int) -> None:
        self.listener = listener
        self.peer = "?"
        self._host = host
        self._number = number
        self._buffer = buffer
        self._session: Session
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._armed_for: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        address, port = transport.get_extra_info("peername")[:2]
        self.peer = f"{address}:{port}"
        self._transport = transport
        self._session = self._host.session(Connection(address=address, number=self._number(), listener=self.listener))
        self._host.joined(self)
        _log.info("client %s connected", self.peer)
        self._carry_out(self._session.connected(self._host.clock()))

    def connection_lost(self, exc: Exception | None) -> None:
        status = self.status()
        self._session.closed()
        self._host.left(self)
        self._cancel()
        _log.info("client gone%s: %s", f" ({exc})" if exc else "", status)

    def data_received(self, data: bytes) -> None:
        self._carry_out(self._session.receive(data, self._host.clock()))

    def publish(self, occurrences: tuple[Occurrence, ...], now: float) -> None:
        outputs = self._session.publish(occurrences, now)
        if outputs:
            self._carry_out(outputs)

    def close(self, reason: str) -> None:
        _log.info("client %s closed: %s", self.peer, reason)
        if self._transport is not None:
            self._transport.close()

    def abort(self, reason: str) -> None:
        """Close without sending what waits."""
        _log.info("client %s cut off: %s", self.peer, reason)
        if self._transport is not None:
            self._transport.abort()

    @property
    def monitored(self) -> Iterable[str]:
        return self._session.monitors.values()

    @property
    def waits(self) -> bool:
        """For answers of ours."""
        return self._session.owes

    def status(self) -> ClientStatus:
        session = self._session
        associated = session.state is State.ASSOCIATED
        return ClientStatus(self.peer, session.user, associated, len(session.monitors), session.counters)

    def _carry_out(self, outputs: list[Output]) -> None:
        for output in outputs:
            match output:
                case Send(octets):
                    self._write(octets)
                case Happened(occurrences):
                    self._host.happened(occurrences)
                case Reading(on):
                    self._read(on)
                case Played():
                    self._host.played(self, output)
                case Close(reason):
                    self.close(reason)
        self._arm()

    def _write(self, octets: bytes) -> None:
        """A slow client must not cost memory or hold up the others: beyond the limit it is dropped."""
        if self._transport is None or self._transport.is_closing():
            return
        self._transport.write(octets)
        waiting = self._transport.get_write_buffer_size()
        if waiting > self._buffer:
            _log.warning("client %s dropped: %d octets unread, %d allowed", self.peer, waiting, self._buffer)
            self._transport.abort()

    def _read(self, on: bool) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if on:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def _arm(self) -> None:
        deadline = self._session.deadline
        if deadline == self._armed_for:
            return
        self._cancel()
        if deadline is not None:
            delay = max(0.0, deadline - self._host.clock())
            self._timer = asyncio.get_running_loop().call_later(delay, self._expire)
            self._armed_for = deadline

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._armed_for = None

    def _expire(self) -> None:
        self._timer = self._armed_for = None
        self._carry_out(self._session.expire(self._host.clock()))
