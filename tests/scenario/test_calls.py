"""Call flows from the PBX's first event to the file on disk, octet for octet, in virtual time."""

from pathlib import Path
from typing import Any

from tests.scenario.site import Site

OUTSIDE = "+48221234567"


def steps(*steps: tuple[float, str, str] | tuple[float, str, str, str]) -> dict[str, Any]:
    """A script of the PBX: (seconds after the step before, who, action[, to])."""
    return {
        "steps": [
            {"after": step[0], "from": step[1], "action": step[2]} | ({"to": step[3]} if len(step) > 3 else {})
            for step in steps
        ]
    }


TWO_PARTY = ((0.5, OUTSIDE, "call", "3100"), (1.0, "3100", "answer"))


def equal(site: Site, *gaps: str) -> None:
    """Everything recorded, and equal to what the PBX sent, says the emulators' judge; `gaps`: what the test cut out."""
    report = site.judge(*gaps)
    assert [*report.faults, *(fault for one in report.recordings for fault in one.faults)] == []
    assert [fault for one in report.judged for fault in one.faults] == []
    assert report.right
    assert all(one.octets for one in report.recordings)


def kinds(site: Site, at: int = 0) -> list[str]:
    return [event.kind for event in site.sidecars()[at].events]


def test_a_call_from_outside_is_recorded_octet_for_octet(tmp_path: Path) -> None:
    with Site(tmp_path, steps(*TWO_PARTY, (6.0, "3100", "hangup"))) as site:
        site.run(10).finish()
        equal(site)
        (recording,) = site.sidecars()
        assert (recording.station, recording.direction) == ("3100", "in")
        assert 6.0 < recording.sample_count / 8000 < 6.6
        assert recording.gaps == []
        assert {p.number: (p.external, p.recorded) for p in recording.parties} == {
            OUTSIDE: (True, False),
            "3100": (False, True),
        }
        (conversation,) = site.conversations()
        assert (conversation.outcome, conversation.recordings) == ("recorded", (recording.recording,))


def test_a_call_to_the_outside_is_recorded(tmp_path: Path) -> None:
    play = steps((0.5, "3100", "call", "0" + OUTSIDE), (2.0, OUTSIDE, "answer"), (4.0, OUTSIDE, "hangup"))
    with Site(tmp_path, play) as site:
        site.run(9).finish()
        equal(site)
        assert site.sidecars()[0].direction == "out"


def test_an_internal_call_is_recorded_once_at_one_of_its_stations(tmp_path: Path) -> None:
    play = steps((0.5, "3100", "call", "3101"), (1.0, "3101", "answer"), (4.0, "3101", "hangup"))
    with Site(tmp_path, play) as site:
        site.run(8).finish()
        equal(site)
        assert [one.direction for one in site.sidecars()] == ["internal"]


def test_hold_and_retrieve_are_on_the_time_line_of_one_recording(tmp_path: Path) -> None:
    play = steps(*TWO_PARTY, (2.0, "3100", "hold"), (2.0, "3100", "retrieve"), (2.0, OUTSIDE, "hangup"))
    with Site(tmp_path, play) as site:
        site.run(10).finish()
        equal(site)
        (recording,) = site.sidecars()
        marks = {event.kind: event.sample for event in recording.events}
        assert marks["held"] is not None
        assert marks["retrieved"] is not None
        assert abs((marks["retrieved"] - marks["held"]) / 8000 - 2.0) < 0.05


def test_a_consultation_transfer_is_one_conversation_in_two_recordings(tmp_path: Path) -> None:
    play = steps(
        *TWO_PARTY,
        (2.0, "3100", "consult", "3101"),
        (1.0, "3101", "answer"),
        (2.0, "3100", "transfer"),
        (3.0, "3101", "hangup"),
    )
    with Site(tmp_path, play) as site:
        site.run(12).finish()
        equal(site)
        first, second = site.sidecars()
        assert (first.station, second.station) == ("3100", "3101")
        assert first.conversation == second.conversation
        (conversation,) = site.conversations()
        assert len(conversation.recordings) == 2
        assert len(conversation.calls) == 3


