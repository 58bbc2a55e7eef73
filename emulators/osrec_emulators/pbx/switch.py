"""The call model: commands in, transitions of connections out (ECMA-269 clause 6). The world sets the time."""

from osrec.wire.csta import model
from osrec.wire.csta.model import LocalState, NoDevice
from osrec_emulators.pbx.callbacks import Callbacks
from osrec_emulators.pbx.calls import Call, Cause, Leg, Occurrence, Party, RuleError
from osrec_emulators.pbx.details import Details
from osrec_emulators.pbx.media import Side
from osrec_emulators.pbx.parking import Parking
from osrec_emulators.pbx.queues import Queues


class Switch(Queues, Callbacks, Parking, Details):
    """Stations, trunks and the calls among them.

    Every command raises RuleError when the state does not allow it, and then has changed nothing. The commands of
    one feature are with that feature: forwarding (routing), transfer (merging), queues, parking, callbacks, details.
    """

    # --- what others ask

    def take(self) -> list[Occurrence]:
        """What happened since somebody asked."""
        return self.reporter.take()

    @property
    def deadline(self) -> float | None:
        """When the switch does something by itself."""
        return self.timers.deadline

    def expire(self) -> None:
        """Do what is due: callers give up, calls are forwarded or come back, those who wait get their call."""
        self.timers.run(self.now)

    # --- calls

    def make_call(self, caller: str, to: str = "") -> Call:
        """A station dials: a number inside, or the access code and one outside. A hot line needs no number."""
        self._require_idle(caller)
        hot = self.directory.hot_lines.get(caller)
        if hot is not None:
            to = hot
        elif not to:
            raise RuleError(f"{caller} has no hot line: it has to dial a number")
        call = self._begin(self._new_thread(), Party(caller))
        self._dial(call, caller, to, Cause.NORMAL, Cause.NEW_CALL)
        return call

    def incoming(self, number: str, to: str, shown: NoDevice | None = None) -> Call:
        """Somebody outside calls; the network brings it to the first free trunk. `shown` instead of the number."""
        free = self.free_trunks()
        if not free:
            raise RuleError(f"call from {number}: every trunk carries a call already, and a trunk carries one")
        call = self._begin(self._new_thread(), Party(number, free[0], shown, called_in=True))
        leg = self._connect(call, free[0], call.calling, LocalState.CONNECTED)
        call.called = Party(to)
        self._report(model.Originated, call, leg, Cause.NEW_CALL)
        self._ring(call, to, Cause.NEW_CALL)
        return call

    def answer(self, device: str) -> None:
        """Take the call that rings; one that the device talks in is held."""
        prompted = self.leg_in(device, LocalState.INITIATED)
        if prompted is not None and prompted[0].prompts:
            self._answer_prompt(*prompted)
            return
        call, leg = self._require(device, "answer", LocalState.ALERTING)
        talking = self.leg_in(device, LocalState.CONNECTED)
        if talking is not None:
            self._hold(*talking, Cause.NORMAL)
        self._answered(call, leg, Cause.NORMAL if call.answered else Cause.NEW_CALL)

    def dial(self, device: str, to: str) -> None:
        """Whom DISA gave the dial tone dials on."""
        call, leg = self._require(device, "dial on", LocalState.CONNECTED)
        tone = next((other for other in call.active if other.device in self.directory.disa), None)
        if tone is None:
            raise RuleError(f"{device} cannot dial on: call {call.id.hex()} has no dial tone")
        if to == tone.device:
            raise RuleError(f"{device} cannot dial {to}: it is the number that gave the dial tone")
        self._divert(call, tone, to, Cause.REDIRECTED)
        self._report_digits(call, leg, to)
        outside = self.directory.outside(to)
        call.called = Party(to if outside is None else outside)
        self._put_through(call, to, Cause.NEW_CALL)

    def clear(self, device: str, call: Call | None = None) -> None:
        """Hang up: the given call, or the one that is not on hold."""
        if call is None:
            states = (LocalState.CONNECTED, LocalState.ALERTING, LocalState.INITIATED)
            found = self.leg_in(device, *states) or self.leg_in(device, LocalState.HOLD)
            if found is None:
                raise RuleError(f"{device} cannot hang up: it has no connection")
            call = found[0]
        elif device not in call.legs or call.legs[device].silent:
            raise RuleError(f"{device} cannot hang up: it has no connection in call {call.id.hex()}")
        self._release(call, device, Cause.NORMAL_CLEARING)

    def clear_call(self, call: Call, cause: int = Cause.NORMAL_CLEARING) -> None:
        """Everybody is released."""
        while self.calls.get(call.id) is call and call.active:
            self._release(call, call.active[0].device, cause)

    # --- holding

    def hold(self, device: str) -> Call:
        return self._hold_call(device, Cause.NORMAL)

    def retrieve(self, device: str) -> None:
        call, leg = self._require(device, "retrieve", LocalState.HOLD)
        busy_with = self.leg_in(device, LocalState.CONNECTED, LocalState.ALERTING)
        if busy_with is not None:
            raise RuleError(f"{device} cannot retrieve: it is {busy_with[1].state.name.lower()} in another call")
        self._retrieve(call, leg, Cause.NORMAL)

    def alternate(self, device: str) -> None:
        """The held call and the active one change places."""
        active = self._require(device, "alternate", LocalState.CONNECTED)
        held = self._require(device, "alternate", LocalState.HOLD)
        self._require_answered(device, "alternate", active[0])
        self._hold(*active, Cause.ALTERNATE)
        self._retrieve(*held, Cause.ALTERNATE)

    def consult(self, device: str, to: str) -> Call:
        """Hold the active call and dial a third party, in the same thread."""
        self._require_station(device)
        if self.leg_in(device, LocalState.ALERTING):
            raise RuleError(f"{device} cannot consult: another call rings there")
        held = self._hold_call(device, Cause.CONSULTATION)
        call = self._begin(held.thread, Party(device))
        self._dial(call, device, to, Cause.CONSULTATION, Cause.CONSULTATION)
        return call

    def _hold_call(self, device: str, cause: int) -> Call:
        call, leg = self._require_talking(device, "hold")
        if self.leg_in(device, LocalState.HOLD):
            raise RuleError(f"{device} cannot hold call {call.id.hex()}: it holds another call already")
        self._hold(call, leg, cause)
        return call

    # --- ringing calls that go elsewhere

    def deflect(self, device: str, to: str) -> None:
        """A ringing station sends the call on."""
        call, leg = self._require(device, "deflect", LocalState.ALERTING)
        if to in call.legs:
            raise RuleError(f"{device} cannot deflect to {to}: it is in that call")
        if to in self.directory.stations and not self.idle(to):
            raise RuleError(f"{device} cannot deflect to {to}: it is busy")
        if self.directory.outside(to) is None and not self.directory.known(to):
            raise RuleError(f"{device} cannot deflect to {to}: nobody has this number")
        self._divert(call, leg, to, Cause.CALL_FORWARD)
        self._send_on(call, device, to, Cause.CALL_FORWARD)

    def pickup(self, device: str, ringing: str = "") -> None:
        """An idle station takes the call that rings at another one; without a number, at one of its group."""
        self._require_idle(device)
        ringing = ringing or self._ringing_in_group_of(device)
        call, leg = self._require(ringing, "be picked up", LocalState.ALERTING)
        if device in call.legs:
            raise RuleError(f"{device} cannot pick up call {call.id.hex()}: it is in that call")
        self._divert(call, leg, device, Cause.CALL_PICKUP)
        taken = self._connect(call, device, Party(device), LocalState.CONNECTED)
        taken.offered = leg.offered
        self._answered(call, taken, Cause.CALL_PICKUP)

    def _ringing_in_group_of(self, device: str) -> str:
        for members in self.directory.pickup_groups:
            if device in members:
                for member in members:
                    if self.leg_in(member, LocalState.ALERTING):
                        return member
        raise RuleError(f"{device} cannot pick up a call of its group: it is in none, or nobody rings there")

    # --- numbers that behave as told

    def mark_busy(self, number: str) -> None:
        self.busy.add(number)

    def mark_unreachable(self, number: str) -> None:
        """The network fails when somebody calls this number outside."""
        self.unreachable.add(number)

    def mark_free(self, number: str) -> None:
        """The number is neither busy nor unreachable."""
        self.busy.discard(number)
        self.unreachable.discard(number)
        self._see_idle(number)

    # --- recorder ports

    def join_port(self, call: Call, station: Leg, port: str, silent: bool, side: Side | None = None) -> Leg:
        """Put a recorder port into a station's call; without a side it gets the next free one. Raises Refused."""
        leg = Leg(port, Party(port), LocalState.CONNECTED, self._ids.dynamic_device(), station.device)
        self.forks.join(call, station, leg, silent, self.now, side)
        return leg

    def free_port(self, port: str) -> None:
        self.forks.end(port, self.now)

    # --- dialling

    def _dial(self, call: Call, caller: str, to: str, initiated: int, originated: int) -> None:
        leg = self._connect(call, caller, Party(caller), LocalState.INITIATED)
        self._report(model.ServiceInitiated, call, leg, initiated, only=[leg])
        outside = self.directory.outside(to)
        call.called = Party(to if outside is None else outside)
        self._report_digits(call, leg, to)
        self._set(call, leg, LocalState.CONNECTED)
        self._report(model.Originated, call, leg, originated)
        self._put_through(call, to, Cause.NEW_CALL)

    def _report_digits(self, call: Call, leg: Leg, dialled: str) -> None:
        if self._config.digits_dialed:
            for digits in dialled if self._config.digits_dialed == "each" else [dialled]:
                number = model.DeviceId(digits)
                self._report(model.DigitsDialed, call, leg, Cause.NORMAL, only=[leg], digits=number)
