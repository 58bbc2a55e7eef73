"""The tones of the PBX, each as a loop of octets, and the numbered tones by which a test knows whom it hears and when.

A numbered tone is made of blocks of 160 samples: a mark of eight octets, then a sine of the tone's own frequency.
The mark spells the tone's number and the block's number in PBX time, 16 bits each, four bits an octet; its octets lie
in a segment of the A-law that the quieter sine never reaches, so a mark is found in any cut of the audio.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osrec_emulators.audio import alaw
from osrec_emulators.audio.alaw import Octets

RATE = 8000
FULL_SCALE_DBM0 = 3.14  # a sine that reaches the largest code, G.711 table 5
PEAK = 32256.0

TONE_DBM0 = -10.0
MUSIC_DBM0 = -20.0
CALL_PROGRESS_HZ = 425.0  # Poland and most of Europe, E.180

BLOCK = 160  # samples of a numbered tone between two marks
MARK = 8
BLOCKS = 0x10000  # block numbers wrap after 21.8 minutes
NUMBERED_DBM0 = -22.5  # peak 1680: below segment 4, which begins at 2048
_MARK_CODE = 0x80 | 0x40  # positive, segment 4, before the even bits are inverted
_MELODY = "EEFGGFEDCCDEEDD EEFGGFEDCCDEDCC "  # Beethoven, Ode to Joy
_NOTES_HZ = {"C": 523.25, "D": 587.33, "E": 659.26, "F": 698.46, "G": 783.99, " ": 0.0}
_NOTE = 3200  # samples


def _sine(hertz: float, count: int, dbm0: float) -> NDArray[np.float64]:
    peak = PEAK * 10 ** ((dbm0 - FULL_SCALE_DBM0) / 20)
    wave: NDArray[np.float64] = peak * np.sin(2 * np.pi * hertz / RATE * np.arange(count))
    return wave


def _octets(samples: NDArray[np.float64]) -> Octets:
    return alaw.encode(np.rint(samples).astype(np.int16))


def _cadence(on_ms: int, off_ms: int) -> Octets:
    on = _octets(_sine(CALL_PROGRESS_HZ, on_ms * RATE // 1000, TONE_DBM0))
    return np.concatenate([on, np.full(off_ms * RATE // 1000, alaw.IDLE, np.uint8)])


def _music() -> Octets:
    """A melody with its octave below, each note dying away."""
    decay = np.exp(-3.0 * np.arange(_NOTE) / _NOTE)
    notes = (
        decay * (_sine(_NOTES_HZ[note], _NOTE, MUSIC_DBM0) + 0.5 * _sine(_NOTES_HZ[note] / 2, _NOTE, MUSIC_DBM0))
        for note in _MELODY
    )
    return _octets(np.concatenate(list(notes)))


def call_progress() -> dict[str, Octets]:
    """One period of each tone of the PBX by name; times on and off as in Poland."""
    return {
        "dial": _octets(_sine(CALL_PROGRESS_HZ, 320, TONE_DBM0)),  # 17 whole cycles
        "ringback": _cadence(1000, 4000),
        "busy": _cadence(500, 500),
        "congestion": _cadence(500, 500),
        "music": _music(),
    }


def numbered_hz(number: int) -> int:
    """Frequency of a numbered tone: whole cycles in a block, so neighbours differ by 50 Hz."""
    return 300 + 50 * (number % 60)


def numbered_tone(number: int) -> Octets:
    """One block of numbered tone `number` (0..65535), its mark naming block 0."""
    if not 0 <= number < 0x10000:
        raise ValueError(f"tone:{number}: numbered tones are 0..65535")
    block = _octets(_sine(numbered_hz(number), BLOCK, NUMBERED_DBM0))
    block[:MARK] = np.concatenate([spell(number), spell(0)])
    return block


def spell(number: int | NDArray[np.int64]) -> Octets:
    """16 bits as four octets of a mark, highest bits first; of a column n x 1, n x 4."""
    nibbles = (number >> np.array([12, 8, 4, 0])) & 15
    return ((_MARK_CODE | nibbles) ^ alaw.EVEN_BITS).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark found in audio.

    Attributes:
        index: of its first octet in what was searched.
        number: of the numbered tone.
        sample: PBX time of its first octet, in samples modulo 160 x 65536.
    """

    index: int
    number: int
    sample: int


def find_marks(octets: Octets) -> list[Mark]:
    """All whole marks in a cut of a numbered tone, oldest first."""
    plain = octets ^ np.uint8(alaw.EVEN_BITS)
    marking = (plain & 0xF0) == _MARK_CODE
    edges = np.flatnonzero(np.diff(np.concatenate([[False], marking, [False]]).astype(np.int8)))
    return [_read_mark(plain, int(first)) for first, end in edges.reshape(-1, 2) if end - first == MARK]


def _read_mark(plain: Octets, index: int) -> Mark:
    value = 0
    for octet in plain[index : index + MARK]:
        value = value << 4 | int(octet) & 15
    return Mark(index, value >> 16, (value & 0xFFFF) * BLOCK)
