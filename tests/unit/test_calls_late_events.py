"""Conversations when events come late, twice, or not at all, and when call ids come again."""

from itertools import count
from uuid import UUID

import pytest

from osrec.calls.changes import Began, Change, Ended, Happened
from osrec.calls.tracker import Tracker
from osrec.numbers import Patterns
from osrec.wire.csta import model
from osrec.wire.csta.model import CallSnapshot, CallSnapshotEntry, DeviceId, LocalState, SnapshotLeg
from tests.unit.csta_events import cleared, conn, delivered, established, held, initiated, originated, parties

A, B, C, OUTSIDE = "3100", "3101", "3102", "+48221234567"
NULL, CONNECTED, ALERTING, HOLD = LocalState.NULL, LocalState.CONNECTED, LocalState.ALERTING, LocalState.HOLD
WHO = parties(A, B)
OF_A: list[model.Event] = [
    initiated(1, A),
    originated(1, A, B),
    delivered(1, B, WHO, CONNECTED),
    established(1, B, WHO),
    cleared(1, A, NULL),
]
OF_B: list[model.Event] = [
    delivered(1, B, WHO, ALERTING),
    established(1, B, WHO),
    cleared(1, A, CONNECTED),
    cleared(1, B, NULL),
]


def tracker(*stations: str, linger: float = 1.0) -> Tracker:
    numbers = count(1)
    return Tracker(stations or (A, B, C), Patterns(["78??"]), ["7101"], lambda: UUID(int=next(numbers)), linger=linger)


def hear(calls: Tracker, station: str, events: list[model.Event], now: float) -> list[Change]:
    return [change for event in events for change in calls.handle(station, event, now)]


def test_a_monitor_that_tells_only_after_the_call_is_over_begins_no_other_conversation() -> None:
    for first, second in (((A, OF_A), (B, OF_B)), ((B, OF_B), (A, OF_A))):
        calls = tracker()
        changes = hear(calls, first[0], first[1], 1.0) + hear(calls, second[0], second[1], 1.5)
        assert sum(isinstance(change, Began) for change in changes) == 1
        steps = [change.kind for change in changes if isinstance(change, Happened)]
        assert sorted(steps) == sorted(
            ["service-initiated", "originated", "delivered", "established", "connection-cleared", "connection-cleared"]
        )
        (end,) = calls.expire(9.0)
        assert isinstance(end, Ended)
        assert end.when in (1.0, 1.5)
        assert end.conversation.stations == [first[0], second[0]]


def test_a_conversation_that_is_over_says_when_it_was() -> None:
    calls = tracker(A)
    hear(calls, A, [initiated(1, A), cleared(1, A, NULL)], 5.0)
    assert calls.deadline == 6.0
    assert [change.when for change in calls.expire(6.0) if isinstance(change, Ended)] == [5.0]


def test_any_event_that_shows_the_station_in_a_call_opens_it_in_progress() -> None:
    calls = tracker(A)
    hear(calls, A, [held(7, A, HOLD)], 0.0)
    (conversation,) = calls.conversations.values()
    assert conversation.joined_in_progress


def test_an_end_that_got_lost_is_made_up_for_by_a_snapshot() -> None:
    calls = tracker(linger=0.0)
    hear(calls, A, OF_A, 0.0)
    hear(calls, B, OF_B[:3], 0.0)
    assert calls.conversations
    changes = calls.reconcile(B, [], 3.0)
    assert isinstance(changes[-1], Ended)
    assert calls.reconcile(B, [], 4.0) == []


def test_an_id_that_a_stale_call_still_has_begins_another_conversation() -> None:
    calls = tracker()
    hear(calls, A, OF_A[:4], 0.0)  # its end got lost
    changes = hear(calls, C, [initiated(1, C)], 60.0)
    began = next(change for change in changes if isinstance(change, Began))
    assert began.conversation.stations == [C]
    stale = next(change for change in changes if isinstance(change, Ended))
    assert stale.cause == "call id used again"
    assert not began.conversation.has(A)


def test_a_late_event_of_an_older_call_with_the_same_id_is_not_believed() -> None:
    calls = tracker()
    old, new = model.Linkage(b"old" * 4), model.Linkage(b"new" * 4)
    event = model.Established(
        connection=conn(1, A), device=DeviceId(A), parties=parties(OUTSIDE, A), local=CONNECTED, linkage=new
    )
    calls.handle(A, event, 0.0)
    gone = model.ConnectionCleared(connection=conn(1, A), device=DeviceId(A), local=NULL, linkage=old)
    assert calls.handle(A, gone, 1.0) == []
    (conversation,) = calls.conversations.values()
    assert conversation.talking(A)


def test_a_snapshot_of_the_call_tells_direction_and_people() -> None:
    calls = tracker(A)
    entries = (
        CallSnapshotEntry(DeviceId(A), conn(5, A), CONNECTED),
        CallSnapshotEntry(DeviceId(OUTSIDE), conn(5, "7801"), CONNECTED),
    )
    found = CallSnapshot(entries, calling=DeviceId(OUTSIDE), called=DeviceId(A))
    calls.reconcile(A, [SnapshotLeg(conn(5, A), None, (CONNECTED, CONNECTED))], 0.0, [(b"\0\5", found)])
    (conversation,) = calls.conversations.values()
    assert conversation.direction == "in"
    assert conversation.participants[OUTSIDE].external
    hear(calls, A, [cleared(5, "7801", CONNECTED)], 1.0)
    assert conversation.talking(A) is None


@pytest.mark.parametrize("network_answers", [False, True])
@pytest.mark.parametrize(
    "connection", [conn(5, "7801"), model.ConnectionId(b"\0\5", b"\0\7")], ids=["static", "dynamic"]
)
def test_trunks_that_tell_of_no_answer_can_count_as_answering(
    network_answers: bool, connection: model.ConnectionId
) -> None:
    numbers = count(1)
    calls = Tracker(
        [A], Patterns(["78??"]), [], lambda: UUID(int=next(numbers)), network_answers=network_answers, linger=1.0
    )
    hear(calls, A, [initiated(5, A)], 0.0)
    (conversation,) = calls.conversations.values()
    assert conversation.talking(A) is None
    reached = model.NetworkReached(
        connection=connection, device=DeviceId("7801"), parties=parties(A, OUTSIDE), local=CONNECTED
    )
    calls.handle(A, reached, 2.0)
    assert (conversation.talking(A) is not None) is network_answers
    assert conversation.answered == (2.0 if network_answers else None)
