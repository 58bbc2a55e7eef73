"""Who talks, should be recorded and is not, from when to when, and what is to blame: nothing may be missing here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from osrec.store.records import Blame, Missed


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a station is not recorded now.

    Attributes:
        text: the same for people.
        shortage: it is the want of a pair: who gets one misses nothing for it any more.
    """

    blame: Blame
    text: str
    shortage: bool = False


@dataclass(slots=True)
class Gap:
    """A span in which a station talked and was not recorded; without `obstacle` the fork is just being set up."""

    station: str
    since: float
    at: datetime
    obstacle: Obstacle | None
    until: float | None = None

    @property
    def blame(self) -> Blame | None:
        return self.obstacle.blame if self.obstacle is not None else None

    @property
    def seconds(self) -> float:
        """How long it lasted; of no length while it lasts."""
        return (self.until or self.since) - self.since

    @property
    def missed(self) -> Missed:
        """As it is told when it is over."""
        return Missed(
            station=self.station,
            since=self.at,
            until=self.at + timedelta(seconds=self.seconds),
            blame="requested_late" if self.obstacle is None else self.obstacle.blame,
            detail=None if self.obstacle is None else self.obstacle.text,
        )


class Coverage:
    """The gaps of one conversation.

    Args:
        before: what was missed before the recorder was started.

    Attributes:
        closed: gaps that are over, in the order in which they ended.
    """

    def __init__(self, before: Iterable[Missed] = ()) -> None:
        self.before = list(before)
        self.closed: list[Gap] = []
        self._open: dict[str, Gap] = {}

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
            else:
                self._close(station, now)
                self._begin(station, obstacle, now, at)

    def mark(self, station: str, obstacle: Obstacle, since: float, at: datetime, until: float | None = None) -> None:
        """Something was missed, from `since` to `until`; None: before `since`, how much is not known."""
        self.closed.append(Gap(station, since, at, obstacle, since if until is None else until))

    def excuse(self, obstacle: Obstacle, since: float) -> None:
        """What lasts for that reason began after `since`: it hindered nothing, the set-up took as long as it takes."""
        for gap in self._open.values():
            if gap.obstacle == obstacle and gap.since >= since:
                gap.obstacle = None

    def reblame(self, blame: Blame, obstacle: Obstacle, since: float, at: datetime) -> list[str]:
        """What lasts for that blame lasts for another reason since then; the stations."""
        stations = [station for station, gap in self._open.items() if gap.blame == blame]
        for station in stations:
            gap = self._open[station]
            if gap.since >= since:
                gap.obstacle = obstacle
            else:
                self._close(station, since)
                self._begin(station, obstacle, since, at)
        return stations

    def absorb(self, other: "Coverage") -> None:
        """Take over those of a conversation that turned out to be part of this one."""
        self.before += other.before
        self.closed += other.closed
        for station, gap in other._open.items():
            mine = self._open.get(station)
            if mine is None or gap.since < mine.since:
                self._open[station] = gap

    def conclude(self, now: float, *, recorded: bool, late_after: float) -> list[Missed]:
        """All gaps, the conversation being over; a set-up that took no longer than it may is none."""
        self.close(now)
        gaps = [gap for gap in self.closed if gap.obstacle is not None or not recorded or gap.seconds > late_after]
        return [*self.before, *(gap.missed for gap in _apart(gaps))]

    def close(self, now: float) -> None:
        """All that lasts is over."""
        for station in list(self._open):
            self._close(station, now)

    def _begin(self, station: str, obstacle: Obstacle | None, now: float, at: datetime) -> None:
        self._open[station] = Gap(station, now, at, obstacle)

    def _close(self, station: str, now: float) -> None:
        gap = self._open.pop(station)
        gap.until = max(gap.since, now)
        self.closed.append(gap)


def _apart(gaps: list[Gap]) -> list[Gap]:
    """In order, no moment twice: two conversations that became one may have had gaps of a station at the same time.

    One that goes on where another one ended, for the same reason, is part of it.
    """
    apart: list[Gap] = []
    last: dict[str, Gap] = {}
    for gap in sorted(gaps, key=lambda gap: (gap.since, gap.station)):
        until, before = gap.until or gap.since, last.get(gap.station)
        reached = gap.since if before is None else before.until or before.since
        since = max(gap.since, reached)
        if before is not None and until <= since:
            continue
        if before is not None and since == reached and gap.obstacle is not None and before.obstacle == gap.obstacle:
            before.until = until
            continue
        last[gap.station] = Gap(gap.station, since, gap.at + timedelta(seconds=since - gap.since), gap.obstacle, until)
        apart.append(last[gap.station])
    return apart
