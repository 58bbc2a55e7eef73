"""HDLC framing of D channels, both ways: Q.921 2, ISO/IEC 13239.

Cython over C: bit by bit in Python one D channel of dense frames takes 30 ms of each second, here under 20 us. The
oracle is tests/reference/hdlc.py.
"""

from enum import StrEnum

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport int64_t, uint8_t
from libc.stdlib cimport calloc, free

from osrec_drivers.e1.hdlc cimport *

hdlc_setup()

LONGEST = 264  # octets: address 2, control 2, information 260, Q.921 5.9.3
SHORTEST = 2  # octets: address and control
cdef enum:
    EVENTS = 512


class HdlcError(StrEnum):
    """Why what stood between two flags is no frame, Q.921 2.9."""

    ABORT = "abort"  # seven ones or more, or octets that did not arrive
    FCS = "fcs"
    OCTETS = "octets"  # not a whole number of octets
    LONG = "long"
    SHORT = "short"


cdef tuple _ERRORS = (None, HdlcError.ABORT, HdlcError.FCS, HdlcError.OCTETS, HdlcError.LONG, HdlcError.SHORT)


@cython.final
@cython.freelist(64)
cdef class HdlcFrame:
    """A frame, or what became none.

    Attributes:
        end: number of the time slot octet that holds the last bit of its closing flag, or the bit that spoilt it.
        octets: address to information; of what is no frame its whole octets, FCS included.
        error: None for a frame.
    """

    cdef readonly long long end
    cdef readonly bytes octets
    cdef readonly object error

    def __init__(self, long long end, bytes octets not None, error=None):
        self.end = end
        self.octets = octets
        self.error = error

    def __eq__(self, other):
        if not isinstance(other, HdlcFrame):
            return NotImplemented
        return (self.end, self.octets, self.error) == (other.end, other.octets, other.error)

    def __hash__(self):
        return hash((self.end, self.octets, self.error))

    def __repr__(self):
        error = "" if self.error is None else f", {self.error!s}"
        return f"HdlcFrame({self.end}, {self.octets.hex(' ')}{error})"


cdef class HdlcDecoder:
    """Finds the frames in the octets of one time slot. Not thread safe.

    Args:
        shortest: octets of the shortest frame, FCS left out.
        longest: of the longest one, up to 4096.
        lsb_first: the first bit on the line is the least significant of each octet; on E1 it is the most significant.
    """

    cdef hdlc_decoder _decoder
    cdef hdlc_sink _sink

    def __cinit__(self, *, int shortest=SHORTEST, int longest=LONGEST, bint lsb_first=False):
        if not 1 <= shortest <= longest <= HDLC_LONGEST:
            raise ValueError(
                f"shortest {shortest}, longest {longest}: frames have 1 <= shortest <= longest <= {HDLC_LONGEST} octets"
            )
        hdlc_decoder_init(&self._decoder, shortest, longest, lsb_first)
        self._sink.events_room = EVENTS
        self._sink.octets_room = 4 * longest + 4096
        self._sink.events = <hdlc_event *> calloc(EVENTS, sizeof(hdlc_event))
        self._sink.octets = <uint8_t *> calloc(self._sink.octets_room, 1)
        if self._sink.events == NULL or self._sink.octets == NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self._sink.events)
        free(self._sink.octets)

    cdef int _found(self, list out) except -1:
        """What is in the sink, to the list."""
        cdef hdlc_event *event
        cdef HdlcFrame frame
        cdef size_t i
        for i in range(self._sink.events_used):
            event = &self._sink.events[i]
            frame = HdlcFrame.__new__(HdlcFrame)
            frame.end = event.end
            frame.octets = PyBytes_FromStringAndSize(<char *> self._sink.octets + event.first, event.count)
            frame.error = _ERRORS[<int> event.kind]
            out.append(frame)
        self._sink.events_used = self._sink.octets_used = 0
        return 0

    def feed(self, const unsigned char[::1] octets not None):
        """Frames and errors that end in these octets, in order. Never raises on what the line brings."""
        cdef size_t count = octets.shape[0], done = 0
        cdef const uint8_t *start = &octets[0] if count else NULL
        cdef list out = []
        while done < count:
            with nogil:
                done += hdlc_feed(&self._decoder, start + done, count - done, &self._sink)
            self._found(out)
        return out

    def skip(self, long long count):
        """So many octets did not arrive: ends what was under way, as an abort."""
        if count < 0:
            raise ValueError(f"{count} octets: what did not arrive is 0 or more")
        cdef list out = []
        hdlc_skip(&self._decoder, count, &self._sink)
        self._found(out)
        return out

    @property
    def position(self):
        """Octets taken and skipped since construction."""
        return self._decoder.position

    @property
    def frames(self):
        """Good frames since construction."""
        return self._decoder.counts[<int> HDLC_GOOD]

    @property
    def errors(self):
        """How many of each error since construction."""
        return {error: self._decoder.counts[1 + i] for i, error in enumerate(_ERRORS[1:])}


cdef class HdlcEncoder:
    """Makes the octets of one time slot of frames, and flags or ones between them. Not thread safe.

    Args:
        ones: idle by ones instead of flags.
        lsb_first: as of HdlcDecoder.
    """

    cdef hdlc_encoder _encoder

    def __cinit__(self, *, bint ones=False, bint lsb_first=False):
        hdlc_encoder_init(&self._encoder, ones, lsb_first)

    def send(self, const unsigned char[::1] frame not None):
        """Queue a frame, its FCS not included; False when there is no room for it, a second's worth being queued."""
        cdef size_t count = frame.shape[0]
        if not 1 <= count <= <size_t> HDLC_LONGEST:
            raise ValueError(f"{count} octets: a frame has 1 to {HDLC_LONGEST} [Q.921 2]")
        return bool(hdlc_send(&self._encoder, &frame[0], count))

    def pull(self, Py_ssize_t count):
        """The next `count` octets of the time slot."""
        if count < 0:
            raise ValueError(f"{count} octets: 0 or more can be pulled")
        cdef bytes out = PyBytes_FromStringAndSize(NULL, count)
        cdef uint8_t *octets = <uint8_t *> PyBytes_AS_STRING(out)
        with nogil:
            hdlc_pull(&self._encoder, octets, count)
        return out

    @property
    def frames(self):
        """Frames queued since construction."""
        return self._encoder.frames

    @property
    def pending(self):
        """Octets until all that is queued is on the line."""
        return (self._encoder.tail - self._encoder.head + 7) // 8
