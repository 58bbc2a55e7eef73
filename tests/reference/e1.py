"""The framing of E1, bit by bit and slowly, from the text of G.704 and G.706: the oracle of osrec_drivers.e1."""

from dataclasses import dataclass, field

Bits = list[int]
FAS = [0, 0, 1, 1, 0, 1, 1]  # bits 2..8, G.704 table 5A
MFAS = [0, 0, 1, 0, 1, 1]


def bits_of(octets: bytes) -> Bits:
    return [octet >> 7 - bit & 1 for octet in octets for bit in range(8)]


def octets_of(bits: Bits) -> bytes:
    whole = len(bits) // 8
    return bytes(int("".join(map(str, bits[8 * i : 8 * i + 8])), 2) for i in range(whole))


def crc4(bits: Bits) -> int:
    """Remainder of the bits times x^4 divided by x^4 + x + 1."""
    remainder = 0
    for bit in [*bits, 0, 0, 0, 0]:
        remainder = remainder << 1 | bit
        if remainder & 16:
            remainder ^= 0b10011
    return remainder


def send(frames: bytes, *, with_crc4: bool = True, a_bit: int = 0, e_bit: int = 1) -> bytes:
    """Line octets of frames, TS0 written, from the first frame of a multiframe on."""
    out: list[Bits] = []
    previous = 0
    for n in range(len(frames) // 32):
        bits = bits_of(frames[32 * n : 32 * n + 32])
        bits[0:8] = [1, *FAS] if n % 2 == 0 else [1, 1, a_bit, 1, 1, 1, 1, 1]
        if with_crc4:
            if n % 8 == 0 and n:
                previous = _remainder(out[n - 8 : n])
            mf = n % 16
            if mf % 2 == 0:
                bits[0] = previous >> (3 - mf % 8 // 2) & 1
            else:
                bits[0] = MFAS[mf // 2] if mf < 12 else e_bit
        out.append(bits)
    return octets_of([bit for bits in out for bit in bits])


def _remainder(frames: list[Bits]) -> int:
    cleared = [[0, *frame[1:]] if i % 2 == 0 else frame for i, frame in enumerate(frames)]
    return crc4([bit for frame in cleared for bit in frame])


@dataclass
class SlowFramer:
    """All bits at once. `frames` maps the frame number (bit position // 256) to the frame's octets."""

    crc4: bool = True
    frames: dict[int, bytes] = field(default_factory=dict)
    aligned: bool = False
    crc_multiframe: bool = False
    fas_errors: int = 0
    crc_errors: int = 0
    remote_crc_errors: int = 0
    losses: int = 0

    def feed(self, octets: bytes) -> None:
        """The whole stream; may be called once."""
        bits = bits_of(octets[: len(octets) // 32 * 32])  # the receiver works in units of 32 octets
        at = known = 0
        while (found := self._hunt(bits, at)) is not None:
            before = found - 256
            back = before >= known and before // 256 not in self.frames and bits[before + 1] == 1
            back = back and bits[before : before + 256].count(0) > 3  # else it may be AIS
            at = known = self._follow(bits, before if back else found, nfas=back)
            if self.aligned:
                return

    @staticmethod
    def _hunt(bits: Bits, at: int) -> int | None:
        for p in range(at, len(bits) - 519):
            if bits[p + 1 : p + 8] == FAS and bits[p + 257] == 1 and bits[p + 513 : p + 520] == FAS:
                return p
        return None

    def _follow(self, bits: Bits, at: int, *, nfas: bool) -> int:
        self.aligned, self.crc_multiframe = True, False
        bad = {False: 0, True: 0}
        doubtful: list[int] = []
        run: list[Bits] = []  # since alignment
        while at + 256 <= len(bits):
            frame = bits[at : at + 256]
            run.append(frame)
            good = frame[1] == 1 if nfas else frame[1:8] == FAS
            self.fas_errors += not good and not nfas
            bad[nfas] = 0 if good else bad[nfas] + 1
            doubtful = [*doubtful, at // 256] if any(bad.values()) else []
            self.frames[at // 256] = octets_of(frame)
            at += 256
            if bad[nfas] == 3:
                self.aligned = False
                self.losses += 1
                for n in doubtful:
                    del self.frames[n]
                at += 1
                break
            nfas = not nfas
        else:
            for n in doubtful:
                del self.frames[n]
        if self.crc4:
            self._multiframe(run, first_is_nfas=run[0][1:8] != FAS)
        return at

    def _multiframe(self, run: list[Bits], *, first_is_nfas: bool) -> None:
        """Find the multiframe, then check every sub-multiframe whose C bits came whole."""
        ends = [
            i
            for i in range(10, len(run))
            if i % 2 != first_is_nfas and [run[i - 10 + 2 * k][0] for k in range(6)] == MFAS
        ]
        gained = next((b for b in ends if any((b - a) % 16 == 0 and 0 < b - a <= 64 for a in ends)), None)
        self.crc_multiframe = gained is not None and self.aligned
        if gained is None:
            return
        self.remote_crc_errors += sum(
            run[i][0] == 0 for i in range(gained + 1, len(run)) if (i - gained - 1) % 16 in (1, 3)
        )  # frames 13 and 15; `gained` is frame 11
        start = gained + 5  # frame 0 of the next multiframe
        for first in range(start, len(run) - 15, 8):
            sent = [run[first + 8 + k][0] for k in (0, 2, 4, 6)]
            self.crc_errors += crc4_bits(_remainder(run[first : first + 8])) != sent


def crc4_bits(remainder: int) -> Bits:
    return [remainder >> k & 1 for k in (3, 2, 1, 0)]
