"""The judge of ledgers: an honest one passes, and each way in which a ledger can lie is found."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from osrec.wire.csta.model import NoDevice
from osrec_emulators.check.expected import Expected
from osrec_emulators.check.parties import strangers
from osrec_emulators.check.sent import Truth
from osrec_emulators.check.told import TruthParty
from tests.unit.check_ledger import (
    OUTSIDE,
    A,
    B,
    C,
    Case,
    Pbx,
    copied,
    missed,
    outage,
    second,
    without_recording,
)

PRECISE = 0.3  # seconds


@pytest.fixture
def case(tmp_path: Path) -> Case:
    """A talks to somebody outside from 11 s to 40 s and again from 61 s to 80 s; recorded both times."""
    pbx = Pbx(tmp_path)
    pbx.incoming(10, 40, A)
    pbx.incoming(60, 80, A)
    return Case(pbx.truth())


def only(faults: list[str], words: str) -> None:
    assert [words in fault for fault in faults] == [True], faults


# --- honest


def test_an_honest_ledger_is_right(case: Case) -> None:
    verdict = case.judge()
    assert case.faults() == []
    assert verdict.right
    assert (verdict.conversations, verdict.blind) == (2, 0)
    assert dict(verdict.classes) == {"recorded": 2, "gaps": 0, "not_recorded": 0}


def test_calls_of_stations_that_are_not_watched_need_no_entry(case: Case) -> None:
    case.expected = Expected(stations=["3105"])
    case.ledger["conversations"] = []
    assert case.faults() == []


def test_conversations_outside_the_time_of_the_ledger_need_no_entry(case: Case) -> None:
    del case.entries[1]
    assert len(case.faults()) == 1
    case.ledger["to"] = second(50)
    assert case.faults() == []


def test_a_conversation_that_goes_on_is_no_lie(case: Case) -> None:
    case.entries.append(copied(case.entries[0], id="c9", calls=["ffff"], ended=None, started=second(100)))
    assert case.faults() == []


def test_entries_from_before_the_truth_are_passed_over(case: Case) -> None:
    old = copied(case.entries[0], id="c9", calls=["ffff"], started=second(-50), ended=second(-10))
    case.entries.append(old)
    assert case.faults() == []


# --- which conversations there were


def test_a_conversation_that_the_ledger_forgot_is_found(case: Case) -> None:
    del case.entries[1]
    only(case.faults(), "is not in the ledger; station 3100 was watched")


def test_a_station_that_a_call_passed_without_ringing_had_no_part_in_it(tmp_path: Path) -> None:
    pbx = Pbx(tmp_path)
    pbx.at(5).switch.forward(A, B, "always")
    pbx.at(10).switch.incoming(OUTSIDE, A)
    pbx.at(11).switch.answer(B)
    pbx.at(20).switch.clear(B)
    case = Case(pbx.truth(), expected=Expected(stations=[A]))
    case.entries.clear()
    assert case.faults() == []
    case.expected = Expected(stations=[A, B])
    only(case.faults(), "is not in the ledger; station 3101 was watched")


def test_a_conversation_that_nobody_answered_must_be_there_too(tmp_path: Path) -> None:
    pbx = Pbx(tmp_path)
    pbx.at(10).switch.incoming(OUTSIDE, A)
    pbx.at(20).switch.clear("7801")
    case = Case(pbx.truth())
    assert case.faults() == []
    case.entries.clear()
    only(case.faults(), "is not in the ledger")


def test_a_conversation_that_never_was_is_found(case: Case) -> None:
    case.entries.append(copied(case.entries[0], id="c9", calls=["ffff"]))
    only(case.faults(), "the PBX had no such conversation")


def test_call_ids_that_come_again_are_told_apart_by_time(case: Case) -> None:
    one, other = case.entries
    one["calls"] = other["calls"] = sorted({*one["calls"], *other["calls"]})
    assert case.faults() == []


def test_an_entry_that_mixes_two_conversations_is_found(case: Case) -> None:
    one, other = case.entries
    one["calls"] += other["calls"]
    one["ended"] = other["ended"]
    del case.entries[1]
    only(case.faults(), "mixes 2 conversations")


def test_a_conversation_in_two_entries_is_found(case: Case) -> None:
    case.entries.append(copied(case.entries[0], id="c9"))
    only(case.faults(), "is in 2 entries: c0, c9")


def test_an_entry_that_comes_twice_is_found(case: Case) -> None:
    case.entries.append(copied(case.entries[0]))
    assert any("ledger c0" in fault and "is there twice" in fault for fault in case.faults())


def test_a_conversation_may_be_cut_in_two_where_the_link_was_down(case: Case) -> None:
    case.outages = [outage("link", 20, 25)]
    case.blind(20, 26, "link_down")
    case.entries.append(copied(case.entries[0], id="c9", started=second(26)))
    case.entries[0]["ended"] = second(25.5)
    assert case.faults() == []


def test_a_conversation_that_is_cut_in_two_long_after_the_link_is_back_is_found(case: Case) -> None:
    case.outages = [outage("link", 12, 14)]
    case.blind(12, 15, "link_down")
    case.entries.append(copied(case.entries[0], id="c9", started=second(26)))
    case.entries[0]["ended"] = second(25.5)
    assert any("is in 2 entries" in fault for fault in case.faults())


# --- blind


def test_what_happened_while_the_link_was_down_need_not_be_known(case: Case) -> None:
    del case.entries[1]
    case.outages = [outage("link", 55, 85)]
    case.blind(56, 86, "link_down")
    assert case.faults() == []
    case.ledger["blind"][0]["to"] = second(88)
    only(case.faults(), "2.0 s from 00:01:26.000 on without an outage")


def test_a_slow_pbx_owes_answers_all_the_time_and_those_at_the_end_of_an_outage_are_waited_for(case: Case) -> None:
    del case.entries[1]
    owed = [outage("answer", at, at + 0.4) for at in range(40, 84)] + [outage("answer", 84.5, 90)]
    case.outages = [outage("link", 55, 85), *owed]
    case.blind(56, 91, "link_down")
    assert case.faults() == []
    case.ledger["blind"][0]["to"] = second(93)
    assert any("without an outage" in fault for fault in case.faults())


def test_a_ledger_that_claims_to_have_been_blind_is_found(case: Case) -> None:
    del case.entries[1]
    case.blind(56, 88, "link_down")
    only(case.faults(), "the ledger is blind to all stations for link_down: 32.0 s")


def test_a_blind_span_that_begins_long_before_the_outage_is_found(case: Case) -> None:
    case.outages = [outage("link", 55, 85)]
    case.blind(30, 86, "link_down")
    only(case.faults(), "24.7 s from 00:00:30.000 on without an outage")


def test_a_blind_span_before_the_pbx_ran_is_no_lie(case: Case) -> None:
    case.blind(-60, -1, "link_down")
    assert case.faults() == []


def test_one_station_may_be_blind_alone(case: Case) -> None:
    del case.entries[1]
    case.outages = [outage("licence", 55, 85, A)]
    case.blind(56, 86.5, "licence", A)
    assert case.faults() == []
    case.ledger["blind"][0]["station"] = B
    faults = case.faults()
    assert any("is not in the ledger" in fault for fault in faults)
    assert any("blind to station 3101" in fault for fault in faults)


def test_a_conversation_that_began_before_the_blind_span_must_be_known(case: Case) -> None:
    del case.entries[0]
    case.outages = [outage("link", 30, 45)]
    case.blind(30, 45, "link_down")
    only(case.faults(), "is not in the ledger; station 3100 was watched: 18.0 s from 00:00:11.000")


@pytest.mark.parametrize(("later", "faults"), [(0, 0), (8, 0), (14, 1)])
def test_a_call_that_waits_in_a_queue_may_be_known_from_its_station_on(case: Case, later: int, faults: int) -> None:
    first, *others = case.truth.conversations
    waiting = replace(first, reached_at=first.started_at + timedelta(seconds=8))
    case.truth = replace(case.truth, conversations=(waiting, *others))
    case.entries[0]["started"] = (first.started_at + timedelta(seconds=later)).isoformat()
    assert len([fault for fault in case.faults() if fault.startswith("began at")]) == faults


# --- who


@pytest.mark.parametrize("number", ["+4930123456", "030123456", "7801"])
def test_numbers_may_be_written_otherwise(case: Case, number: str) -> None:
    case.entries[0]["parties"] = [A, number]
    assert case.faults() == []


def test_somebody_who_had_no_part_is_found(case: Case) -> None:
    case.entries[0]["parties"].append("004989555000")
    only(case.faults(), "names 004989555000, who had no part in it")


def test_the_end_of_a_number_is_not_taken_for_the_number(case: Case) -> None:
    case.entries[0]["parties"].append("3456")
    only(case.faults(), "names 3456")


def test_inside_numbers_are_written_in_one_way_only(case: Case) -> None:
    inside = TruthParty("310055", False, None, None)
    (conversation, _) = case.truth.conversations
    conversation = replace(conversation, parties=(*conversation.parties, inside))
    assert strangers(["310055", A], conversation) == []
    assert strangers(["99310055"], conversation) == ["99310055"]


def test_somebody_who_is_not_named_is_found(case: Case) -> None:
    case.entries[0]["parties"] = [A]
    only(case.faults(), f"does not name {OUTSIDE}")


def test_a_number_that_the_pbx_never_told_need_not_be_named(tmp_path: Path) -> None:
    pbx = Pbx(tmp_path)
    pbx.incoming(10, 40, A, shown=NoDevice.RESTRICTED)
    case = Case(pbx.truth())
    case.entries[0]["parties"] = [A]
    assert case.faults() == []
    case.entries[0]["parties"] = [OUTSIDE]
    only(case.faults(), f"does not name {A}")


def test_a_station_that_had_no_part_is_found(case: Case) -> None:
    case.entries[0]["stations"].append(C)
    only(case.faults(), "station 3102 had no part in it")


def test_a_station_that_is_left_out_is_found(case: Case) -> None:
    case.entries[0]["stations"] = []
    only(case.faults(), "station 3100 talked in it and is not among its stations")


def test_an_answer_that_never_was_is_found(tmp_path: Path) -> None:
    pbx = Pbx(tmp_path)
    pbx.at(10).switch.incoming(OUTSIDE, A)
    pbx.at(20).switch.clear("7801")
    case = Case(pbx.truth())
    case.entries[0]["answered"] = second(12)
    only(case.faults(), "was never answered")


def test_an_answer_that_is_denied_is_found(case: Case) -> None:
    case.entries[0]["answered"] = None
    only(case.faults(), "was answered, and is said not to be")


# --- classes


SHAPES: list[tuple[dict[str, Any], str]] = [
    ({"class": "recorded", "recordings": []}, "recorded, without a recording"),
    ({"class": "gaps"}, "said to have gaps, and names none"),
    ({"class": "gaps", "recordings": []}, "recorded with gaps, without a recording"),
    ({"class": "not_recorded", "reason": "no_pair"}, "said not to be recorded, with a recording"),
    ({"class": "not_recorded", "recordings": []}, "not recorded, without a reason"),
    ({"class": "not_recorded", "recordings": [], "reason": "weather"}, "'weather', which is no reason"),
]


@pytest.mark.parametrize(("lie", "words"), SHAPES)
def test_a_class_that_does_not_fit_what_is_said_is_found(case: Case, lie: dict[str, Any], words: str) -> None:
    case.entries[0] |= lie
    assert any(words in fault for fault in case.faults()), case.faults()


def test_missed_audio_in_a_conversation_that_is_said_to_be_whole_is_found(case: Case) -> None:
    case.entries[0]["missed"] = [missed(A, 11, 11.1, "requested_late")]
    only(case.faults(), "recorded in full, and names what is missing")


# --- what is recorded


def test_a_recording_that_ends_too_early_is_found(case: Case) -> None:
    case.entries[0]["recordings"][0]["to"] = second(35)
    faults = case.faults()
    assert any("said to be recorded in full; station 3100: 5.0 s from 00:00:35.000" in fault for fault in faults)
    assert any("talk that is not recorded and not named" in fault for fault in faults)


def test_a_recording_may_begin_and_end_within_the_tolerance(case: Case) -> None:
    case.entries[0]["recordings"][0] |= {"from": second(12), "to": second(39)}
    assert case.faults() == []
    case.expected = Expected(tolerance=0.5)
    assert len(case.faults()) == 2


def gap(since: float, until: float, cause: str) -> dict[str, Any]:
    return {"from": second(since), "to": second(until), "cause": cause}


def test_a_gap_that_is_told_and_true_is_right(case: Case) -> None:
    case.outages = [outage("line", 20, 25)]
    case.entries[0]["recordings"][0]["gaps"] = [gap(20, 25, "line_alarm")]
    case.entries[0]["class"] = "gaps"
    assert case.faults() == []


def test_a_gap_that_somebody_brought_about_is_right(case: Case) -> None:
    case.entries[0]["recordings"][0]["gaps"] = [gap(20, 25, "packet_loss")]
    case.entries[0]["class"] = "gaps"
    only(case.faults(), "are missing for packet_loss, which the PBX does not bear out")
    case.expected = Expected(gaps=frozenset({"packet_loss"}))
    assert case.faults() == []


def test_only_a_part_of_the_lack_that_is_named_is_found(case: Case) -> None:
    case.outages = [outage("line", 20, 30)]
    case.entries[0]["recordings"][0]["to"] = second(20)
    case.entries[0] |= {"class": "gaps", "missed": [missed(A, 20, 30, "line_alarm")]}
    only(case.faults(), "station 3100: 9.0 s from 00:00:31.000 on, talk that is not recorded and not named")


def test_missed_audio_that_is_recorded_is_found(case: Case) -> None:
    case.outages = [outage("line", 20, 25)]
    case.entries[0] |= {"class": "gaps", "missed": [missed(A, 20, 25, "line_alarm")]}
    only(case.faults(), "5.0 s from 00:00:20.000 on are said to be missed, and are recorded")


def test_missed_audio_of_a_time_when_nobody_talked_is_found(case: Case) -> None:
    case.outages = [outage("line", 0, 100)]
    case.entries[0] |= {"class": "gaps", "missed": [missed(A, 1, 8, "line_alarm")]}
    only(case.faults(), "are said to be missed, and it did not talk then")


def test_a_recording_of_a_station_that_never_talked_is_found(case: Case) -> None:
    case.entries[0]["recordings"][0]["station"] = B
    assert any("of station 3101, which never talked in it" in fault for fault in case.faults())


def test_a_recording_against_the_rule_is_found(case: Case) -> None:
    case.expected = Expected(never=[OUTSIDE])
    assert case.faults() == [
        "station 3100: 28.9 s from 00:00:11.100 on are recorded, and are not to be",
        "station 3100: 18.9 s from 00:01:01.100 on are recorded, and are not to be",
    ]


def test_a_recording_that_no_rule_wants_is_found(case: Case) -> None:
    case.expected = Expected(stations=["3105"], monitored=["31*"])
    assert case.faults() == [
        "station 3100: 28.9 s from 00:00:11.100 on are recorded, and are not to be",
        "station 3100: 18.9 s from 00:01:01.100 on are recorded, and are not to be",
    ]


def test_a_recording_that_goes_on_after_its_fork_was_lost_holds_nothing(tmp_path: Path) -> None:
    pbx = Pbx(tmp_path, faults={"lost": {"every": 1, "after": [8.9, 8.9]}})
    pbx.incoming(10, 40, A)
    case = Case(pbx.truth())
    case.entries[0]["recordings"][0]["to"] = second(40)
    assert any("said to be recorded in full; station 3100: 20.0 s" in fault for fault in case.faults())
    case.entries[0] |= {"class": "gaps", "missed": [missed(A, 20, 40, "fork_lost")]}
    assert all("does not bear out" in fault for fault in case.faults()), "it should have been asked for again"


def test_a_dead_fork_holds_nothing(tmp_path: Path) -> None:
    pbx = Pbx(tmp_path, faults={"dead": {"ports": ["5002"]}})
    pbx.incoming(10, 40, A)
    case = Case(pbx.truth())
    assert any("said to be recorded in full; station 3100: 29.0 s" in fault for fault in case.faults())
    case.entries[0] |= {"class": "gaps", "missed": [missed(A, 11, 40, "fork_lost")]}
    assert case.faults() == []


def test_missed_audio_may_be_recorded_when_the_pbx_answered_late(tmp_path: Path) -> None:
    pbx = Pbx(tmp_path, faults={"late": {"first": 1, "seconds": [4, 4]}})
    pbx.incoming(10, 40, A)
    case = Case(pbx.truth())
    case.entries[0] |= {"class": "gaps", "missed": [missed(A, 11, 15, "fork_refused")]}
    assert case.faults() == []


def test_talk_while_the_ledger_says_it_was_blind_is_told_already(case: Case) -> None:
    case.entries[0]["recordings"][0]["from"] = second(25)
    case.outages = [outage("link", 9, 24)]
    assert any("said to be recorded in full" in fault for fault in case.faults())
    case.blind(9, 24.5, "link_down")
    assert case.faults() == []


def test_of_talk_before_the_recorder_was_there_nothing_is_asked(case: Case) -> None:
    case.entries[0]["recordings"][0]["from"] = second(22)
    case.outages = [outage("link", 0, 22)]
    assert case.faults() == []
    del case.entries[0]
    assert len(case.faults()) == 1  # it went on, and was seen
    case.outages = [outage("link", 0, 45)]
    assert case.faults() == []


# --- internal calls


def test_a_station_is_missed_for_the_lost_fork_of_whom_it_talks_with(tmp_path: Path) -> None:
    pbx = Pbx(tmp_path, faults={"lost": {"every": 1, "after": [8.9, 8.9]}})
    pbx.at(10).switch.make_call(A, B)
    pbx.at(11).switch.answer(B)
    pbx.fork(11.1, A)
    pbx.at(20.8).switch.clear(A)
    case = Case(pbx.truth(), expected=Expected(tolerance=PRECISE))
    gone = [missed(station, 20, 20.8, "fork_lost") for station in (A, B)]
    case.entries[0] |= {"class": "gaps", "missed": gone}
    assert case.faults() == []
    case.expected = Expected(each=True, tolerance=PRECISE)
    assert any("station 3101" in fault and "fork_lost" in fault for fault in case.faults())


def test_so_it_is_for_that_of_one_who_is_recorded_on_a_condition_when_the_pbx_was_asked_for_it(tmp_path: Path) -> None:
    pbx = Pbx(tmp_path, faults={"lost": {"every": 1, "after": [8.9, 8.9]}})
    pbx.at(10).switch.make_call(A, B)
    pbx.at(11).switch.answer(B)
    pbx.fork(11.1, A)
    pbx.at(20.8).switch.clear(A)
    case = Case(pbx.truth(), expected=Expected(on_demand=[A], tolerance=PRECISE))
    case.entries[0] |= {"class": "gaps", "missed": [missed(B, 20, 20.8, "fork_lost")]}
    assert case.faults() == []


def internal(tmp_path: Path) -> Truth:
    """A talks to B from 11 s on, consults C from 21 s to 31 s, and goes on with B until 40 s; A is forked."""
    pbx = Pbx(tmp_path)
    pbx.at(10).switch.make_call(A, B)
    pbx.at(11).switch.answer(B)
    pbx.fork(11.1, A)
    pbx.at(20).switch.consult(A, C)
    pbx.at(21).switch.answer(C)
    pbx.at(30).switch.clear(C)
    pbx.at(31).switch.retrieve(A)
    pbx.at(40).switch.clear(A)
    return pbx.truth()


def test_one_recording_is_enough_for_two_stations(tmp_path: Path) -> None:
    case = Case(internal(tmp_path))
    assert case.faults() == []


def test_each_station_needs_a_recording_when_the_recorder_was_told_so(tmp_path: Path) -> None:
    case = Case(internal(tmp_path), expected=Expected(each=True))
    faults = case.faults()
    assert any("station 3101" in fault for fault in faults)
    assert any("station 3102" in fault for fault in faults)
    assert not any("station 3100" in fault for fault in faults)


def test_another_stations_recording_counts_only_while_both_talk_together(tmp_path: Path) -> None:
    """B goes on with D after A has left: A's recording cannot have that."""
    pbx = Pbx(tmp_path)
    pbx.at(10).switch.make_call(A, B)
    pbx.at(11).switch.answer(B)
    pbx.fork(11.1, A)
    pbx.at(20).switch.consult(A, C)
    pbx.at(21).switch.answer(C)
    pbx.at(25).switch.transfer(A)
    pbx.at(40).switch.clear(C)
    case = Case(pbx.truth())
    faults = case.faults()
    assert any("station 3101: 15.0 s from 00:00:25.000" in fault for fault in faults)
    case.entries[0]["recordings"][0]["to"] = second(40)  # A's recording cannot be made longer to cover it
    assert any("station 3101: 15.0 s from 00:00:25.000" in fault for fault in case.faults())


