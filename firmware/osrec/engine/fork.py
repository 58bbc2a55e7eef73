"""How the PBX is asked to put a station's audio on a pair of slots.

No public document settles it, so each way is a strategy behind one interface; the configuration names
it. Whatever was agreed, the engine also listens whether audio really comes.
"""

from typing import Protocol

from osrec.engine.pool import Pair, Port
from osrec.wire.csta.model import (
    Argument,
    ClearConnection,
    ConferenceJoined,
    ConnectionId,
    DeviceId,
    Participation,
    Result,
    SingleStepConference,
)


class ForkStrategy(Protocol):
    """One way to get a station's two sides onto two ports.

    Attributes:
        reaches_back: audio of the call may be on the pair before we ask for it, so the pre-roll belongs to the
            recording; else nothing that was there before can be of this call.
    """

    reaches_back: bool

    def start(self, connection: ConnectionId, pair: Pair) -> list[tuple[Port, Argument]]:
        """Requests to send at once, in this order, one for each port."""
        ...

    def joined(self, port: Port, result: Result) -> ConnectionId | None:
        """The port's connection that a positive answer names; None when the answer means no."""
        ...

    def stop(self, connection: ConnectionId) -> Argument:
        """Request that takes a port out of the call."""
        ...


class SilentConference:
    """Silent SingleStepConference to each port (ECMA-269 SingleStepConference Call, participationType silent).

    Args:
        own_first: the PBX puts the station's own voice on the port that joins first.
    """

    reaches_back = False  # the PBX connects a port when it is asked to

    def __init__(self, own_first: bool = True) -> None:
        self._own_first = own_first

    def start(self, connection: ConnectionId, pair: Pair) -> list[tuple[Port, Argument]]:
        ports = (pair.own, pair.other) if self._own_first else (pair.other, pair.own)
        return [(port, SingleStepConference(connection, DeviceId(port.number), Participation.SILENT)) for port in ports]

    def joined(self, port: Port, result: Result) -> ConnectionId | None:
        if not isinstance(result, ConferenceJoined) or result.connection.call_id is None:
            return None
        return ConnectionId(result.connection.call_id, result.connection.device or DeviceId(port.number))

    def stop(self, connection: ConnectionId) -> Argument:
        return ClearConnection(connection)
