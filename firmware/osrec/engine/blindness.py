"""When was which station not watched? Calls that it had then were not seen, and the ledger must say so."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from osrec.csta import messages as link
from osrec.engine.coverage import Obstacle
from osrec.engine.messages import Noted, Started
from osrec.store.records import Blame, Blind, Unwatched
from osrec.store.unwatched import grouped, in_parts

WRITE_LINK = 60.0  # seconds after which a span that lasts is written so far
WRITE_STATION = 3600.0  # the same of a single station: there may be thousands


@dataclass(slots=True)
class _Span:
    since: datetime
    blame: Blame
    detail: str | None


class Blindness:
    """The spans that last now, of the whole link and of single stations.

    While the link is down nothing is said of single stations: nobody is watched. A span comes into the ledger when it
    is over; that it has begun is told at once (`changes`, `unlinked`), so that the next run knows of it after a kill.

    Args:
        monitored: stations that should be watched.
    """

    def __init__(self, monitored: Iterable[str]) -> None:
        self._monitored = tuple(sorted(monitored))
        self._link: _Span | None = None
        self._stations: dict[str, _Span] = {}
        self._hidden: dict[str, _Span] = {}  # the first since a station was seen last, of several in a row
        self._last: dict[str, _Span] = {}  # the same of one that is seen again
        self._awaited: set[str] = set()  # stations whose monitor runs, and whose calls are being asked for
        self._changed: dict[str, None] = {}  # stations whose span the journal does not have as it is, in order

    def started(self, event: Started, at: datetime) -> list[Noted]:
        """The recorder begins, without a link; before that it was not there at all: what it had not told is told."""
        alive = event.last_alive
        detail = None if alive is None else f"the recorder did not run from {alive:%Y-%m-%d %H:%M:%S} UTC on"
        self._link = _Span(min(event.unlinked or at, alive or at, at), "link_down", detail)
        for one in event.unwatched:
            for station in one.stations:
                self._hide(station, _Span(one.since or at, one.blame, one.detail))
        return self._all_over(self._link.since)

    @property
    def unlinked(self) -> datetime | None:
        """Since when there has been no link, as far as it is not written yet."""
        return None if self._link is None else self._link.since

    def take(self, event: link.Output, at: datetime) -> list[Noted]:
        """Follow what the link says."""
        match event:
            case link.LinkDown(reason, unheard):
                return self._link_down(reason, at, at - timedelta(seconds=unheard))
            case link.LinkUp():
                return self._link_up(at)
            case link.MonitorRunning(station):
                self._awaited.add(station)
                return []
            case link.MonitorRefused(station, error, licence):
                return self._unseen(station, "licence" if licence else "monitor", error, at)
            case link.MonitorLost(station):
                return self._unseen(station, "monitor", "the PBX ended the monitor", at)
            case link.EventsLost(station, reason):
                return self._events_lost(station, reason, at)
            case link.SnapshotTaken(station) | link.SnapshotMissing(station):
                return self._looked_at(station, at)
            case _:
                return []

    def before(self, station: str) -> Obstacle | None:
        """Why a call of this station that a snapshot finds was not seen before; None: it was watched all the time."""
        span = self._hidden.get(station) or self._last.get(station)
        if span is None:
            return None
        detail = f" ({span.detail})" if span.detail else ""
        return Obstacle(span.blame, f"it was in progress when it was found, since when is not known{detail}")

    def write_due(self, at: datetime) -> list[Noted]:
        """What has lasted long is written so far, and goes on."""
        noted: list[Noted] = []
        if self._link is not None and at - self._link.since >= timedelta(seconds=WRITE_LINK):
            noted += _note(None, self._link, at)
            self._link.since = at
        for station, span in self._stations.items():
            if at - span.since >= timedelta(seconds=WRITE_STATION):
                noted += _note(station, span, at)
                span.since = at
                self._changed[station] = None
        return noted

    def changes(self) -> list[Noted]:
        """What the journal must know of single stations, in case that nobody sees the end of it."""
        if not self._changed:
            return []
        changed, self._changed = list(self._changed), {}
        spans = [(one, self._stations[one]) for one in changed if one in self._stations]
        watched = [one for one in changed if one not in self._stations]
        hidden = grouped(
            (one, Unwatched(stations=[], since=span.since, blame=span.blame, detail=span.detail)) for one, span in spans
        )
        return [Noted(one) for one in (*hidden, *in_parts(Unwatched(stations=[]), watched))]

    def stop(self, at: datetime) -> list[Noted]:
        """The recorder ends: all that lasts, up to now."""
        spans = [(None, self._link)] if self._link is not None else list(self._stations.items())
        self._changed |= dict.fromkeys(self._stations)
        self._link, self._stations = None, {}
        return [noted for station, span in spans for noted in _note(station, span, at)]

    def _link_down(self, reason: str, at: datetime, since: datetime) -> list[Noted]:
        """`since`: what the PBX did from then on nobody told us."""
        noted = self._all_over(since)
        self._awaited.clear()
        if self._link is None:
            self._link = _Span(since, "link_down", reason)
        else:
            self._link.detail = self._link.detail or reason
        return noted

    def _link_up(self, at: datetime) -> list[Noted]:
        """From now on each station waits for its own monitor."""
        noted = _note(None, self._link, at) if self._link is not None else []
        self._link = None
        for station in self._monitored:
            if station not in self._stations:
                self._hide(station, _Span(at, "link_down", "its monitor was still to be set"))
        return noted

    def _hide(self, station: str, span: _Span) -> None:
        self._stations[station] = span
        self._changed[station] = None
        first = self._hidden.setdefault(station, span)
        if (first.blame, span.blame) == ("monitor", "licence"):  # why the PBX had ended it
            self._hidden[station] = span

    def _seen(self, station: str, at: datetime) -> list[Noted]:
        if station in self._hidden:
            self._last[station] = self._hidden.pop(station)
        return self._over(station, at)

    def _looked_at(self, station: str, at: datetime) -> list[Noted]:
        """We know of all its calls now, as far as the PBX tells; of a refused monitor that makes nothing good."""
        known = self._stations.get(station)
        if station not in self._awaited and (known is None or known.blame != "link_down"):
            return []
        self._awaited.discard(station)
        return self._seen(station, at)

    def _over(self, station: str, at: datetime) -> list[Noted]:
        span = self._stations.pop(station, None)
        if span is None:
            return []
        self._changed[station] = None
        return _note(station, span, at)

    def _unseen(self, station: str, blame: Blame, detail: str, at: datetime) -> list[Noted]:
        known = self._stations.get(station)
        self._awaited.discard(station)
        if self._link is not None or (known is not None and known.blame == blame):
            return []
        noted = self._over(station, at)
        self._hide(station, _Span(at, blame, detail))
        return noted

    def _events_lost(self, station: str, reason: str, at: datetime) -> list[Noted]:
        """Until the snapshot that follows; what was lost came before, but nobody knows how long before."""
        for one in [station] if station else self._monitored:
            if self._link is None and one not in self._stations:
                self._hide(one, _Span(at, "link_down", f"events were lost: {reason}"))
        return []

    def _all_over(self, at: datetime) -> list[Noted]:
        return [noted for station in list(self._stations) for noted in self._over(station, at)]


def _note(station: str | None, span: _Span, at: datetime) -> list[Noted]:
    if at <= span.since:
        return []
    return [Noted(Blind(station=station, since=span.since, until=at, blame=span.blame, detail=span.detail))]
