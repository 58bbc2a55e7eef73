"""Rules: the first that matches decides, and says why."""

import pytest

from osrec.engine.rules import Facts, Rule, RuleSet
from osrec.numbers import Patterns, expand

FACTS = Facts("3105", "in", ("+48221234567",))


def test_the_first_rule_that_matches_decides() -> None:
    rules = RuleSet(
        [
            Rule("doctor", "never", numbers=Patterns(["+4822*"])),
            Rule("all", "record"),
        ]
    )
    decision = rules.decide(FACTS)
    assert (decision.action, decision.rule) == ("never", "doctor")
    assert decision.facts == {"number": "+48221234567"}


def test_a_rule_needs_all_its_conditions() -> None:
    rules = RuleSet(
        [Rule("out", "record", stations=Patterns(["3100-3139"]), directions=frozenset({"out"})), Rule("rest", "never")]
    )
    decision = rules.decide(FACTS)
    assert decision.rule == "rest"
    assert decision.trace == ["out: direction in is not out", "rest: matches, never"]


def test_a_call_of_unknown_direction_is_rather_recorded_than_lost() -> None:
    unknown = Facts("3105", "unknown", ())
    record = RuleSet([Rule("out", "record", directions=frozenset({"out"}))])
    never = RuleSet([Rule("out", "never", directions=frozenset({"out"})), Rule("all", "record")])
    assert record.decide(unknown).action == "record"
    assert never.decide(unknown).rule == "all"


def test_without_a_matching_rule_nothing_is_recorded() -> None:
    decision = RuleSet([Rule("others", "record", stations=Patterns(["32??"]))]).decide(FACTS)
    assert (decision.action, decision.rule) == ("none", None)
    assert decision.trace == ["others: station 3105 is not in 32??"]


def test_the_version_changes_with_any_rule() -> None:
    one = RuleSet([Rule("all", "record")])
    assert one.version == RuleSet([Rule("all", "record")]).version
    assert one.version != RuleSet([Rule("all", "never")]).version
    assert one.version != RuleSet([Rule("all", "record", numbers=Patterns(["1"]))]).version


def test_ranges_expand_with_their_leading_zeros() -> None:
    assert expand(["098-101", "7"]) == ["098", "099", "100", "101", "7"]


@pytest.mark.parametrize("entry", ["3139-3100", "99-100", "", "31??", "abc", "0000000-9999999"])
def test_a_wrong_range_is_refused_by_name(entry: str) -> None:
    with pytest.raises(ValueError, match=r"range|neither"):
        expand([entry])


def test_patterns_know_ranges_and_wildcards() -> None:
    patterns = Patterns(["3100-3102", "78??", "+48*"])
    assert all(number in patterns for number in ("3101", "7806", "+48600"))
    assert not any(number in patterns for number in ("3103", "780", "48600", None))


@pytest.mark.parametrize("entry", ["+48**6x!", "31 ??", "x*"])
def test_a_wrong_pattern_is_refused_by_name(entry: str) -> None:
    with pytest.raises(ValueError, match="no pattern of numbers"):
        Patterns([entry])
