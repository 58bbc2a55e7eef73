"""osrec.csta.monitors and what belongs to it: licences, order of events, snapshots of calls, overload, many devices."""

from dataclasses import replace
from time import process_time

import pytest

from osrec.csta.link import Link
from osrec.csta.messages import (
    Connected,
    DevicesChanged,
    Disconnected,
    EventsLost,
    LicencesMissing,
    LinkDown,
    LinkUp,
    MonitorLost,
    MonitorRefused,
    MonitorRunning,
    Output,
    Overrun,
    PduReceived,
    Reported,
    Send,
    SnapshotTaken,
    StatusChanged,
    TimerExpired,
    Trouble,
)
from osrec.csta.monitor import LICENCE, refusal_of
from osrec.wire.csta.model import (
    Associated,
    CallSnapshot,
    CallSnapshotEntry,
    ConnectionId,
    DeviceId,
    DeviceSnapshot,
    ErrorCategory,
    Invoke,
    LocalState,
    MonitorStart,
    MonitorStarted,
    MonitorStop,
    NoData,
    Reject,
    RequestSystemStatus,
    ReturnError,
    ReturnResult,
    SnapshotCall,
    SnapshotCallData,
    SnapshotDevice,
    SnapshotDeviceData,
    SnapshotLeg,
    Status,
    SystemStatus,
)
from tests.unit.csta_play import (
    AARQ,
    CALL,
    CONFIG,
    LEG,
    XREF,
    error,
    held,
    invoke,
    invoked,
    play,
    result,
    running,
    snap,
    start,
    status_answered,
    up,
)

CALLS = replace(CONFIG, snapshot_calls=True)
OTHER_CALL = ConnectionId(b"\1\3", DeviceId("257"))
OTHER_LEG = SnapshotLeg(OTHER_CALL, None, (LocalState.HOLD,))
NO_LICENCE = "systemResourceAvailability overallMonitorLimitExceeded"


def without_licence(invoke_id: int) -> PduReceived:
    return error(invoke_id, ErrorCategory.SYSTEM_RESOURCE, 7)


def refused(device: str) -> MonitorRefused:
    return MonitorRefused(device, NO_LICENCE, licence=True)


def starting(*devices: str) -> Link:
    """All devices' monitors asked for by time 0.01, invokes 1, 2 and so on; no heartbeat."""
    link = up(replace(CONFIG, devices=devices, heartbeat=0.0, starts_per_second=1000.0), start(1, devices[0]))
    for number, device in enumerate(devices[1:], 1):
        play(link, [(number / 1000, TimerExpired(), [start(number + 1, device)])])
    return link


# --- licences


def test_missing_licences_are_told_at_once_and_then_once_a_second() -> None:
    link = up(replace(CONFIG, devices=("1", "2", "3")), start(1, "1"))
    play(
        link,
        [
            (0.01, without_licence(1), [refused("1"), LicencesMissing(("1",))]),
            (0.1, TimerExpired(), [start(2, "2")]),
            (0.11, without_licence(2), [refused("2")]),
            (0.2, TimerExpired(), [start(3, "3")]),
            (0.21, without_licence(3), [refused("3")]),
            (1.01, TimerExpired(), [LicencesMissing(("1", "2", "3"))]),
        ],
    )
    assert link.monitors.refused == dict.fromkeys(("1", "2", "3"), NO_LICENCE)


