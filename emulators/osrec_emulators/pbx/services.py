"""What a CTI client may ask of the PBX: forks, clearing, snapshots (ECMA-269 clauses 13 and 17)."""

from dataclasses import dataclass

from osrec.wire.csta import model
from osrec.wire.csta.model import ConnectionId, LocalState
from osrec_emulators.pbx.calls import Call, Leg, Occurrence
from osrec_emulators.pbx.fork_config import ForkConfig
from osrec_emulators.pbx.fork_errors import Refused
from osrec_emulators.pbx.fork_services import ForkServices, Refusal, Served
from osrec_emulators.pbx.switch import Switch
from osrec_emulators.pbx.truth import Truth

__all__ = ["Answer", "Refusal", "Services"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request gave, and what it made happen.

    Attributes:
        result: None: it is never answered.
        delay: seconds by which the answer is late; what happened happened at once.
    """

    result: model.Result | Refusal | None
    occurrences: tuple[Occurrence, ...] = ()
    delay: float = 0.0


class Services:
    """Serves requests on a switch."""

    def __init__(self, config: ForkConfig, switch: Switch, truth: Truth) -> None:
        self._switch = switch
        self._forks = ForkServices(config, switch, truth)

    def serve(self, request: model.Argument) -> Served:
        try:
            match request:
                case model.SingleStepConference() | model.JoinCall() | model.Escape() | model.MakeCall():
                    return self._forks.serve(request)
                case model.ClearConnection(connection):
                    return Served(self._clear(connection))
                case model.SnapshotDevice(device):
                    return Served(self.snapshot(device.number))
                case model.SnapshotCall(connection):
                    return Served(self._snapshot_call(connection))
                case _:
                    raise Refused("serviceNotSupported")
        except Refused as refused:
            return Served(Refusal(refused.category, refused.value))

    def snapshot(self, device: str) -> model.DeviceSnapshot:
        """The calls of a device. Raises Refused when there is no such device."""
        switch = self._switch
        if not switch.directory.known(device):
            raise Refused("invalidDeviceID")
        fork = switch.forks.joined.get(device)
        calls = switch.calls_of(device) if fork is None else [switch.calls[bytes.fromhex(fork.call)]]
        return model.DeviceSnapshot(tuple(self._leg(call, call.legs[device]) for call in calls))

    def _clear(self, connection: ConnectionId) -> model.Result:
        call, leg = self._forks.find(connection)
        if leg.silent:
            self._switch.free_port(leg.device)
        elif leg.state is LocalState.FAIL:
            self._switch.clear_call(call)
        else:
            self._switch.clear(leg.device, call)
        return model.NoData()

    def _leg(self, call: Call, own: Leg) -> model.SnapshotLeg:
        others = [leg for leg in call.legs.values() if leg is not own and not leg.silent]
        reporter = self._switch.reporter
        return model.SnapshotLeg(
            connection=reporter.connection(call, own),
            endpoint=reporter.device(others[0].party) if len(others) == 1 else None,
            states=(own.state, *(leg.state for leg in others)),
            linkage=call.linkage,
        )

    def _snapshot_call(self, connection: ConnectionId) -> model.CallSnapshot:
        call, _ = self._forks.find(connection)
        reporter = self._switch.reporter
        return model.CallSnapshot(
            entries=tuple(
                model.CallSnapshotEntry(reporter.device(leg.party), reporter.connection(call, leg), leg.state)
                for leg in call.legs.values()
            ),
            calling=reporter.device(call.calling),
            called=None if call.called is None else reporter.device(call.called),
            linkage=call.linkage,
        )
