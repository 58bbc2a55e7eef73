"""The end of a call, from either side: Q.931 5.3."""

from osrec.isdn.call import Call, cause_of
from osrec.isdn.messages import By, ClearCall, Trouble
from osrec.isdn.timers import Timer
from osrec.wire.q931.causes import CauseValue
from osrec.wire.q931.elements import CallStateValue, Cause
from osrec.wire.q931.messages import Message, MessageType


def disconnect(call: Call, value: int, by: By, now: float) -> None:
    """DISCONNECT, 5.3.3 and 5.3.4."""
    cause = call.cause(value)
    call.ends(cause, by)
    call.send(MessageType.DISCONNECT, cause)
    call.state = call.states.disconnecting
    call.start(Timer.T305, now)


def release(call: Call, value: int, now: float) -> None:
    """RELEASE without DISCONNECT before it: the channel that the peer chose will not do."""
    cause = call.cause(value)
    call.ends(cause, By.PROTOCOL)
    _send_release(call, cause, now)


def _send_release(call: Call, cause: Cause | None, now: float) -> None:
    call.send(MessageType.RELEASE, *(() if cause is None else (cause,)))
    call.state = CallStateValue.RELEASE_REQUEST
    call.start(Timer.T308, now)


# --- what the owner asks


def reject(call: Call, event: ClearCall, _now: float) -> None:
    """Before any response RELEASE COMPLETE will do, 5.3.2 a)."""
    cause = call.cause(event.cause)
    call.send(MessageType.RELEASE_COMPLETE, cause)
    call.release(cause, By.US)


def clear(call: Call, event: ClearCall, now: float) -> None:
    disconnect(call, event.cause, By.US, now)


# --- what the peer says


def disconnected(call: Call, message: Message, now: float) -> None:
    """DISCONNECT: 5.3.3, and the collision of 5.3.5 when we have sent one, too."""
    call.ends(cause_of(message), By.PEER)
    _send_release(call, call.complaint, now)


def released(call: Call, message: Message, _now: float) -> None:
    """RELEASE."""
    complaint = call.complaint
    if complaint is None and call.ended is None and message.first(Cause) is None:
        complaint = call.cause(CauseValue.MANDATORY_ELEMENT_MISSING)  # mandatory in the first clearing message, 5.8.6.1
    call.send(MessageType.RELEASE_COMPLETE, *(() if complaint is None else (complaint,)))
    call.release(cause_of(message), By.PEER)


def gone(call: Call, message: Message, _now: float) -> None:
    """RELEASE COMPLETE; or RELEASE when ours is on its way: 5.3.5."""
    call.release(cause_of(message), By.PEER)


# --- time


def not_released(call: Call, _event: object, now: float) -> None:
    """T305: RELEASE with the cause of the DISCONNECT."""
    assert call.ended is not None
    _send_release(call, call.cause(call.ended[0].value), now)


def not_completed(call: Call, _event: object, now: float) -> None:
    """T308: RELEASE once more; then nobody knows what the peer thinks of the channel."""
    assert call.ended is not None
    if call.repeats(Timer.T308):
        call.send(MessageType.RELEASE, call.cause(call.ended[0].value))
        call.start(Timer.T308, now)
        return
    call.lost_slots = call.slots
    call.emit(Trouble(f"call {call.number} in slot {call.slot}: no answer to RELEASE [Q.931 5.3.3]"))
    call.release(call.ended[0], call.ended[1])
