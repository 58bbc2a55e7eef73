"""The PBX's calls on a D channel become seized and released ports."""

import pytest

from osrec.engine.messages import Released, Seized, SignallingChanged
from osrec.isdn.messages import (
    AdoptCall,
    Alert,
    AnswerCall,
    By,
    CallAdopted,
    CallReleased,
    ChannelTaken,
    ClearCall,
    Connected,
    LinkDown,
    LinkUp,
    RestartChannels,
    RestartDone,
    RestartFailed,
    TurnedAway,
)
from osrec.recorder.trunk_calls import TrunkCalls
from osrec.recorder.trunk_news import Settled, Unexpected
from osrec.store.records import Channel
from osrec.wire.q931.codec import compose
from osrec.wire.q931.messages import CallReference, MessageType

PORTS = {1: "7101", 2: "7102", 17: "7116"}
REFERENCE = CallReference(1)


def calls(*, by_called: bool = True, alert: bool = False, restart: float | None = 10.0) -> TrunkCalls:
    return TrunkCalls("trunk1", PORTS, {"7101": "7102"}, by_called=by_called, alert=alert, restart=restart)


def taken(call: int, slot: int, called: str) -> ChannelTaken:
    return ChannelTaken(call, slot, REFERENCE, True, "3100", called, compose(MessageType.SETUP, REFERENCE))


def test_a_call_to_a_port_is_answered_and_told_of_when_it_is_through() -> None:
    trunk = calls()
    assert trunk.take(taken(5, 9, "7102")) == ([], [AnswerCall(5)])
    assert trunk.take(Connected(5, 9)) == ([Seized("trunk1", 9, "7102")], [])
    news, requests = trunk.take(CallReleased(5, 9, 16, 1, By.PEER))
    why = "the PBX released its call: cause 16, normal call clearing"
    assert (news, requests) == ([Released("trunk1", 9, "7102", why)], [])
    assert trunk.take(CallReleased(5, 9, 16, 1, By.PEER)) == ([], [])


def test_alerting_comes_first_where_it_is_asked_for() -> None:
    assert calls(alert=True).take(taken(5, 1, "7101")) == ([], [Alert(5), AnswerCall(5)])


def test_the_pbx_may_put_its_own_number_in_front_of_the_port() -> None:
    trunk = calls()
    trunk.take(taken(5, 1, "22555" + "7102"))
    assert trunk.take(Connected(5, 1))[0] == [Seized("trunk1", 1, "7102")]


def test_where_the_slot_says_it_the_called_number_does_not_matter() -> None:
    trunk = calls(by_called=False)
    trunk.take(taken(5, 17, ""))
    assert trunk.take(Connected(5, 17))[0] == [Seized("trunk1", 17, "7116")]


def test_a_call_to_somebody_else_is_refused_and_told_of() -> None:
    trunk = calls()
    (told,), requests = trunk.take(taken(5, 3, "9999"))
    assert requests == [ClearCall(5, 1)]
    assert isinstance(told, Unexpected)
    assert told.text == (
        "the PBX calls 9999 on slot 3 of trunk1, which is none of the line's ports: refused. Check `ports` and "
        "`ports_by` of the line, and the numbers in the PBX"
    )
    assert trunk.take(CallReleased(5, 3, 1, 1, By.US)) == ([], [])


def test_one_call_may_bring_both_ports_of_a_pair() -> None:
    trunk = calls()
    setup = ChannelTaken(5, 9, REFERENCE, True, "3100", "7101", compose(MessageType.SETUP, REFERENCE), (11,))
    assert trunk.take(setup) == ([], [AnswerCall(5)])
    assert trunk.take(Connected(5, 9))[0] == [Seized("trunk1", 9, "7101"), Seized("trunk1", 11, "7102")]
    assert trunk.hang_up(11) == [ClearCall(5)]
    assert [one.port for one in trunk.take(CallReleased(5, 9, 16, 1, By.PEER))[0] if isinstance(one, Released)] == [
        "7101",
        "7102",
    ]


def test_calls_of_an_earlier_run_are_taken_up_by_their_references() -> None:
    trunk = calls()
    sides = [Channel(side="left", line="trunk1", slot=9, port="7101", reference=77)]
    sides += [Channel(side="right", line="trunk1", slot=2, port="7102", reference=78)]
    sides += [Channel(side="left", line="trunk1", slot=17, port="7116")]
    first, second = trunk.adopt(sides)
    assert isinstance(first, AdoptCall)
    assert isinstance(second, AdoptCall)
    assert [(one.reference, one.slots) for one in (first, second)] == [(77, (9,)), (78, (2,))]
    assert trunk.take(CallAdopted(first.token, 1))[0] == [Seized("trunk1", 9, "7101")]
    assert trunk.reference(9) == 77
    assert trunk.take(CallReleased(1, 9, 16, 1, By.PEER))[0]


