"""`osrec-emulate measure-link`: how a real recorder process takes many events and many monitors over TCP."""

import json
import os
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console

from osrec_emulators.demo.command import SPEECH
from osrec_emulators.demo.demo import MARK, template
from osrec_emulators.demo.measure import Meter
from osrec_emulators.demo.processes import DemoError, Process, ask, command, free_ports, until
from osrec_emulators.load import PATIENCE

FIRST_STATION = 10_000
START = 60.0
CATCH_UP = 60.0  # seconds in which the recorder may work on what still waits in its queue when the PBX is gone
REPORT_EVERY = 5.0  # seconds


@dataclass(frozen=True, slots=True)
class Campaign:
    """What to measure; see the options of the command."""

    directory: Path
    encoding: str
    events: float
    seconds: float
    devices: int
    recorded: int
    starts: float
    window: int
    speech: Path


def measure_link(
    *,
    directory: Annotated[
        Path, typer.Option(help="For configuration, logs and recordings; it is cleared first.")
    ] = Path("run-link"),
    events: Annotated[float, typer.Option(min=1, help="Event reports a second.")] = 1000.0,
    seconds: Annotated[float, typer.Option(min=1, help="How long.")] = 60.0,
    devices: Annotated[int, typer.Option(min=50, max=10_000, help="Stations, all of them monitored.")] = 5000,
    recorded: Annotated[int, typer.Option(min=1, max=30, help="Stations whose calls are recorded.")] = 20,
    encoding: Annotated[Literal["asn1", "xml"], typer.Option(help="Of CSTA.")] = "asn1",
    starts: Annotated[float, typer.Option(min=1, help="The recorder's csta.starts_per_second.")] = 1000.0,
    window: Annotated[int, typer.Option(min=1, help="The recorder's csta.window.")] = 32,
    speech: Annotated[Path, typer.Option(help="Directory of speech files, raw A-law.")] = SPEECH,
) -> None:
    """Emulated PBX and recorder over TCP: all monitors, then so many events a second; prints what was lost, and delays.

    Exit code 0 only when no event was lost and every call that was to be recorded was asked for.
    """
    campaign = Campaign(directory.resolve(), encoding, events, seconds, devices, recorded, starts, window, speech)
    try:
        code = run(campaign, Console(highlight=False))
    except DemoError as error:
        print(f"osrec-emulate: {error}", file=sys.stderr)
        code = 1
    raise typer.Exit(code)


def prepare(campaign: Campaign) -> None:
    """Clear the directory and write both configurations. Raises DemoError for a directory that is not ours."""
    directory = campaign.directory
    if directory.exists() and any(directory.iterdir()) and not (directory / MARK).exists():
        raise DemoError(f"{directory} is not empty and was not made by a measurement; name another with --directory")
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    (directory / MARK).touch()
    names = ("CAP_PORT", "PBX_PORT_1", "PBX_PORT_2", "LINE_PORT_1", "LINE_PORT_2")
    values = dict(zip(names, map(str, free_ports(len(names))), strict=True))
    last = FIRST_STATION + campaign.devices - 1
    values |= {
        "STATIONS": f"{FIRST_STATION}-{last}",
        "RECORDED": f"{FIRST_STATION}-{FIRST_STATION + campaign.recorded - 1}",
        "ENCODING": campaign.encoding,
        "FRAMING": "xml8" if campaign.encoding == "xml" else "be2",
        "STARTS": f"{campaign.starts:g}",
        "WINDOW": str(campaign.window),
        "SPEECH": str(campaign.speech.resolve()),
    }
    for source, name in (("link_pbx.toml", "pbx.toml"), ("link_osrec.toml", "osrec.toml")):
        text = template(source)
        for key, value in values.items():
            text = text.replace(f"@{key}@", value)
        (directory / name).write_text(text, encoding="utf-8")


