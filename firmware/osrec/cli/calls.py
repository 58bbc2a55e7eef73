"""`osrec call`: what may be asked of a call that runs."""

import getpass
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from osrec.cli.common import DEFAULT_CONFIG, ConfigOption, JsonOption, control_socket, plain_errors, print_json
from osrec.config import load
from osrec.engine.messages import Demand
from osrec.recorder import ask

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
TargetArgument = Annotated[str, typer.Argument(help="Number of the station, or id of its recording.")]
ByOption = Annotated[str | None, typer.Option(help="Who asks, for the time line; without it, your login name.")]


def _command(what: Demand, help_text: str) -> None:
    """A command that needs to know nothing but the call."""

    @app.command(what.value, help=help_text)
    @plain_errors
    def demand(
        target: TargetArgument, config: ConfigOption = DEFAULT_CONFIG, by: ByOption = None, json: JsonOption = False
    ) -> None:
        _ask(what, target, config, by, json)


_command(Demand.START, "On demand: keep the call from now on.")
_command(Demand.STOP, "On demand: keep no more of the call from now on.")
_command(Demand.KEEP, "On demand: keep the call from its beginning.")


@app.command(Demand.KEEP_LAST.value)
@plain_errors
def keep_last(
    minutes: Annotated[float, typer.Argument(min=0.01, help="How much of what is past.")],
    target: TargetArgument,
    config: ConfigOption = DEFAULT_CONFIG,
    by: ByOption = None,
    json: JsonOption = False,
) -> None:
    """On demand: keep the last MINUTES of the call, and what follows."""
    _ask(Demand.KEEP_LAST, target, config, by, json, seconds=60 * minutes)


_command(Demand.PAUSE, "Record no audio until `resume`: no octet of it reaches a disk.")
_command(Demand.RESUME, "Go on after `pause`.")


def _ask(what: Demand, target: str, config: Path, by: str | None, json: bool, **more: Any) -> None:
    request = {"ask": "call", "what": what.value, "target": target, "by": by or _me(), **more}
    answer = ask.request(control_socket(load(config)), request)
    if json:
        print_json(answer)
        return
    about = ", ".join(answer["recordings"]) or "the call, which will be recorded as soon as that is possible"
    print(f"{what.value} {target}: {about}")
    if not answer["journalled"]:
        print("  the disk has not taken it yet: should the recorder die now, it must be asked again")


def _me() -> str:
    """Login name; in a container there may be none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"
