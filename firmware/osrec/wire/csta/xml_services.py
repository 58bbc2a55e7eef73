"""Requests in CSTA XML: one element each, named after the service (ECMA-323). Responses are in xml_responses.py."""

from collections.abc import Callable
from typing import Any, Final

from osrec.errors import UsageError, WireError
from osrec.wire.csta import model
from osrec.wire.csta.identifiers import read_identifier, write_identifier
from osrec.wire.csta.model import ConnectionId, DeviceId, Participation, Status
from osrec.wire.csta.xml_devices import (
    Style,
    read_connection,
    read_device,
    read_device_id,
    write_connection,
    write_device_id,
)
from osrec.wire.csta.xml_events import CROSS_REF
from osrec.wire.csta.xml_extensions import EXTENSIONS, read_private, write_private
from osrec.wire.csta.xml_names import PARTICIPATIONS, SERVICES, SYSTEM_STATUSES
from osrec.wire.csta.xml_snapshots import (
    Notes,
    read_call_data,
    read_device_data,
    write_call_data,
    write_device_data,
)
from osrec.wire.csta.xml_tree import Node, element
from osrec.wire.csta.xml_values import write_boolean

_NO_NUMBER: Final = -1  # status whose word is not known


def required(node: Node, name: str) -> Node:
    child = node.child(name)
    if child is None:
        raise WireError(f"{node.name} without {name}", "ECMA-323")
    return child


def _device(node: Node, name: str) -> DeviceId:
    child = required(node, name)
    device = read_device(child) if child.children else read_device_id(child)
    if not isinstance(device, DeviceId):
        raise WireError(f"{name} of {node.name} is {device.value}, expected a device", "ECMA-323")
    return device


def cross_ref_of(node: Node) -> bytes:
    return read_identifier(required(node, CROSS_REF).value())


def status_of(node: Node, notes: Notes) -> int:
    said = node.child("systemStatus")
    if said is None or not said.value():
        notes.append(f"{node.name} without systemStatus taken for normal")
        return Status.NORMAL
    value = SYSTEM_STATUSES.known(said.value())
    if value is None:
        notes.append(f"system status {said.value()[:60]!r} is not known")
        return _NO_NUMBER
    return Status(value) if 0 <= value <= Status.PARTIALLY_DISABLED else value


def _participation(node: Node) -> Participation:
    said = node.child("participationType")
    if said is None:
        return Participation.ACTIVE
    value = PARTICIPATIONS.read(said.value())
    if not 0 <= value <= Participation.NONE:
        raise WireError(f"{node.name} with participationType {value}, known are 0..2", "ECMA-323")
    return Participation(value)


# --- reading requests


def _monitor_start(root: Node, _: Notes) -> model.MonitorStart:
    watched = required(root, "monitorObject")
    if watched.child("callObject") is not None:
        raise WireError("MonitorStart of a call, only devices are monitored")
    return model.MonitorStart(_device(watched, "deviceObject"))


def _monitor_stop(root: Node, _: Notes) -> model.MonitorStop:
    return model.MonitorStop(cross_ref_of(root))


def _snapshot_device(root: Node, _: Notes) -> model.SnapshotDevice:
    return model.SnapshotDevice(_device(root, "snapshotObject"))


def _snapshot_call(root: Node, _: Notes) -> model.SnapshotCall:
    return model.SnapshotCall(read_connection(required(root, "snapshotObject")))


def _system_status(root: Node, notes: Notes) -> model.SystemStatus:
    return model.SystemStatus(status_of(root, notes))


def _single_step_conference(root: Node, _: Notes) -> model.SingleStepConference:
    call = read_connection(required(root, "activeCall"))
    return model.SingleStepConference(call, _device(root, "deviceToJoin"), _participation(root))


def _join_call(root: Node, _: Notes) -> model.JoinCall:
    call = read_connection(required(root, "activeCall"))
    return model.JoinCall(call, _device(root, "joiningDevice"), _participation(root))


