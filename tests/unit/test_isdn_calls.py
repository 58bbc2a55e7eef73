"""Calls as scripts: set up by either side, channels agreed on, ended, in the terms of Q.931 and ECMA-143."""

from itertools import product
from typing import Any

import pytest

from osrec.errors import UsageError
from osrec.isdn.call import NETWORK, USER, States
from osrec.isdn.call_table import KEYS, TABLES, LinkNews
from osrec.isdn.messages import (
    Alert,
    Alerting,
    AnswerCall,
    BlockSlots,
    By,
    CallRefused,
    CallReleased,
    CallStarted,
    ChannelTaken,
    ClearCall,
    Clearing,
    Connected,
    PlaceCall,
    Proceed,
    TurnedAway,
)
from osrec.isdn.profile import Protocol, Role
from osrec.isdn.settings import AccessConfig, Answering
from osrec.isdn.timers import Timer
from osrec.wire.q931.bearer import SPEECH_A_LAW, BearerCapability, TransferCapability
from osrec.wire.q931.causes import CauseValue, Location
from osrec.wire.q931.channel import ANY_CHANNEL, ChannelIdentification, ChannelType, Selection, time_slot
from osrec.wire.q931.elements import (
    CallStateValue,
    Cause,
    KeypadFacility,
    NotificationIndicator,
    ProgressIndicator,
    SendingComplete,
)
from osrec.wire.q931.facility import Facility
from osrec.wire.q931.messages import CallReference, MessageType
from osrec.wire.q931.numbers import CalledPartyNumber, CallingPartyNumber, NumberingPlan
from tests.unit.isdn_port import (
    NORMAL,
    OURS,
    PLACE,
    SETUP,
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

PROFILES = list(product(Protocol, Role))
AS_NETWORK = (Protocol.DSS1, Role.NETWORK)


# --- the tables


@pytest.mark.parametrize("states", [USER, NETWORK])
def test_every_state_says_what_it_makes_of_every_event(states: States) -> None:
    own = {getattr(states, name) for name in States.__dataclass_fields__} - {None}
    expected = own | {CallStateValue.ACTIVE, CallStateValue.RELEASE_REQUEST}
    assert {state for state, _ in TABLES[states]} == expected
    assert set(TABLES[states]) == {(state, key) for state in expected for key in KEYS}
    assert {*MessageType, *Timer, *LinkNews, Proceed, Alert, AnswerCall, ClearCall} <= set(KEYS)


# --- calls of the peer


@pytest.mark.parametrize("protocol", Protocol)
def test_a_users_port_answers_at_once_and_waits_for_the_acknowledgement(protocol: Protocol) -> None:
    port = Port(AccessConfig(protocol, Role.USER))
    outputs = port.called(5)
    first = [M.CALL_PROCEEDING] if protocol is Protocol.QSIG else []
    assert kinds(outputs) == [*first, M.CONNECT]
    taken = only(outputs, ChannelTaken)
    assert (taken.slot, taken.calling, taken.called, taken.incoming) == (5, "0815", "4711", True)
    assert messages(outputs)[0].first(ChannelIdentification) == time_slot(5)
    assert {message.reference for message in messages(outputs)} == {CallReference(5, to_origin=True)}
    assert port.state == 8
    assert news(port.hears(M.CONNECT_ACKNOWLEDGE)) == [Connected(taken.call, 5)]
    assert port.state == CallStateValue.ACTIVE
    assert port.control.deadline is None


def test_a_network_is_through_with_a_call_that_it_connects() -> None:
    port = Port(AccessConfig(*AS_NETWORK))
    outputs = port.called(5)
    assert kinds(outputs) == [M.CALL_PROCEEDING, M.CONNECT]
    assert messages(outputs)[1].first(ChannelIdentification) is None  # the first response said it
    assert only(outputs, Connected).slot == 5
    assert port.hears(M.CONNECT_ACKNOWLEDGE) == []


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(("ring", "answers"), [(0.0, [M.ALERTING, M.CONNECT]), (3.0, [M.ALERTING])])
def test_a_port_may_ring_before_it_answers(ring: float, answers: list[M], role: Role) -> None:
    port = Port(AccessConfig(role=role, answering=Answering.ALERT, ring=ring, proceeding=False))
    assert kinds(port.called()) == answers
    if ring:
        assert port.state == (7 if role is Role.USER else 4)
        assert kinds(port.expires(3.0)) == [M.CONNECT]


@pytest.mark.parametrize(("protocol", "role"), PROFILES)
def test_the_owner_may_answer_step_by_step(protocol: Protocol, role: Role) -> None:
    port = Port(AccessConfig(protocol, role, answering=Answering.MANUAL, proceeding=False))
    call = only(port.called(), ChannelTaken).call
    network = (protocol, role) == AS_NETWORK
    assert port.state is (CallStateValue.CALL_INITIATED if network else CallStateValue.CALL_PRESENT)
    assert kinds(port.does(Proceed(call))) == [M.CALL_PROCEEDING]
    assert port.state == (3 if network else 9)
    assert kinds(port.does(Alert(call))) == [M.ALERTING]
    assert port.state == (4 if network else 7)
    assert kinds(port.does(AnswerCall(call))) == [M.CONNECT]
    assert port.state == (10 if network else 8)


@pytest.mark.parametrize("proceeding", [False, True])
@pytest.mark.parametrize(("protocol", "role"), PROFILES)
def test_the_owner_may_answer_a_call_that_does_not_ring(protocol: Protocol, role: Role, proceeding: bool) -> None:
    port = Port(AccessConfig(protocol, role, answering=Answering.MANUAL, proceeding=proceeding))
    outputs = port.called()
    assert kinds(outputs) == ([M.CALL_PROCEEDING] if proceeding else [])
    assert kinds(port.does(AnswerCall(only(outputs, ChannelTaken).call))) == [M.CONNECT]


@pytest.mark.parametrize(("role", "state"), [(Role.USER, 7), (Role.NETWORK, 4)])
def test_the_owner_may_let_a_call_ring_at_once(role: Role, state: int) -> None:
    port = Port(AccessConfig(role=role, answering=Answering.MANUAL, proceeding=False))
    call = only(port.called(), ChannelTaken).call
    assert said(port.does(Alert(call)), M.ALERTING).first(ChannelIdentification) == time_slot(5)
    assert port.state == state


def test_a_request_that_the_state_does_not_allow_is_a_mistake_of_the_owner() -> None:
    port = manual()
    call = only(port.called(), ChannelTaken).call
    port.does(AnswerCall(call))
    for request in (Proceed(call), Alert(call), AnswerCall(call)):
        with pytest.raises(UsageError, match=f"{type(request).__name__} of call 1 in state CONNECT_REQUEST"):
            port.does(request)


def test_a_request_for_a_call_that_has_just_ended_is_none() -> None:
    port = manual()
    call = only(port.called(), ChannelTaken).call
    port.hears(M.DISCONNECT, NORMAL)
    assert port.does(AnswerCall(call)) == []
    port.hears(M.RELEASE_COMPLETE)
    assert port.does(AnswerCall(call)) == []
    assert port.does(ClearCall(call)) == []


def test_a_connect_that_nobody_acknowledges_ends_the_call() -> None:  # T313
    port = Port()
    port.called()
    outputs = port.expires(4.0)
    assert said(outputs, M.DISCONNECT).first(Cause) == Cause(CauseValue.RECOVERY_ON_TIMER_EXPIRY)
    assert only(outputs, Clearing).by is By.PROTOCOL


@pytest.mark.parametrize("role", Role)
def test_a_call_is_turned_away_before_any_response(role: Role) -> None:  # 5.3.2 a)
    config = AccessConfig(role=role, answering=Answering.MANUAL, proceeding=False)
    port = Port(config)
    call = only(port.called(), ChannelTaken).call
    outputs = port.does(ClearCall(call, CauseValue.CALL_REJECTED))
    assert kinds(outputs) == [M.RELEASE_COMPLETE]
    assert only(outputs, CallReleased) == CallReleased(call, 5, CauseValue.CALL_REJECTED, config.location, By.US)
    assert port.control.channels.free(5)


def test_a_setup_that_comes_twice_makes_one_call() -> None:  # 5.8.3.2 e)
    port = Port()
    port.called()
    assert port.called() == []
    assert port.state == CallStateValue.CONNECT_REQUEST


def test_digits_that_come_late_and_news_on_the_way_change_nothing() -> None:
    port = manual()
    port.called()
    for kind, element in (
        (M.INFORMATION, CalledPartyNumber("12")),
        (M.PROGRESS, ProgressIndicator(8)),
        (M.NOTIFY, NotificationIndicator(0)),
        (M.FACILITY, Facility(b"")),
    ):
        assert port.hears(kind, element) == []
    assert port.state == CallStateValue.CALL_PRESENT


# --- numbers that come digit by digit


OVERLAP = AccessConfig(overlap=4)
NO_NUMBER = (SPEECH_A_LAW, time_slot(5))


@pytest.mark.parametrize(("protocol", "role"), PROFILES)
def test_a_number_may_come_digit_by_digit(protocol: Protocol, role: Role) -> None:
    port = Port(AccessConfig(protocol, role, overlap=4))
    outputs = port.hears(M.SETUP, *NO_NUMBER, CalledPartyNumber("47"))
    assert said(outputs, M.SETUP_ACKNOWLEDGE).first(ChannelIdentification) == time_slot(5)
    assert news(outputs) == []
    assert port.state == (2 if (protocol, role) == AS_NETWORK else 25)
    port.now = 10.0
    assert port.hears(M.INFORMATION, CalledPartyNumber("1")) == []
    outputs = port.hears(M.INFORMATION, KeypadFacility("1"))
    assert only(outputs, ChannelTaken).called == "4711"
    assert M.CONNECT in kinds(outputs)


def test_a_number_that_is_said_to_be_complete_is_waited_for_no_longer() -> None:
    assert M.CONNECT in kinds(Port(OVERLAP).hears(M.SETUP, *NO_NUMBER, CalledPartyNumber("4"), SendingComplete()))
    assert M.CONNECT in kinds(Port(OVERLAP).hears(M.SETUP, *NO_NUMBER, CalledPartyNumber("4711")))
    port = Port(OVERLAP)
    port.hears(M.SETUP, *NO_NUMBER)
    assert only(port.hears(M.INFORMATION, CalledPartyNumber("4"), SendingComplete()), ChannelTaken).called == "4"


@pytest.mark.parametrize(("role", "t302"), [(Role.USER, 15.0), (Role.NETWORK, 12.0)])
def test_digits_that_stay_away_are_done_without(role: Role, t302: float) -> None:
    config = AccessConfig(role=role, overlap=4)
    port = Port(config)
    port.hears(M.SETUP, *NO_NUMBER, CalledPartyNumber("4"))
    port.now = 5.0
    port.hears(M.INFORMATION, CalledPartyNumber("7"))
    assert only(port.expires(5.0 + t302), ChannelTaken).called == "47"
    port = Port(config)
    port.hears(M.SETUP, *NO_NUMBER)
    outputs = port.expires(t302)
    assert said(outputs, M.DISCONNECT).first(Cause) == Cause(CauseValue.INVALID_NUMBER_FORMAT, config.location)
    assert news(outputs) == []  # nobody was told of it


def test_a_call_that_ends_before_its_number_is_known_is_nobodys_business() -> None:
    port = Port(OVERLAP)
    port.hears(M.SETUP, *NO_NUMBER)
    outputs = port.hears(M.DISCONNECT, NORMAL) + port.hears(M.RELEASE_COMPLETE)
    assert kinds(outputs) == [M.RELEASE]
    assert news(outputs) == []
    assert port.control.channels.free(5)


# --- which channel: 5.1.2, 5.2.3


SLOT_5_IS_TAKEN = CallReference(77)


@pytest.mark.parametrize(
    ("asked", "result"),
    [
        (time_slot(6), 6),
        (time_slot(6, exclusive=False), 6),
        (time_slot(5), CauseValue.REQUESTED_CHANNEL_NOT_AVAILABLE),
        (time_slot(5, exclusive=False), 1),
        (ANY_CHANNEL, 1),
        (time_slot(16), CauseValue.CHANNEL_DOES_NOT_EXIST),
        (time_slot(16, exclusive=False), 1),
        (ChannelIdentification(selection=Selection.NONE), CauseValue.NO_CHANNEL_AVAILABLE),
        (ChannelIdentification(selection=Selection.NONE, d_channel=True), CauseValue.SERVICE_NOT_IMPLEMENTED),
        (ChannelIdentification((6, 7)), CauseValue.CHANNEL_TYPE_NOT_IMPLEMENTED),
        (ChannelIdentification((6,), channel_type=ChannelType.H0), CauseValue.CHANNEL_TYPE_NOT_IMPLEMENTED),
        (ChannelIdentification((7,), map_octets=4), 7),
        (ChannelIdentification((5,), map_octets=3, exclusive=False), 1),
    ],
)
@pytest.mark.parametrize(("protocol", "role"), PROFILES)
def test_a_call_gets_the_channel_it_asks_for_or_another_or_none(
    protocol: Protocol, role: Role, asked: ChannelIdentification, result: int
) -> None:
    port = Port(AccessConfig(protocol, role))
    port.hears(M.SETUP, *SETUP, time_slot(5), of=SLOT_5_IS_TAKEN)
    outputs = port.hears(M.SETUP, *SETUP, asked)
    if isinstance(result, CauseValue):
        refusal = said(outputs, M.RELEASE_COMPLETE).first(Cause)
        assert refusal is not None
        assert refusal.value is result
        assert only(outputs, TurnedAway) == TurnedAway(result, "0815", "4711")
        assert len(port.control.calls) == 1
        return
    free = 31 if result == 1 and role is Role.NETWORK else result  # the two search from opposite ends
    assert only(outputs, ChannelTaken).slot == free
    answer = asked if asked.map_octets == 4 else time_slot(free)  # as a map where it was asked for as one
    assert messages(outputs)[0].first(ChannelIdentification) == answer


BOTH_SIDES = AccessConfig(most_slots=2)


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (ChannelIdentification((7, 6)), ChannelIdentification((7, 6))),
        (ChannelIdentification((7, 6), exclusive=False), ChannelIdentification((7, 6))),
        (ChannelIdentification((6, 7), map_octets=4), ChannelIdentification((6, 7), map_octets=4)),
        (ChannelIdentification((5, 6), exclusive=False), ChannelIdentification((1, 2))),
        (ChannelIdentification((5, 6)), CauseValue.REQUESTED_CHANNEL_NOT_AVAILABLE),
        (ChannelIdentification((6, 16)), CauseValue.CHANNEL_DOES_NOT_EXIST),
        (ChannelIdentification((6, 6)), CauseValue.CHANNEL_TYPE_NOT_IMPLEMENTED),
        (ChannelIdentification((6, 7, 8)), CauseValue.CHANNEL_TYPE_NOT_IMPLEMENTED),
    ],
)
def test_both_sides_of_a_conversation_may_come_in_one_call(
    asked: ChannelIdentification, answer: ChannelIdentification | CauseValue
) -> None:
    port = Port(BOTH_SIDES)
    port.hears(M.SETUP, *SETUP, time_slot(5), of=SLOT_5_IS_TAKEN)
    outputs = port.hears(M.SETUP, *SETUP, asked)
    if isinstance(answer, CauseValue):
        assert only(outputs, TurnedAway).cause is answer
        return
    assert said(outputs, M.CONNECT).first(ChannelIdentification) == answer
    taken = only(outputs, ChannelTaken)
    assert (taken.slot, *taken.also) == answer.channels
    port.hears(M.CONNECT_ACKNOWLEDGE)
    outputs = port.hears(M.DISCONNECT, NORMAL) + port.hears(M.RELEASE_COMPLETE)
    assert only(outputs, CallReleased).slot == taken.slot
    assert all(port.control.channels.free(slot) for slot in answer.channels)


