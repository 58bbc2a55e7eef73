"""What goes wrong with the bits of a line, as data: from which frame on, for how many, and again how often."""

from dataclasses import dataclass
from enum import Enum


class What(Enum):
    """Kinds of damage. Those marked * are what the far end's equipment does: the CRC-4 is right all the same."""

    LOS = "los"  # nothing but zeros
    AIS = "ais"  # nothing but ones
    LOF = "lof"  # FAS is wrong, all else is there
    NFAS = "nfas"  # bit 2 of the frames without FAS is 0, all else is there
    NO_MULTIFRAME = "no_multiframe"  # the CRC-4 multiframe alignment signal is wrong
    BIT_ERRORS = "bit_errors"  # `rate` of all bits are inverted
    CRC_ERRORS = "crc_errors"  # `rate` of the CRC-4 blocks have a wrong C1
    CRC_OFF = "crc_off"  # * no CRC-4: bit 1 of TS0 is 1
    RAI = "rai"  # * A bit 1: "I do not receive you"
    E_BITS = "e_bits"  # * `rate` of the E bits are 0: "a block of yours was errored"
    AIS16 = "ais16"  # * nothing but ones in time slot 16: no D channel, or CAS cut off
    ZEROS16 = "zeros16"  # * nothing but zeros in time slot 16
    NO_CAS = "no_cas"  # * the CAS multiframe alignment signal is wrong
    RAI16 = "rai16"  # * bit 6 of frame 0 of the CAS multiframe: "I have no multiframe of yours"
    DROPPED = "dropped"  # `octets` of the line get lost, once
    REPEATED = "repeated"  # `octets` of the line come twice, once


BY_EQUIPMENT = {What.CRC_OFF, What.RAI, What.E_BITS, What.AIS16, What.ZEROS16, What.NO_CAS, What.RAI16}
ONCE = {What.DROPPED, What.REPEATED}


@dataclass(frozen=True, slots=True)
class LineFault:
    """One fault of a line; frames are counted from 0 since the line was opened.

    Attributes:
        first, count: the frames that are struck; a fault of a moment strikes at `first`.
        every: again so many frames later, None: never.
        rate: of bits, blocks or E bits, for the kinds that have one.
        octets: that get lost or come twice; 32 are a whole frame.
        seed: of the dice.
    """

    what: What
    first: int
    count: int = 1
    every: int | None = None
    rate: float = 1.0
    octets: int = 32
    seed: int = 1

    def strikes(self, frame: int) -> bool:
        """Whether a frame is struck."""
        since = frame - self.first
        if since < 0:
            return False
        return (since if self.every is None else since % self.every) < self.count

    def changes_after(self, frame: int) -> int | None:
        """The next frame at which that is otherwise, None when never again."""
        since = frame - self.first
        if since < 0:
            return self.first
        phase = since if self.every is None else since % self.every
        if phase < self.count:
            return frame + self.count - phase
        return None if self.every is None else frame + self.every - phase
