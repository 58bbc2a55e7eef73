"""A line whose forks come with calls on a D channel: what the PBX decides, between its forks and its call control.

Sans I/O: ports that are in calls and frames that came go in, frames and what the PBX has to know come out.
"""

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from osrec.wire.q931.causes import CauseValue
from osrec.wire.q931.codec import compose
from osrec.wire.q931.messages import CallReference, Message, MessageType
from osrec_emulators.diun2 import call_events as layer3
from osrec_emulators.diun2 import callcontrol_events as control
from osrec_emulators.diun2.call_faults import EARLY, CallFaults, Dice
from osrec_emulators.diun2.callcontrol import CallControl
from osrec_emulators.diun2.callcontrol_events import CallId
from osrec_emulators.diun2.setup import called_in, calling_in, channel_elements, setup_elements
from osrec_emulators.diun2.signalling import IsdnSettings
from osrec_emulators.diun2.trunk_events import (
    CasAligned,
    CasArrived,
    Dialled,
    Due,
    Event,
    Finished,
    FrameArrived,
    HungUp,
    Output,
    Ports,
    Restart,
    SendFrame,
    Start,
    TrunkCall,
    changed,
)
from osrec_emulators.pbx.media import Fork, Side

D_SLOT = 16
_TRY_AGAIN = {
    CauseValue.CHANNEL_UNACCEPTABLE,
    CauseValue.NO_CHANNEL_AVAILABLE,
    CauseValue.TEMPORARY_FAILURE,
    CauseValue.REQUESTED_CHANNEL_NOT_AVAILABLE,
}
_Handled = Iterator[Output]


