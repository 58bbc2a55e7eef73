"""Calls that get another id: transfer, conference, blind transfer, path replacement; and calls that come back."""

from collections.abc import Callable
from functools import partial

from osrec.wire.csta import model
from osrec.wire.csta.model import LocalState
from osrec_emulators.pbx.calls import Call, Cause, Leg, Party, RuleError
from osrec_emulators.pbx.reporter import Moved
from osrec_emulators.pbx.routing import Routing
from osrec_emulators.pbx.transitions import TRY_AGAIN, Unanswered

_NOBODY = Party("")
_WAITING = (LocalState.ALERTING, LocalState.QUEUED)


class Merging(Routing):
    """Makes new calls of old ones."""

    def transfer(self, device: str) -> Call:
        """Connect the held party with the consulted one, who may still be ringing, and leave."""
        return self._merge(device, "transfer", stays=False)

    def conference(self, device: str) -> Call:
        """Bring the held party, the consulted one and oneself together."""
        return self._merge(device, "conference", stays=True)

    def blind_transfer(self, device: str, to: str) -> Call:
        """Send the other party to a destination and leave at once (ECMA-269 Single Step Transfer)."""
        old, leg = self._require_talking(device, "transfer")
        if to in old.legs:
            raise RuleError(f"{device} cannot transfer call {old.id.hex()} to {to}: it is in that call")
        if old.in_state(*_WAITING):
            raise RuleError(f"{device} cannot transfer call {old.id.hex()}: somebody still rings in it")
        outside = self.directory.outside(to)
        target = Party(to if outside is None else outside)
        new = self._succeed([old], old.calling)
        new.transferrer = device
        moved = self._move(old, new, device, stays=False)
        self._name_parties(new, old, leg, target, stays=False)
        moved += self.forks.call_replaced(old, new)
        self.reporter.merged(
            self.now,
            model.Transferred,
            new,
            ((old, leg),),
            to=target,
            moved=moved,
            cause=Cause.SINGLE_STEP_TRANSFER,
        )
        self._end_old(old, device)
        for other in new.active:
            self.forks.station_changed(new, other, self.now)
        self._put_through(new, to, Cause.SINGLE_STEP_TRANSFER)
        self._expect_recall(new, device)
        return new

    def replace_path(self, device: str) -> Call:
        """The network between two exchanges puts a trunk call on another path: it goes on with another call id."""
        old, leg = self._require(device, "have its path replaced", LocalState.CONNECTED)
        self._require_answered(device, "have its path replaced", old)
        trunk = next((other for other in old.active if other.party.trunk is not None), None)
        if trunk is None:
            raise RuleError(f"{device} cannot have its path replaced: call {old.id.hex()} is on no trunk")
        new = self._succeed([old], old.calling)
        new.called, new.answered = old.called, True
        moved = self._move(old, new, device, stays=True)
        moved += self.forks.call_replaced(old, new)
        other = leg if trunk is not leg else next(one for one in new.active if one.device != device)
        self.reporter.merged(
            self.now,
            model.Transferred,
            new,
            ((old, trunk),),
            to=other.party,
            moved=moved,
            cause=Cause.PATH_REPLACEMENT,
        )
        self._finish(old)
        return new

    # --- how it is done

    def _merge(self, device: str, action: str, stays: bool) -> Call:
        held, held_leg = self._require(device, action, LocalState.HOLD)
        active, active_leg = self._require(device, action, LocalState.CONNECTED)
        if rule := self.why_not_merge(device, held, active, stays):
            raise RuleError(f"{device} cannot {action}: {rule}")
        consulted = [leg for leg in active.active if leg is not active_leg]
        new = self._succeed([held, active], held.calling)
        new.answered = True
        moved = self._move(held, new, device, stays) + self._move(active, new, device, stays=False)
        to = consulted[0].party
        self._name_parties(new, held, held_leg, to, stays)
        moved += self.forks.call_replaced(held, new) + self.forks.call_replaced(active, new)
        kind, cause = (model.Conferenced, Cause.CONFERENCE) if stays else (model.Transferred, Cause.TRANSFER)
        old = ((held, held_leg), (active, active_leg))
        self.reporter.merged(self.now, kind, new, old, to=to, moved=moved, cause=cause)
        for gone in (held, active):
            self._end_old(gone, device)
        for leg in new.active:
            self.forks.station_changed(new, leg, self.now)
        self._go_on_waiting(new, active.unanswered or held.unanswered)
        if not stays:
            self._expect_recall(new, device)
        return new

    def why_not_merge(self, device: str, held: Call, active: Call, stays: bool) -> str | None:
        """The rule that forbids a transfer, or with `stays` a conference; None: it is allowed."""
        others = [leg for call in (held, active) for leg in call.active if leg.device != device]
        if len(active.active) < 2 or not (active.answered or active.in_state(*_WAITING)):
            return "the consulted party was not reached"
        if len(held.active) < 2:
            return f"nobody is in held call {held.id.hex()} any more"
        if not any(leg.state not in _WAITING and self.is_person(leg.device) for leg in others):
            return "nobody is there but those who do not answer"
        if any(leg.device in self.directory.disa for leg in others):
            return "one of the calls has a dial tone"
        if both := (held.legs.keys() & active.legs.keys()) - {device}:
            return f"{min(both)} is in both calls"
        if stays and (not active.answered or active.in_state(*_WAITING)):
            return f"call {active.id.hex()} is not answered yet"
        if stays and len(others) + 1 > self._config.conference_limit:
            return f"{len(others) + 1} parties, and a conference has {self._config.conference_limit} at most"
        return None

    def _succeed(self, olds: list[Call], calling: Party) -> Call:
        """A call that takes the place of others; what was attached to them stays attached."""
        first = olds[0]
        new = self._begin(first.thread, calling, linkage=first.linkage_id)
        for old in olds:
            new.user_data = new.user_data or old.user_data
            new.correlator = new.correlator or old.correlator
            new.line = new.line or old.line
            new.redirected_from = old.redirected_from if old is not first or len(olds) == 1 else None
        new.answered = first.answered
        return new

    def _move(self, old: Call, new: Call, decider: str, stays: bool) -> list[Moved]:
        """Take the connections over; the decider's own one becomes a fresh, connected one if it stays."""
        moved = []
        for leg in old.connections:
            self._leave(old, leg)
            if leg.device == decider and not stays:
                continue
            state = LocalState.CONNECTED if leg.device == decider else leg.state
            now = self._connect(new, leg.device, leg.party, state, leg.dynamic)
            now.offered, now.bridged = leg.offered, leg.bridged
            moved.append((old, now))
            if state is LocalState.HOLD:
                self._watch_hold(new, leg.device)
        return moved

    def _end_old(self, old: Call, decider: str) -> None:
        self.forks.station_left(old, decider, self.now)
        self._finish(old)

    @staticmethod
    def _name_parties(new: Call, held: Call, decider: Leg, to: Party, stays: bool) -> None:
        """After a transfer the held party is calling and the consulted one called; a conference keeps its names."""
        if stays:
            new.called = held.called
            return
        others = [leg.party for leg in new.legs.values() if leg.party not in (decider.party, to)]
        new.calling = others[0] if others else _NOBODY
        new.called = to

    def _go_on_waiting(self, new: Call, unanswered: tuple[float, Callable[[Call], None]] | None) -> None:
        """Somebody still rings, or waits in a queue: the timers of the old call go on in the new one."""
        if not new.in_state(*_WAITING):
            return
        self._be_patient(new, self._config.no_answer_after)
        if new.unanswered is None and unanswered is not None:
            at, then = unanswered
            self._unanswered(new, Unanswered(max(0.0, at - self.now), then))

    # --- calls that come back

    def _expect_recall(self, call: Call, transferrer: str) -> None:
        """Unless somebody answers, the call comes back to the station that transferred it."""
        after = self._config.recall_after
        if after is None or transferrer not in self.directory.stations or self.calls.get(call.id) is not call:
            return
        if call.failed or call.in_state(*_WAITING):
            due = self.now if call.failed else self.now + after
            self.timers.set(call, "recall", due, partial(self._recall, call, transferrer))

    def _recall(self, call: Call, station: str) -> None:
        """The call rings again at a station that had sent it away (cause recall)."""
        waiting = call.in_state(*_WAITING)
        if station in call.legs or not (waiting or call.failed):
            return
        if not self.idle(station):
            self.timers.set(call, "recall", self.now + TRY_AGAIN, partial(self._recall, call, station))
            return
        for leg in waiting:
            self._divert(call, leg, station, Cause.RECALL)
        if call.failed:
            self._drop_failed(call)
        self._offer(call, station, Cause.RECALL)
