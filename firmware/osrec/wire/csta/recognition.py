"""What a stream of octets looks like whose framing and encoding nobody knows: its first octets say it."""

from dataclasses import dataclass

from osrec.wire.csta.framing import Xml8, detect

NEEDED = 16  # octets that are looked at
_SHOWN = 8
_TLS = (b"\x15\x03", b"\x16\x03")  # alert and handshake records, RFC 8446 5.1
_HTTP = (b"HTTP/", b"GET ", b"POST ")
_XML = (b"<?xml", b"<Start", b"<Syste", b"<CSTA", b"\xef\xbb\xbf<")
_HEADERS = ("none", "", "be2", "siemens", "be4")  # framings with so many octets before the PDU
_COTP = (0xD0, 0xE0, 0xF0)  # X.224: connection confirm, connection request, data


@dataclass(frozen=True, slots=True)
class Look:
    """What the octets look like.

    Attributes:
        framing, encoding: as the configuration names them; None: no combination that the configuration has.
        text: for people.
    """

    framing: str | None
    encoding: str | None
    text: str


def recognise(octets: bytes) -> Look | None:
    """None when the octets are too few, or look like nothing that is known."""
    name = detect(octets)
    if name == Xml8.name:
        return Look(name, "xml", 'framing = "xml8", encoding = "xml"')
    if name is not None:
        return Look(name, "asn1", f'framing = "{name}", encoding = "asn1" ({_kind(name, octets)})')
    text = _foreign(octets)
    return None if text is None else Look(None, None, text)


def _kind(framing: str, octets: bytes) -> str:
    if framing == "tpkt":
        if octets[5:6] and octets[5] in _COTP:
            return "COTP"
        return _stack(octets[4])
    return _stack(octets[_HEADERS.index(framing)])


def _stack(tag: int) -> str:
    return "ACSE" if tag < 0x80 else "ROSE"


def _foreign(octets: bytes) -> str | None:
    if octets.startswith(_TLS):
        return "TLS, which osrec does not speak: the server has another port without it, or it can be switched off"
    if octets.startswith(_HTTP):
        return "HTTP: this is no port for CSTA"
    at = next((at for at in range(len(_HEADERS)) if octets[at:].startswith(_XML)), None)
    if at is None:
        return None
    before = f"behind {at} octets of length" if at else "without any header"
    return f'encoding = "xml" {before}, which no public document describes: framing = "xml8" has a header of 8 octets'


def shown(octets: bytes) -> str:
    """The first octets as people compare them."""
    return octets[:_SHOWN].hex(" ")
