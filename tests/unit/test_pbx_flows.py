"""Every call flow as a script, with the events that each monitored device sees."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from osrec.wire.csta import model
from osrec.wire.csta.model import DeviceId, LocalState, NoDevice
from osrec_emulators.pbx.calls import Cause, RuleError
from osrec_emulators.pbx.config import PbxConfig
from osrec_emulators.pbx.media import Tone, Voice
from osrec_emulators.pbx.world import World

A, B, C = "3100", "3101", "3102"
X, Y = "0891234567", "0307654321"  # people outside
DIAL_X = "0" + X
T1, T2 = "7801", "7802"

NULL, INITIATED, ALERTING = LocalState.NULL, LocalState.INITIATED, LocalState.ALERTING
CONNECTED, HOLD = LocalState.CONNECTED, LocalState.HOLD

Seen = tuple[str, str, LocalState, int]


def world_with(*steps: dict[str, Any], sink: list[str] | None = None, **settings: Any) -> World:
    """A PBX that plays these steps from time 0, one a second unless they say otherwise."""
    script = {"steps": [{"after": 1} | step if position else step for position, step in enumerate(steps)]}
    config = {
        "stations": [{"range": "3100-3109", "names": ["Jürgen Groß", "Bea"]}],
        "trunks": [{"range": "7801-7804"}],
        "recorder_ports": ["5000-5003"],
        "script": [script] if steps else [],
    }
    return World(PbxConfig.model_validate(config | settings), sink=None if sink is None else sink.append)


def seen(world: World, device: str, until: float = 60.0) -> list[Seen]:
    """What a monitor on the device sees: event, device of the connection it is about, own state, cause."""
    return [_short(occurrence.event) for occurrence in world.advance(until) if occurrence.device == device]


def all_seen(world: World, until: float = 60.0) -> dict[str, list[Seen]]:
    views: dict[str, list[Seen]] = {}
    for occurrence in world.advance(until):
        views.setdefault(occurrence.device, []).append(_short(occurrence.event))
    return views


def _short(event: Any) -> Seen:
    connection = event.primary if isinstance(event, model.Transferred | model.Conferenced) else event.connection
    assert isinstance(connection.device, DeviceId)
    assert event.local is not None
    assert event.cause is not None
    return type(event).__name__, connection.device.number, event.local, event.cause


def step(action: str, party: str, to: str | None = None, **more: Any) -> dict[str, Any]:
    return {"action": action, "from": party} | ({"to": to} if to else {}) | more


def call_of(world: World, device: str) -> str:
    (call,) = world.switch.calls_of(device)
    return call.id.hex()


def test_an_internal_call_shows_both_views_of_each_transition() -> None:
    views = all_seen(world_with(step("call", A, B), step("answer", B), step("hangup", A)))
    delivered = ("Delivered", B)
    assert views[A] == [
        ("ServiceInitiated", A, INITIATED, Cause.NORMAL),
        ("Originated", A, CONNECTED, Cause.NEW_CALL),
        (*delivered, CONNECTED, Cause.NEW_CALL),
        ("Established", B, CONNECTED, Cause.NEW_CALL),
        ("ConnectionCleared", A, NULL, Cause.NORMAL_CLEARING),
    ]
    assert views[B] == [
        (*delivered, ALERTING, Cause.NEW_CALL),
        ("Established", B, CONNECTED, Cause.NEW_CALL),
        ("ConnectionCleared", A, CONNECTED, Cause.NORMAL_CLEARING),
        ("ConnectionCleared", B, NULL, Cause.NORMAL_CLEARING),
    ]


def test_an_incoming_call_names_the_number_outside_and_the_trunk() -> None:
    world = world_with(step("call", X, A), step("answer", A), step("hangup", X))
    occurrences = [found for found in world.advance(60) if found.device == A]
    delivered = occurrences[0].event
    assert isinstance(delivered, model.Delivered)
    assert delivered.local is ALERTING
    assert delivered.parties.calling == DeviceId(X)
    assert delivered.parties.associated_calling == DeviceId(T1)
    assert delivered.parties.called == DeviceId(A, name="Jürgen Groß")
    assert [_short(found.event)[0] for found in occurrences] == [
        "Delivered",
        "Established",
        "ConnectionCleared",
        "ConnectionCleared",
    ]


def test_an_outgoing_call_reaches_the_network_before_it_is_delivered() -> None:
    world = world_with(step("call", A, DIAL_X), step("answer", X), step("hangup", A))
    occurrences = [found.event for found in world.advance(60) if found.device == A]
    assert [_short(event) for event in occurrences] == [
        ("ServiceInitiated", A, INITIATED, Cause.NORMAL),
        ("Originated", A, CONNECTED, Cause.NEW_CALL),
        ("NetworkReached", T1, CONNECTED, Cause.NORMAL),
        ("Delivered", T1, CONNECTED, Cause.NEW_CALL),
        ("Established", T1, CONNECTED, Cause.NEW_CALL),
        ("ConnectionCleared", A, NULL, Cause.NORMAL_CLEARING),
    ]
    reached, established = occurrences[2], occurrences[4]
    assert isinstance(reached, model.NetworkReached)
    assert isinstance(established, model.Established)
    assert reached.device == DeviceId(T1)
    assert established.device == DeviceId(X)
    assert established.parties.called == DeviceId(X)
    assert established.parties.associated_called == DeviceId(T1)


def test_digits_dialed_are_reported_where_configured() -> None:
    world = world_with(step("call", A, DIAL_X), digits_dialed=True)
    dialed = [found.event for found in world.advance(1) if isinstance(found.event, model.DigitsDialed)]
    assert [event.digits for event in dialed] == [DeviceId(DIAL_X)]


def test_hold_and_retrieve_are_seen_by_both_and_music_is_heard_meanwhile() -> None:
    world = world_with(step("call", A, B), step("answer", B), step("hold", A), step("retrieve", A))
    world.advance(1.5)
    assert world.topology.hears(A) == (Voice(B),)
    held = world.advance(2.5)
    assert [(found.device, _short(found.event)) for found in held] == [
        (A, ("Held", A, HOLD, Cause.NORMAL)),
        (B, ("Held", A, CONNECTED, Cause.NORMAL)),
    ]
    assert world.topology.hears(B) == (Tone("music"),)
    assert world.topology.hears(A) == ()
    assert not world.topology.speaks(A)
    assert seen(world, B) == [("Retrieved", A, CONNECTED, Cause.NORMAL)]
    assert world.topology.hears(B) == (Voice(A),)


def _consultation(*rest: dict[str, Any]) -> Sequence[dict[str, Any]]:
    return step("call", X, A), step("answer", A), step("consult", A, B), *rest


def test_a_consultation_holds_the_first_call_and_keeps_the_thread() -> None:
    world = world_with(*_consultation(step("answer", B)))
    world.advance(1.5)
    (first,) = world.switch.calls_of(A)
    occurrences = [found.event for found in world.advance(4) if found.device == A]
    assert [_short(event) for event in occurrences] == [
        ("Held", A, HOLD, Cause.CONSULTATION),
        ("ServiceInitiated", A, INITIATED, Cause.CONSULTATION),
        ("Originated", A, CONNECTED, Cause.CONSULTATION),
        ("Delivered", B, CONNECTED, Cause.NEW_CALL),
        ("Established", B, CONNECTED, Cause.NEW_CALL),
    ]
    threads = {event.linkage.thread for event in occurrences if event.linkage}
    assert threads == {first.thread.id}
    assert len({call.linkage_id for call in world.switch.calls_of(A)}) == 2
    assert world.topology.hears(A) == (Voice(B),)
    assert world.topology.hears(T1) == (Tone("music"),)


def test_alternate_swaps_the_two_calls() -> None:
    world = world_with(*_consultation(step("answer", B), step("alternate", A)))
    world.advance(3.5)
    assert seen(world, A) == [
        ("Held", A, HOLD, Cause.ALTERNATE),
        ("Retrieved", A, CONNECTED, Cause.ALTERNATE),
    ]
    assert world.topology.hears(A) == (Voice(T1),)
    assert world.topology.hears(B) == (Tone("music"),)


def test_a_transfer_after_answer_connects_the_others_in_a_new_call() -> None:
    world = world_with(*_consultation(step("answer", B), step("transfer", A)))
    world.advance(3.5)
    old = {call.id for call in world.switch.calls_of(A)}
    occurrences = world.advance(4.5)
    assert {found.device: _short(found.event) for found in occurrences} == {
        A: ("Transferred", A, NULL, Cause.TRANSFER),
        B: ("Transferred", A, CONNECTED, Cause.TRANSFER),
        T1: ("Transferred", A, CONNECTED, Cause.TRANSFER),
    }
    event = occurrences[0].event
    assert isinstance(event, model.Transferred)
    new = bytes.fromhex(call_of(world, B))
    assert new not in old
    assert {link.old.call_id for link in event.connections if link.old} == old
    assert {(link.new.call_id, link.endpoint) for link in event.connections if link.new} == {
        (new, DeviceId(X)),
        (new, DeviceId(B, name="Bea")),
    }
    assert world.topology.hears(B) == (Voice(T1),)
    assert world.topology.hears(A) == ()


def test_a_transfer_before_answer_lets_the_third_party_ring_on() -> None:
    world = world_with(*_consultation(step("transfer", A), step("answer", B)))
    world.advance(2.5)
    assert [found[:3] for found in seen(world, B, 3.5)] == [("Transferred", A, ALERTING)]
    assert world.topology.hears(T1) == (Tone("ringback"),)
    established = [found.event for found in world.advance(4.5) if found.device == B]
    assert isinstance(established[0], model.Established)
    assert established[0].parties.calling == DeviceId(X)
    assert world.topology.hears(T1) == (Voice(B),)


def test_a_conference_lets_everybody_hear_everybody_else() -> None:
    world = world_with(*_consultation(step("answer", B), step("conference", A), step("hangup", A)))
    world.advance(3.5)
    occurrences = world.advance(4.5)
    everybody = dict.fromkeys((A, B, T1), ("Conferenced", A, CONNECTED))
    assert {found.device: _short(found.event)[:3] for found in occurrences} == everybody
    event = occurrences[0].event
    assert isinstance(event, model.Conferenced)
    assert {link.endpoint.number for link in event.connections if isinstance(link.endpoint, DeviceId)} == {A, B, X}
    assert set(world.topology.hears(A)) == {Voice(B), Voice(T1)}
    assert set(world.topology.hears(T1)) == {Voice(A), Voice(B)}
    assert [found[:3] for found in seen(world, B, 5.5)] == [("ConnectionCleared", A, CONNECTED)]
    assert world.topology.hears(B) == (Voice(T1),)


def test_a_busy_station_fails_the_call_and_the_caller_gives_up() -> None:
    world = world_with(step("call", B, C), step("answer", C), step("call", A, B))
    views = all_seen(world, 4.0)
    assert views[A][-1] == ("Failed", B, CONNECTED, Cause.BUSY)
    assert world.topology.hears(A) == (Tone("busy"),)
    assert "Failed" not in [found[0] for found in views[B]]  # the busy station has a call of its own
    assert seen(world, A, 6.0) == [("ConnectionCleared", A, NULL, Cause.NORMAL_CLEARING)]


def test_a_busy_number_outside_fails_on_the_trunk() -> None:
    world = world_with(step("busy", X), step("call", A, DIAL_X))
    assert seen(world, A, 2.0)[-1] == ("Failed", T1, CONNECTED, Cause.BUSY)
    assert T1 not in world.switch.free_trunks()
    world.advance(10)
    assert T1 in world.switch.free_trunks()


def test_a_number_that_nobody_has_fails_as_not_obtainable() -> None:
    assert seen(world_with(step("call", A, "4711")), A, 1.0)[-1] == ("Failed", "4711", CONNECTED, 13)


def test_a_call_without_a_free_trunk_fails_with_trunks_busy() -> None:
    world = world_with(*(step("call", "310" + str(n), DIAL_X + str(n)) for n in range(5)))
    assert seen(world, "3104", 5.0)[-1][3] == Cause.TRUNKS_BUSY


def test_nobody_answers_and_the_caller_gives_up() -> None:
    world = world_with(step("call", A, B), step("ignore", B), no_answer_after=10)
    views = all_seen(world)
    assert views[A][-1] == ("ConnectionCleared", A, NULL, Cause.CALL_NOT_ANSWERED)
    assert views[B][-1] == ("ConnectionCleared", B, NULL, Cause.CALL_NOT_ANSWERED)
    assert world.switch.calls == {}


def test_ringing_is_heard_by_the_caller_alone() -> None:
    world = world_with(step("call", A, B))
    world.advance(0.5)
    assert world.topology.hears(A) == (Tone("ringback"),)
    assert world.topology.hears(B) == ()
    assert not world.topology.speaks(B)


def test_a_deflected_call_is_diverted_and_delivered_anew() -> None:
    world = world_with(step("call", A, B), step("deflect", B, C), step("answer", C))
    views = all_seen(world, 5)
    assert [found[:3] for found in views[B]] == [("Delivered", B, ALERTING), ("Diverted", B, NULL)]
    assert [found[:3] for found in views[C]] == [("Delivered", C, ALERTING), ("Established", C, CONNECTED)]


def test_a_picked_up_call_is_established_at_the_other_station() -> None:
    world = world_with(step("call", A, B), step("pickup", C, B))
    views = all_seen(world, 5)
    assert views[B][-1] == ("Diverted", B, NULL, Cause.CALL_PICKUP)
    assert views[C] == [("Established", C, CONNECTED, Cause.CALL_PICKUP)]
    assert world.topology.hears(A) == (Voice(C),)


def test_say_changes_what_a_party_says() -> None:
    world = world_with(step("say", A, what="female1"))
    before = world.topology.version
    assert world.topology.says(A) == "tone:0"
    world.advance(1)
    assert world.topology.says(A) == "female1"
    assert world.topology.version > before


def test_the_truth_tells_a_transferred_conversation_once() -> None:
    lines: list[str] = []
    world = world_with(
        *_consultation(step("answer", B), step("transfer", A), step("hangup", B)), sink=lines, call_id_octets=4
    )
    world.advance(60)
    (line,) = lines
    record = json.loads(line)
    assert record["direction"] == "in"
    assert record["stations"] == [A, B]
    assert [(party["number"], party["external"]) for party in record["parties"]] == [(X, True), (A, False), (B, False)]
    assert len(record["calls"]) == 3
    assert {len(call) for call in record["calls"]} == {8}
    assert (record["started"], record["answered"], record["ended"]) == (0, 1, 5)
    assert record["ended_at"] == "2026-01-01T00:00:05.000+00:00"


def test_an_unanswered_call_has_no_time_of_answer_in_the_truth() -> None:
    lines: list[str] = []
    world_with(step("call", A, DIAL_X), step("hangup", A), sink=lines).advance(60)
    record = json.loads(lines[0])
    assert record["direction"] == "out"
    assert record["answered"] is None


def test_stop_ends_every_call_and_begins_none() -> None:
    lines: list[str] = []
    world = world_with(*_consultation(step("answer", B), step("call", C, DIAL_X)), sink=lines)
    world.advance(3.5)
    cleared = world.stop(3.5)
    assert {found.device for found in cleared} == {A, B, T1}
    assert world.switch.calls == {}
    assert world.deadline is None
    assert len(lines) == 1
    assert world.advance(60) == []


def test_an_impossible_step_is_noted_and_its_parties_hang_up() -> None:
    world = world_with(step("call", A, B), step("hold", A))
    world.advance(10)
    (note,) = world.take_notes()
    assert "3100 cannot hold" in note.text
    assert "nobody has answered it" in note.text
    assert world.switch.calls == {}


@pytest.mark.parametrize(
    ("command", "arguments", "rule"),
    [
        ("answer", (A,), "needs a connection that is alerting"),
        ("retrieve", (A,), "needs a connection that is hold, and has: connected"),
        ("alternate", (A,), "needs a connection that is hold"),
        ("transfer", (A,), "needs a connection that is hold"),
        ("make_call", (A, C), "cannot begin a call: it has one"),
        ("clear", (C,), "it has no connection"),
        ("pickup", (C, B), "needs a connection that is alerting"),
        ("deflect", (B, C), "needs a connection that is alerting"),
        ("make_call", ("4711", A), "4711 is no station"),
    ],
)
def test_a_command_out_of_place_names_the_rule_and_changes_nothing(
    command: str, arguments: tuple[str, ...], rule: str
) -> None:
    world = world_with(step("call", A, B), step("answer", B))
    world.advance(2)
    version = world.topology.version
    with pytest.raises(RuleError, match=rule):
        getattr(world.switch, command)(*arguments)
    assert world.topology.version == version
    assert world.switch.take() == []


def test_a_consultation_that_was_not_reached_cannot_be_transferred() -> None:
    world = world_with(*_consultation())
    world.switch.busy.add(B)
    world.advance(2.5)
    with pytest.raises(RuleError, match="not reached"):
        world.switch.transfer(A)
    world.switch.clear(A)
    world.switch.retrieve(A)
    assert world.topology.hears(A) == (Voice(T1),)


def test_linkage_and_names_are_left_out_where_configured() -> None:
    world = world_with(step("call", A, B), linkage=False, names_in_events=False)
    delivered = next(found.event for found in world.advance(1) if isinstance(found.event, model.Delivered))
    assert delivered.linkage is None
    assert delivered.parties.calling == DeviceId(A)
    assert delivered.parties.last_redirection is NoDevice.NOT_SPECIFIED


def test_dynamic_connection_ids_stay_the_same_through_a_call() -> None:
    world = world_with(step("call", A, B), step("answer", B), connection_ids="dynamic")
    events = [found.event for found in world.advance(3) if isinstance(found.event, model.Delivered | model.Established)]
    devices = {event.connection.device for event in events}
    assert len(devices) == 1
    assert isinstance(devices.pop(), bytes)


def test_call_ids_come_again_only_after_a_wrap() -> None:
    world = world_with()
    ids = []
    for _ in range(300):
        ids.append(world.switch.make_call(A, B).id)
        world.switch.clear(A)
    assert len(set(ids)) == 300
    assert {len(found) for found in ids} == {2}


def test_a_repeated_script_is_played_every_so_often() -> None:
    lines: list[str] = []
    config = {
        "stations": [{"range": "3100-3101"}],
        "script": [{"repeat": 10, "steps": [step("call", A, B), step("hangup", A, at=2)]}],
    }
    World(PbxConfig.model_validate(config), sink=lines.append).advance(35)
    assert [json.loads(line)["started"] for line in lines] == [0, 10, 20, 30]
