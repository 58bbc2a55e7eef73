"""Recorder trunks with DSS1, QSIG and CAS: calls of the PBX to the ports, from the model to the file on disk."""

from pathlib import Path
from typing import Any, cast

import pytest

from osrec.engine.messages import Seized, SignallingChanged
from osrec.recorder.trunk_news import QUIET, News
from tests.scenario.site import Site
from tests.scenario.test_calls import equal, kinds, steps

ISDN = ("dss1", "qsig")
ALL = (*ISDN, "cas")


def call(number: int = 0, talk: float = 6.0, begin: float = 0.5) -> dict[str, Any]:
    """Somebody outside calls a station."""
    outside, station = f"+4822123{number:04d}", str(3100 + number)
    return steps((begin, outside, "call", station), (1.0, station, "answer"), (talk, station, "hangup"))


def site(
    path: Path,
    kind: str,
    *plays: dict[str, Any],
    trunk: dict[str, Any] | None = None,
    line: dict[str, Any] | None = None,
    **more: Any,
) -> Site:
    signalling = {"signalling": kind}
    return Site(path, *plays, trunk=signalling | (trunk or {}), line=signalling | (line or {}), **more)


def faults(**calls: Any) -> dict[str, Any]:
    return {"faults": {"calls": calls}}


def troubles(site: Site) -> list[str]:
    """What the recorder's end found wrong."""
    assert site.recorder is not None
    state = site.recorder.trunks.state("trunk1")
    assert state is not None
    found: list[str] = state["troubles"]
    return found


class Saying:
    """A trunk that has this to tell, once."""

    up = True

    def __init__(self, *news: News) -> None:
        self._news = list(news)

    def step(self, now: float) -> list[News]:
        news, self._news = self._news, []
        return news

    def hang_up(self, slot: int, now: float) -> list[News]:
        return []

    def reference(self, slot: int) -> None:
        """There is none."""

    def state(self) -> dict[str, Any]:
        return {}

    def close(self) -> None:
        """Nothing is open."""


def raised(site: Site) -> set[str]:
    assert site.recorder is not None
    return {alarm.key for alarm in site.recorder.alarms.standing()}


@pytest.mark.parametrize("kind", ALL)
def test_thirty_calls_at_once_are_recorded_octet_for_octet(tmp_path: Path, kind: str) -> None:
    plays = [call(number, begin=0.5 + 0.03 * number) for number in range(30)]
    with site(tmp_path, kind, *plays, stations=30, pairs=30) as one:
        one.run(11).finish()
        equal(one)
        assert len(one.sidecars()) == 30
        assert len(one.trunk_calls) == 60
        assert {ended.by for ended in one.trunk_calls} == {"pbx"}
        assert not raised(one)


@pytest.mark.parametrize("slots", ["lowest", "highest"])
def test_the_recorder_takes_the_slots_that_channel_id_names(tmp_path: Path, slots: str) -> None:
    plays = [call(number, begin=0.5 + 0.5 * number) for number in range(4)]
    with site(tmp_path, "dss1", *plays, trunk={"isdn": {"slots": slots}}) as one:
        one.run(12).finish()
        equal(one)
        used = [sorted(channel.slot for channel in sidecar.channels) for sidecar in one.sidecars()]
        assert sorted(slot for pair in used for slot in pair) == sorted(
            slot for ended in one.trunk_calls for slot in ended.slots
        )
        assert (31 in {slot for pair in used for slot in pair}) == (slots == "highest")


def test_a_slot_that_goes_to_the_next_call_at_once_brings_nothing_of_it_into_the_one_before(tmp_path: Path) -> None:
    plays = [call(number, talk=3.0, begin=0.5 + 3.05 * number) for number in range(3)]
    with site(tmp_path, "dss1", *plays, trunk={"isdn": {"slots": "lowest"}}) as one:
        one.run(15).finish()
        equal(one)
        assert {channel.slot for sidecar in one.sidecars() for channel in sidecar.channels} == {1, 2}
        assert len({channel.port for sidecar in one.sidecars() for channel in sidecar.channels}) == 6


@pytest.mark.parametrize("channel", ["map", "any"])
def test_a_slot_map_and_a_choice_left_to_us_are_understood(tmp_path: Path, channel: str) -> None:
    with site(tmp_path, "dss1", call(), trunk={"isdn": {"channel": channel, "exclusive": False}}) as one:
        one.run(10).finish()
        equal(one)


@pytest.mark.parametrize("audio", ["setup", "always"])
def test_audio_that_is_there_before_the_call_is_through_is_recorded_too(tmp_path: Path, audio: str) -> None:
    with site(tmp_path, "dss1", call(), trunk={"isdn": {"audio": audio}}) as one:
        one.run(10).finish()
        equal(one)


