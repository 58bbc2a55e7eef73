"""Arguments of the services that a recorder uses, from octets and to octets; results are in results.py.

Readers take what follows the operation code, as it came: usually one SEQUENCE element, for results sometimes a NULL.
"""

from collections.abc import Callable
from typing import Any

from osrec.errors import UsageError, WireError
from osrec.wire.csta import devices, model, schema
from osrec.wire.csta.ber import element, integer, named, string, walk
from osrec.wire.csta.events import CROSS_REF, read_event_report, write_event_report
from osrec.wire.csta.model import MonitorFilter, Participation, Status
from osrec.wire.csta.snapshots import Notes, read_entries, read_legs, write_entry, write_leg

_SEQUENCE = devices.SEQUENCE
_ENUMERATED = 0x0A
_OCTET_STRING = 0x04
_BIT_STRING = 0x03
_INTEGER = 0x02
_BOOLEAN = 0x01
_DEVICE_DATA = 0x56  # [APPLICATION 22]
_CALL_DATA = 0x57  # [APPLICATION 23]
_CONTEXT = 0x80


def sequence_of(octets: bytes, what: str) -> bytes:
    items = walk(octets)
    if not items or items[0][0] != _SEQUENCE:
        raise WireError(f"{what} is {named(items[0][0]) if items else 'missing'}, expected a SEQUENCE")
    return items[0][1]


def first_of(contents: bytes, key: int, what: str) -> bytes:
    """The first member with this tag. Members that we do not know stand beside it without harm."""
    for item in walk(contents):
        if item[0] == key:
            return string(contents, item) if key in (_OCTET_STRING, CROSS_REF) else item[1]
    raise WireError(f"{what} without {named(key)}")


# --- reading arguments


def _monitor_start(octets: bytes, _: Notes) -> model.MonitorStart:
    if any(item[0] == devices.CONNECTION for item in walk(sequence_of(octets, "monitorStart"))):
        raise WireError("monitorStart of a call, only devices are monitored")
    return model.MonitorStart(_device_of(octets, "monitorStart"), _filter_of(sequence_of(octets, "monitorStart")))


def _filter_of(contents: bytes) -> MonitorFilter | None:
    asked = next((item[1] for item in walk(contents) if item[0] == _CONTEXT), None)
    if asked is None:
        return None
    bits = [item[1][1:] for item in walk(asked)]
    if not bits:
        return MonitorFilter.EMPTY
    return MonitorFilter.ONES if any(octets.strip(b"\0") for octets in bits) else MonitorFilter.ZEROS


def _device_of(octets: bytes, what: str) -> model.DeviceId:
    return devices.read_device_id(first_of(sequence_of(octets, what), _SEQUENCE, what))


def _monitor_stop(octets: bytes, _: Notes) -> model.MonitorStop:
    return model.MonitorStop(first_of(sequence_of(octets, "monitorStop"), CROSS_REF, "monitorStop"))


def _snapshot_device(octets: bytes, _: Notes) -> model.SnapshotDevice:
    return model.SnapshotDevice(_device_of(octets, "snapshotDevice"))


def connection_of(octets: bytes, what: str) -> model.ConnectionId:
    return devices.read_connection(first_of(sequence_of(octets, what), devices.CONNECTION, what))


def _snapshot_call(octets: bytes, _: Notes) -> model.SnapshotCall:
    return model.SnapshotCall(connection_of(octets, "snapshotCall"))


def _snapshot_device_data(octets: bytes, notes: Notes) -> model.SnapshotDeviceData:
    reference, data, last, segment = _segment(octets, "snapshotDeviceData", _DEVICE_DATA)
    return model.SnapshotDeviceData(reference, read_legs(data, notes), last, segment)


def _snapshot_call_data(octets: bytes, notes: Notes) -> model.SnapshotCallData:
    reference, data, last, segment = _segment(octets, "snapshotCallData", _CALL_DATA)
    return model.SnapshotCallData(reference, tuple(read_entries(data, notes)), last, segment)


def _segment(octets: bytes, what: str, data: int) -> tuple[bytes, bytes, bool, int | None]:
    """Reference, data, whether it is the last one, and its number."""
    contents = sequence_of(octets, what)
    members = {item[0]: item[1] for item in walk(contents)}
    segment = integer(members[_INTEGER]) if _INTEGER in members else None
    last = members.get(_BOOLEAN, b"\0") not in (b"", b"\0")
    return first_of(contents, _OCTET_STRING, what), members.get(data, b""), last, segment


