"""A PBX that is too busy is asked again: no port stays in a call, and no station is given up for it."""

import pytest

from osrec.csta.messages import LinkDown, LinkUp, Lost, Outcome, ServiceAnswered
from osrec.engine import messages as out
from osrec.engine.alarms import AlarmCleared, AlarmRaised
from osrec.engine.settings import EngineConfig
from osrec.wire.csta import model
from osrec.wire.csta.model import ClearConnection, DeviceSnapshot, ErrorCategory, Reject, ReturnError, SnapshotLeg
from tests.unit.csta_events import conn
from tests.unit.engine_bench import CONNECTED, PAIRS, A, B, Bench, every, forks, one

LIMIT = ReturnError(0, ErrorCategory.SUBSCRIBED_RESOURCE, 4)
OVERLOAD = ReturnError(0, ErrorCategory.PERFORMANCE, 2)
GONE = ReturnError(0, ErrorCategory.OPERATION, 13)
NOT_SENT = Lost("too many requests outstanding")
BUSY = pytest.mark.parametrize("busy", [LIMIT, OVERLOAD, NOT_SENT, Reject(0, 1, 3)], ids=str)


def bench_with(pairs: int) -> Bench:
    return Bench(pairs=PAIRS[:pairs], config=EngineConfig(), clears=False)


def clears(outputs: list[out.Output]) -> list[out.Request]:
    return [request for request in every(outputs, out.Request) if isinstance(request.argument, ClearConnection)]


def looks(outputs: list[out.Output]) -> list[out.Request]:
    return [r for r in every(outputs, out.Request) if isinstance(r.argument, model.SnapshotDevice)]


def answer(bench: Bench, requests: list[out.Request], outcome: Outcome) -> list[out.Output]:
    return [output for one in requests for output in bench.give(ServiceAnswered(one.token, outcome))]


def over(bench: Bench) -> list[out.Request]:
    """A recorded call is over, another waits for the pair: the requests that take the ports out."""
    bench.recorded(1, A, "9001")
    bench.call(2, B, "9002")
    bench.hang_up(1, A)
    requests = clears(bench.timers(bench.config.tail))
    assert len(requests) == 2
    return requests


@pytest.mark.parametrize("busy", [LIMIT, OVERLOAD, NOT_SENT, Lost("timeout"), Reject(0, 1, 3)], ids=str)
def test_a_port_that_a_busy_pbx_leaves_in_the_call_is_taken_out_later(busy: Outcome) -> None:
    bench = bench_with(1)
    requests = over(bench)
    arguments = [request.argument for request in requests]
    for wait in (0.5, 1.0, 2.0, 5.0, 5.0):
        assert not answer(bench, requests, busy)
        assert not bench.timers(wait - 0.01)
        repeated = bench.timers(0.02)
        requests = clears(repeated)
        assert [request.argument for request in requests] == arguments
        assert not forks(repeated), "the pair is not free"
    answer(bench, requests[:1], model.NoData())
    answer(bench, requests[1:], GONE)
    outputs = bench.timers(bench.config.pair_rest)
    assert one(bench.grant(outputs), out.Open)
    assert not clears(bench.timers(10.0)), "done is done"


def test_only_the_port_that_was_not_taken_out_is_asked_for_again() -> None:
    bench = bench_with(1)
    first, second = over(bench)
    answer(bench, [first], model.NoData())
    answer(bench, [second], LIMIT)
    assert [one.argument for one in clears(bench.timers(0.5))] == [second.argument]


def test_a_link_that_falls_while_a_port_waits_to_be_taken_out_frees_the_pair_and_has_it_looked_for() -> None:
    bench = bench_with(1)
    answer(bench, over(bench), LIMIT)
    bench.give(LinkDown("cut"))
    assert not clears(bench.timers(4.0))
    assert bench.engine.pool.leased == 0


def test_a_link_that_is_back_before_the_pair_is_free_has_its_ports_looked_for() -> None:
    bench = bench_with(1)
    answer(bench, over(bench), LIMIT)
    bench.hang_up(2, B)
    bench.give(LinkDown("cut"))
    bench.connect(p7101=SnapshotLeg(conn(1, "7101"), None, (CONNECTED,)))
    asked = looks(bench.timers(15.0))
    left = SnapshotLeg(conn(1, "7101"), None, (CONNECTED,))
    assert clears(answer(bench, asked[:1], DeviceSnapshot((left,))))


