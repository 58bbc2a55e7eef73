"""osrec.csta.link: the link to the CAP server, played event by event."""

from dataclasses import replace
from itertools import product

import pytest

from osrec.csta.link import _TABLE, Link, State
from osrec.csta.messages import (
    Close,
    CloseRequested,
    Connected,
    DevicesChanged,
    Disconnected,
    Event,
    EventsLost,
    LicencesMissing,
    LinkDown,
    LinkUp,
    Lost,
    MonitorLost,
    MonitorRefused,
    MonitorRunning,
    Output,
    Overrun,
    PduReceived,
    Reported,
    Send,
    ServiceAnswered,
    ServiceRequested,
    SnapshotMissing,
    SnapshotTaken,
    TimerExpired,
    Trouble,
    Undecodable,
)
from osrec.csta.settings import LinkConfig
from osrec.wire.csta.model import (
    Abort,
    Associate,
    Associated,
    DeviceSnapshot,
    ErrorCategory,
    Invoke,
    MonitorStarted,
    MonitorStop,
    NoData,
    Pdu,
    Reject,
    Release,
    Released,
    RequestSystemStatus,
    ReturnError,
    ReturnResult,
    SnapshotDeviceData,
    Status,
    SystemStatus,
    SystemStatusReported,
    UnknownArgument,
)
from tests.unit.csta_play import (
    AARQ,
    CLEAR,
    CONFIG,
    LEG,
    XREF,
    Step,
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
    without_devices,
)


def alive(invoke_id: int) -> Output:
    """The question for a sign of life."""
    return invoke(invoke_id, RequestSystemStatus())


def test_every_state_handles_every_event() -> None:
    events = (
        Connected, Disconnected, Undecodable, Overrun, ServiceRequested, DevicesChanged, CloseRequested, TimerExpired,
    )  # fmt: skip
    pdus = (Invoke, ReturnResult, ReturnError, Reject, Associate, Associated, Release, Released, Abort)
    assert set(_TABLE) == set(product(State, (*events, *pdus)))


def test_comes_up_and_starts_a_monitor_with_a_snapshot() -> None:
    play(
        Link(CONFIG),
        [
            (0.0, Connected(), [AARQ]),
            (0.1, PduReceived(Associated(0)), []),
            (0.2, invoked(SystemStatus(Status.ENABLED)), [status_answered(), LinkUp(), start(1)]),
            (0.3, result(1, MonitorStarted(XREF), 71), [MonitorRunning("257", XREF), snap(2)]),
            (0.4, result(2, DeviceSnapshot((LEG,)), 74), [SnapshotTaken("257", (LEG,))]),
            (0.5, invoked(held()), [Reported("257", held())]),
        ],
    )


def test_associates_without_authentication_when_there_is_no_name() -> None:
    assert Link(LinkConfig(version=(b"\x08", 5))).handle(Connected(), 0.0) == [Send(Associate(version=(b"\x08", 5)))]


@pytest.mark.parametrize(
    ("pdu", "reason"),
    [
        (
            Associated(1, 13),
            "association rejected permanently, diagnostic 13 (authentication-failure):"
            " look at [csta] name and password",
        ),
        (Associated(2, 1), "association rejected for now, diagnostic 1 (no reason given)"),
        (Abort(0, 5), "aborted by the PBX: authentication-failure: look at [csta] name and password"),
        (
            Reject(1, 1, 1),
            'association refused: rejected: invoke unrecognizedOperation: look at [csta] encoding = "asn1"',
        ),
    ],
)
def test_a_refused_association_closes_with_the_reason(pdu: Pdu, reason: str) -> None:
    link = Link(CONFIG)
    play(link, [(0.0, Connected(), [AARQ]), (0.1, PduReceived(pdu), [Close(reason), LinkDown(reason)])])
    assert (link.state, link.deadline) == (State.CLOSED, None)


