"""What stands for the libusb1 package: contexts, devices, settings, endpoints, handles, as a driver sees them.

Names and arguments are those of usb1 (`tests/unit/test_ice1usb_model.py` compares them), transfers come back as
libusb's do, with their status, and errors are usb1's own.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import usb1

from osrec_drivers import ice1usb_protocol as protocol
from osrec_drivers.ice1usb_protocol import ExternalLoop, Request, RxMode, Timing, TxConfig, TxMode
from osrec_emulators.ice1usb.board import E1Port, IceBoard
from osrec_emulators.ice1usb.bus import Bus
from osrec_emulators.ice1usb.transfers import Transfer

_DATA_OUT, _FEEDBACK, _DATA_IN, _INTERRUPT = 0x01, 0x81, 0x82, 0x83
_BUS_NUMBER = 250  # no machine has so many
_LARGEST = 292  # octets of a packet
_PORT_STEP = 3  # endpoint numbers of the second port begin so much higher
_FEEDBACK_MS, _INTERRUPT_MS = 4, 8  # how often these endpoints are asked
_NAP = 0.002  # seconds between looks at the clock


class Context:
    """Stands for usb1.USBContext."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._done: list[Transfer] = []

    def getDeviceIterator(self, skip_on_error: bool = False) -> Iterator["Device"]:  # noqa: N802
        with self._bus.lock:
            return iter([Device(self, self._bus, board) for board in self._bus.boards if board.plugged])

    def completed(self, transfer: Transfer) -> None:
        self._done.append(transfer)

    def handleEventsTimeout(self, tv: float = 0) -> None:  # noqa: N802
        deadline = time.monotonic() + tv
        while True:
            self._bus.pass_time()
            with self._bus.lock:
                done, self._done = self._done, []
            for transfer in done:
                transfer.tell()
            if done or time.monotonic() >= deadline:
                return
            time.sleep(_NAP)

    def close(self) -> None:
        pass


class Device:
    """Stands for usb1.USBDevice."""

    def __init__(self, context: Context, bus: Bus, board: IceBoard) -> None:
        self._context, self._bus, self._board = context, bus, board

    def getVendorID(self) -> int:  # noqa: N802
        return protocol.VENDOR

    def getProductID(self) -> int:  # noqa: N802
        return protocol.PRODUCT

    def getBusNumber(self) -> int:  # noqa: N802
        return _BUS_NUMBER

    def getPortNumberList(self) -> list[int]:  # noqa: N802
        return [1 + self._bus.boards.index(self._board)]

    def iterSettings(self) -> Iterator["Setting"]:  # noqa: N802
        for number in range(len(self._board.ports)):
            yield Setting(number, 0)
            yield Setting(number, 1)

    def open(self) -> "Handle":
        if not self._board.plugged:
            raise usb1.USBErrorNoDevice(usb1.ERROR_NO_DEVICE)
        return Handle(self._context, self._bus, self._board)


