"""Agents' events travel in both encodings, and are read as what they are."""

from osrec.wire.csta import model
from osrec.wire.csta.dialect import dialect
from osrec_emulators.pbx.agent_events import AgentState, agent_event, agent_event_in_xml


def test_an_agents_event_is_read_from_ber_as_category_4() -> None:
    asn1 = dialect("asn1", "be2")
    event = agent_event("3100", AgentState.NOT_READY)
    pdu = model.Invoke(7, model.EventReport(b"\x01\x02", event))
    assert asn1.decode(asn1.encode(pdu)) == pdu
    assert event.body == bytes.fromhex("6308 3006 8004 33313030")


def test_an_agents_event_is_read_from_xml_as_the_same() -> None:
    xml = dialect("xml", "xml8", edition=5)
    event = agent_event_in_xml("3100", agent_event("3100", AgentState.READY), b"\x01\x02", 5)
    read = xml.decode(xml.encode(model.Invoke(7, model.EventReport(b"\x01\x02", event))))
    assert isinstance(read, model.Invoke)
    assert isinstance(read.argument, model.EventReport)
    assert isinstance(read.argument.event, model.OtherEvent)
    assert read.argument.cross_ref == b"\x01\x02"
    assert (read.argument.event.category, read.argument.event.tag) == (4, 4)
    assert b"<deviceIdentifier>3100</deviceIdentifier>" in read.argument.event.body
