"""Identifiers: devices, connections, linkage (ECMA-285): from octets to values, and to what asn1tools encodes."""

from typing import Any

from osrec.errors import UsageError, WireError
from osrec.wire.csta.ber import integer, named, string, walk
from osrec.wire.csta.model import (
    ConnectionId,
    Device,
    DeviceId,
    Linkage,
    LinkedConnection,
    NoDevice,
    NumberKind,
)

SEQUENCE = 0x10
NULL = 0x05
CONNECTION = 0x4B  # [APPLICATION 11]
_CONTEXT = 0x80
_DYNAMIC = _CONTEXT | 3
_CHOICES = (
    "dialingNumber",
    "deviceNumber",
    "implicitPublic",
    "explicitPublic",
    "implicitPrivate",
    "explicitPrivate",
    "other",
)
TYPES_OF_NUMBER = {
    NumberKind.EXPLICIT_PUBLIC: (
        "unknown",
        "international",
        "national",
        "networkspecific",
        "subscriber",
        "abbreviated",
    ),
    NumberKind.EXPLICIT_PRIVATE: (
        "unknown",
        "level3RegionalNumber",
        "level2RegionalNumber",
        "level1RegionalNumber",
        "pTNSpecificNumber",
        "localNumber",
        "abbreviated",
    ),
}
_NO_DEVICE = {_CONTEXT | 7: NoDevice.NOT_KNOWN, _CONTEXT | 8: NoDevice.RESTRICTED}
_NO_REDIRECTION = {
    _CONTEXT | 7: NoDevice.NOT_KNOWN,
    _CONTEXT | 8: NoDevice.NOT_REQUIRED,
    _CONTEXT | 9: NoDevice.NOT_SPECIFIED,
    _CONTEXT | 10: NoDevice.RESTRICTED,
}
_NO_DEVICE_NAMES = {NoDevice.RESTRICTED: "restricted"}
_NO_REDIRECTION_NAMES = {
    NoDevice.NOT_KNOWN: "notKnown",
    NoDevice.NOT_REQUIRED: "notRequired",
    NoDevice.NOT_SPECIFIED: "notSpecified",
    NoDevice.RESTRICTED: "restricted",
}


# --- reading: each function takes the contents of its element


def read_device_id(contents: bytes) -> DeviceId:
    """DeviceID, the contents of its SEQUENCE. Members after the identifier that we do not know are passed over."""
    items = walk(contents)
    if not items:
        raise WireError("DeviceID without identifier")
    key, value, _, _ = item = items[0]
    number = key & 0x1F
    if key & 0xC0 != _CONTEXT or number > NumberKind.OTHER:
        raise WireError(f"DeviceID begins with {named(key)}, known are [0] to [6]")
    kind, ton = NumberKind(number), None
    if kind is NumberKind.DEVICE:
        text = str(integer(value))
    elif kind in TYPES_OF_NUMBER:
        inner = walk(value)
        if not inner:
            raise WireError(f"DeviceID {named(key)} without a number")
        text, ton = string(value, inner[0]).decode("latin-1"), inner[0][0] & 0x1F
    else:
        text = string(contents, item).decode("latin-1")
    name = next((_explicit_text(inner) for tag, inner, _, _ in items[1:] if tag == _CONTEXT | 1), None)
    return DeviceId(text, kind, ton, name)


def _explicit_text(contents: bytes) -> str | None:
    inner = walk(contents)
    return string(contents, inner[0]).decode("latin-1") if inner else None


def read_device(contents: bytes) -> Device:
    """Contents of any of the [APPLICATION 1..8] device types but the redirection."""
    return _device(contents, _NO_DEVICE)


def read_redirection(contents: bytes) -> Device:
    return _device(contents, _NO_REDIRECTION)


def _device(contents: bytes, absent: dict[int, NoDevice]) -> Device:
    items = walk(contents)
    if not items:
        raise WireError("device without a choice")
    key, value, _, _ = items[0]
    if key == SEQUENCE:
        return read_device_id(value)
    if key in absent:
        return absent[key]
    raise WireError(f"device is {named(key)}, known are a DeviceID and {', '.join(map(named, absent))}")


def read_connection(contents: bytes) -> ConnectionId:
    """Contents of [APPLICATION 11], or of the tag that replaces it."""
    items = walk(contents)
    if items and items[0][0] == SEQUENCE:
        contents = items[0][1]
        items = walk(contents)
    call_id: bytes | None = None
    device: DeviceId | bytes | None = None
    for item in items:
        if item[0] == _CONTEXT:
            call_id = string(contents, item)
        elif item[0] == _CONTEXT | 1:
            device = _local_device(item[1])
    if call_id is None and device is None:
        raise WireError("ConnectionID with neither callID nor deviceID")
    return ConnectionId(call_id, device)


def _local_device(contents: bytes) -> DeviceId | bytes | None:
    for item in walk(contents):
        if item[0] == SEQUENCE:
            return read_device_id(item[1])
        if item[0] == _DYNAMIC:
            return string(contents, item)
    return None


def read_tagged_connection(contents: bytes) -> ConnectionId:
    """A ConnectionID inside an explicit tag, or directly below an implicit one: both have been seen as [n]."""
    items = walk(contents)
    if items and items[0][0] == CONNECTION:
        return read_connection(items[0][1])
    return read_connection(contents)


