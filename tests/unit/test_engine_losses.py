"""Forks that are lost, refused or never answered, and lines that fail: the call goes on on another pair."""

from datetime import timedelta

import pytest

from osrec.csta.messages import LinkDown, LinkUp, Lost, MonitorRefused, ServiceAnswered, SnapshotTaken
from osrec.engine import messages as out
from osrec.engine.alarms import AlarmRaised
from osrec.engine.messages import TimerExpired
from osrec.engine.pool import Pair, Port
from osrec.store.records import Missed
from osrec.wire.csta import model
from osrec.wire.csta.model import (
    ClearConnection,
    ErrorCategory,
    LocalState,
    ReturnError,
    SnapshotDevice,
    SnapshotLeg,
)
from tests.unit.csta_events import cleared, conn, delivered, established, held, parties, retrieved
from tests.unit.engine_bench import (
    ALERTING,
    CONNECTED,
    NULL,
    PAIRS,
    SILENT,
    START,
    A,
    B,
    Bench,
    C,
    concluded,
    every,
    forks,
    one,
)

OTHER_LINE = Pair("trunk2", Port(1, "7201"), Port(2, "7202"))


def gap(bench: Bench, since: float, until: float, station: str = A) -> tuple[str, object, object]:
    return station, START + timedelta(seconds=since), START + timedelta(seconds=until)


def spans(missed: list[Missed]) -> list[tuple[str, object, object]]:
    return [(one.station, one.since, one.until) for one in missed]


def test_a_fork_that_the_pbx_drops_in_mid_call_is_asked_for_again_within_a_second() -> None:
    bench = Bench()
    first = bench.recorded()
    bench.timers(100)
    dropped = bench.now
    bench.report(A, cleared(1, "7102", CONNECTED))
    outputs = bench.timers(1.0)
    finish = one(outputs, out.Finish)
    assert (finish.recording, finish.reason) == (first.recording, "fork lost: the PBX took it out of the call")
    requests = [r.argument for r in every(outputs, out.Request)]
    assert requests[0] == ClearConnection(conn(1, "7101")), "first of all the other half is taken out"
    assert one(outputs, out.Listen).pair == PAIRS[1]
    assert "fork-lost:3100" in {alarm.key for alarm in every(outputs, AlarmRaised)}
    again = one(bench.grant(outputs), out.Open)
    assert again.conversation == first.conversation
    record = concluded(bench.hang_up())
    assert record.recordings == [first.recording, again.recording]
    assert [(one.blame, *rest) for one, rest in zip(record.missed, spans(record.missed), strict=True)] == [
        ("fork_lost", *gap(bench, dropped, dropped + 1.0, station)) for station in (A, B)
    ], "one recording is for both"


def test_a_port_that_drops_because_the_call_ends_is_no_loss() -> None:
    bench = Bench()
    bench.recorded()
    bench.report(A, cleared(1, "7102", CONNECTED))
    bench.timers(bench.config.port_loss / 2)
    assert concluded(bench.hang_up()).missed == []
    assert not forks(bench.timers(2.0))


def test_with_one_pair_a_lost_fork_is_asked_for_again_on_the_same() -> None:
    bench = Bench(pairs=PAIRS[:1])
    bench.recorded()
    bench.report(A, cleared(1, "7101", CONNECTED))
    outputs = bench.timers(1.0)
    assert one(outputs, out.Listen).pair == PAIRS[0]
    bench.grant(outputs)
    missed = concluded(bench.hang_up()).missed
    assert {(gap.station, gap.blame) for gap in missed} == {(A, "fork_lost"), (B, "fork_lost")}, (
        "the want of a pair is not to blame: it had one, and it was for both"
    )


def test_a_fork_that_is_lost_again_and_again_is_asked_for_more_slowly() -> None:
    bench = Bench()
    bench.recorded(1, A, "9999")
    for _ in range(bench.config.losses):
        bench.report(A, cleared(1, "7101", CONNECTED))
        bench.report(A, cleared(1, "7103", CONNECTED))
        assert bench.grant(bench.timers(1.0))
    bench.report(A, cleared(1, "7101", CONNECTED))
    bench.report(A, cleared(1, "7103", CONNECTED))
    outputs = bench.timers(1.0)
    assert not forks(outputs + bench.listen())
    assert "4th in a row" in one(outputs, AlarmRaised).text
    bench.now += 5.0
    assert forks(bench.listen())


