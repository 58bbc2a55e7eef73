"""Random traffic: thinks up calls, each as a play, so that the load uses the same commands as a script."""

import random
from collections.abc import Iterable
from dataclasses import dataclass

from osrec_emulators.pbx.config import LoadConfig
from osrec_emulators.pbx.plays import Play, Plays, Step
from osrec_emulators.pbx.switch import Switch

SHORTEST_TALK = 4.0  # seconds: room for the steps that happen in a conversation
BLIND = 0.3  # share of transfers while the third party's telephone still rings
PREFIXES = ("089", "030", "040", "0221", "+4369")


@dataclass(frozen=True, slots=True)
class _Meeting:
    """Who calls whom: `dialled` is how the caller reaches `called`; `active` is the station that holds, transfers."""

    caller: str
    dialled: str
    called: str
    active: str

    @property
    def other(self) -> str:
        return self.caller if self.active == self.called else self.called


@dataclass(frozen=True, slots=True)
class _Plan:
    """A call that will be played. `settled_until`: it is certain to be answered by then and talks until then."""

    steps: tuple[Step, ...]
    settled_until: float
    stations: frozenset[str]


class Load:
    """Begins calls at random; the same seed gives the same calls. A source of the world's events.

    Attributes:
        begun: calls that were begun.
        lost: calls that found no idle stations or trunks.
    """

    def __init__(
        self,
        config: LoadConfig,
        stations: Iterable[str],
        switch: Switch,
        plays: Plays,
        *,
        seed: int,
        no_answer_after: float,
    ) -> None:
        self.begun = 0
        self.lost = 0
        self.deadline: float | None = config.start
        self._config = config
        self._stations = list(stations)
        self._switch = switch
        self._plays = plays
        self._no_answer_after = no_answer_after
        self._rng = random.Random(f"load {seed if config.seed is None else config.seed}")
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
        plan = self._plan()
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

    def _plan(self) -> _Plan | None:
        """Think up a call; None when nobody is free for it."""
        idle = [s for s in self._stations if s not in self._reserved and self._switch.idle(s)]
        self._rng.shuffle(idle)
        meeting = self._meeting(idle)
        if meeting is None:
            return None
        config = self._config
        stations = [party for party in (meeting.caller, meeting.called) if party in self._switch.directory.stations]
        outcome = self._rng.random()
        if outcome < config.busy:
            return _Plan(_busy(meeting), 0.0, frozenset(stations))
        if outcome < config.busy + config.no_answer:
            # The PBX's own timer ends the call; the last step only marks the end.
            end = Step(self._no_answer_after + 0.1, "ignore", meeting.called)
            return _Plan((Step(0.0, "call", meeting.caller, meeting.dialled), end), 0.0, frozenset(stations))
        return self._conversation(meeting, stations, idle)

    def _meeting(self, idle: list[str]) -> _Meeting | None:
        """Choose the parties; stations are taken out of `idle`."""
        config, rng = self._config, self._rng
        kind = rng.choices(("in", "out", "internal"), (config.incoming, config.outgoing, config.internal))[0]
        if len(idle) < (2 if kind == "internal" else 1):
            return None
        station = idle.pop()
        if kind == "internal":
            called = idle.pop()
            return _Meeting(station, called, called, rng.choice((station, called)))
        if not self._switch.free_trunks():
            return None
        outside = rng.choice(PREFIXES) + str(rng.randrange(10**6, 10**7))
        if kind == "in":
            return _Meeting(outside, station, station, station)
        return _Meeting(station, self._switch.directory.access_code + outside, outside, station)

    def _conversation(self, meeting: _Meeting, stations: list[str], idle: list[str]) -> _Plan:
        rng = self._rng
        answered = rng.uniform(*self._config.ring)
        talk = min(max(SHORTEST_TALK, rng.expovariate(1 / self._config.mean_hold)), 10 * self._config.mean_hold)
        end = answered + talk
        middle = self._middle(meeting, idle, answered, talk)
        stations += [step.to for step in middle if step.action == "consult"]
        ends = () if any(step.action == "hangup" for step in middle) else (self._last(meeting, end),)
        steps = (
            Step(0.0, "call", meeting.caller, meeting.dialled),
            Step(answered, "answer", meeting.called),
            *middle,
            *ends,
        )
        return _Plan(tuple(sorted(steps, key=lambda step: step.at)), end, frozenset(stations))

    def _last(self, meeting: _Meeting, end: float) -> Step:
        return Step(end, "hangup", self._rng.choice((meeting.caller, meeting.called)))

    def _middle(self, meeting: _Meeting, idle: list[str], answered: float, talk: float) -> tuple[Step, ...]:
        """What happens within the conversation."""
        config, rng = self._config, self._rng
        chosen = rng.random()
        at = answered + talk * rng.uniform(0.2, 0.4)
        if chosen < config.hold:
            return Step(at, "hold", meeting.active), Step(at + talk * rng.uniform(0.1, 0.3), "retrieve", meeting.active)
        if chosen < config.hold + config.transfer and idle:
            return self._transfer(meeting, idle.pop(), at, answered + talk, talk)
        if chosen < config.hold + config.transfer + config.conference and idle:
            return self._conference(meeting, idle.pop(), at, answered + talk, talk)
        return ()

    def _consult(self, meeting: _Meeting, third: str, at: float, talk: float) -> tuple[Step, Step]:
        answer = at + min(self._rng.uniform(*self._config.ring), talk * 0.2)
        return Step(at, "consult", meeting.active, third), Step(answer, "answer", third)

    def _transfer(self, meeting: _Meeting, third: str, at: float, end: float, talk: float) -> tuple[Step, ...]:
        consult, answer = self._consult(meeting, third, at, talk)
        if self._rng.random() < BLIND:
            moment = (consult.at + answer.at) / 2
        else:
            moment = answer.at + talk * self._rng.uniform(0.05, 0.15)
        last = Step(end, "hangup", self._rng.choice((meeting.other, third)))
        return consult, answer, Step(moment, "transfer", meeting.active), last

    def _conference(self, meeting: _Meeting, third: str, at: float, end: float, talk: float) -> tuple[Step, ...]:
        consult, answer = self._consult(meeting, third, at, talk)
        joined = Step(answer.at + talk * self._rng.uniform(0.05, 0.15), "conference", meeting.active)
        first = Step(end - talk * 0.1, "hangup", self._rng.choice((third, meeting.active)))
        return consult, answer, joined, first, Step(end, "hangup", meeting.other)


def _busy(meeting: _Meeting) -> tuple[Step, ...]:
    return (
        Step(0.0, "busy", meeting.called),
        Step(0.0, "call", meeting.caller, meeting.dialled),
        Step(2.5, "hangup", meeting.caller),
        Step(2.5, "free", meeting.called),
    )
