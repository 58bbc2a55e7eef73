"""When things happen: timetables and outages, in virtual time."""

from osrec_emulators.cap.faults import Restart
from osrec_emulators.cap.outages import Down, Outages, Up
from osrec_emulators.cap.timetable import Timetable


def test_what_is_due_comes_in_the_order_of_time() -> None:
    table = Timetable([(3.0, None, "c"), (1.0, None, "a"), (2.0, None, "b")])
    assert table.take(0.9) == []
    assert table.take(2.0) == ["a", "b"]
    assert table.deadline == 3.0


def test_what_comes_again_comes_once_however_late_one_asks() -> None:
    table = Timetable([(10.0, 5.0, "beat")])
    assert table.take(31.0) == ["beat"]
    assert table.deadline == 35.0


def test_what_was_due_before_the_beginning_is_past_unless_it_comes_again() -> None:
    table = Timetable([(10.0, None, "once"), (10.0, 7.0, "again"), (30.0, None, "later")], begin=20.0)
    assert table.deadline == 24.0
    assert table.take(30.0) == ["again", "later"]


def test_an_address_goes_down_and_comes_up_again_and_again() -> None:
    outages = Outages([Restart(at=100.0, every=60.0, closed=5.0)], listeners=2, begin=0.0)
    assert outages.deadline == 100.0
    assert outages.take(100.0) == [Down((1, 2), 5.0)]
    assert outages.is_down(1)
    assert outages.deadline == 105.0
    assert outages.take(105.0) == [Up((1, 2))]
    assert not outages.is_down(2)
    assert outages.take(160.0) == [Down((1, 2), 5.0)]


def test_an_address_that_two_outages_hold_down_comes_up_after_the_second() -> None:
    restarts = [Restart(at=10.0, closed=20.0), Restart(at=15.0, closed=30.0, listener=1)]
    outages = Outages(restarts, listeners=2, begin=0.0)
    outages.take(10.0)
    assert outages.take(15.0) == [Down((1,), 30.0)]
    assert outages.take(30.0) == [Up((2,))]
    assert (outages.is_down(1), outages.is_down(2)) == (True, False)
    assert outages.take(45.0) == [Up((1,))]
