"""Where no event tells who is in a call, or how, the tracker has the PBX asked; and it says what the answer says."""

from dataclasses import replace
from itertools import count
from uuid import UUID

from osrec.calls.changes import Change, Happened, Unclear
from osrec.calls.conversation import Conversation
from osrec.calls.tracker import Tracker
from osrec.numbers import Patterns
from osrec.wire.csta import model
from osrec.wire.csta.model import CallSnapshot, CallSnapshotEntry, ConnectionId, DeviceId, LocalState
from tests.unit.csta_events import (
    cleared,
    conn,
    delivered,
    established,
    failed,
    held,
    initiated,
    originated,
    parties,
    retrieved,
    transferred,
)

A, B, C, X, Y = "3100", "3101", "3102", "4711", "4712"
NULL, CONNECTED, ALERTING, HOLD = LocalState.NULL, LocalState.CONNECTED, LocalState.ALERTING, LocalState.HOLD
PICKED_UP, SENT_ON = 11, 52


def tracker(*stations: str) -> Tracker:
    numbers = count(1)
    return Tracker(stations or (A, B, C), Patterns(["78??"]), ["7101"], lambda: UUID(int=next(numbers)), linger=2.0)


def hear(calls: Tracker, station: str, *events: model.Event) -> list[Change]:
    return [change for event in events for change in calls.handle(station, event, 0.0)]


def questions(changes: list[Change]) -> list[ConnectionId]:
    return [change.connection for change in changes if isinstance(change, Unclear)]


def only(calls: Tracker) -> Conversation:
    (conversation,) = calls.conversations.values()
    return conversation


def snapshot(call: int, **states: LocalState) -> CallSnapshot:
    """Who is in the call: `_4711=CONNECTED`."""
    entries = ((name.removeprefix("_"), state) for name, state in states.items())
    return CallSnapshot(tuple(CallSnapshotEntry(DeviceId(one), conn(call, one), state) for one, state in entries))


def comes_from_elsewhere(call: int, caller: str, cause: int = SENT_ON) -> list[model.Event]:
    """A call that somebody sent on to B rings there, and is answered."""
    who = parties(caller, B)
    rings = delivered(call, B, who, ALERTING)
    return [replace(rings, cause=cause), established(call, B, who)]


def test_of_a_call_that_begins_nothing_has_to_be_asked() -> None:
    calls, who = tracker(), parties(X, B)
    assert questions(hear(calls, B, delivered(1, B, who, ALERTING), established(1, B, who))) == []
    assert questions(hear(calls, A, initiated(2, A), originated(2, A, Y))) == []


def test_who_is_in_a_call_that_was_sent_on_is_asked_once_it_is_answered() -> None:
    calls = tracker()
    rings, answered = comes_from_elsewhere(1, X)
    assert questions(hear(calls, B, rings)) == []
    assert questions(hear(calls, B, answered)) == [conn(1, B)]
    assert questions(hear(calls, B, held(1, B, HOLD), retrieved(1, B))) == []  # asked already


def test_a_call_with_a_last_redirection_was_there_before_whatever_its_cause() -> None:
    calls, who = tracker(), replace(parties(X, B), last_redirection=DeviceId(Y))
    assert questions(hear(calls, B, delivered(1, B, who, ALERTING), established(1, B, who))) == [conn(1, B)]


def test_the_answer_says_who_holds_and_who_else_is_there() -> None:
    calls = tracker()
    hear(calls, B, *comes_from_elsewhere(1, X))
    assert only(calls).talking(B) is not None
    calls.found(B, b"\0\1", snapshot(1, _4711=HOLD, _4712=HOLD, _3101=CONNECTED), 0.0)
    assert only(calls).talking(B) is None
    assert {X, Y} <= set(only(calls).participants)
    hear(calls, B, held(1, X, CONNECTED), retrieved(1, Y))
    assert only(calls).talking(B) is not None


def test_who_talks_already_asks_when_another_station_makes_it_unclear() -> None:
    calls, who = tracker(), parties(X, B)
    hear(calls, B, delivered(1, B, who, ALERTING), established(1, B, who))
    rings = replace(delivered(1, C, parties(X, C), ALERTING), cause=SENT_ON)
    assert questions(hear(calls, C, rings)) == [conn(1, B)]


