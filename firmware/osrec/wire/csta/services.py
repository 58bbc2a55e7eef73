"""Arguments and results of the services that a recorder uses, from octets and to octets.

Readers take what follows the operation code, as it came: usually one SEQUENCE element, for results sometimes a NULL.
"""

from collections.abc import Callable
from typing import Any

from osrec.errors import UsageError, WireError
from osrec.wire.csta import devices, model, schema
from osrec.wire.csta.ber import element, integer, named, string, walk
from osrec.wire.csta.events import CROSS_REF, read_event_report, write_event_report
from osrec.wire.csta.model import Participation, Status
from osrec.wire.csta.snapshots import Notes, read_entries, read_legs, write_entry, write_leg

_SEQUENCE = devices.SEQUENCE
_ENUMERATED = 0x0A
_OCTET_STRING = 0x04
_INTEGER = 0x02
_BOOLEAN = 0x01
_DEVICE_DATA = 0x56  # [APPLICATION 22]
_CALL_DATA = 0x57  # [APPLICATION 23]
_CALLING, _CALLED = 0x41, 0x42
_CONTEXT = 0x80


def _sequence(octets: bytes, what: str) -> bytes:
    items = walk(octets)
    if not items or items[0][0] != _SEQUENCE:
        raise WireError(f"{what} is {named(items[0][0]) if items else 'missing'}, expected a SEQUENCE")
    return items[0][1]


def _first(contents: bytes, key: int, what: str) -> bytes:
    """The first member with this tag. Members that we do not know stand beside it without harm."""
    for item in walk(contents):
        if item[0] == key:
            return string(contents, item) if key in (_OCTET_STRING, CROSS_REF) else item[1]
    raise WireError(f"{what} without {named(key)}")


# --- reading arguments


def _monitor_start(octets: bytes, _: Notes) -> model.MonitorStart:
    return model.MonitorStart(_device_of(octets, "monitorStart"))


def _device_of(octets: bytes, what: str) -> model.DeviceId:
    return devices.read_device_id(_first(_sequence(octets, what), _SEQUENCE, what))


def _monitor_stop(octets: bytes, _: Notes) -> model.MonitorStop:
    return model.MonitorStop(_first(_sequence(octets, "monitorStop"), CROSS_REF, "monitorStop"))


def _snapshot_device(octets: bytes, _: Notes) -> model.SnapshotDevice:
    return model.SnapshotDevice(_device_of(octets, "snapshotDevice"))


def _connection_of(octets: bytes, what: str) -> model.ConnectionId:
    return devices.read_connection(_first(_sequence(octets, what), devices.CONNECTION, what))


def _snapshot_call(octets: bytes, _: Notes) -> model.SnapshotCall:
    return model.SnapshotCall(_connection_of(octets, "snapshotCall"))


def _snapshot_device_data(octets: bytes, notes: Notes) -> model.SnapshotDeviceData:
    contents = _sequence(octets, "snapshotDeviceData")
    members = {item[0]: item[1] for item in walk(contents)}
    segment = integer(members[_INTEGER]) if _INTEGER in members else None
    return model.SnapshotDeviceData(
        _first(contents, _OCTET_STRING, "snapshotDeviceData"),
        read_legs(members.get(_DEVICE_DATA, b""), notes),
        last=members.get(_BOOLEAN, b"\0") not in (b"", b"\0"),
        segment=segment,
    )


def _system_status(octets: bytes, _: Notes) -> model.SystemStatus:
    return model.SystemStatus(_status(_first(_sequence(octets, "systemStatus"), _ENUMERATED, "systemStatus")))


def _status(contents: bytes) -> int:
    value = integer(contents)
    return Status(value) if 0 <= value <= Status.PARTIALLY_DISABLED else value


def _request_system_status(_octets: bytes, _: Notes) -> model.RequestSystemStatus:
    return model.RequestSystemStatus()


def _joining(octets: bytes, what: str, key: int) -> tuple[model.ConnectionId, model.DeviceId, Participation]:
    contents = _sequence(octets, what)
    value = next((integer(item[1]) for item in walk(contents) if item[0] == key), Participation.ACTIVE)
    if not 0 <= value <= Participation.NONE:
        raise WireError(f"{what} with participationType {value}, known are 0..2")
    return _connection_of(octets, what), _device_of(octets, what), Participation(value)