def test_a_hang_up_ends_the_call_of_its_slot_and_no_other() -> None:
    trunk = calls()
    trunk.take(taken(5, 1, "7101"))
    trunk.take(taken(6, 2, "7102"))
    assert trunk.hang_up(2) == [ClearCall(6)]
    assert trunk.hang_up(3) == []


def test_all_channels_are_restarted_when_the_link_comes_up_for_the_first_time_only() -> None:
    trunk = calls()
    assert trunk.take(LinkUp()) == ([], [RestartChannels(patience=10.0)])
    assert trunk.take(RestartDone((4,), by_peer=True)) == ([], []), "theirs is not ours"
    assert not trunk.up
    assert trunk.take(RestartDone((1, 2, 17), by_peer=False)) == ([SignallingChanged("trunk1", up=True)], [])
    assert trunk.up
    (down,), _ = trunk.take(LinkDown())
    assert isinstance(down, SignallingChanged)
    assert not down.up
    assert not trunk.up
    assert trunk.take(LinkUp()) == ([SignallingChanged("trunk1", up=True)], [])


def test_a_link_that_goes_down_before_the_restart_is_done_is_not_up_with_its_return() -> None:
    trunk = calls()
    trunk.take(LinkUp())
    trunk.take(LinkDown())
    assert trunk.take(LinkUp()) == ([], []), "RESTART goes out again by itself"
    assert trunk.take(RestartDone((1, 2, 17), by_peer=False))[0] == [SignallingChanged("trunk1", up=True)]


def test_without_restart_what_runs_is_left_alone() -> None:
    assert calls(restart=None).take(LinkUp()) == ([SignallingChanged("trunk1", up=True)], [])


def test_a_restart_that_nobody_acknowledges_is_told_of_and_calls_may_come() -> None:
    trunk = calls()
    trunk.take(LinkUp())
    (told, up), _ = trunk.take(RestartFailed((1, 2, 17)))
    assert isinstance(told, Unexpected)
    assert (told.key, told.passes) == ("signalling-restart:trunk1", False)
    assert "3 channels of trunk1" in told.text
    assert up == SignallingChanged("trunk1", up=True)


def test_a_restart_that_failed_is_settled_when_each_of_its_channels_has_been_restarted_or_used() -> None:
    trunk = calls()
    trunk.take(RestartFailed((1, 2)))
    assert trunk.take(RestartDone((1,), by_peer=True)) == ([], [])
    trunk.take(taken(5, 2, "7102"))
    assert trunk.take(Connected(5, 2))[0] == [Seized("trunk1", 2, "7102"), Settled("signalling-restart:trunk1")]


@pytest.mark.parametrize(
    ("cause", "hint"),
    [
        (34, "do `slots` here and the PBX's board agree?"),
        (44, "has a call, or is being restarted"),
        (65, "bearer capability"),
        (66, "more than two channels"),
        (79, "for signalling alone"),
        (82, "is not in `slots` of the line"),
        (96, "osrec decode q931"),
        (100, "osrec decode q931"),
    ],
)
def test_a_call_that_is_turned_away_is_counted_and_told_of_with_what_to_look_at(cause: int, hint: str) -> None:
    trunk = calls()
    (told,), requests = trunk.take(TurnedAway(cause, "3100", "7101"))
    assert requests == []
    assert isinstance(told, Unexpected)
    assert told.key == "turned-away:trunk1"
    assert "call to 7101 on trunk1 is refused: " in told.text
    assert f"({cause}): " in told.text
    assert hint in told.text
    assert trunk.turned_away == {cause: 1}


def test_of_two_ports_that_the_called_number_ends_with_the_longer_is_meant() -> None:
    trunk = TrunkCalls("trunk1", {1: "01", 2: "4001"}, {}, by_called=True, alert=False, restart=None)
    for call, called, port in ((1, "994001", "4001"), (2, "7701", "01")):
        trunk.take(taken(call, call, called))
        assert trunk.take(Connected(call, call))[0] == [Seized("trunk1", call, port)]
