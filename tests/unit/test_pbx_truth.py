"""The truth says who really talked when, whatever was done with the call."""

import json
from typing import Any

from osrec.wire.csta.model import LocalState
from osrec_emulators.pbx.calls import Call, Leg, Party, Thread
from osrec_emulators.pbx.config import PbxConfig
from osrec_emulators.pbx.truth import Truth
from osrec_emulators.pbx.world import World, virtual_wall

A, B, C = "3100", "3101", "3102"
OUTSIDE = "0049891234"


class Site:
    def __init__(self) -> None:
        config: dict[str, Any] = {
            "stations": [{"range": "3100-3109", "names": ["Jürgen Groß"]}],
            "trunks": [{"range": "7801-7802"}],
        }
        self.lines: list[str] = []
        self.world = World(PbxConfig.model_validate(config), sink=self.lines.append)
        self.switch = self.world.switch

    def at(self, now: float) -> "Site":
        self.world.advance(now)
        return self

    def told(self) -> dict[str, Any]:
        (line,) = self.lines
        told: dict[str, Any] = json.loads(line)
        return told

    def talks(self) -> list[tuple[str, float, float]]:
        return [(talk["station"], talk["from"], talk["to"]) for talk in self.told()["talks"]]


def test_both_stations_talk_from_the_answer_on() -> None:
    site = Site()
    site.at(1).switch.make_call(A, B)
    site.at(3).switch.answer(B)
    site.at(9).switch.clear(A)
    assert site.talks() == [(A, 3, 9), (B, 3, 9)]


def test_nobody_talks_in_a_call_that_is_not_answered() -> None:
    site = Site()
    site.at(1).switch.make_call(A, B)
    site.at(3).switch.clear(A)
    assert site.talks() == []


def test_people_outside_are_no_stations() -> None:
    site = Site()
    site.at(1).switch.incoming(OUTSIDE, A)
    site.at(2).switch.answer(A)
    site.at(5).switch.clear("7801")
    assert site.talks() == [(A, 2, 5)]


def test_who_holds_a_call_does_not_talk_in_it() -> None:
    site = Site()
    site.at(1).switch.make_call(A, B)
    site.at(2).switch.answer(B)
    site.at(5).switch.hold(A)
    site.at(7).switch.retrieve(A)
    site.at(9).switch.clear(A)
    assert site.talks() == [(A, 2, 5), (B, 2, 5), (B, 5, 7), (A, 7, 9), (B, 7, 9)]
    assert [talk["heard"] for talk in site.told()["talks"]] == [True, True, False, True, True]


def test_a_consultation_that_becomes_a_transfer_is_told_call_by_call() -> None:
    site = Site()
    first = site.at(1).switch.make_call(A, B)
    site.at(2).switch.answer(B)
    second = site.at(4).switch.consult(A, C)
    site.at(6).switch.answer(C)
    third = site.at(8).switch.transfer(A)
    site.at(10).switch.clear(C)
    talks = {(talk["station"], talk["call"], talk["from"], talk["to"]) for talk in site.told()["talks"]}
    one, two, three = (call.id.hex() for call in (first, second, third))
    assert talks == {
        (A, one, 2, 4),
        (B, one, 2, 4),
        (B, one, 4, 8),
        (A, two, 6, 8),
        (C, two, 6, 8),
        (B, three, 8, 10),
        (C, three, 8, 10),
    }


def test_who_is_transferred_to_a_ringing_station_waits_alone() -> None:
    site = Site()
    site.at(1).switch.make_call(A, B)
    site.at(2).switch.answer(B)
    site.at(4).switch.consult(A, C)
    site.at(5).switch.transfer(A)
    site.at(7).switch.answer(C)
    site.at(9).switch.clear(C)
    assert sorted(site.talks()) == [(A, 2, 4), (B, 2, 4), (B, 4, 5), (B, 7, 9), (C, 7, 9)]


def test_all_talk_in_a_conference_until_they_leave() -> None:
    site = Site()
    site.at(1).switch.make_call(A, B)
    site.at(2).switch.answer(B)
    site.at(4).switch.consult(A, C)
    site.at(5).switch.answer(C)
    site.at(6).switch.conference(A)
    site.at(8).switch.clear(C)
    site.at(9).switch.clear(B)
    last = {station: to for station, _, to in site.talks()}
    assert last == {A: 9, B: 9, C: 8}
    assert all(talk["heard"] for talk in site.told()["talks"] if talk["from"] >= 6)


def test_names_account_codes_and_digits_are_told() -> None:
    site = Site()
    call = site.at(1).switch.make_call(A, B)
    site.at(2).switch.answer(B)
    site.world.truth.account(call, 3.0, A, "4711")
    site.world.truth.digits(call, 4.0, B, "12#")
    site.at(9).switch.clear(A)
    told = site.told()
    assert [(party["number"], party["name"]) for party in told["parties"]] == [(A, "Jürgen Groß"), (B, None)]
    assert told["accounts"] == [{"at": 3.0, "device": A, "text": "4711"}]
    assert told["digits"] == [{"at": 4.0, "device": B, "text": "12#"}]


def test_conversations_that_become_one_say_so() -> None:
    """A call of another thread is taken over: its conversation ends, and names the one that goes on."""
    lines: list[str] = []
    truth = Truth(lines.append, virtual_wall)
    one, other = (Call(bytes([number]), b"", Thread(bytes([number])), Party(A)) for number in (1, 2))
    truth.call_began(one, 1.0)
    truth.call_began(other, 2.0)
    for station in (B, C):
        other.legs[station] = Leg(station, Party(station), LocalState.CONNECTED, b"")
        truth.joined(other, Party(station))
    other.answered = True
    truth.event(other, 3.0, "Established", C)
    moved = other.legs.copy()
    other.legs.clear()
    one.legs.update(moved)
    truth.event(one, 8.0, "Conferenced", A)
    truth.merged(one, [one, other], 8.0)
    truth.ended(other.thread, 9.0)
    truth.ended(one.thread, 12.0)
    taken, into = map(json.loads, lines)
    assert taken["merged_into"] == into["thread"]
    assert into["merged_into"] is None
    assert [(talk["station"], talk["from"], talk["to"]) for talk in taken["talks"]] == [(B, 3, 8), (C, 3, 8)]


def test_a_dial_tone_is_nobody_to_talk_to() -> None:
    lines: list[str] = []
    truth = Truth(lines.append, virtual_wall)
    call = Call(b"1", b"", Thread(b"1"), Party(A))
    truth.call_began(call, 1.0)
    truth.joined(call, Party(A))
    for device in (A, "3990"):
        call.legs[device] = Leg(device, Party(device), LocalState.CONNECTED, b"")
    call.answered = True
    truth.event(call, 2.0, "Established", "3990")
    truth.ended(call.thread, 9.0)
    assert json.loads(lines[0])["talks"] == []
