"""The CAP server over TCP: several clients at once, each a Session, on one address or more. No protocol in here."""

import asyncio
import itertools
import logging
from collections import Counter, deque
from collections.abc import Callable, Iterable

from osrec_emulators.cap.client import Client
from osrec_emulators.cap.config import CapConfig
from osrec_emulators.cap.faults import Connection, Faults
from osrec_emulators.cap.licences import LicencePool
from osrec_emulators.cap.messages import Pbx, Played
from osrec_emulators.cap.outages import Down, Outages, Up
from osrec_emulators.cap.session import Session
from osrec_emulators.cap.status import ClientStatus, PlayedFault
from osrec_emulators.pbx.calls import Occurrence

KEPT = 100  # clients that are gone and still shown

_log = logging.getLogger(__name__)


class CapServer:
    """Listens and serves.

    Args:
        pbx: usually a World.
        clock: PBX time in seconds.
        faults: for every client, in place of what the configuration declares.

    Attributes:
        licences: the pool that all clients share.
        faults: how often each fault was played, over all clients.
        gone: clients that have left, the last ones.
        pbx: serves requests of clients that connect from now on; whoever wants to see them may stand in front.
        on_occurrences: called with what clients' requests made happen, for a log; events go out by themselves.
        on_fault: called with every fault that is played.
    """

    def __init__(self, config: CapConfig, pbx: Pbx, clock: Callable[[], float], faults: Faults | None = None) -> None:
        self.config = config
        self.licences = LicencePool(config.licences, config.licence_changes)
        self.faults: Counter[str] = Counter()
        self.gone: deque[ClientStatus] = deque(maxlen=KEPT)
        self.on_occurrences: Callable[[tuple[Occurrence, ...]], None] = lambda occurrences: None
        self.on_fault: Callable[[PlayedFault], object] = lambda fault: None
        self.clock = clock
        self.pbx = pbx
        self._given = faults
        self._clients: dict[Client, None] = {}
        self._addresses = config.addresses
        self._listeners: dict[int, asyncio.Server] = {}
        self._connections = itertools.count(1)
        self._outages = Outages((), len(self._addresses), 0.0)
        self._timer: asyncio.TimerHandle | None = None
        self._reopening: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen. Raises OSError when an address cannot be had."""
        try:
            for listener in range(1, len(self._addresses) + 1):
                await self._listen(listener)
        except OSError:
            await self.close()
            raise
        self._outages = Outages(self.config.restarts, len(self._addresses), self.clock())
        self._arm()

    @property
    def port(self) -> int:
        """Where it listens; of interest when the configuration says 0."""
        return self.ports[0]

    @property
    def ports(self) -> list[int]:
        """Of all addresses that it was given, the first one first."""
        return [port for _, port in self._addresses]

    @property
    def clients(self) -> list[ClientStatus]:
        """Who is connected."""
        return [client.status() for client in self._clients]

    @property
    def associated(self) -> frozenset[str]:
        """Addresses of the clients that are."""
        return frozenset(status.peer for status in self.clients if status.associated)

    @property
    def monitored(self) -> frozenset[str]:
        """Devices that somebody monitors."""
        return frozenset(device for client in self._clients for device in client.monitored)

    @property
    def owes(self) -> bool:
        """Somebody waits for answers without which he cannot watch his stations."""
        return any(client.waits for client in self._clients)

    def publish(self, occurrences: Iterable[Occurrence]) -> None:
        """Tell every client what it monitors."""
        occurrences = tuple(occurrences)
        if occurrences:
            now = self.clock()
            for client in list(self._clients):
                client.publish(occurrences, now)

    async def close(self) -> None:
        """Stop listening and close all connections."""
        if self._timer is not None:
            self._timer.cancel()
        for task in self._reopening:
            task.cancel()
        await asyncio.gather(*self._reopening, return_exceptions=True)
        listeners, self._listeners = self._listeners, {}
        for server in listeners.values():
            server.close()
        for client in list(self._clients):
            client.close("server stops")
        for server in listeners.values():
            await server.wait_closed()
        await asyncio.sleep(0)  # let the transports report that they are gone

    # --- what clients need

    def session(self, connection: Connection) -> Session:
        return Session(self.config, self.pbx, self.licences, self._given, connection)

    def joined(self, client: Client) -> None:
        self._clients[client] = None

    def left(self, client: Client) -> None:
        self._clients.pop(client, None)
        self.gone.append(client.status())

    def happened(self, occurrences: tuple[Occurrence, ...]) -> None:
        self.on_occurrences(occurrences)
        self.publish(occurrences)

    def played(self, client: Client, fault: Played) -> None:
        self._note(PlayedFault(fault.at, client.peer, client.status().user, fault.fault, fault.detail))

    def _note(self, fault: PlayedFault) -> None:
        self.faults[fault.fault] += 1
        _log.info("fault %s for %s: %s", fault.fault, fault.client or "all", fault.detail)
        self.on_fault(fault)

    # --- addresses, and when they are down

    async def _listen(self, listener: int) -> None:
        host, port = self._addresses[listener - 1]
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: Client(self, listener, lambda: next(self._connections), self.config.buffer), host, port
        )
        self._listeners[listener] = server
        self._addresses[listener - 1] = (host, int(server.sockets[0].getsockname()[1]))

    def _arm(self) -> None:
        deadline = self._outages.deadline
        if deadline is not None:
            delay = max(0.0, deadline - self.clock())
            self._timer = asyncio.get_running_loop().call_later(delay, self._outage)

    def _outage(self) -> None:
        now = self.clock()
        for change in self._outages.take(now):
            if isinstance(change, Down):
                self._go_down(change, now)
            else:
                task = asyncio.get_running_loop().create_task(self._come_up(change))
                self._reopening.add(task)
                task.add_done_callback(self._reopening.discard)
        self._arm()

    def _go_down(self, change: Down, now: float) -> None:
        which = ", ".join(f"{self._addresses[one - 1][0]}:{self._addresses[one - 1][1]}" for one in change.listeners)
        self._note(PlayedFault(now, "", "", "restart", f"{which} closed for {change.seconds:g} s"))
        for listener in change.listeners:
            if listener in self._listeners:
                self._listeners.pop(listener).close()
        for client in list(self._clients):
            if client.listener in change.listeners:
                client.abort("the CAP goes down")

    async def _come_up(self, change: Up) -> None:
        for listener in change.listeners:
            if listener not in self._listeners:
                try:
                    await self._listen(listener)
                except OSError as error:
                    _log.error("cannot listen again on %s: %s", self._addresses[listener - 1], error)
