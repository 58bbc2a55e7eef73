"""How many frames are due: exactly 8000 a second of a monotonic clock, whatever the process's own rhythm."""

from collections.abc import Iterator

from osrec_drivers.line import FRAME_RATE

PACKET = 8  # frames in a SAToP packet of 256 octets: handing over whole ones keeps packets evenly spaced
LARGEST = 800  # frames in one block while catching up after a stall
LEAD_NS = (
    15_000_000  # from a frame's own time until a line has to send it: room for a tick of 10 ms that is a little late
)
_SECOND_NS = 1_000_000_000


class Pacer:
    """Counts frames against time in ns.

    Attributes:
        handed: frames handed over since the start.
    """

    def __init__(self, start_ns: int) -> None:
        self.handed = 0
        self._start_ns = start_ns

    def time_to_send(self, frame: int, ppm: float = 0.0) -> int:
        """When a line has to send a frame, in ns: its board's clock, so much faster than ours; no stall moves it."""
        return self._start_ns + LEAD_NS + round(frame * _SECOND_NS / (FRAME_RATE * (1 + ppm / 1e6)))

    def due(self, now_ns: int) -> Iterator[int]:
        """Sizes of the blocks that are due now; after a stall all come in a row: lines send them or pass them over."""
        due = (now_ns - self._start_ns) * FRAME_RATE // _SECOND_NS - self.handed
        due -= due % PACKET
        while due > 0:
            count = min(due, LARGEST)
            self.handed += count
            due -= count
            yield count
