"""Carries the link over TCP: connects, connects again, moves octets, arms one timer, logs."""

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog

from osrec.csta import endpoints
from osrec.csta.connection import Connection, KeepAlive, answers
from osrec.csta.delays import Delays
from osrec.csta.endpoints import EndpointEvent, Endpoints, Server
from osrec.csta.hints import Impression
from osrec.csta.inlet import Inlet, Waiting
from osrec.csta.link import Link, State
from osrec.csta.messages import (
    Close,
    CloseRequested,
    Connected,
    DevicesChanged,
    Disconnected,
    Event,
    LinkDown,
    LinkUp,
    Output,
    Overrun,
    QueueChanged,
    Send,
    ServerChanged,
    ServiceRequested,
    TimerExpired,
    Token,
    Trouble,
    Undecodable,
)
from osrec.csta.reader import Reader
from osrec.csta.settings import RunnerConfig
from osrec.csta.tap import Listener, Passed, What, masked
from osrec.errors import UsageError
from osrec.wire.csta import schema
from osrec.wire.csta.dialect import Dialect
from osrec.wire.csta.model import Argument, Pdu

log = structlog.get_logger()
LOGGED_TROUBLES = 20  # in one minute; the counter counts them all
KEPT_TROUBLES = 50  # for `osrec link`
SLICE = 0.005  # seconds of work on the queue before the socket is read again
QUIET = 3.0  # seconds without events that count as a quiet moment


@dataclass(slots=True)
class Counters:
    """Since construction."""

    pdus_in: int = 0
    pdus_out: int = 0
    undecodable: int = 0
    connections: int = 0
    reconnects: int = 0
    troubles: int = 0


