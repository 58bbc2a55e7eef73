"""Calls that wait: queues, parking, call-back, camp-on, call waiting, recall."""

import json

import pytest

from osrec_emulators.pbx.agent_events import AgentState
from osrec_emulators.pbx.calls import RuleError
from osrec_emulators.pbx.media import Tone, Voice
from osrec_emulators.pbx.world import World
from tests.unit.pbx_ladder import T1, T2, A, B, C, D, X, Y, ladder, pbx

QUEUE = {"kind": "queue", "number": "3900", "members": [B, C], "logged_on": [], "ring_time": 4}
PARK = {"kind": "park", "numbers": "3850-3851", "recall_after": 60}


def in_a_call(world: World) -> World:
    """X outside talks with A."""
    world.switch.incoming(X, A)
    world.switch.answer(A)
    ladder(world)
    return world


def test_a_call_waits_in_the_queue_until_an_agent_logs_on() -> None:
    world = pbx(QUEUE)
    world.switch.incoming(X, "3900")
    assert ladder(world) == [
        "T1: Originated T1 connected newCall",
        "T1: Queued 3900 connected enteringDistribution",
        "3900: Queued 3900 queued enteringDistribution",
    ]
    assert world.topology.hears(T1) == (Tone("music"),)
    world.switch.log_on(B)
    assert ladder(world) == [
        "B: OtherEvent 4/1",
        "B: OtherEvent 4/4",
        "T1: Diverted 3900 to B connected distributed",
        "3900: Diverted 3900 to B null distributed",
        "T1: Delivered B connected distributed",
        "B: Delivered B alerting distributed",
    ]


def test_the_next_call_gets_the_agent_when_the_first_one_ends() -> None:
    world = pbx(QUEUE | {"logged_on": [B]})
    world.switch.incoming(X, "3900")
    world.switch.answer(B)
    world.switch.incoming(Y, "3900")
    assert ladder(world, B)[-2:] == ["B: Established B connected newCall", "B: OtherEvent 4/0"]
    world.switch.clear(T1)
    assert ladder(world, B) == [
        "B: ConnectionCleared T1 connected normalClearing",
        "B: ConnectionCleared B null normalClearing",
        "B: OtherEvent 4/4",
        "B: Delivered B alerting distributed",
    ]


def test_an_agent_who_does_not_answer_becomes_not_ready_and_the_call_waits_again() -> None:
    world = pbx(QUEUE | {"logged_on": [B]})
    world.switch.incoming(X, "3900")
    ladder(world)
    assert ladder(world, until=4) == [
        "B: OtherEvent 4/3",
        "T1: Diverted B to 3900 connected callNotAnswered",
        "B: Diverted B to 3900 null callNotAnswered",
        "T1: Queued 3900 connected noAvailableAgents",
        "3900: Queued 3900 queued noAvailableAgents",
    ]
    world.switch.ready(B)
    assert ladder(world, B) == ["B: OtherEvent 4/4", "B: Delivered B alerting distributed"]


def test_agents_get_calls_in_turn() -> None:
    world = pbx(QUEUE | {"logged_on": [B, C]})
    served = []
    for _ in range(4):
        world.switch.make_call(A, "3900")
        served += [agent for agent in (B, C) if world.switch.calls_of(agent)]
        world.switch.clear(A)
        ladder(world)
    assert served == [B, C, B, C]


def test_an_agent_works_after_a_call_before_the_next_one() -> None:
    world = pbx(QUEUE | {"logged_on": [B], "wrap_up": 5})
    world.switch.incoming(X, "3900")
    world.switch.answer(B)
    world.switch.clear(B)
    assert ladder(world, B)[-1] == "B: OtherEvent 4/5"
    world.switch.incoming(Y, "3900")
    assert ladder(world, B, until=4.9) == []
    assert ladder(world, B, until=5) == ["B: OtherEvent 4/4", "B: Delivered B alerting distributed"]


def test_a_caller_leaves_the_queue_when_patience_is_over() -> None:
    world = pbx(QUEUE | {"patience": 30})
    world.switch.incoming(X, "3900")
    ladder(world)
    assert ladder(world, until=29.9) == []
    assert ladder(world, T1, until=30) == [
        "T1: ConnectionCleared T1 null callNotAnswered",
    ]
    assert world.switch.calls == {}


