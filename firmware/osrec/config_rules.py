"""The rules part of the configuration: [[rules]], [[groups]], [[times]], [calendar]; described in docs/rules.md.

It stands in the recorder's own file or in one of its own that `rules_file` names, so that it can be changed by somebody
else and reloaded.
"""

import re
from collections.abc import Iterator
from datetime import date, time
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails, InitErrorDetails

from osrec.config_values import MisplacedError, Section, each_pattern

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
YEARLY = re.compile(r"(\d\d)-(\d\d)")
LEAP_YEAR = 2024  # has every day that there can be
LAST_MINUTE = "24:00"
CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d|24:00")


KEYS = re.compile(r"[0-9*#A-D?]+")


def _keys(entries: list[str]) -> list[str]:
    for number, entry in enumerate(entries):
        if not KEYS.fullmatch(entry):
            text = f"{entry!r} are no keys; write them as they are pressed, such as *95: 0-9, *, #, A-D; ? is any one"
            raise MisplacedError(text, number)
    return entries


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
    digits: list[str] | None = None
    times: list[str] | None = None
    percentage: Annotated[float, Field(ge=0, le=100)] | None = None
    not_stations: Numbers = None
    not_groups: list[str] | None = None
    not_numbers: Numbers = None
    not_names: list[str] | None = None
    not_trunks: Numbers = None
    not_accounts: Numbers = None
    not_digits: list[str] | None = None
    not_times: list[str] | None = None

    @field_validator(
        "stations", "numbers", "trunks", "accounts", "not_stations", "not_numbers", "not_trunks", "not_accounts"
    )
    @classmethod
    def _check(cls, value: Numbers) -> Numbers:
        return value if value is None else each_pattern(value)

    @field_validator("digits", "not_digits")
    @classmethod
    def _check_digits(cls, value: list[str] | None) -> list[str] | None:
        return value if value is None else _keys(value)

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

    @model_validator(mode="wrap")
    @classmethod
    def _names_fit(cls, content: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Looked at in what was written: so they are told in the same run as faults of the sections themselves."""
        misfits = [
            InitErrorDetails(type="value_error", loc=(), input=content, ctx={"error": misfit})
            for misfit in _misfits(content)
        ]
        try:
            part = handler(content)
        except ValidationError as error:
            misfits = [*map(_again, error.errors()), *misfits]
        if misfits:
            raise ValidationError.from_exception_data(cls.__name__, misfits)
        return part


def _again(fault: ErrorDetails) -> InitErrorDetails:
    """A fault that was found, to be told once more."""
    return InitErrorDetails(type=fault["type"], loc=fault["loc"], input=fault["input"], ctx=fault.get("ctx", {}))


def _misfits(content: Any) -> Iterator[MisplacedError]:
    """Names that are used twice, and those of groups and times that there are not; whatever else is wrong."""
    for what in ("rules", "groups", "times"):
        seen: set[str] = set()
        for number, name in _named(content, what):
            if name in seen:
                yield MisplacedError(f"the name {name!r} is used twice; give each its own", what, number, "name")
            seen.add(name)
    for number, rule in _sections(content, "rules"):
        for what in ("groups", "times"):
            known = {name for _, name in _named(content, what)}
            for key in (what, f"not_{what}"):
                yield from (
                    MisplacedError(_unknown(name, what, known), "rules", number, key, place)
                    for place, name in enumerate(_list(rule.get(key)))
                    if isinstance(name, str) and name not in known
                )


def _unknown(name: str, what: str, known: set[str]) -> str:
    there = ", ".join(sorted(known)) or "none at all"
    return f"{name!r} is not among [[{what}]]; there is {there}"


def _named(content: Any, what: str) -> Iterator[tuple[int, str]]:
    for number, section in _sections(content, what):
        if isinstance(name := section.get("name"), str):
            yield number, name


def _sections(content: Any, what: str) -> Iterator[tuple[int, dict[str, Any]]]:
    sections = enumerate(_list(content.get(what) if isinstance(content, dict) else None))
    return ((number, section) for number, section in sections if isinstance(section, dict))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
