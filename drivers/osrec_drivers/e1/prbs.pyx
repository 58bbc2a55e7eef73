"""Bit error tests with pseudorandom patterns on n x 64 kbit/s: O.151, O.152, O.153.

Cython over C: a register shifted bit by bit in Python takes 60 ms of each second for one time slot. The oracle is
tests/reference/prbs.py.

The octets are those of n time slots in the order of the line: slot by slot, frame by frame, the first bit in the most
significant place. Thresholds of our own: 64 bits without an error behind a whole register of them give synchronism;
103 wrong bits in 512 (one in five; chance alone makes one in two) lose it.
"""

from dataclasses import dataclass
from enum import Enum

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t


cdef extern from "prbs.h" nogil:
    ctypedef struct prbs_pattern:
        unsigned degree
        unsigned period

    ctypedef struct prbs_change:
        int64_t octet
        int synchronised
        int known
        int32_t displacement

    ctypedef struct prbs_checker:
        int synchronised
        int64_t position
        uint64_t octets
        uint64_t errors
        uint64_t losses

    void prbs_pattern_init(prbs_pattern *p, unsigned degree, unsigned tap, int inverted)
    unsigned prbs_generate(const prbs_pattern *p, unsigned phase, uint8_t *out, size_t count)
    size_t prbs_check(
        prbs_checker *c,
        const prbs_pattern *p,
        const uint8_t *octets,
        size_t count,
        prbs_change *change,
        int *changed,
    )


class Pattern(Enum):
    """Name, then the degree of the polynomial, its other tap, and whether the pattern is sent inverted."""

    PRBS_9 = (9, 5, False)  # O.153: 511 bits
    PRBS_11 = (11, 9, False)  # O.152: 2047 bits
    PRBS_15 = (15, 14, True)  # O.151: 32767 bits, inverted

    @property
    def period(self):
        """Bits until it begins again."""
        return (1 << self.value[0]) - 1


cdef prbs_pattern _patterns[3]
cdef dict _NUMBERS = {pattern: number for number, pattern in enumerate(Pattern)}
for _pattern, _number in _NUMBERS.items():
    prbs_pattern_init(&_patterns[<int> _number], _pattern.value[0], _pattern.value[1], _pattern.value[2])


@dataclass(frozen=True, slots=True)
class SyncChange:
    """Synchronism came or went behind so many octets.

    `displacement`: bits by which the pattern now runs ahead of where it was (octets were lost) or, below 0, behind
    (octets were repeated); None for the first synchronism, and when it went.
    """

    octet: int
    synchronised: bool
    displacement: int | None = None


cdef class PrbsGenerator:
    """A source of the pattern; begins as a register of ones goes on."""

    cdef const prbs_pattern *_pattern
    cdef unsigned _phase

    def __cinit__(self, pattern not None):
        self._pattern = &_patterns[<int> _NUMBERS[pattern]]

    def pull(self, Py_ssize_t count):
        """The next `count` octets."""
        if count < 0:
            raise ValueError(f"{count} octets: 0 or more can be pulled")
        cdef bytes out = PyBytes_FromStringAndSize(NULL, count)
        cdef uint8_t *octets = <uint8_t *> PyBytes_AS_STRING(out)
        with nogil:
            self._phase = prbs_generate(self._pattern, self._phase, octets, count)
        return out


cdef class PrbsChecker:
    """Counts wrong bits of the pattern, whatever its phase. Not thread safe.

    Args:
        slots: n of n x 64 kbit/s; a slip of the line moves the pattern by 8 n bits.

    Attributes:
        slips: displacements by whole frames, up to eight of them: what slips of the line make.
    """

    cdef const prbs_pattern *_pattern
    cdef prbs_checker _checker
    cdef readonly int slots
    cdef readonly unsigned long long slips

    def __cinit__(self, pattern not None, *, int slots=1):
        if not 1 <= slots <= 31:
            raise ValueError(f"slots {slots}: n x 64 kbit/s has n from 1 to 31 [G.704]")
        self._pattern = &_patterns[<int> _NUMBERS[pattern]]
        self.slots = slots

    def feed(self, const unsigned char[::1] octets not None):
        """Compare octets; returns where synchronism came or went in them, in order."""
        cdef size_t count = octets.shape[0], done = 0
        cdef const uint8_t *start = &octets[0] if count else NULL
        cdef prbs_change change
        cdef int changed
        cdef list out = []
        while done < count:
            with nogil:
                done += prbs_check(&self._checker, self._pattern, start + done, count - done, &change, &changed)
            if changed:
                displacement = change.displacement if change.known else None
                self._slipped(displacement)
                out.append(SyncChange(change.octet, bool(change.synchronised), displacement))
        return out

    cdef int _slipped(self, displacement) except -1:
        cdef int frame = 8 * self.slots
        if displacement and displacement % frame == 0 and abs(displacement) <= 8 * frame:
            self.slips += 1
        return 0

    @property
    def synchronised(self):
        """Whether the pattern is being followed."""
        return bool(self._checker.synchronised)

    @property
    def position(self):
        """Octets taken since construction."""
        return self._checker.position

    @property
    def bits(self):
        """Bits compared in synchronism; what the 512 bits that lost it and the 512 before counted is taken back."""
        return 8 * self._checker.octets

    @property
    def errors(self):
        """Wrong ones among `bits`."""
        return self._checker.errors

    @property
    def losses(self):
        """Times synchronism was lost."""
        return self._checker.losses
