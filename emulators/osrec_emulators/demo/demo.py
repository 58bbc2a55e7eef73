"""`osrec-emulate demo`: the emulated PBX and the recorder side by side, and at the end the verdict."""

import json
import math
import shutil
import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Any

from rich.console import Console

from osrec_emulators.check.demands import DEMANDS
from osrec_emulators.demo.measure import Meter
from osrec_emulators.demo.processes import DemoError, Process, command, free_ports, status, until

MARK = ".osrec-demo"  # in a directory that a demonstration made, and may therefore clear
START = 30.0
SETTLE = 60.0
EVERY = 5.0  # seconds between two lines of progress
# what the rules of osrec.toml say, as patterns for the judge
EXPECTED = ("--stations", "31??", "--never", "3139", "--never", "+48225550100", "--on-demand", "3138")


class Signalling(StrEnum):
    """How the PBX puts a call on a time slot, docs/signalling.md."""

    NONE = "none"
    DSS1 = "dss1"
    QSIG = "qsig"
    CAS = "cas"


@dataclass(frozen=True, slots=True)
class Demo:
    """What to show.

    Attributes:
        directory: for configuration, logs, truth and recordings; it is cleared first.
        seconds: how long; None: until Ctrl-C, with a live view.
        calls: simultaneous calls that the PBX keeps up, at least.
        hold: mean seconds of a conversation.
        steady: exactly `calls` calls at all times, from outside and without features, instead of lively traffic.
        speech: directory of speech files.
        measure: note CPU and memory of every process over time.
        signalling: of the recorder trunk, at both ends.
    """

    directory: Path
    speech: Path
    seconds: float | None = None
    calls: int = 14
    hold: float = 20.0
    seed: int = 1
    measure: bool = False
    steady: bool = False
    signalling: Signalling = Signalling.NONE


def prepare(demo: Demo) -> None:
    """Clear the directory and write both configurations. Raises DemoError for a directory that is not ours."""
    directory = demo.directory
    if directory.exists() and any(directory.iterdir()) and not (directory / MARK).exists():
        raise DemoError(f"{directory} is not empty and was not made by a demonstration; name another with --directory")
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    (directory / MARK).touch()
    names = ("CAP_PORT", "PBX_PORT_1", "PBX_PORT_2", "LINE_PORT_1", "LINE_PORT_2")
    values = dict(zip(names, map(str, free_ports(len(names))), strict=True))
    values |= {"CALLS": str(demo.calls), "HOLD": str(demo.hold), "SEED": str(demo.seed)}
    values |= {"SPEECH": str(demo.speech.resolve()), "TRUTH": "true" if demo.seconds else "false"}
    values["SIGNALLING"] = demo.signalling.value
    values["TRAFFIC"] = _steady(demo.calls) if demo.steady else template("lively.toml")
    for name in ("pbx.toml", "osrec.toml"):
        text = template(name).replace("@TRAFFIC@", values["TRAFFIC"])
        for key, value in values.items():
            text = text.replace(f"@{key}@", value)
        (directory / name).write_text(text, encoding="utf-8")


def template(name: str) -> str:
    """A configuration file with @KEYS@ to be filled in."""
    return files("osrec_emulators.demo").joinpath(name).read_text(encoding="utf-8")


def _steady(calls: int) -> str:
    """Calls from outside to as many stations, each of two minutes less a second, one after the other without end."""
    scripts = []
    for number in range(calls):
        station, caller = 3100 + number, f"+4822{number:07d}"
        scripts.append(
            f"""[[pbx.script]]
start = {5 + 0.1 * number:.1f}
repeat = 120
steps = [
    {{ at = 0, from = "{caller}", action = "call", to = "{station}" }},
    {{ at = 0.5, from = "{station}", action = "answer" }},
    {{ at = 119, from = "{station}", action = "hangup" }},
]
"""
        )
    return "\n".join(scripts)


def run(demo: Demo, console: Console) -> int:
    """Show it; the exit code. Raises DemoError."""
    prepare(demo)
    began = time.monotonic()
    pbx = Process("the PBX", _pbx_command(demo), demo.directory / "pbx.log")
    recorder = Process(
        "the recorder",
        [command("osrec"), "run", "-c", str(demo.directory / "osrec.toml")],
        demo.directory / "osrec.log",
    )
    try:
        _wait_for_link(demo, console, pbx, recorder, began)
        if demo.seconds is None:
            return _watch(demo)
        return _count_down(demo, console, pbx, recorder)
    finally:
        for process in (pbx, recorder):
            if process.running():
                try:
                    process.stop()
                except DemoError as error:
                    console.print(f"[red]{error}")
            process.kill()


