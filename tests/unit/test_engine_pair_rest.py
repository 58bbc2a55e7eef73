"""A pair goes to the next call when it carries nothing of the last one any more."""

from osrec.csta.messages import LinkDown, LinkUp, Lost, Outcome, ServiceAnswered
from osrec.engine import messages as out
from osrec.engine.settings import EngineConfig
from osrec.wire.csta import model
from osrec.wire.csta.model import (
    ClearConnection,
    ConferenceJoined,
    ConnectionCleared,
    ConnectionId,
    DeviceId,
    DeviceSnapshot,
    SnapshotLeg,
)
from tests.unit.csta_events import cleared, conn
from tests.unit.engine_bench import CONNECTED, PAIRS, A, B, Bench, every, forks, one


def bench_with_one_pair() -> Bench:
    return Bench(pairs=PAIRS[:1], config=EngineConfig(), clears=False)


def clears(outputs: list[out.Output]) -> list[out.Request]:
    return [request for request in every(outputs, out.Request) if isinstance(request.argument, ClearConnection)]


def answer(bench: Bench, requests: list[out.Request], outcome: Outcome) -> list[out.Output]:
    return [output for one in requests for output in bench.give(ServiceAnswered(one.token, outcome))]


def waiting(bench: Bench) -> list[out.Request]:
    """A recorded call is over, another waits for its pair: the requests that take the ports out."""
    bench.recorded(1, A, "9001")
    bench.call(2, B, "9002")
    bench.hang_up(1, A)
    requests = clears(bench.timers(bench.config.tail))
    assert {one.argument for one in requests} == {ClearConnection(conn(1, p)) for p in ("7101", "7102")}
    return requests


def test_a_pair_is_not_leased_again_before_the_pbx_says_that_its_ports_are_out() -> None:
    bench = bench_with_one_pair()
    first, second = waiting(bench)
    assert not forks(bench.timers(1.0))
    assert not forks(answer(bench, [first], model.NoData()))
    assert not forks(bench.timers(0.5)), "one port is still in the call"
    assert not forks(answer(bench, [second], model.NoData()))
    asked = bench.now
    outputs = bench.timers(1.0)
    assert one(outputs, out.Listen).pair == PAIRS[0]
    assert bench.engine.recordings[one(outputs, out.Listen).recording].asked == asked + bench.config.pair_rest


def test_a_refusal_to_take_a_port_out_means_that_it_is_out() -> None:
    bench = bench_with_one_pair()
    refusal = model.ReturnError(0, model.ErrorCategory.STATE_INCOMPATIBILITY, 2)
    answer(bench, waiting(bench), refusal)
    assert forks(bench.timers(bench.config.pair_rest))


def test_a_pbx_that_never_answers_gets_the_pair_back_and_is_asked_where_the_ports_are() -> None:
    bench = bench_with_one_pair()
    waiting(bench)
    assert not forks(bench.timers(bench.config.fork_timeout - 0.1))
    outputs = bench.timers(0.2)
    assert one(outputs, out.Listen).pair == PAIRS[0]
    bench.hang_up(2, B)  # before the fork is answered: the pair is in doubt no more when that has come
    late = bench.grant(outputs)
    answer(bench, clears(late), model.NoData())
    looks = [one.argument for one in every(bench.timers(10.0), out.Request)]
    assert {model.SnapshotDevice(DeviceId(port)) for port in ("7101", "7102")} <= set(looks)


def test_ports_that_the_pbx_took_out_itself_cost_no_time_beyond_the_tail() -> None:
    bench = bench_with_one_pair()
    bench.recorded(1, A, "9001")
    bench.call(2, B, "9002")
    for port in ("7101", "7102"):
        bench.report(A, cleared(1, port, CONNECTED))
    bench.hang_up(1, A)
    assert forks(bench.timers(bench.config.tail))


def test_without_a_tail_the_pair_rests_all_the_same() -> None:
    bench = Bench(pairs=PAIRS[:1], config=EngineConfig(tail=0.0), clears=False)
    bench.recorded(1, A, "9001")
    bench.call(2, B, "9002")
    for port in ("7101", "7102"):
        bench.report(A, cleared(1, port, CONNECTED))
    bench.hang_up(1, A)
    assert not forks(bench.timers(0.09))
    assert forks(bench.timers(0.02))


