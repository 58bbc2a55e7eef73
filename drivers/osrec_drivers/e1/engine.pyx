"""What every E1 line shares: receiver, ring of samples, transmitter, behind one lock and without the GIL.

Cython over C because a line brings 256,000 octets a second: framing them in Python costs more than a core (CRC-4 bit
by bit 150 ms of each second), here about 0.002 %. The plain Python oracle is tests/reference/e1.py.
"""

from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.stdlib cimport calloc, free
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize

from osrec_drivers.e1.criteria import Criteria
from osrec_drivers.errors import LineError
from osrec_drivers.line import Alarm, AlarmChange, Crc4, Gap, GapCause

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
    GapCause.OVERRUN,
    GapCause.UNPLUGGED,
)  # the order of e1_cause in ring.h
ALARMS = {
    E1_ALARM_LOS: Alarm.LOS,
    E1_ALARM_LOF: Alarm.LOF,
    E1_ALARM_AIS: Alarm.AIS,
    E1_ALARM_RAI: Alarm.RAI,
    E1_ALARM_NO_PACKETS: Alarm.NO_PACKETS,
    E1_ALARM_LMFA: Alarm.LMFA,
    E1_ALARM_LMFA16: Alarm.LMFA16,
    E1_ALARM_AIS16: Alarm.AIS16,
    E1_ALARM_RAI16: Alarm.RAI16,
}
LOOPS = ("none", "local", "remote")  # the order of e1_loop_kind in engine.h

e1_crc4_setup()
hdlc_setup()


cdef e1_criteria criteria_of(criteria) except *:
    cdef e1_criteria c
    (c.bad_fas, c.bad_nfas, c.crc_blocks, c.crc_bad_blocks, c.multiframe_frames, c.los_zeros, c.los_window,
     c.los_ones, c.ais_zeros, c.rai_times, c.lof_frames, c.interworking_frames, c.sa_times, c.cas_bad_mfas,
     c.cas_zero_multiframes, c.ais16_zeros, c.ais16_multiframes, c.rai16_times, c.cas_times) = astuple(criteria)
    return c