class LinkRunner:
    """Keeps one link alive until it is cancelled.

    Attributes:
        config: as given.
        counters, delays, inlet, reader, troubles: for the status (status.py).
        link: the machine.
        servers: the choice of the server.
        up_since: wall time, None while the link is down. down_reason: why it is, None while it is up.
    """

    def __init__(
        self, config: RunnerConfig, on_output: Callable[[Output], None], spoken: Dialect | None = None
    ) -> None:
        """`on_output` is called in the loop for every output but Send and Close. `spoken`: instead of the config's."""
        self._dialect = spoken or config.dialect
        if config.encoding == "asn1":
            schema.compiled()  # 0.3 s that nobody shall wait for once the link is up
        most_invoke_id = min(config.link.max_invoke_id, self._dialect.last_invoke_id)
        self.config = config
        self.counters = Counters()
        self.delays = Delays()
        self.inlet: Inlet[Connection] = Inlet(config.queue)
        self.reader = Reader(self._dialect)
        self.troubles: deque[tuple[float, str]] = deque(maxlen=KEPT_TROUBLES)
        self.link = Link(replace(config.link, max_invoke_id=most_invoke_id))
        self.servers = Endpoints(config.endpoints, lambda: random.uniform(0.5, 1.0))
        self.up_since: float | None = None
        self.down_reason: str | None = None
        self._on_output = on_output
        self._keep_alive = KeepAlive(config.keep_alive, config.user_timeout)
        self._impression = Impression(config)
        self._listeners: set[Listener] = set()
        self._connection: Connection | None = None
        self._dials: asyncio.Queue[Server] = asyncio.Queue()
        self._probes: set[asyncio.Task[None]] = set()
        self._failure: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._events: deque[tuple[Event, bytes]] = deque()
        self._stepping = False
        self._draining = False
        self._last_report = 0.0
        self._logged = (0.0, 0)  # minute that began then, troubles logged in it

    @property
    def state(self) -> State:
        return self.link.state

    @property
    def monitors(self) -> int:
        """Monitors that the PBX confirmed."""
        return self.link.monitors.running

    @property
    def peer(self) -> str:
        return str(self.servers.current)

    def request(self, token: Token, argument: Argument) -> None:
        """Invoke a service; ServiceAnswered with the token follows, always."""
        self._step(ServiceRequested(token, argument))

    def monitor(self, devices: tuple[str, ...]) -> None:
        """Monitor these devices and no others."""
        self._step(DevicesChanged(devices))

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Tell the listener what passes from now on, secrets masked, until the function returned is called."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    @property
    def listeners(self) -> int:
        return len(self._listeners)

    async def run(self) -> None:
        """Connect, and connect again, until cancelled; then release the association."""
        self._failure = asyncio.get_running_loop().create_future()
        work = asyncio.create_task(self._work())
        try:
            await asyncio.wait({work, self._failure}, return_when=asyncio.FIRST_COMPLETED)
            for part in (self._failure, work):
                if part.done():
                    part.result()
        finally:
            work.cancel()
            self._failure = None
            self._step(CloseRequested())
            if self._connection is not None:
                self._end(self._connection, "closed by us")
            for task in self._probes:
                task.cancel()
            await asyncio.gather(work, *self._probes, return_exceptions=True)

    async def _work(self) -> None:
        self._choose(endpoints.Started())
        while True:
            server = await self._dials.get()
            await self._connect(server)
            self.counters.reconnects += 1
            self._choose(endpoints.Ended())

    async def _connect(self, server: Server) -> None:
        """One connection from its first try to its end."""
        self.counters.connections += 1
        self._impression.forget()
        connection = Connection(self, self._dialect.framing(), self.counters.connections, self._keep_alive)
        self._connection = connection
        failure = None
        try:
            async with asyncio.timeout(self.config.connect_timeout):
                await asyncio.get_running_loop().create_connection(lambda: connection, server.host, server.port)
        except TimeoutError:
            failure = f"no answer in {self.config.connect_timeout:g} s"
        except OSError as error:
            failure = error.strerror or str(error)
        if failure is not None:
            self.counters.connections -= 1
            self._step(Disconnected(f"cannot connect to {server}: {failure}"))
            return
        await connection.ended

    # --- which server

    def _choose(self, event: EndpointEvent) -> None:
        for output in self.servers.handle(event, self._now()):
            match output:
                case endpoints.Dial(server):
                    self._dials.put_nowait(server)
                case endpoints.HangUp(reason):
                    log.info("csta link hangs up", peer=self.peer, reason=reason)
                    self._step(CloseRequested(reason))
                case endpoints.Probe(server):
                    task = asyncio.get_running_loop().create_task(self._probe(server))
                    self._probes.add(task)
                    task.add_done_callback(self._probes.discard)
                case endpoints.Settled(server, preferred):
                    self._tell(ServerChanged(str(server), preferred))
        self._arm()

    async def _probe(self, server: Server) -> None:
        self._choose(endpoints.Probed(server, await answers(server.host, server.port)))

    @property
    def _quiet(self) -> bool:
        return self._now() - self._last_report >= QUIET and not self.link.outstanding and not self.inlet.depth

    # --- what the connection says

    def connected(self, connection: Connection) -> None:
        self._impression.connected()
        self._pass_on(connection, "open", sent=True)
        self._step(Connected())

    def octets(self, connection: Connection, octets: bytes) -> None:
        self._impression.octets(octets)
        self._pass_on(connection, "data", sent=False, octets=octets)

    def frame(self, connection: Connection, frame: bytes) -> None:
        self.counters.pdus_in += 1
        was_full = self.inlet.full
        if not self.inlet.put(connection, frame, self._now()) and not was_full:
            log.error("csta queue full", peer=self.peer, frames=self.inlet.depth)
            self._tell(QueueChanged(full=True, dropped=self.inlet.dropped))
        self._drain_soon()

    def fault(self, connection: Connection, reason: str, octets: bytes) -> None:
        self.counters.undecodable += 1
        self.reader.oddities.add(time.time(), reason, octets)
        self.over(connection, reason)

    def over(self, connection: Connection, reason: str) -> None:
        """Behind what came before it."""
        self.inlet.end(connection, reason, self._now())
        self._drain_soon()

    def _end(self, connection: Connection, reason: str) -> None:
        """The connection is over, whoever ended it; the machine learns it once."""
        if not connection.let_go():
            return
        self._pass_on(connection, "close", sent=True)
        log.info("csta connection ended", peer=self.peer, reason=reason)
        self._step(Disconnected(reason, connection.timed_out))
        if not connection.ended.done():
            connection.ended.set_result(None)

    # --- the queue

    def _drain_soon(self) -> None:
        if not self._draining:
            self._draining = True
            asyncio.get_running_loop().call_soon(self._drain)

    def _drain(self) -> None:
        """Work on the queue for a while; the socket is read in between, so it never waits for long."""
        until = self._now() + SLICE
        while self.inlet.depth and self._now() < until:
            self._take(self.inlet.take())
        dropped = self.inlet.relieved()
        if dropped:
            self._advance(Overrun(dropped))
            self._tell(QueueChanged(full=False, dropped=self.inlet.dropped))
        self._arm()
        self._draining = False
        if self.inlet.depth:
            self._drain_soon()

    def _take(self, waiting: Waiting[Connection]) -> None:
        if not waiting.source.open:
            return
        if waiting.frame is None:
            self._end(waiting.source, waiting.reason)
            return
        event = self.reader.read(waiting.frame, time.time())
        if isinstance(event, Undecodable):
            self.counters.undecodable += 1
        else:
            self._impression.understood()
        if self.reader.was_report:
            self._last_report = waiting.since
        self._advance(event, waiting.frame)
        now = self._now()
        self.delays.add(now, now - waiting.since)

    # --- the machine

    def _step(self, event: Event) -> None:
        self._advance(event)
        self._arm()

    def _advance(self, event: Event, frame: bytes = b"") -> None:
        """Hand an event to the machine and carry out what comes of it; `on_output` may ask for more meanwhile."""
        self._events.append((event, frame))
        if self._stepping:
            return
        self._stepping = True
        try:
            while self._events:
                self._handle(*self._events.popleft())
        except Exception as error:
            self._fail(error)
        finally:
            self._stepping = False

    def _fail(self, error: Exception) -> None:
        """An error of our own: `run` ends with it."""
        if self._failure is None:
            raise error
        log.error("csta link fails by our own fault", peer=self.peer, exc_info=error)
        if not self._failure.done():
            self._failure.set_exception(error)

    def _handle(self, event: Event, frame: bytes) -> None:
        before = self.link.state
        try:
            outputs = self.link.handle(event, self._now())
        except Exception as error:
            if not frame:
                raise
            log.exception("csta pdu cannot be followed by our own fault", peer=self.peer, octets=frame.hex())
            self.reader.oddities.add(time.time(), f"our own fault: {error!r}", frame)
            return
        after = self.link.state
        if before is not after:
            log.info("csta link", peer=self.peer, before=before.name, after=after.name, on=type(event).__name__)
        if log.is_enabled_for(logging.DEBUG):
            log.debug("csta step", input=event, before=before.name, after=after.name, outputs=outputs)
        for output in outputs:
            self._carry_out(output)

    def _carry_out(self, output: Output) -> None:
        match output:
            case Send(pdu):
                self._send(pdu)
                return
            case Close(reason):
                if self._connection is not None:
                    self._end(self._connection, reason)
                return
            case Trouble():
                self._trouble(output)
            case LinkUp():
                self.up_since, self.down_reason = time.time(), None
                self._choose(endpoints.WentUp())
            case LinkDown(reason):
                output = replace(output, reason=self._impression.explained(reason))
                self.up_since, self.down_reason = None, output.reason
                self._choose(endpoints.WentDown())
        self._on_output(output)

    def _tell(self, output: Output) -> None:
        try:
            self._on_output(output)
        except Exception as error:
            self._fail(error)

    def _send(self, pdu: Pdu) -> None:
        connection = self._connection
        if connection is None or not connection.open:
            return
        try:
            octets = self._dialect.encode(pdu)
            framed = connection.framed(octets)
            if self._listeners:
                shown = connection.framed(masked(pdu, octets, self._dialect))
                self._pass_on(connection, "data", sent=True, octets=shown)
        except UsageError as error:  # its answer will be overdue
            log.error("csta pdu cannot be sent", peer=self.peer, error=str(error))
            return
        connection.write(framed)
        self.counters.pdus_out += 1

    def _pass_on(self, connection: Connection, what: What, *, sent: bool, octets: bytes = b"") -> None:
        if not self._listeners:
            return
        position, other = connection.sent, connection.received
        if not sent:
            position, other = other, position
        passed = Passed(
            time.time(), what, connection.number, connection.local, connection.peer, sent, position, other, octets
        )
        for listener in list(self._listeners):
            listener(passed)

    def _trouble(self, trouble: Trouble) -> None:
        self.counters.troubles += 1
        self.troubles.append((time.time(), trouble.text))
        now = self._now()
        since, count = self._logged if now - self._logged[0] < 60 else (now, 0)
        self._logged = since, count + 1
        if count < LOGGED_TROUBLES:
            log.warning("csta trouble", peer=self.peer, what=trouble.text)

    # --- time

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _arm(self) -> None:
        """One timer, at the machines' deadline. One that is too early does no harm, so it is not moved back."""
        deadlines = (self.link.deadline, self.servers.deadline)
        deadline = min((one for one in deadlines if one is not None), default=None)
        if self._timer is not None and (deadline is None or deadline < self._timer.when()):
            self._timer.cancel()
            self._timer = None
        if deadline is not None and self._timer is None:
            self._timer = asyncio.get_running_loop().call_at(deadline, self._expired)

    def _expired(self) -> None:
        self._timer = None
        now = self._now()
        if self.servers.deadline is not None and self.servers.deadline <= now:
            self._choose(endpoints.TimeIs(self._quiet))
        if not self.inlet.depth:  # what has arrived is looked at before anything is given up as overdue
            self._step(TimerExpired())
