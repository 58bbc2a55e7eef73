"""One time slot of a DIUT2: seized, answered and cleared by its four signalling bits, in time slot 16.

The bits mean what the two ends agreed on: no public text says which codes a recorder trunk uses, so all are settings.
The defaults are those of the digital version of R2 line signalling (Q.421), where c and d are 0 and 1.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto

from osrec.wire.q931.causes import CauseValue


@dataclass(frozen=True, slots=True)
class Codes:
    """abcd, a being 8.

    Attributes:
        idle: nothing on the slot, said by both; the caller clears with it, the called side is then free again.
        seize: of the caller.
        acknowledge, answer, clear_back: of the called side; `clear_back`: it hung up.
        blocked: the slot may not be seized.
    """

    idle: int = 0b1001
    seize: int = 0b0001
    acknowledge: int = 0b1101
    answer: int = 0b0101
    clear_back: int = 0b1101
    blocked: int = 0b1101


@dataclass(frozen=True, slots=True)
class ChannelTimers:
    """Seconds.

    Attributes:
        acknowledge: to the acknowledgement of a seizure; None: there is none, the answer comes at once.
        answer: from there to the answer.
        release: to idle after clearing; then the slot is taken for free all the same.
    """

    acknowledge: float | None = 1.0
    answer: float = 60.0
    release: float = 5.0


class ChannelState(Enum):
    """Where a time slot stands."""

    IDLE = auto()
    SEIZED = auto()  # by us; not acknowledged
    ACKNOWLEDGED = auto()
    TAKEN = auto()  # by them; we acknowledged
    ANSWERED = auto()
    CLEARED = auto()  # by us; they are not idle yet
    BLOCKED = auto()  # by them


# --- events: what the PBX wants, what the bits say


@dataclass(frozen=True, slots=True)
class Seize:
    """Call on this slot."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Take their call."""


@dataclass(frozen=True, slots=True)
class Clear:
    """Hang up."""


@dataclass(frozen=True, slots=True)
class Signalled:
    """Their bits are now these."""

    abcd: int


@dataclass(frozen=True, slots=True)
class Due:
    """The slot's timer has run down."""


# --- outputs


@dataclass(frozen=True, slots=True)
class Say:
    """Our bits from now on."""

    abcd: int


@dataclass(frozen=True, slots=True)
class Offered:
    """They seized the slot."""


@dataclass(frozen=True, slots=True)
class Connected:
    """The call is answered, by whichever side."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The call is over: `by_peer`: they hung up, or did not answer."""

    cause: int
    by_peer: bool


Event = Seize | Answer | Clear | Signalled | Due
Output = Say | Offered | Connected | Ended
_Handled = Iterator[Output]


