"""Conditions of rules: each says by which fact it holds, and if not, why."""

from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osrec.engine.rules import Facts, Rule, RuleSet
from osrec.engine.rules_conditions import Groups, Keys, Names, share_of
from osrec.engine.rules_times import Calendar, TimeProfile
from osrec.numbers import Patterns

OFFICE = TimeProfile("office", Calendar(UTC), frozenset(range(5)), time(8), time(17))
FACTS = Facts(
    station="3105",
    direction="in",
    numbers=("0228123", "3101"),
    e164=("+49228123",),
    names=("Meier, Anna",),
    trunks=("7801",),
    accounts=("4711",),
    digits="1*9504",
    at=datetime(2026, 11, 23, 12, tzinfo=UTC),
    conversation=UUID(int=7),
)
SALES = Groups({"sales": Patterns(["3100-3109"])})


@pytest.mark.parametrize(
    ("conditions", "fact"),
    [
        ({"groups": SALES}, {"station": "3105"}),
        ({"numbers": Patterns(["+49228*"])}, {"number": "+49228123"}),  # E.164
        ({"numbers": Patterns(["0228*"])}, {"number": "0228123"}),  # as the PBX writes it
        ({"names": Names(["*MEIER*"])}, {"name": "Meier, Anna"}),
        ({"trunks": Patterns(["78??"])}, {"trunk": "7801"}),
        ({"accounts": Patterns(["4711"])}, {"account": "4711"}),
        ({"digits": Keys(["#", "*95"])}, {"digits": "*95"}),
        ({"digits": Keys(["9?0"])}, {"digits": "950"}),
        ({"not_digits": Keys(["*94"])}, {"digits": "none of them"}),
        ({"times": (OFFICE,)}, {"time": "office: Mon 2026-11-23 12:00:00 UTC"}),
        ({"not_numbers": Patterns(["112"])}, {"number": "0228123, 3101, +49228123"}),
        ({"not_times": (TimeProfile("night", Calendar(UTC), begin=time(22), end=time(6)),)}, {}),
        ({"percentage": 100.0}, {}),
    ],
)
def test_a_condition_that_holds_names_its_fact(conditions: dict[str, Any], fact: dict[str, str]) -> None:
    decision = RuleSet([Rule("r", "record", **conditions)]).decide(FACTS)
    assert decision.rule == "r"
    assert fact.items() <= decision.facts.items()


@pytest.mark.parametrize(
    ("conditions", "why"),
    [
        ({"groups": Groups({"board": Patterns(["3199"])})}, "station 3105 is not in board (3199)"),
        ({"not_groups": SALES}, "station 3105 is in sales (3100-3109), which is excepted"),
        ({"not_numbers": Patterns(["3101"])}, "number 3101 is in 3101, which is excepted"),
        ({"names": Names(["huber"])}, "nobody else (Meier, Anna) is in huber"),
        ({"not_names": Names(["meier*"])}, "name Meier, Anna is in meier*, which is excepted"),
        ({"trunks": Patterns(["79??"])}, "trunk 7801 is not in 79??"),
        ({"accounts": Patterns(["1"])}, "account 4711 is not in 1"),
        ({"digits": Keys(["*5", "1?5"])}, "nobody pressed *5 or 1?5"),
        ({"not_digits": Keys(["#", "50"])}, "50 was pressed, which is excepted"),
        ({"not_times": (OFFICE,)}, "Mon 2026-11-23 12:00:00 UTC is in office, which is excepted"),
        ({"percentage": 0.0}, "is not below 0"),
    ],
)
def test_a_condition_that_does_not_hold_says_why(conditions: dict[str, Any], why: str) -> None:
    decision = RuleSet([Rule("r", "record", **conditions)]).decide(FACTS)
    assert decision.rule is None
    assert why in decision.trace[0]


def test_a_number_that_is_written_in_full_is_named_once() -> None:
    facts = Facts("3105", "in", numbers=("+49228123",), e164=("+49228123",))
    (line,) = RuleSet([Rule("r", "record", numbers=Patterns(["112"]))]).decide(facts).trace
    assert line == "r: nobody else (+49228123) is in 112"


