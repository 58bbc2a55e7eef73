"""What fails in the field: the link, the line, the recorder itself. No audio that reached the box is lost."""

from datetime import timedelta
from pathlib import Path

import pytest

from osrec.recorder.parts import store_config
from osrec.store.reconcile import reconcile
from osrec_drivers.line import FRAME_RATE
from osrec_drivers.virtual import FaultKind
from osrec_emulators.diun2.faults import Faults, TimeSlot
from tests.scenario.site import Site
from tests.scenario.test_calls import OUTSIDE, TWO_PARTY, equal, steps

CALL = steps(*TWO_PARTY, (12.0, "3100", "hangup"))


def test_a_recording_goes_on_without_the_csta_link(tmp_path: Path) -> None:
    with Site(tmp_path, CALL) as site:
        site.run(4)
        site.cut_link()
        site.run(4)
        assert site.recorder is not None
        assert [alarm.key for alarm in site.recorder.alarms.standing()] == ["cti-link"]
        site.mend_link()
        site.run(8).finish()
        equal(site)
        (recording,) = site.sidecars()
        assert recording.gaps == []
        assert recording.sample_count > 12 * FRAME_RATE


def test_a_call_that_ended_during_the_outage_ends_its_recording_with_the_audio(tmp_path: Path) -> None:
    play = steps(*TWO_PARTY, (4.0, "3100", "hangup"))
    with Site(tmp_path, play, recording={"audio_end": 2.0}) as site:
        site.run(4)
        site.cut_link()
        site.run(8)
        site.mend_link()
        site.run(2).finish()
        equal(site)
        (recording,) = site.sidecars()
        assert recording.reason == "resync"
        assert 4.0 < recording.sample_count / FRAME_RATE <= 5.2 + 2.0, "no more silence than may be a pause"
        assert recording.gaps == []


def test_a_call_that_is_held_and_retrieved_during_the_outage_stays_in_one_recording(tmp_path: Path) -> None:
    play = steps(*TWO_PARTY, (4.0, "3100", "hold"), (15.0, "3100", "retrieve"), (6.0, "3100", "hangup"))
    with Site(tmp_path, play, recording={"audio_end": 2.0}) as site:
        site.run(4)
        site.cut_link()
        site.run(19)
        site.mend_link()
        site.run(8).finish()
        equal(site)
        (recording,) = site.sidecars()
        assert recording.sample_count > 24 * FRAME_RATE
        assert recording.gaps == []


def test_without_link_silence_of_half_an_hour_ends_a_recording_where_its_audio_ended(tmp_path: Path) -> None:
    play = steps(*TWO_PARTY, (4.0, "3100", "hangup"))
    with Site(tmp_path, play, recording={"outage_end": 6.0, "audio_end": 2.0}) as site:
        site.run(4)
        site.cut_link()
        site.run(10)
        assert site.recorder is not None
        assert not site.recorder.engine.recordings
        site.mend_link()
        site.run(1).finish()
        equal(site)
        (recording,) = site.sidecars()
        assert recording.reason == "audio ended while the station was not monitored"
        assert 4.0 < recording.sample_count / FRAME_RATE <= 5.2 + 2.0
        (conversation,) = site.conversations()
        assert conversation.outcome == "recorded"


def test_a_call_found_when_its_station_got_its_licence_back_says_that_its_beginning_is_missing(tmp_path: Path) -> None:
    licences = [{"at": 0.2, "licences": 0}, {"at": 4.0, "licences": 4}]
    cap = {"licence_changes": licences}
    csta = {"host": "in.process", "port": 1, "licence_retry": 2.0, "retry_first": 0.5}
    with Site(tmp_path, CALL, cap=cap, csta=csta) as site:
        site.run(16).finish()
        (recording,) = site.sidecars()
        assert recording.gaps == []
        (entry,) = reconcile(store_config(site.config)).entries
        assert entry.kind == "gaps"
        (missed,) = entry.missed
        assert (missed.span.cause, missed.span.seconds) == ("licence", 0.0)
        assert "in progress when it was found" in str(missed.detail)


def test_a_held_call_whose_monitor_was_lost_goes_on_while_the_pbx_has_its_ports_in_it(tmp_path: Path) -> None:
    play = steps(*TWO_PARTY, (4.0, "3100", "hold"), (15.0, "3100", "retrieve"), (6.0, "3100", "hangup"))
    licences = [{"at": 3.0, "licences": 0}]
    with Site(tmp_path, play, recording={"audio_end": 8.0}, cap={"licence_changes": licences}) as site:
        site.run(45).finish()
        equal(site)
        (recording,) = site.sidecars()
        assert recording.sample_count > 24 * FRAME_RATE
        (conversation,) = site.conversations()
        assert conversation.outcome == "recorded"


