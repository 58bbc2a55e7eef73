"""The rules part of the configuration: [[rules]], [[groups]], [[times]], [calendar]; described in docs/rules.md.

It stands in the recorder's own file or in one of its own that `rules_file` names, so that it can be changed by somebody
else and reloaded.
"""

import re
from collections.abc import Iterator
from datetime import date, time
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import ConfigDict, Field, field_validator, model_validator

from osrec.config_values import MisplacedError, Section, each_pattern

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
YEARLY = re.compile(r"(\d\d)-(\d\d)")
LEAP_YEAR = 2024  # has every day that there can be
LAST_MINUTE = "24:00"
CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d|24:00")


def _not_empty(entries: list[str]) -> list[str]:
    for number, entry in enumerate(entries):
        if not entry.strip():
            raise MisplacedError(f'{entry!r} is no name; write part of one with *, such as "*meier*"', number)
    return entries


class CalendarSection(Section):
    """Time zone and holidays of the site."""

    zone: str = "local"  # of the machine
    holidays: list[str] = []

    @field_validator("zone")
    @classmethod
    def _known(cls, value: str) -> str:
        if value == "local":
            return value
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError(
                'no such time zone; write one like "Europe/Berlin", or "local" for the machine\'s'
            ) from None
        return value

    @field_validator("holidays", mode="before")
    @classmethod
    def _plain(cls, value: object) -> object:
        """TOML has dates of its own, which may be written without quotes."""
        return [str(one) if isinstance(one, date) else one for one in value] if isinstance(value, list) else value

    @field_validator("holidays")
    @classmethod
    def _days(cls, value: list[str]) -> list[str]:
        for number, entry in enumerate(value):
            try:
                _holiday(entry)
            except ValueError:
                text = f"{entry!r} is no holiday; write 2026-04-03 for one day, 12-25 for a day of every year"
                raise MisplacedError(text, number) from None
        return value

    @property
    def dates(self) -> frozenset[date]:
        return frozenset(found for entry in self.holidays if isinstance(found := _holiday(entry), date))

    @property
    def yearly(self) -> frozenset[tuple[int, int]]:
        return frozenset(found for entry in self.holidays if isinstance(found := _holiday(entry), tuple))


def _holiday(entry: str) -> date | tuple[int, int]:
    """A day, or the month and day of one that comes every year. Raises ValueError."""
    yearly = YEARLY.fullmatch(entry)
    if yearly is None:
        return date.fromisoformat(entry)
    day = date(LEAP_YEAR, int(yearly[1]), int(yearly[2]))
    return day.month, day.day


class GroupSection(Section):
    """A named set of stations."""

    name: Annotated[str, Field(min_length=1)]
    stations: Annotated[list[str], Field(min_length=1)]

    @field_validator("stations")
    @classmethod
    def _check(cls, value: list[str]) -> list[str]:
        return each_pattern(value)


class TimesSection(Section):
    """A named time profile."""

    model_config = ConfigDict(populate_by_name=True)

    name: Annotated[str, Field(min_length=1)]
    weekdays: Annotated[list[str], Field(min_length=1)] = ["mon-sun"]
    begin: str = Field("00:00", alias="from")
    end: str = Field(LAST_MINUTE, alias="to")
    holidays: Literal["except", "only", "ignore"] = "except"
    inverted: bool = False

    @field_validator("begin", "end")
    @classmethod
    def _check_clock(cls, value: str) -> str:
        if not CLOCK.fullmatch(value):
            raise ValueError("no time of day; write 08:00, and 24:00 for the end of the day")
        return value

    @field_validator("weekdays")
    @classmethod
    def _check_days(cls, value: list[str]) -> list[str]:
        for number, entry in enumerate(value):
            first, dash, last = entry.partition("-")
            if first not in DAYS or (dash and last not in DAYS):
                text = f"{entry!r} is no day; write one of {', '.join(DAYS)}, or a span like mon-fri"
                raise MisplacedError(text, number)
        return value

    @model_validator(mode="after")
    def _a_time_that_exists(self) -> Self:
        if self.begin == LAST_MINUTE:
            raise MisplacedError("a day begins at 00:00; 24:00 is its end", "from")
        return self

    @property
    def days(self) -> frozenset[int]:
        return frozenset(day for entry in self.weekdays for day in _days(entry))

    @property
    def span(self) -> tuple[time, time]:
        """Its end at 24:00 is the 0:00 of the next day."""
        return time.fromisoformat(self.begin), time() if self.end == LAST_MINUTE else time.fromisoformat(self.end)


def _days(entry: str) -> Iterator[int]:
    """Of "fri-mon" too."""
    first, _, last = entry.partition("-")
    day, end = DAYS.index(first), DAYS.index(last or first)
    while day != end:
        yield day
        day = (day + 1) % 7
    yield day


Numbers = list[str] | None


class RuleSection(Section):
    """One rule; the first that matches decides."""

    name: Annotated[str, Field(min_length=1)]
    action: Literal["record", "never", "on_demand"]
    priority: Annotated[int, Field(ge=-100, le=100)] = 0
    stations: Numbers = None
    groups: list[str] | None = None
    numbers: Numbers = None
    names: list[str] | None = None
    direction: list[Literal["in", "out", "internal", "unknown"]] | None = None
    trunks: Numbers = None
    accounts: Numbers = None
    times: list[str] | None = None
    percentage: Annotated[float, Field(ge=0, le=100)] | None = None
    not_stations: Numbers = None
    not_groups: list[str] | None = None
    not_numbers: Numbers = None
    not_names: list[str] | None = None
    not_trunks: Numbers = None
    not_accounts: Numbers = None
    not_times: list[str] | None = None

    @field_validator(
        "stations", "numbers", "trunks", "accounts", "not_stations", "not_numbers", "not_trunks", "not_accounts"
    )
    @classmethod
    def _check(cls, value: Numbers) -> Numbers:
        return value if value is None else each_pattern(value)

    @field_validator("names", "not_names")
    @classmethod
    def _check_names(cls, value: list[str] | None) -> list[str] | None:
        return value if value is None else _not_empty(value)

    @model_validator(mode="after")
    def _no_empty_list(self) -> Self:
        for key in type(self).model_fields:
            if getattr(self, key) == []:
                raise MisplacedError(f"[] names nothing; leave {key} out, or name what it is about", key)
        return self


class RulesPart(Section):
    """All that can be reloaded."""

    rules: Annotated[list[RuleSection], Field(min_length=1)]
    groups: list[GroupSection] = []
    times: list[TimesSection] = []
    calendar: CalendarSection = CalendarSection()

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        for what in ("rules", "groups", "times"):
            seen: set[str] = set()
            for number, section in enumerate(getattr(self, what)):
                if section.name in seen:
                    raise MisplacedError(
                        f"the name {section.name!r} is used twice; give each its own", what, number, "name"
                    )
                seen.add(section.name)
        for number, rule in enumerate(self.rules):
            for what in ("groups", "times"):
                self._references(number, rule, what)
        return self

    def _references(self, number: int, rule: RuleSection, what: str) -> None:
        known = {section.name for section in getattr(self, what)}
        for key in (what, f"not_{what}"):
            for place, name in enumerate(getattr(rule, key) or ()):
                if name not in known:
                    there = ", ".join(sorted(known)) or "none at all"
                    text = f"{name!r} is not among [[{what}]]; there is {there}"
                    raise MisplacedError(text, "rules", number, key, place)
