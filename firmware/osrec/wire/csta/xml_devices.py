"""Devices, connections and linkage in CSTA XML, to and from the values that ASN.1 gives.

A device id is text with a type of number (dialingNumber when it says none). In dialling numbers three more forms are
understood: OpenScape's `N<302118840101>Name;displayNumber=...;noa=nk` (ECMA-269: number and name of the switching
function representation), `tel:+492...;phone-context=...` and `sip:4711@host`. Number and name come out of them; the
whole is kept as `DeviceId.form` and sent back as it came, so that a connection id which the PBX gave stays the PBX's.

What XML cannot carry: names of devices of kind DEVICE and OTHER, and names that end like a parameter (`;x=y`).
"""

import re
from dataclasses import dataclass
from typing import Final

from osrec.errors import UsageError, WireError
from osrec.wire.csta.devices import TYPES_OF_NUMBER
from osrec.wire.csta.identifiers import read_identifier, write_identifier
from osrec.wire.csta.model import ConnectionId, Device, DeviceId, Linkage, LinkedConnection, NoDevice, NumberKind
from osrec.wire.csta.xml_tree import Node, element

NUMBER: Final = "{number}"
_DYNAMIC: Final = "dynamic"
_TYPE: Final = "typeOfNumber"
_PUBLIC, _PRIVATE = NumberKind.EXPLICIT_PUBLIC, NumberKind.EXPLICIT_PRIVATE
_TYPES: Final[dict[str, tuple[NumberKind, int | None]]] = {
    "dialingNumber": (NumberKind.DIALING, None),
    "deviceNumber": (NumberKind.DEVICE, None),
    "implicitPublic": (NumberKind.IMPLICIT_PUBLIC, None),
    "implicitPrivate": (NumberKind.IMPLICIT_PRIVATE, None),
    "other": (NumberKind.OTHER, None),
    **{f"explicitPublic:{name}": (_PUBLIC, ton) for ton, name in enumerate(TYPES_OF_NUMBER[_PUBLIC])},
    **{f"explicitPrivate:{name}": (_PRIVATE, ton) for ton, name in enumerate(TYPES_OF_NUMBER[_PRIVATE])},
}
_TYPE_NAMES: Final = {what: name for name, what in _TYPES.items()}
_BARE: Final = (NumberKind.DEVICE, NumberKind.OTHER)  # whose text is the number and nothing else
_REPRESENTATION = re.compile(r"N<(?P<number>[^<>]*)>(?P<name>.*?)(?P<rest>(?:;[A-Za-z-]+=[^;]*)*)", re.DOTALL)
_MAX_PARSED: Final = 512  # characters, ours: taking longer ones apart could take long
_TEL = re.compile(r"tel:(?P<number>[^;]+)(?:;.*)?", re.IGNORECASE | re.DOTALL)
_SIP = re.compile(r"sips?:(?P<number>[^@;:]+)(?:@.*)?", re.IGNORECASE | re.DOTALL)
_NO_DEVICES: Final = {
    "notKnown": NoDevice.NOT_KNOWN,
    "restricted": NoDevice.RESTRICTED,
    "notRequired": NoDevice.NOT_REQUIRED,
    "notSpecified": NoDevice.NOT_SPECIFIED,
}
_IDENTIFIERS: Final = ("deviceIdentifier", "deviceID", "numberDialed", "numberdialed")


@dataclass(frozen=True, slots=True)
class Style:
    """How a site wants XML written: its namespace, and the form of the device ids that we make ourselves."""

    namespace: str
    device_form: str = NUMBER

    def __post_init__(self) -> None:
        if self.device_form.count(NUMBER) != 1:
            raise UsageError(f"device form {self.device_form!r}: it has to hold {NUMBER} once, as in tel:{NUMBER}")


# --- reading


def read_device_id(node: Node) -> DeviceId:
    text = node.value()
    said = node.attributes.get(_TYPE, "dialingNumber")
    if said not in _TYPES:
        raise WireError(f"{node.name} has type of number {said[:40]!r}, which is not known", "ECMA-323")
    kind, ton = _TYPES[said]
    if kind in _BARE or len(text) > _MAX_PARSED:
        return DeviceId(text, kind, ton)
    if whole := _REPRESENTATION.fullmatch(text):
        number, name = whole["number"], whole["name"] or None
        return DeviceId(number, kind, ton, name, text if whole["rest"] or name is None else None)
    if uri := _TEL.fullmatch(text) or _SIP.fullmatch(text):
        return DeviceId(uri["number"], kind, ton, None, text)
    return DeviceId(text, kind, ton)


def read_device(node: Node) -> Device:
    """A choice of an identifier and of reasons why there is none."""
    for child in node.children:
        if child.name in _IDENTIFIERS:
            return read_device_id(child)
        if child.name in _NO_DEVICES:
            return _NO_DEVICES[child.name]
    if node.value():  # the identifier itself, without the element around it: seen in requests
        return read_device_id(node)
    raise WireError(f"{node.name} says neither a device nor why there is none", "ECMA-323")


def read_connection(node: Node) -> ConnectionId:
    call, device = node.child("callID"), node.child("deviceID")
    if call is None and device is None:
        raise WireError(f"{node.name} with neither callID nor deviceID", "ECMA-323")
    call_id = None if call is None else read_identifier(call.value())
    if device is None:
        return ConnectionId(call_id)
    if device.attributes.get(_TYPE) == _DYNAMIC:
        return ConnectionId(call_id, read_identifier(device.value()))
    return ConnectionId(call_id, read_device_id(device))


