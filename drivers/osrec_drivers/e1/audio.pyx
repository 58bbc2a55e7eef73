"""Stereo and levels of pairs of A-law time slots, straight from the ring of an Engine.

Cython over C: a line's thirty channels of 20 ms take one call of about a microsecond, and nothing is copied on the way;
thirty calls for 160 octets each would cost ten times that. The oracle is dsp.g711 and numpy, in tests/unit.
"""

import numpy

from libc.stdint cimport int16_t, int64_t, uint8_t, uint64_t
from libc.stdlib cimport free, malloc

from osrec_drivers.e1.engine cimport (
    Engine,
    check_slot,
    e1_ring_oldest,
    e1_wide,
    pthread_mutex_lock,
    pthread_mutex_unlock,
)

from osrec_drivers.errors import LineError


cdef extern from "audio.h" nogil:
    ctypedef struct audio_level:
        uint64_t squares
        unsigned peak
    ctypedef struct audio_sum:
        uint64_t squares
        unsigned code
    void audio_setup()
    void audio_pair(const uint8_t *, const uint8_t *, size_t, int16_t *, audio_sum *, int wide)
    audio_level audio_level_of(const audio_sum *, size_t)

audio_setup()


cdef class LineAudio:
    """Listens to pairs of time slots of a line. Not thread safe; the line may go on meanwhile.

    Args:
        pairs: time slots, left and right.
        portable: without AVX2, which gives the same.

    Attributes:
        pairs: how many.
        peaks: largest magnitude of each channel in the last block, uint16, 0..32256; left before right.
        powers: mean square of each, float64; 0 for no samples.
    """

    cdef Engine _engine
    cdef int *_slots
    cdef readonly size_t pairs
    cdef readonly object peaks
    cdef readonly object powers
    cdef unsigned short[::1] _peaks
    cdef double[::1] _powers
    cdef bint _wide

    def __cinit__(self, Engine engine not None, pairs, *, bint portable=False):
        cdef size_t i
        cdef list slots = [slot for left, right in pairs for slot in (left, right)]
        if not slots:
            raise ValueError("no pairs of time slots: one at least is listened to")
        for slot in slots:
            check_slot(slot)
        self._slots = <int *> malloc(len(slots) * sizeof(int))
        if self._slots == NULL:
            raise MemoryError(f"no memory for {len(slots)} slots")
        for i in range(<size_t> len(slots)):
            self._slots[i] = slots[i]
        self._engine = engine
        self._wide = e1_wide() and not portable
        self.pairs = len(slots) // 2
        self.peaks = numpy.zeros(len(slots), numpy.uint16)
        self.powers = numpy.zeros(len(slots), numpy.float64)
        self._peaks, self._powers = self.peaks, self.powers

    def __dealloc__(self):
        free(self._slots)

    def listen(self, int64_t first, int16_t[:, :, ::1] out not None):
        """Decode samples from number `first` on into `out`, int16 of shape (pairs, count, 2).

        Raises LineError when they are not all in the ring (any more, or yet).
        """
        cdef size_t count = out.shape[1]
        cdef int64_t oldest, head
        cdef bint there
        if <size_t> out.shape[0] != self.pairs or out.shape[2] != 2:
            shape = f"{out.shape[0]} x {out.shape[1]} x {out.shape[2]}"
            raise ValueError(f"out of shape {shape}: it takes {self.pairs} x count x 2")
        with nogil:
            pthread_mutex_lock(&self._engine.c.lock)
            oldest = e1_ring_oldest(&self._engine.c.ring)
            head = self._engine.c.ring.head
            there = oldest <= first and first + <int64_t> count <= head
            if there and count:
                self._listen(first, count, &out[0, 0, 0])
            pthread_mutex_unlock(&self._engine.c.lock)
        if not there:
            last = first + <int64_t> count - 1
            raise LineError(f"samples {first}..{last} asked for: the ring holds {oldest}..{head - 1}")
        if not count:
            self._peaks[:] = 0
            self._powers[:] = 0.0

    cdef void _listen(self, int64_t first, size_t count, int16_t *out) noexcept nogil:
        cdef size_t capacity = self._engine.c.ring.capacity, stride = self._engine.c.ring.stride
        cdef size_t begin = <size_t> first & (capacity - 1), run = capacity - begin, i
        cdef const uint8_t *left
        cdef const uint8_t *right
        cdef audio_sum sums[2]
        cdef audio_level level
        cdef int side
        if run > count:
            run = count
        for i in range(self.pairs):
            left = self._engine.c.ring.slots + self._slots[2 * i] * stride
            right = self._engine.c.ring.slots + self._slots[2 * i + 1] * stride
            sums[0] = sums[1] = audio_sum(0, 0)
            audio_pair(left + begin, right + begin, run, out + 2 * i * count, sums, self._wide)
            audio_pair(left, right, count - run, out + 2 * (i * count + run), sums, self._wide)
            for side in range(2):
                level = audio_level_of(&sums[side], count)
                self._peaks[2 * i + side] = level.peak
                self._powers[2 * i + side] = <double> level.squares / count
