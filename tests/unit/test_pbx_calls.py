"""Blind transfer, large conferences, path replacement, DISA, door phone, failures, data and ids of calls."""

from typing import Any

import pytest

from osrec.wire.csta import model
from osrec.wire.csta.model import DeviceId
from osrec_emulators.pbx.calls import RuleError
from osrec_emulators.pbx.media import Tone, Voice
from osrec_emulators.pbx.world import World
from tests.unit.pbx_ladder import T1, T2, A, B, C, X, Y, ladder, pbx


def in_a_call(world: World) -> World:
    """X outside talks with A."""
    world.switch.incoming(X, A)
    world.switch.answer(A)
    ladder(world)
    return world


def test_a_blind_transfer_leaves_at_once_and_the_call_rings_elsewhere() -> None:
    world = in_a_call(pbx())
    (old,) = world.switch.calls_of(A)
    new = world.switch.blind_transfer(A, B)
    world.switch.answer(B)
    assert ladder(world) == [
        "T1: Transferred by A to B [X] connected singleStepTransfer",
        "A: Transferred by A to B [X] null singleStepTransfer",
        "T1: Delivered B connected singleStepTransfer",
        "B: Delivered B alerting singleStepTransfer",
        "T1: Established B connected normal",
        "B: Established B connected normal",
    ]
    assert (new.thread, new.linkage_id) == (old.thread, old.linkage_id)
    assert new.id != old.id


def test_a_blind_transfer_to_the_outside_connects_two_trunks() -> None:
    world = in_a_call(pbx())
    world.switch.blind_transfer(A, "0" + Y)
    world.switch.answer(T2)
    assert ladder(world, A) == ["A: Transferred by A to Y [X] null singleStepTransfer"]
    assert world.topology.hears(T1) == (Voice(T2),)
    world.switch.clear(T2)
    assert world.switch.calls == {}


@pytest.mark.parametrize("members", range(3, 9))
def test_parties_join_a_conference_one_after_the_other_and_leave_down_to_two(members: int) -> None:
    world = in_a_call(pbx())
    stations = [f"31{number:02d}" for number in range(1, members - 1)]
    for station in stations:
        world.switch.consult(A, station)
        world.switch.answer(station)
        ladder(world)
        world.switch.conference(A)
        everybody = "+".join(leg.party.number for leg in world.switch.calls_of(A)[0].active)
        (seen,) = ladder(world, T1)
        assert seen.startswith("T1: Conferenced by A")
        assert seen.count("+") == everybody.count("+")
    assert len(world.topology.hears(T1)) == members - 1
    for station in [A, *stations[:-1]]:
        world.switch.clear(station)
    assert world.topology.hears(T1) == (Voice(stations[-1]),)
    assert ladder(world, T1)[-1].endswith("connected normalClearing")
    world.switch.clear(stations[-1])
    assert world.switch.calls == {}


def test_a_conference_has_a_limit() -> None:
    world = in_a_call(pbx(conference_limit=3))
    for station in (B, C):
        world.switch.consult(A, station)
        world.switch.answer(station)
        if station == B:
            world.switch.conference(A)
    with pytest.raises(RuleError, match="3100 cannot conference: 4 parties, and a conference has 3 at most"):
        world.switch.conference(A)


def test_a_replaced_path_gives_the_call_another_id_and_nobody_anything_to_do() -> None:
    world = in_a_call(pbx())
    (old,) = world.switch.calls_of(A)
    new = world.switch.replace_path(A)
    assert ladder(world) == [
        "T1: Transferred by X to A [X+A] connected pathReplacement",
        "A: Transferred by X to A [X+A] connected pathReplacement",
    ]
    assert (new.thread, new.answered, new.id == old.id) == (old.thread, True, False)
    assert world.topology.hears(A) == (Voice(T1),)


def test_a_path_is_replaced_on_trunks_only() -> None:
    world = pbx()
    world.switch.make_call(A, B)
    world.switch.answer(B)
    with pytest.raises(RuleError, match="is on no trunk"):
        world.switch.replace_path(A)


