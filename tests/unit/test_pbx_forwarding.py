"""Calls that go elsewhere: forwarding, hunting, parallel ringing, shared lines, executive and secretary, pick-up."""

import pytest

from osrec.wire.csta import model
from osrec.wire.csta.model import DeviceId, NoDevice
from osrec_emulators.pbx.calls import RuleError
from osrec_emulators.pbx.media import Tone, Voice
from tests.unit.pbx_ladder import T1, T2, A, B, C, D, X, Y, ladder, pbx

HUNT = {"kind": "hunt", "number": "3800", "members": ["3101-3103"], "ring_time": 4}
SHARED = {"kind": "shared", "number": "3810", "members": [B, C]}
EXECUTIVE = {"kind": "executive", "number": B, "secretary": C, "private": "3899"}


def test_a_station_that_forwards_always_is_told_and_does_not_ring() -> None:
    world = pbx()
    world.switch.forward(B, C)
    world.switch.make_call(A, B)
    assert ladder(world) == [
        "A: ServiceInitiated A initiated normal",
        "A: Originated A connected newCall",
        "A: Diverted B to C connected callForwardImmediate",
        "B: Diverted B to C null callForwardImmediate",
        "A: Delivered C connected callForwardImmediate",
        "C: Delivered C alerting callForwardImmediate",
    ]
    world.switch.unforward(B)
    world.switch.clear(A)
    ladder(world)
    world.switch.make_call(A, B)
    assert ladder(world, B) == ["B: Delivered B alerting newCall"]


def test_a_forwarded_call_names_who_was_called_and_who_forwarded() -> None:
    world = pbx(forwarding=[{"station": B, "always": C}])
    world.switch.incoming(X, B)
    (delivered,) = [found.event for found in world.switch.take() if found.device == C]
    assert isinstance(delivered, model.Delivered)
    assert (delivered.parties.calling, delivered.parties.called) == (DeviceId(X), DeviceId(B))
    assert delivered.parties.last_redirection == DeviceId(B)


def test_a_busy_station_forwards_on_busy() -> None:
    world = pbx(forwarding=[{"station": B, "busy": C}])
    world.switch.make_call(B, D)
    world.switch.answer(D)
    ladder(world)
    world.switch.make_call(A, B)
    assert ladder(world, A, B, C)[2:] == [
        "A: Diverted B to C connected callForwardBusy",
        "B: Diverted B to C null callForwardBusy",
        "A: Delivered C connected callForwardBusy",
        "C: Delivered C alerting callForwardBusy",
    ]


def test_a_call_that_nobody_answers_is_forwarded_after_a_while() -> None:
    world = pbx(forward_no_answer_after=10)
    world.switch.forward(B, C, "no_answer")
    world.switch.make_call(A, B)
    ladder(world)
    assert ladder(world, until=9.9) == []
    assert ladder(world, until=10) == [
        "A: Diverted B to C connected callForwardNoAnswer",
        "B: Diverted B to C null callForwardNoAnswer",
        "A: Delivered C connected callForwardNoAnswer",
        "C: Delivered C alerting callForwardNoAnswer",
    ]


def test_an_answered_call_is_not_forwarded_any_more() -> None:
    world = pbx(forwarding=[{"station": B, "no_answer": C}])
    world.switch.make_call(A, B)
    world.switch.answer(B)
    ladder(world)
    assert ladder(world, until=60) == []


def test_a_call_forwarded_to_the_outside_goes_from_trunk_to_trunk() -> None:
    world = pbx(forwarding=[{"station": B, "always": "0" + Y}])
    world.switch.incoming(X, B)
    world.switch.answer(T2)
    assert ladder(world, T1, B) == [
        "T1: Originated T1 connected newCall",
        "T1: Diverted B to Y connected callForwardImmediate",
        "B: Diverted B to Y null callForwardImmediate",
        "T1: NetworkReached T2 connected normal",
        "T1: Delivered T2 connected callForwardImmediate",
        "T1: Established T2 connected newCall",
    ]
    assert world.topology.hears(T1) == (Voice(T2),)


def test_stations_that_forward_to_each_other_end_as_busy() -> None:
    world = pbx(forwarding=[{"station": A, "always": B}, {"station": B, "always": A}])
    world.switch.make_call(C, A)
    seen = ladder(world, C)
    assert seen[-1] == "C: Failed A connected busy"
    assert len(seen) == 9


def test_a_hunt_group_rings_one_member_after_the_other() -> None:
    world = pbx(HUNT)
    world.switch.incoming(X, "3800")
    assert ladder(world, until=5) == [
        "T1: Originated T1 connected newCall",
        "T1: Delivered B connected distributed",
        "B: Delivered B alerting distributed",
        "T1: Diverted B to C connected redirected",
        "B: Diverted B to C null redirected",
        "T1: Delivered C connected redirected",
        "C: Delivered C alerting redirected",
    ]
    world.switch.answer(C)
    assert ladder(world, C, until=60) == ["C: Established C connected newCall"]


def test_a_cyclic_hunt_group_goes_on_after_the_member_that_rang_last() -> None:
    world = pbx(HUNT | {"order": "cyclic"})
    for member in (B, C, D, B):
        world.switch.make_call(A, "3800")
        assert world.switch.calls_of(member)
        world.switch.clear(A)


