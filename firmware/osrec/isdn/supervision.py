"""STATUS (Q.931 5.8.10, 5.8.11), messages in the wrong state (5.8.4), and what the data link does (5.8.8, 5.8.9)."""

from osrec.errors import UsageError
from osrec.isdn.call import Call
from osrec.isdn.clearing import disconnect
from osrec.isdn.messages import By, Trouble
from osrec.isdn.timers import Timer
from osrec.wire.q931.causes import CauseValue, cause_name
from osrec.wire.q931.elements import CallState, CallStateValue, Cause
from osrec.wire.q931.messages import Message, MessageType, message_name

COMPLAINTS = frozenset(
    {
        CauseValue.MANDATORY_ELEMENT_MISSING,
        CauseValue.MESSAGE_TYPE_NOT_IMPLEMENTED,
        CauseValue.MESSAGE_NOT_COMPATIBLE,
        CauseValue.ELEMENT_NOT_IMPLEMENTED,
        CauseValue.INVALID_ELEMENT_CONTENTS,
        CauseValue.MESSAGE_NOT_COMPATIBLE_WITH_STATE,
    }
)


def ignore(_call: Call, _event: object, _now: float) -> None:
    pass


def impossible(call: Call, event: object, _now: float) -> None:
    """A request for what this state does not allow: a bug of the owner."""
    raise UsageError(f"{type(event).__name__} of call {call.number} in state {call.state.name}")


def unexpected(call: Call, message: Message, _now: float) -> None:
    """5.8.4: a message that the state has no use for."""
    call.emit(Trouble(f"call {call.number}: {message_name(message.kind)} in state {call.state.name} [Q.931 5.8.4]"))
    call.status(CauseValue.MESSAGE_NOT_COMPATIBLE_WITH_STATE, bytes([message.kind]))


def status_asked(call: Call, _message: Message, _now: float) -> None:
    call.status(CauseValue.STATUS_ENQUIRY_RESPONSE)


def status(call: Call, message: Message, now: float) -> None:
    """5.8.11. What the peer complains of in a state that fits is told and changes nothing: an implementation option."""
    theirs, cause = message.first(CallState), message.first(Cause)
    assert theirs is not None  # mandatory: judged before
    assert cause is not None
    call.stop(Timer.T322)
    if theirs.value == CallStateValue.NULL:
        call.emit(Trouble(f"call {call.number}: the peer does not know it any more [Q.931 5.8.11]"))
        call.release(cause, By.PEER)
        return
    if cause.value in COMPLAINTS:
        call.emit(Trouble(f"call {call.number}: the peer says {cause.value}, {cause_name(cause.value)}"))
    if not call.around.config.profile.fits(call.state, theirs.value):
        call.emit(Trouble(f"call {call.number}: state {call.state} here, {theirs.value} there [Q.931 5.8.11]"))
        disconnect(call, CauseValue.MESSAGE_NOT_COMPATIBLE_WITH_STATE, By.PROTOCOL, now)


def ask(call: Call, _event: object, now: float) -> None:
    """STATUS ENQUIRY, after the data link was lost or reset."""
    call.stop(Timer.T309, Timer.T322)
    call.send(MessageType.STATUS_ENQUIRY)
    call.start(Timer.T322, now)


def no_status(call: Call, _event: object, now: float) -> None:
    """T322: 5.8.10."""
    if call.repeats(Timer.T322):
        call.send(MessageType.STATUS_ENQUIRY)
        call.start(Timer.T322, now)
    else:
        disconnect(call, CauseValue.TEMPORARY_FAILURE, By.PROTOCOL, now)


def overlap_reset(call: Call, _event: object, now: float) -> None:
    """5.8.8 a): digits may be lost."""
    disconnect(call, CauseValue.TEMPORARY_FAILURE, By.PROTOCOL, now)


def link_lost(call: Call, _event: object, _now: float) -> None:
    """5.8.9 a): no call survives that is not active."""
    call.lost_slots = call.slots
    call.release(call.cause(CauseValue.DESTINATION_OUT_OF_ORDER), By.LINK)


def wait_for_link(call: Call, _event: object, now: float) -> None:
    """5.8.9 b)."""
    call.stop(Timer.T322)
    if Timer.T309 not in call.due:
        call.start(Timer.T309, now)


def link_stays_away(call: Call, _event: object, _now: float) -> None:
    """T309: 5.8.9 d)."""
    call.lost_slots = call.slots
    call.release(call.cause(CauseValue.DESTINATION_OUT_OF_ORDER), By.LINK)
