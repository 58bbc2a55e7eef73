"""The engine while something is missing: the link, a line, the journal, a monitor, the audio."""

from datetime import timedelta
from uuid import UUID

from osrec.calls.conversation import Conversation
from osrec.csta.messages import (
    LicencesMissing,
    LinkDown,
    LinkUp,
    Lost,
    MonitorLost,
    MonitorRefused,
    ServiceAnswered,
    SnapshotTaken,
)
from osrec.engine import messages as out
from osrec.engine.alarms import AlarmCleared, AlarmRaised, Severity
from osrec.engine.messages import Adopt, Heard, JournalChanged, OpenRefused, Stopping
from osrec.engine.recording import State
from osrec.engine.rules import Rule, RuleSet
from osrec.numbers import Patterns
from osrec.store.records import Channel, Clock, Decision, Opened
from osrec.wire.csta import model
from osrec.wire.csta.model import (
    ClearConnection,
    ErrorCategory,
    LocalState,
    ReturnError,
    SnapshotLeg,
)
from tests.unit.csta_events import (
    cleared,
    conn,
    delivered,
    established,
    originated,
    parties,
)
from tests.unit.engine_bench import (
    CONNECTED,
    NULL,
    PAIRS,
    SILENT,
    START,
    A,
    B,
    Bench,
    concluded,
    every,
    one,
)


def test_recordings_go_on_when_the_link_is_lost_until_the_audio_ends() -> None:
    bench = Bench()
    bench.recorded()
    outputs = bench.give(LinkDown("no answer"))
    assert one(outputs, AlarmRaised).severity is Severity.CRITICAL
    assert not every(outputs, out.Finish)
    bench.listen(-20, -20)
    bench.now += 60
    bench.listen(SILENT, SILENT, idle=True)
    silent = bench.now
    bench.now += bench.config.outage_end - 1.0
    assert not every(bench.listen(SILENT, SILENT, idle=True), out.Finish), "it may be on hold"
    bench.now += 1.0
    finish = one(bench.listen(SILENT, SILENT, idle=True), out.Finish)
    assert finish.reason == "audio ended while the station was not monitored"
    assert finish.when == silent + bench.config.audio_end


def test_silence_ends_the_call_that_fell_silent_and_no_other_of_its_station() -> None:
    bench = Bench(pairs=PAIRS[:1])
    bench.recorded(1, B, "9999")
    bench.give(MonitorRefused(B, "overallMonitorLimitExceeded", True))
    for event in (originated(2, A, B), delivered(2, B, parties(A, B), CONNECTED), established(2, B, parties(A, B))):
        bench.report(A, event)
    assert bench.engine.pool.free == 0, "B has hung up before, which nobody could tell"
    outputs = bench.silence(bench.config.audio_end + 2.0)
    assert one(outputs, out.Finish).reason == "audio ended while the station was not monitored"
    assert one(bench.grant(outputs + bench.timers(1.0)), out.Open).station == A, "it talks with B all the time"


def test_a_call_that_is_on_hold_when_the_link_is_back_is_not_cut_when_it_ends() -> None:
    bench = Bench()
    bench.recorded(1, A, "9999")
    bench.give(LinkDown("cut"))
    bench.silence(60.0)
    bench.connect()
    leg = SnapshotLeg(conn(1, A), model.DeviceId("9999"), (LocalState.HOLD, CONNECTED))
    assert not every(bench.give(SnapshotTaken(A, (leg,))), out.Finish)
    bench.silence(2.0)
    finish = one(bench.hang_up(1, A), out.Finish)
    assert finish.when == bench.now + bench.config.tail


def test_a_call_that_is_gone_when_the_link_is_back_ended_with_its_audio() -> None:
    bench = Bench()
    bench.recorded(1, A, "9999")
    bench.give(LinkDown("cut"))
    silent = bench.now + 0.5
    bench.silence(60.0)
    bench.connect()
    assert not every(bench.listen(SILENT, SILENT, idle=True), out.Finish), "its snapshot will tell"
    assert one(bench.give(SnapshotTaken(A, ())), out.Finish).when == silent + bench.config.audio_end


def test_a_station_that_is_not_monitored_ends_with_its_audio_too() -> None:
    bench = Bench()
    bench.recorded()
    bench.give(MonitorRefused(A, "overallMonitorLimitExceeded", True))
    bench.listen(float("-inf"), float("-inf"), idle=True)
    bench.now += bench.config.audio_end
    assert one(bench.listen(float("-inf"), float("-inf"), idle=True), out.Finish)


