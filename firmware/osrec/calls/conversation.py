"""A conversation: what a person calls "the call", over all the PBX calls that it passes through."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from osrec.calls.call import Audience, Call

MOST_SENT = 40  # correlators and pieces of user data on the time line of one conversation
Direction = Literal["in", "out", "internal", "unknown"]


@dataclass(slots=True)
class Participant:
    """Somebody who took part; `number` as the PBX gave it, `e164` where the site's prefixes tell it."""

    number: str
    name: str | None = None
    external: bool = False
    e164: str | None = None


@dataclass(slots=True, eq=False)
class Conversation:
    """From the first ring to the last hang-up.

    Attributes:
        calls: PBX calls that are part of it now, by call id.
        call_ids: every call id that it ever had, in order: the PBX gives a new one on transfer and conference.
        stations: monitored stations whose monitor told of it, in order of appearance.
        participants: everybody who took part, by number.
        trunks: over which it came or went, as the PBX names them.
        via: queues, groups and forwarding stations through which it came, in order.
        parked_by, parked_at: who parked it last, and where.
        joined_in_progress: found by a snapshot, so its beginning is not known.
        failure: cause of the last Failed event, None when none came.
        accounts, digits, correlators, user_data: what was sent along with it.
        sent: correlators and user data that stand on its time line.
        told: when a monitor last told of it.
        over: since when nobody monitored is in it, None while somebody is; events that are late may still come.
        over_cause: of the last event then.
        patience: seconds that it waits then before it has ended.
    """

    id: UUID
    began: float
    direction: Direction = "unknown"
    answered: float | None = None
    calls: dict[bytes, Call] = field(default_factory=dict)
    call_ids: list[bytes] = field(default_factory=list)
    stations: list[str] = field(default_factory=list)
    participants: dict[str, Participant] = field(default_factory=dict)
    via: list[str] = field(default_factory=list)
    trunks: list[str] = field(default_factory=list)
    parked_by: str | None = None
    parked_at: str | None = None
    threads: set[bytes] = field(default_factory=set)
    joined_in_progress: bool = False
    failure: str | None = None
    accounts: list[str] = field(default_factory=list)
    digits: str = ""
    correlators: list[bytes] = field(default_factory=list)
    user_data: list[bytes] = field(default_factory=list)
    told: float = 0.0
    over: float | None = None
    over_cause: str | None = None
    patience: float = 0.0
    steps: dict[tuple[str, ...], dict[str, int]] = field(default_factory=dict)
    sent: set[tuple[str, str]] = field(default_factory=set)

    def call(self, call_id: bytes, audience: Audience | None = None) -> Call:
        """The call of that id, made if new."""
        if call_id not in self.calls:
            self.calls[call_id] = Call(call_id, audience or Audience())
            if call_id not in self.call_ids:
                self.call_ids.append(call_id)
        return self.calls[call_id]

    def has(self, device: str) -> bool:
        """Whether the device has a connection in any call of the conversation."""
        return any(call.state(device) is not None for call in self.calls.values())

    def talking(self, device: str) -> Call | None:
        """The call in which the device talks now, None when it does not."""
        return next((call for call in self.calls.values() if call.talking(device)), None)

    def participant(self, number: str) -> Participant:
        return self.participants.setdefault(number, Participant(number))

    def newly_sent(self, attached: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """What was not sent along before: the PBX repeats it in each event of the call."""
        new = tuple(one for one in attached if one not in self.sent)[: max(0, MOST_SENT - len(self.sent))]
        self.sent.update(new)
        return new

    def is_new(self, monitor: str, *step: str) -> bool:
        """Count a step that a monitor tells. Only the first monitor that tells it for the n-th time tells news."""
        counts = self.steps.setdefault(step, {})
        before = max(counts.values(), default=0)
        counts[monitor] = counts.get(monitor, 0) + 1
        return counts[monitor] > before
