"""Notes when nobody watched: no client, a station without monitor, answers owed. The lines of outages.jsonl."""

import json
from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Seen:
    """The CAP server at one moment.

    Attributes:
        associated: who is, by address.
        monitored: devices that somebody monitors.
        exhausted: there is no licence left.
        owes: somebody waits for answers without which he cannot watch his stations.
    """

    associated: Set[str]
    monitored: Set[str]
    exhausted: bool
    owes: bool = False


@dataclass(slots=True)
class _Unwatched:
    """A station without monitor. `licence`: there was none left meanwhile."""

    since: float
    licence: bool


class Watch:
    """Compares what it is shown with what was shown before.

    Args:
        stations: that may be monitored.
        wall: PBX time to UTC.
        write: takes each line, with its newline.
    """

    def __init__(
        self, stations: Iterable[str], wall: Callable[[float], datetime], write: Callable[[str], object]
    ) -> None:
        self._stations = frozenset(stations)
        self._wall = wall
        self._write = write
        self._down: float | None = 0.0
        self._associated: Set[str] = frozenset()
        self._unwatched: dict[str, _Unwatched] = {}
        self._owes_since: float | None = None
        self._looked = 0.0

    def look(self, seen: Seen, now: float) -> None:
        """Take a look, the next one after the last."""
        if self._associated and not self._associated & seen.associated:
            self._link_lost(self._looked)
        if self._down is not None and seen.associated:
            self._note("link", self._down, now)
            self._down = None
        if self._down is None:
            self._monitors(seen, now)
        self._answers(owes=seen.owes, now=now)
        self._associated = seen.associated
        self._looked = now

    def close(self, now: float) -> None:
        """The PBX ends: from now on there is no link."""
        self._answers(owes=False, now=now)
        since = self._down
        if since is None:
            self._link_lost(now)
            since = now
        self._note("link", since, None)

    def _link_lost(self, now: float) -> None:
        """Whoever was there is gone, and with it all monitors."""
        for station, unwatched in self._unwatched.items():
            self._note(_kind(unwatched), unwatched.since, now, station)
        self._unwatched.clear()
        self._down = now

    def _monitors(self, seen: Seen, now: float) -> None:
        lacking = self._stations - seen.monitored
        for station in self._unwatched.keys() - lacking:
            unwatched = self._unwatched.pop(station)
            self._note(_kind(unwatched), unwatched.since, now, station)
        for station in lacking:
            unwatched = self._unwatched.setdefault(station, _Unwatched(now, seen.exhausted))
            unwatched.licence |= seen.exhausted

    def _answers(self, *, owes: bool, now: float) -> None:
        if owes and self._owes_since is None:
            self._owes_since = self._looked
        elif not owes and self._owes_since is not None:
            self._note("answer", self._owes_since, now)
            self._owes_since = None

    def _note(self, what: str, since: float, until: float | None, station: str | None = None) -> None:
        row = {"what": what, "from": self._iso(since), "to": None if until is None else self._iso(until)}
        self._write(json.dumps(row | ({} if station is None else {"station": station})) + "\n")

    def _iso(self, now: float) -> str:
        return self._wall(now).isoformat(timespec="milliseconds")


def _kind(unwatched: _Unwatched) -> str:
    return "licence" if unwatched.licence else "monitor"
