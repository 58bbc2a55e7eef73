"""Event reports in CSTA XML. The members of each event are those of ASN.1 (members.py), as elements of the same names.

As from ASN.1, every member is judged on its own: an unknown or broken one is left out with a remark.
"""

from collections.abc import Callable
from typing import Any, Final

from osrec.errors import WireError
from osrec.wire.csta import kinds
from osrec.wire.csta.events import (
    MAX_REMARKS,
    WITH_SECONDARY,
    build_event,
    event_type,
    linkages_apart,
    said,
)
from osrec.wire.csta.identifiers import read_identifier, write_identifier
from osrec.wire.csta.kinds import EventType, Kind, Member
from osrec.wire.csta.model import Device, DeviceId, Event, EventReport, LocalState, OtherEvent
from osrec.wire.csta.xml_devices import (
    Style,
    read_connection,
    read_connections,
    read_device,
    read_device_id,
    read_linkage,
    read_linkage_list,
    write_connection,
    write_connections,
    write_device,
    write_device_id,
    write_linkage,
    write_linkage_list,
    write_redirection,
)
from osrec.wire.csta.xml_extensions import Extensions, read_extensions, write_extensions
from osrec.wire.csta.xml_names import (
    CAUSES,
    EVENT,
    EVENTS,
    LOCAL_STATES,
    NUMBERED_EVENTS,
    PASSED,
    PASSED_SUFFIX,
    event_element,
    is_ours,
)
from osrec.wire.csta.xml_tree import Node, as_it_came, element, fragment
from osrec.wire.csta.xml_values import read_octets, write_octets

CROSS_REF: Final = "monitorCrossRefID"
_NO_NUMBER: Final = (-1, -1)
_BY_NAME: Final = {kind.name: {member.name: member for member in kind.members} for kind in EVENTS.values()}


def _read_state(node: Node) -> LocalState:
    return LocalState(LOCAL_STATES.read(node.value()))


def _read_cause(node: Node) -> int:
    return CAUSES.read(node.value())


def _read_data(node: Node) -> bytes:
    """correlatorData and userData hold one element, <string>; their text directly has been seen too."""
    return read_octets((node.children[0] if node.children else node).value())


def _read_octets(node: Node) -> bytes:
    return read_octets(node.value())


def _read_text(node: Node) -> str:
    return node.value()


_READ: Final[dict[Kind, Callable[[Node], Any]]] = {
    kinds.CONNECTION: read_connection,
    kinds.TAGGED: read_connection,
    kinds.CONNECTIONS: read_connections,
    kinds.DEVICE: read_device,
    kinds.REDIRECTION: read_device,
    kinds.DEVICE_ID: read_device_id,
    kinds.STATE: _read_state,
    kinds.NUMBER: _read_cause,
    kinds.OCTETS: _read_data,
    kinds.USER_DATA: _read_data,
    kinds.TEXT: _read_text,
    kinds.LINKAGE: read_linkage,
    kinds.LINKAGES: read_linkage_list,
}


def is_event(root: Node) -> bool:
    return root.name.endswith(EVENT)


def read_event_report(root: Node, notes: list[str]) -> EventReport:
    """Raises WireError when the cross reference or the event's connection cannot be read."""
    cross_ref = root.child(CROSS_REF)
    if cross_ref is None or not cross_ref.value():
        raise WireError(f"{root.name} without {CROSS_REF}", "ECMA-323")
    extensions = Extensions()
    event = _read_event(root, notes)
    if (holder := root.child("extensions")) is not None:
        read_extensions(holder, extensions, notes)
    if len(notes) > MAX_REMARKS:
        notes[MAX_REMARKS:] = [f"and {len(notes) - MAX_REMARKS} more remarks"]
    return EventReport(
        read_identifier(cross_ref.value()),
        event,
        extensions.at,
        extensions.sequence,
        tuple(extensions.private),
        tuple(notes),
    )


def _read_event(root: Node, notes: list[str]) -> Event:
    kind = EVENTS.get(root.name)
    if kind is None:
        category, tag = NUMBERED_EVENTS.get(root.name, _NO_NUMBER)
        return OtherEvent(category=category, tag=tag, body=fragment(root))
    values: dict[str, Any] = {}
    parties: dict[str, Any] = {}
    by_name = _BY_NAME[kind.name]
    seen: set[str] = set()
    for node in root.children:
        member = by_name.get(node.name) if is_ours(node.namespace) else None
        if member is None:
            if not _is_passed(node):
                notes.append(f"unknown member {node.qname[:60]} in {root.name}")
        elif member.name in seen:
            notes.append(f"member {member.name} repeated in {root.name}")
        else:
            seen.add(member.name)
            _read_member(kind, member, node, values, parties, notes)
    return build_event(kind, values, parties, notes)


def _is_passed(node: Node) -> bool:
    return is_ours(node.namespace) and (node.name in PASSED or node.name.endswith(PASSED_SUFFIX))


def _read_member(
    kind: EventType,
    member: Member,
    node: Node,
    values: dict[str, Any],
    parties: dict[str, Any],
    notes: list[str],
) -> None:
    try:
        value = _READ[member.kind](node)
    except ValueError as error:  # WireError, and a state that LocalState does not know
        notes.append(f"{member.name} in {kind.name} left out: {error}")
        return
    if member.kind is kinds.LINKAGES:
        value, old = linkages_apart(value)
        if kind.value in WITH_SECONDARY:
            values["old_linkage"] = old
    if member.attribute.startswith("parties."):
        parties[member.attribute[8:]] = value
    else:
        values[member.attribute] = value


# --- writing


def write_event_report(report: EventReport, style: Style) -> Node:
    event = report.event
    if isinstance(event, OtherEvent):
        return as_it_came(event.body, f"event category {event.category} tag {event.tag}")
    kind = event_type(event)
    written = [_write_member(member, event, value, style) for member, value in said(kind, event)]
    return element(
        event_element(kind.name),
        element(CROSS_REF, text=write_identifier(report.cross_ref)),
        *written,
        write_extensions(Extensions(report.at, report.sequence, list(report.private))),
    )


def _write_member(member: Member, event: Event, value: Any, style: Style) -> Node:
    if member.kind is kinds.LINKAGES:
        return write_linkage_list(member.name, value, getattr(event, "old_linkage", None))
    return _WRITE[member.kind](member.name, value, style)


def _write_digits(name: str, device: Device, _: Style) -> Node:
    return write_device_id(name, device if isinstance(device, DeviceId) else DeviceId(""))


_WRITE: Final[dict[Kind, Callable[[str, Any, Style], Node]]] = {
    kinds.CONNECTION: lambda name, value, _: write_connection(name, value),
    kinds.TAGGED: lambda name, value, _: write_connection(name, value),
    kinds.CONNECTIONS: lambda name, value, style: write_connections(name, value, style.device_form),
    kinds.DEVICE: lambda name, value, style: write_device(name, value, style.device_form),
    kinds.REDIRECTION: lambda name, value, style: write_redirection(name, value, style.device_form),
    kinds.DEVICE_ID: _write_digits,
    kinds.STATE: lambda name, value, _: element(name, text=LOCAL_STATES.write(value)),
    kinds.NUMBER: lambda name, value, _: element(name, text=CAUSES.write(value)),
    kinds.OCTETS: lambda name, value, _: element(name, element("string", text=write_octets(value))),
    kinds.USER_DATA: lambda name, value, _: element(name, element("string", text=write_octets(value))),
    kinds.TEXT: lambda name, value, _: element(name, text=value),
    kinds.LINKAGE: lambda name, value, _: write_linkage(name, value),
}
