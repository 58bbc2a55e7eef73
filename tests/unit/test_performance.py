"""Errored, severely errored and unavailable seconds, and the bins that they are counted in."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osrec_drivers.e1.performance import Bin, Counts, Performance, Second, Thresholds
from tests.reference.performance import available

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
GOOD, BAD, SEVERE = Second(), Second(7), Second(300)


def play(seconds: Sequence[Second], performance: Performance | None = None, begin: datetime = NOON) -> Performance:
    performance = performance or Performance()
    for number, second in enumerate(seconds, 1):
        performance.take(second, second, begin + timedelta(seconds=number))
    return performance


def near(performance: Performance) -> Counts:
    return performance.quarters()[-1].near


def test_three_hundred_blocks_in_error_make_a_second_severe_and_no_fewer() -> None:
    assert near(play([Second(299)])) == Counts(1, es=1, bbe=299)
    assert near(play([Second(300)])) == Counts(1, es=1, ses=1)


def test_a_defect_makes_a_second_severe_without_an_error() -> None:
    assert near(play([Second(0, defect=True)])) == Counts(1, es=1, ses=1)


def test_without_crc_4_wrong_alignment_signals_count_against_their_own_threshold() -> None:
    assert near(play([Second(27, crc4=False)])) == Counts(1, es=1, bbe=27)
    assert near(play([Second(28, crc4=False)])) == Counts(1, es=1, ses=1)


def test_other_thresholds_can_be_set() -> None:
    lenient = Performance(Thresholds(ses_share=0.832, unavailable=2, available=3))
    assert near(play([Second(831), Second(832), Second(832)], lenient)) == Counts(3, es=1, bbe=831, uas=2)


@pytest.mark.parametrize(("field", "value"), [("ses_share", 0.0), ("ses_share", 1.01), ("unavailable", 0)])
def test_a_threshold_that_cannot_be_is_refused_by_name(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{field} = {value}"):
        Thresholds(**{field: value})  # type: ignore[arg-type]


def test_nine_severe_seconds_are_available_time_and_the_tenth_makes_all_ten_unavailable() -> None:
    performance = play([BAD] + [SEVERE] * 9)
    assert near(performance) == Counts(10, es=10, ses=9, bbe=7)
    assert performance.near_available
    play([SEVERE], performance, NOON + timedelta(seconds=10))
    assert near(performance) == Counts(11, es=1, bbe=7, uas=10)
    assert not performance.near_available


def test_unavailable_time_ends_with_the_first_of_ten_seconds_that_are_not_severe() -> None:
    performance = play([SEVERE] * 10 + [BAD] * 9)
    assert near(performance) == Counts(19, uas=19)
    play([GOOD], performance, NOON + timedelta(seconds=19))
    assert near(performance) == Counts(20, es=9, bbe=63, uas=10)


def test_a_severe_second_among_the_ten_keeps_time_unavailable() -> None:
    assert near(play([SEVERE] * 10 + [GOOD] * 9 + [SEVERE] + [GOOD] * 9)) == Counts(29, uas=29)


def test_seconds_in_the_quarter_before_turn_unavailable_there() -> None:
    before, now = play([SEVERE] * 10, begin=NOON - timedelta(seconds=4)).quarters()
    assert before == Bin(NOON - timedelta(minutes=15), Counts(4, uas=4), Counts(4, uas=4))
    assert now == Bin(NOON, Counts(6, uas=6), Counts(6, uas=6))


def test_the_second_that_ends_on_the_quarter_belongs_to_the_one_before() -> None:
    bins = play([GOOD], begin=NOON - timedelta(seconds=1)).quarters()
    assert [one.start for one in bins] == [NOON - timedelta(minutes=15)]


def test_far_and_near_end_are_counted_apart_and_what_could_not_be_read_of_the_far_one_not_at_all() -> None:
    performance = Performance()
    performance.take(Second(0, defect=True), None, NOON + timedelta(seconds=1))
    performance.take(GOOD, Second(3), NOON + timedelta(seconds=2))
    assert performance.quarters() == (Bin(NOON, Counts(2, es=1, ses=1), Counts(1, es=1, bbe=3)),)


def test_ninety_six_quarters_and_a_day_are_kept_besides_the_current_ones() -> None:
    performance = Performance()
    for quarter in range(200):
        performance.take(BAD, BAD, NOON + timedelta(minutes=15 * quarter, seconds=1))
    quarters, days = performance.quarters(), performance.days()
    assert len(quarters) == 97
    assert quarters[-1].start - quarters[0].start == timedelta(days=1)
    assert [one.start.day for one in days] == [25, 26]
    assert days[0].near == Counts(96, es=96, bbe=96 * 7)


def test_after_a_long_pause_only_what_is_younger_than_a_day_is_left() -> None:
    performance = play([BAD])
    play([BAD], performance, NOON + timedelta(days=40))
    assert [one.start for one in performance.quarters()] == [NOON + timedelta(days=40)]
    assert [one.start.day for one in performance.days()] == [3]


def test_a_clock_that_was_put_back_a_little_goes_on_with_the_newest_bin() -> None:
    performance = play([BAD])
    play([BAD], performance, NOON - timedelta(minutes=10))
    assert performance.quarters() == (Bin(NOON, Counts(2, es=2, bbe=14), Counts(2, es=2, bbe=14)),)


def test_bins_of_a_clock_that_ran_years_ahead_are_given_up() -> None:
    performance = play([BAD])
    play([BAD], performance, NOON + timedelta(days=9000))
    play([GOOD], performance, NOON + timedelta(minutes=15))
    assert [one.start for one in performance.quarters()] == [NOON + timedelta(minutes=15)]
    assert performance.quarters()[0].near == Counts(1)


def test_a_local_clock_fills_the_same_bins() -> None:
    nepal = play([BAD], begin=NOON.astimezone(timezone(timedelta(hours=5, minutes=45))))
    assert (nepal.quarters(), nepal.days()) == (play([BAD]).quarters(), play([BAD]).days())


def test_what_was_kept_goes_on_after_a_restart() -> None:
    first = play([SEVERE] * 12)
    second = Performance(kept=first.kept())
    assert not second.near_available
    play([BAD], second, NOON + timedelta(seconds=12))
    assert near(second) == Counts(13, uas=13)


RUNS = st.lists(st.tuples(st.sampled_from([GOOD, BAD, SEVERE]), st.integers(1, 12)), max_size=30)


@given(RUNS, st.integers(0, 899))
def test_any_record_is_counted_as_the_whole_of_it_looked_at_afterwards(
    record: list[tuple[Second, int]], offset: int
) -> None:
    seconds = [second for second, count in record for _ in range(count)]
    performance = play(seconds, begin=NOON + timedelta(seconds=offset))
    severe = [second.severe(Thresholds()) for second in seconds]
    state = available(severe)
    told = list(zip(state, severe, seconds, strict=True))
    wanted = Counts(
        len(seconds),
        es=sum(up and second.errors > 0 for up, _, second in told),
        ses=sum(up and bad for up, bad, _ in told),
        bbe=sum(second.errors for up, bad, second in told if up and not bad),
        uas=state.count(False),
    )
    assert sum((one.near for one in performance.quarters()), Counts()) == wanted
    assert sum((one.far for one in performance.days()), Counts()) == wanted
