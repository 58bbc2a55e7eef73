"""osrec.csta.runner over real sockets of this machine, against a small server played by the test."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from osrec.csta.connection import MAX_UNSENT
from osrec.csta.link import State
from osrec.csta.messages import (
    LinkDown,
    LinkUp,
    Lost,
    MonitorRunning,
    Output,
    Reported,
    ServiceAnswered,
    SnapshotTaken,
    Trouble,
)
from osrec.csta.runner import LinkRunner
from osrec.csta.settings import LinkConfig, RunnerConfig
from osrec.errors import UsageError
from osrec.wire.csta.codec import decode, encode
from osrec.wire.csta.framing import framing_named
from osrec.wire.csta.model import (
    Associate,
    Associated,
    ClearConnection,
    ConnectionId,
    DeviceId,
    DeviceSnapshot,
    Escape,
    EventReport,
    Held,
    Invoke,
    MonitorStart,
    MonitorStarted,
    NoData,
    NumberKind,
    Pdu,
    Release,
    ReturnResult,
    SnapshotDevice,
    Status,
    SystemStatus,
    SystemStatusReported,
)

XREF = b"\0\7"
CALL = ConnectionId(b"\1\2", DeviceId("257"))
REPORT = EventReport(XREF, Held(connection=CALL, device=DeviceId("257"), cause=37))
LINK = LinkConfig(devices=("257",), name=b"AMHOST", password=b"geheim")


class Peer:
    """The server's end of one connection: the test says what it does."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, framing: str) -> None:
        self._reader = reader
        self.writer = writer
        self._framing = framing_named(framing)
        self._pdus: list[Pdu] = []

    async def receive(self) -> Pdu | None:
        """The next PDU, None at the end of the connection."""
        while not self._pdus:
            octets = await self._reader.read(4096)
            if not octets:
                return None
            self._pdus += map(decode, self._framing.feed(octets))
        return self._pdus.pop(0)

    def send(self, *pdus: Pdu) -> None:
        self.writer.write(b"".join(self._framing.encode(encode(pdu)) for pdu in pdus))

    async def associate(self) -> None:
        assert isinstance(await self.receive(), Associate)
        self.send(Associated(0), Invoke(1, SystemStatus(Status.ENABLED)))
        assert await self.receive() == ReturnResult(1, NoData(), 211)

    async def monitor(self) -> None:
        started = await self.receive()
        assert isinstance(started, Invoke)
        assert started.argument == MonitorStart(DeviceId("257"))
        self.send(ReturnResult(started.invoke_id, MonitorStarted(XREF), 71))
        asked = await self.receive()
        assert isinstance(asked, Invoke)
        assert asked.argument == SnapshotDevice(DeviceId("257"))
        self.send(ReturnResult(asked.invoke_id, DeviceSnapshot(), 74))


class Site:
    """A runner, what it said, and the connections that it made."""

    def __init__(self, framing: str) -> None:
        self.framing = framing
        self.peers: asyncio.Queue[Peer] = asyncio.Queue()
        self.outputs: asyncio.Queue[Output] = asyncio.Queue()
        self.runner: LinkRunner
        self.task: asyncio.Task[None]

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self.peers.put(Peer(reader, writer, self.framing))

    async def expect(self, *outputs: Output) -> None:
        for output in outputs:
            assert await self.outputs.get() == output