def test_who_is_held_hears_nothing_of_what_the_other_consults(tmp_path: Path) -> None:
    """B holds A, who is recorded, and talks with C: that is in no recording."""
    pbx = Pbx(tmp_path)
    pbx.at(10).switch.make_call(A, B)
    pbx.at(11).switch.answer(B)
    pbx.fork(11.1, A)
    pbx.at(20).switch.consult(B, C)
    pbx.at(21).switch.answer(C)
    pbx.at(30).switch.clear(C)
    pbx.at(31).switch.retrieve(B)
    pbx.at(40).switch.clear(A)
    faults = Case(pbx.truth()).faults()
    for station in (B, C):
        assert any(f"station {station}: 9.0 s from 00:00:21.000" in fault for fault in faults)
    assert not any("station 3100" in fault for fault in faults)


# --- reasons


def test_no_rule_is_true_of_a_station_that_is_watched_only(tmp_path: Path) -> None:
    pbx = Pbx(tmp_path)
    pbx.incoming(10, 40, A, first=None)
    case = Case(pbx.truth(), expected=Expected(stations=["3105"], monitored=["31*"]))
    without_recording(case.entries[0], "no_rule")
    assert case.faults() == []
    case.expected = Expected()
    only(case.faults(), "are not recorded for no_rule, which the PBX does not bear out")


