"""What the engine keeps of a running conversation besides its legs, and what is said of it when it is over."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from osrec.calls.call import Call
from osrec.calls.conversation import Conversation
from osrec.engine.coverage import Coverage, Obstacle
from osrec.engine.pool import Pair
from osrec.engine.rules import Facts, RuleSet
from osrec.engine.served import Served
from osrec.store.records import Blame, ConversationEnded, Decision, Missed, Party

HISTORY = 50  # steps kept of a conversation for the time line of a recording that begins later
RETRIES = (1.0, 5.0, 15.0, 60.0)  # seconds after which a refused fork is asked for again; the last one for ever
KEPT_PAIRS: tuple[Blame, ...] = (
    "preempted",
    "fork_lost",
)  # who had a pair and lost it does not blame the want of pairs
STRENGTH = ("none", "on_demand", "record", "never")  # never beats all


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened in a conversation, at `now` by the monotonic clock."""

    now: float
    at: datetime
    kind: str
    cause: str | None
    detail: dict[str, str]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say of a station, and what they had to go by."""

    facts: Facts
    rules: RuleSet
    decision: Decision


@dataclass(slots=True)
class Hold:
    """The PBX is not asked for a fork before `again`, for the reason of the last refusal."""

    times: int
    again: float
    obstacle: Obstacle | None = None


@dataclass(slots=True)
class Awaited:
    """A station whose snapshot is to tell what became of its part in a conversation.

    Attributes:
        since, at: when it was seen last, monotonic and by the wall clock.
        unrecorded: it was in the call and not recorded, so its talk is missed.
    """

    since: float
    at: datetime
    unrecorded: bool = False


@dataclass(slots=True)
class Absence:
    """The recorder was away during a conversation, and no snapshot has told yet what became of it.

    Attributes:
        since, at: when anybody was seen in it last, monotonic and by the wall clock.
        stations: whose snapshots are awaited; after several restarts in a row some have been awaited for longer.
        followed: somebody was seen in it since, or a recording of it goes on.
    """

    since: float
    at: datetime
    stations: dict[str, Awaited] = field(default_factory=dict)
    followed: bool = False

    @property
    def is_over(self) -> bool:
        return self.followed and not self.stations


@dataclass(slots=True)
class Dossier:
    """One running conversation.

    Attributes:
        asked: when the PBX was last asked about it.
        recordings: that have begun for it and are kept, finished ones too.
        verdicts: of the rules, by station.
        decision: the strongest of them while somebody talked, None while nobody did.
        recorded_by: the decision of its first recording.
        offered: a recording that nobody has asked to keep has run.
        stopped_by: the rule that stopped a recording in mid-call.
        reason: why it is not recorded although it should be.
        coverage: who talked and was not recorded.
        served: whose talk its running recordings have.
        obstacles: what hinders a station's recording, by station.
        holds: after refusals, by (station, call id).
        losses: forks that were lost in a row, by station; lost_on: the pairs.
        keeping: who asked to keep what is recorded on demand, None while nobody has.
        paused: who paused it, None while it is not.
        history: its newest steps.
        absence: while nobody knows whether it goes on, None else.
    """

    started: datetime
    asked: float = 0.0
    recordings: list[UUID] = field(default_factory=list)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    decision: Decision | None = None
    recorded_by: Decision | None = None
    offered: bool = False
    stopped_by: str | None = None
    reason: str | None = None
    coverage: Coverage = field(default_factory=Coverage)
    served: Served = field(default_factory=Served)
    obstacles: dict[str, Obstacle] = field(default_factory=dict)
    holds: dict[tuple[str, bytes], Hold] = field(default_factory=dict)
    losses: dict[str, int] = field(default_factory=dict)
    lost_on: set[Pair] = field(default_factory=set)
    keeping: str | None = None
    paused: str | None = None
    history: deque[Step] = field(default_factory=lambda: deque(maxlen=HISTORY))
    absence: Absence | None = None

    def hinder(self, station: str, obstacle: Obstacle) -> None:
        """The station should be recorded now, and cannot be."""
        known = self.obstacles.get(station)
        if known is None or known.blame not in KEPT_PAIRS or obstacle.blame not in ("no_pair", "line_alarm"):
            self.obstacles[station] = obstacle
        self.reason = obstacle.text

    def leased(self, station: str, call: Call | None) -> None:
        """It has a pair: what is missing from now on is not for want of one; `call`: nor of those who talk there."""
        served = {one for one in self.obstacles if one == station or (call is not None and call.talking(one))}
        for one in served:
            if self.obstacles[one].shortage:
                del self.obstacles[one]

    def refused(self, station: str, call_id: bytes, now: float) -> None:
        """The PBX refused; it is asked again later."""
        known = self.holds.get((station, call_id))
        times = known.times + 1 if known else 1
        again = now + RETRIES[min(times, len(RETRIES)) - 1]
        self.holds[station, call_id] = Hold(times, again, self.obstacles.get(station))

    def held(self, station: str, call_id: bytes, now: float) -> Hold | None:
        """Why the PBX may not be asked for a fork now, None when it may."""
        hold = self.holds.get((station, call_id))
        return hold if hold is not None and hold.again > now else None

    def forgive(self, station: str) -> None:
        """What was refused before may work now."""
        self.holds = {key: hold for key, hold in self.holds.items() if key[0] != station}

    def decide(self, decision: Decision) -> None:
        """Keep the decision that says most."""
        if self.decision is None or STRENGTH.index(decision.action) > STRENGTH.index(self.decision.action):
            self.decision = decision

    def absorb(self, other: "Dossier") -> None:
        """Take over what is known of a conversation that turned out to be part of this one."""
        self.recordings += other.recordings
        self.started = min(self.started, other.started)
        if other.decision is not None:
            self.decide(other.decision)
        self.recorded_by = self.recorded_by or other.recorded_by
        self.offered |= other.offered
        self.stopped_by = self.stopped_by or other.stopped_by
        self.coverage.absorb(other.coverage)
        self.served.absorb(other.served)
        self.obstacles = other.obstacles | self.obstacles
        self.holds |= other.holds
        self.lost_on |= other.lost_on
        self.keeping = self.keeping or other.keeping
        self.paused = self.paused or other.paused
        if self.absence is not None and other.absence is None:
            self.absence.followed = True  # the other part was seen
        if other.absence is not None:
            mine = self.absence or Absence(other.absence.since, other.absence.at, followed=True)
            mine.stations |= other.absence.stations
            mine.followed |= other.absence.followed
            self.absence = mine

    def conclude(
        self, conversation: Conversation, unanswered: Decision, now: float, at: datetime, late_after: float
    ) -> ConversationEnded:
        """The record of a conversation that is over; `unanswered`: what the rules say when nobody talked."""
        answered = conversation.answered
        recorded = bool(self.recordings)
        decision = (self.recorded_by if recorded else None) or self.decision or unanswered
        missed = self.coverage.conclude(now, recorded=recorded, late_after=late_after)
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
            outcome="recorded" if recorded else "not_recorded",
            reason=self._stopped() if recorded else self._why_not(conversation, decision, missed),
            accounts=list(conversation.accounts),
            trunks=list(conversation.trunks),
            digits=conversation.digits,
            via=list(conversation.via),
            parked_by=conversation.parked_by,
            missed=missed,
        )

    def _stopped(self) -> str | None:
        return f"stopped in mid-call: rule {self.stopped_by!r} says never" if self.stopped_by else None

    def _why_not(self, conversation: Conversation, decision: Decision, missed: list[Missed]) -> str:
        if decision.action == "never":
            return f"rule {decision.rule!r} says never"
        if decision.action == "none":
            return "no rule matches"
        if conversation.answered is None and missed:
            return f"whether it was answered is not known: {missed[0].detail or missed[0].blame}"
        if conversation.answered is None:
            return f"not answered: {conversation.failure}" if conversation.failure else "not answered"
        if decision.action == "on_demand" and self.keeping is None:
            return f"rule {decision.rule!r} records on demand, and nobody asked for it"
        return self.reason or "ended before the PBX had forked it"


def parties_of(conversation: Conversation, recorded: str | None) -> list[Party]:
    """Everybody who took part; `recorded`: whose audio it is.

    A call that came in or went out has somebody outside, also where his number is withheld or no trunk tells it.
    """
    parties = [
        Party(number=p.number, name=p.name, external=p.external, recorded=p.number == recorded, e164=p.e164)
        for p in conversation.participants.values()
    ]
    nameless = conversation.direction in ("in", "out") and not any(party.external for party in parties)
    return [*parties, Party(number=None, external=True)] if nameless else parties


def calls_of(conversation: Conversation) -> list[str]:
    """Every PBX call id that it ever had, hex."""
    return [call_id.hex() for call_id in conversation.call_ids]
