"""When which station was not watched."""

from datetime import UTC, datetime, timedelta

from osrec.csta.messages import EventsLost, LinkDown, LinkUp, MonitorLost, MonitorRefused, MonitorRunning, SnapshotTaken
from osrec.engine.blindness import WRITE_LINK, Blindness
from osrec.engine.messages import Heard, Noted, Started, Stopping
from osrec.store.records import Blind
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
    return blindness


def test_the_start_is_blind_until_the_monitor_runs() -> None:
    blindness = Blindness([A])
    blindness.started(Started(None), second(0))
    assert spans(blindness.take(UP, second(1))) == [(None, 0, 1, "link_down")]
    assert spans(blindness.take(MonitorRunning(A, b"1"), second(2))) == [(A, 1, 2, "link_down")]
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
    assert spans(blindness.take(MonitorRunning(A, b"2"), second(20))) == [(A, 12, 20, "licence")]


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
    bench.give(MonitorRefused(B, "x", True))
    bench.now += 30
    (noted,) = every(bench.give(Stopping()), Noted)
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
    blindness.take(DOWN, second(40))
    blindness.take(UP, second(50))
    again = blindness.before(A)
    assert again is not None
    assert again.blame == "link_down"
