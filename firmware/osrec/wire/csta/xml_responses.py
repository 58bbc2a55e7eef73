"""Responses in CSTA XML. Each says by its name what it answers, so results carry their operation code as from ASN.1.

Where only the fact of an answer counts (MonitorStopResponse and the like) whatever stands in it is passed over.
"""

from collections.abc import Callable
from typing import Any, Final

from osrec.errors import UsageError
from osrec.wire.csta import model
from osrec.wire.csta.identifiers import read_identifier, write_identifier
from osrec.wire.csta.model import Linkage
from osrec.wire.csta.xml_devices import (
    Style,
    read_connection,
    read_linkage,
    read_linkage_list,
    write_connection,
    write_linkage,
    write_linkage_list,
)
from osrec.wire.csta.xml_events import CROSS_REF
from osrec.wire.csta.xml_names import RESPONSE, SERVICES
from osrec.wire.csta.xml_services import cross_ref_of, required, status_of, write_status
from osrec.wire.csta.xml_snapshots import (
    Notes,
    read_call_snapshot,
    read_device_snapshot,
    write_call_snapshot,
    write_device_snapshot,
)
from osrec.wire.csta.xml_tree import Node, element
from osrec.wire.csta.xml_values import read_boolean, write_boolean


def _monitor_started(root: Node, _: Notes) -> model.MonitorStarted:
    existing = root.child("monitorExistingCalls")
    return model.MonitorStarted(
        cross_ref_of(root), None if existing is None else read_boolean(existing.value(), existing.name)
    )


def _no_data(_root: Node, _: Notes) -> model.NoData:
    return model.NoData()


def _conference_joined(root: Node, _: Notes) -> model.ConferenceJoined:
    return model.ConferenceJoined(read_connection(required(root, "conferencedCall")), _linkage(root))


def _call_made(root: Node, _: Notes) -> model.CallMade:
    return model.CallMade(read_connection(required(root, "callingDevice")), _linkage(root))


def _linkage(root: Node) -> Linkage | None:
    both, one = root.child("callLinkageDataList"), root.child("callLinkageData")
    if both is not None:
        return read_linkage_list(both)[0]
    return None if one is None else read_linkage(one)


def _status_reported(root: Node, notes: Notes) -> model.SystemStatusReported:
    return model.SystemStatusReported(status_of(root, notes))


def _registered(root: Node, _: Notes) -> model.SystemRegistered:
    return model.SystemRegistered(read_identifier(required(root, "sysStatRegisterID").value()))


READ_RESPONSE: Final[dict[int, Callable[[Node, Notes], model.Result]]] = {
    5: _no_data,
    10: _call_made,
    20: _conference_joined,
    51: _no_data,
    71: _monitor_started,
    73: _no_data,
    74: read_device_snapshot,
    75: read_call_snapshot,
    207: _registered,
    210: _status_reported,
    211: _no_data,
    223: _conference_joined,
}


# --- writing


def _write_started(name: str, it: model.MonitorStarted, _: Style) -> Node:
    existing = it.existing_calls
    return element(
        name,
        element(CROSS_REF, text=write_identifier(it.cross_ref)),
        None if existing is None else element("monitorExistingCalls", text=write_boolean(existing)),
    )


def _write_joined(name: str, it: model.ConferenceJoined, _: Style) -> Node:
    linkage = None if it.linkage is None else write_linkage_list("callLinkageDataList", it.linkage, None)
    return element(name, write_connection("conferencedCall", it.connection), linkage)


def _write_made(name: str, it: model.CallMade, _: Style) -> Node:
    linkage = None if it.linkage is None else write_linkage("callLinkageData", it.linkage)
    return element(name, write_connection("callingDevice", it.connection), linkage)


_WRITE_RESPONSE: Final[dict[type[Any], tuple[int | None, Callable[[str, Any, Style], Node]]]] = {
    model.NoData: (None, lambda name, _it, _style: element(name)),
    model.MonitorStarted: (71, _write_started),
    model.DeviceSnapshot: (74, write_device_snapshot),
    model.CallSnapshot: (75, write_call_snapshot),
    model.SystemRegistered: (
        207,
        lambda name, it, _: element(name, element("sysStatRegisterID", text=write_identifier(it.register_id))),
    ),
    model.SystemStatusReported: (210, lambda name, it, _: write_status(name, it.status)),
    model.ConferenceJoined: (None, _write_joined),
    model.CallMade: (10, _write_made),
}


def write_response(opcode: int | None, result: model.Result, style: Style) -> Node:
    own, write = _WRITE_RESPONSE[type(result)]
    answered = own if opcode is None else opcode
    if answered not in SERVICES:
        what = f"a response {type(result).__name__} needs the operation that it answers"
        raise UsageError(f"{what}: {answered} has no name in XML")
    return write(SERVICES[answered] + RESPONSE, result, style)
