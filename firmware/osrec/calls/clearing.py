"""Events that end a connection or a call."""

from osrec.calls.changes import Change, PortDropped
from osrec.calls.conversation import Conversation
from osrec.calls.desk import Desk, kind_of, same_linkage
from osrec.calls.parties import PARK, device_of, dynamic_of, number_of
from osrec.wire.csta import model
from osrec.wire.csta.model import LocalState

MULTIPLE_ALERTING = 74  # EventCause multipleAlerting: somebody else has answered

LONGEST_PARKED = 900.0  # seconds that a conversation waits for somebody who takes the parked call
LONGEST_QUEUED = 120.0  # the same for a call that went back to a queue or group
LONGEST_DIVERTED = 5.0  # for the monitor of the station that it was sent on to


def cleared(desk: Desk, station: str, event: model.ConnectionCleared | model.Diverted, now: float) -> list[Change]:
    """Take the event as the monitor of `station` reported it."""
    call_id = event.connection.call_id
    port = device_of(event.connection, event.device)
    if port is not None and desk.parties.is_port(port):
        return [PortDropped(port, call_id, dynamic_of(event.connection))] if call_id is not None else []
    conversation = desk.book.find(call_id)
    call = conversation.calls.get(call_id) if conversation is not None and call_id is not None else None
    if conversation is None or call is None or call_id is None:
        return []
    if same_linkage(call.linkage, event.linkage) is False or station not in call.views:
        return []  # of an older call with the same id
    before = desk.legs(conversation)
    only_rang = event.cause == MULTIPLE_ALERTING  # so he is nobody who was known before by presence alone
    device = call.stands_for(station, event.connection, event.device, joins=only_rang)
    news = False
    if device is not None:
        was_there = call.state(device) is not None or call.knows(device)
        news = call.tell(station, device, None, kind_of(event)) and was_there
    if event.local is not None and station in desk.monitored:
        call.tell_local(station, None if event.local is LocalState.NULL else event.local)
    if isinstance(event, model.Diverted):
        _sent_on(desk, conversation, event, device)
    conversation.told = now
    return desk.tell(conversation, station, event, device, news=news, call_id=call_id, before=before, now=now)


def _sent_on(desk: Desk, conversation: Conversation, event: model.Diverted, device: str | None) -> None:
    """The call goes on elsewhere: the conversation waits for it to come back to a monitored station."""
    to = number_of(event.new_destination)
    if event.cause == PARK:
        conversation.parked_by, conversation.parked_at = device, to
        conversation.patience = LONGEST_PARKED
    elif desk.parties.is_group(to):
        conversation.patience = LONGEST_QUEUED
    elif to in desk.monitored:
        conversation.patience = max(desk.book.linger, LONGEST_DIVERTED)


def call_cleared(desk: Desk, station: str, event: model.CallCleared, now: float) -> list[Change]:
    """The whole call is gone, says a monitor that watches calls."""
    call_id = event.connection.call_id
    conversation = desk.book.find(call_id)
    call = conversation.calls.get(call_id) if conversation is not None and call_id is not None else None
    if conversation is None or call is None or call_id is None:
        return []
    if same_linkage(call.linkage, event.linkage) is False:
        return []
    before = desk.legs(conversation)
    desk.book.drop(conversation, call_id)
    return desk.tell(conversation, station, event, None, news=True, call_id=call_id, before=before, now=now)
