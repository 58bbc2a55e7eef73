"""The command as an installer sees it: a process with real sockets."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from osrec.wire.csta.model import ConnectionId, DeviceId, LocalState, Participation, SingleStepConference
from osrec_emulators.app import app
from osrec_emulators.check.sent import load_truth
from osrec_emulators.config import load_config
from osrec_emulators.live import view
from osrec_emulators.runner import Emulation

SPEECH = Path(__file__).parents[1] / "vectors" / "speech"
COMMAND = [sys.executable, "-c", "from osrec_emulators.app import main; main()", "pbx", "-c"]


def configure(home: Path) -> Path:
    """A PBX on ports that nobody has; its packets go to one that this test's process holds."""
    file = home / "pbx.toml"
    file.write_text(
        f"""
        [pbx]
        recorder_ports = ["7101-7130"]
        stations = [{{range = "3101-3110"}}]
        load = {{keep = 3, mean_hold = 1.0, ring = [0.0, 0.1]}}
        [cap]
        port = 0
        [audio]
        speech = "{SPEECH}"
        [[boards]]
        name = "diun2-1"
        lines = ["satop:127.0.0.1:0/127.0.0.1:{{port}}"]
        ports = ["7101-7130"]
        [truth]
        directory = "truth"
        """
    )
    return file


@pytest.fixture
def far(tmp_path: Path) -> socket.socket:
    """Where the packets go."""
    end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    end.bind(("127.0.0.1", 0))
    end.settimeout(10)
    file = configure(tmp_path)
    file.write_text(file.read_text().replace("{port}", str(end.getsockname()[1])))
    return end


def test_stops_by_itself_with_all_calls_in_the_truth(tmp_path: Path, far: socket.socket) -> None:
    command = [*COMMAND, str(tmp_path / "pbx.toml"), "--seconds", "1.5", "--drain", "0"]
    with far:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("ready: CSTA on 127.0.0.1:")
    assert "10 stations, 30 recorder ports on satop:" in done.stdout
    truth = load_truth(tmp_path / "truth")
    assert any(conversation.answered_at for conversation in truth.conversations)
    assert len(truth.slots) == 30


def test_sigterm_ends_it_cleanly(tmp_path: Path, far: socket.socket) -> None:
    command = [*COMMAND, str(tmp_path / "pbx.toml"), "--drain", "0.1"]
    with far, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert len(far.recv(2000)) == 260  # control word and 8 frames: it lives
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=10)
    assert (process.returncode, errors) == (0, "")
    assert (tmp_path / "truth" / "calls.jsonl").exists()


def test_frames_go_out_8000_a_second(tmp_path: Path, far: socket.socket) -> None:
    command = [*COMMAND, str(tmp_path / "pbx.toml"), "--seconds", "1", "--drain", "0.5"]
    with far, subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        packets = len([far.recv(2000)])
        far.settimeout(0.5)
        with suppress(TimeoutError):
            while far.recv(2000):
                packets += 1
        assert process.wait(10) == 0
    assert packets == pytest.approx(1500, abs=30)  # of 8 frames: the loop ends within a tick or two


def test_the_live_view_shows_calls_with_their_ports_and_the_lines(tmp_path: Path, far: socket.socket) -> None:
    with far:
        emulation = Emulation(load_config(tmp_path / "pbx.toml"), seed=1)
    world = emulation.world
    world.advance(1.4)
    call, leg = next(
        (call, leg)
        for call in world.switch.calls.values()
        for leg in call.legs.values()
        if call.answered and leg.state is LocalState.CONNECTED
    )
    connection = ConnectionId(call.id, DeviceId(leg.device))
    world.request(SingleStepConference(connection, DeviceId("7105"), Participation.SILENT), 1.4)
    console = Console(width=150, record=True, file=StringIO())
    console.print(view(emulation))
    shown = console.export_text()
    asyncio.run(emulation.close())
    assert f"{leg.device} connected" in shown
    assert f"7105 {leg.device} says" in shown
    assert "satop:127.0.0.1:0/" in shown


def test_a_wrong_file_ends_with_code_2_and_names_the_key(tmp_path: Path) -> None:
    (tmp_path / "pbx.toml").write_text("[pbx]\nstations = 5\n")
    result = CliRunner().invoke(app, ["pbx", "-c", str(tmp_path / "pbx.toml")])
    assert result.exit_code == 2
    assert "pbx.toml: pbx.stations = 5" in result.output


def test_an_address_in_use_is_named(tmp_path: Path, far: socket.socket) -> None:
    with far, socket.create_server(("127.0.0.1", 0)) as taken:
        file = tmp_path / "pbx.toml"
        port = taken.getsockname()[1]
        file.write_text(file.read_text().replace("port = 0", f"port = {port}"))
        done = subprocess.run([*COMMAND, str(file)], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert f"{file}: cap.listen = '127.0.0.1', cap.port = {port}: " in done.stderr
    assert "address already in use" in done.stderr


def test_check_says_in_words_and_json_that_nothing_was_recorded(tmp_path: Path) -> None:
    (tmp_path / "calls.jsonl").write_text("")
    (tmp_path / "audio-000001").mkdir()
    (tmp_path / "audio-000001" / "forks.jsonl").write_text(
        '{"is": "epoch", "number": 1, "at": "2026-11-23T12:00:00Z"}\n'
    )
    arguments = ["check", "--truth", str(tmp_path), "--recordings", str(tmp_path / "media")]
    words, values = CliRunner().invoke(app, arguments), CliRunner().invoke(app, [*arguments, "--json"])
    assert words.exit_code == values.exit_code == 1
    assert "there is no recording" in words.output
    assert json.loads(values.output)["right"] is False


def test_check_says_that_a_truth_without_audio_is_nothing_to_compare_with(tmp_path: Path) -> None:
    (tmp_path / "calls.jsonl").write_text("")
    done = CliRunner().invoke(app, ["check", "--truth", str(tmp_path), "--recordings", str(tmp_path / "media")])
    assert done.exit_code == 2
    assert "audio = true" in done.output


def test_check_without_truth_ends_with_code_2(tmp_path: Path) -> None:
    arguments = ["check", "--truth", str(tmp_path), "--recordings", str(tmp_path)]
    assert CliRunner().invoke(app, arguments).exit_code == 2


def test_faults_of_the_cap_server_are_told_at_the_end_and_written(tmp_path: Path, far: socket.socket) -> None:
    file = tmp_path / "pbx.toml"
    file.write_text(file.read_text().replace("[audio]", "restarts = [{at = 0.2, closed = 0.1}]\n[audio]"))
    command = [*COMMAND, str(file), "--seconds", "0.5", "--drain", "0"]
    with far:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "faults played: restart 1"
    (line,) = (tmp_path / "truth" / "faults.jsonl").read_text().splitlines()
    fault = json.loads(line)
    assert (fault["fault"], fault["client"]) == ("restart", "")
    assert 0.2 <= fault["seconds"] < 0.5
