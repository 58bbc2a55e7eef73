"""What every E1 line shares: receiver, ring of samples, transmitter, behind one lock and without the GIL.

Cython over C because a line brings 256,000 octets a second: framing them in Python costs more than a core (CRC-4 bit
by bit 150 ms of each second), here about 0.002 %. The plain Python oracle is tests/reference/e1.py.
"""

from libc.stdint cimport int64_t, uint8_t
from libc.stdlib cimport calloc, free
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize

from osrec_drivers.e1.criteria import Criteria
from osrec_drivers.errors import LineError
from osrec_drivers.line import Alarm, AlarmChange, Gap, GapCause

from dataclasses import astuple

CAPACITY = 1 << 19  # samples a slot: 65.5 s, 16 MiB a line

CAUSES = (
    GapCause.LOS,
    GapCause.LOF,
    GapCause.AIS,
    GapCause.PACKET_LOSS,
    GapCause.NO_PACKETS,
    GapCause.REMOTE_FAULT,
    GapCause.NOT_LISTENING,
)  # the order of e1_cause in ring.h
ALARMS = {
    E1_ALARM_LOS: Alarm.LOS,
    E1_ALARM_LOF: Alarm.LOF,
    E1_ALARM_AIS: Alarm.AIS,
    E1_ALARM_RAI: Alarm.RAI,
    E1_ALARM_NO_PACKETS: Alarm.NO_PACKETS,
}

e1_crc4_setup()


cdef e1_criteria criteria_of(criteria) except *:
    cdef e1_criteria c
    (c.bad_fas, c.bad_nfas, c.crc_blocks, c.crc_bad_blocks, c.multiframe_frames, c.los_zeros, c.los_window,
     c.los_ones, c.ais_zeros, c.rai_times, c.lof_frames) = astuple(criteria)
    return c


