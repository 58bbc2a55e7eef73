"""Thinks up calls at random: who, how they are reached, what happens while they talk. Load begins them."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace

from osrec_emulators.pbx.config import PbxConfig
from osrec_emulators.pbx.group_config import HotLine, HuntGroup, ParallelRinging, Queue, SharedLine
from osrec_emulators.pbx.load_config import LoadConfig
from osrec_emulators.pbx.load_middles import Middles, Talk
from osrec_emulators.pbx.plays import Step
from osrec_emulators.pbx.switch import Switch

SHORTEST_TALK = 4.0  # seconds: room for the steps that happen in a conversation
PREFIXES = ("089", "030", "040", "0221", "+4369")


@dataclass(frozen=True, slots=True)
class Meeting:
    """Who calls whom: `dialled` is how the caller reaches `called`; `active` is the station that holds, transfers."""

    caller: str
    dialled: str
    called: str
    active: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A call that will be played. `settled_until`: it is certain to be answered by then and talks until then."""

    steps: tuple[Step, ...]
    settled_until: float
    stations: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Reached:
    """How a call got to be answered: the steps until then, when, and who takes part from then on."""

    steps: tuple[Step, ...]
    answered: float
    meeting: Meeting
    stations: tuple[str, ...] = ()  # more of them


