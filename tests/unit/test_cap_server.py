"""The CAP server over real sockets of the loopback interface."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from osrec.wire.csta import codec, model
from osrec.wire.csta.framing import framing_named
from osrec.wire.csta.model import ConnectionId, DeviceId, Participation
from osrec_emulators.cap.config import CapConfig
from osrec_emulators.cap.faults import Events, Faults, Timed, Transport
from osrec_emulators.cap.server import CapServer
from osrec_emulators.cap.status import PlayedFault
from osrec_emulators.pbx.config import PbxConfig
from osrec_emulators.pbx.world import World

A, B, PORT = "3100", "3101", "5000"
LOGIN = model.Associate(name=b"AMHOST", password=b"77777")


def make_world() -> World:
    return World(PbxConfig.model_validate({"stations": [{"range": "3100-3101"}], "recorder_ports": ["5000"]}))


_peers: list["Peer"] = []


class Peer:
    """A client that sends and reads PDUs."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self._framing = framing_named("be2")
        self._read: list[model.Pdu] = []

    @classmethod
    async def connect(cls, server: CapServer, port: int | None = None) -> "Peer":
        """Connect and associate."""
        peer = await cls.reach(server, port)
        await peer.next(model.Associated)
        await peer.next(model.Invoke)
        return peer

    @classmethod
    async def reach(cls, server: CapServer, port: int | None = None) -> "Peer":
        """Connect and ask for an association; `serving` closes the connection."""
        peer = cls(*await asyncio.open_connection("127.0.0.1", port or server.port))
        _peers.append(peer)
        peer.send(LOGIN)
        return peer

    def send(self, pdu: model.Pdu) -> None:
        self.writer.write(self._framing.encode(codec.encode(pdu)))

    async def next(self, kind: type) -> Any:
        """The next PDU of a kind, or the next argument or result of it; others before it are passed over."""
        while True:
            for position, pdu in enumerate(self._read):
                for value in (pdu, getattr(pdu, "argument", None), getattr(pdu, "result", None)):
                    event = value.event if isinstance(value, model.EventReport) else value
                    if isinstance(event, kind):
                        del self._read[: position + 1]
                        return event
            octets = await self.reader.read(65536)
            assert octets, "the server closed the connection"
            self._read += [codec.decode(frame) for frame in self._framing.feed(octets)]

    async def ended(self) -> None:
        """Returns when the server has closed the connection."""
        with contextlib.suppress(ConnectionResetError):
            while await self.reader.read(65536):
                pass

    async def monitor(self, device: str) -> None:
        self.send(model.Invoke(1, model.MonitorStart(DeviceId(device))))
        await self.next(model.MonitorStarted)


@contextlib.asynccontextmanager
async def serving(
    world: World, faults: Faults | None = None, clock: Callable[[], float] | None = None, **settings: Any
) -> AsyncIterator[CapServer]:
    config = CapConfig.model_validate({"port": 0} | settings)
    server = CapServer(config, world, clock or (lambda: world.switch.now), faults)
    await server.start()
    try:
        yield server
    finally:
        await server.close()
        for peer in _peers:
            peer.writer.close()
            with contextlib.suppress(OSError):
                await peer.writer.wait_closed()
        _peers.clear()


def talking() -> World:
    world = make_world()
    world.switch.make_call(A, B)
    world.switch.answer(B)
    world.switch.take()
    return world


def test_a_client_has_a_call_forked_and_every_client_sees_it() -> None:
    async def scenario() -> None:
        world = talking()
        async with serving(world) as server:
            one, two = await Peer.connect(server), await Peer.connect(server)
            await one.monitor(A)
            await two.monitor(A)
            assert server.licences.used == 2
            connection = ConnectionId(world.switch.calls_of(A)[0].id, DeviceId(A))
            one.send(model.Invoke(2, model.SingleStepConference(connection, DeviceId(PORT), Participation.SILENT)))
            joined = await one.next(model.ConferenceJoined)
            for peer in (one, two):
                assert (await peer.next(model.Conferenced)).added == DeviceId(PORT)
            assert joined.connection == ConnectionId(connection.call_id, DeviceId(PORT))
            world.switch.clear(B)
            server.publish(world.switch.take())
            assert (await two.next(model.ConnectionCleared)).device == DeviceId(B)
            assert sorted(client.user for client in server.clients) == ["AMHOST", "AMHOST"]
            assert {client.monitors for client in server.clients} == {1}
            assert all(client.counters.events >= 3 for client in server.clients)

    asyncio.run(scenario())


def test_a_client_that_goes_gives_its_licences_back() -> None:
    async def scenario() -> None:
        async with serving(make_world(), licences=1) as server:
            one, two = await Peer.connect(server), await Peer.connect(server)
            await one.monitor(A)
            two.send(model.Invoke(1, model.MonitorStart(DeviceId(A))))
            assert (await two.next(model.ReturnError)).value == 7
            one.send(model.Release())
            await one.ended()
            await two.monitor(A)

    asyncio.run(scenario())


def test_a_client_that_does_not_read_is_dropped_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        world = talking()
        async with serving(world, buffer=65536) as server:
            slow, quick = await Peer.connect(server), await Peer.connect(server)
            await slow.monitor(A)
            await quick.monitor(B)
            slow.writer.transport.pause_reading()  # type: ignore[attr-defined]
            world.switch.hold(A)
            occurrences = [found for found in world.switch.take() if found.device == A] * 1000
            while len(server.clients) == 2:  # the kernel's own buffers fill first
                server.publish(occurrences)
                await asyncio.sleep(0)
            assert [client.monitors for client in server.clients] == [1]
            world.switch.retrieve(A)
            server.publish(world.switch.take())
            assert (await quick.next(model.Retrieved)).device == DeviceId(A)
            slow.writer.transport.abort()

    with caplog.at_level(logging.WARNING):
        asyncio.run(scenario())
    assert "unread, 65536 allowed" in caplog.text


