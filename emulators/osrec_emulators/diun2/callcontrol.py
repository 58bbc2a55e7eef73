"""All calls of one D channel: the data link below them, call references, RESTART, what happens when the link is lost.

Frames in, frames and what became of the calls out; no I/O, time is an argument.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from osrec.errors import WireError
from osrec.wire.q931.causes import CauseValue
from osrec.wire.q931.channel import ChannelIdentification
from osrec.wire.q931.codec import compose, decode_with_faults, encode
from osrec.wire.q931.elements import CallState as CallStateElement
from osrec.wire.q931.elements import Cause, RestartClass, RestartIndicator
from osrec.wire.q931.faults import Fault, FaultKind
from osrec.wire.q931.messages import CallReference, Message, MessageType
from osrec.wire.q931.registry import Element
from osrec_emulators.diun2 import call_events as layer3
from osrec_emulators.diun2 import lapd_events as layer2
from osrec_emulators.diun2.call import Call
from osrec_emulators.diun2.call_events import CallState, CallTimers, Dialect
from osrec_emulators.diun2.callcontrol_events import (
    Answered,
    Arrived,
    By,
    CallId,
    Due,
    Ended,
    Event,
    LinkChanged,
    Offered,
    Output,
    Place,
    Repeat,
    Restart,
    Restarted,
    Start,
    Tell,
    Transmit,
)
from osrec_emulators.diun2.lapd import DataLink
from osrec_emulators.diun2.lapd_events import LinkTimers

RETRY = 5.0  # seconds until a link that did not come up is asked for again
RESTARTS = 2  # times that RESTART is sent, 5.5.1


_Handled = Iterator[Output]


@dataclass(slots=True)
class _Restarting:
    """RESTART is out: what it said, how often."""

    message: Message
    deadline: float
    sent: int = 1


@dataclass(slots=True)
class CallControl:
    """Layers 2 and 3 of one D channel.

    Attributes:
        calls: by reference.
        complaints: MDL-ERROR codes of the data link so far.
        unreadable: messages that were none, Q.931 5.8.1 to 5.8.3.
    """

    dialect: Dialect = field(default_factory=Dialect)
    call_timers: CallTimers = field(default_factory=CallTimers)
    link_timers: LinkTimers = field(default_factory=LinkTimers)
    reference_length: int = 2  # octets, 4.3
    calls: dict[CallId, Call] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    unreadable: int = 0
    _link: DataLink = field(init=False)
    _last: int = 0
    _retry: float | None = None
    _t309: float | None = None
    _restarting: _Restarting | None = None
    _to_restart: deque[tuple[Element, ...]] = field(default_factory=deque)  # Channel-ID of the RESTARTs that follow

    def __post_init__(self) -> None:
        self._link = DataLink(self.dialect.side, self.link_timers)

    @property
    def link_up(self) -> bool:
        return self._link.up

    @property
    def restarting(self) -> bool:
        """A RESTART of ours is not acknowledged yet."""
        return self._restarting is not None

    @property
    def deadline(self) -> float | None:
        restart = self._restarting.deadline if self._restarting else None
        own = (self._link.deadline, self._retry, self._t309, restart)
        times = [*own, *(call.deadline for call in self.calls.values())]
        return min((at for at in times if at is not None), default=None)

    def next_reference(self) -> CallId:
        """A reference that no call of ours has."""
        most = (1 << 8 * self.reference_length - 1) - 1
        while True:
            self._last = self._last % most + 1
            if CallId(self._last) not in self.calls:
                return CallId(self._last)

    def handle(self, event: Event, now: float) -> list[Output]:
        """Advance by one event. A peer can never make it raise."""
        match event:
            case Start():
                return list(self._link_event(layer2.Establish(), now))
            case Arrived(octets):
                return list(self._link_event(layer2.Arrived(octets), now))
            case Place(id, slots, elements):
                call = self._new(id, slots)
                return list(self._call_outputs(id, call.place(elements, now), now))
            case Tell(id, told):
                return list(self._tell(id, told, now))
            case Repeat(id):
                call_now = self.calls.get(id)
                return list(self._call_outputs(id, call_now.again(), now)) if call_now else []
            case Restart(slots):
                return list(self._restart(slots, now))
            case Due():
                return list(self._due(now))

    def _new(self, id: CallId, slots: tuple[int, ...] = ()) -> Call:
        reference = CallReference(id.value, not id.ours, self.reference_length)
        self.calls[id] = Call(reference, self.dialect, self.call_timers, slots)
        return self.calls[id]

    # --- time

    def _due(self, now: float) -> _Handled:
        if self._link.deadline is not None and self._link.deadline <= now:
            yield from self._link_event(layer2.Due(), now)
        if self._retry is not None and self._retry <= now:
            self._retry = None
            yield from self._link_event(layer2.Establish(), now)
        if self._t309 is not None and self._t309 <= now:
            self._t309 = None
            yield from self._end(self.calls, CauseValue.DESTINATION_OUT_OF_ORDER, "link")
        for id, call in list(self.calls.items()):
            if call.deadline is not None and call.deadline <= now:
                yield from self._call_outputs(id, call.handle(layer3.Due(), now), now)
        yield from self._restart_due(now)

    # --- the data link

    def _link_event(self, event: layer2.Event, now: float) -> _Handled:
        for output in self._link.handle(event, now):
            match output:
                case layer2.Transmit(octets):
                    yield Transmit(octets)
                case layer2.Data(octets):
                    yield from self._message(octets, now)
                case layer2.Complaint(code):
                    self.complaints.append(code)
                case layer2.Up():
                    yield from self._link_came(now)
                case layer2.Down():
                    yield from self._link_went(now)

    def _link_came(self, now: float) -> _Handled:
        """5.8.8, 5.8.9: calls that are up are asked about, all others are as if nothing was."""
        self._retry = self._t309 = None
        self._restarting = None  # whatever was on its way went down with the link before
        self._to_restart.clear()
        yield LinkChanged(up=True)
        for call in self.calls.values():
            if call.state is CallState.ACTIVE:
                enquiry = compose(MessageType.STATUS_ENQUIRY, call.reference)
                yield from self._say(enquiry, now)

    def _link_went(self, now: float) -> _Handled:
        """5.8.9: calls that are not up end; those that are wait for T309."""
        self._retry = now + RETRY
        yield LinkChanged(up=False)
        waiting = {id: call for id, call in self.calls.items() if call.state is CallState.ACTIVE}
        yield from self._end(self.calls.keys() - waiting.keys(), CauseValue.TEMPORARY_FAILURE, "link")
        if waiting and self._t309 is None:
            self._t309 = now + self.call_timers.t309

    def _end(self, ids: Iterable[CallId], cause: int, by: By) -> _Handled:
        """Without a word to the other side."""
        for id in sorted(ids):
            del self.calls[id]
            yield Ended(id, cause, by)

    def say(self, message: Message, now: float) -> list[Output]:
        """Send a message whether it fits or not: what goes wrong is not for the machines to know."""
        return list(self._say(message, now))

    def _say(self, message: Message, now: float) -> _Handled:
        yield from self._link_event(layer2.Data(encode(message)), now)

    # --- messages

    def _message(self, octets: bytes, now: float) -> _Handled:
        try:
            message, faults = decode_with_faults(octets)
        except WireError:
            self.unreadable += 1
            return
        if message.reference.is_dummy:
            return
        if message.reference.is_global:
            yield from self._global(message, now)
            return
        id = CallId(message.reference.value, message.reference.to_origin)
        call = self.calls.get(id)
        if call is None:
            yield from _WITHOUT_CALL.get(message.kind, CallControl._unknown_reference)(self, message, faults, now)
            return
        missing = next((fault for fault in faults if fault.kind is FaultKind.MISSING), None)
        if missing is not None and message.kind not in _CLEARING:  # 5.8.6.1
            yield from self._say_status(call, CauseValue.MANDATORY_ELEMENT_MISSING, bytes([missing.identifier]), now)
            return
        yield from self._call_outputs(id, call.handle(message, now), now)

    def _call_outputs(self, id: CallId, outputs: list[layer3.Output], now: float) -> _Handled:
        for output in outputs:
            match output:
                case layer3.Say(message):
                    yield from self._say(message, now)
                case layer3.Answered(slots):
                    yield Answered(id, slots)
                case layer3.Ended(cause, by_peer):
                    self.calls.pop(id, None)
                    yield Ended(id, cause, "recorder" if by_peer else "pbx")

    def _tell(self, id: CallId, event: layer3.Event, now: float) -> _Handled:
        call = self.calls.get(id)
        if call is not None:
            yield from self._call_outputs(id, call.handle(event, now), now)

    def _say_status(self, call: Call, cause: int, diagnostics: bytes, now: float) -> _Handled:
        why = Cause(cause, self.dialect.location, diagnostics)
        state = CallStateElement(layer3.numbered(call.state, self.dialect))
        yield from self._say(compose(MessageType.STATUS, call.reference, why, state), now)

    # --- messages of no call, 5.8.3.2

    def _offer(self, setup: Message, faults: tuple[Fault, ...], now: float) -> _Handled:
        if setup.reference.to_origin:  # ours, and we know nothing of it
            return
        missing = next((fault for fault in faults if fault.kind is FaultKind.MISSING), None)
        if missing is not None:
            why = Cause(CauseValue.MANDATORY_ELEMENT_MISSING, self.dialect.location, bytes([missing.identifier]))
            yield from self._say(compose(MessageType.RELEASE_COMPLETE, setup.reference.answered(), why), now)
            return
        id = CallId(setup.reference.value, ours=False)
        yield from self._call_outputs(id, self._new(id).offer(setup, now), now)
        yield Offered(id, setup)

    def _nothing_to_end(self, message: Message, faults: tuple[Fault, ...], now: float) -> _Handled:
        return iter(())

    def _status_of_none(self, message: Message, faults: tuple[Fault, ...], now: float) -> _Handled:
        state = message.first(CallStateElement)
        if state is not None and state.value:
            yield from self._release_complete(message, CauseValue.MESSAGE_NOT_COMPATIBLE_WITH_STATE, now)

    def _unknown_reference(self, message: Message, faults: tuple[Fault, ...], now: float) -> _Handled:
        yield from self._release_complete(message, CauseValue.INVALID_CALL_REFERENCE, now)

    def _release_complete(self, message: Message, cause: int, now: float) -> _Handled:
        why = Cause(cause, self.dialect.location)
        yield from self._say(compose(MessageType.RELEASE_COMPLETE, message.reference.answered(), why), now)

    # --- RESTART, 5.5

    def _restart(self, slots: tuple[int, ...], now: float) -> _Handled:
        yield from self._end(self._touched(set(slots)), CauseValue.NORMAL_UNSPECIFIED, "pbx")
        if slots:
            self._to_restart.extend((ChannelIdentification((slot,)),) for slot in slots)
        else:
            self._to_restart.append(())
        if self._restarting is None:
            yield from self._restart_next(now)

    def _restart_next(self, now: float) -> _Handled:
        where = self._to_restart.popleft()
        kind = RestartClass.INDICATED_CHANNELS if where else RestartClass.SINGLE_INTERFACE
        reference = CallReference(0, length=self.reference_length)
        message = compose(MessageType.RESTART, reference, *where, RestartIndicator(kind))
        self._restarting = _Restarting(message, now + self.call_timers.t316)
        yield from self._say(message, now)

    def _restart_over(self, now: float, *, acknowledged: bool) -> _Handled:
        self._restarting = None
        if self._to_restart and acknowledged:
            yield from self._restart_next(now)
        else:
            self._to_restart.clear()
            yield Restarted(acknowledged)

    def _restart_due(self, now: float) -> _Handled:
        restarting = self._restarting
        if restarting is None or restarting.deadline > now:
            return
        if restarting.sent >= RESTARTS:
            yield from self._restart_over(now, acknowledged=False)
            return
        restarting.sent += 1
        restarting.deadline = now + self.call_timers.t316
        yield from self._say(restarting.message, now)

    def _global(self, message: Message, now: float) -> _Handled:
        if message.kind == MessageType.RESTART_ACKNOWLEDGE and self._restarting is not None:
            yield from self._restart_over(now, acknowledged=True)
        elif message.kind == MessageType.RESTART and not message.reference.to_origin:
            yield from self._restarted_by_peer(message, now)

    def _touched(self, slots: set[int]) -> set[CallId]:
        """Calls on these channels, all when none is named."""
        return {id for id, call in self.calls.items() if not slots or slots & set(call.slots)}

    def _restarted_by_peer(self, message: Message, now: float) -> _Handled:
        """5.5.2: what is said is said back."""
        channel = message.first(ChannelIdentification)
        slots = set(channel.channels) if channel else set()
        yield from self._end(self._touched(slots), CauseValue.NORMAL_UNSPECIFIED, "recorder")
        same = tuple(
            element for element in message.elements if isinstance(element, ChannelIdentification | RestartIndicator)
        )
        yield from self._say(compose(MessageType.RESTART_ACKNOWLEDGE, message.reference.answered(), *same), now)


_CLEARING = {MessageType.DISCONNECT, MessageType.RELEASE, MessageType.RELEASE_COMPLETE}

_WITHOUT_CALL: dict[int, Callable[[CallControl, Message, tuple[Fault, ...], float], _Handled]] = {
    MessageType.SETUP: CallControl._offer,
    MessageType.RELEASE_COMPLETE: CallControl._nothing_to_end,
    MessageType.STATUS: CallControl._status_of_none,
    MessageType.FACILITY: CallControl._nothing_to_end,  # Q.932: connectionless, not for us
}
