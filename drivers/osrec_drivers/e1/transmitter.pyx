"""The sending side of an E1 line: frames in, line octets with TS0 written out.

Cython over C for the CRC-4, which takes Python 150 ms of each second. The oracle is tests/reference/e1.py.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t

from osrec_drivers.e1.engine cimport e1_backward, e1_crc4_setup, e1_transmit, e1_transmitter

e1_crc4_setup()


cdef class Transmitter:
    """Writes TS0: FAS, NFAS, the CRC-4 multiframe, E, A and Sa bits.

    Attributes:
        remote_alarm: the A bit: we do not receive the far end.
        multiframe: our receiver has CRC-4 multiframe alignment; until then E bits are 0, G.704 2.3.3.4.
        errors: errored sub-multiframes that E bits have yet to tell.
        sa: bits Sa4..Sa8, Sa4 being 16; 31 at first.
        frame: frames sent.
    """

    cdef e1_transmitter _transmitter
    cdef public bint remote_alarm
    cdef public bint multiframe
    cdef public int errors
    cdef readonly long long frame

    def __cinit__(self, *, bint crc4=True):
        self._transmitter.crc4 = crc4
        self._transmitter.sa = 0x1F

    @property
    def sa(self):
        return self._transmitter.sa

    @sa.setter
    def sa(self, int bits):
        if not 0 <= bits <= 31:
            raise ValueError(f"Sa bits {bits}: Sa4..Sa8 are five bits, 0..31 [G.704 2.3.2]")
        self._transmitter.sa = bits

    def send(self, const unsigned char[::1] frames not None):
        """Line octets of n x 32 octets of frames; what stands in their TS0 is written over."""
        if frames.shape[0] % 32:
            raise ValueError(f"{frames.shape[0]} octets: frames are 32 octets each [G.704 2.3.1]")
        cdef size_t count = frames.shape[0] // 32
        cdef bytes out = PyBytes_FromStringAndSize(NULL, 32 * count)
        cdef e1_backward back = e1_backward(self.remote_alarm, self.multiframe, &self.errors)
        if count:
            e1_transmit(&self._transmitter, &back, &frames[0], count, <uint8_t *> PyBytes_AS_STRING(out))
        self.frame += count
        return out
