"""Seconds of an open line, for its error performance: by sample number, so that none is counted twice or forgotten."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from osrec_drivers.e1.performance import Performance, Second
from osrec_drivers.line import FRAME_RATE, Alarm, AlarmChange, Gap, GapCause, Line, LineCounters

BLOCK_FRAMES = 8  # a CRC-4 sub-multiframe, G.704 2.3.3
LONGEST = 60  # seconds that one look may find: the ring holds little more, and nobody knows what was before
DROPPED = (GapCause.PACKET_LOSS, GapCause.OVERRUN)  # they spoil the blocks that they take, and are no defect


class Meter:
    """Looks at one line once a second and counts what it finds.

    Gaps tell of each second alone. Counters tell of all since the last look: after a stall they are shared out evenly
    among its seconds.
    """

    def __init__(self, line: Line, performance: Performance) -> None:
        self.performance = performance
        self._line = line
        self._from: int | None = None  # first sample that is not counted yet
        self._counters = LineCounters()
        self._rai = False  # stood at some time since the last look

    def hear(self, change: AlarmChange) -> None:
        """An alarm changed: an RAI that came and went between two looks counts, too."""
        self._rai |= change.alarm is Alarm.RAI and change.raised

    def look(self, at: datetime) -> None:
        """Count the whole seconds of samples that have come since the last look; the last of them ends at `at`."""
        status = self._line.status()
        if self._from is None:
            self._from, self._counters = status.head, status.counters
            return
        seconds = (status.head - self._from) // FRAME_RATE
        if seconds < 1:
            return
        if seconds > LONGEST:
            self._from += (seconds - LONGEST) * FRAME_RATE
            seconds = LONGEST
        crc4 = status.crc_multiframe
        near = _errors(status.counters, self._counters, crc4)
        far = status.counters.remote_crc_errors - self._counters.remote_crc_errors
        rai = self._rai or Alarm.RAI in status.alarms
        for number, (here, there) in enumerate(
            zip(_shared(near, seconds), _shared(far, seconds), strict=True), start=1 - seconds
        ):
            gaps = self._line.gaps(self._from, FRAME_RATE)
            self._from += FRAME_RATE
            if any(gap.cause is GapCause.NOT_LISTENING for gap in gaps):
                continue
            defect = any(gap.cause not in DROPPED for gap in gaps)
            lost = _blocks_lost(gaps)
            self.performance.take(
                Second(here + lost, defect, crc4 or lost > 0),
                None if defect else Second(there, rai, crc4),
                at + timedelta(seconds=number),
            )
        self._counters, self._rai = status.counters, False


def _errors(now: LineCounters, before: LineCounters, crc4: bool) -> int:
    return now.crc_errors - before.crc_errors if crc4 else now.fas_errors - before.fas_errors


def _blocks_lost(gaps: Sequence[Gap]) -> int:
    return sum(-(-gap.count // BLOCK_FRAMES) for gap in gaps if gap.cause in DROPPED)


def _shared(errors: int, seconds: int) -> Iterator[int]:
    """Errors of several seconds, of which nobody looked at the single ones, shared out evenly."""
    whole, more = divmod(errors, seconds)
    return (whole + (number < more) for number in range(seconds))
