"""What can be wrong with an event report in XML (ECMA-323). A PDU is four digits of invoke id and a document."""

import random
import re

_ID = 4  # digits before the document
_CAUSE = re.compile(rb"(<(?:\w+:)?cause\b[^>]*>)[^<]*(</)")
_MONITOR = re.compile(rb"</(?:\w+:)?monitorCrossRefID>")
_ROOT = re.compile(rb"<((?:\w+:)?[A-Z]\w*Event)\b")
_STRANGE = (
    b'<vendorThing xmlns="urn:nobody:knows">7</vendorThing>',
    b"<futureMember><part>1</part><part/></futureMember>",
    b'<x:y xmlns:x="urn:x" z="&lt;&#228;"/>',
)


class XmlSpoiler:
    """See spoil.Spoiler."""

    def unknown_cause(self, pdu: bytes, rng: random.Random) -> bytes:
        cause = rng.choice((b"solarFlare", b"4711", b"new call"))
        return _CAUSE.sub(lambda found: found[1] + cause + found[2], pdu, count=1)

    def unknown_member(self, pdu: bytes, rng: random.Random) -> bytes:
        member = rng.choice(_STRANGE)
        return _MONITOR.sub(lambda found: found[0] + member, pdu, count=1)

    def unknown_event(self, pdu: bytes, rng: random.Random) -> bytes:
        root = _ROOT.search(pdu)
        if root is None:
            return pdu
        prefix, colon, _ = root[1].rpartition(b":")
        new = prefix + colon + rng.choice((b"TelepathyEvent", b"HologramStartedEvent"))
        return re.sub(rb"(</?)" + re.escape(root[1]) + rb"\b", lambda found: found[1] + new, pdu)

    def indefinite(self, pdu: bytes) -> bytes:
        """XML has no lengths; a document in another encoding is its nearest kin."""
        return pdu

    def private(self, rng: random.Random) -> bytes:
        value = rng.randbytes(rng.randrange(1, 20)).hex().encode()
        return b'<scx:thing xmlns:scx="http://www.siemens.com/schema/csta">' + value + b"</scx:thing>"

    def oversized(self, octets: int) -> bytes:
        return b"<filler>" + b"x" * octets + b"</filler>"

    def damaged(self, pdu: bytes, rng: random.Random) -> bytes:
        """The document ends in its middle."""
        return pdu[: _ID + max((len(pdu) - _ID) * rng.randrange(20, 80) // 100, 1)]

    def junk(self, rng: random.Random) -> bytes:
        return b"9999" + rng.choice((b"<", b"<?xml version='1.0'?>", b"<a><b></a>", b"\xff\xfe\x00", b"hello", b"&"))
