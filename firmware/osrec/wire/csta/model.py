"""What CSTA phase III says, as values (ECMA-269 vocabulary, ECMA-285 members), whichever encoding carried it."""

from dataclasses import dataclass, field
from datetime import datetime
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

    `ton` is the tag within PublicTON or PrivateTON for the two explicit kinds, else None.
    """

    number: str
    kind: NumberKind = NumberKind.DIALING
    ton: int | None = None
    name: str | None = None  # privateName


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


# --- events (op 21). `cause` is an EventCause value; unknown ones are kept as they came (see causes.py for names).


@dataclass(frozen=True, slots=True)
class EventBase:
    """Members that all call control events may carry."""

    cause: int | None = None
    local: LocalState | None = None
    linkage: Linkage | None = None
    user_data: bytes | None = None
    correlator: bytes | None = None


@dataclass(frozen=True, slots=True)
class Parties:
    """Who is said to be in a call; the network's and the associated (trunk side) numbers where given."""

    calling: Device = NoDevice.NOT_KNOWN
    called: Device = NoDevice.NOT_KNOWN
    last_redirection: Device = NoDevice.NOT_SPECIFIED
    network_calling: Device | None = None
    network_called: Device | None = None
    associated_calling: Device | None = None
    associated_called: Device | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceInitiated(EventBase):
    connection: ConnectionId
    device: Device


@dataclass(frozen=True, slots=True, kw_only=True)
class Originated(EventBase):
    connection: ConnectionId
    device: Device  # the calling one; `parties.calling` has no place on the wire and stays NOT_KNOWN
    parties: Parties = Parties()


@dataclass(frozen=True, slots=True, kw_only=True)
class DigitsDialed(EventBase):
    connection: ConnectionId
    device: Device
    digits: Device


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered(EventBase):
    connection: ConnectionId
    device: Device
    parties: Parties = Parties()


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued(EventBase):
    connection: ConnectionId
    device: Device  # the queue
    parties: Parties = Parties()


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkReached(EventBase):
    connection: ConnectionId
    device: Device  # networkInterfaceUsed: the trunk
    parties: Parties = Parties()


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered(EventBase):
    connection: ConnectionId
    device: Device  # the alerting one
    parties: Parties = Parties()


@dataclass(frozen=True, slots=True, kw_only=True)
class Established(EventBase):
    connection: ConnectionId
    device: Device  # the answering one
    parties: Parties = Parties()


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed(EventBase):
    connection: ConnectionId
    device: Device
    parties: Parties = Parties()


@dataclass(frozen=True, slots=True, kw_only=True)
class Held(EventBase):
    connection: ConnectionId
    device: Device


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieved(EventBase):
    connection: ConnectionId
    device: Device


@dataclass(frozen=True, slots=True, kw_only=True)
class Diverted(EventBase):
    connection: ConnectionId
    device: Device  # the diverting one
    new_destination: Device
    parties: Parties = Parties()


@dataclass(frozen=True, slots=True, kw_only=True)
class Transferred(EventBase):
    primary: ConnectionId
    secondary: ConnectionId | None
    device: Device  # the transferring one
    to: Device
    connections: tuple[LinkedConnection, ...]
    old_linkage: Linkage | None = None  # given only when it differs from `linkage`


@dataclass(frozen=True, slots=True, kw_only=True)
class Conferenced(EventBase):
    primary: ConnectionId
    secondary: ConnectionId | None
    device: Device  # the conferencing one
    added: Device
    connections: tuple[LinkedConnection, ...]
    old_linkage: Linkage | None = None  # given only when it differs from `linkage`


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionCleared(EventBase):
    connection: ConnectionId
    device: Device  # the releasing one


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCleared(EventBase):
    connection: ConnectionId


@dataclass(frozen=True, slots=True, kw_only=True)
class DigitsGenerated(EventBase):
    connection: ConnectionId
    digits: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallInformation(EventBase):
    connection: ConnectionId
    device: Device
    account: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InService(EventBase):
    """Device maintenance: backInService or outOfService."""

    device: Device
    in_service: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherEvent(EventBase):
    """An event that we do not interpret: its category and tag in EventSpecificInfo, and its body as it came."""

    category: int
    tag: int
    body: bytes


