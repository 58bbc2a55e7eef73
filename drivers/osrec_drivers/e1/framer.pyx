"""Frame alignment of one E1 line as a value machine: octets in, aligned frames out.

Cython over C because alignment is a matter of single bits: hunting octet by octet in Python costs 20 ms of each second
of a line, CRC-4 bit by bit 150 ms; here both take microseconds. The plain Python oracle is tests/reference/e1.py.
"""

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport int64_t, uint8_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy, memmove

from osrec_drivers.e1.engine cimport (
    criteria_of,
    e1_cause,
    e1_crc4_setup,
    e1_criteria,
    e1_miss,
    e1_receive,
    e1_receiver,
    e1_receiver_open,
    e1_sink,
    e1_wide,
)

from osrec_drivers.e1.criteria import Criteria
from osrec_drivers.e1.engine import ALARMS, CAUSES
from osrec_drivers.line import AlarmChange, Gap

e1_crc4_setup()

ctypedef struct Frames:
    uint8_t *octets
    size_t held  # frames
    size_t sure  # of them, published
    size_t room


cdef void take_frames(void *context, const uint8_t *frames, size_t count) noexcept with gil:
    (<Framer> context)._take(frames, count)


cdef void take_publish(void *context) noexcept with gil:
    (<Framer> context)._out.sure = (<Framer> context)._out.held


cdef void take_gap(void *context, int64_t first, int64_t end, e1_cause cause) noexcept with gil:
    (<Framer> context)._gap(first, end, <int> cause)


cdef void take_change(void *context, unsigned alarm, int raised, int64_t sample) noexcept with gil:
    (<Framer> context)._changes.append(AlarmChange(ALARMS[alarm], bool(raised), sample))


cdef class Framer:
    """Finds the frames in the bits of one line and follows them, with the CRC-4 multiframe and the alarms.

    `portable`: without AVX2, which gives the same.
    """

    cdef e1_receiver _receiver
    cdef Frames _out
    cdef list _changes
    cdef list _gaps

    def __cinit__(self, *, bint crc4=True, criteria=None, bint portable=False):
        cdef e1_criteria limits = criteria_of(Criteria() if criteria is None else criteria)
        e1_receiver_open(&self._receiver, &limits, crc4, 0, e1_wide() and not portable)
        self._receiver.sink = e1_sink(<void *> self, take_frames, take_publish, take_gap, take_change)
        self._changes = []
        self._gaps = []

    def __dealloc__(self):
        free(self._out.octets)

    cdef int _take(self, const uint8_t *frames, size_t count) except -1:
        cdef uint8_t *octets
        if self._out.held + count > self._out.room:
            octets = <uint8_t *> realloc(self._out.octets, 64 * (self._out.held + count))
            if octets == NULL:
                raise MemoryError
            self._out.octets = octets
            self._out.room = 2 * (self._out.held + count)
        memcpy(self._out.octets + 32 * self._out.held, frames, 32 * count)
        self._out.held += count
        return 0

    cdef int _gap(self, int64_t first, int64_t end, int cause) except -1:
        cdef int64_t taken_back = self._receiver.tail - first
        if taken_back > 0:
            self._out.held -= min(<size_t> taken_back, self._out.held - self._out.sure)
        self._out.sure = self._out.held
        cdef object last = self._gaps.pop() if self._gaps else None
        if last is not None and last.first + last.count == first and last.cause is CAUSES[cause]:
            first = last.first
        elif last is not None:
            self._gaps.append(last)
        self._gaps.append(Gap(first, end - first, CAUSES[cause]))
        return 0

    def feed(self, const unsigned char[::1] octets not None):
        """Take line octets, most significant bit first on the line, at any bit offset and in any chunks.

        Returns the frames found, n x 32 octets, time slot 0 first in each. A frame with a wrong alignment signal, and
        those after it, wait for the next right one. Never raises on line content.
        """
        if octets.shape[0]:
            e1_receive(&self._receiver, &octets[0], octets.shape[0])
        cdef bytes out = PyBytes_FromStringAndSize(<char *> self._out.octets, 32 * self._out.sure)
        self._out.held -= self._out.sure
        if self._out.held:
            memmove(self._out.octets, self._out.octets + 32 * self._out.sure, 32 * self._out.held)
        self._out.sure = 0
        return out

    def miss(self, int64_t octets, cause):
        """So many octets were on the line and did not come; alignment is kept through them."""
        e1_miss(&self._receiver, octets, <e1_cause> <int> CAUSES.index(cause))

    def changes(self):
        """Alarms that came or went since the last call, with the frame number."""
        changes, self._changes = self._changes, []
        return changes

    def gaps(self):
        """Stretches without frames that ended or grew since the last call."""
        gaps, self._gaps = self._gaps, []
        return gaps

    @property
    def aligned(self):
        return bool(self._receiver.aligned)

    @property
    def crc_multiframe(self):
        return bool(self._receiver.multiframe)

    @property
    def alarms(self):
        return frozenset(alarm for bit, alarm in ALARMS.items() if self._receiver.alarms & <unsigned> bit)

    @property
    def position(self):
        """Number of the next frame: bits since the start / 256, in frames and gaps alike."""
        return self._receiver.tail

    @property
    def frames(self):
        return self._receiver.counters.frames

    @property
    def fas_errors(self):
        return self._receiver.counters.fas_errors

    @property
    def crc_errors(self):
        return self._receiver.counters.crc_errors

    @property
    def remote_crc_errors(self):
        return self._receiver.counters.remote_crc_errors

    @property
    def losses(self):
        return self._receiver.counters.losses

    @property
    def bit2_errors(self):
        return self._receiver.counters.bit2_errors

    @property
    def slips(self):
        return self._receiver.counters.slips

    @property
    def interworking(self):
        """No CRC-4 multiframe for 400 ms, G.706 Annex B."""
        return bool(self._receiver.interworking)

    @property
    def sa(self):
        """See LineStatus.sa."""
        return None if self._receiver.sa < 0 else self._receiver.sa
