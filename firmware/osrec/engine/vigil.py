"""Would the PBX tell us that a station's call is over?"""

from collections.abc import Iterable

from osrec.csta import messages as link
from osrec.engine.coverage import Obstacle
from osrec.store.records import Blame

TOLD = (  # what comes of the PBX's own words, and never since it says nothing
    link.LinkUp
    | link.MonitorLost
    | link.MonitorRunning
    | link.Reported
    | link.ServiceAnswered
    | link.SnapshotTaken
    | link.StatusChanged
)


class Vigil:
    """What is known of the link and of each station's monitor, and which stations the PBX was asked for.

    Args:
        monitored: the stations that should be.

    Attributes:
        up_since: when the link came up last.
        told: when the PBX last told us anything.
    """

    def __init__(self, monitored: Iterable[str]) -> None:
        self._monitored = frozenset(monitored)
        self.up_since = 0.0
        self.told = 0.0
        self._up = False
        self._unmonitored: dict[str, float] = {}  # and since when
        self._why: dict[str, Obstacle] = {}  # they were not, when that was told last
        self._unconfirmed: set[str] = set()  # no snapshot since the link came up
        self._unheard_of: set[str] = set()  # nor an event
        self._seen_since: dict[str, float] = {}  # the last snapshot
        self._unseen_since: dict[str, float] = {}  # of one that is not watched now
        self._seen_until: dict[str, float] = {}  # before the last snapshot
        self._inquiries: dict[object, str] = {}  # stations by token of the request

    def take(self, event: link.Output, now: float) -> None:
        """Follow what the link says."""
        lost = isinstance(event, link.ServiceAnswered) and isinstance(event.outcome, link.Lost)
        if isinstance(event, TOLD) and not lost:
            self.told = now
        match event:
            case link.LinkUp():
                self._up, self.up_since = True, now
                self._unmonitored.clear()  # each is asked for anew
                self._unconfirmed, self._unheard_of = set(self._monitored), set(self._monitored)
            case link.LinkDown():
                self._up = False
                self._unseen_since = dict.fromkeys(self._monitored, now) | self._unseen_since
            case link.SnapshotTaken(station):
                self._seen_until[station] = self._unseen_since.pop(station, now)
                self._seen_since[station] = now
                self._unconfirmed.discard(station)
                self._unheard_of.discard(station)
            case link.Reported(station):
                self._unheard_of.discard(station)
            case link.MonitorRunning(station):
                self._unmonitored.pop(station, None)
            case link.MonitorRefused(station, error, licence):
                self._lacks(station, "licence" if licence else "monitor", error, now)
            case link.MonitorLost(station):
                self._lacks(station, "monitor", "the PBX ended the monitor", now)
            case _:
                pass

    def blind(self, station: str) -> bool:
        """Nobody would tell us that the station's call is over: only its audio does."""
        return not self._up or station in self._unmonitored or station in self._unconfirmed

    def _lacks(self, station: str, blame: Blame, why: str, now: float) -> None:
        self._unmonitored.setdefault(station, now)
        self._unseen_since.setdefault(station, now)
        self._why[station] = Obstacle(blame, f"station {station} is not monitored: {why}")

    def blind_since(self, station: str) -> float:
        """Since when, of one that is blind while the link is up; silence before that was no call that is over."""
        return max(self.up_since, self._unmonitored.get(station, self.up_since))

    def unmonitored(self, station: str) -> Obstacle | None:
        """Why the station has no monitor, None when it has one: without one nobody tells what becomes of its call."""
        return self._why[station] if station in self._unmonitored else None

    def seen_since(self, station: str) -> float:
        """Since when we were told of all that the station did; of one that is not blind."""
        return max(self.up_since, self._seen_since.get(station, 0.0))

    def watched(self, station: str, since: float, until: float) -> list[tuple[float, float]]:
        """When of that time we were told what the station did; of one that is not blind, and but for the last time."""
        seen = self.seen_since(station)
        gone = min(self._seen_until.get(station, seen), seen)
        pieces = (
            [(since, min(gone, until)), (max(seen, since), until)]
            if since < gone < seen
            else [(max(seen, since), until)]
        )
        return [(begin, end) for begin, end in pieces if begin < end]

    def stale(self, station: str) -> bool:
        """The link is up again, and nothing has been heard of the station since: its calls may be over."""
        return station in self._unheard_of

    def asked(self, station: str, token: object) -> None:
        """The PBX was asked for the station's calls."""
        self._inquiries[token] = station

    def asking(self, station: str) -> bool:
        return station in self._inquiries.values()

    def answered(self, token: object) -> str | None:
        """The station that an answer is about; None when we did not ask."""
        return self._inquiries.pop(token, None)
