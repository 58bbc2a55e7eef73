"""The list of devices in segments (operations 204 and 205), in both encodings."""

import pytest

from osrec.wire.csta import model
from osrec_emulators.cap.config import CapConfig
from osrec_emulators.cap.faults import Faults
from tests.unit.cap_client import LOGIN, Client

XML = CapConfig(encoding="xml", framing="xml8")
GET_BER = bytes.fromhex("3000")
GET_XML = (
    b'<GetSwitchingFunctionDevices xmlns="http://www.ecma-international.org/standards/ecma-323/csta/ed4">'
    b"</GetSwitchingFunctionDevices>"
)


def listed(config: CapConfig | None, **answers: object) -> list[model.Pdu]:
    """What a server of four stations answers to operation 204."""
    client = Client(config, faults=Faults.model_validate({"answers": answers}))
    client.connect()
    if config is None:
        client.send(LOGIN)
    request = model.UnknownArgument(204, GET_BER if config is None else GET_XML, "")
    return client.send(model.Invoke(77, request))


def bodies(pdus: list[model.Pdu]) -> list[bytes]:
    arguments = [pdu.argument for pdu in pdus if isinstance(pdu, model.Invoke)]
    return [each.body for each in arguments if isinstance(each, model.UnknownArgument)]


def test_the_service_is_not_offered_unless_it_is_declared() -> None:
    (answer,) = listed(None)
    assert isinstance(answer, model.ReturnError)
    assert answer.value == 50


def test_segments_follow_the_result_that_announces_them_in_ber() -> None:
    announced, *segments = listed(None, device_segments=3)
    assert isinstance(announced, model.ReturnResult)
    assert isinstance(announced.result, model.UnknownArgument)
    assert announced.result.body == bytes.fromhex("3004 0402 0002")
    three = "3008 3006 8004 3331303" + "{}"
    first = "".join(three.format(digit) for digit in "012").replace(" ", "")
    assert bodies(segments) == [
        bytes.fromhex("302a 0402 0002 0201 01 0101 00 301e" + first),
        bytes.fromhex("3016 0402 0002 0201 02 0101 ff 300a" + three.format(3)),
    ]


def test_segments_follow_the_result_that_announces_them_in_xml() -> None:
    announced, *segments = listed(XML, device_segments=3)
    assert isinstance(announced, model.ReturnResult)
    first, last = bodies(segments)
    assert first.count(b"<deviceID>") == 3
    assert b"<lastSegment>false</lastSegment>" in first
    assert b"<segmentID>2</segmentID><lastSegment>true</lastSegment>" in last
    assert b"<deviceID>3103</deviceID>" in last


@pytest.mark.parametrize("config", [None, XML])
def test_segments_may_come_first_and_the_last_may_be_lost(config: CapConfig | None) -> None:
    pdus = listed(config, device_segments=1, segments_first=True, last_segment_lost=True)
    assert [type(pdu) for pdu in pdus] == [model.Invoke] * 3 + [model.ReturnResult]
