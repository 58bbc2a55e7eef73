"""How PDUs are told apart in a TCP stream. No public document says it for OpenScape 4000, so the configuration does."""

from abc import ABC, abstractmethod
from typing import ClassVar

from osrec.errors import UsageError, WireError

MAX_FRAME = 1 << 20  # octets of one PDU, ours, for framings whose length field allows more
_SHOWN = 8  # octets of a broken header in an error message


class Framing(ABC):
    """One direction of one stream: keeps what is left of the last octets. `limit` is the largest PDU, in octets."""

    name: ClassVar[str]
    most: ClassVar[int]  # what the length field can say

    def __init__(self, limit: int | None = None) -> None:
        self.limit = min(limit or MAX_FRAME, self.most)
        self._held = bytearray()

    @property
    def held(self) -> int:
        """Octets of a PDU that is not complete yet."""
        return len(self._held)

    def feed(self, octets: bytes) -> list[bytes]:
        """Take octets as they come; return the PDUs they complete.

        Raises WireError when the stream is not framed so; it cannot be read any further then. PDUs that were complete
        before the fault are returned first, and the next call raises (`feed(b"")` will do), however the octets came.
        """
        held, pdus, at = self._held, [], 0
        held += octets
        try:
            while span := self._span(bytes(held[at : at + _HEADER])):
                header, total = span
                if total - header > self.limit:
                    what = f"a PDU of {total - header} octets, allowed are {self.limit}"
                    raise self._broken(bytes(held[at : at + _SHOWN]), what)
                if at + total > len(held):
                    break
                pdus.append(bytes(held[at + header : at + total]))
                at += total
        except WireError:
            if not pdus:
                raise
        del held[:at]
        return pdus

    def encode(self, pdu: bytes) -> bytes:
        """Frame one PDU. Raises UsageError when it is too long."""
        if len(pdu) > self.limit:
            raise UsageError(f"PDU of {len(pdu)} octets, framing {self.name} takes at most {self.limit}")
        return self._header(len(pdu)) + pdu

    @abstractmethod
    def _span(self, octets: bytes) -> tuple[int, int] | None:
        """Octets of the header, and of header and PDU, of the frame that begins here; None: more octets are needed."""

    @abstractmethod
    def _header(self, size: int) -> bytes: ...

    def _broken(self, octets: bytes, what: str) -> WireError:
        seen = octets[:_SHOWN].hex(" ") or "nothing"
        return WireError(f"stream is not framed as {self.name}: {what}; seen {seen}")


_HEADER = 12  # octets that any header fits in: a BER tag of 5 and a length of 5, and TPKT with COTP's 7


class Be2(Framing):
    """Length of the PDU in two octets, most significant first (Panasonic, MD110)."""

    name = "be2"
    most = 0xFFFF

    def _span(self, octets: bytes) -> tuple[int, int] | None:
        if len(octets) < 2:
            return None
        size = int.from_bytes(octets[:2], "big")
        if not size:
            raise self._broken(octets, "length 0")
        return 2, 2 + size

    def _header(self, size: int) -> bytes:
        return size.to_bytes(2, "big")


class Siemens(Framing):
    """0x26, then the length in 15 bits below a bit that is always set (HiPath 3000; its client takes 1000 octets)."""

    name = "siemens"
    most = 0x7FFF

    def _span(self, octets: bytes) -> tuple[int, int] | None:
        if octets and octets[0] != 0x26:
            raise self._broken(octets, "first octet is not 26")
        if len(octets) > 1 and octets[1] < 0x80:
            raise self._broken(octets, "the length's top bit is not set")
        if len(octets) < 3:
            return None
        size = int.from_bytes(octets[1:3], "big") & 0x7FFF
        if not size:
            raise self._broken(octets, "length 0")
        return 3, 3 + size

    def _header(self, size: int) -> bytes:
        return b"\x26" + (0x8000 | size).to_bytes(2, "big")


class Tpkt(Framing):
    """TPKT (RFC 1006): 03 00 and the length with the header's own four octets; a COTP data header is taken off."""

    name = "tpkt"
    most = 0xFFFF - 4
    _COTP_DATA = b"\x02\xf0\x80"  # DT, class 0, end of TSDU (X.224 13.7)

    def _span(self, octets: bytes) -> tuple[int, int] | None:
        if octets and octets[0] != 0x03:
            raise self._broken(octets, "first octet is not 03")
        if len(octets) > 1 and octets[1]:
            raise self._broken(octets, "second octet is not 00")
        if len(octets) < 4:
            return None
        total = int.from_bytes(octets[2:4], "big")
        if total <= 4:
            raise self._broken(octets, f"length {total}, at least 5 with the header")
        if total > 7 and len(octets) < 7:
            return None if octets[4:] == self._COTP_DATA[: len(octets) - 4] else (4, total)
        return (7 if total > 7 and octets[4:7] == self._COTP_DATA else 4), total

    def _header(self, size: int) -> bytes:
        return b"\x03\x00" + (size + 4).to_bytes(2, "big")


