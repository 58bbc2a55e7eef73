"""What a DAHDI span gives, on its way into the engine of a line: whole ticks, dropped by the buffer when nobody reads.

DAHDI says that it dropped octets (READ_OVERRUN), not how many. Its buffers were full then, so what was lost comes after
them; and how much, the clock tells: from then on everything comes by so much later. So it is after a silence, and after
a restart of ours. One arrival alone may be late itself, hence a few are weighed. No I/O, no clock.
"""

from collections import deque
from collections.abc import Sequence

from osrec_drivers.dahdi_abi import CHUNK, SpanAlarm
from osrec_drivers.e1.engine import Engine
from osrec_drivers.intake import FRAME, FRAME_NS, Intake, Limits
from osrec_drivers.line import Alarm, GapCause, Octets

_LIMITS = Limits(late=30_000_000)  # kernels that tick by a timer of 4 ms come up to 16 ms late
_TICK_NS = CHUNK * FRAME_NS
_WEIGHED = 16  # blocks behind a loss or a silence that show its length, 160 ms: the least late of them counts

# What we call what the board says, in this order: of those with a cause only the first stands.
_ALARMS = (
    (SpanAlarm.LOS, Alarm.LOS, GapCause.LOS),
    (SpanAlarm.BLUE, Alarm.AIS, GapCause.AIS),
    (SpanAlarm.LFA, Alarm.LOF, GapCause.LOF),
    (SpanAlarm.RED, Alarm.LOF, GapCause.LOF),  # no signal or no frames: not every board says which
    (SpanAlarm.NOT_OPEN, Alarm.LOF, GapCause.LOF),
    (SpanAlarm.YELLOW, Alarm.RAI, None),
    (SpanAlarm.LMFA, Alarm.LMFA, None),
)


def alarms_of(told: SpanAlarm) -> dict[Alarm, GapCause | None]:
    """The alarms of a line that the board's stand for. While it is recovering, its octets are good already."""
    found: dict[Alarm, GapCause | None] = {}
    for bit, alarm, cause in _ALARMS:
        if told & bit and (cause is None or not any(found.values())):
            found[alarm] = cause
    return found


def _least_late(behind: Sequence[tuple[Octets, int]]) -> int:
    """When the first of these blocks came, or would have come, had it been no later than any other."""
    frames = -(len(behind[0][0]) // FRAME)
    came = []
    for octets, at in behind:
        frames += len(octets) // FRAME
        came.append(at - frames * FRAME_NS)
    return min(came)


class SpanIntake(Intake):
    """Takes the blocks of a span, in their order."""

    def __init__(self, engine: Engine, buffers: int) -> None:
        super().__init__(engine, _LIMITS, writes_ts0=True)
        self.passed = 0  # frames that the board's clock has counted since the first block, as far as is known
        self._buffers = buffers
        self._blocks = 0
        self._losses: deque[int] = deque()  # number of the block before which octets were dropped
        self._behind: list[tuple[Octets, int]] | None = None  # blocks behind a loss, and when they came

    def overrun(self) -> None:
        """DAHDI has dropped octets: all its buffers were full, and what they hold is still in one piece."""
        self._losses.append(self._blocks + self._buffers)

    def block(self, frames: Octets, now: int, *, fresh: bool, lost: int = 0) -> None:
        """The next buffer of octets; `lost` others before it found no room. See `take`."""
        count = len(frames) // FRAME
        if lost:
            self.settle()
            self._blocks += lost
            self.passed += lost * count
        if self._losses and self._losses[0] <= self._blocks:
            self._losses.popleft()
            self.settle()
            self._behind = []
        elif self._behind is None and self._returns:
            self._behind = []
        self._blocks += 1
        self.passed += count
        if self._behind is None:
            fresh = fresh and not self._losses  # what lay in full buffers waited, all of it
            self.take(frames, now, fresh=fresh, lost=lost * count)
            return
        self._behind.append((frames, now))
        if len(self._behind) == _WEIGHED:
            self.settle()

    @property
    def _returns(self) -> bool:
        """Whether the next octets end a silence, or the time in which we were not there."""
        if self.first_arrival is None:
            return self.engine.resume is not None
        return self._silent

    def settle(self) -> None:
        """Place the blocks behind a loss or a silence where the clock says."""
        behind, self._behind = self._behind, None
        if not behind:
            return
        came = _least_late(behind)
        octets = behind[0][0]
        if self._returns:
            self.take(octets, came)
        else:
            late = self.delay(came, len(octets) // FRAME)
            lost = max(round(late / _TICK_NS), 0) * CHUNK
            self.passed += lost
            self.take(octets, came, fresh=False, lost=lost)
        for octets, at in behind[1:]:
            self.take(octets, at, fresh=False)

    def tick(self, now: int) -> None:
        if self._behind and now - self._behind[-1][1] > self._limits.silence:
            self.settle()
        super().tick(now)

    def gone(self) -> None:
        if self._behind:
            self.settle()
        self._losses.clear()
        super().gone()

    def told(self, told: SpanAlarm) -> None:
        """What the board says now of the line; of one that was gone it counts from its first octets on."""
        if Alarm.UNPLUGGED in self.alarms:
            return
        standing = alarms_of(told)
        for _, alarm, _ in _ALARMS:
            if alarm not in standing:
                self.alarm(alarm, False)
        for alarm, cause in standing.items():
            self.alarm(alarm, True, cause)
