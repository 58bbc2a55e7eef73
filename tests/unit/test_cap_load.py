"""Link tests: real call flows at a given rate, and the delay until a call is forked."""

import asyncio
import contextlib
import json
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from osrec.wire.csta import codec, model
from osrec.wire.csta.framing import framing_named
from osrec.wire.csta.model import ConnectionId, DeviceId, Participation
from osrec_emulators.cap.load import Load, Recorded
from osrec_emulators.load import percentile
from osrec_emulators.pbx.config import PbxConfig
from osrec_emulators.pbx.world import World

SPEECH = Path(__file__).parents[1] / "vectors" / "speech"


def make_world(stations: str) -> World:
    return World(PbxConfig.model_validate({"stations": [{"range": stations}], "recorder_ports": ["5000-5001"]}))


def test_the_rate_is_kept_tick_by_tick_and_every_kind_of_event_comes() -> None:
    world = make_world("1000-1299")
    load = Load(world, list(world.directory.stations), rate=500.0)
    kinds: Counter[str] = Counter()
    for tick in range(1, 1001):
        world.advance(tick / 100)
        for occurrence in load.advance(tick / 100):
            kinds[type(occurrence.event).__name__] += 1
        assert 0 <= load.events - 5 * (tick - 1) < 12  # one step brings about a few events
    assert kinds.keys() >= {"Delivered", "Established", "Held", "Retrieved", "Transferred", "Conferenced"}
    assert kinds.total() == load.events


def test_all_stations_take_part() -> None:
    world = make_world("1000-1299")
    load = Load(world, list(world.directory.stations), rate=1000.0, pause=0.1)
    seen = {occurrence.device for tick in range(600) for occurrence in load.advance(tick / 100)}
    assert seen == set(world.directory.stations)


def test_a_load_that_winds_down_leaves_no_call() -> None:
    world = make_world("1000-1099")
    load = Load(world, list(world.directory.stations), rate=100.0)
    load.advance(0.0)
    load.advance(3.0)
    assert world.switch.calls
    load.wind_down()
    tick = 300
    while not load.idle:
        tick += 1
        load.advance(tick / 100)
    assert world.switch.calls == {}
    assert load.advance(1e6) == []


def test_recorded_calls_follow_each_other_and_the_first_request_in_each_is_timed() -> None:
    world = make_world("1000-1003")
    recorded = Recorded(world, [("1000", "1001"), ("1002", "1003")], talk=4.0)
    established = []
    for tick in range(80):
        now = tick / 10
        world.advance(now)
        for occurrence in recorded.advance(now):
            if isinstance(occurrence.event, model.Established) and occurrence.device in ("1000", "1002"):
                established.append((now, occurrence.device))
    assert [device for _, device in established] == ["1000", "1002", "1000", "1002"]
    pauses = [later - earlier for (earlier, _), (later, _) in pairwise(established)]
    assert pauses == [pytest.approx(2.0, abs=0.11)] * 3  # evenly in time
    last = established[-1][0]
    recorded.asked("1002", last + 0.25)
    recorded.asked("1002", last + 0.5)  # the second port of the same call
    recorded.asked("1001", last + 0.5)  # nobody's
    assert recorded.delays == [pytest.approx(0.25)]
    assert recorded.answered == 4


def test_percentiles_are_values_that_were_measured() -> None:
    delays = [number / 100 for number in range(1, 201)]
    assert (percentile(delays, 50), percentile(delays, 99), percentile(delays, 100)) == (1.0, 1.98, 2.0)
    assert percentile([0.5], 1) == 0.5
    assert percentile([], 50) is None


class Recorder:
    """A client that monitors what it is told and asks for a fork of each call that station 1000 has answered."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.events = 0
        self._reader = reader
        self._writer = writer
        self._framing = framing_named("be2")

    def send(self, pdu: model.Pdu) -> None:
        self._writer.write(self._framing.encode(codec.encode(pdu)))

    async def run(self) -> None:
        """Until the server closes the connection."""
        with contextlib.suppress(ConnectionResetError):
            while octets := await self._reader.read(65536):
                for frame in self._framing.feed(octets):
                    self._take(codec.decode(frame))
        self._writer.close()

    def _take(self, pdu: model.Pdu) -> None:
        if not isinstance(pdu, model.Invoke) or not isinstance(pdu.argument, model.EventReport):
            return
        self.events += 1
        event = pdu.argument.event
        if isinstance(event, model.Established) and event.parties.calling == DeviceId("1000"):
            call = ConnectionId(event.connection.call_id, DeviceId("1000"))
            self.send(model.Invoke(1, model.SingleStepConference(call, DeviceId("7101"), Participation.SILENT)))


def test_the_command_counts_what_it_sent_and_times_the_fork(tmp_path: Path) -> None:
    file = tmp_path / "pbx.toml"
    file.write_text(
        f"""
        [pbx]
        recorder_ports = ["7101-7130"]
        stations = [{{range = "1000-1019"}}]
        [cap]
        port = 0
        users = []
        status_interval = 0
        faults.events.duplicate_every = 10
        [audio]
        speech = "{SPEECH}"
        [[boards]]
        name = "diun2"
        lines = ["virtual:cap-load-test/a"]
        ports = ["7101-7130"]
        [truth]
        directory = "truth"
        audio = false
        """
    )
    arguments = ["cap-load", "-c", str(file), "--events", "100", "--seconds", "1", "--recorded", "1", "--talk", "0.5"]
    code = "from osrec_emulators.app import main; main()"

    async def scenario() -> None:
        pbx = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, *arguments, stdout=asyncio.subprocess.PIPE
        )
        assert pbx.stdout is not None
        ready = (await pbx.stdout.readline()).decode()
        port = int(ready.partition("127.0.0.1:")[2].split()[0])
        recorder = Recorder(*await asyncio.open_connection("127.0.0.1", port))
        recorder.send(model.Associate())
        for number in range(1000, 1020):
            recorder.send(model.Invoke(number, model.MonitorStart(DeviceId(str(number)))))
        await recorder.run()
        result = json.loads(await pbx.stdout.read())
        assert await pbx.wait() == 0
        assert result["monitors"] == 20
        assert result["events"] == recorder.events > 100
        assert result["forked"] == result["answered"] == 2
        assert 0 < result["delay_p50"] <= result["delay_p99"] <= result["delay_longest"] < 1

    asyncio.run(scenario())
    faults = [json.loads(line) for line in (tmp_path / "truth" / "faults.jsonl").read_text().splitlines()]
    assert {fault["fault"] for fault in faults} == {"duplicate"}
    assert all(fault["client"].startswith("127.0.0.1:") and fault["at"].endswith("+00:00") for fault in faults)