def read_linkage(node: Node) -> Linkage | None:
    call = _linkage_id(node, "globalCallData", "globalCallLinkageID")
    thread = _linkage_id(node, "threadData", "threadLinkageID")
    return None if call is None and thread is None else Linkage(call or b"", thread)


def _linkage_id(node: Node, data: str, choice: str) -> bytes | None:
    holder = node.child(data)
    chosen = None if holder is None else holder.child(choice)
    if chosen is None:
        return None
    return read_identifier((chosen.children[0] if chosen.children else chosen).value())


def read_linkage_list(node: Node) -> tuple[Linkage | None, Linkage | None]:
    new, old = node.child("newCallLinkageData"), node.child("oldCallLinkageData")
    return None if new is None else read_linkage(new), None if old is None else read_linkage(old)


def read_connections(node: Node) -> tuple[LinkedConnection, ...]:
    return tuple(_linked(item) for item in node.children)


def _linked(item: Node) -> LinkedConnection:
    new, old = item.child("newConnection"), item.child("oldConnection")
    endpoint, nid = item.child("endpoint"), item.child("associatedNID")
    return LinkedConnection(
        None if new is None else read_connection(new),
        None if old is None else read_connection(old),
        None if endpoint is None else read_device(endpoint),
        None if nid is None else read_device(nid),
    )


# --- writing


def write_device_id(name: str, device: DeviceId, form: str = NUMBER) -> Node:
    """`form`: of ids of our own making; an id that came in a form of its own keeps that."""
    kind, ton = device.kind, device.ton
    if kind in TYPES_OF_NUMBER:
        ton = ton or 0
    if (kind, ton) not in _TYPE_NAMES:
        raise UsageError(f"type of number {device.ton} of {device.number!r} (kind {kind.name}) has no name in XML")
    attributes = {} if kind is NumberKind.DIALING else {_TYPE: _TYPE_NAMES[kind, ton]}
    return Node(name, attributes, text=_device_text(device, form))


def _device_text(device: DeviceId, form: str) -> str:
    if device.form is not None:
        return device.form
    if device.kind in _BARE:
        return device.number
    if device.name is not None:
        return f"N<{device.number}>{device.name}"
    return form.replace(NUMBER, device.number) if device.kind is NumberKind.DIALING else device.number


def write_device(name: str, device: Device, form: str = NUMBER) -> Node:
    """NOT_REQUIRED and NOT_SPECIFIED exist for redirections only and are sent as notKnown."""
    if isinstance(device, DeviceId):
        return element(name, write_device_id("deviceIdentifier", device, form))
    return element(name, element("restricted" if device is NoDevice.RESTRICTED else "notKnown"))


def write_redirection(name: str, device: Device, form: str = NUMBER) -> Node:
    if isinstance(device, DeviceId):
        return element(name, write_device_id("numberDialed", device, form))
    return element(name, element(next(word for word, reason in _NO_DEVICES.items() if reason is device)))


def write_connection(name: str, connection: ConnectionId) -> Node:
    if connection.call_id is None and connection.device is None:
        raise UsageError("a ConnectionID needs a callID or a deviceID")
    call = None if connection.call_id is None else element("callID", text=write_identifier(connection.call_id))
    return element(name, call, _local_device(connection.device))


def _local_device(device: DeviceId | bytes | None) -> Node | None:
    if device is None:
        return None
    if isinstance(device, bytes):
        return Node("deviceID", {_TYPE: _DYNAMIC}, text=write_identifier(device))
    return write_device_id("deviceID", device)


def write_linkage(name: str, linkage: Linkage) -> Node:
    call = element("globallyUniqueCallLinkageID", text=write_identifier(linkage.call))
    thread = None
    if linkage.thread is not None:
        unique = element("globallyUniqueThreadID", text=write_identifier(linkage.thread))
        thread = element("threadData", element("threadLinkageID", unique))
    return element(name, element("globalCallData", element("globalCallLinkageID", call)), thread)


def write_linkage_list(name: str, new: Linkage, old: Linkage | None) -> Node:
    return element(name, write_linkage("newCallLinkageData", new), write_linkage("oldCallLinkageData", old or new))


def write_connections(name: str, connections: tuple[LinkedConnection, ...], form: str = NUMBER) -> Node:
    return element(name, *(_write_linked(linked, form) for linked in connections))


def _write_linked(linked: LinkedConnection, form: str) -> Node:
    return element(
        "connectionListItem",
        None if linked.new is None else write_connection("newConnection", linked.new),
        None if linked.old is None else write_connection("oldConnection", linked.old),
        None if linked.endpoint is None else _write_endpoint("endpoint", linked.endpoint, form),
        None if linked.associated_nid is None else _write_endpoint("associatedNID", linked.associated_nid, form),
    )


def _write_endpoint(name: str, device: Device, form: str) -> Node:
    if isinstance(device, DeviceId):
        return element(name, write_device_id("deviceID", device, form))
    restricted = device is NoDevice.RESTRICTED and name == "endpoint"
    return element(name, element("restricted" if restricted else "notKnown"))