def read_linkage(contents: bytes) -> Linkage | None:
    """CallLinkageData; None when neither id is in it."""
    ids = [_linkage_id(inner) for key, inner, _, _ in walk(contents) if key == SEQUENCE]
    call = ids[0] if ids else None
    thread = ids[1] if len(ids) > 1 else None
    return None if call is None and thread is None else Linkage(call or b"", thread)


def _linkage_id(contents: bytes) -> bytes | None:
    return next((string(contents, item) for item in walk(contents) if item[0] in (_CONTEXT, _CONTEXT | 1)), None)


def read_linkage_list(contents: bytes) -> tuple[Linkage | None, Linkage | None]:
    """CallLinkageDataList: what the call is from now on, and what it was."""
    both = [read_linkage(inner) for key, inner, _, _ in walk(contents) if key == SEQUENCE]
    return both[0] if both else None, both[1] if len(both) > 1 else None


def read_connections(contents: bytes) -> tuple[LinkedConnection, ...]:
    return tuple(_linked(inner) for _, inner, _, _ in walk(contents))


def _linked(contents: bytes) -> LinkedConnection:
    new = old = endpoint = nid = None
    for key, inner, _, _ in walk(contents):
        if key == _CONTEXT:
            new = read_tagged_connection(inner)
        elif key == _CONTEXT | 1:
            old = read_tagged_connection(inner)
        elif key == _CONTEXT | 2:
            endpoint = _endpoint(inner)
        elif key == _CONTEXT | 3:
            nid = _endpoint(inner)
    return LinkedConnection(new, old, endpoint, nid)


def _endpoint(contents: bytes) -> Device | None:
    for key, inner, _, _ in walk(contents):
        if key == SEQUENCE:
            return read_device_id(inner)
        if key == NULL:
            return NoDevice.NOT_KNOWN
        if key == _CONTEXT | 1:
            return NoDevice.RESTRICTED
    return None


# --- writing: each function gives the value that asn1tools encodes


def write_device_id(device: DeviceId) -> dict[str, Any]:
    value: Any = device.number.encode("latin-1", "replace")
    if device.kind is NumberKind.DEVICE:
        if not device.number.removeprefix("-").isdecimal():
            raise UsageError(f"device number {device.number!r} of kind DEVICE is no decimal number")
        value = int(device.number)
    elif device.kind in TYPES_OF_NUMBER:
        names = TYPES_OF_NUMBER[device.kind]
        if not 0 <= (device.ton or 0) < len(names):
            raise UsageError(f"type of number {device.ton} of {device.number!r}: known are 0..{len(names) - 1}")
        value = (names[device.ton or 0], value)
    written: dict[str, Any] = {"deviceIdentifier": (_CHOICES[device.kind], value)}
    if device.name is not None:
        written["privateName"] = device.name.encode("latin-1", "replace")
    return written


def write_device(device: Device) -> tuple[str, Any]:
    """NOT_REQUIRED and NOT_SPECIFIED exist for redirections only and are sent as notKnown."""
    if isinstance(device, DeviceId):
        return "deviceIdentifier", write_device_id(device)
    return _NO_DEVICE_NAMES.get(device, "notKnown"), None


def write_redirection(device: Device) -> tuple[str, Any]:
    if isinstance(device, DeviceId):
        return "numberdialed", write_device_id(device)
    return _NO_REDIRECTION_NAMES[device], None


def write_connection(connection: ConnectionId) -> tuple[str, Any]:
    if connection.device is None:
        if connection.call_id is None:
            raise UsageError("a ConnectionID needs a callID or a deviceID")
        return "callID", connection.call_id
    device = connection.device
    local = ("dynamicID", device) if isinstance(device, bytes) else ("staticID", write_device_id(device))
    if connection.call_id is None:
        return "deviceID", local
    return "both", {"callID": connection.call_id, "deviceID": local}


def write_linkage(linkage: Linkage) -> dict[str, Any]:
    written: dict[str, Any] = {
        "globalCallData": {"globalCallLinkageID": ("globallyUniqueCallLinkageID", linkage.call)},
    }
    if linkage.thread is not None:
        written["threadData"] = {"threadLinkageID": ("globallyUniqueThreadID", linkage.thread)}
    return written


def write_linkage_list(new: Linkage, old: Linkage | None) -> dict[str, Any]:
    return {"newCallLinkageData": write_linkage(new), "oldCallLinkageData": write_linkage(old or new)}


def write_connections(connections: tuple[LinkedConnection, ...]) -> list[dict[str, Any]]:
    return [_write_linked(linked) for linked in connections]


def _write_linked(linked: LinkedConnection) -> dict[str, Any]:
    written: dict[str, Any] = {}
    if linked.new is not None:
        written["newConnection"] = write_connection(linked.new)
    if linked.old is not None:
        written["oldConnection"] = write_connection(linked.old)
    if linked.endpoint is not None:
        written["endpoint"] = _write_endpoint(linked.endpoint, restricted=True)
    if linked.associated_nid is not None:
        written["associatedNID"] = _write_endpoint(linked.associated_nid, restricted=False)
    return written


def _write_endpoint(device: Device, *, restricted: bool) -> tuple[str, Any]:
    if isinstance(device, DeviceId):
        return "deviceID", write_device_id(device)
    return ("restricted" if restricted and device is NoDevice.RESTRICTED else "notKnown"), None
