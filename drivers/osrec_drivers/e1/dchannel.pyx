"""A D channel on a time slot of an Engine: frames in and out; all that is in step with the line happens in C.

Cython over C as hdlc.pyx is; the decoder runs where the line is framed and the encoder where it is sent, both under
the engine's lock, so that a stall of Python breaks no frame. The oracle is tests/reference/hdlc.py.
"""

cimport cython
from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.stdlib cimport free

from osrec_drivers.e1.engine cimport (
    HDLC_ABORT,
    HDLC_BAD_FCS,
    HDLC_GOOD,
    HDLC_KINDS,
    HDLC_LONG,
    HDLC_NOT_OCTETS,
    HDLC_SHORT,
    Engine,
    check_slot,
    e1_dchannel,
    e1_dchannel_fetch,
    e1_engine_close_channel,
    e1_engine_open_channel,
    hdlc_event,
    hdlc_send,
    hdlc_setup,
    pthread_mutex_lock,
    pthread_mutex_unlock,
)

from osrec_drivers.e1.hdlc import LONGEST, SHORTEST, HdlcError
from osrec_drivers.errors import LineError
from osrec_drivers.line import DChannel, DCounters, DFrame

hdlc_setup()

_ERRORS = (None, HdlcError.ABORT, HdlcError.FCS, HdlcError.OCTETS, HdlcError.LONG, HdlcError.SHORT)


@cython.no_gc_clear  # __dealloc__ needs the engine: the collector must not take it away before
cdef class Channel:
    """See DChannel.

    Attributes:
        slot: its time slot.
    """

    cdef readonly int slot
    cdef Engine _engine
    cdef e1_dchannel *_c  # NULL: closed
    cdef object _last  # counters when it was closed

    def __cinit__(self, Engine engine not None, int slot):
        cdef bint used
        cdef int shortest = SHORTEST, longest = LONGEST
        check_slot(slot)
        with nogil:
            pthread_mutex_lock(&engine.c.lock)
            used = engine.c.channels[slot] != NULL or (slot == 16 and engine.c.cas.on)
            if not used:
                self._c = e1_engine_open_channel(engine.c, slot, shortest, longest)
            pthread_mutex_unlock(&engine.c.lock)
        if used:
            raise LineError(f"slot {slot}: another D channel or CAS is there already")
        if self._c == NULL:
            raise MemoryError(f"slot {slot}: no memory for a D channel")
        self._engine = engine
        self.slot = slot

    def __dealloc__(self):
        if self._c != NULL:
            with nogil:
                pthread_mutex_lock(&self._engine.c.lock)
                e1_engine_close_channel(self._engine.c, self.slot)
                pthread_mutex_unlock(&self._engine.c.lock)

    def send(self, const unsigned char[::1] frame not None):
        """See DChannel.send."""
        cdef size_t count = frame.shape[0]
        cdef bint queued = False, closed
        if not 1 <= count <= <size_t> LONGEST:
            raise ValueError(f"{count} octets: a frame has 1 to {LONGEST} [Q.921 5.9.3]")
        with nogil:
            pthread_mutex_lock(&self._engine.c.lock)
            closed = self._c == NULL
            if not closed:
                queued = hdlc_send(&self._c.encoder, &frame[0], count)
                self._c.refused += not queued
            pthread_mutex_unlock(&self._engine.c.lock)
        if closed:
            raise LineError(f"slot {self.slot}: the D channel is closed")
        return queued

    def receive(self):
        """See DChannel.receive."""
        cdef list out = []
        cdef hdlc_event *events = NULL
        cdef uint8_t *octets = NULL
        cdef size_t count = 0, i
        cdef int64_t start = 0
        with nogil:
            pthread_mutex_lock(&self._engine.c.lock)
            if self._c != NULL:
                start = self._c.start
                count = e1_dchannel_fetch(self._c, &events, &octets)
            pthread_mutex_unlock(&self._engine.c.lock)
        try:
            for i in range(count):
                frame = PyBytes_FromStringAndSize(<char *> octets + events[i].first, events[i].count)
                out.append(DFrame(start + events[i].end, frame, _ERRORS[<int> events[i].kind]))
        finally:
            free(events)
            free(octets)
        return out

    @property
    def counters(self):
        """See DChannel.counters."""
        cdef uint64_t counts[6]
        cdef uint64_t overruns = 0, sent = 0, refused = 0
        cdef bint closed
        cdef int i
        with nogil:
            pthread_mutex_lock(&self._engine.c.lock)
            closed = self._c == NULL
            if not closed:
                for i in range(6):
                    counts[i] = self._c.decoder.counts[i]
                overruns, sent, refused = self._c.overruns, self._c.encoder.frames, self._c.refused
            pthread_mutex_unlock(&self._engine.c.lock)
        if closed:
            return self._last
        return DCounters(
            frames=counts[<int> HDLC_GOOD],
            bad_fcs=counts[<int> HDLC_BAD_FCS],
            aborts=counts[<int> HDLC_ABORT],
            octet_errors=counts[<int> HDLC_NOT_OCTETS],
            long=counts[<int> HDLC_LONG],
            short=counts[<int> HDLC_SHORT],
            overruns=overruns,
            sent=sent,
            unsent=refused,
        )

    def close(self):
        """See DChannel.close."""
        self._last = self.counters
        with nogil:
            pthread_mutex_lock(&self._engine.c.lock)
            if self._c != NULL:
                e1_engine_close_channel(self._engine.c, self.slot)
                self._c = NULL
            pthread_mutex_unlock(&self._engine.c.lock)


DChannel.register(Channel)
