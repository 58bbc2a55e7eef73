"""Conditions of rules. Each says whether it holds, by which fact, and if not, why."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import translate
from hashlib import sha256
from typing import Protocol
from uuid import UUID

from osrec.engine.rules_facts import Facts
from osrec.engine.rules_times import TimeProfile
from osrec.numbers import Patterns
from osrec.store.records import Direction


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a condition holds; `fact` is what it looked at, `why_not` says why it does not hold."""

    holds: bool
    fact: str
    why_not: str


class Condition(Protocol):
    """One condition of a rule."""

    @property
    def fact(self) -> str:
        """What it looks at, as the decision names it."""
        ...

    @property
    def text(self) -> str:
        """The condition in one line, the same for the same condition."""
        ...

    def look(self, facts: Facts) -> Verdict: ...


class Members(Protocol):
    """A set that a value can be in."""

    @property
    def entries(self) -> tuple[str, ...]: ...

    def __contains__(self, value: object) -> bool: ...


class Names:
    """Names with wildcards ("*meier*"), whichever case they are written in."""

    def __init__(self, entries: Iterable[str]) -> None:
        self.entries = tuple(entries)
        self._wild = re.compile("|".join(translate(entry.casefold()) for entry in self.entries) or r"(?!)")

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and bool(self._wild.match(name.casefold()))


class Keys:
    """Sequences of keys of a telephone, to look for in what was pressed; "?" is any key. They may be part of more."""

    def __init__(self, entries: Iterable[str]) -> None:
        self.entries = tuple(entries)
        self._sought = re.compile("|".join(re.escape(entry).replace(r"\?", ".") for entry in self.entries) or r"(?!)")

    def find(self, digits: str) -> str | None:
        """The first of them that was pressed."""
        found = self._sought.search(digits)
        return None if found is None else found[0]


class Groups:
    """Named sets of stations. What a group contains is part of the rule: its version changes with it."""

    def __init__(self, groups: Mapping[str, Patterns]) -> None:
        self._groups = dict(groups)
        self.entries = tuple(f"{name} ({', '.join(members.entries)})" for name, members in groups.items())

    def __contains__(self, station: object) -> bool:
        return any(station in members for members in self._groups.values())


@dataclass(frozen=True, slots=True)
class Among:
    """One of the values is in a set; negated: none is."""

    fact: str
    members: Members
    values: Callable[[Facts], tuple[str, ...]]
    negated: bool = False

    @property
    def text(self) -> str:
        return "\x1f".join(["not" if self.negated else "is", self.fact, *self.members.entries])

    def look(self, facts: Facts) -> Verdict:
        values = self.values(facts)
        found = next((value for value in values if value in self.members), None)
        known, entries = ", ".join(values) or "unknown", ", ".join(self.members.entries)
        if self.negated:
            why = f"{self.fact} {found} is in {entries}, which is excepted"
            return Verdict(found is None, known, why)
        why = f"{self.fact} {known} is not in {entries}"
        if self.fact in SEVERAL:
            why = f"nobody else ({', '.join(values) or f'no {self.fact} known'}) is in {entries}"
        return Verdict(found is not None, found or known, why)


SEVERAL = ("number", "name")  # facts of everybody else in the conversation


@dataclass(frozen=True, slots=True)
class Pressed:
    """One of the sequences of keys was pressed in the conversation; negated: none was.

    It can begin to hold at any moment of a call, and then holds to its end. What else was pressed is not told: it may
    be somebody's PIN.
    """

    keys: Keys
    negated: bool = False
    fact: str = "digits"

    @property
    def text(self) -> str:
        return "\x1f".join(["not" if self.negated else "is", self.fact, *self.keys.entries])

    def look(self, facts: Facts) -> Verdict:
        found = self.keys.find(facts.digits)
        if self.negated:
            return Verdict(found is None, "none of them", f"{found} was pressed, which is excepted")
        return Verdict(found is not None, found or "", f"nobody pressed {' or '.join(self.keys.entries)}")


@dataclass(frozen=True, slots=True)
class Going:
    """The direction is one of these. `lenient`: one that is not known counts, too."""

    directions: frozenset[Direction]
    lenient: bool
    fact: str = "direction"

    @property
    def text(self) -> str:
        return "\x1f".join([self.fact, "lenient" if self.lenient else "strict", *sorted(self.directions)])

    def look(self, facts: Facts) -> Verdict:
        unsure = self.lenient and facts.direction == "unknown"
        why = f"direction {facts.direction} is not {' or '.join(sorted(self.directions))}"
        return Verdict(unsure or facts.direction in self.directions, facts.direction, why)


@dataclass(frozen=True, slots=True)
class During:
    """One of the profiles holds when the conversation begins; negated: none does."""

    profiles: tuple[TimeProfile, ...]
    negated: bool = False
    fact: str = "time"

    @property
    def text(self) -> str:
        return "\x1f".join(["not" if self.negated else "is", self.fact, *(one.text() for one in self.profiles)])

    def look(self, facts: Facts) -> Verdict:
        names = ", ".join(one.name for one in self.profiles)
        if facts.at is None:
            return Verdict(False, "unknown", f"when it began is not known, so not whether it was in {names}")
        inside = next((one for one in self.profiles if one.holds(facts.at)), None)
        clock = facts.at.astimezone(self.profiles[0].calendar.zone).strftime("%a %Y-%m-%d %H:%M:%S %Z")
        if self.negated:
            why = f"{clock} is in {inside.name}, which is excepted" if inside else ""
            return Verdict(inside is None, clock, why)
        return Verdict(inside is not None, f"{inside.name}: {clock}" if inside else clock, f"{clock} is not in {names}")


@dataclass(frozen=True, slots=True)
class Share:
    """So many of a hundred conversations, always the same ones: rule and conversation decide, not chance."""

    rule: str
    percentage: float
    fact: str = "share"

    @property
    def text(self) -> str:
        return f"{self.fact}\x1f{self.percentage:g}"

    def look(self, facts: Facts) -> Verdict:
        if facts.conversation is None:
            return Verdict(self.percentage >= 100, "unknown", "the conversation's id is not known, so not its share")
        place = share_of(self.rule, facts.conversation)
        drawn = f"{place:.2f} of 100"
        return Verdict(place < self.percentage, drawn, f"share {drawn} is not below {self.percentage:g}")


def share_of(rule: str, conversation: UUID) -> float:
    """Where a conversation stands between 0 and 100 (excluded) for a rule: evenly spread, and for ever the same."""
    drawn = sha256(rule.encode() + b"\x1f" + conversation.bytes).digest()[:6]  # 48 bits: exact as a float
    return int.from_bytes(drawn) / (1 << 48) * 100
