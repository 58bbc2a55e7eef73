"""I frames of one data link: what was sent and is not acknowledged, what waits; the state variables of Q.921 3.5.2."""

from collections import deque

from osrec.wire.q921.frames import MODULUS


class Window:
    """The sending half, and V(R).

    Attributes:
        v_s: V(S), number of the next I frame to send.
        v_a: V(A), number of the oldest that is not acknowledged.
        v_r: V(R), number of the next I frame due from the peer.
    """

    __slots__ = ("_outstanding", "_waiting", "v_a", "v_r", "v_s")

    def __init__(self) -> None:
        self.v_s = self.v_a = self.v_r = 0
        self._outstanding: deque[bytes] = deque()  # V(A) .. V(S) - 1
        self._waiting: deque[bytes] = deque()  # the I queue

    def reset(self) -> None:
        """All state variables to 0. Frames that were outstanding are lost, those that waited go on waiting."""
        self.v_s = self.v_a = self.v_r = 0
        self._outstanding.clear()

    def discard(self) -> None:
        """Discard the I queue, outstanding frames too."""
        self._waiting.clear()
        self._outstanding.clear()
        self.v_a = self.v_s

    @property
    def outstanding(self) -> int:
        return len(self._outstanding)

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def put(self, octets: bytes) -> None:
        self._waiting.append(octets)

    def next(self, k: int) -> bytes | None:
        """Take the next frame to send, V(S) moves on; None when nothing waits or k are outstanding."""
        if not self._waiting or len(self._outstanding) >= k:
            return None
        octets = self._waiting.popleft()
        self._outstanding.append(octets)
        self.v_s = (self.v_s + 1) % MODULUS
        return octets

    def acknowledges(self, n_r: int) -> bool:
        """Whether V(A) <= N(R) <= V(S), 3.5.2.5."""
        return (n_r - self.v_a) % MODULUS <= len(self._outstanding)

    def acknowledge(self, n_r: int) -> None:
        """Frames up to N(R) - 1 have arrived: V(A) = N(R)."""
        while self.v_a != n_r:
            self._outstanding.popleft()
            self.v_a = (self.v_a + 1) % MODULUS

    def go_back(self) -> None:
        """Invoke retransmission: what is outstanding will be sent again, V(S) = V(A)."""
        self._waiting.extendleft(reversed(self._outstanding))
        self._outstanding.clear()
        self.v_s = self.v_a

    def received(self) -> None:
        """An I frame came in sequence: V(R) moves on."""
        self.v_r = (self.v_r + 1) % MODULUS
