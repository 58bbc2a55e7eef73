"""What goes into the link and what comes out of it."""

from collections.abc import Hashable
from dataclasses import dataclass

from osrec.wire.csta.model import (
    Argument,
    CallSnapshot,
    EventReport,
    Pdu,
    Reject,
    Result,
    ReturnError,
    SnapshotLeg,
)

Token = Hashable


# --- events


@dataclass(frozen=True, slots=True)
class Connected:
    """The TCP connection stands."""


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The TCP connection is gone, or could not be made. `timed_out`: TCP itself waited for the peer in vain."""

    reason: str
    timed_out: bool = False


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
class Overrun:
    """So many frames had to be dropped before they were read: nobody knows what they said."""

    frames: int


@dataclass(frozen=True, slots=True)
class CloseRequested:
    """Release the association and close."""

    reason: str = "closed by us"


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
    | Overrun
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
    """No link. Comes again, also before the first LinkUp, when the reason is another one.

    Attributes:
        unheard: seconds for which nothing had come when the PBX was given up: so long nobody has told us anything.
    """

    reason: str
    unheard: float = 0.0


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """The working PBX reports another SystemStatus than before; NORMAL and ENABLED are one and come as NORMAL."""

    status: int


@dataclass(frozen=True, slots=True)
class EventsLost:
    """Events of the device did not reach us, "": of any device. A snapshot follows."""

    device: str
    reason: str


@dataclass(frozen=True, slots=True)
class MonitorRunning:
    device: str
    cross_ref: bytes


@dataclass(frozen=True, slots=True)
class MonitorRefused:
    """The PBX does not let us monitor the device; the link tries again. `licence`: for want of licences.

    Comes once, and again when the PBX gives another reason.
    """

    device: str
    error: str
    licence: bool


@dataclass(frozen=True, slots=True)
class LicencesMissing:
    """All devices that are not monitored for want of licences, as they changed; none: that is over."""

    devices: tuple[str, ...]


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
class SnapshotMissing:
    """The PBX gave no snapshot of a device: of calls that it has only their next events will tell."""

    device: str


@dataclass(frozen=True, slots=True)
class SnapshotTaken:
    """All calls of the device, as the PBX knew them when it answered.

    Events that came before the answer were told before, those that came since follow. `calls`: those of them that could
    be looked at, by call id, with their parties.
    """

    device: str
    legs: tuple[SnapshotLeg, ...]
    calls: tuple[tuple[bytes, CallSnapshot], ...] = ()


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
class ServerChanged:
    """Another CAP server is the one to talk to. `preferred`: it is the first of the list."""

    server: str
    preferred: bool


@dataclass(frozen=True, slots=True)
class QueueChanged:
    """The queue before the link is full, and frames are dropped; or it has room again."""

    full: bool
    dropped: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something to count and log, about which nothing else is to be done."""

    text: str


Output = (
    Send
    | Close
    | LinkUp
    | LinkDown
    | StatusChanged
    | EventsLost
    | MonitorRunning
    | MonitorRefused
    | LicencesMissing
    | MonitorLost
    | Reported
    | SnapshotMissing
    | SnapshotTaken
    | ServiceAnswered
    | ServerChanged
    | QueueChanged
    | Trouble
)
