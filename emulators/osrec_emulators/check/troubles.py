"""What was out of order at a time, asked by kind, station and line; the recorder's way back afterwards included."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence

from osrec_emulators.check.outages import Outage
from osrec_emulators.check.spans import Span, overlaps, union

AROUND = 2.0  # seconds: a recorder asks, waits for an answer, tries another pair
SETTLED = 1.0  # seconds after a station is monitored again until its snapshot is taken
RECOVERY = 5.0  # seconds after an outage until a recorder has found its way back: association, monitors, snapshots
_RECOVERIES = {"monitor": SETTLED, "licence": SETTLED}  # they end when the station is monitored again
_OF_ALL = ("link", "recorder")
_OF_STATIONS = ("monitor", "licence")


class Troubles:
    """The outages, in order."""

    def __init__(self, outages: Sequence[Outage]) -> None:
        spans: dict[tuple[str, str | None], list[Span]] = defaultdict(list)
        for each in outages:
            recovery = _RECOVERIES.get(each.what, RECOVERY)
            spans[each.what, each.station].append((each.span[0] - AROUND, each.span[1] + recovery))
        self._spans = {key: union(each) for key, each in spans.items()}
        self._lines = [each for each in outages if each.what == "line"]
        self._blind: dict[str | None, list[Span]] = {}
        links = [each.span for each in outages if each.what == "link"]
        self.first_link = min(links, default=None)

    def out(self, span: Span, *kinds: str, station: str | None = None) -> bool:
        """Whether one of these was out of order then, or a moment before; of a station, that of all counts, too."""
        return any(hits(self._spans.get((kind, whose), ()), span) for kind in kinds for whose in {None, station})

    def unwatched(self, span: Span, station: str) -> bool:
        """Nobody told the recorder of all that the station did then."""
        return self.out(span, *_OF_ALL, *_OF_STATIONS, station=station)

    def blind(self, station: str | None) -> list[Span]:
        """When a station could not be watched."""
        if station not in self._blind:
            keys = [(kind, None) for kind in (*_OF_ALL, *_OF_STATIONS)] + [(kind, station) for kind in _OF_STATIONS]
            self._blind[station] = union(span for key in keys for span in self._spans.get(key, ()))
        return self._blind[station]

    def line_out(self, lines: Iterable[str], span: Span) -> bool:
        """Whether one of these lines gave nothing good at that time, its way back not counted."""
        whose = {None, *lines}
        return any(each.line in whose and overlaps(each.span, span) for each in self._lines)


def hits(spans: Sequence[Span], moment: Span) -> bool:
    """Whether one of the spans, which are in order, has a moment in common with it."""
    at = bisect_right(spans, (moment[1], float("inf")))
    return at > 0 and spans[at - 1][1] >= moment[0]
