"""Commands that run a recorder or look at a running one."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.live import Live

from osrec.cli.common import DEFAULT_CONFIG, ConfigOption, JsonOption, console, control_socket, plain_errors, print_json
from osrec.cli.live import lines_view, status_view
from osrec.config import Config, load
from osrec.engine.rules import RuleSet
from osrec.numbers import expand
from osrec.recorder import ask
from osrec.recorder.parts import build_engine
from osrec_drivers.line import check_spec

View = Callable[[dict[str, Any]], RenderableType]
FollowOption = Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")]
EveryOption = Annotated[float, typer.Option(min=0.1, help="Seconds between two looks with --follow.")]


@plain_errors
def run(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Run recorder and keeper until SIGTERM or Ctrl-C."""
    _check(load(config))
    # a supervisor runs for years: it shall not carry what only commands need
    os.execv(sys.executable, [sys.executable, "-m", "osrec.recorder.supervisor", str(config)])


def _check(config: Config) -> None:
    for line in config.lines:
        check_spec(line.spec)


@plain_errors
def check_config(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Check a configuration file; say what it means, or everything that is wrong with it."""
    loaded = load(config)
    _check(loaded)
    engine = build_engine(loaded)
    rules: RuleSet = engine.rules
    print(f"{config}: correct")
    print(f"  CSTA      {loaded.csta.host}:{loaded.csta.port}, framing {loaded.csta.framing}")
    for line in loaded.lines:
        print(f"  line      {line.name}: {line.spec}, {len(line.pairs())} channel pairs")
    print(f"  pairs     {len(engine.pool.pairs)}: as many calls can be recorded at once")
    print(f"  stations  {len(expand(loaded.stations.monitored))} monitored, as many CAP-A licences are needed")
    print(f"  rules     {len(rules.rules)}, version {rules.version}")
    print(f"  data      {loaded.data.directory}")


@plain_errors
def status(
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
    follow: FollowOption = False,
    every: EveryOption = 1.0,
) -> None:
    """What the recorder does now: link, lines, calls, recordings, alarms."""
    _show(config, status_view, json, follow, every)


@plain_errors
def lines(
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
    follow: FollowOption = False,
    every: EveryOption = 1.0,
) -> None:
    """The E1 lines: alarms, counters, and what is on each slot."""
    if json and not follow:
        print_json(ask.status(control_socket(load(config)))["lines"])
        return
    _show(config, lines_view, json, follow, every)


def _show(path: Path, view: View, json: bool, follow: bool, every: float) -> None:
    socket = control_socket(load(path))
    if json:
        for state in ask.follow(socket, every) if follow else [ask.status(socket)]:
            print_json(state)
    elif not follow:
        console.print(view(ask.status(socket)))
    else:
        try:
            with Live(
                console=console, screen=console.is_terminal, auto_refresh=False, vertical_overflow="crop"
            ) as live:
                for state in ask.follow(socket, every):
                    live.update(view(state), refresh=True)
        except KeyboardInterrupt:
            return