def test_losses_that_are_far_apart_are_not_in_a_row() -> None:
    bench = Bench()
    bench.recorded()
    for _ in range(bench.config.losses + 2):
        bench.timers(60)
        bench.report(A, cleared(1, "7101", CONNECTED))
        bench.report(A, cleared(1, "7103", CONNECTED))
        assert bench.grant(bench.timers(1.0))


def test_an_idle_pair_has_the_pbx_asked_and_a_port_in_no_call_is_a_lost_fork() -> None:
    bench = Bench()
    bench.recorded()
    bench.listen()
    fell_silent = bench.now + 0.5
    looks = every(bench.silence(bench.config.idle_check + 0.5), out.Request)
    assert [r.argument for r in looks] == [model.SnapshotDevice(model.DeviceId(p)) for p in ("7101", "7102")]
    for look in looks:
        bench.give(ServiceAnswered(look.token, model.DeviceSnapshot(())))
    outputs = bench.timers(1.0)
    assert one(outputs, out.Listen).pair == PAIRS[1]
    bench.grant(outputs)
    missed = concluded(bench.hang_up()).missed[0]
    assert missed.since == START + timedelta(seconds=fell_silent), "the gap begins where the audio ended"


def test_an_idle_pair_that_the_pbx_says_is_in_the_call_stays() -> None:
    bench = Bench()
    bench.recorded()
    bench.listen()
    looks = every(bench.silence(bench.config.idle_check + 0.5), out.Request)
    for look, port in zip(looks, ("7101", "7102"), strict=True):
        leg = SnapshotLeg(conn(1, port), None, (CONNECTED,))
        bench.give(ServiceAnswered(look.token, model.DeviceSnapshot((leg,))))
    assert not every(bench.silence(bench.config.idle_lost + 5), out.Finish)


def test_one_side_that_falls_idle_has_the_pbx_asked_too() -> None:
    bench = Bench()
    bench.recorded()
    bench.listen()
    fell_silent = bench.now + 1.0
    looks: list[out.Request] = []
    for _ in range(12):
        bench.now += 0.5
        looks += every(bench.listen(other_idle=bench.now >= fell_silent), out.Request)
    assert [r.argument for r in looks] == [model.SnapshotDevice(model.DeviceId(p)) for p in ("7101", "7102")]
    there = SnapshotLeg(conn(1, "7101"), None, (CONNECTED,))
    bench.give(ServiceAnswered(looks[0].token, model.DeviceSnapshot((there,))))
    bench.give(ServiceAnswered(looks[1].token, model.DeviceSnapshot(())))
    bench.grant(bench.timers(1.0))
    missed = concluded(bench.hang_up()).missed[0]
    assert (missed.blame, missed.since) == ("fork_lost", START + timedelta(seconds=fell_silent))


def test_samples_that_did_not_arrive_are_no_idle_code() -> None:
    bench = Bench()
    bench.recorded()
    for _ in range(30):
        bench.now += 0.5
        assert not every(bench.listen(SILENT, SILENT, idle=False), out.Request)


def unanswered(bench: Bench, seconds: float) -> list[out.Output]:
    """Idle code on all pairs for so long, and no answer to the question where the ports are."""
    outputs: list[out.Output] = []
    for _ in range(round(seconds / 0.5)):
        new = bench.silence(0.5)
        outputs += new
        for look in looks(new):
            outputs += bench.give(ServiceAnswered(look.token, Lost("timeout")))
    return outputs


def looks(outputs: list[out.Output]) -> list[out.Request]:
    return [one for one in every(outputs, out.Request) if isinstance(one.argument, SnapshotDevice)]


def test_audio_that_stops_for_long_is_a_lost_fork_when_the_pbx_says_nothing() -> None:
    bench = Bench()
    bench.recorded()
    bench.listen()
    outputs = unanswered(bench, bench.config.idle_lost + 1)
    assert one(outputs, out.Finish).reason.startswith("fork lost: idle code on both slots")
    assert forks(outputs)


def test_a_fork_is_not_called_lost_while_the_pbx_is_being_asked_for_it() -> None:
    bench = Bench()
    bench.recorded()
    bench.listen()
    outputs = bench.silence(bench.config.idle_lost + 20)
    assert not every(outputs, out.Finish)
    assert len(looks(outputs)) == 2, "nor is it asked again meanwhile"
    outputs = bench.give(LinkDown("no answer to 2 heartbeats of 5 s")) + bench.silence(60)
    assert not every(outputs, out.Finish), "the call may be on hold, or go on"