def test_never_is_true_of_those_who_are_never_to_be_recorded(tmp_path: Path) -> None:
    pbx = Pbx(tmp_path)
    pbx.incoming(10, 40, A, first=None)
    case = Case(pbx.truth(), expected=Expected(never=["0049301*"]))
    without_recording(case.entries[0], "never")
    assert case.faults() == []
    case.expected = Expected()
    only(case.faults(), "are not recorded for never")


def test_not_answered_is_a_lie_when_it_was(tmp_path: Path) -> None:
    pbx = Pbx(tmp_path)
    pbx.incoming(10, 40, A, first=None)
    case = Case(pbx.truth())
    without_recording(case.entries[0], "not_answered")
    only(case.faults(), "are not recorded for not_answered")


def test_another_reason_is_a_lie_when_nobody_answered(tmp_path: Path) -> None:
    pbx = Pbx(tmp_path)
    pbx.at(10).switch.incoming(OUTSIDE, A)
    pbx.at(20).switch.clear("7801")
    case = Case(pbx.truth())
    without_recording(case.entries[0], "fork_refused")
    only(case.faults(), "is not recorded for fork_refused")


@pytest.mark.parametrize(("until", "true"), [(12.5, True), (20, False)])
def test_too_short_is_true_of_short_talk_only(tmp_path: Path, until: float, true: bool) -> None:
    pbx = Pbx(tmp_path)
    pbx.incoming(10, until, A, first=None)
    case = Case(pbx.truth())
    without_recording(case.entries[0], "too_short")
    assert (case.faults() == []) is true


