"""What can be declared to go wrong at the CAP server, each shown by a client that reads octets."""

from typing import Any

import pytest

from osrec.wire.csta import codec, model
from osrec.wire.csta.ber import definite, walk
from osrec.wire.csta.causes import EVENT_CAUSES
from osrec.wire.csta.model import ConnectionId, DeviceId, ErrorCategory, LocalState, Status
from osrec_emulators.cap.config import CapConfig
from osrec_emulators.cap.faults import Connection, Faults
from osrec_emulators.cap.licences import LicencePool
from osrec_emulators.cap.messages import Played, Reading, Send, State
from osrec_emulators.pbx.calls import Occurrence
from tests.unit.cap_client import LOGIN, A, B, Client, associated, monitor, report

NEVER_GIVEN = b"\xee\xee"


def faulty(**sections: Any) -> Client:
    """An associated client of a server with these faults."""
    return associated(faults=Faults.model_validate(sections))


def held(count: int, device: str = A) -> list[Occurrence]:
    """So many events of one device, told apart by their call ids."""
    return [
        Occurrence(
            0.0,
            device,
            model.Held(
                cause=78,
                local=LocalState.HOLD,
                connection=ConnectionId(number.to_bytes(2, "big"), DeviceId(device)),
                device=DeviceId(device),
            ),
        )
        for number in range(1, count + 1)
    ]


def numbers(pdus: list[model.Pdu]) -> list[int]:
    """Call ids of the events among these PDUs, in their order."""
    events = [getattr(pdu.argument, "event", None) for pdu in pdus if isinstance(pdu, model.Invoke)]
    return [int.from_bytes(each.connection.call_id or b"", "big") for each in events if isinstance(each, model.Held)]


def statuses(pdus: list[model.Pdu]) -> list[int]:
    invokes = [pdu.argument for pdu in pdus if isinstance(pdu, model.Invoke)]
    return [argument.status for argument in invokes if isinstance(argument, model.SystemStatus)]


# --- association and status


def test_a_transient_rejection_carries_its_diagnostic() -> None:
    client = Client(faults=Faults.model_validate({"association": {"refuse": "transient", "diagnostic": 1}}))
    (answer,) = client.send(LOGIN)
    assert isinstance(answer, model.Associated)
    assert (answer.result, answer.diagnostic) == (2, 1)
    assert client.played == ["refuse_transient"]


@pytest.mark.parametrize(("number", "accepted"), [(1, False), (3, False), (4, True)])
def test_the_first_connections_are_refused_and_later_ones_let_in(number: int, accepted: bool) -> None:
    config = CapConfig.model_validate(
        {"clients": [{"connections": [1, 3], "faults": {"association": {"refuse": "abort"}}}]}
    )
    client = Client(config, connection=Connection(number=number))
    client.send(LOGIN)
    assert (client.session.state is State.ASSOCIATED) == accepted


def test_faults_of_a_user_begin_with_its_association_and_spare_others() -> None:
    config = CapConfig.model_validate(
        {
            "users": [],
            "clients": [{"user": "REC*", "faults": {"answers": {"lost_every": 1}, "transport": {"fragment": 1}}}],
        }
    )
    recorder, other = Client(config), Client(config)
    recorder.send(model.Associate(name=b"RECORDER", password=b""))
    other.send(model.Associate(name=b"OTHER", password=b""))
    assert recorder.send(model.Invoke(1, model.RequestSystemStatus())) == []
    assert len(other.send(model.Invoke(1, model.RequestSystemStatus()))) == 1


@pytest.mark.parametrize(
    ("asked", "configured", "answered"),
    [
        ((b"\x10\x00", 16), "trimmed", (b"\x10", 4)),
        ((b"\x10\x00", 16), "0002", (b"\x00\x02", 16)),
        ((b"\x10\x00", 16), "none", None),
        ((b"\x00\x00", 16), "trimmed", (b"", 0)),
    ],
)
def test_version_bits_are_wrong_or_trimmed_or_missing(
    asked: tuple[bytes, int], configured: str, answered: tuple[bytes, int] | None
) -> None:
    client = Client(CapConfig(version=configured))
    aare = client.send(model.Associate(name=b"AMHOST", password=b"77777", version=asked))[0]
    assert isinstance(aare, model.Associated)
    assert aare.version == answered


