"""The command `osrec-emulate`: run the emulated PBX, and judge what a recorder made of it."""

import asyncio
import logging
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.live import Live

from osrec.errors import ConfigError
from osrec_drivers.errors import DriverError
from osrec_emulators.check.expected import Expected
from osrec_emulators.check.judge import check as judge
from osrec_emulators.check.ledger import load_ledger
from osrec_emulators.check.report import as_json, show
from osrec_emulators.config import EmulatorConfig, load_config
from osrec_emulators.demo.command import demo
from osrec_emulators.demo.link_load import measure_link
from osrec_emulators.e1d.command import e1d
from osrec_emulators.live import view
from osrec_emulators.load import cap_load
from osrec_emulators.runner import Emulation

WRONG_USE = 2

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def root() -> None:
    """Emulated OpenScape 4000 with CAP server and recorder trunks, and the independent judge of recordings."""


@app.command()
def pbx(
    *,
    config: Annotated[
        Path, typer.Option("-c", "--config", help="TOML file: [pbx], [cap], [audio], [[boards]], [truth].")
    ],
    seconds: Annotated[float | None, typer.Option(min=0, help="Stop by itself after that time.")] = None,
    drain: Annotated[float, typer.Option(min=0, help="Seconds to go on sending after all calls are hung up.")] = 2.0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same calls.")] = 1,
    live: Annotated[bool, typer.Option("--live", help="Show calls, forks and lines while it runs.")] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Log what happens to stderr.")] = False,
) -> None:
    """Run the emulated PBX in real time until SIGTERM, SIGINT or --seconds."""
    try:
        loaded = load_config(config)
        level = logging.INFO if verbose else logging.WARNING
        logging.basicConfig(level=level, stream=sys.stderr, format="%(asctime)s %(name)s %(message)s")
        asyncio.run(_run(loaded, seconds, drain, seed, live))
    except ConfigError as error:
        _fail(str(error), WRONG_USE)
    except (DriverError, OSError) as error:
        _fail(f"{config}: {error}", 1)


@app.command()
def check(
    *,
    truth: Annotated[Path, typer.Option(help="Directory that the emulated PBX wrote its truth to.")],
    recordings: Annotated[Path, typer.Option(help="The recorder's media directory.")],
    stations: Annotated[
        list[str] | None, typer.Option(help="Pattern of stations to be recorded; may be repeated.")
    ] = None,
    restarts: Annotated[int, typer.Option(min=0, help="Times the recorder was restarted meanwhile.")] = 0,
    allow_gap: Annotated[
        list[str] | None, typer.Option(help="Cause of gaps that somebody brought about; may be repeated.")
    ] = None,
    ledger: Annotated[
        Path | None, typer.Option(help="What `osrec ledger --json` printed, to be judged too; - for standard input.")
    ] = None,
    monitored: Annotated[
        list[str] | None, typer.Option(help="Pattern of stations that are watched; default those to be recorded.")
    ] = None,
    never: Annotated[
        list[str] | None, typer.Option(help="Pattern of numbers with which nothing is ever recorded.")
    ] = None,
    on_demand: Annotated[
        list[str] | None, typer.Option(help="Pattern of stations that are recorded only when somebody asks.")
    ] = None,
    each: Annotated[bool, typer.Option("--each", help="Each station of a call has a recording of its own.")] = False,
    tolerance: Annotated[float, typer.Option(min=0, help="Seconds of talk that a ledger may leave out.")] = 1.0,
    as_json_: Annotated[bool, typer.Option("--json", help="Print the verdicts as JSON.")] = False,
) -> None:
    """Judge recordings, and the ledger, against what the PBX did. Exit code 0 only when all is right."""
    expected = Expected(
        stations=stations or ["*"],
        monitored=monitored,
        never=never or [],
        on_demand=on_demand or [],
        each=each,
        gaps=frozenset(allow_gap or []),
        tolerance=tolerance,
    )
    try:
        told = load_ledger(ledger) if ledger is not None else None
        report = judge(truth, recordings, restarts=restarts, expected=expected, ledger=told)
    except ConfigError as error:
        _fail(str(error), WRONG_USE)
    if as_json_:
        print(as_json(report))
    else:
        show(report, Console(highlight=False))
    raise typer.Exit(0 if report.right else 1)


app.command()(demo)
app.command("cap-load")(cap_load)
app.command("e1d")(e1d)
app.command("measure-link")(measure_link)


def main() -> None:
    """Entry point."""
    app()


def _fail(message: str, code: int) -> NoReturn:
    print(f"osrec-emulate: {message}", file=sys.stderr)
    raise typer.Exit(code)


async def _run(config: EmulatorConfig, seconds: float | None, drain: float, seed: int, live: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    emulation = Emulation(config, seed)
    await emulation.start()
    try:
        print(_ready(emulation), flush=True)
        shown = asyncio.create_task(_show(emulation)) if live else None
        await emulation.run(stop, seconds)
        await emulation.wind_down(drain)
        if shown is not None:
            shown.cancel()
            with suppress(asyncio.CancelledError):
                await shown
    finally:
        clients = emulation.server.clients
        await emulation.close()
    for client in clients:
        print(f"client {client}")
    if emulation.server.faults:
        played = ", ".join(f"{name} {count}" for name, count in sorted(emulation.server.faults.items()))
        print(f"faults played: {played}")


def _ready(emulation: Emulation) -> str:
    cap, directory = emulation.config.cap, emulation.world.directory
    lines = " ".join(line for board in emulation.boards for line in board.lines)
    ports = sum(len(board.layout) for board in emulation.boards)
    return (
        f"ready: CSTA on {cap.listen}:{emulation.server.port} ({cap.framing}), {len(directory.stations)} stations, "
        f"{ports} recorder ports on {lines}"
    )


async def _show(emulation: Emulation) -> None:
    with Live(view(emulation), console=Console(stderr=True), auto_refresh=False, screen=False) as screen:
        while True:
            await asyncio.sleep(0.5)
            screen.update(view(emulation), refresh=True)
