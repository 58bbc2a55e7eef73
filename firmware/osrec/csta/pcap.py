"""A capture file of what passed over the link: pcap with IP and TCP around it, as tcpdump would have written it.

Sequence numbers count from the beginning of each connection, as the recorder counted; acknowledgements follow at once.
"""

import struct
from ipaddress import IPv4Address, IPv6Address, ip_address

from osrec.csta.tap import Passed

_RAW_IP = 101  # LINKTYPE_RAW: packets begin with the IP header
_SNAPLEN = 262144
_MOST = 32768  # octets in one segment: what a card that segments by itself shows
_TCP, _HOPS, _WINDOW = 6, 64, 65535
_FIN, _SYN, _PSH, _ACK = 0x01, 0x02, 0x08, 0x10
_SPAN = 1 << 32


def header() -> bytes:
    """What the file begins with."""
    return struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, _SNAPLEN, _RAW_IP)


def packets(passed: Passed) -> bytes:
    """The records of what passed: nothing was lost in between, so one for each segment will do."""
    end = _Ends(passed)
    ours, theirs = 1 + passed.position, 1 + passed.other  # SYN has number 0
    if passed.what == "open":  # the three-way handshake, ours
        return end.sent(0, 0, _SYN) + end.received(0, 1, _SYN | _ACK) + end.sent(1, 1, _ACK)
    if passed.what == "close":
        closing = end.sent(ours, theirs, _FIN | _ACK) if passed.sent else end.received(ours, theirs, _FIN | _ACK)
        answer = end.received(theirs, ours + 1, _ACK) if passed.sent else end.sent(theirs, ours + 1, _ACK)
        return closing + answer
    write = end.sent if passed.sent else end.received
    parts = range(0, len(passed.octets), _MOST)
    return b"".join(write(ours + at, theirs, _PSH | _ACK, passed.octets[at : at + _MOST]) for at in parts)


class _Ends:
    """Writes segments between the two ends of a connection, at one time."""

    def __init__(self, passed: Passed) -> None:
        self._at = passed.at
        self._local = ip_address(passed.local[0].partition("%")[0]), passed.local[1]
        self._peer = ip_address(passed.peer[0].partition("%")[0]), passed.peer[1]

    def sent(self, number: int, acknowledged: int, flags: int, octets: bytes = b"") -> bytes:
        return self._record(*self._local, *self._peer, number, acknowledged, flags, octets)

    def received(self, number: int, acknowledged: int, flags: int, octets: bytes = b"") -> bytes:
        return self._record(*self._peer, *self._local, number, acknowledged, flags, octets)

    def _record(
        self,
        source: IPv4Address | IPv6Address,
        source_port: int,
        target: IPv4Address | IPv6Address,
        target_port: int,
        number: int,
        acknowledged: int,
        flags: int,
        octets: bytes,
    ) -> bytes:
        numbers = number % _SPAN, acknowledged % _SPAN if flags & _ACK else 0
        segment = struct.pack(">HHIIBBHHH", source_port, target_port, *numbers, 5 << 4, flags, _WINDOW, 0, 0) + octets
        pseudo = source.packed + target.packed + struct.pack(">II", len(segment), _TCP)
        segment = segment[:16] + _checksum(pseudo + segment).to_bytes(2, "big") + segment[18:]
        packet = _ip(source, target, len(segment)) + segment
        seconds, micro = divmod(round(self._at * 1_000_000), 1_000_000)
        return struct.pack("<IIII", seconds, micro, len(packet), len(packet)) + packet


def _ip(source: IPv4Address | IPv6Address, target: IPv4Address | IPv6Address, size: int) -> bytes:
    if source.version == 6:
        return struct.pack(">IHBB", 6 << 28, size, _TCP, _HOPS) + source.packed + target.packed
    start = struct.pack(">BBHHHBBH", 0x45, 0, 20 + size, 0, 0x4000, _HOPS, _TCP, 0)
    head = start + source.packed + target.packed
    return head[:10] + _checksum(head).to_bytes(2, "big") + head[12:]


def _checksum(octets: bytes) -> int:
    """Of the Internet protocols, RFC 1071."""
    padded = octets + b"\0" * (len(octets) % 2)
    total: int = sum(struct.unpack(f">{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