def test_not_kept_is_true_of_stations_on_demand_only(tmp_path: Path) -> None:
    pbx = Pbx(tmp_path)
    pbx.incoming(10, 40, A, first=None)
    case = Case(pbx.truth(), expected=Expected(on_demand=[A]))
    without_recording(case.entries[0], "not_kept")
    assert case.faults() == []
    case.expected = Expected()
    only(case.faults(), "are not recorded for not_kept")


def refused(tmp_path: Path, until: float, **faults: Any) -> Case:
    pbx = Pbx(tmp_path, faults=faults)
    pbx.incoming(10, until, A)
    case = Case(pbx.truth(), expected=Expected(tolerance=PRECISE))
    without_recording(case.entries[0], "fork_refused")
    return case


def test_fork_refused_is_true_until_the_pbx_is_to_be_asked_again(tmp_path: Path) -> None:
    """After a second, says osrec.toml."""
    assert refused(tmp_path, 12.6, refuse={"every": 1}).faults() == []
    only(refused(tmp_path, 13.2, refuse={"every": 1}).faults(), "are not recorded for fork_refused")


def test_fork_refused_is_true_while_an_answer_is_waited_for(tmp_path: Path) -> None:
    """Three seconds, and one more."""
    assert refused(tmp_path, 15.6, unanswered={"every": 1, "joins": False}).faults() == []
    lie = refused(tmp_path, 16.2, unanswered={"every": 1, "joins": False})
    only(lie.faults(), "are not recorded for fork_refused")


