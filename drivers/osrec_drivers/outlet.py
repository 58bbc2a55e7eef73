"""Frames that wait for a board to send them, at the board's own pace.

No I/O, no clock: `now` is CLOCK_MONOTONIC in ns. Whoever serves the board takes as many frames as it wants next.
"""

import threading
from collections import deque
from dataclasses import dataclass

from osrec_drivers.errors import LineError
from osrec_drivers.line import FRAME_RATE, IDLE, Octets

FRAME = 32  # octets
FRAME_NS = 125_000
ROOM = 8 * FRAME_RATE  # frames that may wait
STALE_NS = 250_000_000  # later than that a frame with a time is not worth sending: what follows would be late, too


@dataclass(slots=True)
class _Batch:
    octets: memoryview
    due: int | None


class Outlet:
    """Frames in the order in which they were given. May be used from any thread.

    Attributes:
        sent: frames of them taken.
        unsent: frames passed over because their time was long over.
    """

    def __init__(self) -> None:
        self.sent = 0
        self.unsent = 0
        self._waiting: deque[_Batch] = deque()
        self._queued = 0
        self._lock = threading.Lock()

    @property
    def queued(self) -> int:
        """Frames that wait."""
        return self._queued

    def put(self, frames: Octets, due: int | None) -> None:
        """See Line.transmit. Raises ValueError for half a frame, LineError when there is no room."""
        count, rest = divmod(len(frames), FRAME)
        if rest:
            raise ValueError(f"{len(frames)} octets: frames are {FRAME} octets each [G.704 2.3.1]")
        with self._lock:
            if due is not None:
                while self._waiting and self._queued + count > ROOM:
                    self._pass_over()
            if self._queued + count > ROOM:
                raise LineError(f"{count} frames do not fit: {self._queued} of {ROOM} wait to be sent already")
            if count:
                self._waiting.append(_Batch(memoryview(bytes(frames)), due))
                self._queued += count

    def take(self, count: int, now: int) -> bytes:
        """The next frames, idle ones where none wait or the next is not due yet."""
        out: list[bytes | memoryview] = []
        with self._lock:
            while count:
                part = self._next(count, now)
                out.append(part)
                count -= len(part) // FRAME
                now += len(part) // FRAME * FRAME_NS
        return b"".join(out)

    def _next(self, count: int, now: int) -> bytes | memoryview:
        while self._waiting:
            batch = self._waiting[0]
            if batch.due is None or now - batch.due <= STALE_NS:
                break
            self._pass_over()
        else:
            return bytes([IDLE]) * (FRAME * count)
        early = 0 if batch.due is None else (batch.due - now) // FRAME_NS
        if early > 0:
            return bytes([IDLE]) * (FRAME * min(early, count))
        frames = min(count, len(batch.octets) // FRAME)
        part, batch.octets = batch.octets[: FRAME * frames], batch.octets[FRAME * frames :]
        self.sent += frames
        self._queued -= frames
        if not batch.octets:
            self._waiting.popleft()
        elif batch.due is not None:
            batch.due += frames * FRAME_NS
        return part

    def _pass_over(self) -> None:
        frames = len(self._waiting.popleft().octets) // FRAME
        self.unsent += frames
        self._queued -= frames
