"""Recorder ports: which port carries which side of which station, for how long (csta.md 1.8, hypotheses H1 and H2)."""

from collections.abc import Callable
from dataclasses import dataclass

from osrec.wire.csta.model import ErrorCategory, LocalState
from osrec_emulators.pbx.calls import Call, Cause, Leg
from osrec_emulators.pbx.config import ForkConfig
from osrec_emulators.pbx.media import Fork, Side
from osrec_emulators.pbx.reporter import Moved, Reporter
from osrec_emulators.pbx.truth import Truth


class Refused(Exception):  # noqa: N818, an answer to a client and no failure of ours
    """A request that the PBX refuses, as ECMA-285 UniversalFailure says it."""

    def __init__(self, category: ErrorCategory, value: int) -> None:
        super().__init__(f"{category.name} {value}")
        self.category = category
        self.value = value


# Values of UniversalFailure's alternatives, ECMA-285 (csta.md 2.7)
INVALID_CONNECTION_STATE = 25
RESOURCE_BUSY = 2
CONFERENCE_MEMBER_LIMIT = 8


@dataclass(slots=True)
class _Joined:
    """A port in a call. `silenced`: it carries nothing, since the station holds the call."""

    fork: Fork
    call: Call
    station: Leg
    participation_cause: int
    silenced: bool = False


class Forks:
    """The recorder's ports and what they carry."""

    def __init__(
        self,
        config: ForkConfig,
        reporter: Reporter,
        truth: Truth,
        other_call: Callable[[Call, str], Call | None],
    ) -> None:
        self._order = (Side.OWN, Side.OTHER) if config.order == "own-first" else (Side.OTHER, Side.OWN)
        self._follows_station = config.follows == "station"
        self._reporter = reporter
        self._truth = truth
        self._other_call = other_call
        self._joined: dict[str, _Joined] = {}

    @property
    def running(self) -> dict[str, Fork]:
        """Forks that carry audio now, by port."""
        return {port: joined.fork for port, joined in self._joined.items() if not joined.silenced}

    @property
    def joined(self) -> dict[str, Fork]:
        """All ports that are in a call."""
        return {port: joined.fork for port, joined in self._joined.items()}

    def join(self, call: Call, station: Leg, port: Leg, silent: bool, now: float) -> Fork:
        """Put a port into a station's call.

        Raises Refused: resourceBusy, invalidConnectionState, conferenceMemberLimitExceeded when both sides are taken.
        """
        if port.device in self._joined:
            raise Refused(ErrorCategory.SYSTEM_RESOURCE, RESOURCE_BUSY)
        if station.state is not LocalState.CONNECTED:
            raise Refused(ErrorCategory.STATE_INCOMPATIBILITY, INVALID_CONNECTION_STATE)
        taken = {
            joined.fork.side
            for joined in self._joined.values()
            if joined.fork.station == station.device and (self._follows_station or joined.call is call)
        }
        free = [side for side in self._order if side not in taken]
        if not free:
            raise Refused(ErrorCategory.SYSTEM_RESOURCE, CONFERENCE_MEMBER_LIMIT)
        fork = Fork(port.device, station.device, free[0], call.id.hex())
        cause = Cause.SILENT_PARTICIPATION if silent else Cause.SINGLE_STEP_CONFERENCE
        call.legs[port.device] = port
        self._joined[port.device] = _Joined(fork, call, station, cause)
        self._truth.fork_began(call, fork, now)
        self._reporter.fork_joined(now, call, port, station, cause=cause)
        return fork

    def end(self, port: str, now: float) -> None:
        """Take a port out of its call: it is free again."""
        joined = self._joined.pop(port)
        leg = joined.call.legs.pop(port)
        self._truth.fork_ended(joined.call, port, now)
        self._reporter.fork_left(now, joined.call, leg, joined.station, joined.participation_cause)

    def station_left(self, call: Call, station: str, now: float) -> None:
        """The station has no connection in this call any more."""
        for port, joined in list(self._joined.items()):
            if joined.call is call and joined.fork.station == station:
                other = self._other_call(call, station) if self._follows_station else None
                if other is None:
                    self.end(port, now)
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
        """Held or retrieved: a fork that belongs to the call stops and goes on with it."""
        if self._follows_station:
            return
        silenced = station.state is not LocalState.CONNECTED
        for port, joined in self._joined.items():
            if joined.call is call and joined.fork.station == station.device and joined.silenced != silenced:
                joined.silenced = silenced
                if silenced:
                    self._truth.fork_ended(call, port, now)
                else:
                    self._truth.fork_began(call, joined.fork, now)

    def _follow(self, joined: _Joined, call: Call, now: float) -> None:
        old = joined.call
        leg = call.legs[joined.fork.port] = old.legs.pop(joined.fork.port)
        self._place(joined, call)
        self._reporter.fork_joined(now, call, leg, joined.station, cause=joined.participation_cause, moved_from=old)

    @staticmethod
    def _place(joined: _Joined, call: Call) -> None:
        fork = joined.fork
        joined.call = call
        joined.station = call.legs[fork.station]
        joined.fork = Fork(fork.port, fork.station, fork.side, call.id.hex())
