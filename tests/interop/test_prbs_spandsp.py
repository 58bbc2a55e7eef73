"""Test patterns against the bit error rate tester of spandsp (Debian package libspandsp2), which is not ours."""

import ctypes
from typing import Any

import pytest

from osrec_drivers.e1.prbs import Pattern, PrbsChecker, PrbsGenerator
from tests.reference.e1 import bits_of, octets_of

THEIRS = {Pattern.PRBS_15: 10, Pattern.PRBS_11: 11, Pattern.PRBS_9: 12}  # BERT_PATTERN_ITU_O15x of spandsp/bert.h
RESYNC_BITS, RESYNC_PERCENT = 300, 20
COUNT = 6000  # octets: more than a period of the longest


class Results(ctypes.Structure):
    """bert_results_t of spandsp/bert.h."""

    _fields_ = (("total_bits", ctypes.c_int), ("bad_bits", ctypes.c_int), ("resyncs", ctypes.c_int))


class Bert:
    """bert_* of the library."""

    def __init__(self, pattern: Pattern) -> None:
        self._library: Any = ctypes.CDLL("libspandsp.so.2")
        self._library.bert_init.restype = ctypes.c_void_p
        state = self._library.bert_init(None, 0, THEIRS[pattern], RESYNC_BITS, RESYNC_PERCENT)
        self._state = ctypes.c_void_p(state)

    def pull(self, count: int) -> bytes:
        return octets_of([self._library.bert_get_bit(self._state) for _ in range(8 * count)])

    def check(self, octets: bytes) -> Results:
        for bit in bits_of(octets):
            self._library.bert_put_bit(self._state, bit)
        results = Results()
        self._library.bert_result(self._state, ctypes.byref(results))
        return results


@pytest.mark.parametrize("pattern", Pattern)
def test_we_follow_the_pattern_of_spandsp(pattern: Pattern) -> None:
    checker = PrbsChecker(pattern)
    assert len(checker.feed(Bert(pattern).pull(COUNT))) == 1
    assert checker.bits > 8 * COUNT - 200
    assert checker.errors == 0


@pytest.mark.parametrize("pattern", Pattern)
def test_spandsp_follows_ours_and_counts_the_same_wrong_bits(pattern: Pattern) -> None:
    line = bytearray(PrbsGenerator(pattern).pull(COUNT))
    clean = Bert(pattern).check(bytes(line))
    assert (clean.bad_bits, clean.total_bits > 8 * COUNT - 800) == (0, True)
    for octet in range(1000, 5000, 500):
        line[octet] ^= 0x10
    checker, results = PrbsChecker(pattern), Bert(pattern).check(bytes(line))
    checker.feed(line)
    assert checker.errors == results.bad_bits == 8
