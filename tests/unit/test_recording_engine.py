"""Which call is on which channel: the engine, with a PBX that answers as the test says."""

import pytest

from osrec.csta.messages import (
    Lost,
)
from osrec.engine import messages as out
from osrec.engine.alarms import AlarmCleared, AlarmRaised
from osrec.engine.rules import Rule, RuleSet
from osrec.engine.settings import EngineConfig
from osrec.numbers import Patterns
from osrec.wire.csta import model
from osrec.wire.csta.model import (
    ClearConnection,
    DeviceId,
    LocalState,
    Participation,
    SingleStepConference,
)
from tests.unit.csta_events import (
    cleared,
    conferenced,
    conn,
    delivered,
    established,
    failed,
    initiated,
    originated,
    parties,
    transferred,
)
from tests.unit.engine_bench import ALERTING, BUSY, CONNECTED, NULL, PAIRS, A, B, Bench, C, concluded, every, forks, one


def test_an_answered_call_is_forked_to_both_ports_of_a_pair() -> None:
    outputs = Bench().call()
    listen, first, second = outputs[0], *every(outputs, out.Request)
    assert isinstance(listen, out.Listen), "the ring is marked before the PBX is asked"
    assert first.argument == SingleStepConference(conn(1, A), model.DeviceId("7101"), Participation.SILENT)
    assert second.argument == SingleStepConference(conn(1, A), model.DeviceId("7102"), Participation.SILENT)


def test_a_recording_begins_when_both_ports_have_joined() -> None:
    bench = Bench()
    first, second = every(bench.call(), out.Request)
    assert not every(bench.answer(first), out.Open)
    opened = one(bench.answer(second), out.Open)
    assert (opened.station, opened.pair, opened.calls) == (A, PAIRS[0], ["0001"])
    assert opened.decision.rule == "all"
    assert [party.number for party in opened.parties] == [A, B]


def test_a_call_that_only_rings_is_not_forked() -> None:
    bench = Bench()
    bench.report(A, initiated(1, A))
    bench.report(B, delivered(1, B, parties(A, B), ALERTING))
    assert not every(bench.outputs, out.Listen)


def test_the_recording_ends_with_the_call_and_the_pair_after_the_tail() -> None:
    bench = Bench()
    bench.recorded()
    outputs = bench.hang_up()
    finish = one(outputs, out.Finish)
    assert finish.when == bench.engine.deadline
    record = concluded(outputs)
    assert (record.outcome, record.recordings, record.reason) == ("recorded", [finish.recording], None)
    assert bench.engine.pool.leased == 1
    assert bench.engine.deadline == pytest.approx(bench.now + bench.config.tail)
    bench.after(bench.config.tail)
    assert bench.engine.pool.leased == 0


def test_ports_that_the_pbx_did_not_drop_are_cleared_before_the_pair_is_free() -> None:
    bench = Bench()
    bench.recorded()
    bench.report(A, cleared(1, "7101", CONNECTED))
    bench.hang_up()
    requests = every(bench.after(1.0), out.Request)
    assert [request.argument for request in requests] == [ClearConnection(conn(1, "7102"))]


def test_a_port_that_moved_is_cleared_in_the_call_that_it_moved_to() -> None:
    bench = Bench()
    bench.recorded()
    moved = bench.report(A, conferenced(A, "7101", 1, None, 2, {"7101": 1, "7102": 1}, CONNECTED))
    assert moved == [], "the call itself goes on as it was"
    bench.hang_up()
    requests = every(bench.after(1.0), out.Request)
    assert {request.argument for request in requests} == {
        ClearConnection(conn(2, "7101")),
        ClearConnection(conn(2, "7102")),
    }


def test_a_conversation_of_two_recorded_stations_is_recorded_once() -> None:
    bench = Bench()
    bench.recorded()
    assert not every(bench.report(B, established(1, B, parties(A, B))), out.Listen)


def test_each_station_is_recorded_when_so_configured() -> None:
    bench = Bench(config=EngineConfig(internal="each"))
    assert len(every(bench.call(), out.Listen)) == 2


