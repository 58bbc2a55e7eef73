"""Codecs: octets decode or raise WireError, what was read can be shown, and what was in order is written as it came."""

from contextlib import suppress
from itertools import pairwise

from osrec.cli.decode_q931 import read_frame
from osrec.errors import UsageError, WireError
from osrec.wire.csta import codec as csta
from osrec.wire.csta import render as csta_render
from osrec.wire.csta.dialect import Dialect, dialect
from osrec.wire.csta.framing import NAMES, detect, framing_named
from osrec.wire.q921 import fields, tei
from osrec.wire.q921.capture import Caught
from osrec.wire.q921.frames import COMMANDS, Frame, Information, Side, U, Unnumbered, decode, encode, sender_of
from osrec.wire.q921.render import as_line, information_text
from osrec.wire.q931 import codec as q931_codec
from osrec.wire.q931 import render as q931_render
from tests.fuzz.cut import Cut

XML = dialect("xml", "xml8")


def q921(data: bytes) -> None:
    """One frame, by each side; and the information fields of FRMR, XID and TEI management."""
    sender_of(data)
    for sender in Side:
        try:
            frame = decode(data, sender)
        except WireError:
            continue
        as_line(frame)
        with suppress(WireError):
            information_text(frame)
        if _may_be_written(frame, data, sender):
            assert encode(frame, sender) == data
    _q921_fields(data)


def _may_be_written(frame: Frame, octets: bytes, sender: Side) -> bool:
    """Frames whose C/R contradicts their kind are read, for the link to judge, and never written."""
    if isinstance(frame, Information):
        return bool(octets[0] & 2) is (sender is Side.NETWORK)
    return not isinstance(frame, Unnumbered) or frame.kind is U.XID or frame.command is (frame.kind in COMMANDS)


def _q921_fields(data: bytes) -> None:
    for read in (fields.read_frmr, fields.read_xid, tei.read):
        with suppress(WireError):
            read(data)


def q931(data: bytes) -> None:
    """One message; and the same octets as `osrec decode q931` takes them."""
    read_frame(Caught(data, None, None))
    try:
        message, faults = q931_codec.decode_with_faults(data)
    except WireError:
        return
    q931_render.as_lines(message)
    q931_render.as_json(message)
    for fault in faults:
        assert 1 <= fault.octet <= len(data) + 1
        assert f"octet {fault.octet}" in str(fault)
    try:
        written = q931_codec.encode(message)
    except UsageError:
        assert faults, "in order, and cannot be written"
        return
    if not faults:
        assert q931_codec.decode_with_faults(written) == (message, ())


def csta_asn1(data: bytes) -> None:
    """One PDU in BER."""
    _csta(dialect("asn1", "be2"), data)
    csta.read_result(71, data)


def csta_xml(data: bytes) -> None:
    """One document behind its invoke id."""
    _csta(XML, data)


def _csta(spoken: Dialect, data: bytes) -> None:
    try:
        pdu = spoken.decode(data)
    except WireError:
        return
    csta_render.as_line(pdu)
    csta_render.as_json(pdu)
    try:
        written = spoken.encode(pdu)
    except UsageError:  # what is read in a tolerant way need not have a place on the wire
        return
    assert spoken.encode(spoken.decode(written)) == written


def csta_framing(data: bytes) -> None:
    """A stream in each framing: however it is cut, the same PDUs and the same end."""
    cut = Cut(data)
    name = NAMES[cut.number(len(NAMES))]
    places = sorted(cut.number(256) for _ in range(4))
    stream = cut.rest()
    detect(stream)
    ends = [0, *(min(place, len(stream)) for place in places), len(stream)]
    assert _through(name, [stream[a:b] for a, b in pairwise(ends)]) == _through(name, [stream])


def _through(name: str, chunks: list[bytes]) -> tuple[list[bytes], bool]:
    framing = framing_named(name)
    pdus: list[bytes] = []
    try:
        for chunk in [*chunks, b"", b""]:
            pdus += framing.feed(chunk)
    except WireError:
        return pdus, True
    return pdus, False
