"""Call logic and engine under events in any order: nothing raises, no pair is lost, no gap goes unnoticed, all ends."""

from collections.abc import Callable
from itertools import pairwise
from uuid import UUID

from hypothesis import Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from hypothesis.strategies import booleans, integers, sampled_from, sets

from osrec.csta.messages import LinkDown, Lost, MonitorRefused, MonitorRunning, Outcome, ServiceAnswered, SnapshotTaken
from osrec.engine import messages as out
from osrec.engine.messages import Demand, JournalChanged, OpenRefused, RulesChanged
from osrec.engine.pool import Pair, Port
from osrec.engine.recording import ACTIVE, State
from osrec.engine.rules import Rule, RuleSet
from osrec.engine.settings import EngineConfig
from osrec.numbers import Patterns
from osrec.wire.csta import model
from osrec.wire.csta.model import DeviceId, ErrorCategory, LocalState, ReturnError, SingleStepConference, SnapshotLeg
from tests.unit import csta_events as events
from tests.unit.engine_bench import A, B, Bench, C, every, forks

STATIONS = [A, B, C]
PAIRS = [
    Pair("trunk1", Port(1, "7101"), Port(2, "7102")),
    Pair("trunk1", Port(3, "7103"), Port(4, "7104")),
    Pair("trunk2", Port(1, "7201"), Port(2, "7202")),
]
PORTS = [port.number for pair in PAIRS for port in (pair.own, pair.other)]
DEVICES = [*STATIONS, "7801", "+4822", *PORTS]
CALLS = integers(1, 4)
LOCALS = sampled_from(list(LocalState))
ALL = Rule("all", "record")
RULES = [
    RuleSet([ALL]),
    RuleSet([Rule("board", "record", stations=Patterns([C]), priority=5), ALL]),
    RuleSet([Rule("council", "never", stations=Patterns([B])), ALL]),
    RuleSet([Rule("doctor", "never", numbers=Patterns(["+4822"])), Rule("maybe", "on_demand")]),
    RuleSet([Rule("some", "record", stations=Patterns([A])), Rule("maybe", "on_demand", priority=9)]),
    RuleSet([Rule("nobody", "record", stations=Patterns(["9999"]))]),
]


