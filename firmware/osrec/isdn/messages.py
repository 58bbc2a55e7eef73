"""What call control is told and what it tells. `call` is a number of ours for one call; it is never used again."""

from dataclasses import dataclass
from enum import Enum

from osrec.wire.q931.bearer import SPEECH_A_LAW, BearerCapability
from osrec.wire.q931.causes import CauseValue
from osrec.wire.q931.messages import CallReference, Message

# --- events: the owner asks


@dataclass(frozen=True, slots=True)
class PlaceCall:
    """Set up a call; CallStarted with the token follows, or CallRefused.

    Attributes:
        slot: None: any that is free. exclusive: no other will do.
    """

    token: object
    called: str
    calling: str = ""
    slot: int | None = None
    exclusive: bool = False
    bearer: BearerCapability = SPEECH_A_LAW


@dataclass(frozen=True, slots=True)
class Proceed:
    """CALL PROCEEDING to an incoming call, under the policy MANUAL."""

    call: int


@dataclass(frozen=True, slots=True)
class Alert:
    """ALERTING to an incoming call, under the policy MANUAL."""

    call: int


@dataclass(frozen=True, slots=True)
class AnswerCall:
    """CONNECT to an incoming call, under the policy MANUAL."""

    call: int


@dataclass(frozen=True, slots=True)
class ClearCall:
    """End a call in whatever state it is. A call that is over already is no error: it may end at any time."""

    call: int
    cause: int = CauseValue.NORMAL_CALL_CLEARING


@dataclass(frozen=True, slots=True)
class RestartChannels:
    """RESTART of these slots, or of the whole interface; RestartDone or RestartFailed follows.

    Attributes:
        patience: seconds with the data link up after which each has failed; None: when T316 has expired twice, 5.5.1.
    """

    slots: tuple[int, ...] | None = None
    patience: float | None = None


@dataclass(frozen=True, slots=True)
class BlockSlots:
    """No new calls on these slots, and on all others again; a call that is on one stays."""

    slots: frozenset[int]


@dataclass(frozen=True, slots=True)
class AdoptCall:
    """A call of the peer is up that an earlier run of ours had answered; CallAdopted or CallRefused follows.

    The peer is asked what he thinks of it as soon as the data link is there, 5.8.9; without one T309 runs.

    Attributes:
        reference: the value that the peer chose.
    """

    token: object
    reference: int
    slots: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TimerExpired:
    """The deadline was reached."""


Request = PlaceCall | Proceed | Alert | AnswerCall | ClearCall | RestartChannels | BlockSlots | AdoptCall

# --- events: the data link tells (Established, Released, DataReceived, UnitDataReceived of link_messages)
# --- outputs: to the data link


@dataclass(frozen=True, slots=True)
class SendMessage:
    """DL-DATA request."""

    message: Message


@dataclass(frozen=True, slots=True)
class EstablishLink:
    """DL-ESTABLISH request."""


# --- outputs: to the owner


@dataclass(frozen=True, slots=True)
class CallStarted:
    """The SETUP of a PlaceCall was sent."""

    token: object
    call: int
    reference: CallReference


@dataclass(frozen=True, slots=True)
class CallAdopted:
    """The call of an AdoptCall has this number from now on, and is through."""

    token: object
    call: int


@dataclass(frozen=True, slots=True)
class CallRefused:
    """A PlaceCall came to nothing: no channel is free (34, 44), or the data link is down (27).

    Or an AdoptCall whose reference or slots cannot be, or are another call's (44); Trouble says which.
    """

    token: object
    cause: int


@dataclass(frozen=True, slots=True)
class ChannelTaken:
    """A call has a time slot from now on. It comes once for each call that gets one, before Connected.

    Attributes:
        incoming: the peer set it up.
        calling, called: digits, "" when the SETUP has none.
        setup: the whole SETUP, for whatever else it says.
        also: further slots of the same call, in the order of the SETUP; see AccessConfig.most_slots.
    """

    call: int
    slot: int
    reference: CallReference
    incoming: bool
    calling: str
    called: str
    setup: Message
    also: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Alerting:
    """The peer rings for our outgoing call."""

    call: int


@dataclass(frozen=True, slots=True)
class Connected:
    """State 10: the call is through."""

    call: int
    slot: int


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """A call of the peer was refused: no channel (34, 44, 82), nothing to record (65, 79), too many slots (66), or the
    SETUP lacks what it must say (96, 100)."""

    cause: int
    calling: str
    called: str


class By(Enum):
    """Who ended a call."""

    PEER = "peer"
    US = "us"  # the owner asked for it
    PROTOCOL = "protocol"  # a timer, a restart, a message that cannot be
    LINK = "link"  # the data link is gone


@dataclass(frozen=True, slots=True)
class Clearing:
    """The call is over for whoever listens; its slot is free with CallReleased, which follows."""

    call: int
    cause: int
    by: By


@dataclass(frozen=True, slots=True)
class CallReleased:
    """The call is over, its slots are free from now on. It comes once for each call that was told of.

    Attributes:
        slot: the first, as in ChannelTaken; None when the call never had one.
        cause, location: of Q.850.
    """

    call: int
    slot: int | None
    cause: int
    location: int
    by: By


@dataclass(frozen=True, slots=True)
class RestartDone:
    """These slots are idle at both ends. `by_peer`: the peer asked for it."""

    slots: tuple[int, ...]
    by_peer: bool


@dataclass(frozen=True, slots=True)
class RestartFailed:
    """No RESTART ACKNOWLEDGE came: these slots want looking after, 5.5.1."""

    slots: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LinkUp:
    """The data link is established."""


@dataclass(frozen=True, slots=True)
class LinkDown:
    """The data link is lost. Calls that are through go on until T309 expires."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something to count and log, about which nothing else is to be done."""

    text: str


OwnerOutput = (
    CallStarted
    | CallAdopted
    | CallRefused
    | ChannelTaken
    | Alerting
    | Connected
    | TurnedAway
    | Clearing
    | CallReleased
    | RestartDone
    | RestartFailed
    | LinkUp
    | LinkDown
    | Trouble
)
Output = SendMessage | EstablishLink | OwnerOutput