def test_silence_after_the_association_request_closes() -> None:
    link = Link(CONFIG)
    play(link, [(0.0, Connected(), [AARQ])])
    assert link.deadline == 10.0
    reason = "no answer to the association request within 10 s"
    play(link, [(10.0, TimerExpired(), [Close(reason), LinkDown(reason)])])


def test_goes_on_when_the_server_never_says_its_status() -> None:
    link = Link(without_devices())
    play(link, [(0.0, Connected(), [AARQ]), (1.0, PduReceived(Associated(0)), [])])
    assert link.deadline == 6.0
    play(
        link,
        [(6.0, TimerExpired(), [Trouble("no SystemStatus within 5 s: going on without"), LinkUp()])],
    )


def test_waits_while_the_pbx_does_not_work() -> None:
    link = Link(without_devices())
    play(
        link,
        [
            (0.0, Connected(), [AARQ]),
            (0.0, PduReceived(Associated(0)), []),
            (1.0, invoked(SystemStatus(Status.DISABLED)), [status_answered(), LinkDown("the PBX is disabled")]),
            (21.0, TimerExpired(), [invoke(1, RequestSystemStatus())]),
            (21.1, result(1, SystemStatusReported(Status.NORMAL), 210), [LinkUp()]),
        ],
    )


def test_a_status_before_the_association_is_answered_all_the_same() -> None:
    play(Link(CONFIG), [(0.0, Connected(), [AARQ]), (0.1, invoked(SystemStatus(1)), [status_answered()])])


def test_a_request_for_our_status_is_answered() -> None:
    link = up(without_devices())
    answer = Send(ReturnResult(5, SystemStatusReported(Status.NORMAL), 210))
    play(link, [(0.1, invoked(RequestSystemStatus(), 5), [answer])])


# --- heartbeat


def test_a_silent_pbx_is_asked_and_two_misses_close() -> None:
    link = up(without_devices())
    assert link.deadline == 20.0
    reason = "no answer to 2 heartbeats of 5 s"
    play(
        link,
        [
            (20.0, TimerExpired(), [invoke(1, RequestSystemStatus())]),
            (25.0, TimerExpired(), [invoke(2, RequestSystemStatus())]),
            (30.0, TimerExpired(), [Close(reason), LinkDown(reason, unheard=30.0)]),
        ],
    )


def test_one_miss_and_then_a_sign_of_life_is_no_miss() -> None:
    link = up(without_devices())
    play(
        link,
        [
            (20.0, TimerExpired(), [invoke(1, RequestSystemStatus())]),
            (25.0, TimerExpired(), [invoke(2, RequestSystemStatus())]),
            (26.0, invoked(SystemStatus(Status.NORMAL)), [status_answered()]),
            (30.0, TimerExpired(), [invoke(3, RequestSystemStatus())]),
            (
                35.0,
                TimerExpired(),
                [Close("no answer to 2 heartbeats of 5 s"), LinkDown("no answer to 2 heartbeats of 5 s", unheard=9.0)],
            ),
        ],
    )


@pytest.mark.parametrize(
    "answer",
    [
        result(1, SystemStatusReported(Status.NORMAL), 210),
        error(1, ErrorCategory.OPERATION, 50),
        PduReceived(Reject(1, 1, 1)),
        result(1, UnknownArgument(None, b"")),
    ],
    ids=str,
)
def test_any_answer_to_the_heartbeat_is_a_sign_of_life(answer: PduReceived) -> None:
    link = up(without_devices())
    play(link, [(20.0, TimerExpired(), [invoke(1, RequestSystemStatus())]), (21.0, answer, [])])
    assert link.deadline == 41.0


def test_whatever_comes_puts_the_heartbeat_off() -> None:
    link = running()
    play(link, [(15.0, invoked(held()), [Reported("257", held())])])
    assert link.deadline == 35.0


# --- monitors