def run(campaign: Campaign, console: Console) -> int:
    """Measure; the exit code. Raises DemoError."""
    prepare(campaign)
    directory = campaign.directory
    load = [command("osrec-emulate"), "cap-load", "-c", str(directory / "pbx.toml")]
    load += ["--events", str(campaign.events), "--seconds", str(campaign.seconds), "--recorded", str(campaign.recorded)]
    pbx = Process("the PBX", load, directory / "pbx.log")
    recorder = Process(
        "the recorder", [command("osrec"), "run", "-c", str(directory / "osrec.toml")], directory / "osrec.log"
    )
    try:
        link, meter = _follow(campaign, console, pbx, recorder)
        sent = _result(pbx)
        recorder.stop()
    finally:
        pbx.kill()
        recorder.kill()
    meter.write(directory / "measurement.md", console)
    return _report(console, sent, link)


def _follow(campaign: Campaign, console: Console, pbx: Process, recorder: Process) -> tuple[dict[str, Any], Meter]:
    """The recorder's last word on its link while the PBX was there."""
    link: dict[str, Any] | None = None
    began = time.monotonic()
    next_line = began + REPORT_EVERY
    meter: Meter | None = None
    while pbx.running():
        recorder.need()
        if time.monotonic() - began > START + PATIENCE + campaign.seconds:
            raise DemoError(f"the measurement did not end; see {campaign.directory}/*.log")
        now = ask(campaign.directory, "link")
        if now is not None and now["monitors"]["running"]:
            link = now
            meter = meter or Meter({"PBX": pbx.pid, "osrec run": recorder.pid})
        if link is not None and meter is not None and time.monotonic() >= next_line:
            next_line += REPORT_EVERY
            # the full status would hold the recorder up and be measured with it, so the recordings are the planned ones
            meter.sample(time.monotonic() - began, campaign.recorded if link["events"]["applied"] else 0)
            console.print(
                f"{time.monotonic() - began:4.0f} s: {link['monitors']['running']} monitors, "
                f"{link['events']['applied']} events, {link['queue']['per_second']:g} PDUs/s, "
                f"queue {link['queue']['depth']} (deepest {link['queue']['deepest']})"
            )
        time.sleep(0.5)
    if link is None or meter is None:
        pbx.need()
        raise DemoError(f"the recorder's link never came up; see {campaign.directory}/*.log")
    return _caught_up(campaign, recorder) or link, meter


def _caught_up(campaign: Campaign, recorder: Process) -> dict[str, Any] | None:
    """What the recorder says when it has taken all that waited in its queue."""
    for _ in until(time.monotonic() + CATCH_UP, recorder):
        link = ask(campaign.directory, "link")
        if link is not None and not link["queue"]["depth"]:
            return link
    return None


def _result(pbx: Process) -> dict[str, Any]:
    lines = [line for line in pbx.log.read_text(errors="replace").splitlines() if line.startswith("{")]
    if not lines:
        pbx.need()
    result: dict[str, Any] = json.loads(lines[-1])
    return result


def _report(console: Console, sent: dict[str, Any], link: dict[str, Any]) -> int:
    counted, queue = link["events"], link["queue"]
    seen = counted["applied"] + counted["repeated"] + counted["unknown"]
    lost = sent["events"] - seen
    console.print(
        f"monitors: {sent['monitors']}, all running {sent['monitored_after']:g} s after the association, "
        f"their snapshots done after {sent['settled_after']:g} s\n"
        f"events: {sent['events']} sent in {sent['calls']} calls in {sent['seconds']:g} s; the recorder counted {seen} "
        f"({counted['applied']} applied, {counted['repeated']} repeated, {counted['unknown']} of unknown monitors), "
        f"{link['counters']['undecodable']} undecodable; lost: {lost}\n"
        f"queue: at most {queue['deepest']} of {queue['most']} PDUs, {queue['dropped']} dropped\n"
        f"forks: {sent['forked']} asked for of {sent['answered']} answered calls; from event to request "
        f"p50 {_ms(sent['delay_p50'])}, p99 {_ms(sent['delay_p99'])}, longest {_ms(sent['delay_longest'])}\n"
        f"the emulator itself was late by {_ms(sent['late'])} at most; load average of the machine over a minute "
        f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )
    right = lost == 0 and queue["dropped"] == 0 and sent["forked"] == sent["answered"]
    console.print("[green]nothing was lost" if right else "[red]something was lost, see above")
    return 0 if right else 1


def _ms(seconds: float | None) -> str:
    return "-" if seconds is None else f"{1000 * seconds:.1f} ms"