def test_agents_cannot_do_what_their_state_does_not_allow() -> None:
    world = pbx(QUEUE | {"logged_on": [B]})
    assert world.switch.agents == {B: AgentState.READY, C: AgentState.LOGGED_OFF}
    with pytest.raises(RuleError, match="3101 cannot log on: it is ready"):
        world.switch.log_on(B)
    with pytest.raises(RuleError, match="3102 cannot become ready: it is logged off"):
        world.switch.ready(C)
    with pytest.raises(RuleError, match="3103 cannot log off: it is no member of a queue"):
        world.switch.log_off(D)


def test_a_parked_call_is_taken_at_another_station() -> None:
    lines: list[str] = []
    world = in_a_call(pbx(PARK, sink=lines))
    world.switch.park(A, "3850")
    assert ladder(world) == [
        "T1: Diverted A to 3850 connected park",
        "A: Diverted A to 3850 null park",
        "T1: Queued 3850 connected park",
        "3850: Queued 3850 queued park",
    ]
    assert world.topology.hears(T1) == (Tone("music"),)
    world.switch.unpark(B, "3850")
    assert ladder(world) == [
        "T1: Diverted 3850 to B connected callPickup",
        "3850: Diverted 3850 to B null callPickup",
        "T1: Established B connected callPickup",
        "B: Established B connected callPickup",
    ]
    world.switch.clear(B)
    assert json.loads(lines[0])["stations"] == [A, B]
    assert ladder(world, until=120) != []


def test_a_parked_call_comes_back_to_who_parked_it() -> None:
    world = in_a_call(pbx(PARK))
    world.switch.park(A, "3850")
    ladder(world)
    assert ladder(world, A, until=59.9) == []
    assert ladder(world, until=60) == [
        "T1: Diverted 3850 to A connected recall",
        "3850: Diverted 3850 to A null recall",
        "T1: Delivered A connected recall",
        "A: Delivered A alerting recall",
    ]


def test_parking_takes_a_free_slot() -> None:
    world = in_a_call(pbx(PARK))
    with pytest.raises(RuleError, match="cannot park at 4711: it is no park slot; there are 3850, 3851"):
        world.switch.park(A, "4711")
    with pytest.raises(RuleError, match="cannot unpark at 3850: no call is parked there"):
        world.switch.unpark(B, "3850")
    world.switch.park(A, "3850")
    world.switch.incoming(Y, B)
    world.switch.answer(B)
    with pytest.raises(RuleError, match="cannot park at 3850: a call is parked there"):
        world.switch.park(B, "3850")


def test_a_busy_station_is_called_back_when_it_is_free() -> None:
    world = pbx()
    world.switch.make_call(B, C)
    world.switch.answer(C)
    world.switch.make_call(A, B)
    world.switch.callback(A)
    assert ladder(world, A)[-1] == "A: ConnectionCleared A null normalClearing"
    assert ladder(world, until=100) == []
    world.switch.clear(B)
    assert ladder(world, A) == ["A: ServiceInitiated A initiated callBack"]
    world.switch.answer(A)
    assert ladder(world) == [
        "A: Originated A connected callBack",
        "A: Delivered B connected callBack",
        "B: Delivered B alerting callBack",
    ]


def test_a_station_that_did_not_answer_is_called_back_after_it_was_used() -> None:
    world = pbx()
    world.switch.make_call(A, B)
    world.switch.callback(A)
    ladder(world)
    assert ladder(world, until=100) == []
    world.switch.make_call(B, C)
    ladder(world)
    world.switch.clear(B)
    assert ladder(world, A) == ["A: ServiceInitiated A initiated callBack"]


def test_a_call_back_that_nobody_takes_is_forgotten() -> None:
    world = pbx()
    world.switch.mark_busy(B)
    world.switch.make_call(A, B)
    world.switch.callback(A)
    world.switch.mark_free(B)
    ladder(world)
    assert ladder(world, until=20) == ["A: ConnectionCleared A null callNotAnswered"]
    assert world.switch.callbacks == {}


