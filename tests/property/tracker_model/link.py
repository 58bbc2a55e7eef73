"""How events reach the tracker: in order, late and mixed, twice, not at all; and what the PBX is asked for."""

import random
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

from osrec.calls.changes import Began, Change, Ended, Happened, Merged, Unclear
from osrec.wire.csta import model
from osrec_emulators.pbx.calls import Occurrence
from tests.property.tracker_model.scene import Scene

STATELESS = (model.DigitsGenerated, model.DigitsDialed, model.CallInformation)  # twice may be meant

LATE_ANSWERS = 0.3  # share of the questions that are answered at the next look only


class Link:
    """Carries events and snapshots, well or badly.

    Args:
        meanwhile: people use their telephones while a snapshot is taken.

    Attributes:
        lossy: events were lost at some time.
        merged: which conversation another one became part of, by ids.
        ended: conversations that are over.
    """

    def __init__(self, scene: Scene, meanwhile: Callable[[random.Random], None]) -> None:
        self._scene = scene
        self._meanwhile = meanwhile
        self._late: dict[str, deque[model.Event]] = {station: deque() for station in scene.monitored}
        self._held: dict[str, list[model.Event]] = {}  # events by station while its snapshot is taken
        self._holding_back = False
        self._deaf: set[str] = set()  # stations some of whose events got lost
        self._cut = False
        self._twice = False
        self._unclear: list[Unclear] = []
        self._chance = random.Random(0)
        self.lossy = False
        self.merged: dict[UUID, UUID] = {}
        self.ended: set[UUID] = set()

    @property
    def tells_all(self) -> bool:
        """Whether the tracker has heard everything by now, and has the answers to all that it asked."""
        return not (self._holding_back or self._cut or self._deaf or self._unclear)

    @property
    def hearing(self) -> frozenset[str]:
        """Stations whose events reach the tracker, if late."""
        return frozenset() if self._cut else self._scene.watched_by - self._deaf

    # --- mischief

    def hold_back(self) -> None:
        self._holding_back = True

    def let_through(self, order: random.Random) -> None:
        """What was held back comes: each monitor's own order is kept, that among monitors is not."""
        self._holding_back = False
        while waiting := [station for station, events in self._late.items() if events]:
            station = order.choice(waiting)
            self._hear(station, self._late[station].popleft())

    def repeat_or_not(self) -> None:
        """From now on each event comes twice; or once again."""
        self._twice = not self._twice

    def deafen(self, station: str) -> None:
        """The next events of a station's monitor get lost."""
        if station in self._scene.monitored:
            self._deaf.add(station)
            self.lossy = True

    def make_up(self, chance: random.Random) -> bool:
        """Stations that lost events have their snapshots; False when there are none, or they cannot have them now."""
        if self._holding_back or self._cut or not self._deaf:
            return False
        self._resync(sorted(self._deaf), chance)
        return True

    def cut(self) -> None:
        self._cut = self.lossy = True

    def come_back(self, chance: random.Random) -> bool:
        """Events that were held back went down with the link; each station gets its monitor and its snapshot.

        False when the link was not down.
        """
        if not self._cut:
            return False
        self._cut = self._holding_back = False
        for events in self._late.values():
            events.clear()
        order = list(self._scene.monitored)
        chance.shuffle(order)
        self._deaf = set(order)
        self._resync(order, chance)
        return True

    # --- events

    def carry(self, occurrences: Iterable[Occurrence]) -> None:
        for device, event in ((one.device, one.event) for one in occurrences):
            if device not in self._late or self._cut or device in self._deaf:
                continue
            if device in self._held:
                self._held[device].append(event)
            elif self._holding_back:
                self._late[device].append(event)
            else:
                self._hear(device, event)

    def answer(self) -> None:
        """Some of what the tracker asked the PBX is answered; not always at once."""
        asked, self._unclear = self._unclear, []
        for unclear in asked:
            if self._cut:
                continue  # the question went down with the link
            if self._chance.random() < LATE_ANSWERS:
                self._unclear.append(unclear)
                continue
            self._snapshot_call(unclear)

    def _snapshot_call(self, unclear: Unclear) -> None:
        scene, connection = self._scene, unclear.connection
        found = scene.world.request(model.SnapshotCall(connection), scene.now).result
        if isinstance(found, model.CallSnapshot) and connection.call_id is not None:
            scene.story.snapshot_of_call(scene.now, unclear.station, connection.call_id, found)
            self._take(scene.tracker.found(unclear.station, connection.call_id, found, scene.now))

    def expire(self) -> None:
        """Time has passed for the tracker, too."""
        self._take(self._scene.tracker.expire(self._scene.now))

    def _hear(self, station: str, event: model.Event) -> None:
        scene = self._scene
        scene.story.heard(station, event)
        self._take(scene.tracker.handle(station, event, scene.now))
        if self._twice:
            again = scene.tracker.handle(station, event, scene.now)
            news = [one for one in again if isinstance(one, Happened | Began)]
            assert not news or isinstance(event, STATELESS), f"{event} came twice and told {news}"
            self._take(again)

    def _take(self, changes: list[Change]) -> None:
        for change in changes:
            if isinstance(change, Merged):
                self.merged[change.gone.id] = change.conversation.id
            elif isinstance(change, Ended):
                self.ended.add(change.conversation.id)
            elif isinstance(change, Unclear):
                self._unclear.append(change)

    # --- snapshots

    def _resync(self, order: Sequence[str], chance: random.Random) -> None:
        for station in order:
            self._deaf.discard(station)
            self._snapshot(station, chance)

    def _snapshot(self, station: str, chance: random.Random) -> None:
        """As the link does it: the device, then each of its calls, while people go on using their telephones.

        What the PBX tells of the station before the first answer is told before the snapshot, what it tells later
        follows the whole.
        """
        scene = self._scene
        self._held[station] = []
        self._meanwhile(chance)
        legs = scene.world.snapshot(station).legs
        self._tell_held(station)
        calls: list[tuple[bytes, model.CallSnapshot]] = []
        for leg in legs:
            self._meanwhile(chance)
            found = scene.world.request(model.SnapshotCall(leg.connection), scene.now).result
            if isinstance(found, model.CallSnapshot) and leg.connection.call_id is not None:  # else it is over
                calls.append((leg.connection.call_id, found))
        self._meanwhile(chance)
        scene.story.snapshot(scene.now, station, legs)
        self._take(scene.tracker.reconcile(station, legs, scene.now, calls))
        self._tell_held(station)
        del self._held[station]

    def _tell_held(self, station: str) -> None:
        events, self._held[station] = self._held[station], []
        for event in events:
            self._hear(station, event)