def test_monitor_starts_keep_to_window_and_rate() -> None:
    link = up(replace(CONFIG, devices=("1", "2", "3"), window=2), start(1, "1"))
    assert link.deadline == pytest.approx(0.1)
    play(link, [(0.1, TimerExpired(), [start(2, "2")]), (0.3, TimerExpired(), [])])
    assert link.deadline == 10.0, "the window is full: only the requests' own time-out runs"
    play(
        link,
        [
            (0.4, result(1, MonitorStarted(b"a"), 71), [MonitorRunning("1", b"a"), snap(3, "1")]),
            (0.5, result(3, DeviceSnapshot(), 74), [SnapshotTaken("1", ()), start(4, "3")]),
        ],
    )


def test_missing_licences_are_told_apart_and_tried_slowly() -> None:
    link = up(CONFIG, start(1))
    refused = MonitorRefused("257", "systemResourceAvailability overallMonitorLimitExceeded", licence=True)
    play(
        link,
        [
            (1.0, error(1, ErrorCategory.SYSTEM_RESOURCE, 7), [refused, LicencesMissing(("257",))]),
            (21.0, TimerExpired(), [invoke(2, RequestSystemStatus())]),
            (22.0, result(2, SystemStatusReported(2), 210), []),
            (61.0, TimerExpired(), [invoke(3, RequestSystemStatus()), start(4)]),
            (61.1, error(4, ErrorCategory.SYSTEM_RESOURCE, 7), []),
        ],
    )


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (error(1, ErrorCategory.SUBSCRIBED_RESOURCE, 4), "subscribedResourceAvailability outstandingReqLimitExceeded"),
        (error(1, ErrorCategory.PERFORMANCE, 2), "performanceManagement performanceLimitExceeded"),
        (error(1, ErrorCategory.OPERATION, 12), "operation invalidDeviceID"),
        (PduReceived(Reject(1, 1, 1)), "rejected: invoke unrecognizedOperation"),
        (result(1, UnknownArgument(71, b"", "no SEQUENCE"), 71), "unexpected answer: no SEQUENCE"),
    ],
    ids=str,
)
def test_a_refused_monitor_is_tried_again_with_back_off(answer: PduReceived, text: str) -> None:
    link = up(CONFIG, start(1))
    play(link, [(1.0, answer, [MonitorRefused("257", text, licence=False)]), (2.0, TimerExpired(), [start(2)])])
    assert isinstance(answer.pdu, ReturnError | Reject | ReturnResult)
    again = PduReceived(replace(answer.pdu, invoke_id=2))
    play(link, [(2.0, again, []), (3.9, TimerExpired(), []), (4.0, TimerExpired(), [start(3)])])


def test_a_busy_pbx_slows_all_starts() -> None:
    link = up(replace(CONFIG, devices=("1", "2")), start(1, "1"))
    busy = MonitorRefused("1", "performanceManagement performanceLimitExceeded", licence=False)
    play(
        link,
        [
            (0.05, error(1, ErrorCategory.PERFORMANCE, 2), [busy]),
            (0.1, TimerExpired(), []),
            (1.05, TimerExpired(), [start(2, "2")]),
        ],
    )


def test_an_unanswered_monitor_start_is_repeated_and_the_late_answer_undone() -> None:
    link = up(CONFIG, start(1))
    late = Trouble("monitor 0007 was confirmed too late and is stopped")
    play(
        link,
        [
            (10.0, TimerExpired(), [MonitorRefused("257", "no answer", licence=False), alive(2)]),
            (10.5, result(1, MonitorStarted(XREF), 71), [late, invoke(3, MonitorStop(XREF))]),
            (11.0, TimerExpired(), [start(4)]),
        ],
    )


def test_a_monitor_that_the_pbx_ends_is_started_again() -> None:
    link = running()
    stopped: list[Output] = [Send(ReturnResult(9, NoData(), 73)), MonitorLost("257")]
    unknown = Trouble("event for unknown monitor 0007 dropped")
    play(
        link,
        [
            (1.0, invoked(MonitorStop(XREF), 9), stopped),
            (1.1, invoked(held()), [unknown]),
            (2.0, TimerExpired(), [start(3)]),
            (2.1, result(3, MonitorStarted(b"n"), 71), [MonitorRunning("257", b"n"), snap(4)]),
        ],
    )


