"""One time slot with channel associated signalling: the PBX seizes it, we answer. Events in, outputs out; no I/O."""

from dataclasses import dataclass
from enum import Enum

from osrec.cas.settings import CasConfig


class State(Enum):
    """What the PBX's codes have brought the slot to."""

    UNKNOWN = "unknown"  # nothing has been seen of it yet
    IDLE = "idle"
    BLOCKED = "blocked"  # the PBX does not use it
    SEIZED = "seized"  # it has a call there, and we have not answered yet
    ANSWERED = "answered"
    CLEARING = "clearing"  # we want the call ended, or it never went idle after we came


# --- events


@dataclass(frozen=True, slots=True)
class CodeSeen:
    """The PBX sends these abcd bits from now on."""

    abcd: int


@dataclass(frozen=True, slots=True)
class MultiframeLost:
    """Nobody knows what the PBX sends."""


@dataclass(frozen=True, slots=True)
class MultiframeFound:
    """What it sends will be seen; what it sent before the loss counts until then."""


@dataclass(frozen=True, slots=True)
class Clear:
    """The recorder wants the call ended."""


@dataclass(frozen=True, slots=True)
class TimerExpired:
    """The deadline was reached."""


Event = CodeSeen | MultiframeLost | MultiframeFound | Clear | TimerExpired

# --- outputs


@dataclass(frozen=True, slots=True)
class SendCode:
    """Send these abcd bits from now on."""

    abcd: int


@dataclass(frozen=True, slots=True)
class Answered:
    """The PBX's call on the slot is through."""


@dataclass(frozen=True, slots=True)
class Over:
    """The call that was answered is over; `why` is for people."""

    why: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """To log."""

    text: str


Output = SendCode | Answered | Over | Trouble


class CasSlot:
    """The machine of one slot.

    Args:
        answered: an earlier run of ours had answered a call there.

    Attributes:
        state: where it is.
    """

    def __init__(self, config: CasConfig, *, answered: bool = False) -> None:
        self.state = State.ANSWERED if answered else State.UNKNOWN
        self._config = config
        self._seen: int | None = None  # the code that stands on the line
        self._counts_at: float | None = None  # when it has stood long enough
        self._due: float | None = None  # of the state
        self._lost_at: float | None = None  # when a lost multiframe ends the call

    @property
    def deadline(self) -> float | None:
        """When to call handle(TimerExpired(), now)."""
        return min((due for due in (self._counts_at, self._due, self._lost_at) if due is not None), default=None)

    def handle(self, event: Event, now: float) -> list[Output]:
        match event:
            case CodeSeen(abcd):
                return self._code(abcd, now)
            case MultiframeLost():
                return self._lost(now)
            case MultiframeFound():
                self._lost_at = None
                return []
            case Clear():
                return self._clear(now)
            case TimerExpired():
                return self._expired(now)

    # --- what comes

    def _code(self, abcd: int, now: float) -> list[Output]:
        self._lost_at = None
        if abcd == self._seen:  # told twice: it stands since the first time
            return []
        self._seen, self._counts_at = abcd, now + self._config.recognition
        return self._expired(now)

    def _lost(self, now: float) -> list[Output]:
        """What ran goes on, G.732 4.2."""
        self._seen = self._counts_at = None
        if self._lost_at is None:
            self._lost_at = now + self._config.loss_patience
        return []

    def _expired(self, now: float) -> list[Output]:
        outputs: list[Output] = []
        if self._counts_at is not None and self._counts_at <= now:
            self._counts_at = None
            outputs += self._recognised(now)
        if self._due is not None and self._due <= now:
            self._due = None
            outputs += self._state_due(now)
        if self._lost_at is not None and self._lost_at <= now:
            self._lost_at = None
            outputs += self._ended("its CAS multiframe stayed lost")
        return outputs

    def _recognised(self, now: float) -> list[Output]:
        """A code has stood for long enough."""
        config, seen = self._config, self._seen
        if seen == config.their_seize:
            return self._seized(now)
        if seen == config.their_idle:
            return self._ended("the PBX cleared it")
        if seen == config.their_block:
            outputs = self._ended("the PBX blocked its slot")
            self.state = State.BLOCKED
            return outputs
        return [Trouble(f"abcd {seen:04b} is no code of this trunk: check the codes in [lines.cas]")]

    def _seized(self, now: float) -> list[Output]:
        if self.state in (State.SEIZED, State.ANSWERED, State.CLEARING):
            return []
        self.state, self._due = State.SEIZED, now + self._config.answer_after
        acknowledge: list[Output] = [] if self._config.our_ack is None else [SendCode(self._config.our_ack)]
        return [*acknowledge, *(self._expired(now) if self._due <= now else [])]

    def _ended(self, why: str) -> list[Output]:
        before, self.state, self._due = self.state, State.IDLE, None
        if before in (State.IDLE, State.BLOCKED):
            return []
        outputs: list[Output] = [SendCode(self._config.our_idle)]
        return [*outputs, Over(why)] if before is State.ANSWERED else outputs

    # --- what we do

    def _clear(self, now: float) -> list[Output]:
        if self.state not in (State.SEIZED, State.ANSWERED):
            return []
        before, self.state = self.state, State.CLEARING
        self._due = now + self._config.clear_patience
        over: list[Output] = [Over("we cleared it")] if before is State.ANSWERED else []
        return [SendCode(self._config.our_clear), *over]

    def _state_due(self, now: float) -> list[Output]:
        if self.state is State.SEIZED:
            self.state = State.ANSWERED
            return [SendCode(self._config.our_answer), Answered()]
        if self.state is State.CLEARING:
            self._due = now + self._config.clear_patience
            return [Trouble(f"the PBX has not ended a call that we cleared {self._config.clear_patience:g} s ago")]
        return []
