"""What the recorder tells the journal about a recording besides its audio; the keeper makes index and sidecar of it.

Each record is one JSON object in a journal block. They are versioned by `docs/journal.md`; members are only added.
"""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

Direction = Literal["in", "out", "internal", "unknown"]
Action = Literal["record", "never", "on_demand", "none"]
Blame = Literal[  # why a talking station was not recorded
    "no_pair",
    "preempted",
    "fork_refused",
    "fork_lost",
    "link_down",
    "line_alarm",
    "licence",
    "monitor",
    "journal_full",
    "requested_late",
]


class Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Party(Record):
    """A participant; `number` is None when the PBX did not tell it."""

    number: str | None
    name: str | None = None
    external: bool = False
    e164: str | None = None  # the number in the form +49..., None when it could not be brought into it
    recorded: bool = False  # the monitored station whose audio this recording is


class Channel(Record):
    """One direction of audio at one input."""

    side: Literal["left", "right"]  # left: the monitored station's own voice
    line: str
    slot: int
    port: str  # the number that the PBX knows the slot by
    reference: int | None = None  # of the PBX's call to it on the D channel, where the line has one


class Decision(Record):
    """Why a conversation is recorded, or is not."""

    action: Action  # none: no rule matched
    rule: str | None
    version: str  # of the rule set
    facts: dict[str, str] = {}
    trace: list[str] = []  # one line a rule looked at
    priority: int = 0  # a higher one may take the pair of a lower one


class Clock(Record):
    """The system clock when the recording began."""

    source: str
    synchronised: bool | None
    offset_us: int | None = None
    uncertainty_us: int | None = None
    line_ppm: float | None = None


class TimelineEvent(Record):
    """Something that happened in a recording; `sample` counts on the line, as in the journal."""

    at: datetime
    sample: int | None
    kind: str  # held, retrieved, transferred, conferenced, ..., alarm, fork
    cause: str | None = None
    detail: dict[str, str] = {}


class Opened(Record):
    kind: Literal["opened"] = "opened"
    recording: UUID
    conversation: UUID
    station: str
    at: datetime  # when the first sample was on the line
    first_sample: int
    channels: tuple[Channel, Channel]
    codec: Literal["alaw", "ulaw"] = "alaw"
    direction: Direction
    parties: list[Party]
    calls: list[str] = []  # PBX call ids, hex
    via: list[str] = []  # queues, groups and forwarding stations through which the call came
    parked_by: str | None = None
    decision: Decision
    clock: Clock
    provisional: bool = False  # on demand: thrown away unless a Kept follows


class Kept(Record):
    """Somebody asked for an on-demand recording: it is kept from `first_sample` on, None: from its beginning."""

    kind: Literal["kept"] = "kept"
    recording: UUID
    at: datetime
    first_sample: int | None = None
    by: str  # who asked


class Note(Record):
    """An event on the time line; the members that Opened has too, when they changed."""

    kind: Literal["note"] = "note"
    recording: UUID
    event: TimelineEvent
    parties: list[Party] | None = None
    direction: Direction | None = None
    calls: list[str] | None = None
    via: list[str] | None = None
    parked_by: str | None = None
    conversation: UUID | None = None  # a transfer or conference joined two conversations
    paused: bool | None = None  # from the event's sample on the recording has no audio, or has it again


class Closed(Record):
    """The recording ended before `last_sample` (one past its last sample)."""

    kind: Literal["closed"] = "closed"
    recording: UUID
    at: datetime
    last_sample: int
    reason: str


class Erased(Record):
    """Nothing of a recording from `first_sample` on may be kept: what the journal has of it is overwritten."""

    kind: Literal["erased"] = "erased"
    recording: UUID
    at: datetime
    first_sample: int
    cause: Literal["never"] = "never"


class Missed(Record):
    """A station talked, should have been recorded, and was not."""

    station: str
    since: datetime
    until: datetime
    blame: Blame
    detail: str | None = None


class ConversationEnded(Record):
    """A conversation of a monitored station is over: recorded, or why not."""

    kind: Literal["conversation"] = "conversation"
    conversation: UUID
    started: datetime
    answered: datetime | None
    ended: datetime
    direction: Direction
    stations: list[str]
    parties: list[Party]
    calls: list[str]
    decision: Decision
    recordings: list[UUID]
    outcome: Literal["recorded", "not_recorded"]
    reason: str | None = None  # why not
    missed: list[Missed] = []
    accounts: list[str] = []  # account codes that were dialled
    digits: str = ""  # DTMF digits in the order they came
    trunks: list[str] = []  # that it came or went over, as the PBX names them
    via: list[str] = []  # queues, groups and forwarding stations through which it came, in order
    parked_by: str | None = None  # who parked it last