def test_a_cross_reference_given_twice_ends_the_first_monitor() -> None:
    link = up(replace(CONFIG, devices=("1", "2")), start(1, "1"))
    play(
        link,
        [
            (0.0, result(1, MonitorStarted(XREF), 71), [MonitorRunning("1", XREF), snap(2, "1")]),
            (0.1, TimerExpired(), [start(3, "2")]),
            (
                0.2,
                result(3, MonitorStarted(XREF), 71),
                [
                    Trouble("the PBX gave cross reference 0007 of 1 again"),
                    MonitorLost("1"),
                    MonitorRunning("2", XREF),
                    snap(4, "2"),
                ],
            ),
        ],
    )


def test_devices_come_and_go_while_the_link_is_up() -> None:
    link = running()
    play(
        link,
        [
            (1.0, DevicesChanged(("258",)), [invoke(3, MonitorStop(XREF)), start(4, "258")]),
            (1.1, result(3, NoData(), 73), []),
            (1.2, result(4, MonitorStarted(b"n"), 71), [MonitorRunning("258", b"n"), snap(5, "258")]),
        ],
    )
    assert link.monitors.devices == ("258",)


def test_a_device_taken_away_while_it_starts_is_stopped_when_confirmed() -> None:
    link = up(CONFIG, start(1))
    play(
        link,
        [
            (0.1, DevicesChanged(()), []),
            (0.2, result(1, MonitorStarted(XREF), 71), [invoke(2, MonitorStop(XREF))]),
        ],
    )


# --- events around the snapshot


def test_events_that_came_before_the_snapshot_are_older_than_it() -> None:
    link = up(CONFIG, start(1))
    play(
        link,
        [
            (0.0, result(1, MonitorStarted(XREF), 71), [MonitorRunning("257", XREF), snap(2)]),
            (0.1, invoked(held()), []),
            (
                0.2,
                result(2, DeviceSnapshot((LEG,)), 74),
                [Reported("257", held()), SnapshotTaken("257", (LEG,))],
            ),
        ],
    )


def test_events_between_a_snapshot_and_its_last_segment_follow_it() -> None:
    link = up(CONFIG, start(1))
    before, since = held(cause=1), held(cause=2)
    play(
        link,
        [
            (0.0, result(1, MonitorStarted(XREF), 71), [MonitorRunning("257", XREF), snap(2)]),
            (0.1, invoked(before), []),
            (0.2, result(2, DeviceSnapshot((LEG,), b"r"), 74), [Reported("257", before)]),
            (0.3, invoked(since), []),
            (
                0.4,
                invoked(SnapshotDeviceData(b"r", (), last=True)),
                [SnapshotTaken("257", (LEG,)), Reported("257", since)],
            ),
            (0.5, invoked(before), [Reported("257", before)]),
        ],
    )


def test_a_pbx_that_does_not_answer_snapshots_delays_events_for_one_answer_only() -> None:
    link = up(CONFIG, start(1))
    play(
        link,
        [
            (0.0, result(1, MonitorStarted(XREF), 71), [MonitorRunning("257", XREF), snap(2)]),
            (0.1, invoked(held()), []),
            (10.0, TimerExpired(), [Reported("257", held()), alive(3), snap(4)]),
        ],
    )


def test_an_event_may_overtake_the_result_of_its_monitor_start() -> None:
    link = up(CONFIG, start(1))
    other = held(b"other")
    play(
        link,
        [
            (0.1, invoked(held()), []),
            (0.1, invoked(other), []),
            (
                0.2,
                result(1, MonitorStarted(XREF), 71),
                [MonitorRunning("257", XREF), Trouble("event for unknown monitor 6f74686572 dropped"), snap(2)],
            ),
            (0.3, result(2, DeviceSnapshot(), 74), [Reported("257", held()), SnapshotTaken("257", ())]),
        ],
    )


