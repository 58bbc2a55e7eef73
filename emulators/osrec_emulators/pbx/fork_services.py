"""Requests for a station's audio, in each of the four ways of docs/fork-strategies.md, with what is to go wrong."""

from dataclasses import dataclass

from osrec.wire.csta import model
from osrec.wire.csta.model import ConnectionId, DeviceId, LocalState, Participation
from osrec_emulators.pbx.calls import Call, Leg
from osrec_emulators.pbx.escape_template import START_NEEDS, STOP_NEEDS, Template
from osrec_emulators.pbx.fork_config import ForkConfig, Strategy
from osrec_emulators.pbx.fork_errors import Refused
from osrec_emulators.pbx.media import Side
from osrec_emulators.pbx.story import PlayedFault, RefusedFork
from osrec_emulators.pbx.switch import Switch
from osrec_emulators.pbx.truth import Truth

ForkRequest = model.SingleStepConference | model.JoinCall | model.Escape | model.MakeCall


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a ReturnError carries."""

    category: model.ErrorCategory
    value: int


@dataclass(frozen=True, slots=True)
class Served:
    """What becomes of a request: its answer, None for ever if there is none, and by how many seconds it is late."""

    result: model.Result | Refusal | None
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class _Wish:
    """What a request asks for. Without `call_id` the station's connected call is meant."""

    strategy: Strategy
    ports: tuple[str, ...]
    sides: tuple[Side | None, ...]
    station: DeviceId | bytes | None
    call_id: bytes | None
    silent: bool = True


