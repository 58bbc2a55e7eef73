"""The link breaks between the request for a fork and its answer: whatever the PBX sends on the slots is recorded."""

from pathlib import Path
from typing import Any

import pytest

from osrec.recorder.parts import store_config
from osrec.store.reconcile import reconcile
from osrec_drivers.line import FRAME_RATE
from tests.scenario.site import START, Site
from tests.scenario.test_calls import TWO_PARTY, equal, steps

CALL = steps(*TWO_PARTY, (12.0, "3100", "hangup"))  # is answered at 1.5 and over at 13.5
LATE = {"faults": {"late": {"first": 2, "seconds": [2.0, 2.0]}}}  # served at once, answered 2 s later


def broken_off(directory: Path, away: float, play: Any = CALL, fork: Any = LATE, **more: Any) -> Site:
    """A site whose link broke 0.3 s after the request, and is back after so many seconds."""
    site = Site(directory, play, fork=fork, **more)
    site.run(1.8)
    site.cut_link()
    site.run(away)
    site.mend_link()
    return site


@pytest.mark.parametrize("own", [1, 2])
def test_a_call_whose_fork_nobody_answered_is_recorded_from_its_first_word(own: int, tmp_path: Path) -> None:
    fork = {"faults": {"late": {"first": own, "seconds": [2.0, 2.0]}}}
    with broken_off(tmp_path, 5.0, fork=fork) as site:
        site.run(10.0).finish()
        equal(site)
        (recording,) = site.sidecars()
        assert recording.gaps == []
        assert (recording.started - START).total_seconds() == pytest.approx(1.5, abs=0.1), (
            "as soon as it was on the slots"
        )
        assert recording.sample_count / FRAME_RATE == pytest.approx(12.2, abs=0.3)
        assert {one.number for one in recording.parties} == {"3100", "+48221234567"}
        ledger = reconcile(store_config(site.config))
        assert ledger.findings == ()
        assert ledger.stray == ()
        (entry,) = ledger.entries
        assert entry.kind == "recorded"


def test_a_call_that_ends_before_the_link_is_back_is_kept_whole(tmp_path: Path) -> None:
    play = steps(*TWO_PARTY, (5.0, "3100", "hangup"))
    with broken_off(tmp_path, 9.0, play, recording={"audio_end": 2.0}) as site:
        site.run(3.0).finish()
        equal(site)
        (recording,) = site.sidecars()
        assert 5.0 < recording.sample_count / FRAME_RATE <= 5.0 + 2.2, "no more silence than may be a pause"
        (entry,) = reconcile(store_config(site.config)).entries
        assert [one.id for one in entry.recordings] == [recording.recording]


def test_a_fork_that_was_not_made_is_asked_for_again_when_the_link_is_back(tmp_path: Path) -> None:
    fork = {"faults": {"unanswered": {"first": 2, "joins": False}}}
    with broken_off(tmp_path, 4.0, fork=fork) as site:
        assert site.recorder is not None
        site.run(9.0).finish()
        equal_but_late = site.judge()
        assert [fault for one in equal_but_late.recordings for fault in one.faults] == []
        (recording,) = site.sidecars()
        assert (recording.started - START).total_seconds() >= 5.8, "idle slots are nothing to record"
        (entry,) = reconcile(store_config(site.config)).entries
        assert {one.span.cause for one in entry.missed} == {"link_down"}


def test_a_recorder_killed_in_the_outage_goes_on_with_what_it_recorded(tmp_path: Path) -> None:
    with Site(tmp_path, CALL, fork=LATE) as site:
        site.run(1.8)
        site.cut_link()
        site.run(3.0)
        site.kill_recorder()
        site.run(1.0)
        site.start_recorder()
        site.run(9.0).finish()
        report = site.judge("not_listening", "recorder_restart", restarts=1)
        assert [fault for one in report.recordings for fault in one.faults] == []
        (recording,) = site.sidecars()
        assert (recording.started - START).total_seconds() == pytest.approx(1.5, abs=0.1)


def test_a_call_that_is_never_to_be_recorded_is_not_recorded_by_its_audio_either(tmp_path: Path) -> None:
    with broken_off(tmp_path, 4.0, rules=[{"name": "secret", "action": "never"}]) as site:
        site.run(10.0).finish()
        assert site.sidecars() == []
