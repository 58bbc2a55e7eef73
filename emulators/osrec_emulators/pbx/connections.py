"""Calls and who is in them: the PBX's tables, kept consistent; what may be done with them is in switch.py."""

from collections.abc import Callable
from functools import partial

from osrec.wire.csta.model import LocalState
from osrec_emulators.pbx.calls import Call, Identifiers, Leg, Party, RuleError, Thread
from osrec_emulators.pbx.config import PbxConfig
from osrec_emulators.pbx.directory import Directory
from osrec_emulators.pbx.forks import Forks
from osrec_emulators.pbx.reporter import Reporter
from osrec_emulators.pbx.timers import Timers
from osrec_emulators.pbx.truth import Truth


class Connections:
    """The tables of the switch.

    Attributes:
        now: PBX time in seconds; whoever gives commands sets it first.
        calls: running calls by call id.
        busy: numbers, inside or outside, that are found busy although they have no call.
        unreachable: numbers outside for which the network fails after it was reached.
        timers: what the switch will do by itself.
        forks: the recorder's ports.
    """

    def __init__(self, config: PbxConfig, directory: Directory, identifiers: Identifiers, truth: Truth) -> None:
        self.now = 0.0
        self.calls: dict[bytes, Call] = {}
        self.busy: set[str] = set()
        self.unreachable: set[str] = set(config.unreachable)
        self.timers = Timers()
        self.directory = directory
        self.reporter = Reporter(config, directory, truth)
        self.forks = Forks(config.fork, self.reporter, truth, self._other_call_of)
        self._config = config
        self._ids = identifiers
        self._truth = truth
        self._of: dict[str, list[Call]] = {}  # calls by device, without connections that failed
        self._when_idle: list[Callable[[str], None]] = []  # features that wait for a station to become idle

    def calls_of(self, device: str) -> list[Call]:
        """Calls in which a device has a connection that has not failed."""
        return list(self._of.get(device, ()))

    def leg_in(self, device: str, *states: LocalState) -> tuple[Call, Leg] | None:
        """The device's connection in one of these states; a device has one of each at most, but for queued ones."""
        for call in self._of.get(device, ()):
            leg = call.legs[device]
            if leg.state in states:
                return call, leg
        return None

    def engaged(self, device: str) -> bool:
        """Whether the device takes part in a call; that somebody waits for it does not count."""
        return any(call.legs[device].state is not LocalState.QUEUED for call in self._of.get(device, ()))

    def idle(self, device: str) -> bool:
        return not self.engaged(device) and device not in self.busy

    def free_trunks(self) -> list[str]:
        used = {device for call in self.calls.values() for device in call.legs}
        return [trunk for trunk in self.directory.trunks if trunk not in used]

    def trunk_of(self, number: str) -> str | None:
        """The trunk over which somebody outside takes part in a call."""
        for call in self.calls.values():
            for leg in call.legs.values():
                if leg.party.trunk is not None and leg.party.number == number:
                    return leg.device
        return None

    def is_person(self, device: str) -> bool:
        """Whether somebody speaks there; otherwise it is a queue, a park slot, the dial tone of DISA."""
        return device in self.directory.stations or device in self.directory.trunks

    def _new_thread(self) -> Thread:
        return Thread(self._ids.global_id())

    def _begin(self, thread: Thread, calling: Party, linkage: bytes | None = None) -> Call:
        call = Call(self._ids.call_id(self.calls), linkage or self._ids.global_id(), thread, calling)
        self.calls[call.id] = call
        thread.live += 1
        self._truth.call_began(call, self.now)
        return call

    def _connect(self, call: Call, device: str, party: Party, state: LocalState, dynamic: bytes | None = None) -> Leg:
        leg = call.legs[device] = Leg(device, party, state, dynamic or self._ids.dynamic_device())
        self._of.setdefault(device, []).append(call)
        if self.is_person(device):
            self._truth.joined(call, party)
        self.reporter.version += 1
        return leg

    def _leave(self, call: Call, leg: Leg) -> None:
        del call.legs[leg.device]
        self.reporter.version += 1
        calls = self._of.get(leg.device, [])
        if call in calls:
            calls.remove(call)
        if not calls:
            self._of.pop(leg.device, None)
        self._see_idle(leg.device)

    def _see_idle(self, device: str) -> None:
        """Those who wait for an idle station get it when everything else of this instant has happened."""
        if device in self.directory.stations and not self.engaged(device):
            self.timers.set(device, "idle", self.now, partial(self._is_idle, device))

    def _is_idle(self, device: str) -> None:
        for waiting in self._when_idle:
            if self.idle(device):
                waiting(device)

    def _set(self, call: Call, leg: Leg, state: LocalState) -> None:
        leg.state = state
        self.reporter.version += 1

    def _other_call_of(self, call: Call, station: str) -> Call | None:
        """Another call of the same conversation in which the station still takes part."""
        others = (other for other in self._of.get(station, ()) if other.thread is call.thread and other is not call)
        return next((other for other in others if other.legs[station].state is not LocalState.QUEUED), None)

    def _finish(self, call: Call) -> None:
        """Nobody is left; ports went with their stations, what failed goes now."""
        if self.calls.get(call.id) is not call:
            return
        del self.calls[call.id]
        self.timers.cancel(call)
        call.legs.clear()
        call.thread.live -= 1
        if call.thread.live == 0:
            self._truth.ended(call.thread, self.now)

    def _require(self, device: str, action: str, *states: LocalState) -> tuple[Call, Leg]:
        found = self.leg_in(device, *states)
        if found is None:
            wanted = " or ".join(state.name.lower() for state in states)
            has = ", ".join(call.legs[device].state.name.lower() for call in self._of.get(device, ())) or "none"
            raise RuleError(f"{device} cannot {action}: it needs a connection that is {wanted}, and has: {has}")
        return found

    def _require_station(self, device: str) -> None:
        if device not in self.directory.stations:
            raise RuleError(f"{device} is no station")

    def _require_idle(self, device: str) -> None:
        self._require_station(device)
        if self.engaged(device):
            raise RuleError(f"{device} cannot begin a call: it has one (hold it by consultation)")