def _pbx_command(demo: Demo) -> list[str]:
    return [command("osrec-emulate"), "pbx", "-c", str(demo.directory / "pbx.toml")]


def _wait_for_link(demo: Demo, console: Console, pbx: Process, recorder: Process, began: float) -> None:
    for _ in until(began + START, pbx, recorder):
        state = status(demo.directory)
        if state and state["link"]["monitors"] == state["link"]["stations"]:
            elapsed = time.monotonic() - began
            console.print(f"PBX and recorder run after {elapsed:.1f} s; logs and data are in {demo.directory}/")
            return
    raise DemoError(f"the recorder did not monitor all stations within {START:.0f} s; see {demo.directory}/*.log")


def _watch(demo: Demo) -> int:
    """The recorder's own live view, until Ctrl-C."""
    view = [command("osrec"), "status", "--follow", "-c", str(demo.directory / "osrec.toml")]
    try:
        return subprocess.run(view, check=False).returncode
    except KeyboardInterrupt:
        return 0


def _count_down(demo: Demo, console: Console, pbx: Process, recorder: Process) -> int:
    assert demo.seconds is not None
    begin = time.monotonic()
    end = begin + demo.seconds
    meter = Meter({"PBX": pbx.pid, "osrec run": recorder.pid}) if demo.measure else None
    next_line, most, kept = begin, 0, False
    for _ in until(end, pbx, recorder):
        now = time.monotonic()
        if now < next_line:
            continue
        next_line += EVERY
        state = status(demo.directory)
        if state is None:
            console.print("the recorder does not answer")
            continue
        if meter is not None:
            meter.sample(now - begin, len(state["recordings"]))
        most = max(most, len(state["recordings"]))
        kept = kept or _keep(demo, console, state["recordings"])
        missing = sum(max(line["expected"] - line["received"], 0) for line in state["lines"])
        alarms = "; ".join(alarm["text"] for alarm in state["alarms"]) or "none"
        console.print(
            f"{math.ceil(end - now):4d} s left: {len(state['conversations'])} conversations, "
            f"{len(state['recordings'])} recordings, {state['concluded']} ended, alarms: {alarms}"
        )
        if missing > 8000:  # a second: more than what is on its way
            console.print(f"[red]{missing} samples missing on the lines")
    console.print("the PBX ends all calls ...")
    if pbx.stop() != 0:
        raise DemoError(f"the PBX ended with an error; see {pbx.log}")
    _settle(demo, recorder)
    recorder.stop()
    if meter is not None:
        meter.write(demo.directory / "measurement.md", console)
    console.print(f"at most {most} recordings at once")
    return _judge(demo, console)


def _keep(demo: Demo, console: Console, recordings: list[dict[str, Any]]) -> bool:
    """Somebody asks for the first call that is recorded on demand; the later ones are thrown away."""
    station = next((one["station"] for one in recordings if one["provisional"]), None)
    if station is None:
        return False
    call = [command("osrec"), "call", "keep", station, "--by", "demo", "-c", str(demo.directory / "osrec.toml")]
    asked = datetime.now(UTC)
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    said = (done.stdout or done.stderr).strip()
    console.print(f"osrec call {said}")
    demand = {"at": asked.isoformat(), "station": station, "what": "keep", "error": said if done.returncode else None}
    with (demo.directory / "truth" / DEMANDS).open("a", encoding="utf-8") as file:
        file.write(json.dumps(demand) + "\n")
    return done.returncode == 0


def _judge(demo: Demo, console: Console) -> int:
    """Recordings and ledger against what the PBX did; the exit code."""
    ledger = demo.directory / "ledger.json"
    with ledger.open("wb") as output:
        told = [command("osrec"), "ledger", "--json", "-c", str(demo.directory / "osrec.toml")]
        findings = subprocess.run(told, stdout=output, check=False).returncode
    if not ledger.stat().st_size:
        raise DemoError(f"osrec ledger ended with code {findings} and said nothing that could be judged")
    if findings:
        console.print(f"[red]the ledger has findings: what does not fit together stands at the end of {ledger}")
    check = [command("osrec-emulate"), "check", "--truth", str(demo.directory / "truth"), *EXPECTED]
    check += ["--recordings", str(demo.directory / "data" / "media"), "--ledger", str(ledger)]
    return subprocess.run(check, check=False).returncode or findings


def _settle(demo: Demo, recorder: Process) -> None:
    """Wait until no recording runs. A call that was parked when all hung up goes on: no monitor told of its end."""
    for _ in until(time.monotonic() + SETTLE, recorder):
        state = status(demo.directory)
        if state and not state["recordings"] and not any(one["recorded_at"] for one in state["conversations"]):
            return
    raise DemoError(f"not all recordings ended within {SETTLE:.0f} s; see {recorder.log}")
