"""What people ask of a running call: keep it, pause it; and what rules forbid."""

from uuid import UUID

import pytest

from osrec.engine import messages as out
from osrec.engine.messages import Demand, RulesChanged
from osrec.engine.rules import Rule, RuleSet
from osrec.engine.rules_conditions import Keys
from osrec.engine.settings import EngineConfig
from osrec.numbers import Patterns
from osrec.wire.csta import model
from osrec.wire.csta.model import ClearConnection, LocalState
from tests.unit.csta_events import (
    cleared,
    conferenced,
    conn,
    established,
    held,
    initiated,
    parties,
    retrieved,
    transferred,
)
from tests.unit.engine_bench import CONNECTED, NULL, PAIRS, A, B, Bench, C, concluded, every, forks, one

ON_DEMAND = RuleSet([Rule("maybe", "on_demand")])


def error(outputs: list[out.Output]) -> str | None:
    return one(outputs, out.Replied).error


# --- on demand


def test_a_call_that_may_be_recorded_is_recorded_provisionally() -> None:
    bench = Bench(rules=ON_DEMAND)
    assert bench.recorded().provisional
    record = concluded(bench.hang_up())
    assert (record.outcome, record.recordings, record.missed) == ("not_recorded", [], [])
    assert record.reason == "rule 'maybe' records on demand, and nobody asked for it"


@pytest.mark.parametrize(
    ("what", "seconds", "since"),
    [
        (Demand.START, None, 60.0),
        (Demand.KEEP, None, None),
        (Demand.KEEP_LAST, 20.0, 40.0),
        (Demand.KEEP_LAST, 90.0, None),
    ],
)
def test_it_is_kept_from_where_it_is_asked_for(what: Demand, seconds: float | None, since: float | None) -> None:
    bench = Bench(rules=ON_DEMAND)
    begin = bench.now
    opened = bench.recorded()
    bench.now = begin + 60.0
    outputs = bench.demand(A, what, seconds)
    assert one(outputs, out.Keep) == out.Keep(opened.recording, None if since is None else begin + since, "Anna")
    assert one(outputs, out.Remark).detail["by"] == "Anna"
    assert one(outputs, out.Replied) == out.Replied((opened.recording,))
    record = concluded(bench.hang_up())
    assert (record.outcome, record.recordings) == ("recorded", [opened.recording])


def test_a_recording_can_be_named_by_its_id() -> None:
    bench = Bench(rules=ON_DEMAND)
    opened = bench.recorded()
    assert one(bench.demand(str(opened.recording), Demand.KEEP), out.Keep).recording == opened.recording


def test_what_is_kept_is_not_kept_twice() -> None:
    bench = Bench(rules=ON_DEMAND)
    bench.recorded()
    bench.demand(A, Demand.START)
    assert not every(bench.demand(A, Demand.START), out.Keep)


def test_of_what_is_kept_more_may_be_asked_for_later() -> None:
    bench = Bench(rules=ON_DEMAND)
    bench.recorded()
    bench.now += 60.0
    bench.demand(A, Demand.START)
    assert one(bench.demand(A, Demand.KEEP), out.Keep).since is None
    assert not every(bench.demand(A, Demand.KEEP_LAST, 5.0), out.Keep), "that is kept already"


def test_what_is_recorded_because_it_is_to_be_kept_loses_nothing_by_being_asked_for_again() -> None:
    bench = Bench(rules=ON_DEMAND)
    bench.recorded()
    bench.demand(A, Demand.START)
    asked = bench.demand(A, Demand.STOP)
    bench.demand(A, Demand.START)  # before the new fork is granted
    assert not one(bench.grant(asked), out.Open).provisional
    assert not every(bench.demand(A, Demand.START), out.Keep)


def test_stop_ends_what_is_kept_and_offers_what_follows() -> None:
    bench = Bench(rules=ON_DEMAND)
    opened = bench.recorded()
    bench.demand(A, Demand.START)
    outputs = bench.demand(A, Demand.STOP)
    assert one(outputs, out.Finish).recording == opened.recording
    assert one(outputs, out.Finish).reason == "stopped by Anna"
    again = one(bench.grant(outputs), out.Open)
    assert again.provisional
    record = concluded(bench.hang_up())
    assert record.recordings == [opened.recording]