class Plans:
    """Makes plans out of stations that are free."""

    def __init__(self, config: LoadConfig, pbx: PbxConfig, switch: Switch, rng: random.Random) -> None:
        self._config = config
        self._pbx = pbx
        self._switch = switch
        self._rng = rng
        self._middles = Middles(config, switch, rng, self._outside)
        kinds = (HuntGroup, Queue, ParallelRinging, SharedLine)
        self._groups = [group.number for group in pbx.groups if isinstance(group, kinds)]
        self._doors = [group.number for group in pbx.groups if isinstance(group, HotLine)]

    def plan(self, idle: list[str], taken: set[str]) -> Plan | None:
        """Think up a call; None when nobody is free for it. `taken`: park slots of plans that run."""
        happens = chosen(self._config.before_answer, self._rng)
        if happens == "group" and self._groups:
            return self._to_group(idle)
        meeting = self._meeting(idle, happens)
        if meeting is None:
            return None
        stations = [one for one in (meeting.caller, meeting.called) if one in self._switch.directory.stations]
        if happens == "busy":
            return Plan(_busy(meeting), 0.0, frozenset(stations))
        if happens == "no_answer":
            # The PBX's own timer ends the call; the last step only marks the end.
            end = Step(self._pbx.no_answer_after + 0.1, "ignore", meeting.called)
            return Plan((_call(meeting), end), 0.0, frozenset(stations))
        reached = self._reach(meeting, happens, idle)
        return self._conversation(reached, [*stations, *reached.stations], idle, taken)

    # --- who

    def _meeting(self, idle: list[str], happens: str | None) -> Meeting | None:
        """Choose the parties; stations are taken out of `idle`."""
        config, rng = self._config, self._rng
        kind = rng.choices(("in", "out", "internal"), (config.incoming, config.outgoing, config.internal))[0]
        kind = {"camp_on": "internal", "callback": "internal", "disa": "in"}.get(happens or "", kind)
        if len(idle) < (2 if kind == "internal" else 1):
            return None
        station = idle.pop()
        if kind == "internal":
            called = idle.pop()
            return Meeting(station, called, called, rng.choice((station, called)))
        if not self._switch.free_trunks():
            return None
        outside = self._outside()
        if kind == "in":
            return Meeting(outside, station, station, station)
        return Meeting(station, self._switch.directory.access_code + outside, outside, station)

    def _outside(self) -> str:
        return self._rng.choice(PREFIXES) + str(self._rng.randrange(10**6, 10**7))

    # --- until it is answered

    def _reach(self, meeting: Meeting, happens: str | None, idle: list[str]) -> _Reached:
        ring = self._rng.uniform(*self._config.ring)
        inside = meeting.called in self._switch.directory.stations
        match happens:
            case "forward" | "deflect" | "pickup" if inside and idle:
                return self._elsewhere(meeting, happens, idle.pop(), ring)
            case "camp_on":
                steps = (*_found_busy(meeting), Step(1.0, "camp_on", meeting.caller), Step(2.0, "free", meeting.called))
                return _Reached((*steps, Step(2 + ring, "answer", meeting.called)), 2 + ring, meeting)
            case "callback":
                back = Step(1.0, "callback", meeting.caller), Step(2.0, "free", meeting.called)
                answers = Step(3.0, "answer", meeting.caller), Step(3 + ring, "answer", meeting.called)
                return _Reached((*_found_busy(meeting), *back, *answers), 3 + ring, meeting)
            case "disa" if self._switch.directory.disa:
                dialled = Step(0.0, "call", meeting.caller, min(self._switch.directory.disa))
                on = Step(1.0, "dial", meeting.caller, meeting.called)
                return _Reached((dialled, on, Step(1 + ring, "answer", meeting.called)), 1 + ring, meeting)
            case _:
                return _Reached((_call(meeting), Step(ring, "answer", meeting.called)), ring, meeting)

    def _elsewhere(self, meeting: Meeting, happens: str, other: str, ring: float) -> _Reached:
        """Another station than the one that was called answers."""
        called = meeting.called
        now = replace(meeting, called=other, active=other if meeting.active == called else meeting.active)
        steps: tuple[Step, ...]
        if happens == "deflect":
            steps = (_call(meeting), Step(ring / 2, "deflect", called, other), Step(ring, "answer", other))
        elif happens == "pickup":
            steps = (_call(meeting), Step(ring, "pickup", other, called))
        else:
            when = self._rng.choice(("always", "no_answer"))
            sent_on = 0.0 if when == "always" else self._pbx.forward_no_answer_after
            ring += sent_on
            steps = (
                Step(0.0, "forward", called, other, when),
                _call(meeting),
                Step(sent_on + min(0.1, self._config.ring[0] / 2), "unforward", called),
                Step(ring, "answer", other),
            )
        return _Reached(steps, ring, now, (other,))

    def _to_group(self, idle: list[str]) -> Plan | None:
        """Whoever rings there answers; where nobody is free, the caller leaves in the end."""
        rng = self._rng
        doors = [door for door in self._doors if self._switch.idle(door)]
        outside = self._config.incoming > 0 and bool(self._switch.free_trunks())
        caller = self._outside() if outside else (idle.pop() if idle else None)
        if caller is None:
            return None
        call = Step(0.0, "call", caller, rng.choice(self._groups))
        if doors and rng.random() < 1 / (1 + len(self._groups)):
            caller = rng.choice(doors)
            call = Step(0.0, "call", caller)
        ring = rng.uniform(*self._config.ring)
        steps = (call, Step(ring, "answer_any", caller), Step(ring + self._talk(), "leave", caller))
        return Plan(steps, 0.0, frozenset({caller} & self._switch.directory.stations.keys()))

    # --- while they talk

    def _conversation(self, reached: _Reached, stations: list[str], idle: list[str], taken: set[str]) -> Plan:
        talk, meeting = self._talk(), reached.meeting
        end = reached.answered + talk
        other = meeting.caller if meeting.active == meeting.called else meeting.called
        happens = chosen(self._config.in_conversation, self._rng)
        middle = self._middles.middle(happens, Talk(meeting.active, other, reached.answered, talk), idle, taken)
        stations += middle.stations
        last = self._rng.choice((meeting.caller, meeting.called))
        ends = () if middle.ends else (Step(end, "hangup", last),)
        steps = sorted((*reached.steps, *middle.steps, *ends), key=lambda step: step.at)
        return Plan(tuple(steps), end, frozenset(stations))

    def _talk(self) -> float:
        mean = self._config.mean_hold
        return min(max(SHORTEST_TALK, self._rng.expovariate(1 / mean)), 10 * mean)


def chosen(shares: Mapping[str, float], rng: random.Random) -> str | None:
    """One of the things that may happen, None: nothing special."""
    left = rng.random()
    for name, share in shares.items():
        left -= share
        if left < 0:
            return name
    return None


def _call(meeting: Meeting) -> Step:
    return Step(0.0, "call", meeting.caller, meeting.dialled)


def _found_busy(meeting: Meeting) -> tuple[Step, ...]:
    return Step(0.0, "busy", meeting.called), _call(meeting)


def _busy(meeting: Meeting) -> tuple[Step, ...]:
    return (
        *_found_busy(meeting),
        Step(2.5, "hangup", meeting.caller),
        Step(2.5, "free", meeting.called),
    )