cdef class Engine:
    """The part of a line behind the cable, the socket or the board.

    Attributes:
        crc4: whether the CRC-4 multiframe is looked for and sent.
        resume: the anchor that sample numbers go on from, or None.
    """

    def __cinit__(self, *, bint crc4=True, size_t capacity=CAPACITY, resume=None, criteria=None):
        if capacity < 1024 or capacity & (capacity - 1):
            raise ValueError(f"capacity {capacity} samples: must be a power of two of at least 1024")
        cdef e1_criteria limits = criteria_of(Criteria() if criteria is None else criteria)
        self.c = <e1_engine *> calloc(1, sizeof(e1_engine))
        if self.c == NULL or e1_engine_open(self.c, &limits, crc4, capacity, resume.sample if resume else 0):
            free(self.c)
            self.c = NULL
            raise MemoryError(f"no memory for a ring of {capacity} samples by 32 time slots")
        self.crc4 = crc4
        self.resume = resume

    def __dealloc__(self):
        if self.c != NULL:
            e1_engine_close(self.c)
            free(self.c)

    def receive(self, const unsigned char[::1] octets not None):
        """Take octets off the line, at any bit offset."""
        cdef size_t count = octets.shape[0]
        if count:
            with nogil:
                pthread_mutex_lock(&self.c.lock)
                e1_receive(&self.c.receiver, &octets[0], count)
                pthread_mutex_unlock(&self.c.lock)

    def miss(self, int64_t octets, cause):
        """So many octets were on the line and did not come; alignment is kept through them."""
        cdef int number = CAUSES.index(cause)
        with nogil:
            pthread_mutex_lock(&self.c.lock)
            e1_miss(&self.c.receiver, octets, <e1_cause> number)
            pthread_mutex_unlock(&self.c.lock)

    def transmit(self, const unsigned char[::1] frames not None):
        """Frames with TS0 written: the octets to put on the line."""
        cdef size_t count = frame_count(frames.shape[0])
        cdef bytes out = PyBytes_FromStringAndSize(NULL, count * 32)
        cdef uint8_t *to = <uint8_t *> PyBytes_AS_STRING(out)
        if count:
            with nogil:
                pthread_mutex_lock(&self.c.lock)
                e1_engine_transmit(self.c, &frames[0], count, to)
                pthread_mutex_unlock(&self.c.lock)
        return out

    @property
    def octets(self):
        """Octets received or missed so far."""
        cdef int64_t octets
        with nogil:  # all of it, lest one who holds the lock wait for the GIL
            pthread_mutex_lock(&self.c.lock)
            octets = e1_received_octets(&self.c.receiver)
            pthread_mutex_unlock(&self.c.lock)
        return octets

    @property
    def head(self):
        cdef int64_t head
        with nogil:
            pthread_mutex_lock(&self.c.lock)
            head = self.c.ring.head
            pthread_mutex_unlock(&self.c.lock)
        return head

    @property
    def oldest(self):
        cdef int64_t oldest
        with nogil:
            pthread_mutex_lock(&self.c.lock)
            oldest = e1_ring_oldest(&self.c.ring)
            pthread_mutex_unlock(&self.c.lock)
        return oldest

    def read(self, int slot, int64_t first, int64_t count):
        """See Line.read."""
        if not 0 <= slot < 32:
            raise ValueError(f"slot {slot}: time slots are 0..31 [G.704 2.3.1]")
        if count < 0:
            raise ValueError(f"count {count}: must not be negative")
        cdef int64_t oldest, head
        cdef bint there
        if count > <int64_t> self.c.ring.capacity:
            raise LineError(f"{count} samples asked for: the ring holds {self.c.ring.capacity}")
        cdef bytes out = PyBytes_FromStringAndSize(NULL, count)
        cdef uint8_t *to = <uint8_t *> PyBytes_AS_STRING(out)
        with nogil:
            pthread_mutex_lock(&self.c.lock)
            oldest = e1_ring_oldest(&self.c.ring)
            head = self.c.ring.head
            there = oldest <= first and first + count <= head
            if there:
                e1_ring_read(&self.c.ring, slot, first, count, to)
            pthread_mutex_unlock(&self.c.lock)
        if not there:
            raise LineError(f"samples {first}..{first + count - 1} asked for: the ring holds {oldest}..{head - 1}")
        return out

    def wipe(self, int slot, int64_t first, int64_t count):
        """See Line.wipe."""
        if not 0 <= slot < 32:
            raise ValueError(f"slot {slot}: time slots are 0..31 [G.704 2.3.1]")
        if count < 0:
            raise ValueError(f"count {count}: must not be negative")
        with nogil:
            pthread_mutex_lock(&self.c.lock)
            e1_ring_wipe(&self.c.ring, slot, first, first + count)
            pthread_mutex_unlock(&self.c.lock)

    def gaps(self, int64_t first, int64_t count):
        """See Line.gaps."""
        cdef e1_gap *copy = NULL
        cdef size_t found = 0, i
        with nogil:
            pthread_mutex_lock(&self.c.lock)
            found = e1_ring_gaps(&self.c.ring, first, first + count, &copy)
            pthread_mutex_unlock(&self.c.lock)
        gaps = [Gap(copy[i].first, copy[i].count, CAUSES[<int> copy[i].cause]) for i in range(found)]
        free(copy)
        return gaps

    def changes(self):
        """See Line.changes."""
        cdef list found = []
        cdef e1_change change
        cdef bint more = True
        while more:
            with nogil:
                pthread_mutex_lock(&self.c.lock)
                more = self.c.change_count > 0
                if more:
                    change = self.c.changes[self.c.change_first % E1_CHANGES]
                    self.c.change_first += 1
                    self.c.change_count -= 1
                pthread_mutex_unlock(&self.c.lock)
            if more:
                found.append(AlarmChange(ALARMS[change.alarm], bool(change.raised), change.sample))
        return found

    def snapshot(self):
        """Alarms, aligned, crc_multiframe, head, and the receiver's counters by their names in LineCounters."""
        cdef e1_receive_counters counters
        cdef unsigned alarms
        cdef bint aligned, multiframe
        cdef int64_t head
        with nogil:
            pthread_mutex_lock(&self.c.lock)
            counters = self.c.receiver.counters
            alarms = self.c.receiver.alarms
            aligned = self.c.receiver.aligned
            multiframe = self.c.receiver.multiframe
            head = self.c.ring.head
            pthread_mutex_unlock(&self.c.lock)
        return (
            frozenset(alarm for bit, alarm in ALARMS.items() if alarms & <unsigned> bit),
            aligned,
            multiframe,
            head,
            {
                "frames": counters.frames,
                "fas_errors": counters.fas_errors,
                "crc_errors": counters.crc_errors,
                "remote_crc_errors": counters.remote_crc_errors,
                "alignment_losses": counters.losses,
            },
        )


cdef size_t frame_count(Py_ssize_t octets) except? 0:
    if octets % 32:
        raise ValueError(f"{octets} octets: frames are 32 octets each [G.704 2.3.1]")
    return octets // 32
