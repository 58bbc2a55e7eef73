"""RESTART, both ways: Q.931 5.5. Requests of ours go out one after the other.

The channels are idle when the event that asked for it has been handled, so T317 has nothing to guard.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from osrec.errors import UsageError
from osrec.isdn.channels import Channels
from osrec.isdn.messages import Output, RestartDone, RestartFailed, SendMessage, Trouble
from osrec.isdn.timers import Timer, Timers
from osrec.wire.q931.causes import CauseValue, Location, cause_name
from osrec.wire.q931.channel import ChannelIdentification, time_slot
from osrec.wire.q931.codec import compose
from osrec.wire.q931.elements import CallState, CallStateValue, Cause, RestartClass, RestartIndicator
from osrec.wire.q931.messages import GLOBAL, Message, MessageType, message_name
from osrec.wire.q931.registry import Element

_TRIES = 2  # 5.5.1: after two the channel is in maintenance condition


@dataclass(slots=True)
class _Pending:
    slots: tuple[int, ...]
    whole: bool  # the interface, not single channels
    patience: float | None  # seconds, None: what T316 allows
    tries: int = 0
    ends: float | None = None  # when the patience does

    def message(self) -> Message:
        if self.whole:
            return compose(MessageType.RESTART, GLOBAL, RestartIndicator(RestartClass.SINGLE_INTERFACE))
        (slot,) = self.slots
        return compose(MessageType.RESTART, GLOBAL, time_slot(slot), RestartIndicator())


class Restart:
    """The global call reference of one access.

    Attributes:
        due: when T316 or the owner's patience expires, None: no RESTART of ours is out.
        up: the data link is established; without it requests wait.
    """

    def __init__(
        self,
        channels: Channels,
        timers: Timers,
        location: Location,
        emit: Callable[[Output], None],
        idle: Callable[[tuple[int, ...]], None],
    ) -> None:
        """`idle` ends the calls that are on these slots, without a message."""
        self.due: float | None = None
        self.up = False
        self._channels = channels
        self._timers = timers
        self._location = location
        self._emit = emit
        self._idle = idle
        self._given_up = 0  # restarts that may be acknowledged yet
        self._queue: deque[_Pending] = deque()  # the first of them is out

    @property
    def state(self) -> CallStateValue:
        """REST 0 or REST 1; REST 2 is left within the event that enters it."""
        return CallStateValue.RESTART_REQUEST if self._queue else CallStateValue.NULL

    # --- ours

    def request(self, slots: tuple[int, ...] | None, now: float, patience: float | None = None) -> None:
        """None: the whole interface. Raises UsageError for a slot that is none of ours."""
        for slot in slots or ():
            if slot not in self._channels.slots:
                raise UsageError(f"restart of slot {slot}: B channels are {self._channels.slots} [Q.931 5.5]")
        begun = bool(self._queue)
        whole = slots is None
        asked = [self._channels.slots] if slots is None else [(slot,) for slot in slots]
        waiting = [pending.slots for pending in self._queue]
        self._queue.extend(_Pending(each, whole, patience) for each in asked if each not in waiting)
        for each in asked:
            self._channels.restart(each, pending=True)
            self._idle(each)
        if not begun:
            self._send(now)

    def link_up(self, now: float) -> None:
        """The data link is there, or was reset: what was out may be lost."""
        self.up = True
        if self._queue:
            self._queue[0].tries, self._queue[0].ends = 0, None
            self._send(now)

    def link_down(self) -> None:
        self.up = False
        self.due = None

    def expired(self, now: float) -> None:
        """T316, or the end of the owner's patience."""
        first = self._queue[0] if self._queue else None
        if first and (first.tries >= _TRIES or (first.ends is not None and first.ends <= now)):
            self._given_up += 1
            self._finish(now, done=False)
        else:
            self._send(now)

    def _send(self, now: float) -> None:
        self.due = None
        if self._queue and self.up:
            first = self._queue[0]
            first.tries += 1
            self._emit(SendMessage(first.message()))
            seconds = self._timers[Timer.T316]
            assert seconds is not None
            self.due = now + seconds
            if first.patience is not None:
                first.ends = now + first.patience if first.ends is None else first.ends
                self.due = min(self.due, first.ends)

    def _finish(self, now: float, *, done: bool) -> None:
        slots = self._queue.popleft().slots
        self._channels.restart(slots, pending=False)
        for pending in self._queue:
            self._channels.restart(pending.slots, pending=True)
        self._emit(RestartDone(slots, by_peer=False) if done else RestartFailed(slots))
        self._send(now)

    # --- what the peer sends with the global call reference

    def received(self, message: Message, now: float) -> None:
        match message.kind:
            case MessageType.RESTART if not message.reference.to_origin:
                self._restarted(message)
            case MessageType.RESTART_ACKNOWLEDGE if self._queue and message.reference.to_origin:
                self._acknowledged(message, now)
            case MessageType.RESTART_ACKNOWLEDGE if self._given_up and message.reference.to_origin:
                self._given_up -= 1
                self._emit(Trouble("RESTART ACKNOWLEDGE, too late for a RESTART that was given up [Q.931 5.5.1]"))
            case MessageType.STATUS:
                self._status(message, now)
            case _:
                self._emit(Trouble(f"{message_name(message.kind)} with the global call reference [Q.931 5.8.3.2 f)]"))
                self._complain(message, CauseValue.INVALID_CALL_REFERENCE)

    def _restarted(self, message: Message) -> None:
        said = message.first(ChannelIdentification)
        indicator = message.first(RestartIndicator)
        assert indicator is not None  # mandatory: judged before
        single = indicator.restart == RestartClass.INDICATED_CHANNELS
        if single and (said is None or not said.channels):
            self._complain(message, CauseValue.MANDATORY_ELEMENT_MISSING)
            return
        slots = self._channels.slots
        if single and said is not None:
            slots = tuple(slot for slot in slots if slot in said.channels)
        if not slots:
            self._complain(message, CauseValue.CHANNEL_DOES_NOT_EXIST)
            return
        self._idle(slots)
        elements: tuple[Element, ...] = (indicator,)
        if single and said is not None:
            elements = indicator, replace(said, channels=slots)  # those that are idle now, 5.5.2
        self._emit(SendMessage(compose(MessageType.RESTART_ACKNOWLEDGE, message.reference.answered(), *elements)))
        self._emit(RestartDone(slots, by_peer=True))

    def _acknowledged(self, message: Message, now: float) -> None:
        """It may leave channels out that the peer could not restart, 5.5.2: ours name one each."""
        pending, said = self._queue[0], message.first(ChannelIdentification)
        if not pending.whole and said is not None and pending.slots[0] not in said.channels:
            self._emit(Trouble(f"RESTART ACKNOWLEDGE of {said.channels}, asked for {pending.slots} [Q.931 5.5.1]"))
            return
        self._finish(now, done=True)

    def _status(self, message: Message, now: float) -> None:
        """A peer that does not know RESTART, or not this channel, says so: there is nothing to wait for."""
        cause = message.first(Cause)
        said = f"{cause.value}, {cause_name(cause.value)}" if cause else "no cause"
        self._emit(Trouble(f"STATUS with the global call reference: {said}"))
        if self._queue and message.reference.to_origin:
            self._finish(now, done=False)

    def _complain(self, message: Message, value: CauseValue) -> None:
        cause, state = Cause(value, self._location), CallState(self.state)
        self._emit(SendMessage(compose(MessageType.STATUS, message.reference.answered(), cause, state)))
