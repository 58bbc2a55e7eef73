"""What the check found, as values."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from osrec_emulators.check.lateness import Lateness


@dataclass(frozen=True, slots=True)
class RecordingVerdict:
    """One recording.

    Attributes:
        octets: compared, both sides together.
        gap_samples: declared missing, on both sides alike.
        nobodys: its recorder says that it does not know whose it is.
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
    nobodys: bool
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
class EntryVerdict:
    """One entry of the recorder's ledger. `excused`: what is wrong since events of it were withheld."""

    id: str
    calls: tuple[str, ...]
    stations: tuple[str, ...]
    class_: str
    reason: str | None
    faults: tuple[str, ...]
    excused: tuple[str, ...]

    @property
    def right(self) -> bool:
        return not self.faults


@dataclass(frozen=True, slots=True)
class Shortage:
    """What the PBX knows of the spans that are said to be missed for want of a pair.

    Attributes:
        spans: how many; seconds: how long they are.
        in_use: pairs that were in a call meanwhile, on average; least: in the span in which the fewest were.
        pairs: that there are.
    """

    spans: int
    seconds: float
    in_use: float
    least: float
    pairs: int


@dataclass(frozen=True, slots=True)
class LedgerVerdict:
    """The recorder's ledger.

    Attributes:
        shortage: how full the pool was where it is said to have been.
        conversations: of watched stations, that the PBX had.
        blind: of these, that the ledger does not know.
        classes: how many entries each class has.
        faults: of the whole, in words.
        excused: faults of conversations of which events were withheld.
    """

    entries: tuple[EntryVerdict, ...]
    conversations: int
    blind: int
    classes: tuple[tuple[str, int], ...]
    faults: tuple[str, ...]
    excused: tuple[str, ...]
    shortage: Shortage

    @property
    def right(self) -> bool:
        return not self.faults and all(entry.right for entry in self.entries)


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that was found.

    Attributes:
        conversations: all that ended.
        judged: those that were answered and have a matching station.
        older: recordings from before the truth that is kept.
        lateness: of forks.
        ledger: None when there was none to judge.
        faults: of the whole, in words.
    """

    conversations: int
    judged: tuple[ConversationVerdict, ...]
    recordings: tuple[RecordingVerdict, ...]
    older: int
    runs: tuple[LineRuns, ...]
    lateness: Lateness
    faults: tuple[str, ...]
    ledger: LedgerVerdict | None = None

    @property
    def right(self) -> bool:
        recordings = all(verdict.right for verdict in self.recordings)
        told = self.ledger is None or self.ledger.right
        return not self.faults and told and recordings and all(verdict.right for verdict in self.judged)
