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
from osrec.errors import ConfigError
from osrec.numbers import expand
from osrec.recorder import ask
from osrec.recorder.parts import build_engine, store_config
from osrec.store.disk import Disk
from osrec.store.takeover import LOCK_NAME
from osrec_drivers.errors import DriverError
from osrec_drivers.line import check_spec

View = Callable[[dict[str, Any], int | None], RenderableType]
FollowOption = Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")]
EveryOption = Annotated[float, typer.Option(min=0.1, help="Seconds between two looks with --follow.")]


@plain_errors
def run(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Run recorder and keeper until SIGTERM or Ctrl-C."""
    loaded = load(config)
    _check(loaded, config)
    _check_data(loaded, config)
    # a supervisor runs for years: it shall not carry what only commands need
    os.execv(sys.executable, [sys.executable, "-m", "osrec.recorder.supervisor", str(config)])


def _check(config: Config, path: Path) -> None:
    for number, line in enumerate(config.lines):
        try:
            check_spec(line.spec)
        except DriverError as error:
            raise ConfigError(f"{path}: lines[{number}].spec = {line.spec!r}: {error}") from None


def _check_data(config: Config, path: Path) -> None:
    """Is there somewhere to record to, and nobody else who does? Asked once, before anything is started."""
    journals = store_config(config).journals
    problems: list[str] = []
    for key, journal in zip(("data.directory", "data.spare_directory"), journals, strict=False):
        try:
            journal.mkdir(parents=True, exist_ok=True)
            disk = Disk()
            disk.close(disk.lock(journal / LOCK_NAME))
        except BlockingIOError:
            raise ConfigError(
                f"{path}: {key} = {str(journal.parent)!r}: another recorder runs there; stop it first"
            ) from None
        except OSError as error:
            problems.append(f"{path}: {key} = {str(journal.parent)!r}: {error.strerror}")
    if len(problems) == len(journals):
        raise ConfigError("\n".join(problems))


@plain_errors
def check_config(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Check a configuration file; say what it means, or everything that is wrong with it."""
    loaded = load(config)
    _check(loaded, config)
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
    for rule in rules.rules:
        if rule.stations is not None and not any(one in rule.stations for one in engine.tracker.monitored):
            print(
                f"  warning   rule {rule.name!r} names no station that is monitored: {', '.join(rule.stations.entries)}"
            )


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
        console.print(view(ask.status(socket), None))
    else:
        try:
            with Live(
                console=console, screen=console.is_terminal, auto_refresh=False, vertical_overflow="crop"
            ) as live:
                for state in ask.follow(socket, every):
                    live.update(view(state, console.height if console.is_terminal else None), refresh=True)
        except KeyboardInterrupt:
            return
