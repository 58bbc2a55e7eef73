"""Who takes part in a conversation, and whether the call went in or out, as far as events tell."""

from collections.abc import Iterable
from typing import TypeVar

from osrec.calls.call import Call
from osrec.calls.conversation import Conversation, Participant
from osrec.calls.numbering import Site
from osrec.numbers import Patterns
from osrec.wire.csta import model
from osrec.wire.csta.model import ConnectionId, DeviceId

T = TypeVar("T")
PARK = 25  # EventCause park
CAMP_ON = 12  # EventCause campOn: waits for a person, not in a queue
MOST_ATTACHED = 20  # account codes, correlators, pieces of user data kept of one conversation
MOST_DIGITS = 200


class Parties:
    """Learns parties and direction.

    Args:
        monitored: numbers of the monitored stations.
        trunks: patterns of trunk numbers: parties behind them are outside.
        own_ports: the recorder's own numbers, which are never parties.
        groups: patterns of queues, groups and announcement devices, which are nobody, but through which calls come.
        site: prefixes of the site.
    """

    def __init__(
        self, monitored: Iterable[str], trunks: Patterns, own_ports: Iterable[str], groups: Patterns, site: Site
    ) -> None:
        self.monitored = frozenset(monitored)
        self._trunks = trunks
        self._own_ports = frozenset(own_ports)
        self._groups = groups
        self._site = site

    def is_port(self, number: str | None) -> bool:
        return number in self._own_ports

    def is_trunk(self, device: model.Device | None) -> bool:
        return number_of(device) in self._trunks

    def is_group(self, number: str | None) -> bool:
        return number in self._groups

    def from_port(self, event: model.Event) -> bool:
        """A port of the recorder calls: that is its own business."""
        parties: model.Parties | None = getattr(event, "parties", None)
        return parties is not None and self.is_port(number_of(parties.calling))

    def caller(self, event: model.Event, parties: model.Parties) -> str | None:
        """By which name later events know the caller's connection: that of the trunk, unless they use dynamic ids."""
        connection: ConnectionId = event.connection  # type: ignore[union-attr]
        static = not isinstance(connection.device, bytes)
        trunk = static and self.is_trunk(parties.associated_calling)
        return number_of(parties.associated_calling if trunk else parties.calling)

    def meet(
        self, conversation: Conversation, call: Call, station: str, event: model.Event, device: str | None
    ) -> None:
        """Take what an event of the station's monitor tells; `device`: whose connection it is about."""
        self._attached(conversation, event)
        parties: model.Parties | None = getattr(event, "parties", None)
        trunk = device is not None and (device in self._trunks or isinstance(event, model.NetworkReached))
        if isinstance(event, model.Queued) and (queue := number_of(event.device)) and event.cause != CAMP_ON:
            _keep(conversation.via, queue)
        elif device is not None:
            self.name(conversation, getattr(event, "device", None), external=trunk)
        self._over_trunks(conversation, device)
        if parties is None:
            return
        ends = parties.calling, parties.associated_calling, parties.associated_called
        self._over_trunks(conversation, *map(number_of, ends))
        calling = parties.network_calling if isinstance(parties.network_calling, DeviceId) else parties.calling
        called = parties.network_called if isinstance(parties.network_called, DeviceId) else parties.called
        inward = self.is_trunk(parties.associated_calling) or self.is_trunk(parties.calling)
        inward = inward and number_of(calling) != station
        trunk = trunk or (
            isinstance(event, model.Failed) and self._longer_than_stations(number_of(called))
        )  # none free
        outward = not inward and (trunk or self.is_trunk(parties.associated_called))
        self._learn_direction(conversation, call, {number_of(calling), number_of(called)}, inward, outward)
        call.calling = call.calling or number_of(calling) or ""
        self.name(conversation, calling, external=inward, access="")
        self._came_through(conversation, parties, called, parked=event.cause == PARK)
        if not isinstance(event, model.Originated):  # there `called` is what was dialled, access code and all
            networks = called is parties.network_called  # whose own numbers have no code before them
            self.name(conversation, called, external=outward, access="" if networks else self._site.access_code)

    def _over_trunks(self, conversation: Conversation, *numbers: str | None) -> None:
        for number in numbers:
            if number is not None and number in self._trunks:
                _keep(conversation.trunks, number)

    def _came_through(
        self, conversation: Conversation, parties: model.Parties, called: model.Device | None, *, parked: bool
    ) -> None:
        """Who parks a call has talked: it did not come through him."""
        for device in (called, parties.last_redirection):
            number = number_of(device)
            redirected = device is parties.last_redirection and not parked and not self.is_port(number)
            if number is not None and (redirected or self.is_group(number)):
                _keep(conversation.via, number)

    def _attached(self, conversation: Conversation, event: model.Event) -> None:
        if isinstance(event, model.CallInformation) and event.account:
            _keep(conversation.accounts, event.account.decode("latin-1"))
        correlator, user_data = getattr(event, "correlator", None), getattr(event, "user_data", None)
        if correlator:
            _keep(conversation.correlators, correlator)
        if user_data:
            _keep(conversation.user_data, user_data)

    def digits(self, conversation: Conversation, digits: str) -> None:
        conversation.digits = (conversation.digits + digits)[:MOST_DIGITS]

    def _learn_direction(
        self, conversation: Conversation, call: Call, numbers: set[str | None], inward: bool, outward: bool
    ) -> None:
        """The first call decides; "internal" may still turn out to leave over a trunk."""
        if conversation.direction in ("in", "out") or call.call_id != conversation.call_ids[0]:
            return
        if inward or outward:
            conversation.direction = "in" if inward else "out"
        elif numbers & self.monitored:
            conversation.direction = "internal"

    def found(self, conversation: Conversation, station: str, endpoint: model.Device | None) -> None:
        """A snapshot of a station tells who is in a call, but not who called: the direction stays as it is.

        A party whose number is longer than any station's is taken to be outside.
        """
        conversation.participant(station)
        number = number_of(endpoint)
        if number in self.monitored and conversation.direction == "unknown":
            conversation.direction = "internal"
        self.name(conversation, endpoint, external=self._longer_than_stations(number))

    def found_call(self, conversation: Conversation, call: Call, snapshot: model.CallSnapshot) -> None:
        """A snapshot of the call tells who called whom."""
        trunk = any(self.is_trunk(one.device) or _static(one.connection) in self._trunks for one in snapshot.entries)
        outside = {number for one in snapshot.entries if self._is_outside(one) and (number := number_of(one.device))}
        calling, called = number_of(snapshot.calling), number_of(snapshot.called)
        inward = calling is not None and calling not in self.monitored and (calling in outside or trunk)
        outward = not inward and called is not None and called not in self.monitored and (called in outside or trunk)
        self._learn_direction(conversation, call, {calling, called}, inward, outward)
        for entry in snapshot.entries:
            self._over_trunks(conversation, number_of(entry.device), _static(entry.connection))
            number = number_of(entry.device)
            self.name(conversation, entry.device, external=number in outside or self._longer_than_stations(number))
        self.name(conversation, snapshot.calling, external=inward, access="")
        self.name(conversation, snapshot.called, external=outward, access=self._site.access_code)
        call.calling = call.calling or calling or ""

    def _is_outside(self, entry: model.CallSnapshotEntry) -> bool:
        """His connection is that of a trunk."""
        return _static(entry.connection) in self._trunks

    def _longer_than_stations(self, number: str | None) -> bool:
        return number is not None and len(number) > max((len(one) for one in self.monitored), default=0)

    def name(
        self,
        conversation: Conversation,
        device: model.Device | None,
        *,
        external: bool = False,
        access: str | None = None,
    ) -> None:
        """Somebody takes part. Trunks, groups and our own ports are nobody.

        Args:
            access: the code that may stand before the number; None: who called whom is not said.
        """
        number = number_of(device)
        if number is None or number in self._own_ports or number in self._trunks or number in self._groups:
            return
        participant = conversation.participant(number)
        participant.external = participant.external or (external and number not in self.monitored)
        if isinstance(device, DeviceId):
            participant.name = device.name or participant.name
            participant.e164 = self._e164(device, participant, access) or participant.e164

    def _e164(self, device: DeviceId, participant: Participant, access: str | None) -> str | None:
        """None too where it depends on who called, and that is not said."""
        if access is None and participant.external and self._site.access_code:
            return None
        return self._site.e164(device, external=participant.external, access=access or "")


def number_of(device: model.Device | None) -> str | None:
    return device.number if isinstance(device, DeviceId) else None


def device_of(connection: ConnectionId, device: model.Device | None) -> str | None:
    """The device of a connection: its static id, else (dynamic ids) the device that the event names."""
    return connection.device.number if isinstance(connection.device, DeviceId) else number_of(device)


def dynamic_of(connection: ConnectionId) -> bytes | None:
    """The dynamic device id of a connection, None when it has a static one."""
    return connection.device if isinstance(connection.device, bytes) else None


def _static(connection: ConnectionId | None) -> str | None:
    return connection.device.number if connection and isinstance(connection.device, DeviceId) else None


def _keep(kept: list[T], one: T) -> None:
    if one not in kept and len(kept) < MOST_ATTACHED:
        kept.append(one)
