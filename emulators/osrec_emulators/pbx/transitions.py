"""Single transitions of connections, each with its event (ECMA-269 clause 6); commands put them together."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from osrec.wire.csta import model
from osrec.wire.csta.model import LocalState
from osrec_emulators.pbx.calls import Call, Cause, Leg, Party, RuleError
from osrec_emulators.pbx.connections import Connections

_WAITING = (LocalState.ALERTING, LocalState.QUEUED)
_PRESENT = (LocalState.CONNECTED, LocalState.HOLD)
TRY_AGAIN = 5.0  # seconds until a recall is tried again at a station that was busy


@dataclass(frozen=True, slots=True)
class Unanswered:
    """What becomes of a ringing call after `seconds`: `then` gets the call, which may have got another id."""

    seconds: float
    then: Callable[[Call], None]


class Transitions(Connections):
    """What can happen to one connection."""

    def _report(self, kind: type[model.Event], call: Call, leg: Leg, cause: int, **members: object) -> None:
        self.reporter.report(self.now, kind, call, leg, cause, **members)  # type: ignore[arg-type]

    # --- ringing

    def _offer(self, call: Call, device: str, cause: int, *, offered: str = "", then: Unanswered | None = None) -> None:
        """A station rings; `offered` is the number that it rings for when several do."""
        leg = self._connect(call, device, Party(device), LocalState.ALERTING)
        leg.offered = offered or device
        self._alert(call, leg, cause)
        if then is not None:
            self._unanswered(call, then)

    def _alert(self, call: Call, leg: Leg, cause: int) -> None:
        self._set(call, leg, LocalState.ALERTING)
        self._be_patient(call, self._config.no_answer_after)
        self._report(model.Delivered, call, leg, cause)

    def _unanswered(self, call: Call, then: Unanswered) -> None:
        call.unanswered = (self.now + then.seconds, then.then)
        self.timers.set(call, "unanswered", self.now + then.seconds, partial(then.then, call))

    def _be_patient(self, call: Call, seconds: float) -> None:
        """The caller waits so long, for an answer or listening to the busy tone."""
        self.timers.set(call, "patience", self.now + seconds, partial(self._give_up, call))

    def _answered(self, call: Call, leg: Leg, cause: int) -> None:
        """The connection is connected; others that rang for the same number stop."""
        offered, leg.offered = leg.offered, None
        self._set(call, leg, LocalState.CONNECTED)
        self._truth_answered(call)
        self._report(model.Established, call, leg, cause)
        self.forks.station_changed(call, leg, self.now)
        self._stop_ringing(call, offered)
        self._stop_waiting(call)

    def _truth_answered(self, call: Call) -> None:
        call.answered = True
        self._truth.answered(call, self.now)

    def _stop_ringing(self, call: Call, offered: str | None) -> None:
        for other in call.in_state(LocalState.ALERTING):
            if other.offered == offered:
                if call.line is not None:
                    self._bridge(call, other)
                else:
                    self._release(call, other.device, Cause.MULTIPLE_ALERTING)

    def _stop_waiting(self, call: Call) -> None:
        """Unless somebody else still rings in a conference, nobody waits any more."""
        self.timers.cancel(call, "unanswered")
        call.unanswered = None
        if not call.in_state(*_WAITING):
            self.timers.cancel(call, "patience", "recall")

    def _bridge(self, call: Call, leg: Leg) -> None:
        """Another appearance of the line has the call: this one may join it."""
        leg.bridged, leg.offered = True, None
        self._set(call, leg, LocalState.QUEUED)
        self._report(model.Bridged, call, leg, Cause.NORMAL)
        self._see_idle(leg.device)

    # --- failing

    def _fail(self, call: Call, party: Party, device: str, cause: int, dynamic: bytes | None = None) -> None:
        """The called connection fails; the caller stays and hears the busy tone (ECMA-269 6.1.5, state Fail).

        The device that was called is not told: whatever made it busy is a call of its own.
        """
        call.failed = True
        if device in call.legs:  # somebody dialled the own number
            leg = Leg(device, party, LocalState.FAIL, call.legs[device].dynamic)
        else:
            leg = call.legs[device] = Leg(device, party, LocalState.FAIL, dynamic or self._ids.dynamic_device())
            call.wanted = device if cause == Cause.BUSY and device in self.directory.stations else None
        self._be_patient(call, self._config.busy_hangup_after)
        self._report(model.Failed, call, leg, cause)

    def _drop_failed(self, call: Call) -> None:
        """What failed is cleared away, since the call goes on."""
        call.failed, call.wanted = False, None
        for leg in [leg for leg in call.legs.values() if leg.state is LocalState.FAIL]:
            del call.legs[leg.device]
            self._report(model.ConnectionCleared, call, leg, Cause.NORMAL_CLEARING)

    # --- holding

    def _hold(self, call: Call, leg: Leg, cause: int) -> None:
        self._set(call, leg, LocalState.HOLD)
        self._report(model.Held, call, leg, cause)
        self.forks.station_changed(call, leg, self.now)
        self._watch_hold(call, leg.device)

    def _watch_hold(self, call: Call, device: str) -> None:
        after = self._config.hold_recall_after
        if after is not None and device in self.directory.stations:
            self.timers.set(call, f"held by {device}", self.now + after, partial(self._recall_holder, call, device))

    def _recall_holder(self, call: Call, device: str) -> None:
        """The telephone of who holds rings (cause recall)."""
        leg = call.legs.get(device)
        if leg is None or leg.state is not LocalState.HOLD:
            return
        if len(self._of[device]) > 1 or not self.talks(call, leg):
            again = partial(self._recall_holder, call, device)
            self.timers.set(call, f"held by {device}", self.now + TRY_AGAIN, again)
            return
        leg.offered = device
        self._alert(call, leg, Cause.RECALL)

    def _retrieve(self, call: Call, leg: Leg, cause: int) -> None:
        self._set(call, leg, LocalState.CONNECTED)
        self._report(model.Retrieved, call, leg, cause)
        self.forks.station_changed(call, leg, self.now)

    # --- leaving

    def _divert(self, call: Call, leg: Leg, to: str, cause: int) -> None:
        """The connection goes; the call is sent on to another destination."""
        outside = self.directory.outside(to)
        call.redirected_from = leg.device
        self.timers.cancel(call, "unanswered")
        call.unanswered = None
        if leg.device in call.legs:
            self._leave(call, leg)
        self._report(model.Diverted, call, leg, cause, gone=[leg], new_destination=model.DeviceId(outside or to))
        self.forks.station_left(call, leg.device, self.now)

    def _release(self, call: Call, device: str, cause: int) -> None:
        leg = call.legs[device]
        self._leave(call, leg)
        self._report(model.ConnectionCleared, call, leg, cause, gone=[leg])
        self.forks.station_left(call, device, self.now)
        left = call.active
        if len(left) > 1 and self._people(call):
            self._see_alone(call)
            return
        if left:
            self._release(call, left[0].device, cause)
        elif call.connections:  # appearances of a line that nobody used
            self._release(call, call.connections[0].device, cause)
        else:
            self._finish(call)

    def _see_alone(self, call: Call) -> None:
        """Whoever is left with those who do not answer waits only so long."""
        if len(self._people(call)) < 2 and not self.timers.runs(call, "patience"):
            self._be_patient(call, self._config.no_answer_after)

    def _give_up(self, call: Call) -> None:
        """Patience is over: who waited is released, and with them those they waited for."""
        waiting = [leg for leg in call.active if leg.state in _WAITING]
        people = self._people(call)
        cause = Cause.CALL_NOT_ANSWERED if waiting else Cause.NORMAL_CLEARING
        if len(people) > 1:  # a conference was transferred to somebody who does not answer
            people = waiting
            self._drop_failed(call)
        for leg in people:
            if call.legs.get(leg.device) is leg:
                self._release(call, leg.device, cause)

    def _people(self, call: Call) -> list[Leg]:
        """Who is there: not those who do not answer, and no dial tone."""
        return [leg for leg in call.active if leg.state not in _WAITING and self.is_person(leg.device)]

    # --- rules

    def talks(self, call: Call, leg: Leg) -> bool:
        """Whether somebody has answered and is there, apart from `leg`."""
        others = (other for other in call.active if other is not leg and self.is_person(other.device))
        return call.answered and any(other.state in _PRESENT for other in others)

    def _require_answered(self, device: str, action: str, call: Call) -> None:
        if not call.answered or call.in_state(*_WAITING):
            raise RuleError(f"{device} cannot {action}: call {call.id.hex()} is not answered yet")
        if len(call.active) < 2:
            raise RuleError(f"{device} cannot {action}: there is nobody else in call {call.id.hex()}")

    def _require_talking(self, device: str, action: str) -> tuple[Call, Leg]:
        """The device's connected call, in which somebody else is."""
        call, leg = self._require(device, action, LocalState.CONNECTED)
        if not self.talks(call, leg):
            raise RuleError(f"{device} cannot {action} call {call.id.hex()}: nobody has answered it")
        return call, leg