def test_stop_of_what_nobody_kept_is_refused() -> None:
    bench = Bench(rules=ON_DEMAND)
    bench.recorded()
    assert error(bench.demand(A, Demand.STOP)) == "3100: nobody has asked to keep the call; there is nothing to stop"
    bench = Bench()
    bench.recorded()
    assert error(bench.demand(A, Demand.STOP)) == "3100: the call is recorded by a rule; there is nothing to stop"


def test_a_call_that_is_kept_stays_kept_after_a_transfer() -> None:
    bench = Bench(rules=ON_DEMAND)
    bench.recorded(1)
    bench.demand(A, Demand.START)
    assert not handed_over(bench).provisional


def test_a_kept_call_that_has_no_pair_is_missed() -> None:
    bench = Bench(rules=ON_DEMAND, pairs=PAIRS[:1])
    bench.recorded(1, C, "9001")
    bench.call(2, A, "9002")
    bench.now += 5
    assert error(bench.demand(A, Demand.START)) is None
    bench.now += 5
    (missed,) = concluded(bench.hang_up(2, A)).missed
    assert (missed.blame, (missed.until - missed.since).total_seconds()) == ("no_pair", 5.0)


def test_a_rule_that_says_record_keeps_what_was_provisional() -> None:
    bench = Bench(rules=RuleSet([Rule("vip", "record", numbers=Patterns([C])), Rule("maybe", "on_demand")]))
    opened = bench.recorded(1, A, "9001")
    bench.now += 5
    outputs = bench.report(A, established(1, C, parties(A, C)))
    assert one(outputs, out.Keep) == out.Keep(opened.recording, bench.now, "rule 'vip'")


def test_a_fork_on_demand_is_kept_for_whom_a_rule_records_though_its_own_was_refused() -> None:
    """Only for a moment: meanwhile the fork of whom it talks with has both voices."""
    bench = Bench(rules=RuleSet([Rule("all", "record", stations=Patterns([A])), Rule("maybe", "on_demand")]))
    asked = bench.refuse(bench.refuse(bench.call()))
    opened = one(bench.grant(asked), out.Open)
    assert (opened.station, opened.provisional) == (B, False)


def joined_by_whom_a_rule_records() -> Bench:
    """C has joined the call of A, who is recorded on demand."""
    bench = Bench(rules=RuleSet([Rule("vip", "record", stations=Patterns([C])), Rule("maybe", "on_demand")]))
    bench.recorded(1, A, "9001")
    bench.report(A, established(1, C, parties(A, C)))
    assert one(bench.report(C, established(1, C, parties(A, C))), out.Keep).by == "rule 'vip'"
    return bench


def test_the_last_of_a_talk_that_was_wanted_until_now_is_waited_for() -> None:
    bench = joined_by_whom_a_rule_records()
    bench.now += 5
    outputs = bench.report(A, cleared(1, C, CONNECTED))
    assert one(outputs, out.Finish).when == bench.now + bench.config.tail


def test_what_nobody_wants_is_not_the_end_of_what_was_wanted_before() -> None:
    bench = joined_by_whom_a_rule_records()
    bench.report(A, held(1, A, LocalState.HOLD))
    bench.report(A, cleared(1, C, LocalState.HOLD))
    bench.now += 5
    assert one(bench.report(A, retrieved(1, A)), out.Finish).when == bench.now


@pytest.mark.parametrize(
    ("target", "text"),
    [
        (A, "station 3100 has no call that is being recorded"),
        ("9999", "'9999' is neither a monitored station nor the id of a recording"),
        (str(UUID(int=5)), f"recording {UUID(int=5)} does not run"),
    ],
)
@pytest.mark.parametrize("what", [Demand.START, Demand.PAUSE])
def test_a_demand_about_nothing_says_so(what: Demand, target: str, text: str) -> None:
    assert error(Bench().demand(target, what)) == text


def test_a_demand_about_a_forbidden_call_names_the_rule() -> None:
    bench = Bench(rules=RuleSet([Rule("doctor", "never")]))
    bench.call()
    assert error(bench.demand(A, Demand.START)) == "station 3100: rule 'doctor' says that its call is never recorded"


def test_to_keep_the_last_seconds_needs_their_number() -> None:
    bench = Bench(rules=ON_DEMAND)
    bench.recorded()
    assert "must be more than 0" in (error(bench.demand(A, Demand.KEEP_LAST, 0)) or "")