def test_a_preferred_slot_that_is_taken_here_is_not_offered() -> None:
    port = Port()
    port.called(9)
    setup = said(port.does(PREFERRED), M.SETUP)
    assert setup.first(ChannelIdentification) == time_slot(1, exclusive=False)


def test_a_user_yields_each_slot_of_a_call_for_two() -> None:
    port = placed(BOTH_SIDES, PREFERRED)
    outputs = port.hears(M.SETUP, *SETUP, ChannelIdentification((8, 9)))
    assert (only(outputs, ChannelTaken).slot, only(outputs, ChannelTaken).also) == (8, (9,))


def test_when_all_slots_are_taken_a_call_is_refused() -> None:
    port = Port(AccessConfig(slots=(1, 2)))
    port.hears(M.SETUP, *SETUP, ANY_CHANNEL, of=CallReference(1))
    port.hears(M.SETUP, *SETUP, ANY_CHANNEL, of=CallReference(2))
    outputs = port.hears(M.SETUP, *SETUP, ANY_CHANNEL, of=CallReference(3))
    assert only(outputs, TurnedAway).cause is CauseValue.NO_CHANNEL_AVAILABLE
    outputs = port.hears(M.SETUP, *SETUP, time_slot(1, exclusive=False), of=CallReference(4))
    assert only(outputs, TurnedAway).cause is CauseValue.NO_CHANNEL_AVAILABLE


