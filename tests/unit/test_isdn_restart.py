"""RESTART, both ways: Q.931 5.5."""

import pytest

from osrec.errors import UsageError
from osrec.isdn.channels import B_CHANNELS
from osrec.isdn.link_messages import Established
from osrec.isdn.messages import (
    By,
    CallReleased,
    ChannelTaken,
    Output,
    RestartChannels,
    RestartDone,
    RestartFailed,
    Trouble,
    TurnedAway,
)
from osrec.isdn.settings import AccessConfig
from osrec.wire.q931.causes import CauseValue
from osrec.wire.q931.channel import ChannelIdentification, time_slot
from osrec.wire.q931.elements import CallState, CallStateValue, Cause, RestartClass, RestartIndicator
from osrec.wire.q931.messages import GLOBAL, CallReference
from osrec.wire.q931.registry import Element
from tests.unit.isdn_port import SETUP, M, Port, active, kinds, messages, news, only, said

ALL = RestartIndicator(RestartClass.SINGLE_INTERFACE)
ONE = RestartIndicator(RestartClass.INDICATED_CHANNELS)


def restarted(port: Port, *slots: int) -> list[Output]:
    return port.hears(M.RESTART, ONE, ChannelIdentification(slots), of=GLOBAL)


def acknowledged(port: Port, slot: int | None = None) -> list[Output]:
    elements = (ALL,) if slot is None else (ONE, time_slot(slot))
    return port.hears(M.RESTART_ACKNOWLEDGE, *elements, of=GLOBAL.answered())


# --- the peer's


def test_the_peer_restarts_a_channel_and_the_call_on_it_is_over() -> None:
    port = active()
    outputs = restarted(port, 5)
    acknowledge = said(outputs, M.RESTART_ACKNOWLEDGE)
    assert acknowledge.reference == GLOBAL.answered()
    assert (acknowledge.first(ChannelIdentification), acknowledge.first(RestartIndicator)) == (time_slot(5), ONE)
    assert only(outputs, RestartDone) == RestartDone((5,), by_peer=True)
    released = only(outputs, CallReleased)
    assert (released.cause, released.by) == (CauseValue.TEMPORARY_FAILURE, By.PROTOCOL)
    assert kinds(outputs) == [M.RESTART_ACKNOWLEDGE]  # the call ends without a message
    assert only(port.called(5), ChannelTaken).slot == 5


def test_a_restart_of_one_slot_of_two_ends_their_call() -> None:
    port = Port(AccessConfig(most_slots=2))
    port.hears(M.SETUP, *SETUP, ChannelIdentification((5, 6)))
    assert only(restarted(port, 6), CallReleased).slot == 5
    assert port.control.channels.free(5)


def test_calls_on_other_channels_go_on() -> None:
    port = active()
    assert only(restarted(port, 6), RestartDone).slots == (6,)
    assert port.state is CallStateValue.ACTIVE


@pytest.mark.parametrize("kind", [RestartClass.SINGLE_INTERFACE, RestartClass.ALL_INTERFACES])
def test_the_peer_restarts_the_interface(kind: RestartClass) -> None:
    port = active()
    port.hears(M.SETUP, *SETUP, time_slot(6), of=CallReference(6))
    outputs = port.hears(M.RESTART, RestartIndicator(kind), of=GLOBAL)
    assert len([output for output in outputs if isinstance(output, CallReleased)]) == 2
    assert only(outputs, RestartDone).slots == B_CHANNELS
    assert said(outputs, M.RESTART_ACKNOWLEDGE).elements == (RestartIndicator(kind),)


def test_only_channels_that_we_have_are_acknowledged() -> None:
    outputs = restarted(Port(AccessConfig(slots=(1, 2, 3))), 2, 3, 4)
    assert only(outputs, RestartDone).slots == (2, 3)
    assert said(outputs, M.RESTART_ACKNOWLEDGE).first(ChannelIdentification) == ChannelIdentification((2, 3))


@pytest.mark.parametrize(
    ("elements", "cause"),
    [
        ((ONE, time_slot(16)), CauseValue.CHANNEL_DOES_NOT_EXIST),
        ((ONE,), CauseValue.MANDATORY_ELEMENT_MISSING),
        ((), CauseValue.MANDATORY_ELEMENT_MISSING),
    ],
)
def test_a_restart_that_names_no_channel_of_ours_is_complained_of(elements: tuple[Element, ...], cause: int) -> None:
    outputs = Port().hears(M.RESTART, *elements, of=GLOBAL)
    status = said(outputs, M.STATUS)
    found = status.first(Cause)
    assert found is not None
    assert found.value is cause
    assert status.first(CallState) == CallState(CallStateValue.NULL)


