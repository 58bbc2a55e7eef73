"""All running conversations, and how to find the one that a call belongs to."""

from collections.abc import Callable, Iterable
from typing import TypeVar
from uuid import UUID

from osrec.calls.call import Audience, Call
from osrec.calls.changes import Began, Change, Ended, Merged
from osrec.calls.conversation import Conversation
from osrec.wire.csta.model import Linkage, LocalState

T = TypeVar("T")


class Book:
    """Conversations by id, by call and by thread (threadData of the call linkage, constant over a transfer).

    Args:
        new_id: makes an id for a conversation.
        linger: seconds for which a conversation that is over waits for monitors that are behind.
        audience: whom talking to counts as talk.
    """

    def __init__(self, new_id: Callable[[], UUID], linger: float, audience: Audience) -> None:
        self.conversations: dict[UUID, Conversation] = {}
        self._new_id = new_id
        self.linger = linger
        self._audience = audience
        self._by_call: dict[bytes, Conversation] = {}
        self._by_thread: dict[bytes, Conversation] = {}
        self._over: dict[UUID, float] = {}  # when those end that nobody is in

    # --- finding

    def find(self, call_id: bytes | None) -> Conversation | None:
        return self._by_call.get(call_id) if call_id is not None else None

    def of_thread(self, linkage: Linkage | None) -> Conversation | None:
        return self._by_thread.get(linkage.thread) if linkage is not None and linkage.thread is not None else None

    def holding(self, station: str) -> Conversation | None:
        """The newest conversation that the station has put on hold, as its own monitor says: others may be ahead."""
        return next(
            (
                conversation
                for conversation in reversed(self.conversations.values())
                if any(call.own_state(station) is LocalState.HOLD for call in conversation.calls.values())
            ),
            None,
        )

    # --- entering

    def open(self, now: float, *, joined_in_progress: bool = False) -> Conversation:
        """A new conversation."""
        conversation = Conversation(
            self._new_id(), now, joined_in_progress=joined_in_progress, told=now, patience=self.linger
        )
        self.conversations[conversation.id] = conversation
        return conversation

    def adopt(self, conversation: Conversation) -> None:
        """Take over a conversation that an earlier run of the recorder had begun."""
        conversation.patience = max(conversation.patience, self.linger)
        self.conversations[conversation.id] = conversation
        for thread in conversation.threads:
            self._by_thread[thread] = conversation
        for call_id in conversation.call_ids:  # which of them still runs, the next snapshot tells
            self._by_call[call_id] = conversation
        for call in conversation.calls.values():
            call.audience = self._audience

    def call(self, conversation: Conversation, call_id: bytes) -> Call:
        """The call of a conversation, made and entered if new. Something is told of it, so it waits for the rest."""
        self._by_call[call_id] = conversation
        call = conversation.call(call_id, self._audience)
        call.over = None
        return call

    def link(self, conversation: Conversation, call: Call | None, linkage: Linkage | None) -> None:
        """Enter what the call linkage says."""
        if linkage is None:
            return
        if call is not None and call.linkage is None:
            call.linkage = linkage
        if linkage.thread is not None:
            conversation.threads.add(linkage.thread)
            self._by_thread[linkage.thread] = conversation

    def drop(self, conversation: Conversation, call_id: bytes) -> None:
        """The call is over, or has become another one."""
        conversation.calls.pop(call_id, None)
        if self._by_call.get(call_id) is conversation:
            del self._by_call[call_id]

    # --- joining and ending

    def unite(self, involved: Iterable[Conversation | None], now: float) -> tuple[Conversation, list[Change]]:
        """One conversation of all that turned out to be one, the oldest; a new one of none."""
        known = {one.id: one for one in involved if one is not None}
        if not known:
            conversation = self.open(now)
            return conversation, [Began(conversation)]
        conversation = min(known.values(), key=lambda one: one.began)
        changes: list[Change] = []
        for other in known.values():
            if other is not conversation:
                self._merge(conversation, other)
                changes.append(Merged(conversation, other))
        return conversation, changes

    def _merge(self, conversation: Conversation, gone: Conversation) -> None:
        for call in gone.calls.values():
            conversation.calls[call.call_id] = call
            self._by_call[call.call_id] = conversation
        _add(conversation.call_ids, gone.call_ids)
        _add(conversation.stations, gone.stations)
        _add(conversation.via, gone.via)
        _add(conversation.trunks, gone.trunks)
        _add(conversation.accounts, gone.accounts)
        conversation.sent |= gone.sent
        _add(conversation.correlators, gone.correlators)
        _add(conversation.user_data, gone.user_data)
        for number, participant in gone.participants.items():
            conversation.participants.setdefault(number, participant)
        for step, counts in gone.steps.items():
            conversation.steps.setdefault(step, {}).update(counts)
        if conversation.direction == "unknown":
            conversation.direction = gone.direction
        if gone.answered is not None:
            conversation.answered = min(conversation.answered or gone.answered, gone.answered)
        conversation.digits += gone.digits
        conversation.told = max(conversation.told, gone.told)
        for thread in gone.threads:
            self._by_thread[thread] = conversation
        conversation.threads |= gone.threads
        del self.conversations[gone.id]
        self._over.pop(gone.id, None)

    def settle(self, conversation: Conversation, cause: str | None, now: float) -> list[Change]:
        """Note whether the conversation is over: no station whose monitor told of it is in any of its calls.

        Of others we would not hear.
        """
        if conversation.id not in self.conversations:
            return []
        for call_id, call in list(conversation.calls.items()):
            if any(call.state(station) is not None for station in conversation.stations):
                call.over = None
                continue
            call.over = now if call.over is None else call.over
            if len(conversation.calls) > 1 and call.over + self.linger <= now:
                self.drop(conversation, call_id)
        if any(conversation.has(station) for station in conversation.stations):
            conversation.over = None
            self._over.pop(conversation.id, None)
            return []
        if conversation.over is None:
            conversation.over, conversation.over_cause = now, cause
        self._over[conversation.id] = conversation.over + conversation.patience
        return self.expire(now)

    @property
    def deadline(self) -> float | None:
        """When a conversation that is over will have waited long enough."""
        return min(self._over.values(), default=None)

    def expire(self, now: float) -> list[Change]:
        """End what has been over for long enough."""
        changes: list[Change] = []
        for identity in [one for one, due in self._over.items() if due <= now]:
            changes += self.close(self.conversations[identity], now)
        return changes

    def close(self, conversation: Conversation, now: float, cause: str | None = None) -> list[Change]:
        """The conversation is over, whoever may seem to be in it."""
        self._over.pop(conversation.id, None)
        del self.conversations[conversation.id]
        for call_id in list(conversation.calls):
            self.drop(conversation, call_id)
        for call_id in conversation.call_ids:
            if self._by_call.get(call_id) is conversation:
                del self._by_call[call_id]
        for thread in conversation.threads:
            if self._by_thread.get(thread) is conversation:
                del self._by_thread[thread]
        over = conversation.over if conversation.over is not None else now
        return [Ended(conversation, cause or conversation.over_cause, over)]


def _add(mine: list[T], theirs: list[T]) -> None:
    mine += [one for one in theirs if one not in mine]
