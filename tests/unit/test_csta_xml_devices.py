"""osrec.wire.csta.identifiers and xml_devices: text for octets, and device ids in every form."""

import pytest

from osrec.errors import UsageError
from osrec.wire.csta import model
from osrec.wire.csta.dialect import dialect
from osrec.wire.csta.identifiers import read_identifier, write_identifier
from osrec.wire.csta.model import (
    ConnectionId,
    DeviceId,
    Invoke,
    MakeCall,
    MonitorStart,
    NumberKind,
)
from tests.unit.csta_xml import XML, A, read


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("FF000100", b"\xff\0\1\0"),
        ("1169730059", b"\x11\x69\x73\x00\x59"),
        ("ff00", b"xml:ff00"),
        ("123", b"xml:123"),
        ("27ss", b"xml:27ss"),
        ("", b""),
        ("786D6C3A7A", b"xml:786D6C3A7A"),  # the octets of it would be the mark and a z
        ("z", b"xml:z"),
    ],
)
def test_identifiers_come_back_as_the_text_they_were(text: str, octets: bytes) -> None:
    assert read_identifier(text) == octets
    assert write_identifier(octets) == text


@pytest.mark.parametrize(
    ("text", "device"),
    [
        ("4711", DeviceId("4711")),
        ("N<302118840101>;displayNumber=302118840101;noa=nk", DeviceId("302118840101")),
        ("N<4711>Müller, Ida;noa=nk", DeviceId("4711", name="Müller, Ida")),
        ("N<4711>R&D;Lab", DeviceId("4711", name="R&D;Lab")),
        ("tel:+492118840101;phone-context=example", DeviceId("+492118840101")),
        ("tel:4711", DeviceId("4711")),
        ("sip:4711@pbx.example;user=phone", DeviceId("4711")),
        ("sips:4711@pbx.example:5061", DeviceId("4711")),
        ("*72#", DeviceId("*72#")),
        ("N<4711", DeviceId("N<4711")),  # none of the forms: the number as it stands
    ],
)
def test_device_ids_are_read_in_every_form_and_sent_back_the_same(text: str, device: DeviceId) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;")
    request = read(f"<SnapshotDevice><snapshotObject>{escaped}</snapshotObject></SnapshotDevice>", 1)
    assert request.argument.device == device
    assert f"<snapshotObject>{escaped.replace('>', '&gt;')}</snapshotObject>".encode() in XML.encode(request)


@pytest.mark.parametrize(
    ("said", "kind", "ton"),
    [
        ("deviceNumber", NumberKind.DEVICE, None),
        ("implicitPublic", NumberKind.IMPLICIT_PUBLIC, None),
        ("explicitPublic:international", NumberKind.EXPLICIT_PUBLIC, 1),
        ("explicitPrivate:pTNSpecificNumber", NumberKind.EXPLICIT_PRIVATE, 4),
        ("other", NumberKind.OTHER, None),
    ],
)
def test_types_of_number_are_said_as_attribute(said: str, kind: NumberKind, ton: int | None) -> None:
    request = read(
        f'<SnapshotDevice><snapshotObject typeOfNumber="{said}">47</snapshotObject></SnapshotDevice>',
        1,
    )
    assert request.argument.device == DeviceId("47", kind, ton)
    assert f'typeOfNumber="{said}"'.encode() in XML.encode(request)


def test_an_unknown_type_of_number_is_named() -> None:
    wrong = read('<SnapshotDevice><snapshotObject typeOfNumber="odd">1</snapshotObject></SnapshotDevice>', 1)
    assert wrong.argument.reason == "snapshotObject has type of number 'odd', which is not known [ECMA-323]"
    with pytest.raises(UsageError, match="type of number 9 of '1'"):
        XML.encode(Invoke(1, MonitorStart(DeviceId("1", NumberKind.EXPLICIT_PUBLIC, 9))))


def test_a_dynamic_device_id_is_octets_as_in_asn1() -> None:
    dynamic = ConnectionId(b"\1\2", b"\xaa\xbb")
    sent = XML.encode(Invoke(1, model.ClearConnection(dynamic)))
    assert b'<callID>0102</callID><deviceID typeOfNumber="dynamic">AABB</deviceID>' in sent
    assert XML.decode(sent) == Invoke(1, model.ClearConnection(dynamic))


@pytest.mark.parametrize("form", ["tel:{number}", "N<{number}>", "sip:{number}@pbx.example"])
def test_device_ids_of_our_own_take_the_configured_form(form: str) -> None:
    speaks = dialect("xml", "xml8", device_form=form)
    sent = speaks.encode(Invoke(1, MonitorStart(A)))
    assert form.format(number="4711").replace("<", "&lt;").replace(">", "&gt;").encode() in sent
    assert XML.decode(sent) == Invoke(1, MonitorStart(A))
    dialled = speaks.encode(Invoke(1, MakeCall(DeviceId("9001"), DeviceId("*41*4711"))))
    assert b"<calledDirectoryNumber>*41*4711</calledDirectoryNumber>" in dialled  # digits, no device
