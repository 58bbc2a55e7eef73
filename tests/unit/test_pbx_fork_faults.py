"""Declared faults of forks: each is played, told in the truth, and comes again with the same seed."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from osrec.wire.csta import model
from osrec.wire.csta.model import ConnectionId, DeviceId, ErrorCategory, LocalState, Participation
from osrec_emulators.pbx.config import PbxConfig
from osrec_emulators.pbx.media import Side
from osrec_emulators.pbx.services import Answer, Refusal
from osrec_emulators.pbx.world import World

A, B, C = "3100", "3101", "3102"
P1, P2, P3, P4 = "5000", "5001", "5002", "5003"
BUSY = Refusal(ErrorCategory.SYSTEM_RESOURCE, 2)


class Site:
    """A PBX with A and B talking, and its truth."""

    def __init__(self, faults: dict[str, Any], seed: int = 0, **fork: Any) -> None:
        config: dict[str, Any] = {
            "stations": [{"range": "3100-3109"}],
            "recorder_ports": ["5000-5039"],
            "fork": {"faults": faults} | fork,
        }
        self.lines: list[str] = []
        self.world = World(PbxConfig.model_validate(config), seed, sink=self.lines.append)
        self.call()

    def call(self) -> None:
        self.world.switch.make_call(A, B)
        self.world.switch.answer(B)
        self.world.switch.take()

    def join(self, port: str, now: float = 0.0, station: str = A) -> Answer:
        call = self.world.switch.calls_of(station)[-1].id
        request = model.SingleStepConference(
            ConnectionId(call, DeviceId(station)), DeviceId(port), Participation.SILENT
        )
        return self.world.request(request, now)

    def free(self, port: str) -> None:
        self.world.switch.free_port(port)
        self.world.switch.take()

    def sides(self) -> dict[str, Side]:
        return {port: fork.side for port, fork in self.world.topology.forks.items()}

    def truth(self) -> dict[str, Any]:
        """Hang up; what is told of the conversation."""
        self.world.switch.clear(A)
        told: dict[str, Any] = json.loads(self.lines[-1])
        return told


def test_a_healthy_pbx_plays_no_fault() -> None:
    site = Site({})
    for port in (P1, P2):
        assert isinstance(site.join(port).result, model.ConferenceJoined)
    site.world.advance(100.0)
    truth = site.truth()
    assert truth["faults"] == truth["refused"] == []
    assert [(span["dead"], span["end"]) for span in truth["forks"]] == [(False, "call")] * 2


def test_every_nth_request_is_refused_with_the_errors_in_turn() -> None:
    site = Site({"refuse": {"every": 2, "errors": ["resourceBusy", "conferenceMemberLimitExceeded"]}})
    results = []
    for _ in range(4):
        results.append(site.join(P1).result)
        if isinstance(results[-1], model.ConferenceJoined):
            site.free(P1)
    assert results[1] == BUSY
    assert results[3] == Refusal(ErrorCategory.SYSTEM_RESOURCE, 8)
    assert isinstance(results[0], model.ConferenceJoined)
    assert isinstance(results[2], model.ConferenceJoined)
    refused = site.truth()["refused"]
    assert [(each["error"], each["played"], each["ports"]) for each in refused] == [
        ("resourceBusy", True, [P1]),
        ("conferenceMemberLimitExceeded", True, [P1]),
    ]


def test_the_first_tries_of_a_call_are_refused() -> None:
    site = Site({"refuse": {"first": 2}})
    assert [site.join(port).result == BUSY for port in (P1, P2, P3)] == [True, True, False]
    site.truth()
    site.call()
    assert site.join(P1).result == BUSY  # the next call begins anew


def test_the_first_tries_are_counted_for_each_station() -> None:
    site = Site({"refuse": {"first": 1}})
    assert [site.join(P1, station=each).result == BUSY for each in (A, B, A)] == [True, True, False]


def test_chosen_ports_are_refused() -> None:
    site = Site({"refuse": {"ports": ["5001-5002"]}})
    assert [site.join(port).result == BUSY for port in (P1, P2, P3, P4)] == [False, True, True, False]


def test_faults_are_played_in_their_time_only() -> None:
    site = Site({"refuse": {"rate": 1.0, "between": [10, 20]}})
    assert isinstance(site.join(P1, 9.9).result, model.ConferenceJoined)
    assert site.join(P2, 10.0).result == BUSY
    assert isinstance(site.join(P2, 20.0).result, model.ConferenceJoined)


def drawn(seed: int, faults: dict[str, Any]) -> list[bool]:
    site = Site(faults, seed)
    results = []
    for _ in range(60):
        results.append(site.join(P1).result == BUSY)
        if not results[-1]:
            site.free(P1)
    return results


def test_a_rate_is_drawn_with_the_seed() -> None:
    refuse = {"refuse": {"rate": 0.3}}
    first = drawn(1, refuse)
    assert first == drawn(1, refuse)
    assert first != drawn(2, refuse)
    assert 8 < sum(first) < 30


def test_a_seed_of_their_own_makes_faults_the_same_in_every_world() -> None:
    refuse = {"refuse": {"rate": 0.3}, "seed": 7}
    assert drawn(1, refuse) == drawn(2, refuse)


def test_one_kind_of_fault_does_not_change_the_dice_of_another() -> None:
    assert drawn(1, {"refuse": {"rate": 0.3}}) == drawn(1, {"refuse": {"rate": 0.3}, "dead": {"rate": 0.5}})


@pytest.mark.parametrize("joins", [True, False])
def test_a_request_without_answer_is_carried_out_or_not(joins: bool) -> None:
    site = Site({"unanswered": {"every": 1, "joins": joins}})
    answer = site.join(P1)
    assert answer.result is None
    assert bool(site.sides()) is joins
    assert bool(answer.occurrences) is joins
    assert [each["fault"] for each in site.truth()["faults"]] == ["unanswered"]


def test_a_late_answer_says_how_late() -> None:
    site = Site({"late": {"every": 2, "seconds": [2, 5]}})
    assert site.join(P1).delay == 0.0
    answer = site.join(P2)
    assert 2 <= answer.delay <= 5
    assert set(site.sides()) == {P1, P2}
    (fault,) = site.truth()["faults"]
    assert (fault["fault"], fault["detail"]) == ("late", f"{answer.delay:.3f} s")


def test_a_pair_is_lost_after_its_time_with_the_usual_events() -> None:
    site = Site({"lost": {"every": 1, "after": [4, 4]}})
    site.join(P1, 1.0)
    site.join(P2, 1.5)
    assert site.world.deadline == 5.0
    assert site.world.advance(4.9) == []
    seen = [found for found in site.world.advance(6.0) if found.device == A]
    assert [type(found.event) for found in seen] == [model.ConnectionCleared] * 2
    assert [found.event.local for found in seen] == [LocalState.CONNECTED] * 2
    assert {found.at for found in seen} == {5.0}
    assert site.sides() == {}
    truth = site.truth()
    assert [(each["fault"], each["at"], each["ports"]) for each in truth["faults"]] == [
        ("lost", 5.0, [P1]),
        ("lost", 5.0, [P2]),
    ]
    assert [(span["to"], span["end"]) for span in truth["forks"]] == [(5.0, "lost")] * 2


def test_a_pair_is_lost_silently() -> None:
    site = Site({"lost": {"every": 1, "told": False}})
    site.join(P1)
    version = site.world.topology.version
    assert site.world.advance(6.0) == []
    assert site.world.topology.version > version
    assert site.sides() == {}
    assert site.world.snapshot(P1).legs == ()


@pytest.mark.parametrize(("side", "left"), [("own", P2), ("other", P1)])
def test_one_side_is_lost_and_the_other_goes_on(side: str, left: str) -> None:
    site = Site({"lost": {"every": 1, "sides": side}})
    site.join(P1)
    site.join(P2)
    site.world.advance(6.0)
    assert list(site.sides()) == [left]
    assert site.world.deadline is None
    site.join(P3, 7.0)
    site.world.advance(60.0)
    assert set(site.sides()) == {left, P3}  # what is joined to the pair anew is not lost again


def test_a_pair_that_ended_in_time_is_not_lost() -> None:
    site = Site({"lost": {"every": 1}})
    site.join(P1)
    site.free(P1)
    site.world.advance(60.0)
    assert site.truth()["faults"] == []


def test_both_sides_of_a_pair_are_swapped() -> None:
    site = Site({"swapped": {"every": 1}})
    site.join(P1)
    site.join(P2)
    assert site.sides() == {P1: Side.OTHER, P2: Side.OWN}
    site.free(P1)
    site.join(P3)
    assert site.sides() == {P2: Side.OWN, P3: Side.OTHER}
    truth = site.truth()
    assert {each["fault"] for each in truth["faults"]} == {"swapped"}
    assert [span["side"] for span in truth["forks"]] == ["other", "own", "other"]


def test_a_dead_port_is_granted_and_carries_nothing() -> None:
    site = Site({"dead": {"ports": [P2]}})
    assert isinstance(site.join(P1).result, model.ConferenceJoined)
    answer = site.join(P2)
    assert isinstance(answer.result, model.ConferenceJoined)
    assert {type(found.event) for found in answer.occurrences} == {model.Conferenced}
    assert site.sides() == {P1: Side.OWN}
    assert len(site.world.snapshot(P2).legs) == 1
    truth = site.truth()
    assert [(span["port"], span["dead"]) for span in truth["forks"]] == [(P1, False), (P2, True)]
    assert [(each["fault"], each["ports"]) for each in truth["faults"]] == [("dead", [P2])]


def test_a_stuck_port_is_busy_after_it_was_given_back() -> None:
    site = Site({"stuck": {"ports": [P1], "seconds": [30, 30]}})
    call = site.join(P1, 1.0).result
    assert isinstance(call, model.ConferenceJoined)
    assert site.world.request(model.ClearConnection(call.connection), 10.0).result == model.NoData()
    assert site.join(P1, 39.9).result == BUSY
    assert isinstance(site.join(P2, 39.9).result, model.ConferenceJoined)
    assert isinstance(site.join(P1, 40.0).result, model.ConferenceJoined)
    assert [each["fault"] for each in site.truth()["faults"]] == ["stuck", "stuck"]


def test_an_escape_plays_its_faults_for_both_ports() -> None:
    site = Site({"refuse": {"ports": [P2]}}, strategies=["escape"])
    call = site.world.switch.calls_of(A)[-1].id
    members = [b"\1", call, A.encode(), P1.encode(), P2.encode()]
    contents = b"".join(bytes([0x80 + n, len(each)]) + each for n, each in enumerate(members))
    request = model.Escape(bytes([0x30, len(contents)]) + contents)
    assert site.world.request(request, 0.0).result == BUSY
    assert site.sides() == {}
    assert site.truth()["refused"][0]["ports"] == [P1, P2]


@pytest.mark.parametrize(
    ("faults", "complaint"),
    [
        ({"refuse": {"errors": ["busy"]}}, "'busy' is no error that a PBX answers a fork with; there are generic"),
        ({"refuse": {"ports": ["50x0"]}}, "'50x0' is no number"),
        ({"refuse": {"rate": 1.5}}, "less than or equal to 1"),
        ({"lost": {"after": [5, 2]}}, "[5, 2]: the first may not be above the second"),
        ({"late": {"between": [5, 2]}}, "[5, 2]: the first may not be above the second"),
        ({"lost": {"sides": "left"}}, "'both', 'own' or 'other'"),
        ({"gone": {}}, "Extra inputs are not permitted"),
    ],
)
def test_a_fault_that_makes_no_sense_is_explained(faults: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Site(faults)
    assert complaint in str(caught.value)