Event = (
    ServiceInitiated
    | Originated
    | DigitsDialed
    | Offered
    | Queued
    | NetworkReached
    | Delivered
    | Established
    | Failed
    | Held
    | Retrieved
    | Diverted
    | Transferred
    | Conferenced
    | ConnectionCleared
    | CallCleared
    | DigitsGenerated
    | CallInformation
    | InService
    | OtherEvent
)


@dataclass(frozen=True, slots=True)
class EventReport:
    """cSTAEventReport (op 21): one event as one monitor saw it.

    Attributes:
        at: the PBX's own local time, without zone, as it sent it; None when it sent none.
        sequence: messageSequenceNumber, None when not given.
        private: private data, undecoded, one item an entry.
        remarks: what the decoder had to tolerate ("unknown member [12] in Delivered", ...).
    """

    cross_ref: bytes
    event: Event
    at: datetime | None = None
    sequence: int | None = None
    private: tuple[bytes, ...] = ()
    remarks: tuple[str, ...] = ()


# --- services: arguments and results. Requests are named as ECMA-269 names them.


@dataclass(frozen=True, slots=True)
class MonitorStart:  # op 71
    device: DeviceId


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
    service_cross_ref: bytes | None = None  # the entries follow in op 76 segments, which we do not read


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
    | SystemStatus
    | RequestSystemStatus
    | SingleStepConference
    | JoinCall
    | ClearConnection
    | Escape
    | EventReport
    | UnknownArgument
)
Result = (
    MonitorStarted | DeviceSnapshot | CallSnapshot | SystemStatusReported | ConferenceJoined | NoData | UnknownArgument
)


# --- ROSE (X.880): how arguments and results travel


@dataclass(frozen=True, slots=True)
class Invoke:
    invoke_id: int
    argument: Argument


@dataclass(frozen=True, slots=True)
class ReturnResult:
    """`result` is UnknownArgument when the opcode is not given or the body did not decode."""

    invoke_id: int
    result: Result
    opcode: int | None = None


class ErrorCategory(IntEnum):
    """UniversalFailure alternatives, ECMA-285."""

    OPERATION = 0
    SECURITY = 1
    STATE_INCOMPATIBILITY = 2
    SYSTEM_RESOURCE = 3
    SUBSCRIBED_RESOURCE = 4
    PERFORMANCE = 5
    PRIVATE_DATA = 6
    UNSPECIFIED = 7


@dataclass(frozen=True, slots=True)
class ReturnError:
    """`value` is the inner error code (0 for UNSPECIFIED); see errors named in causes.py."""

    invoke_id: int
    category: ErrorCategory | int
    value: int


@dataclass(frozen=True, slots=True)
class Reject:
    """`kind`: 0 general, 1 invoke, 2 returnResult, 3 returnError; `problem` as in X.880."""

    invoke_id: int | None
    kind: int
    problem: int


# --- ACSE (X.227): how an association begins and ends


@dataclass(frozen=True, slots=True)
class Associate:
    """AARQ. `version` holds the octets of the cSTAVersion bit string and the count of bits; 0: no user-information.

    `reference` is the direct-reference of the user-information's EXTERNAL where a site wants one, as Panasonic
    (1.3.12.0.285.200).
    """

    context: str = "1.3.12.0.218"
    name: bytes | None = None
    password: bytes | None = field(default=None, repr=False)
    version: tuple[bytes, int] = (b"\x10\x00", 16)
    reference: str | None = None
    protocol_version: bool = False  # whether protocol-version {version1} is sent


@dataclass(frozen=True, slots=True)
class Associated:
    """AARE. `result`: 0 accepted, 1 rejected permanent, 2 rejected transient."""

    result: int
    diagnostic: int = 0
    context: str = "1.3.12.0.218"
    stamp: bytes | None = None  # aps-stamp
    system_version: bytes | None = None
    version: tuple[bytes, int] | None = None


@dataclass(frozen=True, slots=True)
class Release:  # RLRQ
    reason: int | None = None


@dataclass(frozen=True, slots=True)
class Released:  # RLRE
    reason: int | None = None


@dataclass(frozen=True, slots=True)
class Abort:  # ABRT
    source: int = 0
    diagnostic: int | None = None


Pdu = Invoke | ReturnResult | ReturnError | Reject | Associate | Associated | Release | Released | Abort