@dataclass(frozen=True, slots=True)
class Setting:
    """Stands for usb1.USBInterfaceSetting."""

    interface: int
    alternate: int

    def getNumber(self) -> int:  # noqa: N802
        return self.interface

    def getAlternateSetting(self) -> int:  # noqa: N802
        return self.alternate

    def getClassTuple(self) -> tuple[int, int]:  # noqa: N802
        return protocol.CLASS

    def __iter__(self) -> Iterator["Endpoint"]:
        step = _PORT_STEP * self.interface
        yield Endpoint(_INTERRUPT + step, protocol.INTERRUPT, 10)
        if self.alternate:
            yield Endpoint(_DATA_IN + step, protocol.DATA, _LARGEST)
            yield Endpoint(_DATA_OUT + step, protocol.DATA, _LARGEST)
            yield Endpoint(_FEEDBACK + step, protocol.FEEDBACK, 3)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Stands for usb1.USBEndpoint."""

    address: int
    attributes: int
    largest: int

    def getAddress(self) -> int:  # noqa: N802
        return self.address

    def getAttributes(self) -> int:  # noqa: N802
        return self.attributes

    def getMaxPacketSize(self) -> int:  # noqa: N802
        return self.largest


class Handle:
    """Stands for usb1.USBDeviceHandle."""

    _claimed: dict[tuple[int, int], "Handle"] = {}  # noqa: RUF012  # (board, interface): whose

    def __init__(self, context: Context, bus: Bus, board: IceBoard) -> None:
        self.board = board
        self._context, self._bus = context, bus
        self._pending: dict[int, list[Transfer]] = {}
        bus.attach(self)

    def getSerialNumber(self) -> str:  # noqa: N802
        if self.board.enumerating:
            raise usb1.USBErrorIO(usb1.ERROR_IO)
        return self.board.serial

    def claimInterface(self, interface: int) -> None:  # noqa: N802
        self._present()
        if (id(self.board), interface) in self._claimed:
            raise usb1.USBErrorBusy(usb1.ERROR_BUSY)
        self._claimed[id(self.board), interface] = self

    def releaseInterface(self, interface: int) -> None:  # noqa: N802
        self._claimed.pop((id(self.board), interface), None)
        self._present()

    def setInterfaceAltSetting(self, interface: int, alt_setting: int) -> None:  # noqa: N802
        self._present()
        with self._bus.lock:
            self.board.ports[interface].start(alt_setting == 1)

    def controlWrite(  # noqa: N802
        self,
        request_type: int,
        request: int,
        value: int,
        index: int,
        data: bytes,
        timeout: int = 0,
    ) -> int:
        self._present()
        port = self.board.ports[index]
        if request_type != protocol.TO_INTERFACE or not _configure(port, request, data):
            raise usb1.USBErrorPipe(usb1.ERROR_PIPE)  # the board stalls what it does not know
        return len(data)

    def getTransfer(self, iso_packets: int = 0) -> Transfer:  # noqa: N802
        return Transfer(iso_packets, self._submit, self._cancel)

    def close(self) -> None:
        for key in [key for key, handle in self._claimed.items() if handle is self]:
            del self._claimed[key]
        self._bus.detach(self)

    # ---- below libusb ----

    def _present(self) -> None:
        if not self.board.plugged:
            raise usb1.USBErrorNoDevice(usb1.ERROR_NO_DEVICE)

    def _submit(self, transfer: Transfer) -> None:
        self._present()
        if self.board.jammed:
            raise usb1.USBErrorIO(usb1.ERROR_IO)
        with self._bus.lock:
            self._pending.setdefault(transfer.endpoint, []).append(transfer)

    def _cancel(self, transfer: Transfer) -> None:
        with self._bus.lock:
            if transfer not in self._pending.get(transfer.endpoint, []):
                raise usb1.USBErrorNotFound(usb1.ERROR_NOT_FOUND)  # it is on its way back
            self._pending[transfer.endpoint].remove(transfer)
            self._finish(transfer, usb1.TRANSFER_CANCELLED)

    def _finish(self, transfer: Transfer, status: int) -> None:
        transfer.finish(status)
        self._context.completed(transfer)

    def fail(self, status: int) -> None:
        """All that is under way comes back."""
        for waiting in self._pending.values():
            for transfer in waiting:
                self._finish(transfer, status)
            waiting.clear()

    def ready(self) -> bool:
        """Whether the data endpoints that were ever used have a transfer waiting."""
        data = [
            endpoint + _PORT_STEP * interface
            for interface, port in enumerate(self.board.ports)
            for endpoint in (_DATA_IN, _DATA_OUT)
            if port.running
        ]
        return all(self._pending[endpoint] for endpoint in data if endpoint in self._pending)

    def millisecond(self, number: int) -> None:
        """One packet on each endpoint that has a transfer waiting."""
        if self.board.hung:
            return
        for interface, port in enumerate(self.board.ports):
            step = _PORT_STEP * interface
            if port.running:
                self._packet(_DATA_IN + step, lambda _, port=port: port.packet())  # type: ignore[misc]
                self._packet(_DATA_OUT + step, port.take)
                if number % _FEEDBACK_MS == 0:
                    self._packet(_FEEDBACK + step, lambda _, port=port: port.feedback())  # type: ignore[misc]
            if number % _INTERRUPT_MS == 0 and self._pending.get(_INTERRUPT + step):
                told = port.interrupt()
                if told is not None:
                    self._packet(_INTERRUPT + step, lambda _, told=told: told)  # type: ignore[misc]

    def _packet(self, endpoint: int, exchange: Callable[[bytes], bytes | None]) -> None:
        waiting = self._pending.get(endpoint)
        if waiting:
            transfer = waiting[0]
            transfer.packet(exchange(transfer.next_out()))
            if transfer.full:
                waiting.pop(0)
                self._finish(transfer, usb1.TRANSFER_COMPLETED)


def _configure(port: E1Port, request: int, data: bytes) -> bool:
    """Whether the board takes this; of its ways to send it plays only the one without a framer of its own."""
    if request == Request.SET_RX and len(data) == 1 and data[0] in set(RxMode):
        port.rx = RxMode(data[0])
        return True
    if request == Request.SET_TX and len(data) == 4 and data[0] == TxMode.TRANSPARENT:
        port.tx = TxConfig(TxMode(data[0]), Timing(data[1]), ExternalLoop(data[2]), bool(data[3]))
        return True
    return False
