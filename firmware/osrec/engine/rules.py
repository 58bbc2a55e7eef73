"""Which conversations to record: rules in order, the first that matches decides."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Literal

from osrec.engine.rules_conditions import Among, Condition, During, Going, Groups, Keys, Members, Names, Pressed, Share
from osrec.engine.rules_facts import Facts
from osrec.engine.rules_times import TimeProfile
from osrec.numbers import Patterns
from osrec.store.records import Decision, Direction

__all__ = ["Facts", "Rule", "RuleAction", "RuleSet"]

RuleAction = Literal["record", "never", "on_demand"]

# condition, what it looks at, and where among the facts that is
_SETS: tuple[tuple[str, str, Callable[[Facts], tuple[str, ...]]], ...] = (
    ("stations", "station", lambda facts: (facts.station,)),
    ("groups", "station", lambda facts: (facts.station,)),
    ("numbers", "number", lambda facts: tuple(dict.fromkeys((*facts.numbers, *facts.e164)))),
    ("names", "name", lambda facts: facts.names),
    ("trunks", "trunk", lambda facts: facts.trunks),
    ("accounts", "account", lambda facts: facts.accounts),
)


@dataclass(frozen=True, slots=True)
class Rule:
    """Matches when every condition that it has holds; without conditions it matches always.

    Attributes:
        percentage: of the conversations that it would match, None: all.
        priority: class of what it records; a higher one may take the channel pair of a lower one.
        conditions: those above as they are looked at, in order.
    """

    name: str
    action: RuleAction
    stations: Patterns | None = None
    numbers: Patterns | None = None
    directions: frozenset[Direction] | None = None
    groups: Groups | None = None
    names: Names | None = None
    trunks: Patterns | None = None
    accounts: Patterns | None = None
    digits: Keys | None = None
    times: tuple[TimeProfile, ...] | None = None
    percentage: float | None = None
    not_stations: Patterns | None = None
    not_groups: Groups | None = None
    not_numbers: Patterns | None = None
    not_names: Names | None = None
    not_trunks: Patterns | None = None
    not_accounts: Patterns | None = None
    not_digits: Keys | None = None
    not_times: tuple[TimeProfile, ...] | None = None
    priority: int = 0
    conditions: tuple[Condition, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "conditions", tuple(_conditions(self)))

    def mismatch(self, facts: Facts) -> str | None:
        """Why the rule does not match, None when it does."""
        verdicts = (condition.look(facts) for condition in self.conditions)
        return next((verdict.why_not for verdict in verdicts if not verdict.holds), None)

    def matched(self, facts: Facts) -> dict[str, str]:
        """The facts that the conditions looked at."""
        return {condition.fact: condition.look(facts).fact for condition in self.conditions}

    def text(self) -> str:
        """The rule in one line, the same for the same rule."""
        return "\x1d".join([self.name, self.action, str(self.priority), *(one.text for one in self.conditions)])


def _conditions(rule: Rule) -> Iterator[Condition]:
    for key, fact, values in _SETS:
        members: Members | None = getattr(rule, key)
        excepted: Members | None = getattr(rule, f"not_{key}")
        if members is not None:
            yield Among(fact, members, values)
        if excepted is not None:
            yield Among(fact, excepted, values, negated=True)
    if rule.digits is not None:
        yield Pressed(rule.digits)
    if rule.not_digits is not None:
        yield Pressed(rule.not_digits, negated=True)
    if rule.directions is not None:
        # of a call found by a snapshot nobody knows the direction: rather record it than lose it
        yield Going(rule.directions, lenient=rule.action != "never")
    if rule.times is not None:
        yield During(rule.times)
    if rule.not_times is not None:
        yield During(rule.not_times, negated=True)
    if rule.percentage is not None:
        yield Share(rule.name, rule.percentage)


class RuleSet:
    """Rules in order.

    Attributes:
        digest: changes with any rule, and with any group, profile or calendar that a rule uses.
        loaded: when they were read, None when nobody said.
        version: of both, so that a decision names the rules that it was made by.
    """

    def __init__(self, rules: Sequence[Rule], loaded: datetime | None = None) -> None:
        self.rules = tuple(rules)
        self.loaded = loaded
        self.digest = sha256("\x1e".join(rule.text() for rule in self.rules).encode()).hexdigest()[:12]
        when = "" if loaded is None else f"@{loaded.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        self.version = f"{self.digest}{when}"

    def decide(self, facts: Facts) -> Decision:
        """The first rule that matches decides; the trace says why the ones before it did not."""
        trace: list[str] = []
        for rule in self.rules:
            why_not = rule.mismatch(facts)
            if why_not is None:
                trace.append(f"{rule.name}: matches, {rule.action}")
                return Decision(
                    action=rule.action,
                    rule=rule.name,
                    version=self.version,
                    facts=rule.matched(facts),
                    trace=trace,
                    priority=rule.priority,
                )
            trace.append(f"{rule.name}: {why_not}")
        return Decision(action="none", rule=None, version=self.version, facts={}, trace=trace)

    def warnings(self) -> list[str]:
        """Rules that can never match, and why."""
        found: list[str] = []
        for number, rule in enumerate(self.rules):
            if rule.percentage == 0:
                found.append(f"rule {rule.name!r} can never match: percentage = 0")
                continue
            earlier = next((one for one in self.rules[:number] if _covers(one, rule)), None)
            if earlier is not None:
                always = "matches always" if not earlier.conditions else "matches whenever this one would"
                found.append(f"rule {rule.name!r} can never match: rule {earlier.name!r} before it {always}")
        return found


def _covers(earlier: Rule, later: Rule) -> bool:
    """Everything that `later` matches is matched by `earlier`: it asks for nothing that the later does not ask for."""
    asked = {one.text for one in earlier.conditions if not (isinstance(one, Share) and one.percentage >= 100)}
    if any(isinstance(one, Share) and one.percentage < 100 for one in earlier.conditions):
        return False  # the two draw different conversations
    return asked <= {one.text for one in later.conditions}
