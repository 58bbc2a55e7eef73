"""Which call is on which channel: the engine, with a PBX that answers as the test says."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TypeVar
from uuid import UUID

import pytest

from osrec.calls.conversation import Call, Conversation
from osrec.calls.tracker import Tracker
from osrec.csta.messages import (
    LinkDown,
    LinkUp,
    Lost,
    MonitorRefused,
    Outcome,
    Reported,
    ServiceAnswered,
    SnapshotTaken,
)
from osrec.engine import messages as out
from osrec.engine.alarms import AlarmCleared, AlarmRaised, Severity
from osrec.engine.engine import Engine
from osrec.engine.fork import SilentConference
from osrec.engine.messages import Adopt, Heard, JournalChanged, OpenRefused, PairHeard, TimerExpired
from osrec.engine.pool import Pair, Pool, Port
from osrec.engine.recording import State
from osrec.engine.rules import Rule, RuleSet
from osrec.engine.settings import EngineConfig
from osrec.numbers import Patterns
from osrec.store.records import Channel, Clock, ConversationEnded, Decision, Opened
from osrec.wire.csta import model
from osrec.wire.csta.model import (
    ClearConnection,
    ConferenceJoined,
    ErrorCategory,
    LocalState,
    Participation,
    ReturnError,
    SingleStepConference,
    SnapshotLeg,
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

A, B, C = "3100", "3101", "3102"
NULL, CONNECTED, ALERTING = LocalState.NULL, LocalState.CONNECTED, LocalState.ALERTING
START = datetime(2026, 11, 23, 12, tzinfo=UTC)
PAIRS = [Pair("trunk1", Port(slot, str(7100 + slot)), Port(slot + 1, str(7101 + slot))) for slot in (1, 3)]
T = TypeVar("T")


@dataclass
class Bench:
    """An engine with time under the test's control; keeps all outputs."""

    rules: RuleSet = field(default_factory=lambda: RuleSet([Rule("all", "record")]))
    config: EngineConfig = field(default_factory=EngineConfig)
    pairs: list[Pair] = field(default_factory=lambda: list(PAIRS))
    now: float = 1000.0
    outputs: list[out.Output] = field(default_factory=list)

    def __post_init__(self) -> None:
        numbers = count(1)
        new_id = lambda: UUID(int=next(numbers))  # noqa: E731
        ports = [port.number for pair in self.pairs for port in (pair.own, pair.other)]
        tracker = Tracker([A, B, C], Patterns(["78??"]), ports, new_id)
        self.engine = Engine(self.config, tracker, self.rules, Pool(self.pairs), SilentConference(), new_id)
        self.connect()
        for station in (A, B, C):
            self.give(SnapshotTaken(station, ()))

    def connect(self, **legs: model.SnapshotLeg) -> list[out.Output]:
        """The link comes up; ports that the PBX has in a call are given with their leg there ("p7101=...")."""
        requests = every(self.give(LinkUp()), out.Request)
        followed: list[out.Output] = []
        while requests:
            request = requests.pop(0)
            outcome: Outcome = model.NoData()
            if isinstance(request.argument, model.SnapshotDevice):
                leg = legs.get(f"p{request.argument.device.number}")
                outcome = model.DeviceSnapshot((leg,) if leg else ())
            new = self.give(ServiceAnswered(request.token, outcome))
            requests += [r for r in every(new, out.Request) if not isinstance(r.argument, SingleStepConference)]
            followed += new
        return followed

    def give(self, event: object) -> list[out.Output]:
        at = START + timedelta(seconds=self.now)
        new = self.engine.handle(event, self.now, at)  # type: ignore[arg-type]
        self.outputs += new
        return new

    def report(self, station: str, event: model.Event) -> list[out.Output]:
        return self.give(Reported(station, model.EventReport(b"\1", event)))

    def answer(self, request: out.Request, outcome: Outcome | None = None) -> list[out.Output]:
        assert isinstance(request.argument, SingleStepConference)
        port = request.argument.device_to_join
        joined = ConferenceJoined(model.ConnectionId(request.argument.active_call.call_id, port))
        return self.give(ServiceAnswered(request.token, outcome or joined))

    def call(self, call: int = 1, caller: str = A, called: str = B) -> list[out.Output]:
        """An internal call up to the answer; what the answer brought about."""
        who = parties(caller, called)
        self.report(caller, initiated(call, caller))
        self.report(caller, originated(call, caller, called))
        self.report(called, delivered(call, called, who, ALERTING))
        return self.report(caller, established(call, called, who))

    def recorded(self, call: int = 1, caller: str = A, called: str = B) -> out.Open:
        """An internal call whose fork the PBX grants."""
        answers: list[out.Output] = []
        for request in every(self.call(call, caller, called), out.Request):
            answers += self.answer(request)
        return one(answers, out.Open)

    def hang_up(self, call: int = 1, *stations: str) -> list[out.Output]:
        outputs: list[out.Output] = []
        for station in stations or (A, B):
            outputs += self.report(station, cleared(call, station, NULL))
        return outputs

    def after(self, seconds: float, event: object = TimerExpired()) -> list[out.Output]:
        self.now += seconds
        return self.give(event)

    def listen(self, own: float, other: float, *, idle: bool = False, same: bool = False) -> list[out.Output]:
        heard = PairHeard(own, other, idle, same)
        return self.give(Heard({r.pair: heard for r in self.engine.recordings.values()}, frozenset()))


