"""A recording under judgement: what is known of it so far, and where its audio was sent."""

from dataclasses import dataclass, replace

from osrec_emulators.check.match import RESTART, Fit
from osrec_emulators.check.recorded import Sidecar
from osrec_emulators.check.verdict import RecordingVerdict


@dataclass(frozen=True, slots=True)
class Placed:
    """A piece of a recording, laid over what was sent, without its octets.

    Attributes:
        line: of the PBX.
        ports: left, right.
        offset: sample number minus frame number.
        start: first sample's place in the recording.
        first: number of its first frame.
        end: number of the frame after its last.
    """

    line: str
    ports: tuple[str, str]
    offset: int
    start: int
    first: int
    end: int


def placed(fitted: Fit) -> Placed:
    left, right = fitted.piece.tracks
    first, end = fitted.frames
    return Placed(left.slot.line, (left.slot.port, right.slot.port), fitted.offset, fitted.piece.start, first, end)


@dataclass(slots=True)
class Judged:
    """Its faults grow as more is known."""

    verdict: RecordingVerdict
    sidecar: Sidecar | None = None
    pieces: tuple[Placed, ...] = ()

    def blame(self, fault: str) -> None:
        if fault not in self.verdict.faults:
            self.verdict = replace(self.verdict, faults=(*self.verdict.faults, fault))

    def add(self, fitted: Fit) -> None:
        """A piece has found its place."""
        self.pieces = tuple(sorted((*self.pieces, placed(fitted)), key=lambda piece: piece.start))
        compared = 2 * int((~fitted.piece.missing).sum())
        self.verdict = replace(self.verdict, octets=self.verdict.octets + compared)

    def covers(self, port: str) -> tuple[int, int] | None:
        """Frames of a port from the recording's start to its end, declared gaps and all."""
        if self.sidecar is None or not self.pieces or port not in self.pieces[0].ports:
            return None
        first, last = self.pieces[0], self.pieces[-1]
        after = self.sidecar.sample_count - last.start - (last.end - last.first)
        return first.first - first.start, last.end + after

    def restarted_before(self, piece: Placed) -> bool:
        """Whether a gap right before the piece says that the recorder was away."""
        gaps = self.sidecar.gaps if self.sidecar else ()
        return any(gap.cause == RESTART and gap.end == piece.start for gap in gaps)
