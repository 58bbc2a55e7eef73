"""Speed of what every line costs all the time, as a ratio to a peer in the same run.

Run with `make bench`, or `pytest --benchmark-only tests/bench/test_bench_e1.py -s`.
"""

import random
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from osrec_drivers.dsp.g711 import alaw_decode
from osrec_drivers.e1.demux import demux
from osrec_drivers.e1.engine import Engine
from osrec_drivers.e1.transmitter import Transmitter
from tests.reference import e1

BLOCK = 160  # frames: 20 ms
LINE_RATE = 256_000  # octets a second of one E1
CHANNEL_RATE = 8_000


def best(work: Callable[[], Any], repeat: int = 15, rounds: int = 20) -> float:
    """Seconds that one call takes at best."""
    times = []
    for _ in range(repeat):
        begin = time.perf_counter()
        for _ in range(rounds):
            work()
        times.append((time.perf_counter() - begin) / rounds)
    return min(times)


def tell(benchmark: Any, peers: dict[str, float], octets: int, rate: int, unit: str) -> None:
    ours = benchmark.stats.stats.min
    benchmark.extra_info[unit] = round(octets / ours / rate)
    for peer, seconds in peers.items():
        benchmark.extra_info[f"times {peer}"] = round(seconds / ours, 1)
    benchmark.extra_info["GB/s"] = round(octets / ours / 1e9, 2)


def crc4_matrix() -> NDArray[np.uint8]:
    """The remainder of each bit of a sub-multiframe, C bits left out."""
    rows, remainder = [], 3
    for _ in range(2048):
        rows.append([remainder >> k & 1 for k in (3, 2, 1, 0)])
        remainder = remainder << 1 ^ (0x13 if remainder & 8 else 0)
    matrix = np.array(rows[::-1], np.uint8)
    matrix[::512] = 0
    return matrix


MATRIX = crc4_matrix().astype(np.float32)


def numpy_framing(octets: NDArray[np.uint8], out: NDArray[np.uint8]) -> tuple[int, int]:
    """The same work with numpy, alignment already known: check FAS, NFAS and CRC-4, then transpose."""
    frames = octets.reshape(-1, 32)
    wrong = int(np.count_nonzero((frames[::2, 0] & 0x7F) != 0x1B) + np.count_nonzero(frames[1::2, 0] & 0x40 == 0))
    bits = np.unpackbits(octets.reshape(-1, 256), axis=1).astype(np.float32)
    remainders = (bits @ MATRIX).astype(np.int32) & 1
    sent = frames[::2, 0].reshape(-1, 4) >> 7
    bad = int(np.count_nonzero((remainders[:-1] != sent[1:]).any(axis=1)))
    out[:] = frames.T
    return wrong, bad


KINDS = pytest.mark.parametrize("portable", [False, True], ids=["widest", "portable"])


@pytest.mark.benchmark(group="e1")
@KINDS
@pytest.mark.parametrize("shift", [0, 3])
def test_framing_with_crc4_and_demultiplexing(benchmark: Any, shift: int, portable: bool) -> None:
    frames = random.Random(1).randbytes(32 * BLOCK)
    line = Transmitter().send(frames * 2)[32 * BLOCK :]  # its end fits its beginning
    line = (int.from_bytes(line * 2) >> shift).to_bytes(64 * BLOCK)[32 * BLOCK :]
    oracle, engine = e1.SlowFramer(), Engine(capacity=1 << 14, portable=portable)
    for _ in range(2):
        oracle.feed(line)
        engine.receive(line)
    there = b"".join(oracle.frames[n][5:6] for n in range(1, engine.head))
    assert engine.read(5, 1, engine.head - 1) == there
    benchmark(engine.receive, line)
    _, aligned, crc_multiframe, _, counters = engine.snapshot()
    assert aligned
    assert crc_multiframe
    assert counters["crc_errors"] == counters["fas_errors"] == 0
    octets, out = np.frombuffer(Transmitter().send(frames), np.uint8), np.empty((32, BLOCK), np.uint8)
    assert numpy_framing(octets, out) == (0, 0)
    numpy_time = best(lambda: numpy_framing(octets, out))
    tell(benchmark, {"numpy": numpy_time}, 32 * BLOCK, LINE_RATE, "E1 lines per core")


@pytest.mark.benchmark(group="e1")
@KINDS
def test_demultiplexing(benchmark: Any, portable: bool) -> None:
    frames = random.Random(1).randbytes(32 * BLOCK)
    array, out = np.frombuffer(frames, np.uint8).reshape(-1, 32), np.empty((32, BLOCK), np.uint8)
    assert np.array_equal(demux(frames, out, portable=portable), array.T)
    benchmark(demux, frames, out, portable=portable)
    numpy_time = best(lambda: np.copyto(out, array.T))
    tell(benchmark, {"numpy": numpy_time}, 32 * BLOCK, LINE_RATE, "E1 lines per core")


@pytest.mark.benchmark(group="g711")
@pytest.mark.parametrize("samples", [160, 8000])
def test_a_law_decoding(benchmark: Any, samples: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import audioop  # noqa: PLC0415  # deprecated: it warns on import, and is gone in 3.13
    octets = random.Random(1).randbytes(samples)
    table, codes = alaw_decode(bytes(range(256))), np.frombuffer(octets, np.uint8)
    assert alaw_decode(octets).tobytes() == audioop.alaw2lin(octets, 2)
    benchmark(alaw_decode, octets)
    peers = {
        "audioop": best(lambda: audioop.alaw2lin(octets, 2)),
        "numpy.take": best(lambda: np.take(table, codes)),
    }
    tell(benchmark, peers, samples, CHANNEL_RATE, "channels per core")
