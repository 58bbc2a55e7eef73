"""Event reports, devices and connections as text for people."""

from typing import Any

from osrec.wire.csta import model
from osrec.wire.csta.causes import cause_name
from osrec.wire.csta.identifiers import octets_text


def report_text(report: model.EventReport) -> str:
    event = report.event
    if isinstance(event, model.OtherEvent):
        text = f"event [{event.category}][{event.tag}] {octets_text(event.body)}"
    else:
        text = ", ".join([f"{type(event).__name__} {_where(event)}", *_facts(event)])
    if report.at is not None:
        text += f", at {report.at.isoformat(sep=' ')}"
    if report.sequence is not None:
        text += f", sequence {report.sequence}"
    if report.private:
        text += f", private {' '.join(octets_text(item) for item in report.private)}"
    return f"xref {octets_text(report.cross_ref)} {text}"


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
        facts.append(
            f"global call {octets_text(event.linkage.call)}" + (f" thread {octets_text(thread)}" if thread else "")
        )
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
    who = octets_text(device) if isinstance(device, bytes) else "" if device is None else device_text(device)
    return f"{who}@{'' if connection.call_id is None else octets_text(connection.call_id)}"