class ForkServices:
    """Serves what recorders ask of a switch."""

    def __init__(self, config: ForkConfig, switch: Switch, truth: Truth) -> None:
        self._config = config
        self._switch = switch
        self._truth = truth
        self._start = Template(config.escape.start, START_NEEDS)
        self._stop = Template(config.escape.stop, STOP_NEEDS)

    def serve(self, request: ForkRequest) -> Served:
        strategy = _STRATEGIES[type(request)]
        if strategy not in self._config.strategies:
            return _refusal("serviceNotSupported")
        if isinstance(request, model.Escape) and (stop := self._stop.match(request.private)) is not None:
            return self._stop_both(stop["own"], stop["other"])
        try:
            wish = self._wish(request)
        except Refused as refused:
            return self._refused(_Wish(strategy, (), (), None, None), None, None, refused, played=False)
        call = station = None
        try:
            self._check_ports(wish)
            call, station = self._find(wish)
        except Refused as refused:
            return self._refused(wish, call, station, refused, played=False)
        return self._serve(wish, call, station)

    def find(self, connection: ConnectionId) -> tuple[Call, Leg]:
        """A connection that somebody names. Raises Refused: invalidConnectionID."""
        call = self._switch.calls.get(connection.call_id or b"")
        if call is not None:
            for leg in call.legs.values():
                wanted = connection.device
                if wanted == leg.dynamic if isinstance(wanted, bytes) else wanted and wanted.number == leg.device:
                    return call, leg
        raise Refused("invalidConnectionID")

    # --- what is asked

    def _wish(self, request: ForkRequest) -> _Wish:
        match request:
            case model.SingleStepConference(active, port, participation):
                silent = participation is not Participation.ACTIVE
                return _Wish("single-step-conference", (port.number,), (None,), active.device, active.call_id, silent)
            case model.JoinCall(active, port, participation):
                silent = participation is not Participation.ACTIVE
                return _Wish("join-call", (port.number,), (None,), active.device, active.call_id, silent)
            case model.MakeCall(calling, called):
                return self._dialled(calling.number, called.number)
            case model.Escape(private):
                return self._private(private)

    def _dialled(self, port: str, dialled: str) -> _Wish:
        codes = self._config.codes
        if port not in self._switch.directory.ports:
            raise Refused("invalidCallingDeviceID")
        for code, side in ((codes.own, Side.OWN), (codes.other, Side.OTHER)):
            station = dialled.removeprefix(code)
            if dialled.startswith(code) and station in self._switch.directory.stations:
                asked = None if codes.own == codes.other else side
                return _Wish("make-call", (port,), (asked,), DeviceId(station), None)
        raise Refused("invalidCalledDeviceID")

    def _private(self, octets: bytes) -> _Wish:
        values = self._start.match(octets)
        if values is None:
            raise Refused("cSTAPrivateDataInfoError")
        own, other, station = (values[name].decode("latin-1") for name in ("own", "other", "station"))
        return _Wish("escape", (own, other), (Side.OWN, Side.OTHER), DeviceId(station), values.get("call"))

    def _check_ports(self, wish: _Wish) -> None:
        directory = self._switch.directory
        for port in wish.ports:
            if port not in directory.ports:
                raise Refused("privilegeViolationSpecifiedDevice" if directory.known(port) else "invalidDeviceID")

    def _find(self, wish: _Wish) -> tuple[Call, Leg]:
        """The station's connection: one forks a station's audio, not a line's or a port's."""
        if wish.call_id is None and isinstance(wish.station, DeviceId):
            if wish.station.number not in self._switch.directory.stations:
                raise Refused("invalidDeviceID")
            found = self._switch.leg_in(wish.station.number, LocalState.CONNECTED)
            if found is None:
                raise Refused("noActiveCall")
            return found
        call, leg = self.find(ConnectionId(wish.call_id, wish.station))
        if leg.device not in self._switch.directory.stations:
            raise Refused("requestIncompatibleWithObject")
        return call, leg

    # --- what is done

    def _serve(self, wish: _Wish, call: Call, station: Leg) -> Served:
        switch = self._switch
        service = switch.forks.faults.service(call, station.device, wish.ports, switch.now)
        if service.delay:
            self._played(call, "late", wish, station, f"{service.delay:.3f} s")
        if service.error is not None:
            return self._refused(wish, call, station, Refused(service.error), played=True, delay=service.delay)
        if not service.answered:
            self._played(call, "unanswered", wish, station, "carried out" if service.joins else "not carried out")
        if not service.joins:
            return Served(None)
        try:
            result = self._join(wish, call, station)
        except Refused as refused:
            return self._refused(wish, call, station, refused, played=False, delay=service.delay)
        return Served(result, service.delay) if service.answered else Served(None)

    def _join(self, wish: _Wish, call: Call, station: Leg) -> model.Result:
        switch = self._switch
        switch.forks.check(station, wish.ports, wish.sides, call, switch.now)
        for port, side in zip(wish.ports, wish.sides, strict=True):
            leg = switch.join_port(call, station, port, silent=wish.silent, side=side)
        if wish.strategy == "escape":
            return model.NoData()
        answer = model.CallMade if wish.strategy == "make-call" else model.ConferenceJoined
        return answer(switch.reporter.connection(call, leg), call.linkage)

    def _stop_both(self, *numbers: bytes) -> Served:
        ports = [port for number in numbers if (port := number.decode("latin-1")) in self._switch.forks.joined]
        for port in ports:
            self._switch.free_port(port)
        return Served(model.NoData()) if ports else _refusal("invalidConnectionID")

    # --- for the truth

    def _refused(
        self, wish: _Wish, call: Call | None, station: Leg | None, why: Refused, *, played: bool, delay: float = 0.0
    ) -> Served:
        named = station.device if station else wish.station.number if isinstance(wish.station, DeviceId) else None
        row = RefusedFork(self._switch.now, wish.strategy, named, wish.ports, why.code.name, played)
        self._truth.fork_refused(call, row)
        return Served(Refusal(why.category, why.value), delay)

    def _played(self, call: Call, kind: str, wish: _Wish, station: Leg, detail: str) -> None:
        self._truth.fault(call, PlayedFault(self._switch.now, kind, station.device, wish.ports, detail))


def _refusal(name: str) -> Served:
    refused = Refused(name)
    return Served(Refusal(refused.category, refused.value))


_STRATEGIES: dict[type, Strategy] = {
    model.SingleStepConference: "single-step-conference",
    model.JoinCall: "join-call",
    model.Escape: "escape",
    model.MakeCall: "make-call",
}