def test_one_device_at_a_time_is_tried_and_a_free_licence_brings_the_next_at_once() -> None:
    link = starting("1", "2", "3")
    play(
        link,
        [
            (0.1, without_licence(1), [refused("1"), LicencesMissing(("1",))]),
            (0.1, without_licence(2), [refused("2")]),
            (0.1, without_licence(3), [refused("3")]),
            (1.1, TimerExpired(), [LicencesMissing(("1", "2", "3"))]),
            (60.1, TimerExpired(), [start(4, "1")]),
            (60.2, without_licence(4), []),
            (120.2, TimerExpired(), [start(5, "2")]),
            (
                120.3,
                result(5, MonitorStarted(XREF), 71),
                [MonitorRunning("2", XREF), snap(6, "2"), start(7, "3"), LicencesMissing(("1", "3"))],
            ),
            (120.4, result(6, DeviceSnapshot(), 74), [SnapshotTaken("2", ())]),
            (120.4, without_licence(7), []),
        ],
    )
    assert link.deadline == pytest.approx(180.4), "the next pause begins with the last refusal"


def test_the_last_licence_clears_what_was_missing() -> None:
    link = up(replace(CONFIG, heartbeat=0.0), start(1))
    play(
        link,
        [
            (0.0, without_licence(1), [refused("257"), LicencesMissing(("257",))]),
            (60.0, TimerExpired(), [start(2)]),
            (
                60.1,
                result(2, MonitorStarted(XREF), 71),
                [MonitorRunning("257", XREF), snap(3), LicencesMissing(())],
            ),
        ],
    )
    assert link.monitors.refused == {}


def test_a_monitor_that_we_give_up_frees_a_licence_for_another_device() -> None:
    link = starting("1", "2")
    play(
        link,
        [
            (0.1, result(1, MonitorStarted(XREF), 71), [MonitorRunning("1", XREF), snap(3, "1")]),
            (0.1, result(3, DeviceSnapshot(), 74), [SnapshotTaken("1", ())]),
            (0.1, without_licence(2), [refused("2"), LicencesMissing(("2",))]),
            (5.0, DevicesChanged(("2",)), [invoke(4, MonitorStop(XREF)), start(5, "2")]),
        ],
    )


def test_the_end_of_the_link_takes_the_licence_report_back() -> None:
    link = up(CONFIG, start(1))
    play(
        link,
        [
            (0.0, without_licence(1), [refused("257"), LicencesMissing(("257",))]),
            (0.1, Disconnected("reset"), [LinkDown("reset"), LicencesMissing(())]),
        ],
    )


def test_a_device_that_waits_for_a_licence_and_then_does_not_answer_leaves_the_turn_to_others() -> None:
    link = starting("1", "2")
    silent = MonitorRefused("1", "no answer", licence=False)
    play(
        link,
        [
            (0.0, without_licence(1), [refused("1"), LicencesMissing(("1",))]),
            (0.0, without_licence(2), [refused("2")]),
            (60.0, TimerExpired(), [start(3, "1"), LicencesMissing(("1", "2"))]),
            (70.0, TimerExpired(), [silent, LicencesMissing(("2",))]),
            (71.0, TimerExpired(), [start(4, "1")]),
        ],
    )
    assert link.monitors.licences.due == 130.0


def test_the_word_for_missing_licences_is_understood_in_any_category_of_an_xml_error() -> None:
    answer = ReturnError(1, 3, -1, "systemResourceAvailibility overallMonitorLimitExceeded")
    assert refusal_of(answer) == ("systemResourceAvailibility overallMonitorLimitExceeded", LICENCE)
    assert refusal_of(ReturnError(1, 0, -1, "somethingOfTheirs")) == ("somethingOfTheirs", (0, -1))


# --- order of events


def test_an_event_that_comes_twice_is_applied_once() -> None:
    link = running()
    again = Trouble("event 7 of 257 came again and is dropped")
    play(
        link,
        [
            (1.0, invoked(held(sequence=7)), [Reported("257", held(sequence=7))]),
            (1.1, invoked(held(sequence=8)), [Reported("257", held(sequence=8))]),
            (1.2, invoked(held(sequence=7)), [again]),
        ],
    )
    assert (link.monitors.counters.applied, link.monitors.counters.repeated) == (2, 1)


