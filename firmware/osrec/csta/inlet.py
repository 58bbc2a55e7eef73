"""The queue between the socket, which is always read, and the logic, which takes its time."""

from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

Source = TypeVar("Source")

MOST_OCTETS = 64 << 20  # waiting at a time, whatever their number


@dataclass(frozen=True, slots=True)
class Waiting(Generic[Source]):
    """A frame that came from `source` at `since`; no frame: the source came to its end, for `reason`."""

    source: Source
    since: float
    frame: bytes | None
    reason: str = ""


class Inlet(Generic[Source]):
    """A bounded queue. When it is full, what comes is dropped and counted until half of it is done with.

    Attributes:
        full: what comes now is dropped.
        dropped: frames, since construction.
        deepest: the most that waited at a time, since construction.
    """

    def __init__(self, most: int, most_octets: int = MOST_OCTETS) -> None:
        self.full = False
        self.dropped = 0
        self.deepest = 0
        self._most = most
        self._most_octets = most_octets
        self._octets = 0
        self._waiting: deque[Waiting[Source]] = deque()
        self._dropped_since = 0

    @property
    def depth(self) -> int:
        return len(self._waiting)

    @property
    def most(self) -> int:
        return self._most

    def put(self, source: Source, frame: bytes, now: float) -> bool:
        """Queue a frame; False when it was dropped."""
        if self.full or len(self._waiting) >= self._most or self._octets + len(frame) > self._most_octets:
            self.full = True
            self.dropped += 1
            self._dropped_since += 1
            return False
        self._octets += len(frame)
        self._waiting.append(Waiting(source, now, frame))
        self.deepest = max(self.deepest, len(self._waiting))
        return True

    def end(self, source: Source, reason: str, now: float) -> None:
        """The source's end comes behind all its frames, and always has room."""
        self._waiting.append(Waiting(source, now, None, reason))

    def take(self) -> Waiting[Source]:
        """The oldest; there must be one."""
        waiting = self._waiting.popleft()
        self._octets -= len(waiting.frame or b"")
        return waiting

    def relieved(self) -> int:
        """Frames dropped while it was full, once, when it has room again; else 0."""
        if not self.full or len(self._waiting) > self._most // 2 or self._octets > self._most_octets // 2:
            return 0
        self.full = False
        dropped, self._dropped_since = self._dropped_since, 0
        return dropped
