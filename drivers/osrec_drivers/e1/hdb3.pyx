"""HDB3, the line code of 2048 kbit/s, both ways: G.703 annex A.

Cython over C: 64 bits at a time; bit by bit in C 130 lines take a core, bit by bit in Python one line takes more than
one. The oracle is tests/reference/hdb3.py.

Marks are two planes of octets, first bit in the most significant place: bits that are 1 in `positive` are positive
marks, those in `negative` negative ones. What comes out runs an octet behind what goes in, because three zeros may yet
become part of four; `flush` gives the last octet and ends the stream.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memset


cdef extern from "hdb3.h" nogil:
    ctypedef struct hdb3_decoder:
        uint64_t held
        int holding
        uint64_t code_errors
        uint64_t violations
        uint64_t zero_runs
        uint64_t both

    ctypedef struct hdb3_encoder:
        uint64_t *held
        int holding

    size_t hdb3_decode(
        hdb3_decoder *d,
        const uint8_t *positive,
        const uint8_t *negative,
        size_t count,
        uint8_t *out,
        int wide,
    )
    size_t hdb3_encode(
        hdb3_encoder *e,
        const uint8_t *octets,
        size_t count,
        uint8_t *positive,
        uint8_t *negative,
        int wide,
    )
    uint64_t hdb3_turn(uint64_t word)
    int hdb3_wide()


cdef int _octets(object octets, Py_buffer *view) except -1:
    """Borrow octets, as a typed memoryview does, in a quarter of its time; to be given back."""
    PyObject_GetBuffer(octets, view, PyBUF_SIMPLE)
    if view.itemsize != 1:
        PyBuffer_Release(view)
        raise ValueError(f"items of {view.itemsize} octets: the line has single ones")
    return 0


cdef bytes _octet(uint64_t held):
    return bytes([hdb3_turn(held)])


cdef class Hdb3Decoder:
    """Bits of a line from its marks. Not thread safe.

    Args:
        portable: without AVX2, which gives the same.
    """

    cdef hdb3_decoder _decoder
    cdef int _wide

    def __cinit__(self, *, bint portable=False):
        self._wide = hdb3_wide() and not portable

    def feed(self, positive not None, negative not None):
        """Octets of the line, as many as went in, one octet late. Never raises on what the line brings."""
        cdef Py_buffer p, n
        _octets(positive, &p)
        try:
            _octets(negative, &n)
            try:
                return self._feed(&p, &n)
            finally:
                PyBuffer_Release(&n)
        finally:
            PyBuffer_Release(&p)

    cdef bytes _feed(self, Py_buffer *positive, Py_buffer *negative):
        cdef size_t count = positive.len
        if <size_t> negative.len != count:
            raise ValueError(f"{count} octets of positive, {negative.len} of negative marks: planes are as long")
        if not count:
            return b""
        cdef size_t given = count - (0 if self._decoder.holding else 1)
        cdef bytes out = PyBytes_FromStringAndSize(NULL, given)
        cdef uint8_t *octets = <uint8_t *> PyBytes_AS_STRING(out)
        with nogil:
            hdb3_decode(
                &self._decoder, <const uint8_t *> positive.buf, <const uint8_t *> negative.buf, count, octets, self._wide
            )
        return out

    def flush(self):
        """The last octet; the next one begins a new stream, counters go on."""
        cdef hdb3_decoder old = self._decoder
        memset(&self._decoder, 0, sizeof(hdb3_decoder))
        self._decoder.code_errors, self._decoder.violations = old.code_errors, old.violations
        self._decoder.zero_runs, self._decoder.both = old.zero_runs, old.both
        return _octet(old.held) if old.holding else b""

    @property
    def violations(self):
        """Bipolar violations that stand where HDB3 puts them: four zeros each."""
        return self._decoder.violations

    @property
    def code_errors(self):
        """Marks with the polarity of the mark before them, but not behind two zeros, or of the violation before it."""
        return self._decoder.code_errors

    @property
    def zero_runs(self):
        """Runs of four zeros or more: HDB3 sends none."""
        return self._decoder.zero_runs

    @property
    def both(self):
        """Bits with a mark in both planes: taken as a mark that alternates."""
        return self._decoder.both


cdef class Hdb3Encoder:
    """Marks of a line from its bits. Not thread safe.

    Args:
        portable: as of Hdb3Decoder.
    """

    cdef hdb3_encoder _encoder
    cdef int _wide

    def __cinit__(self, *, bint portable=False):
        self._wide = hdb3_wide() and not portable

    def feed(self, octets not None):
        """Planes of positive and negative marks, as many octets each as went in, one octet late."""
        cdef Py_buffer view
        _octets(octets, &view)
        try:
            return self._feed(<const uint8_t *> view.buf, view.len)
        finally:
            PyBuffer_Release(&view)

    cdef tuple _feed(self, const uint8_t *octets, size_t count):
        if not count:
            return b"", b""
        cdef size_t given = count - (0 if self._encoder.holding else 1)
        cdef bytes positive = PyBytes_FromStringAndSize(NULL, given)
        cdef bytes negative = PyBytes_FromStringAndSize(NULL, given)
        cdef uint8_t *p = <uint8_t *> PyBytes_AS_STRING(positive)
        cdef uint8_t *n = <uint8_t *> PyBytes_AS_STRING(negative)
        with nogil:
            hdb3_encode(&self._encoder, octets, count, p, n, self._wide)
        return positive, negative

    def flush(self):
        """The last octet of each plane; the next one begins a new stream."""
        cdef hdb3_encoder old = self._encoder
        memset(&self._encoder, 0, sizeof(hdb3_encoder))
        return (_octet(old.held[0]), _octet(old.held[1])) if old.holding else (b"", b"")
