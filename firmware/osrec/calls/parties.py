"""Who takes part in a conversation, and whether the call went in or out, as far as events tell."""

from collections.abc import Iterable

from osrec.calls.conversation import Conversation
from osrec.numbers import Patterns
from osrec.wire.csta import model
from osrec.wire.csta.model import ConnectionId, DeviceId


class Parties:
    """Learns parties and direction.

    Args:
        monitored: numbers of the monitored stations.
        trunks: patterns of trunk numbers: parties behind them are outside.
        own_ports: the recorder's own numbers, which are never parties.
    """

    def __init__(self, monitored: Iterable[str], trunks: Patterns, own_ports: Iterable[str]) -> None:
        self.monitored = frozenset(monitored)
        self._trunks = trunks
        self._own_ports = frozenset(own_ports)

    def is_port(self, number: str | None) -> bool:
        return number in self._own_ports

    def is_trunk(self, device: model.Device | None) -> bool:
        return number_of(device) in self._trunks

    def meet(self, conversation: Conversation, station: str, event: model.Event, device: str | None) -> None:
        """Take what an event of the station's monitor tells; `device`: whose connection it is about."""
        parties: model.Parties | None = getattr(event, "parties", None)
        trunk = device is not None and (device in self._trunks or isinstance(event, model.NetworkReached))
        if device is not None and not trunk:
            self.name(conversation, getattr(event, "device", None))
        if parties is None:
            return
        calling = parties.network_calling if isinstance(parties.network_calling, DeviceId) else parties.calling
        called = parties.network_called if isinstance(parties.network_called, DeviceId) else parties.called
        inward = self.is_trunk(parties.associated_calling) or self.is_trunk(parties.calling)
        inward = inward and number_of(calling) != station
        outward = not inward and (trunk or self.is_trunk(parties.associated_called))
        self._learn_direction(conversation, {number_of(calling), number_of(called)}, inward, outward)
        self.name(conversation, calling, external=inward)
        if not isinstance(event, model.Originated):  # there `called` is what was dialled, access code and all
            self.name(conversation, called, external=outward)

    def _learn_direction(
        self, conversation: Conversation, numbers: set[str | None], inward: bool, outward: bool
    ) -> None:
        """The first call decides; "internal" may still turn out to leave over a trunk."""
        if conversation.direction in ("in", "out") or (
            conversation.direction == "internal" and len(conversation.calls) > 1
        ):
            return
        if inward or outward:
            conversation.direction = "in" if inward else "out"
        elif numbers & self.monitored:
            conversation.direction = "internal"

    def found(self, conversation: Conversation, station: str, endpoint: model.Device | None) -> None:
        """A snapshot tells who is in a call, but not who called: the direction stays as it is.

        A party whose number is longer than any station's is taken to be outside.
        """
        conversation.participant(station)
        number = number_of(endpoint)
        if number in self.monitored and conversation.direction == "unknown":
            conversation.direction = "internal"
        longest = max((len(one) for one in self.monitored), default=0)
        self.name(conversation, endpoint, external=number is not None and len(number) > longest)

    def name(self, conversation: Conversation, device: model.Device | None, *, external: bool = False) -> None:
        """Somebody takes part. Trunks and our own ports are nobody."""
        number = number_of(device)
        if number is None or number in self._own_ports or number in self._trunks:
            return
        participant = conversation.participant(number)
        participant.external = participant.external or (external and number not in self.monitored)
        if isinstance(device, DeviceId) and device.name:
            participant.name = device.name


def number_of(device: model.Device | None) -> str | None:
    return device.number if isinstance(device, DeviceId) else None


def device_of(connection: ConnectionId, device: model.Device | None) -> str | None:
    """The device of a connection: its static id, else (dynamic ids) the device that the event names."""
    return connection.device.number if isinstance(connection.device, DeviceId) else number_of(device)