def test_the_recorder_may_be_the_network_side(tmp_path: Path) -> None:
    ends = {"isdn": {"side": "user"}}, {"isdn": {"role": "network"}}
    with site(tmp_path, "dss1", call(), trunk=ends[0], line=ends[1]) as one:
        one.run(10).finish()
        equal(one)


def test_both_ends_on_the_same_side_are_told_of(tmp_path: Path) -> None:
    with site(tmp_path, "dss1", call(), line={"isdn": {"role": "network"}}) as one:
        one.run(10)
        assert one.recorder is not None
        (alarm,) = [each for each in one.recorder.alarms.standing() if each.key == "signalling:trunk1"]
        assert "is it the other side than 'network'?" in alarm.text
        state = one.recorder.trunks.state("trunk1")
        assert state is not None
        assert any('set role = "user" at one of the two' in trouble for trouble in state["troubles"])


@pytest.mark.parametrize("kind", ISDN)
def test_a_d_channel_that_is_cut_in_mid_call_costs_no_octet_of_it(tmp_path: Path, kind: str) -> None:
    outage = faults(outages=[{"at": 4.0, "seconds": 25.0}])
    with site(tmp_path, kind, call(talk=45.0), call(1, begin=22.0, talk=20.0), trunk=outage) as one:
        one.run(25)
        assert "signalling:trunk1" in raised(one), "no new call can be put on the line"
        one.run(25)
        assert "signalling:trunk1" not in raised(one)
        one.finish()
        first, second = one.sidecars()
        assert kinds(one)[-1] != "fork-lost"
        assert first.sample_count / 8000 > 44.5
        assert not first.gaps
        assert second.station == "3101", "it waited for the line, and is recorded from then on"


def test_calls_that_t309_ends_are_forked_again_when_the_d_channel_is_back(tmp_path: Path) -> None:
    outage = faults(outages=[{"at": 4.0, "seconds": 25.0}])
    timers = {"isdn": {"timers": {"T309": 5.0}}}
    with site(tmp_path, "dss1", call(talk=45.0), trunk=outage, line=timers) as one:
        one.run(50).finish()
        first, second = one.sidecars()
        assert first.sample_count / 8000 > 15.0, "to the expiry of T309 the recording goes on"
        assert 15.0 < second.sample_count / 8000 < 19.0
        (conversation,) = one.conversations()
        assert conversation.outcome == "recorded"


@pytest.mark.parametrize("kind", ALL)
def test_a_call_that_is_released_in_mid_call_is_forked_again(tmp_path: Path, kind: str) -> None:
    early = faults(early_release={"ports": ["7101"], "seconds": 3.0})
    with site(tmp_path, kind, call(talk=12.0), trunk=early) as one:
        one.run(16).finish()
        first, second = one.sidecars()
        assert {channel.port for channel in first.channels} == {"7101", "7102"}
        assert "7101" not in {channel.port for channel in second.channels}
        assert first.conversation == second.conversation
        assert second.sample_count / 8000 > 7.5


@pytest.mark.parametrize("kind", ALL)
def test_a_call_that_is_never_released_is_cleared_by_the_recorder(tmp_path: Path, kind: str) -> None:
    with site(tmp_path, kind, call(talk=3.0), trunk=faults(missing_release={"every": 1})) as one:
        one.run(7)
        one.run(6)
        assert {ended.by for ended in one.trunk_calls} == {"recorder"}
        assert not raised(one)


def test_a_late_release_keeps_the_pair_from_the_next_call(tmp_path: Path) -> None:
    late = faults(late_release={"every": 1, "seconds": 2.0})
    again = call(1, begin=5.0)
    with site(tmp_path, "dss1", call(talk=3.0), again, trunk=late, pairs=1) as one:
        one.run(15).finish()
        first, second = one.sidecars()
        (released,) = {ended.ended_at for ended in one.trunk_calls[:2]}
        assert released is not None
        assert second.started.timestamp() - first.started.timestamp() > 4.9


@pytest.mark.parametrize("kind", ISDN)
@pytest.mark.parametrize("slots", [(), (1, 2)])
def test_a_restart_in_mid_call_costs_the_moment_it_takes(tmp_path: Path, kind: str, slots: tuple[int, ...]) -> None:
    with site(tmp_path, kind, call(talk=12.0), call(1, talk=12.0), trunk={"isdn": {"restart": "none"}}) as one:
        one.run(6)
        one.restart_channels(*slots)
        one.run(11).finish()
        pieces = [(sidecar.station, sidecar.sample_count / 8000) for sidecar in one.sidecars()]
        assert sum(seconds for _, seconds in pieces) > 2 * 12.0 - 2 * 1.0
        assert sorted(station for station, _ in pieces) == ["3100", "3100", "3101"] + ([] if slots else ["3101"])
        assert one.judge("fork_lost").recordings
        assert not raised(one)


