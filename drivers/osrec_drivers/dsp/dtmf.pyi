from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

DIGITS: Final = "123A456B789C*0#D"
LEAST: Final = -36.0
FULL_SCALE_SINE: Final = 3.14
OVERLOAD: Final = 32768.0

@dataclass(frozen=True, slots=True)
class DtmfDigit:
    """A digit that has ended: `count` samples of a channel from sample `first` on, to about 4 ms."""

    channel: int
    digit: str
    first: int
    count: int

class DtmfDetector:
    """Finds the digits on some channels. Not thread safe."""

    @property
    def channels(self) -> int: ...
    @property
    def position(self) -> int: ...
    def __init__(self, channels: int = 1, *, least: float = LEAST, portable: bool = False) -> None: ...
    def feed(self, samples: NDArray[np.int16]) -> list[DtmfDigit]: ...
    def flush(self) -> list[DtmfDigit]: ...
