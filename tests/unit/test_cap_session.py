"""The CAP server's side of one client, with encoded octets: association, heartbeat, monitors, requests, faults."""

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osrec.wire.csta import codec, model
from osrec.wire.csta.model import ConnectionId, DeviceId, ErrorCategory, LocalState, Participation
from osrec_emulators.cap.config import CapConfig
from osrec_emulators.cap.faults import Answers, Association, Events, Faults, Refusal, Timed
from osrec_emulators.cap.licences import LicencePool
from osrec_emulators.cap.session import Happened, Send, Session, State
from osrec_emulators.pbx.services import Answer
from osrec_emulators.pbx.world import World
from tests.unit.cap_client import LOGIN, PORT, A, B, Client, associated, monitor, report


@pytest.mark.parametrize("framing", ["be2", "siemens", "tpkt", "be4", "none"])
def test_an_association_is_accepted_and_system_status_follows_at_once(framing: str) -> None:
    aare, status = Client(CapConfig.model_validate({"framing": framing})).send(LOGIN)
    assert isinstance(aare, model.Associated)
    assert aare.result == 0
    assert aare.context == LOGIN.context
    assert aare.version == LOGIN.version
    assert isinstance(status, model.Invoke)
    assert status.argument == model.SystemStatus(model.Status.ENABLED)


def test_octets_may_come_one_by_one() -> None:
    client = Client()
    octets = client.sends.encode(codec.encode(LOGIN))
    answers = [pdu for octet in octets for pdu in client.send_octets(bytes([octet]))]
    assert [type(pdu) for pdu in answers] == [model.Associated, model.Invoke]


@pytest.mark.parametrize(
    ("request_", "diagnostic"),
    [
        (model.Associate(name=b"AMHOST", password=b"wrong"), 13),
        (model.Associate(name=b"stranger", password=b"77777"), 13),
        (model.Associate(), 14),
        (model.Associate(context="1.2.3", name=b"AMHOST", password=b"77777"), 2),
    ],
)
def test_an_association_is_rejected_with_the_diagnostic(request_: model.Associate, diagnostic: int) -> None:
    client = Client()
    (aare,) = client.send(request_)
    assert isinstance(aare, model.Associated)
    assert (aare.result, aare.diagnostic) == (1, diagnostic)
    assert f"diagnostic {diagnostic}" in client.closed_because


def test_without_users_everybody_may_associate() -> None:
    aare, _ = Client(CapConfig(users=())).send(model.Associate())
    assert isinstance(aare, model.Associated)
    assert aare.result == 0


def test_context_and_version_are_echoed_or_as_configured() -> None:
    asked = model.Associate("1.3.12.0.285.200", b"AMHOST", b"77777", version=(b"\x08", 5))
    aare, _ = Client(CapConfig(version="0008")).send(asked)
    assert isinstance(aare, model.Associated)
    assert aare.context == "1.3.12.0.285.200"
    assert aare.version == (b"\x00\x08", 16)


def test_a_request_before_the_association_is_aborted() -> None:
    client = Client()
    (abort,) = client.send(model.Invoke(1, model.MonitorStart(DeviceId(A))))
    assert abort == model.Abort(source=0, diagnostic=2)
    assert client.session.monitors == {}
    assert client.session.state is State.CLOSED


def test_a_second_association_is_aborted() -> None:
    (abort,) = associated().send(LOGIN)
    assert isinstance(abort, model.Abort)


def test_a_release_is_answered_and_the_connection_closed() -> None:
    client = associated()
    (released,) = client.send(model.Release(reason=0))
    assert isinstance(released, model.Released)
    assert "released" in client.closed_because


def test_an_abort_closes_without_an_answer() -> None:
    client = associated()
    assert client.send(model.Abort(0, 1)) == []
    assert "aborted" in client.closed_because


def test_system_status_comes_periodically_while_it_is_answered() -> None:
    client = Client()
    _, status = client.send(LOGIN)
    for beat in range(1, 6):
        assert isinstance(status, model.Invoke)
        client.send(model.ReturnResult(status.invoke_id, model.NoData(), 211))
        assert client.session.deadline == 30.0 * beat
        (status,) = client.expire(30.0 * beat)
    assert client.closed_because == ""


def test_two_unanswered_system_status_end_the_link() -> None:
    client = associated()
    assert len(client.expire(30.0)) == 1
    assert client.expire(60.0) == []
    assert client.closed_because == "2 SystemStatus unanswered"
    assert client.session.deadline is None


