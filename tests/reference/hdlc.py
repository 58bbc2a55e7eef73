"""HDLC, bit by bit and slowly, from the text of Q.921 2 and ISO/IEC 13239: the oracle of osrec_drivers.e1.hdlc."""

from dataclasses import dataclass, field

from tests.reference.e1 import Bits, bits_of, octets_of

FLAG = [0, 1, 1, 1, 1, 1, 1, 0]


def fcs16(octets: bytes) -> int:
    """The FCS, its first octet on the line in the low byte; Q.921 2.7."""
    remainder = 0xFFFF
    for octet in octets:
        for i in range(8):
            low = (remainder ^ octet >> i) & 1
            remainder = remainder >> 1 ^ (0x8408 if low else 0)
    return remainder ^ 0xFFFF


def frame_bits(octets: bytes) -> Bits:
    """What stands between the flags, zeros inserted."""
    out: Bits = []
    ones = 0
    for octet in octets + fcs16(octets).to_bytes(2, "little"):
        for i in range(8):
            bit = octet >> i & 1
            out.append(bit)
            ones = ones + 1 if bit else 0
            if ones == 5:
                out.append(0)
                ones = 0
    return out


def slots_of(bits: Bits, *, lsb_first: bool = False) -> bytes:
    """Time slot octets of bits as they are on the line; fewer than eight at the end are dropped."""
    octets = octets_of(bits)
    return turned(octets) if lsb_first else octets


def turned(octets: bytes) -> bytes:
    """Each octet with its bits the other way round."""
    return bytes(int(f"{octet:08b}"[::-1], 2) for octet in octets)


@dataclass
class SlowDecoder:
    """Bits in; `found` is (end, octets, error) of each frame and each error."""

    shortest: int = 2
    longest: int = 264
    lsb_first: bool = False
    found: list[tuple[int, bytes, str | None]] = field(default_factory=list)
    inside: bool = False
    frame: Bits = field(default_factory=list)
    ones: int = 0

    def feed(self, octets: bytes) -> None:
        """The whole stream; may be called once."""
        for i, bit in enumerate(bits_of(turned(octets) if self.lsb_first else octets)):
            self._take(bit, i // 8)

    def _take(self, bit: int, position: int) -> None:
        ones, self.ones = self.ones, self.ones + 1 if bit else 0
        if ones == 6 and not bit:
            self._flag(position)
        elif ones == 6:
            if self.inside and len(self.frame) > 7:
                self._tell(position, "abort")
            self.inside, self.frame = False, []
        elif self.inside and not (ones == 5 and not bit):
            self.frame.append(bit)
            if len(self.frame) > 8 * (self.longest + 2) + 7:
                self.found.append((position, self._octets()[: self.longest + 2], "long"))
                self.inside, self.frame = False, []

    def _flag(self, position: int) -> None:
        if self.inside and len(self.frame) > 7:
            octets = self._octets()
            if len(octets) < self.shortest + 2:
                self._tell(position, "short")
            elif (len(self.frame) - 7) % 8:
                self._tell(position, "octets")
            elif fcs16(octets[:-2]).to_bytes(2, "little") != octets[-2:]:
                self._tell(position, "fcs")
            else:
                self.found.append((position, octets[:-2], None))
        self.inside, self.frame = True, []

    def _tell(self, position: int, error: str) -> None:
        self.found.append((position, self._octets(), error))

    def _octets(self) -> bytes:
        bits = self.frame[: max(0, len(self.frame) - 7)]  # without 0111111, the begin of a flag
        return turned(octets_of(bits))
