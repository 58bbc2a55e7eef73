"""An emulated icE1usb, a millisecond at a time: memories for frames both ways, error counts, and what can go wrong.

Behaviour from the board's firmware (osmo-e1-hardware, firmware/ice40-riscv/icE1usb: e1.c, usb_e1.c): memories of 256
frames, received frames counted in the packet's first four octets, at most 9 frames a packet when it has to catch up,
whole multiframes dropped when nobody fetches them, ones sent when nobody brings any.
"""

from collections import deque
from dataclasses import dataclass
from typing import Literal

from osrec_drivers.e1.framer import Framer
from osrec_drivers.ice1usb_protocol import Errors, Flag, RxMode, TxConfig, write_interrupt

FRAME = 32
_ROOM = 256  # frames of each memory
_MULTIFRAME = 16
_WANTED = 8 << 10  # frames a millisecond, times 1024
_BIAS = 256  # what the board adds or takes away to keep its memory half full
_AHEAD = (4 * _MULTIFRAME, 6 * _MULTIFRAME)


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong, and which of the boards that one finds it is; the default is healthy.

    Attributes:
        position: where the count of frames stands in the four octets. The firmware writes a number of the processor's
            order, osmo-e1d reads it from the last octet: both are played.
        circle: frames after which it begins anew.
    """

    position: Literal["last", "first"] = "last"
    circle: Literal[256, 16] = 256


class E1Port:
    """One E1 of the board.

    Attributes:
        rx, tx: as it was configured.
        cut: packets to the host that will be cut short on their way.
        lost: packets to the host that will not arrive.
    """

    def __init__(self, faults: Faults) -> None:
        self.running = False
        self.rx = RxMode.MULTIFRAME
        self.tx = TxConfig()
        self.cut = 0
        self.lost = 0
        self.overflows = 0
        self.underflows = 0
        self.flags = Flag(0)
        self._faults = faults
        self._received: deque[bytes] = deque()
        self._written = 0  # frames put into the memory; those that found no room do not count
        self._dropping = 0  # frames of a multiframe that found none
        self._rest = b""
        self._framer = Framer(crc4=False)
        self._waiting: deque[bytes] = deque()
        self._sending = False
        self._told = Errors()

    def start(self, running: bool) -> None:
        """What the USB interface's alternate setting does."""
        self.running = running
        self._received.clear()
        self._waiting.clear()
        self._sending = False

    # ---- the E1 side ----

    def receive(self, octets: bytes | None) -> None:
        """What comes off the line; None: no signal, so no clock and no octets."""
        self.flags = self.flags & ~Flag.LOS if octets is not None else self.flags | Flag.LOS
        if octets is None or not self.running:
            return
        if self.rx is not RxMode.RAW:
            octets = self._framer.feed(octets)
            self.flags = self.flags & ~Flag.ALIGNMENT if self._framer.aligned else self.flags | Flag.ALIGNMENT
        octets = self._rest + octets
        whole = len(octets) // FRAME * FRAME
        self._rest = octets[whole:]
        for at in range(0, whole, FRAME):
            self._store(octets[at : at + FRAME])

    def _store(self, frame: bytes) -> None:
        full = self._written % _MULTIFRAME == 0 and len(self._received) > _ROOM - 2 * _MULTIFRAME
        if full and not self._dropping:
            self.overflows += 1  # the whole multiframe has nowhere to go
            self._dropping = _MULTIFRAME
        if self._dropping:
            self._dropping -= 1
            return
        self._received.append(frame)
        self._written += 1

    def transmit(self, frames: int) -> bytes:
        """The next frames onto the line."""
        if not self._sending and len(self._waiting) >= 5 * _MULTIFRAME:
            self._sending = True
        if not self._sending:
            return b"\xff" * (FRAME * frames)
        if len(self._waiting) < frames:
            self.underflows += 1
            self._sending = False
            return b"\xff" * (FRAME * frames)
        return b"".join(self._waiting.popleft() for _ in range(frames))

    # ---- the USB side ----

    def packet(self) -> bytes | None:
        """What the data endpoint gives this millisecond; None when it is lost on its way."""
        level = len(self._received)
        count = min(level, 9 if level > 32 else 8)
        position = (self._written - level) % self._faults.circle
        header = bytes(3) + bytes([position]) if self._faults.position == "last" else bytes([position]) + bytes(3)
        packet = header + b"".join(self._received.popleft() for _ in range(count)) if count else b""
        if self.lost and count:
            self.lost -= 1
            return None
        if self.cut and count:
            self.cut -= 1
            return packet[: 4 + 100]
        return packet

    def take(self, packet: bytes) -> None:
        """What the host sends."""
        for at in range(4, len(packet), FRAME):
            if len(self._waiting) < _ROOM:
                self._waiting.append(packet[at : at + FRAME])

    def feedback(self) -> bytes:
        level = len(self._waiting)
        bias = _BIAS if level < _AHEAD[0] else -_BIAS if level > _AHEAD[1] else 0
        return (_WANTED + bias).to_bytes(4, "little")[:3]

    def interrupt(self) -> bytes | None:
        """What the interrupt endpoint says, when anything has changed."""
        now = Errors(overflows=self.overflows % 65536, underflows=self.underflows % 65536, flags=self.flags)
        if now == self._told:
            return None
        self._told = now
        return write_interrupt(now)


class IceBoard:
    """A board: its serial number, its ports, and whether it is plugged in.

    Attributes:
        enumerating: it is just being plugged in: it shows, and does not answer what is asked of it.
        jammed: the bus is being reset: nothing new can be asked of it.
        hung: nothing that was asked of it comes back.
    """

    def __init__(self, serial: str, faults: Faults | None = None, ports: int = 2) -> None:
        self.serial = serial
        self.plugged = True
        self.enumerating = False
        self.jammed = False
        self.hung = False
        self.ports = [E1Port(faults or Faults()) for _ in range(ports)]
