"""What a session needs of the PBX, and what it gives to whoever carries its octets."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Protocol

from osrec.wire.csta import model
from osrec_emulators.pbx.calls import Occurrence
from osrec_emulators.pbx.services import Answer


class Pbx(Protocol):
    """What a session needs of the PBX."""

    def request(self, service: model.Argument, now: float) -> Answer: ...

    def known(self, device: str) -> bool: ...

    def devices(self) -> list[str]: ...

    def local_time(self, at: float) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Send:
    """One write of its own."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class Close:
    """The connection ends, after what was sent before has gone out."""

    reason: str


@dataclass(frozen=True, slots=True)
class Reading:
    """Whether the connection is to be read from now on; octets that come nevertheless wait in the session."""

    on: bool


@dataclass(frozen=True, slots=True)
class Happened:
    """A request made this happen; all clients want to know, the one that asked too."""

    occurrences: tuple[Occurrence, ...]


@dataclass(frozen=True, slots=True)
class Played:
    """A declared fault was played: which, at which PBX time, and on what."""

    at: float
    fault: str
    detail: str = ""


Output = Send | Close | Reading | Happened | Played


class State(Enum):
    """Of the association, X.227."""

    IDLE = "idle"
    ASSOCIATED = "associated"
    CLOSED = "closed"


@dataclass(slots=True)
class Counters:
    """What went over one client's connection. `faults`: how often each declared fault was played."""

    received: int = 0
    sent: int = 0
    events: int = 0  # event reports that went out
    withheld: int = 0  # event reports that were lost, damaged, or kept back by silence
    errors: int = 0
    rejects: int = 0
    undecodable: int = 0  # what the client sent
    faults: dict[str, int] = field(default_factory=dict)
