"""How loud a stretch of A-law is."""

import math

import numpy as np
from numpy.typing import NDArray

from osrec_drivers.dsp.g711 import alaw_decode
from osrec_drivers.line import Octets

FULL_SCALE_SINE = 3.14  # dBm0 of a sine whose peaks just reach the end of the A-law range, G.711 2
_OVERLOAD = 32768.0  # that end on int16, the virtual decision value 4096 of G.711 table 1a
_SMALLEST = 8  # what 0xD5 and 0x55 decode to: the two zeros of A-law, so silence


def level(octets: Octets | NDArray[np.uint8]) -> float:
    """Mean power in dBm0; -inf for silence, which is octets 0xD5 and 0x55 only, and for no octets at all."""
    samples = alaw_decode(octets).astype(np.float64)
    samples[np.abs(samples) == _SMALLEST] = 0.0
    power = float(np.dot(samples, samples)) / max(1, len(samples))
    if power == 0.0:
        return -math.inf
    return 10.0 * math.log10(2.0 * power / _OVERLOAD**2) + FULL_SCALE_SINE
