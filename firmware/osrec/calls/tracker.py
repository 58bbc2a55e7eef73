"""CSTA events in, conversations out: who talks to whom, and when.

A leg is keyed by (call id, device number). Two monitored parties of one call report the same transition twice and in
any order, so events set states rather than count them, and only what really changed is told on. Rules of ECMA-269
clause 6 (calls, connections, states) and the field notes on HiPath: call ids change on transfer and conference,
threadData of the call linkage does not.
"""

from collections.abc import Callable, Iterable
from uuid import UUID

from osrec.calls.book import Book
from osrec.calls.changes import Began, Change, Ended, Happened, Merged, PortDropped, PortMoved
from osrec.calls.conversation import Call, Conversation
from osrec.calls.parties import Parties, device_of, number_of
from osrec.numbers import Patterns
from osrec.wire.csta import model
from osrec.wire.csta.causes import cause_name
from osrec.wire.csta.model import ConnectionId, LocalState

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
NEVER_SPOKE = (LocalState.ALERTING, LocalState.QUEUED, LocalState.FAIL)
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
        self.monitored = frozenset(monitored)
        self._parties = Parties(self.monitored, trunks, own_ports)
        self._book = Book(new_id)

    @property
    def conversations(self) -> dict[UUID, Conversation]:
        """Running ones, by id."""
        return self._book.conversations

    def handle(self, station: str, event: model.Event, now: float) -> list[Change]:
        """Take one event as the monitor of `station` reported it."""
        match event:
            case model.Transferred() | model.Conferenced():
                moved = self._ports_moved(event)
                return moved if self._only_ports(event) else [*moved, *self._joined(station, event, now)]
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
        self._book.adopt(conversation)

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
        device = device_of(connection, getattr(event, "device", None))
        if self._parties.is_port(device):
            return []
        conversation, changes = self._of_call(station, connection.call_id, event, now)
        if conversation is None:
            return []
        call = self._book.call(conversation, connection.call_id)
        before = (dict(call.legs), call.answered, conversation.direction)
        state = STATES.get(type(event))
        if device is not None and state is LocalState.FAIL and device != station:
            call.legs.pop(device, None)  # somebody else's failed connection: its own monitor says when it is gone
        elif device is not None and state is not None:
            call.legs[device] = state
            call.connections[device] = connection
            call.gone.discard(device)
        if isinstance(event, model.Established):
            call.answered = True
            conversation.answered = conversation.answered or now
        if isinstance(event, model.Failed):
            conversation.failure = _cause(event)
        self._parties.meet(conversation, station, event, device)
        self._see_local(call, station, event)
        if (call.legs, call.answered, conversation.direction) != before or type(event) not in STATES:
            changes.append(self._happened(conversation, event, device))
        return changes + self._end_if_over(conversation, _cause(event))

    def _of_call(
        self, station: str, call_id: bytes, event: model.Event, now: float
    ) -> tuple[Conversation | None, list[Change]]:
        """The conversation that a call belongs to: by its id, by its thread, by consultation; else a new one."""
        thread = event.linkage.thread if event.linkage else None
        known = self._book.find(call_id, thread)
        if (
            known is None
            and isinstance(event, model.ServiceInitiated | model.Originated)
            and event.cause == CONSULTATION
        ):
            known = self._book.holding(station)
        changes: list[Change] = []
        if known is None and isinstance(event, OPENING):
            known = self._book.open(now)
            changes.append(Began(known))
        if known is not None:
            self._reports(known, station)
            self._book.thread(known, thread)
        return known, changes

    def _reports(self, conversation: Conversation, station: str) -> None:
        if station in self.monitored and station not in conversation.stations:
            conversation.stations.append(station)

    def _see_local(self, call: Call, station: str, event: model.Event) -> None:
        """localConnectionInfo is the state of the monitored device itself."""
        if station not in self.monitored:
            return
        if event.local is None:
            if isinstance(event, OPENING):  # it is told of the call, so it is in it
                call.legs.setdefault(station, LocalState.CONNECTED)
        elif event.local is LocalState.NULL:
            call.legs.pop(station, None)
        else:
            call.legs[station] = event.local

    # --- events on several connections

    def _ports_moved(self, event: model.Transferred | model.Conferenced) -> list[Change]:
        changes: list[Change] = []
        for link in event.connections:
            if link.new is None or link.old is None or link.new.call_id in (None, link.old.call_id):
                continue
            port = device_of(link.new, link.endpoint)
            if port is not None and self._parties.is_port(port) and link.new.call_id is not None:
                changes.append(PortMoved(port, link.new.call_id))
        return changes

    def _only_ports(self, event: model.Transferred | model.Conferenced) -> bool:
        """Nothing but our own ports joined or moved: the call itself is what it was."""
        return bool(event.connections) and all(
            link.new is not None and self._parties.is_port(device_of(link.new, link.endpoint))
            for link in event.connections
        )

    def _joined(self, station: str, event: model.Transferred | model.Conferenced, now: float) -> list[Change]:
        """Calls became one: re-key legs by the connection list, old -> new (ECMA-269 Transferred, Conferenced)."""
        olds = [c.call_id for c in (event.primary, event.secondary) if c is not None and c.call_id is not None]
        olds += [link.old.call_id for link in event.connections if link.old and link.old.call_id is not None]
        news = {link.new.call_id for link in event.connections if link.new and link.new.call_id is not None}
        owners = (self._book.find(call_id) for call_id in [*olds, *sorted(news)])
        involved = list(dict.fromkeys(owner for owner in owners if owner is not None))
        changes: list[Change] = []
        if involved:
            conversation = min(involved, key=lambda one: one.began)
        elif station in self.monitored and event.local not in (None, LocalState.NULL):
            conversation = self._book.open(now, joined_in_progress=True)
            changes.append(Began(conversation))
        else:
            return []
        if event.local not in (None, LocalState.NULL):
            self._reports(conversation, station)
        for other in involved:
            if other is not conversation:
                self._book.merge(conversation, other)
                changes.append(Merged(conversation, other))
        before = {call.call_id: (dict(call.legs), call.answered) for call in conversation.calls.values()}
        self._rekey(conversation, event, olds, news)
        for call_id in news or set(olds[:1]):
            call = self._book.call(conversation, call_id)
            self._see_local(call, station, event)
        for device in (event.device, event.to if isinstance(event, model.Transferred) else event.added):
            self._parties.name(conversation, device)
        joined = isinstance(event, model.Conferenced) and self._parties.is_port(number_of(event.added))
        if {call.call_id: (call.legs, call.answered) for call in conversation.calls.values()} != before and not joined:
            changes.append(self._happened(conversation, event, number_of(event.device)))
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
        recorder_joined = self._parties.is_port(number_of(getattr(event, "added", None)))
        for link in event.connections:
            if link.new is None or link.new.call_id is None:
                continue
            device = device_of(link.new, link.endpoint)
            if device is None or self._parties.is_port(device):
                continue
            call = conversation.call(link.new.call_id)
            state = next((old.legs[device] for old in old_calls if device in old.legs), LocalState.CONNECTED)
            # who was on hold is connected by the transfer or conference (not by our own port that joins silently);
            # who still rings goes on ringing
            reconnected = state is LocalState.HOLD and not recorder_joined
            call.legs[device] = LocalState.CONNECTED if reconnected else state
            call.connections[device] = link.new
            self._parties.name(conversation, link.endpoint)
        for call_id in news:
            call = conversation.call(call_id)
            call.answered = call.answered or answered
        leaver = number_of(event.device) if isinstance(event, model.Transferred) else None
        for call in old_calls:
            if call.call_id not in news and news:
                self._book.drop(conversation, call.call_id)
        if leaver is not None:
            for call in conversation.calls.values():
                call.legs.pop(leaver, None)

    # --- ends

    def _cleared(self, station: str, event: model.ConnectionCleared | model.Diverted, now: float) -> list[Change]:
        call_id = event.connection.call_id
        device = device_of(event.connection, event.device)
        if device is not None and self._parties.is_port(device):
            return [PortDropped(device, call_id)] if call_id is not None else []
        conversation = self._book.find(call_id)
        if conversation is None or call_id is None or call_id not in conversation.calls:
            return []
        call = conversation.calls[call_id]
        before = dict(call.legs)
        if device is not None:
            call.legs.pop(device, None)
        self._see_local(call, station, event)
        if device not in call.gone and before.get(device or "") not in NEVER_SPOKE:
            call.left_alone()
        call.gone.add(device)
        if call.legs == before:
            return []
        return [self._happened(conversation, event, device), *self._end_if_over(conversation, _cause(event))]

    def _call_cleared(self, event: model.CallCleared, now: float) -> list[Change]:
        call_id = event.connection.call_id
        conversation = self._book.find(call_id)
        if conversation is None or call_id is None:
            return []
        self._book.drop(conversation, call_id)
        return [self._happened(conversation, event, None), *self._end_if_over(conversation, _cause(event))]

    def _end_if_over(self, conversation: Conversation, cause: str | None) -> list[Change]:
        """Over when no station whose monitor has told of it has a connection left: of others we would not hear."""
        for call_id, call in list(conversation.calls.items()):
            if not call.legs.keys() & set(conversation.stations):
                self._book.drop(conversation, call_id)
        if conversation.calls or conversation.id not in self.conversations:
            return []
        self._book.close(conversation)
        return [Ended(conversation, cause)]

    # --- snapshots

    def _found(self, station: str, call_id: bytes, leg: model.SnapshotLeg, now: float) -> list[Change]:
        changes: list[Change] = []
        thread = leg.linkage.thread if leg.linkage else None
        conversation = self._book.find(call_id, thread)
        if conversation is None:
            conversation = self._book.open(now, joined_in_progress=True)
            changes.append(Began(conversation))
        self._book.thread(conversation, thread)
        self._reports(conversation, station)
        call = self._book.call(conversation, call_id)
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
        self._parties.found(conversation, station, leg.endpoint)
        if (call.legs, call.answered) != before:
            changes.append(Happened(conversation, "resync", station, "resync", (("call", call_id.hex()),)))
        return changes

    # --- names of things

    def _happened(self, conversation: Conversation, event: model.Event, device: str | None) -> Happened:
        detail: dict[str, str] = {}
        match event:
            case model.DigitsGenerated():
                detail["digits"] = event.digits
            case model.Transferred():
                detail["to"] = number_of(event.to) or str(event.to)
            case model.Conferenced():
                detail["added"] = number_of(event.added) or str(event.added)
            case model.Diverted():
                detail["to"] = number_of(event.new_destination) or str(event.new_destination)
            case _:
                pass
        name = type(event).__name__
        kind = "".join(f"-{c.lower()}" if c.isupper() else c for c in name).lstrip("-")
        return Happened(conversation, kind, device, _cause(event), tuple(detail.items()))


def _cause(event: model.Event) -> str | None:
    return None if event.cause is None else cause_name(event.cause)
