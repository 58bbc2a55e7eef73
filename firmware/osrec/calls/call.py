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
ABSENT = "absent"  # a snapshot had no connection where the monitor never told of one: its events may still come
ANONYMOUS = "?"  # begins the name of somebody of whom nothing but the presence is known


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom talking to counts as talk.

    Attributes:
        silent: devices that only play announcements or music.
        queues: somebody who waits in a queue talks, too (to be recorded with its announcements).
        network_answers: so does who calls outside, from when the network is reached: its trunks never tell of answers.
        trunks: patterns of their numbers.
    """

    silent: Patterns = field(default_factory=lambda: Patterns(()))
    queues: bool = False
    network_answers: bool = False
    trunks: Patterns = field(default_factory=lambda: Patterns(()))

    def hears(self, device: str, state: LocalState, *, outside: bool = False) -> bool:
        """`outside`: he was reached through the network."""
        if state is LocalState.QUEUED:
            return self.queues
        if state is LocalState.ALERTING:
            return self.network_answers and (outside or device in self.trunks)
        return state is LocalState.CONNECTED and (self.queues or device not in self.silent)


@dataclass(slots=True)
class Said:
    """What one monitor says of one connection.

    Attributes:
        state: None when the connection is gone.
        sure: an event or snapshot said so; else it was concluded ("who calls is in the call").
        kind: of the event, to know the same event when it comes twice.
        stamp: grows with each statement about the call.
        dated: an event said so before this monitor left the call, into which it has come back.
    """

    state: LocalState | None
    sure: bool
    kind: str
    stamp: int
    dated: bool = False


@dataclass(slots=True, eq=False)
class Call:
    """One PBX call.

    Attributes:
        views: what each monitor says, by station, then by device.
        connections: the connection ids as the PBX gave them, to use in requests.
        linkage, calling: as first told; another call that has got the same id differs in them.
        calling: who called, "" while not known.
        names: of connections that go by another name than the number that events give them, by that number.
        outside: devices that were reached through the network.
        heirs: calls to which connections went from this one, by device, and the names that they have there.
        over: since when no monitored station is in it, None while one is.
        unclear: whose states were only presumed, or who is there at all, nobody knows but the PBX.
        asked: it was to be asked since.
    """

    call_id: bytes
    audience: Audience = field(default_factory=Audience)
    views: dict[str, dict[str, Said]] = field(default_factory=dict)
    connections: dict[str, ConnectionId] = field(default_factory=dict)
    linkage: Linkage | None = None
    calling: str = ""
    names: dict[str, str] = field(default_factory=dict)
    outside: set[str] = field(default_factory=set)
    heirs: dict[str, tuple["Call", str]] = field(default_factory=dict, repr=False)
    over: float | None = None
    unclear: bool = False
    asked: bool = False
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
            present = monitor == device or said.kind == MOVED or (self.watched_by(monitor) and not said.dated)
            rank = (said.sure or said.dated, present, said.stamp)
            if best is None or rank > best:
                best, state = rank, said.state
        return state

    def own_state(self, station: str) -> LocalState | None:
        """Of the station's connection as its own monitor says."""
        own = self.views.get(station, {}).get(station)
        return None if own is None else own.state

    def watched_by(self, monitor: str) -> bool:
        """Whether the station says that it is in the call itself."""
        return self.own_state(monitor) is not None

    @property
    def watched(self) -> bool:
        """Whether any monitor tells of the call now."""
        return any(self.watched_by(monitor) for monitor in self.views)

    def knows(self, device: str) -> bool:
        """Whether anybody ever told of the device's connection."""
        return any(device in view for view in self.views.values())

    def talking(self, device: str) -> bool:
        """Connected, to somebody who is connected, too: not on hold, ringing, waiting, or an announcement."""
        if self.state(device) is not LocalState.CONNECTED:
            return False
        others = {one: state for one, state in self.legs.items() if one != device}
        named = (self.audience.hears(one, state, outside=one in self.outside) for one, state in others.items())
        return any(named) or any(self.audience.hears("", state) for state in self._nameless(device, others))

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
        if sure and state is not None and device in self.heirs:
            heir, name = self.heirs[device]
            heir.learn(name, state)
        return True

    def learn(self, device: str, state: LocalState) -> None:
        """In which state the device came from another call was only presumed so far: now a late event tells it.

        Told on to where it went from here, once: call ids that come again may lead back.
        """
        call, known = self, {self.call_id}
        while True:
            for view in call.views.values():
                said = view.get(device)
                if said is not None and said.state is not None and not said.sure:
                    said.state = state
            if device not in call.heirs:
                return
            call, device = call.heirs[device]
            if call.call_id in known:
                return
            known.add(call.call_id)

    def tell_local(self, station: str, state: LocalState | None, kind: str = "") -> None:
        """localConnectionInfo: the state of the monitored device itself; what said the same before stands."""
        own = self.views.get(station, {}).get(station)
        if own is None or own.state is not state or not own.sure:
            self.tell(station, station, state, kind)

    def stands_for(
        self, monitor: str, connection: ConnectionId, device: Device | None, *, joins: bool, names: bool = True
    ) -> str | None:
        """By which name the call knows the device of a connection; None when the PBX does not say enough.

        Somebody known only by presence, or by the number he calls from (a trunk's connection has another name), gets
        his name here: unless the event says that somebody `joins`, it is about somebody who was there before.
        An event that changes no connection `names` nobody: it may be about another one whose monitor is late.
        """
        name = self.name_of(connection, device)
        view = self.views.get(monitor, {})
        number = device.number if isinstance(device, DeviceId) else None
        if name is not None and number is not None and name != number and not name.startswith("#"):
            self.names[number] = name
        if name is None or joins or name in view:
            return name
        nameless = [one for one, said in view.items() if one.startswith(ANONYMOUS) and said.state is not None]
        if nameless and names:
            view[name] = view.pop(nameless[0])
        elif number is not None and number in view and not view[number].sure:
            view[name] = view.pop(number)
        elif self.knows(name):
            return name
        elif number is None and name.startswith("#"):
            presumed = [one for one, said in view.items() if not said.sure and one not in self.connections]
            if len(presumed) == 1 and not presumed[0].startswith(ANONYMOUS):  # he has a better name than his connection
                self.connections[presumed[0]] = connection
                return presumed[0]
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
        # two people may call from one number outside, but a station that tells of itself has one connection
        taken = number in self.connections and number not in self.views and self.state(number or "") is not None
        return f"#{connection.device.hex()}" if number is None or taken else number

    def named_before(self, connection: ConnectionId) -> str | None:
        """The name that goes with a dynamic id."""
        ids = ((name, known.device) for name, known in self.connections.items())
        return next((name for name, known in ids if known == connection.device), None)

    def unlike(self, name: str | None, connection: ConnectionId) -> str | None:
        """The name, unless another connection has it: two people may call from one number."""
        other = self.connections.get(name or "")
        both = other is not None and isinstance(other.device, bytes) and isinstance(connection.device, bytes)
        return None if both and other is not None and other.device != connection.device else name

    def presume(self, station: str, caller: str | None) -> None:
        """The station was called, so the caller is there, or whoever took his place; unless others are known there."""
        view = self.views.get(station, {})
        caller = self.names.get(caller, caller) if caller is not None else None
        others = [one for one, said in view.items() if one != station and said.state is not None]
        gone = caller is not None and self.knows(caller) and self.state(caller) is None
        caller = f"{ANONYMOUS}{station}" if caller is None or gone else caller
        if not others and caller not in view:
            self.tell(station, caller, LocalState.CONNECTED, sure=False)

    def presume_talking(self, station: str) -> None:
        """An earlier run of the recorder heard the station talk in this call."""
        self.tell(station, station, LocalState.CONNECTED)
        self.presume(station, None)

    def doubt(self) -> None:
        """Something about the others is presumed from now on, which events need not put right."""
        self.unclear, self.asked = True, False

    def doubt_view(self, station: str) -> None:
        """What the station's monitor said of others is from before it left: whoever knows better is right.

        Where nobody listened meanwhile, whoever was on hold may be back: better recorded than missed.
        """
        self.doubt()
        unheard = not self.watched
        for device, said in self.views[station].items():
            if device != station:
                said.sure, said.dated = False, said.sure or said.dated
                if unheard and said.state is LocalState.HOLD:
                    said.state = LocalState.CONNECTED

    def forget_view(self, station: str) -> None:
        """What the station's monitor said of others no longer holds: a snapshot says otherwise."""
        own = self.views.get(station, {}).get(station)
        self.views[station] = {} if own is None else {station: own}
