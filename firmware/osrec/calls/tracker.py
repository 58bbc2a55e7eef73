"""CSTA events in, conversations out: who talks to whom, and when.

A leg is keyed by (call id, device number). Two monitored parties of one call report the same transition twice and in
any order, so events set states rather than count them, and only what really changed is told on. Rules of ECMA-269
clause 6 (calls, connections, states) and the field notes on HiPath: call ids change on transfer and conference,
threadData of the call linkage does not.
"""

from collections.abc import Callable, Iterable
from uuid import UUID

from osrec.calls.changes import Began, Change, Ended, Happened, Merged, PortDropped
from osrec.calls.conversation import Call, Conversation
from osrec.numbers import Patterns
from osrec.wire.csta import model
from osrec.wire.csta.causes import cause_name
from osrec.wire.csta.model import ConnectionId, DeviceId, LocalState

CONSULTATION = 37  # EventCause consultation

# What the event says of the connection that it names; the rest of the table of events is handled below by name.
STATES: dict[type, LocalState] = {
    model.ServiceInitiated: LocalState.INITIATED,
    model.Originated: LocalState.CONNECTED,
    model.Offered: LocalState.ALERTING,
    model.Queued: LocalState.QUEUED,
    model.NetworkReached: LocalState.ALERTING,
    model.Delivered: LocalState.ALERTING,
    model.Established: LocalState.CONNECTED,
    model.Failed: LocalState.FAIL,
    model.Held: LocalState.HOLD,
    model.Retrieved: LocalState.CONNECTED,
}
OPENING = (
    model.ServiceInitiated,
    model.Originated,
    model.Offered,
    model.Queued,
    model.NetworkReached,
    model.Delivered,
    model.Established,
)


