"""What goes into the call control of a D channel and what comes out."""

from dataclasses import dataclass
from typing import Literal

from osrec.wire.q931.messages import Message
from osrec.wire.q931.registry import Element
from osrec_emulators.diun2 import call_events as layer3


@dataclass(frozen=True, slots=True, order=True)
class CallId:
    """A call reference and whose it is: both sides count for themselves."""

    value: int
    ours: bool = True


# --- events


@dataclass(frozen=True, slots=True)
class Start:
    """Bring the link up, and keep it up."""


@dataclass(frozen=True, slots=True)
class Place:
    """A call to the other side, under a reference that `next_reference` gave."""

    id: CallId
    slots: tuple[int, ...]
    elements: tuple[Element, ...]


@dataclass(frozen=True, slots=True)
class Tell:
    """One call is to do something."""

    id: CallId
    event: layer3.Accept | layer3.Alert | layer3.Answer | layer3.Clear


@dataclass(frozen=True, slots=True)
class Repeat:
    """SETUP of a call is to be sent once more."""

    id: CallId


@dataclass(frozen=True, slots=True)
class Restart:
    """Return channels to idle, 5.5, one after the other; none named: the whole interface at once."""

    slots: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Arrived:
    """A frame from the D channel."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class Due:
    """The time that `deadline` named has come."""


# --- outputs


@dataclass(frozen=True, slots=True)
class Transmit:
    """A frame for the D channel."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class LinkChanged:
    up: bool


@dataclass(frozen=True, slots=True)
class Offered:
    """The other side calls."""

    id: CallId
    setup: Message


@dataclass(frozen=True, slots=True)
class Answered:
    id: CallId
    slots: tuple[int, ...]


By = Literal["pbx", "recorder", "link"]


@dataclass(frozen=True, slots=True)
class Ended:
    """A call is over, and by whom: "link" when the data link was lost for too long."""

    id: CallId
    cause: int
    by: By


@dataclass(frozen=True, slots=True)
class Restarted:
    """Our RESTART of all that was named was acknowledged, or given up (`acknowledged` False)."""

    acknowledged: bool


Event = Start | Place | Tell | Repeat | Restart | Arrived | Due
Output = Transmit | LinkChanged | Offered | Answered | Ended | Restarted
