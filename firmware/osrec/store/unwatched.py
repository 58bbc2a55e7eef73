"""Stations that are not watched, as the journal tells of them: a run that is killed leaves them to the next.

What the ledger says of a blind span is written at its end, which a recorder that is killed does not see; its beginning
is written at once. A link that is down is told of in each line's anchor.
"""

from collections.abc import Iterable, Iterator

import structlog

from osrec.store.records import Record, Unwatched

MOST = 200  # stations in one record: small enough for any segment

_log = structlog.get_logger(__name__)


class UnwatchedStations:
    """Those that are not watched by what was read, or written, so far; records are taken in the order of writing."""

    def __init__(self, records: Iterable[Unwatched] = ()) -> None:
        self._by_station: dict[str, Unwatched] = {}  # the newest record of each, that it is watched again included
        for record in records:
            self.take(record)

    def __iter__(self) -> Iterator[Unwatched]:
        return iter(grouped(self._by_station.items()))

    def take(self, record: Record) -> None:
        """Take an Unwatched; nothing else tells of them."""
        if isinstance(record, Unwatched):
            self._by_station |= dict.fromkeys(record.stations, record)

    def fitting(self, octets: int) -> Iterator[Unwatched]:
        """All of them; of too many those that fit into so much of the journal."""
        for record in self:
            octets -= len(record.model_dump_json())
            if octets < 0:
                _log.error("too many stations are not watched: the next segment of the journal does not begin with all")
                return
            yield record

    def precede(self, older: "UnwatchedStations") -> None:
        """Take what was written before."""
        self._by_station = older._by_station | self._by_station


def grouped(spans: Iterable[tuple[str, Unwatched]]) -> list[Unwatched]:
    """As few records as may be of stations and what holds for each, leaving out those that are watched again."""
    groups: dict[tuple[object, ...], tuple[Unwatched, list[str]]] = {}
    for station, span in spans:
        if span.since is not None:
            groups.setdefault((span.since, span.blame, span.detail), (span, []))[1].append(station)
    return [one for span, stations in groups.values() for one in in_parts(span, stations)]


def in_parts(span: Unwatched, stations: list[str]) -> Iterator[Unwatched]:
    """The same of some stations, in records that are not too long."""
    for first in range(0, len(stations), MOST):
        yield span.model_copy(update={"stations": stations[first : first + MOST]})
