"""Watches over all lines: performance second by second, slips, alarms as they came and went, and what it all means."""

import json
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from osrec.recorder.line_findings import Trend, findings, sends_multiframe
from osrec_drivers.e1.meter import Meter
from osrec_drivers.e1.performance import Bin, Counts, Kept, Performance, Thresholds
from osrec_drivers.errors import LineError
from osrec_drivers.line import AlarmChange, Crc4, Line, LineCounters

log = structlog.get_logger()
FILE = "line-performance.json"
FORM = 1  # of the file
SHORTLY = timedelta(minutes=1)
HOUR = timedelta(hours=1)
LEAST = timedelta(minutes=1)  # that slips are counted before they are told as a rate
EVENTS = 50  # alarm changes remembered of each line
TS0_FRAMES = 64  # looked at for CRC-4 multiframes: four of them


@dataclass(slots=True)
class _Watched:
    line: Line
    meter: Meter
    history: deque[tuple[datetime, LineCounters]] = field(default_factory=deque)  # one a minute, an hour of them
    events: deque[tuple[datetime, AlarmChange]] = field(default_factory=lambda: deque(maxlen=EVENTS))


class LineWatch:
    """Counts what happens on the lines.

    Args:
        now: gives the wall time.
        directory: where counts are kept over a restart; None: nowhere.
        thresholds: of lines that have others than G.826.
    """

    def __init__(
        self,
        lines: Mapping[str, Line],
        now: Callable[[], datetime],
        directory: Path | None = None,
        thresholds: Mapping[str, Thresholds] | None = None,
    ) -> None:
        self._now = now
        self._path = None if directory is None else directory / FILE
        self._saving: threading.Thread | None = None
        kept = self._load()
        self._lines = {
            name: _Watched(line, Meter(line, Performance((thresholds or {}).get(name), kept.get(name))))
            for name, line in lines.items()
        }

    def hear(self, name: str, change: AlarmChange) -> None:
        """An alarm came or went."""
        watched = self._lines[name]
        watched.meter.hear(change)
        watched.events.append((self._now(), change))

    def look(self) -> None:
        """Once a second: count what has come."""
        at = self._now()
        for watched in self._lines.values():
            watched.meter.look(at)
            history = watched.history
            if history and at < history[-1][0]:  # the clock was put back: nothing of before can be told as a rate
                history.clear()
            if not history or at - history[-1][0] >= SHORTLY:
                history.append((at, watched.line.status().counters))
            while at - history[0][0] > HOUR + SHORTLY:
                history.popleft()

    # --- telling

    def told(self, name: str) -> dict[str, Any]:
        """What stands out, and the counts, as JSON values: docs/control.md."""
        watched, at = self._lines[name], self._now()
        status, performance = watched.line.status(), watched.meter.performance
        trend = self._trend(watched, at)
        return {
            "findings": [asdict(one) for one in findings(status, trend)],
            "slips_per_hour": None if trend.slips_per_hour is None else round(trend.slips_per_hour, 2),
            "performance": {
                "near": _sums(performance.quarters(), "near") | {"available": performance.near_available},
                "far": _sums(performance.quarters(), "far") | {"available": performance.far_available},
            },
            "events": [
                {"at": when.isoformat(), "alarm": change.alarm.value, "raised": change.raised, "sample": change.sample}
                for when, change in watched.events
            ],
        }

    def performance(self, name: str) -> dict[str, Any]:
        """All bins of a line as JSON values."""
        performance = self._lines[name].meter.performance
        return {
            "line": name,
            "thresholds": asdict(performance.thresholds),
            "available": {"near": performance.near_available, "far": performance.far_available},
            "quarters": [_bin(one) for one in performance.quarters()],
            "days": [_bin(one) for one in performance.days()],
        }

    def _trend(self, watched: _Watched, at: datetime) -> Trend:
        status = watched.line.status()
        far = _far_multiframe(watched.line) if status.crc4 is Crc4.OFF and status.aligned else None
        if not watched.history:
            return Trend(far_multiframe=far)
        now, (since, first) = status.counters, watched.history[0]
        shortly = next(one for when, one in reversed(watched.history) if at - when >= SHORTLY or when == since)
        long_enough = at - since >= LEAST
        return Trend(
            hours=(at - since) / HOUR if long_enough else 0.0,
            slips=now.slips - first.slips,
            crc_errors=now.crc_errors - shortly.crc_errors,
            remote_crc_errors=now.remote_crc_errors - shortly.remote_crc_errors,
            packets_lost=now.packets_lost - shortly.packets_lost,
            overruns=now.overruns - shortly.overruns,
            far_multiframe=far,
        )

    # --- over a restart

    def save(self, patience: float = 0.0) -> None:
        """Write the counts down, in a thread: a disk may hang. Waits for it no longer than `patience` seconds."""
        if self._path is None:
            return
        if self._saving is None or not self._saving.is_alive():
            lines = {name: _kept_json(watched.meter.performance.kept()) for name, watched in self._lines.items()}
            text = json.dumps({"form": FORM, "lines": lines})
            self._saving = threading.Thread(target=_write, args=(self._path, text), name="line counts", daemon=True)
            self._saving.start()
        if patience:
            self._saving.join(patience)

    def _load(self) -> dict[str, Kept]:
        if self._path is None or not self._path.exists():
            return {}
        try:
            content = json.loads(self._path.read_text())
            if content["form"] != FORM:
                raise ValueError(f"form {content['form']!r}: this version reads {FORM}")
            return {name: _kept_of(one) for name, one in content["lines"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("line performance begins anew", path=str(self._path), error=str(error))
            return {}


def _write(path: Path, text: str) -> None:
    """Counts are worth no more than a line in the log when it fails."""
    try:
        fresh = path.with_suffix(".new")
        fresh.write_text(text)
        fresh.replace(path)
    except OSError as error:
        log.warning("line performance not kept", path=str(path), error=str(error))


def _sums(quarters: tuple[Bin, ...], side: str) -> dict[str, Any]:
    """Of the quarter that runs, and of all that are kept."""
    counts: list[Counts] = [getattr(one, side) for one in quarters]
    return {"quarter": asdict(counts[-1] if counts else Counts()), "day": asdict(sum(counts, Counts()))}


def _bin(one: Bin) -> dict[str, Any]:
    return {"start": one.start.isoformat(), "near": asdict(one.near), "far": asdict(one.far)}


def _bin_of(value: dict[str, Any]) -> Bin:
    return Bin(datetime.fromisoformat(value["start"]).astimezone(UTC), Counts(**value["near"]), Counts(**value["far"]))


def _kept_json(kept: Kept) -> dict[str, Any]:
    return {
        "quarters": [_bin(one) for one in kept.quarters],
        "days": [_bin(one) for one in kept.days],
        "near_available": kept.near_available,
        "far_available": kept.far_available,
    }


def _kept_of(value: dict[str, Any]) -> Kept:
    quarters, days = (tuple(_bin_of(one) for one in value[key]) for key in ("quarters", "days"))
    return Kept(quarters, days, bool(value["near_available"]), bool(value["far_available"]))


def _far_multiframe(line: Line) -> bool | None:
    head = line.head
    try:
        return sends_multiframe(line.read(0, head - TS0_FRAMES, TS0_FRAMES))
    except LineError:  # too little has come
        return None