@dataclass(slots=True)
class IsdnTrunk:
    """One line with a D channel.

    Attributes:
        places: the time slot of each recorder port on this line.
        open: the time slot that carries each fork now.
        version: grows with every change of `open`.
        calls: that are set up or being set up.
    """

    has_d_channel: ClassVar[bool] = True

    settings: IsdnSettings
    places: Mapping[str, int]
    faults: CallFaults = field(default_factory=CallFaults)
    open: dict[str, int] = field(default_factory=dict)
    version: int = 0
    calls: dict[CallId, TrunkCall] = field(default_factory=dict)
    _control: CallControl = field(init=False)
    _dice: Dice = field(init=False)
    _joined: dict[str, Fork] = field(default_factory=dict)
    _waiting: dict[str, int] = field(default_factory=dict)  # ports to be called, and how often they were already
    _tries: dict[CallId, int] = field(default_factory=dict)
    _releases: dict[CallId, float] = field(default_factory=dict)  # calls that are to be cleared, and when
    _offers: dict[str, CallId] = field(default_factory=dict)  # the recorder's calls that wait for a fork

    def __post_init__(self) -> None:
        settings = self.settings
        self._control = CallControl(
            settings.dialect, settings.call_timers, settings.link_timers, settings.reference_length
        )
        self._dice = Dice(self.faults)

    @property
    def up(self) -> bool:
        return self._control.link_up and not self._control.restarting

    @property
    def link_complaints(self) -> list[str]:
        """MDL-ERROR codes of the data link so far, Q.921 table II.1."""
        return self._control.complaints

    @property
    def deadline(self) -> float | None:
        times = [self._control.deadline, *self._releases.values()]
        return min((at for at in times if at is not None), default=None)

    def handle(self, event: Event, now: float) -> list[Output]:
        """Advance by one event. What the recorder sends can never make it raise."""
        cut = self.faults.outage_ends(now) is not None
        match event:
            case Start():
                outputs = self._control_event(control.Start(), now) if self.settings.establishes else iter(())
            case Ports(joined):
                outputs = self._ports(joined, now)
            case FrameArrived(octets):
                outputs = iter(()) if cut else self._control_event(control.Arrived(octets), now)
            case Restart(slots):
                outputs = self._control_event(control.Restart(slots), now)
            case CasArrived() | CasAligned():  # of the other kind of trunk
                outputs = iter(())
            case Due():
                outputs = self._due(now)
        found = [*outputs, *self._call_waiting(now)]
        return [output for output in found if not (cut and isinstance(output, SendFrame))]

    def unfinished(self) -> list[TrunkCall]:
        """The calls of which no `Finished` was told, for the truth when all ends."""
        return [self.calls[id] for id in sorted(self.calls)]

    def _due(self, now: float) -> _Handled:
        yield from self._control_event(control.Due(), now)
        for id in [id for id, at in self._releases.items() if at <= now]:
            del self._releases[id]
            yield from self._clear(id, now)

    # --- forks that come and go

    def _ports(self, joined: Mapping[str, Fork], now: float) -> _Handled:
        here = {port: fork for port, fork in joined.items() if port in self.places}
        gone, came = changed(self._joined, here)
        self._joined = {port: fork for port, fork in here.items() if port not in came}
        for port in sorted(gone):
            yield from self._left(port, now)
        self._joined = here
        for port in sorted(came, key=lambda port: (here[port].side is not self.settings.first, port)):
            yield from self._came(port, now)

    def _came(self, port: str, now: float) -> _Handled:
        if self.settings.audio == "always":
            self._open({port: self.places[port]})
        offer = self._offers.pop(port, None)
        if offer is not None:
            yield from self._answer(offer, now)
        elif self.settings.caller != "recorder":
            self._waiting[port] = 0

    def _left(self, port: str, now: float) -> _Handled:
        self._waiting.pop(port, None)
        self._close(port)
        id = self._call_of(port)
        if id is None or any(other in self._joined for other in self.calls[id].ports):
            return
        if self._dice.missing_release.chooses(port, now):
            self._played(id, "missing release")
        elif self._dice.late_release.chooses(port, now):
            self._played(id, "late release")
            self._releases[id] = now + self.faults.late_seconds
        else:
            yield from self._clear(id, now)

    def _clear(self, id: CallId, now: float, cause: int = CauseValue.NORMAL_CALL_CLEARING) -> _Handled:
        yield from self._control_event(control.Tell(id, layer3.Clear(cause)), now)

    def _call_of(self, port: str) -> CallId | None:
        """The newest call of a port: one whose release is missing may linger beside it."""
        found = [id for id, call in self.calls.items() if port in call.ports and call.ended_at is None]
        return max(found, key=lambda id: self.calls[id].setup_at, default=None)

    # --- calls that the PBX places

    def _call_waiting(self, now: float) -> _Handled:
        for port in list(self._waiting) if self.up else ():
            ports = self._together(port) if port in self._waiting else ()
            if ports:
                tries = 1 + max(self._waiting.pop(each) for each in ports)
                yield from self._place(ports, tries, now)

    def _together(self, port: str) -> tuple[str, ...]:
        """The ports of one call, none while the partner is missing."""
        if self.settings.calls == "each":
            return (port,)
        station = self._joined[port].station
        pair = [each for each in self._waiting if self._joined[each].station == station]
        pair.sort(key=lambda each: self._joined[each].side is not Side.OWN)
        return tuple(pair) if len(pair) == len(Side) else ()

    def _place(self, ports: tuple[str, ...], tries: int, now: float) -> _Handled:
        slots = self._choose(ports)
        if not slots:
            yield from self._give_up(ports)
            return
        announced = slots
        if wrong := self._dice.wrong_channel.chooses(ports[0], now):
            announced = tuple(self._wrong(slot) for slot in slots)
        id = yield from self._set_up(ports, slots, announced, self._joined[ports[0]], now)
        self._tries[id] = tries
        if wrong:
            self._played(id, f"wrong channel ({self.faults.wrong})")
        if self._dice.duplicate_setup.chooses(ports[0], now):
            self._played(id, "duplicate setup")
            yield from self._control_event(control.Repeat(id), now)
        if self._dice.double_seizure.chooses(ports[0], now):
            rival = yield from self._set_up((), (), announced, self._joined[ports[0]], now)
            self._played(rival, "double seizure")
        if self.settings.audio == "setup" and id in self.calls:
            self._open_forks(id)

    def _set_up(
        self, ports: tuple[str, ...], slots: tuple[int, ...], announced: tuple[int, ...], fork: Fork, now: float
    ) -> Generator[Output, None, CallId]:
        id = self._control.next_reference()
        elements = setup_elements(self.settings, fork, announced)
        setup = compose(MessageType.SETUP, CallReference(id.value), *elements)
        self.calls[id] = TrunkCall(
            ports, slots, announced, now, called_in(setup), calling_in(setup), id.value, placed_by_pbx=True
        )
        yield from self._control_event(control.Place(id, announced, elements), now)
        return id

    def _choose(self, ports: tuple[str, ...]) -> tuple[int, ...]:
        """A time slot for each port, none when there are too few."""
        if self.settings.slots == "port":
            return tuple(self.places[port] for port in ports)
        free = sorted(set(self.places.values()) - self._taken(), reverse=self.settings.slots == "highest")
        return tuple(free[: len(ports)]) if len(free) >= len(ports) else ()

    def _taken(self) -> set[int]:
        return {slot for call in self.calls.values() for slot in (*call.slots, *call.announced)}

    def _wrong(self, slot: int) -> int:
        """What SETUP names in place of the right time slot."""
        if self.faults.wrong == "absent":
            return D_SLOT
        others = sorted(self._taken() - {slot}) if self.faults.wrong == "taken" else []
        following = slot % 31 + 1
        return others[0] if others else following + (following == D_SLOT)

    def _give_up(self, ports: tuple[str, ...]) -> _Handled:
        if self.settings.hang_up:
            yield from (HungUp(port) for port in ports)

    # --- calls that the recorder places

    def _offered(self, id: CallId, setup: Message, now: float) -> _Handled:
        port = self._port_meant(id, setup)
        announced = self._control.calls[id].slots
        ports = (port,) if port else ()
        slots = announced or tuple(self.places[each] for each in ports)
        self.calls[id] = TrunkCall(
            ports, slots, announced, now, called_in(setup), calling_in(setup), id.value, placed_by_pbx=False
        )
        why_not = self._why_not(id, port)
        if why_not is not None or port is None:
            yield from self._clear(id, now, why_not or CauseValue.UNALLOCATED_NUMBER)
        elif port in self._joined:
            yield from self._take(id, now)
            yield from self._answer(id, now)
        else:
            self._offers[port] = id
            yield from self._take(id, now)
            yield from self._control_event(control.Tell(id, layer3.Alert()), now)
            if self.settings.dialling:
                yield Dialled(port, called_in(setup))

    def _why_not(self, id: CallId, port: str | None) -> int | None:
        if self.settings.caller == "pbx":
            return CauseValue.CALL_REJECTED
        slots = set(self.calls[id].slots)
        others = [call for other, call in self.calls.items() if other != id and call.ended_at is None]
        if any(slots & set(call.slots) for call in others):  # 5.7: the network's own call comes first
            return CauseValue.REQUESTED_CHANNEL_NOT_AVAILABLE
        return CauseValue.USER_BUSY if port is not None and port in self._offers else None

    def _port_meant(self, id: CallId, setup: Message) -> str | None:
        match self.settings.matching:
            case "channel":
                slots = self._control.calls[id].slots
                return next((port for port, slot in self.places.items() if slots[:1] == (slot,)), None)
            case "calling":
                return port if (port := calling_in(setup)) in self.places else None
            case "called":
                return port if (port := called_in(setup)) in self.places else None

    def _take(self, id: CallId, now: float) -> _Handled:
        channel = channel_elements(self.settings, self.calls[id].slots)
        yield from self._control_event(control.Tell(id, layer3.Accept(channel)), now)

    def _answer(self, id: CallId, now: float) -> _Handled:
        yield from self._control_event(control.Tell(id, layer3.Answer()), now)

    # --- what the D channel says

    def _control_event(self, event: control.Event, now: float) -> _Handled:
        for output in self._control.handle(event, now):
            match output:
                case control.Transmit(octets):
                    yield SendFrame(octets)
                case control.LinkChanged(up):
                    yield from self._link_changed(up, now)
                case control.Offered(id, setup):
                    yield from self._offered(id, setup, now)
                case control.Answered(id, slots):
                    yield from self._answered(id, slots, now)
                case control.Ended(id, cause, by):
                    yield from self._ended(id, cause, by, now)

    def _link_changed(self, up: bool, now: float) -> _Handled:
        """5.5: at the start. Calls that outlived a break of the link are not cleared by it."""
        if self.calls:
            return
        if up and self.settings.restart == "interface":
            yield from self._control_event(control.Restart(), now)
        elif up and self.settings.restart == "channels":
            yield from self._control_event(control.Restart(tuple(sorted(self.places.values()))), now)

    def _answered(self, id: CallId, slots: tuple[int, ...], now: float) -> _Handled:
        call = self.calls[id]
        call.answered_at = now
        if not call.ports:  # a rival without a fork: let go
            yield from self._clear(id, now)
            return
        if slots and slots != call.announced and call.placed_by_pbx:
            if not self._acceptable(id, slots):
                yield from self._clear(id, now, CauseValue.CHANNEL_UNACCEPTABLE)
                return
            call.slots = call.announced = slots
        if self._dice.mute.chooses(call.ports[0], now):
            self._played(id, "mute")
            for port in call.ports:
                self._close(port)
        else:
            self._open_forks(id)
        if self._dice.early_release.chooses(call.ports[0], now):
            self._played(id, EARLY)
            self._releases[id] = now + self.faults.early_seconds

    def _acceptable(self, id: CallId, slots: tuple[int, ...]) -> bool:
        """Whether the recorder may take these in place of those that SETUP named, 5.2.3.1."""
        named = self.settings.exclusive and self.settings.channel in ("number", "map")
        taken = {slot for other, call in self.calls.items() if other != id for slot in call.slots}
        free = set(self.places.values()) - taken
        return not named and len(slots) == len(self.calls[id].ports) and set(slots) <= free

    def _ended(self, id: CallId, cause: int, by: str, now: float) -> _Handled:
        call = self.calls.pop(id)
        tries = self._tries.pop(id, 0)
        self._releases.pop(id, None)
        call.ended_at, call.cause, call.by = now, cause, by
        yield Finished(call)
        for port in call.ports:
            if self._offers.get(port) == id:
                del self._offers[port]
        ports = tuple(port for port in call.ports if port in self._joined and self._call_of(port) is None)
        if self.settings.audio != "always":
            for port in ports:
                self._close(port)
        again = cause in _TRY_AGAIN and tries < self.settings.attempts and call.answered_at is None
        if ports and (again or (by == "link" and not self.settings.hang_up)):
            self._waiting |= dict.fromkeys(ports, tries if again else 0)
        elif EARLY not in call.faults:
            yield from self._give_up(ports)

    # --- what the slots carry

    def _open_forks(self, id: CallId) -> None:
        call = self.calls[id]
        pairs = zip(call.ports, call.slots, strict=True)
        self._open({port: slot for port, slot in pairs if port in self._joined})

    def _open(self, slots: Mapping[str, int]) -> None:
        if any(self.open.get(port) != slot for port, slot in slots.items()):
            self.open |= slots
            self.version += 1

    def _close(self, port: str) -> None:
        if self.open.pop(port, None) is not None:
            self.version += 1

    def _played(self, id: CallId, fault: str) -> None:
        if id in self.calls:
            self.calls[id].faults += (fault,)
