"""States of a call on a D channel, what goes into its machine and what comes out: Q.931 2.1 and 2.2, ECMA-143 6."""

from dataclasses import dataclass
from enum import Enum, auto

from osrec.wire.q921.frames import Side
from osrec.wire.q931.causes import CauseValue, Location
from osrec.wire.q931.elements import CallStateValue
from osrec.wire.q931.messages import Message
from osrec.wire.q931.registry import Element


class CallState(Enum):
    """Where a call stands; for the numbers of Q.931 2.1 and 2.2 see `numbered`."""

    PRESENTED = auto()  # our SETUP is out
    OVERLAP = auto()  # they want more digits
    PROCEEDING = auto()  # they take it
    DELIVERED = auto()  # they alert
    OFFERED = auto()  # their SETUP is here
    ACCEPTED = auto()  # we take it
    RINGING = auto()  # we alert
    CONNECTING = auto()  # we answered and wait for CONNECT ACKNOWLEDGE
    ACTIVE = auto()
    DISCONNECTING = auto()
    RELEASING = auto()
    NULL = auto()


@dataclass(frozen=True, slots=True)
class CallTimers:
    """Q.931 9.1; seconds."""

    t301: float = 180.0  # alerted, not answered
    t303: float = 4.0  # no answer to SETUP
    t305: float = 30.0  # no answer to DISCONNECT
    t308: float = 4.0  # no answer to RELEASE
    t309: float = 90.0  # the data link is down
    t310: float = 10.0  # taken, neither alerted nor answered
    t313: float = 4.0  # no answer to CONNECT
    t316: float = 120.0  # no answer to RESTART


@dataclass(frozen=True, slots=True)
class Dialect:
    """What the two ends of the D channel agreed on. In QSIG both are equal: `side` counts in layer 2 only."""

    qsig: bool = False
    side: Side = Side.NETWORK

    @property
    def acknowledges(self) -> bool:
        """CONNECT ACKNOWLEDGE is sent by the network, 5.2.8, and in QSIG; the user may leave it out, 5.1.8."""
        return self.qsig or self.side is Side.NETWORK

    @property
    def awaits_acknowledge(self) -> bool:
        """And so it is waited for by a user that answered, and in QSIG."""
        return self.qsig or self.side is Side.USER

    @property
    def location(self) -> Location:
        return Location.PRIVATE_LOCAL if self.side is Side.NETWORK else Location.USER


# --- events, apart from messages


@dataclass(frozen=True, slots=True)
class Accept:
    """Take their call: the first answer, which may name the channel, 5.1.2, 5.1.5."""

    elements: tuple[Element, ...] = ()


@dataclass(frozen=True, slots=True)
class Alert:
    """Tell them that it rings."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Connect them."""


@dataclass(frozen=True, slots=True)
class Clear:
    """Hang up."""

    cause: int = CauseValue.NORMAL_CALL_CLEARING


@dataclass(frozen=True, slots=True)
class Due:
    """The call's timer has run down."""


# --- outputs


@dataclass(frozen=True, slots=True)
class Say:
    """A message for the wire."""

    message: Message


@dataclass(frozen=True, slots=True)
class Answered:
    """The speech path is there. `slots`: what they said of the channel, empty if nothing."""

    slots: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Ended:
    """The call is over and its reference free; `by_peer`: they began it."""

    cause: int
    by_peer: bool


Event = Message | Accept | Alert | Answer | Clear | Due
Output = Say | Answered | Ended

_PLACED = {
    CallState.PRESENTED: (CallStateValue.CALL_INITIATED, CallStateValue.CALL_PRESENT),
    CallState.OVERLAP: (CallStateValue.OVERLAP_SENDING, CallStateValue.OVERLAP_RECEIVING),
    CallState.PROCEEDING: (CallStateValue.OUTGOING_CALL_PROCEEDING, CallStateValue.INCOMING_CALL_PROCEEDING),
    CallState.DELIVERED: (CallStateValue.CALL_DELIVERED, CallStateValue.CALL_RECEIVED),
}
_TAKEN = {
    CallState.OFFERED: (CallStateValue.CALL_PRESENT, CallStateValue.CALL_INITIATED),
    CallState.ACCEPTED: (CallStateValue.INCOMING_CALL_PROCEEDING, CallStateValue.OUTGOING_CALL_PROCEEDING),
    CallState.RINGING: (CallStateValue.CALL_RECEIVED, CallStateValue.CALL_DELIVERED),
    CallState.CONNECTING: (CallStateValue.CONNECT_REQUEST, CallStateValue.CONNECT_REQUEST),
}
_BOTH = {
    CallState.ACTIVE: CallStateValue.ACTIVE,
    CallState.RELEASING: CallStateValue.RELEASE_REQUEST,
    CallState.NULL: CallStateValue.NULL,
}


def numbered(state: CallState, dialect: Dialect) -> CallStateValue:
    """As STATUS tells it: Q.931 names states from the user's end, so the network's have the numbers of the other way.

    In QSIG an outgoing call has the numbers 1 to 4 on either side, ECMA-143 6.
    """
    seen_from_network = not dialect.qsig and dialect.side is Side.NETWORK
    pair = (_PLACED | _TAKEN).get(state)
    if pair is not None:
        return pair[seen_from_network]
    if state is CallState.DISCONNECTING:
        return CallStateValue.DISCONNECT_INDICATION if seen_from_network else CallStateValue.DISCONNECT_REQUEST
    return _BOTH[state]