def test_a_question_that_ran_out_on_a_half_open_link_is_no_answer() -> None:
    """A request runs out first, and the link is called down when its heartbeats have run out, too."""
    bench = Bench()
    bench.recorded()
    bench.listen()
    first = looks(bench.silence(bench.config.idle_lost + 5))
    outputs = [follow for look in first for follow in bench.give(ServiceAnswered(look.token, Lost("timeout")))]
    outputs += (asked := bench.silence(5))
    assert [each.argument for each in looks(asked)] == [
        SnapshotDevice(model.DeviceId(port)) for port in ("7101", "7102")
    ]
    outputs += [*bench.give(LinkDown("no answer to 2 heartbeats of 5 s")), *bench.silence(60)]
    assert not every(outputs, out.Finish)


def test_what_left_before_the_monitor_ran_again_is_found_when_it_runs() -> None:
    bench = Bench()
    bench.recorded()
    bench.give(LinkDown("cut"))
    legs = {port: SnapshotLeg(conn(1, port), None, (CONNECTED,)) for port in ("7101", "7102")}
    bench.connect(p7101=legs["7101"], p7102=legs["7102"])
    station = SnapshotLeg(conn(1, A), model.DeviceId(B), (CONNECTED, CONNECTED))
    for look in looks(bench.give(SnapshotTaken(A, (station,)))):
        bench.give(ServiceAnswered(look.token, model.DeviceSnapshot(())))
    assert one(bench.timers(1.0), out.Listen).pair == PAIRS[1]


def test_after_a_reconnection_a_fork_that_is_gone_is_asked_for_again() -> None:
    bench = Bench()
    bench.recorded()
    bench.give(LinkDown("cut"))
    bench.connect(p7101=SnapshotLeg(conn(1, "7101"), None, (CONNECTED,)))
    assert not forks(bench.timers(2.0)), "does the call still exist?"
    station = SnapshotLeg(conn(1, A), model.DeviceId(B), (CONNECTED, CONNECTED))
    bench.give(SnapshotTaken(A, (station,)))
    outputs = bench.timers(1.0)
    assert one(outputs, out.Listen).pair == PAIRS[1], "7102 is in no call"


def test_what_was_lost_before_nobody_watched_the_station_is_missed_too() -> None:
    bench = Bench()
    bench.recorded()
    bench.timers(10)
    lost = bench.now
    bench.report(A, cleared(1, "7101", CONNECTED))
    bench.report(A, cleared(1, "7102", CONNECTED))
    bench.timers(0.4)
    bench.give(LinkDown("cut"))
    bench.timers(0.2)
    bench.connect()
    bench.timers(0.2)
    for station, other in ((A, B), (B, A)):
        leg = SnapshotLeg(conn(1, station), model.DeviceId(other), (CONNECTED, CONNECTED))
        bench.give(SnapshotTaken(station, (leg,)))
    seen = bench.now
    bench.grant(bench.timers(1.0))
    missed = concluded(bench.hang_up()).missed
    mine = sorted((one.since, one.until) for one in missed if (one.station, one.blame) == (A, "fork_lost"))
    assert mine[0] == (START + timedelta(seconds=lost), START + timedelta(seconds=lost + 0.4))
    assert mine[1][0] == START + timedelta(seconds=seen), "what it did in between, the blind spans tell of"


def test_who_waits_for_an_answer_does_not_want_for_a_line_in_order() -> None:
    bench = Bench()
    bench.listen(down="trunk1")
    begin = bench.now
    bench.call(1, A, "9999")
    bench.timers(2.0)
    bench.listen()
    bench.timers(2.9)
    record = concluded(bench.hang_up(1, A))
    alarmed = [(one.since, one.until) for one in record.missed if one.blame == "line_alarm"]
    assert alarmed == [(START + timedelta(seconds=begin), START + timedelta(seconds=begin + 2.0))]


def test_a_fork_without_answer_is_asked_for_on_another_pair_and_its_late_answer_cleared() -> None:
    bench = Bench()
    first = forks(bench.call())
    outputs = bench.timers(bench.config.fork_timeout)
    assert one(outputs, out.Listen).pair == PAIRS[1]
    one(bench.grant(outputs), out.Open)
    assert bench.engine.pool.leased == 2, "until it is answered the first pair is in doubt"
    late = [r.argument for request in first for r in every(bench.answer(request), out.Request)]
    assert set(late) == {ClearConnection(conn(1, "7101")), ClearConnection(conn(1, "7102"))}
    assert bench.engine.pool.leased == 1


