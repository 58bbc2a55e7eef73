"""When which station was not watched."""

from datetime import UTC, datetime, timedelta

import pytest

from osrec.csta.messages import (
    EventsLost,
    LinkDown,
    LinkUp,
    MonitorLost,
    MonitorRefused,
    MonitorRunning,
    SnapshotMissing,
    SnapshotTaken,
)
from osrec.engine.blindness import WRITE_LINK, WRITE_STATION, Blindness
from osrec.engine.messages import Heard, Noted, Started, Stopping
from osrec.store.records import Blind, Unwatched
from tests.unit.engine_bench import START, A, B, Bench, C, every

UP, DOWN = LinkUp(), LinkDown("no answer")


def second(count: float) -> datetime:
    return datetime(2026, 11, 23, 12, tzinfo=UTC) + timedelta(seconds=count)


def spans(noted: list[Noted]) -> list[tuple[str | None, float, float, str]]:
    found: list[tuple[str | None, float, float, str]] = []
    for one in noted:
        assert isinstance(one.record, Blind)
        since, until = ((when - second(0)).total_seconds() for when in (one.record.since, one.record.until))
        found.append((one.record.station, since, until, one.record.blame))
    return found


def watched() -> Blindness:
    """One station, watched since second 2."""
    blindness = Blindness([A])
    blindness.started(Started(None), second(0))
    blindness.take(UP, second(1))
    blindness.take(MonitorRunning(A, b"1"), second(2))
    blindness.take(SnapshotTaken(A, ()), second(2))
    return blindness


@pytest.mark.parametrize("snapshot", [SnapshotTaken(A, ()), SnapshotMissing(A)])
def test_the_start_is_blind_until_the_monitor_runs_and_its_calls_were_asked_for(
    snapshot: SnapshotTaken | SnapshotMissing,
) -> None:
    blindness = Blindness([A])
    blindness.started(Started(None), second(0))
    assert spans(blindness.take(UP, second(1))) == [(None, 0, 1, "link_down")]
    assert blindness.take(MonitorRunning(A, b"1"), second(2)) == []
    assert spans(blindness.take(snapshot, second(3))) == [(A, 1, 3, "link_down")]
    assert blindness.stop(second(9)) == []


def test_the_time_without_a_recorder_counts() -> None:
    blindness = Blindness([A])
    blindness.started(Started(second(-100)), second(0))
    (noted,) = blindness.take(UP, second(1))
    assert spans([noted]) == [(None, -100, 1, "link_down")]
    assert "the recorder did not run" in (noted.record.detail or "") if isinstance(noted.record, Blind) else False


def test_a_link_that_is_down_blinds_all_stations() -> None:
    blindness = watched()
    assert blindness.take(DOWN, second(10)) == []
    assert blindness.take(LinkDown("refused"), second(11)) == []
    (noted,) = blindness.take(UP, second(20))
    assert spans([noted]) == [(None, 10, 20, "link_down")]
    assert noted.record.detail == "no answer" if isinstance(noted.record, Blind) else False


def test_a_refused_monitor_blinds_its_station_with_its_own_reason() -> None:
    blindness = watched()
    blindness.take(MonitorLost(A), second(10))
    assert spans(blindness.take(MonitorRefused(A, "overallMonitorLimitExceeded", True), second(12))) == [
        (A, 10, 12, "monitor")
    ]
    blindness.take(MonitorRunning(A, b"2"), second(20))
    assert spans(blindness.take(SnapshotTaken(A, ()), second(20))) == [(A, 12, 20, "licence")]


def test_without_a_link_nothing_is_said_of_single_stations() -> None:
    blindness = watched()
    blindness.take(MonitorLost(A), second(10))
    assert spans(blindness.take(DOWN, second(11))) == [(A, 10, 11, "monitor")]
    assert blindness.take(MonitorRefused(A, "x", False), second(12)) == []
    assert spans(blindness.take(UP, second(13))) == [(None, 11, 13, "link_down")]


def test_lost_events_blind_until_the_snapshot_that_follows() -> None:
    blindness = watched()
    blindness.take(EventsLost("", "messagesLost"), second(5))
    assert spans(blindness.take(SnapshotTaken(A, ()), second(6))) == [(A, 5, 6, "link_down")]


def test_a_snapshot_does_not_make_a_refused_monitor_good() -> None:
    blindness = watched()
    blindness.take(MonitorRefused(A, "x", True), second(5))
    assert blindness.take(SnapshotTaken(A, ()), second(6)) == []


def test_a_long_span_is_written_part_by_part() -> None:
    blindness = watched()
    blindness.take(DOWN, second(10))
    assert blindness.write_due(second(10 + WRITE_LINK - 1)) == []
    assert spans(blindness.write_due(second(10 + WRITE_LINK))) == [(None, 10, 70, "link_down")]
    assert spans(blindness.take(UP, second(75))) == [(None, 70, 75, "link_down")]


