"""E1 cables inside one process, `virtual:NAME/a` and `virtual:NAME/b`: time passes when an end transmits, else never.

What one end transmits is at the other end's receiver when `transmit` returns, as raw line octets: the receiver hunts
for frames in them as in any others. `cable(NAME)` gives the cable itself, to shift its bits or damage what it carries.
"""

import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from osrec_drivers.e1.engine import CAPACITY, Engine
from osrec_drivers.e1.line import EngineLine
from osrec_drivers.errors import LineError, OpenError
from osrec_drivers.line import (
    IDLE,
    Anchor,
    GapCause,
    Line,
    LineCounters,
    LineDriver,
    LineInfo,
    LineStatus,
    Octets,
)

FRAME = 32  # octets
_PACKET = 256  # octets that one sequence number stands for, as on a SAToP line
_STEP = 40 * FRAME  # carried at once: 5 ms, so that A and E bits of both ends answer each other
_IDLE_FRAME = bytes([IDLE]) * FRAME


class FaultKind(Enum):
    """What happens to octets on their way."""

    LOST = "lost"  # they do not come, and the far end knows how many: a lost packet
    SLIPPED = "slipped"  # they do not come and nobody knows: what follows is shifted
    ZEROS = "zeros"  # the cable is out
    ONES = "ones"  # equipment in between is cut off and sends AIS
    BIT_ERRORS = "bit errors"  # `rate` of the bits are inverted


@dataclass(frozen=True, slots=True)
class Fault:
    """Damage to the next `octets` that an end sends."""

    kind: FaultKind
    octets: int
    rate: float = 1e-3
    seed: int = 0


class Direction:
    """One pair of the cable: a delay of less than an octet, then whatever faults are due."""

    def __init__(self) -> None:
        self.octets = 0  # carried, missing ones too
        self._late_bits = 0
        self._late = 0
        self._faults: list[Fault] = []

    def shift(self, bits: int) -> None:
        """From now on the octets arrive `bits` later than sent, zeros first: 0..7 on top of what is so already."""
        if not 0 <= bits < 8:
            raise ValueError(f"shift of {bits} bits: a cable delays by 0..7 bits, whole octets are Fault SLIPPED")
        self._late <<= bits
        self._late_bits += bits

    def damage(self, fault: Fault) -> None:
        """Faults strike one after the other."""
        self._faults.append(fault)

    def carry(self, octets: bytes) -> Iterator[bytes | int]:
        """What comes out: octets, or how many are missing."""
        bits = self._late << 8 * len(octets) | int.from_bytes(octets)
        out = (bits >> self._late_bits).to_bytes(len(octets) + 1)[1:]
        self._late = bits & (1 << self._late_bits) - 1
        while out and self._faults:
            fault = self._faults.pop(0)
            struck, out = out[: fault.octets], out[fault.octets :]
            if len(struck) < fault.octets:
                self._faults.insert(0, Fault(fault.kind, fault.octets - len(struck), fault.rate, fault.seed + 1))
            yield from _strike(fault, struck)
        if out:
            yield out


def _strike(fault: Fault, octets: bytes) -> Iterator[bytes | int]:
    match fault.kind:
        case FaultKind.LOST:
            yield len(octets)
        case FaultKind.ZEROS:
            yield bytes(len(octets))
        case FaultKind.ONES:
            yield b"\xff" * len(octets)
        case FaultKind.BIT_ERRORS:
            dice = random.Random(fault.seed)
            errors = sum(1 << bit for bit in range(8 * len(octets)) if dice.random() < fault.rate)
            yield (int.from_bytes(octets) ^ errors).to_bytes(len(octets))
        case FaultKind.SLIPPED:
            return


