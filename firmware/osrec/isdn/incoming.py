"""A call that the peer set up, until it is active: Q.931 5.2 at a user, 5.1 at a network, ECMA-143 at either."""

from osrec.isdn.call import Call, Pause
from osrec.isdn.clearing import disconnect
from osrec.isdn.messages import By, Connected
from osrec.isdn.settings import Answering
from osrec.isdn.timers import Timer
from osrec.wire.q931.causes import CauseValue
from osrec.wire.q931.elements import CallStateValue, KeypadFacility, SendingComplete
from osrec.wire.q931.messages import Message, MessageType
from osrec.wire.q931.numbers import CalledPartyNumber


def begin(call: Call, now: float) -> None:
    """The channel is chosen."""
    if call.setup.first(SendingComplete) is None and len(call.called) < call.around.config.overlap:
        call.respond(MessageType.SETUP_ACKNOWLEDGE)
        call.state = call.states.gathering
        call.start(Timer.T302, now)
    else:
        _complete(call, now)


def more_digits(call: Call, message: Message, now: float) -> None:
    """INFORMATION in overlap: 5.1.3, 5.2.4."""
    called, keypad = message.first(CalledPartyNumber), message.first(KeypadFacility)
    call.called += (called.digits if called else "") + (keypad.text if keypad else "")
    if message.first(SendingComplete) is not None or len(call.called) >= call.around.config.overlap:
        call.stop(Timer.T302)
        _complete(call, now)
    else:
        call.start(Timer.T302, now)


def no_more_digits(call: Call, _event: object, now: float) -> None:
    """T302: what there is will have to do."""
    if call.called:
        _complete(call, now)
    else:
        disconnect(call, CauseValue.INVALID_NUMBER_FORMAT, By.PROTOCOL, now)


def _complete(call: Call, now: float) -> None:
    """The number is known: go as far as the policy says."""
    config = call.around.config
    call.settle()
    if config.proceeds:
        proceed(call, None, now)
    if config.answering is Answering.CONNECT:
        answer(call, None, now)
    elif config.answering is Answering.ALERT:
        alert(call, None, now)
        if config.ring:
            call.due[Pause.ANSWER] = now + config.ring
        else:
            answer(call, None, now)


def proceed(call: Call, _event: object, _now: float) -> None:
    call.respond(MessageType.CALL_PROCEEDING)
    call.state = call.states.going_on


def alert(call: Call, _event: object, _now: float) -> None:
    call.respond(MessageType.ALERTING)
    call.state = call.states.received


def answer(call: Call, _event: object, now: float) -> None:
    """CONNECT: a network is through with it, 5.1.8; a user and QSIG wait for CONNECT ACKNOWLEDGE, 5.2.8."""
    call.stop_all()
    call.respond(MessageType.CONNECT)
    if call.states.answered is None:
        active(call, None, now)
    else:
        call.state = call.states.answered
        call.start(Timer.T313, now)


def active(call: Call, _message: Message | None, _now: float) -> None:
    """CONNECT ACKNOWLEDGE."""
    assert call.slot is not None
    call.stop_all()
    call.state = CallStateValue.ACTIVE
    call.emit(Connected(call.number, call.slot))


def not_acknowledged(call: Call, _event: object, now: float) -> None:
    """T313."""
    disconnect(call, CauseValue.RECOVERY_ON_TIMER_EXPIRY, By.PROTOCOL, now)
