"""Recorder ports: joined by a CTI client, they carry a station's two sides for as long as the PBX's dialect says."""

import json
from typing import Any

import pytest

from osrec.wire.csta import model
from osrec.wire.csta.model import ConnectionId, DeviceId, ErrorCategory, LocalState, Participation
from osrec_emulators.pbx.calls import Cause, Occurrence
from osrec_emulators.pbx.config import PbxConfig
from osrec_emulators.pbx.media import Side, Voice
from osrec_emulators.pbx.services import Refusal
from osrec_emulators.pbx.world import World

A, B, C, D = "3100", "3101", "3102", "3103"
P1, P2, P3 = "5000", "5001", "5002"


def pbx(sink: list[str] | None = None, call_waiting: tuple[str, ...] = (), **fork: str) -> World:
    """A PBX with A and B talking."""
    config: dict[str, Any] = {
        "stations": [{"range": "3100-3109"}],
        "trunks": [{"range": "7801-7802"}],
        "recorder_ports": ["5000-5005"],
        "call_waiting": call_waiting,
        "fork": fork,
    }
    world = World(PbxConfig.model_validate(config), sink=None if sink is None else sink.append)
    world.switch.make_call(A, B)
    world.switch.answer(B)
    world.switch.take()
    return world


def connection(world: World, device: str) -> ConnectionId:
    return ConnectionId(world.switch.calls_of(device)[-1].id, DeviceId(device))


def join(world: World, station: str, port: str, **more: Any) -> model.Result | Refusal:
    request = model.SingleStepConference(
        connection(world, station), DeviceId(port), **({"participation": Participation.SILENT} | more)
    )
    result = world.request(request, world.switch.now).result
    assert result is not None
    return result


def pair(world: World, station: str = A) -> None:
    join(world, station, P1)
    join(world, station, P2)
    world.switch.take()


def sides(world: World) -> dict[str, tuple[str, Side]]:
    return {port: (fork.station, fork.side) for port, fork in world.topology.forks.items()}


def kinds(occurrences: list[Occurrence], device: str) -> list[str]:
    return [type(found.event).__name__ for found in occurrences if found.device == device]


@pytest.mark.parametrize(
    ("order", "first", "second"), [("own-first", Side.OWN, Side.OTHER), ("other-first", Side.OTHER, Side.OWN)]
)
def test_the_first_port_joined_carries_the_side_that_is_configured(order: str, first: Side, second: Side) -> None:
    world = pbx(order=order)
    assert isinstance(join(world, A, P1), model.ConferenceJoined)
    assert isinstance(join(world, A, P2), model.ConferenceJoined)
    assert sides(world) == {P1: (A, first), P2: (A, second)}


def test_a_freed_side_is_given_to_the_next_port() -> None:
    world = pbx()
    pair(world)
    world.request(model.ClearConnection(ConnectionId(connection(world, A).call_id, DeviceId(P1))), 1.0)
    join(world, A, P3)
    assert sides(world) == {P2: (A, Side.OTHER), P3: (A, Side.OWN)}


def test_both_stations_of_an_internal_call_are_forked_apart() -> None:
    world = pbx()
    join(world, A, P1)
    join(world, B, P2)
    assert sides(world) == {P1: (A, Side.OWN), P2: (B, Side.OWN)}


def test_ports_are_never_heard() -> None:
    world = pbx()
    pair(world)
    assert world.topology.hears(A) == (Voice(B),)
    assert world.topology.hears(P1) == ()
    assert not world.topology.speaks(P1)


def test_join_call_forks_as_a_single_step_conference_does() -> None:
    world = pbx()
    request = model.JoinCall(connection(world, A), DeviceId(P1), Participation.SILENT)
    assert isinstance(world.request(request, 1.0).result, model.ConferenceJoined)
    assert sides(world) == {P1: (A, Side.OWN)}


def test_a_fork_is_refused_with_the_reason() -> None:
    world = pbx()
    join(world, A, P1)
    assert join(world, B, P1) == Refusal(ErrorCategory.SYSTEM_RESOURCE, 2)  # resourceBusy
    assert join(world, A, "9999") == Refusal(ErrorCategory.OPERATION, 12)  # invalidDeviceID
    assert join(world, A, C) == Refusal(ErrorCategory.OPERATION, 8)  # privilegeViolationSpecifiedDevice
    unknown = model.SingleStepConference(ConnectionId(b"\xff\xff", DeviceId(A)), DeviceId(P2))
    assert world.request(unknown, 1.0).result == Refusal(ErrorCategory.OPERATION, 13)  # invalidConnectionID
    stranger = model.SingleStepConference(ConnectionId(connection(world, A).call_id, DeviceId(C)), DeviceId(P2))
    assert world.request(stranger, 1.0).result == Refusal(ErrorCategory.OPERATION, 13)
    world.switch.hold(A)
    assert join(world, A, P2) == Refusal(ErrorCategory.STATE_INCOMPATIBILITY, 25)  # invalidConnectionState
    assert list(world.topology.forks) == [P1]


