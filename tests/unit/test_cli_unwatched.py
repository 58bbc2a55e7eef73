"""`osrec ledger` says in a line who was not watched."""

from datetime import UTC, datetime, timedelta

from osrec.cli.unwatched import merged, ranges
from osrec.store.records import Blind

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def blind(station: str | None, since: float, until: float, detail: str | None = None) -> Blind:
    return Blind(
        station=station,
        since=NOON + timedelta(seconds=since),
        until=NOON + timedelta(seconds=until),
        blame="link_down",
        detail=detail,
    )


def test_stations_that_were_unwatched_together_are_one_line() -> None:
    (one,) = merged([blind("3101", 0.1, 0.8), blind("3100", 0.0, 0.5), blind("3105", 0.1, 1.5)])
    assert (one.whom, one.since, one.seconds) == ("stations 3100-3101, 3105", NOON, 1.5)


def test_what_is_apart_in_time_stays_apart() -> None:
    lines = merged([blind("3100", 0, 1), blind("3100", 10, 12)])
    assert [(line.whom, line.seconds) for line in lines] == [("station 3100", 1), ("station 3100", 2)]


def test_other_causes_and_all_stations_are_lines_of_their_own() -> None:
    lines = merged([blind(None, 0, 1), blind("3100", 0, 1), blind("3101", 0, 1, "its monitor was still to be set")])
    assert [line.whom for line in lines] == ["all stations", "station 3100", "station 3101"]


def test_a_long_span_covers_the_short_ones_after_it() -> None:
    (one,) = merged([blind("3100", 0, 60), blind("3101", 5, 6), blind("3102", 30, 31)])
    assert (one.whom, one.seconds) == ("stations 3100-3102", 60)


def test_ranges_join_numbers_of_one_length_only() -> None:
    assert ranges(["3100", "3099", "999", "1000", "3102", "+4912", "*13"]) == [
        "*13",
        "999",
        "1000",
        "3099-3100",
        "3102",
        "+4912",
    ]
