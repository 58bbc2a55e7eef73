"""How one site speaks CSTA: encoding and framing together, as its configuration says."""

from typing import Final, Protocol

from osrec.errors import UsageError
from osrec.wire.csta import codec, xml_codec
from osrec.wire.csta.framing import NAMES, Framing, Xml8, framing_named
from osrec.wire.csta.model import Pdu
from osrec.wire.csta.xml_aliases import Aliases, Names
from osrec.wire.csta.xml_devices import NUMBER, Style
from osrec.wire.csta.xml_names import namespace_of

ENCODINGS: Final = ("asn1", "xml")
EDITIONS: Final = (3, 4, 5)  # of ECMA-323
DEFAULT_EDITION: Final = 4  # what OpenScape Voice speaks


class Dialect(Protocol):
    """What both ends of a link have agreed on. Holds no state: one dialect may serve many connections."""

    @property
    def last_invoke_id(self) -> int:
        """The largest invoke id that a request may have; the next one is 1."""

    def framing(self) -> Framing:
        """Fresh, for one direction or both of one connection."""

    def decode(self, frame: bytes) -> Pdu:
        """Read the PDU of one frame. Raises WireError."""

    def decode_with_remarks(self, frame: bytes) -> tuple[Pdu, tuple[str, ...]]:
        """Read the PDU of one frame, and say what had to be tolerated. Raises WireError."""

    def encode(self, pdu: Pdu) -> bytes:
        """Write one PDU, as `framing().encode` takes it. Raises UsageError when the value has no place on the wire."""


def dialect(
    encoding: str,
    framing: str,
    frame_limit: int | None = None,
    *,
    edition: int = DEFAULT_EDITION,
    device_form: str = NUMBER,
    element_names: Names = (),
) -> Dialect:
    """The dialect that a configuration names.

    Args:
        frame_limit: the largest PDU that is taken, in octets; what the framing can say when None.
        edition: of ECMA-323, whose namespace XML is sent in. Any is understood.
        device_form: how XML writes a device's number: `{number}`, `tel:{number}`, `N<{number}>`. Any is understood.
        element_names: XML elements that the site names otherwise than we assume, see `Aliases`.

    Raises UsageError for combinations that cannot be.
    """
    if encoding not in ENCODINGS:
        raise UsageError(f"encoding {encoding!r}: known are {', '.join(ENCODINGS)}")
    if framing not in NAMES:
        raise UsageError(f"framing {framing!r}: known are {', '.join(NAMES)}")
    if (encoding == "xml") != (framing == Xml8.name):
        raise UsageError(
            f"framing {framing!r} with encoding {encoding!r}: XML needs {Xml8.name}, whose header has the invoke id,"
            f" and {Xml8.name} carries nothing else"
        )
    if encoding == "asn1":
        return _Asn1(framing, frame_limit)
    if edition not in EDITIONS:
        raise UsageError(f"edition {edition} of ECMA-323: known are {', '.join(map(str, EDITIONS))}")
    return _Xml(framing, frame_limit, Style(namespace_of(edition), device_form), Aliases(element_names))


class _Asn1:
    """ECMA-285 in BER."""

    last_invoke_id: Final = 0x7FFF  # ours: two octets, which every server is known to take

    def __init__(self, framing: str, frame_limit: int | None) -> None:
        self._framing = framing
        self._frame_limit = frame_limit

    def framing(self) -> Framing:
        return framing_named(self._framing, self._frame_limit)

    def decode(self, frame: bytes) -> Pdu:
        return codec.decode(frame)

    def decode_with_remarks(self, frame: bytes) -> tuple[Pdu, tuple[str, ...]]:
        return codec.decode_with_remarks(frame)

    def encode(self, pdu: Pdu) -> bytes:
        return codec.encode(pdu)


class _Xml:
    """ECMA-323, with ECMA-354 around it where the site wants sessions."""

    last_invoke_id: Final = xml_codec.LAST_INVOKE_ID

    def __init__(self, framing: str, frame_limit: int | None, style: Style, aliases: Aliases) -> None:
        self._framing = framing
        self._frame_limit = frame_limit
        self._style = style
        self._aliases = aliases

    def framing(self) -> Framing:
        return framing_named(self._framing, self._frame_limit)

    def decode(self, frame: bytes) -> Pdu:
        return xml_codec.decode(frame, self._aliases)

    def decode_with_remarks(self, frame: bytes) -> tuple[Pdu, tuple[str, ...]]:
        return xml_codec.decode_with_remarks(frame, self._aliases)

    def encode(self, pdu: Pdu) -> bytes:
        return xml_codec.encode(pdu, self._style, self._aliases)