# --- ours


def test_a_restart_of_ours_is_done_when_it_is_acknowledged() -> None:
    port = active()
    outputs = port.does(RestartChannels((5,)))
    assert only(outputs, CallReleased).by is By.PROTOCOL
    assert said(outputs, M.RESTART).elements == (time_slot(5), ONE)
    assert said(outputs, M.RESTART).reference == GLOBAL
    assert acknowledged(port, 5) == [RestartDone((5,), by_peer=False)]
    assert port.control.deadline is None


def test_restarts_go_out_one_after_the_other() -> None:
    port = Port()
    assert len(messages(port.does(RestartChannels((1, 2))))) == 1
    assert port.does(RestartChannels((2, 3))) == []
    outputs = acknowledged(port, 1)
    assert said(outputs, M.RESTART).first(ChannelIdentification) == time_slot(2)
    outputs = acknowledged(port, 2)
    assert said(outputs, M.RESTART).first(ChannelIdentification) == time_slot(3)
    assert news(acknowledged(port, 3)) == [RestartDone((3,), by_peer=False)]


def test_the_whole_interface_is_restarted_in_one() -> None:
    port = Port()
    assert said(port.does(RestartChannels()), M.RESTART).elements == (ALL,)
    assert only(acknowledged(port), RestartDone).slots == B_CHANNELS


def test_a_slot_takes_no_call_while_its_restart_is_out() -> None:
    port = Port()
    port.does(RestartChannels((5,)))
    assert only(port.called(5), TurnedAway).cause is CauseValue.REQUESTED_CHANNEL_NOT_AVAILABLE
    acknowledged(port, 5)
    assert only(port.called(5), ChannelTaken).slot == 5


def test_a_restart_without_answer_is_sent_once_more_and_then_told() -> None:  # T316
    port = Port()
    port.does(RestartChannels((5,)))
    assert kinds(port.expires(120.0)) == [M.RESTART]
    assert port.expires(240.0) == [RestartFailed((5,))]
    assert port.control.deadline is None
    assert port.control.channels.free(5)


def test_the_patience_of_the_owner_ends_a_restart_before_t316_does() -> None:
    port = Port()
    port.does(RestartChannels(patience=10.0))
    assert only(port.expires(10.0), RestartFailed).slots == B_CHANNELS
    assert [type(output) for output in acknowledged(port)] == [Trouble], "too late, and nothing to complain of"
    assert only(port.called(5), ChannelTaken).slot == 5


def test_the_patience_begins_anew_with_the_data_link() -> None:
    port = Port()
    port.does(RestartChannels(patience=10.0))
    port.now = 8.0
    port.loses_link()
    port.now = 20.0
    assert kinds(port.does(Established(confirm=True))) == [M.RESTART]
    assert only(port.expires(30.0), RestartFailed).slots == B_CHANNELS


def test_an_acknowledgement_of_another_channel_is_none() -> None:
    port = Port()
    port.does(RestartChannels((5,)))
    assert [type(output) for output in acknowledged(port, 6)] == [Trouble]
    assert only(acknowledged(port, 5), RestartDone).slots == (5,)


def test_a_peer_that_knows_no_restart_is_not_waited_for() -> None:
    port = Port()
    port.does(RestartChannels((5,)))
    status = (Cause(CauseValue.MESSAGE_TYPE_NOT_IMPLEMENTED), CallState(0))
    assert only(port.hears(M.STATUS, *status, of=GLOBAL.answered()), RestartFailed).slots == (5,)
    assert port.control.deadline is None


def test_an_acknowledgement_that_nobody_asked_for_is_complained_of() -> None:
    assert kinds(acknowledged(Port(), 5)) == [M.STATUS]


def test_a_restart_that_the_data_link_lost_is_sent_again() -> None:
    port = Port(up=False)
    port.does(RestartChannels((5,)))
    assert kinds(port.does(Established(confirm=True))) == [M.RESTART]


def test_a_restart_of_a_slot_that_is_none_is_a_mistake_of_the_owner() -> None:
    port = Port()
    with pytest.raises(UsageError, match="restart of slot 16: B channels are"):
        port.does(RestartChannels((3, 16)))
    assert port.control.channels.free(3)
