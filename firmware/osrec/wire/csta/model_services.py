"""Services: their arguments and results. Requests are named as ECMA-269 names them."""

from dataclasses import dataclass
from enum import Enum

from osrec.wire.csta.model_devices import (
    ConnectionId,
    Device,
    DeviceId,
    Linkage,
    LocalState,
    Participation,
)
from osrec.wire.csta.model_events import (
    EventReport,
)


class MonitorFilter(Enum):
    """requestedMonitorFilter, as far as sites differ: by ECMA-269 a set bit suppresses its event; some reverse it."""

    EMPTY = "empty"  # a SEQUENCE without members
    ZEROS = "zeros"  # every category of events, no bit set
    ONES = "ones"  # every bit set; read: any


@dataclass(frozen=True, slots=True)
class MonitorStart:  # op 71
    device: DeviceId
    filter: MonitorFilter | None = None  # ASN.1 only; None: none is sent


@dataclass(frozen=True, slots=True)
class MonitorStarted:
    cross_ref: bytes
    existing_calls: bool | None = None  # monitorExistingCalls, None when not given


@dataclass(frozen=True, slots=True)
class MonitorStop:  # op 73, either direction
    cross_ref: bytes


@dataclass(frozen=True, slots=True)
class SnapshotDevice:  # op 74
    device: DeviceId


@dataclass(frozen=True, slots=True)
class SnapshotLeg:
    """One call of the device: its own state first, then, where the PBX tells, those of the others.

    `states` is empty when the PBX does not know. `simple` says how they travel: as simpleCallState (two nibbles,
    far and near) instead of compoundCallState (a list).
    """

    connection: ConnectionId
    endpoint: Device | None
    states: tuple[LocalState, ...]
    linkage: Linkage | None = None
    simple: bool = False


@dataclass(frozen=True, slots=True)
class DeviceSnapshot:
    """Result of SnapshotDevice; with `service_cross_ref` the legs follow in op 77 segments."""

    legs: tuple[SnapshotLeg, ...] = ()
    service_cross_ref: bytes | None = None


@dataclass(frozen=True, slots=True)
class SnapshotDeviceData:  # op 77, never answered
    service_cross_ref: bytes
    legs: tuple[SnapshotLeg, ...]
    last: bool
    segment: int | None = None


@dataclass(frozen=True, slots=True)
class SnapshotCall:  # op 75
    connection: ConnectionId


@dataclass(frozen=True, slots=True)
class CallSnapshotEntry:
    device: Device
    connection: ConnectionId | None
    state: LocalState | None


@dataclass(frozen=True, slots=True)
class CallSnapshot:
    entries: tuple[CallSnapshotEntry, ...] = ()
    calling: Device | None = None
    called: Device | None = None
    linkage: Linkage | None = None
    service_cross_ref: bytes | None = None  # the entries follow in op 76 segments


@dataclass(frozen=True, slots=True)
class SnapshotCallData:  # op 76, never answered
    service_cross_ref: bytes
    entries: tuple[CallSnapshotEntry, ...]
    last: bool
    segment: int | None = None


@dataclass(frozen=True, slots=True)
class SystemStatus:  # op 211, both directions
    status: int


@dataclass(frozen=True, slots=True)
class RequestSystemStatus:  # op 210
    pass


@dataclass(frozen=True, slots=True)
class SystemStatusReported:  # result of op 210
    status: int


@dataclass(frozen=True, slots=True)
class SingleStepConference:  # op 20
    active_call: ConnectionId
    device_to_join: DeviceId
    participation: Participation = Participation.ACTIVE


@dataclass(frozen=True, slots=True)
class JoinCall:  # op 223
    active_call: ConnectionId
    joining_device: DeviceId
    participation: Participation = Participation.ACTIVE


@dataclass(frozen=True, slots=True)
class ConferenceJoined:  # result of ops 20 and 223
    connection: ConnectionId
    linkage: Linkage | None = None


@dataclass(frozen=True, slots=True)
class MakeCall:  # op 10
    calling: DeviceId
    called: DeviceId  # what is dialled, feature codes and all


@dataclass(frozen=True, slots=True)
class CallMade:  # result of op 10
    connection: ConnectionId
    linkage: Linkage | None = None


@dataclass(frozen=True, slots=True)
class SystemRegister:  # op 207: asks for SystemStatus
    pass


@dataclass(frozen=True, slots=True)
class SystemRegistered:  # result of op 207
    register_id: bytes


@dataclass(frozen=True, slots=True)
class ResetSessionTimer:  # ECMA-354 ResetApplicationSessionTimer, XML only
    session: str
    seconds: int | None = None


@dataclass(frozen=True, slots=True)
class SessionTimerReset:
    seconds: int | None = None


@dataclass(frozen=True, slots=True)
class ClearConnection:  # op 5
    connection: ConnectionId


@dataclass(frozen=True, slots=True)
class Escape:  # op 51
    private: bytes


@dataclass(frozen=True, slots=True)
class NoData:
    """A result that only says "done": NULL or empty extensions."""


@dataclass(frozen=True, slots=True)
class UnknownArgument:
    """An operation that we do not know, or a body that did not decode: kept as it came."""

    opcode: int | None
    body: bytes
    reason: str = ""


Argument = (
    MonitorStart
    | MonitorStop
    | SnapshotDevice
    | SnapshotDeviceData
    | SnapshotCall
    | SnapshotCallData
    | SystemStatus
    | SystemRegister
    | ResetSessionTimer
    | MakeCall
    | RequestSystemStatus
    | SingleStepConference
    | JoinCall
    | ClearConnection
    | Escape
    | EventReport
    | UnknownArgument
)
Result = (
    MonitorStarted
    | DeviceSnapshot
    | CallSnapshot
    | SystemStatusReported
    | SystemRegistered
    | SessionTimerReset
    | ConferenceJoined
    | CallMade
    | NoData
    | UnknownArgument
)
