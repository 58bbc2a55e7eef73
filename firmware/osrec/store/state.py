"""What the journal tells about itself, and why it may refuse a recording."""

from dataclasses import dataclass
from enum import StrEnum

from osrec.errors import StoreError


class JournalFullError(StoreError):
    """No new recording: the space left is kept for those that run."""


class Condition(StrEnum):
    OK = "ok"
    FAILED_OVER = "failed_over"  # a disk failed; the journal goes on in a new segment, on the spare if there is one
    FULL = "full"  # new recordings are refused, running ones go on
    STOPPED = "stopped"  # nothing can be written: audio waits in memory and is lost after a minute


@dataclass(frozen=True, slots=True)
class JournalState:
    """The journal at one moment.

    Attributes:
        accepts_new: whether a recording may be opened.
        capacity_seconds: how long what runs now can go on, counting the space from which segments could still be made.
        free_segments: written ahead, on all directories.
        directory: where the journal is written now; "" before it began.
        recordings: running or not yet written to their end.
        bytes_written: since the start of the process, to the kernel.
        commit_seconds: the latest and the longest commit.
        committed: monotonic seconds of the latest commit; the audio before it is safe.
        failures: disk errors survived since the start.
        error: the latest of them, or why the journal stands still; None when there was none.
    """

    condition: Condition
    accepts_new: bool
    capacity_seconds: float
    free_segments: int
    directory: str
    recordings: int
    bytes_written: int
    commit_seconds: float
    longest_commit_seconds: float
    committed: float
    failures: int
    error: str | None
