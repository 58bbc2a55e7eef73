"""What goes into the link and what comes out of it, and how it is configured."""

from collections.abc import Hashable
from dataclasses import dataclass, field

from osrec.wire.csta.model import (
    Argument,
    EventReport,
    Pdu,
    Reject,
    Result,
    ReturnError,
    SnapshotLeg,
)

Token = Hashable


@dataclass(frozen=True, slots=True)
class LinkConfig:
    """How to talk to one CAP server. Times in seconds.

    Attributes:
        devices: numbers of the stations to monitor.
        name, password: of the authentication; without a name none is sent.
        context: application context of the AARQ. version: its cSTAVersion, octets and count of bits.
        reference, protocol_version: members of the AARQ that some servers want, see `Associate`.
        association_timeout: for the answer to the AARQ.
        status_timeout: how long to wait for the server's SystemStatus after that before going on without.
        release_timeout: for the answer to our own release.
        heartbeat: silence after which we ask for the system status; 0: never.
        heartbeat_timeout, heartbeat_misses: how long to wait for the answer, and how often.
        request_timeout: for the answer to any other request.
        window: MonitorStart and SnapshotDevice requests unanswered at a time.
        starts_per_second: MonitorStart requests.
        retry_first, retry_most: back-off of a MonitorStart that was refused, doubled each time.
        licence_retry: the same where the PBX says that licences are missing.
        snapshot_tries: SnapshotDevice requests for one device before we go on without.
        hold_events: of one device during its snapshot. hold_unknown: of monitors whose start is not confirmed yet.
        max_invoke_id: after it the next is 1 (2 octets: every server is known to take these).
    """

    devices: tuple[str, ...] = ()
    name: bytes | None = None
    password: bytes | None = field(default=None, repr=False)
    context: str = "1.3.12.0.218"
    version: tuple[bytes, int] = (b"\x10\x00", 16)
    reference: str | None = None
    protocol_version: bool = False
    association_timeout: float = 10.0
    status_timeout: float = 5.0
    release_timeout: float = 2.0
    heartbeat: float = 20.0
    heartbeat_timeout: float = 5.0
    heartbeat_misses: int = 2
    request_timeout: float = 10.0
    window: int = 8
    starts_per_second: float = 50.0
    retry_first: float = 1.0
    retry_most: float = 60.0
    licence_retry: float = 300.0
    snapshot_tries: int = 2
    hold_events: int = 500
    hold_unknown: int = 500
    max_invoke_id: int = 0x7FFF


# --- events


@dataclass(frozen=True, slots=True)
class Connected:
    """The TCP connection stands."""


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The TCP connection is gone, or could not be made."""

    reason: str


@dataclass(frozen=True, slots=True)
class PduReceived:
    pdu: Pdu


@dataclass(frozen=True, slots=True)
class Undecodable:
    """A frame that is no PDU."""

    reason: str
    octets: bytes


@dataclass(frozen=True, slots=True)
class ServiceRequested:
    """Invoke a service; the answer comes as ServiceAnswered with the same token, always, and once."""

    token: Token
    argument: Argument


@dataclass(frozen=True, slots=True)
class DevicesChanged:
    """The whole new set of devices to monitor."""

    devices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CloseRequested:
    """Release the association and close."""


@dataclass(frozen=True, slots=True)
class TimerExpired:
    """`deadline` has come."""


Event = (
    Connected
    | Disconnected
    | PduReceived
    | Undecodable
    | ServiceRequested
    | DevicesChanged
    | CloseRequested
    | TimerExpired
)

# --- outputs


@dataclass(frozen=True, slots=True)
class Send:
    pdu: Pdu


@dataclass(frozen=True, slots=True)
class Close:
    """Close the TCP connection; no Disconnected needs to follow."""

    reason: str


@dataclass(frozen=True, slots=True)
class LinkUp:
    """Associated, and the PBX said that it works: services may be requested."""


@dataclass(frozen=True, slots=True)
class LinkDown:
    """No link. Comes again, also before the first LinkUp, when the reason is another one."""

    reason: str


@dataclass(frozen=True, slots=True)
class MonitorRunning:
    device: str
    cross_ref: bytes


@dataclass(frozen=True, slots=True)
class MonitorRefused:
    """The PBX does not let us monitor the device; the link tries again. `licence`: for want of licences."""

    device: str
    error: str
    licence: bool


@dataclass(frozen=True, slots=True)
class MonitorLost:
    """The PBX ended the monitor; the link starts it again."""

    device: str


@dataclass(frozen=True, slots=True)
class Reported:
    """An event that the monitor of the device saw."""

    device: str
    report: EventReport


@dataclass(frozen=True, slots=True)
class SnapshotTaken:
    """All calls of the device, as the PBX knows them; events that came while it was taken follow."""

    device: str
    legs: tuple[SnapshotLeg, ...]


@dataclass(frozen=True, slots=True)
class Lost:
    """No answer: "timeout" or "link down"."""

    reason: str


Outcome = Result | ReturnError | Reject | Lost


@dataclass(frozen=True, slots=True)
class ServiceAnswered:
    token: Token
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something to count and log, about which nothing else is to be done."""

    text: str


Output = (
    Send
    | Close
    | LinkUp
    | LinkDown
    | MonitorRunning
    | MonitorRefused
    | MonitorLost
    | Reported
    | SnapshotTaken
    | ServiceAnswered
    | Trouble
)