def test_events_carry_cross_reference_growing_invoke_ids_and_local_time() -> None:
    client = associated()
    first, second = monitor(client, A), monitor(client, B)
    assert first != second
    client.world.advance(12.0)
    client.world.switch.make_call(A, B)
    events = client.published()
    ids = [event.invoke_id for event in events if isinstance(event, model.Invoke)]
    assert ids == sorted(set(ids))
    reports = [report(event) for event in events]
    assert [type(found.event).__name__ for found in reports if found.cross_ref == first] == [
        "ServiceInitiated",
        "Originated",
        "Delivered",
    ]
    assert [type(found.event).__name__ for found in reports if found.cross_ref == second] == ["Delivered"]
    assert reports[0].at == datetime(2026, 1, 1, 1, 0, 12)
    delivered = reports[-1].event
    assert isinstance(delivered, model.Delivered)
    assert delivered.parties.calling == DeviceId(A, name="Jürgen Groß")
    assert delivered.local is LocalState.ALERTING


def test_every_event_of_every_flow_survives_the_wire() -> None:
    client = associated()
    cross_refs = {monitor(client, device): device for device in (A, B, "3102", PORT)}
    switch = client.world.switch
    switch.make_call(A, B)
    switch.answer(B)
    switch.join_port(switch.calls_of(A)[0], switch.calls_of(A)[0].legs[A], PORT, silent=True)
    switch.consult(A, "3102")
    switch.answer("3102")
    switch.alternate(A)
    switch.conference(A)
    switch.consult(B, "3103")
    switch.transfer(B)
    switch.busy.add("3103")
    switch.make_call(B, "3103")
    happened = [found for found in switch.take() if found.device in cross_refs.values()]
    reports = [report(pdu) for pdu in client.publish(happened)]
    assert [(cross_refs[found.cross_ref], found.event) for found in reports] == [
        (found.device, found.event) for found in happened
    ]
    assert {note for found in reports for note in found.remarks} == set()


def test_cross_references_have_the_configured_length() -> None:
    assert len(monitor(associated(config=CapConfig(cross_ref_octets=4)))) == 4


def test_cross_references_come_again_after_a_wrap_but_never_twice() -> None:
    client = associated()
    first = monitor(client, A)
    client.session._monitors._next += (1 << 16) - 1  # 65,535 monitors later
    assert monitor(client, A) != first
    assert len(client.session.monitors) == 2


def test_a_monitor_on_an_unknown_device_is_refused() -> None:
    answer = associated().ask(model.MonitorStart(DeviceId("4711")))
    assert answer == model.ReturnError(77, ErrorCategory.OPERATION, 12)


def test_licences_are_shared_and_come_back() -> None:
    pool = LicencePool(2)
    one, two = associated(licences=pool), associated(licences=pool)
    first = monitor(one, A)
    monitor(two, A)
    assert one.ask(model.MonitorStart(DeviceId(B))) == model.ReturnError(77, ErrorCategory.SYSTEM_RESOURCE, 7)
    assert isinstance(one.ask(model.MonitorStop(first)), model.ReturnResult)
    monitor(one, B)
    two.session.closed()
    two.session.closed()
    assert pool.used == 1


def test_a_stopped_monitor_sees_nothing_and_cannot_be_stopped_again() -> None:
    client = associated()
    cross_ref = monitor(client)
    assert isinstance(client.ask(model.MonitorStop(cross_ref)), model.ReturnResult)
    client.world.switch.make_call(A, B)
    assert client.published() == []
    assert client.ask(model.MonitorStop(cross_ref)) == model.ReturnError(77, ErrorCategory.OPERATION, 60)


def test_a_single_step_conference_is_answered_before_its_events_go_to_everybody() -> None:
    client = associated()
    client.world.switch.make_call(A, B)
    client.world.switch.answer(B)
    client.world.switch.take()
    connection = ConnectionId(client.world.switch.calls_of(A)[0].id, DeviceId(A))
    answer = client.ask(model.SingleStepConference(connection, DeviceId(PORT), Participation.SILENT))
    assert isinstance(answer, model.ReturnResult)
    assert isinstance(answer.result, model.ConferenceJoined)
    assert answer.result.connection == ConnectionId(connection.call_id, DeviceId(PORT))
    assert [type(output) for output in client.outputs[-2:]] == [Send, Happened]
    assert list(client.world.topology.forks) == [PORT]
    again = client.ask(model.JoinCall(connection, DeviceId(PORT), Participation.SILENT))
    assert again == model.ReturnError(77, ErrorCategory.SYSTEM_RESOURCE, 2)
    assert isinstance(client.ask(model.ClearConnection(answer.result.connection)), model.ReturnResult)
    assert list(client.world.topology.forks) == []


