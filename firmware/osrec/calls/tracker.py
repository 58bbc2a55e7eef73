"""CSTA events in, conversations out: who talks to whom, and when (ECMA-269 clause 6: calls, connections, states).

Each handler is a module of its own: `moved` for events about one connection, `joining` for transfer and conference,
`clearing` for ends, `snapshots` for what the PBX says is so now. Call ids change on transfer and conference and come
again later; threadData of the call linkage, where the PBX gives it, does neither.
"""

from collections.abc import Callable, Iterable
from uuid import UUID

from osrec.calls.book import Book
from osrec.calls.call import Audience
from osrec.calls.changes import Change
from osrec.calls.clearing import call_cleared, cleared
from osrec.calls.conversation import Conversation
from osrec.calls.desk import Desk
from osrec.calls.joining import joined
from osrec.calls.moved import moved
from osrec.calls.numbering import Site
from osrec.calls.parties import Parties
from osrec.calls.snapshots import FoundCall, left, reconcile, reconcile_call
from osrec.numbers import Patterns
from osrec.wire.csta import model


class Tracker:
    """All conversations of the monitored stations.

    Args:
        monitored: numbers of the stations that are monitored.
        trunks: patterns of trunk numbers: parties behind them are outside.
        own_ports: the recorder's own numbers, which are never parties.
        new_id: makes an id for a conversation.
        site: its prefixes, for E.164.
        groups: patterns of queues, hunt groups and announcement devices.
        queues_talk: time in a queue or with an announcement counts as talk.
        network_answers: a call that has reached the network counts as talk: its trunks never tell of an answer.
        linger: seconds for which a conversation that is over waits for monitors that are behind.
    """

    def __init__(
        self,
        monitored: Iterable[str],
        trunks: Patterns,
        own_ports: Iterable[str],
        new_id: Callable[[], UUID],
        *,
        site: Site | None = None,
        groups: Patterns | None = None,
        queues_talk: bool = False,
        network_answers: bool = False,
        linger: float = 0.0,
    ) -> None:
        self.monitored = frozenset(monitored)
        groups = groups or Patterns(())
        self._book = Book(new_id, linger, Audience(groups, queues_talk, network_answers, trunks))
        self._desk = Desk(self._book, Parties(self.monitored, trunks, own_ports, groups, site or Site()))

    @property
    def conversations(self) -> dict[UUID, Conversation]:
        """Running ones, by id; those that are over and wait for late events, too."""
        return self._book.conversations

    @property
    def deadline(self) -> float | None:
        """When to call `expire`; None: nothing is due."""
        return self._book.deadline

    def expire(self, now: float) -> list[Change]:
        """End the conversations that have been over for long enough."""
        return self._book.expire(now)

    def handle(self, station: str, event: model.Event, now: float) -> list[Change]:
        """Take one event as the monitor of `station` reported it."""
        changes = self.expire(now)
        match event:
            case model.Transferred() | model.Conferenced():
                changes += joined(self._desk, station, event, now)
            case model.ConnectionCleared() | model.Diverted():
                changes += cleared(self._desk, station, event, now)
            case model.CallCleared():
                changes += call_cleared(self._desk, station, event, now)
            case model.OtherEvent() | model.InService():
                pass
            case _:
                changes += moved(self._desk, station, event, now)
        return changes

    def of_call(self, call_id: bytes | None) -> Conversation | None:
        """The running conversation that a call belongs to."""
        return self._book.find(call_id)

    def adopt(self, conversation: Conversation) -> None:
        """Take over a conversation that an earlier run of the recorder had begun."""
        self._book.adopt(conversation)

    def restore(self, conversation: Conversation, now: float) -> list[Change]:
        """The same, where it is known who was in which of its calls, and whether it was over for us."""
        self._book.adopt(conversation)
        return self._book.settle(conversation, None, now)

    def reconcile(
        self, station: str, legs: Iterable[model.SnapshotLeg], now: float, calls: Iterable[FoundCall] = ()
    ) -> list[Change]:
        """Bring our view of a station to what a snapshot says; snapshots of its calls tell who is in them."""
        changes = [*self.expire(now), *reconcile(self._desk, station, legs, now)]
        for call_id, found in calls:
            changes += reconcile_call(self._desk, station, call_id, found, now)
        return changes

    def left(self, conversation: Conversation, station: str, now: float) -> list[Change]:
        """A station's part in a conversation is over, and nobody told us; of its other calls that says nothing."""
        return left(self._desk, conversation, station, now)

    def found(self, station: str, call_id: bytes, call: model.CallSnapshot, now: float) -> list[Change]:
        """Take what the PBX answered to the question that `Unclear` was: who is in the station's call, and how."""
        return [*self.expire(now), *reconcile_call(self._desk, station, call_id, call, now)]
