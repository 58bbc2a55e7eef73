"""`osrec boards`: what E1 boards are plugged in, and what to put into the configuration for them."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from importlib.metadata import entry_points
from typing import Any

import pyudev
from rich.markup import escape
from rich.table import Table

from osrec.cli.common import JsonOption, console, plain_errors, print_json
from osrec_drivers.boards import BoardInfo, BoardPort, find
from osrec_drivers.errors import DriverError
from osrec_drivers.line import LineInfo

_SNIPPET = """[[lines]]
name = "{name}"
spec = "{spec}"
slots = "1-15,17-31"
ports = ["7101-7130"]  # the PBX's number of each slot
"""
_WAITING = ("ice1usb:", "e1d:")
_FREE = {True: "free", False: "in use", None: "not known"}
_NONE = (
    "No E1 board found. Looked at USB (icE1usb, e1-tracer, Astribank), PCI (Digium, OpenVox), spans of DAHDI, and "
    'osmo-e1d. A SAToP gateway needs none: spec = "satop:0.0.0.0:5001/GATEWAY:5001".'
)


@plain_errors
def boards(json: JsonOption = False) -> None:
    """E1 boards that are plugged in: driver, lines, whether they are free, what to do, what to configure."""
    found = _find()
    if json:
        print_json([as_json(board) for board in found])
    elif not found:
        console.print(_NONE, markup=False)
    else:
        console.print(_table(found))
        for line in _to_do(found):
            console.print(line, markup=False)
        snippets = list(_snippets(found))
        if snippets:
            console.print("\nFor the configuration, docs/osrec.toml says more:\n", markup=False)
            console.print("\n".join(snippets), markup=False)


def _find() -> list[BoardInfo]:
    try:
        context = pyudev.Context()
    except ImportError as error:  # that is how pyudev says that it finds no libudev
        raise DriverError(f"libudev is missing ({error}): apt install libudev1") from error
    return find(context, list(_detected()))


def _detected() -> Iterator[LineInfo]:
    """What the drivers find; cables inside a process are no boards."""
    for entry in entry_points(group="osrec.line_drivers"):
        if entry.name != "virtual":
            yield from entry.load()().detect()


def as_json(board: BoardInfo) -> dict[str, Any]:
    """With the configuration of each line, as TOML."""
    ports = [{**asdict(port), "toml": snippet(port, "trunk1")} for port in board.ports]
    return {**asdict(board), "ports": ports}


def snippet(port: BoardPort, name: str) -> str:
    """What stands in the configuration for a line."""
    waits = port.spec.startswith(_WAITING)  # a recorder that starts before its board is plugged in shall not mind
    return _SNIPPET.format(name=name, spec=port.spec + ("?wait=1" if waits else ""))


def _table(found: Sequence[BoardInfo]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("board", "place", "ids", "serial", "driver", "kernel module", "lines"):
        table.add_column(heading)
    for board in found:
        table.add_row(*(escape(cell) for cell in _cells(board)))
        for port in board.ports:
            table.add_row(f"  {escape(port.spec)}", escape(port.description), "", "", "", "", _FREE[port.free])
    return table


def _cells(board: BoardInfo) -> tuple[str, ...]:
    module = board.module or "-"
    if board.module is not None:
        module += " (loaded)" if board.loaded else " (not loaded)"
    lines = "?" if board.lines is None else str(board.lines)
    return board.name, board.place, board.ids or "-", board.serial or "-", board.driver or "none", module, lines


def _to_do(found: Sequence[BoardInfo]) -> Iterator[str]:
    for board in found:
        for what in board.to_do:
            yield f"\n{board.name} at {board.place}: {what}"


def _snippets(found: Sequence[BoardInfo]) -> Iterator[str]:
    usable = [port for board in found if board.driver for port in board.ports]
    for number, port in enumerate(usable, 1):
        taken = "# in use by another program now\n" if port.free is False else ""
        yield taken + snippet(port, f"trunk{number}")