def _make_call(root: Node, _: Notes) -> model.MakeCall:
    return model.MakeCall(_device(root, "callingDevice"), _device(root, "calledDirectoryNumber"))


def _clear_connection(root: Node, _: Notes) -> model.ClearConnection:
    return model.ClearConnection(read_connection(required(root, "connectionToBeCleared")))


def _escape(root: Node, _: Notes) -> model.Escape:
    holder = root.child(EXTENSIONS) or root
    items = read_private(required(holder, "privateData"))
    if len(items) != 1:
        raise WireError(f"Escape with {len(items)} items of private data, expected one", "ECMA-323")
    return model.Escape(items[0])


READ_REQUEST: Final[dict[int, Callable[[Node, Notes], model.Argument]]] = {
    5: _clear_connection,
    10: _make_call,
    20: _single_step_conference,
    51: _escape,
    71: _monitor_start,
    73: _monitor_stop,
    74: _snapshot_device,
    75: _snapshot_call,
    76: read_call_data,
    77: read_device_data,
    207: lambda _root, _notes: model.SystemRegister(),
    210: lambda _root, _notes: model.RequestSystemStatus(),
    211: _system_status,
    223: _join_call,
}


# --- writing


def write_status(name: str, status: int) -> Node:
    return element(name, element("systemStatus", text=SYSTEM_STATUSES.write(status)))


def _write_joining(name: str, call: ConnectionId, device: Node, how: Participation) -> Node:
    said = element("participationType", text=PARTICIPATIONS.write(how))
    return element(name, write_connection("activeCall", call), device, said)


def _write_escape(name: str, it: model.Escape, _: Style) -> Node:
    return element(name, element(EXTENSIONS, write_private([it.private])))


def _write_register(name: str, _it: model.SystemRegister, _: Style) -> Node:
    wanted = element("systemStatus", text=write_boolean(True))
    return element(name, element("requestTypes", wanted))


def _write_monitor_start(name: str, it: model.MonitorStart, style: Style) -> Node:
    if it.filter is not None:
        raise UsageError(
            f"filter {it.filter.value!r} of MonitorStart has no place in XML: no document shows its elements"
        )
    watched = write_device_id("deviceObject", it.device, style.device_form)
    return element(name, element("monitorObject", watched), element("monitorType", text="device"))


_WRITE_REQUEST: Final[dict[type[Any], Callable[[str, Any, Style], Node]]] = {
    model.ClearConnection: lambda name, it, _: element(name, write_connection("connectionToBeCleared", it.connection)),
    model.MakeCall: lambda name, it, style: element(
        name,
        write_device_id("callingDevice", it.calling, style.device_form),
        write_device_id("calledDirectoryNumber", it.called),
    ),
    model.SingleStepConference: lambda name, it, style: _write_joining(
        name,
        it.active_call,
        write_device_id("deviceToJoin", it.device_to_join, style.device_form),
        it.participation,
    ),
    model.JoinCall: lambda name, it, style: _write_joining(
        name,
        it.active_call,
        write_device_id("joiningDevice", it.joining_device, style.device_form),
        it.participation,
    ),
    model.Escape: _write_escape,
    model.MonitorStart: _write_monitor_start,
    model.MonitorStop: lambda name, it, _: element(name, element(CROSS_REF, text=write_identifier(it.cross_ref))),
    model.SnapshotDevice: lambda name, it, style: element(
        name, write_device_id("snapshotObject", it.device, style.device_form)
    ),
    model.SnapshotCall: lambda name, it, _: element(name, write_connection("snapshotObject", it.connection)),
    model.SnapshotCallData: write_call_data,
    model.SnapshotDeviceData: write_device_data,
    model.SystemRegister: _write_register,
    model.RequestSystemStatus: lambda name, _it, _style: element(name),
    model.SystemStatus: lambda name, it, _: write_status(name, it.status),
}


def write_request(opcode: int, argument: model.Argument, style: Style) -> Node:
    return _WRITE_REQUEST[type(argument)](SERVICES[opcode], argument, style)
