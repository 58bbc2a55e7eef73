"""What goes wrong at the soak's site from time to time; each kind of trouble begins, and is mended later."""

import json
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from osrec_drivers.virtual import FaultKind
from osrec_emulators.cap.messages import State
from osrec_emulators.check.outages import OUTAGES
from osrec_emulators.watch import Seen, Watch
from tests.scenario.site import START, Site
from tests.scenario.soak_demands import Demands
from tests.scenario.soak_link_troubles import Dialler, LostLink
from tests.scenario.soak_moments import moments
from tests.scenario.soak_recorder_troubles import Absence, ClockSteps, FullDisk, HungDisk
from tests.scenario.soak_site import Plan
from tests.scenario.soak_variants import ASKED

LINE_FAULTS = (FaultKind.ZEROS, FaultKind.ONES, FaultKind.LOST)
IN_FRAME = 1.0  # seconds after damage until the line's alarms have gone


class Trouble(Protocol):
    """One kind."""

    def strike(self, now: float) -> None:
        """It begins, or gets worse."""

    def step(self, now: float) -> None:
        """Time went on: what is due is mended."""

    def calm(self, now: float) -> None:
        """All of it is mended: the soak is over."""


class Notes:
    """What was out of order, as the PBX's side saw it: outages.jsonl, for the judge."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._lines: list[str] = []
        stations = (str(number) for number in range(3100, site.last_station + 1))
        self._watch = Watch(stations, _wall, self._lines.append)

    def look(self) -> None:
        """Who is associated and monitored now."""
        session, licences = self._site.session, self._site.licences
        here = session is not None and session.state is State.ASSOCIATED and not self._site.deaf
        seen = Seen(
            associated={str(self._site.connection)} if here else set(),
            monitored=set(session.monitors.values()) if session is not None else set(),
            exhausted=licences.size is not None and licences.used >= licences.size,
            owes=session is not None and session.owes,
        )
        self._watch.look(seen, self._site.clock.time)

    def note(self, what: str, since: float, until: float, **whose: str) -> None:
        """Of a line, the recorder, or the journal."""
        row: dict[str, Any] = {"what": what, "from": _wall(since).isoformat(), "to": _wall(until).isoformat()}
        self._lines.append(json.dumps(row | whose) + "\n")

    def write(self, directory: Path) -> None:
        """The soak is over."""
        self._watch.close(self._site.clock.time)
        (directory / OUTAGES).write_text("".join(self._lines), encoding="utf-8")


class LinkCut:
    """The network breaks, for moments or for longer.

    Args:
        seconds: how long, one of these.
    """

    def __init__(self, site: Site, dialler: Dialler, rng: random.Random, *seconds: float) -> None:
        self._site = site
        self._dialler = dialler
        self._rng = rng
        self._seconds = seconds
        self._mend_at = float("inf")

    def strike(self, now: float) -> None:
        self._dialler.unplugged = True
        self._site.cut_link()
        self._mend_at = now + self._rng.choice(self._seconds)

    def step(self, now: float) -> None:
        if self._mend_at <= now:
            self.calm(now)

    def calm(self, now: float) -> None:
        self._dialler.unplugged = False
        self._mend_at = float("inf")


class LineDamage:
    """What the PBX sends on one of the lines is damaged."""

    def __init__(self, site: Site, rng: random.Random, notes: Notes) -> None:
        self._site = site
        self._rng = rng
        self._notes = notes

    def strike(self, now: float) -> None:
        name = self._rng.choice(sorted(self._site.lines))
        seconds = self._rng.choice([0.5, 4.0, 15.0])
        self._site.damage(self._rng.choice(LINE_FAULTS), seconds, name)
        self._notes.note("line", now, now + seconds + IN_FRAME, line=f"diun2/{name.removeprefix('trunk')}")

    def step(self, now: float) -> None:
        pass  # it is over by itself

    def calm(self, now: float) -> None:
        pass


class Troubles:
    """All kinds, each at its times."""

    def __init__(self, site: Site, plan: Plan, notes: Notes) -> None:
        self.counts: dict[str, int] = {}
        rng = random.Random(f"soak {plan.seed}")
        self._dialler = Dialler(site, rng)
        cuts = LinkCut(site, self._dialler, rng, 0.5, 3.0, 12.0, 40.0)
        self._kinds: dict[str, tuple[Trouble, float]] = {
            "cut": (cuts, plan.link_cut_every),
            "lost link": (LostLink(site), plan.link.lost_link),
            "line": (LineDamage(site, rng, notes), plan.line_alarm_every),
            "kill": (Absence(site, rng, notes, site.kill_recorder, cuts), plan.variant.kill_every),
            "stop": (Absence(site, rng, notes, site.stop_recorder, cuts), plan.variant.stop_every),
            "reboot": (Absence(site, rng, notes, site.kill_recorder, cuts, boots=True), plan.variant.reboot_every),
            "full": (FullDisk(site, rng, notes), plan.variant.full_every),
            "hang": (HungDisk(site, rng), plan.variant.hang_every),
            "step": (ClockSteps(site, rng), plan.variant.step_every),
            "demand": (Demands(site, rng, ASKED), plan.variant.demand_every),
        }
        self._due = sorted(self._schedule(rng, plan))

    def step(self, now: float) -> None:
        while self._due and self._due[0][0] <= now:
            _, kind = self._due.pop(0)
            self.counts[kind] = self.counts.get(kind, 0) + 1
            self._kinds[kind][0].strike(now)
        for trouble, _ in self._kinds.values():
            trouble.step(now)
        self._dialler.step(now)
        self.counts |= self._dialler.counts

    def calm(self, now: float) -> None:
        for trouble, _ in self._kinds.values():
            trouble.calm(now)

    def _schedule(self, rng: random.Random, plan: Plan) -> Iterator[tuple[float, str]]:
        for kind, (_, every) in self._kinds.items():
            if every:
                yield from ((when, kind) for when in moments(rng, plan.seconds, every))


def _wall(now: float) -> datetime:
    return START + timedelta(seconds=now)
