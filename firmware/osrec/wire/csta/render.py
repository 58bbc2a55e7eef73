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
from osrec.wire.csta.identifiers import octets_text
from osrec.wire.csta.render_events import connection_text, device_text, report_text
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
        case model.Associate(password=password, session=session) if not secrets:
            if password is not None:
                value["password"] = MASK
            if session is not None and session.specific is not None:
                value["session"]["specific"] = MASK
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
        case model.ReturnError(invoke_id, category, value, said):
            text = f"error {invoke_id} {error_name(category, value)}" + ("" if said is None else f" {said!r}")
        case model.Reject(invoke_id, kind, problem):
            text = f"reject {'?' if invoke_id is None else invoke_id} {reject_name(kind, problem)}"
        case model.Associate():
            text = _associate(pdu, secrets)
        case model.Associated():
            text = _associated(pdu)
        case model.Release(reason, session):
            text = f"RLRQ{'' if reason is None else f' reason {reason}'}{_of(session)}"
        case model.Released(reason):
            text = f"RLRE{'' if reason is None else f' reason {reason}'}"
        case model.Abort(source, diagnostic, session):
            text = f"ABRT by the {'user' if source == 0 else 'provider'}: {abort_name(diagnostic)}{_of(session)}"
    return text


def _associate(pdu: model.Associate, secrets: bool) -> str:
    if pdu.session is not None:
        return f"StartApplicationSession {_session(pdu.session, secrets)}"
    text = f"AARQ context {pdu.context} version {_bits(pdu.version)}"
    if pdu.name is None:
        return f"{text}, no authentication"
    password = (pdu.password or b"").decode("latin-1") if secrets else MASK
    return f"{text}, name {pdu.name.decode('latin-1')!r} password {password!r}"


def _session(session: model.Session, secrets: bool) -> str:
    facts = [f"application {session.application!r}"] if session.application else []
    if session.id is not None:
        facts.append(f"id {session.id!r}")
    facts += [f"version {version}" for version in session.versions]
    if session.seconds is not None:
        facts.append(f"{session.seconds} s")
    if session.specific is not None:
        facts.append(f"specific {session.specific.decode('utf-8', 'replace') if secrets else MASK}")
    return ", ".join(facts)


def _associated(pdu: model.Associated) -> str:
    result = ASSOCIATE_RESULTS.get(pdu.result, f"result {pdu.result}")
    if pdu.session is not None:
        return f"StartApplicationSession {result}, {_session(pdu.session, secrets=False)}"
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
            text = report_text(argument)
        case model.UnknownArgument():
            text = _unknown(argument)
        case model.SystemStatus(status):
            text = status_name(status)
        case model.RequestSystemStatus() | model.SystemRegister():
            text = ""
        case model.ResetSessionTimer(session, seconds):
            text = f"resetApplicationSessionTimer session {session!r}{_for(seconds)}"
        case _:
            text = _request(argument)
    return f" {text}" if text else ""


def _request(argument: model.Argument) -> str:
    match argument:
        case model.MonitorStart(device) | model.SnapshotDevice(device):
            text = device_text(device)
        case model.MonitorStop(cross_ref):
            text = f"xref {octets_text(cross_ref)}"
        case model.SnapshotDeviceData(ref, legs, last):
            text = f"reference {octets_text(ref)}{' (last)' if last else ''}: {_legs(legs)}"
        case model.SnapshotCall(connection) | model.ClearConnection(connection):
            text = connection_text(connection)
        case model.SnapshotCallData(ref, entries, last):
            text = f"reference {octets_text(ref)}{' (last)' if last else ''}: {'; '.join(map(_entry, entries))}"
        case model.MakeCall(calling, called):
            text = f"{device_text(calling)} to {device_text(called)}"
        case model.SingleStepConference(call, device, how) | model.JoinCall(call, device, how):
            text = f"{device_text(device)} to {connection_text(call)}, {how.name.lower()}"
        case model.Escape(private):
            text = f"private {octets_text(private)}"
        case _:
            text = ""
    return text


def _result(result: model.Result) -> str:
    match result:
        case model.MonitorStarted(cross_ref):
            text = f"xref {octets_text(cross_ref)}"
        case model.DeviceSnapshot(legs, ref):
            text = _legs(legs) if ref is None else f"follows under reference {octets_text(ref)}"
        case model.CallSnapshot(entries, calling, called):
            parties = f"calling {device_text(calling)}, called {device_text(called)}: "
            text = parties + "; ".join(map(_entry, entries))
        case model.SystemStatusReported(status):
            text = status_name(status)
        case model.ConferenceJoined(connection) | model.CallMade(connection):
            text = connection_text(connection)
        case model.SystemRegistered(register_id):
            text = f"register {octets_text(register_id)}"
        case model.SessionTimerReset(seconds):
            text = f"session timer reset{_for(seconds)}"
        case model.NoData():
            text = "done"
        case model.UnknownArgument():
            text = _unknown(result)
    return f" {text}"


def _of(session: str | None) -> str:
    return "" if session is None else f" of session {session!r}"


def _for(seconds: int | None) -> str:
    return "" if seconds is None else f" for {seconds} s"


def _unknown(argument: model.UnknownArgument) -> str:
    return f"{octets_text(argument.body) or 'nothing'} ({argument.reason})"


def _legs(legs: tuple[model.SnapshotLeg, ...]) -> str:
    return "; ".join(_leg(leg) for leg in legs) or "no calls"


def _leg(leg: model.SnapshotLeg) -> str:
    states = "/".join(state.name.lower() for state in leg.states) or "state unknown"
    return f"{connection_text(leg.connection)} {states}, with {device_text(leg.endpoint)}"


def _entry(entry: model.CallSnapshotEntry) -> str:
    state = "state unknown" if entry.state is None else entry.state.name.lower()
    return f"{device_text(entry.device)} {state}"
