"""Who talks, should be recorded and is not, from when to when, and what is to blame: nothing may be missing here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from osrec.store.records import Blame, Missed


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a station is not recorded now.

    Attributes:
        text: the same for people.
        since: when it began, where that was before it was noticed; monotonic.
    """

    blame: Blame
    text: str
    since: float | None = None


@dataclass(slots=True)
class Gap:
    """A span in which a station talked and was not recorded; without `obstacle` the fork is just being set up."""

    station: str
    since: float
    at: datetime
    obstacle: Obstacle | None
    until: float | None = None


class Coverage:
    """The gaps of one conversation."""

    def __init__(self) -> None:
        self._open: dict[str, Gap] = {}
        self._closed: list[Gap] = []

    @property
    def open(self) -> Mapping[str, Gap]:
        """Those that last, by station."""
        return self._open

    def update(self, uncovered: Mapping[str, Obstacle | None], now: float, at: datetime) -> None:
        """`uncovered`: stations that should be recorded now and are not, with the reason, None: it is being set up."""
        for station in [station for station in self._open if station not in uncovered]:
            self._close(station, now)
        for station, obstacle in uncovered.items():
            gap = self._open.get(station)
            if gap is None:
                self._begin(station, obstacle, now, at)
            elif gap.obstacle is None or (obstacle is not None and gap.obstacle.blame == obstacle.blame):
                gap.obstacle = obstacle  # what hinders the set-up is to blame for all of it
            elif obstacle is not None:
                self._close(station, now)
                self._begin(station, obstacle, now, at)

    def mark(self, station: str, obstacle: Obstacle, now: float, at: datetime) -> None:
        """Something was missed before now, how much is not known."""
        self._closed.append(Gap(station, now, at, obstacle, now))

    def absorb(self, other: "Coverage") -> None:
        """Take over those of a conversation that turned out to be part of this one."""
        self._closed += other._closed
        for station, gap in other._open.items():
            mine = self._open.get(station)
            if mine is None or gap.since < mine.since:
                self._open[station] = gap

    def conclude(self, now: float, *, recorded: bool, late_after: float) -> list[Missed]:
        """All gaps, the conversation being over; a set-up that took no longer than it may is none."""
        for station in list(self._open):
            self._close(station, now)
        gaps = [gap for gap in self._closed if gap.obstacle is not None or not recorded or _seconds(gap) > late_after]
        return [_missed(gap) for gap in _apart(gaps)]

    def _begin(self, station: str, obstacle: Obstacle | None, now: float, at: datetime) -> None:
        since = now if obstacle is None or obstacle.since is None else obstacle.since
        self._open[station] = Gap(station, since, at - timedelta(seconds=now - since), obstacle)

    def _close(self, station: str, now: float) -> None:
        gap = self._open.pop(station)
        gap.until = max(gap.since, now)
        self._closed.append(gap)


def _apart(gaps: list[Gap]) -> list[Gap]:
    """In order, no moment twice: two conversations that became one may have had gaps of a station at the same time."""
    apart: list[Gap] = []
    reached: dict[str, float] = {}
    for gap in sorted(gaps, key=lambda gap: (gap.since, gap.station)):
        since, until = max(gap.since, reached.get(gap.station, gap.since)), gap.until or gap.since
        if until > since or gap.station not in reached:
            apart.append(Gap(gap.station, since, gap.at + timedelta(seconds=since - gap.since), gap.obstacle, until))
            reached[gap.station] = until
    return apart


def _seconds(gap: Gap) -> float:
    return (gap.until or gap.since) - gap.since


def _missed(gap: Gap) -> Missed:
    return Missed(
        station=gap.station,
        since=gap.at,
        until=gap.at + timedelta(seconds=_seconds(gap)),
        blame="requested_late" if gap.obstacle is None else gap.obstacle.blame,
        detail=None if gap.obstacle is None else gap.obstacle.text,
    )