def test_ports_whose_request_was_lost_are_looked_for_later() -> None:
    bench = Bench()
    first = forks(bench.call())
    bench.grant(bench.timers(bench.config.fork_timeout))
    for request in first:
        bench.answer(request, Lost("timeout"))
    looks = every(bench.timers(6.0), out.Request)
    assert [r.argument for r in looks] == [model.SnapshotDevice(model.DeviceId(p)) for p in ("7101", "7102")]
    left = SnapshotLeg(conn(1, "7101"), None, (CONNECTED,))
    cleared_late = every(bench.give(ServiceAnswered(looks[0].token, model.DeviceSnapshot((left,)))), out.Request)
    assert [r.argument for r in cleared_late] == [ClearConnection(conn(1, "7101"))]


def test_a_busy_port_that_we_took_for_free_is_looked_for_at_once() -> None:
    bench = Bench()
    outputs = bench.refuse(bench.call())
    asked = [r.argument for r in every(outputs, out.Request)]
    assert model.SnapshotDevice(model.DeviceId("7101")) in asked


def test_a_recording_on_a_line_in_alarm_moves_to_another_line() -> None:
    bench = Bench(pairs=[PAIRS[0], OTHER_LINE])
    first = bench.recorded()
    bench.listen(down="trunk1")
    bench.now += bench.config.line_patience
    moved = bench.now
    outputs = bench.listen(down="trunk1")
    assert one(outputs, out.Finish).reason == "moved: line trunk1 is in alarm"
    assert one(outputs, out.Listen).pair == OTHER_LINE
    bench.now += 0.2
    again = one(bench.grant(outputs), out.Open)
    record = concluded(bench.hang_up())
    assert record.recordings == [first.recording, again.recording]
    assert [(one.blame, *rest) for one, rest in zip(record.missed, spans(record.missed), strict=True)] == [
        ("line_alarm", *gap(bench, moved, moved + 0.2, station)) for station in (A, B)
    ]


def test_a_short_line_alarm_moves_nothing() -> None:
    bench = Bench(pairs=[PAIRS[0], OTHER_LINE])
    bench.recorded()
    for _ in range(3):
        bench.listen(down="trunk1")
        bench.now += bench.config.line_patience - 0.5
        bench.listen()
        bench.now += 1.0
    assert not every(bench.outputs, out.Finish)


def test_without_a_pair_on_another_line_a_recording_stays_where_it_is() -> None:
    bench = Bench()
    bench.recorded()
    bench.listen(down="trunk1")
    bench.now += 10
    assert not every(bench.listen(down="trunk1"), out.Finish)


def test_a_call_that_finds_only_pairs_in_alarm_blames_the_line() -> None:
    bench = Bench()
    bench.listen(down="trunk1")
    bench.call()
    (_, missed) = sorted(concluded(bench.hang_up()).missed, key=lambda one: one.station, reverse=True)
    assert (missed.station, missed.blame) == (A, "line_alarm")


def test_while_the_link_is_down_a_waiting_call_blames_the_link() -> None:
    bench = Bench(pairs=PAIRS[:1])
    bench.recorded(1, A, "9998")
    bench.call(2, B, "9999")
    begin = bench.now
    bench.now += 10
    bench.give(LinkDown("cut"))
    bench.now += 5
    leg = SnapshotLeg(conn(2, B), model.DeviceId("9999"), (CONNECTED, CONNECTED))
    bench.give(LinkUp())
    bench.give(SnapshotTaken(B, (leg,)))
    record = concluded(bench.report(B, cleared(2, B, NULL)))
    assert [(one.blame, *rest) for one, rest in zip(record.missed, spans(record.missed), strict=True)] == [
        ("no_pair", *gap(bench, begin, begin + 10, B)),
        ("link_down", *gap(bench, begin + 10, begin + 15, B)),
    ]


@pytest.mark.parametrize(("delay", "blames"), [(0.9, []), (1.1, ["requested_late"])])
def test_only_a_slow_set_up_is_a_miss(delay: float, blames: list[str]) -> None:
    bench = Bench()
    outputs = bench.call(1, A, "9999")
    bench.now += delay
    one(bench.grant(outputs), out.Open)
    bench.now += 10
    assert [one.blame for one in concluded(bench.hang_up(1, A)).missed] == blames


def test_a_call_that_was_over_before_its_fork_stood_was_missed() -> None:
    bench = Bench()
    bench.call(1, A, "9999")
    bench.now += 0.2
    record = concluded(bench.hang_up(1, A))
    assert [(gap.blame, gap.station) for gap in record.missed] == [("requested_late", A)]


