"""What the check found, as values."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class RecordingVerdict:
    """One recording.

    Attributes:
        octets: compared, both sides together.
        gap_samples: declared missing, on both sides alike.
        faults: what is wrong, empty: right.
    """

    path: Path
    recording: str
    conversation: str
    station: str
    ports: tuple[str, ...]
    started: datetime | None
    seconds: float
    octets: int
    gaps: int
    gap_samples: int
    faults: tuple[str, ...]

    @property
    def right(self) -> bool:
        return not self.faults


@dataclass(frozen=True, slots=True)
class ConversationVerdict:
    """One conversation that should have been recorded."""

    thread: str
    calls: tuple[str, ...]
    stations: tuple[str, ...]
    recordings: int
    forks: int
    faults: tuple[str, ...]

    @property
    def right(self) -> bool:
        return not self.faults


@dataclass(frozen=True, slots=True)
class LineRuns:
    """The offsets found on a line: one for each run of the recorder."""

    line: str
    offsets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that was found.

    Attributes:
        conversations: all that ended.
        judged: those that were answered and have a matching station.
        older: recordings from before the truth that is kept.
        faults: of the whole, in words.
    """

    conversations: int
    judged: tuple[ConversationVerdict, ...]
    recordings: tuple[RecordingVerdict, ...]
    older: int
    runs: tuple[LineRuns, ...]
    faults: tuple[str, ...]

    @property
    def right(self) -> bool:
        recordings = all(verdict.right for verdict in self.recordings)
        return not self.faults and recordings and all(verdict.right for verdict in self.judged)
