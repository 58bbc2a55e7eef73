"""Messages on the control socket of osmo-e1d, and its events.

One message a packet of a SOCK_SEQPACKET socket: magic, length with the header, type, interface, line, time slot; the
numbers little endian, as on every machine that osmo-e1d runs on. Answers have bit 7 of the type set, refusals bits 7
and 6, events bit 6 only; an answer without payload refuses, too. Source: osmo-e1d, include/osmocom/e1d/proto.h.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from osrec_drivers.errors import DriverError
from osrec_drivers.line import Alarm, GapCause, Octets

MAGIC = 0x01E1  # the upper octet is the version
LONGEST = 4096  # octets of a message
ANY = 0xFF  # interface, line or time slot not given
SUPERCHANNEL = 0xFE  # in place of a time slot: 1..31 of each frame, one after the other
FORCE = 0x80  # flag of a time slot's configuration: take it away from whoever has it
_HEADER = struct.Struct("<HHBBBB")
_SLOT_CONFIG = struct.Struct("<BBH")  # mode, flags, octets that are given to us at a time


class E1dError(DriverError):
    """osmo-e1d, or what says it is, sent what no osmo-e1d sends."""


class Kind(IntEnum):
    """Types of requests, and of events."""

    INTERFACES = 0x00
    LINES = 0x01
    SLOTS = 0x02
    CONFIGURE_LINE = 0x03
    OPEN_SLOT = 0x04
    SEND_SA_BITS = 0x05
    LOS_ON = 0x40
    LOS_OFF = 0x41
    AIS_ON = 0x42
    AIS_OFF = 0x43
    RAI_ON = 0x44
    RAI_OFF = 0x45
    LOF_ON = 0x46
    LOF_OFF = 0x47
    SA_BITS = 0x7F


ANSWER = 0x80
REFUSAL = 0xC0
EVENT = 0x40


class LineMode(IntEnum):
    OFF = 0x00
    CHANNELIZED = 0x20  # a descriptor for each time slot
    SUPERCHANNEL = 0x21  # one for all 31
    E1OIP = 0x22  # osmo-e1d's own use: nobody else can open it


class SlotMode(IntEnum):
    OFF = 0x00
    RAW = 0x10
    HDLC = 0x11


# Events that are alarms: which, whether it comes, and what the octets that come meanwhile are
ALARMS: dict[int, tuple[Alarm, bool, GapCause | None]] = {
    Kind.LOS_ON: (Alarm.LOS, True, GapCause.LOS),
    Kind.LOS_OFF: (Alarm.LOS, False, None),
    Kind.AIS_ON: (Alarm.AIS, True, GapCause.AIS),
    Kind.AIS_OFF: (Alarm.AIS, False, None),
    Kind.RAI_ON: (Alarm.RAI, True, None),
    Kind.RAI_OFF: (Alarm.RAI, False, None),
    Kind.LOF_ON: (Alarm.LOF, True, GapCause.LOF),
    Kind.LOF_OFF: (Alarm.LOF, False, None),
}


@dataclass(frozen=True, slots=True)
class Message:
    """One message; `kind` without the bits that make it an answer."""

    kind: int
    interface: int = ANY
    line: int = ANY
    slot: int = ANY
    payload: bytes = b""


@dataclass(frozen=True, slots=True)
class LineEntry:
    """A line that osmo-e1d has."""

    interface: int
    line: int
    mode: int


def encode(message: Message) -> bytes:
    length = _HEADER.size + len(message.payload)
    header = _HEADER.pack(MAGIC, length, message.kind, message.interface, message.line, message.slot)
    return header + message.payload


def decode(octets: Octets) -> Message:
    """A message as it stands. Raises E1dError."""
    if len(octets) < _HEADER.size:
        raise E1dError(f"{len(octets)} octets on the control socket: a header has {_HEADER.size}")
    magic, length, kind, interface, line, slot = _HEADER.unpack_from(octets)
    if magic != MAGIC:
        raise E1dError(f"magic 0x{magic:04x} on the control socket: osmo-e1d of the version we know says 0x{MAGIC:04x}")
    if length != len(octets):
        raise E1dError(f"length {length} of a message on the control socket: it has {len(octets)} octets")
    return Message(kind, interface, line, slot, bytes(octets[_HEADER.size :]))


def is_event(message: Message) -> bool:
    return message.kind & REFUSAL == EVENT


def refuses(request: Message, answer: Message) -> bool:
    """Whether this is no consent to the request. Raises E1dError for the answer to another one."""
    if answer.kind & ~REFUSAL != request.kind & ~REFUSAL or not answer.kind & ANSWER:
        raise E1dError(f"answer of type 0x{answer.kind:02x} to a request of type 0x{request.kind:02x}")
    return answer.kind & REFUSAL == REFUSAL or not answer.payload


def interfaces_of(answer: Message) -> Sequence[int]:
    """Numbers of the interfaces that an answer to INTERFACES names."""
    return [number for number, _lines in struct.iter_unpack("<BB", answer.payload[: len(answer.payload) // 2 * 2])]


def lines_of(interface: int, answer: Message) -> Sequence[LineEntry]:
    """Lines of an interface that an answer to LINES names."""
    whole = answer.payload[: len(answer.payload) // 3 * 3]
    return [LineEntry(interface, number, mode) for number, mode, _status in struct.iter_unpack("<BBB", whole)]


def open_slots_of(answer: Message) -> Sequence[int]:
    """Time slots that somebody has open, by an answer to SLOTS."""
    size = 1 + _SLOT_CONFIG.size + 1
    entries = struct.iter_unpack("<BBBHB", answer.payload[: len(answer.payload) // size * size])
    return [slot for slot, mode, _flags, _size, _status in entries if mode != SlotMode.OFF]


def slot_config(mode: SlotMode, size: int, *, force: bool = False) -> bytes:
    """Payload of OPEN_SLOT: give us so many octets at a time."""
    return _SLOT_CONFIG.pack(mode, FORCE if force else 0, size)


def read_slot_config(payload: bytes) -> tuple[int, int, int]:
    """Mode, flags and size of what `slot_config` made. Raises E1dError."""
    if len(payload) != _SLOT_CONFIG.size:
        raise E1dError(f"{len(payload)} octets configure a time slot: there must be {_SLOT_CONFIG.size}")
    mode, flags, size = _SLOT_CONFIG.unpack(payload)
    return mode, flags, size
