"""The link against a PBX that says anything at any time: it never raises, rests, and answers what it is asked."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from osrec.csta.link import Link, State
from osrec.csta.messages import (
    CloseRequested,
    Connected,
    DevicesChanged,
    Disconnected,
    Event,
    Output,
    Overrun,
    PduReceived,
    Send,
    ServiceAnswered,
    ServiceRequested,
    TimerExpired,
    Undecodable,
)
from osrec.csta.settings import LinkConfig
from osrec.wire.csta.model import (
    Abort,
    Associated,
    CallSnapshot,
    CallSnapshotEntry,
    ClearConnection,
    ConnectionId,
    DeviceId,
    DeviceSnapshot,
    ErrorCategory,
    EventReport,
    Held,
    Invoke,
    MonitorStarted,
    MonitorStop,
    NoData,
    NoDevice,
    Reject,
    Release,
    Released,
    RequestSystemStatus,
    ReturnError,
    ReturnResult,
    Session,
    SessionTimerReset,
    SnapshotCallData,
    SnapshotDeviceData,
    SnapshotLeg,
    SystemStatus,
    SystemStatusReported,
    UnknownArgument,
)

DEVICES = ("1", "2", "3")
CONFIG = LinkConfig(
    devices=DEVICES, window=2, starts_per_second=20.0, hold_events=3, hold_unknown=3, max_invoke_id=30, retry_most=8.0
)
CALLS = [ConnectionId(call, DeviceId("1")) for call in (b"\1", b"\2")] + [ConnectionId(None, DeviceId("1"))]

refs = st.sampled_from([b"a", b"b", b"c"])
invoke_ids = st.integers(1, 30)
legs = st.lists(st.builds(SnapshotLeg, st.sampled_from(CALLS), st.none(), st.just(())), max_size=3).map(tuple)
entries = st.lists(st.just(CallSnapshotEntry(NoDevice.NOT_KNOWN, None, None)), max_size=2).map(tuple)
held = st.builds(
    lambda ref, number: EventReport(ref, Held(connection=CALLS[0], device=DeviceId("1")), sequence=number),
    refs,
    st.none() | st.integers(0, 9),
)
arguments = st.one_of(
    held,
    st.builds(SystemStatus, st.integers(0, 9)),
    st.builds(MonitorStop, refs),
    st.builds(SnapshotDeviceData, refs, legs, st.booleans()),
    st.builds(SnapshotCallData, refs, entries, st.booleans()),
    st.just(RequestSystemStatus()),
    st.just(ClearConnection(CALLS[0])),
    st.builds(UnknownArgument, st.sampled_from([None, 21, 73, 999]), st.just(b""), st.just("broken")),
)
results = st.one_of(
    st.builds(MonitorStarted, refs),
    st.builds(DeviceSnapshot, legs, st.none() | refs),
    st.builds(CallSnapshot, entries, service_cross_ref=st.none() | refs),
    st.builds(SystemStatusReported, st.integers(0, 9)),
    st.builds(SessionTimerReset, st.none() | st.integers(1, 20)),
    st.just(NoData()),
    st.builds(UnknownArgument, st.none(), st.just(b"\x30\x00")),
)
errors = st.builds(
    lambda invoke_id, code: ReturnError(invoke_id, *code),
    invoke_ids,
    st.sampled_from(
        [(ErrorCategory.SYSTEM_RESOURCE, 7), (ErrorCategory.PERFORMANCE, 2), (ErrorCategory.OPERATION, 50)]
    ),
)
pdus = st.one_of(
    st.builds(Invoke, st.integers(-1, 99), arguments),
    st.builds(ReturnResult, invoke_ids, results, st.none() | st.sampled_from([71, 74, 75])),
    errors,
    st.builds(Reject, st.none() | invoke_ids, st.just(1), st.just(1)),
    st.builds(Associated, st.sampled_from([0, 0, 0, 1]), session=st.just(Session("x", (), 9, id="s"))),
    st.sampled_from([Release(), Released(), Abort(0, 5)]),
)
events = st.one_of(
    st.builds(PduReceived, pdus),
    st.just(TimerExpired()),
    st.just(Connected()),
    st.just(Disconnected("cut")),
    st.just(CloseRequested()),
    st.just(Undecodable("x", b"y")),
    st.builds(Overrun, st.integers(1, 9)),
    st.builds(DevicesChanged, st.lists(st.sampled_from([*DEVICES, "4"]), unique=True).map(tuple)),
    st.just(ServiceRequested("token", ClearConnection(CALLS[0]))),
)


class Watch:
    """What must hold of the outputs, whatever came in.

    Attributes:
        asked: services that were requested and not answered.
    """

    def __init__(self) -> None:
        self.asked = 0

    def took(self, event: Event) -> None:
        self.asked += isinstance(event, ServiceRequested)

    def gave(self, outputs: list[Output]) -> None:
        for output in outputs:
            match output:
                case ServiceAnswered():
                    self.asked -= 1
                case Send(Invoke(invoke_id)):
                    assert 1 <= invoke_id <= CONFIG.max_invoke_id


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.floats(0.0, 15.0), events), max_size=60), st.booleans())
def test_nothing_that_a_pbx_says_breaks_the_link(script: list[tuple[float, Event]], with_session: bool) -> None:
    session = Session("x", (), 9) if with_session else None
    link, watch, now = Link(replace(CONFIG, session=session)), Watch(), 0.0
    beginning = PduReceived(Associated(0, session=session)), PduReceived(Invoke(1, SystemStatus(2)))
    for first in (Connected(), *beginning):
        watch.gave(link.handle(first, now))
    for pause, event in script:
        until = now + pause
        for _ in range(500):
            if link.deadline is None or link.deadline > until:
                break
            now = max(now, link.deadline)
            before = link.deadline
            watch.gave(link.handle(TimerExpired(), now))
            assert link.deadline != before or link.deadline > now, f"a timer that does nothing, at {now}"
        else:
            raise AssertionError(f"the link never rests: its timer runs at {now} for ever")
        now = until
        watch.took(event)
        watch.gave(link.handle(event, now))
        assert 0 <= link.monitors.running <= 4
        assert 0 <= link.outstanding <= CONFIG.max_invoke_id
    watch.gave(link.handle(Disconnected("the end"), now))
    assert watch.asked == 0, "each service is answered, once"
    assert (link.state, link.deadline, link.outstanding, link.monitors.running) == (State.CLOSED, None, 0, 0)
