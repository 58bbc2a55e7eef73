"""Transfers of the emulated USB bus; they stand for usb1.USBTransfer."""

import ctypes
from collections.abc import Callable, Iterator
from functools import partial

import usb1

_FROM_C = ctypes.CFUNCTYPE(None)


class Transfer:
    """Isochronous or interrupt, in or out."""

    def __init__(
        self, packets: int, submit: Callable[["Transfer"], None], cancel: Callable[["Transfer"], None]
    ) -> None:
        self.endpoint = 0
        self._most = packets
        self._submit, self._cancel = submit, cancel
        self._callback: Callable[[Transfer], None] | None = None
        self._submitted = False
        self._status: int = usb1.TRANSFER_COMPLETED
        self._out: list[bytes] = []
        self._count = 1
        self._came: list[tuple[int, bytes]] = []

    # ---- what a driver calls ----

    def setIsochronous(  # noqa: N802
        self,
        endpoint: int,
        buffer_or_len: int | bytearray,
        callback: Callable[["Transfer"], None] | None = None,
        iso_transfer_length_list: list[int] | None = None,
    ) -> None:
        self._idle()
        self.endpoint, self._callback = endpoint, callback
        self._count = self._most if iso_transfer_length_list is None else len(iso_transfer_length_list)
        if not 0 < self._count <= self._most:
            raise ValueError(f"{self._count} packets in a transfer for {self._most}")
        self._out = []
        if not isinstance(buffer_or_len, int):
            at = 0
            for length in iso_transfer_length_list or []:
                self._out.append(bytes(buffer_or_len[at : at + length]))
                at += length

    def setInterrupt(  # noqa: N802
        self, endpoint: int, buffer_or_len: int, callback: Callable[["Transfer"], None] | None = None
    ) -> None:
        self._idle()
        self.endpoint, self._callback = endpoint, callback

    def submit(self) -> None:
        self._idle()
        self._came = []
        self._submit(self)
        self._submitted = True

    def cancel(self) -> None:
        if not self._submitted:
            raise usb1.USBErrorNotFound(usb1.ERROR_NOT_FOUND)
        self._cancel(self)

    def isSubmitted(self) -> bool:  # noqa: N802
        return self._submitted

    def getStatus(self) -> int:  # noqa: N802
        return self._status

    def getActualLength(self) -> int:  # noqa: N802
        return len(self._came[0][1]) if self._came else 0

    def getBuffer(self) -> bytes:  # noqa: N802
        return self._came[0][1] if self._came else b""

    def iterISO(self) -> Iterator[tuple[int, bytes]]:  # noqa: N802
        yield from self._came

    def close(self) -> None:
        self._idle()
        self._callback = None

    def _idle(self) -> None:
        if self._submitted:
            raise ValueError("Cannot alter a submitted transfer")

    # ---- what the bus calls ----

    @property
    def full(self) -> bool:
        return len(self._came) == self._count

    def next_out(self) -> bytes:
        """The packet that goes to the board next."""
        return self._out[len(self._came)] if self._out else b""

    def packet(self, octets: bytes | None) -> None:
        """One packet is done; None: it got lost."""
        self._came.append(
            (usb1.TRANSFER_COMPLETED, octets or b"") if octets is not None else (usb1.TRANSFER_ERROR, b"")
        )

    def finish(self, status: int) -> None:
        self._status = status

    def tell(self) -> None:
        """The driver hears that it is done, through C as from libusb: an error of its goes to the unraisable hook."""
        self._submitted = False
        if self._callback is not None:
            _FROM_C(partial(self._callback, self))()