def _system_status(octets: bytes, _: Notes) -> model.SystemStatus:
    return model.SystemStatus(status_of(first_of(sequence_of(octets, "systemStatus"), _ENUMERATED, "systemStatus")))


def status_of(contents: bytes) -> int:
    value = integer(contents)
    return Status(value) if 0 <= value <= Status.PARTIALLY_DISABLED else value


def _request_system_status(_octets: bytes, _: Notes) -> model.RequestSystemStatus:
    return model.RequestSystemStatus()


def _joining(octets: bytes, what: str, key: int) -> tuple[model.ConnectionId, model.DeviceId, Participation]:
    contents = sequence_of(octets, what)
    value = next((integer(item[1]) for item in walk(contents) if item[0] == key), Participation.ACTIVE)
    if not 0 <= value <= Participation.NONE:
        raise WireError(f"{what} with participationType {value}, known are 0..2")
    return connection_of(octets, what), _device_of(octets, what), Participation(value)


def _single_step_conference(octets: bytes, _: Notes) -> model.SingleStepConference:
    return model.SingleStepConference(*_joining(octets, "singleStepConf", _ENUMERATED))


def _join_call(octets: bytes, _: Notes) -> model.JoinCall:
    return model.JoinCall(*_joining(octets, "joinCall", _CONTEXT | 1))


def _clear_connection(octets: bytes, _: Notes) -> model.ClearConnection:
    return model.ClearConnection(connection_of(octets, "clearConnection"))


def _make_call(octets: bytes, _: Notes) -> model.MakeCall:
    numbers = [item[1] for item in walk(sequence_of(octets, "makeCall")) if item[0] == _SEQUENCE]
    if len(numbers) < 2:
        raise WireError("makeCall without callingDevice and calledDirectoryNumber")
    return model.MakeCall(devices.read_device_id(numbers[0]), devices.read_device_id(numbers[1]))


def _system_register(octets: bytes, _: Notes) -> model.SystemRegister:
    first_of(sequence_of(octets, "systemRegister"), _BIT_STRING, "systemRegister")
    return model.SystemRegister()


def _escape(octets: bytes, _notes: Notes) -> model.Escape:
    contents = sequence_of(octets, "escape")
    items = walk(contents)
    if not items:
        raise WireError("escape without private data")
    begin, end = items[-1][2:]  # before it: escapeRegisterID, security
    return model.Escape(contents[begin:end])


def _event_report(octets: bytes, notes: Notes) -> model.EventReport:
    return read_event_report(sequence_of(octets, "cSTAEventReport"), notes)


READ_ARGUMENT: dict[int, Callable[[bytes, Notes], model.Argument]] = {
    5: _clear_connection,
    10: _make_call,
    20: _single_step_conference,
    21: _event_report,
    51: _escape,
    71: _monitor_start,
    73: _monitor_stop,
    74: _snapshot_device,
    75: _snapshot_call,
    76: _snapshot_call_data,
    77: _snapshot_device_data,
    207: _system_register,
    210: _request_system_status,
    211: _system_status,
    223: _join_call,
}
# --- writing

_OPCODES: dict[type[Any], int] = {
    model.ClearConnection: 5,
    model.MakeCall: 10,
    model.SingleStepConference: 20,
    model.EventReport: 21,
    model.Escape: 51,
    model.MonitorStart: 71,
    model.MonitorStop: 73,
    model.SnapshotDevice: 74,
    model.SnapshotCall: 75,
    model.SnapshotCallData: 76,
    model.SnapshotDeviceData: 77,
    model.SystemRegister: 207,
    model.RequestSystemStatus: 210,
    model.SystemStatus: 211,
    model.JoinCall: 223,
}


def opcode_of(argument: model.Argument) -> int | None:
    """The operation that takes this argument; None when it has no number."""
    return argument.opcode if isinstance(argument, model.UnknownArgument) else _OPCODES.get(type(argument))


