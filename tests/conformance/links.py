"""Two lines that hear each other, for each driver; the conformance suite runs over every one of them.

A new driver adds a function that makes a Link to BUILDERS. What a link cannot do is None, and tests of it are skipped.
"""

import random
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from osrec_drivers.dahdi import DahdiDriver
from osrec_drivers.dahdi_abi import SpanAlarm
from osrec_drivers.e1.line import EngineLine
from osrec_drivers.e1d import E1dDriver
from osrec_drivers.e1d_messages import Kind
from osrec_drivers.ice1usb import Ice1usbDriver
from osrec_drivers.line import IDLE, Alarm, Anchor, GapCause, Line, LineDriver
from osrec_drivers.satop import SatopDriver, bind
from osrec_drivers.virtual import Cable, Fault, FaultKind, VirtualDriver, cable
from osrec_emulators.e1d.server import Daemon
from osrec_emulators.elastic import ElasticClock
from osrec_emulators.ice1usb.board import Faults, IceBoard
from osrec_emulators.ice1usb.bus import Bus
from osrec_emulators.ice1usb.libusb import Context
from tests.dahdi_model import ModelDahdi

PATIENCE = 20.0  # seconds until a test gives up
_NAMES = count()
_DICE = random.Random(5)
_IDLE_FRAME = bytes([IDLE]) * 32


