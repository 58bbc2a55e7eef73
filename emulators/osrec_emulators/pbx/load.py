"""Random traffic: begins calls, each as a play, so that the load uses the same commands as a script."""

import random
from collections.abc import Iterable

from osrec_emulators.pbx.config import PbxConfig
from osrec_emulators.pbx.load_config import LoadConfig
from osrec_emulators.pbx.load_plans import Plans
from osrec_emulators.pbx.plays import Play, Plays
from osrec_emulators.pbx.switch import Switch


class Load:
    """Begins calls at random; the same seed gives the same calls. A source of the world's events.

    Attributes:
        begun: calls that were begun.
        lost: calls that found no idle stations or trunks.
    """

    def __init__(
        self, config: LoadConfig, pbx: PbxConfig, stations: Iterable[str], switch: Switch, plays: Plays, *, seed: int
    ) -> None:
        self.begun = 0
        self.lost = 0
        self.deadline: float | None = config.start
        self._config = config
        self._stations = list(stations)
        self._switch = switch
        self._plays = plays
        self._rng = random.Random(f"load {seed if config.seed is None else config.seed}")
        self._plans = Plans(config, pbx, switch, self._rng)
        self._reserved: set[str] = set()
        self._ends: dict[int, float] = {}  # when running calls will stop counting towards `keep`

    def stop(self) -> None:
        self.deadline = None

    def run(self, now: float) -> None:
        """A decision is due."""
        config = self._config
        if config.erlang is not None:
            self.deadline = now + self._rng.expovariate(config.erlang / config.mean_hold)
            self._begin(now)
            return
        self.deadline = now + config.spacing
        if sum(end > now for end in self._ends.values()) < (config.keep or 0):
            self._begin(now)

    def _begin(self, now: float) -> None:
        idle = [s for s in self._stations if s not in self._reserved and self._switch.idle(s)]
        self._rng.shuffle(idle)
        plan = self._plans.plan(idle, self._reserved)
        if plan is None:
            self.lost += 1
            return
        self.begun += 1
        number = self.begun
        self._reserved.update(plan.stations)
        # A call is replaced while it still runs: by the time it ends, the next one has been answered.
        self._ends[number] = now + plan.settled_until - self._config.ring[1] - 2 * self._config.spacing

        def ended() -> None:
            self._reserved.difference_update(plan.stations)
            self._ends.pop(number, None)

        self._plays.start(Play(f"load call {number}", plan.steps, ended), now)
