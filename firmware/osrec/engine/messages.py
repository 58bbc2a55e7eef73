"""What goes into the engine and what comes out of it, besides the CSTA link's own outputs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from osrec.calls.conversation import Conversation
from osrec.engine.alarms import AlarmCleared, AlarmRaised
from osrec.engine.pool import Pair
from osrec.engine.rules import RuleSet
from osrec.store import records
from osrec.wire.csta.model import Argument

# --- in


@dataclass(frozen=True, slots=True)
class PairHeard:
    """What was on a leased pair since the last look.

    Attributes:
        own, other: level in dBm0, -inf for silence.
        own_idle, other_idle: nothing but idle code on that slot.
        same: both slots carried the same octets, and they were not idle.
    """

    own: float
    other: float
    own_idle: bool
    other_idle: bool
    same: bool

    @property
    def idle(self) -> bool:
        """Nothing but idle code on both slots."""
        return self.own_idle and self.other_idle


@dataclass(frozen=True, slots=True)
class Heard:
    """A look at the lines: every running pair, which lines cannot be used now, and what came where no call is."""

    pairs: Mapping[Pair, PairHeard]
    lines_down: frozenset[str]
    strays: tuple[records.Stray, ...] = ()


@dataclass(frozen=True, slots=True)
class JournalChanged:
    """The journal tells whether a new recording may begin."""

    accepts_new: bool


@dataclass(frozen=True, slots=True)
class OpenRefused:
    """The journal would not take a recording that Open asked for."""

    recording: UUID
    reason: str


@dataclass(frozen=True, slots=True)
class Restore:
    """A conversation that an earlier run of the recorder followed, and what is known of it.

    Attributes:
        seen: when it was seen last, monotonic; seen_at: the same by the wall clock.
    """

    going: records.Going
    conversation: Conversation
    seen: float
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class TakenOver:
    """All that an earlier run left has been restored or adopted."""


@dataclass(frozen=True, slots=True)
class Adopt:
    """A recording that an earlier run of the recorder had begun and that goes on.

    Attributes:
        carrier: the time slots that its audio is on, where signalling put it on others than the pair's own.
        kept: somebody had asked for it, if it is provisional.
        paused: it was paused, and still is.
    """

    opened: records.Opened
    pair: Pair
    conversation: Conversation
    carrier: Pair | None = None
    kept: bool = False
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Started:
    """The recorder begins.

    Attributes:
        last_alive: the last sign of life of the run before, None when there was none.
        unlinked: since when that had no link, as far as it was not written yet; None: it had one.
        unwatched: stations that it did not watch, the same.
    """

    last_alive: datetime | None
    unlinked: datetime | None = None
    unwatched: tuple[records.Unwatched, ...] = ()


@dataclass(frozen=True, slots=True)
class Seized:
    """On a line with signalling a call of the PBX to one of our ports is through, on this time slot."""

    line: str
    slot: int
    port: str


@dataclass(frozen=True, slots=True)
class Released:
    """That call is over; `why` is for people."""

    line: str
    slot: int
    port: str
    why: str


@dataclass(frozen=True, slots=True)
class SignallingChanged:
    """The signalling of a line works, or does not: then no call can be put on it. `why` is for people."""

    line: str
    up: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class Stopping:
    """The recorder ends: what is not written down yet must be now."""


@dataclass(frozen=True, slots=True)
class TimerExpired:
    """The engine's deadline has come."""


@dataclass(frozen=True, slots=True)
class RulesChanged:
    """New rules; they decide what is decided from now on."""

    rules: RuleSet


class Demand(Enum):
    """What somebody may ask of a running call."""

    START = "start"  # on demand: keep from now on
    STOP = "stop"  # on demand: keep no more from now on
    KEEP = "keep"  # on demand: keep it from its beginning
    KEEP_LAST = "keep-last"  # on demand: keep from so many seconds ago on
    PAUSE = "pause"
    RESUME = "resume"


