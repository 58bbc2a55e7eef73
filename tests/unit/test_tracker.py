"""Conversations from CSTA events."""

from collections.abc import Iterable
from itertools import count
from uuid import UUID

import pytest

from osrec.calls.changes import Began, Change, Ended, Happened, Merged, PortDropped, PortMoved
from osrec.calls.conversation import Conversation
from osrec.calls.tracker import Tracker
from osrec.numbers import Patterns
from osrec.wire.csta import model
from osrec.wire.csta.model import ConnectionId, DeviceId, LocalState, SnapshotLeg
from tests.unit.csta_events import (
    CONSULTATION,
    cleared,
    conferenced,
    conn,
    delivered,
    established,
    failed,
    held,
    initiated,
    originated,
    parties,
    reached,
    retrieved,
    transferred,
)

A, B, C = "3100", "3101", "3102"
OUTSIDE, TRUNK, PORT = "+48221234567", "7801", "7101"
NULL, CONNECTED, ALERTING, HOLD = LocalState.NULL, LocalState.CONNECTED, LocalState.ALERTING, LocalState.HOLD


def tracker(*stations: str) -> Tracker:
    numbers = count(1)
    return Tracker(stations or (A, B, C), Patterns(["78??"]), [PORT, "7102"], lambda: UUID(int=next(numbers)))


def play(tracker: Tracker, *steps: tuple[str, model.Event]) -> list[Change]:
    changes: list[Change] = []
    for now, (station, event) in enumerate(steps):
        changes += tracker.handle(station, event, float(now))
    return changes


def kinds(changes: Iterable[Change]) -> list[str]:
    return [change.kind if isinstance(change, Happened) else type(change).__name__ for change in changes]


def only(tracker: Tracker) -> Conversation:
    (conversation,) = tracker.conversations.values()
    return conversation


WHO = parties(A, B)
INTERNAL: list[tuple[str, model.Event]] = [
    (A, initiated(1, A)),
    (A, originated(1, A, B)),
    (A, delivered(1, B, WHO, CONNECTED)),
    (B, delivered(1, B, WHO, ALERTING)),
    (A, established(1, B, WHO)),
    (B, established(1, B, WHO)),
]


def test_an_internal_call_is_one_conversation_of_both_stations() -> None:
    calls = tracker()
    changes = play(calls, *INTERNAL)
    assert kinds(changes) == ["Began", "service-initiated", "originated", "delivered", "established"]
    conversation = only(calls)
    assert conversation.direction == "internal"
    assert conversation.stations == [A, B]
    assert conversation.talking(A)
    assert conversation.talking(B)
    assert not any(party.external for party in conversation.participants.values())


def test_events_of_two_monitors_in_any_order_tell_a_step_once() -> None:
    calls = tracker()
    mixed = [INTERNAL[i] for i in (0, 1, 3, 2, 5, 4)]
    assert kinds(play(calls, *mixed)) == kinds(play(tracker(), *INTERNAL))


def test_it_ends_when_the_last_monitored_station_has_left() -> None:
    calls = tracker()
    play(calls, *INTERNAL)
    changes = play(
        calls,
        (A, cleared(1, A, NULL)),
        (B, cleared(1, A, CONNECTED)),
        (B, cleared(1, B, NULL)),
        (A, cleared(1, B, NULL)),
    )
    assert kinds(changes) == ["connection-cleared", "connection-cleared", "Ended"]
    assert not calls.conversations


def test_a_late_clear_of_an_ended_call_begins_nothing() -> None:
    calls = tracker()
    play(calls, *INTERNAL, (A, cleared(1, A, NULL)), (B, cleared(1, B, NULL)))
    assert play(calls, (B, cleared(1, A, NULL))) == []


def test_without_local_connection_info_the_monitored_station_is_taken_to_be_in_the_call() -> None:
    calls = tracker(A)
    who = parties(A, "9999")
    event = model.Established(connection=conn(5, "9999"), device=DeviceId("9999"), parties=who)
    play(calls, (A, event))
    assert only(calls).talking(A)


def test_a_call_from_a_trunk_comes_in() -> None:
    calls = tracker(B)
    who = parties(OUTSIDE, B, trunk_in=TRUNK)
    play(calls, (B, delivered(7, B, who, ALERTING)), (B, established(7, B, who)))
    conversation = only(calls)
    assert conversation.direction == "in"
    assert {p.number: p.external for p in conversation.participants.values()} == {B: False, OUTSIDE: True}
    assert conversation.talking(B)


