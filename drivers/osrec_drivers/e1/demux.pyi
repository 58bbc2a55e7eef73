import numpy as np
from numpy.typing import NDArray

from osrec_drivers.line import Octets

def demux(frames: Octets, out: NDArray[np.uint8] | None = None, *, portable: bool = False) -> NDArray[np.uint8]: ...
def mux(slots: NDArray[np.uint8]) -> bytes: ...
