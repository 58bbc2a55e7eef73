"""How late forks are asked for is measured from the moment of talk until both sides are there."""

from pathlib import Path

import pytest

from osrec_emulators.check.expected import Expected
from osrec_emulators.check.lateness import Lateness, lateness
from tests.unit.check_ledger import OUTSIDE, A, B, C, Pbx, outage


def late(pbx: Pbx, expected: Expected | None = None) -> Lateness:
    return lateness(pbx.truth().conversations, expected or Expected())


def test_the_delay_is_from_talk_to_the_second_side(tmp_path: Path) -> None:
    pbx = Pbx(tmp_path)
    pbx.incoming(10, 40, A, first=None)
    pbx.at(50).switch.incoming(OUTSIDE, A)
    pbx.at(51).switch.answer(A)
    pbx.fork(51.25, A)
    pbx.at(70).switch.clear(A)
    measured = late(pbx)
    assert (measured.begins, measured.forked) == (2, 1)
    assert measured.mean == measured.p99 == measured.largest == pytest.approx(0.25, abs=0.002)


def test_mean_99th_percentile_and_largest_are_of_all(tmp_path: Path) -> None:
    pbx = Pbx(tmp_path)
    for number in range(100):
        pbx.at(100 * number).switch.incoming(OUTSIDE, A)
        pbx.at(100 * number + 1).switch.answer(A)
        pbx.fork(100 * number + 1 + (number + 1) / 100, A)
        pbx.at(100 * number + 9).switch.clear(A)
    measured = late(pbx)
    assert measured.forked == 100
    assert measured.mean == pytest.approx(0.505, abs=0.002)
    assert measured.p99 == pytest.approx(0.99, abs=0.002)
    assert measured.largest == pytest.approx(1.0, abs=0.002)


def test_a_fork_that_goes_on_over_a_consultation_is_not_late(tmp_path: Path) -> None:
    pbx = Pbx(tmp_path)
    pbx.at(10).switch.make_call(A, B)
    pbx.at(11).switch.answer(B)
    pbx.fork(11.5, A)
    pbx.at(20).switch.consult(A, C)
    pbx.at(25).switch.answer(C)
    pbx.at(28).switch.transfer(A)
    pbx.at(40).switch.clear(C)
    measured = late(pbx, Expected(stations=[A]))
    assert (measured.begins, measured.forked) == (1, 1)


def test_who_was_recorded_with_another_waits_from_the_moment_that_the_other_leaves(tmp_path: Path) -> None:
    pbx = Pbx(tmp_path)
    pbx.at(10).switch.make_call(A, B)
    pbx.at(11).switch.answer(B)
    pbx.fork(11.5, A)
    pbx.at(20).switch.consult(A, C)
    pbx.at(25).switch.answer(C)
    pbx.at(28).switch.transfer(A)
    pbx.fork(28.3, B)
    pbx.at(40).switch.clear(C)
    measured = late(pbx)
    assert (measured.begins, measured.forked) == (2, 2)
    assert measured.mean == pytest.approx(0.4, abs=0.002)
    assert measured.largest == pytest.approx(0.5, abs=0.002)


def test_a_fork_that_is_asked_for_again_after_its_loss_was_not_late(tmp_path: Path) -> None:
    pbx = Pbx(tmp_path, faults={"lost": {"every": 1, "after": [5, 5]}})
    pbx.at(10).switch.incoming(OUTSIDE, A)
    pbx.at(11).switch.answer(A)
    pbx.fork(11.5, A)
    pbx.at(18)
    pbx.fork(18.0, A)
    pbx.at(20).switch.clear(A)
    measured = late(pbx)
    assert (measured.begins, measured.forked) == (1, 1)
    assert measured.largest == pytest.approx(0.5, abs=0.002)


def test_nobody_is_late_while_nobody_is_there(tmp_path: Path) -> None:
    pbx = Pbx(tmp_path)
    pbx.incoming(10, 40, A)
    conversations = pbx.truth().conversations
    assert lateness(conversations, Expected(), [outage("link", 5, 20)]).begins == 0
    assert lateness(conversations, Expected(), [outage("link", 20, 25)]).begins == 1
    assert lateness(conversations, Expected(), [outage("monitor", 5, 20, A)]).begins == 0
    assert lateness(conversations, Expected(), [outage("monitor", 5, 20, B)]).begins == 1


def test_one_side_alone_is_no_fork(tmp_path: Path) -> None:
    pbx = Pbx(tmp_path)
    pbx.at(10).switch.incoming(OUTSIDE, A)
    pbx.at(11).switch.answer(A)
    pbx.fork(12, A)
    pbx.world.switch.free_port("5002")
    pbx.at(30).switch.clear(A)
    measured = late(pbx)
    assert (measured.begins, measured.forked, measured.largest) == (1, 0, 0.0)


def test_the_second_station_of_a_call_that_is_recorded_once_is_not_late(tmp_path: Path) -> None:
    pbx = Pbx(tmp_path)
    pbx.at(10).switch.make_call(A, B)
    pbx.at(11).switch.answer(B)
    pbx.fork(11.5, A)
    pbx.at(40).switch.clear(A)
    conversations = pbx.truth().conversations
    assert lateness(conversations, Expected()).begins == 1
    assert lateness(conversations, Expected(each=True)).begins == 2