def test_a_rule_that_says_never_leaves_nothing_but_the_reason() -> None:
    bench = Bench(rules=RuleSet([Rule("doctor", "never", numbers=Patterns([A, B])), Rule("all", "record")]))
    bench.call()
    assert not every(bench.outputs, out.Listen)
    record = concluded(bench.hang_up())
    assert (record.outcome, record.reason, record.decision.rule) == (
        "not_recorded",
        "rule 'doctor' says never",
        "doctor",
    )


def test_no_rule_no_recording() -> None:
    bench = Bench(rules=RuleSet([Rule("others", "record", stations=Patterns(["32??"]))]))
    bench.call()
    assert not every(bench.outputs, out.Listen)
    assert concluded(bench.hang_up()).reason == "no rule matches"


def test_an_unanswered_call_says_so() -> None:
    bench = Bench()
    bench.report(A, initiated(1, A))
    bench.report(A, originated(1, A, B))
    bench.report(A, failed(1, B))
    record = concluded(bench.report(A, cleared(1, A, NULL)))
    assert (record.outcome, record.reason) == ("not_recorded", "not answered: busy")
    assert record.decision.rule == "all"


def test_without_a_free_pair_the_conversation_waits_and_is_told_so() -> None:
    bench = Bench(pairs=PAIRS[:1])
    bench.recorded(1)
    outputs = bench.call(2, C, "9999")
    assert every(outputs, out.Listen) == []
    assert one(outputs, AlarmRaised).key == "no-pair"
    assert bench.engine.conversation_reason(bench.engine.tracker.conversations.popitem()[0]) == "no free channel pair"


def test_a_pair_that_gets_free_goes_to_the_conversation_that_waits() -> None:
    bench = Bench(pairs=PAIRS[:1])
    bench.recorded(1)
    bench.call(2, C, "9999")
    bench.hang_up(1)
    outputs = bench.after(1.0)
    assert one(outputs, out.Listen).pair == PAIRS[0]
    assert AlarmCleared("no-pair") in outputs


def test_a_conversation_that_never_got_a_pair_has_that_reason() -> None:
    bench = Bench(pairs=PAIRS[:1])
    bench.recorded(1)
    bench.call(2, C, "9999")
    record = concluded(bench.hang_up(2, C))
    assert (record.outcome, record.reason) == ("not_recorded", "no free channel pair")


def test_half_a_pair_is_given_back_and_another_pair_is_tried() -> None:
    bench = Bench()
    first, second = every(bench.call(), out.Request)
    bench.answer(first)
    outputs = bench.answer(second, BUSY)
    assert one(outputs, out.Forget)
    cleared_ports = [r.argument for r in every(outputs, out.Request) if isinstance(r.argument, ClearConnection)]
    assert cleared_ports == [ClearConnection(conn(1, "7101"))]
    assert one(outputs, out.Listen).pair == PAIRS[1]
    assert bench.engine.pool.leased == 1


def test_a_fork_refused_on_every_pair_is_the_reason() -> None:
    bench = Bench()
    outputs = bench.call()
    for _ in range(bench.config.attempts):
        outputs = bench.refuse(outputs)
    assert {r.argument.active_call for r in forks(outputs)} == {conn(1, B)}, "then the other station is tried"  # type: ignore[union-attr]
    while outputs := bench.refuse(outputs):
        pass
    record = concluded(bench.hang_up())
    assert record.outcome == "not_recorded"
    assert "resourceBusy" in (record.reason or "")
    assert {(gap.station, gap.blame) for gap in record.missed} == {(A, "fork_refused"), (B, "fork_refused")}
    assert bench.engine.pool.leased == 0