def _single_step_conference(octets: bytes, _: Notes) -> model.SingleStepConference:
    return model.SingleStepConference(*_joining(octets, "singleStepConf", _ENUMERATED))


def _join_call(octets: bytes, _: Notes) -> model.JoinCall:
    return model.JoinCall(*_joining(octets, "joinCall", _CONTEXT | 1))


def _clear_connection(octets: bytes, _: Notes) -> model.ClearConnection:
    return model.ClearConnection(_connection_of(octets, "clearConnection"))


def _escape(octets: bytes, _notes: Notes) -> model.Escape:
    contents = _sequence(octets, "escape")
    items = walk(contents)
    if not items:
        raise WireError("escape without private data")
    begin, end = items[-1][2:]  # before it: escapeRegisterID, security
    return model.Escape(contents[begin:end])


def _event_report(octets: bytes, notes: Notes) -> model.EventReport:
    return read_event_report(_sequence(octets, "cSTAEventReport"), notes)


# --- reading results


def _monitor_started(octets: bytes, _: Notes) -> model.MonitorStarted:
    contents = _sequence(octets, "monitorStart result")
    existing = next((item[1] not in (b"", b"\0") for item in walk(contents) if item[0] == _BOOLEAN), None)
    return model.MonitorStarted(_first(contents, CROSS_REF, "monitorStart result"), existing)


def _no_data(_octets: bytes, _: Notes) -> model.NoData:
    return model.NoData()  # NULL, [APPLICATION 30], an empty SEQUENCE or nothing at all: all have been seen


def _device_snapshot(octets: bytes, notes: Notes) -> model.DeviceSnapshot:
    contents = _sequence(octets, "snapshotDevice result")
    for item in walk(contents):
        if item[0] == _DEVICE_DATA:
            return model.DeviceSnapshot(read_legs(item[1], notes))
        if item[0] == _OCTET_STRING:
            return model.DeviceSnapshot((), string(contents, item))
    raise WireError("snapshotDevice result with neither data nor a cross reference")


def _call_snapshot(octets: bytes, notes: Notes) -> model.CallSnapshot:
    contents = _sequence(octets, "snapshotCall result")
    entries: list[model.CallSnapshotEntry] = []
    calling = called = linkage = cross_ref = None
    for item in walk(contents):
        key, inner = item[0], item[1]
        if key == _CALL_DATA:
            entries = read_entries(inner, notes)
        elif key == _CONTEXT:
            cross_ref = string(contents, item)
        elif key == _CALLING:
            calling = devices.read_device(inner)
        elif key == _CALLED:
            called = devices.read_device(inner)
        elif key == _CONTEXT | 2:
            linkage = devices.read_linkage(inner)
    return model.CallSnapshot(tuple(entries), calling, called, linkage, cross_ref)


def _status_reported(octets: bytes, _: Notes) -> model.SystemStatusReported:
    what = "requestSystemStatus result"
    return model.SystemStatusReported(_status(_first(_sequence(octets, what), _ENUMERATED, what)))


def _conference_joined(octets: bytes, _notes: Notes) -> model.ConferenceJoined:
    linkage = None
    for key, inner, _, _ in walk(_sequence(octets, "conference result")):
        if key == _CONTEXT | 1:
            linkage = devices.read_linkage_list(inner)[0]
    return model.ConferenceJoined(_connection_of(octets, "conference result"), linkage)


READ_ARGUMENT: dict[int, Callable[[bytes, Notes], model.Argument]] = {
    5: _clear_connection,
    20: _single_step_conference,
    21: _event_report,
    51: _escape,
    71: _monitor_start,
    73: _monitor_stop,
    74: _snapshot_device,
    75: _snapshot_call,
    77: _snapshot_device_data,
    210: _request_system_status,
    211: _system_status,
    223: _join_call,
}
READ_RESULT: dict[int, Callable[[bytes, Notes], model.Result]] = {
    5: _no_data,
    20: _conference_joined,
    51: _no_data,
    71: _monitor_started,
    73: _no_data,
    74: _device_snapshot,
    75: _call_snapshot,
    210: _status_reported,
    211: _no_data,
    223: _conference_joined,
}