def test_a_blocked_slot_takes_no_call_until_it_is_free_again() -> None:
    port = Port()
    port.does(BlockSlots(frozenset({5})))
    assert only(port.called(5), TurnedAway).cause is CauseValue.REQUESTED_CHANNEL_NOT_AVAILABLE
    port.does(BlockSlots(frozenset()))
    assert only(port.called(5), ChannelTaken).slot == 5


def test_a_user_may_leave_the_channel_to_the_network() -> None:
    outputs = Port(AccessConfig(*AS_NETWORK)).hears(M.SETUP, *SETUP)
    assert only(outputs, ChannelTaken).slot == 31


def test_a_call_that_is_nothing_to_record_is_refused() -> None:
    video = BearerCapability(TransferCapability.VIDEO)
    outputs = Port().hears(M.SETUP, video, time_slot(5))
    assert only(outputs, TurnedAway).cause is CauseValue.BEARER_NOT_IMPLEMENTED
    assert kinds(outputs) == [M.RELEASE_COMPLETE]


# --- calls of ours


@pytest.mark.parametrize(("protocol", "role"), PROFILES)
def test_a_call_of_ours_goes_through_its_states(protocol: Protocol, role: Role) -> None:
    network = (protocol, role) == AS_NETWORK
    port = Port(AccessConfig(protocol, role))
    outputs = port.does(PLACE)
    started = only(outputs, CallStarted)
    assert (started.token, started.reference) == ("token", CallReference(1))
    setup = said(outputs, M.SETUP)
    plan = NumberingPlan.UNKNOWN if protocol is Protocol.QSIG else NumberingPlan.ISDN
    assert setup.first(CalledPartyNumber) == CalledPartyNumber("123", npi=plan)
    assert setup.first(CallingPartyNumber) == CallingPartyNumber("456", npi=plan)
    assert (setup.first(ChannelIdentification), setup.first(BearerCapability)) == (time_slot(9), SPEECH_A_LAW)
    assert port.state == (6 if network else 1)
    assert only(port.hears(M.CALL_PROCEEDING, time_slot(9), of=OURS), ChannelTaken).incoming is False
    assert port.state == (9 if network else 3)
    assert news(port.hears(M.ALERTING, of=OURS)) == [Alerting(started.call)]
    assert port.state == (7 if network else 4)
    outputs = port.hears(M.CONNECT, of=OURS)
    assert kinds(outputs) == [M.CONNECT_ACKNOWLEDGE]
    assert news(outputs) == [Connected(started.call, 9)]
    assert port.state == CallStateValue.ACTIVE
    assert port.control.deadline is None