def test_the_first_system_status_never_comes() -> None:
    client = Client(faults=Faults.model_validate({"status": {"never": True}}))
    assert statuses(client.send(LOGIN)) == []
    assert statuses(client.expire(30.0)) == [Status.NORMAL]


def test_the_first_system_status_comes_late() -> None:
    client = Client(faults=Faults.model_validate({"status": {"late": 4.0}}))
    assert statuses(client.send(LOGIN)) == []
    assert client.session.deadline == 4.0
    assert statuses(client.expire(4.0)) == [Status.ENABLED]


def test_the_heartbeat_is_lost_while_events_go_on() -> None:
    client = faulty(status={"lost_after": 10.0})
    monitor(client)
    assert client.expire(30.0) == []
    assert client.send(model.Invoke(9, model.RequestSystemStatus()), 31.0) == []
    assert numbers(client.publish(held(1), 32.0)) == [1]
    assert client.played == ["status_lost", "status_lost"]


def test_a_client_that_need_not_answer_is_never_dropped() -> None:
    client = associated(config=CapConfig(status_unanswered=0))
    assert [len(client.expire(30.0 * beat)) for beat in range(1, 6)] == [1] * 5


# --- events


def test_every_second_event_or_so_is_lost_and_the_client_told() -> None:
    client = faulty(events={"lost_every": 2, "lost_reported": True})
    monitor(client)
    pdus = client.publish(held(100))
    came = numbers(pdus)
    assert 20 < len(came) < 80
    assert came == sorted(came)
    assert statuses(pdus) == [Status.MESSAGES_LOST]
    assert client.session.counters.withheld == 100 - len(came) == client.played.count("lost")


def test_events_are_lost_silently_when_nobody_is_to_be_told() -> None:
    client = faulty(events={"lost_every": 1})
    monitor(client)
    assert client.publish(held(3)) == []


def test_a_view_comes_twice_with_invoke_ids_of_its_own() -> None:
    client = faulty(events={"duplicate_every": 1})
    monitor(client)
    one, other = client.publish(held(1))
    assert report(one) == report(other)
    assert isinstance(one, model.Invoke)
    assert isinstance(other, model.Invoke)
    assert other.invoke_id == one.invoke_id + 1


def test_reordered_events_keep_their_order_within_each_monitor() -> None:
    client = faulty(seed=4, events={"reorder_every": 4, "reorder_by": 0.5})
    monitors = {monitor(client, device): device for device in (A, B)}
    mixed = [each for pair in zip(held(50), held(50, B), strict=True) for each in pair]
    pdus = client.publish(mixed, 1.0)
    assert client.session.deadline == 1.5
    pdus += client.expire(1.5)
    came = [(monitors[report(pdu).cross_ref], numbers([pdu])[0]) for pdu in pdus]
    assert [number for device, number in came if device == A] == list(range(1, 51))
    assert [number for device, number in came if device == B] == list(range(1, 51))
    assert came != [(each.device, number) for number in range(1, 51) for each in (held(1)[0], held(1, B)[0])]


def test_events_of_one_monitor_change_places_when_that_is_asked_for() -> None:
    client = faulty(events={"swap_every": 1})
    monitor(client)
    assert numbers(client.publish(held(2))) == [2, 1]
    assert numbers(client.publish(held(1), 7.0)) == []
    assert numbers(client.expire(7.2)) == [1]  # no other has come


def test_a_damaged_event_cannot_be_decoded_and_the_next_one_can() -> None:
    client = faulty(seed=2, events={"damaged_every": 2})
    monitor(client)
    came = numbers(client.publish(held(40)))
    assert 10 < len(came) < 30
    assert len(client.undecodable) == 40 - len(came)


@pytest.mark.parametrize("framing", ["be2", "none"])
def test_junk_cannot_be_decoded_and_nothing_else_is_lost(framing: str) -> None:
    config = CapConfig.model_validate({"framing": framing, "faults": {"events": {"junk_every": 1}}})
    client = associated(config=config)
    monitor(client)
    assert numbers(client.publish(held(50))) == list(range(1, 51))
    assert len(client.undecodable) == 50


def test_unknown_causes_are_in_no_list() -> None:
    client = faulty(events={"unknown_cause_every": 1})
    monitor(client)
    for pdu in client.publish(held(30)):
        assert report(pdu).event.cause not in EVENT_CAUSES
        assert report(pdu).event.local is LocalState.HOLD


