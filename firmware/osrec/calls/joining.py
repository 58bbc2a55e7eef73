"""Transferred and Conferenced: connections go from old calls to a new one (ECMA-269, lists of old and new connections).

A monitor says of the new call what it knew of the old ones. What only other monitors knew, or nobody, it presumes, so
that theirs may correct it, whichever comes first.
"""

from osrec.calls.call import MOVED, Call
from osrec.calls.changes import Change, PortMoved
from osrec.calls.conversation import Conversation
from osrec.calls.desk import Desk, kind_of, same_linkage
from osrec.calls.parties import device_of, dynamic_of, number_of
from osrec.wire.csta import model
from osrec.wire.csta.model import LinkedConnection, LocalState

Joining = model.Transferred | model.Conferenced


def joined(desk: Desk, station: str, event: Joining, now: float) -> list[Change]:
    """Take the event as the monitor of `station` reported it."""
    if desk.parties.is_port(_newcomer(event)):
        return _ports_moved(desk, event)  # our own port listens now: the call is what it was
    conversation, changes = _conversation_of(desk, station, event, now)
    if conversation is None:
        return changes
    before = desk.legs(conversation)
    news = _Move(desk, conversation, station, event).apply()
    for party in (event.device, event.to if isinstance(event, model.Transferred) else event.added):
        desk.parties.name(conversation, party)
    new_ids = b"".join(sorted(_new_ids(event)))
    by = number_of(event.device)
    told = desk.tell(conversation, station, event, by, news=news, call_id=new_ids, before=before, now=now)
    for call_id in sorted(_new_ids(event)):
        told += desk.question(conversation, conversation.calls.get(call_id))
    return [*changes, *told]


def _newcomer(event: Joining) -> str | None:
    return number_of(event.added) if isinstance(event, model.Conferenced) else None


def _ports_moved(desk: Desk, event: Joining) -> list[Change]:
    changes: list[Change] = []
    for link in event.connections:
        if link.new is None or link.old is None or link.new.call_id in (None, link.old.call_id):
            continue
        port = device_of(link.new, link.endpoint)
        if port is not None and desk.parties.is_port(port) and link.new.call_id is not None:
            changes.append(PortMoved(port, link.new.call_id, dynamic_of(link.new)))
    return changes


def _new_ids(event: Joining) -> set[bytes]:
    return {link.new.call_id for link in event.connections if link.new and link.new.call_id is not None}


def _old_ids(event: Joining) -> list[bytes]:
    olds = [one.call_id for one in (event.primary, event.secondary) if one is not None and one.call_id is not None]
    olds += [link.old.call_id for link in event.connections if link.old and link.old.call_id is not None]
    return list(dict.fromkeys(olds))


def _conversation_of(desk: Desk, station: str, event: Joining, now: float) -> tuple[Conversation | None, list[Change]]:
    """Of the old calls, the new one and the thread; a new one when the station shows itself in a call."""
    ports = [*_ports_moved(desk, event), *_give_up_older(desk, event, now)]
    old_owners = [
        owner
        for call_id in _old_ids(event)
        if (owner := desk.book.find(call_id)) is not None and _is_meant(owner.calls.get(call_id), event)
    ]
    owners = [*old_owners, *(desk.book.find(call_id) for call_id in sorted(_new_ids(event)))]
    involved = [owner for owner in (*owners, desk.book.of_thread(event.linkage)) if owner is not None]
    present = event.local is not None and event.local is not LocalState.NULL
    if not involved and not (present and station in desk.monitored):
        return None, ports
    conversation, changes = desk.book.unite(involved, now)
    if not involved:
        conversation.joined_in_progress = True
    if present:
        desk.reports(conversation, station, now)
    conversation.told = now
    conversation.patience = desk.book.linger
    desk.book.link(conversation, None, event.linkage)
    return conversation, [*ports, *changes]


def _give_up_older(desk: Desk, event: Joining, now: float) -> list[Change]:
    """A call that is known by the new id and is another one is over: the PBX has given its id again."""
    changes: list[Change] = []
    for call_id in sorted(_new_ids(event)):
        owner = desk.book.find(call_id)
        call = owner.calls.get(call_id) if owner is not None else None
        if owner is not None and call is not None and same_linkage(call.linkage, event.linkage) is False:
            changes += desk.give_up(owner, call_id, now)
    return changes


def _is_meant(call: Call | None, event: Joining) -> bool:
    """Whether the call that we know by an old id is the one of the event: somebody of the event was in it."""
    if call is None:
        return True
    named = [device_of(link.old, link.endpoint) for link in event.connections if link.old is not None]
    known = [device for device in (*named, number_of(event.device)) if device is not None and call.knows(device)]
    return bool(known) or not event.connections


