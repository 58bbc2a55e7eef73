"""Commands that run a recorder or look at a running one."""

import os
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.live import Live

from osrec.cli.common import DEFAULT_CONFIG, ConfigOption, JsonOption, console, control_socket, plain_errors, print_json
from osrec.cli.live import status_view
from osrec.config import Config, load
from osrec.config_files import read
from osrec.engine.rules import RuleSet
from osrec.errors import ConfigError, StoreError
from osrec.numbers import expand
from osrec.recorder import ask
from osrec.recorder.parts import build_engine, store_config
from osrec.store.disk import Disk
from osrec.store.ledger import Class
from osrec.store.reconcile import reconcile
from osrec.store.takeover import LOCK_NAME
from osrec_drivers.errors import DriverError
from osrec_drivers.line import check_spec

View = Callable[[dict[str, Any], int | None], RenderableType]
LEDGER_SECONDS = 2.0  # at least, between two looks at the ledger
LEDGER_SHARE = 50  # times as long as the last look took is waited: a day of ten thousand calls takes a while to read
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
            text = read(path).fault(("lines", number, "spec"), f" = {line.spec!r}: {error}")
            raise ConfigError(text) from None


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
    servers = ", then ".join(f"{host}:{port}" for host, port in loaded.csta.addresses)
    print(f"  CSTA      {servers}, {loaded.csta.encoding}, framing {loaded.csta.framing_used}")
    for line in loaded.lines:
        print(f"  line      {line.name}: {line.spec}, {len(line.pairs())} channel pairs")
    print(f"  pairs     {len(engine.pool.pairs)}: as many calls can be recorded at once")
    print(f"  stations  {len(expand(loaded.stations.monitored))} monitored, as many CAP-A licences are needed")
    print(f"  rules     {len(rules.rules)}, version {rules.version}")
    print(f"  data      {loaded.data.directory}")
    for warning in rules.warnings():
        print(f"  warning   {warning}")
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
    """What the recorder does now: link, lines, calls, recordings, alarms; and the ledger of today."""
    show(config, status_view, json, follow, every, ledger=True)


def show(
    path: Path,
    view: View,
    json: bool,
    follow: bool,
    every: float,
    *,
    ledger: bool = False,
    only: Callable[[dict[str, Any]], Any] | None = None,
) -> None:
    """The recorder's state as `view` draws it, or as JSON: all of it, or what `only` takes of it; once or for long."""
    loaded = load(path)
    socket, today = control_socket(loaded), Today(loaded)
    states = ask.follow(socket, every) if follow else iter([ask.status(socket)])
    if ledger:
        states = (state | {"ledger": today.totals()} for state in states)
    if json:
        for state in states:
            print_json(state if only is None else only(state))
    elif not follow:
        console.print(view(next(states), None))
    else:
        try:
            with Live(
                console=console, screen=console.is_terminal, auto_refresh=False, vertical_overflow="crop"
            ) as live:
                for state in states:
                    live.update(view(state, console.height if console.is_terminal else None), refresh=True)
        except KeyboardInterrupt:
            return


class Today:
    """The sums of the ledger since midnight, looked up again now and then."""

    def __init__(self, config: Config) -> None:
        self._store = store_config(config)
        self._until = 0.0
        self._totals: dict[Class, int] | None = None

    def totals(self) -> dict[Class, int] | None:
        """None while there is no index."""
        if (began := monotonic()) >= self._until:
            midnight = datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
            try:
                self._totals = reconcile(self._store, midnight).totals()
            except StoreError:
                self._totals = None
            now = monotonic()
            self._until = now + max(LEDGER_SECONDS, LEDGER_SHARE * (now - began))
        return self._totals
