"""osrec.wire.csta.xml_tree: documents that nobody should send, and those in odd encodings."""

from datetime import datetime

import pytest

from osrec.errors import UsageError, WireError
from osrec.wire.csta import xml_codec, xml_tree
from osrec.wire.csta.dialect import dialect
from osrec.wire.csta.model import (
    ConnectionCleared,
    DeviceId,
    DeviceSnapshot,
    EventReport,
    Held,
    Invoke,
    LocalState,
    MonitorStart,
    ReturnResult,
    SnapshotLeg,
)
from tests.unit.csta_xml import CALL, XML, A, held, read

BOMB = '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;&x;">]><MonitorStop>&y;</MonitorStop>'


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (BOMB, "document type declaration 'a' refused: it could define entities"),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "document type declaration 'a' refused"),
        ("<MonitorStop>&x;</MonitorStop>", "no well-formed XML: undefined entity"),
        ("<a>" * 33 + "</a>" * 33, "more than 32 elements within each other, at a"),
        ("<a>" + "<b/>" * 10_001 + "</a>", "more than 10000 elements"),
        ("<a>" + "x" * 65_527 + "</a>", "XML of 65534 octets, allowed are 65527"),
        ("<MonitorStop>", "no well-formed XML: no element found"),
        ("", "no well-formed XML: no element found"),
        ("<a/><b/>", "no well-formed XML: junk after document element"),
        ('<?xml version="1.0" encoding="klingon"?><a/>', "XML"),
        ("<a b='1' b='2'/>", "duplicate attribute"),
        ("<a>\0</a>", "not well-formed"),
    ],
)
def test_hostile_and_broken_documents_are_refused(body: str, what: str) -> None:
    with pytest.raises(WireError, match=what):
        read(body)


def test_documents_in_other_encodings_are_read() -> None:
    for encoding in ("utf-8", "utf-16", "iso-8859-1", "windows-1252"):
        text = f'<?xml version="1.0" encoding="{encoding}"?>' + held(
            device="<deviceIdentifier>N&lt;4711&gt;Müller</deviceIdentifier>"
        )
        report = XML.decode(b"9999" + text.encode(encoding)).argument  # type: ignore[union-attr]
        assert isinstance(report, EventReport)
        assert isinstance(report.event, Held)
        assert report.event.device == DeviceId("4711", name="Müller")


def test_long_device_ids_take_no_long_time() -> None:
    long = "N&lt;1&gt;" + ";a=b" * 15_000 + ";"
    request = read(f"<SnapshotDevice><snapshotObject>{long}</snapshotObject></SnapshotDevice>", 1)
    assert len(request.argument.device.number) == 60_005


def test_a_document_too_long_for_a_frame_is_refused_with_its_size() -> None:
    legs = tuple(SnapshotLeg(CALL, A, (LocalState.CONNECTED,)) for _ in range(400))
    with pytest.raises(UsageError, match=r"SnapshotDeviceResponse of \d+ octets: 16 bits of length leave 65527"):
        XML.encode(ReturnResult(1, DeviceSnapshot(legs), 74))


def test_characters_that_xml_cannot_say_are_refused_with_the_place() -> None:
    with pytest.raises(UsageError, match=r"character '\\x01' cannot be said in XML: .*47\\x01"):
        XML.encode(Invoke(1, MonitorStart(DeviceId("47\x01"))))


def test_a_document_keeps_foreign_namespaces_apart_from_ours() -> None:
    node = xml_tree.parse(b'<a xmlns="u" xmlns:p="v"><p:b c="1&lt;2"/><d xmlns="w">x&amp;y</d><e xmlns=""/></a>')
    alone = [xml_tree.fragment(child) for child in node.children]
    assert alone == [b'<p:b xmlns:p="v" c="1&lt;2"/>', b'<d xmlns="w">x&amp;y</d>', b"<e/>"]
    holder = xml_tree.element("private", *(xml_tree.parse(item) for item in alone))
    again = xml_tree.parse(xml_tree.document(holder, "u"))
    assert [xml_tree.fragment(child) for child in again.children] == alone


def test_a_cleared_connection_says_so_in_both_dialects() -> None:
    report = EventReport(
        b"\0\7",
        ConnectionCleared(connection=CALL, device=A, cause=48, local=LocalState.NULL),
        datetime(2026, 1, 2, 3, 4, 5),
        9,
    )
    asn1 = dialect("asn1", "be2")
    assert asn1.decode(asn1.encode(Invoke(1, report))) == Invoke(1, report)
    assert XML.decode(XML.encode(Invoke(1, report))) == Invoke(xml_codec.EVENT_INVOKE_ID, report)