@pytest.mark.parametrize("role", Role)
def test_a_setup_without_answer_is_sent_once_more(role: Role) -> None:  # T303
    config = AccessConfig(role=role)
    port = placed(config)
    assert kinds(port.expires(4.0)) == [M.SETUP]
    outputs = port.expires(8.0)
    expected = Cause(CauseValue.RECOVERY_ON_TIMER_EXPIRY, config.location)
    assert said(outputs, M.RELEASE_COMPLETE).first(Cause) == expected
    assert only(outputs, CallReleased).cause is CauseValue.NO_USER_RESPONDING
    assert port.control.channels.free(9)


@pytest.mark.parametrize(
    ("config", "answer", "due", "cause"),
    [
        (AccessConfig(), M.SETUP_ACKNOWLEDGE, 30.0, CauseValue.INVALID_NUMBER_FORMAT),  # T304
        (AccessConfig(*AS_NETWORK), M.SETUP_ACKNOWLEDGE, 20.0, CauseValue.INVALID_NUMBER_FORMAT),
        (AccessConfig(), M.CALL_PROCEEDING, 30.0, CauseValue.RECOVERY_ON_TIMER_EXPIRY),  # T310
        (AccessConfig(*AS_NETWORK), M.CALL_PROCEEDING, 10.0, CauseValue.RECOVERY_ON_TIMER_EXPIRY),
        (AccessConfig(timers={"T310": 3.0}), M.CALL_PROCEEDING, 3.0, CauseValue.RECOVERY_ON_TIMER_EXPIRY),
        (AccessConfig(Protocol.QSIG, Role.NETWORK), M.CALL_PROCEEDING, 30.0, CauseValue.RECOVERY_ON_TIMER_EXPIRY),
        (AccessConfig(Protocol.QSIG), M.SETUP_ACKNOWLEDGE, 20.0, CauseValue.INVALID_NUMBER_FORMAT),
        (AccessConfig(*AS_NETWORK), M.ALERTING, 180.0, CauseValue.RECOVERY_ON_TIMER_EXPIRY),
        (AccessConfig(), M.ALERTING, 180.0, CauseValue.RECOVERY_ON_TIMER_EXPIRY),  # T301
    ],
)
def test_a_peer_that_gets_no_further_loses_the_call(config: AccessConfig, answer: M, due: float, cause: int) -> None:
    port = placed(config)
    port.hears(answer, time_slot(9), of=OURS)
    assert said(port.expires(due), M.DISCONNECT).first(Cause) == Cause(cause, config.location)


