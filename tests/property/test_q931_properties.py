"""LAPD and Q.931 under octets that nobody intended, and round trips of all that can be said."""

from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from osrec.cli.decode_q931 import read_frame
from osrec.errors import UsageError, WireError
from osrec.wire.q921 import fields, tei
from osrec.wire.q921.capture import Caught, caught
from osrec.wire.q921.frames import (
    COMMANDS,
    RESPONSES,
    WITH_INFORMATION,
    Dlci,
    Frame,
    Information,
    S,
    Side,
    Supervisory,
    U,
    Unnumbered,
    decode,
    encode,
    sender_of,
)
from osrec.wire.q931 import bearer, channel, codec, elements, facility, numbers
from osrec.wire.q931.messages import CallReference, Message, MessageType
from osrec.wire.q931.registry import Element
from osrec.wire.q931.render import as_json, as_lines

octets = st.binary(max_size=40)
sides = st.sampled_from(Side)
dlcis = st.builds(Dlci, st.integers(0, 63), st.integers(0, 127))
sequence = st.integers(0, 127)


@st.composite
def unnumbered(draw: Any) -> Frame:
    kind = draw(st.sampled_from(U))
    command = draw(st.booleans()) if kind is U.XID else kind in COMMANDS
    information = draw(octets) if kind in WITH_INFORMATION else b""
    return Unnumbered(kind, command, draw(st.booleans()), information, draw(dlcis))


frames = st.one_of(
    unnumbered(),
    st.builds(Information, sequence, sequence, octets, st.booleans(), dlcis),
    st.builds(Supervisory, st.sampled_from(S), sequence, st.booleans(), st.booleans(), dlcis),
)


@settings(max_examples=300, deadline=None)
@given(frames, sides)
def test_every_frame_survives_the_wire(frame: Frame, sender: Side) -> None:
    assert decode(encode(frame, sender), sender) == frame


@settings(max_examples=300, deadline=None)
@given(frames, sides)
def test_a_tap_never_names_the_wrong_sender(frame: Frame, sender: Side) -> None:
    found = sender_of(encode(frame, sender))
    ambiguous = isinstance(frame, Supervisory) or (
        isinstance(frame, Unnumbered) and frame.kind not in COMMANDS | RESPONSES
    )
    assert found is (None if ambiguous else sender)


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=300), sides)
def test_random_octets_are_a_frame_or_raise_wire_error(random: bytes, sender: Side) -> None:
    sender_of(random)
    try:
        frame = decode(random, sender)
    except WireError:
        return
    if not isinstance(frame, Unnumbered) or frame.command is (frame.kind in COMMANDS) or frame.kind is U.XID:
        if isinstance(frame, Information):
            assume(frame.command is (bool(random[0] & 2) is (sender is Side.NETWORK)))
        assert encode(frame, sender) == random


@settings(max_examples=300, deadline=None)
@given(octets, st.sampled_from([b"", b"\x82\x80\x00", b"\x0f\x00\x00"]))
def test_random_information_fields_are_read_or_raise_wire_error(random: bytes, head: bytes) -> None:
    for read in (fields.read_frmr, fields.read_xid, tei.read):
        try:
            read(head + random)
        except WireError:
            continue


parameters = st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=4)), max_size=5).map(tuple)


@settings(max_examples=150, deadline=None)
@given(parameters)
def test_every_negotiation_survives_the_wire(said: tuple[tuple[int, bytes], ...]) -> None:
    field = fields.ParameterNegotiation(said)
    assert fields.read_xid(fields.write_xid(field)) == field


# --- elements

seven = st.integers(0, 127)
sevens = st.binary(max_size=4).map(lambda values: bytes(value & 0x7F for value in values))
latin = st.text(st.characters(max_codepoint=255), max_size=20)
coding = st.integers(0, 3)
layers = st.none() | st.builds(bearer.Layer, st.integers(0, 31), sevens)
presentations = st.none() | st.builds(numbers.Presentation, st.integers(0, 3), st.integers(0, 3))
presented = (latin, st.integers(0, 7), st.integers(0, 15), presentations)
subaddress = (st.binary(max_size=20), st.integers(0, 7), st.booleans())


@st.composite
def capabilities(draw: Any) -> Element:
    rate = draw(st.integers(0, 31))
    multiplier = draw(seven) if rate == bearer.TransferRate.MULTIRATE else None
    capability, mode, own, attributes = draw(st.integers(0, 31)), draw(coding), draw(coding), draw(sevens)
    one, two, three = draw(layers), draw(layers), draw(layers)
    if draw(st.booleans()):
        return bearer.BearerCapability(capability, mode, rate, multiplier, one, two, three, own, attributes)
    negotiation = draw(st.none() | seven)
    return bearer.LowLayerCompatibility(
        capability, mode, rate, multiplier, one, two, three, own, attributes, negotiation
    )


@st.composite
def channels(draw: Any) -> Element:
    head = {"exclusive": draw(st.booleans()), "selection": draw(st.integers(0, 3)), "d_channel": draw(st.booleans())}
    head["interface"] = draw(st.none() | sevens.filter(bool))
    shape = draw(st.sampled_from(["basic", "whole", "numbers", "map"]))
    if shape in ("basic", "whole"):
        return channel.ChannelIdentification(primary=shape == "whole", **head)
    kind = {"channel_type": draw(st.integers(0, 15)), "coding": draw(coding)}
    if shape == "numbers":
        return channel.ChannelIdentification(tuple(draw(st.lists(seven, min_size=1, max_size=30))), **head, **kind)
    size = draw(st.sampled_from([3, 4]))
    slots = draw(st.sets(st.integers(4 - size, 31 if size == 4 else 24)))
    return channel.ChannelIdentification(tuple(sorted(slots)), map_octets=size, **head, **kind)


