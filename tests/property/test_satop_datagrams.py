"""The SAToP receiver under hostile and unlucky networks."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from osrec_drivers.e1.engine import Engine
from osrec_drivers.e1.pseudowire import Port
from osrec_drivers.line import IDLE
from tests.unit.test_satop import FRAMES, MS, packet

SLOT = 7
PACKETS = 300
FRAMES_A_PACKET = 8


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=300), st.binary(min_size=256, max_size=264)), max_size=40), st.booleans())
def test_any_datagrams_are_taken_or_counted_as_malformed(datagrams: list[bytes], rtp: bool) -> None:
    port = Port(Engine(capacity=1 << 13), rtp=rtp)
    for place, datagram in enumerate(datagrams):
        port.take(datagram, place * MS)
    counters = port.counters()
    assert counters["packets"] + counters["packets_malformed"] >= len(datagrams)
    assert port.engine.head >= 0


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 65535), st.integers(0, 2**32), st.floats(0, 0.1), st.integers(0, 12), st.floats(0, 0.1))
def test_loss_reordering_and_duplicates_leave_truth_and_gaps_and_nothing_else(
    base: int, seed: int, loss: float, jitter: int, twice: float
) -> None:
    dice = random.Random(seed)
    sent = [n for n in range(PACKETS) if n < 5 or dice.random() >= loss]  # the first ones tell where the stream begins
    arrivals = [(n + (dice.uniform(0, jitter) if n >= 5 else 0), n) for n in sent]
    arrivals += [(at + dice.uniform(0, 5), n) for at, n in arrivals if n >= 5 and dice.random() < twice]
    port = Port(Engine(capacity=1 << 13), jitter_ms=20)
    for at, number in sorted(arrivals):
        port.take(packet(number, base + number), int((1000 + at) * MS))
    port.tick(int((1000 + PACKETS + 100) * MS))

    engine, head = port.engine, port.engine.head
    truth, got = FRAMES[SLOT::32][:head], engine.read(SLOT, 0, head)
    missing = {sample for gap in engine.gaps(0, head) for sample in range(gap.first, gap.first + gap.count)}
    assert all(got[at] == (IDLE if at in missing else truth[at]) for at in range(head))
    lost = {n for n in range(PACKETS) if n not in sent and (n + 1) * FRAMES_A_PACKET <= head}
    assert missing == {n * FRAMES_A_PACKET + k for n in lost for k in range(FRAMES_A_PACKET)}
    assert port.counters()["packets_lost"] == len(lost)
