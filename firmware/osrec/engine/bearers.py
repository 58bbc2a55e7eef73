"""Lines with signalling: on which time slot the PBX's call to each of our ports is.

Where the trunk has a D channel or channel associated signalling, the PBX calls a port to put audio on it, and the call
names the slot (Q.931 4.5.13). A pair can be used when both its ports are called, and leased again when both calls are
over. A call to a port that no recording holds is told of, and ended when it is one that the PBX forgot to end.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from osrec.engine.alarms import AlarmCleared, AlarmRaised, Severity
from osrec.engine.messages import HangUp, Output
from osrec.engine.pool import Pair, Port

LATE = 300.0  # seconds after which a call to a port is none that a request of ours has brought about
PATIENCE = 4.0  # seconds that the PBX has to end its calls to ports, and CSTA to tell of the call that they are for


@dataclass(slots=True)
class Seat:
    """The PBX's call to a port.

    Attributes:
        idle_since: since when no recording holds the port, None while one does.
        served: a recording had it, or it comes of a request of ours.
        told: the alarm stands.
    """

    line: str
    slot: int
    idle_since: float | None
    served: bool
    told: bool = False


class Bearers:
    """Of all lines.

    Args:
        signalled: lines that have signalling; on the others a pair's slots are its own at all times.
        pairs: the pool's.
    """

    def __init__(self, signalled: Iterable[str], pairs: Iterable[Pair]) -> None:
        self.signalled = frozenset(signalled)
        self._pairs = tuple(pair for pair in pairs if pair.line in self.signalled)
        self._seats: dict[str, Seat] = {}
        self._freed: dict[tuple[str, int], float] = {}  # when the last call on a slot was over
        self._asked: dict[str, float] = {}  # when the PBX was last asked for something that makes it call a port

    def asked(self, pair: Pair, now: float) -> None:
        """The PBX is asked to fork onto a pair: calls to its ports may come, however late."""
        if pair.line in self.signalled:
            self._asked |= dict.fromkeys((pair.own.number, pair.other.number), now)

    def seize(self, line: str, slot: int, port: str, now: float, *, held: bool) -> None:
        """A call to the port is through, instead of any other. `held`: a recording has leased the port."""
        ours = held or now - self._asked.get(port, now - LATE) < LATE
        self._seats[port] = Seat(line, slot, None if held else now, ours)

    def slot(self, port: str) -> int | None:
        """On which slot a call to the port is."""
        seat = self._seats.get(port)
        return None if seat is None else seat.slot

    def release(self, line: str, port: str, slot: int, now: float) -> list[Output]:
        """The call to the port on that slot is over; the port may have another one by now."""
        self._freed[line, slot] = now
        seat = self._seats.get(port)
        if seat is None or (seat.line, seat.slot) != (line, slot):
            return []
        del self._seats[port]
        return [AlarmCleared(_key(seat))] if seat.told else []

    def left(self, pair: Pair, now: float) -> None:
        """No recording holds the pair any more."""
        for port in (pair.own, pair.other):
            seat = self._seats.get(port.number)
            if seat is not None:
                seat.idle_since, seat.served = now, True

    def carrier(self, pair: Pair) -> tuple[Pair, float] | None:
        """The pair's ports on the slots that their calls have, None: not both have one.

        And the time since when no other call was on either slot: what came since then is of these.
        """
        own, other = self._seats.get(pair.own.number), self._seats.get(pair.other.number)
        if own is None or other is None:
            return None
        ports = Port(own.slot, pair.own.number), Port(other.slot, pair.other.number)
        return Pair(pair.line, *ports), max(self._freed.get((pair.line, port.slot), 0.0) for port in ports)

    def slots(self, pair: Pair) -> tuple[int, ...]:
        """Time slots that carry something of the pair now: its own, where no signalling chooses them."""
        ports = pair.own, pair.other
        if pair.line not in self.signalled:
            return tuple(port.slot for port in ports)
        return tuple(self._seats[port.number].slot for port in ports if port.number in self._seats)

    def lacking(self, pair: Pair) -> list[str]:
        """Ports of a pair that the PBX would have to call and has not; none on a line without signalling."""
        if pair.line not in self.signalled:
            return []
        return [port.number for port in (pair.own, pair.other) if port.number not in self._seats]

    def occupied(self) -> list[Pair]:
        """Pairs with a port in a call: they are not to be leased before it is over."""
        return [pair for pair in self._pairs if not self._seats.keys().isdisjoint((pair.own.number, pair.other.number))]

    @property
    def deadline(self) -> float | None:
        """When `overdue` has something to do."""
        dues = (seat.idle_since for seat in self._seats.values() if not seat.told)
        return min((since + PATIENCE for since in dues if since is not None), default=None)

    def overdue(self, now: float, held: Callable[[str], bool]) -> list[Output]:
        """Calls that have no business here. `held`: whether a recording holds the port."""
        outputs: list[Output] = []
        for port, seat in self._seats.items():
            if held(port):
                seat.idle_since = None
            elif not seat.told and seat.idle_since is not None and now - seat.idle_since >= PATIENCE:
                seat.told = True
                outputs += _tell(port, seat)
        return outputs


def _tell(port: str, seat: Seat) -> list[Output]:
    where = f"slot {seat.slot} of {seat.line}"
    if seat.served:
        text = f"the PBX has not ended its call to port {port} on {where}, whose recording is over: we end it"
        hang_up = [HangUp(seat.line, seat.slot, "its recording is over")]
        return [AlarmRaised(_key(seat), Severity.WARNING, text), *hang_up]
    text = f"the PBX calls port {port} on {where}, and no conversation is reported for it: does its CSTA tell all?"
    return [AlarmRaised(_key(seat), Severity.MAJOR, text)]


def _key(seat: Seat) -> str:
    return f"slot-busy:{seat.line}:{seat.slot}"
