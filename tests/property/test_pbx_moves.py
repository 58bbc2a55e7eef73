"""Whatever people do with all features of the PBX, in any order, its tables and its events stay right."""

import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from osrec.wire.csta import model
from osrec.wire.csta.model import ConnectionId, DeviceId, LocalState, Participation
from osrec_emulators.pbx.calls import Occurrence
from osrec_emulators.pbx.config import PbxConfig
from osrec_emulators.pbx.media import Voice
from osrec_emulators.pbx.moves import Move, Moves
from osrec_emulators.pbx.world import World

STATIONS = [f"310{n}" for n in range(8)]
TRUNKS = ["7801", "7802", "7803"]
OUTSIDE = ["0891", "0302"]
CONFIG: dict[str, Any] = {
    "stations": [{"range": "3100-3107"}],
    "trunks": [{"range": "7801-7803"}],
    "recorder_ports": ["5000-5003"],
    "fork": {"events": "none"},
    "call_waiting": ["3100-3103"],
    "recall_after": 6,
    "hold_recall_after": 15,
    "call_id_wrap": 7,
    "conference_limit": 4,
    "groups": [
        {"kind": "hunt", "number": "3800", "members": ["3100-3102"], "order": "cyclic", "ring_time": 4},
        {"kind": "queue", "number": "3900", "members": ["3103-3105"], "wrap_up": 2, "ring_time": 5, "patience": 30},
        {"kind": "parallel", "number": "3106", "members": ["3106-3107"]},
        {"kind": "shared", "number": "3810", "members": ["3104-3106"]},
        {"kind": "executive", "number": "3107", "secretary": "3100", "private": "3899"},
        {"kind": "disa", "number": "3999"},
        {"kind": "park", "numbers": "3850-3851", "recall_after": 9},
    ],
}


