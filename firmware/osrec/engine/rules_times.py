"""Time profiles of the rules: office hours, nights, holidays; by the clock on the wall of the site."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Literal

Holidays = Literal["except", "only", "ignore"]
MIDNIGHT = time(0)
EVERY_DAY = frozenset(range(7))
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Calendar:
    """What the time profiles of a site have in common.

    Attributes:
        zone: of the site.
        dates: holidays of one year each.
        yearly: (month, day) of holidays of every year.
    """

    zone: tzinfo
    dates: frozenset[date] = frozenset()
    yearly: frozenset[tuple[int, int]] = frozenset()

    def is_holiday(self, day: date) -> bool:
        return day in self.dates or (day.month, day.day) in self.yearly

    def text(self) -> str:
        """The calendar in one line, the same for the same calendar."""
        yearly = (f"{month:02d}-{day:02d}" for month, day in sorted(self.yearly))
        return " ".join([str(self.zone), *map(str, sorted(self.dates)), *yearly])


@dataclass(frozen=True, slots=True)
class TimeProfile:
    """Some hours of some days.

    Attributes:
        weekdays: 0 is Monday. A span over midnight belongs to the day on which it begins, also after midnight.
        begin, end: local time; `end` is excluded. An `end` not after `begin` is on the next day.
        holidays: "except": not on holidays; "only": on holidays, whichever weekday; "ignore": they are days like any.
        inverted: whenever it would not be.
    """

    name: str
    calendar: Calendar
    weekdays: frozenset[int] = EVERY_DAY
    begin: time = MIDNIGHT
    end: time = MIDNIGHT
    holidays: Holidays = "except"
    inverted: bool = False
    _over_midnight: bool = field(init=False, repr=False, compare=False, default=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_over_midnight", self.end <= self.begin)

    def holds(self, at: datetime) -> bool:
        """Whether the profile holds at a moment (aware)."""
        local = at.astimezone(self.calendar.zone)
        return self._inside(local.date(), local.time()) != self.inverted

    def _inside(self, day: date, clock: time) -> bool:
        if not self._over_midnight:
            return self.begin <= clock < self.end and self._counts(day)
        if clock >= self.begin:
            return self._counts(day)
        return clock < self.end and self._counts(day - timedelta(days=1))

    def _counts(self, day: date) -> bool:
        holiday = self.calendar.is_holiday(day)
        match self.holidays:
            case "only":
                return holiday
            case "except":
                return not holiday and day.weekday() in self.weekdays
            case "ignore":
                return day.weekday() in self.weekdays

    def text(self) -> str:
        """The profile in one line, the same for the same profile."""
        days = ",".join(DAYS[day] for day in sorted(self.weekdays))
        parts = [self.name, days, f"{self.begin:%H:%M:%S}-{self.end:%H:%M:%S}", self.holidays, str(self.inverted)]
        return " ".join([*parts, self.calendar.text()])