def test_an_unknown_member_is_remarked_and_harms_no_other() -> None:
    client = faulty(events={"unknown_member_every": 1})
    monitor(client)
    sent = held(30)
    for pdu, occurrence in zip(client.publish(sent), sent, strict=True):
        assert report(pdu).event == occurrence.event
        assert any(remark.startswith("unknown member") for remark in report(pdu).remarks)


def test_an_unknown_event_stands_beside_the_known_one() -> None:
    client = faulty(events={"unknown_event_every": 1})
    cross_ref = monitor(client)
    known, unknown = client.publish(held(1))
    assert isinstance(report(known).event, model.Held)
    assert isinstance(report(unknown).event, model.OtherEvent)
    assert report(unknown).cross_ref == cross_ref


def test_an_event_of_nobodys_monitor_stands_beside_the_known_one() -> None:
    client = faulty(events={"unknown_monitor_every": 1})
    cross_ref = monitor(client)
    assert [report(pdu).cross_ref for pdu in client.publish(held(1))] == [cross_ref, NEVER_GIVEN]


def test_private_data_come_under_many_tags() -> None:
    client = faulty(events={"private_every": 1})
    monitor(client)
    items = [report(pdu).private for pdu in client.publish(held(60))]
    assert all(len(item) == 1 for item in items)
    assert len({item[0][0] for item in items}) > 5


def test_names_come_with_all_octets_beyond_ascii() -> None:
    client = faulty(events={"eight_bit_every": 1})
    monitor(client)
    (pdu,) = client.publish(held(1))
    event = report(pdu).event
    assert isinstance(event, model.Held)
    assert isinstance(event.device, DeviceId)
    assert (event.device.name or "").encode("latin-1") == bytes(range(0x80, 0x100))


@pytest.mark.parametrize("framing", ["be2", "none"])
def test_indefinite_lengths_say_the_same(framing: str) -> None:
    config = CapConfig.model_validate({"framing": framing, "faults": {"events": {"indefinite_every": 1}}})
    client = associated(config=config)
    monitor(client)
    (pdu,) = client.publish(held(1))
    octets = client.frames[-1]
    assert (octets[1:2] == b"\x80") == (framing == "be2")
    assert codec.decode(definite(octets)) == codec.decode(codec.encode(pdu))
    assert octets.count(b"\x80") > 5


def test_an_oversized_event_has_the_octets_that_are_declared() -> None:
    client = faulty(events={"oversized_every": 1, "oversized_octets": 30_000})
    monitor(client)
    assert numbers(client.publish(held(1))) == [1]
    assert 30_000 < len(client.frames[-1]) < 30_500


def test_what_does_not_fit_the_framing_is_noted_and_not_sent() -> None:
    client = faulty(events={"oversized_every": 1, "oversized_octets": 70_000})
    monitor(client)
    assert client.publish(held(1)) == []
    assert client.played == ["oversized", "too_large_to_frame"]
    lost = client.outputs[-1]
    assert isinstance(lost, Played)
    assert lost.detail.endswith("octets: Held of monitor 0001, call 0001")
    assert (client.session.counters.events, client.session.counters.withheld) == (0, 1)


def test_the_same_seed_gives_the_same_faults_and_another_one_others() -> None:
    def played(seed: int) -> list[str]:
        client = faulty(seed=seed, events={"lost_every": 3, "duplicate_every": 3, "junk_every": 3, "private_every": 3})
        monitor(client)
        client.publish(held(50))
        return client.played

    assert played(1) == played(1)
    assert played(1) != played(2)


def test_sequence_numbers_count_and_show_what_was_lost() -> None:
    config = CapConfig.model_validate({"sequence_numbers": True, "faults": {"events": {"lost_every": 3}}})
    client = associated(config=config)
    monitor(client)
    pdus = client.publish(held(30))
    assert [report(pdu).sequence for pdu in pdus] == numbers(pdus)


def test_invoke_ids_of_four_octets_can_be_had() -> None:
    client = associated(config=CapConfig(first_invoke_id=0x7FFFFFFE))
    monitor(client)
    ids = [pdu.invoke_id for pdu in client.publish(held(3)) if isinstance(pdu, model.Invoke)]
    assert ids == [0x7FFFFFFF, 1, 2]
    invoke = walk(client.frames[-3])[0][1]
    assert invoke[:6].hex() == "02047fffffff"


# --- answers


