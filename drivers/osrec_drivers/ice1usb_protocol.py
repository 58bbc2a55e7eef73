"""What the icE1usb says over USB: packets of frames, errors, feedback; and what it is told. No I/O.

Once a millisecond each way an isochronous packet: four octets, then whole frames, usually 8. In the first four the
board counts the frames that it took off the line, modulo the size of its memory. Its interrupt endpoint counts errors
when they change; its feedback endpoint says how many frames it wants next, so that it sends at its own clock's rate.
Source: osmo-e1-hardware, firmware/ice40-riscv/icE1usb (ice1usb_proto.h, usb_e1.c, e1.c).
"""

import struct
from dataclasses import dataclass
from enum import IntEnum, IntFlag

VENDOR, PRODUCT, PRODUCT_DFU = 0x1D50, 0x6145, 0x6144
CLASS = (0xFF, 0xE1)  # interface class and subclass of an E1 line
FEEDBACK, DATA, INTERRUPT = 0x11, 0x05, 0x03  # attributes that tell the endpoints apart
HEADER = 4  # octets before the frames of a packet
FRAME = 32
TO_INTERFACE = 0x41  # bmRequestType: vendor request to an interface
FROM_INTERFACE = 0xC1


class Request(IntEnum):
    SET_TX = 0x02
    GET_TX = 0x03
    SET_RX = 0x04
    GET_RX = 0x05
    GET_ERRORS = 0x06


class TxMode(IntEnum):
    TRANSPARENT = 0
    TS0 = 1
    TS0_CRC4 = 2
    TS0_CRC4_E = 3


class Timing(IntEnum):
    LOCAL = 0  # the board's own oscillator
    REMOTE = 1  # what it receives: the far end is the clock


class ExternalLoop(IntEnum):
    OFF = 0
    SAME = 1  # what comes goes back
    CROSS = 2


class RxMode(IntEnum):
    RAW = 0  # bits as they come, not aligned
    FRAME = 2
    MULTIFRAME = 3


class Flag(IntFlag):
    """Standing conditions that the board's own framer sees."""

    ALIGNMENT = 1
    LOS = 2
    RAI = 4
    AIS = 8


@dataclass(frozen=True, slots=True)
class TxConfig:
    mode: TxMode = TxMode.TRANSPARENT
    timing: Timing = Timing.REMOTE
    loop: ExternalLoop = ExternalLoop.OFF
    alarm: bool = False

    def encode(self) -> bytes:
        return bytes([self.mode, self.timing, self.loop, self.alarm])


_NONE = Flag(0)


@dataclass(frozen=True, slots=True)
class Errors:
    """Counts modulo 65536 since the board was started, and flags."""

    crc: int = 0
    alignment: int = 0
    overflows: int = 0
    underflows: int = 0
    flags: Flag = _NONE


_ERRORS = struct.Struct("<HHHHB")
_ERROR_COUNTS = 1  # type of message on the interrupt endpoint
INTERRUPT_LENGTH = 1 + _ERRORS.size


def read_interrupt(octets: bytes) -> Errors | None:
    """What the interrupt endpoint said; None for what it may say one day."""
    if len(octets) < INTERRUPT_LENGTH or octets[0] != _ERROR_COUNTS:
        return None
    crc, alignment, overflows, underflows, flags = _ERRORS.unpack_from(octets, 1)
    return Errors(crc, alignment, overflows, underflows, Flag(flags))


def write_interrupt(errors: Errors) -> bytes:
    counts = (errors.crc, errors.alignment, errors.overflows, errors.underflows)
    return bytes([_ERROR_COUNTS]) + _ERRORS.pack(*(count % 65536 for count in counts), errors.flags)


def since(before: int, now: int) -> int:
    """How far a count went."""
    return (now - before) % 65536


class TxRate:
    """How many frames go into the next packet to the board.

    Args:
        most: frames that a packet can hold.
    """

    def __init__(self, most: int = 9) -> None:
        self._most = most
        self._wanted = 8 << 10  # frames a millisecond, times 1024
        self._owed = 0

    def feedback(self, octets: bytes) -> None:
        """What the feedback endpoint said; anything but 3 octets says nothing, and no packet holds more than `most`."""
        if len(octets) == 3:
            self._wanted = min(int.from_bytes(octets, "little"), self._most << 10)

    def next(self) -> int:
        self._owed += self._wanted
        frames = min(max(self._owed >> 10, 4), self._most)
        self._owed = max(self._owed - (frames << 10), 0)
        return frames


USUAL = 8  # frames of a packet when nothing has to catch up

_PLACES = ((3, 256), (0, 256), (3, 16), (0, 16))  # where the position may stand, and modulo what
_TRUSTED = 4  # packets in a row that a place must have fitted
_DISTRUSTED = 8  # packets in a row that it must not have


class Position:
    """The board's count of frames, from packet to packet.

    The firmware writes it as a number into the four octets, osmo-e1d reads it from the last of them, and how many
    frames the count goes round in differs by version; so we look which of the readings fits what comes.

    Attributes:
        circle: frames after which the trusted count begins anew, 0 while there is none.
    """

    def __init__(self) -> None:
        self.circle = 0
        self._expected: list[int | None] = [None] * len(_PLACES)
        self._fits = [0] * len(_PLACES)
        self._misfits = 0
        self._trusted: int | None = None

    def missing(self, header: bytes, frames: int, nominal: int = 0) -> int:
        """Frames missing before this packet of so many, or a multiple of `circle` more.

        `nominal`: how many they should be, by the packets that did not arrive whole: what a packet usually holds is
        not always what it held. That number alone counts while the board's count is not understood.
        """
        lost = 0
        for number, (place, circle) in enumerate(_PLACES):
            expected, found = self._expected[number], header[place] % circle
            gap = 0 if expected is None else (found - expected) % circle
            fits = expected is not None and gap == 0 and header[place] < circle
            self._fits[number] = self._fits[number] + 1 if fits else 0
            if number == self._trusted:
                lost = gap
                self._misfits = 0 if fits else self._misfits + 1
            self._expected[number] = (found + frames) % circle
        self._choose()
        if not self.circle:
            return nominal
        return lost + self.circle * max(round((nominal - lost) / self.circle), 0)

    def _choose(self) -> None:
        if self._trusted is not None and self._misfits < _DISTRUSTED:
            return
        fitting = [number for number, fits in enumerate(self._fits) if fits >= _TRUSTED]
        self._trusted = fitting[0] if fitting else None
        self.circle = _PLACES[fitting[0]][1] if fitting else 0
        self._misfits = 0
