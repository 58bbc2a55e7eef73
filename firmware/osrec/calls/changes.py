"""What the tracker tells: one value for each thing that really changed."""

from dataclasses import dataclass

from osrec.calls.conversation import Conversation
from osrec.wire.csta.model import ConnectionId


@dataclass(frozen=True, slots=True)
class Began:
    """A conversation of a monitored station was seen for the first time."""

    conversation: Conversation


@dataclass(frozen=True, slots=True)
class Happened:
    """A step of the conversation, for its time line and for whoever must act on its new state.

    Attributes:
        kind: "delivered", "established", "held", ... as ECMA-269 names the event, in lower case.
        device: whose connection changed, None when the PBX did not say.
        cause: name of the EventCause.
        detail: what else is worth keeping, as text.
    """

    conversation: Conversation
    kind: str
    device: str | None
    cause: str | None
    detail: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Restated:
    """Connections are otherwise than thought so far, or more is known of the parties; no step for the time line."""

    conversation: Conversation


@dataclass(frozen=True, slots=True)
class Merged:
    """`gone` turned out to be part of `conversation` (a transfer or conference joined them)."""

    conversation: Conversation
    gone: Conversation


@dataclass(frozen=True, slots=True)
class PortDropped:
    """The PBX took one of the recorder's own ports out of a call; `dynamic`: id of its connection, when it has one."""

    port: str
    call_id: bytes
    dynamic: bytes | None = None


@dataclass(frozen=True, slots=True)
class PortMoved:
    """The PBX took one of the recorder's own ports over into another call, with the station that it carries.

    `dynamic`: id of its connection there, when it has one.
    """

    port: str
    call_id: bytes
    dynamic: bytes | None = None


@dataclass(frozen=True, slots=True)
class Unclear:
    """Who is in a call, or how, no event told; SnapshotCall of `connection` would, and `Tracker.found` takes it.

    Comes once for whatever made it unclear. `station`: the monitored one whose connection it is.
    """

    conversation: Conversation
    station: str
    connection: ConnectionId


@dataclass(frozen=True, slots=True)
class Ended:
    """The last monitored station has left the conversation: at `when`, which may be some seconds ago."""

    conversation: Conversation
    cause: str | None
    when: float


Change = Began | Happened | Restated | Merged | PortDropped | PortMoved | Unclear | Ended
