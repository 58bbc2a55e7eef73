"""`osrec link`: the CSTA link in full, and a capture of what passes over it."""

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from time import sleep
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from osrec.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    console,
    control_socket,
    plain_errors,
    print_json,
)
from osrec.config import load
from osrec.csta import pcap
from osrec.csta.tap import Passed
from osrec.errors import StoreError
from osrec.recorder import ask

SHOWN = 10  # of troubles and of undecodable PDUs
SHOWN_OCTETS = 64  # of one PDU; --json has all


@plain_errors
def link(
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    every: Annotated[float, typer.Option(min=0.1, help="Seconds between two looks with --follow.")] = 1.0,
    capture: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write what passes over the link as pcap; secrets masked."),
    ] = None,
    seconds: Annotated[float | None, typer.Option(min=0.1, help="End the capture by itself, else by Ctrl-C.")] = None,
) -> None:
    """The CSTA link: association, monitors, queue, troubles, PDUs that could not be read; or a capture of it."""
    socket = control_socket(load(config))
    if seconds is not None and capture is None:
        raise typer.BadParameter("--seconds says how long to capture; give --capture FILE too")
    if capture is not None:
        _capture(socket, capture, seconds)
    elif json:
        for state in _states(socket, every if follow else None):
            print_json(state)
    elif not follow:
        console.print(link_view(next(_states(socket, None))))
    else:
        _follow(socket, every)


def _states(socket: Path, every: float | None) -> Iterator[dict[str, Any]]:
    """The state now; with `every` again and again."""
    while True:
        yield ask.request(socket, {"ask": "link"})["link"]
        if every is None:
            return
        sleep(every)


def _follow(socket: Path, every: float) -> None:
    try:
        with Live(console=console, screen=console.is_terminal, auto_refresh=False, vertical_overflow="crop") as live:
            for state in _states(socket, every):
                live.update(link_view(state), refresh=True)
    except KeyboardInterrupt:
        return


# --- capture


def _capture(socket: Path, path: Path, seconds: float | None) -> None:
    """The file is ours, with our rights; the recorder only tells what passes."""
    request = {"ask": "capture"} if seconds is None else {"ask": "capture", "seconds": seconds}
    answers = ask.stream(socket, request)
    first = next(answers)  # is there a recorder, before a file is made?
    data = missed = 0
    try:
        with path.open("wb") as file:
            file.write(pcap.header())
            print(f"capturing to {path}" + ("; Ctrl-C ends it" if seconds is None else ""))
            for answer in chain((first,), answers):
                missed = answer["missed"]
                if answer.get("done"):
                    break
                for one in answer["passed"]:
                    passed = passed_of(one)
                    data += passed.what == "data"
                    file.write(pcap.packets(passed))
                file.flush()  # for whoever looks at it meanwhile
    except KeyboardInterrupt:
        pass
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}") from error
    print(f"{path}: {data} pieces captured" + (f", {missed} missed: this end was too slow" if missed else ""))


def passed_of(value: dict[str, Any]) -> Passed:
    """From its JSON form, docs/control.md."""
    local, peer = ((str(host), int(port)) for host, port in (value["local"], value["peer"]))
    return Passed(
        value["at"],
        value["what"],
        value["connection"],
        local,
        peer,
        value["sent"],
        value["position"],
        value["other"],
        bytes.fromhex(value["hex"]),
    )


# --- showing the state


def link_view(state: dict[str, Any]) -> RenderableType:
    parts: list[RenderableType] = [_head(state), _numbers(state)]
    if state["monitors"]["refused_why"]:
        parts.append(_refused(state["monitors"]))
    if state["troubles"]:
        troubles = [(one["at"], one["text"]) for one in state["troubles"][-SHOWN:]]
        parts.append(_table("Last troubles", ("at", "what"), troubles))
    undecodable = state["undecodable"]
    if undecodable["count"]:
        reasons = [(str(count), reason) for reason, count in undecodable["reasons"].items()]
        parts.append(_table(f"Could not be read: {undecodable['count']}", ("times", "reason"), reasons[:SHOWN]))
        rows = [(one["at"], one["reason"], _hex(one["hex"])) for one in undecodable["last"][-SHOWN:]]
        parts.append(_table("The last of them", ("at", "reason", "octets"), rows))
    return Group(*parts)


def _head(state: dict[str, Any]) -> RenderableType:
    up = state["up_since"] is not None
    text = Text()
    text.append("up" if up else state["state"], "bold green" if up else "bold red")
    text.append(f" {state['server']}" + (f" since {state['up_since']}" if up else ""))
    if state["down_reason"]:
        text.append(f"\n{state['down_reason']}", "red")
    others = [server for server in state["servers"] if server != state["server"]]
    if others:
        text.append(f"; other servers: {', '.join(others)}; changes: {state['server_changes']}")
    edition = f" edition {state['edition']}" if state["edition"] else ""
    text.append(f"\n{state['encoding']}{edition}, framing {state['framing']}")
    association = state["association"]
    session = f", session {association['session']}" if association["session"] else ""
    text.append(f", association {association['number']}{session}, {association['requests']} requests outstanding")
    if state["pbx_status"]:
        text.append(f", the PBX is {state['pbx_status']}")
    if state["captures"]:
        text.append(f"\n{state['captures']} captures running", "yellow")
    return Panel(text, title="CSTA link", title_align="left")


def _numbers(state: dict[str, Any]) -> RenderableType:
    monitors, counters, events, queue = (state[key] for key in ("monitors", "counters", "events", "queue"))
    running = f"{monitors['running']} of {monitors['wanted']} running, {monitors['refused']} refused"
    running += f" ({monitors['without_licence']} for want of licences)"
    running += f", {monitors['snapshots_awaited']} snapshots awaited"
    delays = ", ".join(f"{name} {_milliseconds(queue[f'delay_{name}'])}" for name in ("p50", "p99", "longest"))
    rows = [
        ("monitors", running),
        ("messages", ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in counters.items())),
        ("events", ", ".join(f"{name} {value}" for name, value in events.items())),
        ("queue", f"{queue['depth']} of {queue['most']}, deepest {queue['deepest']}, dropped {queue['dropped']}"),
        ("last minute", f"{queue['per_second']} messages/s, socket to logic {delays}"),
    ]
    return _table(None, ("", ""), rows)


def _refused(monitors: dict[str, Any]) -> RenderableType:
    by_reason: dict[str, list[str]] = {}
    for device, why in monitors["refused_why"].items():
        by_reason.setdefault(why, []).append(device)
    rows = [(why, ", ".join(devices)) for why, devices in by_reason.items()]
    more = monitors["refused"] - len(monitors["refused_why"])
    title = "Not monitored" + (f" (and {more} more)" if more > 0 else "")
    return _table(title, ("why", "stations"), rows)


def _table(title: str | None, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> RenderableType:
    table = Table(title=title, title_justify="left", show_header=any(columns), box=None, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


def _hex(octets: str) -> str:
    shown = octets[: SHOWN_OCTETS * 2]
    return shown if shown == octets else f"{shown}... ({len(octets) // 2} octets)"


def _milliseconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds * 1000:.1f} ms"