def test_fork_refused_goes_on_while_there_is_no_pair_to_ask_for(tmp_path: Path) -> None:
    pbx = Pbx(tmp_path, faults={"refuse": {"every": 1, "between": [21, 21.2]}})
    pbx.at(5).switch.incoming("0049305550", B)
    pbx.at(5.1).switch.answer(B)
    pbx.fork(5.2, B, 0)
    pbx.at(20).switch.incoming(OUTSIDE, A)
    pbx.at(21).switch.answer(A)
    pbx.fork(21.1, A, 2)
    pbx.at(21.2).switch.incoming("0049305551", C)
    pbx.at(21.4).switch.answer(C)
    pbx.fork(21.5, C, 2)
    for now, station in ((40, A), (41, B), (42, C)):
        pbx.at(now).switch.clear(station)
    case = Case(pbx.truth(), expected=Expected(tolerance=PRECISE))
    without_recording(next(entry for entry in case.entries if A in entry["stations"]), "fork_refused")
    assert case.faults() == []


def test_fork_refused_goes_on_while_the_next_answer_is_owed(tmp_path: Path) -> None:
    late = {"every": 1, "seconds": [2.5, 2.5], "between": [12, 13]}
    pbx = Pbx(tmp_path, faults={"refuse": {"first": 2}, "late": late})
    pbx.at(10).switch.incoming(OUTSIDE, A)
    pbx.at(11).switch.answer(A)
    pbx.fork(11.1, A)
    pbx.fork(12.1, A)
    pbx.at(40).switch.clear(A)
    case = Case(pbx.truth(), expected=Expected(tolerance=PRECISE))
    case.entries[0] |= {"class": "gaps", "missed": [missed(A, 11, 14.5, "fork_refused")]}
    case.entries[0]["recordings"][0]["from"] = second(14.5)
    assert case.faults() == []
    case.entries[0]["missed"] = [missed(A, 11, 16, "fork_refused")]
    case.entries[0]["recordings"][0]["from"] = second(16)
    assert any("fork_refused, which the PBX does not bear out" in fault for fault in case.faults())


