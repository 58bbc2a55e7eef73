"""Priority classes: who gets a pair when there are fewer than calls."""

from typing import Literal

import pytest

from osrec.engine import messages as out
from osrec.engine.alarms import AlarmRaised
from osrec.engine.messages import JournalChanged
from osrec.engine.rules import Rule, RuleSet
from osrec.engine.settings import EngineConfig
from osrec.numbers import Patterns
from osrec.wire.csta.model import ClearConnection
from tests.unit.csta_events import cleared, conn
from tests.unit.engine_bench import NULL, PAIRS, A, B, Bench, C, concluded, every, forks, one

RULES = RuleSet(
    [
        Rule("board", "record", stations=Patterns([C]), priority=10),
        Rule("sales", "record", stations=Patterns([B]), priority=5),
        Rule("all", "record"),
    ]
)


def test_a_higher_class_takes_the_pair_of_a_running_recording() -> None:
    bench = Bench(rules=RULES, pairs=PAIRS[:1])
    victim = bench.recorded(1, A, "9001")
    outputs = bench.call(2, C, "9002")
    finish = one(outputs, out.Finish)
    assert finish.recording == victim.recording
    assert "preempted: station 3100 (priority 0) gave trunk1:1+2 to station 3102 (priority 10)" in finish.reason
    assert [remark.kind for remark in every(outputs, out.Remark) if remark.recording == victim.recording][-1] == (
        "preempted"
    )
    assert "preempted:3100" in {alarm.key for alarm in every(outputs, AlarmRaised)}
    assert {r.argument for r in every(outputs, out.Request)} == {
        ClearConnection(conn(1, "7101")),
        ClearConnection(conn(1, "7102")),
    }, "the PBX stops at once"
    assert not every(outputs, out.Listen), "the last of the old audio must not come into the new recording"
    outputs = bench.timers(bench.config.tail)
    assert one(outputs, out.Listen).pair == PAIRS[0]
    assert one(bench.grant(outputs), out.Open).station == C


@pytest.mark.parametrize("internal", ["once", "each"])
def test_the_preempted_conversation_says_so_and_gets_a_pair_again(internal: Literal["once", "each"]) -> None:
    bench = Bench(rules=RULES, pairs=PAIRS[:1], config=EngineConfig(internal=internal, pair_rest=0.0))
    first = bench.recorded(1, A, "9001")
    bench.call(2, C, "9002")
    bench.grant(bench.timers(bench.config.tail))
    bench.now += 10
    bench.give(JournalChanged(True))  # all who wait are looked at again
    bench.now += 10
    bench.report(C, cleared(2, C, NULL))
    again = one(bench.grant(bench.timers(bench.config.tail)), out.Open)
    record = concluded(bench.hang_up(1, A))
    assert record.recordings == [first.recording, again.recording]
    (missed,) = record.missed
    assert missed.blame == "preempted"
    assert 20.0 <= (missed.until - missed.since).total_seconds() < 21.0


def test_the_youngest_of_the_lowest_class_is_taken() -> None:
    bench = Bench(rules=RULES)
    bench.recorded(1, B, "9001")
    older = bench.recorded(2, A, "9002")
    bench.now += 10
    outputs = bench.call(4, C, "9004")
    assert one(outputs, out.Finish).recording == older.recording, "of two classes the lower"
    bench = Bench(rules=RuleSet([Rule("board", "record", stations=Patterns([C]), priority=1), Rule("all", "record")]))
    bench.recorded(1, A, "9001")
    bench.now += 10
    younger = bench.recorded(2, B, "9002")
    assert one(bench.call(3, C, "9003"), out.Finish).recording == younger.recording


def test_of_one_class_what_nobody_asked_to_keep_is_taken_before_what_is_kept() -> None:
    rules = RuleSet(
        [
            Rule("board", "record", stations=Patterns([C]), priority=1),
            Rule("maybe", "on_demand", stations=Patterns([A])),
            Rule("all", "record"),
        ]
    )
    bench = Bench(rules=rules)
    provisional = bench.recorded(1, A, "9001")
    bench.now += 10
    bench.recorded(2, B, "9002")
    assert one(bench.call(3, C, "9003"), out.Finish).recording == provisional.recording, "though it is the older one"


def test_equals_take_nothing_from_each_other() -> None:
    bench = Bench(pairs=PAIRS[:1])
    bench.recorded(1, A, "9001")
    assert not every(bench.call(2, C, "9002"), out.Finish)


def test_preemption_can_be_switched_off() -> None:
    bench = Bench(rules=RULES, pairs=PAIRS[:1], config=EngineConfig(preempt=False))
    bench.recorded(1, A, "9001")
    assert not every(bench.call(2, C, "9002"), out.Finish)


def test_one_recording_ends_for_one_that_waits() -> None:
    bench = Bench(rules=RULES)
    bench.recorded(1, A, "9001")
    bench.recorded(2, B, "9002")
    outputs = bench.call(3, C, "9003")
    outputs += bench.listen() + bench.listen()
    one(outputs, out.Finish)


def test_a_pair_that_is_about_to_be_free_saves_a_recording() -> None:
    bench = Bench(rules=RULES)
    bench.recorded(1, A, "9001")
    bench.recorded(2, B, "9002")
    bench.hang_up(1, A)
    assert not every(bench.call(3, C, "9003"), out.Finish)
    assert forks(bench.timers(bench.config.tail))


def test_a_pair_that_is_about_to_be_free_is_for_one_that_waits() -> None:
    bench = Bench(
        rules=RuleSet([Rule("board", "record", numbers=Patterns(["95??"]), priority=10), Rule("all", "record")])
    )
    bench.recorded(1, A, "9001")
    bench.recorded(2, B, "9002")
    bench.hang_up(1, A)
    assert not every(bench.call(3, C, "9501"), out.Finish)
    assert every(bench.call(4, A, "9502"), out.Finish), "the second one needs another"
    assert len(forks(bench.timers(bench.config.tail))) == 4


def test_who_waits_is_served_by_class_and_then_by_age() -> None:
    bench = Bench(rules=RULES, pairs=PAIRS[:1], config=EngineConfig(preempt=False))
    bench.recorded(1, C, "9001")
    bench.call(2, A, "9002")
    bench.now += 1
    bench.call(3, B, "9003")
    bench.now += 1
    bench.hang_up(1, C)
    opened = one(bench.grant(bench.timers(1.0)), out.Open)
    assert opened.station == B, "the higher class first"
    bench.hang_up(3, B)
    opened = one(bench.grant(bench.timers(1.0)), out.Open)
    assert opened.station == A


def test_among_equals_the_longest_wait_is_served_first() -> None:
    bench = Bench(pairs=PAIRS[:1])
    bench.recorded(1, C, "9001")
    bench.call(2, B, "9002")
    bench.now += 1
    bench.call(3, A, "9003")
    bench.hang_up(1, C)
    assert one(bench.grant(bench.timers(1.0)), out.Open).station == B
