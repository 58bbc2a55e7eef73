"""osrec.csta.segments through the link: results in parts, for services that somebody asked for."""

from dataclasses import replace

import pytest

from osrec.csta.link import Link
from osrec.csta.messages import (
    Disconnected,
    LinkDown,
    Lost,
    Reported,
    ServiceAnswered,
    ServiceRequested,
    TimerExpired,
    Trouble,
)
from osrec.csta.segments import MOST_ENTRIES
from osrec.wire.csta.model import (
    CallSnapshot,
    CallSnapshotEntry,
    DeviceId,
    DeviceSnapshot,
    LocalState,
    RequestSystemStatus,
    SnapshotCall,
    SnapshotCallData,
    SnapshotDevice,
    SnapshotDeviceData,
    Status,
    SystemStatus,
)
from tests.unit.csta_play import (
    CALL,
    LEG,
    Step,
    held,
    invoke,
    invoked,
    play,
    result,
    running,
    status_answered,
    up,
    without_devices,
)

DEVICE = SnapshotDevice(DeviceId("257"))
OF_CALL = SnapshotCall(CALL)
OTHER_LEG = replace(LEG, states=(LocalState.HOLD,))
ANNA, BERT = (CallSnapshotEntry(DeviceId(number), None, LocalState.CONNECTED) for number in ("257", "258"))
ALIVE = invoke(2, RequestSystemStatus())
NOT_ASKED = Trouble("snapshot segment 72 that nobody asked for")


def asked(*scripted: Step) -> Link:
    """A link that was asked, at time 0, for a snapshot of a device as the service "who"."""
    link = up(without_devices())
    play(link, [(0.0, ServiceRequested("who", DEVICE), [invoke(1, DEVICE)]), *scripted])
    return link


@pytest.mark.parametrize("overtaking", [False, True])
def test_a_snapshot_that_a_service_asked_for_reaches_it_whole(overtaking: bool) -> None:
    announced = result(1, DeviceSnapshot((), b"r"), 74)
    first = invoked(SnapshotDeviceData(b"r", (LEG,), last=False))
    steps = [first, announced] if overtaking else [announced, first]
    last = invoked(SnapshotDeviceData(b"r", (OTHER_LEG,), last=True))
    whole = ServiceAnswered("who", DeviceSnapshot((LEG, OTHER_LEG)))
    asked((0.1, steps[0], []), (0.2, steps[1], []), (0.3, last, [whole]), (0.4, last, [NOT_ASKED]))


def test_a_snapshot_of_a_call_that_a_service_asked_for_reaches_it_whole() -> None:
    head = CallSnapshot((ANNA,), DeviceId("257"), DeviceId("258"), service_cross_ref=b"r")
    whole = replace(head, entries=(ANNA, BERT), service_cross_ref=None)
    link = up(without_devices())
    play(
        link,
        [
            (0.0, ServiceRequested("who", OF_CALL), [invoke(1, OF_CALL)]),
            (0.1, result(1, head, 75), []),
            (0.2, invoked(SnapshotCallData(b"r", (BERT,), last=True)), [ServiceAnswered("who", whole)]),
        ],
    )


def test_a_service_whose_segments_cease_is_lost_in_time() -> None:
    lost = ServiceAnswered("who", Lost("timeout"))
    link = asked(
        (0.1, result(1, DeviceSnapshot((), b"r"), 74), []),
        (5.0, invoked(SnapshotDeviceData(b"r", (LEG,), last=False)), []),
        (14.9, TimerExpired(), []),
    )
    assert link.deadline == 15.0
    there = invoked(SystemStatus(Status.NORMAL))
    play(
        link,
        [(15.0, TimerExpired(), [ALIVE]), (15.1, there, [status_answered(), lost]), (15.2, there, [status_answered()])],
    )


def test_a_service_whose_segments_cease_with_all_else_is_lost_with_the_link() -> None:
    asked(
        (0.1, result(1, DeviceSnapshot((), b"r"), 74), []),
        (10.1, TimerExpired(), [ALIVE]),
        (11.0, Disconnected("cut"), [LinkDown("cut"), ServiceAnswered("who", Lost("link down"))]),
    )


def test_a_service_whose_segments_go_down_with_the_link_is_lost() -> None:
    asked(
        (0.1, result(1, DeviceSnapshot((), b"r"), 74), []),
        (1.0, Disconnected("cut"), [LinkDown("cut"), ServiceAnswered("who", Lost("link down"))]),
    )


def test_a_reference_given_to_another_result_loses_the_first_one() -> None:
    again = Trouble("the PBX gave reference 72 of segments to another result")
    asked(
        (0.1, result(1, DeviceSnapshot((LEG,), b"r"), 74), []),
        (0.2, ServiceRequested("again", DEVICE), [invoke(2, DEVICE)]),
        (0.3, result(2, DeviceSnapshot((), b"r"), 74), [again, ServiceAnswered("who", Lost("timeout"))]),
        (
            0.4,
            invoked(SnapshotDeviceData(b"r", (OTHER_LEG,), last=True)),
            [ServiceAnswered("again", DeviceSnapshot((OTHER_LEG,)))],
        ),
    )


def test_an_early_segment_is_not_taken_for_a_much_later_result_with_its_reference() -> None:
    link = asked((0.1, invoked(SnapshotDeviceData(b"r", (LEG,), last=False)), []))
    play(
        link,
        [
            (0.2, result(1, DeviceSnapshot(), 74), [ServiceAnswered("who", DeviceSnapshot())]),
            (10.1, TimerExpired(), [NOT_ASKED]),
            (10.2, ServiceRequested("again", DEVICE), [invoke(2, DEVICE)]),
            (10.3, result(2, DeviceSnapshot((), b"r"), 74), []),
            (
                10.4,
                invoked(SnapshotDeviceData(b"r", (OTHER_LEG,), last=True)),
                [ServiceAnswered("again", DeviceSnapshot((OTHER_LEG,)))],
            ),
        ],
    )


def test_segments_without_end_are_given_up() -> None:
    given_up = Trouble(f"segments 72 are given up: more than {MOST_ENTRIES} entries")
    asked(
        (0.1, result(1, DeviceSnapshot((LEG,), b"r"), 74), []),
        (
            0.2,
            invoked(SnapshotDeviceData(b"r", (LEG,) * MOST_ENTRIES, last=False)),
            [given_up, ServiceAnswered("who", Lost("timeout"))],
        ),
    )


def test_events_are_not_held_for_a_service() -> None:
    link = running()
    play(
        link,
        [
            (1.0, ServiceRequested("who", DEVICE), [invoke(3, DEVICE)]),
            (1.1, result(3, DeviceSnapshot((), b"r"), 74), []),
            (1.2, invoked(held()), [Reported("257", held())]),
        ],
    )