def test_monitors_are_refused_by_pattern_with_any_error_and_only_so_often() -> None:
    refuse = [{"devices": "*01", "category": "security", "value": 3, "times": 2}]
    client = faulty(answers={"refuse_monitors": refuse})
    refused = model.ReturnError(77, ErrorCategory.SECURITY, 3)
    assert [client.ask(model.MonitorStart(DeviceId(B))) for _ in range(2)] == [refused, refused]
    monitor(client, B)
    monitor(client, A)


def test_more_requests_in_a_second_than_allowed_are_refused() -> None:
    client = faulty(limits={"per_second": 2})
    answers = [client.ask(model.RequestSystemStatus(), now) for now in (1.0, 1.5, 1.9, 2.05)]
    assert [isinstance(answer, model.ReturnResult) for answer in answers] == [True, True, False, True]
    assert answers[2] == model.ReturnError(77, ErrorCategory.PERFORMANCE, 2)


def test_more_outstanding_requests_than_allowed_are_refused_when_they_come() -> None:
    client = faulty(limits={"outstanding": 2}, answers={"late": 1.0})
    for number in (1, 2, 3):
        assert client.send(model.Invoke(number, model.RequestSystemStatus()), 0.0) == []
    kinds = {
        pdu.invoke_id: pdu for pdu in client.expire(1.0) if isinstance(pdu, model.ReturnResult | model.ReturnError)
    }
    assert kinds[3] == model.ReturnError(3, ErrorCategory.SUBSCRIBED_RESOURCE, 4)
    assert isinstance(kinds[2], model.ReturnResult)
    assert client.send(model.Invoke(4, model.RequestSystemStatus()), 1.0) == []
    assert [type(pdu) for pdu in client.expire(2.0)] == [model.ReturnResult]


def test_answers_get_lost() -> None:
    client = faulty(answers={"lost_every": 1})
    assert client.send(model.Invoke(1, model.MonitorStart(DeviceId(A)))) == []
    assert len(client.session.monitors) == 1
    assert client.played == ["answer_lost"]


def calls_of(client: Client, device: str = A) -> None:
    """The device gets two calls: one that it holds, one that it makes."""
    switch = client.world.switch
    switch.make_call(device, B)
    switch.answer(B)
    switch.consult(device, "3102")
    switch.take()


def test_snapshots_of_devices_come_in_segments() -> None:
    client = faulty(answers={"snapshot_segments": 1})
    calls_of(client)
    result, first, second = client.send(model.Invoke(5, model.SnapshotDevice(DeviceId(A))))
    assert isinstance(result, model.ReturnResult)
    assert isinstance(result.result, model.DeviceSnapshot)
    data = [pdu.argument for pdu in (first, second) if isinstance(pdu, model.Invoke)]
    segments = [each for each in data if isinstance(each, model.SnapshotDeviceData)]
    assert {each.service_cross_ref for each in segments} == {result.result.service_cross_ref}
    assert [(each.segment, each.last, len(each.legs)) for each in segments] == [(1, False, 1), (2, True, 1)]


def test_segments_come_before_the_result_and_the_last_one_never() -> None:
    client = faulty(answers={"snapshot_segments": 1, "segments_first": True, "last_segment_lost": True})
    calls_of(client)
    segment, result = client.send(model.Invoke(5, model.SnapshotDevice(DeviceId(A))))
    assert isinstance(segment, model.Invoke)
    assert isinstance(segment.argument, model.SnapshotDeviceData)
    assert not segment.argument.last
    assert isinstance(result, model.ReturnResult)
    assert client.played == ["last_segment_lost"]


def test_a_snapshot_of_nothing_comes_as_one_empty_segment() -> None:
    client = faulty(answers={"snapshot_segments": 3})
    _, segment = client.send(model.Invoke(5, model.SnapshotDevice(DeviceId(A))))
    assert isinstance(segment, model.Invoke)
    assert isinstance(segment.argument, model.SnapshotDeviceData)
    assert (segment.argument.legs, segment.argument.last) == ((), True)


def test_snapshots_of_calls_come_in_segments() -> None:
    client = faulty(answers={"snapshot_segments": 1})
    calls_of(client)
    connection = ConnectionId(client.world.switch.calls_of(B)[0].id, DeviceId(B))
    result, *rest = client.send(model.Invoke(5, model.SnapshotCall(connection)))
    assert isinstance(result, model.ReturnResult)
    assert isinstance(result.result, model.CallSnapshot)
    assert result.result.entries == ()
    data = [pdu.argument for pdu in rest if isinstance(pdu, model.Invoke)]
    assert [(each.segment, each.last) for each in data if isinstance(each, model.SnapshotCallData)] == [
        (1, False),
        (2, True),
    ]


