"""A long, bad time in virtual time: random traffic, and everything going wrong that may; then the ledger is judged.

`make soak` runs half an hour of it in each encoding, `make test` a minute or two.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from osrec.recorder.parts import store_config
from osrec.store.ledger_json import ledger_json
from osrec.store.reconcile import reconcile
from osrec_drivers.virtual import FaultKind
from osrec_emulators.check.expected import Expected
from osrec_emulators.check.judge import check
from osrec_emulators.check.ledger import Ledger
from osrec_emulators.check.verdict import Report
from tests.scenario.soak_site import CONFIDENTIAL, STATIONS, Plan, make_site, moments

LINE_FAULTS = (FaultKind.ZEROS, FaultKind.ONES, FaultKind.LOST)
LOOK = 0.1  # seconds between two looks at what is out of order


@dataclass(slots=True)
class _Span:
    what: str
    since: datetime
    station: str | None = None
    line: str | None = None
    until: datetime | None = None

    def row(self) -> dict[str, Any]:
        row: dict[str, Any] = {"what": self.what, "from": self.since.isoformat()}
        row["to"] = self.until.isoformat() if self.until else None
        return row | {key: value for key in ("station", "line") if (value := getattr(self, key)) is not None}


@dataclass(slots=True)
class Outcome:
    """What came of it."""

    report: Report
    ledger: dict[str, Any]
    counts: dict[str, int] = field(default_factory=dict)

    def summary(self) -> str:
        """For people: what was played, and what became of it."""
        totals = ", ".join(f"{kind} {count}" for kind, count in self.ledger["totals"].items())
        causes = [f"{cause} {count}" for kinds in self.ledger["causes"].values() for cause, count in kinds.items()]
        played = ", ".join(f"{what} {count}" for what, count in sorted(self.counts.items()))
        return f"{totals}; causes: {', '.join(causes)}; played: {played}; {len(self.faults)} faults"

    @property
    def faults(self) -> list[str]:
        """All that the judge holds against the recorder."""
        report = self.report
        found = [*report.faults, *(fault for one in report.judged for fault in one.faults)]
        found += [f"{one.recording}: {fault}" for one in report.recordings for fault in one.faults]
        if report.ledger is None:
            return [*found, "the ledger was not judged"]
        found += [f"ledger {one.id}: {fault}" for one in report.ledger.entries for fault in one.faults]
        return [*found, *report.ledger.faults]


class Soak:
    """One run. Everything that is done to the site is written to outages.jsonl, for the judge."""

    def __init__(self, directory: Path, plan: Plan) -> None:
        self.plan = plan
        self.site = make_site(directory, plan)
        self._truth = directory / "truth"
        self._rng = random.Random(f"soak {plan.seed}")
        self._outages: list[_Span] = []
        self._open: dict[tuple[str, str], _Span] = {}
        self._counts: dict[str, int] = {}
        self._troubles = sorted(self._schedule())
        self._mend_at: float | None = None
        self._lines_back: dict[str, float] = {}

    def run(self) -> Outcome:
        """Play it, stop in order, judge."""
        site, end = self.site, self.plan.seconds
        with site:
            while site.clock.time < end:
                self._disturb(site.clock.time)
                site.run(LOOK)
                self._look()
            self._calm()
            site.finish()
            self._write_outages()
            return self._judge()

    # --- what goes wrong

    def _schedule(self) -> Iterator[tuple[float, str]]:
        plan = self.plan
        for what, every in (
            ("cut", plan.link_cut_every),
            ("restart", plan.cap_restart_every),
            ("line", plan.line_alarm_every),
        ):
            yield from ((when, what) for when in moments(self._rng, plan.seconds, every))

    def _disturb(self, now: float) -> None:
        while self._troubles and self._troubles[0][0] <= now:
            _, what = self._troubles.pop(0)
            self._counts[what] = self._counts.get(what, 0) + 1
            getattr(self, f"_{what}")(now)
        if self._mend_at is not None and self._mend_at <= now and not self.site.connected:
            self.site.mend_link()
            self._mend_at = None
        if not self.site.connected and self._mend_at is None:
            self._mend_at = now + 1.0  # the CAP itself has hung up: the runner would come back after a pause

    def _cut(self, now: float) -> None:
        self.site.cut_link()
        self._mend_at = now + self._rng.choice([0.5, 3.0, 12.0, 40.0])

    def _restart(self, now: float) -> None:
        """The CAP is gone for a while and knows nothing of before: as a cut, longer."""
        self.site.cut_link()
        self._mend_at = now + self._rng.uniform(5.0, 25.0)

    def _line(self, now: float) -> None:
        name = self._rng.choice(sorted(self.site.lines))
        seconds = self._rng.choice([0.5, 4.0, 15.0])
        self.site.damage(self._rng.choice(LINE_FAULTS), seconds, name)
        self._lines_back[name] = max(self._lines_back.get(name, 0.0), now + seconds)

    def _calm(self) -> None:
        """All is mended and has time to come back before everybody hangs up."""
        self._mend_at = self._mend_at or self.site.clock.time
        while self.site.clock.time < self.plan.seconds + 10.0:
            self._disturb(self.site.clock.time)
            self.site.run(LOOK)
            self._look()

    # --- what was out of order, as the PBX's side saw it

    def _look(self) -> None:
        now = self.site.clock.at()
        session = self.site.session
        self._state("link", "", session is None or not session.monitors, now)
        watched = set(session.monitors.values()) if session is not None else set()
        licences = self.site.licences
        short = licences.size is not None and licences.used >= licences.size
        for number in range(3100, 3100 + STATIONS):
            station = str(number)
            dark = session is not None and station not in watched
            self._state("licence" if short else "monitor", station, dark, now)
            self._state("monitor" if short else "licence", station, False, now)
        for name, until in self._lines_back.items():
            board = f"diun2/{name.removeprefix('trunk')}"
            self._state("line", board, self.site.clock.time < until + 1.0, now)

    def _state(self, what: str, whose: str, wrong: bool, now: datetime) -> None:
        key = (what, whose)
        if wrong and key not in self._open:
            line = whose if what == "line" else None
            station = whose if what in ("monitor", "licence") else None
            self._open[key] = span = _Span(what, now, station, line)
            self._outages.append(span)
        elif not wrong and key in self._open:
            self._open.pop(key).until = now

    def _write_outages(self) -> None:
        lines = [json.dumps(span.row()) + "\n" for span in self._outages]
        (self._truth / "outages.jsonl").write_text("".join(lines), encoding="utf-8")

    # --- the verdict

    def _judge(self) -> Outcome:
        store = store_config(self.site.config)
        said = json.loads(json.dumps(ledger_json(reconcile(store, None, None, set()), []), default=str))
        expected = Expected(
            stations=("3*",),
            never=(CONFIDENTIAL,),
            gaps=frozenset({"los", "lof", "ais", "packet_loss", "not_listening"}),
        )
        report = check(self._truth, store.media, expected=expected, ledger=Ledger.model_validate(said))
        self._counts |= {"conversations": report.conversations, "recordings": len(report.recordings)}
        self._counts |= {f"fault {one.fault}": 0 for one in self.site.played}
        for one in self.site.played:
            self._counts[f"fault {one.fault}"] += 1
        return Outcome(report, said, self._counts)
