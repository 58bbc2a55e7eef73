from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from osrec_drivers.line import Octets

class Pattern(Enum):
    """Name, then the degree of the polynomial, its other tap, and whether the pattern is sent inverted."""

    PRBS_9 = (9, 5, False)
    PRBS_11 = (11, 9, False)
    PRBS_15 = (15, 14, True)
    @property
    def period(self) -> int: ...

@dataclass(frozen=True, slots=True)
class SyncChange:
    """Synchronism came or went behind so many octets."""

    octet: int
    synchronised: bool
    displacement: int | None = None

class PrbsGenerator:
    """A source of the pattern; begins as a register of ones goes on."""

    def __init__(self, pattern: Pattern) -> None: ...
    def pull(self, count: int) -> bytes: ...

class PrbsChecker:
    """Counts wrong bits of the pattern, whatever its phase. Not thread safe."""

    @property
    def slots(self) -> int: ...
    @property
    def slips(self) -> int: ...
    @property
    def synchronised(self) -> bool: ...
    @property
    def position(self) -> int: ...
    @property
    def bits(self) -> int: ...
    @property
    def errors(self) -> int: ...
    @property
    def losses(self) -> int: ...
    def __init__(self, pattern: Pattern, *, slots: int = 1) -> None: ...
    def feed(self, octets: Octets | NDArray[np.uint8]) -> list[SyncChange]: ...