class Be4(Framing):
    """Length of the PDU in four octets, most significant first."""

    name = "be4"
    most = 0xFFFFFFFF

    def _span(self, octets: bytes) -> tuple[int, int] | None:
        if len(octets) < 4:
            return None
        size = int.from_bytes(octets[:4], "big")
        if not size:
            raise self._broken(octets, "length 0")
        return 4, 4 + size

    def _header(self, size: int) -> bytes:
        return size.to_bytes(4, "big")


class Raw(Framing):
    """No framing: each PDU is delimited by its own BER length, which must be definite."""

    name = "none"
    most = 0xFFFFFFFF

    def _span(self, octets: bytes) -> tuple[int, int] | None:
        if octets and not is_pdu_tag(octets[0]):
            raise self._broken(octets, f"0x{octets[0]:02x} begins no PDU")
        if len(octets) < 2:
            return None
        length, at = octets[1], 2
        if length == 0x80:
            raise self._broken(octets, "an indefinite length does not delimit a PDU")
        if length > 0x80:
            count = length & 0x7F
            if count > 4:
                raise self._broken(octets, f"a length of {count} octets")
            if len(octets) < 2 + count:
                return None
            length, at = int.from_bytes(octets[2 : 2 + count], "big"), 2 + count
        return 0, at + length

    def _header(self, size: int) -> bytes:
        return b""


class Xml8(Framing):
    """CSTA XML (ECMA-323 annex J): 0000, the length with the header's own eight octets, four digits of invoke id.

    The invoke id is the PDU's only place for it, so it is handed on: four ASCII digits, then the XML document.
    """

    name = "xml8"
    most = 0xFFFF - 4  # digits and document: 65,527 octets of XML

    def _span(self, octets: bytes) -> tuple[int, int] | None:
        if octets[:2].strip(b"\0"):
            raise self._broken(octets, "does not begin with 00 00")
        if len(octets) >= 4 and int.from_bytes(octets[2:4], "big") <= _XML_HEADER:
            total = int.from_bytes(octets[2:4], "big")
            raise self._broken(octets, f"length {total}, at least {_XML_HEADER + 1} with the header")
        if octets[4:_XML_HEADER].strip(b"0123456789"):
            raise self._broken(octets, "the invoke id is not four digits")
        if len(octets) < _XML_HEADER:
            return None
        return 4, int.from_bytes(octets[2:4], "big")

    def encode(self, pdu: bytes) -> bytes:
        """Frame four digits and a document."""
        if not pdu[:4].isdigit() or len(pdu) <= 4:
            raise UsageError(f"PDU {pdu[:8]!r}: framing {self.name} takes four digits of invoke id and a document")
        return super().encode(pdu)

    def _header(self, size: int) -> bytes:
        return (size + 4).to_bytes(4, "big")


_XML_HEADER = 8
_FRAMINGS: dict[str, type[Framing]] = {kind.name: kind for kind in (Be2, Siemens, Tpkt, Be4, Raw, Xml8)}
NAMES = tuple(_FRAMINGS)


def framing_named(name: str, limit: int | None = None) -> Framing:
    """A fresh framing for one direction of one connection."""
    if name not in _FRAMINGS:
        raise UsageError(f"framing {name!r}: known are {', '.join(NAMES)}")
    return _FRAMINGS[name](limit)


def is_pdu_tag(octet: int) -> bool:
    """Whether a PDU may begin so: ROSE A1 to A4 (X.229), ACSE 60 to 64 (X.227)."""
    return 0xA1 <= octet <= 0xA4 or 0x60 <= octet <= 0x64


_COTP_CODES = (b"\xf0", b"\xe0", b"\xd0")  # X.224: data, connection request, connection confirm


def detect(first_octets: bytes) -> str | None:
    """Which framing a stream has, told from its first 8 octets; None when it is none of ours.

    Each framing puts the tag of the first PDU, A1 to A4 or 60 to 64, at another place; its header must make sense too.
    """
    octets = first_octets[:8]
    tpkt = octets[:2] == b"\x03\x00" and (_pdu_at(octets, 4) or octets[5:6] in _COTP_CODES)
    told = {
        Xml8.name: _xml_header(octets),
        Raw.name: _pdu_at(octets, 0),
        Siemens.name: octets[:1] == b"\x26" and octets[1:2] >= b"\x80" and _pdu_at(octets, 3),
        Tpkt.name: tpkt,
        Be2.name: _pdu_at(octets, 2) and any(octets[:2]),
        Be4.name: _pdu_at(octets, 4) and octets[:1] == b"\0",
    }
    return next((name for name, so in told.items() if so), None)


def _xml_header(octets: bytes) -> bool:
    """No other framing has four digits here: be4 would have the tag of a PDU in their place."""
    return octets[:2] == b"\0\0" and octets[4:8].isdigit() and len(octets) == _XML_HEADER


def _pdu_at(octets: bytes, at: int) -> bool:
    return len(octets) > at and is_pdu_tag(octets[at])