def test_who_rings_and_is_dialled_once_more_rings_on() -> None:
    calls, who = tracker(A, B), parties(A, B)
    hear(calls, A, initiated(1, A), originated(1, A, B), delivered(1, B, who, CONNECTED))
    hear(calls, B, delivered(1, B, who, ALERTING))
    hear(calls, A, failed(1, B))
    (call,) = only(calls).calls.values()
    assert call.state(B) is ALERTING


def test_an_answer_about_a_call_that_is_over_changes_nothing() -> None:
    calls = tracker()
    hear(calls, B, *comes_from_elsewhere(1, X), cleared(1, B, NULL))
    calls.expire(10.0)
    assert calls.found(B, b"\0\1", snapshot(1, _3101=CONNECTED), 10.0) == []
    assert calls.conversations == {}


def test_of_a_transfer_those_are_asked_for_whom_nobody_monitored_tells_of() -> None:
    for consulted, expected in ((X, [conn(3, A)]), (C, [])):
        calls, who = tracker(), parties(A, B)
        hear(calls, A, initiated(1, A), originated(1, A, B), delivered(1, B, who, CONNECTED), established(1, B, who))
        moved = transferred(B, consulted, 1, 2, 3, {A: 1, consulted: 2}, CONNECTED)
        assert questions(hear(calls, A, moved)) == expected


def test_a_station_that_comes_back_to_its_call_asks_again() -> None:
    calls = tracker()
    hear(calls, B, *comes_from_elsewhere(1, X))
    calls.found(B, b"\0\1", snapshot(1, _4711=CONNECTED, _3101=CONNECTED), 0.0)
    hear(calls, B, cleared(1, B, NULL))
    assert questions(hear(calls, B, *comes_from_elsewhere(1, X))) == [conn(1, B)]


def test_what_the_station_says_of_itself_after_a_transfer_is_no_presumption() -> None:
    """That its state was the same before was known from another monitor only."""
    calls, who = tracker(A, B), parties(B, A)
    hear(calls, B, initiated(1, B), originated(1, B, A), established(1, A, who), held(1, A, CONNECTED))
    hear(calls, A, transferred(B, X, 1, 2, 3, {A: 1, X: 2}, HOLD))
    (call,) = (call for call in only(calls).calls.values() if call.call_id == b"\0\3")
    assert call.state(A) is HOLD
    assert call.views[A][A].sure


def test_a_snapshot_that_is_older_than_a_call_says_nothing_of_it() -> None:
    """The called station told of it; the caller's own events follow its snapshot, which has no call."""
    calls, who = tracker(A, B), parties(A, B)
    hear(calls, B, delivered(1, B, who, ALERTING), cleared(1, A, ALERTING), cleared(1, B, NULL))
    calls.reconcile(A, [], 0.0)
    hear(calls, A, initiated(1, A), originated(1, A, B), delivered(1, B, who, CONNECTED), cleared(1, A, NULL))
    assert not any(conversation.has(one) for conversation in calls.conversations.values() for one in (A, B))
    assert len(calls.conversations) == 1


def test_a_snapshot_without_a_call_outweighs_what_another_monitor_said_before_it_left() -> None:
    """B's own events were lost, C tells that B is gone, and A, which has left, that it rings there: A is late."""
    calls = tracker(A, B, C)
    old = {C: 1, B: 2}
    hear(calls, C, initiated(1, C), transferred(A, B, 1, 2, 3, old, CONNECTED), cleared(3, B, CONNECTED))
    hear(calls, A, initiated(2, A), originated(2, A, B), delivered(2, B, parties(A, B), CONNECTED))
    hear(calls, A, transferred(A, B, 1, 2, 3, old, NULL))
    for station in (B, C):
        calls.reconcile(station, [], 0.0)
    assert not any(conversation.has(B) for conversation in calls.conversations.values())


def test_digits_of_somebody_whose_number_is_not_told_make_nobody_of_him() -> None:
    """The called station hears them before the caller's own monitor has told of the call."""
    calls, who = tracker(A, B), parties(A, B)
    caller = ConnectionId(b"\0\1", b"\x0a")
    ring = replace(delivered(1, B, who, ALERTING), connection=ConnectionId(b"\0\1", b"\x0b"))
    hear(calls, B, ring, model.DigitsGenerated(connection=caller, digits="12", local=ALERTING))
    hear(calls, A, replace(initiated(1, A), connection=caller), replace(originated(1, A, B), connection=caller))
    hear(calls, A, replace(ring, local=CONNECTED))
    assert only(calls).talking(A) is None
    (call,) = only(calls).calls.values()
    assert call.legs == {A: CONNECTED, B: ALERTING}


