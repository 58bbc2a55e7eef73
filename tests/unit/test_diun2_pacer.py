"""Exactly 8000 frames a second."""

from hypothesis import given
from hypothesis import strategies as st

from osrec_emulators.diun2.pacer import LARGEST, LEAD_NS, PACKET, Pacer

MS = 1_000_000


def test_ten_milliseconds_are_eighty_frames() -> None:
    pacer = Pacer(5 * MS)
    assert [list(pacer.due((5 + 10 * tick) * MS)) for tick in range(4)] == [[], [80], [80], [80]]


def test_a_second_of_stall_comes_in_a_row_and_loses_nothing() -> None:
    pacer = Pacer(0)
    assert list(pacer.due(1000 * MS)) == [LARGEST] * 10
    assert list(pacer.due(1010 * MS)) == [80]


def test_a_frame_has_to_be_sent_at_the_same_time_whenever_it_is_handed_over() -> None:
    prompt, stalled = Pacer(7 * MS), Pacer(7 * MS)
    for tick in range(200):
        list(prompt.due((7 + 10 * tick) * MS))
    list(stalled.due(1997 * MS))
    times = [[pacer.time_to_send(frame) for frame in (0, 8, 15_920)] for pacer in (prompt, stalled)]
    assert times == [[7 * MS + LEAD_NS, 8 * MS + LEAD_NS, 1997 * MS + LEAD_NS]] * 2
    assert prompt.handed == stalled.handed == 15_920


def test_a_board_whose_clock_is_fast_has_to_send_sooner() -> None:
    pacer = Pacer(7 * MS)
    on_time = pacer.time_to_send(80_000)
    assert on_time - pacer.time_to_send(80_000, ppm=100.0) == 999_900  # 100 us in each second
    assert pacer.time_to_send(80_008, ppm=100.0) == on_time  # eight frames more in the same ten seconds


@given(st.lists(st.integers(0, 300 * MS), max_size=50))
def test_after_any_rhythm_the_count_is_that_of_the_clock_to_a_packet(steps: list[int]) -> None:
    pacer, now = Pacer(0), 0
    handed = 0
    for step in steps:
        now += step
        blocks = list(pacer.due(now))
        handed += sum(blocks)
        assert all(0 < count <= LARGEST and count % PACKET == 0 for count in blocks)
        assert 0 <= now * 8000 // 1_000_000_000 - handed < PACKET
    assert pacer.handed == handed