def test_disa_gives_a_dial_tone_and_the_caller_dials_through() -> None:
    world = pbx({"kind": "disa", "number": "3999"})
    world.switch.incoming(X, "3999")
    assert ladder(world, T1)[-1] == "T1: Established 3999 connected newCall"
    assert world.topology.hears(T1) == (Tone("dial"),)
    world.switch.dial(T1, "0" + Y)
    world.switch.answer(T2)
    assert ladder(world, T1) == [
        "T1: Diverted 3999 to Y connected redirected",
        "T1: NetworkReached T2 connected normal",
        "T1: Delivered T2 connected newCall",
        "T1: Established T2 connected newCall",
    ]
    assert world.topology.hears(T1) == (Voice(T2),)


def test_who_does_not_dial_after_the_dial_tone_is_released() -> None:
    world = pbx({"kind": "disa", "number": "3999"}, no_answer_after=20)
    world.switch.incoming(X, "3999")
    world.advance(20)
    assert world.switch.calls == {}
    with pytest.raises(RuleError, match="cannot dial on"):
        world.switch.dial(T1, "0" + Y)


def test_a_door_phone_calls_without_dialling() -> None:
    world = pbx({"kind": "hotline", "number": A, "calls": B})
    world.switch.make_call(A)
    assert ladder(world, B) == ["B: Delivered B alerting newCall"]
    with pytest.raises(RuleError, match="3102 has no hot line: it has to dial a number"):
        world.switch.make_call(C)


def test_the_network_may_fail_after_it_was_reached() -> None:
    world = pbx(unreachable=[Y])
    world.switch.make_call(A, "0" + Y)
    assert ladder(world, A, until=10)[2:] == [
        "A: NetworkReached T1 connected normal",
        "A: Failed T1 connected networkNotObtainable",
        "A: ConnectionCleared A null normalClearing",
    ]
    assert T1 in world.switch.free_trunks()
    world.switch.mark_free(Y)
    world.switch.make_call(A, "0" + Y)
    assert ladder(world, A)[-1] == "A: Delivered T1 connected newCall"


def test_digits_are_reported_one_by_one_where_configured() -> None:
    world = pbx(digits_dialed="each")
    world.switch.make_call(A, B)
    assert [line.split()[3] for line in ladder(world, A) if "DigitsDialed" in line] == ["3", "1", "0", "1"]


def events(world: World, device: str) -> list[Any]:
    return [found.event for found in world.switch.take() if found.device == device]


def test_account_codes_and_digits_are_told_to_everybody_in_the_call() -> None:
    lines: list[str] = []
    world = in_a_call(pbx(sink=lines))
    world.switch.account(A, "4711")
    world.switch.digits(A, "12#")
    information, digits = events(world, T1)
    assert isinstance(information, model.CallInformation)
    assert (information.account, information.device) == (b"4711", DeviceId(A))
    assert isinstance(digits, model.DigitsGenerated)
    assert digits.digits == "12#"
    world.switch.clear(A)
    assert '"4711"' in lines[0]
    assert '"12#"' in lines[0]


def test_user_data_and_correlator_stay_with_the_call_through_a_transfer() -> None:
    world = in_a_call(pbx())
    world.switch.user_data(A, "file 17")
    world.switch.correlator(A, "c-1")
    world.switch.consult(A, B)
    world.switch.answer(B)
    world.switch.take()
    world.switch.transfer(A)
    world.switch.clear(B)
    for event in events(world, T1):
        assert (event.user_data, event.correlator) == (b"file 17", b"c-1")


def test_call_ids_come_again_at_once_where_configured() -> None:
    world = pbx(call_id_wrap=1)
    ids = []
    for _ in range(3):
        ids.append(world.switch.make_call(A, B).id)
        world.switch.clear(A)
    assert ids == [b"\x00\x01"] * 3
    first, second = world.switch.make_call(A, B), world.switch.make_call(C, "0" + Y)
    assert (first.id, second.id) == (b"\x00\x01", b"\x00\x02")
