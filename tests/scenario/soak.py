"""Plays a soak in virtual time, and has the judge compare the ledger with the PBX's truth, call by call."""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from osrec.recorder.parts import store_config
from osrec.store.ledger_json import ledger_json
from osrec.store.reconcile import reconcile
from osrec_emulators.check.expected import Expected
from osrec_emulators.check.judge import check
from osrec_emulators.check.ledger import Ledger
from osrec_emulators.check.verdict import Report
from tests.scenario.soak_site import CONFIDENTIAL, Plan, make_site
from tests.scenario.soak_troubles import Notes, Troubles

LOOK = 0.1  # seconds between two looks at what is out of order
CALM = 10.0  # seconds at the end in which nothing goes wrong any more


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
    """One run."""

    def __init__(self, directory: Path, plan: Plan) -> None:
        self.plan = plan
        self.site = make_site(directory, plan)
        self._truth = directory / "truth"
        self._notes = Notes(self.site)
        self._troubles = Troubles(self.site, plan, self._notes)

    def run(self) -> Outcome:
        """Play it, stop in order, judge."""
        site, end = self.site, self.plan.seconds
        with site:
            self._play_until(end)
            self._troubles.calm(site.clock.time)
            self._play_until(end + CALM)
            site.finish()
            self._notes.write(self._truth)
            return self._judge()

    def _play_until(self, end: float) -> None:
        while self.site.clock.time < end:
            self._troubles.step(self.site.clock.time)
            self.site.run(LOOK)
            self._notes.look()

    def _judge(self) -> Outcome:
        store = store_config(self.site.config)
        said = json.loads(json.dumps(ledger_json(reconcile(store, None, None, set()), []), default=str))
        expected = Expected(
            stations=("3*",),
            never=(CONFIDENTIAL,),
            gaps=frozenset({"los", "lof", "ais", "packet_loss", "not_listening"}),
        )
        report = check(self._truth, store.media, expected=expected, ledger=Ledger.model_validate(said))
        counts = Counter(f"fault {one.fault}" for one in self.site.played)
        counts.update(self._troubles.counts, conversations=report.conversations, recordings=len(report.recordings))
        return Outcome(report, said, dict(counts))
