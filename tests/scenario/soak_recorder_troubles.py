"""What goes wrong with the soak's recorder itself: it is killed, stopped, its disk is full, its clock is set."""

import random
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Protocol

from tests.scenario.site import Site

CUTS_TOO = 0.3  # share of the recorder's absences during which the link is cut, and perhaps still is at its return
CLOCK = 0.1  # seconds that the wall clock may be off; the judge's clocks are the PBX's


class Notes(Protocol):
    """For the judge."""

    def note(self, what: str, since: float, until: float, **whose: str) -> None: ...


class Cuts(Protocol):
    """Of the link."""

    def strike(self, now: float) -> None: ...


class Absence:
    """The recorder ends, and is started again.

    Args:
        end: how it ends.
        cuts: of the link, which begin with some of the absences.
        boots: the machine restarts with it.
    """

    _boots = count(2)

    def __init__(
        self,
        site: Site,
        rng: random.Random,
        notes: Notes,
        end: Callable[[], None],
        cuts: Cuts,
        *,
        boots: bool = False,
    ) -> None:
        self._site = site
        self._rng = rng
        self._notes = notes
        self._end = end
        self._cuts = cuts
        self._boots_too = boots
        self._since = self._back_at = 0.0
        self._away = False

    def strike(self, now: float) -> None:
        if self._site.recorder is None:
            return  # it is away already
        if self._rng.random() < CUTS_TOO:
            self._cuts.strike(now)
        self._end()
        self._away, self._since = True, now
        self._back_at = now + self._rng.uniform(0.5, 20.0)

    def step(self, now: float) -> None:
        if self._away and self._back_at <= now:
            self.calm(now)

    def calm(self, now: float) -> None:
        if not self._away:
            return
        if self._boots_too:
            self._site.boot = f"boot {next(self._boots)}"
        self._site.start_recorder(linked=False)
        self._notes.note("recorder", self._since, now)
        self._away = False


class FullDisk:
    """There is no room for new segments, for a while."""

    def __init__(self, site: Site, rng: random.Random, notes: Notes) -> None:
        self._site = site
        self._rng = rng
        self._notes = notes
        self._since = self._until = 0.0

    def strike(self, now: float) -> None:
        if self._site.disk.room is None:
            self._site.disk.room, self._since = 0, now
        self._until = now + self._rng.uniform(10.0, 40.0)

    def step(self, now: float) -> None:
        if self._until <= now:
            self.calm(now)

    def calm(self, now: float) -> None:
        if self._site.disk.room is not None:
            self._site.disk.room = None
            self._notes.note("journal", self._since, now)


class HungDisk:
    """It does not answer for a while. That must cost nothing, so it is not told to the judge."""

    def __init__(self, site: Site, rng: random.Random) -> None:
        self._site = site
        self._rng = rng
        self._until = 0.0

    def strike(self, now: float) -> None:
        self._site.disk_hangs = True
        self._until = now + self._rng.uniform(1.0, 20.0)

    def step(self, now: float) -> None:
        if self._until <= now:
            self.calm(now)

    def calm(self, now: float) -> None:
        self._site.disk_hangs = False


class ClockSteps:
    """The wall clock is set, as by NTP, forwards or back."""

    def __init__(self, site: Site, rng: random.Random) -> None:
        self._site = site
        self._rng = rng

    def strike(self, now: float) -> None:
        self._site.clock.step = timedelta(seconds=self._rng.uniform(-CLOCK, CLOCK))

    def step(self, now: float) -> None:
        pass

    def calm(self, now: float) -> None:
        pass
