"""Snapshots: what the PBX says is so now, whatever events told or failed to tell (csta.md: resync)."""

from collections.abc import Container, Iterable

from osrec.calls.call import ABSENT, ANONYMOUS, Call
from osrec.calls.changes import Began, Change, Happened, Restated
from osrec.calls.conversation import Conversation
from osrec.calls.desk import Desk, same_linkage
from osrec.calls.parties import number_of
from osrec.wire.csta import model
from osrec.wire.csta.model import LocalState

FoundCall = tuple[bytes, model.CallSnapshot]  # with its call id

UNSAID = (LocalState.NULL, LocalState.FAIL)


def reconcile(desk: Desk, station: str, legs: Iterable[model.SnapshotLeg], now: float) -> list[Change]:
    """Bring our view of a station to what a snapshot of it says.

    Unknown legs open a conversation "joined in progress"; legs that the PBX does not have are closed.
    """
    changes: list[Change] = []
    present: set[bytes] = set()
    for leg in legs:
        call_id = leg.connection.call_id
        if call_id is None or (leg.states and leg.states[0] is LocalState.NULL):
            continue
        present.add(call_id)
        changes += _found(desk, station, call_id, leg, now)
    for conversation in list(desk.book.conversations.values()):
        changes += left(desk, conversation, station, now, present)
    return changes


def left(
    desk: Desk, conversation: Conversation, station: str, now: float, present: Container[bytes] = ()
) -> list[Change]:
    """The station is in none of the conversation's calls any more, but for those that are `present`."""
    absent = [call for call in conversation.calls.values() if call.call_id not in present and call.knows(station)]
    gone = [call for call in absent if call.state(station) is not None or call.watched_by(station)]
    for call in absent:
        call.tell_local(station, None, "resync" if station in call.views else ABSENT)
    changes: list[Change] = [_resynced(conversation, station, call) for call in gone]
    return [*changes, *desk.book.settle(conversation, "resync", now)] if gone else []


def reconcile_call(desk: Desk, station: str, call_id: bytes, found: model.CallSnapshot, now: float) -> list[Change]:
    """Bring a station's view of one of its calls to what a snapshot of the call says: everybody, and who called."""
    conversation = desk.book.find(call_id)
    call = conversation.calls.get(call_id) if conversation is not None else None
    if conversation is None or call is None or same_linkage(call.linkage, found.linkage) is False:
        return []
    before, direction, known = desk.legs(conversation), conversation.direction, len(conversation.participants)
    view = call.views.get(station, {})
    listed: set[str] = set()
    for entry in found.entries:
        connection = entry.connection or model.ConnectionId(call_id, None)
        device = call.name_of(connection, entry.device)
        if device is None or desk.parties.is_port(device) or entry.state in UNSAID:
            continue
        listed.add(device)
        state = entry.state if entry.state is not None else call.state(device) or LocalState.CONNECTED
        _say(call, station, device, state)
        if entry.connection is not None:
            call.connections[device] = entry.connection
    for device in [*call.legs, *(one for one in view if one.startswith(ANONYMOUS))]:
        if device not in listed:
            call.tell(station, device, None, "resync")
    desk.parties.found_call(conversation, call, found)
    desk.book.link(conversation, call, found.linkage)
    call.unclear = call.asked = False
    now_known = (desk.legs(conversation), conversation.direction, len(conversation.participants))
    changes: list[Change] = [Restated(conversation)] if now_known != (before, direction, known) else []
    return changes + desk.book.settle(conversation, "resync", now)


def _found(desk: Desk, station: str, call_id: bytes, leg: model.SnapshotLeg, now: float) -> list[Change]:
    changes: list[Change] = []
    known = desk.book.find(call_id)
    call = known.calls.get(call_id) if known is not None else None
    if known is not None and call is not None and same_linkage(call.linkage, leg.linkage) is False:
        changes += desk.give_up(known, call_id, now)
        known = None
    threaded = desk.book.of_thread(leg.linkage)
    if known is None and threaded is None:
        known = desk.book.open(now, joined_in_progress=True)
        changes.append(Began(known))
    conversation, merged = desk.book.unite((known, threaded), now)
    desk.reports(conversation, station, now)
    call = desk.book.call(conversation, call_id)
    desk.book.link(conversation, call, leg.linkage)
    before = (call.state(station), call.others_of(station))
    call.connections[station] = leg.connection
    if leg.states or not call.watched_by(station):
        _enter(call, station, leg)
    desk.parties.found(conversation, station, leg.endpoint)
    if conversation.answered is None and call.talking(station):
        conversation.answered = now
    if (call.state(station), call.others_of(station)) != before:
        changes.append(_resynced(conversation, station, call))
    return [*changes, *merged, *desk.book.settle(conversation, "resync", now)]


def _enter(call: Call, station: str, leg: model.SnapshotLeg) -> None:
    """Take over the states; who the others are stays known where their states are what we thought.

    A PBX that does not tell states is believed to mean people who talk: better recorded than missed.
    """
    own, *others = leg.states or (LocalState.CONNECTED, LocalState.CONNECTED)
    endpoint = number_of(leg.endpoint)
    _say(call, station, station, own)
    told = sorted(state for state in others if state not in UNSAID)
    same_people = endpoint is None or len(told) != 1 or call.state(endpoint) is told[0] or not call.knows(endpoint)
    if call.others_of(station) == told and same_people:
        for device, state in call.legs.items():
            _say(call, station, device, state)
        return
    call.forget_view(station)
    for device in call.legs:
        if device != station and not call.watched_by(device):  # if he is still there he is among those told of now
            call.tell(station, device, None, "resync")
    for number, state in enumerate(told):
        name = endpoint if endpoint is not None and len(told) == 1 else f"{ANONYMOUS}{station}.{number}"
        call.tell(station, name, state, "resync")


def _say(call: Call, station: str, device: str, state: LocalState) -> None:
    """Have the station's monitor say so, unless it does already and is believed: it is newer than all before."""
    said = call.views.get(station, {}).get(device)
    if said is None or said.state is not state or call.state(device) is not state:
        call.views.get(station, {}).pop(device, None)
        call.tell(station, device, state, "resync")


def _resynced(conversation: Conversation, station: str, call: Call) -> Happened:
    return Happened(conversation, "resync", station, "resync", (("call", call.call_id.hex()),))