class Storm(RuleBasedStateMachine):
    """Events that no PBX would send in such an order, and answers as they please."""

    internal = "once"

    def __init__(self) -> None:
        super().__init__()
        config = EngineConfig(internal=self.internal)  # type: ignore[arg-type]
        self.bench = Bench(pairs=list(PAIRS), config=config, clears=False)
        self.requests: list[out.Request] = []
        self.refused: list[UUID] = []  # recordings that the journal would not open
        self.seen = len(self.bench.outputs)

    def collect(self) -> None:
        self.requests += every(self.bench.outputs[self.seen :], out.Request)
        self.seen = len(self.bench.outputs)
        self.bench.now += 0.1

    # --- the PBX

    @rule(
        station=sampled_from(STATIONS),
        call=CALLS,
        device=sampled_from(DEVICES),
        other=sampled_from(DEVICES),
        local=LOCALS,
        kind=integers(0, 8),
    )
    def event(self, station: str, call: int, device: str, other: str, local: LocalState, kind: int) -> None:
        who = events.parties(device, other)
        makers: list[Callable[[], model.Event]] = [
            lambda: events.initiated(call, device),
            lambda: events.originated(call, device, other),
            lambda: events.reached(call, "7801", device, other),
            lambda: events.delivered(call, device, who, local),
            lambda: events.established(call, device, who),
            lambda: events.held(call, device, local),
            lambda: events.retrieved(call, device),
            lambda: events.failed(call, device),
            lambda: events.cleared(call, device, local),
        ]
        self.bench.report(station, makers[kind]())
        self.collect()

    @rule(call=CALLS, caller=sampled_from(STATIONS), called=sampled_from([*STATIONS, "+4822"]))
    def a_call_is_answered(self, call: int, caller: str, called: str) -> None:
        if caller != called:
            self.bench.call(call, caller, called)
            self.collect()

    @rule(
        station=sampled_from(STATIONS),
        calls=sets(CALLS, min_size=2, max_size=2),
        new=CALLS,
        transfer=booleans(),
        local=LOCALS,
    )
    def join(self, station: str, calls: set[int], new: int, transfer: bool, local: LocalState) -> None:
        first, second = sorted(calls)
        olds = {A: first, B: second, "7101": first}
        make = events.transferred if transfer else events.conferenced
        self.bench.report(station, make(station, C, first, second, new, olds, local))
        self.collect()

    @precondition(lambda self: self.requests)
    @rule(granted=sampled_from(["yes", "yes", "yes", "no", "lost", "busy"]), last=booleans())
    def answer(self, granted: str, last: bool) -> None:
        self.reply(self.requests.pop(-1 if last else 0), granted)
        self.collect()

    @precondition(lambda self: self.requests)
    @rule()
    def all_is_granted(self) -> None:
        while self.requests:
            self.reply(self.requests.pop(0), "yes")
            self.collect()

    def reply(self, request: out.Request, granted: str) -> None:
        if granted == "no":
            refusal = ReturnError(0, ErrorCategory.SYSTEM_RESOURCE, 2)
            self.bench.give(ServiceAnswered(request.token, refusal))
        elif granted == "busy":
            self.bench.give(ServiceAnswered(request.token, ReturnError(0, ErrorCategory.PERFORMANCE, 2)))
        elif granted == "lost":
            self.bench.give(ServiceAnswered(request.token, Lost("timeout")))
        elif isinstance(request.argument, SingleStepConference):
            self.bench.answer(request)
        else:
            outcome: Outcome = model.NoData()
            if isinstance(request.argument, model.SnapshotDevice):
                legs = tuple(SnapshotLeg(c, None, (LocalState.CONNECTED,)) for c in self.found(request.argument.device))
                outcome = model.DeviceSnapshot(legs)
            self.bench.give(ServiceAnswered(request.token, outcome))

    def found(self, port: DeviceId) -> list[model.ConnectionId]:
        """Where a port is: nowhere, when its number is odd. A station is in no call."""
        return [events.conn(1, port.number)] if port.number in PORTS[1::2] else []

    @rule(port=sampled_from(PORTS), call=CALLS)
    def a_fork_is_lost(self, port: str, call: int) -> None:
        self.bench.report(A, events.cleared(call, port, LocalState.CONNECTED))
        self.collect()

    @rule()
    def link_is_cut_and_comes_back(self) -> None:
        self.bench.give(LinkDown("cut"))
        self.collect()
        while self.requests:
            self.bench.give(ServiceAnswered(self.requests.pop(0).token, Lost("link down")))
            self.collect()
        self.bench.connect()  # which answers all but requests for forks
        self.requests += forks(self.bench.outputs[self.seen :])
        self.seen = len(self.bench.outputs)

    @rule(
        station=sampled_from(STATIONS), calls=sets(CALLS), local=sampled_from([LocalState.CONNECTED, LocalState.HOLD])
    )
    def snapshot(self, station: str, calls: set[int], local: LocalState) -> None:
        legs = tuple(SnapshotLeg(events.conn(call, station), DeviceId("+4822"), (local,)) for call in sorted(calls))
        self.bench.give(SnapshotTaken(station, legs))
        self.collect()

    @rule(station=sampled_from(STATIONS), refused=booleans())
    def monitor(self, station: str, refused: bool) -> None:
        self.bench.give(MonitorRefused(station, "no", False) if refused else MonitorRunning(station, b"\1"))
        self.collect()

    # --- people, lines, journal, time

    @rule(whom=sampled_from([*STATIONS, "nonsense"]), what=sampled_from(Demand), seconds=sampled_from([None, 0.5, 99]))
    def demand(self, whom: str, what: Demand, seconds: float | None) -> None:
        replies = every(self.bench.demand(whom, what, seconds), out.Replied)
        assert len(replies) == 1
        self.collect()

    @rule(rules=sampled_from(RULES))
    def rules_change(self, rules: RuleSet) -> None:
        outputs = self.bench.give(RulesChanged(rules))
        ends = [one.reason for one in every(outputs, out.Finish)]
        assert all(reason.startswith("preempted") for reason in ends), (
            "what runs is not touched, but for a higher class"
        )
        self.collect()

    @rule(silent=booleans(), down=sampled_from(["", "", "trunk1", "trunk2"]))
    def listen(self, silent: bool, down: str) -> None:
        level = float("-inf") if silent else -20.0
        self.bench.listen(level, level, idle=silent, down=down)
        self.collect()

    @rule(seconds=sampled_from([0.5, 2.0, 40.0]))
    def time_passes(self, seconds: float) -> None:
        self.bench.timers(seconds)
        self.collect()

    @rule(accepts=booleans())
    def journal(self, accepts: bool) -> None:
        self.bench.give(JournalChanged(accepts))
        self.collect()

    def opened_just_now(self) -> list[UUID]:
        recordings = self.bench.engine.recordings.values()
        return [r.id for r in recordings if r.state is State.RUNNING and abs(r.since + 0.1 - self.bench.now) < 1e-6]

    @precondition(lambda self: bool(self.opened_just_now()))
    @rule()
    def the_journal_refuses_to_open(self) -> None:
        recording = self.opened_just_now()[0]
        self.bench.give(OpenRefused(recording, "no room"))
        self.refused.append(recording)
        self.collect()

    # --- what must always hold

    @invariant()
    def a_pair_belongs_to_one_recording(self) -> None:
        recordings = self.bench.engine.recordings
        assert self.bench.engine.pool.leased == len(recordings) == len({r.pair for r in recordings.values()})

    @invariant()
    def a_recording_belongs_to_a_running_conversation_or_is_ending(self) -> None:
        for recording in self.bench.engine.recordings.values():
            if recording.state in ACTIVE:
                conversation = self.bench.engine.tracker.conversations[recording.conversation]
                assert conversation.has(recording.station)

    @invariant()
    def whoever_should_be_recorded_and_is_not_has_an_open_gap(self) -> None:
        engine = self.bench.engine
        for conversation in engine.tracker.conversations.values():
            running = [
                r for r in engine.recordings.values() if r.conversation == conversation.id and r.state is State.RUNNING
            ]
            should = set()
            for call in conversation.calls.values():
                for station in conversation.stations:
                    wanted = call.talking(station) and engine.decide(conversation, station).action == "record"
                    if not wanted or self.is_forbidden(conversation, station):
                        continue
                    mine = [
                        r
                        for r in running
                        if r.station == station or (self.internal == "once" and call.talking(r.station))
                    ]
                    if not mine:
                        should.add(station)
            assert should <= engine.uncovered(conversation.id).keys()

    def is_forbidden(self, conversation, station: str) -> bool:  # type: ignore[no-untyped-def]
        """Somebody who must never be recorded is in a call that the station is connected to."""
        engine = self.bench.engine
        inside = (LocalState.CONNECTED, LocalState.HOLD)
        return any(
            call.state(station) is LocalState.CONNECTED
            and any(
                call.state(one) in inside and engine.decide(conversation, one).action == "never"
                for one in conversation.stations
            )
            for call in conversation.calls.values()
        )

    @invariant()
    def nobody_is_recorded_whom_a_rule_forbids(self) -> None:
        engine = self.bench.engine
        for recording in engine.recordings.values():
            if recording.state in ACTIVE:
                conversation = engine.tracker.conversations[recording.conversation]
                assert not self.is_forbidden(conversation, recording.station)

    def teardown(self) -> None:
        """However wild it was: when the PBX says that nobody talks, everything ends and every pair is free."""
        for station in STATIONS * 2:  # what one presumed of another may only come to light when the other is gone
            self.bench.give(SnapshotTaken(station, ()))
        self.collect()
        for _ in range(20):
            while self.requests:
                self.reply(self.requests.pop(0), "yes")
                self.collect()
            self.bench.timers(1.0)
            self.collect()
        assert self.bench.engine.tracker.conversations == {}
        assert self.bench.engine.recordings == {}
        assert self.bench.engine.pool.leased == 0
        opened = {one.recording: one for one in every(self.bench.outputs, out.Open)}
        finished = [one.recording for one in every(self.bench.outputs, out.Finish)]
        assert sorted([*finished, *self.refused]) == sorted(opened), "each that began ended once"
        self.ledger_is_complete(opened)

    def ledger_is_complete(self, opened: dict[UUID, out.Open]) -> None:
        records = [one.record for one in every(self.bench.outputs, out.Concluded)]
        assert len(records) == len({record.conversation for record in records})
        kept = {one.recording for one in every(self.bench.outputs, out.Keep)}
        kept |= {identity for identity, one in opened.items() if not one.provisional}
        told = [recording for record in records for recording in record.recordings]
        assert len(told) == len(set(told))
        assert set(told) == kept - set(self.refused), "each that is kept is told of once"
        for record in records:
            assert (record.outcome == "recorded") == bool(record.recordings)
            assert record.recordings or record.reason
            for station in STATIONS:
                gaps = [gap for gap in record.missed if gap.station == station]
                assert all(gap.since <= gap.until for gap in gaps)
                assert all(first.until <= second.since for first, second in pairwise(gaps)), "no moment counts twice"


class StormAtEach(Storm):
    """The same with a recording at each station."""

    internal = "each"


Storm.TestCase.settings = settings(
    max_examples=150, stateful_step_count=40, deadline=None, phases=[Phase.reuse, Phase.generate]
)
StormAtEach.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, phases=[Phase.reuse, Phase.generate]
)
test_no_order_of_events_leaves_anything_behind = Storm.TestCase
test_no_order_of_events_leaves_anything_behind_at_each_station = StormAtEach.TestCase
