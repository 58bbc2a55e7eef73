"""Where a call goes: station, group, trunk, and on from there (forwarding, hunting, parallel ringing, shared lines)."""

from dataclasses import dataclass, replace
from functools import partial

from osrec.wire.csta import model
from osrec.wire.csta.model import LocalState
from osrec_emulators.pbx.calls import Call, Cause, Identifiers, Leg, Party, RuleError
from osrec_emulators.pbx.config import PbxConfig
from osrec_emulators.pbx.directory import Directory
from osrec_emulators.pbx.group_config import Disa, Executive, Group, HuntGroup, ParallelRinging, Queue, SharedLine
from osrec_emulators.pbx.numbering import expand_all
from osrec_emulators.pbx.script_config import Condition
from osrec_emulators.pbx.transitions import Transitions, Unanswered
from osrec_emulators.pbx.truth import Truth

MOST_DIVERSIONS = 5  # then a call that is sent on and on fails


@dataclass(frozen=True, slots=True)
class Forwards:
    """Where the calls of a station go; None: they stay."""

    always: str | None = None
    busy: str | None = None
    no_answer: str | None = None


class Routing(Transitions):
    """Brings calls to destinations.

    Attributes:
        forwards: by station.
        groups: by number.
    """

    def __init__(self, config: PbxConfig, directory: Directory, identifiers: Identifiers, truth: Truth) -> None:
        super().__init__(config, directory, identifiers, truth)
        self.forwards = {one.station: Forwards(one.always, one.busy, one.no_answer) for one in config.forwarding}
        self.groups: dict[str, Group] = directory.groups
        self._screened = {one.number: one.secretary for one in config.groups if isinstance(one, Executive)}
        self._second_calls = frozenset(expand_all(config.call_waiting))
        self._last_rung: dict[str, str] = {}  # member by hunt group

    def forward(self, station: str, to: str, when: Condition = "always") -> None:
        """From now on the station's calls go to `to`."""
        self._require_station(station)
        if to == station:
            raise RuleError(f"{station} cannot forward its calls to itself")
        self.forwards[station] = replace(self.forwards.get(station, Forwards()), **{when: to})

    def unforward(self, station: str) -> None:
        self._require_station(station)
        self.forwards.pop(station, None)

    # --- destinations

    def _put_through(self, call: Call, to: str, cause: int) -> None:
        """Bring the call to what somebody dialled."""
        outside = self.directory.outside(to)
        if outside is None:
            self._ring(call, to, cause)
        else:
            self._reach_network(call, outside, cause)

    def _send_on(self, call: Call, station: str, to: str, cause: int) -> None:
        """A number where the call is not, or not any more, has it sent on."""
        call.diversions += 1
        if call.diversions > MOST_DIVERSIONS:
            self._fail(call, Party(to), to, Cause.BUSY)
        else:
            self._put_through(call, to, cause)

    def _ring(self, call: Call, to: str, cause: int) -> None:
        match self.groups.get(to):
            case _ if to in call.legs:
                self._fail(call, Party(to), to, Cause.BUSY)
            case HuntGroup() as group:
                self._hunt(call, group)
            case ParallelRinging() | SharedLine() as group:
                self._ring_all(call, group, cause)
            case Queue() as queue:
                self._enqueue(call, queue, Cause.ENTERING_DISTRIBUTION)
            case Disa():
                self._give_dial_tone(call, to)
            case Executive() as private:
                self._ring_station(call, private.number, cause, screened=False)
            case _:
                self._ring_station(call, to, cause)

    def _enqueue(self, call: Call, queue: Queue, cause: int) -> None:
        raise NotImplementedError

    def _ring_station(self, call: Call, to: str, cause: int, *, screened: bool = True) -> None:
        forwards = self.forwards.get(to, Forwards())
        secretary = self._screened.get(to) if screened else None
        if to not in self.directory.stations:
            self._fail(call, Party(to), to, Cause.DEST_NOT_OBTAINABLE)
        elif to in call.legs:
            self._fail(call, Party(to), to, Cause.BUSY)
        elif secretary is not None and secretary not in (call.calling.number, call.transferrer):
            self._divert_past(call, to, secretary, Cause.CALL_FORWARD)
        elif forwards.always is not None:
            self._divert_past(call, to, forwards.always, Cause.CALL_FORWARD_IMMEDIATE)
        elif self.idle(to) or self._takes_a_second(to):
            then = Unanswered(self._config.forward_no_answer_after, partial(self._forward_unanswered, to))
            self._offer(call, to, cause, then=then if forwards.no_answer is not None else None)
        elif forwards.busy is not None:
            self._divert_past(call, to, forwards.busy, Cause.CALL_FORWARD_BUSY)
        else:
            self._fail(call, Party(to), to, Cause.BUSY)

    def _divert_past(self, call: Call, station: str, to: str, cause: int) -> None:
        """The call is sent on before it rang; the station is told, and so took part."""
        party = Party(station)
        self._truth.joined(call, party)
        self._divert(call, Leg(station, party, LocalState.NULL, self._ids.dynamic_device()), to, cause)
        self._send_on(call, station, to, cause)

    def _forward_unanswered(self, station: str, call: Call) -> None:
        leg = call.legs.get(station)
        to = self.forwards.get(station, Forwards()).no_answer
        if leg is not None and leg.state is LocalState.ALERTING and to is not None:
            self._divert(call, leg, to, Cause.CALL_FORWARD_NO_ANSWER)
            self._send_on(call, station, to, Cause.CALL_FORWARD_NO_ANSWER)

    def _takes_a_second(self, station: str) -> bool:
        """Call waiting: a station that talks in its only call lets another one ring."""
        if station not in self._second_calls or station in self.busy:
            return False
        engaged = [call for call in self._of[station] if call.legs[station].state is not LocalState.QUEUED]
        return [call.legs[station].state for call in engaged] == [LocalState.CONNECTED] and engaged[0].answered

    # --- the network

    def _reach_network(self, call: Call, number: str, cause: int) -> None:
        """Seize a trunk; the network brings the call to `number`."""
        self._truth.dialled_outside(call, number)
        free = self.free_trunks()
        if not free:
            self._fail(call, Party(number), number, Cause.TRUNKS_BUSY)
            return
        trunk = free[0]
        party = Party(number, trunk)
        if call.called == Party(number):
            call.called = party
        self._truth.outgoing(call)
        if number in self.busy:
            self._fail(call, party, trunk, Cause.BUSY)
            return
        leg = self._connect(call, trunk, party, LocalState.CONNECTED)
        self._report(model.NetworkReached, call, leg, Cause.NORMAL, device=model.DeviceId(trunk))
        if number in self.unreachable:
            self._leave(call, leg)
            self._fail(call, party, trunk, Cause.NETWORK_NOT_OBTAINABLE, leg.dynamic)
        else:
            leg.offered = number
            self._alert(call, leg, cause)

    def _give_dial_tone(self, call: Call, number: str) -> None:
        """DISA answers; the caller has to dial on."""
        leg = self._connect(call, number, Party(number), LocalState.CONNECTED)
        self._be_patient(call, self._config.no_answer_after)
        self._report(model.Established, call, leg, Cause.NEW_CALL)

    # --- groups

    def _hunt(self, call: Call, group: HuntGroup) -> None:
        member = self._next_member(call, group, frozenset())
        if member is not None:
            call.redirected_from = group.number
            self._hunt_at(call, group, member, frozenset(), Cause.DISTRIBUTED)
        elif group.overflow is not None:
            call.redirected_from = group.number
            self._send_on(call, group.number, group.overflow, Cause.OVERFLOW)
        else:
            self._fail(call, Party(group.number), group.number, Cause.BUSY)

    def _hunt_at(self, call: Call, group: HuntGroup, member: str, tried: frozenset[str], cause: int) -> None:
        self._last_rung[group.number] = member
        then = Unanswered(group.ring_time, partial(self._hunt_on, group, member, tried | {member}))
        self._offer(call, member, cause, then=then)

    def _hunt_on(self, group: HuntGroup, member: str, tried: frozenset[str], call: Call) -> None:
        """The member did not answer: the next one, the overflow, or it rings on."""
        leg = call.legs.get(member)
        if leg is None or leg.state is not LocalState.ALERTING:
            return
        following = self._next_member(call, group, tried)
        if following is not None:
            self._divert(call, leg, following, Cause.REDIRECTED)
            self._hunt_at(call, group, following, tried, Cause.REDIRECTED)
        elif group.overflow is not None:
            self._divert(call, leg, group.overflow, Cause.OVERFLOW)
            self._send_on(call, member, group.overflow, Cause.OVERFLOW)

    def _next_member(self, call: Call, group: HuntGroup, tried: frozenset[str]) -> str | None:
        members = expand_all(group.members)
        last = self._last_rung.get(group.number)
        if group.order == "cyclic" and last is not None:
            position = members.index(last) + 1
            members = members[position:] + members[:position]
        free = (one for one in members if one not in tried and one not in call.legs and self.idle(one))
        return next(free, None)

    def _ring_all(self, call: Call, group: ParallelRinging | SharedLine, cause: int) -> None:
        """All members ring at once; a shared line that is in use is busy."""
        members = [one for one in expand_all(group.members) if self.idle(one) and one not in call.legs]
        if isinstance(group, SharedLine):
            if any(other.line == group.number for other in self.calls.values()):
                members = []
            else:
                call.line = group.number
        if not members:
            self._fail(call, Party(group.number), group.number, Cause.BUSY)
            return
        if len(members) > 1:
            cause = Cause.MULTIPLE_ALERTING
        for member in members:
            self._offer(call, member, cause, offered=group.number)
