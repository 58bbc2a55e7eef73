"""What a PBX sent and we could not read, kept for whoever has to settle its dialect."""

import re
from collections import Counter, deque
from dataclasses import dataclass

KEPT = 50
REASONS = 100  # told apart; what exceeds them is counted as one
_OTHERS = "other reasons"
_VARIABLE = re.compile(r"0x[0-9a-fA-F]+|\b[0-9a-f]{2}(?: [0-9a-f]{2})+\b|\d+")
_AARQ = 0x60  # begins the one PDU that holds a password


@dataclass(frozen=True, slots=True)
class Oddity:
    """A frame at wall time `at` (seconds since 1970), and why it could not be read."""

    at: float
    reason: str
    octets: bytes


class Oddities:
    """The last of them, and how many there were by reason.

    Attributes:
        last: oldest first.
        reasons: counts, with # for the numbers in a reason.
    """

    def __init__(self) -> None:
        self.last: deque[Oddity] = deque(maxlen=KEPT)
        self.reasons: Counter[str] = Counter()

    @property
    def count(self) -> int:
        return self.reasons.total()

    def add(self, at: float, reason: str, octets: bytes) -> None:
        kind = _VARIABLE.sub("#", reason)
        known = kind in self.reasons or len(self.reasons) < REASONS
        self.reasons[kind if known else _OTHERS] += 1
        shown = b"*" * len(octets) if octets[:1] == bytes((_AARQ,)) else octets
        self.last.append(Oddity(at, reason, shown))
