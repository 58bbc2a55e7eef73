"""Lays recorded octets over what was sent: finds where they belong, and whether they are the same.

A line's sample numbers and its frame numbers differ by one constant, the offset, which nobody tells: it is found by
searching the recording for octets that were sent, and then every single octet must agree with it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osrec_emulators.audio.alaw import Octets
from osrec_emulators.check.recorded import DeclaredGap
from osrec_emulators.check.sent import SentFork, SlotTruth

RESTART = "not_listening"  # cause of a gap across which a recorder may have begun to count anew
NEEDLE = 400  # octets looked for: 50 ms of anything but idle is as good as unique, apart from loops
NEEDLES = 12  # taken from all over a fork, so that one lies clear of gaps and errors
MOST_PLACES = 100  # of one needle: speech that is repeated
STRIDE = 61  # a first comparison takes every so-many-th octet


@dataclass(frozen=True, slots=True)
class Track:
    """One side of a piece of a recording, and the slot that it was taken from."""

    recorded: Octets
    slot: SlotTruth


@dataclass(frozen=True, slots=True)
class Piece:
    """Samples of a recording between two restarts of the recorder.

    Attributes:
        start: first sample's place in the recording.
        first: its sample number on the line.
        missing: samples, from the piece's start on, that lie in declared gaps.
    """

    start: int
    first: int
    tracks: tuple[Track, Track]
    missing: NDArray[np.bool_]

    @property
    def count(self) -> int:
        return len(self.missing)

    def swapped(self) -> "Piece":
        """The same with the two slots exchanged."""
        left, right = self.tracks
        return Piece(
            self.start, self.first, (Track(left.recorded, right.slot), Track(right.recorded, left.slot)), self.missing
        )


@dataclass(frozen=True, slots=True)
class Fit:
    """A piece laid over what was sent.

    Attributes:
        offset: sample number minus frame number.
        differing: octets outside declared gaps that differ, left and right.
        first_differing: place in the recording of the first of them, per side; None when all are equal.
    """

    piece: Piece
    offset: int
    differing: tuple[int, int]
    first_differing: tuple[int | None, int | None]

    @property
    def equal(self) -> bool:
        return self.differing == (0, 0)

    @property
    def frames(self) -> tuple[int, int]:
        """First frame covered and the one after the last."""
        first = self.piece.first - self.offset
        return first, first + self.piece.count


def pieces(
    first_sample: int, octets: tuple[Octets, Octets], slots: tuple[SlotTruth, SlotTruth], gaps: Sequence[DeclaredGap]
) -> Iterator[Piece]:
    """Cut a recording at restarts of the recorder."""
    count = min(len(octets[0]), len(octets[1]))
    missing = np.zeros(count, np.bool_)
    for gap in gaps:
        missing[gap.first : gap.end] = True
    restarts = sorted((gap for gap in gaps if gap.cause == RESTART), key=lambda gap: gap.first)
    starts = [0, *(gap.end for gap in restarts)]
    ends = [*(gap.first for gap in restarts), count]
    for start, end in zip(starts, ends, strict=True):
        if end > start:
            left, right = (Track(side[start:end], slot) for side, slot in zip(octets, slots, strict=True))
            yield Piece(start, first_sample + start, (left, right), missing[start:end])


def fit(piece: Piece, calls: frozenset[str], known: Sequence[int]) -> Fit | None:
    """Where a piece belongs: at a known offset if that fits, else where the forks of its calls are found in it.

    None when nothing of those forks is in it.
    """
    for offset in known:
        if (fitted := lay(piece, offset)).equal and _has_fork(fitted, calls):
            return fitted
    candidates = {*_candidates(piece, calls), *known}
    likely = sorted(candidates, key=lambda offset: (_estimate(piece, offset), _left_out(piece, offset, calls)))
    fits = [fitted for offset in likely[:3] if _has_fork(fitted := lay(piece, offset), calls)]
    return min(fits, key=lambda fitted: sum(fitted.differing), default=None)


def lay(piece: Piece, offset: int) -> Fit:
    """Compare every octet at an offset."""
    first = piece.first - offset
    heard = ~piece.missing
    wrong = [np.flatnonzero((track.recorded != track.slot.sent(first, piece.count)) & heard) for track in piece.tracks]
    left, right = (int(at[0]) + piece.start if len(at) else None for at in wrong)
    return Fit(piece, offset, (len(wrong[0]), len(wrong[1])), (left, right))


def _left_out(piece: Piece, offset: int, calls: frozenset[str]) -> int:
    """Frames of the calls' forks that a piece would not cover: tells repeated speech from the right place."""
    first, end = piece.first - offset, piece.first - offset + piece.count
    forks = [fork for track in piece.tracks for fork in track.slot.forks if fork.call in calls]
    return sum(max(0, first - fork.first) + max(0, fork.end - end) for fork in forks)


def _has_fork(fitted: Fit, calls: frozenset[str]) -> bool:
    return any(fork.call in calls for track in fitted.piece.tracks for fork in track.slot.during(*fitted.frames))


def _candidates(piece: Piece, calls: frozenset[str]) -> Iterator[int]:
    for track in piece.tracks:
        haystack = track.recorded.tobytes()
        for fork in track.slot.forks:
            if fork.call in calls:
                for at, place in _places(fork, haystack):
                    yield piece.first + place - fork.first - at


def _places(fork: SentFork, haystack: bytes) -> Iterator[tuple[int, int]]:
    """Where octets of a fork are in a recording: index in the fork, index in the recording."""
    step = max(NEEDLE, len(fork.octets) // NEEDLES)
    for at in range(0, max(1, len(fork.octets) - NEEDLE), step):
        needle = fork.octets[at : at + NEEDLE]
        if len(set(needle.tolist())) < 8:
            continue  # idle, or nearly
        place = haystack.find(needle.tobytes())
        for _ in range(MOST_PLACES):
            if place < 0:
                break
            yield at, place
            place = haystack.find(needle.tobytes(), place + 1)


def _estimate(piece: Piece, offset: int) -> int:
    """How badly an offset fits, from a sample of the octets."""
    first = piece.first - offset
    heard = ~piece.missing[::STRIDE]
    return sum(
        int(np.count_nonzero((track.recorded[::STRIDE] != track.slot.sent(first, piece.count)[::STRIDE]) & heard))
        for track in piece.tracks
    )
