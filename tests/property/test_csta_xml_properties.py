"""All that the model can say, through XML and through ASN.1; and XML decoders under octets that nobody intended.

What XML cannot carry stays out of the strategies: names of devices of kind DEVICE and OTHER, names that end like a
parameter, numbers that look like one of the other forms, characters that XML has not, octets of identifiers that begin
with the mark of text, a segment or an event too long for a frame, simple call states without a word, and octets that
only ASN.1 knows (unknown operations, events that we do not interpret).
"""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osrec.errors import WireError
from osrec.wire.csta import model
from osrec.wire.csta.causes import ERROR_VALUES
from osrec.wire.csta.dialect import dialect
from osrec.wire.csta.identifiers import read_identifier, write_identifier
from osrec.wire.csta.model import (
    CallSnapshotEntry,
    ConnectionId,
    DeviceId,
    EventReport,
    Invoke,
    LocalState,
    NoDevice,
    NumberKind,
    ReturnError,
    ReturnResult,
    SnapshotLeg,
)
from osrec.wire.csta.render import as_json, as_line

ASN1, XML = dialect("asn1", "be2"), dialect("xml", "xml8")
FRAMES = [
    path.read_bytes().splitlines()[1]
    for path in sorted((Path(__file__).parent.parent / "vectors" / "csta-xml").glob("*.txt"))
]
numbers = st.text("0123456789*#+", max_size=20)
names = st.text(
    st.characters(min_codepoint=32, max_codepoint=255, blacklist_characters="\x7f;<>="), max_size=20
).filter(lambda name: name == name.strip() and name != "")
TONS = {NumberKind.EXPLICIT_PUBLIC: st.integers(0, 5), NumberKind.EXPLICIT_PRIVATE: st.integers(0, 6)}


def devices(kind: NumberKind) -> st.SearchStrategy[DeviceId]:
    if kind is NumberKind.DEVICE:
        return st.builds(DeviceId, st.integers(-(1 << 63), 1 << 63).map(str), st.just(kind))
    if kind is NumberKind.OTHER:
        return st.builds(DeviceId, numbers | names, st.just(kind))
    return st.builds(DeviceId, numbers, st.just(kind), TONS.get(kind, st.none()), st.none() | names)


device_ids = st.sampled_from(NumberKind).flatmap(devices)
any_device = device_ids | st.sampled_from([NoDevice.NOT_KNOWN, NoDevice.RESTRICTED])
octets = st.binary(min_size=1, max_size=16).filter(lambda value: not value.startswith(b"xml:"))
connections = st.builds(ConnectionId, octets, st.none() | device_ids | octets) | st.builds(
    ConnectionId, st.none(), device_ids
)
linkages = st.none() | st.builds(model.Linkage, octets, st.none() | octets)
parties = st.builds(
    model.Parties,
    any_device,
    any_device,
    device_ids | st.sampled_from(NoDevice),
    *[st.none() | any_device] * 4,
)
linked = st.builds(model.LinkedConnection, st.none() | connections, st.none() | connections, st.none() | any_device)
states = st.sampled_from(LocalState)
SIMPLE = [(1,), (3, 2), (2, 3), (3, 3), (4, 3), (3, 4), (3, 5), (3, 6)]  # nibbles that have a word, near end first
simple_states = st.sampled_from([tuple(map(LocalState, pair)) for pair in SIMPLE])
legs = st.builds(
    SnapshotLeg, connections, st.none() | any_device, st.lists(states, max_size=3).map(tuple), linkages
) | st.builds(SnapshotLeg, connections, st.none() | any_device, simple_states, linkages, st.just(True))
entries = st.builds(CallSnapshotEntry, any_device, st.none() | connections, st.none() | states)
many_legs, many_entries = st.lists(legs, max_size=4).map(tuple), st.lists(entries, max_size=4).map(tuple)
private = st.binary(max_size=6).map(lambda value: b"\x04" + bytes([len(value)]) + value) | st.just(b"\x05\x00")
segments = st.none() | st.integers(0, 1 << 30)

MEMBERS: dict[str, st.SearchStrategy[Any]] = {
    "cause": st.integers(-(1 << 31), 1 << 31),
    "local": st.none() | states,
    "linkage": linkages,
    "connection": connections,
    "primary": connections,
    "secondary": st.none() | connections,
    "device": any_device,
    "to": any_device,
    "added": any_device,
    "new_destination": any_device,
    "digits": device_ids,
    "account": st.none() | st.binary(max_size=8),
    "parties": parties,
    "connections": st.lists(linked, max_size=4).map(tuple),
    "correlator": st.none() | st.binary(max_size=8),
    "user_data": st.none() | st.binary(max_size=8),
    "in_service": st.booleans(),
}
NOT_CARRIED: dict[type[Any], tuple[str, ...]] = {  # members of the base that this event has no place for
    model.Held: ("user_data",),
    model.Retrieved: ("user_data",),
    model.ServiceInitiated: ("user_data",),
    model.Originated: ("user_data",),
    model.DigitsDialed: ("user_data",),
    model.CallCleared: ("local",),
    model.CallInformation: ("cause", "local"),
    model.DigitsGenerated: ("cause", "local", "linkage", "correlator", "user_data"),
    model.InService: ("local", "linkage", "correlator", "user_data"),
}
EVENTS = [kind for kind in model.Event.__args__ if kind is not model.OtherEvent]