@pytest.mark.parametrize("role", Role)
def test_a_peer_may_ring_at_once(role: Role) -> None:
    port = placed(AccessConfig(role=role))
    assert only(port.hears(M.ALERTING, time_slot(9), of=OURS), Alerting).call == 1
    assert port.control.deadline == 180.0


@pytest.mark.parametrize("role", Role)
def test_a_peer_may_answer_without_ringing(role: Role) -> None:
    port = placed(AccessConfig(role=role))
    port.hears(M.CALL_PROCEEDING, time_slot(9), of=OURS)
    assert only(port.hears(M.CONNECT, of=OURS), Connected).slot == 9


@pytest.mark.parametrize("role", Role)
def test_progress_gives_a_call_all_the_time_it_needs(role: Role) -> None:
    port = placed(AccessConfig(role=role))
    port.hears(M.CALL_PROCEEDING, time_slot(9), of=OURS)
    port.hears(M.PROGRESS, ProgressIndicator(8), of=OURS)
    assert port.control.deadline is None
    assert port.state == (3 if role is Role.USER else 9)


@pytest.mark.parametrize(
    ("role", "kind", "state"),
    [
        (Role.USER, M.CALL_PROCEEDING, 3),
        (Role.USER, M.ALERTING, 4),
        (Role.USER, M.CONNECT, 10),
        (Role.NETWORK, M.CALL_PROCEEDING, 9),
        (Role.NETWORK, M.ALERTING, 7),
        (Role.NETWORK, M.CONNECT, 10),
    ],
)
def test_a_peer_that_wants_digits_may_go_on_without_them(role: Role, kind: M, state: int) -> None:
    port = placed(AccessConfig(role=role))
    port.hears(M.SETUP_ACKNOWLEDGE, time_slot(9), of=OURS)
    assert port.state == (25 if role is Role.NETWORK else 2)
    port.hears(kind, of=OURS)
    assert port.state == state


