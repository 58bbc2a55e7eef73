"""Least delays of what a board gives, window by window, for e1.drift to find its clock's rate in."""

from osrec_drivers.e1 import drift

_SECOND = 1_000_000_000
_MOST = 64  # windows; then they become twice as long, and the oldest stays


class DriftWindows:
    """Delays against the far end's own count of time, both in ns."""

    def __init__(self) -> None:
        self._window = _SECOND
        self._points: list[tuple[int, int]] = []

    def note(self, nominal: int, delay: int) -> None:
        """By the far end's count it is `nominal`, and that came so late."""
        if self._points and self._points[-1][0] // self._window == nominal // self._window:
            if delay < self._points[-1][1]:
                self._points[-1] = (nominal, delay)
            return
        if len(self._points) == _MOST:
            pairs = zip(self._points[::2], self._points[1::2], strict=True)
            self._points = [min(pair, key=lambda point: point[1]) for pair in pairs]
            self._window *= 2
        self._points.append((nominal, delay))

    def restart(self) -> None:
        """Time stood still or was lost: what was noted does not fit what will be."""
        self._points.clear()
        self._window = _SECOND

    def ppm(self) -> float | None:
        """Parts per million that the far end is faster, None until there is enough to tell."""
        return drift.ppm(list(self._points))