@dataclass(frozen=True, slots=True)
class Demanded:
    """Somebody asks something of a running call.

    Attributes:
        target: number of its station, or id of its recording.
        seconds: for KEEP_LAST.
        by: who asks, for the time line.
    """

    target: str
    what: Demand
    by: str
    seconds: float | None = None


Event = (
    Heard
    | JournalChanged
    | OpenRefused
    | Seized
    | Released
    | SignallingChanged
    | Started
    | Restore
    | Adopt
    | TakenOver
    | Stopping
    | TimerExpired
    | RulesChanged
    | Demanded
)

# --- out


@dataclass(frozen=True, slots=True)
class Request:
    """Ask the PBX; the link answers with ServiceAnswered(token)."""

    token: Any
    argument: Argument


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the PBX's call on a time slot: nothing that we record is on it any more."""

    line: str
    slot: int
    why: str


@dataclass(frozen=True, slots=True)
class Listen:
    """From here on the pair's audio may belong to the recording: note where the line stands.

    A second time: only now, but as far back as the first time, something came.

    `reach_back`: what the pre-roll holds may belong to it, too.
    `since`: from then on (monotonic) all that is in the line's memory belongs to it, whatever came before.
    """

    recording: UUID
    pair: Pair
    reach_back: bool
    since: float | None = None


@dataclass(frozen=True, slots=True)
class Open:
    """The recording begins, where Listen noted and with what the pre-roll still holds."""

    recording: UUID
    conversation: UUID
    station: str
    pair: Pair
    direction: records.Direction
    parties: list[records.Party]
    calls: list[str]
    decision: records.Decision
    provisional: bool = False
    via: list[str] = field(default_factory=list)
    parked_by: str | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """From `now` on the recording keeps its time line and no audio."""

    recording: UUID
    now: float


@dataclass(frozen=True, slots=True)
class Resume:
    """From `now` on the recording has audio again."""

    recording: UUID
    now: float


@dataclass(frozen=True, slots=True)
class Keep:
    """A provisional recording is kept, from `since` (monotonic) on, None: from its beginning."""

    recording: UUID
    since: float | None
    by: str


@dataclass(frozen=True, slots=True)
class Wipe:
    """Nothing of the recording since `since` (monotonic), nor of what its slots carried, may be kept anywhere.

    `until`: from then on the slots are somebody else's; None: what is on its way is wiped, too.
    """

    recording: UUID
    line: str
    slots: tuple[int, ...]
    since: float
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Cut:
    """From `now` (monotonic) on the recording's time slots are not its own any more, whenever it ends."""

    recording: UUID
    now: float


@dataclass(frozen=True, slots=True)
class Noted:
    """A record for the journal that belongs to no recording: Blind, Unwatched, Stray, Going."""

    record: records.Blind | records.Unwatched | records.Stray | records.Going


@dataclass(frozen=True, slots=True)
class Replied:
    """Answer to Demanded: the recordings that it was about; `error` says what is wrong with what was asked."""

    recordings: tuple[UUID, ...]
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Remark:
    """Something for the time line of a recording, at `now` by the monotonic clock; the rest when it changed."""

    recording: UUID
    now: float
    at: datetime
    kind: str
    cause: str | None
    detail: dict[str, str]
    parties: list[records.Party] | None = None
    direction: records.Direction | None = None
    calls: list[str] | None = None
    via: list[str] | None = None
    parked_by: str | None = None
    conversation: UUID | None = None


@dataclass(frozen=True, slots=True)
class Finish:
    """The recording ends at `when`, when what is still on its way has come in, or did, some time ago."""

    recording: UUID
    when: float
    reason: str


@dataclass(frozen=True, slots=True)
class Forget:
    """The recording never began: Listen is void."""

    recording: UUID


@dataclass(frozen=True, slots=True)
class Concluded:
    """A conversation is over."""

    record: records.ConversationEnded


Output = (
    Request
    | HangUp
    | Listen
    | Open
    | Remark
    | Pause
    | Resume
    | Keep
    | Wipe
    | Cut
    | Noted
    | Replied
    | Finish
    | Forget
    | Concluded
    | AlarmRaised
    | AlarmCleared
)
