"""Results of the services that a recorder uses, from octets and to octets."""

from collections.abc import Callable
from typing import Any

from osrec.errors import UsageError, WireError
from osrec.wire.csta import devices, model, schema
from osrec.wire.csta.ber import string, walk
from osrec.wire.csta.events import CROSS_REF
from osrec.wire.csta.services import connection_of, first_of, sequence_of, status_of
from osrec.wire.csta.snapshots import Notes, read_entries, read_legs, write_entry, write_leg

_ENUMERATED = 0x0A
_OCTET_STRING = 0x04
_BOOLEAN = 0x01
_DEVICE_DATA = 0x56  # [APPLICATION 22]
_CALL_DATA = 0x57  # [APPLICATION 23]
_CALLING, _CALLED = 0x41, 0x42
_CONTEXT = 0x80


def _monitor_started(octets: bytes, _: Notes) -> model.MonitorStarted:
    contents = sequence_of(octets, "monitorStart result")
    existing = next((item[1] not in (b"", b"\0") for item in walk(contents) if item[0] == _BOOLEAN), None)
    return model.MonitorStarted(first_of(contents, CROSS_REF, "monitorStart result"), existing)


def _no_data(_octets: bytes, _: Notes) -> model.NoData:
    return model.NoData()  # NULL, [APPLICATION 30], an empty SEQUENCE or nothing at all: all have been seen


def _device_snapshot(octets: bytes, notes: Notes) -> model.DeviceSnapshot:
    contents = sequence_of(octets, "snapshotDevice result")
    for item in walk(contents):
        if item[0] == _DEVICE_DATA:
            return model.DeviceSnapshot(read_legs(item[1], notes))
        if item[0] == _OCTET_STRING:
            return model.DeviceSnapshot((), string(contents, item))
    raise WireError("snapshotDevice result with neither data nor a cross reference")


def _call_snapshot(octets: bytes, notes: Notes) -> model.CallSnapshot:
    contents = sequence_of(octets, "snapshotCall result")
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
    return model.SystemStatusReported(status_of(first_of(sequence_of(octets, what), _ENUMERATED, what)))


def _call_made(octets: bytes, _notes: Notes) -> model.CallMade:
    linkage = None
    for key, inner, _, _ in walk(sequence_of(octets, "makeCall result")):
        if key == _CONTEXT | 2:
            linkage = devices.read_linkage(inner)
    return model.CallMade(connection_of(octets, "makeCall result"), linkage)


def _registered(octets: bytes, _: Notes) -> model.SystemRegistered:
    what = "systemRegister result"
    return model.SystemRegistered(first_of(sequence_of(octets, what), _OCTET_STRING, what))


def _conference_joined(octets: bytes, _notes: Notes) -> model.ConferenceJoined:
    linkage = None
    for key, inner, _, _ in walk(sequence_of(octets, "conference result")):
        if key == _CONTEXT | 1:
            linkage = devices.read_linkage_list(inner)[0]
    return model.ConferenceJoined(connection_of(octets, "conference result"), linkage)


READ_RESULT: dict[int, Callable[[bytes, Notes], model.Result]] = {
    5: _no_data,
    10: _call_made,
    20: _conference_joined,
    51: _no_data,
    71: _monitor_started,
    73: _no_data,
    74: _device_snapshot,
    75: _call_snapshot,
    207: _registered,
    210: _status_reported,
    211: _no_data,
    223: _conference_joined,
}


# --- writing


def write_result(result: model.Result, opcode: int | None) -> tuple[int | None, bytes]:
    """Operation code (the result's own when the caller gives none) and result element."""
    if isinstance(result, model.UnknownArgument):
        return result.opcode if opcode is None else opcode, result.body
    if isinstance(result, model.NoData):
        return opcode, b"" if opcode is None else b"\x05\x00"
    if isinstance(result, model.SessionTimerReset):
        raise UsageError("SessionTimerReset exists in XML only")
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


def _write_made(it: model.CallMade) -> tuple[int, str, Any]:
    value: dict[str, Any] = {"callingDevice": devices.write_connection(it.connection)}
    if it.linkage is not None:
        value["callLinkageData"] = devices.write_linkage(it.linkage)
    return 10, "MakeCallResult", value


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
    model.SystemRegistered: lambda it: (207, "SystemRegisterResult", {"sysStatRegisterID": it.register_id}),
    model.ConferenceJoined: _write_joined,
    model.CallMade: _write_made,
}
