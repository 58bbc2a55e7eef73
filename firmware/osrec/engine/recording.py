"""One recording, from the lease of its pair to its release."""

from dataclasses import dataclass, field
from enum import Enum
from math import inf
from uuid import UUID

from osrec.engine.pool import Pair, Port
from osrec.store.records import Decision
from osrec.wire.csta.model import ConnectionId, DeviceId


class State(Enum):
    REQUESTING = "requesting"  # the PBX was asked to fork
    UNANSWERED = "unanswered"  # the link broke before the PBX had answered: audio will show whether it forks
    RUNNING = "running"
    DRAINING = "draining"  # over; the last audio is still on its way
    ABANDONED = "abandoned"  # over before the PBX had answered


ACTIVE = (State.REQUESTING, State.UNANSWERED, State.RUNNING)
LISTENED = (State.REQUESTING, State.UNANSWERED, State.RUNNING)  # audio on their pairs matters


@dataclass(slots=True)
class Recording:
    """One monitored station's audio on one leased pair.

    Attributes:
        pair: the one that it has leased.
        carrier: the pair's ports on the time slots where the PBX's calls to them really are, where signalling told.
        connection: the station's, that the fork was asked for.
        asked: when; the audio counts from then on.
        provisional: on demand, and nobody has asked to keep it yet.
        kept_since: on demand, from when on it is kept; infinite while that was not asked for.
        paused: it has no audio for now.
        awaited: ports whose answer is still to come, by request token.
        joined: connections of our ports that are in the call.
        moved: connections that ports got by transfer or conference while their answer was awaited.
        unsure: ports whose request got no answer: the PBX may do it all the same, later.
        unanswered: ports whose request was outstanding when the link broke.
        flowing: when something other than idle code was first looked at on its pair, while no answer had come.
        spoken: somebody spoke on its pair while the PBX's answer was awaited.
        proof: of one that began, or went on after a restart, on the evidence of its audio: the connections that the PBX
            says its ports have; None: nothing is to be proved.
        adopted: it is of an earlier run of the recorder.
        refused: what the PBX said when it refused, None while it has not.
        busy: it refused only for want of capacity; neither the station nor the pair is the reason.
        tried: pairs that were asked for, this one included.
        since: when the audio should have begun to come.
        own_heard, other_heard: energy came on that side.
        idle_since: since when both slots carry idle code, None while they do not.
        own_idle_since, other_idle_since: the same of each side.
        looked_for: when the PBX was asked last where the ports are, in this silence.
        confirmed: it said that they are in a call, in this silence.
        inquired: when the PBX was asked last whether the station still has the call.
        unseen: in this silence nobody could tell whether the call was over.
        port_dropped: when the PBX took a port out of the call, None while it has not.
        released: when the trunk's signalling ended the call to one of its ports, None while it has not.
        leaving: tokens of requests that take its ports out of the call, not answered so far.
        left: when the PBX took the last port out, or was asked to; None while it has not.
        resting: all is done, but the pair may still carry the call.
        wipe_since: a rule says never since then: what the pair carried must not be kept.
        due: when something is to be done about it: no answer, fork lost, pair to be given back.
    """

    id: UUID
    conversation: UUID
    station: str
    pair: Pair
    connection: ConnectionId
    decision: Decision
    carrier: Pair | None = None
    state: State = State.REQUESTING
    asked: float = 0.0
    provisional: bool = False
    kept_since: float = inf
    paused: bool = False
    awaited: dict[object, tuple[Port, ...]] = field(default_factory=dict)
    joined: dict[str, ConnectionId] = field(default_factory=dict)
    moved: dict[str, ConnectionId] = field(default_factory=dict)
    unsure: set[str] = field(default_factory=set)
    unanswered: set[str] = field(default_factory=set)
    flowing: float | None = None
    spoken: bool = False
    proof: dict[str, ConnectionId] | None = None
    adopted: bool = False
    refused: str | None = None
    busy: bool = False
    tried: tuple[Pair, ...] = ()
    since: float = 0.0
    own_heard: bool = False
    other_heard: bool = False
    idle_since: float | None = None
    own_idle_since: float | None = None
    other_idle_since: float | None = None
    looked_for: float | None = None
    confirmed: bool = False
    inquired: float | None = None
    unseen: bool = False
    port_dropped: float | None = None
    released: float | None = None
    leaving: set[object] = field(default_factory=set)
    left: float | None = None
    resting: bool = False
    wipe_since: float | None = None
    due: float | None = None

    @property
    def channels(self) -> Pair:
        """Where its audio is."""
        return self.carrier or self.pair

    def awaits(self, port: str) -> bool:
        """Whether the PBX has not yet said what became of the port."""
        return any(one.number == port for ports in self.awaited.values() for one in ports)

    def presumed(self, port: Port) -> ConnectionId:
        """The port's connection, if it was joined and nobody has said so."""
        return self.moved.get(port.number) or ConnectionId(self.connection.call_id, DeviceId(port.number))

    def idle_on(self, port: str) -> float | None:
        """Since when one of its slots carries idle code."""
        return self.own_idle_since if port == self.pair.own.number else self.other_idle_since