class Cable:
    """Two ends, "a" and "b", and a direction from each to the other."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lock = threading.RLock()
        self.sent_by = {"a": Direction(), "b": Direction()}
        self.ends: dict[str, VirtualLine] = {}

    def other(self, end: str) -> str:
        return "b" if end == "a" else "a"

    def carry(self, sender: str, octets: bytes) -> None:
        """Octets that `sender` puts on the cable. With no receiver they are gone."""
        direction = self.sent_by[sender]
        receiver = self.ends.get(self.other(sender))
        for part in direction.carry(octets):
            direction.octets += part if isinstance(part, int) else len(part)
            if receiver is not None:
                receiver.take(part)


_cables: dict[str, Cable] = {}


def cable(name: str) -> Cable:
    """The cable of that name, laid when first asked for."""
    return _cables.setdefault(name, Cable(name))


class VirtualLine(EngineLine):
    """One end of a cable.

    Attributes:
        sent: frames transmitted so far, so the number of the next one.
    """

    def __init__(self, spec: str, laid: Cable, end: str, engine: Engine) -> None:
        self.spec = spec
        self.engine = engine
        self.sent = 0
        self._cable = laid
        self._end = end
        self._transmits = False  # else idle frames go out in step with what comes in
        self._closed = False
        self._first_octet = laid.sent_by[laid.other(end)].octets
        self._origin = engine.head
        self._missed = self._not_listened()
        engine.miss(self._missed, GapCause.NOT_LISTENING)

    def _not_listened(self) -> int:
        """Octets since the anchor of the earlier run."""
        resume = self.engine.resume
        if resume is None:
            return 0
        packets = (self._first_octet // _PACKET - resume.sequence) % 65536
        return packets * _PACKET + self._first_octet % _PACKET

    def take(self, part: bytes | int) -> None:
        """What comes off the cable."""
        before = self.engine.octets // FRAME
        if isinstance(part, int):
            self.engine.miss(part, GapCause.PACKET_LOSS)
        else:
            self.engine.receive(part)
        if not self._transmits:
            self._send(_IDLE_FRAME * (self.engine.octets // FRAME - before))

    def _send(self, frames: Octets) -> None:
        self.sent += len(frames) // FRAME
        self._cable.carry(self._end, self.engine.transmit(frames))

    def transmit(self, frames: Octets, due_ns: int | None = None) -> None:
        if len(frames) % FRAME:
            raise ValueError(f"{len(frames)} octets: frames are {FRAME} octets each [G.704 2.3.1]")
        with self._cable.lock:
            if self._closed:
                raise LineError(f"line {self.spec!r}: it is closed")
            self._transmits = True
            octets = bytes(frames)
            for first in range(0, len(octets), _STEP):
                self._send(octets[first : first + _STEP])

    def status(self) -> LineStatus:
        alarms, aligned, multiframe, head, counters = self.engine.snapshot()
        return LineStatus(
            spec=self.spec,
            alarms=alarms,
            aligned=aligned,
            crc_multiframe=multiframe,
            head=head,
            received=counters["frames"],
            expected=(self.engine.octets - self._missed) // FRAME,
            ppm=None,
            counters=LineCounters(**counters),
            crc4=self.engine.crc4_state,
            sa=self.engine.sa,
            loop=self.engine.loop,
        )

    def anchor(self) -> Anchor | None:
        with self._cable.lock:
            came = self._cable.sent_by[self._cable.other(self._end)].octets
            sample = self._origin + self.engine.octets // FRAME - came % _PACKET // FRAME
            if came == self._first_octet or sample < self._origin:  # no whole packet yet
                return None
            return Anchor(sample, came // _PACKET % 65536, time.monotonic_ns())

    def close(self) -> None:
        with self._cable.lock:
            if not self._closed:
                self._closed = True
                self._close_channels()
                del self._cable.ends[self._end]


class VirtualDriver(LineDriver):
    """Cables in this process."""

    def detect(self) -> Iterator[LineInfo]:
        for name, laid in sorted(_cables.items()):
            for end in ("a", "b"):
                yield LineInfo(f"virtual:{name}/{end}", f"end {end} of virtual cable {name}", end not in laid.ends)

    def open(self, spec: str, *, fd: int | None = None, resume: Anchor | None = None, capacity: int = CAPACITY) -> Line:
        name, end, crc4 = _parse(spec)
        if fd is not None:
            raise OpenError(f"line {spec!r}: descriptor {fd} was handed over, but a virtual line has none")
        laid = cable(name)
        with laid.lock:
            if end in laid.ends:
                raise OpenError(f"line {spec!r}: end {end} of cable {name!r} is open already")
            line = VirtualLine(spec, laid, end, Engine(crc4=crc4, capacity=capacity, resume=resume))
            laid.ends[end] = line
            return line

    def check(self, spec: str) -> None:
        _parse(spec)


def _parse(spec: str) -> tuple[str, str, bool]:
    """Cable, end, and whether CRC-4 is on."""
    driver, _, rest = spec.partition(":")
    place, _, options = rest.partition("?")
    name, _, end = place.rpartition("/")
    if driver != "virtual" or not name or end not in ("a", "b"):
        raise OpenError(f"line {spec!r}: a virtual line is named virtual:NAME/a or virtual:NAME/b")
    if options not in ("", "crc4=0", "crc4=1"):
        raise OpenError(f"line {spec!r}: option {options!r} is unknown; there is crc4=0 and crc4=1")
    return name, end, options != "crc4=0"
