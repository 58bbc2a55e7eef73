"""What goes wrong on a board, as data; the default board is healthy."""

from collections.abc import Mapping
from dataclasses import dataclass, field


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
    """

    mute: frozenset[TimeSlot] = frozenset()
    stuck: Mapping[TimeSlot, int] = field(default_factory=dict)
    swap: tuple[tuple[TimeSlot, TimeSlot], ...] = ()

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