def two_running() -> Link:
    """Monitors a of device 1 and b of device 2, their snapshots taken; the next invoke is 5."""
    link = starting("1", "2")
    play(
        link,
        [
            (0.1, result(1, MonitorStarted(b"a"), 71), [MonitorRunning("1", b"a"), snap(3, "1")]),
            (0.1, result(2, MonitorStarted(b"b"), 71), [MonitorRunning("2", b"b"), snap(4, "2")]),
            (0.1, result(3, DeviceSnapshot(), 74), [SnapshotTaken("1", ())]),
            (0.1, result(4, DeviceSnapshot(), 74), [SnapshotTaken("2", ())]),
        ],
    )
    return link


def test_a_gap_in_one_monitors_numbers_brings_a_snapshot_of_it_but_not_without_end() -> None:
    link = two_running()
    for cross_ref, number in ((b"a", 7), (b"b", 3), (b"a", 8)):  # each monitor counts for itself
        report = held(cross_ref, sequence=number)
        play(link, [(1.0, invoked(report), [Reported("1" if cross_ref == b"a" else "2", report)])])
    after, later, overtaken = (held(b"a", sequence=number) for number in (10, 13, 12))
    lost = EventsLost("1", "sequence number 10 follows 8")
    play(
        link,
        [
            (1.1, invoked(held(b"b", sequence=4)), [Reported("2", held(b"b", sequence=4))]),
            (1.2, invoked(after), [lost, Reported("1", after), snap(5, "1")]),
            (1.3, result(5, DeviceSnapshot((LEG,)), 74), [SnapshotTaken("1", (LEG,))]),
            (1.4, invoked(later), [Reported("1", later)]),
            (1.5, invoked(overtaken), [Reported("1", overtaken)]),
        ],
    )
    assert link.monitors.counters.gaps == 2


def test_a_gap_in_numbers_of_the_whole_link_brings_a_snapshot_of_every_device() -> None:
    link = two_running()
    for number in range(1, 5):
        report = held(b"a" if number % 2 else b"b", sequence=number)
        play(link, [(1.0, invoked(report), [Reported("1" if number % 2 else "2", report)])])
    after = held(b"a", sequence=6)
    play(
        link,
        [
            (
                1.1,
                invoked(after),
                [EventsLost("", "sequence number 6 follows 4"), Reported("1", after), snap(5, "1"), snap(6, "2")],
            ),
            (1.2, invoked(held(b"b", sequence=9)), []),  # held for the snapshot, and no second round so soon
        ],
    )


def test_numbers_that_count_for_the_whole_link_are_no_gaps() -> None:
    link = two_running()
    a, b = held(b"a"), held(b"b")
    for number in range(1, 40):
        report = replace(a if number % 3 else b, sequence=number)
        device = "1" if number % 3 else "2"
        play(link, [(1.0, invoked(report), [Reported(device, report)])])
    assert (link.monitors.counters.gaps, link.monitors.counters.repeated) == (0, 0)


def test_numbers_that_begin_again_are_no_repetition() -> None:
    link = running()
    for number in (65534, 65535, 0, 1):
        play(link, [(1.0, invoked(held(sequence=number)), [Reported("257", held(sequence=number))])])


def test_events_of_an_old_association_never_reach_the_new_one() -> None:
    link = up(CONFIG, start(1))
    play(
        link,
        [
            (0.0, result(1, MonitorStarted(XREF), 71), [MonitorRunning("257", XREF), snap(2)]),
            (0.1, invoked(held()), []),  # held for the snapshot, which never comes
            (0.2, Disconnected("reset"), [Reported("257", held()), LinkDown("reset")]),
            (0.3, invoked(held()), []),
            (1.0, Connected(), [AARQ]),
            (1.0, PduReceived(Associated(0)), []),
            (1.0, invoked(SystemStatus(2)), [status_answered(), LinkUp(), start(3)]),
            (1.1, result(3, MonitorStarted(XREF), 71), [MonitorRunning("257", XREF), snap(4)]),
            (1.2, result(4, DeviceSnapshot(), 74), [SnapshotTaken("257", ())]),
        ],
    )


