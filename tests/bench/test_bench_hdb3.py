"""Speed of HDB3 both ways and of test patterns, each as a ratio to a peer in the same run, outputs equal first.

Run with `make bench`, or `pytest --benchmark-only tests/bench/test_bench_hdb3.py`. There is no other HDB3 in software
to be had, so its peer is the oracle in plain Python.
"""

import random
from typing import Any

import pytest

from osrec_drivers.e1.hdb3 import Hdb3Decoder, Hdb3Encoder
from osrec_drivers.e1.prbs import Pattern, PrbsChecker, PrbsGenerator
from tests.bench.test_bench_e1 import CHANNEL_RATE, LINE_RATE, best, tell
from tests.interop.test_prbs_spandsp import Bert
from tests.reference import hdb3

OCTETS = 32 * 160  # 20 ms of a line
FEW = 64  # octets for Python


def random_line() -> tuple[bytes, bytes, bytes]:
    octets, encoder = random.Random(1).randbytes(OCTETS), Hdb3Encoder()
    (p, n), (last_p, last_n) = encoder.feed(octets), encoder.flush()
    return octets, p + last_p, n + last_n


def scaled(seconds: float, octets: int) -> float:
    """Time of all octets from that of the first few."""
    return seconds * octets / FEW


@pytest.mark.benchmark(group="hdb3")
def test_hdb3_decoding(benchmark: Any) -> None:
    octets, p, n = random_line()
    check = Hdb3Decoder()
    assert check.feed(p, n) + check.flush() == octets == hdb3.SlowDecoder().decode(p, n)
    decoder = Hdb3Decoder()
    benchmark(decoder.feed, p, n)
    slow = best(lambda: hdb3.SlowDecoder().decode(p[:FEW], n[:FEW]), 5, 2)
    tell(benchmark, {"plain Python": scaled(slow, OCTETS)}, OCTETS, LINE_RATE, "E1 lines per core")


@pytest.mark.benchmark(group="hdb3")
def test_hdb3_encoding(benchmark: Any) -> None:
    octets, p, n = random_line()
    assert (p, n) == hdb3.planes(hdb3.encode(octets))
    encoder = Hdb3Encoder()
    benchmark(encoder.feed, octets)
    slow = best(lambda: hdb3.planes(hdb3.encode(octets[:FEW])), 5, 2)
    tell(benchmark, {"plain Python": scaled(slow, OCTETS)}, OCTETS, LINE_RATE, "E1 lines per core")


@pytest.mark.benchmark(group="prbs")
def test_checking_a_test_pattern(benchmark: Any) -> None:
    line = PrbsGenerator(Pattern.PRBS_15).pull(Pattern.PRBS_15.period)  # its end fits its beginning
    checker, peer = PrbsChecker(Pattern.PRBS_15), Bert(Pattern.PRBS_15)
    checker.feed(line)
    assert peer.check(line).bad_bits == checker.errors == 0
    benchmark(checker.feed, line)
    assert (checker.errors, checker.losses) == (0, 0)
    slow = best(lambda: peer.check(line[:FEW]), 5, 2)
    tell(
        benchmark,
        {"spandsp, a call a bit": scaled(slow, len(line))},
        len(line),
        CHANNEL_RATE,
        "channels of 64 kbit/s per core",
    )
