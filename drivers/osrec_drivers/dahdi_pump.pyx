"""Reads a DAHDI channel in a thread of its own that never needs the GIL.

Cython over C because DAHDI keeps 130 ms of a superchannel and no more: a stall of the interpreter that is longer than
that would cost audio, here one of five seconds does not. Its oracle is DirectStream in dahdi_stream.py.
"""

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport int64_t, uint8_t, uint64_t

cdef extern from "dahdi_pump.h" nogil:
    int PUMP_BLOCK, PUMP_EVENT, PUMP_FAILED
    ctypedef struct pump_item:
        int kind
        int value
        int fresh
        int64_t arrival
    ctypedef struct pump:
        int told_fd
        int stop_fd
        size_t size
        size_t room
        unsigned long get_event
        int event_waits
        pump_item *items
        uint8_t *octets
        uint64_t taken
        uint64_t given
    int pump_open(pump *, int fd, size_t size, size_t room)
    void pump_close(pump *)
    void pump_run(pump *)
    void pump_signal(int fd)

cdef extern from "<unistd.h>" nogil:
    ssize_t read(int fd, void *octets, size_t count)

cdef extern from *:
    """
    #define pump_given(p) __atomic_load_n(&(p)->given, __ATOMIC_ACQUIRE)
    #define pump_took(p, n) __atomic_store_n(&(p)->taken, (n), __ATOMIC_RELEASE)
    """
    uint64_t pump_given(pump *) nogil
    void pump_took(pump *, uint64_t) nogil


cdef class Pump:
    """The reader of one channel.

    Args:
        fd: of the channel, non-blocking; stays the caller's, who closes it after `run` has returned.
        size: octets of a block, which is what one read gives.
        room: blocks that may wait to be taken.
        get_event: ioctl that fetches an event.
        event_waits: errno of a read while one waits.
    """

    cdef pump _pump

    def __cinit__(self, int fd, size_t size, size_t room, unsigned long get_event, int event_waits):
        if size < 1 or room < 4:
            raise ValueError(f"blocks of {size} octets, room for {room}: at least 1 and 4")
        self._pump.stop_fd = self._pump.told_fd = -1
        if pump_open(&self._pump, fd, size, room):
            raise MemoryError(f"no memory or descriptor for {room} blocks of {size} octets")
        self._pump.get_event = get_event
        self._pump.event_waits = event_waits

    def __dealloc__(self):
        pump_close(&self._pump)

    def fileno(self):
        """Readable while there is something to take."""
        return self._pump.told_fd

    def run(self):
        """Until `stop`, or the channel is gone."""
        with nogil:
            pump_run(&self._pump)

    def stop(self):
        """Make `run` return; from any thread."""
        pump_signal(self._pump.stop_fd)

    def take(self):
        """What has come since the last call: (kind, value, octets, arrival in ns, fresh), see dahdi_pump.h.

        For one thread at a time. Kinds are "block", "event" and "failed".
        """
        cdef uint64_t count
        cdef pump_item *item
        cdef uint8_t *octets
        cdef list found = []
        read(self._pump.told_fd, &count, sizeof(count))
        cdef uint64_t given = pump_given(&self._pump), at = self._pump.taken
        while at < given:
            item = &self._pump.items[at % self._pump.room]
            octets = self._pump.octets + (at % self._pump.room) * self._pump.size
            if item.kind == PUMP_BLOCK:
                block = PyBytes_FromStringAndSize(<char *> octets, self._pump.size)
                found.append(("block", item.value, block, item.arrival, bool(item.fresh)))
            else:
                kind = "event" if item.kind == PUMP_EVENT else "failed"
                found.append((kind, item.value, b"", item.arrival, False))
            at += 1
            pump_took(&self._pump, at)
        return found