class AllFeatures(RuleBasedStateMachine):
    """Random moves, each of which the PBX must take; time passes; ports join and leave."""

    def __init__(self, tell: Callable[[str], object] = note) -> None:
        super().__init__()
        self.tell = tell
        self.lines: list[str] = []
        self.world = World(PbxConfig.model_validate(CONFIG), sink=self.lines.append)
        self.moves = Moves(self.world.switch, OUTSIDE)
        self.now = 0.0
        self.threads: set[str] = set()
        self.states: dict[tuple[str, bytes], LocalState] = {}

    @rule(position=st.integers(0, 10_000), kind=st.integers(0, 100))
    def move(self, position: int, kind: int) -> None:
        """First a command, then one of its moves: there are many more calls to make than to transfer."""
        by_command: dict[str, list[Move]] = {}
        for move in self.moves.possible():
            by_command.setdefault(move.command, []).append(move)
        commands = sorted(by_command)
        moves = by_command[commands[kind % len(commands)]]
        chosen = moves[position % len(moves)]
        self.tell(f"{self.now:g} s: {chosen}")
        chosen.play(self.world.switch)
        self.observe(self.world.switch.take())

    @rule(position=st.integers(0, 100))
    def somebody_answers(self, position: int) -> None:
        ringing = [one for one in [*STATIONS, *TRUNKS] if self.world.switch.leg_in(one, LocalState.ALERTING)]
        if ringing:
            self.tell(f"answer {ringing[position % len(ringing)]}")
            self.world.switch.answer(ringing[position % len(ringing)])
            self.observe(self.world.switch.take())

    @rule(seconds=st.sampled_from([0.0, 0.5, 2.0, 5.0, 11.0, 40.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.tell(f"until {self.now:g} s")
        self.observe(self.world.advance(self.now))

    @rule(station=st.sampled_from(STATIONS), port=st.sampled_from(["5000", "5001", "5002", "5003"]))
    def fork(self, station: str, port: str) -> None:
        found = self.world.switch.leg_in(station, LocalState.CONNECTED)
        if found is not None:
            connection = ConnectionId(found[0].id, DeviceId(station))
            request = model.SingleStepConference(connection, DeviceId(port), Participation.SILENT)
            self.observe(self.world.request(request, self.now).occurrences)

    def observe(self, occurrences: Sequence[Occurrence]) -> None:
        """Follow the events as a monitor on every device would: none may contradict the ones before."""
        for occurrence in occurrences:
            event, device = occurrence.event, occurrence.device
            if isinstance(event, model.OtherEvent):
                continue
            assert event.local is not None
            if isinstance(event, model.Transferred | model.Conferenced):
                self.merged(device, event)
                continue
            call = event.connection.call_id  # type: ignore[union-attr]
            assert call is not None
            before = self.states.get((device, call))
            own = event.connection.device == DeviceId(device)  # type: ignore[union-attr]
            if not own and before is not None:
                assert event.local is before, f"{device} is {before.name} and {event} says otherwise"
            if isinstance(event, model.Held):
                assert not own or before is LocalState.CONNECTED
            if isinstance(event, model.Retrieved):
                assert not own or before is LocalState.HOLD
            if isinstance(event, model.Established) and own and device in STATIONS:
                picked_up = event.cause == 11
                assert picked_up or before in (LocalState.ALERTING, LocalState.QUEUED)
            if event.local is LocalState.NULL:
                self.states.pop((device, call), None)
            else:
                self.states[device, call] = event.local

    def merged(self, device: str, event: model.Transferred | model.Conferenced) -> None:
        for old in (event.primary, event.secondary):
            if old is not None and old.call_id is not None:
                self.states.pop((device, old.call_id), None)
        for link in event.connections:
            if link.new is not None and link.new.device == DeviceId(device):
                assert link.new.call_id is not None
                assert event.local is not None
                self.states[device, link.new.call_id] = event.local

    @invariant()
    def the_events_told_every_device_its_states(self) -> None:
        devices = {*STATIONS, *TRUNKS, *self.world.directory.groups, *self.world.directory.park_slots}
        truth = {
            (leg.device, call.id): leg.state
            for call in self.world.switch.calls.values()
            for leg in call.connections
            if leg.device in devices
        }
        assert {key: state for key, state in self.states.items() if key[0] in devices} == truth

    @invariant()
    def a_station_has_a_call_two_at_most_and_one_that_is_not_held(self) -> None:
        for device in [*STATIONS, *TRUNKS]:
            calls = self.world.switch.calls_of(device)
            states = [call.legs[device].state for call in calls if call.legs[device].state is not LocalState.QUEUED]
            assert len(states) <= 2
            for state in LocalState:
                assert states.count(state) <= 1
            assert LocalState.NULL not in states
            assert device in STATIONS or len(calls) <= 1

    @invariant()
    def every_call_has_somebody_who_would_end_it(self) -> None:
        """Nobody waits for ever alone: there is a person who takes part, or a timer runs."""
        for call in self.world.switch.calls.values():
            people = [leg for leg in call.active if self.world.switch.is_person(leg.device)]
            assert people
            waits = [leg for leg in people if leg.state not in (LocalState.ALERTING, LocalState.QUEUED)]
            assert waits
            assert len(waits) > 1 or self.world.switch.timers.runs(call, "patience") or self.parked(call.id)

    def parked(self, call: bytes) -> bool:
        legs = self.world.switch.calls[call].legs
        return any(device in self.world.directory.park_slots for device in legs)

    @invariant()
    def tables_agree(self) -> None:
        switch = self.world.switch
        for device in [*STATIONS, *TRUNKS, *self.world.directory.groups, *self.world.directory.park_slots]:
            found = [call for call in switch.calls.values() if device in {leg.device for leg in call.connections}]
            assert sorted(call.id for call in switch.calls_of(device)) == sorted(call.id for call in found)
        assert Counter(
            leg.device for call in switch.calls.values() for leg in call.legs.values() if leg.silent
        ) == Counter(list(switch.forks.joined))

    @invariant()
    def hearing_is_mutual(self) -> None:
        topology = self.world.topology
        for device in [*STATIONS, *TRUNKS]:
            voices = {source.device for source in topology.hears(device) if isinstance(source, Voice)}
            assert device not in voices
            for other in voices:
                assert Voice(device) in topology.hears(other)
                assert topology.speaks(other)

    @invariant()
    def threads_are_known_to_the_truth(self) -> None:
        running = {call.thread.id.hex() for call in self.world.switch.calls.values()}
        for call in self.world.switch.calls.values():
            assert call.thread.live == len(
                [one for one in self.world.switch.calls.values() if one.thread is call.thread]
            )
        self.threads |= running
        assert self.world.truth.running == len(running)

    def teardown(self) -> None:
        switch = self.world.switch
        switch.callbacks.clear()
        for _ in range(3):  # who hangs up may let somebody else ring
            for device in [*STATIONS, *TRUNKS]:
                for call in switch.calls_of(device):
                    if device in call.legs:
                        switch.clear(device, call)
            self.now += 60
            self.observe(self.world.advance(self.now))
        assert switch.calls == {}
        assert self.states == {}
        assert switch.forks.joined == {}
        assert switch.free_trunks() == TRUNKS
        told = [json.loads(line) for line in self.lines]
        threads = [line["thread"] for line in told if "thread" in line]
        assert len(threads) == len(set(threads))
        assert self.threads <= set(threads)


TestAllFeatures = AllFeatures.TestCase
TestAllFeatures.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)


@pytest.mark.parametrize("seed", range(60))
def test_long_random_play_keeps_the_rules(seed: int) -> None:
    """Longer and more evenly spread than what hypothesis begins with; a failure shows all that was played."""
    rng = random.Random(seed)
    played: list[str] = []
    machine = AllFeatures(played.append)
    try:
        play_at_random(machine, rng)
    except AssertionError as error:
        error.add_note("\n".join(played))
        raise


def play_at_random(machine: AllFeatures, rng: random.Random) -> None:
    invariants = (
        machine.the_events_told_every_device_its_states,
        machine.a_station_has_a_call_two_at_most_and_one_that_is_not_held,
        machine.every_call_has_somebody_who_would_end_it,
        machine.tables_agree,
        machine.hearing_is_mutual,
        machine.threads_are_known_to_the_truth,
    )
    for _ in range(60):
        chosen = rng.random()
        if chosen < 0.65:
            machine.move(rng.randrange(10_000), rng.randrange(100))
        elif chosen < 0.85:
            machine.somebody_answers(rng.randrange(100))
        else:
            machine.wait(rng.choice([0.0, 0.5, 2.0, 5.0, 11.0, 40.0]))
        for invariant_of_all in invariants:
            invariant_of_all()
    machine.teardown()