@st.composite
def events(draw: Any, kind: type[Any]) -> model.Event:
    carried = [name for name in kind.__dataclass_fields__ if name in MEMBERS and name not in NOT_CARRIED.get(kind, ())]
    values = {name: draw(MEMBERS[name]) for name in carried}
    if kind is model.DigitsGenerated:
        values["digits"] = draw(st.text("0123456789*#ABCD", max_size=10))
    event: model.Event = _with_its_parties(kind(**values))
    return event


def _with_its_parties(event: Any) -> Any:
    """Parties have places in some events only: see members.py."""
    if isinstance(event, model.Originated):
        absent = replace(event.parties, calling=NoDevice.NOT_KNOWN, last_redirection=NoDevice.NOT_SPECIFIED)
        return replace(event, parties=absent)
    if isinstance(event, model.NetworkReached):
        return replace(event, parties=replace(event.parties, associated_called=None))
    return event


def reports_of(kind: type[Any]) -> st.SearchStrategy[EventReport]:
    return st.builds(
        EventReport,
        octets,
        events(kind),
        st.none() | st.datetimes(datetime(1000, 1, 1)),
        st.none() | st.integers(0, 1 << 40),
        st.lists(private, max_size=2).map(tuple),
    )


reports = st.sampled_from(EVENTS).flatmap(reports_of)
ARGUMENTS: dict[type[Any], st.SearchStrategy[Any]] = {
    model.MonitorStart: st.builds(model.MonitorStart, device_ids),
    model.MonitorStop: st.builds(model.MonitorStop, octets),
    model.SnapshotDevice: st.builds(model.SnapshotDevice, device_ids),
    model.SnapshotDeviceData: st.builds(model.SnapshotDeviceData, octets, many_legs, st.booleans(), segments),
    model.SnapshotCall: st.builds(model.SnapshotCall, connections),
    model.SnapshotCallData: st.builds(model.SnapshotCallData, octets, many_entries, st.booleans(), segments),
    model.SystemStatus: st.builds(model.SystemStatus, st.sampled_from(model.Status) | st.integers(9, 200)),
    model.SystemRegister: st.builds(model.SystemRegister),
    model.MakeCall: st.builds(model.MakeCall, device_ids, device_ids),
    model.RequestSystemStatus: st.builds(model.RequestSystemStatus),
    model.SingleStepConference: st.builds(
        model.SingleStepConference, connections, device_ids, st.sampled_from(model.Participation)
    ),
    model.JoinCall: st.builds(model.JoinCall, connections, device_ids, st.sampled_from(model.Participation)),
    model.ClearConnection: st.builds(model.ClearConnection, connections),
    model.Escape: st.builds(model.Escape, private),
    model.EventReport: reports,
}
RESULTS: dict[type[Any], st.SearchStrategy[ReturnResult]] = {
    model.MonitorStarted: st.builds(
        ReturnResult, st.just(1), st.builds(model.MonitorStarted, octets, st.none() | st.booleans()), st.just(71)
    ),
    model.DeviceSnapshot: st.builds(
        ReturnResult,
        st.just(1),
        st.builds(model.DeviceSnapshot, many_legs) | st.builds(model.DeviceSnapshot, st.just(()), octets),
        st.just(74),
    ),
    model.CallSnapshot: st.builds(
        ReturnResult,
        st.just(1),
        st.builds(model.CallSnapshot, many_entries, st.none() | any_device, st.none() | any_device, linkages)
        | st.builds(model.CallSnapshot, st.just(()), st.none(), st.none(), st.none(), octets),
        st.just(75),
    ),
    model.SystemStatusReported: st.builds(
        ReturnResult, st.just(1), st.builds(model.SystemStatusReported, st.sampled_from(model.Status)), st.just(210)
    ),
    model.SystemRegistered: st.builds(
        ReturnResult, st.just(1), st.builds(model.SystemRegistered, octets), st.just(207)
    ),
    model.ConferenceJoined: st.builds(
        ReturnResult,
        st.just(1),
        st.builds(model.ConferenceJoined, connections, linkages),
        st.sampled_from([20, 223]),
    ),
    model.CallMade: st.builds(ReturnResult, st.just(1), st.builds(model.CallMade, connections, linkages), st.just(10)),
    model.NoData: st.builds(ReturnResult, st.just(1), st.just(model.NoData()), st.sampled_from([5, 51, 73, 211])),
}
errors = st.sampled_from(sorted(ERROR_VALUES)).flatmap(
    lambda category: st.builds(
        ReturnError, st.just(1), st.just(category), st.sampled_from(sorted(ERROR_VALUES[category]))
    )
)
XML_ONLY = {model.ResetSessionTimer, model.SessionTimerReset}
RAW = {model.UnknownArgument}


