"""Call logic and engine under events in any order: nothing raises, no pair is lost, everything ends."""

from collections.abc import Callable

from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from hypothesis.strategies import booleans, integers, sampled_from, sets

from osrec.csta.messages import LinkDown, Lost, MonitorRefused, MonitorRunning, SnapshotTaken
from osrec.engine import messages as out
from osrec.engine.messages import JournalChanged
from osrec.engine.recording import State
from osrec.wire.csta import model
from osrec.wire.csta.model import DeviceId, ErrorCategory, LocalState, ReturnError, SingleStepConference, SnapshotLeg
from tests.unit import csta_events as events
from tests.unit.engine_bench import A, B, Bench, C, every

STATIONS = [A, B, C]
DEVICES = [*STATIONS, "7801", "+4822", "7101", "7102"]
CALLS = integers(1, 4)
LOCALS = sampled_from(list(LocalState))
REFUSED = ReturnError(0, ErrorCategory.SYSTEM_RESOURCE, 2)


class Storm(RuleBasedStateMachine):
    """Events that no PBX would send in such an order, and answers as they please."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench()
        self.requests: list[out.Request] = []
        self.seen = len(self.bench.outputs)

    def collect(self) -> None:
        new = every(self.bench.outputs[self.seen :], out.Request)
        self.requests += [request for request in new if isinstance(request.argument, SingleStepConference)]
        self.seen = len(self.bench.outputs)
        self.bench.now += 0.1

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
    @rule(granted=sampled_from(["yes", "no", "lost"]))
    def answer(self, granted: str) -> None:
        request = self.requests.pop(0)
        self.bench.answer(request, {"yes": None, "no": REFUSED, "lost": Lost("timeout")}[granted])
        self.collect()

    @rule()
    def time_passes(self) -> None:
        self.bench.after(1.0)
        self.collect()

    @rule(accepts=booleans())
    def journal(self, accepts: bool) -> None:
        self.bench.give(JournalChanged(accepts))
        self.collect()

    @rule()
    def link_is_cut_and_comes_back(self) -> None:
        self.bench.give(LinkDown("cut"))
        self.collect()
        while self.requests:
            self.bench.answer(self.requests.pop(0), Lost("link down"))
            self.collect()
        self.bench.connect()
        self.collect()

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

    @invariant()
    def a_pair_belongs_to_one_recording(self) -> None:
        recordings = self.bench.engine.recordings
        assert self.bench.engine.pool.leased == len(recordings) == len({r.pair for r in recordings.values()})

    @invariant()
    def a_recording_belongs_to_a_running_conversation_or_is_ending(self) -> None:
        for recording in self.bench.engine.recordings.values():
            if recording.state in (State.REQUESTING, State.RUNNING):
                conversation = self.bench.engine.tracker.conversations[recording.conversation]
                assert conversation.has(recording.station)

    def teardown(self) -> None:
        """However wild it was: when the PBX says that nobody talks, everything ends and every pair is free."""
        for station in STATIONS:
            self.bench.give(SnapshotTaken(station, ()))
        self.collect()
        while self.requests:
            self.bench.answer(self.requests.pop(0))
            self.collect()
        self.bench.after(10.0)
        assert self.bench.engine.tracker.conversations == {}
        assert self.bench.engine.recordings == {}
        assert self.bench.engine.pool.leased == 0
        opened = {one.recording for one in every(self.bench.outputs, out.Open)}
        finished = [one.recording for one in every(self.bench.outputs, out.Finish)]
        assert sorted(finished) == sorted(opened), "each recording that began ended once"
        concluded = [one.record.conversation for one in every(self.bench.outputs, out.Concluded)]
        assert len(concluded) == len(set(concluded))


Storm.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
test_no_order_of_events_leaves_anything_behind = Storm.TestCase
