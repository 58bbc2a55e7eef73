"""When was which station not watched? Calls that it had then were not seen, and the ledger must say so."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from osrec.csta import messages as link
from osrec.engine.coverage import Obstacle
from osrec.engine.messages import Noted
from osrec.store.records import Blame, Blind

WRITE_LINK = 60.0  # seconds after which a span that lasts is written so far: what a crash may cost
WRITE_STATION = 3600.0  # the same of a single station: there may be thousands


@dataclass(slots=True)
class _Span:
    since: datetime
    blame: Blame
    detail: str | None


class Blindness:
    """The spans that last now, of the whole link and of single stations.

    While the link is down nothing is said of single stations: nobody is watched.

    Args:
        monitored: stations that should be watched.
    """

    def __init__(self, monitored: Iterable[str]) -> None:
        self._monitored = tuple(monitored)
        self._link: _Span | None = None
        self._stations: dict[str, _Span] = {}
        self._last: dict[str, _Span] = {}  # that was over, by station

    def started(self, last_alive: datetime | None, at: datetime) -> None:
        """The recorder begins, without a link; before that it was not there at all."""
        detail = None if last_alive is None else f"the recorder did not run from {last_alive:%Y-%m-%d %H:%M:%S} UTC on"
        self._link = _Span(min(last_alive or at, at), "link_down", detail)

    def take(self, event: link.Output, at: datetime) -> list[Noted]:
        """Follow what the link says."""
        match event:
            case link.LinkDown(reason):
                return self._link_down(reason, at)
            case link.LinkUp():
                return self._link_up(at)
            case link.MonitorRunning(station):
                return self._seen(station, at)
            case link.MonitorRefused(station, error, licence):
                return self._unseen(station, "licence" if licence else "monitor", error, at)
            case link.MonitorLost(station):
                return self._unseen(station, "monitor", "the PBX ended the monitor", at)
            case link.EventsLost(station, reason):
                return self._events_lost(station, reason, at)
            case link.SnapshotTaken(station):
                known = self._stations.get(station)
                return self._seen(station, at) if known is not None and known.blame == "link_down" else []
            case _:
                return []

    def before(self, station: str) -> Obstacle | None:
        """Why a call of this station that a snapshot finds was not seen before; None: it was watched all the time."""
        span = self._stations.get(station) or self._last.get(station)
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
        return noted

    def stop(self, at: datetime) -> list[Noted]:
        """The recorder ends: all that lasts, up to now."""
        spans = [(None, self._link)] if self._link is not None else list(self._stations.items())
        self._link, self._stations = None, {}
        return [noted for station, span in spans for noted in _note(station, span, at)]

    def _link_down(self, reason: str, at: datetime) -> list[Noted]:
        noted = self._all_seen(at)
        if self._link is None:
            self._link = _Span(at, "link_down", reason)
        else:
            self._link.detail = self._link.detail or reason
        return noted

    def _link_up(self, at: datetime) -> list[Noted]:
        """From now on each station waits for its own monitor."""
        noted = _note(None, self._link, at) if self._link is not None else []
        self._link = None
        for station in self._monitored:
            self._stations.setdefault(station, _Span(at, "link_down", "its monitor was still to be set"))
        return noted

    def _seen(self, station: str, at: datetime) -> list[Noted]:
        span = self._stations.pop(station, None)
        if span is not None:
            self._last[station] = span
        return _note(station, span, at) if span is not None else []

    def _unseen(self, station: str, blame: Blame, detail: str, at: datetime) -> list[Noted]:
        known = self._stations.get(station)
        if self._link is not None or (known is not None and known.blame == blame):
            return []
        noted = self._seen(station, at)
        self._stations[station] = _Span(at, blame, detail)
        return noted

    def _events_lost(self, station: str, reason: str, at: datetime) -> list[Noted]:
        """Until the snapshot that follows; what was lost came before, but nobody knows how long before."""
        for one in [station] if station else self._monitored:
            if self._link is None and one not in self._stations:
                self._stations[one] = _Span(at, "link_down", f"events were lost: {reason}")
        return []

    def _all_seen(self, at: datetime) -> list[Noted]:
        return [noted for station in list(self._stations) for noted in self._seen(station, at)]


def _note(station: str | None, span: _Span, at: datetime) -> list[Noted]:
    if at <= span.since:
        return []
    return [Noted(Blind(station=station, since=span.since, until=at, blame=span.blame, detail=span.detail))]
