"""The interface of an E1 line, whichever board, gateway or cable carries it.

A line is 32 time slots of 64 kbit/s in sample-exact step. What it receives goes, slot by slot, into a ring in memory
that holds the last minute and more; readers take from it by sample number, as often and as late as they like. A
sample number counts frames (8000 a second) since the line was first opened; time that brought no octets is counted
too, as a gap with its cause, so sample numbers never lose step with the far end.
"""

import socket
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.metadata import entry_points
from typing import Literal

from osrec_drivers.e1.criteria import Criteria
from osrec_drivers.errors import NoSuchDriverError, OpenError

Octets = bytes | bytearray | memoryview
LoopKind = Literal["none", "local", "remote"]

FRAME_RATE = 8000  # frames a second, G.704 2.3.1
SLOTS = 32  # time slots 0..31, G.704 2.3.1
IDLE = 0xD5  # A-law positive zero with even bits inverted, G.711


class GapCause(StrEnum):
    """Why samples are missing."""

    LOS = "los"  # nothing but zeros
    LOF = "lof"  # no frame alignment
    AIS = "ais"  # nothing but ones: the far end is cut off
    PACKET_LOSS = "packet_loss"  # SAToP packets missing in a running stream
    NO_PACKETS = "no_packets"  # no SAToP packets at all for a time
    REMOTE_FAULT = "remote_fault"  # SAToP L bit: the gateway has lost its E1
    NOT_LISTENING = "not_listening"  # the recorder was down
    OVERRUN = "overrun"  # a board, its driver or its daemon dropped octets: nobody took them in time
    UNPLUGGED = "unplugged"  # the board or its daemon was gone


class Alarm(StrEnum):
    """Standing conditions of a line."""

    LOS = "los"
    LOF = "lof"
    AIS = "ais"
    RAI = "rai"  # the far end says that it cannot receive us
    NO_PACKETS = "no_packets"
    UNPLUGGED = "unplugged"  # the board or its daemon is gone
    LMFA = "lmfa"  # frames are aligned, but no CRC-4 multiframe is in them
    LMFA16 = "lmfa16"  # no CAS multiframe in time slot 16, where one is expected
    AIS16 = "ais16"  # nothing but ones in time slot 16, where CAS is expected
    RAI16 = "rai16"  # the far end says that it has no CAS multiframe of ours


class Crc4(StrEnum):
    """How far CRC-4 has come, G.706 4.2 and Annex B."""

    OFF = "off"  # by configuration, or the board does not tell
    SEARCHING = "searching"  # no frames, or no multiframe in them yet
    MULTIFRAME = "multiframe"
    INTERWORKING = "non-crc interworking"  # frames for 400 ms without one: the far end sends none


@dataclass(frozen=True, slots=True)
class Gap:
    """Samples `first` .. `first + count - 1` of all slots did not arrive; the ring holds filler in their place."""

    first: int
    count: int
    cause: GapCause


@dataclass(frozen=True, slots=True)
class AlarmChange:
    """An alarm came or went at a sample number."""

    alarm: Alarm
    raised: bool
    sample: int


@dataclass(frozen=True, slots=True)
class Anchor:
    """Ties the sample numbers of a line to the far end's count, so that they go on after a restart of the recorder.

    Attributes:
        sample: sample number of the first frame of packet `sequence`.
        sequence: SAToP sequence number, 0..65535; 0 on lines that have none.
        monotonic_ns: CLOCK_MONOTONIC when that packet arrived.
    """

    sample: int
    sequence: int
    monotonic_ns: int


@dataclass(frozen=True, slots=True)
class LineCounters:
    """Counts since the line was opened."""

    frames: int = 0  # received in alignment
    fas_errors: int = 0
    bit2_errors: int = 0  # frames without FAS whose bit 2 was 0
    crc_errors: int = 0  # bad CRC-4 sub-multiframes
    remote_crc_errors: int = 0  # E bits that were 0
    alignment_losses: int = 0
    slips: int = 0  # alignment found again at another place: octets or frames came twice or not at all
    cas_multiframe_losses: int = 0
    packets: int = 0
    packets_lost: int = 0
    packets_late: int = 0
    packets_reordered: int = 0
    packets_duplicate: int = 0
    packets_malformed: int = 0
    overruns: int = 0  # times that a board, its driver or its daemon dropped octets
    underruns: int = 0  # times that we left a board with nothing to send
    irq_misses: int = 0  # interrupts that a board found unanswered

    @property
    def e_bits(self) -> int:
        """Blocks that the far end found errored, as its E bits tell; the other name of `remote_crc_errors`."""
        return self.remote_crc_errors


