"""The tracker's conversations against the PBX model's own truth, whatever people and the link do.

After every step, when all events are in (and stations that lost some have had their snapshots), this must be equal:

- which stations are in which conversation, and the state of each monitored connection, call by call;
- which monitored station talks, and in which conversation: it is connected, and so is somebody else in the call;
- the partition: calls of one thread, and of threads that a transfer or conference brought together, are one
  conversation for as long as a monitored station is in it, under one id;
- the people: everybody who shares a call with a monitored station is a participant, and nobody is who never was in
  the thread.

Where CSTA cannot tell, equality means this:

- A monitored station that comes to somebody in a call that no monitored station was in: no event says that he still
  rings there, or has the call on hold. Until he is connected or leaves, the tracker may take him to talk.
- Without call linkage, calls are one conversation once a monitored station has consulted or has been joined; and
  after events were lost, only stations are compared, not partitions: nothing on the wire says which calls are one.
- Two threads that are brought together while no monitored station is in one of them: not compared from then on.
- A conversation whose events were lost may have ended on what was heard; then it goes on under another id.
- Who is put through to a conference, or takes a call that had been picked up before, is not told who is there, beyond
  the caller by the event's account: who was there is not asked for by name unless he is monitored, and whether he talks
  not at all. (The tracker takes the caller to be there until he leaves: better recorded than missed.)

`OSREC_SOAK_STEPS` (of each machine) makes it run longer, and differently each time.
"""

import os
import random
from collections import deque
from itertools import count
from typing import Any
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from osrec.calls.changes import Began, Change, Ended, Happened, Merged
from osrec.calls.clearing import LONGEST_PARKED
from osrec.calls.conversation import Conversation
from osrec.calls.tracker import Tracker
from osrec.numbers import Patterns
from osrec.wire.csta import model
from osrec.wire.csta.model import LocalState
from osrec_emulators.pbx.calls import Call, Occurrence
from osrec_emulators.pbx.config import PbxConfig
from osrec_emulators.pbx.moves import Move, Moves
from osrec_emulators.pbx.world import World

STATIONS = [f"310{n}" for n in range(6)]
TRUNKS = ["7801", "7802", "7803"]
OUTSIDE = ["0891", "0892"]
LINGER = 2.0
GRAIN = 0.5  # time goes on by this much at most between two looks at who is there
JOINS = ("transfer", "conference", "blind_transfer", "replace_path")
STATELESS = (model.DigitsGenerated, model.DigitsDialed, model.CallInformation)  # twice may be meant
WEIGHTS = {
    "answer": 30,
    "consult": 12,
    "transfer": 24,
    "conference": 24,
    "make_call": 8,
    "incoming": 8,
    "forward": 1,
    "unforward": 1,
    "mark_busy": 1,
    "account": 1,
    "user_data": 1,
    "correlator": 1,
    "digits": 1,
}
stations = st.sampled_from(STATIONS)
seeds = st.integers(0, 2**16)


def is_group(number: str) -> bool:
    """Whether it is that of a queue, a group, a park slot, or of nobody else."""
    return number.startswith(("38", "39"))


