"""When a recorder could have leased a pair: from what the PBX knows, and the times that the recorder documents."""

from pathlib import Path

import pytest

from osrec_emulators.check.outages import Outage
from osrec_emulators.check.pool import Pool
from osrec_emulators.check.spans import Span
from osrec_emulators.check.times import Times
from osrec_emulators.check.troubles import NOTED, Troubles
from tests.unit.check_ledger import PORTS, SLOTS, A, Pbx, at, outage

ONE_PAIR = {port: SLOTS[port] for port in PORTS[:2]}
TIMES = Times()
SEEN = TIMES.freed + NOTED  # seconds from the end of a call until its pair could be seen to be free


def free_from(pbx: Pbx, *outages: Outage) -> list[float]:
    """When the only pair became free, from 20 s to 60 s."""
    truth = pbx.truth()
    pool = Pool(truth.conversations, ONE_PAIR, Troubles(outages), TIMES)
    span: Span = (at(20).timestamp(), at(60).timestamp())
    return [round(since - at(0).timestamp(), 2) for since, _ in pool.free(span)]


@pytest.fixture
def pbx(tmp_path: Path) -> Pbx:
    """A talks until 25 s."""
    pbx = Pbx(tmp_path)
    pbx.incoming(5, 25, A)
    return pbx


def test_a_pair_is_free_when_its_call_is_over_and_it_has_rested(pbx: Pbx) -> None:
    assert free_from(pbx) == [25 + SEEN]


def test_of_a_station_that_nobody_watched_it_is_free_when_the_station_is_watched_again(pbx: Pbx) -> None:
    assert free_from(pbx, outage("monitor", 20, 30, A)) == [30 + TIMES.settled + SEEN]


def test_or_when_silence_has_told(pbx: Pbx) -> None:
    assert free_from(pbx, outage("monitor", 20, 60, A)) == [25 + TIMES.audio_end + TIMES.heard + SEEN]


def test_silence_tells_nothing_while_the_link_is_down(pbx: Pbx) -> None:
    out = outage("link", 20, 40), outage("monitor", 40, 60, A)
    assert free_from(pbx, *out) == [pytest.approx(40 + TIMES.audio_end + TIMES.heard + SEEN)]


def test_silence_that_the_loss_of_the_link_interrupts_has_not_told(pbx: Pbx) -> None:
    out = outage("monitor", 20, 30, A), outage("link", 30, 40), outage("monitor", 40, 60, A)
    assert free_from(pbx, *out) == [pytest.approx(40 + TIMES.audio_end + TIMES.heard + SEEN)]


def test_silence_that_an_alarm_of_the_line_interrupts_has_not_told(pbx: Pbx) -> None:
    """What does not arrive is no silence."""
    out = outage("monitor", 20, 60, A), outage("line", 28, 30)
    assert free_from(pbx, *out) == [pytest.approx(30 + TIMES.audio_end + TIMES.heard + SEEN)]


@pytest.mark.parametrize(
    ("told", "outages", "known"),
    [
        (True, [], TIMES.port_loss),
        (False, [], TIMES.found_out),
        (True, [outage("monitor", 20, 27, A)], 2.0 + TIMES.settled + TIMES.port_loss),
        (True, [outage("monitor", 20, 60, A)], TIMES.found_out + TIMES.port_loss),
        (False, [outage("line", 26, 28)], 3.0 + TIMES.found_out),
    ],
)
def test_a_pair_whose_fork_was_lost_is_free_when_the_recorder_has_found_out(
    tmp_path: Path, told: bool, outages: list[Outage], known: float
) -> None:
    pbx = Pbx(tmp_path, faults={"lost": {"every": 1, "after": [8.9, 8.9], "told": told}})
    pbx.at(15).switch.incoming("0049305550", A)
    pbx.at(16).switch.answer(A)
    pbx.fork(16.1, A)
    pbx.at(70).switch.clear(A)
    assert free_from(pbx, *outages) == [pytest.approx(25 + known + SEEN)]


def test_a_port_of_a_call_on_hold_is_not_free(tmp_path: Path) -> None:
    pbx = Pbx(tmp_path)
    pbx.at(5).switch.incoming("0049305550", A)
    pbx.at(6).switch.answer(A)
    pbx.fork(6.1, A)
    pbx.at(15).switch.hold(A)
    pbx.at(25).switch.clear("7801")
    assert free_from(pbx) == [25 + SEEN]


def test_a_request_without_answer_keeps_its_pair_as_long_as_it_is_waited_for(tmp_path: Path) -> None:
    pbx = Pbx(tmp_path, faults={"unanswered": {"every": 1, "joins": False}})
    pbx.incoming(20, 25, A)
    assert free_from(pbx) == [20, pytest.approx(21.1 + TIMES.request_timeout + SEEN)]


def test_a_pair_on_a_line_in_alarm_is_not_free(pbx: Pbx) -> None:
    assert free_from(pbx, outage("line", 24, 30)) == [pytest.approx(30 + TIMES.heard + 2 * NOTED)]
