"""Devices, connections and states, as CSTA phase III has them (ECMA-285 clause 9)."""

from dataclasses import dataclass, field
from enum import Enum, IntEnum


class NumberKind(IntEnum):
    """The alternatives of DeviceID.deviceIdentifier, ECMA-285 clause 9 (values are the tags)."""

    DIALING = 0
    DEVICE = 1
    IMPLICIT_PUBLIC = 2
    EXPLICIT_PUBLIC = 3
    IMPLICIT_PRIVATE = 4
    EXPLICIT_PRIVATE = 5
    OTHER = 6


@dataclass(frozen=True, slots=True)
class DeviceId:
    """A device by its number; `number` is decimal text also for kind DEVICE, latin-1 text for kind OTHER.

    `ton` is the tag within PublicTON or PrivateTON for the two explicit kinds, else None. `form` is the identifier as
    XML gave it, where that says more than number and name: it goes back as it came; without it the device is the same.
    """

    number: str
    kind: NumberKind = NumberKind.DIALING
    ton: int | None = None
    name: str | None = None  # privateName
    form: str | None = field(default=None, compare=False)


class NoDevice(Enum):
    """Why a device is not given."""

    NOT_KNOWN = "not known"
    RESTRICTED = "restricted"
    NOT_REQUIRED = "not required"
    NOT_SPECIFIED = "not specified"


Device = DeviceId | NoDevice


@dataclass(frozen=True, slots=True)
class ConnectionId:
    """One device's part in one call. `device` is octets for a dynamic device id; either member may be absent."""

    call_id: bytes | None
    device: DeviceId | bytes | None = None


class LocalState(IntEnum):
    """LocalConnectionState, ECMA-285."""

    NULL = 0
    INITIATED = 1
    ALERTING = 2
    CONNECTED = 3
    HOLD = 4
    QUEUED = 5
    FAIL = 6


class Participation(IntEnum):
    """ParticipationType, ECMA-285."""

    SILENT = 0
    ACTIVE = 1
    NONE = 2


class Status(IntEnum):
    """SystemStatus, ECMA-285; an unknown value stays a plain int."""

    INITIALIZING = 0
    ENABLED = 1
    NORMAL = 2
    MESSAGES_LOST = 3
    DISABLED = 4
    OVERLOAD_IMMINENT = 5
    OVERLOAD_REACHED = 6
    OVERLOAD_RELIEVED = 7
    PARTIALLY_DISABLED = 8


@dataclass(frozen=True, slots=True)
class Linkage:
    """CallLinkageData: `thread` stays the same over a transfer, `call` is the global call id."""

    call: bytes
    thread: bytes | None = None


@dataclass(frozen=True, slots=True)
class LinkedConnection:
    """One entry of a ConnectionList: what a connection was and what it became."""

    new: ConnectionId | None = None
    old: ConnectionId | None = None
    endpoint: Device | None = None
    associated_nid: Device | None = None
