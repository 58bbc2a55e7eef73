"""What an emulated osmo-e1d answers on its control socket; values in, values out, but for the descriptors it opens."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass

from osrec_drivers.e1d_messages import (
    ANSWER,
    ANY,
    FORCE,
    REFUSAL,
    SUPERCHANNEL,
    E1dError,
    Kind,
    LineMode,
    Message,
    SlotMode,
    read_slot_config,
)
from osrec_emulators.e1d.lines import DaemonLine

Lines = Mapping[tuple[int, int], DaemonLine]


@dataclass(frozen=True, slots=True)
class Reply:
    message: Message
    fd: int | None = None  # goes with it; the sender closes it


def answer(lines: Lines, request: Message) -> Reply:
    """The daemon's answer. Without payload it is a refusal, as the daemon's are; REFUSAL says that it knows no such
    request."""
    match request.kind:
        case Kind.INTERFACES:
            return _with(request, _interfaces(lines, request.interface))
        case Kind.LINES:
            return _with(request, b"".join(_line(line) for line in _matching(lines, request)))
        case Kind.SLOTS:
            return _with(request, b"".join(_slots(line) for line in _matching(lines, request)[:1]))
        case Kind.CONFIGURE_LINE:
            return _configure(lines, request)
        case Kind.OPEN_SLOT:
            return _open(lines, request)
        case Kind.SEND_SA_BITS:
            return _with(request, b"")
        case _:
            return _with(request, b"", REFUSAL)


def _with(request: Message, payload: bytes, bits: int = ANSWER) -> Reply:
    return Reply(Message(request.kind | bits, request.interface, request.line, request.slot, payload))


def _interfaces(lines: Lines, wanted: int) -> bytes:
    numbers = sorted({interface for interface, _ in lines})
    counts = {number: sum(1 for interface, _ in lines if interface == number) for number in numbers}
    return b"".join(bytes([number, counts[number]]) for number in numbers if wanted in (ANY, number))


def _matching(lines: Lines, request: Message) -> list[DaemonLine]:
    return [
        line
        for (interface, number), line in sorted(lines.items())
        if interface == request.interface and request.line in (ANY, number)
    ]


def _line(line: DaemonLine) -> bytes:
    return bytes([line.number, line.mode, 0])


def _slots(line: DaemonLine) -> bytes:
    entries = []
    for slot in range(32):
        pipe = line.pipes.get(slot)
        entries.append(struct.pack("<BBBHB", slot, SlotMode.OFF if pipe is None else pipe.mode, 0, 0, 0))
    return b"".join(entries)


def _configure(lines: Lines, request: Message) -> Reply:
    line = lines.get((request.interface, request.line))
    wanted = request.payload[:1]
    if line is None or wanted not in (bytes([LineMode.CHANNELIZED]), bytes([LineMode.SUPERCHANNEL])):
        return _with(request, b"")
    line.mode = LineMode(wanted[0])
    return _with(request, _line(line))


def _open(lines: Lines, request: Message) -> Reply:
    line = lines.get((request.interface, request.line))
    try:
        mode, flags, size = read_slot_config(request.payload)
    except E1dError:
        return _with(request, b"", REFUSAL)
    known = 1 <= request.slot <= 31 or request.slot == SUPERCHANNEL
    if line is None or not known or mode != SlotMode.RAW or size == 0:
        return _with(request, b"")
    if request.slot in line.pipes and not flags & FORCE:
        return _with(request, b"")
    fd = line.open(request.slot, size)
    status = 0xA5  # what the daemon says
    return Reply(_with(request, struct.pack("<BBBHB", request.slot, mode, flags, size, status)).message, fd)
