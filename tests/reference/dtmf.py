"""DTMF by the rules in the head of dtmf.pyx, window by window in numpy and double precision: the oracle of dtmf."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

RATE, WINDOW, HOP, EDGE = 8000, 128, 32, 40
NEEDED, DOUBTED, OVER = 7, 2, 5
LOW, HIGH = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
DIGITS = "123A456B789C*0#D"
WEIGHT = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(WINDOW) + 0.5) / WINDOW)
FREQUENCIES = np.array(LOW + HIGH, np.float64)
WAVES = WEIGHT * np.exp(-2j * np.pi * np.outer(FREQUENCIES, np.arange(WINDOW)) / RATE)


@dataclass
class Suspect:
    """Windows that hold the same digit: (start, what they correlate to, energy)."""

    digit: int
    windows: list[tuple[int, NDArray[np.complex128], float]] = field(default_factory=list)
    misses: int = 0


def dbm0(mean_square: float) -> float:
    return float(10 * np.log10(mean_square / (32768**2 / 2)) + 3.14)


def response(offset: float) -> float:
    """Share of the energy that the window finds of a tone so many Hz off."""
    bins = offset * WINDOW / RATE
    return float((np.sinc(bins) / (1 - bins**2)) ** 2)


def looks_like(found: NDArray[np.complex128], energy: float, least: float) -> int | None:
    powers = np.abs(found) ** 2
    row, column = int(np.argmax(powers[:4])), int(np.argmax(powers[4:]))
    pair = powers[[row, 4 + column]]
    if min(pair) == 0 or dbm0(float(min(pair)) * 2 / WEIGHT.sum() ** 2) < least:
        return None
    return 4 * row + column if pair.sum() * share() >= 0.6 * energy else None


def share() -> float:
    return float(2 * (WEIGHT**2).sum() / WEIGHT.sum() ** 2)


def is_digit(suspect: Suspect) -> bool:
    if len(suspect.windows) < NEEDED:
        return False
    powers = []
    for tone in (suspect.digit >> 2, 4 + (suspect.digit & 3)):
        turned = sum(
            b[tone] * np.conj(a[tone]) * np.exp(-2j * np.pi * FREQUENCIES[tone] * HOP / RATE)
            for (i, a, _), (j, b, _) in zip(suspect.windows, suspect.windows[1:], strict=False)
            if j - i == HOP
        )
        offset = float(np.angle(turned)) * RATE / (2 * np.pi * HOP)
        if abs(offset) > 0.025 * FREQUENCIES[tone]:
            return False
        powers.append(sum(float(np.abs(found[tone]) ** 2) for _, found, _ in suspect.windows) / response(offset))
    twist = 10 * np.log10(powers[1] / powers[0])
    energy = sum(one for _, _, one in suspect.windows)
    return bool(-9 <= twist <= 5 and share() * sum(powers) >= 0.85 * energy)


def detect(samples: NDArray[np.int16], least: float = -36.0) -> list[tuple[str, int, int]]:
    """(digit, first sample, count) of a whole channel."""
    out: list[tuple[str, int, int]] = []
    suspect: Suspect | None = None
    digit: Suspect | None = None

    def end(one: Suspect) -> None:
        first = one.windows[0][0] + EDGE
        out.append((DIGITS[one.digit], first, one.windows[-1][0] + WINDOW - EDGE - first))

    for start in range(0, len(samples) - WINDOW + 1, HOP):
        window = samples[start : start + WINDOW].astype(np.float64)
        found, energy = WAVES @ window, float(((WEIGHT * window) ** 2).sum())
        seen = looks_like(found, energy, least)
        if suspect is not None and seen != suspect.digit:
            suspect.misses += 1
            suspect = None if suspect.misses >= DOUBTED else suspect
        if seen is not None:
            suspect = suspect or Suspect(seen)
            if seen == suspect.digit:
                suspect.windows.append((start, found, energy))
                suspect.misses = 0
        if digit is not None and seen == digit.digit:
            digit.windows.append((start, found, energy))
            digit.misses = 0
        elif digit is not None:
            digit.misses += 1
            if digit.misses >= OVER:
                end(digit)
                digit = None
        if suspect is not None and (digit is None or suspect.digit != digit.digit) and is_digit(suspect):
            if digit is not None:
                end(digit)
            digit = Suspect(suspect.digit, list(suspect.windows))
    if digit is not None:
        end(digit)
    return out
