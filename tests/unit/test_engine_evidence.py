"""The link breaks before the PBX has answered a request for a fork: what the pair's audio proves, and what not."""

import pytest

from osrec.csta.messages import LinkDown, Lost, ServiceAnswered, SnapshotTaken
from osrec.engine import messages as out
from osrec.engine.recording import State
from osrec.wire.csta import model
from osrec.wire.csta.model import SnapshotLeg
from tests.unit.csta_events import conn
from tests.unit.engine_bench import CONNECTED, SILENT, A, B, Bench, concluded, every, forks, one

OTHER = 9  # a call that has nothing to do with it


def broken_off(bench: Bench) -> list[out.Output]:
    """A call whose fork was asked for when the link broke."""
    requests = forks(bench.call())
    bench.give(LinkDown("cut"))
    return [follow for one in requests for follow in bench.give(ServiceAnswered(one.token, Lost("link down")))]


def back(bench: Bench, port_in: int | None, call: int = 1) -> list[out.Output]:
    """The link is back; the PBX has both ports in the call `port_in`, and the stations in `call`."""
    legs = {f"p{port}": SnapshotLeg(conn(port_in, port), None, (CONNECTED,)) for port in ("7101", "7102") if port_in}
    outputs = bench.connect(**legs)
    for station, endpoint in ((A, B), (B, A)):
        leg = SnapshotLeg(conn(call, station), model.DeviceId(endpoint), (CONNECTED, CONNECTED))
        outputs += bench.give(SnapshotTaken(station, (leg,)))
    return outputs + bench.listen()


def test_nothing_is_recorded_and_the_pair_is_kept_until_somebody_speaks() -> None:
    bench = Bench()
    assert not every(broken_off(bench), out.Forget)
    (recording,) = bench.engine.recordings.values()
    assert recording.state is State.UNANSWERED
    assert bench.listen(SILENT, SILENT, idle=True) == []
    assert not every(bench.listen(-70, -70), out.Open), "noise is no voice"
    assert one(bench.listen(-20, -70), out.Open).recording == recording.id


def test_the_recording_begins_where_the_slots_stopped_to_be_idle() -> None:
    bench = Bench()
    broken_off(bench)
    bench.silence(5.0)
    listen = one(bench.listen(-70, -70), out.Listen)
    assert listen.reach_back
    bench.now += 2.0
    outputs = bench.listen(-20, -20)
    assert every(outputs, out.Listen) == [], "it is noted already"
    assert one(outputs, out.Open).recording == listen.recording


def test_what_came_before_the_first_word_was_not_missed() -> None:
    bench = Bench()
    broken_off(bench)
    bench.now += 0.5
    bench.listen(-70, -70)
    bench.now += 4.0
    bench.listen(-20, -20)
    assert concluded(bench.hang_up()).missed == []


def test_what_came_before_a_late_answer_was_not_missed() -> None:
    bench = Bench()
    requests = bench.call()
    bench.now += 0.5
    bench.listen(-20, -20)
    bench.now += 2.0
    bench.grant(requests)
    assert concluded(bench.hang_up()).missed == []


def test_noise_that_lasts_is_noted_anew_before_the_ring_has_gone_round() -> None:
    bench = Bench()
    broken_off(bench)
    noted = 0
    for _ in range(130):
        bench.now += 0.5
        noted += len(every(bench.listen(-70, -70), out.Listen))
    assert noted == 3, "once in half a minute"


def test_a_line_in_alarm_proves_nothing() -> None:
    bench = Bench()
    broken_off(bench)
    assert not every(bench.listen(-20, -20, down="trunk1"), out.Open)


def test_a_recording_whose_ports_are_in_its_call_goes_on() -> None:
    bench = Bench()
    broken_off(bench)
    opened = one(bench.listen(), out.Open)
    outputs = back(bench, port_in=1)
    assert every(outputs, out.Finish) == []
    (recording,) = bench.engine.recordings.values()
    assert recording.proof is None, "nothing is left to be proved"
    assert concluded(bench.hang_up()).recordings == [opened.recording]


def test_a_recording_whose_ports_are_in_another_call_is_nobodys() -> None:
    bench = Bench()
    broken_off(bench)
    opened = one(bench.listen(), out.Open)
    outputs = back(bench, port_in=OTHER)
    (remark,) = [remark for remark in every(outputs, out.Remark) if remark.kind == "unassigned"]
    assert (remark.recording, remark.parties, remark.calls) == (opened.recording, [], [])
    assert remark.conversation not in (None, opened.conversation)
    assert one(outputs, out.Finish).recording == opened.recording
    assert one(bench.grant(outputs), out.Open).conversation == opened.conversation, "the call gets another one"
    record = concluded(bench.hang_up())
    assert opened.recording not in record.recordings
    assert {one.blame for one in record.missed} == {"link_down"}


@pytest.mark.parametrize("call", [1, 2])
def test_a_call_that_is_over_takes_no_recording_of_another_with_it(call: int) -> None:
    bench = Bench()
    broken_off(bench)
    opened = one(bench.listen(), out.Open)
    legs = {f"p{port}": SnapshotLeg(conn(call, port), None, (CONNECTED,)) for port in ("7101", "7102")}
    outputs = bench.connect(**legs)
    for station in (A, B):
        outputs += bench.give(SnapshotTaken(station, ()))
    unassigned = [remark for remark in every(outputs, out.Remark) if remark.kind == "unassigned"]
    record = concluded(outputs)
    assert (record.recordings, bool(unassigned)) == (([opened.recording], False) if call == 1 else ([], True))


def test_where_nobody_spoke_all_begins_anew_when_the_link_is_back() -> None:
    bench = Bench()
    broken_off(bench)
    (recording,) = bench.engine.recordings.values()
    before = len(bench.outputs)
    outputs = back(bench, port_in=1)
    assert one(bench.outputs[before:], out.Forget).recording == recording.id
    asked = {request.argument for request in every(bench.outputs[before:], out.Request)}
    assert {model.ClearConnection(conn(1, port)) for port in ("7101", "7102")} <= asked
    assert len(forks(outputs)) == 2


def test_a_fork_of_which_one_port_was_refused_is_not_waited_for() -> None:
    bench = Bench()
    first, second = forks(bench.call())
    bench.answer(first, model.ReturnError(0, model.ErrorCategory.OPERATION, 12))
    bench.give(LinkDown("cut"))
    outputs = bench.give(ServiceAnswered(second.token, Lost("link down")))
    assert every(outputs, out.Forget)
    assert bench.engine.recordings == {}
