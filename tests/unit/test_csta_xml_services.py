"""osrec.wire.csta.xml_services, xml_responses and xml_snapshots: requests, responses, errors."""

import pytest

from osrec.errors import UsageError
from osrec.wire.csta import model
from osrec.wire.csta.causes import ERROR_VALUES
from osrec.wire.csta.model import (
    CallMade,
    ConferenceJoined,
    ConnectionId,
    DeviceId,
    DeviceSnapshot,
    ErrorCategory,
    Escape,
    Invoke,
    JoinCall,
    LocalState,
    MonitorStarted,
    NoData,
    Reject,
    ReturnError,
    ReturnResult,
    SnapshotLeg,
    Status,
    SystemStatus,
    UnknownArgument,
)
from tests.unit.csta_xml import CALL, XML, read, vector


def test_errors_of_every_category_travel_both_ways() -> None:
    for category, values in ERROR_VALUES.items():
        for value in values:
            error = ReturnError(4, category, value)
            assert XML.decode(XML.encode(error)) == error
    unspecified = ReturnError(4, ErrorCategory.UNSPECIFIED, 0)
    assert XML.decode(XML.encode(unspecified)) == unspecified


def test_the_standards_misspelling_is_sent_and_both_spellings_are_read() -> None:
    error = ReturnError(4, ErrorCategory.SYSTEM_RESOURCE, 7)
    sent = XML.encode(error)
    assert b"<systemResourceAvailibility>overallMonitorLimitExceeded</systemResourceAvailibility>" in sent
    assert XML.decode(sent.replace(b"Availibility", b"Availability")) == error


def test_an_error_word_of_the_vendor_is_kept() -> None:
    error, remarks = XML.decode_with_remarks(vector("vendor-error"))
    assert error == ReturnError(9, ErrorCategory.PRIVATE_DATA, -1, "URM Denied")
    assert remarks == ("error 'URM Denied' of privateErrorCode is not known",)
    assert read("<CSTAErrorCode><odd/></CSTAErrorCode>", 2) == ReturnError(2, ErrorCategory.UNSPECIFIED, 0, "odd")


def test_a_reject_travels_as_an_error_since_xml_has_none() -> None:
    unknown = XML.decode(XML.encode(Reject(5, 1, 1)))
    assert unknown == ReturnError(5, ErrorCategory.OPERATION, 50)  # serviceNotSupported
    assert XML.decode(XML.encode(Reject(5, 1, 2))) == ReturnError(5, ErrorCategory.OPERATION, 1)
    assert XML.decode(XML.encode(Reject(None, 0, 0))) == ReturnError(0, ErrorCategory.OPERATION, 1)


@pytest.mark.parametrize("status", list(Status))
def test_system_status_has_a_word_each(status: Status) -> None:
    assert XML.decode(XML.encode(Invoke(1, SystemStatus(status)))) == Invoke(1, SystemStatus(status))


def test_a_system_status_of_an_unknown_word_can_still_be_answered() -> None:
    frame = b"0003<SystemStatus><systemStatus>sleepy</systemStatus></SystemStatus>"
    assert XML.decode_with_remarks(frame) == (Invoke(3, SystemStatus(-1)), ("system status 'sleepy' is not known",))
    assert XML.decode(XML.encode(Invoke(3, SystemStatus(42)))) == Invoke(3, SystemStatus(42))


def test_private_data_of_asn1_travels_as_hex_and_xml_as_xml() -> None:
    for private in (b"\x04\x03abc", b'<r:record xmlns:r="u"/>', b"<plain><inner/></plain>", b"<\xff"):
        assert XML.decode(XML.encode(Invoke(1, Escape(private)))) == Invoke(1, Escape(private))


@pytest.mark.parametrize(
    "result",
    [
        ReturnResult(1, ConferenceJoined(CALL), 20),
        ReturnResult(1, ConferenceJoined(CALL), 223),
        ReturnResult(1, CallMade(CALL), 10),
        ReturnResult(1, MonitorStarted(b"\0\7"), 71),
    ],
)
def test_results_carry_the_operation_that_they_answer(result: ReturnResult) -> None:
    assert XML.decode(XML.encode(result)) == result


