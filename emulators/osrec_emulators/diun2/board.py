"""A trunk board for the recorder: two E1 ports whose channels carry forks, and idle otherwise. Octets in, octets out.

The line that the frames go to writes time slot 0 (FAS, NFAS, CRC-4, E and A bits) itself, and time slot 16 where that
carries signalling. A port without a trunk has nailed slots: which of them carries which call is told over CSTA alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osrec_drivers.line import SLOTS, Alarm
from osrec_emulators.audio.alaw import Octets
from osrec_emulators.audio.plane import Block
from osrec_emulators.diun2.faults import Faults, TimeSlot
from osrec_emulators.diun2.trunk_events import Trunk
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
        signalling: whether calls can be placed, None on a port without signalling.
    """

    line: str
    sent: int
    forks: int
    alarms: frozenset[Alarm]
    signalling: bool | None = None


@dataclass(frozen=True, slots=True)
class _Wiring:
    """Which row of a block goes to which slot of one line."""

    rows: NDArray[np.intp]
    slots: NDArray[np.intp]


def _slipped(frames: Octets, slip: int) -> Octets:
    """The last frames once more, or without them: a slip before the framing, which it leaves alone."""
    return frames[:slip] if slip < 0 else np.concatenate((frames, frames[-slip:]))


class Board:
    """One board.

    Attributes:
        name: as configured.
        layout: the time slot of each recorder port.
        trunks: the signalling of each line, None where there is none.
        sent: frames sent since the start, the same on each line.
        carried: the forks of the last block that are on this board.
    """

    def __init__(
        self,
        name: str,
        lines: Sequence[str],
        layout: Mapping[str, TimeSlot],
        faults: Faults | None = None,
        trunks: Sequence[Trunk | None] = (),
    ) -> None:
        self.name = name
        self.lines = tuple(lines)
        self.layout = dict(layout)
        self.faults = faults or Faults()
        self.trunks = tuple(trunks) or (None,) * len(self.lines)
        self.sent = 0
        self._ahead = 0.0  # frames, less than one
        self.carried: tuple[Carried, ...] = ()
        self._alarms: list[frozenset[Alarm]] = [frozenset() for _ in lines]
        self._forks: tuple[Fork, ...] = ()
        self._versions: list[int] = []  # of the trunks, when the slots were last wired
        self._wirings = [_Wiring(np.empty(0, np.intp), np.empty(0, np.intp)) for _ in lines]

    def frames(self, block: Block) -> list[Octets]:
        """For each line the next frames, n x 32, with the block's forks on their slots.

        As many as the block has samples, or one fewer or more where a clock that is off has them slip.
        """
        versions = [trunk.version for trunk in self.trunks if trunk is not None]
        if block.forks is not self._forks or versions != self._versions:
            self._versions = versions
            self._wire(block.forks)
        frames = [self._line(index, block) for index in range(len(self.lines))]
        if slip := self._slip(block.count):
            frames = [_slipped(octets, slip) for octets in frames]
        self.sent += block.count + slip
        return frames

    def idle(self, slot: TimeSlot) -> int:
        """What a time slot sends outside forks."""
        return self.faults.stuck.get(slot, self.faults.idle)

    def hear(self, line: int, alarms: frozenset[Alarm]) -> None:
        """Take what the receive side of a line says."""
        self._alarms[line] = alarms

    @property
    def state(self) -> tuple[PortState, ...]:
        """What a person would see, line by line."""
        return tuple(
            PortState(
                line,
                self.sent,
                len(self._wirings[index].slots),
                self._alarms[index],
                None if trunk is None else trunk.up,
            )
            for index, (line, trunk) in enumerate(zip(self.lines, self.trunks, strict=True))
        )

    def _wire(self, forks: tuple[Fork, ...]) -> None:
        self._forks = forks
        found = [(row, at) for row, fork in enumerate(forks) if (at := self._place(fork.port)) is not None]
        self.carried = tuple(Carried(forks[row], self.faults.wired(at)) for row, at in found)
        places = [(row, carried.at) for (row, _), carried in zip(found, self.carried, strict=True)]
        self._wirings = [
            _Wiring(
                np.array([row for row, at in places if at.line == line], np.intp),
                np.array([at.slot for _, at in places if at.line == line], np.intp),
            )
            for line in range(len(self.lines))
        ]

    def _slip(self, count: int) -> int:
        """Frames by which the board gets ahead of the PBX, or behind it, in these: whole ones."""
        self._ahead += count * self.faults.ppm / 1e6
        slip = int(self._ahead)
        self._ahead -= slip
        return slip

    def _place(self, port: str) -> TimeSlot | None:
        """Where a port's fork is to come out now, None while nothing opens a way for it."""
        at = self.layout.get(port)
        trunk = None if at is None else self.trunks[at.line]
        if at is None or trunk is None:
            return at
        slot = trunk.open.get(port)
        return None if slot is None else TimeSlot(at.line, slot)

    def _line(self, line: int, block: Block) -> Octets:
        frames = np.full((block.count, SLOTS), self.faults.idle, np.uint8)
        wiring = self._wirings[line]
        frames[:, wiring.slots] = block.octets[wiring.rows].T
        for at in self.faults.mute:
            if at.line == line:
                frames[:, at.slot] = self.faults.idle
        for at, octet in self.faults.stuck.items():
            if at.line == line:
                frames[:, at.slot] = octet
        return frames