@dataclass(frozen=True, slots=True)
class LineStatus:
    """A line at one moment.

    Attributes:
        head: sample number after the newest sample in the ring.
        received: samples of each slot that really arrived.
        expected: samples that 8000 a second since the first one make.
        ppm: the far end's clock against ours, None until it is known.
        crc4: what became of the search for the CRC-4 multiframe.
        sa: bits Sa4..Sa8 of the far end, Sa4 being 16, G.704 2.3.2; None until three in a row said the same.
        loop: see Line.loop.
    """

    spec: str
    alarms: frozenset[Alarm]
    aligned: bool
    crc_multiframe: bool
    head: int
    received: int
    expected: int
    ppm: float | None
    counters: LineCounters = field(default_factory=LineCounters)
    crc4: Crc4 = Crc4.OFF
    sa: int | None = None
    loop: LoopKind = "none"


@dataclass(frozen=True, slots=True)
class DFrame:
    """A frame of a D channel, or what became none.

    Attributes:
        sample: number of the sample that holds the last bit of its closing flag, or the bit that spoilt it.
        octets: address to information, without FCS; of what is no frame, whatever whole octets there were.
        error: None for a frame, else "abort", "fcs", "octets", "long" or "short", Q.921 2.9.
    """

    sample: int
    octets: bytes
    error: str | None = None


@dataclass(frozen=True, slots=True)
class DCounters:
    """Counts of a D channel since it was opened."""

    frames: int = 0  # received whole
    bad_fcs: int = 0
    aborts: int = 0  # seven ones inside a frame, or samples that did not arrive
    octet_errors: int = 0  # not a whole number of octets
    long: int = 0
    short: int = 0
    overruns: int = 0  # received, but nobody fetched those before them: lost
    sent: int = 0  # frames taken to be sent
    unsent: int = 0  # frames refused, a second's worth being queued


class DChannel(ABC):
    """HDLC on one time slot of a line, Q.921 2. Its methods may be called from any thread."""

    @abstractmethod
    def send(self, frame: Octets) -> bool:
        """Queue a frame, address to information; the line adds FCS, zeros and flags in step with its own clock.

        False when a second's worth is queued already: the frame is not sent. Raises LineError when the channel is
        closed, ValueError for a frame of no octets or of too many.
        """

    @abstractmethod
    def receive(self) -> Sequence[DFrame]:
        """What has come since the last call, oldest first. Nothing more once the channel is closed."""

    @property
    @abstractmethod
    def counters(self) -> DCounters: ...

    @abstractmethod
    def close(self) -> None:
        """Free the time slot. Calling it again does nothing; closing the line does it too."""


@dataclass(frozen=True, slots=True)
class CasState:
    """Signalling in time slot 16, G.704 5.1.3.2.

    Attributes:
        aligned: the CAS multiframe is found.
        abcd: by time slot, 0..31, a being 8; None for slots 0 and 16 and for what is not known (now).
        spare: bits 5, 7 and 8 of its frame 0, the x bits, as 3 bits; None while not aligned.
    """

    aligned: bool
    abcd: tuple[int | None, ...]
    spare: int | None = None


@dataclass(frozen=True, slots=True)
class CasChange:
    """The signalling of a time slot became `abcd`, first seen in frame `sample`."""

    slot: int
    abcd: int
    sample: int


@dataclass(frozen=True, slots=True)
class LineInfo:
    """A line that a driver could open."""

    spec: str
    description: str
    free: bool | None  # None: not known


