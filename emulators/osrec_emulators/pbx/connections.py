"""Calls and who is in them: the PBX's tables, kept consistent; what may be done with them is in switch.py."""

from osrec.wire.csta.model import LocalState
from osrec_emulators.pbx.calls import Call, Identifiers, Leg, Party, RuleError, Thread
from osrec_emulators.pbx.config import PbxConfig
from osrec_emulators.pbx.directory import Directory
from osrec_emulators.pbx.forks import Forks
from osrec_emulators.pbx.reporter import Reporter
from osrec_emulators.pbx.truth import Truth


class Connections:
    """The tables of the switch.

    Attributes:
        now: PBX time in seconds; whoever gives commands sets it first.
        calls: running calls by call id.
        busy: numbers, inside or outside, that are found busy although they have no call.
        forks: the recorder's ports.
    """

    def __init__(self, config: PbxConfig, directory: Directory, identifiers: Identifiers, truth: Truth) -> None:
        self.now = 0.0
        self.calls: dict[bytes, Call] = {}
        self.busy: set[str] = set()
        self.directory = directory
        self.reporter = Reporter(config, directory, truth)
        self.forks = Forks(config.fork, self.reporter, truth, self._other_call_of)
        self._config = config
        self._ids = identifiers
        self._truth = truth
        self._of: dict[str, list[Call]] = {}  # calls by device, without connections that failed

    def calls_of(self, device: str) -> list[Call]:
        """Calls in which a station or trunk has a connection that has not failed."""
        return list(self._of.get(device, ()))

    def leg_in(self, device: str, *states: LocalState) -> tuple[Call, Leg] | None:
        """The device's connection in one of these states; a device has one of each at most."""
        for call in self._of.get(device, ()):
            leg = call.legs[device]
            if leg.state in states:
                return call, leg
        return None

    def idle(self, device: str) -> bool:
        return device not in self._of and device not in self.busy

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

    def _set(self, call: Call, leg: Leg, state: LocalState) -> None:
        leg.state = state
        self.reporter.version += 1

    def _other_call_of(self, call: Call, station: str) -> Call | None:
        """Another call of the same conversation in which the station still is."""
        return next(
            (other for other in self._of.get(station, ()) if other.thread is call.thread and other is not call), None
        )

    def _finish(self, call: Call) -> None:
        """Nobody is left; ports went with their stations, what failed goes now."""
        if self.calls.pop(call.id, None) is None:
            return
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
