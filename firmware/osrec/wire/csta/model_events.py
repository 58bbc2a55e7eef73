"""What the PBX reports (operation 21): one value an event, and the report around it.

`cause` is an EventCause value; unknown ones are kept as they came (see causes.py for names).
"""

from dataclasses import dataclass
from datetime import datetime

from osrec.wire.csta.model_devices import (
    ConnectionId,
    Device,
    Linkage,
    LinkedConnection,
    LocalState,
    NoDevice,
)


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
class Bridged(EventBase):
    """A shared line: an appearance of a device's connection is bridged into the call."""

    connection: ConnectionId
    device: Device  # the bridged appearance


@dataclass(frozen=True, slots=True, kw_only=True)
class InService(EventBase):
    """Device maintenance: backInService or outOfService."""

    device: Device
    in_service: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherEvent(EventBase):
    """An event that we do not interpret: its category and tag in EventSpecificInfo, and its body as it came.

    From XML the body is the whole element, and both numbers are -1 where the element's name has none.
    """

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
    | Bridged
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