def test_setup_that_comes_twice_is_one_call(tmp_path: Path) -> None:
    with site(tmp_path, "dss1", call(), trunk=faults(duplicate_setup={"every": 1})) as one:
        one.run(10)
        assert not troubles(one)
        assert not raised(one)
        one.finish()
        equal(one)
        assert [(ended.by, ended.cause, ended.faults) for ended in one.trunk_calls] == [
            ("pbx", 16, ("duplicate setup",)),
            ("pbx", 16, ("duplicate setup",)),
        ]


def test_of_two_calls_for_one_slot_the_second_is_turned_down(tmp_path: Path) -> None:
    with site(tmp_path, "dss1", call(), call(1, begin=1.0), trunk=faults(double_seizure={"every": 1})) as one:
        one.run(10)
        assert not troubles(one)
        assert raised(one) == {"turned-away:trunk1"}
        one.finish()
        equal(one)
        assert len(one.sidecars()) == 2
        rivals = [(ended.by, ended.cause) for ended in one.trunk_calls if ended.faults == ("double seizure",)]
        assert rivals == 4 * [("recorder", 44)]
        assert {ended.by for ended in one.trunk_calls if not ended.faults} == {"pbx"}


def test_a_refused_call_is_shown_and_its_alarm_goes_with_time(tmp_path: Path) -> None:
    with site(tmp_path, "dss1", call(), trunk=faults(double_seizure={"every": 1})) as one:
        one.run(10)
        assert one.recorder is not None
        state = one.recorder.trunks.state("trunk1")
        assert state is not None
        assert state["turned_away"] == {"requested circuit/channel not available (44)": 2}
        one.clock.time += QUIET
        one.recorder.tick()
        assert not [key for key in raised(one) if key.startswith("turned-away")]


def test_news_that_cannot_be_followed_costs_none_of_the_others(tmp_path: Path) -> None:
    with site(tmp_path, "cas") as one:
        one.run(2)
        assert one.recorder is not None
        nonsense = Seized("trunk1", 1, cast("str", []))
        one.recorder.trunks.begin({"trunk1": Saying(nonsense, SignallingChanged("trunk1", up=False, why="a test"))})
        one.run(1)
        assert raised(one) == {"signalling:trunk1"}


@pytest.mark.parametrize("wrong", ["taken", "absent"])
def test_a_channel_that_cannot_be_is_turned_down_and_another_pair_tried(tmp_path: Path, wrong: str) -> None:
    fault = faults(wrong_channel={"ports": ["7103"], "named": wrong})
    with site(tmp_path, "dss1", call(talk=12.0), call(1, begin=1.5, talk=12.0), trunk=fault) as one:
        one.run(18).finish()
        recorded = {sidecar.station: sidecar for sidecar in one.sidecars()}
        assert recorded.keys() == {"3100", "3101"}
        assert "7103" not in {channel.port for channel in recorded["3101"].channels}


def test_a_pbx_without_a_d_channel_is_told_of_with_what_was_heard(tmp_path: Path) -> None:
    with Site(tmp_path, call(), line={"signalling": "dss1"}) as one:
        one.run(8)
        assert one.recorder is not None
        (alarm,) = [each for each in one.recorder.alarms.standing() if each.key == "signalling:trunk1"]
        assert "nothing has come on its D channel in time slot 16" in alarm.text


@pytest.mark.parametrize("kind", ALL)
def test_a_recording_on_a_signalled_line_goes_on_over_a_kill_on_the_same_calls(tmp_path: Path, kind: str) -> None:
    with site(tmp_path, kind, call(talk=20.0)) as one:
        one.run(8)
        one.kill_recorder()
        one.run(1)
        one.start_recorder()
        one.run(15).finish()
        (sidecar,) = one.sidecars()
        assert sidecar.sample_count / 8000 > 19.9
        assert {gap.cause for gap in sidecar.gaps} == {"not_listening"}
        assert [ended.by for ended in one.trunk_calls] == ["pbx", "pbx"], "the calls stayed up"


def test_one_call_may_bring_both_sides(tmp_path: Path) -> None:
    with site(tmp_path, "dss1", call(), call(1, begin=1.0), trunk={"isdn": {"calls": "pair"}}) as one:
        one.run(10).finish()
        equal(one)
        assert len(one.trunk_calls) == 2
        assert len(one.sidecars()) == 2