class Channel:
    """One time slot.

    Attributes:
        state: where it stands.
        ours: whether we seized it.
        deadline: when to call handle(Due(), now); None: no timer runs.
    """

    def __init__(self, codes: Codes, timers: ChannelTimers) -> None:
        self.state = ChannelState.IDLE
        self.ours = False
        self.deadline: float | None = None
        self._codes = codes
        self._timers = timers
        self._heard: int | None = None

    @property
    def free(self) -> bool:
        return self.state is ChannelState.IDLE

    def handle(self, event: Event, now: float) -> list[Output]:
        """Advance by one event; what fits no state is passed over. A peer can never make it raise."""
        match event:
            case Seize() if self.state is ChannelState.IDLE:
                outputs = self._seize(now)
            case Answer() if self.state is ChannelState.TAKEN:
                outputs = self._answer()
            case Clear() if self.state not in (ChannelState.IDLE, ChannelState.CLEARED, ChannelState.BLOCKED):
                outputs = self._clear(CauseValue.NORMAL_CALL_CLEARING, now, by_peer=False)
            case Signalled(abcd):
                self._heard = abcd
                outputs = _HEARD[self.state](self, abcd, now)
            case Due():
                self.deadline = None
                outputs = self._due(now)
            case _:
                outputs = iter(())
        return list(outputs)

    def _enter(self, state: ChannelState, deadline: float | None = None) -> None:
        self.state, self.deadline = state, deadline

    def _seize(self, now: float) -> _Handled:
        self.ours = True
        yield Say(self._codes.seize)
        if self._timers.acknowledge is None:
            self._enter(ChannelState.ACKNOWLEDGED, now + self._timers.answer)
        else:
            self._enter(ChannelState.SEIZED, now + self._timers.acknowledge)

    def _answer(self) -> _Handled:
        self._enter(ChannelState.ANSWERED)
        yield Say(self._codes.answer)
        yield Connected()

    def _clear(self, cause: int, now: float, *, by_peer: bool) -> _Handled:
        """The caller goes idle; the called side hangs up and goes idle once the caller has."""
        self._enter(ChannelState.CLEARED, now + self._timers.release)
        yield Say(self._codes.idle if self.ours else self._codes.clear_back)
        yield Ended(cause, by_peer)
        if self._heard == self._codes.idle:
            yield from self._went_idle()

    def _went_idle(self) -> _Handled:
        self._enter(ChannelState.IDLE)
        if not self.ours:
            yield Say(self._codes.idle)
        self.ours = False

    def _due(self, now: float) -> _Handled:
        match self.state:
            case ChannelState.SEIZED:
                yield from self._clear(CauseValue.RECOVERY_ON_TIMER_EXPIRY, now, by_peer=False)
            case ChannelState.ACKNOWLEDGED:
                yield from self._clear(CauseValue.NO_ANSWER, now, by_peer=False)
            case ChannelState.CLEARED:
                yield from self._went_idle()

    # --- their bits, by our state

    def _heard_idle_state(self, abcd: int, now: float) -> _Handled:
        if abcd == self._codes.seize:
            self.ours = False
            acknowledged = self._timers.acknowledge is not None
            self._enter(ChannelState.TAKEN)
            if acknowledged:
                yield Say(self._codes.acknowledge)
            yield Offered()
        elif abcd == self._codes.blocked:
            self._enter(ChannelState.BLOCKED)

    def _heard_seized(self, abcd: int, now: float) -> _Handled:
        """Both sides seizing at once is told from an acknowledgement by the bits: then ours is let go."""
        if abcd == self._codes.answer:
            yield from self._was_answered()
        elif abcd == self._codes.acknowledge:
            self._enter(ChannelState.ACKNOWLEDGED, now + self._timers.answer)
        elif abcd == self._codes.seize:
            yield from self._clear(CauseValue.REQUESTED_CHANNEL_NOT_AVAILABLE, now, by_peer=True)

    def _heard_acknowledged(self, abcd: int, now: float) -> _Handled:
        if abcd == self._codes.answer:
            yield from self._was_answered()
        elif abcd == self._codes.seize:
            yield from self._clear(CauseValue.REQUESTED_CHANNEL_NOT_AVAILABLE, now, by_peer=True)
        elif abcd == self._codes.idle and self._timers.acknowledge is not None:
            yield from self._clear(CauseValue.CALL_REJECTED, now, by_peer=True)

    def _was_answered(self) -> _Handled:
        self._enter(ChannelState.ANSWERED)
        yield Connected()

    def _heard_taken(self, abcd: int, now: float) -> _Handled:
        if abcd == self._codes.idle:
            yield Ended(CauseValue.NORMAL_CALL_CLEARING, by_peer=True)
            yield from self._went_idle()

    def _heard_answered(self, abcd: int, now: float) -> _Handled:
        if not self.ours:
            yield from self._heard_taken(abcd, now)
        elif abcd != self._codes.answer:  # clear back, blocked, or simply idle
            yield from self._clear(CauseValue.NORMAL_CALL_CLEARING, now, by_peer=True)

    def _heard_cleared(self, abcd: int, now: float) -> _Handled:
        if abcd == self._codes.idle:
            yield from self._went_idle()

    def _heard_blocked(self, abcd: int, now: float) -> _Handled:
        if abcd != self._codes.blocked:
            self._enter(ChannelState.IDLE)
            yield from self._heard_idle_state(abcd, now)


_HEARD: dict[ChannelState, Callable[[Channel, int, float], _Handled]] = {
    ChannelState.IDLE: Channel._heard_idle_state,
    ChannelState.SEIZED: Channel._heard_seized,
    ChannelState.ACKNOWLEDGED: Channel._heard_acknowledged,
    ChannelState.TAKEN: Channel._heard_taken,
    ChannelState.ANSWERED: Channel._heard_answered,
    ChannelState.CLEARED: Channel._heard_cleared,
    ChannelState.BLOCKED: Channel._heard_blocked,
}
