"""The framing of E1, bit by bit and slowly, from the text of G.704, G.706 and G.775: the oracle of osrec_drivers.e1."""

from collections.abc import Iterator
from dataclasses import dataclass, field

Bits = list[int]
FAS = [0, 0, 1, 1, 0, 1, 1]  # bits 2..8, G.704 table 5A
MFAS = [0, 0, 1, 0, 1, 1]
DOUBLE = 512  # bits of a double frame
UNIT = 256  # bits that the receiver looks at for LOS and AIS before it looks for frames in them


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


def send(frames: bytes, *, with_crc4: bool = True, a_bit: int = 0, e_bit: int = 1, sa: int = 31) -> bytes:
    """Line octets of frames, TS0 written, from the first frame of a multiframe on."""
    out: list[Bits] = []
    previous = 0
    for n in range(len(frames) // 32):
        bits = bits_of(frames[32 * n : 32 * n + 32])
        bits[0:8] = [1, *FAS] if n % 2 == 0 else [1, 1, a_bit, *(sa >> k & 1 for k in (4, 3, 2, 1, 0))]
        if with_crc4:
            if n % 8 == 0 and n:
                previous = remainder_of(out[n - 8 : n])
            mf = n % 16
            if mf % 2 == 0:
                bits[0] = previous >> (3 - mf % 8 // 2) & 1
            else:
                bits[0] = MFAS[mf // 2] if mf < 12 else e_bit
        out.append(bits)
    return octets_of([bit for bits in out for bit in bits])


def remainder_of(frames: list[Bits]) -> int:
    """CRC-4 of a sub-multiframe, its C bits taken as 0, G.704 2.3.3.5."""
    cleared = [[0, *frame[1:]] if i % 2 == 0 else frame for i, frame in enumerate(frames)]
    return crc4([bit for frame in cleared for bit in frame])


@dataclass
class MfasSearch:
    """Bit 1 of the frames without FAS since alignment, G.706 4.2."""

    counted: int = 0
    history: Bits = field(default_factory=list)
    ends: list[int] = field(default_factory=list)

    def found(self, bit: int) -> bool:
        """Whether this bit ends the second MFAS within 8 ms, a multiple of 2 ms behind the first."""
        self.history.append(bit)
        if self.history[-6:] != MFAS:
            return False
        again = any((self.counted - end) % 16 == 0 and self.counted - end <= 64 for end in self.ends)
        self.ends.append(self.counted)
        return again


@dataclass
class Run:
    """Frames followed from one alignment on; `at` is the bit where the next begins."""

    at: int
    nfas: bool
    bad: dict[bool, int] = field(default_factory=lambda: {False: 0, True: 0})
    mfas: MfasSearch = field(default_factory=MfasSearch)

    def check(self, octet: Bits) -> bool:
        """Whether the alignment signal is right; three wrong ones of a kind in a row are the end, G.706 4.1.1."""
        good = octet[1] == 1 if self.nfas else octet[1:8] == FAS
        self.bad[self.nfas] = 0 if good else self.bad[self.nfas] + 1
        return good

    @property
    def lost(self) -> bool:
        return max(self.bad.values()) >= 3


@dataclass
class Multiframe:
    """The CRC-4 multiframe: `mf` is the number of the next frame in it."""

    mf: int = 12
    frames: list[Bits] | None = None  # of the sub-multiframe, if all of it was seen
    previous: int | None = None  # remainder of the one before, if it was whole


class SlowFramer:
    """A line's receiver. `frames` maps a frame number (bit position // 256) to the frame's octets.

    Attributes:
        changes: alarms (name, raised, frame number), as they came and went.
        position: number of the next frame, given out or missing.
    """

    def __init__(self, *, crc4: bool = True) -> None:
        self.crc4 = crc4
        self.bits: Bits = []
        self.frames: dict[int, bytes] = {}
        self.doubtful: list[int] = []
        self.position = 0
        self.changes: list[tuple[str, bool, int]] = []
        self.alarms: set[str] = set()
        self.fas_errors = self.bit2_errors = self.crc_errors = self.remote_crc_errors = self.losses = self.slips = 0
        self.sa: int | None = None
        self.interworking = False
        self.run: Run | None = None
        self.multiframe: Multiframe | None = None
        self._hunt_from = self._known_from = self._hunted = 0
        self._lost_fas: int | None = None
        self._a = self._a_run = 0
        self._sa_seen: list[int] = []
        self._overdue = False
        self._blocks: list[bool] = []
        self._beside: Run | int | None = None  # a candidate, or the next position to search
        self._detectors = Detectors()

    @property
    def aligned(self) -> bool:
        return self.run is not None

    @property
    def crc_multiframe(self) -> bool:
        return self.multiframe is not None

    def feed(self, octets: bytes) -> None:
        """Whole units of 32 octets count; the rest waits."""
        line = bits_of(octets)
        for first in range(0, len(line) - UNIT + 1, UNIT):
            for bit in self._detectors.take(line[first : first + UNIT], first):
                self._update(bit // 256)
            self.bits += line[first : first + UNIT]
            while self._follow() if self.run else self._hunt():
                pass

    def sure(self) -> bytes:
        """What has been given out and cannot be taken back."""
        return b"".join(self.frames[n] for n in sorted(self.frames) if n not in self.doubtful)

    # ---- alarms ----

    def _update(self, frame: int) -> None:
        now = set()
        if self._detectors.los:
            now.add("los")
        elif self._detectors.ais:
            now.add("ais")
        elif not self.run and (self.losses or self.position - self._hunted >= 8):
            now.add("lof")
        if self._detectors.los or self._detectors.ais:
            self._lost_fas = None
        now |= {"rai"} if self._a else set()
        now |= {"lmfa"} if self._overdue else set()
        for alarm in ("los", "lof", "ais", "rai", "lmfa"):
            if (alarm in now) != (alarm in self.alarms):
                self.changes.append((alarm, alarm in now, frame))
        self.alarms = now

    # ---- searching, G.706 4.1.2 ----

    def _is_fas(self, p: int) -> bool:
        bits = self.bits
        return bits[p + 1 : p + 8] == FAS and bits[p + 257] == 1 and bits[p + 513 : p + 520] == FAS

    def _hunt(self) -> bool:
        last = len(self.bits) - 520
        for p in range(self._hunt_from, last + 1):
            if self._is_fas(p):
                self._gain(p)
                return True
        self._hunt_from = max(self._hunt_from, last + 1)
        self._miss_until((self._hunt_from - 256) // 256)
        return False

    def _miss_until(self, frame: int) -> None:
        self.position = max(self.position, frame)
        if not self.run and "lof" not in self.alarms and self.position - self._hunted >= 8:
            self._update(self._hunted + 8)

    def _gain(self, fas: int) -> None:
        before = fas - 256
        frame = self.bits[max(before, 0) : fas]
        back = before >= self._known_from and before // 256 >= self.position
        back = back and frame[1] == 1 and frame.count(0) > 2  # with fewer zeros it may be AIS
        self._miss_until((before if back else fas) // 256)
        self.run = Run(before if back else fas, nfas=back)
        if self._lost_fas is not None and (fas - self._lost_fas) % DOUBLE:
            self.slips += 1
        self._lost_fas = None
        self._update(self.position)

    # ---- following ----

    def _follow(self) -> bool:
        """One frame, if it is there."""
        run = self.run
        assert run is not None
        if run.at + 256 > len(self.bits):
            return False
        frame, number = self.bits[run.at : run.at + 256], run.at // 256
        good, nfas = run.check(frame), run.nfas
        self.fas_errors += not good and not nfas
        self.bit2_errors += not good and nfas
        self.doubtful = [*self.doubtful, number] if any(run.bad.values()) else []
        self.frames[number] = octets_of(frame)
        self.position = number + 1
        run.at += 256
        run.nfas = not nfas
        if good and nfas:
            self._far_bits(frame, number)
        lost = run.lost
        if self.crc4:
            lost |= self._crc4(frame, nfas, number)
        if lost:
            self._lose()
        elif self._overdue and not self.interworking:
            self._search_beside()
        return True

    def _far_bits(self, frame: Bits, number: int) -> None:
        self._a_run = 0 if frame[2] == self._a else self._a_run + 1
        if self._a_run == 3:  # O.162 2.1.4
            self._a, self._a_run = frame[2], 0
            self._update(number + 1)
        self._sa_seen.append(int("".join(map(str, frame[3:8])), 2))
        if len(self._sa_seen) >= 3 and len(set(self._sa_seen[-3:])) == 1:
            self.sa = self._sa_seen[-1]

    def _drop(self) -> None:
        self.losses += 1
        for n in self.doubtful:
            del self.frames[n]
        self.doubtful = []
        self._a = self._a_run = 0
        self.sa, self._sa_seen = None, []
        self.run = self.multiframe = self._beside = None
        self._overdue = self.interworking = False
        self._blocks = []
        self._hunted = self.position

    def _lose(self) -> None:
        assert self.run is not None
        self._lost_fas = self.run.at + (256 if self.run.nfas else 0)
        self._hunt_from = self._known_from = self.run.at + 1
        self._drop()
        self._update(self.position)

    # ---- CRC-4 ----

    def _crc4(self, frame: Bits, nfas: bool, number: int) -> bool:
        """One frame more. Returns whether alignment must be false, G.706 4.3.2."""
        run = self.run
        assert run is not None
        elsewhere = self.multiframe is None or self.multiframe.mf != 11
        is_false = False
        if nfas and run.mfas.found(frame[0]) and elsewhere:
            self.slips += self.multiframe is not None
            self._gain_multiframe(number)
        elif self.multiframe is not None:
            is_false = self._sub_multiframe(self.multiframe, frame)
        run.mfas.counted += 1
        if self.multiframe is None:
            if not self._overdue and run.mfas.counted >= 64:  # 8 ms, G.706 4.2
                self._overdue = True
                self._update(number + 1)
            if run.mfas.counted >= 3200:  # 400 ms, G.706 Annex B
                self.interworking, self._beside = True, None
        return is_false

    def _gain_multiframe(self, number: int) -> None:
        self.multiframe, self._beside = Multiframe(), None
        self._overdue = self.interworking = False
        self._update(number + 1)

    def _sub_multiframe(self, multi: Multiframe, frame: Bits) -> bool:
        if multi.mf in (13, 15):
            self.remote_crc_errors += frame[0] == 0
        if multi.frames is not None:
            multi.frames.append(frame)
        multi.mf = (multi.mf + 1) % 16
        if multi.mf % 8:
            return False
        if multi.frames is not None and multi.previous is not None:
            sent = [multi.frames[k][0] for k in (0, 2, 4, 6)]
            self._blocks.append(sent != [multi.previous >> k & 1 for k in (3, 2, 1, 0)])
            self.crc_errors += self._blocks[-1]
        multi.previous = None if multi.frames is None else remainder_of(multi.frames)
        multi.frames = []
        is_false = sum(self._blocks) >= 915
        if len(self._blocks) == 1000:
            self._blocks = []
        return is_false

    # ---- the search beside frames that lack a multiframe, G.706 4.2 and Annex B ----

    def _search_beside(self) -> None:
        run = self.run
        assert run is not None
        end = run.at
        own = end + (256 if run.nfas else 0)  # where a FAS of the present frames would be
        if self._beside is None:
            self._beside = end - 256 + 1
        while True:
            if isinstance(self._beside, Run):
                if self._beside.at + 256 > end:
                    return
                if self._try(self._beside):
                    return
            elif self._beside + 520 > end:
                return
            elif (self._beside - own) % DOUBLE and self._is_fas(self._beside):
                self._beside = Run(self._beside, nfas=False)
            else:
                self._beside += 1

    def _try(self, candidate: Run) -> bool:
        """Its next frame. Returns whether it was found to be the true one."""
        octet = self.bits[candidate.at : candidate.at + 8]
        found = candidate.nfas and candidate.mfas.found(octet[0])
        candidate.check(octet)
        candidate.mfas.counted += 1
        candidate.nfas = not candidate.nfas
        candidate.at += 256
        if found:
            self._move(candidate)
        elif candidate.lost or candidate.mfas.counted >= 64:
            self._beside = candidate.at - 256 + 1
        return found

    def _move(self, candidate: Run) -> None:
        position = self.position
        self._drop()
        behind = candidate.at // 256 < position
        self.run = Run(candidate.at + 256 * behind, nfas=behind)
        self.multiframe = Multiframe(mf=12 + behind)
        self._update(position)


@dataclass
class Detectors:
    """LOS and AIS, G.775: `take` yields the bit numbers at which one of them changed."""

    los: bool = False
    ais: bool = False
    _zeros: int = 0
    _window: Bits = field(default_factory=list)
    _period: Bits = field(default_factory=list)
    _against: int = 0

    def take(self, unit: Bits, first: int) -> Iterator[int]:
        for n, bit in enumerate(unit, first + 1):
            if self._los_changed(bit):
                yield n
        self._period += unit
        if len(self._period) == DOUBLE:
            ones_only = self._period.count(0) <= 2
            self._period = []
            self._against = 0 if ones_only == self.ais else self._against + 1
            if self._against == 2:
                self.ais, self._against = ones_only, 0
                yield first + len(unit)

    def _los_changed(self, bit: int) -> bool:
        self._zeros = 0 if bit else self._zeros + 1
        if not self.los:
            self.los = self._zeros >= 255
            self._window = []
            return self.los
        self._window.append(bit)
        if sum(self._window) >= 32:
            self.los = False
            return True
        if len(self._window) == 255:
            self._window = []
        return False