class TrackerMachine(RuleBasedStateMachine):
    """People use their telephones; events reach the tracker in order, late, twice or not at all."""

    linkage = True
    dynamic = False
    monitored = STATIONS
    features: dict[str, Any] = {}  # noqa: RUF012, of the PBX

    def __init__(self) -> None:
        super().__init__()
        config: dict[str, Any] = {
            "stations": [{"range": "3100-3105"}],
            "trunks": [{"range": "7801-7803"}],
            "linkage": self.linkage,
            "connection_ids": "dynamic" if self.dynamic else "static",
        } | self.features
        self.world = World(PbxConfig.model_validate(config))
        numbers = count(1)
        self.tracker = Tracker(
            self.monitored,
            Patterns(["78??"]),
            ["7101"],
            lambda: UUID(int=next(numbers)),
            groups=Patterns(["38??", "39??"]),
            linger=LINGER,
        )
        self.now = 100.0
        self.late: dict[str, deque[model.Event]] = {station: deque() for station in self.monitored}
        self.holding_back = False
        self.held: dict[str, list[model.Event]] = {}  # events by station while its snapshot is taken
        self.busy_while_snapped = True
        self.deaf: set[str] = set()  # stations some of whose events got lost
        self.cut = False
        self.twice = False
        self.blurred = False
        self.groups: dict[Call, set[Call]] = {}
        self.known_as: dict[Any, UUID] = {}  # conversation ids by group of calls
        self.absent: dict[Any, float] = {}
        self.merged: dict[UUID, UUID] = {}
        self.ended: set[UUID] = set()
        self.people: dict[bytes, set[str]] = {}  # by thread
        self.thread_of: dict[bytes, bytes] = {}  # by call id
        self.unnamed: set[tuple[bytes, str]] = set()  # who was in a call before anybody monitored was
        self.crowded: set[Call] = set()  # into which somebody monitored came without being told who is there
        self.watched: set[Call] = set()  # calls that a monitored station was in at the last step
        self.unclear: set[bytes] = set()  # threads that were joined where nobody saw it
        self.joined: dict[bytes, bytes] = {}  # threads that became part of another one
        self.doubtful: set[tuple[bytes, str]] = set()

    # --- what people do

    def play(self, move: Move) -> None:
        self.follow_people()
        calls = dict(self.world.switch.calls)
        members = {call: {leg.device for leg in call.active} for call in calls.values()}
        move.play(self.world.switch)
        new = [call for call in self.world.switch.calls.values() if calls.get(call.id) is not call]
        self.note_groups(move, new, members)
        self.note_doubts(new, members)
        self.carry(self.world.switch.take())

    def note_groups(self, move: Move, new: list[Call], members: dict[Call, set[str]]) -> None:
        """Without linkage: which calls can be known to be one."""
        running, who = self.world.switch.calls, move.arguments[0]
        for call in new:
            self.groups.setdefault(call, {call})
            told = any(leg.device in self.monitored for leg in call.active) or who in self.monitored
            if move.command == "consult" and who in self.monitored:
                others = [c for c in members if who in c.legs and c.legs[who].state is LocalState.HOLD]
            elif move.command in JOINS and told:
                others = [c for c in members if running.get(c.id) is not c and who in members[c]]
                seen = all(members[other] & set(self.monitored) for other in others)
                for other in others:
                    self.join(other.thread.id, call.thread.id, seen=seen)
            else:
                continue
            for other in others:
                group = self.groups.get(other, {other}) | self.groups[call]
                for one in group:
                    self.groups[one] = group

    def join(self, one: bytes, other: bytes, *, seen: bool) -> None:
        one, other = self.thread(one), self.thread(other)
        if one != other and not seen:
            self.unclear |= {one, other}
        elif one != other:
            self.unclear |= {other} if one in self.unclear else set()
            self.joined[one] = other
            self.people.setdefault(other, set()).update(self.people.pop(one, set()))

    def thread(self, thread: bytes) -> bytes:
        while thread in self.joined:
            thread = self.joined[thread]
        return thread

    def note_doubts(self, new: list[Call], members: dict[Call, set[str]]) -> None:
        """Who came from a call that no monitored station was in, and is not connected: nobody tells that he is not."""
        running = self.world.switch.calls
        replaced = {call: devices for call, devices in members.items() if running.get(call.id) is not call}
        for call in new:
            for leg in call.active:
                old = next((one for one, devices in replaced.items() if leg.device in devices), None)
                unseen = old is not None and not members[old] & set(self.monitored)
                still = old is not None and (old.id, leg.device) in self.doubtful
                if (unseen or still) and leg.state is not LocalState.CONNECTED:
                    self.doubtful.add((call.id, leg.device))

    @rule(seed=seeds, moves=st.integers(1, 12))
    def people_use_their_telephones(self, seed: int, moves: int) -> None:
        chance = random.Random(seed)
        for _ in range(moves):
            self.now += 0.4
            self.carry(self.world.advance(self.now))
            self.play(self.move(chance))
            self.check()

    def move(self, chance: random.Random) -> Move:
        """One of those that are possible now; commands that make calls more interesting are likelier than others."""
        by_command: dict[str, list[Move]] = {}
        for move in Moves(self.world.switch, OUTSIDE).possible():
            by_command.setdefault(move.command, []).append(move)
        commands = list(by_command)
        command = chance.choices(commands, [WEIGHTS.get(command, 4) for command in commands])[0]
        return chance.choice(by_command[command])

    @rule(seconds=st.sampled_from([0.5, 3.0, 30.0]))
    def time_passes(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.5)):  # slowly, so that whoever is in a call for a moment is seen there
            self.now += 0.5
            self.carry(self.world.advance(self.now))
            self.follow_people()
            self.note_absence({self.group_of(call) for call in self.watched_calls()})
        self.take(self.tracker.expire(self.now))
        self.check()

    # --- what the link does

    @rule()
    def events_are_held_back(self) -> None:
        self.holding_back = True

    @rule(seed=seeds)
    def events_come_late_and_mixed(self, seed: int) -> None:
        """Each monitor's own order is kept, that among monitors is not."""
        self.holding_back = False
        order = random.Random(seed)
        while waiting := [station for station, events in self.late.items() if events]:
            station = order.choice(waiting)
            self.hear(station, self.late[station].popleft())
        self.check()

    @rule()
    def events_come_twice_from_now_on(self) -> None:
        self.twice = not self.twice

    @rule(station=stations)
    def a_monitor_loses_its_next_events(self, station: str) -> None:
        if station in self.monitored:
            self.deaf.add(station)
            self.blurred = True

    @rule(seed=seeds)
    def the_lost_events_are_made_up_for(self, seed: int) -> None:
        if not self.holding_back and not self.cut:
            self.resync(sorted(self.deaf), random.Random(seed))
        self.check()

    @rule()
    def the_link_is_cut(self) -> None:
        self.cut = self.blurred = True

    @rule(seed=seeds)
    def the_link_comes_back(self, seed: int) -> None:
        """Events that were held back went down with the link; each station gets its monitor and its snapshot."""
        if not self.cut:
            return
        self.cut = self.holding_back = False
        for events in self.late.values():
            events.clear()
        order = list(self.monitored)
        chance = random.Random(seed)
        chance.shuffle(order)
        self.deaf = set(order)
        self.resync(order, chance)
        self.check()

    def carry(self, occurrences: list[Occurrence]) -> None:
        for device, event in ((one.device, one.event) for one in occurrences):
            self.note_presence(device, event)
            if device not in self.monitored or self.cut or device in self.deaf:
                continue
            if device in self.held:
                self.held[device].append(event)
            elif self.holding_back:
                self.late[device].append(event)
            else:
                self.hear(device, event)

    def hear(self, station: str, event: model.Event) -> None:
        self.take(self.tracker.handle(station, event, self.now))
        if self.twice:
            again = self.tracker.handle(station, event, self.now)
            news = [one for one in again if isinstance(one, Happened | Began)]
            assert not news or isinstance(event, STATELESS), f"{event} came twice and told {news}"
            self.take(again)

    def resync(self, order: list[str], chance: random.Random) -> None:
        for station in order:
            self.deaf.discard(station)
            self.snapshot(station, chance)
        self.known_as.clear()

    def snapshot(self, station: str, chance: random.Random) -> None:
        """As the link does it: the device, then each of its calls, while people go on using their telephones.

        What the PBX tells of the station before the first answer is told before the snapshot, what it tells later
        follows the whole.
        """
        self.held[station] = []
        self.somebody_may_do_something(chance)
        legs = self.world.snapshot(station).legs
        self.tell_held(station)
        calls: list[tuple[bytes, model.CallSnapshot]] = []
        for leg in legs:
            self.somebody_may_do_something(chance)
            found = self.world.request(model.SnapshotCall(leg.connection), self.now).result
            if isinstance(found, model.CallSnapshot) and leg.connection.call_id is not None:  # else it is over
                calls.append((leg.connection.call_id, found))
        self.somebody_may_do_something(chance)
        self.take(self.tracker.reconcile(station, legs, self.now, calls))
        self.tell_held(station)
        del self.held[station]

    def tell_held(self, station: str) -> None:
        events, self.held[station] = self.held[station], []
        for event in events:
            self.hear(station, event)

    def somebody_may_do_something(self, chance: random.Random) -> None:
        for _ in range(chance.choice((0, 0, 1, 2)) if self.busy_while_snapped else 0):
            self.now += 0.4
            self.carry(self.world.advance(self.now))
            self.play(self.move(chance))
            self.follow_people()

    def take(self, changes: list[Change]) -> None:
        for change in changes:
            if isinstance(change, Merged):
                self.merged[change.gone.id] = change.conversation.id
            elif isinstance(change, Ended):
                self.ended.add(change.conversation.id)

    # --- the comparison

    def check(self) -> None:
        self.follow_people()
        self.note_who_holds()
        if self.holding_back or self.cut or self.deaf:
            return
        self.take(self.tracker.expire(self.now))
        truth = self.true_states()
        assert self.told_states() == truth
        assert self.told_talks() | self.excused() == self.true_talks() | self.excused()
        if self.linkage or not self.blurred:
            self.check_partition()

    def note_who_holds(self) -> None:
        """A monitored station came into a call where somebody has the others on hold: it is not told so."""
        watched = set()
        for call in self.world.switch.calls.values():
            if any(leg.device in self.monitored for leg in call.active):
                watched.add(call)
                before = () if call in self.watched else call.active
                callers = {call.calling.number, *self.monitored}
                strangers = [leg for leg in before if leg.device not in self.monitored and not is_group(leg.device)]
                gone = call.calling.number not in {leg.party.number for leg in before}
                if len(strangers) > 1 or (strangers and gone):
                    self.crowded.add(call)
                self.unnamed |= {(call.id, leg.party.number) for leg in before if leg.party.number not in callers}
                holding = (leg.device for leg in before if leg.state is LocalState.HOLD)
                self.doubtful |= {(call.id, device) for device in holding if device not in self.monitored}
        self.watched = watched

    def follow_people(self) -> None:
        for call in self.world.switch.calls.values():
            self.thread_of[call.id] = call.thread.id
            people = self.people.setdefault(self.thread(call.thread.id), set())
            people |= {leg.party.number for leg in call.legs.values()} | {call.calling.number}
            people |= {call.redirected_from} if call.redirected_from else set()
            people |= {call.called.number} if call.called else set()

    def note_presence(self, device: str, event: model.Event) -> None:
        """Somebody may be in a call for a moment only: the PBX tells him of it then."""
        connection = getattr(event, "connection", None)
        if connection is not None and connection.call_id in self.thread_of:
            self.people[self.thread(self.thread_of[connection.call_id])].add(device)

    def true_states(self) -> dict[tuple[str, bytes], LocalState]:
        return {
            (leg.device, call.id): leg.state
            for call in self.world.switch.calls.values()
            for leg in call.connections
            if leg.device in self.monitored
        }

    def told_states(self) -> dict[tuple[str, bytes], LocalState]:
        return {
            (device, call.call_id): state
            for conversation in self.tracker.conversations.values()
            for call in conversation.calls.values()
            for device, state in call.legs.items()
            if device in self.monitored
        }

    def true_talks(self) -> set[tuple[str, bytes]]:
        return {
            (leg.device, call.id)
            for call in self.world.switch.calls.values()
            for leg in call.active
            if leg.device in self.monitored and leg.state is LocalState.CONNECTED
            if any(o is not leg and o.state is LocalState.CONNECTED and not is_group(o.device) for o in call.active)
        }

    def told_talks(self) -> set[tuple[str, bytes]]:
        return {
            (station, call.call_id)
            for conversation in self.tracker.conversations.values()
            for station in self.monitored
            if (call := conversation.talking(station)) is not None
        }

    def excused(self) -> set[tuple[str, bytes]]:
        """Monitored stations in calls where nobody tells that somebody rings, or has put them on hold, or is there."""
        self.doubtful = {
            (call_id, device)
            for call_id, device in self.doubtful
            if (call := self.world.switch.calls.get(call_id)) is not None
            and device in call.legs
            and call.legs[device].state is not LocalState.CONNECTED
        }
        doubtful = {call_id for call_id, _ in self.doubtful}
        doubtful |= {call.id for call in self.world.switch.calls.values() if call in self.crowded}
        return {(station, call_id) for call_id in doubtful for station in self.monitored}

    def check_partition(self) -> None:
        of_group: dict[Any, set[UUID]] = {}
        in_conversation: dict[UUID, set[Any]] = {}
        for call in self.watched_calls():
            if self.thread(call.thread.id) in self.unclear:
                continue
            conversation = self.conversation_with(call)
            group = self.group_of(call)
            of_group.setdefault(group, set()).add(conversation.id)
            in_conversation.setdefault(conversation.id, set()).add(group)
            here = {leg.party.number for leg in call.legs.values() if not is_group(leg.device)}
            if set(STATIONS) != set(self.monitored):
                here &= set(self.monitored)
            here -= {number for call_id, number in self.unnamed if call_id == call.id}
            assert here <= set(conversation.participants), "everybody who is there is a participant"
            ever = self.people[self.thread(call.thread.id)]
            assert set(conversation.participants) <= ever, "and nobody who never was"
        assert all(len(ids) == 1 for ids in of_group.values()), f"one conversation for each thread: {of_group}"
        assert all(len(groups) == 1 for groups in in_conversation.values()), f"and none for two: {in_conversation}"
        self.check_ids({group: next(iter(ids)) for group, ids in of_group.items()})

    def watched_calls(self) -> list[Call]:
        calls = self.world.switch.calls.values()
        return [call for call in calls if any(leg.device in self.monitored for leg in call.active)]

    def check_ids(self, now_known: dict[Any, UUID]) -> None:
        """A conversation keeps its id for as long as somebody monitored is in it."""
        if not self.linkage:
            return  # groups grow, so they are not keys
        for group, identity in now_known.items():
            before = self.known_as.get(group)
            while before in self.merged:
                before = self.merged[before]
            if before is not None and group not in self.absent:
                assert identity == before
            if before is not None and self.now - self.absent.get(group, self.now) < LINGER - GRAIN:
                assert identity == before
        self.known_as |= now_known
        self.note_absence(set(now_known))
        for group in now_known:
            self.absent.pop(group, None)

    def note_absence(self, present: set[Any]) -> None:
        """Since when nobody monitored is in a group of calls."""
        for group in self.known_as:
            if group not in present:
                self.absent.setdefault(group, self.now)
            elif self.now - self.absent.get(group, self.now) < LINGER - GRAIN:  # else its conversation may have ended
                self.absent.pop(group, None)

    def group_of(self, call: Call) -> Any:
        return self.thread(call.thread.id) if self.linkage else frozenset(map(id, self.groups.get(call, {call})))

    def conversation_with(self, call: Call) -> Conversation:
        found = [one for one in self.tracker.conversations.values() if call.id in one.calls]
        assert len(found) == 1, f"call {call.id.hex()} is in {len(found)} conversations"
        return found[0]

    def teardown(self) -> None:
        """Everything ends: nothing may be left, even when the last events got lost."""
        while calls := self.world.switch.calls:  # a call-back may begin another one
            self.world.switch.clear_call(next(iter(calls.values())))
            self.now += 0.4
            self.carry([*self.world.switch.take(), *self.world.advance(self.now)])
        self.busy_while_snapped = False
        self.events_come_late_and_mixed(0)
        self.the_link_comes_back(0)
        self.the_lost_events_are_made_up_for(0)
        self.now += LONGEST_PARKED
        self.take(self.tracker.expire(self.now))
        assert self.tracker.conversations == {}


