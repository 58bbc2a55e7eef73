"""How octets leave: at once, in small pieces, or gathered."""

from osrec_emulators.cap.faults import Transport


class Outlet:
    """Octets in, writes out.

    Attributes:
        deadline: when gathered octets are due; None: nothing waits.
        faults: what happens to octets.
    """

    def __init__(self, faults: Transport) -> None:
        self.deadline: float | None = None
        self.faults = faults
        self._waiting = bytearray()

    def put(self, octets: bytes, now: float) -> None:
        self._waiting += octets
        if self.deadline is None:
            self.deadline = now + self.faults.coalesce

    def writes(self, now: float) -> list[bytes]:
        """What is to be written now, each entry by a write of its own."""
        if self.deadline is None or now < self.deadline:
            return []
        octets, self._waiting, self.deadline = bytes(self._waiting), bytearray(), None
        size = self.faults.fragment or len(octets)
        return [octets[at : at + size] for at in range(0, len(octets), size)]

    def drop(self) -> None:
        """What waits is never sent."""
        self._waiting.clear()
        self.deadline = None


class Inlet:
    """Octets that have come and are not to be read yet: reading is paused, or goes slowly."""

    def __init__(self, faults: Transport) -> None:
        self._rate = faults.read_octets
        self._waiting = bytearray()
        self._paused_until: float | None = None  # infinity: nothing is ever read again
        self._free_at = float("-inf")  # when the rate allows the next octets

    def follow(self, faults: Transport) -> None:
        """From now on it reads so."""
        self._rate = faults.read_octets

    def pause(self, until: float) -> None:
        """Read nothing before."""
        self._paused_until = until

    def resumed(self, now: float) -> bool:
        """Whether a pause has just ended."""
        over = self._paused_until is not None and self._paused_until <= now
        if over:
            self._paused_until = None
        return over

    @property
    def deadline(self) -> float | None:
        """When a pause ends, or octets that wait can be read; None: never, or nothing waits."""
        if self._paused_until is not None:
            return self._paused_until if self._paused_until < float("inf") else None
        return self._free_at if self._waiting else None

    def put(self, octets: bytes) -> None:
        self._waiting += octets

    def read(self, now: float) -> bytes:
        """What the session gets to see now."""
        if not self._waiting or self._paused_until is not None or now < self._free_at:
            return b""
        piece = max(self._rate // _PIECES, 1) if self._rate else len(self._waiting)
        octets = bytes(self._waiting[:piece])
        del self._waiting[:piece]
        if self._rate:
            self._free_at = now + len(octets) / self._rate
        return octets


_PIECES = 10  # a slow reader reads ten times a second
