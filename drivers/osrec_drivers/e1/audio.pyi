from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from osrec_drivers.e1.engine import Engine

class LineAudio:
    """Listens to pairs of time slots of a line. Not thread safe; the line may go on meanwhile."""

    @property
    def pairs(self) -> int: ...
    @property
    def peaks(self) -> NDArray[np.uint16]: ...
    @property
    def powers(self) -> NDArray[np.float64]: ...
    def __init__(self, engine: Engine, pairs: Iterable[tuple[int, int]], *, portable: bool = False) -> None: ...
    def listen(self, first: int, out: NDArray[np.int16]) -> None: ...