@asynccontextmanager
async def site(
    framing: str = "siemens", link: LinkConfig = LINK, on_output: Callable[[Output], None] | None = None
) -> AsyncIterator[Site]:
    here = Site(framing)
    server = await asyncio.start_server(here.accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    config = RunnerConfig("127.0.0.1", port, framing, backoff_first=0.01, backoff_most=0.02, link=link)
    here.runner = LinkRunner(config, on_output or here.outputs.put_nowait)
    here.task = asyncio.create_task(here.runner.run())
    try:
        yield here
    finally:
        here.task.cancel()
        await asyncio.gather(here.task, return_exceptions=True)
        server.close()
        while not here.peers.empty():
            here.peers.get_nowait().writer.close()


def run(scenario: Callable[[], "asyncio.Future[None] | object"]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(20):
            await scenario()  # type: ignore[misc]

    asyncio.run(bounded())


@pytest.mark.parametrize("framing", ["be2", "siemens", "tpkt", "be4", "none"])
def test_comes_up_monitors_and_reports_over_every_framing(framing: str) -> None:
    async def scenario() -> None:
        async with site(framing) as here:
            peer = await here.peers.get()
            await peer.associate()
            await peer.monitor()
            peer.send(Invoke(9, REPORT))
            await here.expect(LinkUp(), MonitorRunning("257", XREF), SnapshotTaken("257", ()), Reported("257", REPORT))
            assert (here.runner.state, here.runner.monitors) == (State.UP, 1)
            counters = here.runner.counters
            assert (counters.pdus_in, counters.pdus_out, counters.connections) == (5, 4, 1)
            peer.writer.close()

    run(scenario)


def test_connects_again_after_the_pbx_closed_and_loses_nothing_silently() -> None:
    async def scenario() -> None:
        async with site(link=replace(LINK, devices=())) as here:
            peer = await here.peers.get()
            await peer.associate()
            await here.expect(LinkUp())
            here.runner.request("token", ClearConnection(CALL))
            assert isinstance(await peer.receive(), Invoke)
            peer.writer.close()
            await here.expect(LinkDown("the PBX closed the connection"), ServiceAnswered("token", Lost("link down")))
            peer = await here.peers.get()
            await peer.associate()
            await here.expect(LinkUp())
            assert here.runner.counters.reconnects == 1
            peer.writer.close()

    run(scenario)


def test_says_once_that_nobody_listens_and_connects_when_somebody_does() -> None:
    async def scenario() -> None:
        here = Site("be2")
        first = await asyncio.start_server(here.accept, "127.0.0.1", 0)
        port = first.sockets[0].getsockname()[1]
        first.close()
        config = RunnerConfig("127.0.0.1", port, backoff_first=0.001, backoff_most=0.001, link=LINK)
        runner = LinkRunner(config, here.outputs.put_nowait)
        task = asyncio.create_task(runner.run())
        down = await here.outputs.get()
        assert isinstance(down, LinkDown)
        assert f"cannot connect to 127.0.0.1:{port}" in down.reason
        server = await asyncio.start_server(here.accept, "127.0.0.1", port)
        peer = await here.peers.get()
        await peer.associate()
        await here.expect(LinkUp())  # and no second LinkDown before it
        assert runner.counters.reconnects > 0
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        peer.writer.close()
        server.close()

    run(scenario)


def test_one_bad_pdu_does_not_stop_the_link() -> None:
    async def scenario() -> None:
        async with site("be2", replace(LINK, devices=())) as here:
            peer = await here.peers.get()
            await peer.associate()
            peer.writer.write(b"\0\3\xa1\x05\x02")
            peer.send(Invoke(2, SystemStatus(Status.NORMAL)))
            assert await peer.receive() == ReturnResult(2, NoData(), 211)
            await here.expect(LinkUp())
            trouble = await here.outputs.get()
            assert isinstance(trouble, Trouble)
            assert "undecodable PDU of 3 octets" in trouble.text
            assert (here.runner.counters.undecodable, here.runner.counters.connections) == (1, 1)
            peer.writer.close()

    run(scenario)


def test_broken_framing_closes_and_connects_again() -> None:
    async def scenario() -> None:
        async with site("siemens", replace(LINK, devices=())) as here:
            peer = await here.peers.get()
            await peer.associate()
            peer.writer.write(framing_named("siemens").encode(encode(Invoke(2, SystemStatus(2)))) + b"\0\x0e")
            assert await peer.receive() == ReturnResult(2, NoData(), 211)
            await here.expect(LinkUp(), LinkDown("stream is not framed as siemens: first octet is not 26; seen 00 0e"))
            (odd,) = here.runner.reader.oddities.last
            assert odd.octets.endswith(b"\0\x0e")
            assert here.runner.counters.undecodable == 1
            assert await peer.receive() is None
            peer.writer.close()
            again = await here.peers.get()
            assert isinstance(await again.receive(), Associate)
            again.writer.close()

    run(scenario)


def test_a_service_may_be_requested_from_within_an_output() -> None:
    async def scenario() -> None:
        def on_output(output: Output) -> None:
            here.outputs.put_nowait(output)
            if isinstance(output, LinkUp):
                here.runner.request(1, ClearConnection(CALL))

        async with site("be4", replace(LINK, devices=()), on_output) as here:
            peer = await here.peers.get()
            await peer.associate()
            asked = await peer.receive()
            assert isinstance(asked, Invoke)
            peer.send(ReturnResult(asked.invoke_id, NoData(), 5))
            await here.expect(LinkUp(), ServiceAnswered(1, NoData()))
            peer.writer.close()

    run(scenario)


def test_a_service_that_cannot_be_encoded_is_lost_in_time_and_harms_nothing() -> None:
    async def scenario() -> None:
        async with site("be2", replace(LINK, devices=(), request_timeout=0.01)) as here:
            peer = await here.peers.get()
            await peer.associate()
            await here.expect(LinkUp())
            here.runner.request(1, MonitorStart(DeviceId("x", NumberKind.DEVICE)))
            there = await peer.receive()
            assert isinstance(there, Invoke)
            peer.send(ReturnResult(there.invoke_id, SystemStatusReported(Status.NORMAL), 210))
            await here.expect(ServiceAnswered(1, Lost("timeout")))
            assert here.runner.state is State.UP
            peer.writer.close()

    run(scenario)


def test_an_error_of_our_own_ends_the_run() -> None:
    async def scenario() -> None:
        def broken(_output: Output) -> None:
            raise ZeroDivisionError("ours")

        async with site("be2", LINK, broken) as here:
            peer = await here.peers.get()
            await peer.associate()
            with pytest.raises(ZeroDivisionError, match="ours"):
                await here.task
            peer.writer.close()

    run(scenario)


def test_an_error_of_our_own_ends_the_run_also_before_any_connection() -> None:
    async def scenario() -> None:
        def broken(_output: Output) -> None:
            raise ZeroDivisionError("ours")

        closed = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
        port = closed.sockets[0].getsockname()[1]
        closed.close()
        with pytest.raises(ZeroDivisionError, match="ours"):
            await LinkRunner(RunnerConfig("127.0.0.1", port), broken).run()

    run(scenario)


def test_a_peer_that_does_not_read_is_given_up() -> None:
    async def scenario() -> None:
        async with site("be4", replace(LINK, devices=(), max_invoke_id=0x7FFFFF)) as here:
            peer = await here.peers.get()
            await peer.associate()
            await here.expect(LinkUp())
            peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
            bulk = Escape(b"\x04\x83\x07\xff\xff" + bytes(0x7FFFF))
            for token in range(64):
                here.runner.request(token, bulk)
            down = await here.outputs.get()
            assert isinstance(down, LinkDown)
            assert down.reason == f"the PBX does not read: {MAX_UNSENT} octets unsent"
            peer.writer.transport.abort()

    run(scenario)


def test_cancelling_releases_the_association() -> None:
    async def scenario() -> None:
        async with site("be2", replace(LINK, devices=())) as here:
            peer = await here.peers.get()
            await peer.associate()
            await here.expect(LinkUp())
            here.task.cancel()
            assert await peer.receive() == Release()
            assert await peer.receive() is None
            await here.expect(LinkDown("closed by us"))
            peer.writer.close()

    run(scenario)


def test_the_password_is_not_logged() -> None:
    async def scenario() -> None:
        async with site("be2", replace(LINK, devices=())) as here:
            peer = await here.peers.get()
            await peer.associate()
            await here.expect(LinkUp())
            peer.writer.close()

    with capture_logs() as logs:
        run(scenario)
    assert any(entry["event"] == "csta step" for entry in logs)
    assert not any("geheim" in repr(entry) for entry in logs)


def test_a_wrong_framing_is_refused_at_once() -> None:
    with pytest.raises(UsageError, match="be3"):
        LinkRunner(RunnerConfig("127.0.0.1", 1, "be3"), print)
