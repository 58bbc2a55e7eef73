"""The link breaks before the PBX has answered a request for a fork: what the pair's audio proves, and what not."""

import pytest

from osrec.csta.messages import LinkDown, Lost, ServiceAnswered, SnapshotTaken
from osrec.engine import messages as out
from osrec.engine.messages import RulesChanged, TimerExpired
from osrec.engine.recording import State
from osrec.engine.rules import Rule, RuleSet
from osrec.engine.settings import EngineConfig
from osrec.wire.csta import model
from osrec.wire.csta.model import DeviceId, SnapshotDevice, SnapshotLeg
from tests.unit.csta_events import cleared, conn, initiated
from tests.unit.engine_bench import CONNECTED, SILENT, A, B, Bench, C, concluded, every, forks, one

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


def half_open(bench: Bench, *heard: tuple[float, float]) -> list[out.Request]:
    """A call whose fork was asked for when the PBX fell silent; what was heard on the pair each second since."""
    requests = forks(bench.call())
    for own, other in heard:
        bench.now += 1.0
        bench.listen(own, other, idle=max(own, other) == SILENT)
    bench.now = max(bench.now, 1000.0 + bench.config.fork_timeout)
    return requests


def test_a_fork_whose_audio_comes_is_not_given_up_while_the_pbx_says_nothing_at_all() -> None:
    bench = Bench()
    requests = half_open(bench, (-20, -70), (SILENT, SILENT), (SILENT, SILENT))
    assert {request.argument for request in every(bench.give(TimerExpired()), out.Request)} == {
        SnapshotDevice(DeviceId(port)) for port in ("7101", "7102")
    }, "a sound link has an answer to that at once"
    assert bench.after(1.0) == []
    bench.now += 14.0
    bench.give(LinkDown("no answer to heartbeats", unheard=18.0))
    outputs = [follow for one in requests for follow in bench.give(ServiceAnswered(one.token, Lost("link down")))]
    (opened,) = every(outputs, out.Open)
    assert concluded(bench.hang_up()).missed == []
    (listen,) = every(bench.outputs, out.Listen)
    assert listen.recording == opened.recording, "from the request on"


def test_a_fork_whose_audio_comes_is_given_up_when_the_pbx_tells_of_something_else() -> None:
    bench = Bench()
    half_open(bench, (-20, -70), (-20, -20), (-20, -20))
    assert not every(bench.give(TimerExpired()), out.Forget)
    bench.report(C, initiated(2, C))
    bench.now += 1.0
    outputs = bench.give(TimerExpired())
    assert every(outputs, out.Forget)
    assert forks(outputs), "another pair is tried"


def test_a_fork_of_which_nothing_comes_is_given_up_though_the_pbx_says_nothing_at_all() -> None:
    bench = Bench()
    half_open(bench, (-70, -70), (SILENT, SILENT), (SILENT, SILENT))
    assert every(bench.give(TimerExpired()), out.Forget)


def test_what_lasts_since_the_pbx_fell_silent_is_blamed_on_no_refusal() -> None:
    bench = Bench(config=EngineConfig(pair_rest=0.0, attempts=1))
    assert not forks(bench.refuse(bench.refuse(bench.call()))), "of neither station"
    bench.now += 20.0
    bench.give(LinkDown("no answer to heartbeats", unheard=15.0))
    bench.now += 10.0
    missed = [one for one in concluded(bench.hang_up()).missed if one.station == A]
    assert [(one.blame, (one.until - one.since).total_seconds()) for one in missed] == [
        ("fork_refused", 5.0),
        ("link_down", 25.0),
    ]


def test_a_refusal_is_to_blame_only_until_the_fork_that_brought_the_audio_was_asked_for() -> None:
    bench = Bench()
    requests = bench.call()
    bench.now += 2.0
    again = forks(bench.refuse(requests))
    bench.now += 0.5
    bench.listen()
    bench.now += 5.0
    bench.give(LinkDown("cut"))
    for request in again:
        bench.give(ServiceAnswered(request.token, Lost("link down")))
    bench.now += 1.0
    missed = [one for one in concluded(bench.hang_up()).missed if one.station == A]
    assert [(one.blame, (one.until - one.since).total_seconds()) for one in missed] == [("fork_refused", 2.0)]


def test_a_lost_fork_is_to_blame_only_until_the_one_that_brought_the_audio_was_asked_for() -> None:
    bench = Bench()
    bench.recorded()
    bench.now += 40.0
    bench.report(A, cleared(1, "7101", CONNECTED))
    again = forks(bench.timers(bench.config.port_loss))
    bench.now += 0.5
    bench.listen()
    bench.now += 5.0
    bench.give(LinkDown("cut"))
    for request in again:
        bench.give(ServiceAnswered(request.token, Lost("link down")))
    (missed,) = [one for one in concluded(bench.hang_up()).missed if one.station == A]
    assert (missed.blame, (missed.until - missed.since).total_seconds()) == ("fork_lost", bench.config.port_loss)


def test_noise_that_lasts_is_noted_anew_before_the_ring_has_gone_round() -> None:
    bench = Bench()
    broken_off(bench)
    noted = 0
    for _ in range(130):
        bench.now += 0.5
        noted += len(every(bench.listen(-70, -70), out.Listen))
    assert noted == 2, "once in half a minute, but for the first time: what has come since the request is noted"


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


def test_it_begins_anew_by_the_rules_that_came_meanwhile() -> None:
    """While there was a recording they touched nothing."""
    bench = Bench(rules=RuleSet([Rule("all", "on_demand")]))
    broken_off(bench)
    bench.give(RulesChanged(RuleSet([Rule("all", "record")])))
    bench.connect()
    (conversation,) = bench.engine.tracker.conversations
    assert bench.engine.uncovered(conversation).keys() == {A, B}


def test_a_fork_of_which_one_port_was_refused_is_not_waited_for() -> None:
    bench = Bench()
    first, second = forks(bench.call())
    bench.answer(first, model.ReturnError(0, model.ErrorCategory.OPERATION, 12))
    bench.give(LinkDown("cut"))
    outputs = bench.give(ServiceAnswered(second.token, Lost("link down")))
    assert every(outputs, out.Forget)
    assert bench.engine.recordings == {}