class WithoutLinkage(TrackerMachine):
    linkage = False


class Dynamic(TrackerMachine):
    dynamic = True


class HalfMonitored(TrackerMachine):
    monitored = STATIONS[:3]


class HalfMonitoredDynamic(TrackerMachine):
    monitored = STATIONS[:3]
    dynamic = True
    linkage = False


class WithFeatures(TrackerMachine):
    """Groups of all kinds: calls ring in parallel, wait in queues, are parked, bridged, recalled."""

    features = {  # noqa: RUF012
        "call_waiting": ["3104"],
        "recall_after": 8.0,
        "hold_recall_after": 25.0,
        "groups": [
            {"kind": "hunt", "number": "3810", "members": ["3100-3101"], "overflow": "3103"},
            {"kind": "queue", "number": "3800", "members": ["3101-3102"], "ring_time": 5.0, "wrap_up": 3.0},
            {"kind": "parallel", "number": "3811", "members": ["3102-3104"]},
            {"kind": "shared", "number": "3820", "members": ["3100", "3105"]},
            {"kind": "pickup", "members": ["3100-3103"]},
            {"kind": "executive", "number": "3105", "secretary": "3104", "private": "3199"},
            {"kind": "disa", "number": "3830"},
            {"kind": "park", "numbers": "3901-3902", "recall_after": 15.0},
        ],
    }


class HalfWithFeatures(WithFeatures):
    monitored = STATIONS[:3]
    dynamic = True


SOAK = os.environ.get("OSREC_SOAK_STEPS")
STEPS = int(SOAK or 3000)  # of each machine; some 19,000 moves in all
EACH = 30
TestEveryStationMonitored = TrackerMachine.TestCase
TestNoLinkage = WithoutLinkage.TestCase
TestDynamicIds = Dynamic.TestCase
TestHalfOfThemMonitored = HalfMonitored.TestCase
TestHalfOfThemWithDynamicIds = HalfMonitoredDynamic.TestCase
TestFeatures = WithFeatures.TestCase
TestFeaturesHalfMonitored = HalfWithFeatures.TestCase
for case in (
    TestEveryStationMonitored,
    TestNoLinkage,
    TestDynamicIds,
    TestHalfOfThemMonitored,
    TestHalfOfThemWithDynamicIds,
    TestFeatures,
    TestFeaturesHalfMonitored,
):
    case.settings = settings(
        max_examples=STEPS // EACH, stateful_step_count=EACH, deadline=None, derandomize=SOAK is None
    )
del case
