"""The real programs over real sockets, and what happens when they are killed."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from osrec_emulators.demo.demo import Demo, prepare
from osrec_emulators.demo.processes import Process, command, descendants, status

SPEECH = Path(__file__).parents[1] / "vectors" / "speech"
PATIENCE = 40.0
CALLS = 12


class Running:
    """Emulated PBX and recorder as `make run` starts them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        prepare(Demo(directory, SPEECH, seconds=60, calls=CALLS, steady=True))
        self.config = str(directory / "osrec.toml")
        self.pbx = Process(
            "PBX", [command("osrec-emulate"), "pbx", "-c", str(directory / "pbx.toml")], directory / "pbx.log"
        )
        self.recorder = Process("recorder", [command("osrec"), "run", "-c", self.config], directory / "osrec.log")

    def until(self, condition: Callable[[], Any]) -> Any:
        """The first true value of the condition; fails when none comes."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            self.recorder.need()
            if value := condition():
                return value
            time.sleep(0.05)
        pytest.fail(f"not within {PATIENCE} s; log:\n{self.recorder.log.read_text()[-3000:]}")

    def state(self) -> dict[str, Any]:
        return self.until(lambda: status(self.directory))  # type: ignore[no-any-return]

    def steady(self, seconds: float) -> bool:
        """Whether all calls are recorded, and have been for so long."""
        state = status(self.directory)
        running = [one for one in state["recordings"] if one["state"] == "running"] if state else []
        return len(running) == CALLS and all(one["seconds"] >= seconds for one in running)

    def kill(self, part: str) -> None:
        """kill -9 of one of the recorder's processes, as soon as it is there."""
        self.signal(part, signal.SIGKILL)

    def signal(self, part: str, number: signal.Signals) -> None:

        def own() -> list[int]:
            children = descendants(self.recorder.pid).items()
            return [pid for pid, line in children if f"osrec.recorder.{part}" in line]

        os.kill(self.until(own)[0], number)

    def osrec(self, *arguments: str) -> Any:
        done = subprocess.run(
            [command("osrec"), *arguments, "-c", self.config, "--json"], capture_output=True, text=True, check=True
        )
        return json.loads(done.stdout)

    def finish(self) -> None:
        """The PBX has ended all calls; the keeper stores all recordings; the recorder ends."""
        wanted: set[str] = set()

        def stored() -> bool:
            nonlocal wanted
            state = status(self.directory)
            if not state or state["recordings"] or state["conversations"]:
                return False
            conversations = self.osrec("conversations", "--limit", "10000")["conversations"]
            wanted = {one for conversation in conversations for one in conversation["recordings"]}
            have = {path.stem for path in (self.directory / "data" / "media").rglob("*.json")}
            return bool(wanted) and wanted <= have

        deadline = time.monotonic() + PATIENCE
        while not stored():
            assert time.monotonic() < deadline, "not all recordings were stored"
            time.sleep(0.2)
        assert self.recorder.stop() == 0

    def verdict(self, restarts: int) -> dict[str, Any]:
        data = self.directory / "data"
        arguments = ["--truth", str(self.directory / "truth"), "--recordings", str(data / "media"), "--json"]
        judge = [command("osrec-emulate"), "check", *arguments, "--restarts", str(restarts), "--stations", "31??"]
        judge += ["--allow-gap", "not_listening", "--allow-gap", "recorder_restart"]
        return json.loads(subprocess.run(judge, capture_output=True, text=True, check=False).stdout)  # type: ignore[no-any-return]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    site = Running(tmp_path / "site")
    yield site
    site.pbx.kill()
    for pid in descendants(site.recorder.pid):
        os.kill(pid, signal.SIGKILL)
    site.recorder.kill()


@pytest.mark.timeout(120)
def test_with_the_keeper_stopped_no_ended_conversation_is_missing(running: Running) -> None:
    running.until(lambda: running.steady(0.5) and (running.directory / "data" / "keeper.json").exists())
    running.signal("keeper", signal.SIGSTOP)
    going_on = {one["id"] for one in running.state()["conversations"]}
    assert len(going_on) == CALLS
    assert running.pbx.stop() == 0  # it ends all calls
    running.until(lambda: (state := running.state())["concluded"] == CALLS and not state["conversations"])

    def listed(command: str, member: str = "not_stored") -> set[str]:
        return {one["id"] for one in running.osrec(command)[member]}

    running.until(lambda: listed("ledger") == going_on)  # the journal has them within 0.1 s
    assert listed("conversations") == going_on
    running.signal("keeper", signal.SIGCONT)
    running.finish()
    assert listed("ledger") == set()
    assert listed("ledger", "conversations") == going_on


@pytest.mark.timeout(240)
def test_killing_recorder_and_keeper_costs_less_than_a_second_and_leaves_no_orphan(running: Running) -> None:
    running.until(lambda: running.steady(1.0))
    first_run = running.state()["run"]
    running.kill("main")
    running.kill("keeper")
    running.until(lambda: (s := status(running.directory)) and s["run"] != first_run and s["link"]["monitors"] == 40)
    running.until(lambda: running.steady(2.0))
    assert running.pbx.stop() == 0
    running.kill("keeper")  # when it has most to do
    running.finish()

    verdict = running.verdict(restarts=1)
    wrong = [one for kind in ("recordings", "judged") for one in verdict[kind] if one["faults"]] + verdict["faults"]
    assert wrong == []
    assert len(verdict["recordings"]) == CALLS, "the same recordings went on"
    # none at all when the kill came right after a write: what arrived meanwhile waited in the sockets
    assert max(one["gap_samples"] for one in verdict["recordings"]) <= 8000
    assert all(one["intact"] for one in running.osrec("verify"))
    stored = {path.name for path in (running.directory / "data" / "media").rglob("*") if path.is_file()}
    rows = running.osrec("recordings", "--limit", "10000")["recordings"]
    assert stored == {f"{row['id']}{suffix}" for row in rows for suffix in (".flac", ".json", ".peaks")}
