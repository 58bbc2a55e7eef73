"""A recorder that is killed at any moment of a call: what it says in its ledger afterwards is what happened."""

from pathlib import Path

import pytest

from osrec.recorder.parts import store_config
from osrec.store.ledger import Entry
from osrec.store.reconcile import reconcile
from tests.scenario.site import START, Site
from tests.scenario.test_calls import TWO_PARTY, steps

CALL = steps(*TWO_PARTY, (8.0, "3100", "hangup"))  # rings at 0.5, is answered at 1.5 and over at 9.5
LINE_GAPS = {"not_listening", "recorder_restart"}


def after_a_kill(directory: Path, moment: float, away: float) -> Entry:
    """The only entry of the ledger; the files are what the PBX sent."""
    with Site(directory, CALL) as site:
        site.run(moment)
        site.kill_recorder()
        site.run(away)
        site.start_recorder()
        site.run(18.0 - moment - away).finish()
        report = site.judge(*LINE_GAPS, restarts=1)
        assert [fault for one in report.recordings for fault in one.faults] == []
        ledger = reconcile(store_config(site.config))
        assert ledger.findings == ()
        (entry,) = ledger.entries
        assert entry.conversation.parties, "whose call it was"
        return entry


def test_a_recorder_that_is_back_before_the_call_is_answered_has_all_of_it(tmp_path: Path) -> None:
    assert after_a_kill(tmp_path, 0.8, 0.5).kind == "recorded"


@pytest.mark.parametrize(("moment", "away"), [(0.2, 3.0), (0.8, 1.0), (1.5, 1.0)])
def test_a_call_that_was_answered_meanwhile_is_recorded_with_its_beginning_missed(
    tmp_path: Path, moment: float, away: float
) -> None:
    entry = after_a_kill(tmp_path, moment, away)
    assert entry.kind == "gaps"
    assert [one.span.cause for one in entry.missed] == ["link_down"]


@pytest.mark.parametrize("moment", [1.51, 1.53, 2.0, 5.05, 9.4])
def test_a_recording_that_goes_on_says_what_it_lacks(tmp_path: Path, moment: float) -> None:
    entry = after_a_kill(tmp_path, moment, 1.0)
    assert entry.kind == "gaps"
    assert set(entry.causes) <= LINE_GAPS
    (recording,) = entry.recordings
    assert 1.0 <= sum(gap.seconds for gap in recording.gaps) < 1.2


@pytest.mark.parametrize("moment", [9.82, 9.9, 10.2, 10.45])
def test_a_recorder_killed_right_after_a_call_still_has_it_in_its_ledger(tmp_path: Path, moment: float) -> None:
    entry = after_a_kill(tmp_path, moment, 1.0)
    assert (entry.kind, entry.detail) == ("recorded", "")
    assert (entry.conversation.ended - START).total_seconds() == pytest.approx(9.5, abs=0.1), "not when it was back"


def test_a_conversation_that_was_told_is_not_told_again(tmp_path: Path) -> None:
    entry = after_a_kill(tmp_path, 10.8, 1.0)
    assert (entry.kind, entry.detail) == ("recorded", "")


@pytest.mark.parametrize("moment", [5.34, 5.38])
def test_a_pair_that_was_leased_anew_right_before_a_kill_gives_nothing_to_its_last_recording(
    tmp_path: Path, moment: float
) -> None:
    """The journal, written at 5.3 s, knows neither that the one has ended nor that the other has begun at 5.32 s."""
    strong = steps((4.0, "+49229", "call", "3102"), (1.02, "3102", "answer"), (20.0, "3102", "hangup"))
    rules = [
        {"name": "strong", "action": "record", "priority": 5, "stations": ["3102"]},
        {"name": "all", "action": "record"},
    ]
    with Site(tmp_path, CALL, strong, pairs=1, rules=rules) as site:
        site.run(moment)
        site.kill_recorder()
        site.run(1.0)
        site.start_recorder(linked=False)
        site.run(4.0)
        site.mend_link()
        site.run(18.0).finish()
        report = site.judge(*LINE_GAPS, restarts=1)
        assert [fault for one in report.recordings for fault in one.faults] == []
        assert {one.station for one in site.sidecars()} == {"3100", "3102"}


def test_a_recording_of_nobody_stays_nobodys_in_the_next_run(tmp_path: Path) -> None:
    strong = steps((4.0, "+49229", "call", "3102"), (1.02, "3102", "answer"), (20.0, "3102", "hangup"))
    rules = [
        {"name": "strong", "action": "record", "priority": 5, "stations": ["3102"]},
        {"name": "all", "action": "record"},
    ]
    with Site(tmp_path, CALL, strong, pairs=1, rules=rules) as site:
        site.run(5.34)
        site.kill_recorder()
        site.run(1.0)
        site.start_recorder(linked=False)
        site.run(4.0)
        site.mend_link()
        site.run(6.0)
        site.kill_recorder()
        site.run(1.0)
        site.start_recorder()
        site.run(12.0).finish()
        ledger = reconcile(store_config(site.config))
        assert [("no conversation" in finding) for finding in ledger.findings] == [True]