def test_a_hunt_group_without_a_member_left_overflows() -> None:
    world = pbx(HUNT | {"members": [B], "overflow": D})
    world.switch.make_call(A, "3800")
    assert ladder(world, B, D, until=4) == [
        "B: Delivered B alerting distributed",
        "B: Diverted B to D null overflow",
        "D: Delivered D alerting overflow",
    ]
    world.switch.incoming(X, "3800")
    assert ladder(world, B) == ["B: Delivered B alerting distributed"]
    world.switch.incoming(Y, "3800")
    assert ladder(world, T2)[-1] == "T2: Failed D connected busy"


def test_all_ring_and_who_answers_ends_the_ringing_of_the_others() -> None:
    world = pbx({"kind": "parallel", "number": B, "members": [B, C]})
    world.switch.incoming(X, B)
    assert ladder(world, B, C) == [
        "B: Delivered B alerting multipleAlerting",
        "B: Delivered C alerting multipleAlerting",
        "C: Delivered C alerting multipleAlerting",
    ]
    world.switch.answer(C)
    assert ladder(world) == [
        "T1: Established C connected newCall",
        "B: Established C alerting newCall",
        "C: Established C connected newCall",
        "T1: ConnectionCleared B connected multipleAlerting",
        "C: ConnectionCleared B connected multipleAlerting",
        "B: ConnectionCleared B null multipleAlerting",
    ]
    assert world.topology.hears(T1) == (Voice(C),)


def test_a_caller_who_gives_up_ends_the_ringing_everywhere() -> None:
    world = pbx({"kind": "parallel", "number": B, "members": [B, C]})
    world.switch.incoming(X, B)
    world.switch.clear(T1)
    assert world.switch.calls == {}


def test_appearances_of_a_shared_line_are_bridged_and_may_join() -> None:
    world = pbx(SHARED)
    world.switch.incoming(X, "3810")
    world.switch.answer(B)
    assert ladder(world, C)[1:] == ["C: Established B alerting newCall", "C: Bridged C queued normal"]
    assert world.topology.hears(C) == ()
    world.switch.bridge(C)
    assert ladder(world, C) == ["C: Established C connected activeParticipation"]
    assert set(world.topology.hears(T1)) == {Voice(B), Voice(C)}
    world.switch.clear(B)
    assert ladder(world, C) == ["C: ConnectionCleared B connected normalClearing"]


def test_a_shared_line_is_free_again_when_its_user_hangs_up() -> None:
    world = pbx(SHARED)
    world.switch.incoming(X, "3810")
    world.switch.answer(B)
    world.switch.incoming(Y, "3810")
    assert ladder(world, T2)[-1] == "T2: Failed 3810 connected busy"
    world.switch.clear(T2)
    world.switch.clear(B)
    assert ladder(world, C) == [
        "C: ConnectionCleared B queued normalClearing",
        "C: ConnectionCleared T1 queued normalClearing",
        "C: ConnectionCleared C null normalClearing",
    ]
    assert world.switch.calls == {}


def test_a_pickup_group_takes_what_rings_at_a_member() -> None:
    world = pbx({"kind": "pickup", "members": [B, C]})
    world.switch.make_call(A, B)
    ladder(world)
    with pytest.raises(RuleError, match="3103 cannot pick up a call of its group: it is in none"):
        world.switch.pickup(D)
    world.switch.pickup(C)
    assert ladder(world) == [
        "A: Diverted B to C connected callPickup",
        "B: Diverted B to C null callPickup",
        "A: Established C connected callPickup",
        "C: Established C connected callPickup",
    ]


def test_calls_to_an_executive_ring_at_the_secretary_who_puts_them_through() -> None:
    world = pbx(EXECUTIVE)
    world.switch.incoming(X, B)
    assert ladder(world, B, C) == ["B: Diverted B to C null callForward", "C: Delivered C alerting callForward"]
    world.switch.answer(C)
    world.switch.consult(C, B)
    assert ladder(world, B) == ["B: Delivered B alerting newCall"]
    world.switch.answer(B)
    world.switch.transfer(C)
    assert world.topology.hears(B) == (Voice(T1),)


def test_the_private_number_of_an_executive_rings_there() -> None:
    world = pbx(EXECUTIVE)
    world.switch.incoming(X, "3899")
    assert ladder(world, B, C) == ["B: Delivered B alerting newCall"]


@pytest.mark.parametrize(("shown", "named"), [("withheld", NoDevice.RESTRICTED), ("unknown", NoDevice.NOT_KNOWN)])
def test_a_number_that_is_not_shown_is_in_no_event(shown: str, named: NoDevice) -> None:
    steps = [
        {"action": "call", "from": X, "to": A, "shows": shown},
        {"after": 1, "action": "answer", "from": A},
        {"after": 1, "action": "consult", "from": A, "to": B},
        {"after": 1, "action": "answer", "from": B},
        {"after": 1, "action": "transfer", "from": A},
        {"after": 1, "action": "hangup", "from": X},
    ]
    world = pbx(script=[{"steps": steps}])
    events = [found.event for found in world.advance(60)]
    assert not any(X in repr(event) for event in events)
    delivered = next(event for event in events if isinstance(event, model.Delivered))
    assert (delivered.parties.calling, delivered.parties.network_calling) == (named, named)
    assert delivered.parties.associated_calling == DeviceId(T1)
    assert world.take_notes() == []


def test_a_station_cannot_forward_to_itself() -> None:
    with pytest.raises(RuleError, match="3100 cannot forward its calls to itself"):
        pbx().switch.forward(A, A)


def test_ringback_is_heard_while_several_ring() -> None:
    world = pbx({"kind": "parallel", "number": "3801", "members": [B, C]})
    world.switch.make_call(A, "3801")
    assert world.topology.hears(A) == (Tone("ringback"),)
