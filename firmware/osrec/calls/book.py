"""All running conversations, and how to find the one that a call belongs to."""

from collections.abc import Callable
from uuid import UUID

from osrec.calls.conversation import Call, Conversation
from osrec.wire.csta.model import LocalState


class Book:
    """Conversations by id, by call and by thread (threadData of the call linkage, constant over a transfer).

    Args:
        new_id: makes an id for a conversation.
    """

    def __init__(self, new_id: Callable[[], UUID]) -> None:
        self.conversations: dict[UUID, Conversation] = {}
        self._new_id = new_id
        self._by_call: dict[bytes, Conversation] = {}
        self._by_thread: dict[bytes, Conversation] = {}

    def open(self, now: float, *, joined_in_progress: bool = False) -> Conversation:
        """A new conversation."""
        conversation = Conversation(self._new_id(), now, joined_in_progress=joined_in_progress)
        self.conversations[conversation.id] = conversation
        return conversation

    def adopt(self, conversation: Conversation) -> None:
        """Take over a conversation that an earlier run of the recorder had begun."""
        self.conversations[conversation.id] = conversation
        for call_id in conversation.call_ids:  # which of them still runs, the next snapshot tells
            self._by_call[call_id] = conversation

    def find(self, call_id: bytes | None, thread: bytes | None = None) -> Conversation | None:
        """By call, else by thread."""
        known = self._by_call.get(call_id) if call_id is not None else None
        return known if known is not None or thread is None else self._by_thread.get(thread)

    def holding(self, station: str) -> Conversation | None:
        """The newest conversation that the station has put on hold."""
        return next(
            (
                conversation
                for conversation in reversed(self.conversations.values())
                if any(call.legs.get(station) is LocalState.HOLD for call in conversation.calls.values())
            ),
            None,
        )

    def call(self, conversation: Conversation, call_id: bytes) -> Call:
        """The call of a conversation, made and entered if new."""
        self._by_call[call_id] = conversation
        return conversation.call(call_id)

    def thread(self, conversation: Conversation, thread: bytes | None) -> None:
        """Enter the conversation's thread."""
        if thread is not None:
            conversation.thread = thread
            self._by_thread[thread] = conversation

    def drop(self, conversation: Conversation, call_id: bytes) -> None:
        """The call is over, or has become another one."""
        conversation.calls.pop(call_id, None)
        self._by_call.pop(call_id, None)

    def merge(self, conversation: Conversation, gone: Conversation) -> None:
        """`gone` is part of `conversation`."""
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

    def close(self, conversation: Conversation) -> None:
        """The conversation is over; its calls were dropped before."""
        del self.conversations[conversation.id]
        for call_id in conversation.call_ids:
            if self._by_call.get(call_id) is conversation:
                del self._by_call[call_id]
        for thread in [t for t, owner in self._by_thread.items() if owner is conversation]:
            del self._by_thread[thread]