def test_a_call_over_a_trunk_goes_out() -> None:
    calls = tracker(A)
    who = parties(A, OUTSIDE)
    play(
        calls,
        (A, initiated(7, A)),
        (A, reached(7, TRUNK, A, OUTSIDE)),
        (A, delivered(7, TRUNK, who, CONNECTED)),
    )
    conversation = only(calls)
    assert conversation.direction == "out"
    assert conversation.talking(A) is None, "not answered yet"
    play(calls, (A, established(7, TRUNK, who)))
    assert conversation.talking(A)


def test_neither_who_holds_nor_who_is_held_talks() -> None:
    calls = tracker()
    play(calls, *INTERNAL, (A, held(1, A, HOLD)), (B, held(1, A, CONNECTED)))
    conversation = only(calls)
    assert conversation.talking(A) is None
    assert conversation.talking(B) is None, "it hears music"
    play(calls, (A, retrieved(1, A)))
    assert conversation.talking(A)
    assert conversation.talking(B)


def test_a_consultation_belongs_to_the_conversation_that_it_holds() -> None:
    calls = tracker()
    play(calls, *INTERNAL, (A, held(1, A, HOLD)), (A, initiated(2, A, CONSULTATION)), (A, originated(2, A, C)))
    assert only(calls).call_ids == [b"\0\1", b"\0\2"]


def test_a_call_of_a_known_thread_belongs_to_its_conversation() -> None:
    calls = tracker()
    play(calls, (A, initiated(1, A, thread=b"t")), (C, initiated(9, C, thread=b"t")))
    assert only(calls).stations == [A, C]


def consulted() -> Tracker:
    calls = tracker()
    who = parties(A, C)
    play(
        calls,
        *INTERNAL,
        (A, held(1, A, HOLD)),
        (A, initiated(2, A, CONSULTATION)),
        (A, originated(2, A, C)),
        (C, delivered(2, C, who, ALERTING)),
        (A, established(2, C, who)),
    )
    return calls


def test_after_a_transfer_the_others_talk_in_the_new_call() -> None:
    calls = consulted()
    olds = {B: 1, C: 2}
    changes = play(
        calls,
        (A, transferred(A, C, 1, 2, 3, olds, NULL)),
        (B, transferred(A, C, 1, 2, 3, olds, CONNECTED)),
        (C, transferred(A, C, 1, 2, 3, olds, CONNECTED)),
    )
    conversation = only(calls)
    assert kinds(changes) == ["transferred"]
    assert not conversation.has(A)
    assert conversation.talking(B) is conversation.talking(C) is conversation.calls[b"\0\3"]
    assert conversation.call_ids == [b"\0\1", b"\0\2", b"\0\3"]


def test_a_transfer_before_answer_leaves_the_target_ringing() -> None:
    calls = tracker()
    who = parties(A, C)
    play(
        calls,
        *INTERNAL,
        (A, held(1, A, HOLD)),
        (A, initiated(2, A, CONSULTATION)),
        (A, delivered(2, C, who, CONNECTED)),
        (A, transferred(A, C, 1, 2, 3, {B: 1, C: 2}, NULL)),
    )
    call = only(calls).calls[b"\0\3"]
    assert call.legs == {B: CONNECTED, C: ALERTING}
    assert not call.talking(B)


def test_a_conference_keeps_all_three() -> None:
    calls = consulted()
    play(calls, (A, conferenced(A, C, 1, 2, 4, {A: 2, B: 1, C: 2}, CONNECTED)))
    conversation = only(calls)
    assert all(conversation.talking(station) for station in (A, B, C))
    assert list(conversation.calls) == [b"\0\4"]


def test_the_recorders_own_ports_are_no_parties() -> None:
    calls = tracker()
    play(calls, *INTERNAL, (A, held(1, A, HOLD)))
    changes = play(calls, (A, conferenced(A, PORT, 1, None, 1, {A: 1, B: 1, PORT: 1}, HOLD)))
    conversation = only(calls)
    assert changes == []
    assert PORT not in conversation.participants
    assert conversation.calls[b"\0\1"].legs == {A: HOLD, B: CONNECTED}


def test_a_port_that_the_pbx_drops_is_told() -> None:
    calls = tracker()
    play(calls, *INTERNAL)
    assert play(calls, (A, cleared(1, PORT, CONNECTED))) == [PortDropped(PORT, b"\0\1")]


