"""HDB3, mark by mark and slowly, from the text of G.703 annex A: the oracle of osrec_drivers.e1.hdb3."""

from dataclasses import dataclass

from tests.reference.e1 import Bits, bits_of, octets_of

Marks = list[int]  # 1, 0 or -1 a bit


def encode(octets: bytes) -> Marks:
    """The first mark is positive, and counting begins as if a violation had just been."""
    marks: Marks = []
    last, since, zeros = -1, 0, 0
    for bit in bits_of(octets):
        if bit:
            last, since, zeros = -last, since + 1, 0
            marks.append(last)
            continue
        marks.append(0)
        zeros += 1
        if zeros == 4:
            if since % 2 == 0:  # B00V
                last = -last
                marks[-4] = last
            marks[-1] = last
            since = zeros = 0
    return marks


def planes(marks: Marks) -> tuple[bytes, bytes]:
    return octets_of([int(mark > 0) for mark in marks]), octets_of([int(mark < 0) for mark in marks])


@dataclass
class SlowDecoder:
    """All marks at once; `both` marks count as one that alternates."""

    code_errors: int = 0
    violations: int = 0
    zero_runs: int = 0
    both: int = 0

    def decode(self, positive: bytes, negative: bytes) -> bytes:
        bits: Bits = []
        raw: Bits = []
        last = last_violation = 0
        for p, n in zip(bits_of(positive), bits_of(negative), strict=True):
            self.both += p & n
            mark = (-last or 1) if p and n else p - n
            bits.append(abs(mark))
            raw.append(abs(mark))
            self.zero_runs += raw[-5:] == [1, 0, 0, 0, 0]
            if mark and mark == last:
                if raw[-3:] in ([0, 0, 1], [0, 1], [1]) and not any(raw[-3:-1]):
                    good = last_violation in (0, -mark)
                    self.violations += good
                    self.code_errors += not good
                    last_violation = mark
                    bits[-1] = 0
                    if len(bits) > 3:
                        bits[-4] = 0
                else:
                    self.code_errors += 1
            last = mark or last
        return octets_of(bits)
