"""Levels and stereo of all channels of a line in one call each.

Cython over C: at 160 samples a channel a call costs more than its work, and numpy needs five passes and their
temporaries for what is one. The oracle is numpy in tests/unit/test_blocks.py.
"""

import numpy

from libc.stdint cimport int16_t, uint8_t, uint64_t


cdef extern from "blocks.h" nogil:
    ctypedef struct blocks_level:
        uint64_t squares
        unsigned peak

    blocks_level blocks_measure(const int16_t *samples, size_t count, int wide)
    void blocks_interleave(const int16_t *left, const int16_t *right, size_t count, int16_t *out)
    void blocks_listen(
        const uint8_t *left,
        const uint8_t *right,
        size_t count,
        int16_t *out,
        blocks_level *levels,
        int wide,
    )
    int blocks_wide()
    void g711_setup()

g711_setup()
cdef int _WIDE = blocks_wide()


def measure(const int16_t[:, ::1] samples not None, *, bint portable=False):
    """Peak and power of each row of samples.

    Args:
        samples: shape (channels, count).
        portable: without AVX2, which gives the same.
    Returns:
        The largest magnitude, uint16, 0..32768, and the mean square, float64, of each channel; 0 for no samples.
    """
    cdef size_t channels = samples.shape[0], count = samples.shape[1], i
    peaks, powers = numpy.zeros(channels, numpy.uint16), numpy.zeros(channels, numpy.float64)
    cdef unsigned short[::1] peak = peaks
    cdef double[::1] power = powers
    cdef blocks_level level
    cdef int wide = _WIDE and not portable
    if count:
        with nogil:
            for i in range(channels):
                level = blocks_measure(&samples[i, 0], count, wide)
                peak[i] = level.peak
                power[i] = <double> level.squares / count
    return peaks, powers


def interleave(const int16_t[:, ::1] samples not None):
    """Stereo of rows 0 and 1, 2 and 3, and so on: int16 of shape (channels / 2, count, 2)."""
    cdef size_t channels = samples.shape[0], count = samples.shape[1], i
    if channels % 2:
        raise ValueError(f"{channels} channels: stereo takes them in pairs")
    out = numpy.empty((channels // 2, count, 2), numpy.int16)
    cdef int16_t[:, :, ::1] stereo = out
    if count:
        with nogil:
            for i in range(channels // 2):
                blocks_interleave(&samples[2 * i, 0], &samples[2 * i + 1, 0], count, &stereo[i, 0, 0])
    return out


cdef class Listener:
    """Pairs of A-law channels to stereo and levels, in one call for the block of a line. Not thread safe.

    Attributes:
        peaks, powers: of each channel in the last block, as of `measure`.
    """

    cdef readonly object peaks
    cdef readonly object powers
    cdef unsigned short[::1] _peaks
    cdef double[::1] _powers

    def __cinit__(self, int pairs):
        if pairs < 1:
            raise ValueError(f"{pairs} pairs: 1 or more can be listened to")
        self.peaks = numpy.zeros(2 * pairs, numpy.uint16)
        self.powers = numpy.zeros(2 * pairs, numpy.float64)
        self._peaks, self._powers = self.peaks, self.powers

    def feed(self, const unsigned char[:, ::1] octets not None, int16_t[:, :, ::1] out not None):
        """Decode rows 0 and 1, 2 and 3, and so on, shape (2 pairs, count), into `out`, shape (pairs, count, 2)."""
        cdef size_t pairs = self._peaks.shape[0] // 2, count = octets.shape[1], i
        cdef blocks_level levels[2]
        cdef int side
        if octets.shape[0] != <Py_ssize_t> (2 * pairs):
            raise ValueError(f"{octets.shape[0]} rows of octets: {pairs} pairs have {2 * pairs}")
        if not (out.shape[0] == <Py_ssize_t> pairs and out.shape[1] == <Py_ssize_t> count and out.shape[2] == 2):
            raise ValueError(
                f"out of shape {out.shape[0]} x {out.shape[1]} x {out.shape[2]}: it takes {pairs} x {count} x 2"
            )
        if not count:
            self._peaks[:] = 0
            self._powers[:] = 0.0
            return
        with nogil:
            for i in range(pairs):
                blocks_listen(&octets[2 * i, 0], &octets[2 * i + 1, 0], count, &out[i, 0, 0], levels, _WIDE)
                for side in range(2):
                    self._peaks[2 * i + side] = levels[side].peak
                    self._powers[2 * i + side] = <double> levels[side].squares / count
