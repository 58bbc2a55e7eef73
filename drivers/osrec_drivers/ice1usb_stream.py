"""The USB transfers of one E1 port: octets in and out, feedback and errors, a quarter of a second of them under way.

All callbacks run in the thread that calls `run`. They only copy what came; it goes to the line when all that waited has
been copied, so that what stood in a queue because nobody looked is told from what has just come.
"""

import contextlib
import time
from typing import Any

import usb1

from osrec_drivers import ice1usb_protocol as protocol
from osrec_drivers.board_line import BoardLine
from osrec_drivers.errors import LineError, OpenError
from osrec_drivers.ice1usb_protocol import FRAME, HEADER, Errors, Flag, Position, Request, RxMode, TxConfig, TxRate
from osrec_drivers.ice1usb_usb import Port, claim
from osrec_drivers.line import Alarm, GapCause

_PACKETS = 8  # of a transfer: 8 ms
_IN_TRANSFERS = 32  # a stall of the interpreter shorter than 256 ms loses nothing
_OUT_TRANSFERS = 12
_FEEDBACK_TRANSFERS = 4
_PATIENCE_MS = 1000  # for an answer of the board
_LOOK = 0.1  # seconds between looks at the clock
_SILENCE_NS = 2_000_000_000  # without a transfer from the board, which come every 8 ms, whether or not it has octets
_BACKLOG = 2  # transfers that may come at once without having waited for us
_OVERFLOW = 16  # frames: the board drops whole multiframes
_ENDED = (usb1.TRANSFER_CANCELLED, usb1.TRANSFER_NO_DEVICE)