def test_the_end_of_an_earlier_fork_that_is_told_late_is_no_loss_of_the_new_one() -> None:
    bench = Bench()
    requests = bench.call(1, A, "9999")
    bench.report(A, cleared(1, "7101", CONNECTED))
    bench.report(A, cleared(1, "7102", CONNECTED))
    one(bench.grant(requests), out.Open)
    assert not every(bench.timers(2.0), out.Finish)


def test_a_port_that_leaves_while_the_other_is_still_coming_is_a_loss() -> None:
    bench = Bench()
    first, second = forks(bench.call(1, A, "9999"))
    bench.answer(first)
    bench.report(A, cleared(1, "7101", CONNECTED))
    bench.answer(second)
    assert one(bench.timers(1.0), out.Listen).pair == PAIRS[1]


def test_a_pair_that_a_fork_was_lost_on_is_the_last_to_be_tried_again() -> None:
    third = Pair("trunk1", Port(5, "7105"), Port(6, "7106"))
    bench = Bench(pairs=[*PAIRS, third])
    bench.recorded(1, A, "9001")
    assert bench.recorded(2, B, "9002").pair == PAIRS[1]
    bench.report(A, cleared(1, "7101", CONNECTED))
    assert one(bench.grant(bench.timers(1.0)), out.Open).pair == third
    bench.report(B, cleared(2, B, NULL))
    bench.timers(1.0)
    bench.report(A, cleared(1, "7105", CONNECTED))
    assert one(bench.timers(1.0), out.Listen).pair == PAIRS[1], "though the first has been free for longer"


def test_a_second_side_that_falls_idle_has_the_pbx_asked_again() -> None:
    bench = Bench()
    bench.recorded()
    looks: list[float] = []
    for _ in range(40):
        bench.now += 0.5
        asked = bench.listen(SILENT, SILENT, idle=True) if bench.now > 1010 else bench.listen(other_idle=True)
        looks += [bench.now for _ in every(asked, out.Request)]
    assert sorted(set(looks)) == [1005.5, 1015.5]


def test_a_snapshot_whose_legs_come_apart_says_nothing_of_a_port() -> None:
    bench = Bench()
    bench.recorded()
    bench.listen()
    for look in every(bench.silence(bench.config.idle_check + 0.5), out.Request):
        bench.give(ServiceAnswered(look.token, model.DeviceSnapshot((), service_cross_ref=b"\1")))
    assert not every(bench.timers(2.0), out.Finish)


# --- who was not recorded, and why


def test_a_fork_that_is_lost_while_its_station_is_on_hold_is_asked_for_again_when_it_talks() -> None:
    bench = Bench()
    first = bench.recorded()
    bench.after(10, TimerExpired())
    for station, local in ((A, CONNECTED), (B, LocalState.HOLD)):
        bench.report(station, held(1, B, local))
    bench.report(A, cleared(1, "7101", CONNECTED))
    bench.report(A, cleared(1, "7102", CONNECTED))
    outputs = bench.timers(1.0)
    assert one(outputs, out.Finish).recording == first.recording
    assert not forks(outputs), "there is nothing to record"
    for station in (A, B):
        outputs += bench.report(station, retrieved(1, B))
    assert one(bench.grant(outputs), out.Open).station == A


def test_who_left_before_a_silent_loss_was_noticed_has_missed_it_too() -> None:
    bench = Bench()
    bench.recorded()
    bench.listen()
    silent = bench.now
    unanswered(bench, bench.config.idle_lost + 1.0)
    record = concluded(bench.hang_up())
    assert {(one.blame, one.station) for one in record.missed} == {("fork_lost", A), ("fork_lost", B)}
    assert all(one.since <= START + timedelta(seconds=silent + 0.5) for one in record.missed)


def test_a_late_word_of_an_earlier_fork_on_the_port_is_put_right_by_a_snapshot() -> None:
    """The same call, the same port: nobody can tell by its ids whether the port has left again."""
    bench = Bench(pairs=PAIRS[:1])
    bench.recorded()
    bench.report(A, cleared(1, "7101", CONNECTED))
    bench.grant(bench.timers(1.0))
    outputs = bench.report(A, cleared(1, "7101", CONNECTED))
    asked = {one.argument: one.token for one in every(outputs, out.Request)}
    for port in ("7101", "7102"):
        leg = SnapshotLeg(conn(1, port), None, (CONNECTED,))
        token = asked.pop(SnapshotDevice(model.DeviceId(port)))
        bench.give(ServiceAnswered(token, model.DeviceSnapshot((leg,))))
    assert not asked
    assert not every(bench.timers(2.0), out.Finish), "it is in the call"


