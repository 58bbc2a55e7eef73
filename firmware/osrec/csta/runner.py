"""Carries the link over TCP: connects, connects again, moves octets, arms one timer, logs."""

import asyncio
import logging
import random
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from osrec.csta.link import (
    Close,
    CloseRequested,
    Connected,
    Disconnected,
    Event,
    Link,
    LinkConfig,
    LinkUp,
    Output,
    PduReceived,
    Send,
    ServiceRequested,
    State,
    TimerExpired,
    Trouble,
    Undecodable,
)
from osrec.csta.messages import DevicesChanged, Token
from osrec.errors import UsageError, WireError
from osrec.wire.csta import codec, schema
from osrec.wire.csta.framing import Framing, framing_named
from osrec.wire.csta.model import Argument, Pdu

log = structlog.get_logger()
MAX_UNSENT = 1 << 20  # octets that a server which does not read may leave with us
LOGGED_TROUBLES = 20  # in one minute; the counter counts them all


@dataclass(frozen=True, slots=True)
class RunnerConfig:
    """Where the server is and how octets reach it. Times in seconds.

    Attributes:
        framing: be2, siemens, tpkt, be4 or none. frame_limit: the largest PDU, None: what the framing allows.
        backoff_first, backoff_most: pause before connecting again, doubled each time until the link was up.
        connect_timeout: of the TCP connection.
        keep_alive: idle time after which TCP probes the peer, then every third of it.
        user_timeout: how long TCP may wait for an acknowledgement (TCP_USER_TIMEOUT).
    """

    host: str
    port: int
    framing: str = "be2"
    frame_limit: int | None = None
    backoff_first: float = 0.5
    backoff_most: float = 30.0
    connect_timeout: float = 10.0
    keep_alive: int = 15
    user_timeout: float = 30.0
    link: LinkConfig = field(default_factory=LinkConfig)


@dataclass(slots=True)
class Counters:
    """Since construction."""

    pdus_in: int = 0
    pdus_out: int = 0
    undecodable: int = 0
    connections: int = 0
    reconnects: int = 0
    troubles: int = 0


class _Connection(asyncio.Protocol):
    """One TCP connection. What comes of it after the runner let go of it is dropped."""

    def __init__(self, runner: "LinkRunner", framing: Framing) -> None:
        self._runner = runner
        self._framing = framing
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.set_write_buffer_limits(high=MAX_UNSENT)
        self._runner.connected(self)

    def data_received(self, data: bytes) -> None:
        try:
            frames = self._framing.feed(data)
            while frames:
                for frame in frames:
                    if self.transport is not None:
                        self._runner.received(frame)
                frames = self._framing.feed(b"")  # a fault behind the last whole PDU shows now
        except WireError as error:
            self._runner.fault(self, str(error))

    def connection_lost(self, exc: Exception | None) -> None:
        self._runner.ended(self, str(exc) if exc else "the PBX closed the connection")

    def pause_writing(self) -> None:
        if self.transport is not None:
            self.transport.abort()
        self._runner.ended(self, f"the PBX does not read: {MAX_UNSENT} octets unsent")

    def write(self, pdu: bytes) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(self._framing.encode(pdu))

    def let_go(self) -> bool:
        """Close; what was written is still sent. False when that was done before."""
        transport, self.transport = self.transport, None
        if transport is None:
            return False
        transport.close()
        return True


