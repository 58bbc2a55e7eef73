"""Logical device events of agents: category 4 of EventSpecificInfo (csta.md 2.2)."""

from enum import IntEnum

from osrec.wire.csta.identifiers import write_identifier
from osrec.wire.csta.model import OtherEvent
from osrec.wire.csta.xml_names import NUMBERED_EVENTS, namespace_of

LOGICAL_DEVICE = 4  # category of EventSpecificInfo
_SUBJECT_DEVICE_ID = 0x63  # [APPLICATION 3]
_DEVICE_ID = 0x30  # DeviceID is a SEQUENCE
_DIALING_NUMBER = 0x80
_NUMBER_LENGTH = 100  # so that every length fits into one octet


class AgentState(IntEnum):
    """What an agent does; the values are the events' tags. BUSY is only told: of a call that a queue gave."""

    BUSY = 0
    LOGGED_ON = 1
    LOGGED_OFF = 2
    NOT_READY = 3
    READY = 4
    WORKING_AFTER_CALL = 5


def agent_event(agent: str, state: AgentState) -> OtherEvent:
    """The event, with agentDevice as its only member: the others are optional."""
    number = agent.encode("ascii")[:_NUMBER_LENGTH]
    device = _tlv(_SUBJECT_DEVICE_ID, _tlv(_DEVICE_ID, _tlv(_DIALING_NUMBER, number)))
    return OtherEvent(category=LOGICAL_DEVICE, tag=int(state), body=device)


def agent_event_in_xml(agent: str, event: OtherEvent, cross_ref: bytes, edition: int) -> OtherEvent:
    """The same event as a monitor of an XML link (ECMA-323) is told of it: its body is the whole document."""
    name = next(name for name, tag in NUMBERED_EVENTS.items() if tag == (event.category, event.tag))
    body = (
        f'<{name} xmlns="{namespace_of(edition)}"><monitorCrossRefID>{write_identifier(cross_ref)}</monitorCrossRefID>'
        f"<agentDevice><deviceIdentifier>{agent}</deviceIdentifier></agentDevice></{name}>"
    )
    return OtherEvent(category=event.category, tag=event.tag, body=body.encode("ascii"))


def _tlv(tag: int, contents: bytes) -> bytes:
    return bytes((tag, len(contents))) + contents
