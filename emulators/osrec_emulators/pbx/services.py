"""What a CTI client may ask of the PBX: single step conference, join, clear, snapshots (ECMA-269 clauses 13 and 17)."""

from dataclasses import dataclass

from osrec.wire.csta import model
from osrec.wire.csta.model import ConnectionId, DeviceId, ErrorCategory, LocalState, Participation
from osrec_emulators.pbx.calls import Call, Leg, Occurrence
from osrec_emulators.pbx.forks import Refused
from osrec_emulators.pbx.switch import Switch

# Values of UniversalFailure's alternative "operation", ECMA-285 (csta.md 2.7)
REQUEST_INCOMPATIBLE_WITH_OBJECT = 2
PRIVILEGE_VIOLATION_SPECIFIED_DEVICE = 8
INVALID_DEVICE_ID = 12
INVALID_CONNECTION_ID = 13
SERVICE_NOT_SUPPORTED = 50


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a ReturnError carries."""

    category: ErrorCategory
    value: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request gave, and what it made happen."""

    result: model.Result | Refusal
    occurrences: tuple[Occurrence, ...] = ()


class Services:
    """Serves requests on a switch."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch

    def serve(self, request: model.Argument) -> model.Result | Refusal:
        try:
            match request:
                case model.SingleStepConference(call, device, participation):
                    return self._join(call, device, participation)
                case model.JoinCall(call, device, participation):
                    return self._join(call, device, participation)
                case model.ClearConnection(connection):
                    return self._clear(connection)
                case model.SnapshotDevice(device):
                    return self.snapshot(device.number)
                case model.SnapshotCall(connection):
                    return self._snapshot_call(connection)
                case _:
                    raise Refused(ErrorCategory.OPERATION, SERVICE_NOT_SUPPORTED)
        except Refused as refused:
            return Refusal(refused.category, refused.value)

    def snapshot(self, device: str) -> model.DeviceSnapshot:
        """The calls of a device. Raises Refused when there is no such device."""
        switch = self._switch
        if not switch.directory.known(device):
            raise Refused(ErrorCategory.OPERATION, INVALID_DEVICE_ID)
        fork = switch.forks.joined.get(device)
        calls = switch.calls_of(device) if fork is None else [switch.calls[bytes.fromhex(fork.call)]]
        return model.DeviceSnapshot(tuple(self._leg(call, call.legs[device]) for call in calls))

    def _join(self, connection: ConnectionId, device: DeviceId, participation: Participation) -> model.Result:
        switch = self._switch
        if device.number not in switch.directory.ports:
            known = switch.directory.known(device.number)
            value = PRIVILEGE_VIOLATION_SPECIFIED_DEVICE if known else INVALID_DEVICE_ID
            raise Refused(ErrorCategory.OPERATION, value)
        call, station = self._find(connection)
        if station.device not in switch.directory.stations:  # one forks a station's audio, not a line's or a port's
            raise Refused(ErrorCategory.OPERATION, REQUEST_INCOMPATIBLE_WITH_OBJECT)
        port = switch.join_port(call, station, device.number, silent=participation is not Participation.ACTIVE)
        return model.ConferenceJoined(switch.reporter.connection(call, port), call.linkage)

    def _clear(self, connection: ConnectionId) -> model.Result:
        call, leg = self._find(connection)
        if leg.silent:
            self._switch.free_port(leg.device)
        elif leg.state is LocalState.FAIL:
            self._switch.clear_call(call)
        else:
            self._switch.clear(leg.device, call)
        return model.NoData()

    def _find(self, connection: ConnectionId) -> tuple[Call, Leg]:
        call = self._switch.calls.get(connection.call_id or b"")
        if call is not None:
            for leg in call.legs.values():
                wanted = connection.device
                if wanted == leg.dynamic if isinstance(wanted, bytes) else wanted and wanted.number == leg.device:
                    return call, leg
        raise Refused(ErrorCategory.OPERATION, INVALID_CONNECTION_ID)

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
        call = self._switch.calls.get(connection.call_id or b"")
        if call is None:
            raise Refused(ErrorCategory.OPERATION, INVALID_CONNECTION_ID)
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
