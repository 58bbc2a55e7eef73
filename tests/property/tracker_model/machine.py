"""The machine: people, the link and the recorder do something; then the tracker and the PBX are compared."""

import random
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from osrec.calls.clearing import LONGEST_PARKED
from osrec.wire.csta import model
from osrec.wire.csta.model import LocalState
from osrec_emulators.pbx.calls import Occurrence
from tests.property.tracker_model.comparison import Comparison
from tests.property.tracker_model.doubts import Doubts
from tests.property.tracker_model.link import Link
from tests.property.tracker_model.people import STATIONS, choose
from tests.property.tracker_model.scene import make_scene
from tests.property.tracker_model.story import Story
from tests.property.tracker_model.threads import Threads

BETWEEN_MOVES = 0.4  # seconds
seeds = st.integers(0, 2**16)


class TrackerMachine(RuleBasedStateMachine):
    """People use their telephones; events reach the tracker in order, late, twice or not at all.

    Args:
        tell: takes each line of what was played.
    """

    monitored: Sequence[str] = STATIONS
    linkage = True
    dynamic = False
    ports: Sequence[str] = ()  # the recorder's own, which everybody is told of
    features: dict[str, Any] = {}  # noqa: RUF012, of the PBX

    def __init__(self, tell: Callable[[str], object] = note) -> None:
        super().__init__()
        config: dict[str, Any] = {
            "stations": [{"range": "3100-3105"}],
            "trunks": [{"range": "7801-7803"}],
            "linkage": self.linkage,
            "connection_ids": "dynamic" if self.dynamic else "static",
            "recorder_ports": self.ports,
            "fork": {"events": "all"},
        }
        self.scene = make_scene(config | self.features, self.monitored, Story(tell))
        self.link = Link(self.scene, self.somebody_may_do_something)
        self.threads = Threads(self.scene, self.link)
        self.doubts = Doubts(self.scene)
        self.comparison = Comparison(self.scene, self.link, self.threads, self.doubts)
        self.closing_time = False
        self.agrees = True  # at the last look

    # --- what people do

    @rule(seed=seeds, moves=st.integers(1, 12))
    def people_use_their_telephones(self, seed: int, moves: int) -> None:
        chance = random.Random(seed)
        for _ in range(moves):
            self.somebody_moves(chance)
            self.check()

    def somebody_moves(self, chance: random.Random) -> None:
        scene, switch = self.scene, self.scene.world.switch
        scene.now += BETWEEN_MOVES
        self.carry(scene.world.advance(scene.now))
        self.threads.look()
        move = choose(switch, chance)
        scene.story.happens(scene.now, str(move))
        calls = dict(switch.calls)
        members = {call: {leg.device for leg in call.active} for call in calls.values()}
        move.play(switch)
        new = [call for call in switch.calls.values() if calls.get(call.id) is not call]
        self.threads.moved(move, new, members)
        self.carry(switch.take())

    def somebody_may_do_something(self, chance: random.Random) -> None:
        for _ in range(0 if self.closing_time else chance.choice((0, 0, 1, 2))):
            self.somebody_moves(chance)
            self.threads.look()

    @rule(seconds=st.sampled_from([0.5, 3.0, 30.0]))
    def time_passes(self, seconds: float) -> None:
        scene = self.scene
        for _ in range(round(seconds / 0.5)):  # slowly, so that whoever is in a call for a moment is seen there
            scene.now += 0.5
            self.carry(scene.world.advance(scene.now))
            self.threads.look()
            self.comparison.note_absence()
        scene.story.happens(scene.now, f"{seconds:g} s have passed")
        self.link.expire()
        self.check()

    def carry(self, occurrences: list[Occurrence]) -> None:
        self.threads.passed(occurrences)
        self.link.carry(occurrences)

    # --- what the recorder does

    @rule(seed=seeds)
    def the_recorder_listens(self, seed: int) -> None:
        """One of its ports joins a station's call silently; everybody there may be told of it."""
        switch, chance = self.scene.world.switch, random.Random(seed)
        free = [port for port in switch.directory.ports if port not in switch.forks.joined]
        talking = [one for one in STATIONS if switch.leg_in(one, LocalState.CONNECTED)]
        if free and talking:
            station, port = chance.choice(talking), chance.choice(free)
            found = switch.leg_in(station, LocalState.CONNECTED)
            assert found is not None
            self.tell(f"port {port} listens to {station}")
            active = switch.reporter.connection(*found)
            self.ask(model.SingleStepConference(active, model.DeviceId(port), model.Participation.SILENT))
        self.check()

    @rule(seed=seeds)
    def the_recorder_stops_listening(self, seed: int) -> None:
        switch = self.scene.world.switch
        if joined := sorted(switch.forks.joined):
            port = random.Random(seed).choice(joined)
            self.tell(f"port {port} leaves")
            call = switch.calls[bytes.fromhex(switch.forks.joined[port].call)]
            self.ask(model.ClearConnection(switch.reporter.connection(call, call.legs[port])))
        self.check()

    def ask(self, request: model.Argument) -> None:
        self.carry(list(self.scene.world.request(request, self.scene.now).occurrences))

    # --- what the link does

    @rule()
    def events_are_held_back(self) -> None:
        self.tell("events are held back")
        self.link.hold_back()

    @rule(seed=seeds)
    def events_come_late_and_mixed(self, seed: int) -> None:
        self.tell("what was held back comes")
        self.link.let_through(random.Random(seed))
        self.check()

    def short_outage(self, chance: random.Random) -> None:
        """The link goes and comes back, and people do not notice."""
        self.link.cut()
        for _ in range(3):
            self.somebody_moves(chance)
            self.threads.look()
            self.doubts.look()
        self.the_link_comes_back(chance.randrange(1000))

    @rule()
    def events_come_twice_from_now_on(self) -> None:
        self.link.repeat_or_not()

    @rule(station=st.sampled_from(STATIONS))
    def a_monitor_loses_its_next_events(self, station: str) -> None:
        self.tell(f"the monitor of {station} begins to lose events")
        self.link.deafen(station)

    @rule(seed=seeds)
    def the_lost_events_are_made_up_for(self, seed: int) -> None:
        self.tell("snapshots of those who lost events")
        if self.link.make_up(random.Random(seed)):
            self.comparison.forget_identities()
        self.check()

    @rule()
    def the_link_is_cut(self) -> None:
        self.tell("the link is cut")
        self.link.cut()

    @rule(seed=seeds)
    def the_link_comes_back(self, seed: int) -> None:
        self.tell("the link is back")
        if self.link.come_back(random.Random(seed)):
            self.comparison.forget_identities()
        self.check()

    # --- the comparison

    def tell(self, what: str) -> None:
        self.scene.story.happens(self.scene.now, what)

    def check(self) -> None:
        self.agrees = False
        self.threads.look()
        self.doubts.look()
        self.link.answer()
        if self.link.tells_all:
            self.link.expire()
            self.comparison.check()
        self.agrees = True

    def teardown(self) -> None:
        """Everything ends: nothing may be left, even when the last events got lost."""
        if not self.agrees:
            return  # what failed is what counts
        scene, switch = self.scene, self.scene.world.switch
        self.closing_time = True
        self.tell("everybody hangs up")
        while calls := switch.calls:  # a call-back may begin another one
            switch.clear_call(next(iter(calls.values())))
            scene.now += BETWEEN_MOVES
            self.carry([*switch.take(), *scene.world.advance(scene.now)])
        self.events_come_late_and_mixed(0)
        self.the_link_comes_back(0)
        self.the_lost_events_are_made_up_for(0)
        scene.now += LONGEST_PARKED
        self.link.expire()
        assert scene.tracker.conversations == {}
