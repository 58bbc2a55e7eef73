"""DTMF digits as sound, Q.23: to dial, and to test receivers with."""

import numpy as np
from numpy.typing import NDArray

from osrec_drivers.dsp.dtmf import DIGITS, FULL_SCALE_SINE, OVERLOAD

LOW = (697.0, 770.0, 852.0, 941.0)  # Hz, Q.23
HIGH = (1209.0, 1336.0, 1477.0, 1633.0)
RATE = 8000


def tones(
    digits: str,
    *,
    on: float = 0.1,
    off: float = 0.1,
    level: float = -9.0,
    twist: float = 2.0,
    detuned: float = 0.0,
) -> NDArray[np.int16]:
    """Samples of digits, a pause behind each.

    Args:
        on, off: seconds of each digit and pause.
        level: dBm0 of the low tone.
        twist: dB by which the high tone is stronger: lines weaken it more.
        detuned: share by which both frequencies are off, 0.015 for 1.5 %.
    Raises ValueError for what is no digit.
    """
    pause = np.zeros(round(off * RATE), np.int16)
    parts = [part for digit in digits for part in (_digit(digit, on, level, twist, detuned), pause)]
    return np.concatenate([np.empty(0, np.int16), *parts])


def _digit(digit: str, on: float, level: float, twist: float, detuned: float) -> NDArray[np.int16]:
    if len(digit) != 1 or digit not in DIGITS:
        raise ValueError(f"{digit!r} is no DTMF digit: one of {DIGITS} [Q.23]")
    row, column = divmod(DIGITS.index(digit), 4)
    time = np.arange(round(on * RATE)) / RATE
    low, high = (
        _amplitude(decibels) * np.sin(2 * np.pi * frequency * (1 + detuned) * time)
        for decibels, frequency in ((level, LOW[row]), (level + twist, HIGH[column]))
    )
    return np.clip(np.rint(low + high), -OVERLOAD, OVERLOAD - 1).astype(np.int16)


def _amplitude(decibels: float) -> float:
    return float(OVERLOAD * 10 ** ((decibels - FULL_SCALE_SINE) / 20))
