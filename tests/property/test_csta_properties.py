"""CSTA decoders under octets that nobody intended, and round trips of all that can be said."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osrec.errors import WireError
from osrec.wire.csta import model
from osrec.wire.csta.capture import pieces
from osrec.wire.csta.codec import decode, encode
from osrec.wire.csta.framing import NAMES, detect, framing_named
from osrec.wire.csta.model import ConnectionId, DeviceId, EventReport, Invoke, NumberKind
from osrec.wire.csta.render import as_json, as_line

VECTORS = [
    bytes.fromhex(file.read_text().splitlines()[1])
    for file in sorted((Path(__file__).parent.parent / "vectors" / "csta").glob("*.hex"))
]
PDUS = st.sampled_from(VECTORS)
latin = st.text(st.characters(max_codepoint=255), max_size=30)


def devices(kind: NumberKind) -> st.SearchStrategy[DeviceId]:
    numbers = st.integers(-(1 << 63), 1 << 63).map(str) if kind is NumberKind.DEVICE else latin
    tons = {NumberKind.EXPLICIT_PUBLIC: st.integers(0, 5), NumberKind.EXPLICIT_PRIVATE: st.integers(0, 6)}
    return st.builds(DeviceId, numbers, st.just(kind), tons.get(kind, st.none()), st.none() | latin)


device_ids = st.sampled_from(NumberKind).flatmap(devices)
absent = st.sampled_from([model.NoDevice.NOT_KNOWN, model.NoDevice.RESTRICTED])
any_device = device_ids | absent
connections = st.builds(
    ConnectionId, st.binary(min_size=1, max_size=16), st.none() | device_ids | st.binary(max_size=8)
)
linkages = st.none() | st.builds(model.Linkage, st.binary(max_size=16), st.none() | st.binary(max_size=16))
parties = st.builds(
    model.Parties,
    any_device,
    any_device,
    any_device | st.sampled_from(model.NoDevice),
    st.none() | any_device,
    st.none() | any_device,
    st.none() | any_device,
    st.none() | any_device,
)
linked = st.builds(model.LinkedConnection, st.none() | connections, st.none() | connections, st.none() | any_device)
MEMBERS: dict[str, st.SearchStrategy[Any]] = {
    "cause": st.integers(-(1 << 31), 1 << 31),
    "local": st.none() | st.sampled_from(model.LocalState),
    "linkage": linkages,
    "connection": connections,
    "primary": connections,
    "secondary": st.none() | connections,
    "device": any_device,
    "to": any_device,
    "added": any_device,
    "new_destination": any_device,
    "parties": parties,
    "connections": st.lists(linked, max_size=4).map(tuple),
    "correlator": st.none() | st.binary(max_size=8),
    "user_data": st.none() | st.binary(max_size=8),
}
WITHOUT_USER_DATA = (model.Held, model.Retrieved)


@st.composite
def events(draw: Callable[[Any], Any]) -> model.Event:
    kind = draw(
        st.sampled_from(
            [
                model.Delivered,
                model.Established,
                model.Failed,
                model.Queued,
                model.Offered,
                model.Held,
                model.Retrieved,
                model.Diverted,
                model.Transferred,
                model.Conferenced,
                model.ConnectionCleared,
            ]
        )
    )
    names = [name for name in kind.__dataclass_fields__ if name in MEMBERS]
    if kind in WITHOUT_USER_DATA:
        names.remove("user_data")
    event: model.Event = kind(**{name: draw(MEMBERS[name]) for name in names})
    return event


@settings(max_examples=150, deadline=None)
@given(events(), st.none() | st.datetimes(datetime(1000, 1, 1)), st.none() | st.integers(0, 1 << 40))
def test_every_event_survives_the_wire(event: model.Event, at: datetime | None, sequence: int | None) -> None:
    pdu = Invoke(1, EventReport(b"\0\7", event, at, sequence))
    assert decode(encode(pdu)) == pdu


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_random_octets_decode_or_raise_wire_error(octets: bytes) -> None:
    _decode_or_refuse(octets)


@settings(max_examples=600, deadline=None)
@given(PDUS, st.data())
def test_damaged_pdus_decode_or_raise_wire_error(octets: bytes, data: st.DataObject) -> None:
    damaged = bytearray(octets)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(damaged)))
        match data.draw(st.sampled_from(["set", "cut", "insert"])):
            case "set":
                damaged[at : at + 1] = bytes([data.draw(st.integers(0, 255))])
            case "cut":
                del damaged[at : at + data.draw(st.integers(1, 5))]
            case _:
                damaged[at:at] = data.draw(st.sampled_from([b"\x80", b"\0\0", b"\x30\x80", b"\x1f\xff", b"\x84\xff"]))
    _decode_or_refuse(bytes(damaged))


def _decode_or_refuse(octets: bytes) -> None:
    try:
        pdu = decode(octets)
    except WireError:
        return
    as_line(pdu)
    as_json(pdu)


@pytest.mark.parametrize("unit", [b"\xa1\x80", b"\x30\x80", b"\xa1\x7f", b"\x30\x82\xff\xff", b"\x1f\x81\x01\x00"])
def test_large_hostile_octets_take_bounded_time(unit: bytes) -> None:
    began = perf_counter()
    _decode_or_refuse((unit * 70_000)[:65_535])
    _decode_or_refuse(b"\xa1\x83\x00\xff\x00" + b"\x02\x01\x01\x02\x01\x15" + (unit * 33_000)[: 0xFF00 - 6])
    assert perf_counter() - began < 5.0  # a tenth of a second on an idle machine; quadratic work would take minutes


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(NAMES), st.lists(PDUS, max_size=6), st.binary(max_size=6), st.data())
def test_any_chunking_of_a_stream_gives_the_same_pdus(
    name: str, pdus: list[bytes], tail: bytes, data: st.DataObject
) -> None:
    digits = b"0001" if name == "xml8" else b""
    stream = b"".join(framing_named(name).encode(digits + pdu) for pdu in pdus) + tail
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    chunks = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert _through(name, chunks) == _through(name, [stream]) == _through(name, [bytes([o]) for o in stream])


def _through(name: str, chunks: list[bytes]) -> tuple[list[bytes], bool]:
    framing, pdus = framing_named(name), []
    try:
        for chunk in [*chunks, b"", b""]:
            pdus += framing.feed(chunk)
    except WireError:
        return pdus, True
    return pdus, False


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=12))
def test_detection_never_raises(octets: bytes) -> None:
    assert detect(octets) in (None, *NAMES)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\x0a\x0d\x0d\x0a", b""]), st.binary(max_size=200))
def test_random_capture_files_are_read_or_raise_wire_error(magic: bytes, octets: bytes) -> None:
    try:
        list(pieces(magic + octets))
    except WireError:
        return
