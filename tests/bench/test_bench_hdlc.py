"""Speed of HDLC on one D channel, as a ratio to libosmocore in the same run, outputs equal first.

Run with `make bench`, or `pytest --benchmark-only tests/bench/test_bench_hdlc.py`. libosmocore is called through
ctypes once a frame, which costs it a twentieth of its time at most.
"""

import random
from typing import Any

import pytest

from osrec_drivers.e1.hdlc import HdlcDecoder, HdlcEncoder
from tests.bench.test_bench_e1 import CHANNEL_RATE, best, tell
from tests.interop.osmocore import OsmoDecoder, OsmoEncoder

N201 = 260  # octets of information, Q.921 5.9.3


def frames_of(count: int) -> list[bytes]:
    dice = random.Random(1)
    return [dice.randbytes(N201) for _ in range(count)]


def line_of(frames: list[bytes], idle: int) -> bytes:
    """Each frame with so many octets of flags behind it."""
    encoder = HdlcEncoder()
    parts = []
    for frame in frames:
        encoder.send(frame)
        parts.append(encoder.pull(encoder.pending + idle))
    return b"".join(parts) + encoder.pull(8)


@pytest.mark.benchmark(group="hdlc")
@pytest.mark.parametrize("idle", [0, 50 * N201], ids=["dense frames", "idle 98 %"])
def test_decoding_a_d_channel(benchmark: Any, idle: int) -> None:
    frames = frames_of(20)
    line = line_of(frames, idle)
    assert [frame.octets for frame in HdlcDecoder().feed(line)] == frames == OsmoDecoder().feed(line)
    decoder, peer = HdlcDecoder(), OsmoDecoder()
    benchmark(decoder.feed, line)
    tell(
        benchmark,
        {"libosmocore": best(lambda: peer.feed(line), 7, 3)},
        len(line),
        CHANNEL_RATE,
        "D channels per core",
    )


@pytest.mark.benchmark(group="hdlc")
def test_encoding_dense_frames(benchmark: Any) -> None:
    frames = frames_of(20)
    line = line_of(frames, 0)

    def ours() -> bytes:
        encoder = HdlcEncoder()
        for frame in frames:
            encoder.send(frame)
        return encoder.pull(encoder.pending)

    assert OsmoDecoder().feed(ours() + b"\x7e" * 2) == frames == OsmoDecoder().feed(OsmoEncoder().encode(frames))
    benchmark(ours)
    peer = best(lambda: OsmoEncoder().encode(frames, 300), 7, 2)
    tell(benchmark, {"libosmocore": peer}, len(line), CHANNEL_RATE, "D channels per core")
