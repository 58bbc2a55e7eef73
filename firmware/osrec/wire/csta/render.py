"""PDUs for people (one line each) and for programs (JSON values). Secrets are masked unless asked for."""

from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from osrec.wire.csta import model
from osrec.wire.csta.causes import (
    ASSOCIATE_RESULTS,
    abort_name,
    cause_name,
    error_name,
    operation_name,
    reject_name,
    status_name,
)
from osrec.wire.csta.services import opcode_of

MASK = "***"


def as_json(pdu: model.Pdu, *, secrets: bool = False) -> dict[str, Any]:
    """Every member by its name in model.py; octets as hex, enumerated values as names, numbers beside their names."""
    value = _json(pdu)
    assert isinstance(value, dict)
    match pdu:
        case model.Invoke(_, argument):
            opcode = opcode_of(argument)
            value |= {"opcode": opcode, "operation": operation_name(opcode)}
        case model.ReturnResult(_, _, opcode):
            value["operation"] = operation_name(opcode)
        case model.ReturnError(_, category, code):
            value["error"] = error_name(category, code)
        case model.Reject(_, kind, problem):
            value["reason"] = reject_name(kind, problem)
        case model.Associate(password=password) if password is not None and not secrets:
            value["password"] = MASK
        case model.Abort(_, diagnostic):
            value["reason"] = abort_name(diagnostic)
    return value


def _json(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.name.lower()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_json(item) for item in value]
    if is_dataclass(value):
        members = {field.name: getattr(value, field.name) for field in fields(value)}
        said = {name: _json(member) for name, member in members.items() if member is not None}
        if isinstance(members.get("cause"), int):
            said["cause_name"] = cause_name(members["cause"])
        return {"type": type(value).__name__, **said}
    return value


def as_line(pdu: model.Pdu, *, secrets: bool = False) -> str:
    match pdu:
        case model.Invoke(invoke_id, argument):
            text = f"invoke {invoke_id} {operation_name(opcode_of(argument))}{_argument(argument)}"
        case model.ReturnResult(invoke_id, result, opcode):
            text = f"result {invoke_id} {operation_name(opcode)}{_result(result)}"
        case model.ReturnError(invoke_id, category, value):
            text = f"error {invoke_id} {error_name(category, value)}"
        case model.Reject(invoke_id, kind, problem):
            text = f"reject {'?' if invoke_id is None else invoke_id} {reject_name(kind, problem)}"
        case model.Associate():
            text = _associate(pdu, secrets)
        case model.Associated():
            text = _associated(pdu)
        case model.Release(reason):
            text = f"RLRQ{'' if reason is None else f' reason {reason}'}"
        case model.Released(reason):
            text = f"RLRE{'' if reason is None else f' reason {reason}'}"
        case model.Abort(source, diagnostic):
            text = f"ABRT by the {'user' if source == 0 else 'provider'}: {abort_name(diagnostic)}"
    return text


def _associate(pdu: model.Associate, secrets: bool) -> str:
    text = f"AARQ context {pdu.context} version {_bits(pdu.version)}"
    if pdu.name is None:
        return f"{text}, no authentication"
    password = (pdu.password or b"").decode("latin-1") if secrets else MASK
    return f"{text}, name {pdu.name.decode('latin-1')!r} password {password!r}"


def _associated(pdu: model.Associated) -> str:
    result = ASSOCIATE_RESULTS.get(pdu.result, f"result {pdu.result}")
    text = f"AARE {result}, diagnostic {pdu.diagnostic}, context {pdu.context or 'not given'}"
    if pdu.version is not None:
        text += f" version {_bits(pdu.version)}"
    if pdu.stamp is not None:
        text += f", stamp {pdu.stamp.decode('latin-1')!r} system {(pdu.system_version or b'').decode('latin-1')!r}"
    return text


def _bits(version: tuple[bytes, int]) -> str:
    octets, count = version
    return f"{octets.hex()}/{count}"


def _argument(argument: model.Argument) -> str:
    match argument:
        case model.EventReport():
            text = _report(argument)
        case model.MonitorStart(device) | model.SnapshotDevice(device):
            text = device_text(device)
        case model.MonitorStop(cross_ref):
            text = f"xref {cross_ref.hex()}"
        case model.SnapshotDeviceData(ref, legs, last):
            text = f"reference {ref.hex()}{' (last)' if last else ''}: {_legs(legs)}"
        case model.SnapshotCall(connection) | model.ClearConnection(connection):
            text = connection_text(connection)
        case model.SystemStatus(status):
            text = status_name(status)
        case model.RequestSystemStatus():
            text = ""
        case model.SingleStepConference(call, device, how) | model.JoinCall(call, device, how):
            text = f"{device_text(device)} to {connection_text(call)}, {how.name.lower()}"
        case model.Escape(private):
            text = f"private {private.hex()}"
        case model.UnknownArgument():
            text = _unknown(argument)
    return f" {text}" if text else ""


