"""What the recorder was told to do, as far as the judge must know it: patterns, not the recorder's own rules."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from osrec_emulators.check.times import Times
from osrec_emulators.check.told import Conversation


@dataclass(frozen=True, slots=True)
class Sample:
    """So many of a hundred conversations of some stations are recorded, drawn by the name of the rule."""

    rule: str
    stations: Sequence[str]
    percentage: float


@dataclass(frozen=True, slots=True)
class ByAccount:
    """Conversations of some stations are recorded from the moment on that one of these account codes is entered."""

    stations: Sequence[str]
    codes: Sequence[str]


@dataclass(frozen=True, slots=True)
class Expected:
    """Patterns (fnmatch) of numbers.

    Attributes:
        stations: to be recorded.
        monitored: watched over CSTA; None: those to be recorded.
        never: a conversation is never to be recorded from the moment on that one of these numbers takes part in it.
        on_demand: stations that are recorded only when somebody asks for it.
        samples, accounts: of the stations to be recorded, those for which there is a condition.
        each: every station of a conversation has a recording of its own; else one recording that holds both of two
            stations is enough for both.
        gaps: causes of gaps that somebody brought about.
        tolerance: seconds by which talk may begin before its recording, and end after it.
        clocks: seconds by which the recorder's wall clock may differ from the PBX's.
        times: what the recorder's configuration says of how long it may take.
        too_short: seconds of talk up to which a conversation may be passed over as too short.
    """

    stations: Sequence[str] = ("*",)
    monitored: Sequence[str] | None = None
    never: Sequence[str] = ()
    on_demand: Sequence[str] = ()
    samples: Sequence[Sample] = ()
    accounts: Sequence[ByAccount] = ()
    each: bool = False
    gaps: frozenset[str] = frozenset()
    tolerance: float = 1.0
    clocks: float = 2.0
    too_short: float = 2.0
    times: Times = field(default_factory=Times)

    def is_watched(self, station: str) -> bool:
        return matches(station, self.stations if self.monitored is None else self.monitored)

    def watched(self, conversation: Conversation) -> list[str]:
        return [station for station in conversation.stations if self.is_watched(station)]

    def to_record(self, conversation: Conversation) -> list[str]:
        """Stations whose part in a conversation is to be recorded whenever they talk."""
        if self.is_never(conversation):
            return []
        return [
            station
            for station in self.watched(conversation)
            if matches(station, self.stations) and not self.is_conditional(station)
        ]

    def is_conditional(self, station: str) -> bool:
        """Whether it depends on the conversation whether a station is recorded."""
        samples, accounts = ([each.stations for each in part] for part in (self.samples, self.accounts))
        return any(matches(station, patterns) for patterns in (self.on_demand, *samples, *accounts))

    def is_never(self, conversation: Conversation) -> bool:
        numbers = (*(party.number for party in conversation.parties), *(fact.text for fact in conversation.appeared))
        return any(matches(number, self.never) for number in (*numbers, *conversation.stations))

    def is_on_demand(self, conversation: Conversation) -> bool:
        return any(matches(station, self.on_demand) for station in self.watched(conversation))


def matches(number: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(number, pattern) for pattern in patterns)
