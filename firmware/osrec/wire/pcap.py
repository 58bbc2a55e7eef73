"""Packets out of a capture file, pcap or pcapng, as tcpdump, tshark, Wireshark and dahdi_pcap write them."""

import struct
from collections.abc import Iterator

from osrec.errors import WireError

_PCAP = {
    b"\xd4\xc3\xb2\xa1": ("<", 1e-6),
    b"\xa1\xb2\xc3\xd4": (">", 1e-6),
    b"\x4d\x3c\xb2\xa1": ("<", 1e-9),
    b"\xa1\xb2\x3c\x4d": (">", 1e-9),
}
_PCAPNG = b"\x0a\x0d\x0d\x0a"
_SECTION, _INTERFACE, _ENHANCED = 0x0A0D0D0A, 1, 6
_TIME_RESOLUTION = 9  # option if_tsresol


def is_capture(octets: bytes) -> bool:
    return octets[:4] in _PCAP or octets[:4] == _PCAPNG


def packets(octets: bytes) -> Iterator[tuple[float, int, bytes]]:
    """Time (seconds since 1970), link type and octets of each packet. Raises WireError when the structure is broken."""
    if octets[:4] in _PCAP:
        return _pcap(octets)
    if octets[:4] == _PCAPNG:
        return _pcapng(octets)
    raise WireError(f"no capture file: begins with {octets[:4].hex(' ') or 'nothing'}")


def _pcap(octets: bytes) -> Iterator[tuple[float, int, bytes]]:
    order, unit = _PCAP[octets[:4]]
    if len(octets) < 24:
        raise WireError(f"pcap header of {len(octets)} octets, expected 24")
    link_type = struct.unpack_from(order + "I", octets, 20)[0] & 0xFFFF
    at = 24
    while at + 16 <= len(octets):
        seconds, fraction, captured, _ = struct.unpack_from(order + "IIII", octets, at)
        at += 16
        yield seconds + fraction * unit, link_type, octets[at : at + captured]
        at += captured


def _pcapng(octets: bytes) -> Iterator[tuple[float, int, bytes]]:
    order, at = "<", 0
    interfaces: list[tuple[int, float]] = []
    while at + 12 <= len(octets):
        if octets[at : at + 4] == _PCAPNG:
            order = "<" if octets[at + 8 : at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
            interfaces = []
        kind, size = struct.unpack_from(order + "II", octets, at)
        if size < 12 or size % 4:
            raise WireError(f"pcapng block of {size} octets at {at}: expected a multiple of 4 from 12")
        body = octets[at + 8 : at + size - 4]
        at += size
        if kind == _INTERFACE and len(body) >= 8:
            interfaces.append((struct.unpack_from(order + "H", body)[0], _resolution(body[8:], order)))
        elif kind == _ENHANCED and len(body) >= 20:
            interface, high, low, captured, _ = struct.unpack_from(order + "IIIII", body)
            if interface < len(interfaces):
                link_type, unit = interfaces[interface]
                yield (high << 32 | low) * unit, link_type, body[20 : 20 + captured]


def _resolution(options: bytes, order: str) -> float:
    at = 0
    while at + 4 <= len(options):
        code, size = struct.unpack_from(order + "HH", options, at)
        if code == _TIME_RESOLUTION and size and at + 4 < len(options):
            value = options[at + 4]
            return 2.0 ** -(value & 0x7F) if value & 0x80 else 10.0**-value
        at += 4 + (size + 3) // 4 * 4
    return 1e-6
