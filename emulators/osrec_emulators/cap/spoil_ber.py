"""What can be wrong with an event report in BER (X.690)."""

import random
from collections.abc import Callable

from osrec.wire.csta.ber import element, integer_octets, walk

CONSTRUCTED = 0x20
_ENUMERATED, _SEQUENCE, _CONTEXT = 0x0A, 0x10, 0x80
UNKNOWN_CAUSES = (122, 150, 255, 4711, -1)  # ECMA-285 lists 0 to 121
# Tags that no phase III definition has as a member of an event.
_STRANGE = (b"\x9b\x03new", b"\xbf\x85\x11\x04\x02\x02\x01\x07", b"\xdf\x63\x02\x01\x02", b"\x9e\x00")


class BerSpoiler:
    """See spoil.Spoiler. `keep_outer`: the PDU's own length is its framing, so it stays definite and right."""

    def __init__(self, *, keep_outer: bool) -> None:
        self._keep_outer = keep_outer

    def unknown_cause(self, pdu: bytes, rng: random.Random) -> bytes:
        cause = element(_ENUMERATED, integer_octets(rng.choice(UNKNOWN_CAUSES)))
        return _with_members(pdu, lambda members: _replaced(members, _ENUMERATED, cause))

    def unknown_member(self, pdu: bytes, rng: random.Random) -> bytes:
        member = rng.choice(_STRANGE)
        return _with_members(pdu, lambda members: member + members)

    def unknown_event(self, pdu: bytes, rng: random.Random) -> bytes:
        """Call control has 18 events (csta.md 2.2)."""
        tag = _CONTEXT | CONSTRUCTED | rng.randrange(20, 30)
        return _with_event(pdu, lambda event: element(tag, walk(event)[0][1]))

    def indefinite(self, pdu: bytes) -> bytes:
        if not self._keep_outer:
            return _indefinite(pdu)
        return element(pdu[0], _indefinite(walk(pdu)[0][1]))

    def private(self, rng: random.Random) -> bytes:
        """Any tag: universal, application, context, private, of one octet and of more."""
        body = rng.randbytes(rng.randrange(1, 40))
        tag = rng.choice((0x04, 0x05, 0x0C, 0x30, 0x5F, 0x7E, 0x86, 0xA5, 0xC1, 0xE9))
        if tag == 0x05:
            return element(tag, b"")
        if tag == 0x5F:
            return b"\x5f\x82\x2a" + bytes([len(body)]) + body
        return element(tag, element(0x04, body) if tag & CONSTRUCTED else body)

    def oversized(self, octets: int) -> bytes:
        return element(0x04, bytes(octets))

    def damaged(self, pdu: bytes, rng: random.Random) -> bytes:
        """The invoke's first element says more octets than there are."""
        contents = bytearray(walk(pdu)[0][1][:100])
        contents[1] = 0x7F - rng.randrange(16)
        return element(pdu[0], bytes(contents))

    def junk(self, rng: random.Random) -> bytes:
        noise = rng.randbytes(rng.randrange(1, 60))
        if self._keep_outer:
            return element(0xA1, b"\x02\x7f" + noise)
        return bytes([rng.choice((0x00, 0x13, 0x30, 0x7F, 0xFF))]) + noise


def _with_event(pdu: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """Rewrite the element of the event itself: invoke, argument, EventSpecificInfo's category, event."""
    invoke = walk(pdu)[0][1]
    argument_item = walk(invoke)[-1]
    argument = argument_item[1]
    category = next(item for item in walk(argument) if item[0] & 0xC0 == _CONTEXT)
    _, event, begin, end = category
    argument = argument[:begin] + element(argument[begin], change(event)) + argument[end:]
    return element(pdu[0], invoke[: argument_item[2]] + element(_SEQUENCE | CONSTRUCTED, argument))


def _with_members(pdu: bytes, change: Callable[[bytes], bytes]) -> bytes:
    return _with_event(pdu, lambda event: element(event[0], change(walk(event)[0][1])))


def _replaced(members: bytes, key: int, other: bytes) -> bytes:
    return b"".join(other if found == key else members[begin:end] for found, _, begin, end in walk(members))


def _indefinite(octets: bytes) -> bytes:
    """All constructed elements of one level and below, without lengths (X.690 8.1.3.6)."""
    rewritten = b""
    for _, contents, begin, end in walk(octets):
        if octets[begin] & CONSTRUCTED:
            head = octets[begin : begin + _tag_octets(octets, begin)]
            rewritten += head + b"\x80" + _indefinite(contents) + b"\0\0"
        else:
            rewritten += octets[begin:end]
    return rewritten


def _tag_octets(octets: bytes, begin: int) -> int:
    if octets[begin] & 0x1F != 0x1F:
        return 1
    size = 2
    while octets[begin + size - 1] & 0x80:
        size += 1
    return size
