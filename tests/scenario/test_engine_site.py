"""Ways of forking, forks that fail, pairs that are short: the engine against the emulated PBX, octet for octet."""

from pathlib import Path
from typing import Any

import pytest

from osrec_drivers.line import FRAME_RATE
from tests.scenario.site import Site
from tests.scenario.test_calls import OUTSIDE, TWO_PARTY, equal, steps

WAYS = ["single-step-conference", "join-call", "make-call", "escape"]


def way(name: str) -> dict[str, Any]:
    """The PBX takes one way of asking for a fork, and no other."""
    return {"strategies": [name]}


@pytest.mark.parametrize("name", WAYS)
def test_each_way_of_forking_records_both_sides_through_hold_and_transfer(name: str, tmp_path: Path) -> None:
    play = steps(
        *TWO_PARTY,
        (2.0, "3100", "consult", "3101"),
        (1.0, "3101", "answer"),
        (2.0, "3100", "transfer"),
        (3.0, "3101", "hangup"),
    )
    with Site(tmp_path, play, fork=way(name), recording={"fork": name}) as site:
        site.run(14).finish()
        equal(site)
        assert [one.station for one in site.sidecars()] == ["3100", "3101"]
        (conversation,) = site.conversations()
        assert conversation.outcome == "recorded"


@pytest.mark.parametrize("name", WAYS)
def test_a_pbx_that_wants_another_way_leaves_the_reason(name: str, tmp_path: Path) -> None:
    other = WAYS[(WAYS.index(name) + 1) % len(WAYS)]
    with Site(tmp_path, steps(*TWO_PARTY, (4.0, "3100", "hangup")), fork=way(other), recording={"fork": name}) as site:
        site.run(8).finish()
        (conversation,) = site.conversations()
        assert conversation.outcome == "not_recorded"
        assert "serviceNotSupported" in (conversation.reason or "")


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("sides", ["both", "own", "other"])
def test_a_lost_fork_goes_on_in_a_second_recording(sides: str, told: bool, tmp_path: Path) -> None:
    faults = {"lost": {"first": 1, "after": [4.0, 4.0], "sides": sides, "told": told}}
    with Site(tmp_path, steps(*TWO_PARTY, (20.0, "3100", "hangup")), fork={"faults": faults}) as site:
        site.run(25).finish()
        first, second = site.sidecars()
        assert first.reason.startswith("fork lost")
        assert first.conversation == second.conversation
        assert second.channels[0].slot != first.channels[0].slot
        gap = (second.started - first.started).total_seconds() - 4.0
        assert gap < (1.0 if told else 7.0), "told at once, or seen by the idle slot"


def test_a_fork_that_is_not_answered_is_made_elsewhere(tmp_path: Path) -> None:
    faults = {"unanswered": {"ports": ["7101"], "joins": True}}
    with Site(tmp_path, steps(*TWO_PARTY, (12.0, "3100", "hangup")), fork={"faults": faults}) as site:
        site.run(40).finish()
        (recording,) = site.sidecars()
        assert recording.channels[0].port != "7101"


def test_with_fewer_pairs_than_calls_the_higher_class_is_recorded(tmp_path: Path) -> None:
    play = (
        steps((0.5, OUTSIDE, "call", "3100"), (1.0, "3100", "answer"), (12.0, "3100", "hangup")),
        steps((4.0, "+48221111111", "call", "3101"), (1.0, "3101", "answer"), (4.0, "3101", "hangup")),
    )
    rules = [
        {"name": "board", "action": "record", "stations": ["3101"], "priority": 5},
        {"name": "all", "action": "record"},
    ]
    with Site(tmp_path, *play, pairs=1, rules=rules) as site:
        site.run(18).finish()
        equal(site)
        assert [one.station for one in site.sidecars()] == ["3100", "3101", "3100"]
        assert all(one.outcome == "recorded" for one in site.conversations())


def test_a_fork_that_is_never_answered_costs_three_seconds_and_its_pair_is_not_lost(tmp_path: Path) -> None:
    faults = {"unanswered": {"ports": ["7101"], "between": [0.0, 4.0]}}
    second = steps((20.0, OUTSIDE, "call", "3101"), (0.5, "3101", "answer"), (4.0, "3101", "hangup"))
    play = steps(*TWO_PARTY, (12.0, "3100", "hangup"))
    with Site(tmp_path, play, second, pairs=2, fork={"faults": faults}) as site:
        site.run(26).finish()
        report = site.judge()
        assert [fault for one in report.recordings for fault in one.faults] == []
        first, other = site.sidecars()
        assert first.sample_count > 8.9 * FRAME_RATE, "3 s after the first request another pair had been forked"
        assert {one.port for one in first.channels} == {"7103", "7104"}
        assert {one.port for one in other.channels} == {"7101", "7102"}, (
            "what the PBX joined all the same was taken out"
        )
        missed = [one for conversation in site.conversations() for one in conversation.missed]
        assert [one.blame for one in missed] == ["fork_refused"]
        assert (missed[0].until - missed[0].since).total_seconds() == pytest.approx(3.0, abs=0.1)