def test_events_of_unknown_monitors_are_held_up_to_a_limit() -> None:
    link = up(replace(CONFIG, hold_unknown=1), start(1))
    play(
        link,
        [
            (0.1, invoked(held()), []),
            (0.1, invoked(held()), [Trouble("event for unknown monitor 0007 dropped")]),
        ],
    )


def test_a_device_with_too_many_events_waits_for_its_snapshot_no_longer() -> None:
    link = up(replace(CONFIG, hold_events=1), start(1))
    both = [Reported("257", held()), Reported("257", held())]
    play(
        link,
        [
            (0.0, result(1, MonitorStarted(XREF), 71), [MonitorRunning("257", XREF), snap(2)]),
            (0.1, invoked(held()), []),
            (0.2, invoked(held()), [Trouble("2 events of 257 during its snapshot: not held any longer"), *both]),
            (0.3, invoked(held()), [Reported("257", held())]),
            (0.4, result(2, DeviceSnapshot(), 74), [SnapshotTaken("257", ()), snap(3)]),  # it may have been too old
        ],
    )


@pytest.mark.parametrize("overtaking", [False, True])
def test_a_snapshot_in_segments_is_put_together(overtaking: bool) -> None:
    link = up(CONFIG, start(1))
    first = invoked(SnapshotDeviceData(b"r", (LEG,), last=False))
    announced = result(2, DeviceSnapshot((), b"r"), 74)
    play(
        link,
        [
            (0.0, result(1, MonitorStarted(XREF), 71), [MonitorRunning("257", XREF), snap(2)]),
            (0.1, first if overtaking else announced, []),
            (0.2, announced if overtaking else first, []),
            (0.3, invoked(held()), []),
            (
                0.4,
                invoked(SnapshotDeviceData(b"r", (LEG,), last=True)),
                [SnapshotTaken("257", (LEG, LEG)), Reported("257", held())],
            ),
        ],
    )


def test_a_snapshot_whose_segments_cease_is_asked_for_again_and_then_given_up() -> None:
    link = up(CONFIG, start(1))
    play(
        link,
        [
            (0.0, result(1, MonitorStarted(XREF), 71), [MonitorRunning("257", XREF), snap(2)]),
            (0.1, result(2, DeviceSnapshot((), b"r"), 74), []),
            (0.2, invoked(held()), []),
            (1.2, TimerExpired(), [Reported("257", held())]),
            (10.1, TimerExpired(), [snap(3)]),
            (10.2, result(3, DeviceSnapshot((), b"s"), 74), []),
            (20.2, TimerExpired(), [Trouble("no snapshot of 257: its segments ceased"), SnapshotMissing("257")]),
        ],
    )


def test_events_do_not_wait_for_a_snapshot_that_does_not_come() -> None:
    link = up(CONFIG, start(1))
    play(
        link,
        [
            (0.0, result(1, MonitorStarted(XREF), 71), [MonitorRunning("257", XREF), snap(2)]),
            (0.1, invoked(held()), []),
        ],
    )
    assert link.deadline == 0.35
    play(
        link,
        [
            (0.35, TimerExpired(), [Reported("257", held())]),
            (1.2, invoked(held()), [Reported("257", held())]),
            (5.0, result(2, DeviceSnapshot(), 74), [SnapshotTaken("257", ())]),  # and is younger than they are
        ],
    )


def test_a_snapshot_older_than_an_event_that_could_not_wait_is_taken_anew() -> None:
    link = up(CONFIG, start(1))
    segment = SnapshotDeviceData(b"r", (), last=True)
    play(
        link,
        [
            (0.0, result(1, MonitorStarted(XREF), 71), [MonitorRunning("257", XREF), snap(2)]),
            (0.1, result(2, DeviceSnapshot((), b"r"), 74), []),
            (0.2, invoked(held()), []),
            (1.2, TimerExpired(), [Reported("257", held())]),
            (1.3, invoked(segment), [snap(3)]),
            (1.4, result(3, DeviceSnapshot(), 74), [SnapshotTaken("257", ())]),
        ],
    )


