"""`osrec link` against a recorder's control socket with a live link behind it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from osrec.app import app
from osrec.csta.messages import LicencesMissing, MonitorRunning, Reported, SnapshotTaken
from osrec.recorder.control import ControlServer
from osrec.recorder.link_requests import LinkRequests
from osrec.wire.csta import capture
from osrec.wire.csta.model import Associate, ErrorCategory, Invoke, MonitorStart, Pdu, ReturnError
from tests.unit.csta_pbx import ASN1, REPORT, Pbx
from tests.unit.test_csta_capture import LINK, SECRET
from tests.unit.test_csta_runner_faults import Site, config, run

UNKNOWN = bytes.fromhex("a1070201050202009a")
FILE = """
[data]
directory = "data"
[csta]
host = "192.0.2.1"
port = 1040
[[lines]]
name = "trunk1"
spec = "virtual:trunk1/b"
ports = ["7101-7130"]
[stations]
monitored = ["257"]
[[rules]]
name = "all"
action = "record"
"""


@asynccontextmanager
async def recorder(directory: Path, pbx: Pbx) -> AsyncIterator[Site]:
    """A link to the PBX, and the control socket where a recorder of that directory has it."""
    (directory / "osrec.toml").write_text(FILE)
    async with Site(config(pbx, link=LINK)) as site:
        requests = LinkRequests(site.runner)
        socket = directory / "data" / "control.sock"
        control = ControlServer(socket, dict, requests.methods(), requests.streams())
        await control.start()
        try:
            yield site
        finally:
            await control.close()


async def osrec(directory: Path, *words: str) -> str:
    """What the command prints; it must succeed."""
    arguments = ["link", "-c", str(directory / "osrec.toml"), *words]
    result = await asyncio.to_thread(CliRunner().invoke, app, arguments)
    assert result.exit_code == 0, result.output
    return result.output


def scenario(directory: Path, play: Callable[[Site, Pbx], Coroutine[Any, Any, None]], pbx: Pbx | None = None) -> None:
    async def scene() -> None:
        async with pbx or Pbx() as server, recorder(directory, server) as site:
            await site.until(SnapshotTaken if pbx is None else LicencesMissing)
            await play(site, server)

    run(scene)


def test_the_state_of_the_link_is_shown_with_what_could_not_be_read(tmp_path: Path) -> None:
    async def play(site: Site, pbx: Pbx) -> None:
        pbx.clients[-1].write(ASN1.framing().encode(UNKNOWN))
        pbx.send(Invoke(9, REPORT))
        await site.until(Reported)
        shown = await osrec(tmp_path)
        assert f"up 127.0.0.1:{pbx.port} since " in shown
        assert "asn1, framing be2, association 1" in shown
        assert "1 of 1 running, 0 refused" in shown
        assert UNKNOWN.hex() in shown
        assert "Could not be read: 1" in shown
        state = json.loads(await osrec(tmp_path, "--json"))
        assert state["undecodable"]["last"][0]["hex"] == UNKNOWN.hex()
        assert state["queue"]["delay_p99"] > 0

    scenario(tmp_path, play)


class Stingy(Pbx):
    """A PBX without licences."""

    def _answers(self, pdu: Pdu) -> list[Pdu]:
        if isinstance(pdu, Invoke) and isinstance(pdu.argument, MonitorStart):
            return [ReturnError(pdu.invoke_id, ErrorCategory.SYSTEM_RESOURCE, 7)]
        return super()._answers(pdu)


def test_stations_without_licence_are_shown_with_the_reason(tmp_path: Path) -> None:
    async def play(site: Site, pbx: Pbx) -> None:
        shown = await osrec(tmp_path)
        assert "0 of 1 running, 1 refused (1 for want of licences)" in shown
        assert "overallMonitorLimitExceeded" in shown
        assert "257" in shown
        state = json.loads(await osrec(tmp_path, "--json"))
        assert state["monitors"]["without_licence_devices"] == ["257"]

    scenario(tmp_path, play, Stingy())


def test_a_capture_has_what_passed_and_a_reconnection_without_its_password(tmp_path: Path) -> None:
    path = tmp_path / "link.pcap"

    async def play(site: Site, pbx: Pbx) -> None:
        command = asyncio.create_task(osrec(tmp_path, "--capture", str(path), "--seconds", "1"))
        while not site.runner.listeners:
            await asyncio.sleep(0)
        pbx.send(Invoke(9, REPORT))
        await site.until(Reported)
        pbx.clients[-1].close()
        await site.until(MonitorRunning)
        assert "pieces captured" in await command
        assert not site.runner.listeners, "nothing is captured any longer"

    scenario(tmp_path, play)
    octets = path.read_bytes()
    assert SECRET not in octets
    found: list[Pdu] = []
    for piece in capture.pieces(octets):
        assert not piece.missing
        found += map(ASN1.decode, ASN1.framing().feed(piece.octets))
    assert Invoke(9, REPORT) in found
    (request,) = [pdu for pdu in found if isinstance(pdu, Associate)]
    assert request.password == b"*" * len(SECRET)
    shown = CliRunner().invoke(app, ["decode", "csta", str(path)])
    assert shown.exit_code == 0
    assert "UNREADABLE" not in shown.output
    assert "UNDECODABLE" not in shown.output


def test_a_client_that_goes_away_ends_its_capture(tmp_path: Path) -> None:
    async def play(site: Site, pbx: Pbx) -> None:
        reader, writer = await asyncio.open_unix_connection(tmp_path / "data" / "control.sock")
        writer.write(b'{"ask": "capture"}\n')
        assert json.loads(await reader.readline()) == {"ok": True, "passed": [], "missed": 0}
        assert site.runner.listeners == 1
        writer.close()
        while site.runner.listeners:
            pbx.send(Invoke(9, REPORT))
            await site.until(Reported)

    scenario(tmp_path, play)


@pytest.mark.parametrize("seconds", ["0", "true", '"a"'])
def test_a_wrong_length_of_a_capture_is_refused(tmp_path: Path, seconds: str) -> None:
    async def play(_site: Site, _pbx: Pbx) -> None:
        reader, writer = await asyncio.open_unix_connection(tmp_path / "data" / "control.sock")
        writer.write(b'{"ask": "capture", "seconds": %s}\n{"ask": "link"}\n' % seconds.encode())
        answer = json.loads(await reader.readline())
        assert answer["ok"] is False
        assert "how long to capture" in answer["error"]
        assert json.loads(await reader.readline())["ok"], "the connection goes on"
        writer.close()

    scenario(tmp_path, play)


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    async def play(_site: Site, _pbx: Pbx) -> None:
        arguments = ["link", "-c", str(tmp_path / "osrec.toml"), "--capture", str(tmp_path / "no" / "file")]
        result = await asyncio.to_thread(CliRunner().invoke, app, arguments)
        assert result.exit_code == 1

    scenario(tmp_path, play)


def test_seconds_without_a_capture_are_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "osrec.toml").write_text(FILE)
    result = CliRunner().invoke(app, ["link", "-c", str(tmp_path / "osrec.toml"), "--seconds", "5"])
    assert result.exit_code == 2
