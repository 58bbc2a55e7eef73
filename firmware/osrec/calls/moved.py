"""Events about one connection: it came into a state, or something was sent along with the call."""

from osrec.calls.call import ANONYMOUS, Call
from osrec.calls.changes import Change, Happened
from osrec.calls.desk import BEGINS, OPENING, Desk, kind_of
from osrec.calls.parties import device_of, number_of
from osrec.wire.csta import model
from osrec.wire.csta.causes import cause_name
from osrec.wire.csta.model import ConnectionId, LocalState

# What the event says of the connection that it names; the other events change no connection.
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
    model.Bridged: LocalState.QUEUED,  # the appearance may come in: its line is in use
}
JOINS = (*OPENING, model.Bridged, model.Failed)  # who is called in vain is nobody who was there before
CALLED_ON = (model.NetworkReached, model.Delivered)  # answers, where the network tells of none
NEW = (None, 22, 44, 78)  # EventCauses of a call that just begins: newCall, makeCall, normal
CALLED = (model.Delivered, model.Offered, model.Established, model.Queued)  # somebody called, so he is there


def moved(desk: Desk, station: str, event: model.Event, now: float) -> list[Change]:
    """Take the event as the monitor of `station` reported it."""
    connection: ConnectionId = event.connection  # type: ignore[union-attr]
    named: model.Device | None = getattr(event, "device", None)
    if (
        connection.call_id is None
        or desk.parties.from_port(event)
        or desk.parties.is_port(device_of(connection, named))
    ):
        return []
    place, changes = desk.place(station, connection.call_id, event, now)
    if place is None:
        return []
    conversation, call = place.conversation, place.call
    before, direction = desk.legs(conversation), conversation.direction
    if not call.watched_by(station):
        if station in call.views:
            call.doubt_view(station)  # it comes back to a call that it had left
        elif not _fresh(event):
            call.doubt()
    joins = isinstance(event, JOINS) and not (isinstance(event, model.Established) and _was_ringing(call, station))
    device = call.stands_for(station, connection, named, joins=joins, names=type(event) in STATES)
    news = _state(call, station, event, connection, device)
    if isinstance(event, model.NetworkReached) and device is not None:
        call.outside.add(device)
    _see_local(desk, call, station, event)
    _presume_caller(desk, call, station, event)
    desk.parties.meet(conversation, call, station, event, device)
    if isinstance(event, OPENING):  # wherever it was sent on to or parked, somebody has it again
        conversation.patience, conversation.parked_at = desk.book.linger, None
    if isinstance(event, model.Established) or (isinstance(event, CALLED_ON) and call.talking(station)):
        conversation.answered = conversation.answered or now
    if isinstance(event, model.Failed) and event.cause is not None:
        conversation.failure = cause_name(event.cause)
    told = desk.tell(
        conversation,
        station,
        event,
        device,
        news=news or conversation.direction != direction,
        call_id=connection.call_id,
        before=before,
        now=now,
    )
    if isinstance(event, model.DigitsGenerated) and any(isinstance(one, Happened) for one in told):
        desk.parties.digits(conversation, event.digits)
    return changes + told + desk.question(conversation, call)


def _fresh(event: model.Event) -> bool:
    """Whether the call begins here: there is nobody in it but who calls, and he is connected."""
    if isinstance(event, BEGINS):
        return True
    parties: model.Parties | None = getattr(event, "parties", None)
    redirected = parties is not None and number_of(parties.last_redirection) is not None
    return isinstance(event, CALLED) and event.cause in NEW and not redirected


def _state(call: Call, station: str, event: model.Event, connection: ConnectionId, device: str | None) -> bool:
    """Enter what the event says of its connection; whether this monitor had not said so before."""
    state = STATES.get(type(event))
    if state is None or device is None:
        return True  # nothing to know it again by
    if device == station:
        # what the PBX calls the station's own state is more exact than what the event's name says
        state = state if event.local is None else event.local
    elif state is LocalState.FAIL:
        # a failed connection takes part in nothing; and who is in the call already, and is dialled once more, stays
        there = call.state(device)
        waits = there in (LocalState.QUEUED, LocalState.ALERTING) and call.watched_by(device)  # his own monitor says so
        state = there if there in (LocalState.CONNECTED, LocalState.HOLD) or waits else None
    news = call.tell(station, device, None if state is LocalState.NULL else state, kind_of(event))
    if state is not None and (device == station or not call.watched_by(device)):  # it knows best which one it has now
        call.connections[device] = connection
    return news


def _see_local(desk: Desk, call: Call, station: str, event: model.Event) -> None:
    """localConnectionInfo is the state of the monitored device itself."""
    if station not in desk.monitored:
        return
    if event.local is not None:
        call.tell_local(station, None if event.local is LocalState.NULL else event.local)
    elif isinstance(event, OPENING) and not call.watched_by(station):  # it is told of the call, so it is in it
        call.tell_local(station, LocalState.CONNECTED)


def _presume_caller(desk: Desk, call: Call, station: str, event: model.Event) -> None:
    parties: model.Parties | None = getattr(event, "parties", None)
    if parties is None or not isinstance(event, CALLED) or not call.watched_by(station):
        return
    if number_of(parties.calling) != station:
        caller = desk.parties.caller(event, parties)
        stranger = caller in desk.monitored and not call.watched_by(caller or "")  # or its monitor would tell
        call.presume(station, None if stranger or desk.parties.is_group(caller) else caller)
    elif isinstance(event, model.Established) and number_of(event.device) == station:
        call.presume(station, None)  # it takes back the call that it made, from where it was parked


def _was_ringing(call: Call, station: str) -> bool:
    """Somebody whose name was not told rings already: who answers is he."""
    view = call.views.get(station, {})
    return any(said.state is LocalState.ALERTING and one.startswith(ANONYMOUS) for one, said in view.items())
