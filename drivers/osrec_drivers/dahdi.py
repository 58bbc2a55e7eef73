"""E1 boards under DAHDI (Digium and its kin, OpenVox, Xorcom): `dahdi:SPAN?OPTION=VALUE&...`, options in dahdi_spec.py.

DAHDI frames: it gives us time slots 1..31 and tells of alarms, of errors that the board counts, and of octets that
nobody read in time. The whole span is one superchannel (dahdi_span.py), on which our own HDLC and CAS work as on any
line; `hdlc=dahdi` leaves the D channel to the kernel. Facts, limits and what was measured: docs/e1-dahdi.md.
"""

import errno
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from osrec_drivers.board_line import Board, BoardLine
from osrec_drivers.dahdi_abi import Event, SpanAlarm
from osrec_drivers.dahdi_channel import KernelDChannel
from osrec_drivers.dahdi_intake import SpanIntake
from osrec_drivers.dahdi_slots import board_octets, line_frames
from osrec_drivers.dahdi_span import BLOCK, BUFFERS, D_SLOT, Span, in_use, since
from osrec_drivers.dahdi_spec import DahdiSpec, parse
from osrec_drivers.dahdi_stream import Block, Sent, Stream
from osrec_drivers.dahdi_system import Linux, System
from osrec_drivers.e1.engine import CAPACITY, Engine
from osrec_drivers.errors import DriverError, LineError, OpenError
from osrec_drivers.line import (
    Alarm,
    Anchor,
    CasState,
    Crc4,
    DChannel,
    Line,
    LineDriver,
    LineInfo,
    LineStatus,
)

_NO_CAS = "hdlc=dahdi gives time slot 16 to DAHDI's HDLC, and CAS needs it"
_LOOK_MS = 50  # at the clock, when nothing comes
_STATUS_NS = 100_000_000  # between looks at the span: an alarm that follows upon another makes no event
_UNALIGNED = {Alarm.LOS, Alarm.LOF, Alarm.AIS, Alarm.NO_PACKETS, Alarm.UNPLUGGED}


class DahdiBoard(Board):
    """A span, and what goes through it. Raises DriverError."""

    def __init__(self, said: DahdiSpec, system: System) -> None:
        self._said = said
        self._system = system
        self._ahead = said.ahead_ms * 8 // BLOCK * BLOCK
        self._sent = 0  # frames given to the board, numbered as those that pass
        self._refused: bytes | None = None  # a block that found all buffers full
        self._underruns = 0
        self._earlier: Counter[str] = Counter()  # what a span had counted that went away
        self.reopen()

    def reopen(self) -> None:
        self.span: Span | None = None
        span = Span(self._said, self._system)
        try:
            self._first = self._last = span.status()
        except LineError:
            span.close()
            raise
        self._first_slips = self._slips = span.slips()
        self.span = span

    def close(self) -> None:
        if self.span is not None:
            self.span.close()

    def serve(self, line: BoardLine) -> None:
        span, intake = self.span, line.intake
        assert span is not None
        assert isinstance(intake, SpanIntake)
        try:
            self._serve(line, span, intake)
        except LineError as error:
            self._earlier.update(self._counted())
            self._first, self._first_slips = self._last, self._slips
            self.span = None
            span.close()
            raise LineError(f"line {line.spec!r}: span {self._said.span} {error}", error.errno) from error

    def _serve(self, line: BoardLine, span: Span, intake: SpanIntake) -> None:
        stream = span.stream
        assert stream is not None
        looked = self._system.now() - _STATUS_NS
        self._receive(stream, span, intake)  # what has waited since the span was opened
        self._sent = intake.passed
        while not line.closing:
            now = self._system.now()
            if now - looked >= _STATUS_NS:
                looked = now
                self._look(span, intake)
            intake.tick(now)
            self._send(line, stream, span, intake)
            stream.wait(line.wake, _LOOK_MS)
            self._receive(stream, span, intake)

    # ---- octets ----

    def _receive(self, stream: Stream, span: Span, intake: SpanIntake) -> None:
        for item in stream.take():
            if isinstance(item, Block):
                frames = line_frames(item.octets, span.slots)
                intake.block(frames, item.arrival, fresh=item.fresh, lost=item.lost)
            elif item == Event.READ_OVERRUN:
                intake.overrun()
            elif item == Event.ALARM:
                self._look(span, intake)
                intake.told(self._last.alarms or SpanAlarm.RED)  # it may be over already; what comes here came with it
            elif item == Event.NO_ALARM:
                intake.told(SpanAlarm(0))
            elif item == Event.REMOVED:
                raise LineError("is gone: its board was removed", errno.ENODEV)

    def _send(self, line: BoardLine, stream: Stream, span: Span, intake: SpanIntake) -> None:
        """Keep the board supplied. What it has sent shows in what has come: both pass on the same ticks."""
        if self._sent < intake.passed:
            self._underruns += 1
            self._sent = intake.passed
        while self._sent < intake.passed + self._ahead:
            block = self._refused or board_octets(line.next_frames(BLOCK), span.slots)
            sent = stream.send(block)
            self._refused = None if sent is Sent.TAKEN else block
            if sent is Sent.FULL:
                self._sent = intake.passed + BUFFERS * BLOCK  # more is there than we knew of
            if sent is not Sent.TAKEN:
                return
            self._sent += BLOCK

    # ---- what DAHDI tells ----

    def _look(self, span: Span, intake: SpanIntake) -> None:
        self._last, self._slips = span.status(), span.slips()
        intake.told(self._last.alarms)

    def _counted(self) -> Counter[str]:
        grown = since(self._last, self._first)
        return Counter(
            fas_errors=grown.fas_errors,
            crc_errors=grown.crc4_errors,
            remote_crc_errors=grown.e_bits,
            irq_misses=grown.irq_misses,
            slips=max(self._slips - self._first_slips, 0),
        )

    def counters(self) -> dict[str, int]:
        return {**(self._earlier + self._counted()), "underruns": self._underruns}