def test_snapshots_and_system_status_are_answered() -> None:
    client = associated()
    client.world.switch.make_call(A, B)
    snapshot = client.ask(model.SnapshotDevice(DeviceId(B)))
    assert isinstance(snapshot, model.ReturnResult)
    assert isinstance(snapshot.result, model.DeviceSnapshot)
    (leg,) = snapshot.result.legs
    assert leg.states == (LocalState.ALERTING, LocalState.CONNECTED)
    call = client.ask(model.SnapshotCall(leg.connection))
    assert isinstance(call, model.ReturnResult)
    assert isinstance(call.result, model.CallSnapshot)
    assert len(call.result.entries) == 2
    status = client.ask(model.RequestSystemStatus())
    assert isinstance(status, model.ReturnResult)
    assert status.result == model.SystemStatusReported(model.Status.NORMAL)
    assert isinstance(client.ask(model.SystemStatus(model.Status.NORMAL)), model.ReturnResult)


def _invoke(opcode: bytes, argument: bytes = b"\x30\x00") -> bytes:
    body = b"\x02\x01\x4d\x02" + bytes([len(opcode)]) + opcode + argument
    return b"\xa1" + bytes([len(body)]) + body


@pytest.mark.parametrize(
    ("octets", "answer"),
    [
        (_invoke(b"\x34"), model.Reject(77, 1, 1)),  # op 52, phase I's SystemStatus: unrecognizedOperation
        (_invoke(b"\x03\xe7"), model.Reject(77, 1, 1)),
        (_invoke(b"\x00\xcb"), model.ReturnError(77, ErrorCategory.OPERATION, 50)),  # 203 capabilities
        (_invoke(b"\x47", b"\x02\x01\x01"), model.Reject(77, 1, 2)),  # 71 with an INTEGER: mistypedArgument
        (b"\xa1\x03\x02\x01", model.Reject(None, 0, 2)),  # badlyStructured
    ],
)
def test_what_the_server_cannot_do_is_refused_as_rose_says(octets: bytes, answer: model.Pdu) -> None:
    client = associated()
    assert client.send_octets(client.sends.encode(octets)) == [answer]
    assert client.session.state is State.ASSOCIATED


def test_a_stream_that_is_not_framed_closes_the_connection() -> None:
    client = associated(config=CapConfig(framing="siemens"))
    whole = client.sends.encode(codec.encode(model.Invoke(5, model.RequestSystemStatus())))
    (answer,) = client.send_octets(whole + b"GET / HTTP/1.1\r\n")
    assert isinstance(answer, model.ReturnResult)  # what was whole is served
    assert "siemens" in client.closed_because


@pytest.mark.parametrize(
    ("refuse", "answers"),
    [(Refusal.REJECT, [model.Associated]), (Refusal.ABORT, [model.Abort]), (Refusal.SILENCE, [])],
)
def test_a_refused_association_is_refused_in_each_way(refuse: Refusal, answers: list[type]) -> None:
    client = Client(faults=Faults(association=Association(refuse=refuse)))
    pdus = client.send(LOGIN)
    assert [type(pdu) for pdu in pdus] == answers
    assert client.session.state is not State.ASSOCIATED


def test_a_silent_server_stays_connected_and_sends_nothing() -> None:
    client = associated(faults=Faults(timed=(Timed(what="silence", after=5.0),)))
    assert client.send(model.Invoke(1, model.RequestSystemStatus()), 4.0) != []
    assert client.session.deadline == 5.0
    client.expire(5.0)
    assert client.send(model.Invoke(2, model.RequestSystemStatus()), 5.0) == []
    assert client.session.state is State.ASSOCIATED


def test_the_link_drops_when_the_fault_says_so() -> None:
    client = associated(faults=Faults(timed=(Timed(what="cut", after=7.0),)))
    assert client.session.deadline == 7.0
    client.expire(7.0)
    assert "cut" in client.closed_because


def test_an_event_can_overtake_the_result_of_its_monitor() -> None:
    client = associated(faults=Faults(answers=Answers(monitor_result_late=1.0)))
    assert client.send(model.Invoke(1, model.MonitorStart(DeviceId(A)))) == []
    client.world.switch.make_call(A, B)
    first, result, *_ = client.published()
    assert isinstance(result, model.ReturnResult)
    assert isinstance(result.result, model.MonitorStarted)
    assert report(first).cross_ref == result.result.cross_ref


def test_a_withheld_result_comes_when_nothing_happens() -> None:
    client = associated(faults=Faults(answers=Answers(monitor_result_late=1.0)))
    client.send(model.Invoke(1, model.MonitorStart(DeviceId(A))), 2.0)
    assert client.session.deadline == 3.0
    assert [type(pdu) for pdu in client.expire(3.0)] == [model.ReturnResult]


