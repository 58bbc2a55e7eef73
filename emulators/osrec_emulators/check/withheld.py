"""What the CAP server kept to itself, as its log of played faults tells: `faults.jsonl` in the truth's directory.

A recorder cannot know what nobody tells it. What goes wrong with a conversation whose events were withheld is excused;
while nothing at all was sent the link was down, whatever the connection looked like.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from osrec_emulators.check import told
from osrec_emulators.check.outages import Outage

FAULTS = "faults.jsonl"
KEPT = frozenset({"lost", "lose_events", "damaged", "too_large_to_frame"})  # of single events
SILENT = frozenset({"silence", "half_open"})  # of a client's connection
NOTICED = 120.0  # seconds after which a recorder has given up a silent link, if the fault itself does not end before
_CALL = re.compile(r", call ([0-9a-f]+)$")
_SECONDS = re.compile(r"^([0-9.]+) s$")


def withheld(directory: Path) -> dict[str, list[float]]:
    """When events of a call were withheld, by call id."""
    kept: dict[str, list[float]] = {}
    for fault, at, detail in _faults(directory):
        found = _CALL.search(detail)
        if fault in KEPT and found is not None:
            kept.setdefault(found[1], []).append(at)
    return kept


def silences(directory: Path) -> tuple[Outage, ...]:
    """When a client that was associated heard nothing."""
    return tuple(
        Outage("link", (at, at + _length(detail))) for fault, at, detail in _faults(directory) if fault in SILENT
    )


def _length(detail: str) -> float:
    found = _SECONDS.match(detail)
    return min(float(found[1]), NOTICED) if found is not None else NOTICED


def _faults(directory: Path) -> Iterable[tuple[str, float, str]]:
    path = directory / FAULTS
    for row in told.rows(path) if path.exists() else ():
        yield row["fault"], datetime.fromisoformat(row["at"]).timestamp(), row["detail"]
