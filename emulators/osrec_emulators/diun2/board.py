"""A trunk board for the recorder: two E1 ports whose channels carry forks, and idle otherwise. Octets in, octets out.

The line that the frames go to writes time slot 0 (FAS, NFAS, CRC-4, E and A bits) itself. Time slot 16 is idle:
recorder trunks have nailed slots, which slot carries which call is told over CSTA alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osrec_drivers.line import IDLE, SLOTS, Alarm
from osrec_emulators.audio.alaw import Octets
from osrec_emulators.audio.plane import Block
from osrec_emulators.diun2.faults import Faults, TimeSlot
from osrec_emulators.pbx.media import Fork


@dataclass(frozen=True, slots=True)
class Carried:
    """A fork on the time slot where it comes out."""

    fork: Fork
    at: TimeSlot


@dataclass(frozen=True, slots=True)
class PortState:
    """One E1 port as its two lamps would show it.

    Attributes:
        sent: frames sent since the board was started.
        forks: time slots in use.
        alarms: of the receive side.
    """

    line: str
    sent: int
    forks: int
    alarms: frozenset[Alarm]


@dataclass(frozen=True, slots=True)
class _Wiring:
    """Which row of a block goes to which slot of one line."""

    rows: NDArray[np.intp]
    slots: NDArray[np.intp]


class Board:
    """One board.

    Attributes:
        name: as configured.
        layout: the time slot of each recorder port.
        sent: frames sent since the start, the same on each line.
        carried: the forks of the last block that are on this board.
    """

    def __init__(
        self, name: str, lines: Sequence[str], layout: Mapping[str, TimeSlot], faults: Faults | None = None
    ) -> None:
        self.name = name
        self.lines = tuple(lines)
        self.layout = dict(layout)
        self.faults = faults or Faults()
        self.sent = 0
        self.carried: tuple[Carried, ...] = ()
        self._alarms: list[frozenset[Alarm]] = [frozenset() for _ in lines]
        self._forks: tuple[Fork, ...] = ()
        self._wirings = [_Wiring(np.empty(0, np.intp), np.empty(0, np.intp)) for _ in lines]

    def frames(self, block: Block) -> list[Octets]:
        """For each line the next frames, n x 32, with the block's forks on their slots."""
        if block.forks is not self._forks:
            self._wire(block.forks)
        self.sent += block.count
        return [self._line(index, block) for index in range(len(self.lines))]

    def idle(self, slot: TimeSlot) -> int:
        """What a time slot sends outside forks."""
        return self.faults.stuck.get(slot, IDLE)

    def hear(self, line: int, alarms: frozenset[Alarm]) -> None:
        """Take what the receive side of a line says."""
        self._alarms[line] = alarms

    @property
    def state(self) -> tuple[PortState, ...]:
        """What a person would see, line by line."""
        return tuple(
            PortState(line, self.sent, len(self._wirings[index].slots), self._alarms[index])
            for index, line in enumerate(self.lines)
        )

    def _wire(self, forks: tuple[Fork, ...]) -> None:
        self._forks = forks
        rows = [row for row, fork in enumerate(forks) if fork.port in self.layout]
        self.carried = tuple(Carried(forks[row], self.faults.wired(self.layout[forks[row].port])) for row in rows)
        places = list(zip(rows, (carried.at for carried in self.carried), strict=True))
        self._wirings = [
            _Wiring(
                np.array([row for row, at in places if at.line == line], np.intp),
                np.array([at.slot for _, at in places if at.line == line], np.intp),
            )
            for line in range(len(self.lines))
        ]

    def _line(self, line: int, block: Block) -> Octets:
        frames = np.full((block.count, SLOTS), IDLE, np.uint8)
        wiring = self._wirings[line]
        frames[:, wiring.slots] = block.octets[wiring.rows].T
        for at in self.faults.mute:
            if at.line == line:
                frames[:, at.slot] = IDLE
        for at, octet in self.faults.stuck.items():
            if at.line == line:
                frames[:, at.slot] = octet
        return frames
