"""Whether the keeper makes progress. It tells nobody itself when it hangs, or is stopped."""

import threading
from collections.abc import Callable
from pathlib import Path

from osrec.engine.alarms import AlarmCleared, AlarmRaised, Severity
from osrec.store.progress import stamp

STILL_AFTER = 60.0  # seconds; it gives a sign of life every few, and making the file of a long call keeps it from that
LOOK_EVERY = 2.0  # seconds
_KEY = "keeper"


class KeeperWatch:
    """Measures by the monotonic clock since when its sign of life has not changed: no step of the wall clock counts."""

    def __init__(self) -> None:
        self._stamp: int | None = None
        self._since: float | None = None

    def seen(self, stamp: int | None, now: float) -> None:
        if self._since is None or stamp != self._stamp:
            self._stamp, self._since = stamp, now

    def silent(self, now: float) -> float | None:
        """Seconds without progress; None before the first look."""
        return None if self._since is None else now - self._since

    def alarm(self, now: float) -> AlarmRaised | AlarmCleared:
        silent = self.silent(now)
        if silent is None or silent < STILL_AFTER:
            return AlarmCleared(_KEY)
        text = f"the keeper has made no progress for {silent:.0f} s: what ends is in the journal only, which fills"
        return AlarmRaised(_KEY, Severity.MAJOR, text)


def look_at_keeper(data: Path, tell: Callable[[int | None], None]) -> threading.Event:
    """Look at its sign of life again and again; set what is returned to end that.

    In a thread, in which `tell` is called: a disk that hangs must not stop the recorder, nor its end.
    """
    ended = threading.Event()

    def look() -> None:
        while True:
            tell(stamp(data))
            if ended.wait(LOOK_EVERY):
                return

    threading.Thread(target=look, name="keeper watch", daemon=True).start()
    return ended
