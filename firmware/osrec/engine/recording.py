"""One recording, from the lease of its pair to its release."""

from dataclasses import dataclass, field
from enum import Enum
from uuid import UUID

from osrec.engine.pool import Pair, Port
from osrec.store.records import Decision
from osrec.wire.csta.model import ConnectionId


class State(Enum):
    REQUESTING = "requesting"  # the PBX was asked to fork
    RUNNING = "running"
    DRAINING = "draining"  # over; the last audio is still on its way
    ABANDONED = "abandoned"  # over before the PBX had answered


@dataclass(slots=True)
class Recording:
    """One monitored station's audio on one leased pair.

    Attributes:
        connection: the station's, that the fork was asked for.
        awaited: ports whose answer is still to come, by request token.
        joined: connections of our ports that are in the call.
        refused: what the PBX said when it refused, None while it has not.
        tried: pairs that were asked for, this one included.
        since: when the audio should have begun to come.
        own_heard, other_heard: energy came on that side.
        idle_since: since when both slots carry idle code, None while they do not.
        port_dropped: when the PBX took a port out of the call, None while it has not.
        release_at: when the pair may be given back, None while the recording runs.
    """

    id: UUID
    conversation: UUID
    station: str
    pair: Pair
    connection: ConnectionId
    decision: Decision
    state: State = State.REQUESTING
    awaited: dict[object, Port] = field(default_factory=dict)
    joined: dict[str, ConnectionId] = field(default_factory=dict)
    refused: str | None = None
    tried: tuple[Pair, ...] = ()
    since: float = 0.0
    own_heard: bool = False
    other_heard: bool = False
    idle_since: float | None = None
    port_dropped: float | None = None
    release_at: float | None = None
