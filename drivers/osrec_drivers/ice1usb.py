"""E1 ports of Osmocom's icE1usb: `ice1usb:SERIAL[:PORT]?OPTION=VALUE&...`, through libusb.

The board gives raw bits by default and our framer finds the frames in them, so that alarms and counters are those of
all other lines. Its LEDs are the firmware's own: there is no request for them, and with rx=raw the green one does not
tell alignment, because the board looks for none; rx=multiframe leaves alignment, and the LED, to the board.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from osrec_drivers.board_line import Board, BoardLine
from osrec_drivers.e1.engine import CAPACITY, Engine
from osrec_drivers.errors import LineError, OpenError
from osrec_drivers.ice1usb_protocol import RxMode, Timing, TxConfig
from osrec_drivers.line import Anchor, Line, LineDriver, LineInfo
from osrec_drivers.spec import Options, choice, flag, split

if TYPE_CHECKING:
    from osrec_drivers.ice1usb_stream import Stream
    from osrec_drivers.ice1usb_usb import Port

_RX = {"raw": RxMode.RAW, "frame": RxMode.FRAME, "multiframe": RxMode.MULTIFRAME}
_CLOCK = {"remote": Timing.REMOTE, "local": Timing.LOCAL}
_OPTIONS: Options = {"rx": choice(*_RX), "clock": choice(*_CLOCK), "crc4": flag, "wait": flag}
_EXAMPLE = "ice1usb:dc697407e7881531 or ice1usb:dc697407e7881531:1"


@dataclass(frozen=True, slots=True)
class Ice1usbSpec:
    """What a spec says.

    Attributes:
        serial: of the board, "" for the only one that is plugged in.
        port: of the board, 0 or 1.
        wait: open the line although the board is not plugged in yet.
        clock: "remote": we send at the rate of what we receive, "local": the board is the clock.
    """

    serial: str
    port: int = 0
    rx: str = "raw"
    clock: str = "remote"
    crc4: bool = True
    wait: bool = False


def parse(spec: str) -> Ice1usbSpec:
    """Raises OpenError."""
    place, options = split(spec, "ice1usb", f"ice1usb:SERIAL[:PORT], as in {_EXAMPLE}", _OPTIONS)
    serial, _, port = place.partition(":")
    if not serial.isalnum() or port not in ("", "0", "1"):
        raise OpenError(f"line {spec!r}: {place!r} must be a serial number, and perhaps port 0 or 1, as in {_EXAMPLE}")
    return Ice1usbSpec(serial, int(port or 0), **options)


def _libusb() -> Any:
    """A context of libusb. Raises OpenError when that is not installed, or finds no USB here."""
    try:
        import usb1  # noqa: PLC0415  # only who has such a board needs the library
    except (ImportError, OSError) as error:
        raise OpenError(f"libusb is missing ({error}): apt install libusb-1.0-0, pip install libusb1") from error
    try:
        return usb1.USBContext().open()
    except usb1.USBError as error:
        raise OpenError(f"libusb finds no USB on this machine: {error}") from error


class Ice1usbBoard(Board):
    """One port of a board. Raises OpenError when it is not there, unless the spec says to wait for it."""

    def __init__(self, said: Ice1usbSpec, contexts: Callable[[], Any]) -> None:
        self._said = said
        self._contexts = contexts
        self._counters = {"packets": 0, "packets_malformed": 0, "packets_lost": 0}
        self._stream: Stream | None = None
        self._absent = ""
        try:
            self.reopen()
        except OpenError as error:
            if not said.wait:
                raise
            self._absent = str(error)

    def reopen(self) -> None:
        context = self._contexts()
        from osrec_drivers.ice1usb_stream import Stream  # noqa: PLC0415  # after libusb was found
        from osrec_drivers.ice1usb_usb import ports  # noqa: PLC0415

        try:
            found = self._find(list(ports(context)))
            tx = TxConfig(timing=_CLOCK[self._said.clock])
            self._stream = Stream(context, found, _RX[self._said.rx], tx, self._counters)
        except Exception:
            context.close()
            raise

    def _find(self, present: list["Port"]) -> "Port":
        said = self._said
        for port in present:
            if port.serial == said.serial and port.number == said.port:
                return port
        there = ", ".join(f"{port.serial}:{port.number}" for port in present) or "none"
        raise OpenError(f"no icE1usb with serial number {said.serial!r} and port {said.port}; plugged in: {there}")

    def serve(self, line: BoardLine) -> None:
        if self._stream is None:
            raise LineError(f"line {line.spec!r}: {self._absent}")
        try:
            self._stream.run(line)
        except LineError as error:
            self.close()
            raise LineError(f"line {line.spec!r}: {error}", error.errno) from error
        except Exception:  # a stream that is left open would keep the port from who opens it again
            self.close()
            raise

    def counters(self) -> dict[str, int]:
        return dict(self._counters)

    def close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()


class Ice1usbDriver(LineDriver):
    """Boards on USB.

    Args:
        contexts: gives contexts of libusb, or of what stands for it.
        clock: CLOCK_MONOTONIC in ns, or that of an emulation.
    """

    def __init__(self, contexts: Callable[[], Any] = _libusb, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._contexts = contexts
        self._clock = clock

    def detect(self) -> Iterator[LineInfo]:
        try:
            context = self._contexts()
        except OpenError:
            return
        from osrec_drivers.ice1usb_usb import ports  # noqa: PLC0415  # after libusb was found

        with contextlib.closing(context):
            for port in ports(context):
                yield LineInfo(f"ice1usb:{port.serial}:{port.number}", f"icE1usb, port {port.number}", port.free)

    def open(self, spec: str, *, fd: int | None = None, resume: Anchor | None = None, capacity: int = CAPACITY) -> Line:
        said = parse(spec)
        if fd is not None:
            raise OpenError(f"line {spec!r}: descriptor {fd} was handed over, but a USB board has none to keep")
        try:
            board = Ice1usbBoard(said, self._contexts)
        except OpenError as error:
            raise OpenError(f"line {spec!r}: {error}") from error
        return BoardLine(spec, Engine(crc4=said.crc4, capacity=capacity, resume=resume), board, clock=self._clock)

    def check(self, spec: str) -> None:
        parse(spec)
