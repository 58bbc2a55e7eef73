"""TCP streams out of a capture file, put together again: out of order, repeated and missing segments.

Enough to read what tcpdump, tshark and Wireshark write of one link; no IP fragments.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address

from osrec.errors import WireError
from osrec.wire.pcap import packets

MAX_WAITING = 64  # segments kept out of order before what is missing is given up: it was not captured
_SPAN = 1 << 32
_IPV4, _IPV6, _VLANS = 0x0800, 0x86DD, (0x8100, 0x88A8)
_TCP = 6
_IPV6_EXTENSIONS = (0, 43, 60)  # hop by hop, routing, destination
_FIN, _SYN = 0x01, 0x02


@dataclass(frozen=True, slots=True)
class Flow:
    """One direction of one connection. `number` tells connections with the same ports apart."""

    source: str
    destination: str
    number: int = 0


@dataclass(frozen=True, slots=True)
class Piece:
    """Octets of a flow in order; `missing` octets before them were not captured. `at`: seconds since 1970."""

    flow: Flow
    at: float
    octets: bytes
    missing: int = 0


def pieces(octets: bytes) -> Iterator[Piece]:
    """All TCP octets of a capture file. Raises WireError when it is none or its structure is broken."""
    streams: dict[tuple[str, str], _Stream] = {}
    for at, link_type, packet in packets(octets):
        segment = _tcp(link_type, packet)
        if segment is None:
            continue
        key = segment.source, segment.destination
        stream = streams.get(key)
        if stream is None or (segment.flags & _SYN and stream.next != (segment.sequence + 1) % _SPAN):
            if stream is not None:
                yield from stream.finish()
            stream = streams[key] = _Stream(Flow(*key, 0 if stream is None else stream.flow.number + 1))
        yield from stream.take(segment, at)
    for stream in streams.values():
        yield from stream.finish()


@dataclass(frozen=True, slots=True)
class _Segment:
    source: str
    destination: str
    sequence: int
    flags: int
    octets: bytes


@dataclass(slots=True)
class _Stream:
    flow: Flow
    next: int | None = None  # sequence number of the octet that comes next
    waiting: list[tuple[int, float, bytes]] = field(default_factory=list)

    def take(self, segment: _Segment, at: float) -> Iterator[Piece]:
        if segment.flags & _SYN:
            self.next = (segment.sequence + 1) % _SPAN
            return
        if not segment.octets:
            return
        if self.next is None:
            self.next = segment.sequence
        self.waiting.append((segment.sequence, at, segment.octets))
        yield from self._ready()
        if len(self.waiting) > MAX_WAITING:
            yield from self._skip()

    def finish(self) -> Iterator[Piece]:
        while self.waiting:
            yield from self._skip()

    def _ahead(self, sequence: int) -> int:
        """How far a sequence number lies ahead of what is expected; negative: behind."""
        distance = (sequence - (self.next or 0)) % _SPAN
        return distance - _SPAN if distance > _SPAN // 2 else distance

    def _ready(self) -> Iterator[Piece]:
        while True:
            found = next((entry for entry in self.waiting if self._ahead(entry[0]) <= 0), None)
            if found is None:
                return
            self.waiting.remove(found)
            sequence, at, octets = found
            fresh = octets[-self._ahead(sequence) :] if self._ahead(sequence) else octets
            if -self._ahead(sequence) < len(octets):  # else sent again
                self.next = (sequence + len(octets)) % _SPAN
                yield Piece(self.flow, at, fresh)

    def _skip(self) -> Iterator[Piece]:
        sequence, at, octets = min(self.waiting, key=lambda entry: self._ahead(entry[0]))
        self.waiting.remove((sequence, at, octets))
        missing = self._ahead(sequence)
        self.next = (sequence + len(octets)) % _SPAN
        yield Piece(self.flow, at, octets, missing)
        yield from self._ready()


# --- packets


def _tcp(link_type: int, packet: bytes) -> _Segment | None:
    """The TCP segment in a packet; None when there is none or it is cut short."""
    try:
        return _ip(_network_layer(link_type, packet))
    except (struct.error, IndexError, ValueError):
        return None


def _network_layer(link_type: int, packet: bytes) -> bytes:
    match link_type:
        case 1:  # Ethernet
            at = 12
            while int.from_bytes(packet[at : at + 2], "big") in _VLANS:
                at += 4
            return packet[at + 2 :] if int.from_bytes(packet[at : at + 2], "big") in (_IPV4, _IPV6) else b""
        case 113:  # Linux cooked
            return packet[16:]
        case 276:  # Linux cooked, version 2
            return packet[20:]
        case 0 | 108:  # loopback of the BSDs
            return packet[4:]
        case 12 | 101 | 228 | 229:  # raw IP
            return packet
    raise WireError(f"link type {link_type} is not read: known are Ethernet, Linux cooked, loopback and raw IP")


def _ip(packet: bytes) -> _Segment | None:
    if not packet:
        return None
    if packet[0] >> 4 == 4:
        total, fragment = struct.unpack_from(">H2xH", packet, 2)
        if packet[9] != _TCP or fragment & 0x3FFF:
            return None
        total = total or len(packet)  # 0: segmentation left to the network card
        return _segment(packet[12:16], packet[16:20], packet[(packet[0] & 0x0F) * 4 : total])
    if packet[0] >> 4 == 6:
        size, following = struct.unpack_from(">HB", packet, 4)
        at, end = 40, 40 + size if size else len(packet)
        while following in _IPV6_EXTENSIONS:
            following, at = packet[at], at + 8 + 8 * packet[at + 1]
        return _segment(packet[8:24], packet[24:40], packet[at:end]) if following == _TCP else None
    return None


def _segment(source: bytes, destination: bytes, octets: bytes) -> _Segment:
    source_port, destination_port, sequence = struct.unpack_from(">HHI", octets)
    return _Segment(
        _endpoint(source, source_port),
        _endpoint(destination, destination_port),
        sequence,
        octets[13],
        octets[(octets[12] >> 4) * 4 :],
    )


def _endpoint(address: bytes, port: int) -> str:
    text = str(ip_address(address))
    return f"[{text}]:{port}" if ":" in text else f"{text}:{port}"
