"""The octets of a DAHDI span: in step, to the sample, on a model of the kernel's part."""

from collections.abc import Iterator

import pytest

from osrec_drivers import dahdi_abi as abi
from osrec_drivers.dahdi_intake import SpanIntake
from osrec_drivers.dahdi_span import BLOCK, BUFFERS
from osrec_drivers.e1.engine import Engine
from osrec_drivers.line import Anchor, Gap, GapCause
from tests.unit.dahdi_bench import DICE, Bench, gaps, voice, where


@pytest.fixture
def bench() -> Iterator[Bench]:
    with Bench() as bench:
        yield bench


# ---- octets ----


def test_every_time_slot_arrives_in_step_as_it_was_sent(bench: Bench) -> None:
    near, far = bench.pair()
    frames = voice(300)
    far.transmit(frames)
    bench.model.pass_time(400)
    begin = where(near, frames)
    assert begin == 240  # 30 ms given ahead
    for slot in range(1, 32):
        assert near.read(slot, begin, 2400) == frames[slot::32]
    assert gaps(near) == []
    assert near.status().received == near.head == 3200


def test_a_board_is_never_left_without_octets_while_it_is_served(bench: Bench) -> None:
    near, far = bench.pair()
    bench.model.pass_time(500)
    assert near.status().counters.underruns == far.status().counters.underruns == 0
    assert set(near.read(5, 0, near.head)) == {0xD5}


