"""How an access is configured: the protocol, the slots, what becomes of a call to a recorder's port."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from osrec.errors import UsageError
from osrec.isdn.channels import B_CHANNELS
from osrec.isdn.link_messages import LinkConfig
from osrec.isdn.profile import Profile, Protocol, Role
from osrec.isdn.timers import Timers
from osrec.wire.q931.bearer import TransferCapability
from osrec.wire.q931.causes import Location

_RECORDABLE = frozenset(
    {TransferCapability.SPEECH, TransferCapability.AUDIO_3K1, TransferCapability.UNRESTRICTED_DIGITAL}
)


class Answering(Enum):
    """What becomes of an incoming call for which there is a channel."""

    CONNECT = "connect"  # CONNECT at once
    ALERT = "alert"  # ALERTING, then CONNECT
    MANUAL = "manual"  # the owner says: Proceed, Alert, AnswerCall, ClearCall


@dataclass(frozen=True, slots=True)
class AccessConfig:
    """One D channel and its B channels. Times in seconds.

    Attributes:
        protocol, role: what is spoken, and which end of it we are.
        slots: time slots that carry calls.
        most_slots: that one call may name: 2 where the PBX brings both sides of a conversation in one call.
        answering: of incoming calls. ring: between ALERTING and CONNECT under ALERT; 0: at once.
        proceeding: CALL PROCEEDING before anything else; None: as the protocol wants it, from a network and in QSIG.
        overlap: digits that a called number has. A SETUP with fewer and without Sending complete is answered with SETUP
            ACKNOWLEDGE, and the others are waited for, 5.1.3 and 5.2.4; 0: whatever the SETUP says is the number.
        capabilities: transfer capabilities of calls that are taken; others are refused with cause 65.
        timers: of call control where they differ from table `timers.ROWS`, by name.
        restart_lost: whether a channel is restarted whose RELEASE nobody answered, or whose call ended for want of the
            data link, once that is back: the peer may take it for busy still, 5.5.1.
        establish_pause: between two tries to establish the data link.
        link: system parameters of layer 2.
        most_waiting: messages waiting for a peer that does not acknowledge, at which we take no more of his.
    """

    protocol: Protocol = Protocol.DSS1
    role: Role = Role.USER
    slots: tuple[int, ...] = B_CHANNELS
    most_slots: int = 1
    answering: Answering = Answering.CONNECT
    ring: float = 0.0
    proceeding: bool | None = None
    overlap: int = 0
    capabilities: frozenset[int] = _RECORDABLE
    timers: Mapping[str, float] = field(default_factory=dict)
    restart_lost: bool = True
    establish_pause: float = 1.0
    link: LinkConfig = field(default_factory=LinkConfig)
    most_waiting: int = 200

    def __post_init__(self) -> None:
        if self.ring < 0:
            raise UsageError(f"ring {self.ring:g} s: 0 or more")
        if self.establish_pause <= 0:
            raise UsageError(f"establish_pause {self.establish_pause:g} s: more than 0")
        if self.overlap < 0:
            raise UsageError(f"overlap {self.overlap} digits: 0 or more")
        if self.most_slots < 1:
            raise UsageError(f"most_slots {self.most_slots}: at least 1")

    @property
    def profile(self) -> Profile:
        return Profile(self.protocol, self.role)

    @property
    def all_timers(self) -> Timers:
        """Raises UsageError for a timer that is not known or not positive."""
        return Timers(self.protocol, self.role, self.timers)

    @property
    def proceeds(self) -> bool:
        """5.1.5.1: a network answers SETUP with CALL PROCEEDING; so does either side in QSIG."""
        if self.proceeding is not None:
            return self.proceeding
        return self.profile.as_network or self.protocol is Protocol.QSIG

    @property
    def location(self) -> Location:
        """Where our causes arise: a DSS1 user is one; a private network is what else a recorder can be."""
        user = self.protocol is Protocol.DSS1 and self.role is Role.USER
        return Location.USER if user else Location.PRIVATE_LOCAL
