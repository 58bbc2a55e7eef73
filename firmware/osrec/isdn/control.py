"""Call control of one access as a machine: Q.931 and ECMA-143, many calls, channels, restart. It does no I/O.

Octets of layer 3 come in as DataReceived of the data link; SendMessage and EstablishLink go out to it. All else that
comes out is for the owner.
"""

from collections.abc import Callable
from typing import Any

from osrec.errors import UsageError, WireError
from osrec.isdn import incoming, outgoing
from osrec.isdn.call import Call, Surroundings, numbers_of, states_of
from osrec.isdn.call_table import TABLES, Key, LinkNews
from osrec.isdn.channels import Channels, Refused
from osrec.isdn.judgement import Judgement, judge
from osrec.isdn.link_messages import DataReceived, Established, Released, UnitDataReceived
from osrec.isdn.messages import (
    AdoptCall,
    Alert,
    AnswerCall,
    BlockSlots,
    By,
    CallAdopted,
    CallRefused,
    CallStarted,
    ClearCall,
    EstablishLink,
    LinkDown,
    LinkUp,
    Output,
    PlaceCall,
    Proceed,
    Request,
    RestartChannels,
    SendMessage,
    TimerExpired,
    Trouble,
    TurnedAway,
)
from osrec.isdn.profile import Protocol
from osrec.isdn.restart import Restart
from osrec.isdn.settings import AccessConfig
from osrec.wire.q931.bearer import BearerCapability
from osrec.wire.q931.causes import CauseValue
from osrec.wire.q931.channel import ChannelIdentification, Selection, time_slot
from osrec.wire.q931.codec import compose, decode_with_faults, encode
from osrec.wire.q931.elements import CallState, CallStateValue, Cause, SendingComplete
from osrec.wire.q931.messages import CallReference, Message, MessageType, message_name
from osrec.wire.q931.numbers import CalledPartyNumber, CallingPartyNumber, NumberingPlan
from osrec.wire.q931.registry import Element

_LAST_REFERENCE = 0x7FFF  # two octets on a primary rate access, 4.3

Event = Request | Established | Released | DataReceived | UnitDataReceived | TimerExpired