def test_who_waits_for_an_answer_does_not_want_for_a_pair() -> None:
    bench = Bench(pairs=PAIRS[:1])
    bench.recorded(1, A, B)
    bench.report(C, delivered(2, C, parties("78010", C, trunk_in="7801"), ALERTING))
    bench.report(C, established(2, C, parties("78010", C, trunk_in="7801")))
    bench.timers(10)
    asked = bench.hang_up(1, A, B)
    asked += bench.timers(1.0)
    assert forks(asked), "the pair is free"
    since = bench.now
    bench.timers(4.0)
    record = concluded(bench.report(C, cleared(2, C, NULL)))
    assert [one.blame for one in record.missed] == ["no_pair", "fork_refused"]
    assert record.missed[0].until <= START + timedelta(seconds=since)


def test_a_station_without_a_licence_is_missed_for_want_of_it() -> None:
    bench = Bench()
    bench.refuse(bench.call())
    bench.give(LinkDown("cut"))
    bench.connect()
    bench.give(MonitorRefused(A, "overallMonitorLimitExceeded", True))
    bench.give(MonitorRefused(B, "overallMonitorLimitExceeded", True))
    bench.timers(5)
    bench.listen()
    conversation = next(iter(bench.engine.tracker.conversations))
    why = bench.engine.uncovered(conversation)
    assert why == {one: f"station {one} is not monitored: overallMonitorLimitExceeded" for one in (A, B)}


def forked(requests: list[out.Request]) -> set[model.ConnectionId]:
    """Whose connections are to be forked."""
    return {one.argument.active_call for one in requests if isinstance(one.argument, model.SingleStepConference)}


def test_a_pair_that_a_refusal_leaves_goes_to_the_next_who_waits_at_once() -> None:
    bench = Bench(pairs=PAIRS[:1])
    bench.recorded(1, A, "9001")
    bench.call(2, B, "9002")
    bench.after(1.0)
    bench.call(3, C, "9003")
    asked = forks(bench.hang_up(1, A) + bench.timers(1.0))
    assert forked(asked) == {conn(2, B)}, "it has waited longest"
    gone = ReturnError(0, ErrorCategory.OPERATION, 13)
    followed = forks([output for one in asked for output in bench.answer(one, gone)])
    assert forked(followed) == {conn(3, C)}


def test_the_pbx_is_asked_for_a_station_whose_connection_it_does_not_know() -> None:
    bench = Bench()
    gone = ReturnError(0, ErrorCategory.OPERATION, 13)
    outputs = [follow for request in forks(bench.call()) for follow in bench.answer(request, gone)]
    asked = [one.argument for one in every(outputs, out.Request) if isinstance(one.argument, SnapshotDevice)]
    assert asked == [SnapshotDevice(model.DeviceId(A))], "once, not for each refusal"


def test_ports_whose_answer_did_not_come_are_looked_for_when_they_are_given_up() -> None:
    """Their call may have another id by now, and then the PBX does not know what it is told to clear."""
    bench = Bench()
    first, _ = forks(bench.call())
    bench.answer(first)
    outputs = bench.timers(bench.config.fork_timeout)
    asked = [one.argument for one in every(outputs, out.Request)]
    assert {SnapshotDevice(model.DeviceId(port)) for port in ("7101", "7102")} <= set(asked)
    look = next(r for r in every(outputs, out.Request) if r.argument == SnapshotDevice(model.DeviceId("7102")))
    leg = SnapshotLeg(conn(7, "7102"), None, (CONNECTED,))
    outputs = bench.give(ServiceAnswered(look.token, model.DeviceSnapshot((leg,))))
    assert ClearConnection(conn(7, "7102")) in [one.argument for one in every(outputs, out.Request)]


def test_a_port_that_moved_while_its_answer_was_awaited_is_cleared_where_it_is() -> None:
    bench = Bench()
    own, other = forks(bench.call())
    bench.answer(own)
    bench.engine.forks.port_moved("7102", conn(7, "7102").call_id or b"", None)
    bench.answer(other)
    recording = next(iter(bench.engine.recordings.values()))
    assert recording.joined["7102"] == conn(7, "7102"), "the answer is older"