@st.composite
def redirecting(draw: Any) -> Element:
    digits, ton, npi = draw(latin), draw(st.integers(0, 7)), draw(st.integers(0, 15))
    shown = draw(presentations)
    reason = draw(st.none() | st.integers(0, 15)) if shown else None
    return numbers.RedirectingNumber(digits, ton, npi, shown, reason)


@st.composite
def date_times(draw: Any) -> Element:
    return elements.DateTime(*draw(st.lists(st.integers(0, 255), min_size=3, max_size=6)))


ANY_ELEMENT: st.SearchStrategy[Element] = st.one_of(
    capabilities(),
    channels(),
    redirecting(),
    date_times(),
    st.builds(bearer.HighLayerCompatibility, seven, st.none() | seven, st.integers(0, 7), coding, coding),
    st.builds(elements.Cause, seven, st.integers(0, 15), octets, st.none() | seven, coding),
    st.builds(elements.CallState, st.integers(0, 63), coding),
    st.builds(elements.CallIdentity, octets),
    st.builds(elements.ProgressIndicator, seven, st.integers(0, 15), coding),
    st.builds(elements.NotificationIndicator, seven, octets),
    st.builds(elements.RestartIndicator, st.integers(0, 7)),
    st.builds(elements.Signal, st.integers(0, 255)),
    st.builds(elements.Display, latin),
    st.builds(elements.KeypadFacility, latin),
    st.builds(elements.UserUser, octets, st.integers(0, 255)),
    st.builds(facility.Facility, octets, st.integers(0, 31)),
    st.builds(numbers.CalledPartyNumber, latin, st.integers(0, 7), st.integers(0, 15)),
    st.builds(numbers.CallingPartyNumber, *presented),
    st.builds(numbers.ConnectedNumber, *presented),
    st.builds(numbers.RedirectionNumber, *presented),
    st.builds(numbers.CalledPartySubaddress, *subaddress),
    st.builds(numbers.CallingPartySubaddress, *subaddress),
    st.builds(numbers.ConnectedSubaddress, *subaddress),
    st.builds(elements.MoreData),
    st.builds(elements.SendingComplete),
    st.builds(elements.CongestionLevel, st.integers(0, 15)),
    st.builds(elements.RepeatIndicator, st.integers(0, 15)),
    st.builds(elements.Raw, st.sampled_from([0x00, 0x20, 0x3F, 0x47, 0x77]), octets),
)


@st.composite
def references(draw: Any) -> CallReference:
    length = draw(st.integers(0, 4))
    if not length:
        return CallReference(length=0)
    return CallReference(draw(st.integers(0, (1 << 8 * length - 1) - 1)), draw(st.booleans()), length)


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(MessageType), references(), st.lists(ANY_ELEMENT, max_size=5))
def test_every_message_survives_the_wire(kind: MessageType, reference: CallReference, said: list[Element]) -> None:
    message = codec.compose(kind, reference, *said)
    back = codec.decode(codec.encode(message))
    assert back == message
    as_lines(back)
    as_json(back)


heads = st.sampled_from([b"", b"\x08\x02\x00\x01\x05", b"\x08\x02\x80\x01\x7b", b"\x08\x00\x62", b"\x08\x01\x05\x07"])
identifiers = st.sampled_from([0x04, 0x08, 0x18, 0x1C, 0x29, 0x6C, 0x70, 0x74, 0x7C, 0x7D, 0x95, 0x9D, 0xA1, 0x00])
pieces = st.lists(
    st.one_of(st.builds(lambda i, c: bytes([i, len(c)]) + c, identifiers, octets), st.binary(max_size=4)), max_size=6
).map(b"".join)


@settings(max_examples=800, deadline=None)
@given(heads, pieces)
def test_random_octets_are_a_message_or_raise_wire_error(head: bytes, random: bytes) -> None:
    try:
        message, faults = codec.decode_with_faults(head + random)
    except WireError:
        return
    as_lines(message)
    as_json(message)
    for fault in faults:
        assert f"octet {fault.octet}" in str(fault)
        assert 1 <= fault.octet <= len(head + random) + 1
    if not faults:
        assert codec.decode(codec.encode(message)) == message


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=60), st.none() | sides)
def test_the_command_shows_any_octets(random: bytes, sender: Side | None) -> None:
    read_frame(Caught(random, None, sender))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([b"\xd4\xc3\xb2\xa1" + bytes(16) + b"\xb1\0\0\0", b"\x0a\x0d\x0d\x0a"]), st.binary(max_size=200))
def test_random_captures_are_read_or_raise_wire_error(head: bytes, random: bytes) -> None:
    try:
        list(caught(head + random))
    except WireError:
        return


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(MessageType),
    st.lists(
        st.one_of(
            ANY_ELEMENT,
            st.builds(elements.Shift, st.integers(-1, 9), st.booleans()),
            st.builds(elements.Raw, st.integers(-1, 300), st.none() | octets, st.integers(0, 7)),
        ),
        max_size=5,
    ),
)
def test_what_is_written_is_a_message_and_what_is_not_is_refused(kind: MessageType, said: list[Element]) -> None:
    try:
        written = codec.encode(Message(kind, CallReference(1), tuple(said)))
    except UsageError:
        return
    assert codec.decode(written).kind is kind
