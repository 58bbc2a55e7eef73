"""A slot that is wired to nothing: its recordings say what they have not, and it is avoided, reported and cleared."""

from pathlib import Path

from osrec.recorder.parts import store_config
from osrec.store.ledger_json import ledger_json
from osrec.store.reconcile import reconcile
from osrec_emulators.diun2.faults import Faults, TimeSlot
from tests.scenario.site import Site
from tests.scenario.test_calls import TWO_PARTY, steps

CALL = (*TWO_PARTY, (5.0, "3100", "hangup"))
OTHER_SIDE = Faults(mute=frozenset({TimeSlot(0, 2)}))
QUICK = {"quiet_after": 3.0, "suspect_after": 2}


def pairs_used(site: Site) -> list[int]:
    return [one.channels[0].slot for one in site.sidecars()]


def alarms(site: Site) -> list[str]:
    assert site.recorder is not None
    return [alarm.key for alarm in site.recorder.alarms.standing()]


def test_a_recording_of_a_dead_slot_says_so_and_so_does_the_ledger(tmp_path: Path) -> None:
    with Site(tmp_path, steps(*CALL), board=OTHER_SIDE) as site:
        site.run(10).finish()
        (sidecar,) = site.sidecars()
        assert sidecar.flags == ["right_silent"]
        (entry,) = ledger_json(reconcile(store_config(site.config)), [])["conversations"]
        assert entry["recordings"][0]["silent"] == ["other"]


def test_a_recording_with_two_voices_is_not_called_silent(tmp_path: Path) -> None:
    with Site(tmp_path, steps(*CALL)) as site:
        site.run(10).finish()
        assert site.sidecars()[0].flags == []


def test_a_slot_that_is_silent_call_after_call_is_reported_and_used_when_no_other_is_left(tmp_path: Path) -> None:
    with Site(tmp_path, steps(*CALL * 5), board=OTHER_SIDE, pairs=2, recording=QUICK) as site:
        site.run(21)
        assert alarms(site) == ["suspect-slot:trunk1:2"]
        site.run(15).finish()
        assert pairs_used(site) == [1, 3, 1, 3, 3], "in turn, until one is suspected"
    with Site(tmp_path / "one", steps(*CALL * 3), board=OTHER_SIDE, pairs=1, recording=QUICK) as site:
        site.run(25).finish()
        assert pairs_used(site) == [1, 1, 1], "half a call is better than none"


def test_a_suspected_slot_that_is_mended_is_cleared_by_the_first_sound_on_it(tmp_path: Path) -> None:
    with Site(tmp_path, steps(*CALL * 3), board=OTHER_SIDE, pairs=1, recording=QUICK) as site:
        site.run(14)
        assert alarms(site) == ["suspect-slot:trunk1:2"]
        site.board.faults = Faults()  # somebody plugs the wire in
        site.run(5)
        assert alarms(site) == []
        site.run(6).finish()
        assert [one.flags for one in site.sidecars()] == [["right_silent"], ["right_silent"], []]
