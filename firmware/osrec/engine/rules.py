"""Which conversations to record: rules in order, the first that matches decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

from osrec.numbers import Patterns
from osrec.store.records import Decision, Direction


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules look at: one monitored station in one conversation.

    Attributes:
        numbers: of everybody else in it, as the PBX gave them.
    """

    station: str
    direction: Direction
    numbers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """Matches when every condition that it has holds; without conditions it matches always."""

    name: str
    action: Literal["record", "never"]
    stations: Patterns | None = None
    numbers: Patterns | None = None
    directions: frozenset[Direction] | None = None

    def mismatch(self, facts: Facts) -> str | None:
        """Why the rule does not match, None when it does."""
        if self.stations is not None and facts.station not in self.stations:
            return f"station {facts.station} is not in {', '.join(self.stations.entries)}"
        # of a call found by a snapshot nobody knows the direction: rather record it than lose it
        unsure = facts.direction == "unknown" and self.action == "record"
        if self.directions is not None and facts.direction not in self.directions and not unsure:
            return f"direction {facts.direction} is not {' or '.join(sorted(self.directions))}"
        if self.numbers is not None and not any(number in self.numbers for number in facts.numbers):
            others = ", ".join(facts.numbers) or "no number known"
            return f"nobody else ({others}) is in {', '.join(self.numbers.entries)}"
        return None

    def matched(self, facts: Facts) -> dict[str, str]:
        """The facts that the conditions looked at."""
        seen: dict[str, str] = {}
        if self.stations is not None:
            seen["station"] = facts.station
        if self.directions is not None:
            seen["direction"] = facts.direction
        if self.numbers is not None:
            seen["number"] = next(number for number in facts.numbers if number in self.numbers)
        return seen

    def text(self) -> str:
        """The rule in one line, the same for the same rule."""
        parts = [self.name, self.action]
        parts += ["stations", *self.stations.entries] if self.stations else []
        parts += ["numbers", *self.numbers.entries] if self.numbers else []
        parts += ["directions", *sorted(self.directions)] if self.directions else []
        return "\x1f".join(parts)


class RuleSet:
    """Rules in order.

    Attributes:
        version: changes with any rule, so that a decision names the rules that it was made by.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)
        self.version = sha256("\x1e".join(rule.text() for rule in self.rules).encode()).hexdigest()[:12]

    def decide(self, facts: Facts) -> Decision:
        """The first rule that matches decides; the trace says why the ones before it did not."""
        trace: list[str] = []
        for rule in self.rules:
            why_not = rule.mismatch(facts)
            if why_not is None:
                trace.append(f"{rule.name}: matches, {rule.action}")
                return Decision(
                    action=rule.action, rule=rule.name, version=self.version, facts=rule.matched(facts), trace=trace
                )
            trace.append(f"{rule.name}: {why_not}")
        return Decision(action="none", rule=None, version=self.version, facts={}, trace=trace)