@dataclass
class Link:
    """Two lines that hear each other.

    Attributes:
        near: the line under test.
        resume: the near end closed and opened again.
        runs: time passes by itself, with octets in both directions; else only what is sent makes it pass.
        exact: what is lost is known to the frame, else by the clock.
        now: the near end's clock, in ns.
        crc4: the line sees TS0, and CRC-4 in it.
        lose: so many frames on their way to the near end are lost; gives the cause that they are to have.
        break_line: the near end hears no signal (any more, or again).
        unplug: the near end's board goes away (True) or comes back.
        idled: frames that were sent only to let time pass.
    """

    driver: LineDriver
    near: EngineLine
    far: EngineLine
    resume: Callable[[Anchor], EngineLine]
    runs: bool = False
    exact: bool = True
    crc4: bool = True
    lose: Callable[[int], GapCause] | None = None
    break_line: Callable[[bool], None] | None = None
    unplug: Callable[[bool], None] | None = None
    now: Callable[[], int] = time.monotonic_ns
    idled: int = 0

    def send(self, frames: bytes) -> None:
        self.far.transmit(frames)

    def wait(self, condition: Callable[[], bool]) -> None:
        """Let time pass until something is so."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, "it did not come true in time"
            if self.runs:
                time.sleep(0.002)  # lets the line's thread run; the end is the condition's
            else:
                self.send(_IDLE_FRAME * 80)
                self.idled += 80
                until(lambda: condition() or getattr(self.far, "queued", 0) < 80)

    def arrival(self, frames: bytes) -> int:
        """The sample number that the first of these frames has at the near end, once all are there."""
        begin = slot(frames, 1)[100:140]  # what comes first may be searched for frames yet
        found = -1

        def there() -> bool:
            nonlocal found
            oldest, head = self.near.oldest, self.near.head
            at = self.near.read(1, oldest, head - oldest).find(begin)
            found = oldest + at - 100
            return at >= 0 and head >= found + len(frames) // 32

        self.wait(there)
        return found


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.002)  # lets the line's thread run; the end is the condition's


def voice(frames: int) -> bytes:
    return _DICE.randbytes(32 * frames)


def slot(frames: bytes, number: int) -> bytes:
    return frames[number::32]


class Opened:
    """Lines of one driver; whatever is opened is closed at the end."""

    def __init__(self, driver: LineDriver, stack: ExitStack) -> None:
        self.driver = driver
        self._stack = stack

    def __call__(self, spec: str, **more: Any) -> EngineLine:
        line: Line = self.driver.open(spec, **more)
        assert isinstance(line, EngineLine)
        self._stack.callback(line.close)
        return line

    def again(self, near: EngineLine, **more: Any) -> Callable[[Anchor], EngineLine]:
        def resume(anchor: Anchor) -> EngineLine:
            near.close()
            return self(near.spec, resume=anchor, **more)

        return resume


def _virtual(stack: ExitStack, _directory: Path, *, shift: int = 0) -> Link:
    name = f"conformance{next(_NAMES)}"
    laid: Cable = cable(name)
    laid.sent_by["a"].shift(shift)
    opened = Opened(VirtualDriver(), stack)
    far, near = opened(f"virtual:{name}/a"), opened(f"virtual:{name}/b")

    def lose(frames: int) -> GapCause:
        laid.sent_by["a"].damage(Fault(FaultKind.LOST, 32 * frames))
        return GapCause.PACKET_LOSS

    def break_line(broken: bool) -> None:
        if broken:
            laid.sent_by["a"].damage(Fault(FaultKind.ZEROS, 32 * 800))

    return Link(opened.driver, near, far, opened.again(near), lose=lose, break_line=break_line)


def _satop(stack: ExitStack, _directory: Path, *, host: str = "127.0.0.1", options: str = "") -> Link:
    held: socket.socket = stack.enter_context(bind(f"satop:{host}:0{options}"))
    port = held.getsockname()[1]
    opened = Opened(SatopDriver(), stack)
    far = opened(f"satop:{host}:0/{host}:{port}{options}")
    near = opened(f"satop:{host}:0{options}", fd=held.dup().detach())

    def resume(anchor: Anchor) -> EngineLine:
        near.close()
        return opened(near.spec, fd=held.dup().detach(), resume=anchor)

    return Link(opened.driver, near, far, resume)


def _e1d(stack: ExitStack, directory: Path, *, options: str = "") -> Link:
    path = str(directory / "e1d.ctl")
    clock = ElasticClock()
    daemons = [Daemon(path, clock=clock)]

    @stack.callback
    def _end() -> None:
        daemons[-1].close()

    opened = Opened(E1dDriver([path], clock.now), stack)
    far, near = opened(f"e1d:{path}:0/0{options}"), opened(f"e1d:{path}:1/0{options}")

    def lose(frames: int) -> GapCause:
        daemons[-1].lose(frames, 1)
        return GapCause.OVERRUN

    def break_line(broken: bool) -> None:
        daemons[-1].tell(Kind.LOS_ON if broken else Kind.LOS_OFF, 1)

    def unplug(gone: bool) -> None:
        if gone:
            daemons[-1].close()
        else:
            daemons.append(Daemon(path, clock=clock))

    again = opened.again(near)
    return Link(opened.driver, near, far, again, True, False, False, lose, break_line, unplug, clock.now)


def _ice1usb(stack: ExitStack, _directory: Path, *, options: str = "", faults: Faults | None = None) -> Link:
    bus = Bus()
    there, here = bus.plug(IceBoard("far0")), bus.plug(IceBoard("near0", faults))
    laid = bus.connect(there.ports[0], here.ports[1])
    laid.from_a.shift(3)
    opened = Opened(Ice1usbDriver(partial(Context, bus), bus.clock.now), stack)
    far, near = opened("ice1usb:far0"), opened(f"ice1usb:near0:1{options}")

    def lose(frames: int) -> GapCause:
        here.ports[1].lost = frames // 8
        return GapCause.OVERRUN

    def break_line(broken: bool) -> None:
        laid.out = broken

    def unplug(gone: bool) -> None:
        if gone:
            bus.unplug(here)
        else:
            bus.plug(here)

    return Link(opened.driver, near, far, opened.again(near), True, True, True, lose, break_line, unplug, bus.clock.now)


class _DahdiLink(Link):
    """Time passes on the model with the octets that are sent."""

    model: ModelDahdi
    stall = 0  # ms of the next octets that nobody reads

    def send(self, frames: bytes) -> None:
        self.far.transmit(frames)
        stall, self.stall = self.stall, 0
        if stall:
            with self.model.nobody_reads(2):
                self.model.pass_time(stall)
        self.model.pass_time(len(frames) // 256 - stall)


def _dahdi(stack: ExitStack, _directory: Path, *, options: str = "") -> Link:
    model = ModelDahdi()
    opened = Opened(DahdiDriver(model), stack)
    far, near = opened(f"dahdi:1?ahead_ms=20{options}"), opened(f"dahdi:2?ahead_ms=20{options}")
    model.pass_time(0)
    link = _DahdiLink(opened.driver, near, far, opened.again(near))
    link.model = model

    def lose(frames: int) -> GapCause:
        link.stall = 130 + frames // 8  # the buffers hold 130 ms
        return GapCause.OVERRUN

    def break_line(broken: bool) -> None:
        model.alarms(2, SpanAlarm.RED | SpanAlarm.LOS if broken else SpanAlarm(0))
        model.pass_time(100)

    link.lose, link.break_line = lose, break_line
    return link


BUILDERS: dict[str, Callable[[ExitStack, Path], Link]] = {
    "virtual": _virtual,
    "virtual-shifted": lambda stack, path: _virtual(stack, path, shift=5),
    "satop": _satop,
    "satop6": lambda stack, path: _satop(stack, path, host="[::1]"),
    "satop-rtp": lambda stack, path: _satop(stack, path, options="?rtp=1"),
    "e1d": _e1d,
    "ice1usb": _ice1usb,
    "dahdi": _dahdi,
}
BOARDS: dict[str, Callable[[ExitStack, Path], Link]] = {  # further kinds of boards, for the tests that tell them apart
    "e1d-slots": lambda stack, path: _e1d(stack, path, options="?mode=channelized"),
    "ice1usb-framed": lambda stack, path: _ice1usb(stack, path, options="?rx=multiframe"),
    "ice1usb-first16": lambda stack, path: _ice1usb(stack, path, faults=Faults(position="first", circle=16)),
}


@contextmanager
def linked(name: str, directory: Path) -> Iterator[Link]:
    """The link of that name; all that it opened is closed at the end."""
    with ExitStack() as stack:
        yield {**BUILDERS, **BOARDS}[name](stack, directory)


def has(alarm: Alarm, line: Line) -> bool:
    return alarm in line.status().alarms
