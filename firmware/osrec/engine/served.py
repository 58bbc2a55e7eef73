"""Which recordings had whose talk, from when to when: should one turn out to have had no audio, it tells who was not
recorded then, of those who have left since, too.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID


@dataclass(slots=True)
class _Piece:
    """A station's talk, or part of it, that a recording had. `until` None: it has it now."""

    station: str
    recording: UUID
    since: float
    until: float | None = None


class Served:
    """The pieces of one conversation."""

    def __init__(self) -> None:
        self._pieces: list[_Piece] = []

    def update(self, served: Mapping[str, Collection[UUID]], now: float, running: Collection[UUID]) -> None:
        """`served`: stations that talk now, each with the recordings that have it; `running`: what can yet be lost."""
        self._pieces = [piece for piece in self._pieces if piece.recording in running]
        lasting: set[tuple[str, UUID]] = set()
        for piece in self._pieces:
            if piece.until is None and piece.recording in served.get(piece.station, ()):
                lasting.add((piece.station, piece.recording))
            elif piece.until is None:
                piece.until = now
        for station, recordings in served.items():
            fresh = (each for each in recordings if (station, each) not in lasting)
            self._pieces += [_Piece(station, each, now) for each in fresh]

    def serves(self, recording: UUID) -> bool:
        """Whether it had somebody's talk when it was last updated."""
        return any(piece.recording == recording and piece.until is None for piece in self._pieces)

    def lost(self, recording: UUID, since: float, now: float) -> Iterator[tuple[str, float, float]]:
        """Whose talk was in no other recording than this between `since` and now: station, from, to."""
        for piece in self._pieces:
            if piece.recording == recording:
                yield from self._alone(piece, max(piece.since, since), now)

    def _alone(self, piece: _Piece, since: float, now: float) -> Iterator[tuple[str, float, float]]:
        end = now if piece.until is None else piece.until
        for other in sorted(self._pieces, key=lambda other: other.since):
            if other.station == piece.station and other.recording != piece.recording:
                if since < min(other.since, end):
                    yield piece.station, since, min(other.since, end)
                since = max(since, now if other.until is None else other.until)
        if since < end:
            yield piece.station, since, end

    def absorb(self, other: "Served") -> None:
        """Take over those of a conversation that turned out to be part of this one."""
        self._pieces += other._pieces