class Tracker:
    """All conversations of the monitored stations.

    Args:
        monitored: numbers of the stations that are monitored.
        trunks: patterns of trunk numbers: parties behind them are outside.
        own_ports: the recorder's own numbers, which are never parties.
        new_id: makes an id for a conversation.
    """

    def __init__(
        self, monitored: Iterable[str], trunks: Patterns, own_ports: Iterable[str], new_id: Callable[[], UUID]
    ) -> None:
        self.conversations: dict[UUID, Conversation] = {}
        self.monitored = frozenset(monitored)
        self._trunks = trunks
        self._own_ports = frozenset(own_ports)
        self._new_id = new_id
        self._by_call: dict[bytes, Conversation] = {}
        self._by_thread: dict[bytes, Conversation] = {}

    def handle(self, station: str, event: model.Event, now: float) -> list[Change]:
        """Take one event as the monitor of `station` reported it."""
        match event:
            case model.Transferred() | model.Conferenced():
                return self._joined(station, event, now)
            case model.ConnectionCleared() | model.Diverted():
                return self._cleared(station, event, now)
            case model.CallCleared():
                return self._call_cleared(event, now)
            case model.OtherEvent() | model.InService():
                return []
            case _:
                return self._moved(station, event, now)

    def adopt(self, conversation: Conversation) -> None:
        """Take over a conversation that an earlier run of the recorder had begun."""
        self.conversations[conversation.id] = conversation
        for call_id in conversation.calls:
            self._by_call[call_id] = conversation

    def reconcile(self, station: str, legs: Iterable[model.SnapshotLeg], now: float) -> list[Change]:
        """Bring our view of a station to what a snapshot says (csta.md: resync after a link loss).

        Unknown legs open a conversation "joined in progress"; legs that the PBX does not have are closed.
        """
        changes: list[Change] = []
        present: set[bytes] = set()
        for leg in legs:
            call_id = leg.connection.call_id
            if call_id is None or not leg.states or leg.states[0] is LocalState.NULL:
                continue
            present.add(call_id)
            changes += self._found(station, call_id, leg, now)
        for conversation in list(self.conversations.values()):
            gone = [
                call for call in conversation.calls.values() if station in call.legs and call.call_id not in present
            ]
            for call in gone:
                del call.legs[station]
                call.left_alone()
                changes.append(Happened(conversation, "resync", station, "resync", (("call", call.call_id.hex()),)))
            if gone:
                changes += self._end_if_over(conversation, "resync")
        return changes

    # --- events on one connection

    def _moved(self, station: str, event: model.Event, now: float) -> list[Change]:
        connection: ConnectionId = event.connection  # type: ignore[union-attr]
        if connection.call_id is None:
            return []
        device = self._device(connection, getattr(event, "device", None))
        if device in self._own_ports:
            return []
        conversation, changes = self._of_call(station, connection.call_id, event, now)
        if conversation is None:
            return []
        call = conversation.call(connection.call_id)
        self._by_call[connection.call_id] = conversation
        before = (dict(call.legs), call.answered, conversation.direction)
        state = STATES.get(type(event))
        if device is not None and state is LocalState.FAIL and device != station:
            call.legs.pop(device, None)  # somebody else's failed connection: its own monitor says when it is gone
        elif device is not None and state is not None:
            call.legs[device] = state
            call.connections[device] = connection
        if isinstance(event, model.Established):
            call.answered = True
            conversation.answered = conversation.answered or now
        if isinstance(event, model.Failed):
            conversation.failure = _cause(event)
        self._meet(conversation, station, event, device)
        self._see_local(call, station, event)
        if (call.legs, call.answered, conversation.direction) != before or type(event) not in STATES:
            changes.append(self._happened(conversation, event, device))
        return changes

    def _of_call(
        self, station: str, call_id: bytes, event: model.Event, now: float
    ) -> tuple[Conversation | None, list[Change]]:
        """The conversation that a call belongs to: by its id, by its thread, by consultation; else a new one."""
        known = self._by_call.get(call_id)
        thread = event.linkage.thread if event.linkage else None
        if known is None and thread is not None:
            known = self._by_thread.get(thread)
        if known is None and isinstance(event, model.ServiceInitiated | model.Originated):
            known = self._consulting(station, event)
        changes: list[Change] = []
        if known is None and isinstance(event, OPENING):
            known = Conversation(self._new_id(), now)
            self.conversations[known.id] = known
            changes.append(Began(known))
        if known is not None:
            self._reports(known, station)
            if thread is not None:
                known.thread = thread
                self._by_thread[thread] = known
        return known, changes

    def _reports(self, conversation: Conversation, station: str) -> None:
        if station in self.monitored and station not in conversation.stations:
            conversation.stations.append(station)

    def _consulting(self, station: str, event: model.Event) -> Conversation | None:
        """The conversation that the station has put on hold to consult somebody."""
        if event.cause != CONSULTATION:
            return None
        return next(
            (
                conversation
                for conversation in reversed(self.conversations.values())
                if any(call.legs.get(station) is LocalState.HOLD for call in conversation.calls.values())
            ),
            None,
        )

    def _see_local(self, call: Call, station: str, event: model.Event) -> None:
        """localConnectionInfo is the state of the monitored device itself."""
        if event.local is None or station not in self.monitored:
            return
        if event.local is LocalState.NULL:
            call.legs.pop(station, None)
        else:
            call.legs[station] = event.local

    def _meet(self, conversation: Conversation, station: str, event: model.Event, device: str | None) -> None:
        """Learn parties and direction from what the event tells."""
        parties: model.Parties | None = getattr(event, "parties", None)
        trunk = device is not None and (device in self._trunks or isinstance(event, model.NetworkReached))
        if device is not None and not trunk:
            self._name(conversation, getattr(event, "device", None), external=False)
        if parties is None:
            return
        calling = parties.network_calling if isinstance(parties.network_calling, DeviceId) else parties.calling
        called = parties.network_called if isinstance(parties.network_called, DeviceId) else parties.called
        outward = trunk or self._is_trunk(parties.associated_called)
        inward = self._is_trunk(parties.associated_calling) or self._is_trunk(parties.calling)
        calling_number, called_number = _number(calling), _number(called)
        if inward and calling_number == station:
            inward = False
        if conversation.direction == "unknown" or (
            conversation.direction == "internal" and len(conversation.calls) == 1
        ):
            if inward:
                conversation.direction = "in"
            elif outward:
                conversation.direction = "out"
            elif calling_number in self.monitored or called_number in self.monitored:
                conversation.direction = "internal"
        self._name(conversation, calling, external=inward)
        if not isinstance(event, model.Originated):  # there `called` is what was dialled, access code and all
            self._name(conversation, called, external=outward and not inward)

    def _is_trunk(self, device: model.Device | None) -> bool:
        return _number(device) in self._trunks

    def _name(self, conversation: Conversation, device: model.Device | None, *, external: bool) -> None:
        number = _number(device)
        if number is None or number in self._own_ports or number in self._trunks:
            return
        participant = conversation.participant(number)
        participant.external = participant.external or (external and number not in self.monitored)
        if isinstance(device, DeviceId) and device.name:
            participant.name = device.name

    # --- events on several connections

    def _joined(self, station: str, event: model.Transferred | model.Conferenced, now: float) -> list[Change]:
        """Calls became one: re-key legs by the connection list, old -> new (ECMA-269 Transferred, Conferenced)."""
        olds = [c.call_id for c in (event.primary, event.secondary) if c is not None and c.call_id is not None]
        olds += [link.old.call_id for link in event.connections if link.old and link.old.call_id is not None]
        news = {link.new.call_id for link in event.connections if link.new and link.new.call_id is not None}
        owners = [self._by_call[call_id] for call_id in [*olds, *sorted(news)] if call_id in self._by_call]
        involved = list(dict.fromkeys(owners))
        changes: list[Change] = []
        if involved:
            conversation = min(involved, key=lambda one: one.began)
        elif station in self.monitored and event.local not in (None, LocalState.NULL):
            conversation = Conversation(self._new_id(), now, joined_in_progress=True)
            self.conversations[conversation.id] = conversation
            changes.append(Began(conversation))
        else:
            return []
        if event.local not in (None, LocalState.NULL):
            self._reports(conversation, station)
        for other in involved:
            if other is not conversation:
                changes.append(self._merge(conversation, other))
        before = {call.call_id: (dict(call.legs), call.answered) for call in conversation.calls.values()}
        self._rekey(conversation, event, olds, news)
        for call_id in news or set(olds[:1]):
            call = conversation.call(call_id)
            self._by_call[call_id] = conversation
            self._see_local(call, station, event)
        for device in (event.device, event.to if isinstance(event, model.Transferred) else event.added):
            self._name(conversation, device, external=False)
        if {call.call_id: (call.legs, call.answered) for call in conversation.calls.values()} != before:
            changes.append(self._happened(conversation, event, _number(event.device)))
        return changes + self._end_if_over(conversation, _cause(event))

    def _rekey(
        self,
        conversation: Conversation,
        event: model.Transferred | model.Conferenced,
        olds: list[bytes],
        news: set[bytes],
    ) -> None:
        old_calls = [conversation.calls[c] for c in dict.fromkeys(olds) if c in conversation.calls]
        answered = all(call.answered for call in old_calls) if old_calls else True
        recorder_joined = _number(getattr(event, "added", None)) in self._own_ports
        for link in event.connections:
            if link.new is None or link.new.call_id is None:
                continue
            device = self._device(link.new, link.endpoint)
            if device is None or device in self._own_ports:
                continue
            call = conversation.call(link.new.call_id)
            state = next((old.legs[device] for old in old_calls if device in old.legs), LocalState.CONNECTED)
            # who was on hold is connected by the transfer or conference (not by our own port that joins silently);
            # who still rings goes on ringing
            reconnected = state is LocalState.HOLD and not recorder_joined
            call.legs[device] = LocalState.CONNECTED if reconnected else state
            call.connections[device] = link.new
            self._name(conversation, link.endpoint, external=False)
        for call_id in news:
            call = conversation.call(call_id)
            call.answered = call.answered or answered
        leaver = _number(event.device) if isinstance(event, model.Transferred) else None
        for call in old_calls:
            if call.call_id not in news and news:
                del conversation.calls[call.call_id]
                self._by_call.pop(call.call_id, None)
        if leaver is not None:
            for call in conversation.calls.values():
                call.legs.pop(leaver, None)

    def _merge(self, conversation: Conversation, gone: Conversation) -> Merged:
        for call in gone.calls.values():
            conversation.calls[call.call_id] = call
            self._by_call[call.call_id] = conversation
        conversation.call_ids += [c for c in gone.call_ids if c not in conversation.call_ids]
        conversation.stations += [s for s in gone.stations if s not in conversation.stations]
        for number, participant in gone.participants.items():
            conversation.participants.setdefault(number, participant)
        for thread in [t for t, owner in self._by_thread.items() if owner is gone]:
            self._by_thread[thread] = conversation
        del self.conversations[gone.id]
        return Merged(conversation, gone)

    # --- ends

    def _cleared(self, station: str, event: model.ConnectionCleared | model.Diverted, now: float) -> list[Change]:
        call_id = event.connection.call_id
        device = self._device(event.connection, event.device)
        if device in self._own_ports and device is not None:
            return [PortDropped(device, call_id)] if call_id is not None else []
        conversation = self._by_call.get(call_id) if call_id is not None else None
        if conversation is None or call_id is None or call_id not in conversation.calls:
            return []
        call = conversation.calls[call_id]
        before = dict(call.legs)
        if device is not None:
            call.legs.pop(device, None)
        self._see_local(call, station, event)
        call.left_alone()
        if call.legs == before:
            return []
        return [self._happened(conversation, event, device), *self._end_if_over(conversation, _cause(event))]

    def _call_cleared(self, event: model.CallCleared, now: float) -> list[Change]:
        call_id = event.connection.call_id
        conversation = self._by_call.get(call_id) if call_id is not None else None
        if conversation is None or call_id is None:
            return []
        conversation.calls.pop(call_id, None)
        self._by_call.pop(call_id, None)
        return [self._happened(conversation, event, None), *self._end_if_over(conversation, _cause(event))]

    def _end_if_over(self, conversation: Conversation, cause: str | None) -> list[Change]:
        """Over when no station whose monitor has told of it has a connection left: of others we would not hear."""
        for call_id, call in list(conversation.calls.items()):
            if not call.legs.keys() & set(conversation.stations):
                del conversation.calls[call_id]
                self._by_call.pop(call_id, None)
        if conversation.calls or conversation.id not in self.conversations:
            return []
        del self.conversations[conversation.id]
        for thread in [t for t, owner in self._by_thread.items() if owner is conversation]:
            del self._by_thread[thread]
        return [Ended(conversation, cause)]

    # --- snapshots

    def _found(self, station: str, call_id: bytes, leg: model.SnapshotLeg, now: float) -> list[Change]:
        changes: list[Change] = []
        conversation = self._by_call.get(call_id)
        thread = leg.linkage.thread if leg.linkage else None
        if conversation is None and thread is not None:
            conversation = self._by_thread.get(thread)
        if conversation is None:
            conversation = Conversation(self._new_id(), now, joined_in_progress=True)
            self.conversations[conversation.id] = conversation
            changes.append(Began(conversation))
        if thread is not None:
            conversation.thread = thread
            self._by_thread[thread] = conversation
        self._reports(conversation, station)
        call = conversation.call(call_id)
        self._by_call[call_id] = conversation
        before = (dict(call.legs), call.answered)
        call.legs[station] = leg.states[0]
        call.connections[station] = leg.connection
        others = leg.states[1:]
        if leg.states[0] in (LocalState.CONNECTED, LocalState.HOLD):
            call.answered = (
                call.answered or not others or any(state in (LocalState.CONNECTED, LocalState.HOLD) for state in others)
            )
        if call.answered:
            conversation.answered = conversation.answered or now
        self._name(conversation, leg.endpoint, external=self._is_trunk(leg.endpoint))
        if (call.legs, call.answered) != before:
            changes.append(Happened(conversation, "resync", station, "resync", (("call", call_id.hex()),)))
        return changes

    # --- names of things

    def _device(self, connection: ConnectionId, device: model.Device | None) -> str | None:
        """The device of a connection: its static id, else (dynamic ids) the device that the event names."""
        if isinstance(connection.device, DeviceId):
            return connection.device.number
        return _number(device)

    def _happened(self, conversation: Conversation, event: model.Event, device: str | None) -> Happened:
        detail: dict[str, str] = {}
        match event:
            case model.DigitsGenerated():
                detail["digits"] = event.digits
            case model.Transferred():
                detail["to"] = _number(event.to) or str(event.to)
            case model.Conferenced():
                detail["added"] = _number(event.added) or str(event.added)
            case model.Diverted():
                detail["to"] = _number(event.new_destination) or str(event.new_destination)
            case _:
                pass
        name = type(event).__name__
        kind = "".join(f"-{c.lower()}" if c.isupper() else c for c in name).lstrip("-")
        return Happened(conversation, kind, device, _cause(event), tuple(detail.items()))


def _number(device: model.Device | None) -> str | None:
    return device.number if isinstance(device, DeviceId) else None


def _cause(event: model.Event) -> str | None:
    return None if event.cause is None else cause_name(event.cause)