def test_the_timer_of_a_session_runs() -> None:
    async def scenario() -> None:
        async with serving(make_world(), Faults(timed=(Timed(what="cut", after=0.0),))) as server:
            peer = await Peer.reach(server)
            await asyncio.wait_for(peer.ended(), 5)

    asyncio.run(scenario())


def test_closing_the_server_closes_its_clients() -> None:
    async def scenario() -> None:
        async with serving(make_world()) as server:
            peer = await Peer.connect(server)
            await peer.monitor(A)
            await server.close()
            await asyncio.wait_for(peer.ended(), 5)
        assert server.licences.used == 0
        assert server.clients == []

    asyncio.run(scenario())


def test_a_restart_drops_everybody_refuses_for_a_while_and_starts_anew() -> None:
    async def scenario() -> None:
        world = make_world()
        restarts = [{"at": 10.0, "closed": 5.0}]
        async with serving(world, restarts=restarts, licences=1) as server:
            port = server.port
            peer = await Peer.connect(server)
            await peer.monitor(A)
            told: list[PlayedFault] = []
            server.on_fault = told.append
            world.advance(10.0)
            server._outage()  # what the timer does when the clock has come that far
            await peer.ended()
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", port)
            world.advance(15.0)
            server._outage()
            await asyncio.gather(*server._reopening)
            assert server.port == port
            again = await Peer.connect(server)
            await again.monitor(A)
            assert [fault.fault for fault in told] == ["restart"]

    asyncio.run(scenario())


def test_one_of_two_addresses_goes_down_and_the_other_serves_on() -> None:
    async def scenario() -> None:
        world = make_world()
        restarts = [{"at": 10.0, "closed": 5.0, "listener": 1}]
        async with serving(world, also_listen=["127.0.0.1:0"], restarts=restarts) as server:
            assert len(set(server.ports)) == 2
            first, second = await Peer.connect(server), await Peer.connect(server, server.ports[1])
            world.advance(10.0)
            server._outage()
            await first.ended()
            await second.monitor(A)
            assert [client.monitors for client in server.clients] == [1]

    asyncio.run(scenario())


def test_an_address_that_cannot_be_had_leaves_none_open() -> None:
    async def scenario() -> None:
        async with serving(make_world()) as taken:
            settings = {"port": 0, "also_listen": [f"127.0.0.1:{taken.port}"]}
            other = CapServer(CapConfig.model_validate(settings), make_world(), lambda: 0.0)
            with pytest.raises(OSError, match="in use"):
                await other.start()
            assert other._listeners == {}

    asyncio.run(scenario())


def test_clients_meet_the_faults_of_their_address_and_their_turn() -> None:
    async def scenario() -> None:
        clients = [
            {"listener": 2, "faults": {"status": {"never": True}}},
            {"connections": [2, 2], "address": "127.0.0.*", "faults": {"association": {"refuse": "abort"}}},
        ]
        async with serving(make_world(), also_listen=["127.0.0.1:0"], clients=clients) as server:
            await Peer.connect(server)
            refused = await Peer.reach(server)
            assert isinstance(await refused.next(model.Abort), model.Abort)
            standby = await Peer.reach(server, server.ports[1])
            await standby.next(model.Associated)
            standby.send(model.Invoke(1, model.RequestSystemStatus()))
            await standby.next(model.SystemStatusReported)
            assert server.faults == {"refuse_abort": 1, "first_status_missing": 1}

    asyncio.run(scenario())


def test_every_fault_is_told_with_client_and_user_and_the_counters_outlive_the_client() -> None:
    async def scenario() -> None:
        world = talking()
        async with serving(world, Faults(events=Events(duplicate_every=1))) as server:
            told: list[PlayedFault] = []
            server.on_fault = told.append
            peer = await Peer.connect(server)
            await peer.monitor(A)
            world.switch.hold(A)
            server.publish(world.switch.take())
            for _ in range(2):
                await peer.next(model.Held)
            (fault,) = told
            assert (fault.user, fault.fault) == ("AMHOST", "duplicate")
            assert fault.client == server.clients[0].peer
            assert fault.as_json(world._wall(fault.at))["seconds"] == fault.at
            peer.send(model.Release())
            await peer.ended()
            assert server.gone[0].counters.faults == {"duplicate": 1}
            assert "2 events" in str(server.gone[0])
            assert "duplicate 1" in str(server.gone[0])

    asyncio.run(scenario())


def test_octets_arrive_though_each_is_written_alone() -> None:
    async def scenario() -> None:
        async with serving(make_world(), Faults(transport=Transport(fragment=1))) as server:
            await (await Peer.connect(server)).monitor(A)

    asyncio.run(scenario())


def test_a_paused_reader_leaves_octets_in_the_kernel_and_takes_them_later() -> None:
    async def scenario() -> None:
        pauses = (Timed(what="pause_reading", after=5.0, seconds=10.0),)
        world = make_world()
        async with serving(world, Faults(timed=pauses)) as server:
            peer = await Peer.connect(server)
            (client,) = server._clients
            assert client._transport is not None
            world.advance(5.0)
            client._expire()  # what the timer does when the clock has come that far
            assert not client._transport.is_reading()
            world.advance(15.0)
            client._expire()
            assert client._transport.is_reading()
            await peer.monitor(A)

    asyncio.run(scenario())
