"""Real call flows at a given rate of event reports, and how soon recorded calls are forked (for link tests).

The PBX model plays every flow; nothing is sent that no call has brought about. Stations are taken in groups of three,
all in turn; a few more, which the recorder under test records, have calls of some seconds of their own.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from osrec_emulators.pbx.calls import Occurrence
from osrec_emulators.pbx.switch import Switch

GROUP: Final = 3
EVENTS_OF_A_STEP: Final = 2.4  # about; only how many calls are up at a time depends on it
Group = tuple[str, ...]
Step = Callable[[Switch, Group], object]


def _step(command: str, *people: int) -> Step:
    """A command of the switch, given to these people of the group."""
    return lambda switch, who: getattr(switch, command)(*(who[one] for one in people))


_CALL = _step("make_call", 0, 1)
_ANSWER = _step("answer", 1)
_CONSULT = _step("consult", 0, 2)
_ANSWER_THIRD = _step("answer", 2)
_CLEAR_CALLED = _step("clear", 1)

FLOWS: Final[tuple[tuple[Step, ...], ...]] = (
    (_CALL, _ANSWER, _CLEAR_CALLED),
    (
        _CALL,
        _ANSWER,
        _step("hold", 0),
        _step("retrieve", 0),
        _step("clear", 0),
    ),
    (_CALL, _ANSWER, _CONSULT, _ANSWER_THIRD, _step("transfer", 0), _CLEAR_CALLED),
    (
        _CALL,
        _ANSWER,
        _CONSULT,
        _ANSWER_THIRD,
        _step("alternate", 0),
        _step("conference", 0),
        _step("clear", 2),
        _CLEAR_CALLED,
    ),
)


class Exchange(Protocol):
    """What the load needs of a World."""

    @property
    def switch(self) -> Switch: ...


@dataclass(slots=True)
class _Play:
    """One call of a group; `turn` chooses the flow, and the group's next call is of the next one."""

    group: Group
    turn: int
    done: int = 0

    @property
    def flow(self) -> tuple[Step, ...]:
        return FLOWS[self.turn % len(FLOWS)]


class Load:
    """Plays steps of calls, as many as the rate wants.

    Args:
        stations: who takes part.
        rate: event reports a second; each device of a call counts as monitored once.
        pause: seconds between two steps of one call, about.

    Attributes:
        events: that were brought about.
        calls: that were begun.
    """

    def __init__(self, world: Exchange, stations: Sequence[str], rate: float, pause: float = 1.0) -> None:
        self.events = 0
        self.calls = 0
        self._world = world
        self._rate = rate
        groups = [tuple(stations[at : at + GROUP]) for at in range(0, len(stations) - GROUP + 1, GROUP)]
        self._groups = deque((group, index) for index, group in enumerate(groups))
        wanted = round(rate * pause / EVENTS_OF_A_STEP)
        self._width = max(1, min(wanted, len(self._groups)))
        self._running: deque[_Play] = deque()
        self._began: float | None = None

    @property
    def idle(self) -> bool:
        """Whether all calls have come to their ends."""
        return not self._running

    def advance(self, now: float) -> list[Occurrence]:
        """What happens until now."""
        if self._began is None:
            self._began = now
        happened: list[Occurrence] = []
        while self.events < self._rate * (now - self._began) and (self._width or self._running):
            self._step()
            occurrences = self._world.switch.take()
            self.events += len(occurrences)
            happened += occurrences
        return happened

    def wind_down(self) -> None:
        """Nothing begins any more; what has begun is played to its end, at the same rate."""
        self._width = 0

    def _step(self) -> None:
        """One step of the call that has waited longest; first, calls begin until there are enough."""
        play = self._begin() if len(self._running) < self._width else self._running.popleft()
        play.flow[play.done](self._world.switch, play.group)
        play.done += 1
        if play.done < len(play.flow):
            self._running.append(play)
        else:
            self._groups.append((play.group, play.turn + 1))

    def _begin(self) -> _Play:
        self.calls += 1
        return _Play(*self._groups.popleft())


class Recorded:
    """Calls of stations that are recorded, one after the other at each, and the delay until each is forked.

    Args:
        pairs: who calls whom; the caller is the recorded station.
        talk: seconds from answer to end.

    Attributes:
        answered: calls that the recorder was told of as answered.
        delays: seconds from then until it asked for the fork, of each that it asked for.
    """

    def __init__(self, world: Exchange, pairs: Iterable[tuple[str, str]], talk: float) -> None:
        self.delays: list[float] = []
        self.answered = 0
        self._world = world
        self._talk = talk
        self._pairs = list(pairs)
        self._ends: deque[tuple[float, tuple[str, str]]] = deque()
        self._next: float | None = None
        self._waiting: dict[str, float] = {}

    def advance(self, now: float) -> list[Occurrence]:
        """Calls end and begin, evenly in time."""
        switch = self._world.switch
        while self._ends and self._ends[0][0] <= now:
            _, pair = self._ends.popleft()
            if switch.calls_of(pair[0]):
                switch.clear(pair[0])
            self._pairs.append(pair)
        spacing = self._talk / max(len(self._pairs) + len(self._ends), 1)
        if self._next is None:
            self._next = now
        while self._pairs and self._next <= now:
            pair = self._pairs.pop(0)
            switch.make_call(*pair)
            switch.answer(pair[1])
            self.answered += 1
            self._waiting[pair[0]] = now
            self._ends.append((now + self._talk, pair))
            self._next += spacing
        return switch.take()

    def asked(self, station: str, now: float) -> None:
        """Somebody asks for a fork of this station; the first time in a call counts."""
        answered = self._waiting.pop(station, None)
        if answered is not None:
            self.delays.append(now - answered)
