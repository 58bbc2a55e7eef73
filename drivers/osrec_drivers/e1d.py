"""Lines of osmo-e1d (icE1usb, e1-tracer, virtual pairs): `e1d:SOCKET[:INTERFACE/LINE]?OPTION=VALUE&...`.

The daemon frames: it gives us time slots 1..31 and tells of LOS, LOF, AIS and RAI as events. It drops octets in silence
when their socket is full (half a second of superchannel, five of single slots); Intake finds that by the clock.
"""

import os
import select
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from osrec_drivers import e1d_messages as messages
from osrec_drivers.board_line import Board, BoardLine
from osrec_drivers.e1.engine import CAPACITY, Engine
from osrec_drivers.e1d_control import Control
from osrec_drivers.e1d_messages import E1dError, LineMode
from osrec_drivers.e1d_slots import CARRIED, carried_of, frames_of
from osrec_drivers.e1d_streams import SlotStream, Stream, SuperStream
from osrec_drivers.errors import DriverError, LineError, OpenError
from osrec_drivers.line import SLOTS, Anchor, Line, LineDriver, LineInfo
from osrec_drivers.spec import Options, choice, flag, number, slot_list, split

DEFAULT_SOCKETS = ("/tmp/osmo-e1d.ctl", "/run/osmo-e1d.ctl", "/run/osmo-e1d/osmo-e1d.ctl")
_CHUNK = 160  # frames that the daemon gives at a time: 20 ms
_BACKLOG = 5 * _CHUNK  # more than that at once has waited for us
_CUSHION = 4 * _CHUNK  # idle frames sent ahead, so that the daemon never finds nothing to send
_LEFT = 0.3  # seconds until the daemon knows for sure that we have left a slot
_LOOK = 0.1  # seconds between looks at the clock
_EXAMPLE = "e1d:/tmp/osmo-e1d.ctl:0/0"

_OPTIONS: Options = {
    "mode": choice("superchannel", "channelized"),
    "slots": slot_list,
    "force": flag,
    "chunk": number(8, 500),
    "wait": flag,
}


@dataclass(frozen=True, slots=True)
class E1dSpec:
    """What a spec says.

    Attributes:
        mode: one descriptor for all time slots, which then belong to us, or one for each of `slots`.
        force: take time slots away from whoever has them.
        chunk: frames that the daemon gives at a time.
        wait: open the line although the daemon or its line is not there yet.
    """

    path: str
    interface: int
    line: int
    mode: str = "superchannel"
    slots: tuple[int, ...] = tuple(range(1, SLOTS))
    force: bool = False
    chunk: int = _CHUNK
    wait: bool = False


def parse(spec: str) -> E1dSpec:
    """Raises OpenError."""
    rest, options = split(spec, "e1d", f"e1d:SOCKET[:INTERFACE/LINE], as in {_EXAMPLE}", _OPTIONS)
    path, colon, place = rest.rpartition(":")
    if not colon or "/" not in place or not place.replace("/", "").isdigit():
        path, place = rest, "0/0"
    interface, _, line = place.partition("/")
    if not path or not _is_number(interface) or not _is_number(line):
        raise OpenError(f"line {spec!r}: interface and line {place!r} must be two numbers 0..254, as in {_EXAMPLE}")
    if "slots" in options and options.get("mode") != "channelized":
        raise OpenError(f"line {spec!r}: option slots needs mode=channelized: the superchannel has all of them")
    return E1dSpec(path, int(interface), int(line), **options)


def _is_number(text: str) -> bool:
    """Of an interface or a line; 255 is osmo-e1d's word for any."""
    return text.isascii() and text.isdigit() and len(text) <= 3 and int(text) < messages.ANY