@BUSY
def test_a_port_that_the_sweep_cannot_take_out_is_looked_for_again_and_not_leased(busy: Outcome) -> None:
    bench = bench_with(1)
    bench.give(LinkDown("cut"))
    left = DeviceSnapshot((SnapshotLeg(conn(9, "7101"), None, (CONNECTED,)),))
    found = looks(bench.give(LinkUp()))
    bench.call(2, B, "9002")
    requests = answer(bench, found[:1], left) + answer(bench, found[1:], DeviceSnapshot(()))
    for wait in (0.5, 1.0, 2.0):
        assert not forks(answer(bench, clears(requests), busy))
        assert not bench.timers(wait - 0.01)
        requests = answer(bench, looks(bench.timers(0.02)), left)
        assert [one.argument for one in clears(requests)] == [ClearConnection(conn(9, "7101"))]
    answer(bench, clears(requests), OVERLOAD)
    assert forks(answer(bench, looks(bench.timers(5.0)), DeviceSnapshot(()))), "the port is free, and so is the pair"


@BUSY
def test_a_port_that_a_busy_pbx_does_not_tell_of_is_looked_for_later(busy: Outcome) -> None:
    bench = bench_with(1)
    bench.give(LinkDown("cut"))
    asked = looks(bench.give(LinkUp()))
    answer(bench, asked, busy)
    assert [one.argument for one in looks(bench.timers(5.0))] == [one.argument for one in asked]


@BUSY
def test_a_fork_that_a_busy_pbx_refuses_is_asked_for_again_and_no_refusal(busy: Outcome) -> None:
    bench = bench_with(2)
    requests = forks(bench.call(1, A, "9001"))
    for wait in (0.5, 1.0, 2.0):
        outputs = [output for one in requests for output in bench.answer(one, busy)]
        assert not forks(outputs), "not at once: it is busy"
        assert "fork-refused" not in {alarm.key for alarm in every(outputs, AlarmRaised)}
        assert not forks(bench.timers(wait - 0.01) + bench.listen())
        requests = forks(bench.timers(0.02))
        assert len(requests) == 2, "as soon as it may be: not only at the next look at the lines"
    assert one([o for r in requests for o in bench.answer(r)], out.Open)


def test_half_a_fork_that_a_busy_pbx_grants_is_taken_down_and_asked_for_again() -> None:
    bench = bench_with(1)
    first, second = forks(bench.call(1, A, "9001"))
    bench.answer(first)
    (clear,) = clears(bench.answer(second, LIMIT))
    answer(bench, [clear], LIMIT)
    bench.timers(0.4)
    assert not forks(bench.listen())
    (clear,) = clears(bench.timers(0.2))
    answer(bench, [clear], model.NoData())
    assert forks(bench.timers(0.2))


def test_a_refusal_for_another_reason_on_the_other_port_counts_as_one() -> None:
    for outcomes in ((LIMIT, GONE), (GONE, LIMIT)):
        bench = bench_with(2)
        requests = forks(bench.call(1, A, "9001"))
        outputs = [o for r, outcome in zip(requests, outcomes, strict=True) for o in bench.answer(r, outcome)]
        assert one(outputs, out.Listen).pair == PAIRS[1], "another pair at once"


def test_a_pbx_that_stays_too_busy_to_fork_is_reported_until_it_forks() -> None:
    bench = bench_with(1)
    requests, outputs = forks(bench.call(1, A, "9001")), list[out.Output]()
    for wait in (0.5, 1.0, 2.0, 5.0):
        outputs = [output for one in requests for output in bench.answer(one, OVERLOAD)]
        requests = forks(bench.timers(wait))
    assert "too busy 4 times in a row" in next(a.text for a in every(outputs, AlarmRaised))
    granted = [o for r in requests for o in bench.answer(r)]
    assert AlarmCleared("fork-refused") in granted


def test_one_burst_of_refusals_is_one_pause() -> None:
    bench = bench_with(2)
    requests = forks(bench.call(1, A, "9001")) + forks(bench.call(2, B, "9002"))
    for request in requests:
        bench.answer(request, LIMIT)
    assert len(forks(bench.timers(0.51))) == 4


def test_a_fork_that_is_granted_makes_the_next_pause_a_short_one() -> None:
    bench = bench_with(2)
    requests = forks(bench.call(1, A, "9001"))
    for wait in (0.5, 1.0, 2.0):
        for request in requests:
            bench.answer(request, LIMIT)
        requests = forks(bench.timers(wait))
    for request in requests:
        bench.answer(request)
    for request in forks(bench.call(2, B, "9002")):
        bench.answer(request, LIMIT)
    assert forks(bench.timers(0.51))


def test_a_port_that_a_silent_pbx_may_have_left_in_a_call_is_looked_for_again_and_not_leased() -> None:
    bench = bench_with(1)
    bench.give(LinkDown("cut"))
    found = looks(bench.give(LinkUp()))
    left = DeviceSnapshot((SnapshotLeg(conn(9, "7101"), None, (CONNECTED,)),))
    bench.call(2, B, "9002")
    requests = answer(bench, found[:1], left) + answer(bench, found[1:], DeviceSnapshot(()))
    assert not forks(answer(bench, clears(requests), Lost("timeout")))
    (look,) = looks(bench.timers(0.5))
    assert forks(answer(bench, [look], DeviceSnapshot(())))