# --- writing

_OPCODES: dict[type[Any], int] = {
    model.ClearConnection: 5,
    model.SingleStepConference: 20,
    model.EventReport: 21,
    model.Escape: 51,
    model.MonitorStart: 71,
    model.MonitorStop: 73,
    model.SnapshotDevice: 74,
    model.SnapshotCall: 75,
    model.SnapshotDeviceData: 77,
    model.RequestSystemStatus: 210,
    model.SystemStatus: 211,
    model.JoinCall: 223,
}


def opcode_of(argument: model.Argument) -> int | None:
    """The operation that takes this argument."""
    return argument.opcode if isinstance(argument, model.UnknownArgument) else _OPCODES[type(argument)]


def write_argument(argument: model.Argument) -> tuple[int, bytes]:
    """Operation code and argument element."""
    opcode = opcode_of(argument)
    if opcode is None:
        raise UsageError("an invoke needs an operation code")
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


_WRITE_ARGUMENT: dict[type[Any], Callable[[Any], tuple[str, Any]]] = {
    model.MonitorStart: lambda it: (
        "MonitorStartArgument",
        {"monitorObject": ("deviceObject", devices.write_device_id(it.device)), "monitorType": 1},
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
        {
            "serviceCrossRefID": it.service_cross_ref,
            **({} if it.segment is None else {"segmentID": it.segment}),
            "lastSegment": it.last,
            "snapshotData": [write_leg(leg) for leg in it.legs],
        },
    ),
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


def write_result(result: model.Result, opcode: int | None) -> tuple[int | None, bytes]:
    """Operation code (the result's own when the caller gives none) and result element."""
    if isinstance(result, model.UnknownArgument):
        return result.opcode if opcode is None else opcode, result.body
    if isinstance(result, model.NoData):
        return opcode, b"" if opcode is None else b"\x05\x00"
    own, type_name, value = _WRITE_RESULT[type(result)](result)
    opcode = own if opcode is None else opcode
    if opcode is None:
        raise UsageError(f"a result {type(result).__name__} needs the operation code that it answers")
    return opcode, schema.encode(type_name, value)


def _write_call_snapshot(it: model.CallSnapshot) -> tuple[int, str, Any]:
    data: Any = ("serviceCrossRefID", it.service_cross_ref)
    if it.service_cross_ref is None:
        data = ("snapshotData", [write_entry(entry) for entry in it.entries])
    value: dict[str, Any] = {"crossRefIDorSnapshotData": data}
    if it.calling is not None:
        value["callingDevice"] = devices.write_device(it.calling)
    if it.called is not None:
        value["calledDevice"] = devices.write_device(it.called)
    if it.linkage is not None:
        value["callLinkageData"] = devices.write_linkage(it.linkage)
    return 75, "SnapshotCallResult", value


def _write_joined(it: model.ConferenceJoined) -> tuple[None, str, Any]:
    value: dict[str, Any] = {"conferencedCall": devices.write_connection(it.connection)}
    if it.linkage is not None:
        value["callLinkageDataList"] = devices.write_linkage_list(it.linkage, None)
    return None, "ConferenceResult", value


def _write_device_snapshot(it: model.DeviceSnapshot) -> tuple[int, str, Any]:
    data: Any = ("serviceCrossRefID", it.service_cross_ref)
    if it.service_cross_ref is None:
        data = ("snapshotData", [write_leg(leg) for leg in it.legs])
    return 74, "SnapshotDeviceResult", {"crossRefIDorSnapshotData": data}


def _write_started(it: model.MonitorStarted) -> tuple[int, str, Any]:
    existing = {} if it.existing_calls is None else {"monitorExistingCalls": it.existing_calls}
    return 71, "MonitorStartResult", {"crossRefIdentifier": it.cross_ref, **existing}


_WRITE_RESULT: dict[type[Any], Callable[[Any], tuple[int | None, str, Any]]] = {
    model.MonitorStarted: _write_started,
    model.DeviceSnapshot: _write_device_snapshot,
    model.CallSnapshot: _write_call_snapshot,
    model.SystemStatusReported: lambda it: (210, "RequestSysStatRes", {"systemStatus": int(it.status)}),
    model.ConferenceJoined: _write_joined,
}
