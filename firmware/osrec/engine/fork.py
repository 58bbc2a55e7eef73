"""How the PBX is asked to put a station's audio on a pair of slots.

No public document settles it, so each way is a strategy behind one interface, and the configuration names it
(docs/fork-strategies.md). Whatever was agreed, the engine also listens whether audio really comes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from osrec.engine.fork_template import ForkTemplate
from osrec.engine.pool import Pair, Port
from osrec.wire.csta.model import (
    Argument,
    CallMade,
    ClearConnection,
    ConferenceJoined,
    ConnectionId,
    DeviceId,
    Escape,
    JoinCall,
    MakeCall,
    NoData,
    Participation,
    Result,
    SingleStepConference,
)


@dataclass(frozen=True, slots=True)
class Ask:
    """One request of a fork; its positive answer says that `ports` are in the call."""

    ports: tuple[Port, ...]
    argument: Argument


class ForkStrategy(Protocol):
    """One way to get a station's two sides onto two ports.

    Attributes:
        reaches_back: audio of the call may be on the pair before we ask for it, so the pre-roll belongs to the
            recording; else nothing that was there before can be of this call.
    """

    reaches_back: bool

    def start(self, station: str, connection: ConnectionId, pair: Pair) -> list[Ask]:
        """Requests to send at once, in this order; together they are about both ports.

        Args:
            connection: the station's, in the call that is to be forked.
        """
        ...

    def joined(self, port: Port, connection: ConnectionId, result: Result) -> ConnectionId | None:
        """The port's connection after that answer, None when the answer means no; `connection`: the station's."""
        ...

    def stop(self, station: str, pair: Pair, joined: Mapping[str, ConnectionId]) -> list[Argument]:
        """Requests that take the ports out of their calls; `joined`: those that are in one, by number."""
        ...


class _PortByPort:
    """What the ways have in common that ask for each port and clear each port."""

    reaches_back = False  # the PBX connects a port when it is asked to

    def __init__(self, own_first: bool = True) -> None:
        """
        Args:
            own_first: the PBX puts the station's own voice on the port that joins first.
        """
        self._own_first = own_first

    def _ports(self, pair: Pair) -> tuple[Port, Port]:
        return (pair.own, pair.other) if self._own_first else (pair.other, pair.own)

    def joined(self, port: Port, connection: ConnectionId, result: Result) -> ConnectionId | None:
        if not isinstance(result, ConferenceJoined | CallMade) or result.connection.call_id is None:
            return None
        return ConnectionId(result.connection.call_id, result.connection.device or DeviceId(port.number))

    def stop(self, station: str, pair: Pair, joined: Mapping[str, ConnectionId]) -> list[Argument]:
        return [ClearConnection(connection) for connection in joined.values()]


class SilentConference(_PortByPort):
    """Silent SingleStepConference to each port (ECMA-269 SingleStepConference Call, participationType silent)."""

    def start(self, station: str, connection: ConnectionId, pair: Pair) -> list[Ask]:
        return [
            Ask((port,), SingleStepConference(connection, DeviceId(port.number), Participation.SILENT))
            for port in self._ports(pair)
        ]


class SilentJoin(_PortByPort):
    """Silent JoinCall of each port (ECMA-269 Join Call, participationType silent)."""

    def start(self, station: str, connection: ConnectionId, pair: Pair) -> list[Ask]:
        return [
            Ask((port,), JoinCall(connection, DeviceId(port.number), Participation.SILENT))
            for port in self._ports(pair)
        ]


class FeatureCall(_PortByPort):
    """Each port makes a call to a feature code followed by the station's number.

    Args:
        own_code, other_code: what brings the station's own voice, and what it hears; when both are the same, the order
            of the calls says which is which.
    """

    def __init__(self, own_code: str, other_code: str, own_first: bool = True) -> None:
        super().__init__(own_first)
        self._codes = {"own": own_code, "other": other_code}

    def start(self, station: str, connection: ConnectionId, pair: Pair) -> list[Ask]:
        codes = {pair.own: self._codes["own"], pair.other: self._codes["other"]}
        return [
            Ask((port,), MakeCall(DeviceId(port.number), DeviceId(codes[port] + station))) for port in self._ports(pair)
        ]


class PrivateEscape:
    """One Escape for both ports; its private data is spelled by a template, and so is that of its end."""

    reaches_back = False

    def __init__(self, start: ForkTemplate, stop: ForkTemplate) -> None:
        self._start = start
        self._stop = stop

    def start(self, station: str, connection: ConnectionId, pair: Pair) -> list[Ask]:
        private = self._start.octets(connection.call_id or b"", station, pair.own.number, pair.other.number)
        return [Ask((pair.own, pair.other), Escape(private))]

    def joined(self, port: Port, connection: ConnectionId, result: Result) -> ConnectionId | None:
        """The answer names no connection: the port is in the station's call, under its own number."""
        return ConnectionId(connection.call_id, DeviceId(port.number)) if isinstance(result, NoData) else None

    def stop(self, station: str, pair: Pair, joined: Mapping[str, ConnectionId]) -> list[Argument]:
        if not joined:
            return []
        call_id = next(iter(joined.values())).call_id or b""
        return [Escape(self._stop.octets(call_id, station, pair.own.number, pair.other.number))]
