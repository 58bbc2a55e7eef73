"""A call that we set up, until it is active: Q.931 5.1 from a user, 5.2 from a network, ECMA-143 from either."""

from osrec.isdn.call import Call
from osrec.isdn.clearing import disconnect, release
from osrec.isdn.messages import Alerting, By, Connected, SendMessage
from osrec.isdn.timers import Timer
from osrec.wire.q931.causes import CauseValue
from osrec.wire.q931.channel import ChannelIdentification, ChannelType
from osrec.wire.q931.elements import CallStateValue
from osrec.wire.q931.messages import Message, MessageType


def begin(call: Call, now: float) -> None:
    call.emit(SendMessage(call.setup))
    call.start(Timer.T303, now)


def no_response(call: Call, _event: object, now: float) -> None:
    """T303: 5.1.1, 5.2.5.3."""
    if call.repeats(Timer.T303):
        call.emit(SendMessage(call.setup))
        call.start(Timer.T303, now)
        return
    cause = call.cause(CauseValue.RECOVERY_ON_TIMER_EXPIRY)
    call.send(MessageType.RELEASE_COMPLETE, cause)
    call.release(call.cause(CauseValue.NO_USER_RESPONDING), By.PROTOCOL)


def overlap(call: Call, message: Message, now: float) -> None:
    """SETUP ACKNOWLEDGE: the peer wants digits; all that we have are in the SETUP."""
    if settled(call, message, now):
        call.stop(Timer.T303)
        call.state = call.states.overlap
        call.start(Timer.T304, now)


def no_more_digits(call: Call, _event: object, now: float) -> None:
    """T304: 5.1.3, 5.2.4."""
    disconnect(call, CauseValue.INVALID_NUMBER_FORMAT, By.PROTOCOL, now)


def proceeding(call: Call, message: Message, now: float) -> None:
    """CALL PROCEEDING."""
    if settled(call, message, now):
        call.stop(Timer.T303, Timer.T304)
        call.state = call.states.proceeding
        call.start(Timer.T310, now)


def progress(call: Call, _message: Message, _now: float) -> None:
    """PROGRESS: the peer is at it and may need longer than T310, 5.1.6."""
    call.stop(Timer.T310)


def alerting(call: Call, message: Message, now: float) -> None:
    """ALERTING."""
    if settled(call, message, now):
        call.stop(Timer.T303, Timer.T304, Timer.T310)
        call.state = call.states.delivered
        call.start(Timer.T301, now)
        call.emit(Alerting(call.number))


def connected(call: Call, message: Message, now: float) -> None:
    """CONNECT."""
    if settled(call, message, now):
        assert call.slot is not None
        call.stop_all()
        call.state = CallStateValue.ACTIVE
        call.send(MessageType.CONNECT_ACKNOWLEDGE)
        call.emit(Connected(call.number, call.slot))


def too_late(call: Call, _event: object, now: float) -> None:
    """T310, T301: 5.2.5.3."""
    disconnect(call, CauseValue.RECOVERY_ON_TIMER_EXPIRY, By.PROTOCOL, now)


def settled(call: Call, message: Message, now: float) -> bool:
    """The first answer to a SETUP says the channel, 5.1.2 and 5.2.3.1; False: the call is being cleared for it."""
    if call.settled:
        return True
    said = message.first(ChannelIdentification)
    slot = call.slot if said is None else _slot(said)
    if slot is None:
        missing = said is None
        release(call, CauseValue.MANDATORY_ELEMENT_MISSING if missing else CauseValue.CHANNEL_UNACCEPTABLE, now)
        return False
    if slot != call.slot and (call.exclusive or not call.around.channels.free(slot)):
        release(call, CauseValue.CHANNEL_UNACCEPTABLE, now)
        return False
    call.take((slot,))
    call.settle()
    return True


def _slot(said: ChannelIdentification) -> int | None:
    return said.channels[0] if len(said.channels) == 1 and said.channel_type == ChannelType.B else None