def test_a_call_that_was_on_hold_when_its_monitor_ended_is_not_taken_for_over() -> None:
    bench = Bench()
    bench.recorded(1, A, "9999")
    bench.silence(bench.config.audio_end - 1.0)
    bench.give(MonitorLost(A))
    assert not every(bench.silence(2.0), out.Finish), "nobody was needed to know that of the time before"
    assert one(bench.silence(bench.config.audio_end), out.Finish)


def test_silence_does_not_end_a_recording_while_the_link_is_up() -> None:
    bench = Bench()
    bench.recorded()
    for _ in range(5):
        bench.now += 60
        assert not every(bench.listen(float("-inf"), float("-inf"), idle=True), out.Finish)


def test_a_snapshot_that_lacks_the_call_ends_its_recording() -> None:
    bench = Bench()
    bench.recorded()
    bench.give(LinkDown("cut"))
    bench.connect()
    outputs = bench.give(SnapshotTaken(A, ())) + bench.give(SnapshotTaken(B, ()))
    assert one(outputs, out.Finish)
    assert concluded(outputs).outcome == "recorded"


def test_rules_know_the_people_of_a_call_that_a_snapshot_found() -> None:
    bench = Bench(rules=RuleSet([Rule("never abroad", "never", numbers=Patterns(["+48*"])), Rule("all", "record")]))
    people = tuple(
        model.CallSnapshotEntry(model.DeviceId(number), conn(9, device), CONNECTED)
        for number, device in ((A, A), ("+48221112233", "7801"))
    )
    found = model.CallSnapshot(people, model.DeviceId("+48221112233"), model.DeviceId(A))
    leg = SnapshotLeg(conn(9, A), None, (CONNECTED, CONNECTED))
    assert not every(bench.give(SnapshotTaken(A, (leg,), ((b"\0\x09", found),))), out.Listen)
    (conversation,) = bench.engine.tracker.conversations.values()
    assert conversation.direction == "in"


def test_a_snapshot_of_an_unknown_call_has_it_forked() -> None:
    bench = Bench()
    leg = SnapshotLeg(conn(9, A), model.DeviceId("+48"), (CONNECTED, CONNECTED))
    assert one(bench.give(SnapshotTaken(A, (leg,))), out.Listen)


def test_a_side_without_energy_is_reported_by_its_slot() -> None:
    bench = Bench()
    bench.recorded()
    bench.listen(-20, float("-inf"))
    bench.now += bench.config.quiet_after
    alarm = one(bench.listen(-20, float("-inf")), AlarmRaised)
    assert "slot 2 (other side)" in alarm.text
    assert "slot 1" not in alarm.text
    assert AlarmCleared("no-energy:trunk1:1+2") in bench.listen(-20, -20)


def test_the_same_audio_on_both_slots_is_reported() -> None:
    bench = Bench()
    bench.recorded()
    assert "same audio" in one(bench.listen(-20, -20, same=True), AlarmRaised).text


def test_a_full_journal_refuses_new_recordings_and_takes_them_up_again() -> None:
    bench = Bench()
    assert one(bench.give(JournalChanged(False)), AlarmRaised).key == "journal-full"
    assert not every(bench.call(), out.Listen)
    assert one(bench.give(JournalChanged(True)), out.Listen)


def test_a_recording_that_the_journal_refuses_gives_its_pair_back_and_is_tried_again() -> None:
    bench = Bench()
    opened = bench.recorded()
    bench.give(JournalChanged(False))
    outputs = bench.give(OpenRefused(opened.recording, "no room"))
    assert {r.argument for r in every(outputs, out.Request)} == {
        ClearConnection(conn(1, "7101")),
        ClearConnection(conn(1, "7102")),
    }
    assert bench.engine.pool.leased == 0
    assert one(bench.give(JournalChanged(True)), out.Listen)


def test_a_journal_that_refuses_each_opening_does_not_have_the_pbx_asked_twice_a_second() -> None:
    bench = Bench()
    bench.give(OpenRefused(bench.recorded(1, A, "9999").recording, "no room"))
    assert not every(bench.listen(), out.Listen)
    bench.now += 1.0
    assert every(bench.listen(), out.Listen)


def test_a_conversation_that_the_journal_refused_says_so() -> None:
    bench = Bench()
    opened = bench.recorded()
    bench.give(JournalChanged(False))
    bench.give(OpenRefused(opened.recording, "no room"))
    record = concluded(bench.hang_up())
    assert (record.outcome, record.recordings) == ("not_recorded", [])
    assert "no room" in (record.reason or "")


