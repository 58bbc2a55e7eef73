"""What the recorder was told to do, as far as the judge must know it: patterns, not the recorder's own rules."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from osrec_emulators.check.told import Conversation


@dataclass(frozen=True, slots=True)
class Expected:
    """Patterns (fnmatch) of numbers.

    Attributes:
        stations: to be recorded.
        monitored: watched over CSTA; None: those to be recorded.
        never: a conversation in which one of these numbers takes part is never to be recorded.
        on_demand: stations that are recorded only when somebody asks for it.
        each: every station of a conversation has a recording of its own; else one recording that holds both of two
            stations is enough for both.
        gaps: causes of gaps that somebody brought about.
        tolerance: seconds by which talk may begin before its recording, and end after it.
        too_short: seconds of talk up to which a conversation may be passed over as too short.
    """

    stations: Sequence[str] = ("*",)
    monitored: Sequence[str] | None = None
    never: Sequence[str] = ()
    on_demand: Sequence[str] = ()
    each: bool = False
    gaps: frozenset[str] = frozenset()
    tolerance: float = 1.0
    too_short: float = 2.0

    def is_watched(self, station: str) -> bool:
        return _matches(station, self.stations if self.monitored is None else self.monitored)

    def watched(self, conversation: Conversation) -> list[str]:
        return [station for station in conversation.stations if self.is_watched(station)]

    def to_record(self, conversation: Conversation) -> list[str]:
        """Stations whose part in a conversation is to be recorded whenever they talk."""
        if self.is_never(conversation):
            return []
        return [
            station
            for station in self.watched(conversation)
            if _matches(station, self.stations) and not _matches(station, self.on_demand)
        ]

    def is_never(self, conversation: Conversation) -> bool:
        numbers = (party.number for party in conversation.parties)
        return any(_matches(number, self.never) for number in (*numbers, *conversation.stations))

    def is_on_demand(self, conversation: Conversation) -> bool:
        return any(_matches(station, self.on_demand) for station in self.watched(conversation))


def _matches(number: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(number, pattern) for pattern in patterns)
