"""Causes that go on: what the loss of a fork, or that it was taken away, bears out, for whom, and until when."""

from pathlib import Path

import pytest

from osrec_emulators.check.expected import Expected
from tests.unit.check_ledger import OUTSIDE, A, B, C, Case, D, E, Pbx, missed, outage, second, without_recording

PRECISE = 0.3  # seconds
UNTRUE = "which the PBX does not bear out"


def other_call(pbx: Pbx, asked: float, station: str, first: int) -> None:
    """A call of somebody else that takes a pair."""
    pbx.at(asked - 0.2).switch.incoming(f"00493055500{first}", station)
    pbx.at(asked - 0.1).switch.answer(station)
    pbx.fork(asked, station, first)


def transferred(tmp_path: Path, taken: float | None) -> Case:
    """A talks with B from 11 s on and is forked, consults C, loses the fork at 20 s, and transfers at 25 s, until 40 s.

    Others have all pairs from `taken` on; None: nobody else wants one.
    """
    lost = {"every": 1, "after": [8.9, 8.9], "between": [11, 11.2]}
    pbx = Pbx(tmp_path, faults={"lost": lost})
    if taken is not None:
        other_call(pbx, 5, D, 2)
    pbx.at(10).switch.make_call(A, B)
    pbx.at(11).switch.answer(B)
    pbx.fork(11.1, A)
    pbx.at(18).switch.consult(A, C)
    pbx.at(19).switch.answer(C)
    if taken is not None:
        other_call(pbx, taken, E, 0)
    pbx.at(25).switch.transfer(A)
    pbx.at(40).switch.clear(B)
    for station in (D, E) if taken is not None else ():
        pbx.at(50).switch.clear(station)
    case = Case(pbx.truth(), expected=Expected(tolerance=PRECISE))
    entry = next(entry for entry in case.entries if A in entry["stations"])
    gone = [missed(A, 20, 25, "fork_lost"), missed(C, 20, 40, "fork_lost"), missed(B, 25, 40, "fork_lost")]
    entry |= {"class": "gaps", "missed": gone}
    return case


def test_a_lost_fork_is_to_blame_for_those_who_are_left_as_long_as_there_is_no_pair(tmp_path: Path) -> None:
    """C, whose talk with A it carried, goes on with B: neither has been on a pair since."""
    assert transferred(tmp_path, 20.9).faults() == []


@pytest.mark.parametrize("taken", [None, 23.0])
def test_it_is_not_when_a_pair_could_be_had_also_when_there_is_none_again_later(
    tmp_path: Path, taken: float | None
) -> None:
    faults = transferred(tmp_path, taken).faults()
    for station in (B, C):
        assert any(f"station {station}" in fault and f"missed for fork_lost, {UNTRUE}" in fault for fault in faults)


def test_it_is_not_for_want_of_a_pair_long_after_the_fork_was_there_again(tmp_path: Path) -> None:
    """Lost at 20 s, back at 20.9 s; at 30 s the recorder lets go of it, and all pairs are taken then."""
    lost = {"every": 1, "after": [8.9, 8.9], "between": [11, 11.2]}
    pbx = Pbx(tmp_path, faults={"lost": lost})
    other_call(pbx, 5, D, 2)
    pbx.at(10).switch.incoming(OUTSIDE, A)
    pbx.at(11).switch.answer(A)
    pbx.fork(11.1, A)
    pbx.at(20.9)
    pbx.fork(20.9, A)
    pbx.release(30, A)
    other_call(pbx, 30.5, E, 0)
    pbx.at(40).switch.clear(A)
    for station in (D, E):
        pbx.at(50).switch.clear(station)

    def missed_for(cause: str) -> list[str]:
        entry["missed"] = [missed(A, 20, 20.9, "fork_lost"), missed(A, 30, 40, cause)]
        return case.faults()

    case = Case(pbx.truth(), expected=Expected(tolerance=PRECISE))
    entry = next(entry for entry in case.entries if A in entry["stations"])
    entry["class"] = "gaps"
    entry["recordings"][0]["to"] = second(30)
    assert any(f"missed for fork_lost, {UNTRUE}" in fault for fault in missed_for("fork_lost"))
    assert missed_for("preempted") == []


@pytest.mark.parametrize(("until", "named"), [(20.45, True), (20.9, False)])
def test_a_fork_that_leaves_shortly_before_the_end_may_leave_with_the_call(
    tmp_path: Path, until: float, named: bool
) -> None:
    """For `port_loss` nobody can tell."""
    pbx = Pbx(tmp_path, faults={"lost": {"every": 1, "after": [8.9, 8.9]}})
    pbx.at(10).switch.make_call(A, B)
    pbx.at(11).switch.answer(B)
    pbx.fork(11.1, A)
    pbx.at(until).switch.clear(A)
    case = Case(pbx.truth(), expected=Expected(tolerance=PRECISE))
    assert (case.faults() == []) == named
    case.entries[0]["recordings"][0]["to"] = second(15)
    assert any("station 3101" in fault and "not named" in fault for fault in case.faults())


