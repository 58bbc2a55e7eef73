"""Whatever people and recorders do, in any order, the PBX keeps its rules."""

import json
from collections import Counter
from collections.abc import Sequence

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from osrec.wire.csta import model
from osrec.wire.csta.model import ConnectionId, DeviceId, LocalState, Participation
from osrec_emulators.pbx.calls import Occurrence, RuleError
from osrec_emulators.pbx.config import PbxConfig
from osrec_emulators.pbx.media import Side, Voice
from osrec_emulators.pbx.services import Refusal
from osrec_emulators.pbx.world import World

STATIONS = [f"310{n}" for n in range(6)]
TRUNKS = ["7801", "7802"]
PORTS = [f"500{n}" for n in range(4)]
stations = st.sampled_from(STATIONS)
parties = st.sampled_from(STATIONS + TRUNKS)
ports = st.sampled_from(PORTS)


class PbxMachine(RuleBasedStateMachine):
    """Random commands; most are illegal, and then must change nothing."""

    follows = "station"

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        config = {
            "stations": [{"range": "3100-3105"}],
            "trunks": [{"range": "7801-7802"}],
            "recorder_ports": ["5000-5003"],
            "fork": {"follows": self.follows, "events": "all"},
        }
        self.world = World(PbxConfig.model_validate(config), sink=self.lines.append)
        self.now = 0.0
        self.threads: set[str] = set()
        self.states: dict[tuple[str, bytes], LocalState | None] = {}

    def command(self, name: str, *arguments: str) -> None:
        switch = self.world.switch
        version = self.world.topology.version
        try:
            getattr(switch, name)(*arguments)
        except RuleError:
            assert self.world.topology.version == version
            assert switch.take() == []
        self.observe()

    def request(self, request: model.Argument) -> model.Result | Refusal | None:
        answer = self.world.request(request, self.now)
        self.observe(answer.occurrences)
        return answer.result

    def observe(self, occurrences: Sequence[Occurrence] | None = None) -> None:
        """Follow the events as a monitor on every device would, and compare with the calls."""
        for occurrence in self.world.switch.take() if occurrences is None else occurrences:
            event = occurrence.event
            calls = {call.id for call in self.world.switch.calls.values() if occurrence.device in call.legs}
            if isinstance(event, model.Transferred | model.Conferenced):
                for link in event.connections:
                    assert link.new is not None
                    if link.new.device == DeviceId(occurrence.device):
                        assert link.new.call_id is not None
                        if link.old is not None and link.old.call_id is not None:
                            self.states.pop((occurrence.device, link.old.call_id), None)
                        self.states[occurrence.device, link.new.call_id] = event.local
                for old in (event.primary, event.secondary):
                    if old is not None and old.call_id is not None and old.call_id not in calls:
                        self.states.pop((occurrence.device, old.call_id), None)
            elif event.connection.call_id is not None:  # type: ignore[union-attr]
                self.states[occurrence.device, event.connection.call_id] = event.local  # type: ignore[union-attr]
        self.states = {key: state for key, state in self.states.items() if state is not LocalState.NULL}

    @rule(caller=stations, to=stations)
    def call(self, caller: str, to: str) -> None:
        self.command("make_call", caller, to)

    @rule(caller=stations, digits=st.sampled_from(["1", "2"]))
    def call_outside(self, caller: str, digits: str) -> None:
        self.command("make_call", caller, "0" + digits)

    @rule(to=stations)
    def call_from_outside(self, to: str) -> None:
        self.command("incoming", "0891", to)

    @rule(who=parties, what=st.sampled_from(["answer", "answer", "clear", "hold", "retrieve", "alternate"]))
    def handle(self, who: str, what: str) -> None:
        self.command(what, who)

    @rule(to=st.sampled_from([*STATIONS, "01"]), position=st.integers(0, 9), who=stations)
    def consult(self, to: str, position: int, who: str) -> None:
        talking = [s for s in STATIONS if self.world.switch.leg_in(s, LocalState.CONNECTED)]
        self.command("consult", talking[position % len(talking)] if talking else who, to)

    @rule()
    def everybody_answers(self) -> None:
        for device in [*STATIONS, *TRUNKS]:
            if self.world.switch.leg_in(device, LocalState.ALERTING):
                self.command("answer", device)

    @rule(what=st.sampled_from(["transfer", "conference"]), position=st.integers(0, 9))
    def merge(self, what: str, position: int) -> None:
        holding = [s for s in STATIONS if self.world.switch.leg_in(s, LocalState.HOLD)]
        if holding:
            self.command(what, holding[position % len(holding)])

    @rule(who=stations, to=stations, what=st.sampled_from(["deflect", "pickup"]))
    def redirect(self, who: str, to: str, what: str) -> None:
        self.command(what, who, to)

    @rule(station=stations, port=ports, silent=st.booleans())
    def fork(self, station: str, port: str, silent: bool) -> None:
        calls = self.world.switch.calls_of(station)
        if calls:
            part = Participation.SILENT if silent else Participation.ACTIVE
            request = model.SingleStepConference(ConnectionId(calls[-1].id, DeviceId(station)), DeviceId(port), part)
            taken = port in self.world.switch.forks.joined
            assert isinstance(self.request(request), Refusal) or not taken

    @rule(port=ports)
    def unfork(self, port: str) -> None:
        fork = self.world.switch.forks.joined.get(port)
        if fork is not None:
            connection = ConnectionId(bytes.fromhex(fork.call), DeviceId(port))
            assert self.request(model.ClearConnection(connection)) == model.NoData()

    @rule(seconds=st.floats(0.1, 30))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.observe(self.world.advance(self.now))

    @invariant()
    def a_device_has_one_connection_of_a_state_at_most(self) -> None:
        legs: dict[str, list[LocalState]] = {}
        for call in self.world.switch.calls.values():
            assert len(call.active) >= 1
            for leg in call.active:
                legs.setdefault(leg.device, []).append(leg.state)
        for states in legs.values():
            assert len(states) <= 2
            assert Counter(states)[LocalState.HOLD] <= 1
            assert len([state for state in states if state is not LocalState.HOLD]) <= 1

    @invariant()
    def a_trunk_is_in_one_call_at_most(self) -> None:
        used = Counter(device for call in self.world.switch.calls.values() for device in call.legs if device in TRUNKS)
        assert max(used.values(), default=0) <= 1

    @invariant()
    def a_port_carries_one_side_and_no_side_goes_out_twice(self) -> None:
        forks = self.world.switch.forks.joined
        in_calls = Counter(
            leg.device for call in self.world.switch.calls.values() for leg in call.legs.values() if leg.silent
        )
        assert in_calls == Counter(list(forks))
        for port, fork in forks.items():
            call = self.world.switch.calls[bytes.fromhex(fork.call)]
            assert port in call.legs
            assert fork.station in call.legs
        if self.follows == "station":
            carried = Counter((fork.station, fork.side) for fork in forks.values())
            assert max(carried.values(), default=0) <= 1
        assert {fork.side for fork in forks.values()} <= set(Side)

    @invariant()
    def hearing_is_mutual_and_ports_are_never_heard(self) -> None:
        topology = self.world.topology
        for device in [*STATIONS, *TRUNKS]:
            sources = topology.hears(device)
            voices = {source.device for source in sources if isinstance(source, Voice)}
            assert len(voices) == len([source for source in sources if isinstance(source, Voice)])
            assert device not in voices
            assert not voices & set(PORTS)
            for other in voices:
                assert topology.speaks(other)
                assert Voice(device) in topology.hears(other)

    @invariant()
    def the_events_told_every_device_its_states(self) -> None:
        truth = {
            (leg.device, call.id): leg.state
            for call in self.world.switch.calls.values()
            for leg in call.active
            if leg.device in STATIONS
        }
        told = {key: state for key, state in self.states.items() if key[0] in STATIONS}
        assert told == truth

    @invariant()
    def running_threads_are_known_to_the_truth(self) -> None:
        running = {call.thread.id.hex() for call in self.world.switch.calls.values()}
        self.threads |= running
        assert self.world.truth.running == len(running)

    def teardown(self) -> None:
        self.now += 1
        for device in [*STATIONS, *TRUNKS]:
            while self.world.switch.calls_of(device):
                self.world.switch.clear(device)
        assert self.world.switch.calls == {}
        assert self.world.switch.forks.joined == {}
        told = [json.loads(line)["thread"] for line in self.lines]
        assert len(told) == len(set(told))
        assert self.threads <= set(told)


class PbxWithForksOfCalls(PbxMachine):
    follows = "call"


TestForksFollowTheStation = PbxMachine.TestCase
TestForksFollowTheCall = PbxWithForksOfCalls.TestCase
TestForksFollowTheStation.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
TestForksFollowTheCall.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