ANY_PLACE = PlaceCall("token", "123")
PREFERRED = PlaceCall("token", "123", slot=9)


@pytest.mark.parametrize(
    ("place", "answer", "result"),
    [
        (PLACE, None, 9),
        (PLACE, time_slot(9), 9),
        (PLACE, time_slot(10), CauseValue.CHANNEL_UNACCEPTABLE),
        (PREFERRED, time_slot(10), 10),
        (PREFERRED, None, 9),
        (PREFERRED, time_slot(16), CauseValue.CHANNEL_UNACCEPTABLE),
        (PREFERRED, ChannelIdentification((10, 11)), CauseValue.CHANNEL_UNACCEPTABLE),
        (ANY_PLACE, time_slot(10), 10),
    ],
)
@pytest.mark.parametrize("kind", [M.CALL_PROCEEDING, M.ALERTING, M.CONNECT, M.SETUP_ACKNOWLEDGE])
def test_the_first_answer_settles_the_channel(
    kind: M, place: PlaceCall, answer: ChannelIdentification | None, result: int
) -> None:
    port = placed(place=place)
    outputs = port.hears(kind, *(() if answer is None else (answer,)), of=OURS)
    if isinstance(result, CauseValue):
        assert said(outputs, M.RELEASE).first(Cause) == Cause(result)
        assert port.state == CallStateValue.RELEASE_REQUEST
        assert port.hears(kind, time_slot(9), of=OURS) == []  # it crossed our RELEASE
    else:
        assert only(outputs, ChannelTaken).slot == result
        assert [slot for slot in range(1, 32) if port.control.channels.holder(slot)] == [result]


def test_a_call_that_cannot_be_placed_is_refused_with_the_reason() -> None:
    assert Port(up=False).does(PLACE) == [CallRefused("token", CauseValue.DESTINATION_OUT_OF_ORDER)]
    port = Port(AccessConfig(slots=(9,)))
    port.called(9)
    assert port.does(PLACE) == [CallRefused("token", CauseValue.REQUESTED_CHANNEL_NOT_AVAILABLE)]
    assert port.does(ANY_PLACE) == [CallRefused("token", CauseValue.NO_CHANNEL_AVAILABLE)]


@pytest.mark.parametrize(("called", "text"), [("12\u20ac", "no octet for"), ("1" * 254, "N201 is 260")])
def test_a_number_that_cannot_be_said_is_a_mistake_of_the_owner(called: str, text: str) -> None:
    port = Port()
    with pytest.raises(UsageError, match=text):
        port.does(PlaceCall("token", called))
    assert port.control.calls == {}
    assert port.control.channels.free(1)


def test_call_references_are_used_in_turn() -> None:
    port = Port()
    first = only(port.does(PLACE), CallStarted)
    port.hears(M.RELEASE_COMPLETE, NORMAL, of=OURS)
    second = only(port.does(PLACE), CallStarted)
    assert (first.reference.value, second.reference.value) == (1, 2)
    assert first.call != second.call


