"""What goes wrong on a board, as data; the default board is healthy."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from osrec_drivers.line import IDLE
from osrec_emulators.diun2.line_faults import LineFault


@dataclass(frozen=True, slots=True, order=True)
class TimeSlot:
    """A channel of a board: its line, 0 or 1, and the slot, 0..31."""

    line: int
    slot: int


@dataclass(frozen=True, slots=True)
class Faults:
    """What is wrong with the board's time slots.

    Attributes:
        mute: time slots on which forks carry nothing but idle.
        stuck: time slots that send one octet for ever, forked or not.
        swap: pairs of time slots that are wired crosswise: each carries what is meant for the other.
        idle: what all time slots send outside forks, and muted ones in them.
        ppm: how much faster the board's clock is than the PBX's: then its frames slip against what is said.
        lines: of the bits that leave each line, by its number.
    """

    mute: frozenset[TimeSlot] = frozenset()
    stuck: Mapping[TimeSlot, int] = field(default_factory=dict)
    swap: tuple[tuple[TimeSlot, TimeSlot], ...] = ()
    idle: int = IDLE
    ppm: float = 0.0
    lines: Mapping[int, tuple[LineFault, ...]] = field(default_factory=dict)

    @property
    def touched(self) -> frozenset[TimeSlot]:
        """All time slots with something wrong."""
        return self.mute | self.stuck.keys() | {at for pair in self.swap for at in pair}

    def wired(self, slot: TimeSlot) -> TimeSlot:
        """Where the octets meant for a time slot come out."""
        for one, other in self.swap:
            if slot in (one, other):
                return other if slot == one else one
        return slot
