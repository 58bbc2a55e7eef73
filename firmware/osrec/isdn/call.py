"""One call: its state, timers and channel, and what its handlers have in common; they are in modules by subject."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from osrec.isdn.channels import Channels
from osrec.isdn.messages import By, CallReleased, ChannelTaken, Clearing, Output, SendMessage
from osrec.isdn.profile import Profile
from osrec.isdn.settings import AccessConfig
from osrec.isdn.timers import Timer, Timers
from osrec.wire.q931.causes import CauseValue
from osrec.wire.q931.channel import ChannelIdentification
from osrec.wire.q931.codec import compose
from osrec.wire.q931.elements import CallState, CallStateValue, Cause
from osrec.wire.q931.messages import CallReference, Message, MessageType
from osrec.wire.q931.numbers import CalledPartyNumber, CallingPartyNumber
from osrec.wire.q931.registry import Element


class Pause(Enum):
    """Waiting that no standard asks for."""

    ANSWER = "answer"  # between ALERTING and CONNECT


@dataclass(frozen=True, slots=True)
class States:
    """The states that one side's calls go through, Q.931 2.1.1 and 2.1.2, by what they mean.

    Attributes:
        sent, overlap, proceeding, delivered: of a call that we set up.
        present, gathering, going_on, received, answered: of a call that the peer set up; `answered` is left by CONNECT
            ACKNOWLEDGE; None: CONNECT alone makes the call active.
        disconnecting: DISCONNECT was sent.
    """

    sent: CallStateValue
    overlap: CallStateValue
    proceeding: CallStateValue
    delivered: CallStateValue
    present: CallStateValue
    gathering: CallStateValue
    going_on: CallStateValue
    received: CallStateValue
    answered: CallStateValue | None
    disconnecting: CallStateValue


_S = CallStateValue
USER = States(
    sent=_S.CALL_INITIATED,
    overlap=_S.OVERLAP_SENDING,
    proceeding=_S.OUTGOING_CALL_PROCEEDING,
    delivered=_S.CALL_DELIVERED,
    present=_S.CALL_PRESENT,
    gathering=_S.OVERLAP_RECEIVING,
    going_on=_S.INCOMING_CALL_PROCEEDING,
    received=_S.CALL_RECEIVED,
    answered=_S.CONNECT_REQUEST,
    disconnecting=_S.DISCONNECT_REQUEST,
)
NETWORK = States(  # the same numbers, seen from the other end
    sent=_S.CALL_PRESENT,
    overlap=_S.OVERLAP_RECEIVING,
    proceeding=_S.INCOMING_CALL_PROCEEDING,
    delivered=_S.CALL_RECEIVED,
    present=_S.CALL_INITIATED,
    gathering=_S.OVERLAP_SENDING,
    going_on=_S.OUTGOING_CALL_PROCEEDING,
    received=_S.CALL_DELIVERED,
    answered=None,
    disconnecting=_S.DISCONNECT_INDICATION,
)


def states_of(profile: Profile) -> States:
    return NETWORK if profile.as_network else USER


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all calls of one access share."""

    config: AccessConfig
    timers: Timers
    channels: Channels
    states: States
    emit: Callable[[Output], None]