def test_a_line_in_alarm_gets_no_recording() -> None:
    bench = Bench()
    bench.give(Heard({}, frozenset({"trunk1"})))
    assert not every(bench.call(), out.Listen)
    assert one(bench.give(Heard({}, frozenset())), out.Listen)


def test_missing_licences_are_told_apart_from_other_refusals() -> None:
    bench = Bench()
    assert not every(bench.give(MonitorRefused(A, "overallMonitorLimitExceeded", True)), AlarmRaised)
    assert "CAP-A licences" in one(bench.give(LicencesMissing((A,))), AlarmRaised).text
    assert one(bench.give(MonitorRefused(A, "invalidDeviceID", False)), AlarmRaised).key == f"monitor:{A}"


def test_a_request_that_is_lost_with_the_link_is_tried_again_after_it() -> None:
    bench = Bench()
    requests = every(bench.call(), out.Request)
    bench.give(LinkDown("cut"))
    while requests:
        outputs: list[out.Output] = []
        for request in requests:
            outputs += bench.answer(request, Lost("link down"))
        requests = every(outputs, out.Request)
    leg = SnapshotLeg(conn(1, A), model.DeviceId(B), (CONNECTED, CONNECTED))
    assert one(bench.connect() + bench.give(SnapshotTaken(A, (leg,))), out.Listen)


def adopt(bench: Bench) -> None:
    """A recording of an earlier run, on the first pair."""
    conversation = Conversation(UUID(int=77), 900.0, "in", answered=900.0, stations=[A], call_ids=[b"\0\5"])
    conversation.call(b"\0\5").presume_talking(A)
    pair = PAIRS[0]
    opened = Opened(
        recording=UUID(int=99),
        conversation=conversation.id,
        station=A,
        at=START,
        first_sample=0,
        channels=(
            Channel(side="left", line=pair.line, slot=pair.own.slot, port=pair.own.number),
            Channel(side="right", line=pair.line, slot=pair.other.slot, port=pair.other.number),
        ),
        direction="in",
        parties=[],
        decision=Decision(action="record", rule="all", version="x"),
        clock=Clock(source="system", synchronised=True),
    )
    bench.give(Adopt(opened, pair, conversation))


def test_a_recording_of_an_earlier_run_keeps_its_pair_and_its_conversation() -> None:
    bench = Bench()
    adopt(bench)
    assert bench.engine.recordings[UUID(int=99)].state is State.RUNNING
    leg = SnapshotLeg(conn(5, A), None, (CONNECTED, CONNECTED))
    assert not every(bench.give(SnapshotTaken(A, (leg,))), out.Listen), "it is recorded already"
    outputs = bench.report(A, cleared(5, A, NULL))
    assert one(outputs, out.Finish).recording == UUID(int=99)
    assert concluded(outputs).conversation == UUID(int=77)


def test_what_a_pair_carried_since_the_restart_is_kept_as_nobodys_when_it_was_leased_anew_before_the_kill() -> None:
    bench = Bench()
    bench.give(LinkDown("cut"))
    adopt(bench)
    restarted = bench.now
    bench.now += 8.0
    legs = {f"p{port}": SnapshotLeg(conn(6, port), None, (CONNECTED,)) for port in ("7101", "7102")}
    outputs = bench.connect(**legs)
    leg = SnapshotLeg(conn(5, A), None, (CONNECTED, CONNECTED))
    outputs += bench.give(SnapshotTaken(A, (leg,)))
    outputs += bench.listen(-20, -20)
    earlier, nobodys = every(outputs, out.Finish)
    assert (earlier.recording, earlier.when) == (UUID(int=99), restarted)
    opened = next(one for one in every(outputs, out.Open) if one.recording == nobodys.recording)
    assert (opened.pair, opened.parties, opened.calls, opened.provisional) == (PAIRS[0], [], [], False)
    assert opened.conversation != UUID(int=77)
    listen = next(one for one in every(outputs, out.Listen) if one.recording == nobodys.recording)
    assert (listen.pair, listen.since) == (PAIRS[0], restarted)
    assert nobodys.when > bench.now, "until the PBX has taken its ports out"


