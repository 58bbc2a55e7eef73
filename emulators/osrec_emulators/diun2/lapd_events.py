"""States of a data link, what goes into it and what comes out: Q.921 4.1 and annex B."""

from dataclasses import dataclass
from enum import Enum


class LinkState(Enum):
    """Q.921 annex B, figure B.1, from the assigned TEI on."""

    TEI_ASSIGNED = 4
    AWAITING_ESTABLISHMENT = 5
    AWAITING_RELEASE = 6
    ESTABLISHED = 7  # multiple frame established
    TIMER_RECOVERY = 8


@dataclass(frozen=True, slots=True)
class LinkTimers:
    """Q.921 5.9; seconds, but `n200` and `k`."""

    t200: float = 1.0
    t203: float = 10.0
    n200: int = 3  # repetitions
    k: int = 7  # I frames outstanding, at 64 kbit/s


@dataclass(frozen=True, slots=True)
class Establish:
    """DL-ESTABLISH request."""


@dataclass(frozen=True, slots=True)
class Release:
    """DL-RELEASE request."""


@dataclass(frozen=True, slots=True)
class Data:
    """DL-DATA: a request as an event, an indication as an output."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class Arrived:
    """A frame between its flags, without FCS."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class Due:
    """The time that `deadline` named has come."""


@dataclass(frozen=True, slots=True)
class Transmit:
    """Octets of a frame for the D channel."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class Up:
    """DL-ESTABLISH; all that was sent before and not acknowledged is lost."""


@dataclass(frozen=True, slots=True)
class Down:
    """DL-RELEASE, asked for or not."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """MDL-ERROR with its code of table II.1."""

    code: str


Event = Establish | Release | Data | Arrived | Due
Output = Transmit | Data | Up | Down | Complaint
