"""`osrec lines`: the E1 lines and what is wrong with them; loops and error performance of one of them."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from osrec.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    console,
    control_socket,
    plain_errors,
    print_json,
)
from osrec.cli.lines_view import line_panel, lines_view, performance_view
from osrec.cli.operate import EveryOption, show
from osrec.config import load
from osrec.recorder import ask

LOOPS = {"local": "local", "remote": "remote", "off": "none"}
FollowOption = Annotated[bool, typer.Option("--follow", "--watch", "-f", help="Go on until Ctrl-C.")]


@plain_errors
def lines(
    line: Annotated[str | None, typer.Argument(help="Name of one line; without it all of them.")] = None,
    what: Annotated[str | None, typer.Argument(metavar="[loop|performance]", help="What of it.")] = None,
    kind: Annotated[str | None, typer.Argument(metavar="[local|remote|off]", help="Of the loop.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
    follow: FollowOption = False,
    every: EveryOption = 1.0,
    force: Annotated[bool, typer.Option("--force", help="Loop a line although calls are recorded on it.")] = False,
) -> None:
    """The E1 lines: what is wrong and what it most likely means, counters, and what is on each slot.

    `LINE performance`: errored, severely errored and unavailable seconds of the last day, G.826.
    `LINE loop local|remote|off`: for the acceptance of a cable; local: we receive what we send; remote: the PBX does.
    """
    match what:
        case None:
            show(
                config, lambda status, height: _view(status, line), json, follow, every, only=lambda s: _lines(s, line)
            )
        case "performance":
            _performance(config, str(line), json)
        case "loop":
            _loop(config, str(line), kind, json, force)
        case _:
            raise typer.BadParameter(f"{what!r}: loop or performance", param_hint="what")


def _lines(status: dict[str, Any], name: str | None) -> list[dict[str, Any]]:
    """Those that were asked for."""
    found = [line for line in status["lines"] if name in (None, line["name"])]
    if not found:
        known = ", ".join(line["name"] for line in status["lines"])
        raise typer.BadParameter(f"{name!r}: no line of this recorder; there is {known}", param_hint="line")
    return found


def _view(status: dict[str, Any], name: str | None) -> RenderableType:
    found = _lines(status, name)
    return lines_view({"lines": found}) if name is None else line_panel(found[0], whole=True)


def _performance(config: Path, line: str, json: bool) -> None:
    told = ask.request(control_socket(load(config)), {"ask": "performance", "line": line})["performance"]
    if json:
        print_json(told)
    else:
        console.print(performance_view(told))


def _loop(config: Path, line: str, kind: str | None, json: bool, force: bool) -> None:
    if kind not in LOOPS:
        raise typer.BadParameter(f"{kind!r}: one of {', '.join(LOOPS)}", param_hint="kind")
    request = {"ask": "loop", "line": line, "kind": LOOPS[kind], "force": force}
    answer = ask.request(control_socket(load(config)), request)
    if json:
        print_json({"line": answer["line"], "loop": answer["kind"]})
    else:
        print(f"{line}: no loop" if kind == "off" else f"{line}: loop {kind}; `osrec lines {line} loop off` ends it")