def test_a_call_that_began_during_the_outage_is_recorded_from_the_reconnection_on(tmp_path: Path) -> None:
    with Site(tmp_path, CALL) as site:
        site.cut_link()
        site.run(5)
        site.mend_link()
        site.run(12).finish()
        (recording,) = site.sidecars()
        assert recording.station == "3100"
        assert recording.sample_count > 7 * FRAME_RATE


def test_a_killed_recorder_goes_on_with_the_same_recording_and_marks_what_is_missing(tmp_path: Path) -> None:
    with Site(tmp_path, CALL) as site:
        site.run(5.05)
        site.kill_recorder()
        site.run(2)
        site.start_recorder()
        site.run(9).finish()
        report = site.judge("not_listening", "recorder_restart", restarts=1)
        assert [f for one in report.recordings for f in one.faults] == []
        assert report.right
        (recording,) = site.sidecars()
        (gap,) = recording.gaps
        assert gap.cause in ("recorder_restart", "not_listening")
        assert 2.0 <= gap.count / FRAME_RATE < 2.2, "what it was down, and at most 100 ms that was not yet written"
        assert recording.conversation == site.conversations()[0].id


def test_after_a_restart_of_the_machine_the_call_goes_on_in_a_recording_of_its_own(tmp_path: Path) -> None:
    with Site(tmp_path, CALL) as site:
        site.run(5)
        site.kill_recorder()
        site.run(2)
        site.boot = "second boot"
        site.start_recorder()
        site.run(9).finish()
        report = site.judge("not_listening", "recorder_restart", restarts=1)
        assert [one.faults for one in report.recordings] == [(), ()]
        first, second = site.sidecars()
        assert first.reason == "the recorder was away"
        assert first.gaps == second.gaps == []
        assert second.sample_count > 5 * FRAME_RATE
        (conversation,) = site.conversations()
        assert conversation.recordings == (first.recording, second.recording), "it is one call"
        (missed,) = conversation.missed
        assert (missed.blame, missed.detail) == ("link_down", "the recorder did not run")
        assert 2.0 <= (missed.until - missed.since).total_seconds() < 2.7


def test_a_recorder_killed_after_a_consultation_finds_its_call_again(tmp_path: Path) -> None:
    play = steps(
        *TWO_PARTY,
        (1.0, "3100", "consult", "3101"),
        (0.5, "3101", "answer"),
        (1.0, "3101", "hangup"),
        (0.5, "3100", "retrieve"),
        (10.0, "3100", "hangup"),
    )
    with Site(tmp_path, play) as site:
        site.run(6)
        site.kill_recorder()
        site.run(1)
        site.start_recorder()
        site.run(10).finish()
        report = site.judge("not_listening", "recorder_restart", restarts=1)
        assert report.right
        (recording,) = site.sidecars()
        assert [gap.count / FRAME_RATE for gap in recording.gaps] == [pytest.approx(1.05, abs=0.1)]
        assert len(site.conversations()) == 1


def test_a_pair_left_over_by_a_killed_recorder_gives_nothing_to_the_next_call(tmp_path: Path) -> None:
    first = steps(*TWO_PARTY, (3.0, "3100", "hangup"))
    second = steps((5.5, OUTSIDE, "call", "3101"), (0.5, "3101", "answer"), (4.0, "3101", "hangup"))
    with Site(tmp_path, first, second, pairs=1) as site:
        site.run(1.51)  # the fork is granted, the journal does not know it yet
        site.kill_recorder()
        site.run(1.5)
        site.start_recorder()
        site.run(9).finish()
        assert [
            fault
            for one in site.judge("not_listening", "recorder_restart", restarts=1).recordings
            for fault in one.faults
        ] == []


def test_link_and_line_failing_together_do_not_end_a_call(tmp_path: Path) -> None:
    with Site(tmp_path, steps(*TWO_PARTY, (25.0, "3100", "hangup")), recording={"audio_end": 5.0}) as site:
        site.run(4)
        site.cut_link()
        site.damage(FaultKind.LOST, seconds=12.0)
        site.run(12)
        site.mend_link()
        site.run(14).finish()
        equal(site, "packet_loss")
        (recording,) = site.sidecars()
        assert sum(gap.count for gap in recording.gaps) == pytest.approx(12 * FRAME_RATE, rel=0.01)