# --- glare: 5.7


def test_in_a_glare_a_user_yields_the_slot_to_the_networks_call() -> None:
    port = placed(place=PREFERRED)
    outputs = port.called(9)
    assert only(outputs, ChannelTaken).slot == 9
    assert M.CONNECT in kinds(outputs)
    outputs = port.hears(M.CALL_PROCEEDING, time_slot(10), of=OURS)
    assert only(outputs, ChannelTaken).slot == 10
    assert len(port.control.calls) == 2


def test_in_a_glare_a_call_that_would_have_no_other_slot_is_refused() -> None:
    port = placed()
    port.called(9)
    outputs = port.hears(M.RELEASE_COMPLETE, Cause(CauseValue.REQUESTED_CHANNEL_NOT_AVAILABLE), of=OURS)
    assert only(outputs, CallReleased).slot is None
    assert port.control.channels.holder(9) is not None


def test_in_a_glare_a_slot_is_not_given_to_both() -> None:
    port = placed(place=PREFERRED)
    port.called(9)
    outputs = port.hears(M.CALL_PROCEEDING, time_slot(9), of=OURS)
    assert said(outputs, M.RELEASE).first(Cause) == Cause(CauseValue.CHANNEL_UNACCEPTABLE)
    port = placed(place=PREFERRED)
    port.called(9)
    outputs = port.hears(M.CALL_PROCEEDING, of=OURS)
    assert said(outputs, M.RELEASE).first(Cause) == Cause(CauseValue.MANDATORY_ELEMENT_MISSING)


@pytest.mark.parametrize("protocol", Protocol)
def test_in_a_glare_the_call_of_a_network_or_master_keeps_its_slot(protocol: Protocol) -> None:
    port = placed(AccessConfig(protocol, Role.NETWORK), PREFERRED)
    assert only(port.called(9), TurnedAway).cause is CauseValue.REQUESTED_CHANNEL_NOT_AVAILABLE
    assert only(port.called(9, exclusive=False), ChannelTaken).slot != 9
    assert only(port.hears(M.CONNECT, time_slot(9), of=OURS), Connected).slot == 9


# --- the end: 5.3


@pytest.mark.parametrize(("protocol", "role"), PROFILES)
def test_the_peer_ends_a_call(protocol: Protocol, role: Role) -> None:
    port = active(AccessConfig(protocol, role))
    outputs = port.hears(M.DISCONNECT, Cause(CauseValue.USER_BUSY))
    assert kinds(outputs) == [M.RELEASE]
    assert news(outputs) == [Clearing(1, CauseValue.USER_BUSY, By.PEER)]
    assert not port.control.channels.free(5)
    released = only(port.hears(M.RELEASE_COMPLETE), CallReleased)
    assert released == CallReleased(1, 5, CauseValue.USER_BUSY, Location.USER, By.PEER)
    assert port.control.channels.free(5)
    assert port.control.deadline is None


@pytest.mark.parametrize(("protocol", "role"), PROFILES)
def test_the_owner_ends_a_call(protocol: Protocol, role: Role) -> None:
    config = AccessConfig(protocol, role)
    port = active(config)
    outputs = port.does(ClearCall(1))
    assert said(outputs, M.DISCONNECT).first(Cause) == Cause(CauseValue.NORMAL_CALL_CLEARING, config.location)
    assert port.state == (12 if (protocol, role) == AS_NETWORK else 11)
    assert port.does(ClearCall(1)) == []
    outputs = port.hears(M.RELEASE)
    assert kinds(outputs) == [M.RELEASE_COMPLETE]
    assert only(outputs, CallReleased).by is By.US


@pytest.mark.parametrize("role", Role)
def test_both_may_disconnect_at_once(role: Role) -> None:  # 5.3.5
    port = active(AccessConfig(role=role))
    port.does(ClearCall(1))
    assert kinds(port.hears(M.DISCONNECT, NORMAL)) == [M.RELEASE]
    assert port.state == CallStateValue.RELEASE_REQUEST
    outputs = port.hears(M.RELEASE, NORMAL)  # and both release at once
    assert kinds(outputs) == []
    assert only(outputs, CallReleased).by is By.US


@pytest.mark.parametrize("role", Role)
def test_a_disconnect_that_nobody_answers_becomes_a_release_with_the_same_cause(role: Role) -> None:  # T305
    config = AccessConfig(role=role)
    port = active(config)
    port.does(ClearCall(1, CauseValue.NO_ANSWER))
    assert said(port.expires(30.0), M.RELEASE).first(Cause) == Cause(CauseValue.NO_ANSWER, config.location)
    assert port.state == CallStateValue.RELEASE_REQUEST


