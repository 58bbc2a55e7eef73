"""`osrec lines` and `osrec bert` at a recorder that runs, on an E1 line over UDP whose far end the test plays."""

import json
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from osrec.app import app
from osrec_drivers.line import IDLE, Line, open_line
from osrec_emulators.demo.processes import Process, command, descendants

PATIENCE = 30.0
SECOND = bytes([IDLE]) * 32 * 8000


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def configuration(directory: Path, port: int) -> str:
    return (
        f'[data]\ndirectory = "{directory}/data"\nsegment_mib = 1\nsegments = 3\n[csta]\nhost = "127.0.0.1"\nport = 1\n'
        f'[[lines]]\nname = "trunk1"\nspec = "satop:127.0.0.1:{port}"\nports = ["7101-7130"]\n'
        '[stations]\nmonitored = ["3100"]\n[[rules]]\nname = "all"\naction = "record"\n'
    )


def osrec(*arguments: str) -> Result:
    """The command, in this process: starting Python takes longer than what it does."""
    return CliRunner().invoke(app, arguments)


class Rack:
    """A recorder without a PBX behind its CSTA link, and the far end of its line."""

    def __init__(self, directory: Path) -> None:
        port = free_port()
        self.directory = directory
        self.config = directory / "osrec.toml"
        self.config.write_text(configuration(directory, port))
        self.far: Line = open_line(f"satop:127.0.0.1:0/127.0.0.1:{port}")
        self.recorder = Process("recorder", [command("osrec"), "run", "-c", str(self.config)], directory / "log")
        self._sent_until = 0.0

    def keep_sending(self) -> None:
        """A few seconds of idle frames are always on their way."""
        now = time.monotonic()
        self._sent_until = max(self._sent_until, now)
        while self._sent_until < now + 4.0:
            self.far.transmit(SECOND)
            self._sent_until += 1.0

    def __call__(self, *arguments: str) -> Result:
        self.keep_sending()
        return osrec(*arguments, "-c", str(self.config))

    def json(self, *arguments: str) -> Any:
        done = self(*arguments, "--json")
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    def line(self) -> dict[str, Any]:
        (line,) = self.json("lines", "trunk1")
        return dict(line)

    def until(self, condition: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + PATIENCE
        while not (value := condition()):
            assert time.monotonic() < deadline, f"it did not come true; log:\n{self.recorder.log.read_text()[-3000:]}"
            self.recorder.need()
            time.sleep(0.1)
        return value

    def stop(self) -> None:
        for pid in descendants(self.recorder.pid):
            os.kill(pid, signal.SIGKILL)
        self.recorder.kill()
        self.far.close()


@pytest.fixture(scope="module")
def rack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rack]:
    rack = Rack(tmp_path_factory.mktemp("rack"))
    rack.until(lambda: rack("lines", "--json").exit_code == 0)
    rack.until(lambda: rack.line()["crc4"] == "multiframe" and not rack.line()["alarms"])
    yield rack
    rack.stop()


def test_a_sound_line_is_drawn_with_nothing_to_say_of_it(rack: Rack) -> None:
    drawn = rack("lines").stdout
    assert "PBX  ════════►  recorder  frames and CRC-4" in drawn
    assert "trunk1" in drawn
    assert "likely" not in drawn
    assert rack.line()["findings"] == []


def test_seconds_are_counted(rack: Rack) -> None:
    def seconds() -> int:
        told = rack.json("lines", "trunk1", "performance")
        return int(sum(one["near"]["seconds"] for one in told["quarters"]))

    first = rack.until(seconds)
    rack.until(lambda: seconds() > first)
    drawn = rack("lines", "trunk1", "performance").stdout
    assert "300 of 1000 blocks" in drawn
    assert "near end, available" in drawn


def test_a_bit_error_test_without_a_loop_fails_and_says_what_is_missing(rack: Rack) -> None:
    failed = rack("bert", "trunk1", "5", "--seconds", "2")
    assert failed.exit_code == 1
    assert "no pattern" in failed.stdout
    assert "loop plug" in failed.stdout


