"""osrec.csta.runner where things go wrong or are many: a second server, a full queue, PDUs that break us, XML."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from time import monotonic
from typing import Any

import pytest
from structlog.testing import capture_logs

from osrec.csta.endpoints import Server
from osrec.csta.link import State
from osrec.csta.messages import (
    EventsLost,
    LinkDown,
    LinkUp,
    MonitorRunning,
    Output,
    QueueChanged,
    Reported,
    ServerChanged,
    ServiceAnswered,
    SnapshotTaken,
    Trouble,
)
from osrec.csta.runner import LinkRunner
from osrec.csta.settings import LinkConfig, RunnerConfig
from osrec.csta.status import link_status
from osrec.errors import WireError
from osrec.wire.csta.dialect import Dialect
from osrec.wire.csta.framing import Framing
from osrec.wire.csta.model import ClearConnection, Invoke, NoData, Pdu, ReturnResult, Session
from tests.unit.csta_pbx import ASN1, CALL, REPORT, XML, XREF, Pbx

LINK = LinkConfig(devices=("257",), name=b"AMHOST", password=b"geheim")


class Site:
    """A runner and what it said."""

    def __init__(
        self,
        config: RunnerConfig,
        spoken: Dialect | None = None,
        on_output: Callable[[Output], None] | None = None,
    ) -> None:
        self.outputs: asyncio.Queue[Output] = asyncio.Queue()
        self.runner = LinkRunner(config, on_output or self.outputs.put_nowait, spoken)
        self._task = asyncio.create_task(self.runner.run())

    async def __aenter__(self) -> "Site":
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def expect(self, *outputs: Output) -> None:
        for output in outputs:
            assert await self.outputs.get() == output

    async def until(self, kind: type[Output]) -> list[Output]:
        """All outputs up to the first of that kind."""
        seen: list[Output] = []
        while not seen or not isinstance(seen[-1], kind):
            seen.append(await self.outputs.get())
        return seen


def config(*pbxs: Pbx, **changes: Any) -> RunnerConfig:
    first, *others = [("127.0.0.1", pbx.port) for pbx in pbxs]
    settings: dict[str, Any] = {"backoff_first": 0.01, "backoff_most": 0.02, "link": LINK} | changes
    return RunnerConfig(*first, spares=tuple(others), **settings)


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(20):
            await scenario()

    asyncio.run(bounded())


# --- two servers


def test_the_second_server_takes_over_and_the_first_gets_the_link_back() -> None:
    async def scenario() -> None:
        async with Pbx() as first, Pbx() as second:
            port = first.port
            await first.close()
            settings = config(first, second, fail_over_after=0.1, fail_back=0.05, probe_every=0.02)
            async with Site(settings) as site:
                seen = await site.until(ServerChanged)
                assert seen[-1] == ServerChanged(f"127.0.0.1:{second.port}", preferred=False)
                assert second.clients
                await first.open(port)
                seen = await site.until(ServerChanged)
                assert seen[-1] == ServerChanged(f"127.0.0.1:{port}", preferred=True)
                down = next(one for one in seen if isinstance(one, LinkDown))
                assert down.reason == f"back from 127.0.0.1:{second.port} to 127.0.0.1:{port}"
                assert first.touched > len(first.clients) == 1, "it was probed by connections that said nothing"
                assert site.runner.servers.current == Server("127.0.0.1", port)

    run(scenario)


def test_a_server_that_never_answers_the_association_is_left_for_the_next() -> None:
    async def scenario() -> None:
        async with (
            Pbx(takes_associations=False) as first,
            Pbx() as second,
            Site(config(first, second, fail_over_after=0.1, fail_back=None)) as site,
        ):
            seen = await site.until(ServerChanged)
            down = next(output for output in seen if isinstance(output, LinkDown))
            assert down.reason.startswith(f"no link to 127.0.0.1:{first.port} within 0.1 s; nothing came")
            assert site.runner.peer == f"127.0.0.1:{second.port}"

    run(scenario)


# --- the queue


def test_a_burst_that_the_queue_holds_goes_through_whole_and_in_order() -> None:
    async def scenario() -> None:
        async with Pbx() as pbx, Site(config(pbx)) as site:
            await site.expect(LinkUp(), MonitorRunning("257", XREF), SnapshotTaken("257", ()))
            reports = [replace(REPORT, sequence=number) for number in range(3000)]
            pbx.send(*(Invoke(9, report) for report in reports))
            await site.expect(*(Reported("257", report) for report in reports))
            flow = site.runner.delays.flow(asyncio.get_running_loop().time())
            assert flow.per_second > 1000
            assert flow.longest is not None
            assert site.runner.inlet.dropped == 0

    run(scenario)


def test_what_exceeds_the_queue_is_counted_alarmed_and_made_up_for_by_snapshots() -> None:
    async def scenario() -> None:
        async with Pbx() as pbx, Site(config(pbx, queue=100)) as site:
            await site.expect(LinkUp(), MonitorRunning("257", XREF), SnapshotTaken("257", ()))
            pbx.send(*(Invoke(9, REPORT) for _ in range(4000)))
            seen = await site.until(EventsLost)
            assert QueueChanged(full=True, dropped=1) in seen
            lost = seen[-1]
            assert isinstance(lost, EventsLost)
            assert lost.device == ""
            assert lost.reason.endswith("messages came quicker than they could be read")
            assert isinstance(await site.outputs.get(), QueueChanged)
            while site.runner.counters.pdus_in < 4004 or site.runner.inlet.depth:
                await asyncio.sleep(0)
            read, dropped = site.runner.link.monitors.counters.applied, site.runner.inlet.dropped
            assert dropped
            assert 4000 <= read + dropped <= 4010, "each event is read or counted; an answer may be dropped, too"
            assert (site.runner.state, site.runner.counters.connections) == (State.UP, 1)

    run(scenario)


def test_what_came_before_the_connection_ended_is_still_followed() -> None:
    async def scenario() -> None:
        async with Pbx() as pbx, Site(config(pbx)) as site:
            await site.expect(LinkUp(), MonitorRunning("257", XREF), SnapshotTaken("257", ()))
            pbx.send(*(Invoke(9, REPORT) for _ in range(500)))
            pbx.clients[-1].close()
            await site.expect(*[Reported("257", REPORT)] * 500, LinkDown("the PBX closed the connection"))

    run(scenario)


def test_an_answer_that_waits_behind_slow_logic_is_not_overdue() -> None:
    async def scenario() -> None:
        asked, began = ClearConnection(CALL), list[Output]()

        def slow(output: Output) -> None:
            if isinstance(output, Reported) and not began:
                began.append(output)
                site.runner.request("token", asked)
                until = monotonic() + 0.1
                while monotonic() < until:
                    pass
            site.outputs.put_nowait(output)

        async with Pbx() as pbx, Site(config(pbx, link=replace(LINK, request_timeout=0.05)), on_output=slow) as site:
            await site.until(SnapshotTaken)
            answer = ReturnResult(3, NoData(), 5)  # 1 and 2 were monitor and snapshot
            pbx.send(*[Invoke(9, REPORT)] * 1000, answer)
            assert (await site.until(ServiceAnswered))[-1] == ServiceAnswered("token", NoData())

    run(scenario)


# --- PDUs that break us


class Treacherous:
    """A dialect with two faults of ours in it: one PDU makes its decoder fail, another one the machine behind it."""

    last_invoke_id = ASN1.last_invoke_id

    def framing(self) -> Framing:
        return ASN1.framing()

    def decode(self, frame: bytes) -> Pdu:
        if frame == b"decoder":
            raise ZeroDivisionError("in the decoder")
        if frame == b"machine":
            return Invoke(1, replace(REPORT, cross_ref=["unhashable"]))  # type: ignore[arg-type]
        if frame == b"wire":
            raise WireError("no PDU at 17")
        return ASN1.decode(frame)

    def decode_with_remarks(self, frame: bytes) -> tuple[Pdu, tuple[str, ...]]:
        return ASN1.decode_with_remarks(frame)

    def encode(self, pdu: Pdu) -> bytes:
        return ASN1.encode(pdu)


def test_no_pdu_stops_the_link_not_even_by_a_fault_of_ours() -> None:
    async def scenario() -> None:
        async with Pbx() as pbx, Site(config(pbx), Treacherous()) as site:
            await site.expect(LinkUp(), MonitorRunning("257", XREF), SnapshotTaken("257", ()))
            framing = ASN1.framing()
            pbx.clients[-1].write(b"".join(map(framing.encode, (b"decoder", b"machine", b"wire"))))
            pbx.send(Invoke(9, REPORT))
            await site.expect(
                Trouble("undecodable PDU of 7 octets: our own fault: ZeroDivisionError('in the decoder')"),
                Trouble("undecodable PDU of 4 octets: no PDU at 17"),
                Reported("257", REPORT),
            )
            oddities = site.runner.reader.oddities
            assert [odd.octets for odd in oddities.last] == [b"decoder", b"machine", b"wire"]
            assert oddities.reasons["no PDU at #"] == 1
            assert site.runner.counters.connections == 1

    with capture_logs():
        run(scenario)


def test_the_status_has_what_could_not_be_read_with_reason_and_octets() -> None:
    async def scenario() -> None:
        async with Pbx() as pbx, Site(config(pbx)) as site:
            await site.expect(LinkUp(), MonitorRunning("257", XREF), SnapshotTaken("257", ()))
            unknown = bytes.fromhex("a1070201050202009a")
            pbx.clients[-1].write(ASN1.framing().encode(unknown))
            pbx.send(Invoke(9, REPORT))
            await site.until(Reported)
            state = link_status(site.runner, asyncio.get_running_loop().time())
            assert state["state"] == "up"
            assert state["monitors"]["running"] == 1
            assert state["undecodable"]["count"] == 1
            (odd,) = state["undecodable"]["last"]
            assert odd["hex"] == unknown.hex()
            assert odd["reason"]
            assert state["troubles"]
            assert state["queue"]["per_second"] > 0

    run(scenario)


# --- XML


@pytest.mark.parametrize("session", [None, Session("osrec", ("urn:x",), 120)])
def test_xml_comes_up_monitors_and_reports(session: Session | None) -> None:
    async def scenario() -> None:
        link = LinkConfig(devices=("257",), associate=session is not None, session=session, snapshot_calls=False)
        async with Pbx(XML) as pbx:
            settings = config(pbx, encoding="xml", framing="xml8", link=replace(link, status_timeout=0.05))
            async with Site(settings) as site:
                seen = await site.until(SnapshotTaken)
                assert [one for one in seen if not isinstance(one, Trouble)] == [
                    LinkUp(),
                    MonitorRunning("257", XREF),
                    SnapshotTaken("257", ()),
                ]
                pbx.send(Invoke(9999, REPORT))
                reported = (await site.until(Reported))[-1]
                assert isinstance(reported, Reported)
                assert reported.report.event == REPORT.event
                assert site.runner.link.session_id == (session and "s-1")

    run(scenario)