def test_fork_refused_is_a_lie_when_the_pbx_granted_it(tmp_path: Path) -> None:
    only(refused(tmp_path, 40).faults(), "are not recorded for fork_refused")


def test_fork_refused_is_a_lie_long_after_the_refusal(tmp_path: Path) -> None:
    pbx = Pbx(tmp_path, faults={"refuse": {"first": 2}})
    pbx.incoming(10, 12, A)
    case = Case(pbx.truth())
    without_recording(case.entries[0], "fork_refused")
    assert case.faults() == []
    pbx = Pbx(tmp_path, faults={"refuse": {"first": 2}})
    pbx.at(10).switch.incoming(OUTSIDE, A)
    pbx.at(11).switch.answer(A)
    pbx.fork(11.1, A)
    pbx.fork(11.5, A)
    pbx.at(40).switch.clear(A)
    case = Case(pbx.truth())
    case.entries[0]["recordings"][0]["to"] = second(25)
    case.entries[0] |= {"class": "gaps", "missed": [missed(A, 25, 40, "fork_refused")]}
    assert any("are missing for fork_refused, which the PBX does not bear out" in fault for fault in case.faults())


def test_fork_refused_is_a_lie_when_another_station_was_refused(tmp_path: Path) -> None:
    pbx = Pbx(tmp_path, faults={"refuse": {"every": 1}})
    pbx.at(10).switch.make_call(A, B)
    pbx.at(11).switch.answer(B)
    pbx.fork(11.1, B)
    pbx.at(40).switch.clear(A)
    case = Case(pbx.truth(), expected=Expected(stations=[A]))
    without_recording(case.entries[0], "fork_refused")
    only(case.faults(), "station 3100: 29.0 s")


