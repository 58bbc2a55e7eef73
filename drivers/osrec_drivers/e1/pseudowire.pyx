"""One SAToP pseudowire: packets in and out of an Engine, on sockets in a thread of its own, or step by step in tests.

Cython over C because a line is 1000 packets a second each way and must not wait for the GIL: the thread enters `run`
and comes back when the line is closed. Measured cost: docs/lines.md.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free

from osrec_drivers.e1.engine cimport Engine, e1_engine, pthread_mutex_lock, pthread_mutex_unlock

from osrec_drivers.errors import LineError
from osrec_drivers.line import Anchor


cdef extern from "pseudowire.h" nogil:
    int PW_DATAGRAM
    ctypedef struct pw_counters:
        uint64_t packets
        uint64_t lost
        uint64_t late
        uint64_t reordered
        uint64_t duplicate
        uint64_t malformed
    ctypedef struct pw_drift_point:
        int64_t nominal
        int64_t delay
    ctypedef struct pw_port:
        e1_engine *engine
        int rtp
        unsigned payload_type
        size_t payload
        int64_t jitter
        int64_t timeout
        pw_counters counters
        int started
        int resumed
        int64_t resume_arrival
        uint16_t resume_sequence
        int64_t first_arrival
        int64_t reference_arrival
        int64_t anchor_sample
        uint16_t anchor_sequence
        pw_drift_point *drift
        int drift_count
        uint16_t send_sequence
        uint32_t ssrc
        int64_t sent
        int64_t unsent
        size_t queued
        int fd
        int wake_fd
        int failed
    int pw_open(pw_port *, e1_engine *, size_t payload, size_t queue_room)
    void pw_close(pw_port *)
    void pw_take(pw_port *, const uint8_t *datagram, size_t length, int64_t arrival)
    void pw_tick(pw_port *, int64_t now)
    int pw_queue(pw_port *, const uint8_t *frames, size_t count, int64_t due)
    size_t pw_due(pw_port *, int64_t now, uint8_t *out)
    void pw_remote(pw_port *, int family, const uint8_t *address, int udp_port, unsigned scope)
    void pw_run(pw_port *)
    void pw_stop(pw_port *)

PAYLOAD_MAX = 1408  # octets: 44 frames, within an Ethernet frame under IPv6
QUEUE = 1 << 16  # frames that may wait to be sent: 8.2 s


cdef class Port:
    """The packets of one line.

    Attributes:
        engine: what the octets go to and come from.
    """

    cdef pw_port *_port
    cdef readonly Engine engine

    def __cinit__(self, Engine engine not None, *, size_t payload=256, bint rtp=False, int payload_type=96,
                  double jitter_ms=20.0, double timeout_ms=500.0, int sequence=0, long long ssrc=0,
                  size_t queue=QUEUE):
        self._port = <pw_port *> calloc(1, sizeof(pw_port))
        if self._port == NULL or pw_open(self._port, engine.c, payload, queue):
            raise MemoryError("no memory for a SAToP port")
        self.engine = engine
        self._port.rtp = rtp
        self._port.payload_type = payload_type
        self._port.jitter = <int64_t> (jitter_ms * 1e6)
        self._port.timeout = <int64_t> (timeout_ms * 1e6)
        self._port.send_sequence = <uint16_t> sequence
        self._port.ssrc = <uint32_t> ssrc
        if engine.resume is not None:
            self._port.resumed = True
            self._port.resume_sequence = <uint16_t> <int> engine.resume.sequence
            self._port.resume_arrival = engine.resume.monotonic_ns

    def __dealloc__(self):
        if self._port != NULL:
            pw_close(self._port)
            free(self._port)

    def remote(self, int family, const unsigned char[::1] address not None, int port, unsigned scope=0):
        """Send to this address, and take nothing from any other."""
        pw_remote(self._port, family, &address[0], port, scope)

    def run(self, int fd, int wake_fd):
        """Serve the socket until `stop`, in the calling thread, without the GIL."""
        self._port.fd = fd
        self._port.wake_fd = wake_fd
        with nogil:
            pw_run(self._port)

    def stop(self):
        """Make `run` return; from any thread."""
        pw_stop(self._port)

    def take(self, const unsigned char[::1] datagram not None, int64_t arrival_ns):
        """One packet, as it came from the network."""
        cdef uint8_t nothing = 0
        cdef const uint8_t *octets = &datagram[0] if datagram.shape[0] else &nothing
        with nogil:
            pthread_mutex_lock(&self._port.engine.lock)
            pw_take(self._port, octets, datagram.shape[0], arrival_ns)
            pthread_mutex_unlock(&self._port.engine.lock)

    def tick(self, int64_t now_ns):
        """Time has come so far, and all packets that arrived until now have been taken."""
        with nogil:
            pthread_mutex_lock(&self._port.engine.lock)
            pw_tick(self._port, now_ns)
            pthread_mutex_unlock(&self._port.engine.lock)

    def due(self, int64_t now_ns):
        """The next packet to send, or None when none is due yet."""
        cdef uint8_t out[2048]
        cdef size_t length
        with nogil:
            pthread_mutex_lock(&self._port.engine.lock)
            length = pw_due(self._port, now_ns, out)
            pthread_mutex_unlock(&self._port.engine.lock)
        return PyBytes_FromStringAndSize(<char *> out, length) if length else None

    def transmit(self, const unsigned char[::1] frames not None, int64_t due_ns=0):
        """Queue n x 32 octets of frames; see Line.transmit for `due_ns`, 0 being None.

        Raises LineError when the queue is full of frames without a time, or the thread has failed.
        """
        cdef size_t count = frames.shape[0] // 32
        cdef int refused = 0
        if frames.shape[0] % 32:
            raise ValueError(f"{frames.shape[0]} octets: frames are 32 octets each [G.704 2.3.1]")
        if self._port.failed:
            raise LineError("the socket has failed", self._port.failed)
        if count:
            with nogil:
                pthread_mutex_lock(&self._port.engine.lock)
                refused = pw_queue(self._port, &frames[0], count, due_ns)
                pthread_mutex_unlock(&self._port.engine.lock)
        if refused:
            raise LineError(f"{count} frames given, {self.queued} wait to be sent already: more than {QUEUE} in all")

    @property
    def sent(self):
        """Frames sent."""
        cdef int64_t sent
        with nogil:
            pthread_mutex_lock(&self._port.engine.lock)
            sent = self._port.sent
            pthread_mutex_unlock(&self._port.engine.lock)
        return sent

    @property
    def unsent(self):
        """Frames passed over because their time was long over."""
        cdef int64_t unsent
        with nogil:
            pthread_mutex_lock(&self._port.engine.lock)
            unsent = self._port.unsent
            pthread_mutex_unlock(&self._port.engine.lock)
        return unsent

    @property
    def queued(self):
        """Frames given that were not sent yet."""
        return self._port.queued

    @property
    def next_sequence(self):
        """Sequence number of the next packet to be sent."""
        return self._port.send_sequence

    @property
    def failed(self):
        """errno that ended the thread, or 0."""
        return self._port.failed

    @property
    def first_arrival(self):
        """CLOCK_MONOTONIC of the first packet in ns, None before it."""
        return self._port.first_arrival if self._port.started else None

    def counters(self):
        """Packet counters by their names in LineCounters."""
        cdef pw_counters counters
        with nogil:
            pthread_mutex_lock(&self._port.engine.lock)
            counters = self._port.counters
            pthread_mutex_unlock(&self._port.engine.lock)
        return {
            "packets": counters.packets,
            "packets_lost": counters.lost,
            "packets_late": counters.late,
            "packets_reordered": counters.reordered,
            "packets_duplicate": counters.duplicate,
            "packets_malformed": counters.malformed,
        }

    def anchor(self):
        """See Line.anchor."""
        cdef bint started
        cdef int64_t sample, arrival
        cdef uint16_t sequence
        with nogil:
            pthread_mutex_lock(&self._port.engine.lock)
            started = self._port.started
            sample = self._port.anchor_sample
            sequence = self._port.anchor_sequence
            arrival = self._port.reference_arrival
            pthread_mutex_unlock(&self._port.engine.lock)
        return Anchor(sample, sequence, arrival) if started else None

    def drift(self):
        """Points of (far end's time, least delay beyond it), ns, oldest first; see drift.ppm."""
        cdef pw_drift_point points[64]
        cdef int count, i
        with nogil:
            pthread_mutex_lock(&self._port.engine.lock)
            count = self._port.drift_count
            for i in range(count):
                points[i] = self._port.drift[i]
            pthread_mutex_unlock(&self._port.engine.lock)
        return [(points[i].nominal, points[i].delay) for i in range(count)]
