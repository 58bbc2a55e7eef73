"""Frames leave in order, at their time, and are passed over when that is long gone."""

import pytest

from osrec_drivers.errors import LineError
from osrec_drivers.line import IDLE
from osrec_drivers.outlet import FRAME, FRAME_NS, ROOM, Outlet

MS = 1_000_000
IDLE_FRAME = bytes([IDLE]) * FRAME


def frames(count: int, octet: int) -> bytes:
    return bytes([octet]) * (FRAME * count)


def test_idle_frames_go_out_while_nobody_gives_any() -> None:
    outlet = Outlet()
    assert outlet.take(3, 0) == IDLE_FRAME * 3
    assert outlet.sent == 0


def test_what_is_given_goes_out_in_order_and_then_idle() -> None:
    outlet = Outlet()
    outlet.put(frames(2, 1), None)
    outlet.put(frames(3, 2), None)
    assert outlet.queued == 5
    assert outlet.take(4, 0) == frames(2, 1) + frames(2, 2)
    assert outlet.take(3, 0) == frames(1, 2) + IDLE_FRAME * 2
    assert (outlet.sent, outlet.queued, outlet.unsent) == (5, 0, 0)


def test_frames_with_a_time_wait_for_it() -> None:
    outlet = Outlet()
    outlet.put(frames(2, 1), 10 * FRAME_NS)
    assert outlet.take(8, 0) == IDLE_FRAME * 8
    assert outlet.take(8, 8 * FRAME_NS) == IDLE_FRAME * 2 + frames(2, 1) + IDLE_FRAME * 4


def test_frames_that_are_a_little_late_go_out_and_long_overdue_ones_do_not() -> None:
    outlet = Outlet()
    outlet.put(frames(8, 1), 1 * MS)
    outlet.put(frames(8, 2), 2 * MS)
    assert outlet.take(4, 251 * MS) == frames(4, 1)  # 250 ms late: just not too much
    assert outlet.take(4, 252 * MS) == frames(4, 2)  # the rest of the first is late by more
    assert (outlet.sent, outlet.unsent) == (8, 4)


def test_half_a_frame_is_refused_with_the_rule() -> None:
    with pytest.raises(ValueError, match=r"33 octets: frames are 32 octets each \[G\.704 2\.3\.1\]"):
        Outlet().put(bytes(33), None)


def test_frames_without_a_time_that_do_not_fit_are_refused() -> None:
    outlet = Outlet()
    outlet.put(frames(ROOM, 1), None)
    with pytest.raises(LineError, match=f"1 frames do not fit: {ROOM} of {ROOM} wait"):
        outlet.put(frames(1, 2), None)


def test_frames_with_a_time_push_out_the_oldest() -> None:
    outlet = Outlet()
    outlet.put(frames(ROOM // 2, 1), 0)
    outlet.put(frames(ROOM // 2, 2), 0)
    outlet.put(frames(8, 3), 0)
    assert outlet.unsent == ROOM // 2
    assert outlet.take(1, 0) == frames(1, 2)
