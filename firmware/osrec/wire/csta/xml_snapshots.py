"""Snapshots in CSTA XML: the calls of a device and the devices of a call, at once or in segments."""

from collections.abc import Callable
from typing import TypeVar

from osrec.errors import UsageError, WireError
from osrec.wire.csta import model
from osrec.wire.csta.identifiers import read_identifier, write_identifier
from osrec.wire.csta.model import CallSnapshotEntry, LocalState, SnapshotLeg
from osrec.wire.csta.snapshots import nibbles, simple_value
from osrec.wire.csta.xml_devices import (
    Style,
    read_connection,
    read_device,
    read_linkage,
    write_connection,
    write_device,
    write_linkage,
)
from osrec.wire.csta.xml_names import LOCAL_STATES, SIMPLE_STATES
from osrec.wire.csta.xml_tree import Node, element
from osrec.wire.csta.xml_values import read_boolean, read_number, write_boolean

Entry = TypeVar("Entry")
Notes = list[str]
_REFERENCE = "serviceCrossRefID"
_DATA = "snapshotData"
_CHOICE = "crossRefIDorSnapshotData"
_STATES = frozenset(map(int, LocalState))


# --- reading


def read_device_snapshot(root: Node, notes: Notes) -> model.DeviceSnapshot:
    data, reference = _chosen(root)
    return model.DeviceSnapshot(() if data is None else _each(data, notes, _leg), reference)


def read_call_snapshot(root: Node, notes: Notes) -> model.CallSnapshot:
    data, reference = _chosen(root)
    calling, called, linkage = (root.child(name) for name in ("callingDevice", "calledDevice", "callLinkageData"))
    return model.CallSnapshot(
        () if data is None else _each(data, notes, _entry),
        None if calling is None else read_device(calling),
        None if called is None else read_device(called),
        None if linkage is None else read_linkage(linkage),
        reference,
    )


def _chosen(root: Node) -> tuple[Node | None, bytes | None]:
    choice = root.child(_CHOICE) or root
    data, reference = choice.child(_DATA), choice.child(_REFERENCE)
    if data is None and reference is None:
        raise WireError(f"{root.name} with neither {_DATA} nor {_REFERENCE}", "ECMA-323")
    return data, None if reference is None else read_identifier(reference.value())


def read_device_data(root: Node, notes: Notes) -> model.SnapshotDeviceData:
    reference, last, segment = _segment(root)
    data = root.child(_DATA)
    return model.SnapshotDeviceData(reference, () if data is None else _each(data, notes, _leg), last, segment)


def read_call_data(root: Node, notes: Notes) -> model.SnapshotCallData:
    reference, last, segment = _segment(root)
    data = root.child(_DATA)
    return model.SnapshotCallData(reference, () if data is None else _each(data, notes, _entry), last, segment)


def _segment(root: Node) -> tuple[bytes, bool, int | None]:
    reference, last, segment = (root.child(name) for name in (_REFERENCE, "lastSegment", "segmentID"))
    if reference is None or last is None:
        raise WireError(f"{root.name} without {_REFERENCE if reference is None else 'lastSegment'}", "ECMA-323")
    number = None if segment is None else read_number(segment.value(), "segmentID")
    return read_identifier(reference.value()), read_boolean(last.value(), "lastSegment"), number


def _each(data: Node, notes: Notes, read: Callable[[Node], Entry]) -> tuple[Entry, ...]:
    """All entries that can be read."""
    entries = []
    for item in data.children:
        try:
            entries.append(read(item))
        except WireError as error:
            notes.append(f"snapshot entry left out: {error}")
    return tuple(entries)


def _leg(item: Node) -> SnapshotLeg:
    connection = item.child("connectionIdentifier") or item.child("callIdentifier")
    if connection is None:
        raise WireError("snapshot entry without connectionIdentifier", "ECMA-323")
    endpoint, linkage, state = (item.child(name) for name in ("endpointDevice", "callLinkageData", "localCallState"))
    states, simple = ((), False) if state is None else _states(state)
    return SnapshotLeg(
        read_connection(connection),
        None if endpoint is None else read_device(endpoint),
        states,
        None if linkage is None else read_linkage(linkage),
        simple,
    )


def _states(state: Node) -> tuple[tuple[LocalState, ...], bool]:
    for child in state.children:
        if child.name == "compoundCallState":
            return _compound(child), False
        if child.name in ("simpleCallState", "simpleCallDetailedState"):  # the latter in a web client of OpenScape
            value = SIMPLE_STATES.known(child.value())
            return (() if value is None else nibbles(value)), True
    return (), False