# --- at a moment


def test_fewer_licences_stop_the_newest_monitors() -> None:
    config = CapConfig.model_validate(
        {"status_interval": 0, "licences": 3, "licence_changes": [{"at": 50.0, "licences": 1}, {"at": 60.0}]}
    )
    client = associated(config=config)
    first, second, third = (monitor(client, device) for device in (A, B, "3102"))
    assert client.session.deadline == 50.0
    stops = [pdu.argument for pdu in client.expire(50.0) if isinstance(pdu, model.Invoke)]
    assert stops == [model.MonitorStop(third), model.MonitorStop(second)]
    assert list(client.session.monitors) == [first]
    error = model.ReturnError(77, ErrorCategory.SYSTEM_RESOURCE, 7)
    assert client.ask(model.MonitorStart(DeviceId(B)), 51.0) == error
    assert client.session.deadline == 60.0
    client.expire(60.0)
    monitor(client, B)


def test_every_client_gives_licences_back_until_they_suffice() -> None:
    config = CapConfig.model_validate({"status_interval": 0, "licence_changes": [{"at": 5.0, "licences": 0}]})
    pool = LicencePool(None, config.licence_changes)
    one, other = (associated(config=config, licences=pool) for _ in range(2))
    monitor(one, A)
    monitor(other, A)
    assert len(one.expire(5.0)) == len(other.expire(5.0)) == 1
    assert pool.used == 0


def test_the_pbx_stops_monitors_of_devices_at_a_moment_and_again() -> None:
    client = associated(
        faults=Faults.model_validate({"timed": [{"what": "monitor_stop", "devices": "*01", "at": 10, "every": 10}]}),
        config=CapConfig(status_interval=0),
    )
    monitor(client, A)
    stopped = monitor(client, B)
    assert [getattr(pdu, "argument", None) for pdu in client.expire(10.0)] == [model.MonitorStop(stopped)]
    again = monitor(client, B)
    assert [getattr(pdu, "argument", None) for pdu in client.expire(20.0)] == [model.MonitorStop(again)]
    assert list(client.session.monitors.values()) == [A]
    assert client.publish(held(1, B)) == []


def test_what_was_held_back_dies_with_its_monitor() -> None:
    timed = [{"what": "monitor_stop", "devices": "*", "at": 0.3}]
    client = faulty(events={"reorder_every": 1, "reorder_by": 1.0}, timed=timed)
    monitor(client)
    assert client.publish(held(1), 0.0) == []
    client.expire(0.3)
    assert numbers(client.expire(1.0)) == []


@pytest.mark.parametrize("status", ["messages_lost", "disabled", "overload_reached", "partially_disabled", 99])
def test_the_server_says_any_status_at_a_moment(status: str | int) -> None:
    client = faulty(timed=[{"what": "status", "status": status, "after": 3}])
    (said,) = statuses(client.expire(3.0))
    assert said == (status if isinstance(status, int) else Status[status.upper()])
    answer = client.ask(model.RequestSystemStatus(), 4.0)
    assert isinstance(answer, model.ReturnResult)
    now = Status.NORMAL if said == Status.MESSAGES_LOST else said  # that messages were lost is over when it is said
    assert answer.result == model.SystemStatusReported(now)


def test_a_status_lasts_for_its_time_and_is_what_the_server_says_meanwhile() -> None:
    timed = [{"what": "status", "status": "disabled", "after": 3, "seconds": 5}]
    faults = Faults.model_validate({"timed": timed})
    client = associated(config=CapConfig(status_interval=4.0, status_unanswered=0), faults=faults)
    assert [statuses(client.expire(now)) for now in (3.0, 4.0, 8.0, 12.0)] == [
        [Status.DISABLED],
        [Status.DISABLED],
        [Status.NORMAL, Status.NORMAL],
        [Status.NORMAL],
    ]
    assert client.played == ["status", "status"]


def test_events_are_lost_for_a_while_and_the_client_told_at_its_end() -> None:
    client = faulty(events={"lost_reported": True}, timed=[{"what": "lose_events", "after": 1, "seconds": 2}])
    monitor(client)
    client.expire(1.0)
    assert client.publish(held(2), 2.0) == []
    pdus = client.publish(held(1), 3.0)
    assert (numbers(pdus), statuses(pdus)) == ([1], [Status.MESSAGES_LOST])
    assert client.session.counters.withheld == 2


