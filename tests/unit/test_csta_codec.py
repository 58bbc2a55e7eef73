"""osrec.wire.csta.codec: PDUs both ways, and what a decoder in the field has to put up with."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from osrec.errors import UsageError, WireError
from osrec.wire.csta import members, model, schema
from osrec.wire.csta.ber import element, walk
from osrec.wire.csta.causes import EVENT_CAUSES, cause_name, error_name, operation_name, reject_name
from osrec.wire.csta.codec import decode, decode_with_remarks, encode, read_result
from osrec.wire.csta.kinds import EventType
from osrec.wire.csta.model import (
    Bridged,
    CallInformation,
    CallSnapshot,
    CallSnapshotEntry,
    Conferenced,
    ConferenceJoined,
    ConnectionCleared,
    ConnectionId,
    Delivered,
    DeviceId,
    DeviceSnapshot,
    Diverted,
    Established,
    EventReport,
    Held,
    InService,
    Invoke,
    Linkage,
    LinkedConnection,
    LocalState,
    MonitorStarted,
    NetworkReached,
    NoData,
    NoDevice,
    NumberKind,
    OtherEvent,
    Parties,
    ReturnError,
    ReturnResult,
    SnapshotLeg,
    Transferred,
    UnknownArgument,
)

VECTORS = Path(__file__).parent.parent / "vectors" / "csta"
A, B = DeviceId("257"), DeviceId("100", name="Müller")
CALL = ConnectionId(b"\xb1\x64", A)
LINKAGE = Linkage(b"g" * 16, b"t" * 16)


def vector(name: str) -> bytes:
    return bytes.fromhex((VECTORS / f"{name}.hex").read_text().splitlines()[1])


def report(event: model.Event, **more: Any) -> Invoke:
    return Invoke(7, EventReport(b"\0\7", event, **more))


def reported(octets: bytes) -> EventReport:
    pdu = decode(octets)
    assert isinstance(pdu, Invoke)
    assert isinstance(pdu.argument, EventReport), pdu
    return pdu.argument


def event_octets(category: int, tag: int, body: bytes) -> bytes:
    """An event report put together by hand, so that the body can be anything."""
    specific = element(0xA0 | category, element(0xA0 | tag, body))
    return bytes.fromhex("a1") + _length(
        bytes.fromhex("020107020115") + element(0x30, bytes.fromhex("55020007") + specific)
    )


def _length(contents: bytes) -> bytes:
    return element(0x30, contents)[1:]


def body_of(event: model.Event, **more: Any) -> bytes:
    """The members of an event as our encoder writes them."""
    contents = walk(encode(report(event, **more)))[0][1]
    argument = walk(contents)[2][1]
    return walk(walk(argument)[1][1])[0][1]


DELIVERED = Delivered(
    connection=CALL, device=A, parties=Parties(B, A, NoDevice.NOT_REQUIRED), cause=22, local=LocalState.ALERTING
)


@pytest.mark.parametrize("file", sorted(VECTORS.glob("*.hex")), ids=lambda file: str(file.stem))
def test_every_vector_decodes_and_encodes_again_unchanged(file: Path) -> None:
    octets = vector(file.stem)
    pdu, remarks = decode_with_remarks(octets)
    assert encode(pdu) == octets
    assert remarks == ()


def test_a_delivered_of_a_hipath_says_who_calls_whom() -> None:
    assert reported(vector("hipath-eventreport-delivered")) == EventReport(
        b"\0\7",
        Delivered(
            connection=ConnectionId(b"\xb1\x64", A),
            device=A,
            parties=Parties(DeviceId("100"), A, NoDevice.NOT_KNOWN),
            cause=22,
            local=LocalState.ALERTING,
        ),
        at=datetime(2012, 1, 16, 5, 41, 36),
    )


EVENTS: list[model.Event] = [
    model.ServiceInitiated(connection=CALL, device=A, cause=44, local=LocalState.INITIATED, linkage=LINKAGE),
    model.Originated(connection=CALL, device=A, parties=Parties(called=B), cause=22, correlator=b"c"),
    model.DigitsDialed(connection=CALL, device=A, digits=DeviceId("0049"), cause=78, linkage=LINKAGE),
    model.Offered(connection=CALL, device=A, parties=Parties(B, A), cause=22, correlator=b"untagged", user_data=b"u"),
    model.Queued(connection=CALL, device=A, parties=Parties(B, A), cause=42, linkage=LINKAGE),
    NetworkReached(connection=ConnectionId(b"\1\2", b"\x99"), device=DeviceId("7806"), parties=Parties(A, B), cause=22),
    replace(DELIVERED, linkage=LINKAGE, user_data=b"u", correlator=b"c"),
    Established(
        connection=CALL,
        device=A,
        parties=Parties(B, A, B, network_calling=B, network_called=A, associated_calling=B, associated_called=A),
        cause=22,
    ),
    model.Failed(connection=CALL, device=B, parties=Parties(A, NoDevice.RESTRICTED), cause=3),
    Held(connection=CALL, device=A, cause=37, local=LocalState.HOLD, linkage=LINKAGE),
    model.Retrieved(connection=CALL, device=A, cause=78, local=LocalState.CONNECTED),
    Diverted(connection=CALL, device=A, new_destination=B, parties=Parties(B, A, A), cause=8),
    Transferred(
        primary=CALL,
        secondary=ConnectionId(b"\1\2", A),
        device=A,
        to=B,
        connections=(
            LinkedConnection(ConnectionId(b"\3", B), ConnectionId(b"\1\2", B), B),
            LinkedConnection(ConnectionId(b"\3", A), None, NoDevice.RESTRICTED, NoDevice.NOT_KNOWN),
        ),
        cause=32,
        local=LocalState.NULL,
        linkage=LINKAGE,
        old_linkage=Linkage(b"old", b"t" * 16),
    ),
    Conferenced(
        primary=CALL,
        secondary=None,
        device=A,
        added=B,
        connections=(LinkedConnection(CALL, endpoint=A),),
        cause=63,
        linkage=LINKAGE,
    ),
    ConnectionCleared(connection=CALL, device=A, cause=48, local=LocalState.NULL),
    model.CallCleared(connection=ConnectionId(b"\1\2"), cause=48),
    model.DigitsGenerated(connection=CALL, digits="12#"),
    CallInformation(connection=CALL, device=A, account=b"4711", linkage=LINKAGE),
    InService(device=A, in_service=True, cause=19),
    InService(device=A, in_service=False),
    OtherEvent(category=4, tag=1, body=bytes.fromhex("020105")),
    OtherEvent(category=0, tag=10, body=b""),
    Bridged(connection=CALL, device=A, cause=22, local=LocalState.CONNECTED, user_data=b"u", linkage=LINKAGE),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_every_event_travels_both_ways(event: model.Event) -> None:
    sent = EventReport(
        b"\1\2\3\4", event, datetime(2026, 2, 3, 4, 5, 6, 250000), 4711, (b"\x04\x01x", b"\x7f\x81\x01\x01\x05")
    )
    if isinstance(event, OtherEvent):
        sent = EventReport(b"\1\2\3\4", event)
    assert decode(encode(Invoke(0x12345678, sent))) == Invoke(0x12345678, sent)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_asn1tools_reads_every_event_as_we_write_it(event: model.Event) -> None:
    contents = walk(encode(report(event)))[0][1]
    begin = walk(contents)[2][2]
    argument = schema.compiled().decode("CSTAEventReportArgument", contents[begin:])
    assert argument["crossRefIdentifier"] == b"\0\7"
    category, specific = argument["eventSpecificInfo"]
    if not isinstance(event, OtherEvent):
        name, values = specific
        assert name == type(event).__name__[:1].lower() + type(event).__name__[1:] or isinstance(event, InService)
        assert values.get("cause", 78) == (event.cause or 78)
        assert values.get("extensions") is None
    assert category


SERVICES: list[model.Argument] = [
    model.MonitorStart(A),
    model.MonitorStop(b"\0\7"),
    model.SnapshotDevice(A),
    model.SnapshotDeviceData(b"r", (SnapshotLeg(CALL, B, (LocalState.CONNECTED,)),), last=True, segment=2),
    model.SnapshotCall(CALL),
    model.SystemStatus(2),
    model.SystemStatus(99),
    model.RequestSystemStatus(),
    model.SingleStepConference(CALL, B, model.Participation.SILENT),
    model.SingleStepConference(CALL, DeviceId("5")),
    model.JoinCall(CALL, B, model.Participation.SILENT),
    model.ClearConnection(CALL),
    model.Escape(bytes.fromhex("7f8101020301")),
]


@pytest.mark.parametrize("argument", SERVICES, ids=lambda argument: type(argument).__name__)
def test_every_service_travels_both_ways(argument: model.Argument) -> None:
    assert decode(encode(Invoke(1, argument))) == Invoke(1, argument)


RESULTS: list[tuple[model.Result, int]] = [
    (MonitorStarted(b"\0\7"), 71),
    (MonitorStarted(b"\0\7", existing_calls=False), 71),
    (
        DeviceSnapshot(
            (
                SnapshotLeg(CALL, B, (LocalState.CONNECTED, LocalState.HOLD), LINKAGE),
                SnapshotLeg(CALL, NoDevice.NOT_KNOWN, ()),
                SnapshotLeg(CALL, None, (LocalState.ALERTING, LocalState.CONNECTED), simple=True),
            )
        ),
        74,
    ),
    (DeviceSnapshot(), 74),
    (DeviceSnapshot((), b"ref"), 74),
    (CallSnapshot((CallSnapshotEntry(A, CALL, LocalState.CONNECTED), CallSnapshotEntry(B, None, None)), A, B), 75),
    (CallSnapshot(service_cross_ref=b"ref"), 75),
    (model.SystemStatusReported(2), 210),
    (ConferenceJoined(CALL, LINKAGE), 20),
    (ConferenceJoined(CALL), 223),
    (NoData(), 211),
    (NoData(), 5),
]


@pytest.mark.parametrize(("result", "opcode"), RESULTS, ids=lambda it: str(it)[:40])
def test_every_result_travels_both_ways(result: model.Result, opcode: int) -> None:
    assert decode(encode(ReturnResult(3, result, opcode))) == ReturnResult(3, result, opcode)


@pytest.mark.parametrize(
    "pdu",
    [
        model.Associate(),
        model.Associate("1.3.12.0.285.200", b"u", b"p", (b"\x08", 5), "1.3.12.0.285.200", True),
        model.Associate(version=(b"", 0)),
        model.Associated(1, 13),
        model.Associated(0, 0, stamp=b"s", system_version=b"v", version=(b"\x08", 5)),
        model.Release(),
        model.Release(0),
        model.Released(1),
        model.Abort(1),
        model.Abort(0, 5),
        ReturnError(4, model.ErrorCategory.UNSPECIFIED, 0),
        ReturnError(4, model.ErrorCategory.OPERATION, 200),
        ReturnError(4, 12, 3),
        model.Reject(None, 0, 2),
    ],
    ids=str,
)
def test_every_other_pdu_travels_both_ways(pdu: model.Pdu) -> None:
    assert decode(encode(pdu)) == pdu


@pytest.mark.parametrize(
    "device",
    [
        DeviceId("12", NumberKind.DEVICE),
        DeviceId("+48", NumberKind.IMPLICIT_PUBLIC),
        DeviceId("48", NumberKind.EXPLICIT_PUBLIC, ton=1),
        DeviceId("48", NumberKind.IMPLICIT_PRIVATE),
        DeviceId("48", NumberKind.EXPLICIT_PRIVATE, ton=5),
        DeviceId("\xff\0", NumberKind.OTHER),
    ],
    ids=str,
)
def test_every_kind_of_number_travels_both_ways(device: DeviceId) -> None:
    assert decode(encode(Invoke(1, model.MonitorStart(device)))) == Invoke(1, model.MonitorStart(device))


def test_the_tables_of_members_agree_with_the_asn1_module() -> None:
    """A member that the module has and the table does not would be reported as unknown in the field."""
    for kind in (*members.EVENT_TYPES, *members.IN_SERVICE_TYPES):
        assert sorted(_keys_in_module(kind)) == sorted(
            key for key, candidates in {**kind.by_key, kind.extensions: (None,)}.items() for _ in candidates
        ), kind.name


def _keys_in_module(kind: EventType) -> list[int]:
    event = _event_type(kind)
    return [int(member.tag[0]) & ~0x20 for member in event.root_members]


def _event_type(kind: EventType) -> Any:
    compiled = schema.compiled().types["EventSpecificInfo"].type
    for category in compiled.members:
        if category.tag[0] & 0x1F == kind.category:
            for event in category.inner.members:
                if event.tag[0] & 0x1F == kind.tag:
                    return event
    raise AssertionError(kind.name)


# --- tolerance: each of these would cost asn1tools the whole event


def test_an_unknown_cause_is_kept_as_its_number() -> None:
    assert reported(encode(report(replace(DELIVERED, cause=250)))).event.cause == 250
    assert cause_name(250) == "cause 250"


def test_an_unknown_local_state_costs_only_itself() -> None:
    body = body_of(DELIVERED).replace(bytes.fromhex("4e0102"), bytes.fromhex("4e0109"))
    got = reported(event_octets(0, 4, body))
    assert got.event == replace(DELIVERED, local=None)
    assert "localConnectionInfo in delivered left out" in got.remarks[0]


def test_a_name_in_8_bits_is_latin_1() -> None:
    event = reported(encode(report(DELIVERED))).event
    assert isinstance(event, Delivered)
    assert event.parties.calling == DeviceId("100", name="Müller")


def test_an_unknown_member_costs_nothing_behind_it() -> None:
    """asn1tools drops it silently, with the time stamp and everything else that follows."""
    body = bytes.fromhex("9f8f7f0101") + bytes.fromhex("bd03020105") + body_of(DELIVERED, at=datetime(2026, 1, 1))
    got = reported(event_octets(0, 4, body))
    assert (got.event, got.at) == (DELIVERED, datetime(2026, 1, 1))
    assert got.remarks == ("unknown member [2047] in delivered", "unknown member [29] in delivered")


def test_indefinite_lengths_are_read() -> None:
    def indefinite(octets: bytes) -> bytes:
        _, contents, _, _ = walk(octets)[0]
        if not octets[0] & 0x20:
            return octets
        return octets[:1] + b"\x80" + b"".join(indefinite(contents[b:e]) for _, _, b, e in walk(contents)) + b"\0\0"

    octets = encode(report(DELIVERED, at=datetime(2026, 1, 1)))
    got = reported(indefinite(octets))
    assert got == replace(reported(octets), remarks=("indefinite lengths",))


def test_long_form_lengths_are_read() -> None:
    body = body_of(DELIVERED)
    octets = event_octets(0, 4, body)
    inner = walk(octets)[0][1]
    assert decode(b"\xa1\x84" + len(inner).to_bytes(4, "big") + inner) == decode(octets)


def test_a_string_in_pieces_is_joined() -> None:
    argument = element(0x30, bytes.fromhex("7508 0401ab 0403cdef01"))
    pdu = decode(element(0xA1, bytes.fromhex("020101020149") + argument))
    assert pdu == Invoke(1, model.MonitorStop(bytes.fromhex("abcdef01")))


def test_trailing_octets_are_remarked() -> None:
    assert reported(encode(report(DELIVERED)) + b"\0\0\0").remarks == ("3 octets after the PDU",)


def test_private_data_may_have_any_tag() -> None:
    private = (b"\x05\x00", b"\x7f\x8f\x01\x02\xab\xcd", element(0x30, b"\x01\x01\xff"))
    assert reported(encode(report(DELIVERED, private=private))).private == private


def test_a_bad_time_stamp_costs_only_itself() -> None:
    body = body_of(DELIVERED) + bytes.fromhex("7e13a011180f") + b"20261399000000Z"
    got = reported(event_octets(0, 4, body))
    assert got.at is None
    assert got.event == DELIVERED
    assert "is no GeneralizedTime" in got.remarks[0]


def test_an_event_that_breaks_off_is_read_up_to_there() -> None:
    body = body_of(DELIVERED) + bytes.fromhex("650a30")
    got = reported(event_octets(0, 4, body))
    assert got.event == DELIVERED
    assert "broken after octet" in got.remarks[0]


def test_a_missing_device_is_not_known() -> None:
    got = reported(event_octets(0, 9, bytes.fromhex("6b048002b164") + bytes.fromhex("0a0125")))
    assert got.event == Held(connection=ConnectionId(b"\xb1\x64"), device=NoDevice.NOT_KNOWN, cause=37)
    assert got.remarks == ("held without holdingDevice",)


def test_extensions_of_conferenced_stand_under_either_tag() -> None:
    event = EVENTS[13]
    octets = encode(report(event, at=datetime(2026, 1, 1)))
    usual = octets.replace(bytes.fromhex("a512a010"), bytes.fromhex("7e12a010"))
    assert usual != octets
    assert reported(usual) == reported(octets)


def test_thousands_of_unknown_members_make_few_remarks() -> None:
    got = reported(event_octets(0, 4, body_of(DELIVERED) + bytes.fromhex("9e00") * 5000))
    assert len(got.remarks) == 21
    assert got.remarks[-1] == "and 4980 more remarks"


# --- what cannot be read is handed on, so that it can be rejected


def test_an_unknown_operation_keeps_its_body() -> None:
    pdu = Invoke(1, UnknownArgument(308, bytes.fromhex("30030101ff"), "operation 308 is not known"))
    assert decode(bytes.fromhex("a10c 020101 02020134 30030101ff")) == pdu


def test_an_event_without_connection_is_handed_on_unread() -> None:
    octets = event_octets(0, 9, bytes.fromhex("0a0125"))
    pdu = decode(octets)
    assert isinstance(pdu, Invoke)
    assert isinstance(pdu.argument, UnknownArgument)
    assert (pdu.argument.opcode, pdu.argument.reason) == (21, "held without heldConnection")
    assert encode(pdu) == octets


def test_a_global_operation_code_is_handed_on_unread() -> None:
    pdu = decode(bytes.fromhex("a10602010106012a"))
    assert isinstance(pdu, Invoke)
    assert isinstance(pdu.argument, UnknownArgument)
    assert pdu.argument.opcode is None


def test_a_result_without_operation_code_is_read_by_who_knows_it() -> None:
    pdu = decode(bytes.fromhex("a209020101300455020007"))
    assert isinstance(pdu, ReturnResult)
    assert isinstance(pdu.result, UnknownArgument)
    assert read_result(71, pdu.result.body) == MonitorStarted(b"\0\7")
    assert read_result(73, b"") == NoData()
    assert isinstance(read_result(71, b"\x30\x80\0\0"), UnknownArgument)


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        ("", "no octets"),
        ("a5020101", r"known are ROSE \[1\] to \[4\]"),
        ("a1", "ends before its length"),
        ("a103020101", "without operation code"),
        ("a10502", "says 5 octets, 1 are left"),
        ("a1180211" + "01" * 17 + "0201493000", "integer of 17 octets"),
        ("8100", "primitive"),
        ("a180020101", "without end-of-contents"),
        ("3f", "tag number"),
        ("6100", "AARE without result"),
    ],
)
def test_what_is_no_pdu_says_why(octets: str, why: str) -> None:
    with pytest.raises(WireError, match=why):
        decode(bytes.fromhex(octets))


def test_elements_within_elements_end_at_a_limit() -> None:
    with pytest.raises(WireError, match="within each other"):
        decode(b"\xa1\x80" * 100_000)


def test_a_pdu_beyond_the_size_limit_is_refused() -> None:
    with pytest.raises(WireError, match="1048577 octets"):
        decode(bytes((1 << 20) + 1))


def test_a_value_without_place_on_the_wire_is_our_own_fault() -> None:
    for pdu in (
        Invoke(1, UnknownArgument(None, b"")),
        Invoke(1, model.MonitorStart(DeviceId("x", NumberKind.DEVICE))),
        ReturnResult(1, ConferenceJoined(CALL)),
        report(OtherEvent(category=9, tag=0, body=b"")),
        model.Reject(1, 7, 0),
    ):
        with pytest.raises(UsageError):
            encode(pdu)


def test_names_of_numbers() -> None:
    assert len(EVENT_CAUSES) == 121
    assert cause_name(51) == "singleStepConference"
    assert error_name(3, 7) == "systemResourceAvailability overallMonitorLimitExceeded"
    assert error_name(3, 99) == "systemResourceAvailability error 99"
    assert error_name(12, 3) == "error category 12 value 3"
    assert reject_name(1, 1) == "invoke unrecognizedOperation"
    assert reject_name(2, 9) == "returnResult problem 9"
    assert (operation_name(223), operation_name(999)) == ("joinCall", "operation 999")


@pytest.mark.parametrize(
    ("pdu", "what"),
    [
        (Invoke(1, model.ResetSessionTimer("s1")), "ResetSessionTimer has no operation code, and an invoke needs one"),
        (ReturnResult(1, model.SessionTimerReset(60)), "SessionTimerReset exists in XML only"),
        (report(OtherEvent(category=-1, tag=-1, body=b"<XEvent/>")), "event category -1 tag -1: known are 0..7"),
    ],
)
def test_what_only_xml_has_cannot_be_said_in_asn1(pdu: model.Pdu, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        encode(pdu)
