"""A resync that is disturbed while it runs: by services, by segments, and by what the PBX says of itself."""

from dataclasses import replace

from osrec.csta.link import Link
from osrec.csta.messages import (
    EventsLost,
    LinkDown,
    LinkUp,
    MonitorRunning,
    Reported,
    ServiceAnswered,
    ServiceRequested,
    SnapshotTaken,
    StatusChanged,
    TimerExpired,
)
from osrec.wire.csta.model import (
    CallSnapshot,
    CallSnapshotEntry,
    ConferenceJoined,
    ConnectionId,
    DeviceId,
    DeviceSnapshot,
    JoinCall,
    LocalState,
    MonitorStarted,
    Participation,
    SnapshotCall,
    SnapshotCallData,
    SnapshotDevice,
    SnapshotDeviceData,
    SnapshotLeg,
    Status,
    SystemStatus,
)
from tests.unit.csta_play import (
    CALL,
    CONFIG,
    LEG,
    XREF,
    held,
    invoke,
    invoked,
    play,
    result,
    snap,
    start,
    status_answered,
    up,
)

OTHER = SnapshotLeg(ConnectionId(b"\3\4", DeviceId("257")), None, (LocalState.HOLD,))
CALLS = replace(CONFIG, snapshot_calls=True)
ANNA = CallSnapshotEntry(DeviceId("257"), CALL, LocalState.CONNECTED)
BERT = CallSnapshotEntry(DeviceId("258"), None, LocalState.CONNECTED)


def snapping(calls: bool = False) -> Link:
    """At time 0, with the snapshot of the device asked for as invoke 2."""
    link = up(CALLS if calls else CONFIG, start(1))
    play(link, [(0.0, result(1, MonitorStarted(XREF), 71), [MonitorRunning("257", XREF), snap(2)])])
    return link


def segment(reference: bytes, *legs: SnapshotLeg, last: bool) -> SnapshotDeviceData:
    return SnapshotDeviceData(reference, legs, last=last)


def test_a_service_may_ask_for_the_same_device_between_the_segments_of_our_own_snapshot() -> None:
    asked = SnapshotDevice(DeviceId("257"))
    play(
        snapping(),
        [
            (0.1, result(2, DeviceSnapshot((), b"a"), 74), []),
            (0.2, invoked(segment(b"a", LEG, last=False)), []),
            (0.3, ServiceRequested("who", asked), [invoke(3, asked)]),
            (0.4, result(3, DeviceSnapshot((), b"b"), 74), []),
            (0.5, invoked(segment(b"b", OTHER, last=True)), [ServiceAnswered("who", DeviceSnapshot((OTHER,)))]),
            (0.6, invoked(segment(b"a", OTHER, last=True)), [SnapshotTaken("257", (LEG, OTHER))]),
        ],
    )


def test_services_and_our_own_look_at_the_same_call_do_not_get_each_others_parties() -> None:
    ours, theirs = CallSnapshot((ANNA,), service_cross_ref=b"a"), CallSnapshot((BERT,), service_cross_ref=b"b")
    join = JoinCall(CALL, DeviceId("7101"), Participation.SILENT)
    play(
        snapping(calls=True),
        [
            (0.1, result(2, DeviceSnapshot((LEG,)), 74), [invoke(3, SnapshotCall(CALL))]),
            (0.2, ServiceRequested("look", SnapshotCall(CALL)), [invoke(4, SnapshotCall(CALL))]),
            (0.2, ServiceRequested("join", join), [invoke(5, join)]),
            (0.3, result(4, theirs, 75), []),
            (0.3, result(3, ours, 75), []),
            (0.4, result(5, ConferenceJoined(CALL), 223), [ServiceAnswered("join", ConferenceJoined(CALL))]),
            (
                0.5,
                invoked(SnapshotCallData(b"b", (ANNA,), last=True)),
                [ServiceAnswered("look", CallSnapshot((BERT, ANNA)))],
            ),
            (
                0.6,
                invoked(SnapshotCallData(b"a", (BERT,), last=True)),
                [SnapshotTaken("257", (LEG,), ((b"\1\2", CallSnapshot((ANNA, BERT))),))],
            ),
        ],
    )


