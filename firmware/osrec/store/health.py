"""How writing the journal goes: its commits, its failures, and what they come to."""

from osrec.store.journal import Journal
from osrec.store.space import Space
from osrec.store.state import Condition, JournalState

FAILURE_SHOWN = 600.0  # seconds: a disk that failed and goes on is worth a look for so long


class Health:
    """Of one run of the writer.

    Attributes:
        stopped: nothing can be written for now.
        committed: when the last commit returned, monotonic.
    """

    def __init__(self, now: float, problem: str | None) -> None:
        """`problem`: a directory that could not be taken at the start."""
        self.stopped = False
        self.committed = now
        self._commit_seconds = self._longest = 0.0
        self._failures, self._error = int(problem is not None), problem
        self._failed_at = None if problem is None else now

    def commit(self, now: float, seconds: float) -> None:
        """A commit returned after so many seconds."""
        self.committed, self.stopped = now, False
        self._commit_seconds, self._longest = seconds, max(self._longest, seconds)

    def fail(self, error: str, now: float) -> None:
        self._failures += 1
        self._error, self._failed_at = error, now

    def condition(self, *, accepts_new: bool, away: bool, now: float) -> Condition:
        """`away`: the journal is not written to its first directory."""
        if self.stopped:
            return Condition.STOPPED
        if not accepts_new:
            return Condition.FULL
        recent = self._failed_at is not None and now - self._failed_at < FAILURE_SHOWN
        return Condition.FAILED_OVER if away or recent else Condition.OK

    def state(self, condition: Condition, space: Space, journal: Journal, recordings: int) -> JournalState:
        return JournalState(
            condition,
            space.accepts_new and not self.stopped,
            space.capacity_seconds,
            space.free_segments,
            str(journal.segment.directory) if journal.segment else "",
            recordings,
            journal.bytes_written,
            self._commit_seconds,
            self._longest,
            self.committed,
            self._failures,
            self._error or space.error,
        )
