"""Captures of whole E1 lines: files of osmo-e1-recorder and of e1-tracer-record.

osmo-e1-recorder writes what each time slot brought, as its E1 driver gave it: 32 octets of header (struct timeval of a
64-bit machine, length in network order, line, time slot, mode, flags, 8 unused), then the octets, usually 160.
e1-tracer-record writes USB packets: 23 octets (magic, seconds, microseconds, length, endpoint, little endian), then
four octets that count frames and whole frames. Sources: osmo-e1-recorder, src/storage.h; osmo-e1-hardware,
software/e1-tracer/main.c.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import BinaryIO

from osrec_drivers.errors import LineError

_TRACER_MAGIC = 0xE115600D
_TRACER = struct.Struct("<IQQhB")
_RECORDER = struct.Struct("<qq4sBBBB8s")
_LONGEST = 65536  # octets of a packet of osmo-e1-recorder; more is no such file
_USEC = 1_000_000
_NS = 1000  # in a microsecond


class Mode(IntEnum):
    """How osmo-e1-recorder took a time slot."""

    RAW = 0
    HDLC = 1  # frames without FCS
    TRAU = 2
    PGSL = 3


@dataclass(frozen=True, slots=True)
class SlotPacket:
    """What a time slot brought; `at` in ns since the epoch."""

    at: int
    line: int
    slot: int
    mode: int
    octets: bytes


@dataclass(frozen=True, slots=True)
class TracerPacket:
    """A USB packet of an e1-tracer; `octets` None when the transfer failed."""

    at: int
    endpoint: int
    octets: bytes | None


def is_tracer(begin: bytes) -> bool:
    """Whether a file that begins so is one of e1-tracer-record."""
    return begin[:4] == struct.pack("<I", _TRACER_MAGIC)


def is_recorder(begin: bytes) -> bool:
    """Whether a file that begins so can be one of osmo-e1-recorder, which has no magic."""
    if len(begin) < _RECORDER.size:
        return False
    _, microseconds, length, _, slot, mode, _, _ = _RECORDER.unpack_from(begin)
    return 0 <= microseconds < _USEC and int.from_bytes(length) <= _LONGEST and 1 <= slot < 32 and mode in set(Mode)


def read_tracer(file: BinaryIO) -> Iterator[TracerPacket]:
    """Packets in the order of the file. Raises LineError at what is none; a last one cut short is left out."""
    while len(header := file.read(_TRACER.size)) == _TRACER.size:
        magic, seconds, microseconds, length, endpoint = _TRACER.unpack(header)
        if magic != _TRACER_MAGIC:
            where = file.tell() - _TRACER.size
            raise LineError(f"octet {where} of the capture: magic 0x{magic:08x} must be 0x{_TRACER_MAGIC:08x}")
        octets = file.read(max(length, 0))
        if len(octets) == max(length, 0):
            yield TracerPacket((seconds * _USEC + microseconds) * _NS, endpoint, octets if length >= 0 else None)


def read_recorder(file: BinaryIO) -> Iterator[SlotPacket]:
    """Packets in the order of the file. Raises LineError at what is none; a last one cut short is left out."""
    while len(header := file.read(_RECORDER.size)) == _RECORDER.size:
        seconds, microseconds, length, line, slot, mode, _, _ = _RECORDER.unpack(header)
        if not is_recorder(header):
            where = file.tell() - _RECORDER.size
            raise LineError(f"octet {where} of the capture: this is no header of osmo-e1-recorder on a 64-bit machine")
        octets = file.read(int.from_bytes(length))
        if len(octets) == int.from_bytes(length):
            yield SlotPacket((seconds * _USEC + microseconds) * _NS, line, slot, mode, octets)


def write_tracer(packet: TracerPacket) -> bytes:
    seconds, microseconds = divmod(packet.at // _NS, _USEC)
    length = -1 if packet.octets is None else len(packet.octets)
    return _TRACER.pack(_TRACER_MAGIC, seconds, microseconds, length, packet.endpoint) + (packet.octets or b"")


def write_recorder(packet: SlotPacket) -> bytes:
    seconds, microseconds = divmod(packet.at // _NS, _USEC)
    length = len(packet.octets).to_bytes(4)
    header = _RECORDER.pack(seconds, microseconds, length, packet.line, packet.slot, packet.mode, 0, bytes(8))
    return header + packet.octets
