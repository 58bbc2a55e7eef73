"""Standing conditions that somebody must know of."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Severity(StrEnum):
    WARNING = "warning"  # recording goes on, somebody should look
    MAJOR = "major"  # some calls are not recorded, or would not be
    CRITICAL = "critical"  # nothing is recorded, or audio is being lost


@dataclass(frozen=True, slots=True)
class AlarmRaised:
    """`key` tells alarms apart: "code" or "code:subject"."""

    key: str
    severity: Severity
    text: str


@dataclass(frozen=True, slots=True)
class AlarmCleared:
    key: str


@dataclass(frozen=True, slots=True)
class StandingAlarm:
    key: str
    severity: Severity
    text: str
    since: datetime
    count: int


class AlarmBoard:
    """The alarms that stand now. Raising one that stands counts it and keeps its first time."""

    def __init__(self) -> None:
        self._standing: dict[str, StandingAlarm] = {}

    def take(self, change: AlarmRaised | AlarmCleared, at: datetime) -> bool:
        """Apply a change; True when it is news: the alarm was not standing before, or was."""
        standing = self._standing.get(change.key)
        if isinstance(change, AlarmCleared):
            return self._standing.pop(change.key, None) is not None
        since, count = (standing.since, standing.count + 1) if standing else (at, 1)
        self._standing[change.key] = StandingAlarm(change.key, change.severity, change.text, since, count)
        return standing is None or standing.text != change.text

    def standing(self) -> list[StandingAlarm]:
        """Worst first, then oldest first."""
        order = list(Severity)
        return sorted(self._standing.values(), key=lambda alarm: (-order.index(alarm.severity), alarm.since))