def test_a_recording_is_not_taken_up_again_after_a_long_absence(tmp_path: Path) -> None:
    with Site(tmp_path, steps(*TWO_PARTY, (30.0, "3100", "hangup")), data={"resume_seconds": 5.0}) as site:
        site.run(4)
        site.kill_recorder()
        site.run(8)
        site.start_recorder()
        site.run(6).finish()
        recordings = site.sidecars()
        assert [one.reason for one in recordings] == ["left_open", "normalClearing"]
        assert [one.recordings for one in site.conversations()] == [(one.recording,) for one in recordings]


def test_a_call_that_ended_while_the_recorder_was_down_is_kept_and_closed(tmp_path: Path) -> None:
    play = steps(*TWO_PARTY, (4.0, "3100", "hangup"))
    with Site(tmp_path, play) as site:
        site.run(4)
        site.kill_recorder()
        site.run(4)
        site.start_recorder()
        site.run(4).finish()
        (recording,) = site.sidecars()
        assert recording.reason
        assert not any(gap.first == 0 for gap in recording.gaps)


def test_a_line_that_is_cut_leaves_a_gap_with_its_cause(tmp_path: Path) -> None:
    with Site(tmp_path, CALL) as site:
        site.run(5)
        site.damage(FaultKind.ZEROS, seconds=1.0)
        site.run(1)
        assert site.recorder is not None
        assert "line-los:trunk1" in [alarm.key for alarm in site.recorder.alarms.standing()]
        site.run(10).finish()
        equal(site, "los", "lof")
        (recording,) = site.sidecars()
        assert {gap.cause for gap in recording.gaps} <= {"los", "lof"}
        missing = sum(gap.count for gap in recording.gaps) / FRAME_RATE
        assert 1.0 <= missing < 1.1
        assert site.recorder.alarms.standing() == []


def test_the_wall_clock_may_jump_and_the_audio_does_not_care(tmp_path: Path) -> None:
    with Site(tmp_path, CALL) as site:
        site.run(5)
        site.clock.step = timedelta(hours=2)
        site.run(11).finish()
        equal(site)
        (recording,) = site.sidecars()
        assert recording.gaps == []
        assert 12 * FRAME_RATE < recording.sample_count < 13 * FRAME_RATE, "counted by the line, not by the clock"


def test_a_fork_that_never_brings_audio_raises_an_alarm(tmp_path: Path) -> None:
    play = steps(*TWO_PARTY, (9.0, OUTSIDE, "hangup"))
    mute = Faults(mute=frozenset({TimeSlot(0, 1), TimeSlot(0, 2)}))
    with Site(tmp_path, play, board=mute, recording={"quiet_after": 3.0}) as site:
        site.run(6)
        assert site.recorder is not None
        (alarm,) = site.recorder.alarms.standing()
        assert "no audio for 3 s on slot 1 (own voice) and slot 2 (other side)" in alarm.text
        site.run(6).finish()
        assert site.recorder.alarms.standing() == []


def test_a_disk_that_hangs_raises_an_alarm_and_nothing_is_lost_when_it_answers_again(tmp_path: Path) -> None:
    with Site(tmp_path, CALL) as site:
        site.run(4)
        site.disk_hangs = True
        site.run(5)
        assert site.recorder is not None
        assert "journal-hung" in [alarm.key for alarm in site.recorder.alarms.standing()]
        site.disk_hangs = False
        site.run(7)
        assert site.recorder.alarms.standing() == []
        site.finish()
        equal(site)
        assert site.sidecars()[0].gaps == []


def test_a_full_disk_refuses_new_recordings_keeps_running_ones_and_takes_up_again(tmp_path: Path) -> None:
    calls = [
        steps(
            (0.5 + n, f"+4922{n}", "call", f"{3100 + n}"),
            (0.5, f"{3100 + n}", "answer"),
            (20.0, f"{3100 + n}", "hangup"),
        )
        for n in range(3)
    ]
    # four segments of 1 MiB: 245 s of one recording, 122 s of two, 81 s of three
    with Site(tmp_path, *calls, data={"reserve_seconds": 100.0}) as site:
        site.disk.room = 0
        site.run(6)
        assert site.recorder is not None
        assert [alarm.key for alarm in site.recorder.alarms.standing()] == ["journal-full"]
        assert len(site.recorder.engine.recordings) == 2
        site.disk.room = None
        site.run(2)
        assert site.recorder.alarms.standing() == []
        assert len(site.recorder.engine.recordings) == 3, "the third call is recorded from here on"
        site.run(18).finish()
        report = site.judge()
        assert [one.faults for one in report.recordings] == [(), (), ()]
        assert {one.station for one in site.sidecars()} == {"3100", "3101", "3102"}