def test_a_tail_is_not_cut_short_by_an_answer() -> None:
    bench = Bench(pairs=PAIRS[:1], config=EngineConfig(tail=2.0), clears=False)
    bench.recorded(1, A, "9001")
    bench.call(2, B, "9002")
    bench.report(A, cleared(1, "7101", CONNECTED))
    outputs = bench.timers(0.5)  # the fork is lost: the other port is taken out, the last audio comes in
    answer(bench, clears(outputs), model.NoData())
    assert not forks(bench.timers(1.9))
    assert forks(bench.timers(0.2))


def test_a_lost_link_does_not_keep_a_pair() -> None:
    bench = bench_with_one_pair()
    requests = waiting(bench)
    answer(bench, requests, Lost("the link is down"))
    bench.give(LinkDown("cut"))
    bench.timers(bench.config.pair_rest)
    assert bench.engine.pool.leased == 0


def test_a_pair_that_the_sweep_found_in_a_call_rests_too() -> None:
    bench = bench_with_one_pair()
    bench.give(LinkDown("cut"))
    left = SnapshotLeg(conn(9, "7101"), None, (CONNECTED,))
    looks = every(bench.give(LinkUp()), out.Request)
    bench.call(2, B, "9002")
    outputs = answer(bench, looks[:1], DeviceSnapshot((left,))) + answer(bench, looks[1:], DeviceSnapshot(()))
    assert not forks(answer(bench, clears(outputs), model.NoData()))
    assert not forks(bench.timers(0.09))
    assert forks(bench.timers(0.02))


def test_an_end_told_late_of_the_call_before_is_no_loss_of_the_fork() -> None:
    bench = bench_with_one_pair()
    answer(bench, waiting(bench), model.NoData())
    one(bench.grant(bench.timers(bench.config.pair_rest)), out.Open)
    for port in ("7101", "7102"):
        bench.report(A, cleared(1, port, CONNECTED))
    assert not every(bench.timers(5.0), out.Finish)
    bench.report(B, cleared(2, "7101", CONNECTED))
    assert every(bench.timers(5.0), out.Finish), "that was the present one"


def test_a_dynamic_id_tells_the_connections_of_a_port_apart_in_one_call() -> None:
    bench = bench_with_one_pair()

    def fork(first: bytes, second: bytes) -> None:
        ids = {"7101": first, "7102": second}
        for request in forks(bench.outputs)[-2:]:
            assert isinstance(request.argument, model.SingleStepConference)
            dynamic = ids[request.argument.device_to_join.number]
            bench.answer(request, ConferenceJoined(ConnectionId(b"\0\1", dynamic)))

    def gone(dynamic: bytes) -> list[out.Output]:
        event = ConnectionCleared(connection=ConnectionId(b"\0\1", dynamic), device=DeviceId("7101"), local=CONNECTED)
        return bench.report(A, event) + bench.timers(1.0)

    bench.call(1, A, "9001")
    fork(b"\x11", b"\x12")
    outputs = gone(b"\x11")
    assert every(outputs, out.Finish)
    answer(bench, clears(outputs), model.NoData())
    bench.timers(1.0)
    fork(b"\x21", b"\x22")
    assert not every(gone(b"\x11"), out.Finish), "told a second time"
    assert every(gone(b"\x21"), out.Finish)


def test_a_place_asked_for_before_the_lease_says_nothing_of_the_new_fork() -> None:
    bench = Bench(pairs=PAIRS[:1], config=EngineConfig(), clears=False)
    first = forks(bench.call(1, A, "9001"))
    bench.hang_up(1, A)
    for request in first:
        bench.give(ServiceAnswered(request.token, Lost("timeout")))
    answer(bench, clears(bench.outputs), model.NoData())
    looks = [r for r in every(bench.timers(6.0), out.Request) if isinstance(r.argument, model.SnapshotDevice)]
    one(bench.grant(bench.call(2, B, "9002")), out.Open)
    answer(bench, looks, DeviceSnapshot(()))
    assert not every(bench.timers(5.0), out.Finish)