def test_a_port_that_follows_its_station_into_another_call_is_told() -> None:
    calls = tracker()
    play(calls, *INTERNAL)
    changes = play(calls, (A, conferenced(A, PORT, 1, None, 2, {PORT: 1}, CONNECTED)))
    assert changes == [PortMoved(PORT, b"\0\2")]
    assert only(calls).talking(A)


def test_a_busy_call_keeps_its_cause() -> None:
    calls = tracker(A)
    changes = play(calls, (A, initiated(1, A)), (A, originated(1, A, B)), (A, failed(1, B)), (A, cleared(1, A, NULL)))
    assert isinstance(changes[-1], Ended)
    assert changes[-1].conversation.failure == "busy"
    assert changes[-1].conversation.answered is None


def test_two_conversations_that_are_joined_become_the_older_one() -> None:
    calls = tracker()
    play(calls, *INTERNAL, (C, initiated(9, C)), (C, originated(9, C, A)))
    assert len(calls.conversations) == 2
    changes = play(calls, (C, conferenced(C, B, 9, 1, 9, {A: 1, B: 1, C: 9}, CONNECTED)))
    merged = next(change for change in changes if isinstance(change, Merged))
    assert merged.conversation is only(calls)
    assert merged.conversation.id == UUID(int=1)
    assert set(merged.conversation.stations) == {A, B, C}


def test_a_snapshot_finds_a_call_in_progress() -> None:
    calls = tracker(A)
    leg = SnapshotLeg(conn(5, A), DeviceId(OUTSIDE), (CONNECTED, CONNECTED))
    changes = calls.reconcile(A, [leg], 0.0)
    assert kinds(changes) == ["Began", "resync"]
    conversation = only(calls)
    assert conversation.joined_in_progress
    assert conversation.talking(A)


def test_a_snapshot_closes_what_the_pbx_no_longer_has() -> None:
    calls = tracker(A)
    play(calls, (A, initiated(1, A)), (A, originated(1, A, B)))
    assert kinds(calls.reconcile(A, [], 9.0)) == ["resync", "Ended"]


def test_a_snapshot_of_what_is_known_changes_nothing() -> None:
    calls = tracker()
    play(calls, *INTERNAL)
    assert calls.reconcile(A, [SnapshotLeg(conn(1, A), DeviceId(B), (CONNECTED, CONNECTED))], 9.0) == []


@pytest.mark.parametrize("times", range(1, 5))
def test_snapshots_of_a_shared_line_that_name_nobody_leave_who_talks_in_the_call_however_often(times: int) -> None:
    queued = LocalState.QUEUED
    waits = (queued, CONNECTED, CONNECTED, queued)  # who called, who answered, the other appearance
    calls = tracker(A, B, C)
    for _ in range(times):
        for station, states in ((B, waits), (C, waits), (A, (CONNECTED, CONNECTED, queued, queued))):
            leg = SnapshotLeg(conn(1, station), None, states)
            assert "Ended" not in kinds(calls.reconcile(station, [leg], 0.0))
        assert only(calls).talking(A)


def test_a_second_snapshot_is_believed_against_what_came_between() -> None:
    calls = tracker()
    leg = SnapshotLeg(conn(1, A), DeviceId(B), (CONNECTED, CONNECTED))
    calls.reconcile(A, [leg], 0.0)
    calls.reconcile(B, [SnapshotLeg(conn(1, B), DeviceId(A), (CONNECTED, CONNECTED))], 0.0)
    play(calls, (B, cleared(1, A, CONNECTED)))
    calls.reconcile(A, [leg], 1.0)
    assert only(calls).talking(A)


def test_a_reused_call_id_begins_another_conversation() -> None:
    calls = tracker(A)
    play(calls, (A, initiated(1, A)), (A, cleared(1, A, NULL)))
    changes = play(calls, (A, initiated(1, A)))
    assert isinstance(changes[0], Began)
    assert changes[0].conversation.id == UUID(int=2)


def test_a_dynamic_device_id_is_known_by_the_device_of_the_event() -> None:
    calls = tracker(B)
    connection = ConnectionId(b"\0\7", b"\xaa\x01")
    who = parties(OUTSIDE, B, trunk_in=TRUNK)
    play(
        calls,
        (B, model.Established(connection=connection, device=DeviceId(B), parties=who, local=CONNECTED)),
    )
    call = only(calls).talking(B)
    assert call is not None
    assert call.connections[B] == connection
