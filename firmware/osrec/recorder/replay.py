"""Past conversations against other rules: what would be decided, and why."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from osrec.engine.dossier import STRENGTH
from osrec.engine.rules import Facts, RuleSet
from osrec.store.index import Conversation
from osrec.store.records import Decision

_RECORDED = ("record", "on_demand")


@dataclass(frozen=True, slots=True)
class Replayed:
    """One conversation: what was decided, and what would be.

    Attributes:
        station: whose decision it would be.
    """

    conversation: Conversation
    station: str
    before: Decision
    after: Decision

    @property
    def changes(self) -> bool:
        """Whether something else would happen; another rule that says the same is no change.

        What is recorded with another priority is one: it may then take a pair, or have to give its own.
        """
        return self.before.action != self.after.action or self.reranked

    @property
    def reranked(self) -> bool:
        """Recorded as before, with another priority."""
        before, after = self.before, self.after
        return before.action == after.action and after.action in _RECORDED and before.priority != after.priority

    @property
    def outcomes(self) -> tuple[str, str]:
        """What was decided and what would be, with the priority where only that is another."""
        if not self.reranked:
            return self.before.action, self.after.action
        return _with_priority(self.before), _with_priority(self.after)

    @property
    def why(self) -> str:
        """The line of the trace that decides."""
        return self.after.trace[-1] if self.after.rule is not None and self.after.trace else "no rule matches"


def replay(rules: RuleSet, conversations: Iterable[Conversation]) -> Iterator[Replayed]:
    """Each conversation again, with what is known of it now that it is over."""
    for one in conversations:
        decisions = [(station, rules.decide(facts_of(one, station))) for station in one.stations]
        if decisions:
            station, after = max(decisions, key=lambda pair: STRENGTH.index(pair[1].action))
            yield Replayed(one, station, one.decision, after)


def facts_of(one: Conversation, station: str) -> Facts:
    """What the rules would look at."""
    others = [party for party in one.parties if party.number != station]
    return Facts(
        station=station,
        direction=one.direction,
        numbers=tuple(party.number for party in others if party.number),
        e164=tuple(party.e164 for party in others if party.e164),
        names=tuple(party.name for party in others if party.name),
        trunks=one.trunks,
        accounts=one.accounts,
        digits=one.digits,
        at=one.started,
        conversation=one.id,
    )


def summary(replayed: Iterable[Replayed]) -> Counter[tuple[str, str]]:
    """How many conversations go from what to what."""
    return Counter(one.outcomes for one in replayed)


def _with_priority(decision: Decision) -> str:
    return f"{decision.action} with priority {decision.priority}"