def test_events_of_unknown_monitors_are_held_for_a_short_time_only() -> None:
    link = up(CONFIG, start(1))
    play(link, [(1.0, invoked(held()), [])])
    assert link.deadline == 6.0
    play(
        link,
        [
            (6.0, TimerExpired(), [Trouble("event for unknown monitor 0007 dropped")]),
            (6.1, result(1, MonitorStarted(XREF), 71), [MonitorRunning("257", XREF), snap(2)]),
            (6.2, result(2, DeviceSnapshot(), 74), [SnapshotTaken("257", ())]),
        ],
    )


def test_what_was_dropped_unread_brings_a_snapshot_of_every_device() -> None:
    lost = EventsLost("", "31 messages came quicker than they could be read")
    play(running(), [(1.0, Overrun(31), [lost, snap(3)])])


def test_messages_lost_while_a_snapshot_is_under_way_bring_another_one() -> None:
    link = up(CONFIG, start(1))
    play(
        link,
        [
            (0.0, result(1, MonitorStarted(XREF), 71), [MonitorRunning("257", XREF), snap(2)]),
            (0.1, invoked(held()), []),
            (0.2, invoked(SystemStatus(3)), [status_answered(), EventsLost("", "the PBX lost messages")]),
            (
                0.3,
                result(2, DeviceSnapshot((LEG,)), 74),
                [Reported("257", held()), SnapshotTaken("257", (LEG,)), snap(3)],
            ),
            (0.4, result(3, DeviceSnapshot(), 74), [SnapshotTaken("257", ())]),
        ],
    )


# --- calls of a snapshot


def asked(invoke_id: int, connection: ConnectionId = CALL) -> Send:
    return invoke(invoke_id, SnapshotCall(connection))


def call(*numbers: str) -> CallSnapshot:
    entries = tuple(CallSnapshotEntry(DeviceId(number), None, LocalState.CONNECTED) for number in numbers)
    return CallSnapshot(entries, DeviceId(numbers[0]), DeviceId(numbers[-1]))


def snapping() -> Link:
    """At time 0, with the snapshot of the device asked for as invoke 2."""
    link = up(CALLS, start(1))
    play(link, [(0.0, result(1, MonitorStarted(XREF), 71), [MonitorRunning("257", XREF), snap(2)])])
    return link


def test_each_call_of_a_snapshot_is_looked_at_before_the_snapshot_is_told() -> None:
    one, other = call("0501", "257"), call("257", "258")
    play(
        snapping(),
        [
            (0.1, result(2, DeviceSnapshot((LEG, OTHER_LEG)), 74), [asked(3), asked(4, OTHER_CALL)]),
            (0.2, invoked(held()), []),
            (0.3, result(4, other, 75), []),
            (
                0.4,
                result(3, one, 75),
                [
                    SnapshotTaken("257", (LEG, OTHER_LEG), ((b"\1\3", other), (b"\1\2", one))),
                    Reported("257", held()),
                ],
            ),
        ],
    )


@pytest.mark.parametrize("overtaking", [False, True])
def test_a_call_in_segments_is_put_together(overtaking: bool) -> None:
    whole = call("0501", "257")
    head = replace(whole, entries=(), service_cross_ref=b"r")
    announced = result(3, head, 75)
    first = invoked(SnapshotCallData(b"r", whole.entries[:1], last=False))
    steps = [first, announced] if overtaking else [announced, first]
    play(
        snapping(),
        [
            (0.1, result(2, DeviceSnapshot((LEG,)), 74), [asked(3)]),
            (0.2, steps[0], []),
            (0.3, steps[1], []),
            (
                0.4,
                invoked(SnapshotCallData(b"r", whole.entries[1:], last=True)),
                [SnapshotTaken("257", (LEG,), ((b"\1\2", whole),))],
            ),
        ],
    )