def every(outputs: list[out.Output], kind: type[T]) -> list[T]:
    return [output for output in outputs if isinstance(output, kind)]


def one(outputs: list[out.Output], kind: type[T]) -> T:
    (found,) = every(outputs, kind)
    return found


def concluded(outputs: list[out.Output]) -> ConversationEnded:
    return one(outputs, out.Concluded).record


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


BUSY = ReturnError(0, ErrorCategory.SYSTEM_RESOURCE, 2)


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
    requests = every(bench.call(), out.Request)
    for _ in range(bench.config.attempts):
        outputs: list[out.Output] = []
        for request in requests:
            outputs += bench.answer(request, BUSY)
        requests = every(outputs, out.Request)
    assert {r.argument.active_call for r in requests} == {conn(1, B)}, "then the other station is tried"  # type: ignore[union-attr]
    for request in requests:
        bench.answer(request, BUSY)
    for request in every(bench.outputs, out.Request)[-2:]:
        bench.answer(request, BUSY)
    record = concluded(bench.hang_up())
    assert record.outcome == "not_recorded"
    assert "resourceBusy" in (record.reason or "")
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


def test_recordings_go_on_when_the_link_is_lost_until_the_audio_ends() -> None:
    bench = Bench()
    bench.recorded()
    outputs = bench.give(LinkDown("no answer"))
    assert one(outputs, AlarmRaised).severity is Severity.CRITICAL
    assert not every(outputs, out.Finish)
    bench.listen(-20, -20)
    bench.now += 60
    bench.listen(float("-inf"), float("-inf"), idle=True)
    bench.now += bench.config.audio_end
    finish = one(bench.listen(float("-inf"), float("-inf"), idle=True), out.Finish)
    assert finish.reason == "audio ended while the station was not monitored"


def test_a_station_that_is_not_monitored_ends_with_its_audio_too() -> None:
    bench = Bench()
    bench.recorded()
    bench.give(MonitorRefused(A, "overallMonitorLimitExceeded", True))
    bench.listen(float("-inf"), float("-inf"), idle=True)
    bench.now += bench.config.audio_end
    assert one(bench.listen(float("-inf"), float("-inf"), idle=True), out.Finish)


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


def test_a_fork_that_the_pbx_drops_in_mid_call_is_reported() -> None:
    bench = Bench()
    bench.recorded()
    bench.report(A, cleared(1, "7102", CONNECTED))
    assert not every(bench.listen(-20, -20), AlarmRaised), "the call may just be ending"
    bench.now += bench.config.port_loss
    assert one(bench.listen(-20, -20), AlarmRaised).key == "fork-lost:trunk1:1+2"


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
    alarm = one(bench.give(MonitorRefused(A, "overallMonitorLimitExceeded", True)), AlarmRaised)
    assert "CAP-A licences" in alarm.text
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


