"""Plays a soak in virtual time, and has the judge compare the ledger with the PBX's truth, call by call."""

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from osrec.config import Config
from osrec.recorder.parts import store_config
from osrec.store.ledger_json import ledger_json
from osrec.store.reconcile import reconcile
from osrec_emulators.check.expected import Expected
from osrec_emulators.check.judge import check
from osrec_emulators.check.ledger import Ledger
from osrec_emulators.check.times import Times
from osrec_emulators.check.verdict import Report
from tests.scenario.soak_demands import paused_on_disk
from tests.scenario.soak_site import STATIONS, Plan, make_site
from tests.scenario.soak_troubles import Notes, Troubles

LOOK = 0.1  # seconds between two looks at what is out of order
CALM = 10.0  # seconds at the end in which nothing goes wrong any more
LICENSED = 90.0  # seconds at the end after which each station has been asked for again
PRECISE = 0.3  # seconds: in virtual time nothing is late but what has to wait for a look or a rest


@dataclass(slots=True)
class Outcome:
    """What came of it."""

    report: Report
    ledger: dict[str, Any]
    counts: dict[str, int] = field(default_factory=dict)
    paused: list[str] = field(default_factory=list)  # audio that should be nowhere

    def summary(self) -> str:
        """For people: what was played, and what became of it."""
        totals = ", ".join(f"{kind} {count}" for kind, count in self.ledger["totals"].items())
        causes = [f"{cause} {count}" for kinds in self.ledger["causes"].values() for cause, count in kinds.items()]
        played = ", ".join(f"{what} {count}" for what, count in sorted(self.counts.items()))
        judged = self.report.ledger
        full = (
            f"; {judged.shortage.in_use:.1f} pairs in use where none is said to be free" if judged is not None else ""
        )
        return f"{totals}; causes: {', '.join(causes)}{full}; played: {played}; {len(self.faults)} faults"

    @property
    def faults(self) -> list[str]:
        """All that the judge holds against the recorder."""
        report = self.report
        found = [*self.paused, *report.faults, *(fault for one in report.judged for fault in one.faults)]
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
            while not self._watched and site.clock.time < end + LICENSED:
                self._play_until(site.clock.time + LOOK)
            site.finish()
            self._notes.write(self._truth)
            return self._judge()

    @property
    def _watched(self) -> bool:
        """Whether each station is monitored again: else nobody would see its last call end."""
        session = self.site.session
        return session is not None and len(set(session.monitors.values())) >= STATIONS

    @property
    def expected(self) -> Expected:
        """What the judge is told of the recorder: its patterns, and its times from its own configuration."""
        return replace(
            self.plan.variant.expected,
            tolerance=PRECISE,
            clocks=PRECISE,
            too_short=PRECISE,
            times=_times(self.site.config),
        )

    def _play_until(self, end: float) -> None:
        while self.site.clock.time < end:
            self._troubles.step(self.site.clock.time)
            self.site.run(LOOK)
            self._notes.look()

    def _judge(self) -> Outcome:
        store = store_config(self.site.config)
        said = json.loads(json.dumps(ledger_json(reconcile(store, None, None, set()), []), default=str))
        absences = sum(self._troubles.counts.get(kind, 0) for kind in ("kill", "stop", "reboot"))
        ledger = Ledger.model_validate(said)
        report = check(self._truth, store.media, restarts=absences, expected=self.expected, ledger=ledger)
        counts = Counter(f"fault {one.fault}" for one in self.site.played)
        counts.update(self._troubles.counts, conversations=report.conversations, recordings=len(report.recordings))
        return Outcome(report, said, dict(counts), paused_on_disk(self.site))


def _times(config: Config) -> Times:
    """What the recorder's configuration says, as far as it can be configured."""
    recording = config.recording
    return Times(
        tail=recording.tail,
        pair_rest=recording.pair_rest,
        fork_timeout=recording.fork_timeout,
        request_timeout=config.csta.request_timeout,
        late_after=recording.late_after,
        audio_end=recording.audio_end,
    )