def test_a_call_that_ends_before_the_pbx_answers_leaves_nothing_behind() -> None:
    bench = Bench()
    first, second = every(bench.call(), out.Request)
    assert one(bench.hang_up(), out.Forget)
    bench.answer(first)
    outputs = bench.answer(second)
    assert not every(outputs, out.Open)
    assert {r.argument for r in every(outputs, out.Request)} == {
        ClearConnection(conn(1, "7101")),
        ClearConnection(conn(1, "7102")),
    }
    assert bench.engine.pool.leased == 0


def test_after_a_transfer_the_station_that_stays_is_recorded() -> None:
    bench = Bench()
    opened = bench.recorded(1)
    olds = {B: 1, C: 2}
    bench.report(A, model.Held(connection=conn(1, A), device=model.DeviceId(A), local=LocalState.HOLD))
    bench.report(A, initiated(2, A, cause=37))
    bench.report(A, established(2, C, parties(A, C)))
    outputs = bench.report(A, transferred(A, C, 1, 2, 3, olds, NULL))
    assert one(outputs, out.Finish).recording == opened.recording
    requests = every(outputs, out.Request)
    assert {r.argument.active_call for r in requests} == {conn(3, B)}  # type: ignore[union-attr]
    opened_again = [o for request in requests for o in every(bench.answer(request), out.Open)]
    assert [o.conversation for o in opened_again] == [opened.conversation]
    bench.report(B, transferred(A, C, 1, 2, 3, olds, CONNECTED))
    record = concluded(bench.hang_up(3, B, C))
    assert len(record.recordings) == 2


def test_a_refused_fork_is_asked_for_again_while_the_call_lasts() -> None:
    bench = Bench(config=EngineConfig(attempts=1), pairs=PAIRS[:1])
    bench.refuse(bench.call(1, A, "9999"))
    assert not forks(bench.listen()), "not at once: it has just said no"
    bench.now += 1.0
    bench.refuse(bench.listen())
    bench.now += 1.0
    assert not forks(bench.listen()), "the second time it is given more time"
    bench.now += 4.0
    one(bench.grant(bench.listen()), out.Open)
    record = concluded(bench.hang_up(1, A))
    assert record.outcome == "recorded"
    (gap,) = record.missed
    assert (gap.blame, (gap.until - gap.since).total_seconds()) == ("fork_refused", 6.0)


def test_a_port_whose_request_got_no_answer_is_cleared_all_the_same() -> None:
    bench = Bench(config=EngineConfig(attempts=1))
    first, second = every(bench.call(1, A, "9999"), out.Request)
    bench.answer(first, Lost("timeout"))
    outputs = bench.answer(second, BUSY)
    assert ClearConnection(conn(1, "7101")) in [r.argument for r in every(outputs, out.Request)]


def test_a_group_member_that_answers_is_recorded_also_when_the_others_are_cleared() -> None:
    bench = Bench(pairs=PAIRS[:1])
    bench.recorded(9, C, "9999")
    who = parties("+4822", B, trunk_in="7801")
    bench.report(A, delivered(1, A, who, ALERTING))
    bench.report(B, delivered(1, B, who, ALERTING))
    bench.report(B, established(1, B, who))
    bench.report(A, cleared(1, A, NULL))
    bench.report(B, cleared(1, A, CONNECTED))
    bench.hang_up(9, C)
    assert one(bench.after(1.0), out.Listen)


@pytest.mark.parametrize("caller", list(model.NoDevice)[:2])
def test_a_caller_whose_number_nobody_tells_is_a_party_without_number(caller: model.NoDevice) -> None:
    bench = Bench()
    who = model.Parties(caller, DeviceId(A), associated_calling=DeviceId("7801"))
    bench.report(A, delivered(1, A, who, ALERTING))
    opened = one(bench.grant(bench.report(A, established(1, A, who))), out.Open)
    record = concluded(bench.hang_up(1, A))
    for parties_told in (opened.parties, record.parties):
        assert [(party.number, party.external) for party in parties_told] == [(A, False), (None, True)]


def test_a_call_among_stations_has_no_party_without_number() -> None:
    bench = Bench()
    bench.recorded()
    assert [party.number for party in concluded(bench.hang_up()).parties] == [A, B]