class Line(ABC):
    """One open line. All methods may be called from any thread."""

    spec: str

    @property
    @abstractmethod
    def head(self) -> int:
        """Sample number after the newest sample in the ring."""

    @property
    @abstractmethod
    def oldest(self) -> int:
        """Sample number of the oldest sample still in the ring."""

    @abstractmethod
    def read(self, slot: int, first: int, count: int) -> bytes:
        """Octets `first` .. `first + count - 1` of a time slot; filler stands where `gaps` says so.

        Raises LineError when they are not all in the ring (any more, or yet), ValueError for a slot outside 0..31.
        """

    @abstractmethod
    def wipe(self, slot: int, first: int, count: int) -> None:
        """Overwrite those octets of a time slot in the ring with idle code: nobody can read them any more.

        Of what is not in the ring (any more, or yet) nothing happens. No gap is made of it. Raises ValueError for a
        slot outside 0..31.
        """

    @abstractmethod
    def gaps(self, first: int, count: int) -> Sequence[Gap]:
        """What is missing in that range, clipped to it, in order."""

    @abstractmethod
    def changes(self) -> Sequence[AlarmChange]:
        """Alarms that came or went since the last call."""

    @abstractmethod
    def status(self) -> LineStatus: ...

    @abstractmethod
    def levels(self) -> Sequence[float]:
        """Level of each of the 32 slots over the last 100 ms, dBm0 (G.711 full-scale sine +3.14); -inf when silent."""

    @abstractmethod
    def anchor(self) -> Anchor | None:
        """Where the sample numbers stand against the far end's count; None before anything arrived."""

    @abstractmethod
    def transmit(self, frames: Octets, due_ns: int | None = None) -> None:
        """Send frames, n x 32 octets, time slot 0 first in each. The line writes TS0 (FAS, CRC-4, E and A bits) itself.

        `due_ns`: when the first of them is due, CLOCK_MONOTONIC; None: behind those before. A line that paces what it
        sends passes over frames which are long due, as a board does whose clock goes on while its network stands
        still, and the far end learns how many; frames without a time it sends late instead.

        A line that nobody transmits on sends idle frames in step with what it receives.
        """

    @abstractmethod
    def send(self, slot: int, octets: Octets) -> int:
        """Queue octets for one time slot, sent in step in place of what else it would carry.

        Returns how many were taken: the queue holds two seconds. For tones and bit error tests, beside `transmit`.
        Raises LineError when the slot belongs to a D channel or to CAS, ValueError for a slot outside 1..31.
        """

    @abstractmethod
    def send_sa(self, bits: int) -> None:
        """Send these bits Sa4..Sa8 from now on, Sa4 being 16, G.704 2.3.2; 31 at first."""

    @abstractmethod
    def d_channel(self, slot: int = 16) -> DChannel:
        """Open HDLC on a time slot; flags fill it both before and between the frames that are sent.

        Raises LineError when the slot is taken, ValueError for a slot outside 1..31.
        """

    @abstractmethod
    def cas(self) -> CasState:
        """Signalling of the far end. The first call of this or of the next two begins to look for it in slot 16.

        From then on a missing multiframe is an alarm. Raises LineError when a D channel is there.
        """

    @abstractmethod
    def cas_changes(self) -> Sequence[CasChange]:
        """Changes of signalling since the last call, oldest first."""

    @abstractmethod
    def send_cas(self, slot: int, abcd: int) -> None:
        """Signal this for a time slot from its next turn on; the first call begins to send the CAS multiframe.

        Slots that nobody signals for say 1101. Raises LineError when a D channel is in slot 16, ValueError for a slot
        other than 1..15 and 17..31, for what is no four bits, and for 0000, which is forbidden [G.704 5.1.3.2].
        """

    @abstractmethod
    def judge_by(self, criteria: Criteria) -> None:
        """Take these thresholds of alignment and alarms from now on. What a board judges by itself stays its own."""

    @abstractmethod
    def loop(self, kind: LoopKind) -> None:
        """Put the line into a loop, or out of any.

        "local": we receive what we send, the far end still gets it. "remote": the far end gets back what it sends,
        bit by bit, while we go on receiving. Raises ValueError for any other kind.
        """

    @abstractmethod
    def close(self) -> None:
        """Free the line. Calling it again does nothing."""


class LineDriver(ABC):
    """A kind of board. Stateless: lines hold the state."""

    @abstractmethod
    def detect(self) -> Iterator[LineInfo]:
        """Lines present now. Opens nothing, so it is safe on a busy system."""

    @abstractmethod
    def open(self, spec: str, *, fd: int | None = None, resume: Anchor | None = None) -> Line:
        """Open the line that the part of the spec after ':' names.

        Args:
            spec: the whole spec, driver name and all.
            fd: a socket or device that a supervisor held open for us meanwhile, or None.
            resume: continue the sample numbers of an earlier run.

        Raises OpenError.
        """

    @abstractmethod
    def check(self, spec: str) -> None:
        """Whether the spec is written as it should be, without opening anything. Raises OpenError."""

    def check_signalling(self, spec: str, *, cas: bool) -> None:
        """Whether time slot 16 of such a line can carry a D channel, or CAS. Raises OpenError.

        Any can, which is the default.
        """
        return

    def hold(self, spec: str) -> socket.socket | None:
        """A socket that a supervisor may keep open over restarts of the recorder, to hand in as `fd`.

        None when the line has none, which is the default. Raises OpenError.
        """
        return None


def check_spec(spec: str) -> None:
    """What `LineDriver.check` says of the spec. Raises NoSuchDriverError, OpenError."""
    _driver(spec).check(spec)


def check_signalling(spec: str, *, cas: bool) -> None:
    """What `LineDriver.check_signalling` says of the spec. Raises NoSuchDriverError, OpenError."""
    _driver(spec).check_signalling(spec, cas=cas)


def hold_line(spec: str) -> socket.socket | None:
    """What `LineDriver.hold` gives for the spec. Raises NoSuchDriverError, OpenError."""
    return _driver(spec).hold(spec)


def open_line(spec: str, *, fd: int | None = None, resume: Anchor | None = None) -> Line:
    """Open a line by its spec, "driver:rest". Raises NoSuchDriverError, OpenError."""
    return _driver(spec).open(spec, fd=fd, resume=resume)


def _driver(spec: str) -> LineDriver:
    name, colon, _ = spec.partition(":")
    if not colon:
        raise OpenError(f"line {spec!r}: a line is named DRIVER:REST, for instance satop:0.0.0.0:5001/192.0.2.10:5001")
    drivers = entry_points(group="osrec.line_drivers")
    if name not in drivers.names:
        raise NoSuchDriverError(f"line {spec!r}: no driver {name!r}; installed are {', '.join(sorted(drivers.names))}")
    driver: LineDriver = drivers[name].load()()
    return driver
