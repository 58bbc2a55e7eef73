"""Carries the signalling of a board between its trunks and its lines."""

from collections.abc import Iterator, Mapping, Sequence

from osrec_drivers.line import DChannel, Line
from osrec_emulators.diun2.board import Board
from osrec_emulators.diun2.trunk_events import (
    CasAligned,
    CasArrived,
    Dialled,
    Due,
    Event,
    Finished,
    FrameArrived,
    HungUp,
    Ports,
    Restart,
    SendCas,
    SendFrame,
    Start,
    Trunk,
    TrunkCall,
)
from osrec_emulators.pbx.media import Fork

Outcome = HungUp | Dialled | Finished


class Signals:
    """The signalling of all lines of a board. Time slot 16 of its lines belongs to it."""

    def __init__(self, board: Board, lines: Sequence[Line]) -> None:
        pairs = enumerate(zip(board.trunks, lines, strict=True))
        self._ends = [_End(number, trunk, line) for number, (trunk, line) in pairs if trunk is not None]

    def start(self, now: float) -> None:
        """Bring the signalling up."""
        for end in self._ends:
            end.handle(Start(), now)

    def restart(self, now: float, slots: tuple[int, ...] = ()) -> None:
        """Restart channels of all lines, or the whole interfaces."""
        for end in self._ends:
            end.handle(Restart(slots), now)

    def step(self, joined: Mapping[str, Fork], now: float) -> list[tuple[int, Outcome]]:
        """Take what came, do what is due, tell of ports that entered or left calls; outcomes by number of the line."""
        return [(end.number, outcome) for end in self._ends for outcome in end.step(joined, now)]

    def calls_left(self) -> list[tuple[int, TrunkCall]]:
        """The calls that are still there when all ends."""
        return [(end.number, call) for end in self._ends for call in end.trunk.unfinished()]


class _End:
    """One trunk on its line."""

    def __init__(self, number: int, trunk: Trunk, line: Line) -> None:
        self.number = number
        self.trunk = trunk
        self._line = line
        self._d_channel: DChannel | None = line.d_channel() if trunk.has_d_channel else None
        self._aligned = False
        self._joined: Mapping[str, Fork] = {}
        self._outcomes: list[Outcome] = []

    def step(self, joined: Mapping[str, Fork], now: float) -> list[Outcome]:
        for event in list(self._arrived()):
            self.handle(event, now)
        if self._joined != joined:
            self._joined = dict(joined)
            self.handle(Ports(self._joined), now)
        if self.trunk.deadline is not None and self.trunk.deadline <= now:
            self.handle(Due(), now)
        outcomes, self._outcomes = self._outcomes, []
        return outcomes

    def handle(self, event: Event, now: float) -> None:
        for output in self.trunk.handle(event, now):
            match output:
                case SendFrame(octets):
                    if self._d_channel is not None:
                        self._d_channel.send(octets)
                case SendCas(slot, abcd):
                    self._line.send_cas(slot, abcd)
                case _:
                    self._outcomes.append(output)

    def _arrived(self) -> Iterator[Event]:
        if self._d_channel is not None:
            yield from (FrameArrived(frame.octets) for frame in self._d_channel.receive() if frame.error is None)
            return
        if (aligned := self._line.cas().aligned) != self._aligned:
            self._aligned = aligned
            yield CasAligned(aligned)
        yield from (CasArrived(change.slot, change.abcd) for change in self._line.cas_changes())