@dataclass(slots=True)
class Call:
    """One call.

    Attributes:
        number: ours, never used again. reference: as we write it in messages.
        incoming: the peer set it up.
        setup: the SETUP that was sent or received.
        called: digits of the called party as far as they are known.
        state: Q.931 2.1; NULL: the call is over.
        slots: the channels that it holds. settled: both sides have agreed on them, and the owner knows.
        exclusive: we offered the slot and no other.
        ended: how the call ends, once that is known.
    """

    around: Surroundings
    number: int
    reference: CallReference
    incoming: bool
    setup: Message
    state: CallStateValue
    called: str = ""
    slots: tuple[int, ...] = ()
    settled: bool = False
    exclusive: bool = False
    responded: bool = False  # the first message after the SETUP, which carries Channel-ID, is out
    ended: tuple[Cause, By] | None = None
    complaint: Cause | None = None  # what was wrong with the peer's clearing message, 5.8.6
    lost_slots: tuple[int, ...] = ()  # the call ended without the peer: who knows what he thinks of these
    due: dict[Timer | Pause, float] = field(default_factory=dict)
    repeated: set[Timer] = field(default_factory=set)

    @property
    def states(self) -> States:
        return self.around.states

    def emit(self, output: Output) -> None:
        self.around.emit(output)

    # --- timers

    @property
    def deadline(self) -> float | None:
        return min(self.due.values(), default=None)

    def start(self, timer: Timer, now: float) -> None:
        seconds = self.around.timers[timer]
        if seconds is not None:
            self.due[timer] = now + seconds

    def stop(self, *timers: Timer) -> None:
        for timer in timers:
            self.due.pop(timer, None)
            self.repeated.discard(timer)

    def stop_all(self) -> None:
        self.due.clear()
        self.repeated.clear()

    def repeats(self, timer: Timer) -> bool:
        """Whether this expiry is the first, after which the message is sent once more."""
        if timer in self.repeated:
            return False
        self.repeated.add(timer)
        return True

    # --- saying

    def send(self, kind: MessageType, *elements: Element) -> None:
        self.emit(SendMessage(compose(kind, self.reference, *elements)))

    def respond(self, kind: MessageType) -> None:
        """A message to the side that set the call up; the first of them says the channel, 5.2.3.1."""
        elements = () if self.responded or not self.slots else (self._channel(),)
        self.responded = True
        self.send(kind, *elements)

    def _channel(self) -> ChannelIdentification:
        """As numbers, or as a map where the SETUP has one of 2048 kbit/s."""
        asked = self.setup.first(ChannelIdentification)
        if asked is None or asked.map_octets != _MAP_OCTETS:
            return ChannelIdentification(self.slots)
        return ChannelIdentification(tuple(sorted(self.slots)), map_octets=_MAP_OCTETS)

    def cause(self, value: int) -> Cause:
        return Cause(value, self.around.config.location)

    def status(self, value: int, diagnostics: bytes = b"") -> None:
        cause = Cause(value, self.around.config.location, diagnostics)
        self.send(MessageType.STATUS, cause, CallState(self.state))

    # --- the channel

    @property
    def slot(self) -> int | None:
        """The only slot, or the first of several."""
        return self.slots[0] if self.slots else None

    def take(self, slots: tuple[int, ...]) -> None:
        """Hold these slots, and no others."""
        self.give_back()
        self.slots = slots
        self.around.channels.hold(slots, self.number)

    def give_back(self) -> None:
        self.around.channels.release(self.slots)
        self.slots = ()

    def settle(self) -> None:
        """Both sides know the channel."""
        slot, *also = self.slots
        self.settled = True
        calling, _ = numbers_of(self.setup)
        self.emit(
            ChannelTaken(
                self.number, slot, self.reference, self.incoming, calling, self.called, self.setup, tuple(also)
            )
        )

    # --- the end

    def ends(self, cause: Cause, by: By) -> None:
        """Clearing begins; the first reason is the one that counts."""
        self.stop_all()
        if self.ended is None:
            self.ended = cause, by
            if self._told:
                self.emit(Clearing(self.number, cause.value, by))

    def release(self, cause: Cause, by: By) -> None:
        """The call is over: channel and call reference are free."""
        self.ends(cause, by)
        assert self.ended is not None
        slot = self.slot
        self.give_back()
        self.state = CallStateValue.NULL
        why, who = self.ended
        if self._told:
            self.emit(CallReleased(self.number, slot, why.value, why.location, who))

    @property
    def _told(self) -> bool:
        """Whether the owner knows of the call: of the peer's with ChannelTaken, of his own with CallStarted."""
        return self.settled or not self.incoming


def numbers_of(setup: Message) -> tuple[str, str]:
    """Digits of the calling and of the called party; "" where the SETUP has none."""
    calling, called = setup.first(CallingPartyNumber), setup.first(CalledPartyNumber)
    return calling.digits if calling else "", called.digits if called else ""


_MAP_OCTETS = 4  # 4.5.13
UNSPECIFIED = Cause(CauseValue.NORMAL_UNSPECIFIED)


def cause_of(message: Message) -> Cause:
    """The cause that a clearing message gives; 5.3: 31 when it gives none."""
    return message.first(Cause) or UNSPECIFIED
