"""What every driver does when octets are lost, the line breaks, the board is gone, or the recorder was."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from osrec_drivers.line import FRAME_RATE, Alarm, GapCause
from tests.conformance.links import BOARDS, BUILDERS, Link, has, linked, slot, until, voice

BY_CLOCK = FRAME_RATE // 20  # samples that a length which only the clock knows may be wrong by


@pytest.fixture(params=BUILDERS)
def link(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Link]:
    with linked(request.param, tmp_path) as made:
        yield made


@pytest.mark.parametrize("name", [*BUILDERS, *BOARDS])
def test_what_is_lost_is_a_gap_and_what_follows_has_its_right_number(name: str, tmp_path: Path) -> None:
    with linked(name, tmp_path) as link:
        _lose_some(link)


def _lose_some(link: Link) -> None:
    if link.lose is None:
        pytest.skip("this link loses nothing to order")
    before, frames = voice(1600), voice(4800)
    link.send(before)
    link.arrival(before)
    begin, lost_before = link.near.head, link.near.status().received
    link.send(frames[: 32 * 800])
    cause = link.lose(800 if not link.exact else 80)
    link.send(frames[32 * 800 :])
    ring = 0

    def end_is_there() -> bool:
        nonlocal ring
        heard = link.near.read(5, begin, link.near.head - begin)
        ring = heard.find(slot(frames, 5)[4700:4790])
        return ring >= 0

    link.wait(end_is_there)
    gaps = [gap for gap in link.near.gaps(begin, link.near.head - begin) if gap.cause is cause]
    assert gaps, "the loss shows"
    heard = link.near.read(5, begin, link.near.head - begin)
    start = heard.find(slot(frames, 5)[:40])
    if start >= 0:  # else the loss took the beginning
        tolerance = 0 if link.exact else BY_CLOCK
        assert abs((ring - start) - 4700) <= tolerance
    assert link.near.status().received > lost_before
    assert sum(gap.count for gap in gaps) == pytest.approx(80 if link.exact else 800, abs=9 if link.exact else BY_CLOCK)


def test_no_signal_is_an_alarm_and_a_gap_and_ends(link: Link) -> None:
    if link.break_line is None:
        pytest.skip("this link cannot be broken to order")
    frames = voice(800)
    link.send(frames)
    link.arrival(frames)
    begin = link.near.head
    link.break_line(True)
    link.wait(lambda: has(Alarm.LOS, link.near))
    if link.runs:
        time.sleep(0.7)  # longer than the silence that a line without octets puts up with
    link.break_line(False)
    link.wait(lambda: not has(Alarm.LOS, link.near))
    again = voice(1600)
    link.wait(lambda: not link.near.status().alarms - {Alarm.RAI})
    link.send(again)
    first = link.arrival(again)
    causes = {gap.cause for gap in link.near.gaps(begin, first - begin)}
    assert GapCause.LOS in causes
    assert causes <= {GapCause.LOS, GapCause.LOF, GapCause.AIS}
    assert [change.raised for change in link.near.changes() if change.alarm is Alarm.LOS] == [True, False]
    assert link.near.gaps(first + 10, 1500) == []


def test_a_board_that_goes_away_comes_back_with_the_right_numbers(link: Link) -> None:
    if link.unplug is None:
        pytest.skip("there is no board")
    frames = voice(800)
    link.send(frames)
    link.arrival(frames)
    begin, at = link.near.head, link.now()
    link.unplug(True)
    until(lambda: has(Alarm.UNPLUGGED, link.near))
    time.sleep(0.2)  # it stays away for a while
    link.unplug(False)
    until(lambda: not link.near.status().alarms - {Alarm.RAI})
    until(lambda: not has(Alarm.UNPLUGGED, link.far))
    again = voice(800)
    link.send(again)
    first = link.arrival(again)
    gap = next(gap for gap in link.near.gaps(begin, first - begin) if gap.cause is GapCause.UNPLUGGED)
    assert gap.count >= 0.2 * FRAME_RATE
    grown = link.near.head - begin
    assert grown == pytest.approx((link.now() - at) * FRAME_RATE / 1e9, abs=2 * BY_CLOCK)
    assert [change.raised for change in link.near.changes() if change.alarm is Alarm.UNPLUGGED] == [True, False]


def test_sample_numbers_go_on_after_a_restart(link: Link) -> None:
    """What was sent while nobody listened is a gap, or still in the socket; either way the numbers fit."""
    frames = voice(8000)
    link.send(frames[: 32 * 1600])
    first = link.arrival(frames[: 32 * 1600])
    if link.runs:
        link.send(frames[32 * 1600 :])  # on the way while the near end is closed and opened again
    anchor, idled = link.near.anchor(), link.idled
    assert anchor is not None
    link.near.close()
    if not link.runs:
        link.send(frames[32 * 1600 : 32 * 2400])
    link.near = link.resume(anchor)
    if not link.runs:
        link.send(frames[32 * 2400 :])
    last = frames[32 * 6400 :]
    found = link.arrival(last)
    assert link.near.oldest == anchor.sample
    causes = {gap.cause for gap in link.near.gaps(link.near.oldest, link.near.head - link.near.oldest)}
    assert causes <= {GapCause.NOT_LISTENING, GapCause.LOF, GapCause.AIS}
    if not link.runs:
        assert found == first + 6400 + idled


def test_a_restart_of_the_recorder_takes_as_long_as_the_clock_says(link: Link) -> None:
    if not link.runs:
        pytest.skip("time passes only with what is sent")
    link.wait(lambda: link.near.head >= 1600)
    anchor = link.near.anchor()
    assert anchor is not None
    link.near.close()
    time.sleep(0.3)  # the recorder is down
    link.near = link.resume(anchor)
    link.wait(lambda: link.near.status().received >= 800)
    expected = anchor.sample + (link.now() - anchor.monotonic_ns) * FRAME_RATE // 1_000_000_000
    assert link.near.head == pytest.approx(expected, abs=BY_CLOCK)
    away = next(gap for gap in link.near.gaps(0, 10**6) if gap.cause is GapCause.NOT_LISTENING)
    assert away.first == anchor.sample
    assert away.count >= 0.3 * FRAME_RATE
