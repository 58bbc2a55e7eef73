"""Event reports without sequence numbers that come twice: only what can be known is taken for a repetition."""

from dataclasses import replace
from datetime import datetime

import pytest

from osrec.csta.messages import Connected, Disconnected, PduReceived, Reported, Send, SnapshotTaken, Trouble
from osrec.csta.repeats import REMEMBERED, Repeats
from osrec.wire.csta.model import (
    Associated,
    DeviceSnapshot,
    DigitsGenerated,
    EventReport,
    Invoke,
    MonitorStarted,
    Status,
    SystemStatus,
)
from tests.unit.csta_play import CALL, XREF, Step, held, invoked, play, result, running

AT = datetime(2026, 11, 23, 12, 0, 5)
FIVE = EventReport(XREF, DigitsGenerated(connection=CALL, digits="5"), AT)


def told(*reports: tuple[int, EventReport]) -> list[bool]:
    """What each of them is taken for, one after the other: a repetition or not."""
    repeats = Repeats()
    return [repeats.again(invoke_id, report) for invoke_id, report in reports]


def test_the_same_report_under_the_same_invoke_id_came_twice() -> None:
    assert told((1, held()), (2, FIVE), (2, FIVE), (2, FIVE)) == [False, False, True, True]
    assert told((1, held()), (2, FIVE), (3, held(cause=4)), (2, FIVE)) == [False, False, False, True]


def test_a_key_that_is_pressed_twice_in_a_second_is_two_events() -> None:
    assert told((1, held()), (2, FIVE), (3, FIVE)) == [False, False, False]


@pytest.mark.parametrize("invoke_id", [0, 9999])
def test_invoke_ids_that_are_all_the_same_say_nothing(invoke_id: int) -> None:
    reports = [held(), FIVE, FIVE, held(cause=4), FIVE]
    assert told(*((invoke_id, report) for report in reports)) == [False] * 5


def test_of_the_first_report_nobody_knows_yet_whether_ids_say_anything() -> None:
    assert told((1, FIVE), (1, FIVE)) == [False, False]


def test_one_id_for_two_different_reports_takes_the_trust_in_ids_until_it_is_forgotten() -> None:
    assert told((1, held()), (2, held(cause=4)), (2, FIVE), (3, FIVE), (3, FIVE)) == [False] * 5
    later = [(number, held(cause=number)) for number in range(3, 3 + REMEMBERED)]
    assert told((2, held(cause=4)), (2, FIVE), *later, (500, FIVE), (500, FIVE)) == [False] * (REMEMBERED + 3) + [True]


def test_an_id_that_two_reports_had_tells_again_once_the_first_of_them_is_forgotten() -> None:
    others = [(number, held(cause=number)) for number in range(3, 2 + REMEMBERED)]
    assert told((2, held(cause=4)), (2, FIVE), *others, (2, FIVE))[-1]


def test_the_same_fraction_of_a_second_is_the_same_event_whatever_its_id() -> None:
    fine = replace(FIVE, at=AT.replace(microsecond=120_000))
    other = replace(FIVE, at=AT.replace(microsecond=350_000))
    assert told((9999, fine), (9999, other), (9999, fine)) == [False, False, True]
    assert told((1, fine), (2, fine)) == [False, True]


def test_two_monitors_that_see_the_same_are_no_repetition() -> None:
    other = replace(FIVE, cross_ref=b"\0\x08", at=AT.replace(microsecond=1))
    assert told((1, replace(FIVE, at=AT.replace(microsecond=1))), (2, other)) == [False, False]


def test_an_id_that_comes_round_again_is_no_repetition() -> None:
    around = [(number, held(cause=number)) for number in range(1, 128)]
    assert told(*around, (1, held(cause=1))) == [False] * 128


def test_the_link_tells_a_report_that_came_twice_once() -> None:
    link = running()
    again = Trouble("event report 8 came again and is dropped")
    play(
        link,
        [
            (1.0, invoked(held(), 7), [Reported("257", held())]),
            (1.1, invoked(FIVE, 8), [Reported("257", FIVE)]),
            (1.2, invoked(FIVE, 8), [again]),
            (1.3, invoked(FIVE, 9), [Reported("257", FIVE)]),
        ],
    )
    assert link.monitors.counters.repeated == 1
    assert link.monitors.counters.applied == 3


def test_what_came_in_an_association_is_no_repetition_in_the_next() -> None:
    link = running()
    again: list[Step] = [
        (0.1, invoked(held(), 7), [Reported("257", held())]),
        (0.2, invoked(FIVE, 8), [Reported("257", FIVE)]),
    ]
    play(link, again)
    link.handle(Disconnected("reset"), 1.0)
    link.handle(Connected(), 2.0)
    link.handle(PduReceived(Associated(0)), 2.1)
    (_, _, start) = link.handle(invoked(SystemStatus(Status.NORMAL)), 2.2)
    assert isinstance(start, Send)
    assert isinstance(start.pdu, Invoke)
    (_, snap) = link.handle(result(start.pdu.invoke_id, MonitorStarted(XREF), 71), 2.3)
    assert isinstance(snap, Send)
    assert isinstance(snap.pdu, Invoke)
    play(link, [(2.4, result(snap.pdu.invoke_id, DeviceSnapshot(), 74), [SnapshotTaken("257", ())])])
    play(link, [(now + 3.0, event, outputs) for now, event, outputs in again])
