"""A CSTA link that is half open: nothing comes any more, nobody is told, and the calls go on without it."""

from pathlib import Path

import pytest

from osrec.recorder.parts import store_config
from osrec.store.reconcile import reconcile
from osrec_drivers.line import FRAME_RATE
from tests.scenario.site import Site
from tests.scenario.test_calls import TWO_PARTY, equal, steps


def half_open(site: Site, from_: float, until: float) -> None:
    """The network carries nothing from one time until another; then the link can be made anew."""
    site.run(from_)
    site.lose_link()
    site.run(until - from_)
    assert not site.csta_link.monitors.running, "the heartbeat found it out"
    site.mend_link()


def ledger(site: Site) -> tuple[str, list[str]]:
    """The class of the only conversation, and the causes of what is missing of it."""
    (entry,) = reconcile(store_config(site.config)).entries
    return entry.kind, [one.span.cause for one in entry.missed]


def test_a_call_that_talks_on_is_recorded_in_full(tmp_path: Path) -> None:
    play = steps(*TWO_PARTY, (50.0, "3100", "hangup"))
    with Site(tmp_path, play) as site:
        half_open(site, 4, 40)
        site.run(16).finish()
        equal(site)
        (recording,) = site.sidecars()
        assert (recording.reason, recording.gaps) == ("normalClearing", [])
        assert recording.sample_count > 49 * FRAME_RATE
        assert ledger(site) == ("recorded", [])


@pytest.mark.parametrize("heartbeat", [20.0, 300.0])
def test_a_call_on_hold_is_not_taken_for_a_lost_fork_however_rare_the_heartbeat(
    tmp_path: Path, heartbeat: float
) -> None:
    play = steps(*TWO_PARTY, (4.0, "3100", "hold"), (45.0, "3100", "retrieve"), (8.0, "3100", "hangup"))
    with Site(tmp_path, play, csta={"host": "in.process", "port": 1, "heartbeat": heartbeat}) as site:
        half_open(site, 4, 57)
        site.run(10).finish()
        equal(site)
        (recording,) = site.sidecars()
        assert recording.gaps == []
        assert recording.sample_count > 56 * FRAME_RATE, "with what was said after the hold"
        assert ledger(site) == ("recorded", [])


def test_a_call_on_hold_is_not_taken_for_a_lost_fork_while_the_link_is_in_doubt(tmp_path: Path) -> None:
    play = steps(*TWO_PARTY, (4.0, "3100", "hold"), (75.0, "3100", "retrieve"), (8.0, "3100", "hangup"))
    doubtful = {"host": "in.process", "port": 1, "heartbeat": 300.0, "heartbeat_misses": 8}
    with Site(tmp_path, play, csta=doubtful) as site:
        half_open(site, 4, 87)
        site.run(10).finish()
        equal(site)
        (recording,) = site.sidecars()
        assert recording.gaps == []
        assert ledger(site) == ("recorded", [])


@pytest.mark.parametrize("heartbeat", [20.0, 300.0])
def test_a_call_that_was_cleared_meanwhile_ends_with_its_audio(tmp_path: Path, heartbeat: float) -> None:
    play = steps(*TWO_PARTY, (4.0, "3100", "hangup"))
    with Site(tmp_path, play, csta={"host": "in.process", "port": 1, "heartbeat": heartbeat}) as site:
        half_open(site, 4, 50)
        site.run(2).finish()
        equal(site)
        (recording,) = site.sidecars()
        assert (recording.reason, recording.gaps) == ("resync", [])
        assert 4.0 < recording.sample_count / FRAME_RATE <= 5.2 + 10.0, "no more silence than may be a pause"
        assert ledger(site) == ("recorded", [])


def test_a_call_that_was_cleared_and_whose_link_never_comes_back_ends_with_its_audio(tmp_path: Path) -> None:
    play = steps(*TWO_PARTY, (4.0, "3100", "hangup"))
    with Site(tmp_path, play, recording={"outage_end": 20.0, "audio_end": 2.0}) as site:
        site.run(4)
        site.lose_link()
        site.run(50)
        assert site.recorder is not None
        assert not site.recorder.engine.recordings
        site.mend_link()
        site.run(1).finish()
        equal(site)
        (recording,) = site.sidecars()
        assert recording.reason == "audio ended while the station was not monitored"
        assert recording.sample_count / FRAME_RATE <= 5.2 + 2.0
