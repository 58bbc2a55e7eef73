"""How many messages came in the last minute, and how long each took: a histogram a second, no list of samples."""

from dataclasses import dataclass

SECONDS = 60
_OCTAVES, _STEPS = 34, 4  # from 1 us to hours, four steps to the octave: within 19 %


@dataclass(frozen=True, slots=True)
class Flow:
    """The last minute. Times in seconds, None when nothing came; percentiles are the upper end of their step."""

    per_second: float
    p50: float | None
    p99: float | None
    longest: float | None


class Delays:
    """Counts by second and by delay; what is older than a minute is forgotten."""

    def __init__(self) -> None:
        self._counts = [[0] * (_OCTAVES * _STEPS) for _ in range(SECONDS)]
        self._longest = [0.0] * SECONDS
        self._seconds = [-SECONDS] * SECONDS  # which second each row is of
        self._began: int | None = None

    def add(self, now: float, delay: float) -> None:
        """A message that had arrived `delay` before was done with at `now`."""
        second = int(now)
        row = second % SECONDS
        if self._seconds[row] != second:
            self._seconds[row] = second
            self._counts[row] = [0] * (_OCTAVES * _STEPS)
            self._longest[row] = 0.0
            self._began = second if self._began is None else self._began
        self._counts[row][_step(delay)] += 1
        self._longest[row] = max(self._longest[row], delay)

    def flow(self, now: float) -> Flow:
        second = int(now)
        rows = [row for row in range(SECONDS) if second - SECONDS < self._seconds[row] <= second]
        counts = [sum(column) for column in zip(*(self._counts[row] for row in rows), strict=True)]
        total = sum(counts)
        if not total or self._began is None:
            return Flow(0.0, None, None, None)
        covered = min(max(now - self._began, 1.0), SECONDS)
        longest = max(self._longest[row] for row in rows)
        p50, p99 = (min(_percentile(counts, total, share), longest) for share in (0.5, 0.99))
        return Flow(total / covered, p50, p99, longest)


def _step(delay: float) -> int:
    micro = max(int(delay * 1e6), 0)
    octave = micro.bit_length()
    if octave < 3:
        return micro
    return min(octave * _STEPS + (micro >> octave - 3 & 3), _OCTAVES * _STEPS - 1)


def _percentile(counts: list[int], total: int, share: float) -> float:
    left = total * share
    for step, count in enumerate(counts):
        left -= count
        if left <= 0:
            return _upper(step)
    return _upper(len(counts) - 1)


def _upper(step: int) -> float:
    """The longest delay that falls into the step."""
    octave, part = divmod(step, _STEPS)
    if octave < 3:
        return (step + 1) * 1e-6
    return ((4 + part + 1) << octave - 3) * 1e-6
