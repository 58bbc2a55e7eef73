"""Captures replayed as a line: `e1cap:FILE?OPTION=VALUE&...`, in their own time or as fast as the file is read.

A capture of osmo-e1-recorder has the time slots without TS0, one of e1-tracer-record the bits of both directions of a
tapped E1. Time is the capture's: a second that is missing in it is a gap of a second.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from osrec_drivers.board_line import Board, BoardLine
from osrec_drivers.e1.engine import CAPACITY, Engine
from osrec_drivers.e1.hdlc import HdlcEncoder
from osrec_drivers.e1cap_format import (
    Mode,
    SlotPacket,
    TracerPacket,
    is_recorder,
    is_tracer,
    read_recorder,
    read_tracer,
)
from osrec_drivers.e1d_slots import Slots, frames_of
from osrec_drivers.errors import LineError, OpenError
from osrec_drivers.ice1usb_protocol import FRAME, HEADER, USUAL, Position
from osrec_drivers.line import Anchor, Line, LineDriver, LineInfo, Octets
from osrec_drivers.spec import Options, choice, flag, number, split

_ENDPOINTS = (0x81, 0x82)  # of an e1-tracer: one for each direction
_LOOK = 256  # packets looked at to know which time slots a capture has
_OPTIONS: Options = {
    "line": number(0, 255),
    "direction": number(0, 1),
    "speed": choice("own", "max"),
    "crc4": flag,
}
_EXAMPLE = "e1cap:/var/tmp/20261124.e1cap?speed=max"


@dataclass(frozen=True, slots=True)
class E1capSpec:
    """What a spec says.

    Attributes:
        line: which line of a capture of osmo-e1-recorder.
        direction: which of a capture of e1-tracer-record.
        speed: "own": as it was, "max": as fast as the file is read.
    """

    path: str
    line: int = 0
    direction: int = 0
    speed: str = "own"
    crc4: bool = True


def parse(spec: str) -> E1capSpec:
    """Raises OpenError."""
    path, options = split(spec, "e1cap", f"e1cap:FILE, as in {_EXAMPLE}", _OPTIONS)
    return E1capSpec(path, **options)


@dataclass(frozen=True, slots=True)
class Part:
    """Whole frames of a capture; `at` in ns, `lost` frames are missing before them."""

    at: int
    frames: bytes
    lost: int = 0
    circle: int = 0


def tracer_parts(packets: Iterator[TracerPacket], direction: int) -> Iterator[Part]:
    """Raw bits, as an e1-tracer took them off the line."""
    position = Position()
    bad = 0
    for packet in packets:
        if packet.endpoint != _ENDPOINTS[direction] or packet.octets == b"":
            continue
        count, rest = divmod(len(packet.octets or b"") - HEADER, FRAME)
        if packet.octets is None or rest or count < 0:
            bad += 1
            continue
        lost, bad = position.missing(packet.octets[:HEADER], count, USUAL * bad), 0
        if count:
            yield Part(packet.at, packet.octets[HEADER:], lost, position.circle)


def recorder_parts(packets: Iterator[SlotPacket], line: int) -> Iterator[Part]:
    """Time slots put side by side; a D channel that was taken as frames is HDLC again."""
    ours = (packet for packet in packets if packet.line == line)
    first = list(islice(ours, _LOOK))
    raw = sorted({packet.slot for packet in first if packet.mode == Mode.RAW})
    if not raw:
        return
    slots = Slots(raw)
    channels: dict[int, HdlcEncoder] = {}
    for packet in (packet for part in (first, ours) for packet in part):
        if packet.mode == Mode.HDLC and packet.slot not in raw:
            channels.setdefault(packet.slot, HdlcEncoder()).send(packet.octets)
        elif packet.slot in raw:
            lost, carried = slots.take({packet.slot: packet.octets})
            for slot, encoder in channels.items():
                if len(carried):
                    carried[:, slot - 1] = list(encoder.pull(len(carried)))
            if len(carried):
                yield Part(packet.at, frames_of(carried), lost)


class E1capBoard(Board):
    """An open file. Raises OpenError."""

    def __init__(self, said: E1capSpec) -> None:
        self._said = said
        self._now = time.monotonic_ns()
        try:
            self._file: BinaryIO = Path(said.path).open("rb")  # noqa: SIM115  # open as long as the line
            begin = self._file.read(64)
            self._file.seek(0)
        except OSError as error:
            raise OpenError(f"capture {said.path!r}: {error.strerror}") from error
        self.raw = is_tracer(begin)
        if not self.raw and not is_recorder(begin):
            self._file.close()
            raise OpenError(f"capture {said.path!r} is neither of osmo-e1-recorder (64-bit) nor of e1-tracer-record")

    def _parts(self) -> Iterator[Part]:
        if self.raw:
            return tracer_parts(read_tracer(self._file), self._said.direction)
        return recorder_parts(read_recorder(self._file), self._said.line)

    def now(self) -> int:
        """By the capture's clock."""
        return self._now

    def serve(self, line: BoardLine) -> None:
        begin, first = time.monotonic_ns(), None
        for part in self._parts():
            first = part.at if first is None else first
            self._pass(line, begin + part.at - first)
            if line.closing:
                return
            line.intake.take(part.frames, self._now, lost=part.lost, circle=part.circle)
            line.intake.tick(self._now)
        raise LineError(f"line {line.spec!r}: the capture has ended" if first else f"line {line.spec!r}: nothing in it")

    def _pass(self, line: BoardLine, until: int) -> None:
        """Time goes on to then."""
        self._now = max(self._now, until)
        ahead = (until - time.monotonic_ns()) / 1e9
        if self._said.speed == "own" and ahead > 0:
            line.pause(ahead)

    def reopen(self) -> None:
        raise OpenError(f"capture {self._said.path!r} has ended")

    def close(self) -> None:
        self._file.close()


class CaptureLine(BoardLine):
    """A line that only ever receives."""

    def transmit(self, frames: Octets, due_ns: int | None = None) -> None:
        raise LineError(f"line {self.spec!r}: a capture cannot be sent to")


class E1capDriver(LineDriver):
    """Captures; there is nothing to discover."""

    def detect(self) -> Iterator[LineInfo]:
        return iter(())

    def open(self, spec: str, *, fd: int | None = None, resume: Anchor | None = None, capacity: int = CAPACITY) -> Line:
        said = parse(spec)
        if fd is not None:
            raise OpenError(f"line {spec!r}: descriptor {fd} was handed over, but a capture is opened by its name")
        try:
            board = E1capBoard(said)
        except OpenError as error:
            raise OpenError(f"line {spec!r}: {error}") from error
        engine = Engine(crc4=said.crc4 and board.raw, capacity=capacity, resume=resume)
        return CaptureLine(spec, engine, board, writes_ts0=not board.raw, clock=board.now)

    def check(self, spec: str) -> None:
        parse(spec)
