"""The ring of samples and the list of gaps."""

import random
import sys
import threading

import pytest

from osrec_drivers.e1.engine import Engine
from osrec_drivers.errors import LineError
from osrec_drivers.line import Anchor, Gap, GapCause
from tests.reference import e1

FRAMES = random.Random(4).randbytes(32 * 16 * 25)  # whole multiframes, so that the line can be repeated
LINE = e1.send(FRAMES)


def test_the_ring_keeps_the_last_capacity_samples() -> None:
    engine = Engine(capacity=1024)
    for _ in range(10):
        engine.receive(LINE)
    assert (engine.oldest, engine.head) == (4000 - 1024, 4000)
    assert engine.read(3, 4000 - 400, 400) == FRAMES[3::32]
    assert engine.read(31, 4000 - 1024, 224) == FRAMES[31::32][-224:]
    with pytest.raises(LineError, match=r"the ring holds 2976\.\.3999"):
        engine.read(3, 2975, 10)
    with pytest.raises(LineError, match="the ring holds 1024"):
        engine.read(3, 2000, 1025)


def test_a_gap_longer_than_the_ring_fills_it_with_idle() -> None:
    engine = Engine(capacity=1024)
    engine.receive(LINE)
    engine.miss(32 * 100_000, GapCause.NO_PACKETS)
    assert engine.head == 100_400
    assert engine.read(9, engine.oldest, 1024) == b"\xd5" * 1024
    engine.receive(LINE)
    assert engine.read(9, engine.head - 400, 400) == FRAMES[9::32]


def test_gaps_are_clipped_to_the_range_asked_for() -> None:
    engine = Engine(capacity=4096)
    engine.receive(LINE)
    engine.miss(32 * 100, GapCause.PACKET_LOSS)
    engine.miss(32 * 100, GapCause.NO_PACKETS)
    engine.miss(32 * 100, GapCause.NO_PACKETS)
    assert engine.gaps(0, 400) == []
    assert engine.gaps(450, 100) == [Gap(450, 50, GapCause.PACKET_LOSS), Gap(500, 50, GapCause.NO_PACKETS)]
    assert engine.gaps(0, 10_000) == [Gap(400, 100, GapCause.PACKET_LOSS), Gap(500, 200, GapCause.NO_PACKETS)]


def test_more_gaps_than_the_list_holds_are_merged_and_none_is_forgotten() -> None:
    engine = Engine(capacity=1 << 16)
    missing = set()
    for _ in range(10):  # 10,000 gaps of one frame; the list holds 8192
        for n in range(0, 1000, 1):
            engine.receive(LINE[32 * (2 * n % 400) : 32 * (2 * n % 400) + 32])
            engine.miss(32, GapCause.PACKET_LOSS)
    told = engine.gaps(0, 1 << 20)
    for gap in told:
        missing |= set(range(gap.first, gap.first + gap.count))
    assert len(told) <= 8192
    assert set(range(engine.head - 20_000 + 1, engine.head, 2)) <= missing
    assert [gap.first for gap in told] == sorted(gap.first for gap in told)


def test_sample_numbers_begin_at_the_anchor() -> None:
    engine = Engine(capacity=1024, resume=Anchor(12345, 7, 0))
    assert engine.head == engine.oldest == 12345
    engine.receive(LINE)
    assert engine.read(2, 12345, 400) == FRAMES[2::32]


def test_a_capacity_that_is_no_power_of_two_is_refused() -> None:
    with pytest.raises(ValueError, match="capacity 1000 samples: must be a power of two of at least 1024"):
        Engine(capacity=1000)


def test_readers_and_the_receiver_do_not_hurt_each_other() -> None:
    engine = Engine(capacity=1 << 13)
    expected = FRAMES[5::32]
    done = threading.Event()
    faults: list[str] = []

    def read() -> None:
        while not done.is_set():
            head = engine.head
            try:
                got = engine.read(5, max(0, head - 400), min(head, 400))
            except LineError:
                continue  # overtaken
            if got != (expected[-(len(expected) - head % 400) :] + expected[: head % 400])[-len(got) :][: len(got)]:
                faults.append(f"at {head}")

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for _ in range(300):
        engine.receive(LINE)
    done.set()
    for reader in readers:
        reader.join()
    sys.setswitchinterval(interval)
    assert faults == []
    assert engine.head == 300 * 400