# --- pause


def handed_over(bench: Bench) -> out.Open:
    """A, recorded in call 1 with B, hands it over to C; the recording at B that follows."""
    bench.report(A, model.Held(connection=conn(1, A), device=model.DeviceId(A), local=LocalState.HOLD))
    bench.report(A, initiated(2, A, cause=37))
    bench.report(A, established(2, C, parties(A, C)))
    bench.now += 5
    outputs = bench.report(A, transferred(A, C, 1, 2, 3, {B: 1, C: 2}, NULL))
    return one(bench.grant(outputs), out.Open)


def test_a_recording_is_paused_and_goes_on() -> None:
    bench = Bench()
    opened = bench.recorded()
    outputs = bench.demand(A, Demand.PAUSE)
    assert one(outputs, out.Pause) == out.Pause(opened.recording, bench.now)
    assert (one(outputs, out.Remark).kind, one(outputs, out.Remark).detail) == ("paused", {"by": "Anna"})
    bench.now += 10
    outputs = bench.demand(str(opened.recording), Demand.RESUME)
    assert one(outputs, out.Resume) == out.Resume(opened.recording, bench.now)
    assert one(outputs, out.Remark).kind == "resumed"


def test_all_recordings_of_a_conversation_are_paused_together() -> None:
    bench = Bench(config=EngineConfig(internal="each"))
    bench.grant(bench.call())
    assert {pause.recording for pause in every(bench.demand(A, Demand.PAUSE), out.Pause)} == set(
        bench.engine.recordings
    )


def test_a_paused_conversation_stays_paused_after_a_transfer() -> None:
    bench = Bench()
    bench.recorded()
    bench.demand(A, Demand.PAUSE)
    opened = handed_over(bench)
    pause = every(bench.outputs, out.Pause)[-1]
    assert (pause.recording, pause.now) == (opened.recording, bench.now), "from its first sample on"
    assert one(bench.demand(C, Demand.RESUME), out.Resume).recording == opened.recording


def test_what_was_asked_of_one_of_two_calls_that_become_one_holds_for_both() -> None:
    bench = Bench(rules=ON_DEMAND)
    first = bench.recorded(1, A, "9001")
    bench.now += 1
    bench.recorded(2, B, "9002")
    bench.demand(B, Demand.PAUSE)
    bench.demand(B, Demand.START)
    outputs = bench.report(A, conferenced(A, B, 1, 2, 3, {A: 1, B: 2}, CONNECTED))
    assert one(outputs, out.Pause) == out.Pause(first.recording, bench.now)
    assert one(outputs, out.Keep) == out.Keep(first.recording, bench.now, "Anna")


def test_pausing_twice_and_resuming_what_runs_are_refused() -> None:
    bench = Bench()
    bench.recorded()
    assert error(bench.demand(A, Demand.RESUME)) == "3100: the recording is not paused"
    bench.demand(A, Demand.PAUSE)
    outputs = bench.demand(A, Demand.PAUSE)
    assert error(outputs) == "3100: the recording is paused already, by Anna"
    assert not every(outputs, out.Pause)


def test_a_paused_recording_misses_nothing() -> None:
    bench = Bench()
    bench.recorded()
    bench.demand(A, Demand.PAUSE)
    bench.now += 60
    assert concluded(bench.hang_up()).missed == []


# --- never


def pressed(digits: str) -> model.DigitsGenerated:
    return model.DigitsGenerated(connection=conn(1, A), digits=digits)


DOCTOR = RuleSet([Rule("doctor", "never", numbers=Patterns([C])), Rule("all", "record")])


def test_who_must_not_be_recorded_ends_a_recording_by_joining_the_call() -> None:
    bench = Bench(rules=DOCTOR)
    opened = bench.recorded(1, A, "9001")
    bench.now += 5
    joined = bench.now
    outputs = bench.report(A, established(1, C, parties(A, C)))
    finish = one(outputs, out.Finish)
    assert (finish.recording, finish.when, finish.reason) == (opened.recording, joined, "rule 'doctor' says never")
    assert {r.argument for r in every(outputs, out.Request)} == {
        ClearConnection(conn(1, "7101")),
        ClearConnection(conn(1, "7102")),
    }
    assert one(outputs, out.Wipe) == out.Wipe(opened.recording, "trunk1", (1, 2), joined)
    later = bench.timers(1.0)
    assert one(later, out.Wipe) == out.Wipe(opened.recording, "trunk1", (1, 2), joined), (
        "and what the PBX still sent until it stopped"
    )
    record = concluded(bench.hang_up(1, A))
    assert (record.outcome, record.missed) == ("recorded", [])
    assert record.reason == "stopped in mid-call: rule 'doctor' says never"