def test_a_caller_who_camps_on_gets_the_station_when_it_is_free() -> None:
    world = pbx()
    world.switch.make_call(B, C)
    world.switch.answer(C)
    world.switch.make_call(A, B)
    ladder(world)
    world.switch.camp_on(A)
    assert ladder(world) == ["A: Queued B connected campOn", "B: Queued B queued campOn"]
    world.switch.clear(C)
    assert ladder(world, A, B)[2:] == ["A: Delivered B connected campOn", "B: Delivered B alerting campOn"]
    world.switch.answer(B)
    assert world.topology.hears(A) == (Voice(B),)


def test_a_caller_who_camps_on_gives_up_in_the_end() -> None:
    world = pbx(camp_on_patience=30)
    world.switch.mark_busy(B)
    world.switch.make_call(A, B)
    world.switch.camp_on(A)
    ladder(world)
    assert ladder(world, until=30) == [
        "B: ConnectionCleared A queued callNotAnswered",
        "A: ConnectionCleared A null callNotAnswered",
        "B: ConnectionCleared B null callNotAnswered",
    ]


def test_a_second_call_rings_at_a_station_that_talks_and_its_answer_holds_the_first() -> None:
    world = pbx(call_waiting=[B])
    world.switch.make_call(B, C)
    world.switch.answer(C)
    world.switch.make_call(A, B)
    world.switch.make_call(D, B)
    assert ladder(world, D)[-1] == "D: Failed B connected busy"
    world.switch.answer(B)
    assert ladder(world, B, C) == [
        "B: Held B hold normal",
        "C: Held B connected normal",
        "B: Established B connected newCall",
    ]
    world.switch.alternate(B)
    assert world.topology.hears(B) == (Voice(C),)


def test_a_transferred_call_that_nobody_answers_comes_back() -> None:
    world = in_a_call(pbx(recall_after=5))
    world.switch.consult(A, B)
    world.switch.transfer(A)
    ladder(world)
    assert ladder(world, until=5) == [
        "T1: Diverted B to A connected recall",
        "B: Diverted B to A null recall",
        "T1: Delivered A connected recall",
        "A: Delivered A alerting recall",
    ]
    world.switch.answer(A)
    assert ladder(world, A, until=60) == ["A: Established A connected normal"]


def test_a_blind_transfer_to_a_busy_station_comes_back_at_once() -> None:
    world = in_a_call(pbx(recall_after=5))
    world.switch.mark_busy(B)
    world.switch.blind_transfer(A, B)
    assert ladder(world, A)[1:] == ["A: Delivered A alerting recall"]


def test_a_recall_waits_for_a_station_that_is_busy() -> None:
    world = in_a_call(pbx(recall_after=5, no_answer_after=30))
    world.switch.blind_transfer(A, B)
    world.switch.make_call(A, C)
    ladder(world)
    assert ladder(world, A, until=8) == []
    world.switch.clear(A)
    ladder(world)
    assert ladder(world, A, until=10) == ["A: Delivered A alerting recall"]


def test_a_held_call_rings_at_who_holds_it() -> None:
    world = in_a_call(pbx(hold_recall_after=45))
    world.switch.hold(A)
    ladder(world)
    assert ladder(world, until=45) == ["T1: Delivered A connected recall", "A: Delivered A alerting recall"]
    world.switch.answer(A)
    assert ladder(world, A) == ["A: Established A connected normal"]
    assert world.topology.hears(A) == (Voice(T1),)


def test_a_retrieved_call_does_not_ring() -> None:
    world = in_a_call(pbx(hold_recall_after=45))
    world.switch.hold(A)
    world.switch.retrieve(A)
    ladder(world)
    assert ladder(world, until=100) == []


def test_camping_callers_are_told_apart_from_those_who_talk() -> None:
    world = pbx()
    world.switch.make_call(B, C)
    world.switch.answer(C)
    world.switch.make_call(A, B)
    world.switch.camp_on(A)
    assert not world.switch.idle(B)
    world.switch.consult(B, D)
    world.switch.answer(D)
    world.switch.transfer(B)
    assert ladder(world, A)[-1] == "A: Delivered B connected campOn"
    assert world.switch.trunk_of(X) is None
    assert T2 in world.switch.free_trunks()
    assert T1 in world.switch.free_trunks()