def lost(tmp_path: Path, cause: str, until: float = 20.8) -> Case:
    pbx = Pbx(tmp_path, faults={"lost": {"every": 1, "after": [8.9, 8.9]}})
    pbx.incoming(10, until, A)
    case = Case(pbx.truth(), expected=Expected(tolerance=PRECISE))
    case.entries[0] |= {"class": "gaps", "missed": [missed(A, 20, until, cause)]}
    return case


def test_fork_lost_is_true_until_another_is_to_be_there(tmp_path: Path) -> None:
    """When the PBX has told of the loss, half a second later."""
    assert lost(tmp_path, "fork_lost").faults() == []
    assert any(
        "fork_lost, which the PBX does not bear out" in fault for fault in lost(tmp_path, "fork_lost", 21.5).faults()
    )


def test_fork_lost_is_true_for_a_moment_after_the_station_is_watched_again(tmp_path: Path) -> None:
    """Its monitor, its snapshot (`settled`), and half a second more."""

    def missed_until(until: float) -> list[str]:
        case = lost(tmp_path, "fork_lost", until)
        case.outages.append(outage("link", 15, 40))
        case.blind(15, 40, "link_down")
        case.entries[0]["missed"] = [missed(A, 40, until, "fork_lost")]
        return case.faults()

    assert missed_until(41.6) == []
    assert any("fork_lost, which the PBX does not bear out" in fault for fault in missed_until(43))


def test_a_lost_fork_that_is_put_down_to_something_else_is_found(tmp_path: Path) -> None:
    for cause in ("link_down", "fork_refused", "no_pair", "line_alarm", "licence", "monitor", "journal_full", "gone"):
        assert any("does not bear out" in fault for fault in lost(tmp_path, cause).faults()), cause


def full(tmp_path: Path, *others: tuple[float, float, str, int]) -> Case:
    """A's call from 20 s to 40 s finds ports taken by the calls of others."""
    pbx = Pbx(tmp_path)
    switch = pbx.world.switch
    events: list[tuple[float, Callable[[], object]]] = []
    for number, (began, ended, station, first) in enumerate(others):
        events += [
            (began, partial(switch.incoming, f"00493055500{number}", station)),
            (began + 0.5, partial(switch.answer, station)),
            (began + 0.6, partial(pbx.fork, began + 0.6, station, first)),
            (ended, partial(switch.clear, station)),
        ]
    events += [
        (20.0, partial(switch.incoming, OUTSIDE, A)),
        (21.0, partial(switch.answer, A)),
        (40.0, partial(switch.clear, A)),
    ]
    for now, act in sorted(events, key=lambda event: event[0]):
        pbx.at(now)
        act()
    case = Case(pbx.truth())
    entry = next(entry for entry in case.entries if A in entry["stations"])
    without_recording(entry, "no_pair")
    return case


def test_no_pair_is_true_when_all_pairs_were_taken(tmp_path: Path) -> None:
    assert full(tmp_path, (5, 50, B, 0), (6, 50, C, 2)).faults() == []


