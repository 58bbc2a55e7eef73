"""One call on a D channel as the PBX sees it: Q.931 5.1 to 5.3 and ECMA-143. Messages in, messages out.

The same machine serves the network side, the user side and QSIG: what differs is who owes CONNECT ACKNOWLEDGE and
which numbers the states have in STATUS. Calls that the PBX places go through the upper states, those that the
recorder places through the middle ones.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from osrec.wire.q931.causes import CauseValue
from osrec.wire.q931.channel import ChannelIdentification
from osrec.wire.q931.codec import compose
from osrec.wire.q931.elements import CallState as CallStateElement
from osrec.wire.q931.elements import CallStateValue, Cause, SendingComplete
from osrec.wire.q931.messages import CallReference, Message, MessageType
from osrec.wire.q931.registry import Element
from osrec_emulators.diun2.call_events import (
    Accept,
    Alert,
    Answer,
    Answered,
    CallState,
    CallTimers,
    Clear,
    Dialect,
    Due,
    Ended,
    Event,
    Output,
    Say,
    numbered,
)

_Handled = Iterator[Output]


@dataclass(slots=True)
class Call:
    """A call. `deadline`: when to call handle(Due(), now).

    Attributes:
        reference: as we write it into messages.
        slots: the channels it has, or asks for.
    """

    reference: CallReference
    dialect: Dialect
    timers: CallTimers
    slots: tuple[int, ...] = ()
    state: CallState = CallState.NULL
    deadline: float | None = None
    _setup: Message | None = None
    _repeated: bool = False
    _cause: int = CauseValue.NORMAL_UNSPECIFIED
    _by_peer: bool = False

    def place(self, elements: tuple[Element, ...], now: float) -> list[Output]:
        """Send SETUP."""
        self._setup = compose(MessageType.SETUP, self.reference, *elements)
        self._enter(CallState.PRESENTED, now + self.timers.t303)
        return [Say(self._setup)]

    def again(self) -> list[Output]:
        """Send the same SETUP once more, as a PBX does that did not see its frame acknowledged."""
        return [Say(self._setup)] if self._setup else []

    def offer(self, setup: Message, now: float) -> list[Output]:
        """Their SETUP has come: it is taken, 5.1.5, and will be answered or cleared."""
        channel = setup.first(ChannelIdentification)
        self.slots = channel.channels if channel else ()
        self._enter(CallState.OFFERED, None)
        return []

    def handle(self, event: Event, now: float) -> list[Output]:
        """Advance by one event. What a peer sends can never make it raise."""
        if isinstance(event, Message):
            handler = _MESSAGES.get((self.state, event.kind)) or _ANYWHERE.get(event.kind, Call._not_expected)
            return list(handler(self, event, now))
        match event:
            case Accept(elements):
                return list(self._accept(elements, now))
            case Alert():
                return list(self._alert(now))
            case Answer():
                return list(self._answer(now))
            case Clear(cause):
                return list(self._clear(cause, now))
            case Due():
                self.deadline = None
                return list(_TIMERS.get(self.state, Call._ignore_timer)(self, now))

    def _enter(self, state: CallState, deadline: float | None) -> None:
        self.state, self.deadline = state, deadline

    def _say(self, kind: MessageType, *elements: Element) -> Say:
        return Say(compose(kind, self.reference, *elements))

    def _why(self, cause: int) -> Cause:
        return Cause(cause, self.dialect.location)

    # --- what the PBX wants

    def _accept(self, elements: tuple[Element, ...], now: float) -> _Handled:
        if self.state is CallState.OFFERED:
            self._enter(CallState.ACCEPTED, None)
            yield self._say(MessageType.CALL_PROCEEDING, *elements)

    def _alert(self, now: float) -> _Handled:
        if self.state is CallState.ACCEPTED:
            self._enter(CallState.RINGING, None)
            yield self._say(MessageType.ALERTING)

    def _answer(self, now: float) -> _Handled:
        if self.state not in (CallState.ACCEPTED, CallState.RINGING):
            return
        yield self._say(MessageType.CONNECT)
        if self.dialect.awaits_acknowledge:
            self._enter(CallState.CONNECTING, now + self.timers.t313)
        else:
            self._enter(CallState.ACTIVE, None)
            yield Answered(self.slots)

    def _clear(self, cause: int, now: float) -> _Handled:
        """5.3.3, 5.3.4; a SETUP that is not taken is turned down with RELEASE COMPLETE, 5.3.2 b."""
        if self.state is CallState.OFFERED:
            yield self._say(MessageType.RELEASE_COMPLETE, self._why(cause))
            yield from self._over(cause, by_peer=False)
        elif self.state not in (CallState.DISCONNECTING, CallState.RELEASING, CallState.NULL):
            self._cause, self._by_peer = cause, False
            self._enter(CallState.DISCONNECTING, now + self.timers.t305)
            yield self._say(MessageType.DISCONNECT, self._why(cause))

    # --- calls that we place

    def _taken(self, message: Message, now: float) -> _Handled:
        self._note_channel(message)
        self._enter(CallState.PROCEEDING, now + self.timers.t310)
        return iter(())

    def _more_digits(self, message: Message, now: float) -> _Handled:
        """We dial en bloc: all they will get is that this was all, 5.2.4."""
        self._note_channel(message)
        self._enter(CallState.OVERLAP, now + self.timers.t310)
        yield self._say(MessageType.INFORMATION, SendingComplete())

    def _alerted(self, message: Message, now: float) -> _Handled:
        self._note_channel(message)
        self._enter(CallState.DELIVERED, now + self.timers.t301)
        return iter(())

    def _connected(self, message: Message, now: float) -> _Handled:
        self._note_channel(message)
        self._enter(CallState.ACTIVE, None)
        if self.dialect.acknowledges:
            yield self._say(MessageType.CONNECT_ACKNOWLEDGE)
        yield Answered(self.slots)

    def _acknowledged(self, message: Message, now: float) -> _Handled:
        self._enter(CallState.ACTIVE, None)
        yield Answered(self.slots)

    def _note_channel(self, message: Message) -> None:
        """The first answer may name another channel than the one we preferred, 5.2.3.1."""
        channel = message.first(ChannelIdentification)
        if channel is not None and channel.channels:
            self.slots = channel.channels

    # --- clearing

    def _disconnected(self, message: Message, now: float) -> _Handled:
        """5.3.3; in collision with our own DISCONNECT too, 5.3.5."""
        if self.state is not CallState.DISCONNECTING:
            self._cause, self._by_peer = _cause_of(message), True
        yield from self._release(now)

    def _release(self, now: float) -> _Handled:
        self._repeated = False
        self._enter(CallState.RELEASING, now + self.timers.t308)
        yield self._say(MessageType.RELEASE)

    def _released(self, message: Message, now: float) -> _Handled:
        """In collision with our RELEASE no RELEASE COMPLETE is owed, 5.3.5."""
        asked = self.state in (CallState.DISCONNECTING, CallState.RELEASING)
        if self.state is not CallState.RELEASING:
            yield self._say(MessageType.RELEASE_COMPLETE)
        yield from self._over(self._cause if asked else _cause_of(message), by_peer=self._by_peer or not asked)

    def _over(self, cause: int, *, by_peer: bool) -> _Handled:
        self._enter(CallState.NULL, None)
        yield Ended(cause, by_peer)

    def _gone(self, message: Message, now: float) -> _Handled:
        """RELEASE COMPLETE."""
        asked = self.state in (CallState.DISCONNECTING, CallState.RELEASING)
        yield from self._over(self._cause if asked else _cause_of(message), by_peer=self._by_peer or not asked)

    # --- what fits everywhere, and nowhere

    def _ignore(self, message: Message, now: float) -> _Handled:
        return iter(())

    def _enquired(self, message: Message, now: float) -> _Handled:
        yield self._status(CauseValue.STATUS_ENQUIRY_RESPONSE)

    def _told(self, message: Message, now: float) -> _Handled:
        """5.8.11: whoever has no such call any more ends ours."""
        state = message.first(CallStateElement)
        if state is not None and state.value == CallStateValue.NULL:
            yield from self._over(_cause_of(message), by_peer=True)

    def _not_expected(self, message: Message, now: float) -> _Handled:
        """5.8.4."""
        known = message.kind in MessageType.__members__.values()
        yield self._status(
            CauseValue.MESSAGE_NOT_COMPATIBLE_WITH_STATE if known else CauseValue.MESSAGE_TYPE_NOT_IMPLEMENTED
        )

    def _status(self, cause: int) -> Say:
        state = CallStateElement(numbered(self.state, self.dialect))
        return self._say(MessageType.STATUS, self._why(cause), state)

    # --- timers

    def _not_answered_setup(self, now: float) -> _Handled:
        """5.2.5.4: once more, then given up."""
        if self._repeated or self._setup is None:
            yield self._say(MessageType.RELEASE_COMPLETE, self._why(CauseValue.RECOVERY_ON_TIMER_EXPIRY))
            yield from self._over(CauseValue.NO_USER_RESPONDING, by_peer=False)
        else:
            self._repeated = True
            self.deadline = now + self.timers.t303
            yield Say(self._setup)

    def _nobody_answers(self, now: float) -> _Handled:
        alerted = self.state is CallState.DELIVERED
        yield from self._clear(CauseValue.NO_ANSWER if alerted else CauseValue.NO_USER_RESPONDING, now)

    def _not_acknowledged(self, now: float) -> _Handled:
        yield from self._clear(CauseValue.RECOVERY_ON_TIMER_EXPIRY, now)

    def _disconnect_unheard(self, now: float) -> _Handled:
        yield from self._release(now)

    def _release_unheard(self, now: float) -> _Handled:
        """5.3.4.2: once more, then the reference is free all the same."""
        if self._repeated:
            yield from self._over(self._cause, by_peer=self._by_peer)
        else:
            self._repeated = True
            self.deadline = now + self.timers.t308
            yield self._say(MessageType.RELEASE, self._why(CauseValue.RECOVERY_ON_TIMER_EXPIRY))

    def _ignore_timer(self, now: float) -> _Handled:
        return iter(())


def _cause_of(message: Message) -> int:
    cause = message.first(Cause)
    return cause.value if cause else int(CauseValue.NORMAL_UNSPECIFIED)


_Handler = Callable[[Call, Message, float], _Handled]
_S, _M = CallState, MessageType

_ANYWHERE: dict[int, _Handler] = {
    _M.SETUP: Call._ignore,  # 5.8.3.2 e
    _M.DISCONNECT: Call._disconnected,
    _M.RELEASE: Call._released,
    _M.RELEASE_COMPLETE: Call._gone,
    _M.STATUS: Call._told,
    _M.STATUS_ENQUIRY: Call._enquired,
    _M.NOTIFY: Call._ignore,
    _M.FACILITY: Call._ignore,
    _M.INFORMATION: Call._ignore,
    _M.USER_INFORMATION: Call._ignore,
    _M.PROGRESS: Call._ignore,
}

_MESSAGES: dict[tuple[CallState, int], _Handler] = {
    (_S.PRESENTED, _M.SETUP_ACKNOWLEDGE): Call._more_digits,
    (_S.PRESENTED, _M.CALL_PROCEEDING): Call._taken,
    (_S.PRESENTED, _M.ALERTING): Call._alerted,
    (_S.PRESENTED, _M.CONNECT): Call._connected,
    (_S.OVERLAP, _M.CALL_PROCEEDING): Call._taken,
    (_S.OVERLAP, _M.ALERTING): Call._alerted,
    (_S.OVERLAP, _M.CONNECT): Call._connected,
    (_S.PROCEEDING, _M.ALERTING): Call._alerted,
    (_S.PROCEEDING, _M.CONNECT): Call._connected,
    (_S.DELIVERED, _M.CONNECT): Call._connected,
    (_S.CONNECTING, _M.CONNECT_ACKNOWLEDGE): Call._acknowledged,
    (_S.ACTIVE, _M.CONNECT_ACKNOWLEDGE): Call._ignore,
    (_S.RELEASING, _M.DISCONNECT): Call._ignore,
    (_S.RELEASING, _M.STATUS_ENQUIRY): Call._enquired,
}

_TIMERS: dict[CallState, Callable[[Call, float], _Handled]] = {
    _S.PRESENTED: Call._not_answered_setup,
    _S.OVERLAP: Call._nobody_answers,
    _S.PROCEEDING: Call._nobody_answers,
    _S.DELIVERED: Call._nobody_answers,
    _S.CONNECTING: Call._not_acknowledged,
    _S.DISCONNECTING: Call._disconnect_unheard,
    _S.RELEASING: Call._release_unheard,
}