def test_keys_that_are_pressed_in_a_call_turn_it_into_one_that_is_never_recorded() -> None:
    secret = Rule("secret", "never", digits=Keys(["*95"]))
    bench = Bench(rules=RuleSet([secret, Rule("all", "record", not_digits=Keys(["#"]))]))
    opened = bench.recorded()
    assert not every(bench.report(A, pressed("1*9")), out.Finish)
    (finish,) = every(bench.report(B, pressed("5")), out.Finish)
    assert (finish.recording, finish.reason) == (opened.recording, "rule 'secret' says never")
    assert not forks(bench.report(A, pressed("7"))), "what was pressed stays pressed"


def test_keys_that_are_pressed_in_a_call_have_it_recorded_from_then_on() -> None:
    bench = Bench(rules=RuleSet([Rule("complaint", "record", digits=Keys(["#1"]))]))
    assert not forks(bench.call())
    opened = one(bench.grant(bench.report(A, pressed("0#1"))), out.Open)
    assert (opened.decision.rule, opened.decision.facts) == ("complaint", {"digits": "#1"})


def test_a_rule_that_says_never_for_one_station_beats_all_others_in_the_call() -> None:
    bench = Bench(rules=RuleSet([Rule("works council", "never", stations=Patterns([B])), Rule("all", "record")]))
    assert not forks(bench.call(1, A, B))
    assert concluded(bench.hang_up()).decision.rule == "works council"


def test_when_the_forbidden_station_has_left_the_others_are_recorded() -> None:
    bench = Bench(rules=RuleSet([Rule("works council", "never", stations=Patterns([B])), Rule("all", "record")]))
    bench.call(1, A, B)
    bench.report(A, model.Held(connection=conn(1, A), device=model.DeviceId(A), local=LocalState.HOLD))
    bench.report(A, initiated(2, A, cause=37))
    assert forks(bench.report(A, established(2, C, parties(A, C)))), "a consultation without it"


def test_a_fork_on_its_way_is_dropped_and_wiped() -> None:
    bench = Bench(rules=DOCTOR)
    requests = bench.call(1, A, "9001")
    asked = bench.now
    bench.now += 0.5
    outputs = bench.report(A, established(1, C, parties(A, C)))
    assert one(outputs, out.Forget)
    answers = bench.grant(requests)
    assert not every(answers, out.Open)
    wiped = one(answers, out.Wipe)
    assert (wiped.line, wiped.slots, wiped.since) == ("trunk1", (1, 2), asked)


# --- new rules


def test_new_rules_decide_about_what_is_not_recorded() -> None:
    bench = Bench(rules=RuleSet([Rule("none", "record", stations=Patterns(["32??"]))]))
    bench.call(1, A, "9001")
    outputs = bench.give(RulesChanged(RuleSet([Rule("all", "record")])))
    assert one(bench.grant(outputs), out.Open).decision.rule == "all"


def test_new_rules_do_not_touch_what_runs() -> None:
    bench = Bench()
    opened = bench.recorded(1, A, "9001")
    assert not every(bench.give(RulesChanged(RuleSet([Rule("nobody", "never")]))), out.Finish)
    bench.listen()
    assert not every(bench.report(A, model.Held(connection=conn(1, A), device=model.DeviceId(A))), out.Finish)
    bench.call(2, B, "9002")
    assert opened.recording in bench.engine.recordings
    assert len(bench.engine.recordings) == 1, "what is new is decided by them"


def test_what_becomes_known_in_mid_call_is_decided_upon() -> None:
    bench = Bench(rules=RuleSet([Rule("vip", "record", numbers=Patterns([C]))]))
    assert not forks(bench.call(1, A, "9001"))
    outputs = bench.report(A, established(1, C, parties(A, C)))
    assert one(bench.grant(outputs), out.Open).decision.rule == "vip"
