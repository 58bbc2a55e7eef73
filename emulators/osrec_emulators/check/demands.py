"""What people asked of running calls, as they asked it: `demands.jsonl` in the truth's directory.

Each line is one object; whoever asks writes it:

    at       UTC
    station  in whose call
    what     start, keep, keep-last, stop, pause, resume; see docs/rules.md
    seconds  of keep-last
    error    what was answered in place of it, null: it was done
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from osrec.errors import ConfigError
from osrec_emulators.check import told
from osrec_emulators.check.spans import Span, overlaps
from osrec_emulators.check.told import Conversation, Fact

DEMANDS = "demands.jsonl"
KINDS = ("start", "keep", "keep-last", "stop", "pause", "resume")


@dataclass(frozen=True, slots=True)
class Demand:
    """Somebody asked something of the call of a station."""

    at: float
    station: str
    what: str
    seconds: float | None = None
    error: str | None = None


def demands(directory: Path) -> tuple[Demand, ...]:
    """All, in the order in which they were asked. Raises ConfigError for one of no known kind."""
    path = directory / DEMANDS
    return tuple(_demand(row) for row in told.rows(path)) if path.exists() else ()


def of_conversation(conversation: Conversation, asked: Iterable[Demand]) -> list[tuple[Demand, Fact]]:
    """Those that were asked while their station talked in this conversation, each as a fact of that call."""
    found = []
    for demand in asked:
        at = (demand.at, demand.at)
        talk = next((talk for talk in conversation.talk(demand.station) if overlaps(talk.span, at)), None)
        if talk is not None:
            found.append((demand, Fact(demand.at, demand.what, talk.call)))
    return found


def kept(asked: Sequence[tuple[float, Demand]]) -> list[tuple[Demand, Span]]:
    """When what is recorded on demand is to be kept, by each demand that was met; each comes since when it holds."""
    wishes: list[tuple[Demand, Span]] = []
    running: list[tuple[Demand, float]] = []  # and since when it keeps
    floor = float("-inf")  # nothing before is left to be kept
    for at, demand in asked:
        match demand.what:
            case "stop":
                wishes += [(wish, (since, at)) for wish, since in running]
                running, floor = [], at
            case "start" | "keep" | "keep-last":
                reach = float("inf") if demand.what == "keep" else (demand.seconds or 0.0)
                running.append((demand, max(floor, at - reach)))
    return [*wishes, *((wish, (since, float("inf"))) for wish, since in running)]


def paused(asked: Sequence[tuple[float, Demand]]) -> list[Span]:
    """When nothing was to be recorded."""
    spans: list[Span] = []
    since = None
    for at, demand in asked:
        if demand.what == "pause" and since is None:
            since = at
        elif demand.what == "resume" and since is not None:
            spans, since = [*spans, (since, at)], None
    return spans if since is None else [*spans, (since, float("inf"))]


def _demand(row: dict[str, Any]) -> Demand:
    if row["what"] not in KINDS:
        raise ConfigError(f"{DEMANDS}: what = {row['what']!r}: there are {', '.join(KINDS)}")
    at = datetime.fromisoformat(row["at"]).timestamp()
    return Demand(at, row["station"], row["what"], row.get("seconds"), row.get("error"))
