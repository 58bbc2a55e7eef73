"""What all parts of the engine work on: the conversations, the rules, the leases, and what is uncovered."""

from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import get_args
from uuid import UUID

from osrec.calls.call import Call
from osrec.calls.conversation import Conversation
from osrec.calls.tracker import Tracker
from osrec.engine.coverage import Obstacle
from osrec.engine.dossier import Dossier, Verdict
from osrec.engine.facts import facts_of
from osrec.engine.forks import Forks
from osrec.engine.messages import Output
from osrec.engine.recording import ACTIVE, Recording, State
from osrec.engine.rules import RuleSet
from osrec.engine.settings import EngineConfig
from osrec.engine.suspicion import Suspicion
from osrec.engine.vigil import Vigil
from osrec.store.records import Blame, Decision
from osrec.wire.csta.model import DeviceId, LocalState, SnapshotDevice

BLAMES = frozenset[Blame](get_args(Blame))
SHORTAGE = ("no_pair", "preempted", "line_alarm")
IN_CALL = (LocalState.CONNECTED, LocalState.HOLD)  # who only rings says nothing


@dataclass(frozen=True, slots=True)
class Want:
    """A station that talks and that the rules want recorded, or may want."""

    call: Call
    station: str
    decision: Decision


class Desk:
    """State that the parts share; what they do with it is theirs.

    Attributes:
        dossiers: of running conversations, by id.
        uncovered: conversations in which somebody talks, should be recorded and is not.
        accepts_new: whether the journal has room for a new recording.
        touched: conversations of which something may have changed since the journal was told.
        merged: those that turned out to be part of another one, with that one.
    """

    def __init__(
        self, config: EngineConfig, tracker: Tracker, rules: RuleSet, forks: Forks, new_id: Callable[[], UUID]
    ) -> None:
        self.config = config
        self.tracker = tracker
        self.rules = rules
        self.forks = forks
        self.new_id = new_id
        self.vigil = Vigil(tracker.monitored)
        self.suspicion = Suspicion(forks.pool, config)
        self.dossiers: dict[UUID, Dossier] = {}
        self.uncovered: set[UUID] = set()
        self.accepts_new = True
        self.touched: dict[UUID, None] = {}
        self.merged: list[tuple[UUID, UUID]] = []
        self._asked_again = 0.0  # up to when it is done: holds that ran out until then count no more

    # --- what the rules say

    def decide(self, conversation: Conversation, station: str) -> Decision:
        """By the rules of now and the facts of now.

        New rules do not touch what is being recorded: while a recording runs, only new facts bring a new decision.
        """
        dossier = self.dossiers[conversation.id]
        facts = facts_of(conversation, station, dossier.started)
        known = dossier.verdicts.get(station)
        if known is not None and known.facts == facts and (known.rules is self.rules or self._recording(conversation)):
            return known.decision
        decision = self.rules.decide(facts)
        dossier.verdicts[station] = Verdict(facts, self.rules, decision)
        return decision

    def _recording(self, conversation: Conversation) -> bool:
        return bool(self.forks.of(conversation.id, *ACTIVE))

    def forbidden(self, conversation: Conversation, call: Call) -> str | None:
        """The rule by which nothing of this call may be recorded, for any of the stations that are in it."""
        for station in conversation.stations:
            if call.state(station) in IN_CALL:
                decision = self.decide(conversation, station)
                if decision.action == "never":
                    return decision.rule
        return None

    def forbidding(self, conversation: Conversation, station: str) -> str | None:
        """The rule by which nothing of this station may be recorded now."""
        calls = (call for call in conversation.calls.values() if call.state(station) is LocalState.CONNECTED)
        rules = (self.forbidden(conversation, call) for call in calls)
        return next((rule for rule in rules if rule is not None), None)

    def wants(self, conversation: Conversation) -> list[Want]:
        """Who talks and is to be recorded, or may be, the strongest wish first."""
        found: list[Want] = []
        for call in conversation.calls.values():
            for station in conversation.stations:
                if not call.talking(station) or self.forbidding(conversation, station) is not None:
                    continue
                decision = self.decide(conversation, station)
                if decision.action != "none":
                    found.append(Want(call, station, decision))
        return sorted(found, key=lambda want: (want.decision.action != "record", -want.decision.priority))

    def cover(self, want: Want, recordings: Iterable[Recording]) -> Recording | None:
        """The first of the recordings that have the audio of this station's call."""
        return next(self.covers(want, recordings), None)

    def covers(self, want: Want, recordings: Iterable[Recording]) -> Iterator[Recording]:
        """Those of the recordings that have the audio of this station's call."""
        once = self.config.internal == "once"
        return (r for r in recordings if r.station == want.station or (once and want.call.talking(r.station)))

    def inquire(self, station: str) -> list[Output]:
        """Ask the PBX for a station's calls; nothing when it was asked already, or cannot be."""
        if not self.forks.ready or self.vigil.asking(station):
            return []
        token, request = self.forks.ask(SnapshotDevice(DeviceId(station)))
        self.vigil.asked(station, token)
        return [request]

    # --- what is not recorded

    def settle(self, conversation: Conversation, now: float, at: datetime) -> None:
        """Enter who talks, should be recorded and is not, after anything that may have changed it."""
        dossier = self.dossiers.get(conversation.id)
        if dossier is None:
            return
        self.touched[conversation.id] = None
        running = self.forks.of(conversation.id, State.RUNNING)
        uncovered: dict[str, Obstacle | None] = {}
        served: dict[str, set[UUID]] = {}
        for want in self.wants(conversation):
            recordings = {recording.id for recording in self.covers(want, running)}
            if recordings:
                served[want.station] = recordings
            elif want.decision.action == "record" or dossier.keeping is not None:
                uncovered[want.station] = dossier.obstacles.get(want.station) or self.shared(dossier, want)
        dossier.served.update(served, now, {recording.id for recording in running})
        dossier.coverage.update(uncovered, now, at)
        dossier.obstacles = {station: one for station, one in dossier.obstacles.items() if station in uncovered}
        (self.uncovered.add if uncovered else self.uncovered.discard)(conversation.id)

    def shared(self, dossier: Dossier, want: Want, blames: Container[Blame] = BLAMES) -> Obstacle | None:
        """Where one recording is enough for all who talk together, what hinders that of one hinders the others."""
        if self.config.internal != "once":
            return None
        obstacles = dossier.obstacles.items()
        return next((one for station, one in obstacles if one.blame in blames and want.call.talking(station)), None)

    def waiting(self) -> Iterator[tuple[int, Conversation]]:
        """Conversations in which somebody is uncovered, with their class: the highest first, then the longest wait."""
        order: list[tuple[int, float, UUID]] = []
        for conversation in self.uncovered:
            dossier = self.dossiers[conversation]
            gaps = dossier.coverage.open.values()
            priority = max(dossier.verdicts[gap.station].decision.priority for gap in gaps)
            order.append((-priority, min(gap.since for gap in gaps), conversation))
        for negative, _, conversation in sorted(order):
            if conversation in self.tracker.conversations:
                yield -negative, self.tracker.conversations[conversation]

    @property
    def again(self) -> float | None:
        """When the PBX may be asked again to fork somebody who waits, None when nobody waits for that."""
        holds = (hold for conversation in self.uncovered for hold in self.dossiers[conversation].holds.values())
        return min((hold.again for hold in holds if hold.again > self._asked_again), default=None)

    def ask_again(self, now: float) -> bool:
        """Whether that time has come; it comes once."""
        due = self.again
        if due is None or due > now:
            return False
        self._asked_again = now
        return True

    def hopeless(self, priority: int) -> bool:
        """There is no pair for a conversation of this class: none is free, and none may be taken from another."""
        lowest = self.forks.lowest_priority
        takes = self.config.preempt and lowest is not None and lowest < priority
        return not self.forks.pool.free and not takes

    @property
    def short(self) -> bool:
        """Whether somebody waits for want of a pair, and has not got one by now."""
        return any(
            obstacle.blame in SHORTAGE
            for conversation in self.uncovered
            if not self.forks.of(conversation, State.REQUESTING)
            for obstacle in self.dossiers[conversation].obstacles.values()
        )