class Stream:
    """Counts in `counters`: packets, packets_malformed, packets_lost. Raises OpenError when the port is taken."""

    def __init__(self, context: Any, port: Port, rx: RxMode, tx: TxConfig, counters: dict[str, int]) -> None:
        self._context = context
        self._port = port
        self._rx = rx
        self._handle = claim(port)
        self._rate = TxRate((port.endpoints.largest - HEADER) // FRAME)
        self._position = Position()
        self._came: list[list[tuple[int, bytes]]] = []  # transfers: packets with their status
        self._reports: list[Errors] = []
        self._errors: Errors | None = None
        self._transfers: list[Any] = []
        self._line: BoardLine | None = None
        self._gone = False
        self._failed: usb1.USBError | None = None  # why a transfer could not be used again
        self._heard = False  # a transfer has come since the last look
        self._bad = 0  # packets since the last good one
        self._counters = counters
        try:
            self._tell(Request.SET_RX, bytes([rx]))
            self._tell(Request.SET_TX, tx.encode())
        except usb1.USBError as error:
            self.close()
            raise OpenError(f"icE1usb {port.serial} does not take its configuration: {error}") from error

    def _tell(self, request: Request, data: bytes) -> None:
        self._handle.controlWrite(protocol.TO_INTERFACE, request, 0, self._port.interface, data, _PATIENCE_MS)

    # ---- the thread ----

    def run(self, line: BoardLine) -> None:
        """Until the line is closed. Raises LineError when the board is gone, or gives nothing any more."""
        self._line = line
        try:
            if not self._transfers:
                self._start()
            self._pump(line)
        except usb1.USBError as error:
            raise LineError(f"icE1usb {self._port.serial}: {error}", error.value) from error
        if self._gone:
            raise LineError(f"icE1usb {self._port.serial} was unplugged")

    def _pump(self, line: BoardLine) -> None:
        heard = line.clock()
        while not line.closing and not self._gone:
            with contextlib.suppress(usb1.USBErrorInterrupted):  # a signal came
                self._context.handleEventsTimeout(_LOOK)
            now = line.clock()
            self._report(line, now)
            self._deliver(line, now)
            line.intake.tick(now)
            if self._failed is not None:
                raise self._failed
            if self._heard:
                self._heard, heard = False, now
            elif now - heard > _SILENCE_NS:
                raise LineError(f"icE1usb {self._port.serial} has given nothing for {(now - heard) / 1e9:.1f} s")

    def _start(self) -> None:
        ends = self._port.endpoints
        for _ in range(_IN_TRANSFERS):
            transfer = self._transfer(_PACKETS)
            transfer.setIsochronous(ends.data_in, _PACKETS * ends.largest, callback=self._data_in)
            transfer.submit()
        for _ in range(_FEEDBACK_TRANSFERS):
            transfer = self._transfer(1)
            transfer.setIsochronous(ends.feedback, 3, callback=self._feedback)
            transfer.submit()
        transfer = self._transfer(0)
        transfer.setInterrupt(ends.interrupt, protocol.INTERRUPT_LENGTH, callback=self._interrupt)
        transfer.submit()
        for _ in range(_OUT_TRANSFERS):
            self._fill(self._transfer(_PACKETS))

    def _transfer(self, packets: int) -> Any:
        self._transfers.append(self._handle.getTransfer(packets))
        return self._transfers[-1]

    def _again(self, transfer: Any) -> bool:
        """Whether a transfer that came back may be used again."""
        status = transfer.getStatus()
        self._gone = self._gone or status == usb1.TRANSFER_NO_DEVICE
        ending = self._gone or self._failed is not None or self._line is None or self._line.closing
        return status not in _ENDED and not ending

    def _submit(self, transfer: Any) -> None:
        """No error comes out: what a callback raises ctypes swallows, and the thread that waits would never know."""
        try:
            transfer.submit()
        except usb1.USBErrorNoDevice:
            self._gone = True
        except usb1.USBError as error:
            self._failed = error

    def _data_in(self, transfer: Any) -> None:
        if not self._again(transfer):
            return
        self._heard = self._heard or transfer.getStatus() == usb1.TRANSFER_COMPLETED
        self._came.append([(status, bytes(octets)) for status, octets in transfer.iterISO()])
        self._submit(transfer)

    def _feedback(self, transfer: Any) -> None:
        if not self._again(transfer):
            return
        for status, octets in transfer.iterISO():
            if status == usb1.TRANSFER_COMPLETED:
                self._rate.feedback(bytes(octets))
        self._submit(transfer)

    def _interrupt(self, transfer: Any) -> None:
        if not self._again(transfer):
            return
        if transfer.getStatus() == usb1.TRANSFER_COMPLETED:
            report = protocol.read_interrupt(bytes(transfer.getBuffer()[: transfer.getActualLength()]))
            if report is not None:
                self._reports.append(report)
        self._submit(transfer)

    def _data_out(self, transfer: Any) -> None:
        if self._again(transfer):
            self._fill(transfer)

    def _fill(self, transfer: Any) -> None:
        assert self._line is not None
        counts = [self._rate.next() for _ in range(_PACKETS)]
        frames = self._line.next_frames(sum(counts))
        packets, at = [], 0
        for count in counts:
            packets.append(b"\xff" * HEADER + frames[at : at + FRAME * count])
            at += FRAME * count
        transfer.setIsochronous(
            self._port.endpoints.data_out,
            bytearray(b"".join(packets)),
            callback=self._data_out,
            iso_transfer_length_list=[len(packet) for packet in packets],
        )
        self._submit(transfer)

    # ---- what came ----

    def _deliver(self, line: BoardLine, now: int) -> None:
        came, self._came = self._came, []
        fresh = len(came) <= _BACKLOG
        whole: list[bytes] = []
        lost = 0
        for packets in came:
            for status, octets in packets:
                frames, rest = divmod(len(octets) - HEADER, FRAME)
                if status != usb1.TRANSFER_COMPLETED or (octets and rest):
                    self._counters["packets_malformed"] += 1  # cut short: what it holds of frames cannot be trusted
                    self._bad += 1
                    continue
                if len(octets) <= HEADER:
                    continue
                missing = self._missing(octets[:HEADER], frames)
                if missing:
                    line.intake.take(b"".join(whole), now, fresh=False, lost=lost, circle=self._position.circle)
                    whole, lost = [], missing
                    self._counters["packets_lost"] += 1
                self._counters["packets"] += 1
                whole.append(octets[HEADER:])
        if whole:
            line.intake.take(b"".join(whole), now, fresh=fresh, lost=lost, circle=self._position.circle)

    def _missing(self, header: bytes, frames: int) -> int:
        bad, self._bad = self._bad, 0
        return self._position.missing(header, frames, protocol.USUAL * bad)

    def _report(self, line: BoardLine, now: int) -> None:
        reports, self._reports = self._reports, []
        for errors in reports:
            if self._errors is not None and protocol.since(self._errors.overflows, errors.overflows):
                line.intake.suspect(now, _OVERFLOW)
            self._errors = errors
            line.intake.alarm(Alarm.LOS, Flag.LOS in errors.flags, GapCause.LOS)
            if self._rx is not RxMode.RAW:  # then only the board looks for frames, and gives nothing without
                unaligned = Flag.ALIGNMENT in errors.flags and not errors.flags & (Flag.LOS | Flag.AIS)
                line.intake.alarm(Alarm.AIS, Flag.AIS in errors.flags, GapCause.AIS)
                line.intake.alarm(Alarm.LOF, unaligned, GapCause.LOF)

    # ---- the end ----

    def close(self) -> None:
        """Take back what is under way, and the port down."""
        for transfer in self._transfers:
            if transfer.isSubmitted():
                with contextlib.suppress(usb1.USBError):  # it has just come back, or the board is gone
                    transfer.cancel()
        with contextlib.suppress(usb1.USBError):  # the board is gone: what has not come back by now never will
            self._fetch_back(time.monotonic() + 1.0)
        for transfer in self._transfers:
            if not transfer.isSubmitted():
                transfer.close()
        self._transfers.clear()
        with contextlib.suppress(usb1.USBError):  # the board is gone
            self._handle.setInterfaceAltSetting(self._port.interface, 0)
            self._handle.releaseInterface(self._port.interface)
        self._handle.close()
        self._context.close()

    def _fetch_back(self, deadline: float) -> None:
        while any(transfer.isSubmitted() for transfer in self._transfers) and time.monotonic() < deadline:
            with contextlib.suppress(usb1.USBErrorInterrupted):  # a signal came
                self._context.handleEventsTimeout(_LOOK)