def _compound(node: Node) -> tuple[LocalState, ...]:
    """The device's own state first; ends before the first state that we do not know."""
    states: list[LocalState] = []
    for child in node.children:
        value = LOCAL_STATES.known(child.value())
        if value not in _STATES:
            break
        states.append(LocalState(value))
    return tuple(states)


def _entry(item: Node) -> CallSnapshotEntry:
    device = item.child("deviceOnCall")
    if device is None:
        raise WireError("snapshot entry without deviceOnCall", "ECMA-323")
    connection = item.child("callIdentifier") or item.child("connectionIdentifier")
    said = item.child("localConnectionState") or item.child("localConnectionInfo")
    state = None if said is None else LOCAL_STATES.known(said.value())
    return CallSnapshotEntry(
        read_device(device),
        None if connection is None else read_connection(connection),
        LocalState(state) if state in _STATES else None,
    )


# --- writing


def write_device_snapshot(name: str, snapshot: model.DeviceSnapshot, style: Style) -> Node:
    reference = snapshot.service_cross_ref
    data = None if reference is not None else _write_legs(snapshot.legs, style)
    return element(name, element(_CHOICE, _write_reference(reference), data))


def write_call_snapshot(name: str, snapshot: model.CallSnapshot, style: Style) -> Node:
    reference, form = snapshot.service_cross_ref, style.device_form
    data = None if reference is not None else _write_entries(snapshot.entries, style)
    return element(
        name,
        element(_CHOICE, _write_reference(reference), data),
        None if snapshot.calling is None else write_device("callingDevice", snapshot.calling, form),
        None if snapshot.called is None else write_device("calledDevice", snapshot.called, form),
        None if snapshot.linkage is None else write_linkage("callLinkageData", snapshot.linkage),
    )


def write_device_data(name: str, data: model.SnapshotDeviceData, style: Style) -> Node:
    return _write_segment(name, data, _write_legs(data.legs, style))


def write_call_data(name: str, data: model.SnapshotCallData, style: Style) -> Node:
    return _write_segment(name, data, _write_entries(data.entries, style))


def _write_segment(name: str, data: model.SnapshotDeviceData | model.SnapshotCallData, inner: Node) -> Node:
    return element(
        name,
        _write_reference(data.service_cross_ref),
        None if data.segment is None else element("segmentID", text=str(data.segment)),
        element("lastSegment", text=write_boolean(data.last)),
        inner,
    )


def _write_reference(reference: bytes | None) -> Node | None:
    return None if reference is None else element(_REFERENCE, text=write_identifier(reference))


def _write_legs(legs: tuple[SnapshotLeg, ...], style: Style) -> Node:
    return element(_DATA, *(_write_leg(leg, style) for leg in legs))


def _write_leg(leg: SnapshotLeg, style: Style) -> Node:
    return element(
        "snapshotDeviceResponseInfo",
        write_connection("connectionIdentifier", leg.connection),
        None if leg.endpoint is None else write_device("endpointDevice", leg.endpoint, style.device_form),
        element("localCallState", _write_states(leg)),
        None if leg.linkage is None else write_linkage("callLinkageData", leg.linkage),
    )


def _write_states(leg: SnapshotLeg) -> Node:
    if not leg.states:
        return element("unknown")
    if leg.simple:
        return element("simpleCallState", text=_simple_word(leg))
    states = [element("localConnectionState", text=LOCAL_STATES.write(state)) for state in leg.states]
    return element("compoundCallState", *states)


def _simple_word(leg: SnapshotLeg) -> str:
    value = simple_value(leg)
    word = SIMPLE_STATES.write(value)
    if word.isdecimal():
        names = "/".join(state.name for state in leg.states)
        raise UsageError(f"simpleCallState has no word for {names} (0x{value:02x})")
    return word


def _write_entries(entries: tuple[CallSnapshotEntry, ...], style: Style) -> Node:
    return element(_DATA, *(_write_entry(entry, style) for entry in entries))


def _write_entry(entry: CallSnapshotEntry, style: Style) -> Node:
    return element(
        "snapshotCallResponseInfo",
        write_device("deviceOnCall", entry.device, style.device_form),
        None if entry.connection is None else write_connection("callIdentifier", entry.connection),
        None if entry.state is None else element("localConnectionState", text=LOCAL_STATES.write(entry.state)),
    )
