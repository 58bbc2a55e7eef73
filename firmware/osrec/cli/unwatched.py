"""Times in which stations were not watched, as a person reads them: one line, and not one for each station."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from osrec.store.records import Blind

TOGETHER = timedelta(seconds=1)  # monitors are set one after the other: what is so close has the same cause


@dataclass(frozen=True, slots=True)
class Unwatched:
    """Stations, in ranges, none: all of them; from the first that was not watched until the last one was again."""

    stations: tuple[str, ...]
    since: datetime
    until: datetime
    cause: str
    detail: str | None

    @property
    def seconds(self) -> float:
        return (self.until - self.since).total_seconds()

    @property
    def whom(self) -> str:
        if not self.stations:
            return "all stations"
        one = len(self.stations) == 1 and "-" not in self.stations[0]
        return f"{'station' if one else 'stations'} {', '.join(self.stations)}"


def merged(blind: Iterable[Blind]) -> list[Unwatched]:
    """Spans of the same cause that overlap, or nearly so, as one; in order of time."""
    groups: list[list[Blind]] = []
    open_: dict[tuple[bool, str, str | None], tuple[list[Blind], datetime]] = {}
    for one in sorted(blind, key=lambda one: one.since):
        key = one.station is None, str(one.blame), one.detail
        group, until = open_.get(key, ([], one.since))
        if not group or one.since > until + TOGETHER:
            group, until = [], one.until
            groups.append(group)
        group.append(one)
        open_[key] = group, max(until, one.until)
    return [_unwatched(group) for group in groups]


def _unwatched(group: list[Blind]) -> Unwatched:
    stations = {one.station for one in group if one.station is not None}
    since, until = min(one.since for one in group), max(one.until for one in group)
    return Unwatched(tuple(ranges(stations)), since, until, str(group[0].blame), group[0].detail)


def ranges(numbers: Iterable[str]) -> list[str]:
    """3100, 3101, 3102, 3105 as 3100-3102, 3105."""
    found: list[tuple[str, str]] = []
    for number in sorted(set(numbers), key=lambda number: (len(number), number)):
        if found and _follows(found[-1][1], number):
            found[-1] = found[-1][0], number
        else:
            found.append((number, number))
    return [first if first == last else f"{first}-{last}" for first, last in found]


def _follows(before: str, number: str) -> bool:
    digits = before.isdecimal() and number.isdecimal() and len(before) == len(number)
    return digits and int(number) == int(before) + 1
