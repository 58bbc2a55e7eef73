"""What is wrong with messages, STATUS, and what a lost data link does to calls: Q.931 5.8."""

import pytest

from osrec.isdn.link_messages import DataReceived, Established, UnitDataReceived
from osrec.isdn.messages import (
    AdoptCall,
    By,
    CallAdopted,
    CallRefused,
    CallReleased,
    ChannelTaken,
    ClearCall,
    EstablishLink,
    LinkDown,
    LinkUp,
    Output,
    Trouble,
    TurnedAway,
)
from osrec.isdn.profile import Profile, Protocol, Role
from osrec.isdn.settings import AccessConfig
from osrec.wire.q931.causes import CauseValue
from osrec.wire.q931.channel import ChannelIdentification, time_slot
from osrec.wire.q931.codec import compose, encode
from osrec.wire.q931.elements import CallState, CallStateValue, Cause
from osrec.wire.q931.facility import Facility
from osrec.wire.q931.messages import DUMMY, GLOBAL, CallReference
from osrec.wire.q931.registry import Element
from tests.unit.isdn_port import (
    NORMAL,
    OURS,
    SETUP,
    THEIRS,
    M,
    Port,
    active,
    kinds,
    manual,
    messages,
    news,
    only,
    placed,
    said,
)

UNKNOWN = CallReference(99)
BEARER, CHANNEL, CAUSE = 0x04, 0x18, 0x08  # identifiers


def status(value: int, cause: int = CauseValue.STATUS_ENQUIRY_RESPONSE) -> tuple[Element, ...]:
    return Cause(cause), CallState(value)


def raw(port: Port, kind: int, contents: bytes, of: CallReference = THEIRS) -> list[Output]:
    """A message with octets instead of elements."""
    head = encode(compose(M.SETUP, of))
    return port.does(DataReceived(head[:-1] + bytes([kind]) + contents))


def complaint(outputs: list[Output], kind: M) -> tuple[int, bytes]:
    cause = said(outputs, kind).first(Cause)
    assert cause is not None
    return cause.value, cause.diagnostics


# --- call references that no call has: 5.8.3.2


@pytest.mark.parametrize("kind", [M.ALERTING, M.CONNECT, M.CONNECT_ACKNOWLEDGE, M.CALL_PROCEEDING, M.INFORMATION])
def test_a_message_of_no_call_is_answered_with_cause_81(kind: M) -> None:
    answer = said(Port().hears(kind, of=UNKNOWN), M.RELEASE_COMPLETE)
    assert answer.first(Cause) == Cause(CauseValue.INVALID_CALL_REFERENCE)
    assert answer.reference == UNKNOWN.answered()


def test_a_release_of_no_call_is_completed_and_a_release_complete_is_the_end_of_it() -> None:
    assert kinds(Port().hears(M.RELEASE, NORMAL, of=UNKNOWN)) == [M.RELEASE_COMPLETE]
    assert kinds(Port().hears(M.DISCONNECT, NORMAL, of=UNKNOWN)) == [M.RELEASE_COMPLETE]
    assert Port().hears(M.RELEASE_COMPLETE, NORMAL, of=UNKNOWN) == []


def test_who_asks_for_a_call_that_is_none_hears_so() -> None:
    answer = said(Port().hears(M.STATUS_ENQUIRY, of=UNKNOWN), M.STATUS)
    assert answer.elements == (Cause(CauseValue.STATUS_ENQUIRY_RESPONSE), CallState(CallStateValue.NULL))


def test_who_believes_in_a_call_that_is_none_is_told_to_end_it() -> None:  # 5.8.11
    outputs = Port().hears(M.STATUS, *status(10), of=UNKNOWN)
    assert complaint(outputs, M.RELEASE_COMPLETE)[0] == CauseValue.MESSAGE_NOT_COMPATIBLE_WITH_STATE
    assert Port().hears(M.STATUS, *status(0), of=UNKNOWN) == []


def test_what_is_no_message_is_told_to_the_owner_and_to_nobody_else() -> None:  # 5.8.1 to 5.8.3.1
    for octets in (b"", b"\x08", b"\x09\x02\x00\x01\x05", b"\x08\x02\x00", b"\x08\x12\x00\x01\x05"):
        outputs = Port().does(DataReceived(octets))
        assert [type(output) for output in outputs] == [Trouble]


def test_services_without_a_call_are_passed_over() -> None:
    assert Port().hears(M.FACILITY, Facility(b""), of=DUMMY) == []


@pytest.mark.parametrize("up", [False, True])
def test_a_setup_in_a_ui_frame_is_no_call(up: bool) -> None:
    port = Port(up=up)
    setup = encode(compose(M.SETUP, THEIRS, *SETUP, time_slot(5)))
    assert [type(output) for output in port.does(UnitDataReceived(setup))] == [Trouble]
    assert not port.control.calls


