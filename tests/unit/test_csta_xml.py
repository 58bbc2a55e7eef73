"""osrec.wire.csta.xml_codec and xml_events: CSTA XML to the same values as ASN.1, as peers in the field write it."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from osrec.errors import UsageError, WireError
from osrec.wire.csta import model
from osrec.wire.csta.causes import EVENT_CAUSES
from osrec.wire.csta.dialect import dialect
from osrec.wire.csta.model import (
    ConnectionId,
    Delivered,
    DeviceId,
    DeviceSnapshot,
    EventReport,
    Held,
    Invoke,
    LocalState,
    MonitorStart,
    MonitorStop,
    NoData,
    NoDevice,
    OtherEvent,
    ReturnResult,
    SnapshotLeg,
    SystemStatus,
    Transferred,
    UnknownArgument,
)
from tests.unit.csta_xml import CALL, ED3, ED4, ED5, SCX, VECTORS, XML, A, event, held, read, vector

# --- vectors


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_every_vector_is_understood_and_survives_being_sent(path: Path) -> None:
    frame = path.read_bytes().splitlines()[1]
    pdu = XML.decode(frame)
    assert not isinstance(getattr(pdu, "argument", None) or getattr(pdu, "result", None), UnknownArgument)
    assert XML.decode(XML.encode(pdu)) == pdu
    if path.stem.startswith("own-"):
        assert XML.encode(pdu) == frame


def test_a_delivered_event_of_openscape_voice_gives_numbers_names_and_causes() -> None:
    report = XML.decode(vector("osv-delivered")).argument  # type: ignore[union-attr]
    assert isinstance(report, EventReport)
    delivered = report.event
    assert isinstance(delivered, Delivered)
    assert delivered.connection == ConnectionId(
        bytes.fromhex("FF00010000000000EC6114647E570000"), DeviceId("3021061290002")
    )
    assert (delivered.parties.calling, delivered.parties.called) == (
        DeviceId("7868772200", name="Line71001"),
        DeviceId("3021061290002"),
    )
    assert delivered.parties.last_redirection is NoDevice.NOT_REQUIRED
    assert delivered.parties.associated_calling is NoDevice.NOT_KNOWN
    assert delivered.parties.network_called == DeviceId("02911")
    assert (delivered.local, EVENT_CAUSES[delivered.cause or 0]) == (LocalState.ALERTING, "enteringDistribution")
    assert delivered.correlator == b"urn:nena"  # hex, broken by a pretty printer
    assert report.cross_ref == bytes.fromhex("1173673890")
    assert [item[:28] for item in report.private] == [b"<scx:cdrTrunkSeizureDateTime", b"<scx:extendedServicesPermitt"]
    assert report.remarks == ()


def test_siemens_private_data_is_kept_as_xml_that_stands_alone() -> None:
    report = XML.decode(vector("osv-callinformation")).argument  # type: ignore[union-attr]
    assert isinstance(report, EventReport)  # the prefix was declared on the root, far from where it is used
    inner = "<scx:aliConfiguredTimeout>200</scx:aliConfiguredTimeout>"
    assert report.private == (f"<scx:aliQueryTimeout {SCX}>{inner}</scx:aliQueryTimeout>".encode(),)


def test_a_transferred_event_in_the_standards_spelling_lists_the_new_connections() -> None:
    report = XML.decode(vector("osv-transfered")).argument  # type: ignore[union-attr]
    assert isinstance(report, EventReport)
    transferred = report.event
    assert isinstance(transferred, Transferred)
    assert transferred.local is LocalState.NULL
    assert [linked.new.device for linked in transferred.connections if linked.new] == [
        DeviceId("+17867100001"),
        DeviceId("+17867100000"),
    ]
    other = vector("osv-transfered").replace(b"TransferedEvent", b"TransferredEvent")
    assert XML.decode(other) == XML.decode(vector("osv-transfered"))


def test_a_connection_goes_back_to_the_pbx_as_it_came() -> None:
    report = XML.decode(vector("osv-transfered")).argument  # type: ignore[union-attr]
    assert isinstance(report, EventReport)
    assert isinstance(report.event, Transferred)
    new = report.event.connections[1].new
    assert new is not None
    sent = XML.encode(Invoke(3, model.ClearConnection(new)))
    assert (
        b"<callID>0300010000000000CFB6706408000000</callID>"
        b"<deviceID>N&lt;+17867100000&gt;;uid=FF00010000000000CFB6706408000000</deviceID>" in sent
    )


def test_a_snapshot_of_a_phone_reads_its_sip_uri_as_number() -> None:
    answer = XML.decode(vector("phone-snapshotdeviceresponse"))
    assert answer == ReturnResult(
        8, DeviceSnapshot((SnapshotLeg(ConnectionId(b"\x17", A), None, (LocalState.HOLD,)),)), 74
    )


# --- invoke ids


def test_events_go_out_under_9999_and_requests_up_to_9998() -> None:
    assert XML.encode(Invoke(5, EventReport(b"\7", Held(connection=CALL, device=A))))[:4] == b"9999"
    assert XML.encode(Invoke(9998, SystemStatus(2)))[:4] == b"9998"
    assert XML.last_invoke_id == 9998
    with pytest.raises(UsageError, match="invoke id 9999"):
        XML.encode(Invoke(9999, SystemStatus(2)))
    with pytest.raises(UsageError, match="invoke id 10000"):
        XML.encode(ReturnResult(10_000, NoData(), 211))


def test_responses_echo_the_invoke_id_and_say_what_they_answer() -> None:
    assert XML.decode(XML.encode(ReturnResult(17, NoData(), 73))) == ReturnResult(17, NoData(), 73)
    assert XML.decode(XML.encode(ReturnResult(9999, NoData(), 211))) == ReturnResult(9999, NoData(), 211)


@pytest.mark.parametrize("frame", [b"", b"12", b"12a4<a/>", b"<MonitorStart/>"])
def test_a_frame_without_four_digits_is_refused(frame: bytes) -> None:
    with pytest.raises(WireError, match="expected four digits of invoke id"):
        XML.decode(frame)


# --- namespaces and structure


@pytest.mark.parametrize(
    "opening",
    [
        f'<MonitorStop xmlns="{ED4}">|<monitorCrossRefID>0007</monitorCrossRefID>|</MonitorStop>',
        f'<c:MonitorStop xmlns:c="{ED4}">|<c:monitorCrossRefID>0007</c:monitorCrossRefID>|</c:MonitorStop>',
        "<MonitorStop>|<monitorCrossRefID>0007</monitorCrossRefID>|</MonitorStop>",
        "<c:MonitorStop>|<c:monitorCrossRefID> 0007 </c:monitorCrossRefID>|</c:MonitorStop>",  # prefix never declared
        f'<MonitorStop xmlns="{ED3}">|<monitorCrossRefID>0007</monitorCrossRefID>|</MonitorStop>',
        f'<MonitorStop xmlns="{ED5}">|<x/><monitorCrossRefID>0007</monitorCrossRefID>|</MonitorStop>',
    ],
)
def test_any_prefix_and_edition_is_understood(opening: str) -> None:
    assert read(opening.replace("|", "\n  "), 2) == Invoke(2, MonitorStop(b"\0\7"))


@pytest.mark.parametrize("edition", [3, 4, 5])
def test_the_configured_edition_is_sent(edition: int) -> None:
    speaks = dialect("xml", "xml8", edition=edition)
    sent = speaks.encode(Invoke(1, MonitorStart(A)))
    assert (
        f'<MonitorStart xmlns="http://www.ecma-international.org/standards/ecma-323/csta/ed{edition}">'.encode() in sent
    )
    assert speaks.decode(sent) == XML.decode(sent)


def test_a_message_of_another_standard_is_refused() -> None:
    with pytest.raises(
        WireError, match=r"Envelope of namespace http://schemas\.xmlsoap\.org/soap/envelope/ is no CSTA"
    ):
        read('<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"/>')


def test_order_of_elements_does_not_matter() -> None:
    shuffled = (
        f'<HeldEvent xmlns="{ED4}"><cause>consultation</cause><localConnectionInfo>hold</localConnectionInfo>'
        "<holdingDevice><deviceIdentifier>4711</deviceIdentifier></holdingDevice><heldConnection><deviceID>4711</deviceID>"
        "<callID>B164</callID></heldConnection><monitorCrossRefID>0007</monitorCrossRefID></HeldEvent>"
    )
    assert event(shuffled).event == Held(connection=CALL, device=A, cause=37, local=LocalState.HOLD)
    assert event(shuffled).remarks == ()


@pytest.mark.parametrize(
    ("inside", "remark"),
    [
        ("<newThing>1</newThing>", "unknown member newThing in HeldEvent"),
        (f"<scx:cause {SCX}>5</scx:cause>", "unknown member scx:cause in HeldEvent"),
        ("<cause>busy</cause>", "member cause repeated in HeldEvent"),
        (
            "<localConnectionInfo>asleep</localConnectionInfo>",
            "localConnectionInfo in held left out: local connection state 'asleep' is not known [ECMA-323]",
        ),
        ("<extensions><security><timestamp>noon</timestamp></security></extensions>", "timestamp 'noon' is no time"),
        (
            "<extensions><security><messageSequenceNumber>x</messageSequenceNumber></security></extensions>",
            "messageSequenceNumber 'x' is no number of at most 18 digits [ECMA-323]",
        ),
        ("<extensions><odd/></extensions>", "unknown member odd in extensions"),
    ],
)
def test_what_is_odd_is_left_out_with_a_remark(inside: str, remark: str) -> None:
    report = event(held(inside))
    assert report.remarks == (remark,)
    assert replace(report, remarks=()) == replace(event(held()), remarks=())


def test_an_unknown_cause_word_is_kept_as_a_remark_and_a_number_as_a_number() -> None:
    unknown = event(held().replace("normal", "solarFlare"))
    assert unknown.event.cause is None
    assert unknown.remarks == (
        "cause in held left out: cause 'solarFlare' is not known [ECMA-323]",
        "held without cause",
    )
    assert event(held().replace("normal", "250")).event.cause == 250
    sent = XML.encode(Invoke(1, EventReport(b"\0\7", Held(connection=CALL, device=A, cause=250))))
    assert b"<cause>250</cause>" in sent


def test_every_cause_has_a_word_that_comes_back() -> None:
    for cause in EVENT_CAUSES:
        report = EventReport(b"\0\7", Held(connection=CALL, device=A, cause=cause))
        assert XML.decode(XML.encode(Invoke(9999, report))) == Invoke(9999, report)
    assert event(held().replace("normal", "ACDBusy")).event.cause == 57  # capital letters do not matter


def test_many_odd_members_give_few_remarks() -> None:
    report = event(held("<odd/>" * 500))
    assert (len(report.remarks), report.remarks[-1]) == (21, "and 480 more remarks")


def test_elements_that_we_do_not_read_pass_without_a_remark() -> None:
    passed = "<servicesPermitted><voiceServices/></servicesPermitted><heldConnectionInfo/><callCharacteristics/>"
    assert event(held(passed)).remarks == ()


def test_time_and_sequence_are_read_as_digits_and_as_iso_8601() -> None:
    for text in ("20260102030405", "2026-01-02T03:04:05", "2026-01-02T03:04:05+01:00"):
        inside = (
            f"<extensions><security><messageSequenceNumber>5</messageSequenceNumber><timestamp>{text}</timestamp>"
            "</security></extensions>"
        )
        report = event(held(inside))
        assert (report.at, report.sequence) == (datetime(2026, 1, 2, 3, 4, 5), 5)


def test_an_event_without_its_connection_is_kept_raw_with_the_reason() -> None:
    body = f'<HeldEvent xmlns="{ED4}"><monitorCrossRefID>0007</monitorCrossRefID></HeldEvent>'
    assert read(body).argument == UnknownArgument(21, body.encode(), "held without heldConnection")
    broken = read(body)
    assert XML.decode(XML.encode(broken)) == broken  # an emulator may want to send one
    body = f'<HeldEvent xmlns="{ED4}"/>'
    assert "HeldEvent without monitorCrossRefID" in read(body).argument.reason


def test_an_event_that_we_do_not_interpret_is_kept_and_goes_out_as_it_came() -> None:
    body = f'<AgentReadyEvent xmlns="{ED4}"><monitorCrossRefID>0007</monitorCrossRefID></AgentReadyEvent>'
    report = event(body)
    assert report.event == OtherEvent(category=4, tag=4, body=body.encode())
    assert XML.decode(XML.encode(Invoke(9999, report))) == Invoke(9999, report)
    assert event(body.replace("AgentReady", "Whatever")).event == OtherEvent(
        category=-1, tag=-1, body=body.replace("AgentReady", "Whatever").encode()
    )
    with pytest.raises(UsageError, match="event category 4 tag 1 with body 020105 cannot be said in XML"):
        XML.encode(Invoke(9999, EventReport(b"\7", OtherEvent(category=4, tag=1, body=b"\2\1\5"))))


def test_an_unknown_service_and_a_broken_request_are_kept_with_the_reason() -> None:
    assert read("<DanceCall/>", 3) == Invoke(
        3, UnknownArgument(None, b"<DanceCall/>", "service DanceCall is not known")
    )
    assert read("<AnswerCall/>", 3).argument.opcode == 2
    assert read("<DanceCallResponse/>", 3).result.reason == "response DanceCallResponse is not known"
    broken = read("<MonitorStart/>", 3).argument
    assert broken == UnknownArgument(71, b"<MonitorStart/>", "MonitorStart without monitorObject [ECMA-323]")
    assert read("<MonitorStartResponse/>", 3) == ReturnResult(
        3,
        UnknownArgument(71, b"<MonitorStartResponse/>", "MonitorStartResponse without monitorCrossRefID [ECMA-323]"),
        71,
    )
    assert XML.decode(XML.encode(Invoke(3, broken))) == Invoke(3, broken)