def test_only_a_stations_audio_is_forked() -> None:
    world = pbx()
    join(world, A, P1)
    world.switch.make_call(C, "0891")
    world.switch.answer("7801")
    trunk = ConnectionId(connection(world, C).call_id, DeviceId("7801"))
    port = ConnectionId(connection(world, A).call_id, DeviceId(P1))
    for found in (trunk, port):
        refused = world.request(model.SingleStepConference(found, DeviceId(P2)), 1.0).result
        assert refused == Refusal(ErrorCategory.OPERATION, 2)  # requestIncompatibleWithObject


def test_a_third_port_for_a_station_exceeds_the_members_of_the_conference() -> None:
    world = pbx()
    pair(world)
    assert join(world, A, P3) == Refusal(ErrorCategory.SYSTEM_RESOURCE, 8)


def test_a_ringing_station_cannot_be_forked() -> None:
    world = pbx()
    world.switch.make_call(C, D)
    assert join(world, D, P1) == Refusal(ErrorCategory.STATE_INCOMPATIBILITY, 25)


@pytest.mark.parametrize(
    ("participation", "cause"),
    [(Participation.SILENT, Cause.SILENT_PARTICIPATION), (Participation.ACTIVE, Cause.SINGLE_STEP_CONFERENCE)],
)
def test_the_monitored_station_sees_the_port_come_and_go(participation: Participation, cause: int) -> None:
    world = pbx()
    request = model.SingleStepConference(connection(world, A), DeviceId(P1), participation)
    answer = world.request(request, 1.0)
    assert isinstance(answer.result, model.ConferenceJoined)
    assert {found.device for found in answer.occurrences} == {A, P1}
    event = answer.occurrences[0].event
    assert isinstance(event, model.Conferenced)
    assert (event.added, event.cause, event.local) == (DeviceId(P1), cause, LocalState.CONNECTED)
    assert event.connections[-1].new == answer.result.connection
    answer = world.request(model.ClearConnection(answer.result.connection), 2.0)
    assert answer.result == model.NoData()
    assert {(found.device, found.event.local) for found in answer.occurrences} == {
        (A, LocalState.CONNECTED),
        (P1, LocalState.NULL),
    }
    assert [type(found.event) for found in answer.occurrences] == [model.ConnectionCleared] * 2
    assert world.topology.forks == {}


@pytest.mark.parametrize(("events", "viewers"), [("station", {A, P1}), ("all", {A, B, P1}), ("none", {P1})])
def test_who_is_told_of_a_silent_leg_is_configured(events: str, viewers: set[str]) -> None:
    world = pbx(events=events)
    request = model.SingleStepConference(connection(world, A), DeviceId(P1), Participation.SILENT)
    assert {found.device for found in world.request(request, 1.0).occurrences} == viewers
    world.switch.free_port(P1)
    assert {found.device for found in world.switch.take()} == viewers


def test_forks_end_with_the_call() -> None:
    lines: list[str] = []
    world = pbx(sink=lines)
    pair(world)
    world.advance(5.0)
    world.switch.clear(B)
    assert world.topology.forks == {}
    assert kinds(world.switch.take(), A) == ["ConnectionCleared"] * 4  # B, A itself, and the two ports
    forks = json.loads(lines[0])["forks"]
    assert [(fork["port"], fork["station"], fork["side"], fork["to"]) for fork in forks] == [
        (P1, A, "own", 5.0),
        (P2, A, "other", 5.0),
    ]


def test_forks_stay_with_a_station_that_consults_and_end_when_it_transfers() -> None:
    world = pbx()
    pair(world)
    world.switch.consult(A, C)
    world.switch.answer(C)
    assert sides(world) == {P1: (A, Side.OWN), P2: (A, Side.OTHER)}
    assert world.topology.hears(A) == (Voice(C),)
    world.switch.take()
    world.switch.transfer(A)
    assert world.topology.forks == {}
    assert kinds(world.switch.take(), A) == ["Transferred", "ConnectionCleared", "ConnectionCleared"]


def test_forks_of_the_station_that_stays_go_into_the_new_call() -> None:
    world = pbx()
    pair(world, B)
    world.switch.consult(A, C)
    world.switch.answer(C)
    world.switch.take()
    world.switch.transfer(A)
    (new,) = world.switch.calls_of(B)
    assert {fork.call for fork in world.topology.forks.values()} == {new.id.hex()}
    transferred = next(found.event for found in world.switch.take() if found.device == B)
    assert isinstance(transferred, model.Transferred)
    moved = {link.endpoint.number for link in transferred.connections if isinstance(link.endpoint, DeviceId)}
    assert moved == {B, C, P1, P2}


def test_forks_follow_into_a_conference() -> None:
    world = pbx()
    pair(world)
    world.switch.consult(A, C)
    world.switch.answer(C)
    world.switch.conference(A)
    assert sides(world) == {P1: (A, Side.OWN), P2: (A, Side.OTHER)}
    assert set(world.topology.hears(A)) == {Voice(B), Voice(C)}
    world.switch.clear(A)
    assert world.topology.forks == {}
    assert world.topology.hears(B) == (Voice(C),)