class CallControl:
    """Layer 3 of one D channel.

    Attributes:
        up: the data link is established.
        channels: who holds which slot.
    """

    def __init__(self, config: AccessConfig | None = None) -> None:
        config = config or AccessConfig()
        self.up = False
        self.channels = Channels(config.slots, config.most_slots)
        self._config = config
        self._outputs: list[Output] = []
        timers = config.all_timers
        self._around = Surroundings(config, timers, self.channels, states_of(config.profile), self._outputs.append)
        self._table = TABLES[self._around.states]
        self._restart = Restart(self.channels, timers, config.location, self._outputs.append, self._idle)
        self._calls: dict[int, Call] = {}
        self._references: dict[tuple[int, bool], Call] = {}  # by value, and whether it is the peer's choice
        self._last_number = self._last_reference = 0
        self._establish_due: float | None = None

    def handle(self, event: Event, now: float) -> list[Output]:
        """Advance by one event; `now` is any monotonic time, in seconds.

        Raises UsageError when the owner asks for what the state of a call does not allow; no peer can make it raise.
        """
        _EVENTS[type(event)](self, event, now)
        outputs = self._outputs[:]
        self._outputs.clear()
        return outputs

    @property
    def deadline(self) -> float | None:
        """When to call handle(TimerExpired(), now); None: no timer runs."""
        dues = [self._establish_due, self._restart.due, *(call.deadline for call in self._calls.values())]
        return min((due for due in dues if due is not None), default=None)

    @property
    def calls(self) -> dict[int, CallStateValue]:
        """The state of each call that there is, by its number."""
        return {number: call.state for number, call in self._calls.items()}

    def _emit(self, output: Output) -> None:
        self._outputs.append(output)

    def _send(self, kind: MessageType, reference: CallReference, *elements: Element) -> None:
        self._emit(SendMessage(compose(kind, reference, *elements)))

    def _cause(self, value: int, diagnostics: bytes = b"") -> Cause:
        return Cause(value, self._config.location, diagnostics)

    # --- calls

    def _step(self, call: Call, key: Key, event: object, now: float) -> None:
        self._table[call.state, key](call, event, now)
        if call.state is CallStateValue.NULL:
            self._forget(call)
        if call.lost_slots and self._config.restart_lost:
            self._restart.request(call.lost_slots, now)

    def _forget(self, call: Call) -> None:
        del self._calls[call.number]
        del self._references[call.reference.value, call.incoming]

    def _new(self, reference: CallReference, setup: Message, state: CallStateValue, *, incoming: bool) -> Call:
        self._last_number += 1
        call = Call(self._around, self._last_number, reference, incoming, setup, state)
        self._calls[call.number] = call
        self._references[reference.value, incoming] = call
        return call

    def _idle(self, slots: tuple[int, ...]) -> None:
        """End the calls on these slots without a message: both sides of a RESTART do, 5.5."""
        for call in list(self._calls.values()):
            if set(call.slots) & set(slots):
                call.release(self._cause(CauseValue.TEMPORARY_FAILURE), By.PROTOCOL)
                self._forget(call)

    # --- what the owner asks

    def _place(self, event: PlaceCall, now: float) -> None:
        asked = None if event.slot is None else time_slot(event.slot, exclusive=event.exclusive)
        slots = self._choose(asked) if self.up else Refused(CauseValue.DESTINATION_OUT_OF_ORDER)
        if isinstance(slots, Refused):
            self._emit(CallRefused(event.token, slots.cause))
            return
        reference = CallReference(self._next_reference())
        setup = self._setup(event, reference, slots[0])
        size, most = len(encode(setup)), self._config.link.n201  # what cannot be said is the owner's mistake
        if size > most:
            raise UsageError(f"SETUP of {size} octets, N201 is {most} [Q.921 5.9.3]")
        call = self._new(reference, setup, self._around.states.sent, incoming=False)
        call.called, call.exclusive = event.called, event.exclusive
        call.take(slots)
        self._emit(CallStarted(event.token, call.number, reference))
        outgoing.begin(call, now)

    def _adopt(self, event: AdoptCall, now: float) -> None:
        why = self._why_not(event)
        if why:  # what an earlier run wrote down may contradict itself, or the configuration of this one
            text = f"call reference {event.reference} on slots {event.slots} of an earlier run: {why}: not taken up"
            self._emit(Trouble(text))
            self._emit(CallRefused(event.token, CauseValue.REQUESTED_CHANNEL_NOT_AVAILABLE))
            return
        reference = CallReference(event.reference)
        setup = compose(MessageType.SETUP, reference)  # what else it said went down with the earlier run
        call = self._new(reference.answered(), setup, CallStateValue.ACTIVE, incoming=True)
        call.take(event.slots)
        call.settled = call.responded = True
        self._emit(CallAdopted(event.token, call.number))
        self._step(call, LinkNews.RESET if self.up else LinkNews.LOST, event, now)

    def _why_not(self, event: AdoptCall) -> str | None:
        if not 1 <= event.reference <= _LAST_REFERENCE:
            return f"a reference is 1..{_LAST_REFERENCE} [Q.931 4.3]"
        if (event.reference, True) in self._references:
            return "another call has the reference"
        for slot in event.slots:
            if slot not in self.channels.slots:
                return f"slot {slot} is none of the slots of this access"
            if self.channels.holder(slot) is not None:
                return f"another call is on slot {slot}"
        return None

    def _setup(self, event: PlaceCall, reference: CallReference, slot: int) -> Message:
        plan = NumberingPlan.UNKNOWN if self._config.protocol is Protocol.QSIG else NumberingPlan.ISDN
        elements: list[Element] = [
            SendingComplete(),
            event.bearer,
            time_slot(slot, exclusive=event.exclusive),
            CalledPartyNumber(event.called, npi=plan),
        ]
        if event.calling:
            elements.append(CallingPartyNumber(event.calling, npi=plan))
        return compose(MessageType.SETUP, reference, *elements)

    def _next_reference(self) -> int:
        while True:  # there are more values than channels
            self._last_reference = self._last_reference % _LAST_REFERENCE + 1
            if (self._last_reference, False) not in self._references:
                return self._last_reference

    def _ask_call(self, event: Proceed | Alert | AnswerCall | ClearCall, now: float) -> None:
        call = self._calls.get(event.call)
        if call is not None:  # else it has just ended, and the owner will hear
            self._step(call, type(event), event, now)

    def _restart_channels(self, event: RestartChannels, now: float) -> None:
        self._restart.request(event.slots, now, event.patience)

    def _block(self, event: BlockSlots, _now: float) -> None:
        self.channels.block(event.slots)

    # --- the data link

    def _established(self, event: Established, now: float) -> None:
        news = LinkNews.RESET if self.up else LinkNews.BACK
        self._establish_due = None
        if not self.up:
            self.up = True
            self._emit(LinkUp())
        self._tell_calls(news, event, now)
        self._restart.link_up(now)

    def _released(self, event: Released, now: float) -> None:
        if self.up:
            self.up = False
            self._emit(LinkDown())
        self._restart.link_down()
        self._tell_calls(LinkNews.LOST, event, now)
        self._establish_due = now + self._config.establish_pause

    def _tell_calls(self, news: LinkNews, event: object, now: float) -> None:
        for call in list(self._calls.values()):
            self._step(call, news, event, now)

    # --- time

    def _expired(self, event: TimerExpired, now: float) -> None:
        if self._establish_due is not None and self._establish_due <= now:
            self._establish_due = None
            self._emit(EstablishLink())
        if self._restart.due is not None and self._restart.due <= now:
            self._restart.expired(now)
        for call in list(self._calls.values()):
            for timer in [timer for timer, due in call.due.items() if due <= now]:
                if call.due.pop(timer, None) is not None:  # else the one before has stopped it
                    self._step(call, timer, event, now)

    # --- messages

    def _unit_data(self, event: UnitDataReceived, _now: float) -> None:
        """On a bus SETUP comes so, 5.2.2, and needs no data link; a primary rate access is point to point."""
        self._emit(Trouble(f"message in a UI frame on a point-to-point access: {event.octets.hex(' ')}"))

    def _data(self, event: DataReceived, now: float) -> None:
        try:
            message, faults = decode_with_faults(event.octets)
        except WireError as error:  # 5.8.1 to 5.8.3.1: nobody answers
            self._emit(Trouble(f"{error}: {event.octets.hex(' ')}"))
            return
        if faults:
            more = f"; {len(faults) - 1} more" if len(faults) > 1 else ""
            self._emit(Trouble(f"{message_name(message.kind)}: {faults[0]}{more}: {event.octets.hex(' ')}"))
        reference = message.reference
        if reference.is_dummy:
            return  # supplementary services without a call, Q.932
        found = judge(message, faults, needs_channel=self._config.profile.channel_is_mandatory)
        if reference.is_global:
            self._global(message, found, now)
            return
        call = self._references.get((reference.value, not reference.to_origin))
        if call is not None:
            self._of_call(call, message, found, now)
        elif message.kind == MessageType.SETUP and not reference.to_origin:
            self._called(message, found, now)
        else:
            self._unknown(message)

    def _global(self, message: Message, found: Judgement, now: float) -> None:
        if found.passable or found.cause is None:
            self._restart.received(message, now)
        elif message.kind != MessageType.STATUS:
            cause = self._cause(found.cause, found.diagnostics)
            self._send(MessageType.STATUS, message.reference.answered(), cause, CallState(self._restart.state))

    def _of_call(self, call: Call, message: Message, found: Judgement, now: float) -> None:
        if not found.passable and found.cause is not None:
            call.status(found.cause, found.diagnostics)
            return
        if found.cause is not None:
            call.complaint = self._cause(found.cause, found.diagnostics)
        self._step(call, MessageType(message.kind), message, now)

    def _unknown(self, message: Message) -> None:
        """A call reference that no call has: 5.8.3.2, 5.8.10, 5.8.11."""
        answer = message.reference.answered()
        match message.kind:
            case MessageType.SETUP | MessageType.RELEASE_COMPLETE:
                return
            case MessageType.STATUS_ENQUIRY:
                state = CallState(CallStateValue.NULL)
                self._send(MessageType.STATUS, answer, self._cause(CauseValue.STATUS_ENQUIRY_RESPONSE), state)
            case MessageType.STATUS:
                said = message.first(CallState)
                if said is not None and said.value != CallStateValue.NULL:
                    value = CauseValue.MESSAGE_NOT_COMPATIBLE_WITH_STATE
                    self._send(MessageType.RELEASE_COMPLETE, answer, self._cause(value))
            case _:
                self._emit(Trouble(f"{message_name(message.kind)} of no call [Q.931 5.8.3.2]"))
                self._send(MessageType.RELEASE_COMPLETE, answer, self._cause(CauseValue.INVALID_CALL_REFERENCE))

    def _called(self, setup: Message, found: Judgement, now: float) -> None:
        """SETUP: 5.2.2 and 5.1.1."""
        if found.cause is not None:
            self._turn_away(setup, found.cause, found.diagnostics)
            return
        bearer = setup.first(BearerCapability)
        assert bearer is not None  # mandatory: judged before
        if bearer.capability not in self._config.capabilities:
            self._turn_away(setup, CauseValue.BEARER_NOT_IMPLEMENTED)
            return
        asked = setup.first(ChannelIdentification)
        self._yield_channel(asked)
        slots = self._choose(asked)
        if isinstance(slots, Refused):
            self._turn_away(setup, slots.cause)
            return
        call = self._new(setup.reference.answered(), setup, self._around.states.present, incoming=True)
        call.take(slots)
        _, call.called = numbers_of(setup)
        incoming.begin(call, now)

    def _choose(self, asked: ChannelIdentification | None) -> tuple[int, ...] | Refused:
        return self.channels.choose(asked, from_top=self._config.profile.has_priority)

    def _turn_away(self, setup: Message, cause: CauseValue, diagnostics: bytes = b"") -> None:
        """RELEASE COMPLETE as the first response: there is no call, 5.3.2 a)."""
        self._send(MessageType.RELEASE_COMPLETE, setup.reference.answered(), self._cause(cause, diagnostics))
        self._emit(TurnedAway(cause, *numbers_of(setup)))

    def _yield_channel(self, asked: ChannelIdentification | None) -> None:
        """Glare, 5.7: the network's call has the channel; that of a user waits for another, or for its refusal."""
        if asked is None or self._config.profile.has_priority or asked.selection != Selection.INDICATED:
            return
        for slot in asked.channels:
            holder = self.channels.holder(slot)
            call = None if holder is None else self._calls.get(holder)
            if call is not None and not call.incoming and call.state is self._around.states.sent:
                self._emit(Trouble(f"call {call.number} yields slot {slot} to a call of the peer [Q.931 5.7]"))
                call.give_back()


_EVENTS: dict[type[Any], Callable[[CallControl, Any, float], None]] = {
    PlaceCall: CallControl._place,
    Proceed: CallControl._ask_call,
    Alert: CallControl._ask_call,
    AnswerCall: CallControl._ask_call,
    ClearCall: CallControl._ask_call,
    RestartChannels: CallControl._restart_channels,
    BlockSlots: CallControl._block,
    AdoptCall: CallControl._adopt,
    Established: CallControl._established,
    Released: CallControl._released,
    DataReceived: CallControl._data,
    UnitDataReceived: CallControl._unit_data,
    TimerExpired: CallControl._expired,
}
