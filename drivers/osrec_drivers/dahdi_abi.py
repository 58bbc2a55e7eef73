"""The ioctls of DAHDI's character devices: their numbers and the octets that go with them.

Facts of include/dahdi/user.h, the same in dahdi-linux 2.11 and 3.x; struct members that nobody here needs are skipped.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum, IntFlag

CHUNK = 8  # frames that pass at once, one tick: DAHDI_CHUNKSIZE
MAX_BUFFERS = 32  # DAHDI_MAX_NUM_BUFS
MAX_SPACE = 32768  # octets in all buffers of a channel: DAHDI_MAX_BUF_SPACE
ELAST = 500  # errno of read and write while an event waits to be fetched
ALAW = 2  # DAHDI_LAW_ALAW


def _number(direction: int, number: int, size: int) -> int:
    """An ioctl of DAHDI as asm-generic/ioctl.h makes it; direction 1: in, 2: out, 3: both."""
    return direction << 30 | size << 16 | 0xDA << 8 | number


_INT = struct.Struct("=i")
_PARAMS = struct.Struct("=12i40s11iI")
_SPANINFO = struct.Struct("=i20s40s7i5I7i40s40s40s40s2i6s")
_LINECONFIG = struct.Struct("=i20s3i")
_CHANCONFIG = struct.Struct("=i40s4i16s")
_BUFFERS = struct.Struct("=6i")

SET_AUDIO_MODE = _number(1, 32, _INT.size)
GET_PARAMS = _number(3, 5, _PARAMS.size)
GET_EVENT = _number(2, 8, _INT.size)
SPAN_STATUS = _number(3, 10, _SPANINFO.size)
SPAN_CONFIG = _number(1, 18, _LINECONFIG.size)
CHANNEL_CONFIG = _number(1, 19, _CHANCONFIG.size)
SET_BUFFERS = _number(1, 27, _BUFFERS.size)
SPECIFY = _number(1, 38, _INT.size)
STARTUP = _number(1, 99, _INT.size)
BUFFER_EVENTS = _number(1, 105, _INT.size)


class Signalling(IntEnum):
    """What a channel is used for, DAHDI_SIG_*."""

    CLEAR = 1 << 7  # octets as they are
    HDLC_FCS = 1 << 7 | 1 << 8 | 1 << 9  # frames, FCS checked and made by DAHDI
    SLAVE = 1 << 11  # its octets come and go with those of its master


class LineConfig(IntFlag):
    """Framing and line code of a span, DAHDI_CONFIG_*."""

    CCS = 1 << 8  # time slot 16 is a channel like any other
    HDB3 = 1 << 9
    CRC4 = 1 << 10


class SpanAlarm(IntFlag):
    """DAHDI_ALARM_*."""

    RECOVER = 1 << 0
    LOOPBACK = 1 << 1
    YELLOW = 1 << 2
    RED = 1 << 3
    BLUE = 1 << 4
    NOT_OPEN = 1 << 5
    LOS = 1 << 8
    LFA = 1 << 9
    LMFA = 1 << 10


class Event(IntEnum):
    """What may wait on a channel that carries no telephone, DAHDI_EVENT_*."""

    ALARM = 4
    NO_ALARM = 5
    ABORT = 6
    OVERRUN = 7  # an HDLC frame longer than a buffer
    BAD_FCS = 8
    REMOVED = 20
    READ_OVERRUN = 29
    WRITE_UNDERRUN = 30


@dataclass(frozen=True, slots=True)
class SpanStatus:
    """What DAHDI knows of a span. The counts are the board driver's, since it was loaded.

    Attributes:
        name: as the driver calls it, for instance TE4/0/1.
        kind: "E1", "T1", "BRI", or "DYNAM" for one that is no board.
        irq_misses: interrupts of the whole board that came late.
        sync_source: span whose clock the board follows, 0: its own.
        configured: channels whose use has been told.
    """

    span: int
    name: str
    description: str
    alarms: SpanAlarm
    code_violations: int
    crc4_errors: int
    e_bits: int
    fas_errors: int
    irq_misses: int
    sync_source: int
    configured: int
    channels: int
    line_config: int
    lbo: int
    location: str
    manufacturer: str
    device_type: str
    kind: str


def _text(octets: bytes) -> str:
    return octets.partition(b"\0")[0].decode("ascii", "replace")


def span_query(span: int) -> bytearray:
    """What SPAN_STATUS takes, and writes its answer into."""
    return bytearray(_INT.pack(span).ljust(_SPANINFO.size, b"\0"))


def span_status(answer: bytes | bytearray) -> SpanStatus:
    (
        span, name, desc, alarms, _tx_level, _rx_level, bpv, crc4, e_bits, fas, _fe, _cv, _be, _prbs, _errored,
        irq_misses, sync, configured, channels, _spans, lbo, line_config, _lbo_name, location, maker, device, _irq,
        _compat, kind,
    ) = _SPANINFO.unpack(answer)  # fmt: skip
    return SpanStatus(
        span, _text(name), _text(desc), SpanAlarm(alarms), bpv, crc4, e_bits, fas, irq_misses, sync, configured,
        channels, line_config, lbo, _text(location), _text(maker), _text(device), _text(kind),
    )  # fmt: skip


def span_answer(status: SpanStatus) -> bytes:
    """What the kernel would write for this."""
    return _SPANINFO.pack(
        status.span, status.name.encode(), status.description.encode(), status.alarms, 0, 0, status.code_violations,
        status.crc4_errors, status.e_bits, status.fas_errors, 0, 0, 0, 0, 0, status.irq_misses, status.sync_source,
        status.configured, status.channels, 1, status.lbo, status.line_config, b"", status.location.encode(),
        status.manufacturer.encode(), status.device_type.encode(), 0, 0, status.kind.encode(),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ChannelParams:
    """Where a channel is. `time_slot` is its place in the span, 1..31 on an E1."""

    channel: int
    span: int
    time_slot: int
    signalling: int


def params_query(channel: int) -> bytearray:
    """What GET_PARAMS takes on /dev/dahdi/ctl, and writes its answer into."""
    return bytearray(_INT.pack(channel).ljust(_PARAMS.size, b"\0"))


def channel_params(answer: bytes | bytearray) -> ChannelParams:
    return ChannelParams(*struct.unpack_from("=4i", answer))


def params_answer(params: ChannelParams) -> bytes:
    """What the kernel would write for this."""
    packed = struct.pack("=4i", params.channel, params.span, params.time_slot, params.signalling)
    return packed.ljust(_PARAMS.size, b"\0")


@dataclass(frozen=True, slots=True)
class LineSetting:
    """Framing, line code and clock of a span.

    Attributes:
        lbo: line build-out, 0 for up to 40 m; meaningless at 75 and 120 ohms, kept for boards that want it.
        timing: 0: the board gives the clock; 1, 2, ...: it takes it from here, in this order of preference.
    """

    span: int
    config: LineConfig
    lbo: int = 0
    timing: int = 1

    def pack(self) -> bytes:
        return _LINECONFIG.pack(self.span, b"", self.lbo, self.config, self.timing)

    @classmethod
    def unpack(cls, octets: bytes | bytearray) -> "LineSetting":
        span, _, lbo, config, timing = _LINECONFIG.unpack(octets)
        return cls(span, LineConfig(config), lbo, timing)


@dataclass(frozen=True, slots=True)
class ChannelSetting:
    """What a channel is to be used for; `master` counts for Signalling.SLAVE."""

    channel: int
    signalling: Signalling
    master: int = 0

    def pack(self) -> bytes:
        return _CHANCONFIG.pack(self.channel, b"", self.signalling, ALAW, self.master, 0, b"")

    @classmethod
    def unpack(cls, octets: bytes | bytearray) -> "ChannelSetting":
        channel, _, signalling, _law, master, _, _ = _CHANCONFIG.unpack(octets)
        return cls(channel, Signalling(signalling), master)


@dataclass(frozen=True, slots=True)
class Buffers:
    """How a channel's octets are kept, for either direction. A read or a write moves one buffer at most."""

    count: int
    size: int

    def pack(self) -> bytes:
        return _BUFFERS.pack(0, 0, self.count, self.size, 0, 0)

    @classmethod
    def unpack(cls, octets: bytes | bytearray) -> "Buffers":
        _, _, count, size, _, _ = _BUFFERS.unpack(octets)
        return cls(count, size)


def integer(value: int) -> bytearray:
    return bytearray(_INT.pack(value))


def integer_of(octets: bytes | bytearray) -> int:
    value: int = _INT.unpack(octets)[0]
    return value