# --- messages that are wrong: 5.8.4 to 5.8.7


def test_a_message_that_the_state_has_no_use_for_is_answered_with_cause_101() -> None:
    port = active()
    for kind in (M.ALERTING, M.CALL_PROCEEDING, M.CONNECT, M.SETUP_ACKNOWLEDGE, M.SUSPEND, M.HOLD):
        outputs = port.hears(kind)
        assert complaint(outputs, M.STATUS) == (CauseValue.MESSAGE_NOT_COMPATIBLE_WITH_STATE, bytes([kind]))
        assert said(outputs, M.STATUS).first(CallState) == CallState(CallStateValue.ACTIVE)
    assert port.state is CallStateValue.ACTIVE


def test_a_message_type_that_nobody_knows_is_answered_with_cause_97() -> None:
    port = active()
    assert complaint(raw(port, 0x3F, b""), M.STATUS) == (CauseValue.MESSAGE_TYPE_NOT_IMPLEMENTED, b"\x3f")
    assert port.state is CallStateValue.ACTIVE


@pytest.mark.parametrize(
    ("contents", "cause", "named"),
    [
        (b"", CauseValue.MANDATORY_ELEMENT_MISSING, [BEARER, CHANNEL]),
        (b"\x04\x03\x80\x90\xa3", CauseValue.MANDATORY_ELEMENT_MISSING, [CHANNEL]),
        (b"\x18\x03\xa9\x83\x85", CauseValue.MANDATORY_ELEMENT_MISSING, [BEARER]),
        (b"\x04\x00\x18\x03\xa9\x83\x85", CauseValue.MANDATORY_ELEMENT_MISSING, [BEARER]),
        (b"\x04\x01\x80\x18\x03\xa9\x83\x85", CauseValue.INVALID_ELEMENT_CONTENTS, [BEARER]),
        (b"\x04\x03\x80\x90\xa3\x18\x01\x29", CauseValue.INVALID_ELEMENT_CONTENTS, [CHANNEL]),
        (b"\x04\x03\x80\x90\xa3\x05\x00\x18\x03\xa9\x83\x85", CauseValue.MANDATORY_ELEMENT_MISSING, [0x05]),
    ],
)
def test_a_setup_that_lacks_what_it_must_say_is_refused(contents: bytes, cause: int, named: list[int]) -> None:
    port = Port()
    outputs = raw(port, M.SETUP, contents)
    assert complaint(outputs, M.RELEASE_COMPLETE) == (cause, bytes(named))
    assert only(outputs, TurnedAway).cause is cause
    assert port.control.calls == {}


def test_an_element_that_nobody_knows_is_passed_over() -> None:
    outputs = raw(Port(), M.SETUP, b"\x04\x03\x80\x90\xa3\x18\x03\xa9\x83\x85\x70\x00\x77\x01\x55")
    assert only(outputs, ChannelTaken).slot == 5
    assert len(news(outputs)) == 2
    assert any(isinstance(output, Trouble) for output in outputs)


@pytest.mark.parametrize("contents", [b"", b"\x08\x01\x80", b"\x08\x00"])
def test_a_disconnect_ends_the_call_whatever_is_wrong_with_it(contents: bytes) -> None:
    outputs = raw(active(), M.DISCONNECT, contents)
    broken = contents == b"\x08\x01\x80"
    cause = CauseValue.INVALID_ELEMENT_CONTENTS if broken else CauseValue.MANDATORY_ELEMENT_MISSING
    assert complaint(outputs, M.RELEASE) == (cause, bytes([CAUSE]))


def test_a_release_that_gives_no_reason_ends_the_call_with_cause_31() -> None:  # 5.8.6.1
    outputs = active().hears(M.RELEASE)
    assert complaint(outputs, M.RELEASE_COMPLETE)[0] == CauseValue.MANDATORY_ELEMENT_MISSING
    assert only(outputs, CallReleased).cause is CauseValue.NORMAL_UNSPECIFIED


def test_a_status_that_says_nothing_is_complained_of() -> None:
    port = active()
    outputs = raw(port, M.STATUS, b"\x08\x02\x80\x9e")
    assert complaint(outputs, M.STATUS)[0] == CauseValue.MANDATORY_ELEMENT_MISSING
    assert raw(port, M.STATUS, b"\x08\x02\x80\x9e\x14\x00") != []
    assert port.state is CallStateValue.ACTIVE


def test_a_long_list_of_unknown_elements_makes_a_short_answer() -> None:
    contents = b"\x04\x03\x80\x90\xa3\x18\x03\xa9\x83\x85" + b"".join(bytes([n, 0]) for n in range(1, 16)) * 8
    outputs = raw(Port(), M.SETUP, contents)
    assert len(complaint(outputs, M.RELEASE_COMPLETE)[1]) == 8
    assert len([output for output in outputs if isinstance(output, Trouble)]) == 1