def test_messages_lost_between_two_segments_bring_another_snapshot_and_no_event_is_told_twice() -> None:
    play(
        snapping(),
        [
            (0.1, result(2, DeviceSnapshot((), b"a"), 74), []),
            (0.2, invoked(segment(b"a", LEG, last=False)), []),
            (0.3, invoked(held(cause=1)), []),
            (0.4, invoked(SystemStatus(3)), [status_answered(), EventsLost("", "the PBX lost messages")]),
            (0.5, invoked(segment(b"a", OTHER, last=True)), [SnapshotTaken("257", (LEG, OTHER)), snap(3)]),
            (0.51, invoked(held(cause=2)), []),
            (
                0.54,
                result(3, DeviceSnapshot((LEG,)), 74),
                [Reported("257", held(cause=1)), Reported("257", held(cause=2)), SnapshotTaken("257", (LEG,))],
            ),
        ],
    )


def test_a_pbx_that_is_disabled_in_the_midst_of_a_resync_is_looked_at_anew_when_it_works() -> None:
    disabled = "the PBX is disabled"
    link = snapping()
    play(
        link,
        [
            (0.1, invoked(SystemStatus(Status.DISABLED)), [status_answered(), LinkDown(disabled)]),
            (0.2, invoked(held()), []),
            (0.3, result(2, DeviceSnapshot((LEG,)), 74), [Reported("257", held()), SnapshotTaken("257", (LEG,))]),
            (5.0, invoked(SystemStatus(Status.NORMAL)), [status_answered(), LinkUp(), snap(3)]),
            (5.1, result(3, DeviceSnapshot(), 74), [SnapshotTaken("257", ())]),
        ],
    )


def test_a_snapshot_that_a_disabled_pbx_leaves_unanswered_is_asked_for_again_when_it_works() -> None:
    link = snapping()
    disabled = "the PBX is disabled"
    play(link, [(0.1, invoked(SystemStatus(Status.DISABLED)), [status_answered(), LinkDown(disabled)])])
    play(link, [(9.0, invoked(SystemStatus(Status.NORMAL)), [status_answered(), LinkUp()])])
    play(link, [(10.0, TimerExpired(), [snap(3)])])
    play(link, [(10.1, result(3, DeviceSnapshot((LEG,)), 74), [SnapshotTaken("257", (LEG,)), snap(4)])])
    play(link, [(10.2, result(4, DeviceSnapshot((LEG,)), 74), [SnapshotTaken("257", (LEG,))])])


def test_overload_in_the_midst_of_a_resync_leaves_one_request_at_a_time() -> None:
    devices = ("1", "2", "3")
    link = up(replace(CONFIG, devices=devices, starts_per_second=1000.0), *(start(1 + n, d) for n, d in enumerate("1")))
    overload = StatusChanged(Status.OVERLOAD_REACHED)
    link.handle(TimerExpired(), 0.1)
    link.handle(TimerExpired(), 0.2)  # all three are asked for
    play(link, [(0.3, invoked(SystemStatus(6)), [status_answered(), overload])])
    play(link, [(0.4, result(1, MonitorStarted(b"1"), 71), [MonitorRunning("1", b"1")])])
    play(link, [(0.5, result(2, MonitorStarted(b"2"), 71), [MonitorRunning("2", b"2")])])
    play(link, [(0.6, result(3, MonitorStarted(b"3"), 71), [MonitorRunning("3", b"3"), snap(4, "1")])])
    play(link, [(0.7, result(4, DeviceSnapshot(), 74), [SnapshotTaken("1", ()), snap(5, "2")])])
    play(link, [(0.8, result(5, DeviceSnapshot(), 74), [SnapshotTaken("2", ()), snap(6, "3")])])