def test_a_conference_is_recorded_as_one_of_its_stations_hears_it(tmp_path: Path) -> None:
    play = steps(
        *TWO_PARTY,
        (2.0, "3100", "consult", "3101"),
        (1.0, "3101", "answer"),
        (2.0, "3100", "conference"),
        (4.0, "3100", "hangup"),
        (2.0, "3101", "hangup"),
    )
    with Site(tmp_path, play) as site:
        site.run(15).finish()
        equal(site)
        assert "conferenced" in kinds(site)
        assert len(site.conversations()) == 1


def test_busy_and_unanswered_calls_have_a_reason_and_no_recording(tmp_path: Path) -> None:
    busy = steps((0.2, "3102", "call", "3103"), (0.5, "3103", "answer"), (0.5, "3100", "call", "3102"))
    unanswered = steps((0.5, "3101", "call", "0" + OUTSIDE), (3.0, "3101", "hangup"))
    with Site(tmp_path, busy, unanswered) as site:
        site.run(8).finish()
        equal(site)
        reasons = sorted(one.reason for one in site.conversations() if one.reason)
        assert reasons == ["not answered", "not answered: busy"]


def test_a_number_that_must_never_be_recorded_leaves_no_octet(tmp_path: Path) -> None:
    rules = [{"name": "confidential", "action": "never", "numbers": ["+4822*"]}, {"name": "all", "action": "record"}]
    with Site(tmp_path, steps(*TWO_PARTY, (3.0, "3100", "hangup")), rules=rules) as site:
        site.run(7).finish()
        assert site.recordings() == []
        (conversation,) = site.conversations()
        assert conversation.reason == "rule 'confidential' says never"
        assert [one.forks for one in site.judge().judged] == [0]


def test_an_empty_pool_is_told_and_the_next_free_pair_is_taken(tmp_path: Path) -> None:
    one = steps(*TWO_PARTY, (5.0, "3100", "hangup"))
    two = steps((2.0, "+49891", "call", "3101"), (0.5, "3101", "answer"), (6.0, "3101", "hangup"))
    with Site(tmp_path, one, two, pairs=1) as site:
        site.run(4)
        assert site.recorder is not None
        assert [alarm.key for alarm in site.recorder.alarms.standing()] == ["no-pair"]
        site.run(8).finish()
        first, second = site.sidecars()
        assert (first.station, second.station) == ("3100", "3101")
        assert first.channels[0].slot == second.channels[0].slot == 1
        assert second.started >= first.ended
        assert site.recorder.alarms.standing() == []


def test_thirty_calls_at_once_fill_one_line_and_no_slot_is_used_twice(tmp_path: Path) -> None:
    plays = [
        steps(
            (0.1 * n, f"+4890{n:02d}", "call", f"{3100 + n}"),
            (0.5, f"{3100 + n}", "answer"),
            (4.0, f"{3100 + n}", "hangup"),
        )
        for n in range(15)
    ]
    with Site(tmp_path, *plays, stations=15) as site:
        site.run(4)
        assert site.recorder is not None
        assert site.recorder.engine.pool.leased == 15
        site.run(4).finish()
        equal(site)
        slots = [channel.slot for one in site.sidecars() for channel in one.channels]
        assert sorted(slots) == [slot for slot in range(1, 32) if slot != 16]


def test_stations_without_a_licence_are_alarmed_and_the_others_recorded(tmp_path: Path) -> None:
    with Site(tmp_path, steps(*TWO_PARTY, (3.0, "3100", "hangup")), licences=2) as site:
        site.run(7)
        assert site.recorder is not None
        (alarm,) = site.recorder.alarms.standing()
        assert alarm.text == "CAP-A licences exhausted: 2 monitors refused: 3102, 3103"
        site.finish()
        equal(site)


def test_the_other_order_of_sides_is_a_setting_of_both(tmp_path: Path) -> None:
    play = steps(*TWO_PARTY, (3.0, "3100", "hangup"))
    with Site(tmp_path, play, fork={"order": "other-first"}, recording={"fork_order": "other-first"}) as site:
        site.run(7).finish()
        equal(site)


def test_sides_swapped_by_a_wrong_setting_are_found_by_the_judge(tmp_path: Path) -> None:
    play = steps(*TWO_PARTY, (3.0, "3100", "hangup"))
    with Site(tmp_path, play, fork={"order": "other-first"}) as site:
        site.run(7).finish()
        assert not site.judge().right
