"""Error performance of a line in both directions: errored, severely errored and unavailable seconds, G.826.

A block is a CRC-4 sub-multiframe, 1000 a second; without CRC-4 a wrong frame alignment signal stands for one. The near
end is what arrives here, the far end what the far end says of what arrives there (E and A bits). No clock is read and
nothing is kept on disk here: seconds come in, bins of a quarter of an hour and of a day go out.
"""

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

QUARTER = timedelta(minutes=15)
DAY = timedelta(days=1)
QUARTERS_KEPT = 96  # besides the current one: a day of them
DAYS_KEPT = 1  # besides the current one


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When a second is severely errored and time unavailable; equipment differs, so all of it can be set."""

    blocks: int = 1000  # a second: CRC-4 sub-multiframes of 1 ms, G.704 2.3.3
    ses_share: float = 0.30  # of the blocks in error make a second severe, G.826; 0.805 and 0.832 are in use, too
    ses_fas: int = 28  # without CRC-4, wrong FAS: what a bit error ratio of 1e-3 makes of their 28,000 bits a second
    unavailable: int = 10  # severe seconds in a row begin unavailable time, G.826 annex A
    available: int = 10  # other seconds in a row end it, G.826 annex A

    def __post_init__(self) -> None:
        if not 0 < self.ses_share <= 1:
            raise ValueError(f"ses_share = {self.ses_share}: a share of the blocks, above 0 up to 1 [G.826]")
        for name in ("blocks", "ses_fas", "unavailable", "available"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} = {getattr(self, name)}: 1 or more")


@dataclass(frozen=True, slots=True)
class Second:
    """One second of one direction.

    Attributes:
        errors: errored blocks; without CRC-4 wrong FAS.
        defect: no signal, no frames, all ones, no packets; of the far end: RAI. For how short a time does not matter.
        crc4: whether `errors` are CRC-4 blocks.
    """

    errors: int = 0
    defect: bool = False
    crc4: bool = True

    def severe(self, thresholds: Thresholds) -> bool:
        least = thresholds.ses_share * thresholds.blocks if self.crc4 else thresholds.ses_fas
        return self.defect or self.errors >= least


@dataclass(frozen=True, slots=True)
class Counts:
    """Of one direction in one bin. `seconds` are those that were seen: fewer than the bin has while nobody looked."""

    seconds: int = 0
    es: int = 0  # errored seconds of available time, the severe ones among them
    ses: int = 0  # severely errored seconds of available time
    bbe: int = 0  # background block errors: outside severe seconds and unavailable time
    uas: int = 0  # unavailable seconds

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.seconds + other.seconds,
            self.es + other.es,
            self.ses + other.ses,
            self.bbe + other.bbe,
            self.uas + other.uas,
        )

    def __sub__(self, other: "Counts") -> "Counts":
        return self + Counts(-other.seconds, -other.es, -other.ses, -other.bbe, -other.uas)


@dataclass(frozen=True, slots=True)
class Bin:
    """What was counted from `start` (UTC, on the quarter or at midnight) on."""

    start: datetime
    near: Counts = Counts()
    far: Counts = Counts()


@dataclass(frozen=True, slots=True)
class Kept:
    """All that a restart must not lose."""

    quarters: tuple[Bin, ...] = ()  # oldest first, the current one last
    days: tuple[Bin, ...] = ()
    near_available: bool = True
    far_available: bool = True


@dataclass(slots=True)
class _Filling:
    """A bin that may still change: even when its time is over, seconds in it may turn out to be unavailable."""

    start: datetime
    counts: dict[str, Counts] = field(default_factory=lambda: {"near": Counts(), "far": Counts()})

    def bin(self) -> Bin:
        return Bin(self.start, self.counts["near"], self.counts["far"])


@dataclass(frozen=True, slots=True)
class _Counted:
    """A second with the bins that it was counted in."""

    errors: int
    severe: bool
    bins: tuple[_Filling, ...]

    def counts(self, available: bool) -> Counts:
        if not available:
            return Counts(1, uas=1)
        return Counts(1, int(self.severe or self.errors > 0), int(self.severe), 0 if self.severe else self.errors)


class Direction:
    """Tells available from unavailable time, and corrects the bins of the seconds that decided it.

    Attributes:
        available: whether the time now is.
    """

    def __init__(self, name: str, thresholds: Thresholds, *, available: bool = True) -> None:
        self.available = available
        self._name = name
        self._thresholds = thresholds
        self._against: list[_Counted] = []  # seconds in a row that speak against `available`

    def take(self, second: Second, bins: tuple[_Filling, ...]) -> None:
        counted = _Counted(second.errors, second.severe(self._thresholds), bins)
        self._add(counted, counted.counts(self.available))
        if counted.severe is not self.available:
            self._against.clear()
            return
        self._against.append(counted)
        if len(self._against) == (self._thresholds.unavailable if self.available else self._thresholds.available):
            self._turn()

    def _turn(self) -> None:
        """The seconds that decided it belong to the new state already, G.826 annex A."""
        for counted in self._against:
            self._add(counted, counted.counts(not self.available) - counted.counts(self.available))
        self.available = not self.available
        self._against.clear()

    def _add(self, counted: _Counted, counts: Counts) -> None:
        for one in counted.bins:
            one.counts[self._name] += counts


class _Bins:
    """The bin of now and some before it."""

    def __init__(self, period: timedelta, kept: int, earlier: tuple[Bin, ...]) -> None:
        self._period = period
        self._span = kept * period
        self._bins: deque[_Filling] = deque()
        self._bins.extend(_Filling(one.start, {"near": one.near, "far": one.far}) for one in earlier)

    def at(self, at: datetime) -> _Filling:
        """The bin for a second then. A clock that was put back by less than a bin goes on with the newest one; by more,
        the newer ones were of a wrong clock."""
        midnight = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        start = midnight + (at - midnight) // self._period * self._period
        while self._bins and self._bins[-1].start > start + self._period:
            self._bins.pop()
        if not self._bins or self._bins[-1].start < start:
            self._bins.append(_Filling(start))
        while self._bins[0].start < start - self._span:
            self._bins.popleft()
        return self._bins[-1]

    def told(self) -> tuple[Bin, ...]:
        return tuple(one.bin() for one in self._bins)


class Performance:
    """Counts of one line.

    Args:
        kept: from `kept` of an earlier run.
    """

    def __init__(self, thresholds: Thresholds | None = None, kept: Kept | None = None) -> None:
        self.thresholds = thresholds or Thresholds()
        kept = kept or Kept()
        self._quarters = _Bins(QUARTER, QUARTERS_KEPT, kept.quarters)
        self._days = _Bins(DAY, DAYS_KEPT, kept.days)
        self._near = Direction("near", self.thresholds, available=kept.near_available)
        self._far = Direction("far", self.thresholds, available=kept.far_available)

    def take(self, near: Second, far: Second | None, at: datetime) -> None:
        """Count the second that ends at `at`; `far` None: what the far end said could not be read."""
        began = at - timedelta(seconds=1)
        bins = (self._quarters.at(began), self._days.at(began))
        self._near.take(near, bins)
        if far is not None:
            self._far.take(far, bins)

    @property
    def near_available(self) -> bool:
        return self._near.available

    @property
    def far_available(self) -> bool:
        return self._far.available

    def quarters(self) -> tuple[Bin, ...]:
        """Oldest first; the current one, not full yet, is the last."""
        return self._quarters.told()

    def days(self) -> tuple[Bin, ...]:
        """The same of days, which begin at midnight UTC."""
        return self._days.told()

    def kept(self) -> Kept:
        return Kept(self.quarters(), self.days(), self.near_available, self.far_available)
