"""The call model: commands in, transitions of connections out (ECMA-269 clause 6). The world sets the time."""

from osrec.wire.csta import model
from osrec.wire.csta.model import LocalState
from osrec_emulators.pbx.calls import Call, Cause, Leg, Occurrence, Party, RuleError
from osrec_emulators.pbx.connections import Connections
from osrec_emulators.pbx.reporter import Moved

_NOBODY = Party("")


class Switch(Connections):
    """Stations, trunks and the calls among them.

    Every command raises RuleError when the state does not allow it, and then has changed nothing.
    """

    # --- what others ask

    def take(self) -> list[Occurrence]:
        """What happened since somebody asked."""
        return self.reporter.take()

    @property
    def deadline(self) -> float | None:
        """When the first waiting caller gives up."""
        return min((call.gives_up for call in self.calls.values() if call.gives_up is not None), default=None)

    # --- commands

    def make_call(self, caller: str, to: str) -> Call:
        """A station dials: a station, or the trunk access code and a number outside."""
        self._require_idle(caller)
        call = self._begin(self._new_thread(), Party(caller))
        self._dial(call, caller, to, Cause.NORMAL, Cause.NEW_CALL)
        return call

    def incoming(self, number: str, to: str) -> Call:
        """Somebody outside calls; the network brings it to the first free trunk."""
        free = self.free_trunks()
        if not free:
            raise RuleError(f"call from {number}: every trunk carries a call already, and a trunk carries one")
        call = self._begin(self._new_thread(), Party(number, free[0]))
        leg = self._connect(call, free[0], call.calling, LocalState.CONNECTED)
        call.called = Party(to)
        self._report(model.Originated, call, leg, Cause.NEW_CALL)
        self._ring(call, to, Cause.NEW_CALL)
        return call

    def answer(self, device: str) -> None:
        call, leg = self._require(device, "answer", LocalState.ALERTING)
        self._set(call, leg, LocalState.CONNECTED)
        call.gives_up = None
        call.answered = True
        self._truth.answered(call, self.now)
        self._report(model.Established, call, leg, Cause.NEW_CALL)

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

    def hold(self, device: str, cause: int = Cause.NORMAL) -> Call:
        call, leg = self._require(device, "hold", LocalState.CONNECTED)
        if not any(other.state is not LocalState.ALERTING for other in call.active if other is not leg):
            raise RuleError(f"{device} cannot hold call {call.id.hex()}: nobody has answered it")
        if self.leg_in(device, LocalState.HOLD):
            raise RuleError(f"{device} cannot hold call {call.id.hex()}: it holds another call already")
        self._hold(call, leg, cause)
        return call

    def retrieve(self, device: str, cause: int = Cause.NORMAL) -> None:
        call, leg = self._require(device, "retrieve", LocalState.HOLD)
        busy_with = self.leg_in(device, LocalState.CONNECTED, LocalState.ALERTING)
        if busy_with is not None:
            raise RuleError(f"{device} cannot retrieve: it is {busy_with[1].state.name.lower()} in another call")
        self._retrieve(call, leg, cause)

    def alternate(self, device: str) -> None:
        """The held call and the active one change places."""
        active = self._require(device, "alternate", LocalState.CONNECTED)
        held = self._require(device, "alternate", LocalState.HOLD)
        self._require_answered(device, "alternate", active[0])
        self._hold(*active, Cause.ALTERNATE)
        self._retrieve(*held, Cause.ALTERNATE)

    def consult(self, device: str, to: str) -> Call:
        """Hold the active call and dial a third party, in the same thread."""
        held = self.hold(device, Cause.CONSULTATION)
        call = self._begin(held.thread, Party(device))
        self._dial(call, device, to, Cause.CONSULTATION, Cause.CONSULTATION)
        return call

    def transfer(self, device: str) -> Call:
        """Connect the held party with the consulted one, who may still be ringing, and leave."""
        return self._merge(device, "transfer", stays=False)

    def conference(self, device: str) -> Call:
        """Bring the held party, the consulted one and oneself together."""
        return self._merge(device, "conference", stays=True)

    def deflect(self, device: str, to: str, cause: int = Cause.CALL_FORWARD) -> None:
        """A ringing station sends the call on to another one, which then rings."""
        call, leg = self._require(device, "deflect", LocalState.ALERTING)
        self._require_station(to)
        if not self.idle(to):
            raise RuleError(f"{device} cannot deflect to {to}: it is busy")
        self._divert(call, leg, to, cause)
        self._ring(call, to, cause)

    def pickup(self, device: str, ringing: str) -> None:
        """An idle station takes the call that rings at another one."""
        self._require_idle(device)
        call, leg = self._require(ringing, "be picked up", LocalState.ALERTING)
        self._divert(call, leg, device, Cause.CALL_PICKUP)
        taken = self._connect(call, device, Party(device), LocalState.CONNECTED)
        call.gives_up = None
        call.answered = True
        self._truth.answered(call, self.now)
        self._report(model.Established, call, taken, Cause.CALL_PICKUP)

    def join_port(self, call: Call, station: Leg, port: str, silent: bool) -> Leg:
        """Put a recorder port into a station's call. Raises forks.Refused."""
        leg = Leg(port, Party(port), LocalState.CONNECTED, self._ids.dynamic_device(), station.device)
        self.forks.join(call, station, leg, silent, self.now)
        return leg

    def free_port(self, port: str) -> None:
        self.forks.end(port, self.now)

    def expire(self) -> None:
        """Callers whose patience has ended give up: they are released, and with them those they waited for."""
        for call in list(self.calls.values()):
            if call.gives_up is not None and call.gives_up <= self.now and self.calls.get(call.id) is call:
                call.gives_up = None
                self._give_up(call)

    # --- dialling

    def _dial(self, call: Call, caller: str, to: str, initiated: int, originated: int) -> None:
        leg = self._connect(call, caller, Party(caller), LocalState.INITIATED)
        self._report(model.ServiceInitiated, call, leg, initiated, only=[leg])
        outside = self.directory.outside(to)
        call.called = Party(to if outside is None else outside)
        if self._config.digits_dialed:
            self._report(model.DigitsDialed, call, leg, Cause.NORMAL, only=[leg], digits=model.DeviceId(to))
        self._set(call, leg, LocalState.CONNECTED)
        self._report(model.Originated, call, leg, originated)
        if outside is None:
            self._ring(call, to, Cause.NEW_CALL)
        else:
            self._reach_network(call, outside)

    def _reach_network(self, call: Call, number: str) -> None:
        free = self.free_trunks()
        if not free:
            self._fail(call, Party(number), number, Cause.TRUNKS_BUSY)
            return
        trunk = free[0]
        party = call.called = Party(number, trunk)
        self._truth.outgoing(call)
        if number in self.busy:
            self._fail(call, party, trunk, Cause.BUSY)
            return
        leg = self._connect(call, trunk, party, LocalState.CONNECTED)
        self._report(model.NetworkReached, call, leg, Cause.NORMAL, device=model.DeviceId(trunk))
        self._alert(call, leg, Cause.NEW_CALL)

    def _ring(self, call: Call, to: str, cause: int) -> None:
        if to not in self.directory.stations:
            self._fail(call, Party(to), to, Cause.DEST_NOT_OBTAINABLE)
        elif not self.idle(to):
            self._fail(call, Party(to), to, Cause.BUSY)
        else:
            self._alert(call, self._connect(call, to, Party(to), LocalState.ALERTING), cause)

    def _alert(self, call: Call, leg: Leg, cause: int) -> None:
        self._set(call, leg, LocalState.ALERTING)
        call.gives_up = self.now + self._config.no_answer_after
        self._report(model.Delivered, call, leg, cause)

    def _fail(self, call: Call, party: Party, device: str, cause: int) -> None:
        """The called connection fails; the caller stays and hears the busy tone (ECMA-269 6.1.5, state Fail).

        The device that was called is not told: whatever made it busy is a call of its own.
        """
        if device in call.legs:  # somebody dialled the own number
            leg = Leg(device, party, LocalState.FAIL, call.legs[device].dynamic)
        else:
            leg = call.legs[device] = Leg(device, party, LocalState.FAIL, self._ids.dynamic_device())
        call.gives_up = self.now + self._config.busy_hangup_after
        self._report(model.Failed, call, leg, cause)

    # --- holding

    def _hold(self, call: Call, leg: Leg, cause: int) -> None:
        self._set(call, leg, LocalState.HOLD)
        self._report(model.Held, call, leg, cause)
        self.forks.station_changed(call, leg, self.now)

    def _retrieve(self, call: Call, leg: Leg, cause: int) -> None:
        self._set(call, leg, LocalState.CONNECTED)
        self._report(model.Retrieved, call, leg, cause)
        self.forks.station_changed(call, leg, self.now)

    # --- two calls become one

    def _merge(self, device: str, action: str, stays: bool) -> Call:
        held, held_leg = self._require(device, action, LocalState.HOLD)
        active, active_leg = self._require(device, action, LocalState.CONNECTED)
        consulted = [leg for leg in active.active if leg is not active_leg]
        if not consulted:
            raise RuleError(f"{device} cannot {action}: the consulted party was not reached")
        if stays:
            self._require_answered(device, action, active)
        both = (held.legs.keys() & active.legs.keys()) - {device}
        if both:
            raise RuleError(f"{device} cannot {action}: {min(both)} is in both calls")
        new = self._begin(held.thread, held.calling, linkage=held.linkage_id)
        new.answered = True
        moved = self._move(held, new, device, stays) + self._move(active, new, device, stays=False)
        to = consulted[0].party
        self._name_parties(new, held, held_leg, to, stays)
        if any(leg.state is LocalState.ALERTING for leg in new.active):
            new.gives_up = self.now + self._config.no_answer_after
        moved += self.forks.call_replaced(held, new) + self.forks.call_replaced(active, new)
        kind, cause = (model.Conferenced, Cause.CONFERENCE) if stays else (model.Transferred, Cause.TRANSFER)
        old = ((held, held_leg), (active, active_leg))
        self.reporter.merged(self.now, kind, new, old, to=to, moved=moved, cause=cause)
        for gone in (held, active):
            self.forks.station_left(gone, device, self.now)
            self._finish(gone)
        for leg in new.active:
            self.forks.station_changed(new, leg, self.now)
        return new

    def _move(self, old: Call, new: Call, decider: str, stays: bool) -> list[Moved]:
        """Take the people's connections over; the decider's own one becomes a fresh, connected one if it stays."""
        moved = []
        for leg in old.active:
            state = leg.state
            self._leave(old, leg)
            if leg.device != decider:
                moved.append((old, self._connect(new, leg.device, leg.party, state, leg.dynamic)))
            elif stays:
                moved.append((old, self._connect(new, decider, leg.party, LocalState.CONNECTED, leg.dynamic)))
        return moved

    @staticmethod
    def _name_parties(new: Call, held: Call, decider: Leg, to: Party, stays: bool) -> None:
        """After a transfer the held party is calling and the consulted one called; a conference keeps its names."""
        if stays:
            new.called = held.called
            return
        others = [leg.party for leg in new.legs.values() if leg.party not in (decider.party, to)]
        new.calling = others[0] if others else _NOBODY
        new.called = to

    # --- ends

    def _release(self, call: Call, device: str, cause: int) -> None:
        leg = call.legs[device]
        self._leave(call, leg)
        self._report(model.ConnectionCleared, call, leg, cause, gone=[leg])
        self.forks.station_left(call, device, self.now)
        if len(call.active) < 2:
            if call.active:
                self._release(call, call.active[0].device, cause)
            else:
                self._finish(call)

    def _give_up(self, call: Call) -> None:
        waiting = [leg for leg in call.active if leg.state is LocalState.ALERTING]
        others = [leg for leg in call.active if leg.state is not LocalState.ALERTING]
        cause = Cause.CALL_NOT_ANSWERED if waiting else Cause.NORMAL_CLEARING
        if len(others) > 1:  # a conference was transferred to somebody who does not answer
            others = waiting
        for leg in others:
            if leg.device in call.legs:
                self._release(call, leg.device, cause)

    def _divert(self, call: Call, leg: Leg, to: str, cause: int) -> None:
        call.redirected_from = leg.device
        self._leave(call, leg)
        self._report(model.Diverted, call, leg, cause, gone=[leg], new_destination=model.DeviceId(to))
        self.forks.station_left(call, leg.device, self.now)

    # --- rules and reports

    def _report(self, kind: type[model.Event], call: Call, leg: Leg, cause: int, **members: object) -> None:
        self.reporter.report(self.now, kind, call, leg, cause, **members)  # type: ignore[arg-type]

    def _require_answered(self, device: str, action: str, call: Call) -> None:
        if any(leg.state is LocalState.ALERTING for leg in call.active):
            raise RuleError(f"{device} cannot {action}: call {call.id.hex()} is not answered yet")
        if len(call.active) < 2:
            raise RuleError(f"{device} cannot {action}: there is nobody else in call {call.id.hex()}")

    def _require_station(self, device: str) -> None:
        if device not in self.directory.stations:
            raise RuleError(f"{device} is no station")

    def _require_idle(self, device: str) -> None:
        self._require_station(device)
        if device in self._of:
            raise RuleError(f"{device} cannot begin a call: it has one (hold it by consultation)")