def test_a_result_that_does_not_say_what_it_answers_cannot_be_sent() -> None:
    with pytest.raises(UsageError, match="a response NoData needs the operation that it answers"):
        XML.encode(ReturnResult(1, NoData()))
    with pytest.raises(UsageError, match="999 has no name in XML"):
        XML.encode(ReturnResult(1, NoData(), 999))


def test_asn1_bodies_that_did_not_decode_cannot_be_sent_as_xml() -> None:
    with pytest.raises(UsageError, match="operation 99 with body 0500 cannot be said in XML"):
        XML.encode(Invoke(1, UnknownArgument(99, b"\5\0")))


def test_participation_is_active_when_not_said_and_refused_when_odd() -> None:
    joined = "<activeCall><callID>01</callID></activeCall><joiningDevice>9001</joiningDevice>"
    assert read(f"<JoinCall>{joined}</JoinCall>", 1).argument == JoinCall(ConnectionId(b"\1"), DeviceId("9001"))
    odd = read(f"<JoinCall>{joined}<participationType>7</participationType></JoinCall>", 1)
    assert "participationType 7, known are 0..2" in odd.argument.reason


def test_snapshot_entries_that_cannot_be_read_are_left_out_with_a_remark() -> None:
    body = (
        "<SnapshotDeviceResponse><crossRefIDorSnapshotData><snapshotData><snapshotDeviceResponseInfo/>"
        "<snapshotDeviceResponseInfo><connectionIdentifier><callID>01</callID></connectionIdentifier><localCallState>"
        "<simpleCallState>callEstablished</simpleCallState></localCallState></snapshotDeviceResponseInfo>"
        "</snapshotData></crossRefIDorSnapshotData></SnapshotDeviceResponse>"
    )
    answer, remarks = XML.decode_with_remarks(b"0001" + body.encode())
    leg = SnapshotLeg(ConnectionId(b"\1"), None, (LocalState.CONNECTED, LocalState.CONNECTED), None, True)
    assert answer == ReturnResult(1, DeviceSnapshot((leg,)), 74)
    assert remarks == ("snapshot entry left out: snapshot entry without connectionIdentifier [ECMA-323]",)


def test_states_of_a_snapshot_end_before_the_first_one_that_is_not_known() -> None:
    states = "".join(f"<localConnectionState>{word}</localConnectionState>" for word in ("hold", "asleep", "connected"))
    body = (
        "<SnapshotDeviceData><serviceCrossRefID>01</serviceCrossRefID><lastSegment>true</lastSegment><snapshotData>"
        "<snapshotDeviceResponseInfo><connectionIdentifier><callID>01</callID></connectionIdentifier><localCallState>"
        f"<compoundCallState>{states}</compoundCallState></localCallState></snapshotDeviceResponseInfo></snapshotData>"
        "</SnapshotDeviceData>"
    )
    leg = SnapshotLeg(ConnectionId(b"\1"), None, (LocalState.HOLD,))
    assert read(body, 1) == Invoke(1, model.SnapshotDeviceData(b"\1", (leg,), last=True))


def test_a_joined_conference_has_the_new_linkage_of_the_list() -> None:
    def linkage(name: str, text: str) -> str:
        inner = f"<globallyUniqueCallLinkageID>{text}</globallyUniqueCallLinkageID>"
        return f"<{name}><globalCallData><globalCallLinkageID>{inner}</globalCallLinkageID></globalCallData></{name}>"

    both = linkage("newCallLinkageData", "AA") + linkage("oldCallLinkageData", "BB")
    answer = read(
        "<SingleStepConferenceCallResponse><conferencedCall><callID>B164</callID></conferencedCall>"
        f"<callLinkageDataList>{both}</callLinkageDataList></SingleStepConferenceCallResponse>",
        1,
    )
    assert answer.result == ConferenceJoined(ConnectionId(b"\xb1\x64"), model.Linkage(b"\xaa"))


def test_a_monitor_on_a_call_is_refused_with_the_reason() -> None:
    body = "<MonitorStart><monitorObject><callObject><callID>01</callID></callObject></monitorObject></MonitorStart>"
    assert "MonitorStart of a call, only devices are monitored" in read(body, 1).argument.reason
