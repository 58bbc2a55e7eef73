"""What was out of order, and when, for all that is not told call by call: `outages.jsonl` in the truth's directory.

Each line is one object; whoever plays an outage writes it:

    what     link (no client was associated, or nothing reached it), monitor (a station was not monitored),
             licence (its monitor was refused for want of one), line (a line to the recorder gave nothing good),
             recorder (it did not run), journal (it could not write), answer (the CAP owed answers to requests for
             monitors and snapshots: a client that has just come, or missed something, waits for them)
    from, to UTC; `to` null: to the end
    station  of monitor and licence; null: all
    line     of line: NAME/N, the board's name and its line from 1; null: all
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from osrec.errors import ConfigError
from osrec_emulators.check import told
from osrec_emulators.check.spans import Span

OUTAGES = "outages.jsonl"
KINDS = frozenset({"link", "monitor", "licence", "line", "recorder", "journal", "answer"})


@dataclass(frozen=True, slots=True)
class Outage:
    """Something was out of order."""

    what: str
    span: Span
    station: str | None = None
    line: str | None = None


def outages(directory: Path) -> tuple[Outage, ...]:
    """All that are told; none when there is no such file. Raises ConfigError for one of no known kind."""
    path = directory / OUTAGES
    return tuple(_outage(row) for row in told.rows(path)) if path.exists() else ()


def _outage(row: dict[str, Any]) -> Outage:
    if row["what"] not in KINDS:
        raise ConfigError(f"{OUTAGES}: what = {row['what']!r}: there are {', '.join(sorted(KINDS))}")
    since, until = (
        datetime.fromisoformat(row[key]).timestamp() if row[key] else float("inf") for key in ("from", "to")
    )
    return Outage(row["what"], (since, until), row.get("station"), row.get("line"))
