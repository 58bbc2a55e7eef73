"""Speed of G.711, levels and stereo, and of the whole chain of a line, as ratios to a peer in the same run.

Run with `make bench`, or `pytest --benchmark-only tests/bench/test_bench_dsp.py`.
"""

import random
import warnings
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from osrec_drivers.dsp.blocks import interleave, measure
from osrec_drivers.dsp.dtmf import DtmfDetector
from osrec_drivers.dsp.dtmf_tones import tones
from osrec_drivers.dsp.g711 import alaw_decode, alaw_encode
from osrec_drivers.e1.audio import LineAudio
from osrec_drivers.e1.engine import Engine
from osrec_drivers.e1.transmitter import Transmitter
from tests.bench.test_bench_e1 import BLOCK, CHANNEL_RATE, LINE_RATE, best, numpy_framing, tell
from tests.interop.test_dtmf_peers import Spandsp
from tests.reference import dtmf

LONG = 64_000  # octets: eight seconds
ROWS = [*range(1, 16), *range(17, 32)]  # time slots of the thirty channels
PAIRS = [(ROWS[i], ROWS[i + 1]) for i in range(0, 30, 2)]
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # deprecated: it warns on import, and is gone in 3.13
    import audioop


@pytest.mark.benchmark(group="g711")
def test_a_law_decoding_of_a_long_block(benchmark: Any) -> None:
    octets = random.Random(1).randbytes(LONG)
    assert alaw_decode(octets).tobytes() == audioop.alaw2lin(octets, 2)
    benchmark(alaw_decode, octets)
    peers = {"audioop": best(lambda: audioop.alaw2lin(octets, 2))}
    tell(benchmark, peers, LONG, CHANNEL_RATE, "channels per core")


@pytest.mark.benchmark(group="g711")
def test_a_law_encoding_of_a_long_block(benchmark: Any) -> None:
    samples = alaw_decode(random.Random(1).randbytes(LONG))
    linear = samples.tobytes()
    assert alaw_encode(samples).tobytes() == audioop.lin2alaw(linear, 2)
    benchmark(alaw_encode, samples)
    peers = {"audioop": best(lambda: audioop.lin2alaw(linear, 2), 7, 3)}
    tell(benchmark, peers, LONG, CHANNEL_RATE, "channels per core")


def numpy_levels(samples: NDArray[np.int16]) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    wide = samples.astype(np.int32)
    return np.abs(wide).max(axis=1), (wide.astype(np.float64) ** 2).mean(axis=1)


def block_of_samples() -> NDArray[np.int16]:
    return alaw_decode(random.Random(1).randbytes(30 * BLOCK)).reshape(30, BLOCK)


@pytest.mark.benchmark(group="dsp")
@pytest.mark.parametrize("portable", [False, True], ids=["widest", "portable"])
def test_levels_of_thirty_channels(benchmark: Any, portable: bool) -> None:
    samples = block_of_samples()
    peaks, powers = numpy_levels(samples)
    assert measure(samples, portable=portable)[0].tolist() == peaks.tolist()
    assert measure(samples, portable=portable)[1] == pytest.approx(powers)
    benchmark(measure, samples, portable=portable)
    tell(
        benchmark,
        {"numpy": best(lambda: numpy_levels(samples))},
        samples.nbytes,
        2 * 30 * CHANNEL_RATE,
        "lines per core",
    )


@pytest.mark.benchmark(group="dsp")
def test_stereo_of_fifteen_pairs(benchmark: Any) -> None:
    samples = block_of_samples()

    def by_numpy() -> NDArray[np.int16]:
        return np.ascontiguousarray(samples.reshape(15, 2, BLOCK).transpose(0, 2, 1))

    assert np.array_equal(interleave(samples), by_numpy())
    benchmark(interleave, samples)
    tell(benchmark, {"numpy": best(by_numpy)}, samples.nbytes, 2 * 30 * CHANNEL_RATE, "lines per core")


@pytest.mark.benchmark(group="dsp")
@pytest.mark.parametrize("portable", [False, True], ids=["widest", "portable"])
def test_listening_for_dtmf_on_thirty_channels(benchmark: Any, portable: bool) -> None:
    """Eight seconds of talk and dialling, equal to the oracle first."""
    dial = tones("0815", on=0.08, off=0.12)
    samples = np.tile(alaw_decode(alaw_encode(dial)), (30, LONG // 30 // len(dial) + 1))
    detector = DtmfDetector(30, portable=portable)
    found = detector.feed(samples) + detector.flush()
    wanted = dtmf.detect(samples[0])
    assert [(one.digit, one.first, one.count) for one in found if one.channel == 0] == wanted
    benchmark(detector.feed, samples)
    peer = Spandsp()
    slow = best(lambda: peer.hear(samples[0]), 7, 3)
    assert peer.hear(samples[0])
    tell(benchmark, {"spandsp": 30 * slow}, samples.nbytes, 2 * CHANNEL_RATE, "channels per core")


@pytest.mark.benchmark(group="chain")
@pytest.mark.parametrize("portable", [False, True], ids=["widest", "portable"])
def test_the_whole_chain_of_a_line(benchmark: Any, portable: bool) -> None:
    """20 ms: align, check CRC-4, demultiplex, decode, levels of 30 channels, stereo of 15 pairs."""
    frames = random.Random(1).randbytes(32 * BLOCK)
    line = Transmitter().send(frames * 2)[32 * BLOCK :]  # its end fits its beginning
    engine = Engine(capacity=1 << 14, portable=portable)
    audio, stereo = LineAudio(engine, PAIRS, portable=portable), np.empty((15, BLOCK, 2), np.int16)
    table = alaw_decode(bytes(range(256)))
    first = -BLOCK

    def ours() -> None:
        nonlocal first
        first += BLOCK
        engine.receive(line)
        audio.listen(first, stereo)

    def by_numpy() -> tuple[Any, Any]:
        out = np.empty((32, BLOCK), np.uint8)
        numpy_framing(np.frombuffer(line, np.uint8), out)
        samples = np.take(table, out)[ROWS]
        pairs = np.ascontiguousarray(samples.reshape(15, 2, BLOCK).transpose(0, 2, 1))
        return numpy_levels(samples), pairs

    ours()
    (peaks, powers), pairs = by_numpy()
    assert audio.peaks.tolist() == peaks.tolist()
    assert audio.powers == pytest.approx(powers)
    assert np.array_equal(stereo, pairs)
    benchmark(ours)
    _, aligned, crc_multiframe, _, counters = engine.snapshot()
    assert aligned
    assert crc_multiframe
    assert counters["crc_errors"] == counters["fas_errors"] == 0
    tell(benchmark, {"numpy": best(by_numpy)}, 32 * BLOCK, LINE_RATE, "E1 lines per core")
