"""The rules as the configuration says them, ready to decide."""

from datetime import UTC, datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

from osrec.config_rules import CalendarSection, RuleSection, RulesPart, TimesSection
from osrec.engine.rules import Rule, RuleSet
from osrec.engine.rules_conditions import Groups, Keys, Names
from osrec.engine.rules_times import Calendar, TimeProfile
from osrec.numbers import Patterns

LOCAL_ZONE = Path("/etc/localtime")


def build_rules(part: RulesPart, loaded: datetime | None = None) -> RuleSet:
    """Rules in order; `loaded`: when they were read."""
    calendar = build_calendar(part.calendar)
    times = {one.name: _profile(one, calendar) for one in part.times}
    groups = {one.name: Patterns(one.stations) for one in part.groups}
    return RuleSet([_rule(one, groups, times) for one in part.rules], loaded)


def build_calendar(section: CalendarSection) -> Calendar:
    zone = _local_zone() if section.zone == "local" else ZoneInfo(section.zone)
    return Calendar(zone, section.dates, section.yearly)


def _local_zone() -> tzinfo:
    """The machine's; one that says nothing keeps UTC."""
    try:
        name = LOCAL_ZONE.resolve().as_posix().partition("/zoneinfo/")[2]
        with LOCAL_ZONE.open("rb") as file:
            return ZoneInfo.from_file(file, key=name or "local")
    except (OSError, ValueError):
        return UTC


def _profile(section: TimesSection, calendar: Calendar) -> TimeProfile:
    begin, end = section.span
    return TimeProfile(section.name, calendar, section.days, begin, end, section.holidays, section.inverted)


def _rule(section: RuleSection, groups: dict[str, Patterns], times: dict[str, TimeProfile]) -> Rule:
    def patterns(entries: list[str] | None) -> Patterns | None:
        return None if entries is None else Patterns(entries)

    def members(entries: list[str] | None) -> Groups | None:
        return None if entries is None else Groups({name: groups[name] for name in entries})

    def names(entries: list[str] | None) -> Names | None:
        return None if entries is None else Names(entries)

    def keys(entries: list[str] | None) -> Keys | None:
        return None if entries is None else Keys(entries)

    def profiles(entries: list[str] | None) -> tuple[TimeProfile, ...] | None:
        return None if entries is None else tuple(times[name] for name in entries)

    return Rule(
        section.name,
        section.action,
        stations=patterns(section.stations),
        numbers=patterns(section.numbers),
        directions=None if section.direction is None else frozenset(section.direction),
        groups=members(section.groups),
        names=names(section.names),
        trunks=patterns(section.trunks),
        accounts=patterns(section.accounts),
        digits=keys(section.digits),
        times=profiles(section.times),
        percentage=section.percentage,
        not_stations=patterns(section.not_stations),
        not_groups=members(section.not_groups),
        not_numbers=patterns(section.not_numbers),
        not_names=names(section.not_names),
        not_trunks=patterns(section.not_trunks),
        not_accounts=patterns(section.not_accounts),
        not_digits=keys(section.not_digits),
        not_times=profiles(section.not_times),
        priority=section.priority,
    )