def test_a_call_that_has_ended_meanwhile_does_not_spoil_the_snapshot() -> None:
    text = "no snapshot of call 0102 of 257: operation invalidConnectionID"
    link = snapping()
    play(
        link,
        [
            (0.1, result(2, DeviceSnapshot((LEG, OTHER_LEG)), 74), [asked(3), asked(4, OTHER_CALL)]),
            (0.2, error(3, ErrorCategory.OPERATION, 13), [Trouble(text)]),
            (
                0.3,
                result(4, call("1", "2"), 75),
                [SnapshotTaken("257", (LEG, OTHER_LEG), ((b"\1\3", call("1", "2")),))],
            ),
        ],
    )
    assert link.monitors.snapshots.calls_known


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (ReturnError(3, ErrorCategory.OPERATION, 50), "operation serviceNotSupported"),
        (Reject(3, 1, 1), "rejected: invoke unrecognizedOperation"),
    ],
    ids=str,
)
def test_a_pbx_without_call_snapshots_is_asked_once(answer: ReturnError | Reject, why: str) -> None:
    link = up(replace(CALLS, window=2), start(1))
    unknown = Trouble(f"the PBX takes no SnapshotCall: {why}; parties of running calls stay unknown")
    third = SnapshotLeg(ConnectionId(b"\1\4", DeviceId("257")), None, ())
    legs = (LEG, OTHER_LEG, third)
    play(
        link,
        [
            (0.0, result(1, MonitorStarted(XREF), 71), [MonitorRunning("257", XREF), snap(2)]),
            (0.1, result(2, DeviceSnapshot(legs), 74), [asked(3), asked(4, OTHER_CALL)]),
            (0.2, PduReceived(answer), [unknown]),
            (0.3, PduReceived(replace(answer, invoke_id=4)), [SnapshotTaken("257", legs)]),
            (1.0, invoked(SystemStatus(3)), [status_answered(), EventsLost("", "the PBX lost messages"), snap(5)]),
            (1.1, result(5, DeviceSnapshot((LEG,)), 74), [SnapshotTaken("257", (LEG,))]),
        ],
    )


def test_a_pbx_that_does_not_answer_call_snapshots_is_not_asked_for_ever() -> None:
    link = snapping()
    silence = Trouble("the PBX takes no SnapshotCall: no answer; parties of running calls stay unknown")
    one = Trouble("no snapshot of call 0102 of 257: no answer")
    alive = invoke(5, RequestSystemStatus())
    play(
        link,
        [
            (0.1, result(2, DeviceSnapshot((LEG, OTHER_LEG)), 74), [asked(3), asked(4, OTHER_CALL)]),
            (10.1, TimerExpired(), [one, silence, SnapshotTaken("257", (LEG, OTHER_LEG)), alive]),
        ],
    )


def test_a_monitor_that_ends_in_the_midst_of_its_snapshot_is_forgotten_with_it() -> None:
    link = snapping()
    play(
        link,
        [
            (0.1, result(2, DeviceSnapshot((LEG,)), 74), [asked(3)]),
            (0.2, invoked(MonitorStop(XREF), 9), [Send(ReturnResult(9, NoData(), 73)), MonitorLost("257")]),
            (0.3, result(3, call("1", "2"), 75), []),
            (1.2, TimerExpired(), [start(4)]),
        ],
    )


def test_a_snapshot_whose_segments_are_on_their_way_counts_in_the_window() -> None:
    link = up(replace(CONFIG, devices=("1", "2"), window=1), start(1, "1"))
    play(
        link,
        [
            (0.1, result(1, MonitorStarted(XREF), 71), [MonitorRunning("1", XREF), snap(2, "1")]),
            (0.2, result(2, DeviceSnapshot((), b"r"), 74), []),
            (0.3, TimerExpired(), []),
            (0.4, invoked(SnapshotDeviceData(b"r", (), last=True)), [SnapshotTaken("1", ()), start(3, "2")]),
        ],
    )


