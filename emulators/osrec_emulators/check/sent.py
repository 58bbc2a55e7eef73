"""The PBX's truth as it lies on disk: which octets went out on which time slot, and which conversations there were."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from osrec.errors import ConfigError
from osrec_emulators.audio.alaw import Octets
from osrec_emulators.check import told
from osrec_emulators.diun2.truth import INDEX
from osrec_emulators.pbx.media import Side

_Row = tuple[Path, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class SentFork:
    """Octets of one fork, from frame `first` of its line on. A fork that spans epochs comes in several."""

    number: int
    port: str
    station: str
    side: Side
    call: str
    first: int
    octets: Octets
    at: datetime
    slot_port: str  # the port whose slot carried it: another than `port` when the board is wired crosswise

    @property
    def end(self) -> int:
        return self.first + len(self.octets)


@dataclass(frozen=True, slots=True)
class SlotTruth:
    """Everything that a time slot sent: its forks, in order, and idle between them."""

    line: str
    slot: int
    port: str
    idle: int
    forks: tuple[SentFork, ...]

    def during(self, first: int, end: int) -> list[SentFork]:
        """Forks with octets among frames `first` .. `end - 1`."""
        return [fork for fork in self.forks if fork.first < end and fork.end > first]

    def sent(self, first: int, count: int) -> Octets:
        """Octets of frames `first` .. `first + count - 1`."""
        octets = np.full(count, self.idle, np.uint8)
        for fork in self.during(first, first + count):
            start, end = max(fork.first, first), min(fork.end, first + count)
            octets[start - first : end - first] = fork.octets[start - fork.first : end - fork.first]
        return octets


@dataclass(frozen=True, slots=True)
class Truth:
    """All that the PBX says about a run.

    Attributes:
        slots: by recorder port.
        began: when the oldest audio that is kept begins; None when none was ever written.
        pruned: whether there was older audio.
    """

    slots: Mapping[str, SlotTruth]
    conversations: tuple[told.Conversation, ...]
    began: datetime | None
    pruned: bool


def load_truth(directory: Path) -> Truth:
    """Read what an emulator wrote. Raises ConfigError when the directory holds no truth."""
    epochs = sorted(path.parent for path in directory.glob(f"audio-*/{INDEX}"))
    calls = directory / told.CALLS
    if not epochs and not calls.exists():
        raise ConfigError(f"{directory}: neither {told.CALLS} nor audio-*/{INDEX}; it is no truth of an emulated PBX")
    if not epochs:
        raise ConfigError(f"{directory} holds no audio to compare with; the PBX writes it with [truth] audio = true")
    rows = [(epoch, row) for epoch in epochs for row in told.rows(epoch / INDEX)]
    ports = {(row["line"], row["slot"]): row for _, row in rows if row["is"] == "slot"}
    forks = _forks(rows, {place: row["port"] for place, row in ports.items()})
    slots = {
        row["port"]: SlotTruth(line, slot, row["port"], row["idle"], tuple(forks[line, slot]))
        for (line, slot), row in ports.items()
    }
    began = min((datetime.fromisoformat(row["at"]) for _, row in rows if row["is"] == "epoch"), default=None)
    pruned = any(row["number"] > 1 for _, row in rows[:1])
    return Truth(slots, tuple(told.conversations(calls)), began, pruned)


def _forks(rows: list[_Row], ports: Mapping[tuple[str, int], str]) -> dict[tuple[str, int], list[SentFork]]:
    counts = {(epoch, row["fork"]): row["count"] for epoch, row in rows if row["is"] == "end"}
    files: dict[Path, Octets] = {}
    forks: dict[tuple[str, int], list[SentFork]] = defaultdict(list)
    for epoch, row in rows:
        if row["is"] != "fork":
            continue
        path = epoch / row["file"]
        if path not in files:
            files[path] = np.memmap(path, np.uint8, "r") if path.stat().st_size else np.empty(0, np.uint8)
        count = counts.get((epoch, row["fork"]), len(files[path]) - row["offset"])
        place = row["line"], row["slot"]
        forks[place].append(_fork(row, files[path][row["offset"] : row["offset"] + count], ports[place]))
    return forks


def _fork(row: dict[str, Any], octets: Octets, slot_port: str) -> SentFork:
    return SentFork(
        number=row["fork"],
        port=row["port"],
        station=row["station"],
        side=Side(row["side"]),
        call=row["call"],
        first=row["first"],
        octets=octets,
        at=datetime.fromisoformat(row["at"]),
        slot_port=slot_port,
    )