class LinkRunner:
    """Keeps one link alive until it is cancelled.

    Attributes:
        counters: for the status.
    """

    def __init__(self, config: RunnerConfig, on_output: Callable[[Output], None]) -> None:
        """`on_output` is called in the loop for every output but Send and Close."""
        framing_named(config.framing)  # a wrong name shall fail here
        schema.compiled()  # 0.3 s that nobody shall wait for once the link is up
        self.counters = Counters()
        self._config = config
        self._on_output = on_output
        self._link = Link(config.link)
        self._connection: _Connection | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._events: deque[Event] = deque()
        self._stepping = False
        self._attempts = 0
        self._logged = (0.0, 0)  # minute that began then, troubles logged in it

    @property
    def state(self) -> State:
        return self._link.state

    @property
    def monitors(self) -> int:
        """Monitors that the PBX confirmed."""
        return self._link.monitors.running

    def request(self, token: Token, argument: Argument) -> None:
        """Invoke a service; ServiceAnswered with the token follows, always."""
        self._step(ServiceRequested(token, argument))

    def monitor(self, devices: tuple[str, ...]) -> None:
        """Monitor these devices and no others."""
        self._step(DevicesChanged(devices))

    async def run(self) -> None:
        """Connect, and connect again, until cancelled; then release the association."""
        try:
            while True:
                await self._connect()
                await asyncio.sleep(self._pause())
        finally:
            self._step(CloseRequested())
            if self._connection is not None:
                self.ended(self._connection, "closed by us")

    async def _connect(self) -> None:
        """One connection from its first try to its end."""
        config = self._config
        connection = _Connection(self, framing_named(config.framing, config.frame_limit))
        self._connection = connection
        failure = None
        try:
            async with asyncio.timeout(config.connect_timeout):
                await asyncio.get_running_loop().create_connection(lambda: connection, config.host, config.port)
        except TimeoutError:
            failure = f"no answer in {config.connect_timeout:g} s"
        except OSError as error:
            failure = error.strerror or str(error)
        if failure is not None:
            self._step(Disconnected(f"cannot connect to {self._peer}: {failure}"))
            if not connection.ended.done():
                return
        await connection.ended

    def _pause(self) -> float:
        """Back-off with jitter: many recorders shall not come back at the same moment."""
        pause = min(self._config.backoff_first * 2.0 ** min(self._attempts, 30), self._config.backoff_most)
        self._attempts += 1
        self.counters.reconnects += 1
        return pause * random.uniform(0.5, 1.0)

    @property
    def _peer(self) -> str:
        return f"{self._config.host}:{self._config.port}"

    # --- what the connection says

    def connected(self, connection: _Connection) -> None:
        self.counters.connections += 1
        if connection.transport is not None:
            self._tune(connection.transport.get_extra_info("socket"))
        self._step(Connected())

    def _tune(self, sock: socket.socket) -> None:
        """The second line behind the heartbeat: TCP itself finds a peer that is gone."""
        idle, probe = self._config.keep_alive, max(1, self._config.keep_alive // 3)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, idle)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, probe)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(self._config.user_timeout * 1000))

    def received(self, frame: bytes) -> None:
        self.counters.pdus_in += 1
        try:
            event: Event = PduReceived(codec.decode(frame))
        except WireError as error:
            self.counters.undecodable += 1
            event = Undecodable(str(error), frame)
        self._step(event)

    def fault(self, connection: _Connection, reason: str) -> None:
        """The stream cannot be read any further: a new connection begins a new one."""
        self.counters.undecodable += 1
        self.ended(connection, reason)

    def ended(self, connection: _Connection, reason: str) -> None:
        """The connection is over, whoever ended it; the machine learns it once."""
        if not connection.let_go():
            return
        log.info("csta connection ended", peer=self._peer, reason=reason)
        self._step(Disconnected(reason))
        if not connection.ended.done():
            connection.ended.set_result(None)

    # --- the machine

    def _step(self, event: Event) -> None:
        """Hand an event to the machine and carry out what comes of it; `on_output` may ask for more meanwhile."""
        self._events.append(event)
        if self._stepping:
            return
        self._stepping = True
        try:
            while self._events:
                self._handle(self._events.popleft())
        except Exception as error:
            if self._connection is None or self._connection.ended.done():
                raise
            log.error("csta link fails by our own fault", peer=self._peer, exc_info=True)
            self._connection.ended.set_exception(error)  # `run` ends with it
        finally:
            self._stepping = False
        self._arm()

    def _handle(self, event: Event) -> None:
        before = self._link.state
        outputs = self._link.handle(event, asyncio.get_running_loop().time())
        after = self._link.state
        if before is not after:
            log.info("csta link", peer=self._peer, before=before.name, after=after.name, on=type(event).__name__)
        if log.is_enabled_for(logging.DEBUG):
            log.debug("csta step", input=event, before=before.name, after=after.name, outputs=outputs)
        for output in outputs:
            self._carry_out(output)

    def _carry_out(self, output: Output) -> None:
        match output:
            case Send(pdu):
                self._send(pdu)
            case Close(reason):
                if self._connection is not None:
                    self.ended(self._connection, reason)
            case _:
                if isinstance(output, Trouble):
                    self._trouble(output)
                elif isinstance(output, LinkUp):
                    self._attempts = 0
                self._on_output(output)

    def _send(self, pdu: Pdu) -> None:
        try:
            octets = codec.encode(pdu)
            if self._connection is not None:
                self._connection.write(octets)
                self.counters.pdus_out += 1
        except UsageError as error:  # its answer will be overdue
            log.error("csta pdu cannot be sent", peer=self._peer, error=str(error))

    def _trouble(self, trouble: Trouble) -> None:
        self.counters.troubles += 1
        now = asyncio.get_running_loop().time()
        since, count = self._logged if now - self._logged[0] < 60 else (now, 0)
        self._logged = since, count + 1
        if count < LOGGED_TROUBLES:
            log.warning("csta trouble", peer=self._peer, what=trouble.text)

    def _arm(self) -> None:
        """One timer, at the machine's deadline. One that is too early does no harm, so it is not moved back."""
        deadline = self._link.deadline
        if self._timer is not None and (deadline is None or deadline < self._timer.when()):
            self._timer.cancel()
            self._timer = None
        if deadline is not None and self._timer is None:
            self._timer = asyncio.get_running_loop().call_at(deadline, self._expired)

    def _expired(self) -> None:
        self._timer = None
        self._step(TimerExpired())
