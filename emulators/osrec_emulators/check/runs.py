"""The recorder's sample numbers: a line has one offset for each run of the recorder, and runs follow each other."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

from osrec_emulators.check.placed import Judged, Placed
from osrec_emulators.check.verdict import LineRuns

_Found = Sequence[tuple[Judged, Placed]]


def judge_runs(recordings: Sequence[Judged], restarts: int) -> tuple[LineRuns, ...]:
    """Blame recordings whose sample numbers moved although the recorder was neither away nor restarted.

    Args:
        restarts: how often the numbers of a line may move without a gap that says why.
    """
    by_line: dict[str, list[tuple[Judged, Placed]]] = defaultdict(list)
    for recording in recordings:
        for piece in recording.pieces:
            by_line[piece.line].append((recording, piece))
    return tuple(LineRuns(line, _judge_line(line, found, restarts)) for line, found in sorted(by_line.items()))


def _judge_line(line: str, found: _Found, restarts: int) -> tuple[int, ...]:
    spans: dict[int, tuple[int, int]] = {}
    for _, piece in found:
        first, end = spans.get(piece.offset, (piece.first, piece.end))
        spans[piece.offset] = min(first, piece.first), max(end, piece.end)
    offsets = sorted(spans, key=lambda offset: spans[offset])
    for before, after in pairwise(offsets):
        overlap = spans[after][0] < spans[before][1]
        told = any(recording.restarted_before(piece) for recording, piece in found if piece.offset == after)
        if not overlap and told:
            continue
        if overlap or not restarts:
            _blame(line, before, after, found)
        else:
            restarts -= 1
    return tuple(offsets)


def _blame(line: str, one: int, other: int, found: _Found) -> None:
    """Blame the fewer recordings of two offsets that cannot both be right."""
    of = {offset: [recording for recording, piece in found if piece.offset == offset] for offset in (one, other)}
    wrong, usual = (one, other) if len(of[one]) < len(of[other]) else (other, one)
    for recording in of[wrong]:
        recording.blame(
            f"line {line}: sample numbers are {wrong - usual:+} against other recordings, without a restart"
        )
