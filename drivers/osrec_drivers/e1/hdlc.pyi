from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from osrec_drivers.line import Octets

LONGEST: Final = 264
SHORTEST: Final = 2

class HdlcError(StrEnum):
    """Why what stood between two flags is no frame, Q.921 2.9."""

    ABORT = "abort"
    FCS = "fcs"
    OCTETS = "octets"
    LONG = "long"
    SHORT = "short"

class HdlcFrame:
    """A frame, or what became none."""

    @property
    def end(self) -> int: ...
    @property
    def octets(self) -> bytes: ...
    @property
    def error(self) -> HdlcError | None: ...
    def __init__(self, end: int, octets: bytes, error: HdlcError | None = None) -> None: ...

class HdlcDecoder:
    """Finds the frames in the octets of one time slot. Not thread safe."""

    @property
    def position(self) -> int: ...
    @property
    def frames(self) -> int: ...
    @property
    def errors(self) -> dict[HdlcError, int]: ...
    def __init__(self, *, shortest: int = SHORTEST, longest: int = LONGEST, lsb_first: bool = False) -> None: ...
    def feed(self, octets: Octets | NDArray[np.uint8]) -> list[HdlcFrame]: ...
    def skip(self, count: int) -> list[HdlcFrame]: ...

class HdlcEncoder:
    """Makes the octets of one time slot of frames, and flags or ones between them. Not thread safe."""

    @property
    def frames(self) -> int: ...
    @property
    def pending(self) -> int: ...
    def __init__(self, *, ones: bool = False, lsb_first: bool = False) -> None: ...
    def send(self, frame: Octets) -> bool: ...
    def pull(self, count: int) -> bytes: ...