def test_ports_left_in_calls_by_an_earlier_run_are_cleared_before_anything_is_forked() -> None:
    bench = Bench(clears=False)
    bench.give(LinkDown("cut"))
    sweep = every(bench.give(LinkUp()), out.Request)
    assert {r.argument for r in sweep} == {
        model.SnapshotDevice(model.DeviceId(p)) for p in ("7101", "7102", "7103", "7104")
    }
    station = SnapshotLeg(conn(1, A), model.DeviceId(B), (CONNECTED, CONNECTED))
    assert not every(bench.give(SnapshotTaken(A, (station,))), out.Listen), "the station waits"
    left = SnapshotLeg(conn(1, "7101"), None, (CONNECTED,))
    outputs: list[out.Output] = []
    for request in sweep:
        legs = (left,) if request.argument == model.SnapshotDevice(model.DeviceId("7101")) else ()
        outputs += bench.give(ServiceAnswered(request.token, model.DeviceSnapshot(legs)))
    clear = one(outputs, out.Request)
    assert clear.argument == ClearConnection(conn(1, "7101"))
    assert one(bench.give(ServiceAnswered(clear.token, model.NoData())), out.Listen)


def test_a_pbx_without_snapshots_of_ports_does_not_hold_anything_up() -> None:
    bench = Bench()
    bench.give(LinkDown("cut"))
    for request in every(bench.give(LinkUp()), out.Request):
        bench.give(ServiceAnswered(request.token, ReturnError(0, ErrorCategory.OPERATION, 12)))
    assert every(bench.call(), out.Listen)


def test_a_call_whose_end_got_lost_is_asked_for_when_its_pair_stays_idle() -> None:
    bench = Bench()
    bench.recorded()
    bench.listen(SILENT, SILENT, idle=True)
    outputs = bench.silence(bench.config.inquire_after)
    inquiry = station_inquiry(outputs)
    assert station_inquiry(bench.silence(bench.config.inquire_after / 2)) is None, "not again while nobody answers"
    assert inquiry is not None
    outputs = bench.give(ServiceAnswered(inquiry.token, model.DeviceSnapshot(())))
    assert one(outputs, out.Finish)


def test_a_silent_call_that_the_pbx_still_has_goes_on() -> None:
    bench = Bench()
    bench.recorded()
    bench.listen(SILENT, SILENT, idle=True)
    inquiry = station_inquiry(bench.silence(bench.config.inquire_after))
    assert inquiry is not None
    leg = SnapshotLeg(conn(1, A), model.DeviceId(B), (CONNECTED, CONNECTED))
    assert not every(bench.give(ServiceAnswered(inquiry.token, model.DeviceSnapshot((leg,)))), out.Finish)


def test_a_conversation_of_which_nothing_was_heard_for_hours_is_asked_for() -> None:
    bench = Bench()
    bench.recorded()
    bench.listen()
    bench.now += bench.config.forgotten_after
    inquiry = station_inquiry(bench.listen())
    assert inquiry is not None
    assert one(bench.give(ServiceAnswered(inquiry.token, model.DeviceSnapshot(()))), out.Finish)
    bench.now += 100.0
    assert station_inquiry(bench.listen()) is None


def test_a_call_that_waits_when_the_recorder_stops_is_told_of_and_one_that_is_recorded_goes_on() -> None:
    bench = Bench(pairs=PAIRS[:1])
    bench.recorded(1, A, "9001")
    bench.call(2, B, "9002")
    bench.now += 30
    record = concluded(bench.give(Stopping()))
    assert (record.stations, record.outcome, record.reason) == (
        [B],
        "not_recorded",
        "the recorder was stopped during the call",
    )
    assert [(gap.blame, (gap.until - gap.since).total_seconds()) for gap in record.missed] == [("no_pair", 30.0)]


def test_a_call_that_was_over_when_the_recorder_stops_ended_when_it_was_over() -> None:
    bench = Bench()
    bench.report(A, delivered(1, A, parties("9001", A), LocalState.ALERTING))
    diverting, to = model.DeviceId(A), model.DeviceId(B)
    sent_on = model.Diverted(cause=6, local=NULL, connection=conn(1, A), device=diverting, new_destination=to)
    bench.report(A, sent_on)
    over = START + timedelta(seconds=bench.now)
    bench.now += 1.5
    record = concluded(bench.give(Stopping()))
    assert (record.ended, record.reason) == (over, "not answered")


def station_inquiry(outputs: list[out.Output]) -> out.Request | None:
    """The request for the calls of station A."""
    asked = model.SnapshotDevice(model.DeviceId(A))
    return next((request for request in every(outputs, out.Request) if request.argument == asked), None)


def test_idle_code_in_mid_call_raises_an_alarm() -> None:
    bench = Bench()
    bench.recorded()
    bench.listen(-20, -20)
    bench.listen(float("-inf"), float("-inf"), idle=True)
    bench.now += bench.config.quiet_after
    assert "idle code on both slots" in one(bench.listen(float("-inf"), float("-inf"), idle=True), AlarmRaised).text