def test_how_full_the_pool_was_is_told_where_no_pair_is_said_to_have_been_free(tmp_path: Path) -> None:
    case = full(tmp_path, (5, 50, B, 0), (6, 31, C, 2))
    entry = next(entry for entry in case.entries if A in entry["stations"])
    without_recording(entry, "no_pair", [missed(A, 21, 31, "no_pair"), missed(A, 31, 41, "no_pair")])
    short = case.judge().shortage
    assert (short.spans, short.seconds, short.in_use, short.least, short.pairs) == (2, 20.0, 1.5, 1.0, 2)


def test_no_pair_is_a_lie_when_one_was_free(tmp_path: Path) -> None:
    only(full(tmp_path, (5, 50, B, 0)).faults(), "are not recorded for no_pair")


def test_no_pair_is_a_lie_when_one_became_free_later(tmp_path: Path) -> None:
    only(full(tmp_path, (5, 50, B, 0), (6, 28, C, 2)).faults(), "are not recorded for no_pair")


def test_no_pair_is_true_when_the_free_line_was_in_alarm(tmp_path: Path) -> None:
    case = full(tmp_path, (5, 50, B, 0))
    case.outages = [outage("line", 15, 45)]
    assert case.faults() == []


@pytest.mark.parametrize(
    ("cause", "what"),
    [
        ("link_down", "link"),
        ("link_down", "recorder"),
        ("monitor", "monitor"),
        ("licence", "licence"),
        ("line_alarm", "line"),
        ("journal_full", "journal"),
    ],
)
def test_an_outage_bears_out_its_cause_and_no_other(tmp_path: Path, cause: str, what: str) -> None:
    pbx = Pbx(tmp_path)
    pbx.incoming(10, 40, A, first=None)
    case = Case(pbx.truth(), [outage(what, 5, 45)])
    without_recording(case.entries[0], cause)
    assert case.faults() == []
    without_recording(case.entries[0], "fork_refused")
    assert len(case.faults()) == 1
    without_recording(case.entries[0], cause)
    case.outages = [outage(what, 60, 90)]
    assert len(case.faults()) == 1


def late(tmp_path: Path, asked: float, answered: float, **faults: Any) -> Case:
    """A talks from 11 s on, and is said to be missed until the PBX has answered."""
    pbx = Pbx(tmp_path, faults=faults)
    pbx.at(10).switch.incoming(OUTSIDE, A)
    pbx.at(11).switch.answer(A)
    pbx.fork(asked, A)
    pbx.at(40).switch.clear(A)
    case = Case(pbx.truth(), expected=Expected(tolerance=PRECISE))
    case.entries[0] |= {"class": "gaps", "missed": [missed(A, 11, answered, "requested_late")]}
    return case


def test_a_late_request_is_true_when_the_answer_came_late(tmp_path: Path) -> None:
    assert late(tmp_path, 11.1, 13.1, late={"every": 1, "seconds": [2, 2]}).faults() == []


def hidden_set_up(tmp_path: Path, until: float) -> Case:
    """No pair is told for the first half second; then the PBX is asked, and answers when the station has gone."""
    pbx = Pbx(tmp_path, faults={"late": {"every": 1, "seconds": [3, 3]}})
    pbx.at(5).switch.incoming("0049305550", B)
    pbx.at(5.1).switch.answer(B)
    for first in (0, 2):
        pbx.fork(5.2, B, first)
    pbx.at(10).switch.incoming(OUTSIDE, A)
    pbx.at(11).switch.answer(A)
    pbx.fork(11.5, A, 2)
    pbx.at(until).switch.clear(A)
    pbx.at(20).switch.clear(B)
    case = Case(pbx.truth(), expected=Expected(tolerance=PRECISE))
    entry = next(each for each in case.entries if A in each["stations"])
    entry |= {"class": "gaps", "missed": [missed(A, 11, 11.5, "no_pair")]}
    entry["recordings"][0] |= {"from": second(until), "to": second(until + 0.1)}
    return case


def test_a_short_set_up_is_no_gap_whatever_hindered_it_before(tmp_path: Path) -> None:
    unnamed = "talk that is not recorded and not named"
    assert not any(unnamed in fault for fault in hidden_set_up(tmp_path, 12.4).faults())
    assert any(unnamed in fault for fault in hidden_set_up(tmp_path, 12.9).faults())


def test_a_late_request_without_a_reason_is_the_recorders_fault(tmp_path: Path) -> None:
    case = late(tmp_path, 15, 15)
    assert any("does not bear out" in fault for fault in case.faults())
    case.entries[0]["recordings"][0]["from"] = second(25)
    case.entries[0]["missed"] = [missed(A, 11, 25, "requested_late")]
    assert any("requested_late, which the PBX does not bear out" in fault for fault in case.faults())
