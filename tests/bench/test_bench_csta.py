"""CSTA events: our decoders, from octets to values, beside asn1tools, from octets to dictionaries, in the same run."""

from collections.abc import Callable
from time import perf_counter
from typing import Any

import pytest

from osrec.wire.csta import schema
from osrec.wire.csta.ber import walk
from osrec.wire.csta.codec import decode, encode
from osrec.wire.csta.dialect import dialect
from osrec.wire.csta.model import (
    ConnectionId,
    Delivered,
    DeviceId,
    Event,
    EventReport,
    Invoke,
    Linkage,
    LinkedConnection,
    LocalState,
    Parties,
    Transferred,
)

A, B, C = DeviceId("4711"), DeviceId("4712", name="Zentrale"), DeviceId("0048123456789")
LINKAGE = Linkage(b"g" * 16, b"t" * 16)
ROUNDS = 300
EVENTS: dict[str, Event] = {
    "delivered": Delivered(
        connection=ConnectionId(b"\1\2", A),
        device=A,
        parties=Parties(C, A),
        cause=22,
        local=LocalState.ALERTING,
    ),
    "transferred": Transferred(
        primary=ConnectionId(b"\1\2", A),
        secondary=ConnectionId(b"\1\3", A),
        device=A,
        to=B,
        connections=(
            LinkedConnection(ConnectionId(b"\1\4", B), ConnectionId(b"\1\3", B), B),
            LinkedConnection(ConnectionId(b"\1\4", C), ConnectionId(b"\1\2", C), C),
        ),
        cause=32,
        local=LocalState.NULL,
        linkage=LINKAGE,
    ),
}


def microseconds(work: Callable[[], Any]) -> float:
    """The best of some rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = perf_counter()
        work()
        best = min(best, perf_counter() - began)
    return best * 1e6


@pytest.mark.parametrize("name", EVENTS)
def test_bench_event_decoding(benchmark: Any, name: str) -> None:
    octets = encode(Invoke(1, EventReport(b"\0\7", EVENTS[name])))
    contents = walk(octets)[0][1]
    argument = contents[walk(contents)[2][2] :]
    module = schema.compiled()
    ours = microseconds(lambda: decode(octets))
    peer = microseconds(lambda: module.decode("CSTAEventReportArgument", argument))
    benchmark.extra_info["octets"] = len(octets)
    benchmark.extra_info["us by asn1tools"] = round(peer, 1)
    benchmark.extra_info["times asn1tools"] = round(peer / ours, 2)
    benchmark.extra_info["events a second per core"] = round(1e6 / ours)
    benchmark(decode, octets)


@pytest.mark.parametrize("name", EVENTS)
def test_bench_xml_event_decoding(benchmark: Any, name: str) -> None:
    xml, pdu = dialect("xml", "xml8"), Invoke(9999, EventReport(b"\0\7", EVENTS[name]))
    frame, octets = xml.encode(pdu), encode(pdu)
    ours = microseconds(lambda: xml.decode(frame))
    asn1 = microseconds(lambda: decode(octets))
    benchmark.extra_info["octets"] = len(frame)
    benchmark.extra_info["us by ASN.1"] = round(asn1, 1)
    benchmark.extra_info["times ASN.1"] = round(asn1 / ours, 2)
    benchmark.extra_info["events a second per core"] = round(1e6 / ours)
    benchmark(xml.decode, frame)
