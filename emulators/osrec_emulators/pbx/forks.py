"""Recorder ports: which port carries which side of which station, for how long (docs/fork-strategies.md)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from osrec.wire.csta.model import LocalState
from osrec_emulators.pbx.calls import Call, Cause, Leg
from osrec_emulators.pbx.fork_config import ForkConfig
from osrec_emulators.pbx.fork_errors import Refused
from osrec_emulators.pbx.fork_faults import ForkFaults, Loss
from osrec_emulators.pbx.media import Fork, Side
from osrec_emulators.pbx.reporter import Moved, Reporter
from osrec_emulators.pbx.story import PlayedFault
from osrec_emulators.pbx.truth import Truth

_OPPOSITE = {Side.OWN: Side.OTHER, Side.OTHER: Side.OWN}


@dataclass(slots=True, eq=False)
class _Pair:
    """The ports that one station has at the same time. `loss`: what the PBX is going to do to them."""

    swapped: bool
    loss: Loss | None


@dataclass(slots=True, eq=False)
class _Joined:
    """A port in a call.

    Attributes:
        meant: the side that whoever asked for the fork is to find here; the fork's own differs on a swapped pair.
        silenced: it carries nothing, since the station holds the call, or talks in another conversation.
    """

    fork: Fork
    call: Call
    station: Leg
    participation_cause: int
    pair: _Pair
    meant: Side
    dead: bool
    silenced: bool = False


@dataclass(slots=True)
class Forks:
    """The recorder's ports and what they carry.

    Attributes:
        faults: what goes wrong.
    """

    config: ForkConfig
    reporter: Reporter
    truth: Truth
    other_call: Callable[[Call, str], Call | None]
    faults: ForkFaults = field(init=False)
    _joined: dict[str, _Joined] = field(default_factory=dict)
    _stuck: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.faults = ForkFaults(self.config.faults)

    @property
    def running(self) -> dict[str, Fork]:
        """Forks that carry audio now, by port."""
        return {port: joined.fork for port, joined in self._joined.items() if not (joined.silenced or joined.dead)}

    @property
    def joined(self) -> dict[str, Fork]:
        """All ports that are in a call."""
        return {port: joined.fork for port, joined in self._joined.items()}

    # --- in and out

    def check(
        self, station: Leg, ports: tuple[str, ...], sides: tuple[Side | None, ...], call: Call, now: float
    ) -> None:
        """Whether all these ports could be joined; None: whichever side is free.

        Raises Refused: resourceBusy, invalidConnectionState, conferenceMemberLimitExceeded.
        """
        for port in ports:
            if port in self._joined or self._stuck.get(port, now) > now:
                raise Refused("resourceBusy")
        if len(set(ports)) < len(ports):
            raise Refused("resourceBusy")
        if station.state is not LocalState.CONNECTED:
            raise Refused("invalidConnectionState")
        taken = {joined.meant for joined in self._of(station.device, call)}
        for side in sides:
            if len(taken) == len(Side) or side in taken:
                raise Refused("conferenceMemberLimitExceeded")
            taken.add(side or self._free_side(taken))

    def join(self, call: Call, station: Leg, port: Leg, silent: bool, now: float, side: Side | None = None) -> Fork:
        """Put a port into a station's call; without a side it gets a free one. Raises Refused as check() does."""
        self.check(station, (port.device,), (side,), call, now)
        partners = list(self._of(station.device, call))
        meant = side or self._free_side({joined.meant for joined in partners})
        pair = partners[0].pair if partners else self._begin_pair(call, station.device, port.device, now)
        carried = _OPPOSITE[meant] if pair.swapped else meant
        fork = Fork(port.device, station.device, carried, call.id.hex())
        cause = Cause.SILENT_PARTICIPATION if silent else Cause.SINGLE_STEP_CONFERENCE
        dead = self.faults.dead(call, station.device, port.device, now)
        call.legs[port.device] = port
        self._joined[port.device] = _Joined(fork, call, station, cause, pair, meant, dead)
        self.truth.fork_began(call, fork, now, dead=dead)
        if dead:
            self._played(call, "dead", fork, now)
        if pair.swapped:
            self._played(call, "swapped", fork, now)
        self.reporter.fork_joined(now, call, port, station, cause=cause)
        return fork

    def end(self, port: str, now: float, reason: str = "released", *, told: bool = True) -> None:
        """Take a port out of its call: it is free again, unless it gets stuck."""
        joined = self._joined.pop(port)
        leg = joined.call.legs.pop(port)
        self.truth.fork_ended(port, now, reason)
        self.truth.port_left(port, now)
        seized = self.faults.stuck(joined.call, joined.fork.station, port, now)
        if seized is not None:
            self._stuck[port] = now + seized
            self._played(joined.call, "stuck", joined.fork, now, f"{seized:.3f} s")
        if told:
            self.reporter.fork_left(now, joined.call, leg, joined.station, joined.participation_cause)
        else:
            self.reporter.version += 1

    # --- what becomes of a station's calls

    def station_left(self, call: Call, station: str, now: float) -> None:
        """The station has no connection in this call any more."""
        for port, joined in list(self._joined.items()):
            if joined.fork.station != station:
                continue
            if self._follows_station and joined.call.thread is not call.thread:
                self._silence(joined, False, now)
            elif joined.call is call:
                other = self.other_call(call, station) if self._follows_station else None
                if other is None:
                    self.end(port, now, "call")
                else:
                    self._follow(joined, other, now)

    def call_replaced(self, old: Call, new: Call) -> list[Moved]:
        """A transfer or conference made `new` of `old`; forks of stations that are still there go with them."""
        moved = []
        for port, joined in self._joined.items():
            if joined.call is old and joined.fork.station in new.legs:
                new.legs[port] = old.legs.pop(port)
                self._place(joined, new)
                moved.append((old, new.legs[port]))
        return moved

    def station_changed(self, call: Call, station: Leg, now: float) -> None:
        """Held, retrieved or answered: a fork is silent while its station is somewhere else, and goes on afterwards."""
        connected = station.state is LocalState.CONNECTED
        for joined in self._joined.values():
            if joined.fork.station != station.device:
                continue
            if self._follows_station and joined.call.thread is not call.thread:
                self._silence(joined, connected, now)
            elif joined.call is call if not self._follows_station else connected:
                self._silence(joined, not connected, now)

    def _silence(self, joined: _Joined, silenced: bool, now: float) -> None:
        if joined.silenced == silenced:
            return
        joined.silenced = silenced
        self.reporter.version += 1
        if silenced:
            self.truth.fork_ended(joined.fork.port, now, "held")
        else:
            self.truth.fork_began(joined.call, joined.fork, now, dead=joined.dead)

    # --- forks that get lost

    @property
    def deadline(self) -> float | None:
        """When the PBX ends a fork by itself."""
        return min((loss.at for loss in self._losses()), default=None)

    def run(self, now: float) -> None:
        """End what is due."""
        for port, joined in list(self._joined.items()):
            loss = joined.pair.loss
            if loss is None or loss.at > now or joined.fork.port not in self._joined:
                continue
            if loss.side in (None, joined.meant):
                self._played(joined.call, "lost", joined.fork, now, "told" if loss.told else "silently")
                self.end(port, now, "lost", told=loss.told)
        for joined in self._joined.values():
            if joined.pair.loss is not None and joined.pair.loss.at <= now:
                joined.pair.loss = None

    def _losses(self) -> Iterator[Loss]:
        return (joined.pair.loss for joined in self._joined.values() if joined.pair.loss is not None)

    # --- details

    @property
    def _follows_station(self) -> bool:
        return self.config.follows == "station"

    def _of(self, station: str, call: Call) -> Iterator[_Joined]:
        """Ports that a station has in this conversation, or in this call when forks belong to calls."""
        for joined in self._joined.values():
            same = joined.call.thread is call.thread if self._follows_station else joined.call is call
            if joined.fork.station == station and same:
                yield joined

    def _free_side(self, taken: set[Side]) -> Side:
        order = (Side.OWN, Side.OTHER) if self.config.order == "own-first" else (Side.OTHER, Side.OWN)
        return next(side for side in order if side not in taken)

    def _begin_pair(self, call: Call, station: str, port: str, now: float) -> _Pair:
        swapped = self.faults.swapped(call, station, port, now)
        return _Pair(swapped, self.faults.loss(call, station, port, now))

    def _played(self, call: Call, kind: str, fork: Fork, now: float, detail: str = "") -> None:
        self.truth.fault(call, PlayedFault(now, kind, fork.station, (fork.port,), detail))

    def _follow(self, joined: _Joined, call: Call, now: float) -> None:
        old = joined.call
        leg = call.legs[joined.fork.port] = old.legs.pop(joined.fork.port)
        self._place(joined, call)
        self.reporter.fork_joined(now, call, leg, joined.station, cause=joined.participation_cause, moved_from=old)

    @staticmethod
    def _place(joined: _Joined, call: Call) -> None:
        fork = joined.fork
        joined.call = call
        joined.station = call.legs[fork.station]
        joined.fork = Fork(fork.port, fork.station, fork.side, call.id.hex())
