"""The far end's clock against ours, from when its packets arrived."""

from collections.abc import Sequence
from statistics import median

_LEAST_POINTS = 5  # a second each at first


def ppm(points: Sequence[tuple[int, int]]) -> float | None:
    """Parts per million that the far end is faster, None until there is enough to tell.

    Args:
        points: (time by the far end's count, least delay of arrival beyond it), both in ns, one a window of time.

    The median of the slopes between all pairs (Theil and Sen): one window in four may be wrong and nothing shows.
    """
    inner = points[:-1]  # the last window is still filling
    if len(inner) < _LEAST_POINTS:
        return None
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for i, a in enumerate(inner) for b in inner[i + 1 :]]
    return -1e6 * median(slopes)
