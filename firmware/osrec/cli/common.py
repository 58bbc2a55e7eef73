"""What all commands share: the configuration option, and errors as one line and an exit code."""

import json
import os
import sys
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, ParamSpec, TypeVar

import typer
from rich.console import Console

from osrec.config import Config
from osrec.errors import ConfigError, OsrecError
from osrec_drivers.errors import DriverError

P = ParamSpec("P")
R = TypeVar("R")

ConfigOption = Annotated[
    Path,
    typer.Option("--config", "-c", envvar="OSREC_CONFIG", help="Configuration file.", show_default=True),
]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]
DEFAULT_CONFIG = Path("/etc/osrec/osrec.toml")
USAGE = 2  # exit code for what the caller has to put right
WIDE = 200  # columns when the output is no terminal: nobody wants ids cut off in a file
console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)


def plain_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Our own errors end a command with their text and an exit code, not with a traceback."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except (OsrecError, DriverError) as error:
            print(f"osrec: {error}", file=sys.stderr)
            raise typer.Exit(USAGE if isinstance(error, ConfigError) else 1) from None
        except BrokenPipeError:
            # the reader of our output (head, less) has gone: that is no error
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None

    return wrapped


def control_socket(config: Config) -> Path:
    return config.data.directory / "control.sock"


def print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2, default=_plain))


def _plain(value: object) -> str:
    """Times as in sidecars: ISO 8601, UTC."""
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)