class E1dBoard(Board):
    """A line of the daemon. Raises DriverError when it is not there, unless the spec says to wait for it."""

    def __init__(self, said: E1dSpec) -> None:
        self._said = said
        self._chunks = 0
        self._open = False
        self._absent = ""
        try:
            self.reopen()
        except DriverError as error:
            if not said.wait:
                raise
            self._absent = str(error)

    def reopen(self) -> None:
        said = self._said
        self._control = Control(said.path)
        fds: list[int] = []
        try:
            superchannel = said.mode == "superchannel"
            mode = LineMode.SUPERCHANNEL if superchannel else LineMode.CHANNELIZED
            self._control.configure(said.interface, said.line, mode)
            size = CARRIED * said.chunk if superchannel else said.chunk
            for slot in [messages.SUPERCHANNEL] if superchannel else said.slots:
                fds.append(self._open_slot(slot, size))
                os.set_blocking(fds[-1], False)
        except Exception:
            for fd in fds:
                os.close(fd)
            self._control.close()
            raise
        self._stream: Stream = SuperStream(fds[0]) if superchannel else SlotStream(said.slots, fds)
        self._open = True

    def _open_slot(self, slot: int, size: int) -> int:
        """The daemon learns that a client is gone only when it next has octets for it: so a slot that we have just
        left is refused at first."""
        said, until = self._said, time.monotonic() + _LEFT
        while True:
            try:
                return self._control.open_slot(said.interface, said.line, slot, size, force=said.force)
            except E1dError:
                if time.monotonic() > until:
                    raise
                time.sleep(_LEFT / 20)

    def close(self) -> None:
        if self._open:
            self._open = False
            self._stream.close()
            self._control.close()

    def serve(self, line: BoardLine) -> None:
        if not self._open:
            raise LineError(f"line {line.spec!r}: {self._absent}")
        try:
            self._serve(line)
        except (LineError, E1dError) as error:
            self.close()
            raise LineError(f"line {line.spec!r}: {error}", getattr(error, "errno", None)) from error
        except Exception:  # what is left open would keep the time slots from who opens them again
            self.close()
            raise

    def _serve(self, line: BoardLine) -> None:
        poll = select.poll()
        last = self._stream.fds[-1]  # the daemon serves slots in order: when this one has octets, all have
        for fd in (line.wake, self._control.fileno(), last):
            poll.register(fd, select.POLLIN)
        self._stream.write(carried_of(line.next_frames(_CUSHION)))
        while not line.closing:
            poll.poll(1000 * _LOOK)
            for event in self._control.events():
                self._told(line, event)
            lost, carried = self._stream.read()
            now = line.clock()
            if len(carried) or lost:
                self._chunks += 1
                line.intake.take(frames_of(carried), now, fresh=len(carried) < _BACKLOG, lost=lost)
                self._stream.write(carried_of(line.next_frames(len(carried))))
            line.intake.tick(now)

    def _told(self, line: BoardLine, event: messages.Message) -> None:
        ours = event.interface == self._said.interface and event.line == self._said.line
        if ours and event.kind in messages.ALARMS:
            line.intake.alarm(*messages.ALARMS[event.kind])

    def counters(self) -> dict[str, int]:
        return {"packets": self._chunks}


class E1dDriver(LineDriver):
    """Lines of the daemons on this machine.

    Args:
        sockets: where they may listen.
        clock: CLOCK_MONOTONIC in ns, or that of an emulation.
    """

    def __init__(self, sockets: Sequence[str] = DEFAULT_SOCKETS, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._sockets = sockets
        self._clock = clock

    def detect(self) -> Iterator[LineInfo]:
        for path in self._sockets:
            if Path(path).is_socket():
                yield from _lines_at(path)

    def open(self, spec: str, *, fd: int | None = None, resume: Anchor | None = None, capacity: int = CAPACITY) -> Line:
        said = parse(spec)
        if fd is not None:
            raise OpenError(f"line {spec!r}: descriptor {fd} was handed over, but osmo-e1d gives its own")
        try:
            board = E1dBoard(said)
        except DriverError as error:
            raise OpenError(f"line {spec!r}: {error}") from error
        return BoardLine(
            spec, Engine(crc4=False, capacity=capacity, resume=resume), board, writes_ts0=True, clock=self._clock
        )

    def check(self, spec: str) -> None:
        parse(spec)

    def check_signalling(self, spec: str, *, cas: bool) -> None:
        if 16 not in parse(spec).slots:
            raise OpenError(f"line {spec!r}: option slots leaves out time slot 16, which carries the signalling")


def _lines_at(path: str) -> Iterator[LineInfo]:
    try:
        control = Control(path)
    except OpenError:  # a socket file whose daemon has ended
        return
    try:
        for entry in control.lines():
            taken = control.open_slots(entry.interface, entry.line)
            free = entry.mode != LineMode.E1OIP and not taken
            place = f"interface {entry.interface}, line {entry.line}"
            yield LineInfo(f"e1d:{path}:{entry.interface}/{entry.line}", f"osmo-e1d, {place}", free)
    except E1dError:  # something else listens there
        return
    finally:
        control.close()