def test_the_strategies_leave_no_argument_and_no_result_out() -> None:
    arguments, results = set(model.Argument.__args__), set(model.Result.__args__)
    assert set(ARGUMENTS) == arguments - XML_ONLY - RAW
    assert set(RESULTS) == results - XML_ONLY - RAW


def _invoke(argument: Any) -> Invoke:
    return Invoke(9999 if isinstance(argument, EventReport) else 1, argument)


@settings(max_examples=500, deadline=None)
@given(st.one_of(*ARGUMENTS.values()).map(_invoke) | st.one_of(*RESULTS.values()) | errors)
def test_both_dialects_give_back_every_value(pdu: model.Pdu) -> None:
    assert XML.decode_with_remarks(XML.encode(pdu)) == (pdu, ())
    assert ASN1.decode_with_remarks(ASN1.encode(pdu)) == (pdu, ())


@settings(max_examples=300, deadline=None)
@given(reports.map(_invoke))
def test_both_dialects_give_back_every_event(pdu: Invoke) -> None:
    assert XML.decode(XML.encode(pdu)) == ASN1.decode(ASN1.encode(pdu)) == pdu


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=12).map(str.strip))
def test_any_text_of_an_identifier_comes_back(text: str) -> None:
    assert write_identifier(read_identifier(text)) == text


@settings(max_examples=300, deadline=None)
@given(octets)
def test_octets_of_an_identifier_come_back(value: bytes) -> None:
    assert read_identifier(write_identifier(value)) == value


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200) | st.binary(max_size=200).map(lambda value: b"0001" + value))
def test_random_octets_decode_or_raise_wire_error(frame: bytes) -> None:
    _decode_or_refuse(frame)


PIECES = [b"", b"<", b">", b"</", b"/>", b"<a>", b"&lt;", b"&#0;", b"&#55296;", b"<!DOCTYPE a>", b"<![CDATA[", b"]]>"]


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(FRAMES), st.data())
def test_damaged_documents_decode_or_raise_wire_error(frame: bytes, data: st.DataObject) -> None:
    damaged = bytearray(frame)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(damaged)))
        match data.draw(st.sampled_from(["set", "cut", "insert", "rename"])):
            case "set":
                damaged[at : at + 1] = bytes([data.draw(st.integers(0, 255))])
            case "cut":
                del damaged[at : at + data.draw(st.integers(1, 40))]
            case "insert":
                damaged[at:at] = data.draw(st.sampled_from(PIECES))
            case _:  # stays well-formed: elements that hold what nobody expects
                old = data.draw(
                    st.sampled_from([b"deviceID", b"callID", b"cause", b"connection", b"state", b"snapshot"])
                )
                damaged = damaged.replace(old, data.draw(st.sampled_from([b"x", b"callID", b"extensions", b"private"])))
    _decode_or_refuse(bytes(damaged))


@pytest.mark.parametrize(
    "document",
    [
        "<a>" + "x<b/>" * 9_999 + "</a>",
        "<a>" + "&lt;" * 16_000 + "</a>",
        "<HeldEvent>" + "<c/>" * 9_990 + "</HeldEvent>",
        "<a " + " ".join(f"b{number}='c'" for number in range(6_000)) + "/>",
        "<a " + " ".join(f"xmlns:b{number}='c'" for number in range(3_000)) + "><d/></a>",
        "<HeldEvent><monitorCrossRefID>" + "7" * 65_000 + "</monitorCrossRefID></HeldEvent>",
        "<SnapshotDevice><snapshotObject>N&lt;1&gt;" + ";a=b" * 16_000 + ";</snapshotObject></SnapshotDevice>",
    ],
    ids=lambda document: document[:24],
)
def test_large_hostile_documents_take_bounded_time(document: str) -> None:
    began = perf_counter()
    _decode_or_refuse(b"0001" + document.encode())
    assert perf_counter() - began < 5.0  # a tenth of a second on an idle machine


def _decode_or_refuse(frame: bytes) -> None:
    try:
        pdu = XML.decode(frame)
    except WireError:
        return
    as_line(pdu)
    as_json(pdu)
