"""One PBX call: what each monitor says of who has a connection in it, and what follows from that.

Monitors of several parties tell of the same call, each in the order of its own events, but one may be far behind
another. So every monitor's view is kept for itself, and a connection's state is what the best of them says: a
monitor that is still in the call before one that has left it, what an event said before what was only concluded,
the newer before the older. When all events are in, all views agree, in whatever order they came.
"""

from dataclasses import dataclass, field

from osrec.numbers import Patterns
from osrec.wire.csta.model import ConnectionId, Device, DeviceId, Linkage, LocalState

MOVED = "moved"  # kind of a statement: the connection went to another call, and with it perhaps the monitor's own
ANONYMOUS = "?"  # begins the name of somebody of whom nothing but the presence is known


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom talking to counts as talk.

    Attributes:
        silent: devices that only play announcements or music.
        queues: somebody who waits in a queue talks, too (to be recorded with its announcements).
    """

    silent: Patterns = field(default_factory=lambda: Patterns(()))
    queues: bool = False

    def hears(self, device: str, state: LocalState) -> bool:
        if state is LocalState.QUEUED:
            return self.queues
        return state is LocalState.CONNECTED and (self.queues or device not in self.silent)


@dataclass(slots=True)
class Said:
    """What one monitor says of one connection.

    Attributes:
        state: None when the connection is gone.
        sure: an event or snapshot said so; else it was concluded ("who calls is in the call").
        kind: of the event, to know the same event when it comes twice.
        stamp: grows with each statement about the call.
    """

    state: LocalState | None
    sure: bool
    kind: str
    stamp: int


@dataclass(slots=True, eq=False)
class Call:
    """One PBX call.

    Attributes:
        views: what each monitor says, by station, then by device.
        connections: the connection ids as the PBX gave them, to use in requests.
        linkage, calling: as first told; another call that has got the same id differs in them.
        calling: who called, "" while not known.
        over: since when no monitored station is in it, None while one is.
    """

    call_id: bytes
    audience: Audience = field(default_factory=Audience)
    views: dict[str, dict[str, Said]] = field(default_factory=dict)
    connections: dict[str, ConnectionId] = field(default_factory=dict)
    linkage: Linkage | None = None
    calling: str = ""
    over: float | None = None
    _stamp: int = 0

    # --- what is known

    @property
    def legs(self) -> dict[str, LocalState]:
        """State of each device's connection; those that are gone, and people without a name, are left out."""
        devices = {device: None for view in self.views.values() for device in view}
        states = {device: self.state(device) for device in devices if not device.startswith(ANONYMOUS)}
        return {device: state for device, state in states.items() if state is not None}

    def state(self, device: str) -> LocalState | None:
        """Of the device's connection; None when it has none."""
        best: tuple[bool, bool, int] | None = None
        state = None
        for monitor, view in self.views.items():
            said = view.get(device)
            if said is None:
                continue
            present = monitor == device or said.kind == MOVED or self.watched_by(monitor)
            rank = (said.sure, present, said.stamp)
            if best is None or rank > best:
                best, state = rank, said.state
        return state

    def watched_by(self, monitor: str) -> bool:
        """Whether the station says that it is in the call itself."""
        own = self.views.get(monitor, {}).get(monitor)
        return own is not None and own.state is not None

    def knows(self, device: str) -> bool:
        """Whether anybody ever told of the device's connection."""
        return any(device in view for view in self.views.values())

    def talking(self, device: str) -> bool:
        """Connected, to somebody who is connected, too: not on hold, ringing, waiting, or an announcement."""
        if self.state(device) is not LocalState.CONNECTED:
            return False
        others = {one: state for one, state in self.legs.items() if one != device}
        return any(self.audience.hears(one, state) for one, state in others.items()) or any(
            self.audience.hears("", state) for state in self._nameless(device, others)
        )

    def _nameless(self, station: str, named: dict[str, LocalState]) -> list[LocalState]:
        """People without a name whom the station's snapshot told of, less those whom other monitors name."""
        view = self.views.get(station, {})
        nameless = [said.state for one, said in view.items() if one.startswith(ANONYMOUS) and said.state is not None]
        for one, state in named.items():
            if one not in view and nameless:
                nameless.remove(state if state in nameless else nameless[0])
        return nameless

    def others_of(self, station: str) -> list[LocalState]:
        """States of everybody else in the call as the station's monitor would be told in a snapshot, sorted."""
        named = {one: state for one, state in self.legs.items() if one != station}
        return sorted([*named.values(), *self._nameless(station, named)])

    # --- what is told

    def tell(self, monitor: str, device: str, state: LocalState | None, kind: str = "", *, sure: bool = True) -> bool:
        """Take a statement of a monitor; False when it had said the same before."""
        view = self.views.setdefault(monitor, {})
        before = view.get(device)
        if before is not None and (before.state, before.sure, before.kind) == (state, sure, kind):
            return False
        self._stamp += 1
        view[device] = Said(state, sure, kind, self._stamp)
        return True

    def tell_local(self, station: str, state: LocalState | None) -> None:
        """localConnectionInfo: the state of the monitored device itself; what said the same before stands."""
        own = self.views.get(station, {}).get(station)
        if own is None or own.state is not state:
            self.tell(station, station, state)

    def stands_for(self, monitor: str, connection: ConnectionId, device: Device | None, *, joins: bool) -> str | None:
        """By which name the call knows the device of a connection; None when the PBX does not say enough.

        Somebody known only by presence, or by the number he calls from (a trunk's connection has another name), gets
        his name here: unless the event says that somebody `joins`, it is about somebody who was there before.
        """
        name = self.name_of(connection, device)
        view = self.views.get(monitor, {})
        if name is None or joins or name in view:
            return name
        nameless = [one for one, said in view.items() if one.startswith(ANONYMOUS) and said.state is not None]
        number = device.number if isinstance(device, DeviceId) else None
        if nameless:
            view[name] = view.pop(nameless[0])
        elif self.knows(name):
            return name
        elif number is not None and number in view and not view[number].sure:
            view[name] = view.pop(number)
        elif len(presumed := [one for one, said in view.items() if not said.sure and one not in self.connections]) == 1:
            view[name] = view.pop(
                presumed[0]
            )  # who calls by the event's account left before, and another took his place
        return name

    def name_of(self, connection: ConnectionId, device: Device | None) -> str | None:
        """A static id is the number itself; a dynamic one goes by the number that the event gives, else by itself."""
        if isinstance(connection.device, DeviceId):
            return connection.device.number
        number = device.number if isinstance(device, DeviceId) else None
        if connection.device is None:
            return number
        if (known := self.named_before(connection)) is not None:
            return known
        taken = number in self.connections and self.state(number or "") is not None
        return f"#{connection.device.hex()}" if number is None or taken else number

    def named_before(self, connection: ConnectionId) -> str | None:
        """The name that goes with a dynamic id."""
        ids = ((name, known.device) for name, known in self.connections.items())
        return next((name for name, known in ids if known == connection.device), None)

    def presume(self, station: str, caller: str | None) -> None:
        """The station was called, so the caller is there, or whoever took his place; unless others are known there."""
        view = self.views.get(station, {})
        others = [one for one, said in view.items() if one != station and said.state is not None]
        gone = caller is not None and self.knows(caller) and self.state(caller) is None
        caller = f"{ANONYMOUS}{station}" if caller is None or gone else caller
        if not others and caller not in view:
            self.tell(station, caller, LocalState.CONNECTED, sure=False)

    def presume_talking(self, station: str) -> None:
        """An earlier run of the recorder heard the station talk in this call."""
        self.tell(station, station, LocalState.CONNECTED)
        self.presume(station, None)

    def doubt_view(self, station: str) -> None:
        """What the station's monitor said of others is from before it left: whoever knows better is right."""
        for device, said in self.views[station].items():
            said.sure = said.sure and device == station

    def forget_view(self, station: str) -> None:
        """What the station's monitor said of others no longer holds: a snapshot says otherwise."""
        own = self.views.get(station, {}).get(station)
        self.views[station] = {} if own is None else {station: own}