# --- STATUS and STATUS ENQUIRY: 5.8.10, 5.8.11


def test_an_enquiry_is_answered_with_the_state() -> None:
    outputs = active().hears(M.STATUS_ENQUIRY)
    assert said(outputs, M.STATUS).elements == status(CallStateValue.ACTIVE)


def test_a_peer_that_knows_nothing_of_a_call_has_ended_it() -> None:
    port = active()
    outputs = port.hears(M.STATUS, *status(0))
    assert kinds(outputs) == []
    assert only(outputs, CallReleased).by is By.PEER
    assert port.control.channels.free(5)


@pytest.mark.parametrize("theirs", [1, 3, 4, 7, 9, 11, 12, 19])
def test_a_peer_in_another_state_of_an_active_call_loses_it(theirs: int) -> None:
    outputs = active().hears(M.STATUS, *status(theirs))
    assert complaint(outputs, M.DISCONNECT)[0] == CauseValue.MESSAGE_NOT_COMPATIBLE_WITH_STATE


@pytest.mark.parametrize("cause", [96, 97, 99, 100, 101])
def test_what_a_peer_complains_of_ends_no_call(cause: int) -> None:
    port = active()
    outputs = port.hears(M.STATUS, *status(10, cause))
    assert [type(output) for output in outputs] == [Trouble]
    assert port.state is CallStateValue.ACTIVE


def test_a_call_that_is_being_cleared_goes_on_being_cleared() -> None:
    port = active()
    port.does(ClearCall(1))
    assert port.hears(M.STATUS, *status(10)) == []
    assert port.state is CallStateValue.DISCONNECT_REQUEST
    assert only(port.hears(M.STATUS, *status(0)), CallReleased).by is By.US


@pytest.mark.parametrize(
    ("protocol", "ours", "theirs", "fits"),
    [
        (Protocol.DSS1, 3, 3, True),
        (Protocol.DSS1, 3, 4, True),
        (Protocol.DSS1, 3, 9, False),
        (Protocol.DSS1, 8, 10, True),
        (Protocol.DSS1, 10, 8, True),
        (Protocol.DSS1, 10, 7, False),
        (Protocol.DSS1, 7, 10, False),
        (Protocol.DSS1, 4, 0, False),
        (Protocol.DSS1, 10, 12, False),
        (Protocol.DSS1, 11, 10, True),
        (Protocol.DSS1, 19, 12, True),
        (Protocol.QSIG, 3, 9, True),
        (Protocol.QSIG, 9, 3, True),
        (Protocol.QSIG, 4, 7, True),
        (Protocol.QSIG, 3, 4, False),
        (Protocol.QSIG, 10, 10, True),
    ],
)
def test_states_fit_by_what_each_side_calls_them(protocol: Protocol, ours: int, theirs: int, fits: bool) -> None:
    for role in Role:
        assert Profile(protocol, role).fits(ours, theirs) is fits


# --- the data link: 5.8.8, 5.8.9


@pytest.mark.parametrize("role", Role)
def test_an_active_call_outlives_the_data_link_for_t309(role: Role) -> None:
    config = AccessConfig(role=role)
    port = active(config)
    port.now = 100.0
    assert [type(output) for output in port.loses_link()] == [LinkDown]
    assert port.expires(101.0) == [EstablishLink()]
    outputs = port.expires(190.0)
    assert only(outputs, CallReleased) == CallReleased(
        1, 5, CauseValue.DESTINATION_OUT_OF_ORDER, config.location, By.LINK
    )
    assert kinds(outputs) == []
    outputs = port.does(Established(confirm=True))  # the peer may take the channel for busy still
    assert said(outputs, M.RESTART).first(ChannelIdentification) == time_slot(5)


@pytest.mark.parametrize("role", Role)
def test_a_link_that_comes_back_in_time_is_used_to_ask_for_the_call(role: Role) -> None:
    port = active(AccessConfig(role=role))
    port.loses_link()
    port.now = 20.0
    outputs = port.does(Established(confirm=True))
    assert news(outputs) == [LinkUp()]
    assert kinds(outputs) == [M.STATUS_ENQUIRY]
    assert port.hears(M.STATUS, *status(10)) == []
    assert port.state is CallStateValue.ACTIVE
    assert port.control.deadline is None


def test_a_link_that_is_lost_again_does_not_give_a_call_more_time() -> None:
    port = active(AccessConfig(timers={"T309": 10.0}))
    port.loses_link()
    port.now = 5.0
    port.loses_link()
    port.expires(6.0)
    assert only(port.expires(10.0), CallReleased).by is By.LINK