def test_what_lasts_is_written_when_the_recorder_stops() -> None:
    bench = Bench()
    for station in (A, B, C):
        bench.give(MonitorRunning(station, b"1"))
        bench.give(SnapshotTaken(station, ()))
    bench.give(MonitorRefused(B, "x", True))
    bench.now += 30
    noted, watched_again = every(bench.give(Stopping()), Noted)
    assert watched_again.record == Unwatched(stations=[B])
    assert isinstance(noted.record, Blind)
    assert (noted.record.station, noted.record.blame) == (B, "licence")
    assert (noted.record.until - noted.record.since).total_seconds() == 30


def test_the_engine_writes_long_spans_while_it_listens() -> None:
    bench = Bench()
    bench.give(Started(None))
    bench.now += WRITE_LINK
    (noted,) = every(bench.give(Heard({}, frozenset())), Noted)
    assert isinstance(noted.record, Blind)
    assert noted.record.until == START + timedelta(seconds=bench.now)


def test_what_hid_a_call_is_what_came_first_since_its_station_was_seen() -> None:
    """The link broke later, when nobody saw the station anyway."""
    blindness = watched()
    blindness.take(MonitorLost(A), second(10))
    blindness.take(MonitorRefused(A, "overallMonitorLimitExceeded", True), second(11))
    blindness.take(DOWN, second(20))
    blindness.take(UP, second(30))
    for _ in range(2):
        hidden = blindness.before(A)
        assert hidden is not None
        assert hidden.blame == "licence"
        blindness.take(MonitorRunning(A, b"2"), second(31))
        blindness.take(SnapshotTaken(A, ()), second(31))
    blindness.take(DOWN, second(40))
    blindness.take(UP, second(50))
    again = blindness.before(A)
    assert again is not None
    assert again.blame == "link_down"


def unwatched(noted: list[Noted]) -> list[tuple[list[str], float | None, str]]:
    found: list[tuple[list[str], float | None, str]] = []
    for one in noted:
        assert isinstance(one.record, Unwatched)
        since = None if one.record.since is None else (one.record.since - second(0)).total_seconds()
        found.append((one.record.stations, since, one.record.blame))
    return found


def test_that_stations_are_not_watched_is_told_at_once_and_together() -> None:
    blindness = Blindness([A, B])
    blindness.started(Started(None), second(0))
    blindness.take(UP, second(1))
    assert unwatched(blindness.changes()) == [([A, B], 1, "link_down")]
    blindness.take(MonitorRunning(A, b"1"), second(2))
    blindness.take(SnapshotTaken(A, ()), second(2))
    blindness.take(MonitorRefused(B, "x", True), second(3))
    assert unwatched(blindness.changes()) == [([B], 3, "licence"), ([A], None, "link_down")]
    assert blindness.changes() == []


def test_what_ends_as_it_began_is_told_to_have_ended() -> None:
    blindness = Blindness([A])
    blindness.started(Started(None), second(0))
    blindness.take(UP, second(1))
    blindness.changes()
    blindness.take(MonitorRunning(A, b"1"), second(1))
    assert blindness.take(SnapshotTaken(A, ()), second(1)) == []
    assert unwatched(blindness.changes()) == [([A], None, "link_down")]


def test_a_span_that_is_written_so_far_begins_there_for_the_next_run_too() -> None:
    blindness = watched()
    blindness.take(MonitorLost(A), second(10))
    blindness.changes()
    assert spans(blindness.write_due(second(10 + WRITE_STATION))) == [(A, 10, 10 + WRITE_STATION, "monitor")]
    assert unwatched(blindness.changes()) == [([A], 10 + WRITE_STATION, "monitor")]


def test_what_a_killed_run_had_not_told_is_told_from_its_true_beginning() -> None:
    left = Unwatched(stations=[A], since=second(-100), blame="licence", detail="limit")
    blindness = Blindness([A, B])
    noted = blindness.started(Started(second(-10), unwatched=(left,)), second(0))
    assert spans(noted) == [(A, -100, -10, "licence")]
    assert unwatched(blindness.changes()) == [([A], None, "link_down")]
    assert spans(blindness.take(UP, second(1))) == [(None, -10, 1, "link_down")]
    hidden, seen = blindness.before(A), blindness.before(B)
    assert hidden is not None
    assert seen is not None
    assert (hidden.blame, seen.blame) == ("licence", "link_down")


def test_a_killed_run_without_a_link_had_it_last_when_it_was_lost() -> None:
    left = Unwatched(stations=[A], since=second(-100), blame="monitor")
    noted = Blindness([A]).started(Started(second(-10), second(-60), (left,)), second(0))
    assert spans(noted) == [(A, -100, -60, "monitor")]