def test_a_recording_that_ends_that_shortly_before_the_talk_without_a_loss_of_its_fork_is_found(tmp_path: Path) -> None:
    """A's fork is lost, B's is not."""
    lost = {"every": 1, "after": [8.9, 8.9], "between": [11, 11.15]}
    pbx = Pbx(tmp_path, faults={"lost": lost})
    pbx.at(10).switch.make_call(A, B)
    pbx.at(11).switch.answer(B)
    pbx.fork(11.1, A)
    pbx.fork(11.2, B, 2)
    pbx.at(20.45).switch.clear(A)
    case = Case(pbx.truth(), expected=Expected(each=True, tolerance=PRECISE))
    assert case.faults() == []
    case.entries[0]["recordings"][1]["to"] = second(20)
    assert any("station 3101" in fault and "not named" in fault for fault in case.faults())


def test_a_loss_in_mid_call_is_named_however_short_it_was(tmp_path: Path) -> None:
    pbx = Pbx(tmp_path, faults={"lost": {"every": 1, "after": [8.9, 8.9], "between": [11, 11.2]}})
    pbx.at(10).switch.incoming(OUTSIDE, A)
    pbx.at(11).switch.answer(A)
    pbx.fork(11.1, A)
    pbx.at(20.45)
    pbx.fork(20.45, A)
    pbx.at(40).switch.clear(A)
    case = Case(pbx.truth(), expected=Expected(tolerance=PRECISE))
    assert any("station 3100" in fault and "not named" in fault for fault in case.faults())
    case.entries[0] |= {"class": "gaps", "missed": [missed(A, 20, 20.45, "fork_lost")]}
    assert case.faults() == []


def test_who_never_had_a_pair_was_not_preempted(tmp_path: Path) -> None:
    pbx = Pbx(tmp_path)
    other_call(pbx, 5, D, 2)
    other_call(pbx, 6, E, 0)
    pbx.incoming(10, 40, A, first=None)
    for station in (D, E):
        pbx.at(50).switch.clear(station)
    case = Case(pbx.truth(), expected=Expected(tolerance=PRECISE))
    entry = next(entry for entry in case.entries if A in entry["stations"])
    without_recording(entry, "preempted")
    assert any(f"not recorded for preempted, {UNTRUE}" in fault for fault in case.faults())
    without_recording(entry, "no_pair")
    assert case.faults() == []


def test_a_silent_loss_is_noticed_when_idle_code_has_come_for_long_enough(tmp_path: Path) -> None:
    """5 s of it, a look, and half a second; the line was in alarm until 24 s: what does not come is no idle code."""

    def faults(until: float, *outages: tuple[float, float]) -> list[str]:
        lost = {"every": 1, "after": [8.9, 8.9], "told": False}
        pbx = Pbx(tmp_path, faults={"lost": lost})
        pbx.incoming(10, until, A)
        case = Case(pbx.truth(), [outage("line", *one) for one in outages], Expected(tolerance=PRECISE))
        case.entries[0] |= {"class": "gaps", "missed": [missed(A, 20, until, "fork_lost")]}
        return case.faults()

    assert faults(26.5) == []
    assert any(UNTRUE in fault for fault in faults(28))
    assert faults(28, (22, 24)) == []
    assert any(UNTRUE in fault for fault in faults(32, (22, 24)))


def test_what_waits_for_a_pair_is_missed_until_it_turns_out_to_be_never_recorded(tmp_path: Path) -> None:
    """The reason is `never` from the moment on that it is known; what was missed before is missed."""
    pbx = Pbx(tmp_path)
    other_call(pbx, 5, D, 2)
    other_call(pbx, 6, E, 0)
    pbx.at(10).switch.incoming(OUTSIDE, A)
    pbx.at(11).switch.answer(A)
    pbx.at(25).switch.consult(A, C)
    pbx.at(26).switch.answer(C)
    for now, station in ((40, C), (41, A), (50, D), (50, E)):
        pbx.at(now).switch.clear(station)
    case = Case(pbx.truth(), expected=Expected(never=[C], tolerance=PRECISE))
    entry = next(entry for entry in case.entries if A in entry["stations"])
    without_recording(entry, "never", [missed(A, 11, 25, "no_pair")])
    assert case.faults() == []
    without_recording(entry, "never", [missed(A, 11, 25, "no_pair"), missed(A, 26, 40, "no_pair")])
    assert any("14.0 s" in fault and "are never to be recorded" in fault for fault in case.faults())
    without_recording(entry, "never")
    assert any("are not recorded for never, which the PBX does not bear out" in fault for fault in case.faults())
