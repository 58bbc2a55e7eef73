"""The command `osrec-emulate demo`."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from osrec_emulators.demo.demo import Demo, Signalling, run
from osrec_emulators.demo.processes import DemoError

SPEECH = Path(__file__).parents[3] / "tests" / "vectors" / "speech"  # of a source tree


def demo(
    *,
    directory: Annotated[
        Path, typer.Option(help="For configuration, logs and recordings; it is cleared first.")
    ] = Path("run"),
    seconds: Annotated[
        float | None,
        typer.Option(min=5, help="Stop after that time and compare all audio. Default: go on until Ctrl-C."),
    ] = None,
    calls: Annotated[int, typer.Option(min=1, max=30, help="Simultaneous calls that the PBX keeps up.")] = 14,
    hold: Annotated[float, typer.Option(min=1, help="Mean length of a conversation, seconds.")] = 20.0,
    steady: Annotated[bool, typer.Option("--steady", help="Exactly so many calls, without features.")] = False,
    seed: Annotated[int, typer.Option(help="The same seed gives the same calls.")] = 1,
    speech: Annotated[Path, typer.Option(help="Directory of speech files, raw A-law.")] = SPEECH,
    signalling: Annotated[Signalling, typer.Option(help="Of the recorder trunk.")] = Signalling.NONE,
    measure: Annotated[
        bool, typer.Option("--measure", help="Write CPU and memory of every process over time.")
    ] = False,
) -> None:
    """Emulated PBX and recorder side by side; exit code 0 only when every call was recorded octet for octet."""
    console = Console(highlight=False)
    try:
        wanted = Demo(directory.resolve(), speech, seconds, calls, hold, seed, measure, steady, signalling)
        code = run(wanted, console)
    except DemoError as error:
        print(f"osrec-emulate: {error}", file=sys.stderr)
        code = 1
    except KeyboardInterrupt:
        code = 130
    raise typer.Exit(code)
