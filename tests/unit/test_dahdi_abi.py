"""What goes through DAHDI's ioctls, and what a board's alarms are called on a line."""

from collections.abc import Iterator

import pytest

from osrec_drivers import dahdi_abi as abi
from osrec_drivers.dahdi_abi import LineConfig, SpanAlarm
from osrec_drivers.dahdi_intake import alarms_of
from osrec_drivers.dahdi_span import slips_in
from osrec_drivers.line import Alarm
from tests.unit.dahdi_bench import Bench


@pytest.fixture
def bench() -> Iterator[Bench]:
    with Bench() as bench:
        yield bench


def test_ioctl_numbers_are_those_of_the_kernel_headers() -> None:
    assert [abi.SPECIFY, abi.SPAN_STATUS, abi.GET_PARAMS, abi.SET_BUFFERS, abi.GET_EVENT] == [
        0x4004DA26, 0xC13ADA0A, 0xC088DA05, 0x4018DA1B, 0x8004DA08,
    ]  # fmt: skip
    assert [abi.SPAN_CONFIG, abi.CHANNEL_CONFIG, abi.STARTUP, abi.SET_AUDIO_MODE, abi.BUFFER_EVENTS] == [
        0x4024DA12, 0x404CDA13, 0x4004DA63, 0x4004DA20, 0x4004DA69,
    ]  # fmt: skip


def test_a_span_status_is_read_from_where_the_kernel_puts_it() -> None:
    answer = bytearray(314)
    for place, value in ((0, 3), (64, 0x108), (76, 7), (80, 8), (84, 9), (88, 10), (112, 11), (124, 31), (136, 0x700)):
        answer[place : place + 4] = value.to_bytes(4, "little")
    answer[4:12] = b"TE4/0/3\0"
    answer[308:310] = b"E1"
    status = abi.span_status(answer)
    assert (status.span, status.name, status.kind, status.channels) == (3, "TE4/0/3", "E1", 31)
    assert status.alarms == SpanAlarm.RED | SpanAlarm.LOS
    assert (status.code_violations, status.crc4_errors, status.e_bits, status.fas_errors) == (7, 8, 9, 10)
    assert (status.irq_misses, status.line_config) == (11, LineConfig.CCS | LineConfig.HDB3 | LineConfig.CRC4)
    assert abi.span_status(abi.span_answer(status)) == status


@pytest.mark.parametrize(
    ("told", "alarms"),
    [
        (SpanAlarm.RED, {Alarm.LOF}),
        (SpanAlarm.RED | SpanAlarm.LOS, {Alarm.LOS}),
        (SpanAlarm.RED | SpanAlarm.LFA, {Alarm.LOF}),
        (SpanAlarm.RED | SpanAlarm.BLUE, {Alarm.AIS}),
        (SpanAlarm.YELLOW, {Alarm.RAI}),
        (SpanAlarm.RED | SpanAlarm.YELLOW, {Alarm.LOF, Alarm.RAI}),
        (SpanAlarm.LMFA, {Alarm.LMFA}),
        (SpanAlarm.NOT_OPEN, {Alarm.LOF}),
        (SpanAlarm.RECOVER, set()),
        (SpanAlarm.LOOPBACK, set()),
        (SpanAlarm(0), set()),
    ],
)
def test_the_alarms_of_a_board_are_told_apart(told: SpanAlarm, alarms: set[Alarm]) -> None:
    assert set(alarms_of(told)) == alarms


def test_slips_are_found_in_proc_where_there_are_any() -> None:
    assert (
        slips_in('Span 1: TE4/0/1 "T4XXP" HDB3/CCS/CRC4\n\tTiming slips: 175319\n\n\t   1 TE4/0/1/1 Clear\n') == 175319
    )
    assert slips_in('Span 1: TE4/0/1 "T4XXP" HDB3/CCS/CRC4\n\t   1 TE4/0/1/1 Clear\n') == 0
