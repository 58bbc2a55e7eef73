"""A conversation: what a person calls "the call", over all the PBX calls that it passes through."""

from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from osrec.wire.csta.model import ConnectionId, LocalState

Direction = Literal["in", "out", "internal", "unknown"]


@dataclass(slots=True, eq=False)
class Call:
    """One PBX call: who has a connection in it, and in which state.

    Attributes:
        answered: somebody answered, so connected parties hear each other.
        legs: state of each device's connection; cleared ones are removed.
        connections: the connection ids as the PBX gave them, to use in requests.
        gone: devices whose connection was cleared; several monitors tell of it.
    """

    call_id: bytes
    answered: bool = False
    legs: dict[str, LocalState] = field(default_factory=dict)
    connections: dict[str, ConnectionId] = field(default_factory=dict)
    gone: set[str | None] = field(default_factory=set)

    def talking(self, device: str) -> bool:
        """Connected in an answered call, and not only to people who have put it on hold."""
        others = [state for one, state in self.legs.items() if one != device]
        held = bool(others) and all(state is LocalState.HOLD for state in others)
        return self.answered and self.legs.get(device) is LocalState.CONNECTED and not held

    def left_alone(self) -> None:
        """Somebody has left: who is alone now talks to nobody."""
        if len(self.legs) <= 1:
            self.answered = False


@dataclass(slots=True)
class Participant:
    """Somebody who took part; `number` as the PBX gave it."""

    number: str
    name: str | None = None
    external: bool = False


@dataclass(slots=True, eq=False)
class Conversation:
    """From the first ring to the last hang-up.

    Attributes:
        calls: PBX calls that are part of it now, by call id.
        call_ids: every call id that it ever had, in order: the PBX gives a new one on transfer and conference.
        stations: monitored stations whose monitor told of it, in order of appearance.
        participants: everybody who took part, by number.
        joined_in_progress: found by a snapshot, so its beginning is not known.
        failure: cause of the last Failed event, None when none came.
    """

    id: UUID
    began: float
    direction: Direction = "unknown"
    answered: float | None = None
    calls: dict[bytes, Call] = field(default_factory=dict)
    call_ids: list[bytes] = field(default_factory=list)
    stations: list[str] = field(default_factory=list)
    participants: dict[str, Participant] = field(default_factory=dict)
    thread: bytes | None = None
    joined_in_progress: bool = False
    failure: str | None = None

    def call(self, call_id: bytes) -> Call:
        """The call of that id, made if new."""
        if call_id not in self.calls:
            self.calls[call_id] = Call(call_id)
            if call_id not in self.call_ids:
                self.call_ids.append(call_id)
        return self.calls[call_id]

    def has(self, device: str) -> bool:
        """Whether the device has a connection in any call of the conversation."""
        return any(device in call.legs for call in self.calls.values())

    def talking(self, device: str) -> Call | None:
        """The call in which the device talks now, None when it does not."""
        return next((call for call in self.calls.values() if call.talking(device)), None)

    def participant(self, number: str) -> Participant:
        return self.participants.setdefault(number, Participant(number))
