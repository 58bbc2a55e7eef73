"""What the engine keeps of a running conversation besides its legs, and what is said of it when it is over."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from osrec.calls.conversation import Conversation
from osrec.csta.messages import Lost
from osrec.store.records import ConversationEnded, Decision, Party
from osrec.wire.csta.causes import error_name, reject_name
from osrec.wire.csta.model import Reject, ReturnError

HISTORY = 50  # steps kept of a conversation for the time line of a recording that begins later


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened in a conversation, at `now` by the monotonic clock."""

    now: float
    at: datetime
    kind: str
    cause: str | None
    detail: dict[str, str]


RETRIES = (5.0, 15.0, 60.0)  # seconds after which a refused fork is asked for again; the last one for ever


@dataclass(slots=True)
class Refusal:
    """The PBX refused to fork a station in a call, on as many pairs as are tried; `again` is when to ask once more."""

    times: int
    again: float


@dataclass(slots=True)
class Dossier:
    """One running conversation.

    Attributes:
        recordings: that have begun for it, finished ones too.
        decision: of the rules, None while nobody talked.
        reason: why it is not recorded although it should be.
        waiting: it should be recorded now and is not, for want of a pair or of room in the journal.
        refusals: by (station, call id).
        history: its newest steps.
    """

    started: datetime
    recordings: list[UUID] = field(default_factory=list)
    decision: Decision | None = None
    reason: str | None = None
    waiting: bool = False
    refusals: dict[tuple[str, bytes], Refusal] = field(default_factory=dict)
    history: deque[Step] = field(default_factory=lambda: deque(maxlen=HISTORY))

    def remember(self, step: Step) -> None:
        self.history.append(step)

    def wait(self, reason: str) -> None:
        """It should be recorded now, and cannot be."""
        self.reason, self.waiting = reason, True

    def refused(self, station: str, call_id: bytes, now: float) -> None:
        """The PBX refused; it is asked again later."""
        known = self.refusals.get((station, call_id))
        times = known.times + 1 if known else 1
        self.refusals[station, call_id] = Refusal(times, now + RETRIES[min(times, len(RETRIES)) - 1])

    def may_ask(self, station: str, call_id: bytes, now: float) -> bool:
        """Whether the PBX may be asked for a fork now."""
        refusal = self.refusals.get((station, call_id))
        return refusal is None or refusal.again <= now

    def forgive(self, station: str) -> None:
        """What was refused before may work now."""
        self.refusals = {key: refusal for key, refusal in self.refusals.items() if key[0] != station}

    def due(self, now: float) -> bool:
        """Whether something waits for a pair, or for another try."""
        return self.waiting or any(refusal.again <= now for refusal in self.refusals.values())

    def decide(self, decision: Decision) -> None:
        """Keep the decision that says most: to record before never, never before "no rule"."""
        if self.decision is None or self.decision.action == "none" or decision.action == "record":
            self.decision = decision

    def absorb(self, other: "Dossier") -> None:
        """Take over what is known of a conversation that turned out to be part of this one."""
        self.recordings += other.recordings
        self.started = min(self.started, other.started)
        self.decision = self.decision or other.decision
        self.refusals |= other.refusals

    def conclude(self, conversation: Conversation, decision: Decision, now: float, at: datetime) -> ConversationEnded:
        """The record of a conversation that is over; `decision`: what the rules said or would have said."""
        answered = conversation.answered
        return ConversationEnded(
            conversation=conversation.id,
            started=self.started,
            answered=at - timedelta(seconds=now - answered) if answered is not None else None,
            ended=at,
            direction=conversation.direction,
            stations=conversation.stations,
            parties=parties_of(conversation, None),
            calls=calls_of(conversation),
            decision=decision,
            recordings=self.recordings,
            outcome="recorded" if self.recordings else "not_recorded",
            reason=None if self.recordings else self._why_not(conversation, decision),
        )

    def _why_not(self, conversation: Conversation, decision: Decision) -> str:
        if decision.action == "never":
            return f"rule {decision.rule!r} says never"
        if decision.action == "none":
            return "no rule matches"
        if conversation.answered is None:
            return f"not answered: {conversation.failure}" if conversation.failure else "not answered"
        return self.reason or "ended before the PBX had forked it"


def parties_of(conversation: Conversation, recorded: str | None) -> list[Party]:
    """Everybody who took part; `recorded`: whose audio it is."""
    return [
        Party(number=p.number, name=p.name, external=p.external, recorded=p.number == recorded)
        for p in conversation.participants.values()
    ]


def calls_of(conversation: Conversation) -> list[str]:
    """Every PBX call id that it ever had, hex."""
    return [call_id.hex() for call_id in conversation.call_ids]


def outcome_text(outcome: object) -> str:
    """What the PBX answered to a request that did not succeed."""
    match outcome:
        case ReturnError(_, category, value):
            return error_name(category, value)
        case Reject(_, kind, problem):
            return reject_name(kind, problem)
        case Lost(reason):
            return f"no answer: {reason}"
        case _:
            return f"unexpected answer {type(outcome).__name__}"