cdef class Engine:
    """The part of a line behind the cable, the socket or the board.

    Attributes:
        crc4: whether the CRC-4 multiframe is looked for and sent.
        resume: the anchor that sample numbers go on from, or None.

    Args:
        capacity: samples of each slot that the ring holds, a power of two.
        portable: without AVX2, which gives the same.
    """

    def __cinit__(self, *, bint crc4=True, size_t capacity=CAPACITY, resume=None, criteria=None, bint portable=False):
        if capacity < 1024 or capacity & (capacity - 1):
            raise ValueError(f"capacity {capacity} samples: must be a power of two of at least 1024")
        cdef e1_criteria limits = criteria_of(Criteria() if criteria is None else criteria)
        cdef int64_t origin = resume.sample if resume else 0
        self.c = <e1_engine *> calloc(1, sizeof(e1_engine))
        if self.c == NULL or e1_engine_open(self.c, &limits, crc4, capacity, origin, e1_wide() and not portable):
            free(self.c)
            self.c = NULL
            raise MemoryError(f"no memory for a ring of {capacity} samples by 32 time slots")
        self.crc4 = crc4
        self.resume = resume

    def __dealloc__(self):
        if self.c != NULL:
            e1_engine_close(self.c)
            free(self.c)

    def receive(self, octets):
        """Take octets off the line, at any bit offset."""
        cdef Py_buffer view  # a typed memory view costs as much as the framing of 20 ms
        PyObject_GetBuffer(octets, &view, PyBUF_SIMPLE)
        with nogil:
            pthread_mutex_lock(&self.c.lock)
            e1_engine_receive(self.c, <const uint8_t *> view.buf, <size_t> view.len)
            pthread_mutex_unlock(&self.c.lock)
        PyBuffer_Release(&view)

    def miss(self, int64_t octets, cause):
        """So many octets were on the line and did not come; alignment is kept through them."""
        cdef int number = CAUSES.index(cause)
        with nogil:
            pthread_mutex_lock(&self.c.lock)
            e1_engine_miss(self.c, octets, <e1_cause> number)
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

    def compose(self, const unsigned char[::1] frames not None):
        """Line octets of frames, for someone to put errors into them before they go to `transmit`.

        From the first call on `transmit` takes nothing but such octets, and sends them as they are.
        """
        cdef size_t count = frame_count(frames.shape[0])
        cdef bytes out = PyBytes_FromStringAndSize(NULL, count * 32)
        cdef uint8_t *to = <uint8_t *> PyBytes_AS_STRING(out)
        with nogil:
            pthread_mutex_lock(&self.c.lock)
            self.c.composed = 1
            if count:
                e1_engine_compose(self.c, &frames[0], count, to)
            pthread_mutex_unlock(&self.c.lock)
        return out

    @property
    def next_frame(self):
        """Number, in the CRC-4 multiframe, of the next frame that will be composed or sent."""
        return self.c.transmitter.mf

    def send(self, int slot, const unsigned char[::1] octets not None):
        """See Line.send."""
        cdef size_t taken = 0, count = octets.shape[0]
        cdef e1_slot_queue *queue
        cdef bint used
        check_slot(slot)
        with nogil:
            pthread_mutex_lock(&self.c.lock)
            used = self.c.channels[slot] != NULL or (slot == 16 and self.c.cas_sender.on)
            if not used and self.c.queues[slot] == NULL:
                self.c.queues[slot] = <e1_slot_queue *> calloc(1, sizeof(e1_slot_queue))
            queue = self.c.queues[slot]
            while not used and queue != NULL and taken < count and queue.count < <size_t> E1_SLOT_QUEUE:
                queue.octets[(queue.first + queue.count) % <size_t> E1_SLOT_QUEUE] = octets[taken]
                queue.count += 1
                taken += 1
            pthread_mutex_unlock(&self.c.lock)
        if used:
            raise LineError(f"slot {slot}: signalling is sent there, no other octets can be")
        return taken

    def send_sa(self, int bits):
        """See Line.send_sa."""
        if not 0 <= bits <= 31:
            raise ValueError(f"Sa bits {bits}: Sa4..Sa8 are five bits, 0..31 [G.704 2.3.2]")
        with nogil:
            pthread_mutex_lock(&self.c.lock)
            self.c.transmitter.sa = bits
            pthread_mutex_unlock(&self.c.lock)

    def judge_by(self, criteria):
        """See Line.judge_by."""
        cdef e1_criteria limits = criteria_of(criteria)
        with nogil:
            pthread_mutex_lock(&self.c.lock)
            self.c.receiver.criteria = self.c.cas.criteria = limits
            pthread_mutex_unlock(&self.c.lock)

    @property
    def loop(self):
        """See Line.loop."""
        return LOOPS[<int> self.c.loop.kind]

    @loop.setter
    def loop(self, kind):
        if kind not in LOOPS:
            raise ValueError(f"loop {kind!r}: there is {', '.join(LOOPS)}")
        cdef int number = LOOPS.index(kind)
        with nogil:
            pthread_mutex_lock(&self.c.lock)
            e1_loop_set(&self.c.loop, <e1_loop_kind> number)
            pthread_mutex_unlock(&self.c.lock)

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
        cdef uint64_t losses16
        cdef unsigned alarms
        cdef bint aligned, multiframe
        cdef int64_t head
        with nogil:
            pthread_mutex_lock(&self.c.lock)
            counters = self.c.receiver.counters
            losses16 = self.c.cas.losses
            alarms = self.c.receiver.alarms | self.c.cas.alarms
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
                "bit2_errors": counters.bit2_errors,
                "crc_errors": counters.crc_errors,
                "remote_crc_errors": counters.remote_crc_errors,
                "alignment_losses": counters.losses,
                "slips": counters.slips,
                "cas_multiframe_losses": losses16,
            },
        )

    @property
    def crc4_state(self):
        """See LineStatus.crc4."""
        cdef bint wanted, found, given_up
        with nogil:
            pthread_mutex_lock(&self.c.lock)
            wanted = self.c.receiver.crc4
            found = self.c.receiver.multiframe
            given_up = self.c.receiver.interworking
            pthread_mutex_unlock(&self.c.lock)
        if not wanted:
            return Crc4.OFF
        return Crc4.MULTIFRAME if found else Crc4.INTERWORKING if given_up else Crc4.SEARCHING

    @property
    def sa(self):
        """See LineStatus.sa."""
        cdef int sa
        with nogil:
            pthread_mutex_lock(&self.c.lock)
            sa = self.c.receiver.sa
            pthread_mutex_unlock(&self.c.lock)
        return None if sa < 0 else sa


cdef int check_slot(int slot) except -1:
    if not 1 <= slot <= 31:
        raise ValueError(f"slot {slot}: time slots 1..31 carry channels [G.704 2.3.1]")
    return 0


cdef size_t frame_count(Py_ssize_t octets) except? 0:
    if octets % 32:
        raise ValueError(f"{octets} octets: frames are 32 octets each [G.704 2.3.1]")
    return octets // 32
