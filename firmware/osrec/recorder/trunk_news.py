"""What a line's signalling tells the recorder: for the engine, or for people."""

from dataclasses import dataclass

from osrec.engine.alarms import AlarmCleared, AlarmRaised, Severity
from osrec.engine.messages import Event

QUIET = 900.0  # seconds without another of its kind after which an alarm about single calls is over


@dataclass(frozen=True, slots=True)
class Unexpected:
    """Something about which nothing can be done here.

    Attributes:
        key: of its alarm. text: for people.
        passes: it is about one call, and over when no other such call comes; else Settled says that it is over.
    """

    key: str
    text: str
    passes: bool = True


@dataclass(frozen=True, slots=True)
class Settled:
    """What was told of under this key is no more."""

    key: str


News = Event | Unexpected | Settled


class TrunkAlarms:
    """The alarms that come of it. A call that goes well says nothing of another that did not: time ends those."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def take(self, news: Unexpected | Settled, now: float) -> AlarmRaised | AlarmCleared:
        if isinstance(news, Settled):
            self._until.pop(news.key, None)
            return AlarmCleared(news.key)
        if news.passes:
            self._until[news.key] = now + QUIET
        return AlarmRaised(news.key, Severity.WARNING, news.text)

    def over(self, now: float) -> list[AlarmCleared]:
        """Those that nothing has renewed for long enough."""
        keys = [key for key, until in self._until.items() if until <= now]
        for key in keys:
            del self._until[key]
        return [AlarmCleared(key) for key in keys]