def test_a_pbx_without_snapshots_is_monitored_all_the_same() -> None:
    link = up(replace(CONFIG, snapshot_tries=1), start(1))
    play(
        link,
        [
            (0.0, result(1, MonitorStarted(XREF), 71), [MonitorRunning("257", XREF), snap(2)]),
            (0.1, invoked(held()), []),
            (
                0.2,
                error(2, ErrorCategory.OPERATION, 50),
                [
                    Reported("257", held()),
                    Trouble("no snapshot of 257: operation serviceNotSupported"),
                    SnapshotMissing("257"),
                ],
            ),
        ],
    )


def test_lost_messages_make_a_snapshot_of_every_device() -> None:
    link = running()
    lost: list[Output] = [status_answered(), EventsLost("", "the PBX lost messages"), snap(3)]
    play(
        link,
        [
            (1.0, invoked(SystemStatus(Status.MESSAGES_LOST)), lost),
            (1.1, invoked(held()), []),
            (1.2, result(3, DeviceSnapshot((LEG,)), 74), [Reported("257", held()), SnapshotTaken("257", (LEG,))]),
        ],
    )


def test_events_are_held_while_the_snapshot_itself_waits_for_the_window() -> None:
    link = up(replace(CONFIG, devices=("1", "2"), window=1), start(1, "1"))
    lost: list[Output] = [status_answered(), EventsLost("", "the PBX lost messages")]
    report = held(b"b")
    play(
        link,
        [
            (0.1, result(1, MonitorStarted(b"a"), 71), [MonitorRunning("1", b"a"), snap(2, "1")]),
            (0.2, result(2, DeviceSnapshot(), 74), [SnapshotTaken("1", ()), start(3, "2")]),
            (0.3, invoked(SystemStatus(Status.MESSAGES_LOST)), lost),
            (0.4, result(3, MonitorStarted(b"b"), 71), [MonitorRunning("2", b"b"), snap(4, "1")]),
            (0.5, invoked(report), []),
            (0.6, result(4, DeviceSnapshot(), 74), [SnapshotTaken("1", ()), snap(5, "2")]),
            (0.7, result(5, DeviceSnapshot(), 74), [Reported("2", report), SnapshotTaken("2", ())]),
        ],
    )


def test_a_pbx_that_was_disabled_is_snapshot_when_it_works_again() -> None:
    play(
        running(),
        [
            (1.0, invoked(SystemStatus(Status.DISABLED)), [status_answered(), LinkDown("the PBX is disabled")]),
            (9.0, invoked(SystemStatus(Status.NORMAL)), [status_answered(), LinkUp(), snap(3)]),
        ],
    )


# --- services


def test_a_service_is_answered_with_its_token() -> None:
    link = up(without_devices())
    refused = ReturnError(2, ErrorCategory.SYSTEM_RESOURCE, 2)
    rejected = Reject(3, 1, 1)
    play(
        link,
        [
            (0.0, ServiceRequested(41, CLEAR), [invoke(1, CLEAR)]),
            (0.0, ServiceRequested(42, CLEAR), [invoke(2, CLEAR)]),
            (0.0, ServiceRequested(43, CLEAR), [invoke(3, CLEAR)]),
            (0.1, PduReceived(refused), [ServiceAnswered(42, refused)]),
            (0.1, PduReceived(rejected), [ServiceAnswered(43, rejected)]),
            (0.2, result(1, UnknownArgument(None, b"")), [ServiceAnswered(41, NoData())]),
            (0.3, result(1, NoData(), 5), [Trouble("result of clearConnection for invoke 1 that is not outstanding")]),
        ],
    )