# --- what the PBX says of itself


def test_overload_slows_down_and_its_end_speeds_up_again() -> None:
    link = up(replace(CONFIG, devices=("1", "2", "3"), heartbeat=0.0), start(1, "1"))
    imminent, reached = (StatusChanged(status) for status in (Status.OVERLOAD_IMMINENT, Status.OVERLOAD_REACHED))
    play(
        link,
        [
            (0.05, invoked(SystemStatus(5)), [status_answered(), imminent]),
            (0.06, invoked(SystemStatus(5)), [status_answered()]),
            (0.1, TimerExpired(), [start(2, "2")]),
            (0.2, TimerExpired(), []),
            (0.3, invoked(SystemStatus(6)), [status_answered(), reached]),
            (0.5, TimerExpired(), []),  # now the window is 1, and 2 are outstanding
            (0.6, invoked(SystemStatus(7)), [status_answered(), StatusChanged(Status.NORMAL), start(3, "3")]),
        ],
    )


def test_a_pbx_that_was_partially_disabled_is_looked_at_when_it_works_again() -> None:
    play(
        running(),
        [
            (1.0, invoked(SystemStatus(8)), [status_answered(), StatusChanged(Status.PARTIALLY_DISABLED)]),
            (
                5.0,
                invoked(SystemStatus(2)),
                [
                    status_answered(),
                    StatusChanged(Status.NORMAL),
                    EventsLost("", "the PBX was partially disabled"),
                    snap(3),
                ],
            ),
        ],
    )


def test_the_end_of_the_link_ends_what_the_pbx_said_of_itself() -> None:
    play(
        running(),
        [
            (1.0, invoked(SystemStatus(6)), [status_answered(), StatusChanged(Status.OVERLOAD_REACHED)]),
            (2.0, Disconnected("reset"), [LinkDown("reset"), StatusChanged(Status.NORMAL)]),
        ],
    )


# --- many devices


class Pbx:
    """Answers monitors and snapshots at once."""

    def __init__(self) -> None:
        self.started = 0

    def answer(self, sent: Send) -> PduReceived | None:
        pdu = sent.pdu
        if not isinstance(pdu, Invoke):
            return None
        match pdu.argument:
            case MonitorStart(device):
                self.started += 1
                return result(pdu.invoke_id, MonitorStarted(device.number.encode()), 71)
            case SnapshotDevice():
                return result(pdu.invoke_id, DeviceSnapshot(), 74)
            case RequestSystemStatus():
                return result(pdu.invoke_id, NoData(), 210)
        return None


def bring_up(count: int) -> tuple[Link, Pbx, float]:
    """A link with so many monitors running, and how long that took of the processor."""
    devices = tuple(f"{number:05d}" for number in range(count))
    link, pbx, now = Link(replace(CONFIG, devices=devices, starts_per_second=1e6, window=16)), Pbx(), 0.0
    began = process_time()
    outputs: list[Output] = link.handle(Connected(), now)
    outputs = link.handle(PduReceived(Associated(0)), now)
    outputs = link.handle(invoked(SystemStatus(2)), now)
    while link.monitors.running < count or link.monitors.snapshots.waiting:
        answers = [pbx.answer(output) for output in outputs if isinstance(output, Send)]
        outputs = []
        now += 0.001
        outputs += link.handle(TimerExpired(), now)
        for answer in answers:
            if answer is not None:
                outputs += link.handle(answer, now)
            _ = link.deadline
    return link, pbx, process_time() - began


def test_five_thousand_devices_cost_each_what_five_hundred_do() -> None:
    bring_up(50)
    _, _, few = bring_up(500)
    link, pbx, many = bring_up(5000)
    assert (link.monitors.running, pbx.started) == (5000, 5000)
    assert many / 5000 < 4 * few / 500, f"{few / 500 * 1e6:.0f} us a device, of many {many / 5000 * 1e6:.0f} us"
