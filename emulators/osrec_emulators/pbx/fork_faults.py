"""Declared faults of forks: what is to go wrong with this request, this fork, this port. The dice are seeded."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from osrec_emulators.pbx.calls import Call
from osrec_emulators.pbx.fork_config import ForkFaultsConfig, When
from osrec_emulators.pbx.media import Side
from osrec_emulators.pbx.numbering import expand_all


@dataclass(frozen=True, slots=True)
class Service:
    """How a request is served.

    Attributes:
        error: its name in fork_errors.ERRORS; None: as the call's state says.
        joins: whether it is carried out.
        answered: whether an answer is sent.
        delay: seconds by which the answer is late.
    """

    error: str | None = None
    joins: bool = True
    answered: bool = True
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Loss:
    """The PBX ends forks of a pair by itself.

    Attributes:
        at: PBX time.
        side: only this one; None: both.
        told: with the usual events.
    """

    at: float
    side: Side | None
    told: bool


class ForkFaults:
    """Draws what goes wrong. Each kind of fault has its own dice, so that one does not change another's."""

    def __init__(self, config: ForkFaultsConfig, seed: int = 0) -> None:
        seed = seed if config.seed is None else config.seed
        self._config = config
        self._refuse = _Chooser(config.refuse, f"refuse {seed}")
        self._unanswered = _Chooser(config.unanswered, f"unanswered {seed}")
        self._late = _Chooser(config.late, f"late {seed}")
        self._lost = _Chooser(config.lost, f"lost {seed}")
        self._swapped = _Chooser(config.swapped, f"swapped {seed}")
        self._dead = _Chooser(config.dead, f"dead {seed}")
        self._stuck = _Chooser(config.stuck, f"stuck {seed}")
        self._refusals = 0

    def service(self, call: Call | None, station: str | None, ports: Sequence[str], now: float) -> Service:
        """How a request for forks is served."""
        refuse = self._refuse.chooses(call, station, ports, now)
        unanswered = self._unanswered.chooses(call, station, ports, now)
        delay = self._late.between(self._config.late.seconds, call, station, ports, now)
        if refuse:
            errors = self._config.refuse.errors
            self._refusals += 1
            return Service(error=errors[(self._refusals - 1) % len(errors)], joins=False, delay=delay or 0.0)
        if unanswered:
            return Service(joins=self._config.unanswered.joins, answered=False)
        return Service(delay=delay or 0.0)

    def loss(self, call: Call, station: str, port: str, now: float) -> Loss | None:
        """Whether and when a pair that begins now is lost."""
        config = self._config.lost
        after = self._lost.between(config.after, call, station, (port,), now)
        if after is None:
            return None
        return Loss(now + after, None if config.sides == "both" else Side(config.sides), config.told)

    def swapped(self, call: Call, station: str, port: str, now: float) -> bool:
        """Whether the sides of a pair that begins now are exchanged."""
        return self._swapped.chooses(call, station, (port,), now)

    def dead(self, call: Call, station: str, port: str, now: float) -> bool:
        """Whether a fork that begins now carries nothing."""
        return self._dead.chooses(call, station, (port,), now)

    def stuck(self, call: Call, station: str, port: str, now: float) -> float | None:
        """For how long a port that should be free now stays seized."""
        return self._stuck.between(self._config.stuck.seconds, call, station, (port,), now)


class _Chooser:
    """Applies one `When`: it counts what it is asked about and draws for each."""

    def __init__(self, when: When, seed: str) -> None:
        self._when = when
        self._ports = frozenset(expand_all(when.ports))
        self._rng = random.Random(f"fork faults {seed}")
        self._asked = 0
        self._tries: Counter[tuple[bytes, str | None]] = Counter()

    def chooses(self, call: Call | None, station: str | None, ports: Sequence[str], now: float) -> bool:
        drawn = self._rng.random()  # for each, so that what is drawn depends on the number of the request alone
        when = self._when
        if when.between is not None and not when.between[0] <= now < when.between[1]:
            return False
        self._asked += 1
        chosen = bool(when.every) and self._asked % when.every == 0
        chosen |= drawn < when.rate
        chosen |= not self._ports.isdisjoint(ports)
        return chosen | self._among_first(call, station)

    def between(
        self, span: tuple[float, float], call: Call | None, station: str | None, ports: Sequence[str], now: float
    ) -> float | None:
        """A number of the span when chosen."""
        drawn = self._rng.uniform(*span)
        return drawn if self.chooses(call, station, ports, now) else None

    def _among_first(self, call: Call | None, station: str | None) -> bool:
        if not self._when.first or call is None:
            return False
        # by the thread: a transfer gives the call a new id, and it is the same call to the people in it
        key = call.thread.id, station
        self._tries[key] += 1
        return self._tries[key] <= self._when.first
