"""What was out of order at a time, asked by kind, station and line; the recorder's way back afterwards included."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence

from osrec_emulators.check.outages import Outage
from osrec_emulators.check.spans import Span, overlaps, padded, union
from osrec_emulators.check.times import Times

NOTED = 0.3  # seconds by which outages.jsonl may be off: whoever writes it looks ten times a second
ABSENT = frozenset({"not_listening", "recorder_restart"})  # causes of gaps that say that the recorder did not run
_OF_ALL = ("link", "recorder")
_OF_STATIONS = ("monitor", "licence")


class Troubles:
    """The outages, in order. Where one ends the recorder needs a moment: for snapshots, for a look at its lines."""

    def __init__(self, outages: Sequence[Outage], times: Times | None = None) -> None:
        self._settled = (times or Times()).settled
        spans: dict[tuple[str, str | None], list[Span]] = defaultdict(list)
        for each in outages:
            spans[each.what, each.station].append((each.span[0] - NOTED, each.span[1] + self._settled))
        self._spans = {key: union(each) for key, each in spans.items()}
        self._owed = union(
            (since, until + NOTED) for each in outages if each.what == "answer" for since, until in [each.span]
        )
        self._lines = [each for each in outages if each.what == "line"]
        self._blind: dict[str | None, list[Span]] = {}
        self._links = union(each.span for each in outages if each.what in _OF_ALL)
        self.first_link = min((each.span for each in outages if each.what == "link"), default=None)

    def out(self, span: Span, *kinds: str, station: str | None = None) -> bool:
        """Whether one of these was out of order then, or a moment before; of a station, that of all counts, too."""
        return any(hits(self._spans.get((kind, whose), ()), span) for kind in kinds for whose in {None, station})

    def unwatched(self, span: Span, station: str) -> bool:
        """Nobody told the recorder of all that the station did then."""
        return hits(self.blind(station), span)

    def blind(self, station: str | None) -> list[Span]:
        """When a station could not be watched."""
        if station not in self._blind:
            keys = [(kind, None) for kind in (*_OF_ALL, *_OF_STATIONS)] + [(kind, station) for kind in _OF_STATIONS]
            spans = union(span for key in keys for span in self._spans.get(key, ()))
            self._blind[station] = union([*spans, *self._awaited(spans)])
        return self._blind[station]

    def _awaited(self, spans: Sequence[Span]) -> list[Span]:
        """Where the PBX owes answers when an outage ends, the recorder waits for them, one after the other."""
        return [
            (since, end + self._settled)
            for since, until in spans
            for begin, end in self._owed
            if since <= begin <= until < end + self._settled
        ]

    def spans(self, what: str, station: str | None) -> list[Span]:
        """Of one kind, of a station and of all."""
        return [span for whose in {None, station} for span in self._spans.get((what, whose), ())]

    def relinked(self, station: str) -> list[Span]:
        """When the link was down, or up again and the station not watched yet for that reason."""
        links = [span for what in ("link", "recorder", "answer") for span in self.spans(what, None)]
        follow = (each for each in self.spans("monitor", station) if any(overlaps(each, link) for link in links))
        return union([*links, *follow])

    def told_at(self, at: float, station: str) -> float:
        """When the recorder was told of what happened to the station then, had it been told of nothing else."""
        found = [until for since, until in self.blind(station) if since <= at < until]
        return max(found, default=at)

    def quiet_for(self, at: float, seconds: float, line: str | None) -> float:
        """When silence that began then had lasted for so long without a break.

        It tells nothing while the link is down, for lack of which nobody can act on it, and while the line brings
        nothing: what does not arrive is no silence.
        """
        began = at
        broken = [each.span for each in self._lines if each.line in (None, line)]
        for since, until in union([*self._links, *broken]):
            if since < began + seconds and until > began:
                began = until
        return began + seconds

    def line_out(self, lines: Iterable[str] | None = None) -> list[Span]:
        """When one of these lines, None: of all, gave nothing good."""
        whose = None if lines is None else {None, *lines}
        return union(padded((each.span for each in self._lines if whose is None or each.line in whose), NOTED))


def absences(outages: Sequence[Outage], settled: float) -> list[Span]:
    """When the recorder was away, until it has asked where its ports are: the PBX may have them in calls all the while.

    Which call's audio they carry, nobody can tell it before.
    """
    down = [each.span for each in outages if each.what == "link"]
    return union(
        (
            each.span[0] - settled,
            max((end for since, end in down if overlaps((since, end), each.span)), default=each.span[1]) + settled,
        )
        for each in outages
        if each.what == "recorder"
    )


def hits(spans: Sequence[Span], moment: Span) -> bool:
    """Whether one of the spans, which are in order, has a moment in common with it."""
    at = bisect_right(spans, (moment[1], float("inf")))
    return at > 0 and spans[at - 1][1] >= moment[0]
