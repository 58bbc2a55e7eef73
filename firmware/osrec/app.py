"""The command `osrec`; start reading here.

`osrec run` is the recorder: the supervisor (recorder/supervisor.py) keeps two processes running, the recorder
(recorder/runner.py), which nothing may block, and the keeper (store/keeper.py), which makes files of what the recorder
journalled. All other commands look at a running recorder over its control socket, or at the recordings on disk.
"""

from collections.abc import Callable
from importlib.metadata import version
from typing import Annotated

import typer

from osrec.cli import bert, boards, calls, decode, ledger, lines, link, operate, recordings, rules

app = typer.Typer(
    name="osrec",
    help="Call recorder for the PBX Unify OpenScape 4000.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
app.add_typer(decode.app, name="decode", help="Read captures of what a PBX says.")
app.add_typer(rules.app, name="rules", help="What is recorded: show, explain, test, reload.")
app.add_typer(calls.app, name="call", help="Keep or pause a call that runs.")
COMMANDS: tuple[Callable[..., None], ...] = (
    operate.run,
    operate.check_config,
    operate.status,
    lines.lines,
    bert.bert,
    boards.boards,
    link.link,
    recordings.recordings,
    recordings.conversations,
    recordings.show,
    recordings.export,
    recordings.verify,
    ledger.ledger,
)
for command in COMMANDS:
    app.command(command.__name__.replace("_", "-"))(command)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"osrec {version('osrec')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which version.")
    ] = False,
) -> None:
    """Options of the command itself."""


def main() -> None:
    """Entry point of the console script."""
    app()