def test_a_half_open_link_neither_sends_nor_reads_until_it_is_over() -> None:
    client = faulty(timed=[{"what": "half_open", "after": 1, "seconds": 5}])
    monitor(client)
    client.expire(1.0)
    assert client.outputs[-1] == Reading(on=False)
    assert client.publish(held(1), 2.0) == []
    assert client.session.counters.withheld == 1
    assert client.send(model.Invoke(8, model.RequestSystemStatus()), 3.0) == []
    assert client.closed_because == ""
    assert client.session.deadline == 6.0
    (answer,) = client.expire(6.0)
    assert isinstance(answer, model.ReturnResult)  # what was not read is read now; what was not sent is lost
    assert Reading(on=True) in client.outputs
    assert numbers(client.publish(held(1), 7.0)) == [1]


def test_paused_reading_goes_on_sending() -> None:
    client = faulty(timed=[{"what": "pause_reading", "after": 1}])
    monitor(client)
    client.expire(1.0)
    assert client.send(model.Invoke(8, model.RequestSystemStatus()), 3.0) == []
    assert numbers(client.publish(held(1), 3.0)) == [1]
    assert client.expire(1e9) != [None]
    assert client.session.counters.received == 2


def test_a_timed_fault_of_pbx_time_is_past_for_whoever_comes_later() -> None:
    timed = [{"what": "cut", "at": 100.0}, {"what": "junk", "at": 50.0, "every": 40.0}]
    client = Client(CapConfig(status_interval=0), faults=Faults.model_validate({"timed": timed}))
    client.send(LOGIN, 120.0)
    assert client.session.deadline == 130.0
    client.expire(130.0)
    assert len(client.undecodable) == 1


# --- octets


def test_octets_go_out_one_by_one() -> None:
    client = faulty(transport={"fragment": 1})
    writes = [output for output in client.outputs if isinstance(output, Send)]
    assert len(writes) > 50
    assert {len(write.octets) for write in writes} == {1}


def test_writes_are_gathered_and_go_out_together() -> None:
    client = Client(faults=Faults.model_validate({"transport": {"coalesce": 0.5}}))
    assert client.send(LOGIN, 1.0) == []
    client.send(model.Invoke(1, model.RequestSystemStatus()), 1.2)
    assert client.session.deadline == 1.5
    assert len(client.expire(1.5)) == 3
    assert len([output for output in client.outputs if isinstance(output, Send)]) == 1


def test_what_is_gathered_goes_out_before_the_connection_is_closed() -> None:
    client = Client(faults=Faults.model_validate({"transport": {"coalesce": 5.0}}))
    client.send(LOGIN)
    assert [type(pdu) for pdu in client.send(model.Release(0), 0.1)] == [model.Associated, model.Invoke, model.Released]


def test_a_slow_reader_takes_only_so_many_octets_in_a_second() -> None:
    client = Client(faults=Faults.model_validate({"status": {"never": True}, "transport": {"read_octets": 100}}))
    request = client.sends.encode(codec.encode(model.Invoke(8, model.RequestSystemStatus())))
    octets = client.sends.encode(codec.encode(LOGIN)) + 20 * request
    answers = client.send_octets(octets, 0.0)
    now = 0.0
    while len(answers) < 21:
        assert client.session.deadline is not None
        now = client.session.deadline
        answers += client.expire(now)
    assert now == pytest.approx(len(octets) / 100, abs=0.2)


def test_a_closed_session_wants_nothing_more_whatever_it_has_not_read() -> None:
    client = Client(faults=Faults.model_validate({"transport": {"read_octets": 1000}}))
    client.send_octets(b"\0\0" * 1000)
    assert "length 0" in client.closed_because
    assert client.session.deadline is None


def test_each_fault_is_told_with_its_moment_and_counted() -> None:
    client = faulty(events={"duplicate_every": 1})
    cross_ref = monitor(client)
    client.publish(held(2), 12.5)
    told = [output for output in client.outputs if isinstance(output, Played)]
    name = f"Held of monitor {cross_ref.hex()}"
    assert told == [Played(12.5, "duplicate", f"{name}, call {call:04x}") for call in (1, 2)]
    assert client.session.counters.faults == {"duplicate": 2}
