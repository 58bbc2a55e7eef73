"""The queue between socket and logic, its delays, and the frames that nobody could read."""

from itertools import pairwise

import pytest

from osrec.csta.delays import Delays
from osrec.csta.inlet import Inlet
from osrec.csta.oddities import KEPT, REASONS, Oddities


def test_frames_come_out_as_they_went_in_and_the_end_behind_them() -> None:
    inlet: Inlet[str] = Inlet(10)
    inlet.put("one", b"a", 1.0)
    inlet.end("one", "closed", 2.0)
    inlet.put("two", b"b", 3.0)
    assert [(one.source, one.frame, one.reason) for one in (inlet.take(), inlet.take(), inlet.take())] == [
        ("one", b"a", ""),
        ("one", None, "closed"),
        ("two", b"b", ""),
    ]


def test_what_does_not_fit_is_dropped_and_counted_until_half_is_done_with() -> None:
    inlet: Inlet[int] = Inlet(4)
    assert [inlet.put(1, b"x", 0.0) for _ in range(6)] == [True] * 4 + [False] * 2
    assert (inlet.depth, inlet.deepest, inlet.dropped, inlet.full) == (4, 4, 2, True)
    inlet.take()
    assert not inlet.put(1, b"x", 0.0), "the gap shall end once, not be a sieve"
    assert inlet.relieved() == 0
    inlet.take()
    assert (inlet.relieved(), inlet.full, inlet.relieved()) == (3, False, 0)
    assert inlet.put(1, b"x", 0.0)
    assert inlet.dropped == 3


def test_the_queue_is_bounded_in_octets_too() -> None:
    inlet: Inlet[int] = Inlet(1000, most_octets=100)
    assert inlet.put(1, bytes(60), 0.0)
    assert not inlet.put(1, bytes(60), 0.0)
    inlet.end(1, "closed", 0.0)
    inlet.take()
    assert inlet.relieved() == 1
    assert inlet.put(1, bytes(100), 0.0)


def test_the_end_of_a_connection_has_room_in_a_full_queue() -> None:
    inlet: Inlet[int] = Inlet(1)
    inlet.put(1, b"x", 0.0)
    inlet.put(1, b"y", 0.0)
    inlet.end(1, "closed", 0.0)
    assert inlet.depth == 2


# --- delays


def test_percentiles_are_right_within_a_step() -> None:
    delays = Delays()
    for number in range(1, 1001):
        delays.add(10.0, number / 1000)  # 1 ms to 1 s
    flow = delays.flow(10.5)
    assert flow.p50 == pytest.approx(0.5, rel=0.25)
    assert flow.p99 == pytest.approx(0.99, rel=0.25)
    assert flow.longest == 1.0
    assert flow.per_second == 1000


def test_what_is_older_than_a_minute_is_forgotten() -> None:
    delays = Delays()
    delays.add(100.0, 5.0)
    for second in range(101, 161):
        delays.add(second, 0.001)
    flow = delays.flow(160.0)
    assert flow.longest == 0.001
    assert flow.per_second == 1.0
    assert delays.flow(500.0).p50 is None


def test_no_messages_have_no_delay() -> None:
    assert Delays().flow(1.0).longest is None


def test_a_longer_delay_never_falls_into_a_lower_step() -> None:
    values = [step * 10.0**power for power in range(-6, 2) for step in (1, 2, 5)]
    ends = []
    for value in values:
        delays = Delays()
        delays.add(1.0, value)
        delays.add(1.0, 1e9)  # so that the longest does not cut the percentile
        ends.append(delays.flow(1.0).p50)
    assert all(low is not None and high is not None and low < high for low, high in pairwise(ends))
    assert all(end is not None and value <= end * 1.0000001 for value, end in zip(values, ends, strict=True))


# --- what could not be read


def test_the_last_oddities_are_kept_and_all_counted_by_reason() -> None:
    odd = Oddities()
    for number in range(60):
        odd.add(float(number), f"tag 0x{number:02x} at {number}", bytes((number,)))
    odd.add(60.0, "no SEQUENCE", b"\1")
    assert odd.count == 61
    assert odd.reasons == {"tag # at #": 60, "no SEQUENCE": 1}
    assert len(odd.last) == KEPT
    assert (odd.last[0].octets, odd.last[-1].reason) == (b"\x0b", "no SEQUENCE")


def test_reasons_without_end_are_counted_together() -> None:
    odd = Oddities()
    for number in range(REASONS + 20):
        odd.add(0.0, "x" * (number + 1), b"")
    assert len(odd.reasons) == REASONS + 1
    assert odd.reasons["other reasons"] == 20


def test_a_frame_that_may_hold_a_password_is_not_kept() -> None:
    odd = Oddities()
    odd.add(0.0, "length", b"\x60\x05geheim")
    assert odd.last[0].octets == b"********"