OVERDUE: list[Step] = [
    (1.0, ServiceRequested(41, CLEAR), [invoke(1, CLEAR)]),
    (11.0, TimerExpired(), [alive(2)]),
]


def test_a_service_without_answer_is_lost_when_the_silent_pbx_turns_out_to_be_there() -> None:
    link = up(without_devices())
    there = result(2, SystemStatusReported(Status.NORMAL), 210)
    again = Trouble("result of requestSystemStatus for invoke 2 that is not outstanding")
    play(link, [*OVERDUE, (11.1, there, [ServiceAnswered(41, Lost("timeout"))]), (11.2, there, [again])])


def test_the_answer_that_a_silent_pbx_gives_late_is_taken() -> None:
    link = up(without_devices())
    play(link, [*OVERDUE, (12.0, result(1, NoData(), 5), [ServiceAnswered(41, NoData())])])
    play(link, [(12.1, invoked(SystemStatus(Status.NORMAL)), [status_answered()])])


def test_a_service_over_a_half_open_link_is_lost_with_it_however_rare_the_heartbeat() -> None:
    link = up(without_devices(heartbeat=300.0))
    reason = "no answer to 2 heartbeats of 5 s"
    lost = [ServiceAnswered(token, Lost("link down")) for token in (41, 42)]
    play(
        link,
        [
            *OVERDUE,
            (12.0, ServiceRequested(42, CLEAR), [invoke(3, CLEAR)]),
            (16.0, TimerExpired(), [alive(4)]),
            (21.0, TimerExpired(), [Close(reason), LinkDown(reason, unheard=21.0), *lost]),
        ],
    )


def test_each_service_over_a_link_in_doubt_waits_for_a_sign_of_life() -> None:
    link = up(without_devices(heartbeat=300.0, heartbeat_timeout=60.0))
    timed_out = [ServiceAnswered(token, Lost("timeout")) for token in (41, 42)]
    play(
        link,
        [
            *OVERDUE,
            (12.0, ServiceRequested(42, CLEAR), [invoke(3, CLEAR)]),
            (22.0, TimerExpired(), []),
            (23.0, invoked(SystemStatus(Status.NORMAL)), [status_answered(), *timed_out]),
        ],
    )


def test_an_unanswered_request_is_no_reason_to_ask_for_life_where_other_things_come() -> None:
    link = up(without_devices(heartbeat=300.0))
    play(
        link,
        [
            (1.0, ServiceRequested(41, CLEAR), [invoke(1, CLEAR)]),
            (6.1, invoked(SystemStatus(Status.NORMAL)), [status_answered()]),
            (11.0, TimerExpired(), [ServiceAnswered(41, Lost("timeout"))]),
        ],
    )
    assert link.deadline == 306.1


def test_without_heartbeats_a_service_without_answer_is_lost_in_time() -> None:
    link = up(without_devices(heartbeat=0.0))
    (asked, _) = OVERDUE
    play(link, [asked, (11.0, TimerExpired(), [ServiceAnswered(41, Lost("timeout"))])])


@pytest.mark.parametrize("event", [Connected(), None])
def test_a_service_without_link_is_lost_at_once(event: Event | None) -> None:
    link = Link(CONFIG)
    if event is not None:
        link.handle(event, 0.0)
    play(link, [(1.0, ServiceRequested(41, CLEAR), [ServiceAnswered(41, Lost("link down"))])])


def test_invoke_ids_wrap_and_leave_out_those_outstanding() -> None:
    link = up(without_devices(max_invoke_id=3))
    full = ServiceAnswered(5, Lost("too many requests outstanding"))
    play(
        link,
        [
            (0.0, ServiceRequested(1, CLEAR), [invoke(1, CLEAR)]),
            (0.0, ServiceRequested(2, CLEAR), [invoke(2, CLEAR)]),
            (0.0, result(2, NoData(), 5), [ServiceAnswered(2, NoData())]),
            (0.0, ServiceRequested(3, CLEAR), [invoke(3, CLEAR)]),
            (0.0, ServiceRequested(4, CLEAR), [invoke(2, CLEAR)]),
            (0.0, ServiceRequested(5, CLEAR), [full]),
        ],
    )