def test_what_is_not_known_is_said_to_be_unknown() -> None:
    nothing = Facts("3105", "in")
    for conditions in ({"trunks": Patterns(["1"])}, {"times": (OFFICE,)}, {"percentage": 50.0}):
        (line,) = RuleSet([Rule("r", "record", **conditions)]).decide(nothing).trace
        assert "unknown" in line or "not known" in line


def test_priority_goes_with_the_decision() -> None:
    assert RuleSet([Rule("r", "record", priority=7)]).decide(FACTS).priority == 7


@given(st.uuids(), st.floats(0, 100))
@settings(max_examples=100, deadline=None)
def test_a_share_is_drawn_the_same_way_each_time_and_a_greater_share_includes_a_smaller_one(
    conversation: UUID, percentage: float
) -> None:
    place = share_of("r", conversation)
    assert 0 <= place < 100
    assert place == share_of("r", conversation)
    facts = Facts("3105", "in", conversation=conversation)
    small = RuleSet([Rule("r", "record", percentage=percentage)]).decide(facts).action
    great = RuleSet([Rule("r", "record", percentage=min(100, percentage + 10))]).decide(facts).action
    assert not (small == "record" and great == "none")


def test_a_share_of_a_quarter_is_a_quarter() -> None:
    drawn = sum(share_of("quality", UUID(int=number)) < 25 for number in range(10_000))
    assert 2_350 < drawn < 2_650  # 25 % and three and a half standard deviations of 43
    together = sum(share_of("a", UUID(int=n)) < 25 and share_of("b", UUID(int=n)) < 25 for n in range(10_000))
    assert 500 < together < 750  # two rules draw apart from each other


def test_the_version_changes_with_what_a_group_profile_or_calendar_contains() -> None:
    def digest(stations: str, end: int, holiday: tuple[int, int], priority: int = 0) -> str:
        calendar = Calendar(UTC, yearly=frozenset({holiday}))
        profile = TimeProfile("office", calendar, begin=time(8), end=time(end))
        rule = Rule("r", "record", groups=Groups({"g": Patterns([stations])}), times=(profile,), priority=priority)
        return RuleSet([rule]).digest

    base = digest("3100", 17, (12, 25))
    assert base == digest("3100", 17, (12, 25))
    others = digest("3101", 17, (12, 25)), digest("3100", 18, (12, 25)), digest("3100", 17, (12, 24))
    assert len({base, *others, digest("3100", 17, (12, 25), 1)}) == 5


def test_the_version_tells_when_the_rules_were_loaded() -> None:
    loaded = datetime(2026, 11, 23, 12, tzinfo=UTC)
    one, other = RuleSet([Rule("r", "record")]), RuleSet([Rule("r", "record")], loaded)
    assert other.version == f"{one.digest}@2026-11-23T12:00:00Z"
    assert other.decide(FACTS).version == other.version


@pytest.mark.parametrize(
    ("rules", "warning"),
    [
        ([Rule("all", "record"), Rule("late", "never")], "'late' can never match: rule 'all' before it matches always"),
        (
            [
                Rule("one", "record", trunks=Patterns(["78??"])),
                Rule("two", "never", trunks=Patterns(["78??"]), directions=frozenset({"in"})),
            ],
            "'two' can never match: rule 'one' before it matches whenever this one would",
        ),
        ([Rule("none", "record", percentage=0.0)], "percentage = 0"),
        ([Rule("some", "record", percentage=100.0), Rule("rest", "never")], "'rest' can never match"),
        ([Rule("some", "record", percentage=50.0), Rule("rest", "never")], None),
        ([Rule("in", "never", directions=frozenset({"in"})), Rule("r", "record", directions=frozenset({"in"}))], None),
        ([Rule("one", "record", trunks=Patterns(["78??"])), Rule("two", "record")], None),
    ],
)
def test_rules_that_can_never_match_are_told(rules: list[Rule], warning: str | None) -> None:
    found = RuleSet(rules).warnings()
    assert found == [] if warning is None else warning in found[0]
