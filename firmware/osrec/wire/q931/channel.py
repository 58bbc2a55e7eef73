"""Channel identification, Q.931 4.5.13: which B channel, by number or slot map, and whether another would do.

The numbers of a 2048 kbit/s interface are its time slots, 1..15 and 17..31 (4.5.13), not telephone channels 1..30.
"""

from dataclasses import dataclass
from enum import IntEnum

from osrec.errors import UsageError
from osrec.wire.q931.bearer import Coding
from osrec.wire.q931.cursor import EXTENSION, Cursor, code, field, group


class Selection(IntEnum):
    """Information channel selection, bits 2 and 1 of octet 3."""

    NONE = 0
    INDICATED = 1  # as indicated in the octets that follow; on basic rate access: B1
    B2 = 2  # basic rate access only
    ANY = 3


class ChannelType(IntEnum):
    """Channel type of a number, element type of a map: 4.5.13."""

    B = 3
    H0 = 6
    H11 = 8
    H12 = 9


_PRIMARY, _EXCLUSIVE, _D_CHANNEL, _INTERFACE = 0x20, 0x08, 0x04, 0x40
_BY_MAP = 0x10


@dataclass(frozen=True, slots=True)
class ChannelIdentification:
    """Primary rate unless `primary` is False.

    Attributes:
        exclusive: only the indicated channel is acceptable, else it is preferred.
        selection: what bits 2 and 1 select.
        channels: by number or by map; empty: octets 3.2 and 3.3 are left out and the whole interface is meant.
        map_octets: octets of the slot map (4 at 2048 kbit/s, 3 at 1544), None when channels are given by number.
        interface: seven-bit values of the interface identifier, None when the interface of the D channel is meant.
        d_channel: the channel identified is the D channel.
    """

    channels: tuple[int, ...] = ()
    exclusive: bool = True
    selection: int = Selection.INDICATED
    map_octets: int | None = None
    primary: bool = True
    d_channel: bool = False
    interface: bytes | None = None
    channel_type: int = ChannelType.B
    coding: int = Coding.ITU_T


def time_slot(slot: int, *, exclusive: bool = True) -> ChannelIdentification:
    """One B channel of a primary rate interface."""
    return ChannelIdentification((slot,), exclusive)


ANY_CHANNEL = ChannelIdentification(exclusive=False, selection=Selection.ANY)


def read(octets: Cursor) -> ChannelIdentification:
    first = octets.last("3 (interface, preference and selection)")
    interface = octets.group("3.1 (interface identifier)") if first & _INTERFACE else None
    channels: tuple[int, ...] = ()
    map_octets, coding, kind = None, int(Coding.ITU_T), int(ChannelType.B)
    if first & _PRIMARY and octets.left:
        second = octets.last("3.2 (number or map, channel type)")
        coding, kind = code(Coding, second >> 5), code(ChannelType, second & 0x0F)
        if second & _BY_MAP:
            map_octets = octets.left
            channels = _mapped(octets)
        else:
            channels = _numbered(octets)
    return ChannelIdentification(
        channels,
        bool(first & _EXCLUSIVE),
        code(Selection, first & 3),
        map_octets,
        bool(first & _PRIMARY),
        bool(first & _D_CHANNEL),
        interface,
        kind,
        coding,
    )


def _numbered(octets: Cursor) -> tuple[int, ...]:
    """Channel numbers to the one with the extension bit 1."""
    return tuple(octets.group("3.3 (channel number)"))


def _mapped(octets: Cursor) -> tuple[int, ...]:
    """Bit 1 of the last octet is channel 0 of a 2048 kbit/s map and channel 1 of a 1544 kbit/s map, 4.5.13."""
    size = octets.left
    if size not in (3, 4):
        raise octets.fault(f"slot map of {size} octets, expected 4 (2048 kbit/s) or 3 (1544 kbit/s)")
    bits, lowest = int.from_bytes(octets.rest(), "big"), _lowest(size)
    return tuple(lowest + number for number in range(8 * size) if bits >> number & 1)


def _lowest(map_octets: int) -> int:
    return 0 if map_octets == 4 else 1


def write(value: ChannelIdentification) -> bytes:
    octets = bytearray([EXTENSION | _octet_3(value)])
    if value.interface is not None:
        octets += group(value.interface, "interface identifier")
    if value.channels or value.map_octets is not None:
        if not value.primary:
            raise UsageError(f"channels {value.channels} of a basic rate interface: its octet 3 selects [Q.931 4.5.13]")
        by_map = 0 if value.map_octets is None else _BY_MAP
        kind = field(value.channel_type, 15, "channel type")
        octets.append(EXTENSION | field(value.coding, 3, "coding standard") << 5 | by_map | kind)
        octets += _map(value) if by_map else group(_numbers(value.channels), "channel numbers")
    elif (value.channel_type, value.coding) != (ChannelType.B, Coding.ITU_T):
        raise UsageError(f"channel type {value.channel_type} without channels [Q.931 4.5.13]")
    return bytes(octets)


def _octet_3(value: ChannelIdentification) -> int:
    octet = field(value.selection, 3, "channel selection")
    for said, bit in (
        (value.interface is not None, _INTERFACE),
        (value.primary, _PRIMARY),
        (value.exclusive, _EXCLUSIVE),
        (value.d_channel, _D_CHANNEL),
    ):
        octet |= bit if said else 0
    return octet


def _numbers(channels: tuple[int, ...]) -> bytes:
    return bytes(field(number, 0x7F, "channel number") for number in channels)


def _map(value: ChannelIdentification) -> bytes:
    size = value.map_octets
    if size not in (3, 4):
        raise UsageError(f"slot map of {size} octets: 4 at 2048 kbit/s, 3 at 1544 [Q.931 4.5.13]")
    lowest, bits = _lowest(size), 0
    for number in value.channels:
        if not lowest <= number < lowest + 8 * size:
            raise UsageError(f"channel {number} in a slot map of {size} octets: {lowest}..{lowest + 8 * size - 1}")
        bits |= 1 << number - lowest
    if value.channels != tuple(sorted(set(value.channels))):
        raise UsageError(f"channels {value.channels} in a slot map: each once, ascending")
    return bits.to_bytes(size, "big")
