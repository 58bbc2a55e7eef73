"""Time profiles: the clock on the wall of the site, over midnight, summer time and holidays."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from osrec.engine.rules_times import Calendar, TimeProfile

BERLIN = ZoneInfo("Europe/Berlin")
CALENDAR = Calendar(BERLIN, frozenset({date(2026, 4, 3)}), frozenset({(12, 25)}))
WEEK = frozenset(range(5))


def at(text: str) -> datetime:
    """A time of the wall in Berlin."""
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC)


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        ("2026-11-23T08:00", True),  # a Monday
        ("2026-11-23T07:59:59", False),
        ("2026-11-23T17:29:59", True),
        ("2026-11-23T17:30", False),
        ("2026-11-22T12:00", False),  # a Sunday
        ("2026-04-03T12:00", False),  # Good Friday, in the list
        ("2026-12-25T12:00", False),  # every year
        ("2030-12-25T12:00", False),
        ("2027-04-02T12:00", True),  # Friday; the holiday of 2026 was of that year only
        ("2026-07-01T08:00", True),  # summer time
    ],
)
def test_office_hours_are_those_on_the_wall_of_the_site(when: str, holds: bool) -> None:
    office = TimeProfile("office", CALENDAR, WEEK, time(8), time(17, 30))
    assert office.holds(at(when)) is holds
    assert TimeProfile("not", CALENDAR, WEEK, time(8), time(17, 30), inverted=True).holds(at(when)) is not holds


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        ("2026-11-27T22:00", True),  # Friday evening
        ("2026-11-28T05:59", True),  # what began on Friday
        ("2026-11-28T06:00", False),
        ("2026-11-28T22:00", False),  # Saturday is no day of it
        ("2026-11-30T03:00", False),  # began on Sunday
        ("2026-12-25T23:00", False),
        ("2026-12-26T03:00", False),  # began on a holiday
    ],
)
def test_a_night_belongs_to_the_day_on_which_it_begins(when: str, holds: bool) -> None:
    assert TimeProfile("night", CALENDAR, WEEK, time(22), time(6)).holds(at(when)) is holds


def test_holidays_may_be_meant_or_ignored() -> None:
    christmas = at("2026-12-25T12:00")
    sunday = at("2026-11-22T12:00")
    only = TimeProfile("holidays", CALENDAR, WEEK, holidays="only")
    assert only.holds(christmas)
    assert not only.holds(sunday)
    assert TimeProfile("days", CALENDAR, WEEK, holidays="ignore").holds(christmas)


def test_without_from_and_to_it_is_the_whole_day() -> None:
    day = TimeProfile("monday", CALENDAR, frozenset({0}))
    assert day.holds(at("2026-11-23T00:00"))
    assert day.holds(at("2026-11-23T23:59:59"))
    assert not day.holds(at("2026-11-24T00:00"))