class DahdiLine(BoardLine):
    """An E1 span of DAHDI."""

    def __init__(self, spec: str, said: DahdiSpec, system: System, engine: Engine) -> None:
        self._said = said
        self._system = system
        self._channel: KernelDChannel | None = None
        self._span_board = DahdiBoard(said, system)
        super().__init__(spec, engine, self._span_board, intake=SpanIntake(engine, BUFFERS), clock=system.now)

    def status(self) -> LineStatus:
        status = super().status()
        aligned = status.received > 0 and not status.alarms & _UNALIGNED
        crc4 = Crc4.OFF
        if self._said.crc4:
            crc4 = Crc4.MULTIFRAME if aligned and Alarm.LMFA not in status.alarms else Crc4.SEARCHING
        return replace(status, aligned=aligned, crc_multiframe=crc4 is Crc4.MULTIFRAME, crc4=crc4)

    def d_channel(self, slot: int = D_SLOT) -> DChannel:
        if slot != D_SLOT or not self._said.kernel_hdlc:
            return super().d_channel(slot)
        if self._channel is not None and not self._channel.closed:
            raise LineError(f"line {self.spec!r}: time slot {slot} has a D channel already")
        self._channel = KernelDChannel(self._system, self._d_fd, lambda: self.head)
        return self._channel

    def _d_fd(self) -> int | None:
        span = self._span_board.span
        return None if span is None or self.closing else span.d_fd

    def cas(self) -> CasState:
        self._need_slot_16()
        return super().cas()

    def send_cas(self, slot: int, abcd: int) -> None:
        self._need_slot_16()
        super().send_cas(slot, abcd)

    def _need_slot_16(self) -> None:
        if self._said.kernel_hdlc:
            raise LineError(f"line {self.spec!r}: {_NO_CAS}")

    def close(self) -> None:
        if self._channel is not None:
            self._channel.close()
        super().close()


class DahdiDriver(LineDriver):
    """The E1 spans that DAHDI has."""

    def __init__(self, system: System | None = None) -> None:
        self._system: System = Linux() if system is None else system

    def detect(self) -> Iterator[LineInfo]:
        spans = "/sys/bus/dahdi_spans/devices"
        for name in self._system.names(spans):
            number = name.removeprefix("span-")
            told = {entry: self._system.text(f"{spans}/{name}/{entry}").strip() for entry in ("channels", "desc")}
            if number.isdigit() and told["channels"] == "31":
                free = not in_use(self._system, int(number))
                yield LineInfo(f"dahdi:{number}", f"DAHDI span {number}: {told['desc']}", free)

    def open(self, spec: str, *, fd: int | None = None, resume: Anchor | None = None, capacity: int = CAPACITY) -> Line:
        said = parse(spec)
        if fd is not None:
            raise OpenError(f"line {spec!r}: descriptor {fd} was handed over, but DAHDI's cannot be kept open for us")
        engine = Engine(crc4=False, capacity=capacity, resume=resume)
        try:
            return DahdiLine(spec, said, self._system, engine)
        except DriverError as error:
            raise OpenError(f"line {spec!r}: {error}") from error

    def check(self, spec: str) -> None:
        parse(spec)

    def check_signalling(self, spec: str, *, cas: bool) -> None:
        if cas and parse(spec).kernel_hdlc:
            raise OpenError(f"line {spec!r}: {_NO_CAS}")
