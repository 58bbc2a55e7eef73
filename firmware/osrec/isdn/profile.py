"""Which protocol is spoken, and which end of it we are: what differs between DSS1 user, DSS1 network and QSIG."""

from dataclasses import dataclass
from enum import Enum

from osrec.wire.q921.frames import Side
from osrec.wire.q931.elements import CallStateValue


class Protocol(Enum):
    DSS1 = "dss1"  # Q.931, ETS 300 102
    QSIG = "qsig"  # ECMA-143: Q.931 made symmetrical


class Role(Enum):
    """Which end we are. In QSIG: the master takes the network side of layer 2 and has its way in a glare."""

    USER = "user"
    NETWORK = "network"

    @property
    def side(self) -> Side:
        """Which side of layer 2 this is."""
        return Side(self.value)


_NULL, _ACTIVE = CallStateValue.NULL, CallStateValue.ACTIVE
_GOING = {  # states of a call that a user sets up, by the user and by the network: Q.931 2.1
    CallStateValue.CALL_INITIATED,
    CallStateValue.OVERLAP_SENDING,
    CallStateValue.OUTGOING_CALL_PROCEEDING,
    CallStateValue.CALL_DELIVERED,
}
_COMING = {  # states of a call that the network sets up to a user
    CallStateValue.CALL_PRESENT,
    CallStateValue.CALL_RECEIVED,
    CallStateValue.CONNECT_REQUEST,
    CallStateValue.INCOMING_CALL_PROCEEDING,
    CallStateValue.OVERLAP_RECEIVING,
}
_CLEARING = {
    CallStateValue.DISCONNECT_REQUEST,
    CallStateValue.DISCONNECT_INDICATION,
    CallStateValue.RELEASE_REQUEST,
}


@dataclass(frozen=True, slots=True)
class Profile:
    """A protocol and a role.

    In QSIG either side of a call behaves as a user does: who sets it up goes through states 1 to 4, the other through
    6 to 9 and waits for CONNECT ACKNOWLEDGE (ECMA-143 is Q.931 between two users, each the other's network).
    """

    protocol: Protocol = Protocol.DSS1
    role: Role = Role.USER

    @property
    def as_network(self) -> bool:
        """Whether calls go through the network's states of Q.931."""
        return self.protocol is Protocol.DSS1 and self.role is Role.NETWORK

    @property
    def has_priority(self) -> bool:
        """Whether our call keeps the channel when both sides choose the same, 5.7."""
        return self.role is Role.NETWORK

    @property
    def channel_is_mandatory(self) -> bool:
        """Whether a SETUP to us must say its channel: from the network always, 3.1.14; in QSIG in both directions."""
        return not self.as_network

    def fits(self, ours: int, theirs: int) -> bool:
        """Whether the state that STATUS reports goes together with ours, 5.8.11; messages may be on their way."""
        if ours in _CLEARING or ours == theirs:
            return True
        if theirs == _NULL or theirs in _CLEARING:
            return False
        if _ACTIVE in (ours, theirs):
            return CallStateValue.CONNECT_REQUEST in (ours, theirs)
        same_way = any(ours in way and theirs in way for way in (_GOING, _COMING))
        opposite = (ours in _GOING and theirs in _COMING) or (ours in _COMING and theirs in _GOING)
        return opposite if self.protocol is Protocol.QSIG else same_way