def test_a_bit_error_test_over_a_loop_finds_no_error(rack: Rack) -> None:
    rack.far.loop("remote")
    time.sleep(0.5)  # frames are found in the loop's new place
    rack.keep_sending()
    passed = rack("bert", "trunk1", "1-3,31", "--pattern", "2^11-1", "--seconds", "3", "--json")
    rack.far.loop("none")
    told = json.loads(passed.stdout)
    assert [one["slot"] for one in told["slots"]] == [1, 2, 3, 31]
    assert all(one["bits"] > 64_000 and one["errors"] == 0 for one in told["slots"])
    undisturbed = all(one["missing"] == one["losses"] == 0 for one in told["slots"])  # or the machine stood still
    assert (passed.exit_code, told["verdict"]) == ((0, "passed") if undisturbed else (1, "errors"))


def test_a_loop_is_set_told_raised_as_an_alarm_and_ended(rack: Rack) -> None:
    assert rack("lines", "trunk1", "loop", "local").stdout.startswith("trunk1: loop local")
    rack.until(lambda: rack.line()["loop"] == "local")
    rack.until(lambda: any("we receive what we send" in one["what"] for one in rack.line()["findings"]))
    assert "line-loop:trunk1" in [one["key"] for one in rack.json("status")["alarms"]]
    assert rack("lines", "trunk1", "loop", "off").exit_code == 0
    rack.until(lambda: rack.line()["loop"] == "none")
    assert "line-loop:trunk1" not in [one["key"] for one in rack.json("status")["alarms"]]


def test_a_far_end_without_crc_4_is_named(rack: Rack) -> None:
    """The same far end again, set to do without CRC-4, on the port that the recorder answers to."""
    spec = f"{rack.far.spec}?crc4=0"
    address = rack.far.address  # type: ignore[attr-defined]
    rack.far.close()
    rack.far, rack._sent_until = open_line(spec.replace("127.0.0.1:0/", f"127.0.0.1:{address[1]}/")), 0.0
    wanted = {"alarms": ["lmfa"], "crc4": "non-crc interworking"}
    rack.until(lambda: wanted.items() <= rack.line().items())
    drawn = rack("lines", "trunk1").stdout
    assert "FAS found, no CRC-4 multiframe for 400 ms: the far end does not send CRC-4" in drawn
    assert "CRC-4 is switched on here only" in drawn


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("lines", "trunk9"), "'trunk9': no line of this recorder; there is trunk1"),
        (("lines", "trunk1", "dance"), "'dance': loop or performance"),
        (("lines", "trunk1", "loop", "double"), "'double': one of local, remote, off"),
        (("lines", "trunk9", "performance"), "line = 'trunk9': one of trunk1"),
        (("bert", "trunk1", "0"), "time slot 0 does not carry audio"),
        (("bert", "trunk1", "one"), "'one' are no time slots"),
        (("bert", "trunk9", "1"), "line = 'trunk9': one of trunk1"),
    ],
)
def test_what_cannot_be_is_refused_with_what_would_be_right(rack: Rack, arguments: tuple[str, ...], said: str) -> None:
    refused = rack(*arguments)
    assert refused.exit_code in (1, 2)
    assert said in " ".join(refused.stderr.replace("│", " ").split())


@pytest.mark.parametrize("named", [False, True], ids=["by its spec", "by its name, no recorder running"])
def test_a_line_that_no_recorder_holds_is_tested_directly(tmp_path: Path, named: bool) -> None:
    port, config = free_port(), tmp_path / "osrec.toml"
    config.write_text(configuration(tmp_path, port))
    line = "trunk1" if named else f"satop:127.0.0.1:{port}"
    with Looped(port):
        told = osrec("bert", line, "1,31", "--seconds", "3", "--json", "-c", str(config))
    first, last = json.loads(told.stdout)["slots"]
    assert (first["slot"], last["slot"]) == (1, 31)
    assert first["errors"] == last["errors"] == 0
    assert min(first["bits"], last["bits"]) > 64_000


class Looped:
    """A far end in a loop, which sends all the time."""

    def __init__(self, port: int) -> None:
        self.line = open_line(f"satop:127.0.0.1:0/127.0.0.1:{port}")

    def __enter__(self) -> None:
        self.line.transmit(SECOND * 8)
        self.line.loop("remote")

    def __exit__(self, *_: object) -> None:
        self.line.close()