def test_octets_that_nobody_read_in_time_are_a_gap_of_exactly_their_number(bench: Bench) -> None:
    """The buffers hold 130 ms; of 200 ms 70 are lost, after what the buffers hold and before what comes next."""
    near, far = bench.pair()
    before, during, after = voice(100), voice(200), voice(300)
    far.transmit(before + during + after)
    bench.model.pass_time(130)
    begin = where(near, before)
    with bench.model.nobody_reads(2):
        bench.model.pass_time(200)
    bench.model.pass_time(400)
    assert gaps(near) == [Gap(130 * 8 + BUFFERS * BLOCK, 70 * 8, GapCause.OVERRUN)]
    sent = before + during + after
    for slot in (1, 16, 31):
        got = near.read(slot, begin, len(sent) // 32)
        lost = slice(130 * 8 + BUFFERS * BLOCK - begin, 130 * 8 + BUFFERS * BLOCK - begin + 560)
        assert got[: lost.start] == sent[slot::32][: lost.start]
        assert got[lost.stop :] == sent[slot::32][lost.stop :]
    counters = near.status().counters
    assert counters.overruns == 1
    assert near.status().received + 560 == near.head


def test_two_stalls_one_upon_the_other_are_counted_apart(bench: Bench) -> None:
    near, _ = bench.pair()
    bench.model.pass_time(100)
    for stall in (150, 190):
        with bench.model.nobody_reads(2):
            bench.model.pass_time(stall)
        bench.model.pass_time(60)
    bench.model.pass_time(300)
    assert [gap.count for gap in gaps(near)] == [20 * 8, 60 * 8]
    assert near.head == 860 * 8


def test_a_late_reader_loses_nothing_that_the_buffers_hold(bench: Bench) -> None:
    near, far = bench.pair()
    frames = voice(500)
    far.transmit(frames)
    bench.model.pass_time(200)
    with bench.model.nobody_reads(2):
        bench.model.pass_time(120)
    bench.model.pass_time(300)
    assert gaps(near) == []
    assert near.read(3, where(near, frames), 4000) == frames[3::32]


def test_a_sender_that_stalls_is_counted_and_goes_on(bench: Bench) -> None:
    _, far = bench.pair()
    bench.model.pass_time(100)
    with bench.model.nobody_reads(1):
        bench.model.pass_time(100)
    bench.model.pass_time(100)
    assert far.status().counters.underruns == 1
    frames = voice(100)
    far.transmit(frames)
    bench.model.pass_time(200)
    assert where(bench.lines[0], frames) > 0


def test_an_event_that_comes_in_the_way_of_a_block_to_send_costs_nothing(bench: Bench) -> None:
    near, far = bench.pair()
    frames = voice(300)
    far.transmit(frames)
    for _ in range(10):
        bench.model.spans[1].channels[0].event_at_write = abi.Event.NO_ALARM
        bench.model.pass_time(20)
    bench.model.pass_time(200)
    assert near.read(9, where(near, frames), 2400) == frames[9::32]
    assert far.status().counters.underruns == 0


def test_ticks_that_the_board_lost_itself_are_found_by_the_clock(bench: Bench) -> None:
    near, _ = bench.pair()
    bench.model.pass_time(500)
    bench.model.missed_ticks[2] = 80
    bench.model.pass_time(1000)
    assert [(gap.count, gap.cause) for gap in gaps(near)] == [(80 * 8, GapCause.OVERRUN)]


def test_sample_numbers_go_on_after_a_restart(bench: Bench) -> None:
    near, _ = bench.pair()
    bench.model.pass_time(200)
    anchor = near.anchor()
    assert anchor is not None
    near.close()
    bench.model.pass_time(250)
    again = bench.line("dahdi:2", resume=anchor)
    bench.model.pass_time(300)
    assert again.oldest == 1600
    assert again.head == 750 * 8
    assert next((gap.first, gap.count, gap.cause) for gap in again.gaps(0, again.head)) == (
        1600, 2000, GapCause.NOT_LISTENING,
    )  # fmt: skip


def test_an_anchor_has_the_time_of_its_sample_however_late_that_was_read(bench: Bench) -> None:
    near, _ = bench.pair()
    with bench.model.nobody_reads(2):
        bench.model.pass_time(13)
    bench.model.pass_time(87)
    anchor = near.anchor()
    assert anchor is not None
    assert (anchor.sample, anchor.monotonic_ns) == (800, bench.model.now())


class Blocks:
    """Blocks of 10 ms for an intake alone, without a line."""

    def __init__(self, resume: Anchor | None = None) -> None:
        self.engine = Engine(crc4=False, capacity=1 << 16, resume=resume)
        self.intake = SpanIntake(self.engine, BUFFERS)

    def give(self, first_ms: int, count: int, late_ms: int = 0, *, fresh: bool = True, lost: int = 0) -> None:
        for number in range(count):
            now = (first_ms + 10 * number + late_ms) * 1_000_000
            self.intake.block(bytes(32 * BLOCK), now, fresh=fresh, lost=0 if number else lost)


def test_the_least_late_of_the_blocks_behind_a_loss_tells_how_long_it_was() -> None:
    blocks = Blocks()
    blocks.give(1000, 50)
    blocks.intake.overrun()
    blocks.give(1500, BUFFERS, 200, fresh=False)
    blocks.give(1500 + 10 * BUFFERS + 70, 5, late_ms=20)
    blocks.give(1500 + 10 * BUFFERS + 70 + 50, 5)
    blocks.give(1500 + 10 * BUFFERS + 70 + 100, 10, late_ms=5)
    assert [(gap.first, gap.count) for gap in blocks.engine.gaps(0, blocks.engine.head)] == [(63 * BLOCK, 560)]
    assert blocks.intake.passed == (50 + BUFFERS + 20) * BLOCK + 560


def test_a_late_first_block_after_a_silence_moves_no_sample_number() -> None:
    blocks = Blocks()
    blocks.give(1000, 50)
    for now in range(2000, 3500, 100):
        blocks.intake.tick(now * 1_000_000)
    blocks.give(3500, 1, late_ms=6)
    blocks.give(3510, 20)
    assert blocks.engine.head == (3710 - 10 - 1000) * 8 + BLOCK
    assert blocks.intake.alarms == set()


def test_a_late_first_block_after_a_restart_moves_no_sample_number() -> None:
    blocks = Blocks(Anchor(40_000, 0, 1_000_000_000))
    blocks.give(3000, 1, late_ms=6)
    blocks.give(3010, 20)
    assert blocks.engine.head == 40_000 + (3200 - 1000) * 8


def test_blocks_that_found_no_room_are_a_gap_of_their_number_and_move_a_loss_behind_them() -> None:
    blocks = Blocks()
    blocks.give(1000, 20)
    blocks.intake.overrun()
    blocks.give(1200 + 50, 8, lost=5, fresh=False)
    blocks.give(1330 + 40, 20)
    found = [(gap.first, gap.count) for gap in blocks.engine.gaps(0, blocks.engine.head)]
    assert found == [(20 * BLOCK, 5 * BLOCK), (33 * BLOCK, 320)]
    assert blocks.intake.passed == (20 + 13 + 20) * BLOCK + 320


# ---- loops and single time slots ----


def test_a_remote_loop_gives_the_far_end_back_what_it_sends(bench: Bench) -> None:
    near, far = bench.pair()
    bench.model.pass_time(100)
    near.loop("remote")
    frames = voice(200)
    far.transmit(frames)
    bench.model.pass_time(500)
    begin = where(far, frames)
    for slot in (1, 16, 31):
        assert far.read(slot, begin, 1600) == frames[slot::32]
    near.loop("none")
    bench.model.pass_time(200)
    assert set(far.read(4, far.head - 400, 400)) == {0xD5}


def test_a_local_loop_gives_us_back_what_we_send(bench: Bench) -> None:
    near, far = bench.pair()
    bench.model.pass_time(100)
    near.loop("local")
    frames = voice(200)
    near.transmit(frames)
    bench.model.pass_time(500)
    assert near.read(7, where(near, frames), 1600) == frames[7::32]
    assert far.read(7, where(far, frames), 1600) == frames[7::32]


def test_octets_for_one_time_slot_go_out_on_it_alone(bench: Bench) -> None:
    near, far = bench.pair()
    tone = DICE.randbytes(800)
    assert near.send(20, tone) == 800
    bench.model.pass_time(300)
    assert tone in far.read(20, 0, far.head)
    assert set(far.read(19, 0, far.head)) == {0xD5}
