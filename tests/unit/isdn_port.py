"""One end of a D channel's layer 3 for scripts: messages in, messages and news out, the data link being up."""

from collections.abc import Sequence
from typing import TypeVar

from osrec.isdn.control import CallControl, Event
from osrec.isdn.link_messages import DataReceived, Established, Released
from osrec.isdn.messages import Output, OwnerOutput, PlaceCall, SendMessage, TimerExpired
from osrec.isdn.profile import Protocol, Role
from osrec.isdn.settings import AccessConfig, Answering
from osrec.wire.q931.bearer import SPEECH_A_LAW
from osrec.wire.q931.causes import CauseValue
from osrec.wire.q931.channel import time_slot
from osrec.wire.q931.codec import compose, encode
from osrec.wire.q931.elements import CallStateValue, Cause
from osrec.wire.q931.messages import CallReference, Message, MessageType
from osrec.wire.q931.numbers import CalledPartyNumber, CallingPartyNumber
from osrec.wire.q931.registry import Element

Found = TypeVar("Found")
M = MessageType
THEIRS = CallReference(5)  # of a call that the peer sets up, as the peer writes it
OURS = CallReference(1, to_origin=True)  # of our first call, as the peer writes it


class Port:
    """Attributes:
    now: set it to let time pass without an event.
    control: the machine.
    """

    def __init__(self, config: AccessConfig | None = None, *, up: bool = True) -> None:
        self.config = config or AccessConfig()
        self.control = CallControl(self.config)
        self.now = 0.0
        if up:
            self.does(Established(confirm=True))

    def does(self, event: Event) -> list[Output]:
        return self.control.handle(event, self.now)

    def hears(self, kind: M, *elements: Element, of: CallReference = THEIRS) -> list[Output]:
        return self.does(DataReceived(encode(compose(kind, of, *elements))))

    def expires(self, at: float) -> list[Output]:
        """The next timer, which is due at that time."""
        assert self.control.deadline is not None
        assert abs(self.control.deadline - at) < 1e-6, f"due at {self.control.deadline}, expected {at}"
        self.now = at
        return self.does(TimerExpired())

    def loses_link(self) -> list[Output]:
        return self.does(Released(confirm=False))

    def called(self, slot: int = 5, *, exclusive: bool = True) -> list[Output]:
        """The peer sets up a call."""
        return self.hears(M.SETUP, *SETUP, time_slot(slot, exclusive=exclusive))

    @property
    def state(self) -> CallStateValue | None:
        """Of the only call; None without one."""
        states = list(self.control.calls.values())
        assert len(states) <= 1
        return states[0] if states else None


SETUP: tuple[Element, ...] = (SPEECH_A_LAW, CallingPartyNumber("0815"), CalledPartyNumber("4711"))


def manual(protocol: Protocol = Protocol.DSS1, role: Role = Role.USER) -> Port:
    return Port(AccessConfig(protocol, role, answering=Answering.MANUAL))


NORMAL = Cause(CauseValue.NORMAL_CALL_CLEARING)
PLACE = PlaceCall("token", "123", "456", 9, exclusive=True)


def placed(config: AccessConfig | None = None, place: PlaceCall = PLACE) -> Port:
    """A call of ours whose SETUP is out."""
    port = Port(config)
    port.does(place)
    return port


def active(config: AccessConfig | None = None) -> Port:
    """A call of the peer's that is through."""
    port = Port(config)
    port.called()
    port.hears(M.CONNECT_ACKNOWLEDGE)
    assert port.state == CallStateValue.ACTIVE
    return port


def messages(outputs: Sequence[Output]) -> list[Message]:
    return [output.message for output in outputs if isinstance(output, SendMessage)]


def kinds(outputs: Sequence[Output]) -> list[int]:
    return [message.kind for message in messages(outputs)]


def news(outputs: Sequence[Output]) -> list[OwnerOutput]:
    return [output for output in outputs if isinstance(output, OwnerOutput)]


def only(outputs: Sequence[Output], kind: type[Found]) -> Found:
    (found,) = [output for output in outputs if isinstance(output, kind)]
    return found


def said(outputs: Sequence[Output], kind: M) -> Message:
    """The one message of that kind."""
    (found,) = [message for message in messages(outputs) if message.kind == kind]
    return found