_CONNECTION = ConnectionId(b"\x00\x01", DeviceId(A))
_REQUESTS: list[model.Pdu] = [
    LOGIN,
    model.Invoke(1, model.MonitorStart(DeviceId(A))),
    model.Invoke(2, model.MonitorStop(b"\x00\x01")),
    model.Invoke(3, model.SnapshotDevice(DeviceId(A))),
    model.Invoke(4, model.SnapshotCall(_CONNECTION)),
    model.Invoke(5, model.SingleStepConference(_CONNECTION, DeviceId(PORT), Participation.SILENT)),
    model.Invoke(6, model.JoinCall(_CONNECTION, DeviceId(PORT), Participation.SILENT)),
    model.Invoke(7, model.ClearConnection(_CONNECTION)),
    model.Invoke(8, model.SystemStatus(2)),
    model.ReturnResult(9, model.NoData(), 211),
]
_patches = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=3)


@settings(max_examples=200, deadline=None)
@given(damaged=st.lists(st.tuples(st.sampled_from(_REQUESTS), _patches), max_size=5), cut=st.integers(1, 40))
def test_no_client_can_make_the_server_raise(damaged: list[tuple[model.Pdu, list[tuple[int, int]]]], cut: int) -> None:
    client = Client()
    client.world.switch.make_call(A, B)
    client.world.switch.answer(B)
    stream = client.sends.encode(codec.encode(LOGIN))
    for pdu, patches in damaged:
        octets = bytearray(codec.encode(pdu))
        for position, value in patches:
            octets[position % len(octets)] = value
        stream += client.sends.encode(bytes(octets))
    for position in range(0, len(stream), cut):
        client.send_octets(stream[position : position + cut])
    client.published()
    client.session.closed()
    assert client.session.monitors == {}


class Listening:
    """A PBX that refuses everything and remembers what it was asked."""

    def __init__(self, world: World) -> None:
        self.asked: list[model.Argument] = []
        self._world = world

    def request(self, service: model.Argument, now: float) -> Answer:
        self.asked.append(service)
        return Answer(None if isinstance(service, model.Escape) else model.NoData(), (), 2.0)

    def known(self, device: str) -> bool:
        return self._world.known(device)

    def devices(self) -> list[str]:
        return self._world.devices()

    def local_time(self, at: float) -> datetime:
        return self._world.local_time(at)


def test_ways_to_ask_for_a_fork_reach_the_pbx_whose_answer_may_be_late_or_missing() -> None:
    client = Client()
    pbx = Listening(client.world)
    client.session = Session(client.config, pbx, LicencePool(None))
    client.send(LOGIN)
    requests: list[model.Argument] = [
        model.MakeCall(DeviceId(PORT), DeviceId("*44" + A)),
        model.Escape(b"\x30\x03\x80\x01\x01"),
        model.JoinCall(_CONNECTION, DeviceId(PORT), Participation.SILENT),
        model.SnapshotCall(_CONNECTION),
    ]
    for number, request in enumerate(requests):
        assert client.send(model.Invoke(number, request), 1.0) == []
    assert pbx.asked == requests
    answers = [pdu.invoke_id for pdu in client.expire(3.0) if isinstance(pdu, model.ReturnResult)]
    assert answers == [0, 2, 3]


_everything = {"events": dict.fromkeys([key for key in Events.model_fields if key.endswith("_every")], 3)}
_answers = {"snapshot_segments": 1, "late": 0.5, "monitor_result_late": 0.5, "lost_every": 5, "segments_first": True}
_timed = [{"what": what, "after": 1.0, "every": 1.0} for what in ("junk", "pause_reading", "lose_events")]


@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    requests=st.lists(st.sampled_from(_REQUESTS[1:]), max_size=8),
    cut=st.integers(1, 40),
    xml=st.booleans(),
)
def test_no_mixture_of_faults_makes_the_server_raise(seed: int, requests: list[model.Pdu], cut: int, xml: bool) -> None:
    faults = _everything | {"seed": seed, "answers": _answers, "timed": _timed, "transport": {"fragment": 7}}
    if xml:
        faults["events"] = _everything["events"] | {"indefinite_every": None}
    wire = {"encoding": "xml", "framing": "xml8"} if xml else {}
    client = Client(CapConfig.model_validate({"faults": faults} | wire))
    client.connect()
    if not xml:
        client.send(LOGIN)
    client.world.switch.make_call(A, B)
    client.world.switch.answer(B)
    for now, request in enumerate(requests):
        octets = client.sends.encode(client.dialect.encode(request))
        for position in range(0, len(octets), cut):
            client.send_octets(octets[position : position + cut], float(now))
        if client.world.switch.calls_of(A):
            client.world.switch.hold(A)
            client.world.switch.retrieve(A)
        client.published(float(now))
        client.expire(now + 0.5)
    client.session.closed()
    assert client.session.monitors == {}
