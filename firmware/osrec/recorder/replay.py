"""Past conversations against other rules: what would be decided, and why."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from osrec.engine.dossier import STRENGTH
from osrec.engine.rules import Facts, RuleSet
from osrec.store.index import Conversation
from osrec.store.records import Action, Decision


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
        """Whether something else would happen; another rule that says the same is no change."""
        return self.before.action != self.after.action

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
        at=one.started,
        conversation=one.id,
    )


def summary(replayed: Iterable[Replayed]) -> Counter[tuple[Action, Action]]:
    """How many conversations go from which action to which."""
    return Counter((one.before.action, one.after.action) for one in replayed)