class Uncovered(Record):
    """A station talks, should be recorded and is not, since then; `blame` None: its fork is being set up."""

    station: str
    since: datetime
    blame: Blame | None
    detail: str | None = None


class CallNow(Record):
    """A PBX call that is part of a conversation now: who is in it, and in which state."""

    id: str  # hex
    legs: dict[str, str]  # local connection state by device, in lower case
    linkage: str | None = None  # the call linkage's global call id, hex
    thread: str | None = None  # and its thread


class Going(Record):
    """A conversation that goes on, as it stands: what the next run of the recorder needs when this one is killed.

    The first record of a conversation, and those that a segment begins with, have all members; any other one has those
    that changed (`osrec.store.going` puts them together). Of `missed` it has what is new.
    """

    kind: Literal["going"] = "going"
    conversation: UUID
    started: datetime | None = None
    answered: datetime | None = None
    over: datetime | None = None  # since then nobody monitored is in it
    patience: float = 0.0  # seconds for which it waits then for somebody to come back to it
    unseen_since: datetime | None = None  # what became of it since then, no snapshot has told yet
    unseen: dict[str, datetime] = {}  # the same of single stations; somebody else may have been seen in it since
    direction: Direction = "unknown"
    stations: list[str] = []
    parties: list[Party] = []
    calls: list[str] = []
    legs: list[CallNow] = []
    decision: Decision | None = None
    recorded_by: Decision | None = None  # of its first recording, where that is another one
    recordings: list[UUID] = []  # that are kept, running or not
    offered: bool = False  # a recording that nobody had asked to keep has run
    keeping: str | None = None  # who asked to keep what is recorded on demand
    paused: str | None = None  # who paused it
    stopped_by: str | None = None  # the rule that stopped a recording in mid-call
    missed: list[Missed] = []
    uncovered: list[Uncovered] = []
    accounts: list[str] = []
    digits: str = ""
    trunks: list[str] = []
    via: list[str] = []
    parked_by: str | None = None
    merged_into: UUID | None = None  # it turned out to be part of that one, and is none of its own any more


class Blind(Record):
    """A station was not watched: calls that it may have had were not seen. `station` None: all of them."""

    kind: Literal["blind"] = "blind"
    station: str | None
    since: datetime
    until: datetime
    blame: Blame
    detail: str | None = None


class Unwatched(Record):
    """Single stations are not watched since then, which the ledger does not have yet; `since` None: they are again."""

    kind: Literal["unwatched"] = "unwatched"
    stations: list[str]
    since: datetime | None = None
    blame: Blame = "link_down"
    detail: str | None = None


class Stray(Record):
    """A slot carried speech although no conversation was on it."""

    kind: Literal["stray"] = "stray"
    line: str
    slot: int
    since: datetime
    until: datetime
    speech_seconds: float


class Dropped(Record):
    """What the keeper made no file of although the journal had it: `cause` is why it must not be kept.

    `since` and `until` are of the audio that was dropped; it may be all of the recording or a part.
    """

    kind: Literal["dropped"] = "dropped"
    recording: UUID
    conversation: UUID
    station: str
    since: datetime
    until: datetime
    cause: Literal["not_kept", "never"]
    whole: bool  # nothing of the recording was kept


class LineAnchor(Record):
    """Where a line's sample numbers stand; the next run of the recorder goes on from the newest one.

    `unlinked`: since when there has been no CSTA link, as far as the ledger does not have it yet; None: there is one.
    """

    kind: Literal["anchor"] = "anchor"
    line: str
    sample: int
    sequence: int
    monotonic_ns: int
    boot_id: str
    at: datetime
    unlinked: datetime | None = None


class RunStarted(Record):
    """A recorder process began to write."""

    kind: Literal["run"] = "run"
    run: UUID
    at: datetime
    boot_id: str
    version: str


AnyRecord = Annotated[
    Opened
    | Kept
    | Erased
    | Note
    | Closed
    | Going
    | ConversationEnded
    | Blind
    | Unwatched
    | Stray
    | Dropped
    | LineAnchor
    | RunStarted,
    Field(discriminator="kind"),
]
