"""The CAP server in XML (ECMA-323), with and without application sessions (ECMA-354), and its faults."""

import re
from typing import Any

import pytest

from osrec.wire.csta import model
from osrec.wire.csta.model import DeviceId, Status
from osrec_emulators.cap.config import CapConfig
from osrec_emulators.cap.messages import Close, State
from tests.unit.cap_client import A, B, Client, monitor, report
from tests.unit.test_cap_faults import held, numbers

ED4 = "http://www.ecma-international.org/standards/ecma-323/csta/ed4"
ED9 = "http://www.ecma-international.org/standards/ecma-323/csta/ed9"


def xml(faults: dict[str, Any] | None = None, **settings: Any) -> Client:
    return Client(CapConfig.model_validate({"encoding": "xml", "framing": "xml8", "faults": faults or {}} | settings))


def without_session(faults: dict[str, Any] | None = None, **settings: Any) -> Client:
    client = xml(faults, **settings)
    client.connect()
    assert client.session.state is State.ASSOCIATED
    return client


def start(*versions: str, seconds: int | None = 60) -> model.Associate:
    return model.Associate(session=model.Session("recorder", versions or (ED4,), seconds), invoke_id=7)


def test_without_a_session_the_server_speaks_first() -> None:
    client = xml()
    (status,) = client.connect()
    assert isinstance(status, model.Invoke)
    assert status.argument == model.SystemStatus(Status.ENABLED)
    assert client.session.state is State.ASSOCIATED


def test_a_registration_is_answered_and_a_status_follows() -> None:
    answer, status = without_session().send(model.Invoke(5, model.SystemRegister()))
    assert isinstance(answer, model.ReturnResult)
    assert isinstance(answer.result, model.SystemRegistered)
    assert isinstance(status, model.Invoke)
    assert isinstance(status.argument, model.SystemStatus)


def test_where_a_session_is_required_nothing_comes_before_it() -> None:
    client = xml(session={"required": True})
    assert client.connect() == []
    assert client.send(model.Invoke(5, model.MonitorStart(DeviceId(A)))) == []
    assert "before the association" in client.closed_because


def test_a_session_is_granted_with_the_clients_first_version_that_fits() -> None:
    client = xml(session={"required": True, "seconds": 30})
    answer, status = client.send(start(ED9, ED4))
    assert isinstance(answer, model.Associated)
    assert answer.session == model.Session("", (ED4,), 30, id="1")
    assert answer.invoke_id == 7
    assert isinstance(status, model.Invoke)


def test_a_session_may_begin_after_the_first_status() -> None:
    client = without_session()
    (answer,) = client.send(start())
    assert isinstance(answer, model.Associated)
    assert answer.result == 0


@pytest.mark.parametrize(
    ("settings", "asked"), [({}, start(ED9)), ({"applications": ["other"]}, start()), ({"versions": ["ed3"]}, start())]
)
def test_a_session_that_does_not_fit_is_refused(settings: dict[str, Any], asked: model.Associate) -> None:
    client = xml(session=settings | {"required": True})
    (answer,) = client.send(asked)
    assert isinstance(answer, model.Associated)
    assert answer.result == 1
    assert any(isinstance(output, Close) for output in client.outputs)


def test_a_session_is_refused_as_declared() -> None:
    client = xml({"association": {"refuse": "transient"}}, session={"required": True})
    (answer,) = client.send(start())
    assert isinstance(answer, model.Associated)
    assert answer.result == 2


def test_a_session_that_is_not_reset_ends_and_one_that_is_goes_on() -> None:
    client = xml(session={"required": True, "seconds": 20}, status_interval=0)
    client.send(start(seconds=None))
    assert client.session.deadline == 20.0
    (answer,) = client.send(model.Invoke(9, model.ResetSessionTimer("1", 15)), 18.0)
    assert isinstance(answer, model.ReturnResult)
    assert answer.result == model.SessionTimerReset(15)
    assert client.session.deadline == 33.0
    (terminated,) = client.expire(33.0)
    assert isinstance(terminated, model.Abort)
    assert "not reset in time" in client.closed_because


@pytest.mark.parametrize("edition", [3, 4, 5])
@pytest.mark.parametrize("form", ["{number}", "tel:{number}", "N<{number}>"])
def test_each_edition_and_each_form_of_device_ids_is_spoken(edition: int, form: str) -> None:
    client = without_session(edition=edition, device_form=form)
    monitor(client)
    (pdu,) = client.publish(held(1))
    device = report(pdu).event.device  # type: ignore[union-attr]
    assert isinstance(device, DeviceId)
    assert device.number == A
    written = client.frames[-1].decode()
    assert written.startswith("9999<?xml")
    assert f"csta/ed{edition}" in written
    assert form.replace("{number}", A).replace("<", "&lt;").replace(">", "&gt;") in written


def test_an_event_of_every_flow_survives_xml() -> None:
    client = without_session()
    for device in (A, B):
        monitor(client, device)
    switch = client.world.switch
    switch.make_call(A, B)
    switch.answer(B)
    switch.consult(A, "3102")
    switch.answer("3102")
    switch.transfer(A)
    switch.clear(B)
    happened = [each for each in switch.take() if each.device in (A, B)]
    assert [report(pdu).event.cause for pdu in client.publish(happened)] == [each.event.cause for each in happened]


def test_unknown_causes_members_and_events_are_played() -> None:
    every = {"unknown_cause_every": 1, "unknown_member_every": 1, "unknown_event_every": 1}
    client = without_session({"events": every})
    monitor(client)
    first, *_ = client.publish(held(1))
    assert numbers([first]) == [1]
    spoilt, unknown = (frame.decode() for frame in client.frames[-2:])
    cause = re.search("<cause>(.*)</cause>", spoilt)
    assert cause is not None
    assert cause[1] in ("solarFlare", "4711", "new call")
    assert re.search("vendorThing|futureMember|x:y", spoilt)
    assert "HeldEvent" in spoilt
    assert re.search("<(TelepathyEvent|HologramStartedEvent)", unknown)
    assert "HeldEvent" not in unknown


def test_damage_and_junk_cannot_be_decoded() -> None:
    client = without_session({"seed": 3, "events": {"damaged_every": 2, "junk_every": 1}})
    monitor(client)
    came = numbers(client.publish(held(40)))
    assert 10 < len(came) < 30
    assert len(client.undecodable) == 40


def test_private_data_names_and_size_are_played() -> None:
    client = without_session({"events": {"private_every": 1, "eight_bit_every": 1, "oversized_every": 1}})
    monitor(client)
    (pdu,) = client.publish(held(1))
    assert len(report(pdu).private) == 2
    assert len(client.frames[-1]) > 20_000


def test_too_large_an_event_for_xml_is_noted_and_not_sent() -> None:
    client = without_session({"events": {"oversized_every": 1, "oversized_octets": 70_000}})
    monitor(client)
    assert client.publish(held(1)) == []
    assert "too_large_to_frame" in client.played


def test_the_heartbeat_ids_stay_below_those_of_events() -> None:
    client = without_session(first_invoke_id=9998, status_unanswered=0)
    ids = [pdu.invoke_id for beat in (30.0, 60.0) for pdu in client.expire(beat) if isinstance(pdu, model.Invoke)]
    assert ids == [1, 2]
