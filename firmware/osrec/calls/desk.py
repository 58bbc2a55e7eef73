"""What all handlers of events share: whose conversation a call is, and what is told of it."""

from dataclasses import dataclass

from osrec.calls.book import Book
from osrec.calls.call import ABSENT, Call
from osrec.calls.changes import Began, Change, Happened, Restated, Unclear
from osrec.calls.conversation import Conversation
from osrec.calls.parties import Parties, number_of
from osrec.wire.csta import model
from osrec.wire.csta.causes import cause_name
from osrec.wire.csta.model import Linkage, LocalState

CONSULTATION = 37  # EventCause consultation

OPENING = (
    model.ServiceInitiated,
    model.Originated,
    model.Offered,
    model.Queued,
    model.NetworkReached,
    model.Delivered,
    model.Established,
)
BEGINS = (model.ServiceInitiated, model.Originated)  # there is no call before them

Legs = dict[bytes, dict[str, LocalState]]


@dataclass(frozen=True, slots=True)
class Place:
    """Where an event belongs."""

    conversation: Conversation
    call: Call


class Desk:
    """The book of conversations, the parties, and the way from an event to its call."""

    def __init__(self, book: Book, parties: Parties) -> None:
        self.book = book
        self.parties = parties

    @property
    def monitored(self) -> frozenset[str]:
        return self.parties.monitored

    # --- which call, which conversation

    def place(self, station: str, call_id: bytes, event: model.Event, now: float) -> tuple[Place | None, list[Change]]:
        """By the call's id, its thread, or the consultation that it is; all of them are one. Else a new one.

        None when the event does not show the station in a call.
        """
        changes: list[Change] = []
        known = self.book.find(call_id)
        call = known.calls.get(call_id) if known is not None else None
        shows = event.local is not LocalState.NULL and (isinstance(event, OPENING) or event.local is not None)
        if known is not None and call is not None and not same_call(call, station, event):
            if not shows:
                return None, []  # of an older call with the same id
            changes += self.give_up(known, call_id, now)
            known = call = None
        if known is None and not shows:
            return None, []
        threaded = self.book.of_thread(event.linkage)
        held = self._consulted_from(station, event)
        if known is None and threaded is None and held is None:
            known = self.book.open(now, joined_in_progress=not isinstance(event, OPENING))
            changes.append(Began(known))
        conversation, merged = self.book.unite((known, threaded, held), now)
        self.reports(conversation, station, now)
        call = self.book.call(conversation, call_id)
        self.book.link(conversation, call, event.linkage)
        return Place(conversation, call), [*changes, *merged]

    def _consulted_from(self, station: str, event: model.Event) -> Conversation | None:
        """Whom the station holds to consult somebody; where threads are told, they tell better."""
        if not isinstance(event, BEGINS) or event.cause != CONSULTATION:
            return None
        held = self.book.holding(station)
        if held is None or event.linkage is None or event.linkage.thread is None or not held.threads:
            return held
        return held if event.linkage.thread in held.threads else None

    def give_up(self, conversation: Conversation, call_id: bytes, now: float) -> list[Change]:
        """The PBX has given the id to another call, so this one is over, though nobody told us."""
        self.book.drop(conversation, call_id)
        if any(conversation.has(station) for station in conversation.stations):
            return [Restated(conversation)]
        return self.book.close(conversation, now, "call id used again" if conversation.over is None else None)

    def reports(self, conversation: Conversation, station: str, now: float) -> None:
        """The station's monitor told of the conversation."""
        conversation.told = now
        if station in self.monitored and station not in conversation.stations:
            conversation.stations.append(station)

    # --- what is told of it

    def legs(self, conversation: Conversation) -> Legs:
        return {call.call_id: legs for call in conversation.calls.values() if (legs := call.legs)}

    def tell(
        self,
        conversation: Conversation,
        station: str,
        event: model.Event,
        device: str | None,
        *,
        news: bool,
        call_id: bytes,
        before: Legs,
        now: float,
    ) -> list[Change]:
        """The step if it is one that no other monitor told before, or that the connections are otherwise now.

        Args:
            news: the event says something that this monitor had not said before.
            before: connections before the event.
        """
        step = (kind_of(event), device or "", call_id.hex(), *(text for _, text in detail_of(event)))
        changes: list[Change] = []
        if news and conversation.is_new(station, *step):
            detail = (*detail_of(event), *conversation.newly_sent(attached_to(event)))
            changes.append(Happened(conversation, kind_of(event), device, cause_of(event), detail))
        elif self.legs(conversation) != before:
            changes.append(Restated(conversation))
        return changes + self.book.settle(conversation, cause_of(event), now)

    def question(self, conversation: Conversation, call: Call | None) -> list[Change]:
        """Have the PBX asked who is in the call, if that is unclear and a station has to know: it is connected."""
        if call is None or not call.unclear or call.asked:
            return []
        for station in conversation.stations:
            own = call.connections.get(station)
            if own is not None and call.own_state(station) is LocalState.CONNECTED:
                call.asked = True
                return [Unclear(conversation, station, own)]
        return []


def same_call(call: Call, station: str, event: model.Event) -> bool:
    """Whether an event is about this call and not about another one that has got its id (ids come again)."""
    if (same := same_linkage(call.linkage, event.linkage)) is not None:
        return same
    if call.watched_by(station):
        fresh = call.state(station) is LocalState.INITIATED
        return fresh or not isinstance(event, model.ServiceInitiated)
    if not isinstance(event, OPENING):
        return True
    if isinstance(event, BEGINS):  # unless another monitor told of this caller before, it is another call
        named = call.knows(station) or call.calling == station
        own = call.views.get(station, {}).get(station)
        return named and (own is None or own.kind == ABSENT)
    parties: model.Parties | None = getattr(event, "parties", None)
    calling = "" if parties is None else number_of(parties.network_calling) or number_of(parties.calling)
    return not calling or not call.calling or calling == call.calling


def same_linkage(one: Linkage | None, other: Linkage | None) -> bool | None:
    """None when the linkages do not tell: in one thread an id may come again, or monitors may see it differently."""
    if one is None or other is None:
        return None
    if one.call == other.call:
        return True
    return None if one.thread is not None and one.thread == other.thread else False


def kind_of(event: model.Event) -> str:
    """The event's name as ECMA-269 has it, in lower case: "connection-cleared"."""
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in type(event).__name__).lstrip("-")


def cause_of(event: model.Event) -> str | None:
    return None if event.cause is None else cause_name(event.cause)


def detail_of(event: model.Event) -> tuple[tuple[str, str], ...]:
    match event:
        case model.DigitsGenerated():
            return (("digits", event.digits),)
        case model.DigitsDialed():
            return (("digits", _text(event.digits)),)
        case model.CallInformation() if event.account:
            return (("account", event.account.decode("latin-1")),)
        case model.Transferred():
            return (("to", _text(event.to)),)
        case model.Conferenced():
            return (("added", _text(event.added)),)
        case model.Diverted():
            return (("to", _text(event.new_destination)),)
        case _:
            return ()


def attached_to(event: model.Event) -> tuple[tuple[str, str], ...]:
    """Data that applications send along with a call: text where it is some, else hexadecimal digits."""
    attached = ("user data", getattr(event, "user_data", None)), ("correlator", getattr(event, "correlator", None))
    return tuple((key, _legible(octets)) for key, octets in attached if octets)


def _legible(octets: bytes) -> str:
    text = octets.decode("latin-1")
    return text if text.isprintable() else octets.hex(" ")


def _text(device: model.Device) -> str:
    return number_of(device) or str(device)