# --- ends


def test_the_end_of_the_connection_answers_and_forgets_everything() -> None:
    link = running()
    play(
        link,
        [
            (1.0, ServiceRequested(41, CLEAR), [invoke(3, CLEAR)]),
            (2.0, Disconnected("reset"), [LinkDown("reset"), ServiceAnswered(41, Lost("link down"))]),
        ],
    )
    assert (link.monitors.running, link.deadline) == (0, None)
    play(
        link,
        [
            (3.0, Disconnected("refused"), [LinkDown("refused")]),
            (4.0, Disconnected("refused"), []),
            (5.0, Connected(), [AARQ]),
            (5.1, PduReceived(Associated(0)), []),
            (5.2, invoked(SystemStatus(2)), [status_answered(), LinkUp(), start(4)]),
            (5.3, invoked(held()), []),  # of the old cross reference: held, and dropped when the start is answered
            (
                5.4,
                result(4, MonitorStarted(b"n"), 71),
                [MonitorRunning("257", b"n"), Trouble("event for unknown monitor 0007 dropped"), snap(5)],
            ),
        ],
    )


def test_a_release_by_the_pbx_is_answered() -> None:
    reason = "released by the PBX"
    play(running(), [(1.0, PduReceived(Release()), [Send(Released()), Close(reason), LinkDown(reason)])])


@pytest.mark.parametrize(("event", "at"), [(PduReceived(Released()), 1.1), (TimerExpired(), 3.0)])
def test_our_own_release_waits_for_the_answer_but_not_long(event: Event, at: float) -> None:
    link = running()
    play(link, [(1.0, CloseRequested(), [Send(Release())])])
    assert link.deadline == 3.0
    play(link, [(at, event, [Close("closed by us"), LinkDown("closed by us")])])


# --- what we cannot make sense of


def test_an_unknown_operation_is_rejected_and_an_unreadable_argument_too() -> None:
    play(
        up(without_devices()),
        [
            (
                1.0,
                invoked(UnknownArgument(203, b"", "operation 203 is not known"), 5),
                [
                    Trouble("getSwitchingFunctionCapabilities could not be read: operation 203 is not known"),
                    Send(Reject(5, 1, 1)),
                ],
            ),
            (
                1.1,
                invoked(UnknownArgument(73, b"", "no SEQUENCE"), 6),
                [Trouble("monitorStop could not be read: no SEQUENCE"), Send(Reject(6, 1, 2))],
            ),
            (1.2, invoked(CLEAR, 7), [Trouble("clearConnection is not for us"), Send(Reject(7, 1, 1))]),
        ],
    )


def test_an_unreadable_event_is_counted_and_never_answered() -> None:
    play(
        up(without_devices()),
        [
            (
                1.0,
                invoked(UnknownArgument(21, b"", "held without heldConnection")),
                [Trouble("cSTAEventReport could not be read: held without heldConnection")],
            ),
            (1.1, Undecodable("tag", b"ab"), [Trouble("undecodable PDU of 2 octets: tag")]),
            (1.2, PduReceived(Reject(None, 0, 2)), [_stray("reject general badlyStructuredPDU for invoke None")]),
            (
                1.3,
                error(77, ErrorCategory.STATE_INCOMPATIBILITY, 2),
                [_stray("error stateIncompatibility invalidObjectState for invoke 77")],
            ),
            (1.4, PduReceived(Associated(0)), [Trouble("Associated while up")]),
        ],
    )


def _stray(what: str) -> Trouble:
    return Trouble(f"{what} that is not outstanding")


def test_the_password_never_shows() -> None:
    assert "77777" not in f"{CONFIG!r} {AARQ!r}"