@pytest.mark.parametrize("role", Role)
def test_a_release_that_nobody_answers_is_sent_once_more_then_the_channel_is_restarted(role: Role) -> None:  # T308
    port = active(AccessConfig(role=role))
    port.hears(M.DISCONNECT, NORMAL)
    assert kinds(port.expires(4.0)) == [M.RELEASE]
    outputs = port.expires(8.0)
    assert only(outputs, CallReleased).slot == 5
    assert said(outputs, M.RESTART).first(ChannelIdentification) == time_slot(5)
    assert not port.control.channels.free(5)
    port.hears(M.RESTART_ACKNOWLEDGE, *said(outputs, M.RESTART).elements, of=CallReference(0, to_origin=True))
    assert port.control.channels.free(5)


def test_a_lost_channel_is_left_alone_where_restart_is_not_wanted() -> None:
    port = active(AccessConfig(restart_lost=False))
    port.hears(M.DISCONNECT, NORMAL)
    port.expires(4.0)
    assert kinds(port.expires(8.0)) == []
    assert port.control.deadline is None
    assert port.control.channels.free(5)


@pytest.mark.parametrize("kind", [M.RELEASE, M.RELEASE_COMPLETE])
def test_a_call_may_end_without_disconnect(kind: M) -> None:
    port = active()
    outputs = port.hears(kind, Cause(CauseValue.NO_ANSWER))
    assert kinds(outputs) == ([M.RELEASE_COMPLETE] if kind is M.RELEASE else [])
    assert only(outputs, Clearing) == Clearing(1, CauseValue.NO_ANSWER, By.PEER)
    assert only(outputs, CallReleased).cause is CauseValue.NO_ANSWER


def test_answers_that_cross_our_disconnect_are_no_mistake() -> None:
    port = placed()
    port.does(ClearCall(1))
    for kind in (M.CALL_PROCEEDING, M.ALERTING, M.CONNECT):
        assert port.hears(kind, time_slot(9), of=OURS) == []
    assert port.state == CallStateValue.DISCONNECT_REQUEST


def test_a_call_of_ours_that_is_refused_is_over() -> None:
    outputs = placed().hears(M.RELEASE_COMPLETE, Cause(CauseValue.USER_BUSY, Location.PRIVATE_LOCAL), of=OURS)
    assert only(outputs, CallReleased) == CallReleased(1, 9, CauseValue.USER_BUSY, Location.PRIVATE_LOCAL, By.PEER)


def test_each_call_is_told_of_its_end_once() -> None:
    port = active()
    outputs = port.hears(M.DISCONNECT, NORMAL) + port.hears(M.DISCONNECT, NORMAL) + port.hears(M.RELEASE_COMPLETE)
    outputs += port.hears(M.RELEASE_COMPLETE)
    assert [type(output) for output in news(outputs)] == [Clearing, CallReleased]


def test_a_call_reference_of_theirs_is_none_of_ours() -> None:
    port = placed()
    port.hears(M.SETUP, *SETUP, time_slot(3), of=CallReference(1))
    assert len(port.control.calls) == 2
    assert only(port.hears(M.RELEASE_COMPLETE, NORMAL, of=CallReference(1)), CallReleased).slot == 3
    assert port.hears(M.SETUP, *SETUP, time_slot(3), of=CallReference(8, to_origin=True)) == []  # 5.8.3.2 d)


# --- settings


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"timers": {"T999": 1.0}}, "timer 'T999': known are T301, T302"),
        ({"timers": {"T303": float("inf")}}, "timer T303 of inf s: a number of seconds"),
        ({"timers": {"T303": 0.0}}, "timer T303 of 0 s: a number of seconds, more than 0"),
        ({"ring": -1.0}, "ring -1 s: 0 or more"),
        ({"establish_pause": 0.0}, "establish_pause 0 s: more than 0"),
        ({"overlap": -1}, "overlap -1 digits: 0 or more"),
        ({"most_slots": 0}, "most_slots 0: at least 1"),
        ({"slots": (0, 1)}, "B channel in time slot 0: 1..31"),
        ({"slots": (32,)}, "B channel in time slot 32: 1..31"),
    ],
)
def test_settings_that_cannot_be_are_refused(wrong: dict[str, Any], text: str) -> None:
    with pytest.raises(UsageError, match=text):
        Port(AccessConfig(**wrong))