def test_forks_move_to_the_consultation_when_the_held_party_hangs_up() -> None:
    world = pbx()
    pair(world)
    world.switch.consult(A, C)
    world.switch.answer(C)
    world.switch.take()
    world.switch.clear(B)
    (left,) = world.switch.calls_of(A)
    assert {fork.call for fork in world.topology.forks.values()} == {left.id.hex()}
    assert kinds(world.switch.take(), A) == ["ConnectionCleared", "ConnectionCleared", "Conferenced", "Conferenced"]


def test_a_fork_that_belongs_to_the_call_is_silent_while_the_station_holds() -> None:
    lines: list[str] = []
    world = pbx(sink=lines, follows="call")
    pair(world)
    world.advance(2.0)
    world.switch.consult(A, C)
    assert world.topology.forks == {}
    assert join(world, B, P1) == Refusal(ErrorCategory.SYSTEM_RESOURCE, 2)  # the port is still taken
    world.advance(3.0)
    world.switch.clear(A)
    world.switch.retrieve(A)
    assert sides(world) == {P1: (A, Side.OWN), P2: (A, Side.OTHER)}
    world.advance(4.0)
    world.switch.clear(A)
    spans = [(fork["port"], fork["from"], fork["to"]) for fork in json.loads(lines[0])["forks"]]
    assert spans == [(P1, 0, 2), (P2, 0, 2), (P1, 3, 4), (P2, 3, 4)]


def test_a_fork_that_belongs_to_the_call_ends_when_that_call_does() -> None:
    world = pbx(follows="call")
    pair(world)
    world.switch.consult(A, C)
    world.switch.answer(C)
    world.switch.clear(B)
    assert world.topology.forks == {}
    assert isinstance(join(world, A, P1), model.ConferenceJoined)


def test_a_fork_is_silent_while_its_station_talks_in_another_conversation() -> None:
    lines: list[str] = []
    world = pbx(lines, call_waiting=(A,))
    pair(world)
    world.advance(2.0)
    world.switch.make_call(C, A)
    assert set(sides(world)) == {P1, P2}  # it only rings
    world.switch.answer(A)
    assert sides(world) == {}
    assert isinstance(join(world, A, P3), model.ConferenceJoined)
    assert sides(world) == {P3: (A, Side.OWN)}
    world.advance(5.0)
    world.switch.clear(A)
    world.switch.retrieve(A)
    assert set(sides(world)) == {P1, P2}
    world.advance(9.0)
    world.switch.clear(A)
    spans = {
        thread["calls"][0]: [(f["port"], f["from"], f["to"]) for f in thread["forks"]]
        for thread in map(json.loads, lines)
    }
    assert list(spans.values()) == [
        [(P3, 2, 5)],
        [(P1, 0, 2), (P2, 0, 2), (P1, 5, 9), (P2, 5, 9)],
    ]


def test_forks_of_two_conversations_go_on_in_the_conference_of_both() -> None:
    world = pbx(call_waiting=(A,))
    pair(world)
    world.switch.make_call(C, A)
    world.switch.answer(A)
    world.switch.conference(A)
    assert set(world.topology.hears(A)) == {Voice(B), Voice(C)}
    assert set(sides(world)) == {P1, P2}


def test_a_snapshot_names_own_and_other_states_and_leaves_ports_out() -> None:
    world = pbx()
    pair(world)
    world.switch.hold(A)
    (leg,) = world.snapshot(A).legs
    assert leg.states == (LocalState.HOLD, LocalState.CONNECTED)
    assert leg.endpoint == DeviceId(B)
    assert leg.linkage is not None
    assert world.snapshot(P1).legs[0].connection.device == DeviceId(P1)
    assert world.snapshot(C).legs == ()
    assert world.request(model.SnapshotDevice(DeviceId("1")), 1.0).result == Refusal(ErrorCategory.OPERATION, 12)


def test_a_snapshot_of_a_call_lists_its_connections() -> None:
    world = pbx()
    pair(world)
    answer = world.request(model.SnapshotCall(connection(world, A)), 1.0).result
    assert isinstance(answer, model.CallSnapshot)
    assert [entry.device for entry in answer.entries] == [DeviceId(number) for number in (A, B, P1, P2)]
    assert answer.calling == DeviceId(A)


def test_a_snapshot_of_a_call_is_given_to_those_in_it_only() -> None:
    """The id may be that of another call by now (ECMA-269 names calls by their connections)."""
    world = pbx()
    call = connection(world, A).call_id
    stranger = model.ConnectionId(call, DeviceId(C))
    invalid = Refusal(ErrorCategory.OPERATION, 13)
    assert world.request(model.SnapshotCall(stranger), 1.0).result == invalid
    assert world.request(model.SnapshotCall(model.ConnectionId(b"\xff\xff", DeviceId(A))), 1.0).result == invalid


def test_clear_connection_on_a_station_hangs_up() -> None:
    world = pbx()
    assert world.request(model.ClearConnection(connection(world, A)), 1.0).result == model.NoData()
    assert world.switch.calls == {}


def test_escape_is_not_supported() -> None:
    assert pbx().request(model.Escape(b"\x05\x00"), 1.0).result == Refusal(ErrorCategory.OPERATION, 50)