def _result(result: model.Result) -> str:
    match result:
        case model.MonitorStarted(cross_ref):
            text = f"xref {cross_ref.hex()}"
        case model.DeviceSnapshot(legs, ref):
            text = _legs(legs) if ref is None else f"follows under reference {ref.hex()}"
        case model.CallSnapshot(entries, calling, called):
            parties = f"calling {device_text(calling)}, called {device_text(called)}: "
            text = parties + "; ".join(_entry(entry) for entry in entries)
        case model.SystemStatusReported(status):
            text = status_name(status)
        case model.ConferenceJoined(connection):
            text = connection_text(connection)
        case model.NoData():
            text = "done"
        case model.UnknownArgument():
            text = _unknown(result)
    return f" {text}"


def _unknown(argument: model.UnknownArgument) -> str:
    return f"{argument.body.hex() or 'nothing'} ({argument.reason})"


def _legs(legs: tuple[model.SnapshotLeg, ...]) -> str:
    return "; ".join(_leg(leg) for leg in legs) or "no calls"


def _leg(leg: model.SnapshotLeg) -> str:
    states = "/".join(state.name.lower() for state in leg.states) or "state unknown"
    return f"{connection_text(leg.connection)} {states}, with {device_text(leg.endpoint)}"


def _entry(entry: model.CallSnapshotEntry) -> str:
    state = "state unknown" if entry.state is None else entry.state.name.lower()
    return f"{device_text(entry.device)} {state}"


def _report(report: model.EventReport) -> str:
    event = report.event
    if isinstance(event, model.OtherEvent):
        text = f"event [{event.category}][{event.tag}] {event.body.hex()}"
    else:
        text = ", ".join([f"{type(event).__name__} {_where(event)}", *_facts(event)])
    if report.at is not None:
        text += f", at {report.at.isoformat(sep=' ')}"
    if report.sequence is not None:
        text += f", sequence {report.sequence}"
    if report.private:
        text += f", private {' '.join(item.hex() for item in report.private)}"
    return f"xref {report.cross_ref.hex()} {text}"


def _where(event: Any) -> str:
    connection = getattr(event, "connection", None) or getattr(event, "primary", None)
    return connection_text(connection) if connection is not None else device_text(event.device)


def _facts(event: Any) -> list[str]:
    """What else the event says, in the order a reader asks for it."""
    facts = [] if event.local is None else [event.local.name.lower()]
    for name in ("device", "to", "added", "new_destination", "digits", "account"):
        value = getattr(event, name, None)
        if value is not None:
            facts.append(f"{name.replace('_', ' ')} {_text(value)}")
    parties = getattr(event, "parties", None)
    for name in parties.__dataclass_fields__ if parties is not None else ():
        value = getattr(parties, name)
        if isinstance(value, model.DeviceId) or value is model.NoDevice.RESTRICTED:
            facts.append(f"{name.replace('_', ' ')} {device_text(value)}")
    if getattr(event, "secondary", None) is not None:
        facts.append(f"secondary {connection_text(event.secondary)}")
    facts += [_linked(linked) for linked in getattr(event, "connections", ())]
    if event.cause is not None:
        facts.append(f"cause {cause_name(event.cause).removeprefix('cause ')}")
    if event.linkage is not None:
        thread = event.linkage.thread
        facts.append(f"global call {event.linkage.call.hex()}" + (f" thread {thread.hex()}" if thread else ""))
    for name in ("correlator", "user_data"):
        if getattr(event, name) is not None:
            facts.append(f"{name.replace('_', ' ')} {getattr(event, name).hex()}")
    return facts


def _linked(linked: model.LinkedConnection) -> str:
    old = "new" if linked.old is None else connection_text(linked.old)
    new = "gone" if linked.new is None else connection_text(linked.new)
    endpoint = "" if linked.endpoint is None else f" ({device_text(linked.endpoint)})"
    return f"{old} -> {new}{endpoint}"


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.hex()
    return value if isinstance(value, str) else device_text(value)


def device_text(device: model.Device | None) -> str:
    if device is None:
        return "nobody"
    if isinstance(device, model.NoDevice):
        return f"({device.value})"
    kind = "" if device.kind is model.NumberKind.DIALING else f" [{device.kind.name.lower()}]"
    return f"{device.number or '(empty)'}{kind}" + ("" if device.name is None else f" {device.name!r}")


def connection_text(connection: model.ConnectionId) -> str:
    """device@call, as in 257@b164."""
    device = connection.device
    who = device.hex() if isinstance(device, bytes) else "" if device is None else device_text(device)
    return f"{who}@{'' if connection.call_id is None else connection.call_id.hex()}"
