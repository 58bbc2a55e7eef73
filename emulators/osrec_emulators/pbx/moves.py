"""What people can do now: the commands that a switch would take, for whoever drives one at random."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from osrec.wire.csta.model import LocalState
from osrec_emulators.pbx.agent_events import AgentState
from osrec_emulators.pbx.calls import Call, Leg
from osrec_emulators.pbx.switch import Switch

_WAITING = (LocalState.ALERTING, LocalState.QUEUED)


@dataclass(frozen=True, slots=True)
class Move:
    """A command of Switch with its arguments."""

    command: str
    arguments: tuple[str, ...]

    def play(self, switch: Switch) -> None:
        getattr(switch, self.command)(*self.arguments)

    def __str__(self) -> str:
        return f"{self.command}({', '.join(self.arguments)})"


class Moves:
    """Lists moves; each of them is allowed at the time when it is listed.

    Args:
        outside: numbers of people outside who call, and are called.
        stations: who moves, and is called; None: all. In a large PBX a sample keeps the list short.
    """

    def __init__(
        self, switch: Switch, outside: Sequence[str] = ("0891",), stations: Sequence[str] | None = None
    ) -> None:
        self._switch = switch
        self._outside = outside
        self._stations = list(switch.directory.stations) if stations is None else list(stations)

    def possible(self) -> list[Move]:
        """All moves, of everybody."""
        moves = list(self._calls_in())
        for station in self._stations:
            moves += self.of(station)
        for trunk in self._switch.directory.trunks:
            moves += self._of_trunk(trunk)
        return moves

    def of(self, station: str) -> list[Move]:
        """Moves of one station."""
        return [*self._at_any_time(station), *self._alone(station), *self._in_calls(station)]

    # --- who dials what

    def _numbers(self) -> Iterator[str]:
        directory = self._switch.directory
        yield from self._stations
        yield from directory.groups
        yield from (directory.access_code + number for number in self._outside)

    def _calls_in(self) -> Iterator[Move]:
        if self._switch.free_trunks():
            for number in self._outside:
                if self._switch.trunk_of(number) is None:
                    yield from (Move("incoming", (number, to)) for to in self._inside())

    def _inside(self) -> Iterator[str]:
        yield from self._stations
        yield from self._switch.directory.groups

    # --- moves that need no call

    def _at_any_time(self, station: str) -> Iterator[Move]:
        yield Move("unforward", (station,))
        for to in self._numbers():
            if to != station:
                yield from (Move("forward", (station, to, when)) for when in ("always", "busy", "no_answer"))
        for command in _AGENT_MOVES.get(self._switch.agents.get(station), ()):
            yield Move(command, (station,))
        yield Move("mark_free" if station in self._switch.busy else "mark_busy", (station,))

    def _alone(self, station: str) -> Iterator[Move]:
        """Moves of a station that has no call."""
        switch = self._switch
        if switch.engaged(station):
            return
        yield from (Move("make_call", (station, to)) for to in self._numbers())
        for other in self._stations:
            ringing = switch.leg_in(other, LocalState.ALERTING)
            if ringing is not None and station not in ringing[0].legs:
                yield Move("pickup", (station, other))
        for slot in switch.directory.park_slots:
            if any(station not in call.legs for call in switch.calls_of(slot)):
                yield Move("unpark", (station, slot))
        if any(call.legs[station].bridged for call in switch.calls_of(station)):
            yield Move("bridge", (station,))

    # --- moves in a call

    def _in_calls(self, station: str) -> Iterator[Move]:
        switch = self._switch
        for call in switch.calls_of(station):
            leg = call.legs[station]
            match leg.state:
                case LocalState.INITIATED:
                    yield from (Move(command, (station,)) for command in ("answer", "clear"))
                case LocalState.ALERTING:
                    yield from self._ringing(call, leg)
                case LocalState.CONNECTED:
                    yield from self._connected(call, leg)
                case LocalState.HOLD if not switch.leg_in(station, LocalState.CONNECTED, LocalState.ALERTING):
                    yield from (Move(command, (station,)) for command in ("retrieve", "clear"))

    def _ringing(self, call: Call, leg: Leg) -> Iterator[Move]:
        yield Move("answer", (leg.device,))
        yield Move("clear", (leg.device,))
        for to in self._numbers():
            if to not in call.legs and (to not in self._switch.directory.stations or self._switch.idle(to)):
                yield Move("deflect", (leg.device, to))

    def _connected(self, call: Call, leg: Leg) -> Iterator[Move]:
        switch, station = self._switch, leg.device
        yield Move("clear", (station,))
        yield Move("account", (station, "4711"))
        yield Move("user_data", (station, "file 17"))
        yield Move("correlator", (station, "c-1"))
        yield Move("digits", (station, "12#"))
        if call.failed and call.wanted in call.legs:
            yield Move("camp_on", (station,))
        ringing = [one.device for one in call.in_state(LocalState.ALERTING) if one.device in switch.directory.stations]
        if call.wanted is not None or (len(ringing) == 1 and not call.answered):
            yield Move("callback", (station,))
        yield from self._dialling_on(call, station)
        if switch.talks(call, leg):
            yield from self._talking(call, leg)
        yield from self._merging(call, station)

    def _dialling_on(self, call: Call, station: str) -> Iterator[Move]:
        tones = {leg.device for leg in call.active} & self._switch.directory.disa
        if tones:
            yield from (Move("dial", (station, to)) for to in self._numbers() if to not in tones)

    def _talking(self, call: Call, leg: Leg) -> Iterator[Move]:
        switch, station = self._switch, leg.device
        rings = switch.leg_in(station, LocalState.ALERTING) is not None
        if not switch.leg_in(station, LocalState.HOLD):
            yield Move("hold", (station,))
            if not rings:
                yield from (Move("consult", (station, to)) for to in self._numbers())
        if not call.in_state(*_WAITING):
            if any(other.party.trunk is not None for other in call.active):
                yield Move("replace_path", (station,))
            yield from (Move("blind_transfer", (station, to)) for to in self._numbers() if to not in call.legs)
            others = [other.state for other in call.active if other is not leg]
            if others == [LocalState.CONNECTED]:
                free = (slot for slot in switch.directory.park_slots if not switch.calls_of(slot))
                yield from (Move("park", (station, slot)) for slot in free)

    def _merging(self, call: Call, station: str) -> Iterator[Move]:
        found = self._switch.leg_in(station, LocalState.HOLD)
        if found is None:
            return
        if call.answered and not call.in_state(*_WAITING) and len(call.active) > 1:
            yield Move("alternate", (station,))
        for command in ("transfer", "conference"):
            if self._switch.why_not_merge(station, found[0], call, command == "conference") is None:
                yield Move(command, (station,))

    def _of_trunk(self, trunk: str) -> Iterator[Move]:
        """What somebody outside does."""
        for call in self._switch.calls_of(trunk):
            leg = call.legs[trunk]
            yield Move("clear", (trunk,))
            if leg.state is LocalState.ALERTING:
                yield Move("answer", (trunk,))
            elif leg.state is LocalState.CONNECTED:
                yield Move("digits", (trunk, "4"))
                yield from self._dialling_on(call, trunk)


_AGENT_MOVES: dict[AgentState | None, tuple[str, ...]] = {
    AgentState.LOGGED_OFF: ("log_on",),
    AgentState.READY: ("not_ready", "log_off"),
    AgentState.NOT_READY: ("ready", "log_off"),
    AgentState.WORKING_AFTER_CALL: ("ready", "not_ready", "log_off"),
}