def write_argument(argument: model.Argument) -> tuple[int, bytes]:
    """Operation code and argument element."""
    opcode = opcode_of(argument)
    if opcode is None:
        raise UsageError(f"{type(argument).__name__} has no operation code, and an invoke needs one")
    match argument:
        case model.EventReport():
            return opcode, write_event_report(argument)
        case model.Escape(private):
            return opcode, element(0x30, private)
        case model.UnknownArgument(_, body):
            return opcode, body
    type_name, value = _WRITE_ARGUMENT[type(argument)](argument)
    return opcode, schema.encode(type_name, value)


def _joining_values(
    connection: model.ConnectionId, device: tuple[str, model.DeviceId], how: Participation
) -> dict[str, Any]:
    name, joining = device
    return {
        "activeCall": devices.write_connection(connection),
        name: devices.write_device_id(joining),
        "participationType": int(how),
    }


def _segment_values(it: model.SnapshotDeviceData | model.SnapshotCallData) -> dict[str, Any]:
    number = {} if it.segment is None else {"segmentID": it.segment}
    return {"serviceCrossRefID": it.service_cross_ref, **number, "lastSegment": it.last}


_SYSTEM_STATUS_ONLY = (b"\x80", 1)  # requestTypes {systemStatus}

_FILTERED = {  # bits of each category of events, in the lengths that HiPath's client sends
    "callControl": 18,
    "callAssociated": 5,
    "mediaAttachment": 2,
    "physicalDeviceFeature": 11,
    "logicalDeviceFeature": 14,
    "maintenance": 3,
    "voiceUnit": 7,
    "private": 1,
}


def _write_filter(asked: MonitorFilter) -> dict[str, tuple[bytes, int]]:
    if asked is MonitorFilter.EMPTY:
        return {}
    return {name: (_bits(count, asked is MonitorFilter.ONES), count) for name, count in _FILTERED.items()}


def _bits(count: int, value: bool) -> bytes:
    octets = -(-count // 8)
    return (((1 << count) - 1 if value else 0) << 8 * octets - count).to_bytes(octets, "big")


_WRITE_ARGUMENT: dict[type[Any], Callable[[Any], tuple[str, Any]]] = {
    model.MonitorStart: lambda it: (
        "MonitorStartArgument",
        {"monitorObject": ("deviceObject", devices.write_device_id(it.device)), "monitorType": 1}
        | ({} if it.filter is None else {"requestedMonitorFilter": _write_filter(it.filter)}),
    ),
    model.MonitorStop: lambda it: ("MonitorStopArgument", {"crossRefIdentifier": it.cross_ref}),
    model.SnapshotDevice: lambda it: (
        "SnapshotDeviceArgument",
        {"snapshotObject": devices.write_device_id(it.device)},
    ),
    model.SnapshotCall: lambda it: (
        "SnapshotCallArgument",
        {"snapshotObject": devices.write_connection(it.connection)},
    ),
    model.SnapshotDeviceData: lambda it: (
        "SnapshotDeviceDataArgument",
        _segment_values(it) | {"snapshotData": [write_leg(leg) for leg in it.legs]},
    ),
    model.SnapshotCallData: lambda it: (
        "SnapshotCallDataArgument",
        _segment_values(it) | {"snapshotData": [write_entry(entry) for entry in it.entries]},
    ),
    model.MakeCall: lambda it: (
        "MakeCallArgument",
        {
            "callingDevice": devices.write_device_id(it.calling),
            "calledDirectoryNumber": devices.write_device_id(it.called),
        },
    ),
    model.SystemRegister: lambda _: ("SystemRegisterArgument", {"requestTypes": _SYSTEM_STATUS_ONLY}),
    model.SystemStatus: lambda it: ("SystemStatusArg", {"systemStatus": int(it.status)}),
    model.RequestSystemStatus: lambda _: ("RequestSysStatArg", {}),
    model.SingleStepConference: lambda it: (
        "SingleStepConfArgument",
        _joining_values(it.active_call, ("deviceToJoin", it.device_to_join), it.participation),
    ),
    model.JoinCall: lambda it: (
        "JoinCallArgument",
        _joining_values(it.active_call, ("joiningDevice", it.joining_device), it.participation),
    ),
    model.ClearConnection: lambda it: (
        "ClearConnectionArgument",
        {"connectionToBeCleared": devices.write_connection(it.connection)},
    ),
}
