"""What goes into the engine and what comes out of it, besides the CSTA link's own outputs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from osrec.calls.conversation import Conversation
from osrec.engine.alarms import AlarmCleared, AlarmRaised
from osrec.engine.pool import Pair
from osrec.store import records
from osrec.wire.csta.model import Argument

# --- in


@dataclass(frozen=True, slots=True)
class PairHeard:
    """What was on a leased pair since the last look.

    Attributes:
        own, other: level in dBm0, -inf for silence.
        idle: nothing but idle code on both slots.
        same: both slots carried the same octets, and they were not idle.
    """

    own: float
    other: float
    idle: bool
    same: bool


@dataclass(frozen=True, slots=True)
class Heard:
    """A look at the lines: every leased pair, and which lines cannot be used now."""

    pairs: Mapping[Pair, PairHeard]
    lines_down: frozenset[str]


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
class Adopt:
    """A recording that an earlier run of the recorder had begun and that goes on."""

    opened: records.Opened
    pair: Pair
    conversation: Conversation


@dataclass(frozen=True, slots=True)
class TimerExpired:
    """The engine's deadline has come."""


Event = Heard | JournalChanged | OpenRefused | Adopt | TimerExpired

# --- out


@dataclass(frozen=True, slots=True)
class Request:
    """Ask the PBX; the link answers with ServiceAnswered(token)."""

    token: Any
    argument: Argument


@dataclass(frozen=True, slots=True)
class Listen:
    """From here on the pair's audio may belong to the recording: note where the line stands.

    `reach_back`: what the pre-roll holds may belong to it, too.
    """

    recording: UUID
    pair: Pair
    reach_back: bool


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
    conversation: UUID | None = None


@dataclass(frozen=True, slots=True)
class Finish:
    """The recording ends at `when`, when what is still on its way has come in; then its pair is free."""

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


Output = Request | Listen | Open | Remark | Finish | Forget | Concluded | AlarmRaised | AlarmCleared