def test_a_recording_of_an_earlier_run_keeps_its_pair_and_its_conversation() -> None:
    bench = Bench()
    conversation = Conversation(UUID(int=77), 900.0, "in", answered=900.0, stations=[A], call_ids=[b"\0\5"])
    conversation.calls[b"\0\5"] = Call(b"\0\5", answered=True, legs={A: CONNECTED})
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
    assert bench.engine.recordings[UUID(int=99)].state is State.RUNNING
    leg = SnapshotLeg(conn(5, A), None, (CONNECTED, CONNECTED))
    assert not every(bench.give(SnapshotTaken(A, (leg,))), out.Listen), "it is recorded already"
    outputs = bench.report(A, cleared(5, A, NULL))
    assert one(outputs, out.Finish).recording == UUID(int=99)
    assert concluded(outputs).conversation == UUID(int=77)


def test_ports_left_in_calls_by_an_earlier_run_are_cleared_before_anything_is_forked() -> None:
    bench = Bench()
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


def test_after_a_reconnection_a_fork_that_is_gone_is_noticed() -> None:
    bench = Bench()
    bench.recorded()
    bench.give(LinkDown("cut"))
    bench.connect(p7101=SnapshotLeg(conn(1, "7101"), None, (CONNECTED,)))
    station = SnapshotLeg(conn(1, A), model.DeviceId(B), (CONNECTED, CONNECTED))
    bench.give(SnapshotTaken(A, (station,)))
    bench.now += bench.config.port_loss
    alarms = every(bench.listen(-20, -20), AlarmRaised)
    assert [alarm.key for alarm in alarms] == ["fork-lost:trunk1:1+2"], "7102 is in no call"


def test_a_refused_fork_is_asked_for_again_while_the_call_lasts() -> None:
    bench = Bench(config=EngineConfig(attempts=1), pairs=PAIRS[:1])
    for request in every(bench.call(1, A, "9999"), out.Request):
        bench.answer(request, BUSY)
    assert not every(bench.listen(0, 0), out.Listen)
    bench.now += 5.0
    requests = every(bench.listen(0, 0), out.Request)
    opened = [o for request in requests for o in every(bench.answer(request), out.Open)]
    assert len(opened) == 1
    assert concluded(bench.hang_up(1, A)).outcome == "recorded"


def test_a_port_whose_request_got_no_answer_is_cleared_all_the_same() -> None:
    bench = Bench(config=EngineConfig(attempts=1))
    first, second = every(bench.call(1, A, "9999"), out.Request)
    bench.answer(first, Lost("timeout"))
    outputs = bench.answer(second, BUSY)
    assert [r.argument for r in every(outputs, out.Request)] == [ClearConnection(conn(1, "7101"))]


def test_a_call_whose_end_got_lost_is_asked_for_when_its_pair_stays_idle() -> None:
    bench = Bench()
    bench.recorded()
    silent = float("-inf")
    bench.listen(silent, silent, idle=True)
    bench.now += bench.config.inquire_after
    inquiry = one(bench.listen(silent, silent, idle=True), out.Request)
    assert inquiry.argument == model.SnapshotDevice(model.DeviceId(A))
    assert not every(bench.listen(silent, silent, idle=True), out.Request), "asked once"
    outputs = bench.give(ServiceAnswered(inquiry.token, model.DeviceSnapshot(())))
    assert one(outputs, out.Finish)


def test_a_silent_call_that_the_pbx_still_has_goes_on() -> None:
    bench = Bench()
    bench.recorded()
    silent = float("-inf")
    bench.listen(silent, silent, idle=True)
    bench.now += bench.config.inquire_after
    inquiry = one(bench.listen(silent, silent, idle=True), out.Request)
    leg = SnapshotLeg(conn(1, A), model.DeviceId(B), (CONNECTED, CONNECTED))
    assert not every(bench.give(ServiceAnswered(inquiry.token, model.DeviceSnapshot((leg,)))), out.Finish)


def test_idle_code_in_mid_call_raises_an_alarm() -> None:
    bench = Bench()
    bench.recorded()
    bench.listen(-20, -20)
    bench.listen(float("-inf"), float("-inf"), idle=True)
    bench.now += bench.config.quiet_after
    assert "idle code on both slots" in one(bench.listen(float("-inf"), float("-inf"), idle=True), AlarmRaised).text


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
