"""The PBX's calls on a D channel become seized and released ports."""

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
    RestartFailed,
)
from osrec.recorder.trunk_calls import TrunkCalls, Unexpected
from osrec.store.records import Channel
from osrec.wire.q931.codec import compose
from osrec.wire.q931.messages import CallReference, MessageType

PORTS = {1: "7101", 2: "7102", 17: "7116"}
REFERENCE = CallReference(1)


def calls(*, by_called: bool = True, alert: bool = False, restart: bool = True) -> TrunkCalls:
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
    assert trunk.take(LinkUp()) == ([SignallingChanged("trunk1", up=True)], [RestartChannels()])
    (down,), _ = trunk.take(LinkDown())
    assert isinstance(down, SignallingChanged)
    assert not down.up
    assert trunk.take(LinkUp())[1] == []


def test_without_restart_what_runs_is_left_alone() -> None:
    assert calls(restart=False).take(LinkUp())[1] == []


def test_a_restart_that_nobody_acknowledges_is_told_of() -> None:
    (told,), _ = calls().take(RestartFailed((1, 2)))
    assert isinstance(told, Unexpected)
    assert "2 channels of trunk1" in told.text
