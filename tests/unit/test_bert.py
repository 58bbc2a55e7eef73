"""Bit error tests over a cable whose far end sends back what it gets, and over ones where it does not."""

from collections.abc import Iterator
from itertools import count

import pytest

from osrec_drivers.e1.bert import BitErrorTest, SlotResult, Verdict, overall
from osrec_drivers.e1.prbs import Pattern
from osrec_drivers.errors import LineError
from osrec_drivers.line import IDLE, Line, open_line
from osrec_drivers.virtual import Fault, FaultKind, cable

NAMES = count()
TENTH = bytes([IDLE]) * 32 * 800


class Rig:
    """A line, and a far end in a loop."""

    def __init__(self) -> None:
        self.name = f"bert{next(NAMES)}"
        self.far: Line = open_line(f"virtual:{self.name}/a")
        self.near: Line = open_line(f"virtual:{self.name}/b")
        for _ in range(2):
            self.near.transmit(TENTH)
        self.far.loop("remote")

    def run(self, test: BitErrorTest, seconds: float) -> list[SlotResult]:
        for _ in range(round(seconds * 10)):
            test.step()
            self.near.transmit(TENTH)
        test.step()
        return test.results()

    def damage(self, kind: FaultKind, frames: int, rate: float = 1e-4) -> None:
        cable(self.name).sent_by["a"].damage(Fault(kind, 32 * frames, rate))


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    yield rig
    rig.near.close()
    rig.far.close()


@pytest.mark.parametrize("pattern", Pattern)
def test_a_sound_loop_passes_on_every_slot(rig: Rig, pattern: Pattern) -> None:
    results = rig.run(BitErrorTest(rig.near, [31, 1, 16], pattern), 3.0)
    assert [one.slot for one in results] == [1, 16, 31]
    assert {one.verdict for one in results} == {Verdict.PASSED}
    assert all(one.bits > 2.5 * 64_000 for one in results)
    assert overall(results) is Verdict.PASSED


def test_bit_errors_are_counted_and_the_rate_is_theirs(rig: Rig) -> None:
    test = BitErrorTest(rig.near, range(1, 32))
    rig.run(test, 2.0)
    rig.damage(FaultKind.BIT_ERRORS, 8000)
    results = rig.run(test, 2.0)
    errors = sum(one.errors for one in results)
    assert errors == pytest.approx(31 * 64_000 * 1e-4, rel=0.25)
    assert overall(results) is Verdict.ERRORS
    assert {one.losses for one in results} == {0}


def test_without_a_loop_there_is_no_pattern_and_that_is_said(rig: Rig) -> None:
    rig.far.loop("none")
    test = BitErrorTest(rig.near, [1, 2])
    assert overall(rig.run(test, 0.5)) is Verdict.SHORT
    assert overall(rig.run(test, 1.5)) is Verdict.NO_PATTERN


def test_one_dead_slot_among_good_ones_fails_the_test() -> None:
    good = SlotResult(1, 64_000, 0, 0, 0, 0, synchronised=True)
    dead = SlotResult(2, 0, 0, 0, 0, 0, synchronised=False)
    assert (good.verdict, dead.verdict) == (Verdict.PASSED, Verdict.NO_PATTERN)
    assert overall([good, dead]) is Verdict.ERRORS


def test_octets_that_never_came_are_told_and_the_pattern_is_found_again(rig: Rig) -> None:
    test = BitErrorTest(rig.near, [7])
    rig.run(test, 2.0)
    rig.damage(FaultKind.LOST, 80)
    (result,) = rig.run(test, 2.0)
    assert result.missing == 80
    assert result.errors == 0
    assert result.synchronised
    assert result.verdict is Verdict.ERRORS


def test_octets_that_are_missing_before_the_pattern_first_came_say_nothing(rig: Rig) -> None:
    rig.damage(FaultKind.LOST, 80)
    (result,) = rig.run(BitErrorTest(rig.near, [7]), 2.0)
    assert (result.missing, result.verdict) == (0, Verdict.PASSED)


def test_a_slot_of_a_d_channel_is_not_tested(rig: Rig) -> None:
    rig.near.d_channel(16)
    with pytest.raises(LineError, match="16"):
        BitErrorTest(rig.near, [16]).step()


@pytest.mark.parametrize("slots", [[], [0], [1, 32]])
def test_slots_that_are_none_are_refused(rig: Rig, slots: list[int]) -> None:
    with pytest.raises(ValueError, match=r"one or more of 1\.\.31"):
        BitErrorTest(rig.near, slots)


def test_the_line_may_be_served_half_a_second_late(rig: Rig) -> None:
    test = BitErrorTest(rig.near, [3])
    for _ in range(6):
        test.step()
        for _ in range(5):
            rig.near.transmit(TENTH)
    test.step()
    (result,) = test.results()
    assert (result.errors, result.losses, result.verdict) == (0, 0, Verdict.PASSED)
