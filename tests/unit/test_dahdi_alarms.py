"""What a DAHDI board tells: alarms, counts, that it is gone."""

from collections.abc import Iterator

import pytest

from osrec_drivers.dahdi_abi import SpanAlarm
from osrec_drivers.line import Alarm, Crc4, Gap, GapCause
from tests.unit.dahdi_bench import Bench, gaps, until


@pytest.fixture
def bench() -> Iterator[Bench]:
    with Bench() as bench:
        yield bench


# ---- alarms and counters ----


@pytest.mark.parametrize(
    ("told", "alarm", "cause"),
    [
        (SpanAlarm.RED | SpanAlarm.LOS, Alarm.LOS, GapCause.LOS),
        (SpanAlarm.RED, Alarm.LOF, GapCause.LOF),
        (SpanAlarm.BLUE, Alarm.AIS, GapCause.AIS),
    ],
)
def test_what_comes_while_the_board_has_no_frames_is_a_gap(
    bench: Bench, told: SpanAlarm, alarm: Alarm, cause: GapCause
) -> None:
    near, _ = bench.pair()
    bench.model.pass_time(300)
    bench.model.alarms(2, told)
    bench.model.pass_time(200)
    status = near.status()
    assert status.alarms == {alarm}
    assert not status.aligned
    assert status.crc4 is Crc4.SEARCHING
    bench.model.alarms(2, SpanAlarm(0))
    bench.model.pass_time(200)
    assert near.status().alarms == set()
    assert near.status().aligned
    assert [(change.alarm, change.raised, change.sample) for change in near.changes()] == [
        (alarm, True, 2400),
        (alarm, False, 4000),
    ]
    assert gaps(near) == [Gap(2400, 1600, cause)]


def test_an_alarm_that_follows_upon_another_without_an_event_is_seen(bench: Bench) -> None:
    near, _ = bench.pair()
    bench.model.alarms(2, SpanAlarm.RED | SpanAlarm.LOS)
    bench.model.pass_time(300)
    bench.model.alarms(2, SpanAlarm.BLUE)
    bench.model.pass_time(200)
    assert near.status().alarms == {Alarm.AIS}


def test_an_alarm_that_was_over_before_anybody_looked_is_told_all_the_same(bench: Bench) -> None:
    near, _ = bench.pair()
    bench.model.pass_time(105)
    with bench.model.nobody_reads(2):
        bench.model.alarms(2, SpanAlarm.RED | SpanAlarm.LOS)
        bench.model.alarms(2, SpanAlarm(0))
    bench.model.pass_time(100)
    assert [(change.alarm, change.raised) for change in near.changes()] == [(Alarm.LOF, True), (Alarm.LOF, False)]


def test_a_far_end_that_cannot_receive_us_costs_no_octet(bench: Bench) -> None:
    near, _ = bench.pair()
    bench.model.alarms(2, SpanAlarm.YELLOW)
    bench.model.pass_time(300)
    assert near.status().alarms == {Alarm.RAI}
    assert near.status().aligned
    assert gaps(near) == []


def test_a_missing_crc_multiframe_does_not_stop_the_audio(bench: Bench) -> None:
    near, _ = bench.pair()
    bench.model.alarms(2, SpanAlarm.LMFA)
    bench.model.pass_time(300)
    assert near.status().alarms == {Alarm.LMFA}
    assert near.status().crc4 is Crc4.SEARCHING
    assert gaps(near) == []


def test_a_span_without_ticks_is_told_and_counted_by_the_clock(bench: Bench) -> None:
    near, _ = bench.pair()
    bench.model.pass_time(400)
    bench.model.cut.add(2)
    bench.model.pass_time(2000)
    assert near.status().alarms == {Alarm.NO_PACKETS}
    bench.model.cut.clear()
    bench.model.pass_time(200)
    assert near.status().alarms == set()
    assert near.head == 2600 * 8
    assert [(gap.first, gap.count, gap.cause) for gap in gaps(near)] == [(3200, 16000, GapCause.NO_PACKETS)]


def test_the_counts_of_the_board_are_told_from_when_the_line_was_opened(bench: Bench) -> None:
    bench.model.count(2, slips=7, crc4_errors=5, irq_misses=3)
    near, _ = bench.pair()
    bench.model.pass_time(200)
    assert (near.status().counters.slips, near.status().counters.crc_errors) == (0, 0)
    bench.model.count(2, slips=2, crc4_errors=4, e_bits=6, fas_errors=8, irq_misses=1)
    bench.model.pass_time(200)
    counters = near.status().counters
    assert (counters.slips, counters.crc_errors, counters.e_bits, counters.fas_errors) == (2, 4, 6, 8)
    assert counters.irq_misses == 1


# ---- boards that go ----


def test_a_board_that_is_pulled_out_and_put_back_goes_on_with_its_sample_numbers(bench: Bench) -> None:
    near, _ = bench.pair()
    bench.model.pass_time(400)
    bench.model.count(2, crc4_errors=3)
    bench.model.pass_time(100)
    bench.model.remove(2)
    until(lambda: near.failure is not None)
    assert "line 'dahdi:2': span 2 is gone" in str(near.failure)
    assert near.status().alarms == {Alarm.UNPLUGGED}
    bench.model.pass_time(300)
    bench.model.plug_in(2)
    until(lambda: bench.model.spans[2].channels[0].open)
    bench.model.pass_time(200)
    assert near.status().alarms == set()
    assert near.failure is None
    assert near.head == 1000 * 8
    assert gaps(near) == [Gap(4000, 2400, GapCause.UNPLUGGED)]
    assert near.status().counters.crc_errors == 3


def test_what_a_board_says_before_its_first_octets_is_no_cause_of_its_absence(bench: Bench) -> None:
    near, _ = bench.pair()
    bench.model.pass_time(500)
    bench.model.remove(2)
    until(lambda: near.failure is not None)
    bench.model.pass_time(800)
    bench.model.plug_in(2)
    bench.model.alarms(2, SpanAlarm.NOT_OPEN)
    until(lambda: bench.model.spans[2].channels[0].open)
    bench.model.pass_time(300)
    assert gaps(near)[0] == Gap(4000, 6400, GapCause.UNPLUGGED)
    assert near.status().alarms == {Alarm.LOF}


def test_closing_while_the_board_is_gone_leaves_nothing_open(bench: Bench) -> None:
    near = bench.line("dahdi:2?hdlc=dahdi")
    bench.model.pass_time(50)
    channel = near.d_channel()
    bench.model.remove(2)
    until(lambda: near.failure is not None)
    assert channel.receive() == []
    assert not channel.send(b"\0\1")
    near.close()
    assert bench.model.open_descriptors == 0