def test_an_enquiry_that_nobody_answers_ends_the_call() -> None:  # T322
    port = active()
    port.does(Established(confirm=False))
    assert kinds(port.expires(4.0)) == [M.STATUS_ENQUIRY]
    assert complaint(port.expires(8.0), M.DISCONNECT)[0] == CauseValue.TEMPORARY_FAILURE


def test_calls_that_are_not_active_end_with_the_data_link() -> None:
    for port in (manual(), Port(), placed()):
        if not port.control.calls:
            port.called()
        released = only(port.loses_link(), CallReleased)
        assert (released.cause, released.by) == (CauseValue.DESTINATION_OUT_OF_ORDER, By.LINK)
        assert port.control.calls == {}


def test_the_channel_of_a_call_that_ended_with_the_link_is_restarted_once_that_is_back() -> None:
    for config, restarts in ((AccessConfig(), [M.RESTART]), (AccessConfig(restart_lost=False), [])):
        port = Port(config)
        port.called(5)
        assert kinds(port.loses_link()) == []
        assert kinds(port.does(Established(confirm=True))) == restarts
        assert port.control.channels.free(5) is not bool(restarts)


def test_a_call_that_is_being_cleared_ends_with_the_data_link_as_it_began_to() -> None:
    port = active()
    port.hears(M.DISCONNECT, NORMAL)
    assert only(port.loses_link(), CallReleased).by is By.PEER


@pytest.mark.parametrize("role", Role)
def test_a_reset_of_the_link_asks_for_calls_and_clears_those_that_dial(role: Role) -> None:  # 5.8.8
    port = manual(role=role)
    port.called()
    assert kinds(port.does(Established(confirm=False))) == [M.STATUS_ENQUIRY]
    port = placed(AccessConfig(role=role))
    assert kinds(port.does(Established(confirm=False))) == []  # T303 repeats the SETUP
    port.hears(M.SETUP_ACKNOWLEDGE, time_slot(9), of=OURS)
    outputs = port.does(Established(confirm=False))
    assert complaint(outputs, M.DISCONNECT)[0] == CauseValue.TEMPORARY_FAILURE
    assert kinds(port.does(Established(confirm=False))) == []
    port = Port(AccessConfig(role=role, overlap=4))
    port.hears(M.SETUP, *SETUP[:1], time_slot(5))
    outputs = port.does(Established(confirm=False))
    assert complaint(outputs, M.DISCONNECT)[0] == CauseValue.TEMPORARY_FAILURE


def test_the_link_is_asked_for_as_long_as_it_is_away() -> None:
    port = Port(up=False)
    assert port.control.deadline is None
    for second in range(1, 5):
        assert news(port.loses_link()) == []
        assert port.expires(float(second)) == [EstablishLink()]
    assert news(port.does(Established(confirm=False))) == [LinkUp()]
    assert port.control.deadline is None


def test_a_call_is_turned_away_or_taken_but_never_both() -> None:
    outputs = Port().hears(M.SETUP, *SETUP, time_slot(16))
    assert [type(output) for output in news(outputs)] == [TurnedAway]
    assert len(messages(outputs)) == 1


def test_a_message_for_all_calls_that_is_none_of_restart_is_answered_with_cause_81() -> None:  # 5.8.3.2 f)
    outputs = Port().hears(M.CONNECT, of=GLOBAL)
    assert complaint(outputs, M.STATUS)[0] == CauseValue.INVALID_CALL_REFERENCE
    assert said(outputs, M.STATUS).reference == GLOBAL.answered()


@pytest.mark.parametrize(
    ("adopted", "why"),
    [
        (AdoptCall("late", 5, (9,)), "another call has the reference"),
        (AdoptCall("late", 6, (5,)), "another call is on slot 5"),
        (AdoptCall("late", 6, (9, 5)), "another call is on slot 5"),
        (AdoptCall("late", 6, (16,)), "slot 16 is none of the slots of this access"),
        (AdoptCall("late", 0, (9,)), "a reference is 1..32767"),
        (AdoptCall("late", 0x8000, (9,)), "a reference is 1..32767"),
    ],
)
def test_a_call_of_an_earlier_run_whose_place_is_taken_or_cannot_be_is_not_taken_up(
    adopted: AdoptCall, why: str
) -> None:
    port = active()
    outputs = port.does(adopted)
    assert only(outputs, CallRefused) == CallRefused("late", CauseValue.REQUESTED_CHANNEL_NOT_AVAILABLE)
    assert why in only(outputs, Trouble).text
    assert port.state is CallStateValue.ACTIVE  # the call that there is
    assert port.control.channels.free(9)


def test_the_same_reference_chosen_by_either_side_is_two_calls() -> None:
    port = placed()
    assert only(port.does(AdoptCall("kept", 1, (5,))), CallAdopted).token == "kept"
    assert len(port.control.calls) == 2
