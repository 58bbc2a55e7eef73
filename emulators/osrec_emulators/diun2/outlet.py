"""Hands a board's frames to its lines, with whatever is to be wrong with their bits."""

from collections.abc import Sequence

from osrec_drivers.e1.line import EngineLine
from osrec_drivers.errors import OpenError
from osrec_drivers.line import Line
from osrec_emulators.audio.alaw import Octets
from osrec_emulators.diun2.board import Board
from osrec_emulators.diun2.line_faults import LineFault
from osrec_emulators.diun2.spoiler import Spoiler


class Outlet:
    """The sending side of a board. Raises OpenError when faults are declared for a line that writes no bits itself."""

    def __init__(self, board: Board, lines: Sequence[Line]) -> None:
        self._ways = [_Way(line) for line in lines]
        for number, faults in board.faults.lines.items():
            line = lines[number]
            if not isinstance(line, EngineLine):
                raise OpenError(
                    f"line {line.spec!r}: {faults[0].what.value} of {board.name} needs a line whose bits are written "
                    "here, virtual: or satop:, and on this one a board does it"
                )
            self._ways[number] = _SpoiltWay(line, faults)

    def send(self, frames: Sequence[Octets], due_ns: int | None = None) -> None:
        """For each line the next frames; `due_ns` as in Line.transmit."""
        for way, octets in zip(self._ways, frames, strict=True):
            way.send(octets.tobytes(), due_ns)


class _Way:
    """A line that is well."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def send(self, frames: bytes, due_ns: int | None) -> None:
        self._line.transmit(frames, due_ns)


class _SpoiltWay(_Way):
    """A line with faults."""

    def __init__(self, line: EngineLine, faults: Sequence[LineFault]) -> None:
        super().__init__(line)
        self._engine_line = line
        line.compose(b"")  # from now on nobody but us moves the line's multiframe on
        self._spoiler = Spoiler(faults, crc4=line.engine.crc4, phase=line.engine.next_frame)

    def send(self, frames: bytes, due_ns: int | None) -> None:
        self._line.transmit(self._spoiler.spoil(self._engine_line.compose(frames)), due_ns)