class _Move:
    """Enters one monitor's account of what became of the connections."""

    def __init__(self, desk: Desk, conversation: Conversation, station: str, event: Joining) -> None:
        self._desk = desk
        self._conversation = conversation
        self._station = station
        self._event = event
        self._kind = kind_of(event)
        self._decider = number_of(event.device)
        self._news = _new_ids(event)
        self._olds = _old_ids(event)

    def apply(self) -> bool:
        """Whether this monitor had not said so before."""
        if not self._event.connections:
            return self._without_list()
        told = [self._place(link) for link in self._event.connections]
        self._close_old_calls()
        self._see_local()
        return any(told)

    def _place(self, link: LinkedConnection) -> bool:
        if link.new is None or link.new.call_id is None:
            return False
        call = self._desk.book.call(self._conversation, link.new.call_id)
        self._desk.book.link(self._conversation, call, self._event.linkage)
        before = self._name_before(link)
        device = call.named_before(link.new) or call.unlike(before, link.new) or call.name_of(link.new, link.endpoint)
        if device is None or self._desk.parties.is_port(device):
            return False
        self._desk.parties.name(self._conversation, link.endpoint)
        call.connections[device] = link.new
        old = self._conversation.calls.get(link.old.call_id or b"") if link.old is not None else None
        if old is not None and old is not call:
            old.heirs[before or device] = call, device
            if (before or device) in old.outside:
                call.outside.add(device)
        stays = link.old is not None and link.old.call_id == link.new.call_id and call.state(device) is not None
        if stays and (device != self._decider or self._event.secondary is None):
            return False  # where it was, as it was
        said = call.views.get(self._station, {}).get(device)
        if said is not None and said.kind == self._kind:
            return False  # it came twice, and the old calls are gone by now
        state, sure = self._state_before(device, before or device) or (
            call.state(device) or LocalState.CONNECTED,
            False,
        )
        if not sure and device not in self._desk.monitored:  # else its own monitor tells
            call.doubt()
        return call.tell(self._station, device, state, self._kind, sure=sure)

    def _name_before(self, link: LinkedConnection) -> str | None:
        """The name that a connection had in its old call: a dynamic id may have come with another number there."""
        old = self._conversation.calls.get(link.old.call_id or b"") if link.old is not None else None
        return old.named_before(link.old) if old is not None and link.old is not None else None

    def _state_before(self, device: str, name: str) -> tuple[LocalState, bool] | None:
        """The state that a connection brings along, and whether this monitor knew it; None when nobody does.

        Whoever joins calls takes part; the others stay as they were. `name`: what the old call knew him by.
        """
        if device == self._decider:
            return LocalState.CONNECTED, True
        calls = [self._conversation.calls[c] for c in self._olds if c in self._conversation.calls]
        for call in calls:
            said = call.views.get(self._station, {}).get(name)
            if said is not None and said.state is not None and said.sure and call.watched_by(self._station):
                return said.state, True
        for call in calls:
            if (state := call.state(name)) is not None:
                return (state if call.watched else LocalState.CONNECTED), False  # what was so long ago may be over
        return None

    def _close_old_calls(self) -> None:
        """Nobody of those who moved is in an old call any more, nor is who transferred the call."""
        for call_id in self._olds:
            call = self._conversation.calls.get(call_id)
            if call is None or (call_id in self._news and self._event.local is not LocalState.NULL):
                self._decider_leaves(call)
                continue
            if call_id not in self._news:
                for device in [*call.legs, self._station]:
                    call.tell(self._station, device, None, MOVED)
            else:
                self._decider_leaves(call)

    def _decider_leaves(self, call: Call | None) -> None:
        """A transfer takes him out, also of a call that keeps its id."""
        if call is None or not isinstance(self._event, model.Transferred) or self._decider is None:
            return
        listed = {device_of(link.new, link.endpoint) for link in self._event.connections if link.new is not None}
        if self._decider not in listed:
            call.tell(self._station, self._decider, None, MOVED)

    def _see_local(self) -> None:
        event, station = self._event, self._station
        if station not in self._desk.monitored or event.local is None:
            return
        if event.local is LocalState.NULL:
            for call_id in {*self._olds, *self._news}:
                call = self._conversation.calls.get(call_id)
                if call is not None and station in call.views.get(station, {}):
                    call.tell_local(station, None)
            return
        calls = [self._conversation.calls[c] for c in self._news if c in self._conversation.calls]
        in_it = [call for call in calls if station in call.views.get(station, {})] or calls
        for call in in_it[:1]:
            call.tell_local(station, event.local, self._kind)

    def _without_list(self) -> bool:
        """The PBX does not list the connections: the first old call goes on with whoever was added."""
        call_id = self._olds[0] if self._olds else None
        if call_id is None:
            return False
        call = self._desk.book.call(self._conversation, call_id)
        self._decider_leaves(call)
        event = self._event
        newcomer = number_of(event.to if isinstance(event, model.Transferred) else event.added)
        if newcomer is not None:
            call.tell(self._station, newcomer, LocalState.CONNECTED, self._kind, sure=False)
        if event.local is not None and self._station in self._desk.monitored:
            call.tell_local(self._station, None if event.local is LocalState.NULL else event.local)
        return True