def test_a_station_that_came_back_is_one_party_though_another_monitor_is_late() -> None:
    """It has another dynamic id now."""
    calls, who = tracker(A, B), parties(X, A)
    first, again, b = (ConnectionId(b"\0\1", bytes([one])) for one in (0x0A, 0x0C, 0x0B))
    took = replace(established(1, A, who), connection=first, cause=PICKED_UP)
    left = replace(cleared(1, A, NULL), connection=first)
    takes_again = replace(took, connection=again)
    hear(calls, B, replace(established(1, B, parties(X, B)), connection=b, cause=PICKED_UP))
    hear(calls, A, took, left)
    hear(calls, B, took)  # late
    hear(calls, A, takes_again)
    hear(calls, B, replace(left, local=CONNECTED), takes_again)
    (call,) = only(calls).calls.values()
    assert {one for one in call.legs if one.startswith("#")} == set()
    assert call.connections[A] == again


def test_requests_go_to_the_connection_that_a_station_has_now_by_its_own_account() -> None:
    calls, who = tracker(A, B), parties(X, A)
    first, again, b = (ConnectionId(b"\0\1", bytes([one])) for one in (0x0A, 0x0C, 0x0B))
    took = replace(established(1, A, who), connection=first, cause=PICKED_UP)
    hear(calls, B, replace(established(1, B, parties(X, B)), connection=b, cause=PICKED_UP))
    hear(calls, A, took, replace(cleared(1, A, NULL), connection=first), replace(took, connection=again))
    hear(calls, B, took)  # late
    (call,) = only(calls).calls.values()
    assert call.connections[A] == again


def test_the_id_of_an_older_call_may_be_that_of_the_call_after_a_transfer() -> None:
    calls = tracker()
    old, new = model.Linkage(b"old", b"thread 1"), model.Linkage(b"new", b"thread 2")
    hear(calls, C, replace(initiated(3, C), linkage=old))
    hear(calls, C, replace(cleared(3, C, NULL), linkage=old))
    who = parties(A, B)
    hear(calls, A, replace(initiated(1, A), linkage=new), replace(originated(1, A, B), linkage=new))
    hear(calls, A, replace(established(1, B, who), linkage=new))
    hear(calls, A, replace(transferred(B, X, 1, 2, 3, {A: 1, X: 2}, CONNECTED), linkage=new))
    talks = [conversation for conversation in calls.conversations.values() if conversation.talking(A)]
    assert [conversation.stations for conversation in talks] == [[A]]


def test_an_id_that_comes_again_in_its_own_thread_is_told_of_once_though_the_event_comes_twice() -> None:
    """The call that had it is over for long, with or without the same global call id (which a transfer may keep)."""
    for last in (b"first", b"third"):
        calls = tracker(A)
        first, second, third = (model.Linkage(one, b"thread") for one in (b"first", b"second", last))
        hear(calls, A, replace(initiated(3, A), linkage=first), replace(initiated(1, A), linkage=second))
        hear(calls, A, replace(cleared(3, A, NULL), linkage=first))
        left = replace(transferred(A, X, 1, 2, 3, {X: 1, Y: 2}, NULL), linkage=third)
        hear(calls, A, replace(initiated(4, A), linkage=second))
        told = [calls.handle(A, left, 9.0), calls.handle(A, left, 9.0)]
        assert [sum(isinstance(one, Happened) for one in changes) for changes in told] == [1, 0]


def test_whom_a_snapshot_of_the_call_does_not_list_is_gone_for_good() -> None:
    """He was missing in the count before; what A said of him before it left is older."""
    calls, who = tracker(A, B), parties(A, X)
    hear(calls, A, initiated(1, A), originated(1, A, X), established(1, X, who))
    hear(calls, B, replace(established(1, B, who), cause=PICKED_UP))
    calls.reconcile(B, [model.SnapshotLeg(conn(1, B), None, (CONNECTED, CONNECTED))], 0.0)
    calls.found(B, b"\0\1", snapshot(1, _3100=CONNECTED, _3101=CONNECTED), 0.0)
    hear(calls, A, cleared(1, A, NULL))
    hear(calls, B, cleared(1, B, NULL))
    (call,) = only(calls).calls.values()
    assert call.state(X) is None
