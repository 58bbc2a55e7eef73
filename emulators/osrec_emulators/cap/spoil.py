"""Event reports as no standard knows them, and PDUs that nobody can read: what each encoding can do wrong."""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

from osrec.wire.csta import model
from osrec_emulators.cap import spoil_ber, spoil_xml

EIGHT_BIT = bytes(range(0x80, 0x100)).decode("latin-1")


class Spoiler(Protocol):
    """One encoding's ways. `report` is the value before it is encoded, `pdu` its octets, without framing."""

    def unknown_cause(self, pdu: bytes, rng: random.Random) -> bytes:
        """A cause that ECMA-285 does not list."""

    def unknown_member(self, pdu: bytes, rng: random.Random) -> bytes:
        """A member that no definition of the event has, before all others."""

    def unknown_event(self, pdu: bytes, rng: random.Random) -> bytes:
        """The same report of an event that does not exist."""

    def indefinite(self, pdu: bytes) -> bytes:
        """The same PDU with indefinite lengths."""

    def private(self, rng: random.Random) -> bytes:
        """One item of private data."""

    def oversized(self, octets: int) -> bytes:
        """Private data of about this size."""

    def damaged(self, pdu: bytes, rng: random.Random) -> bytes:
        """The PDU as no decoder can read it; its framing stays intact."""

    def junk(self, rng: random.Random) -> bytes:
        """A PDU that never was one; its framing is intact."""


def spoiler(encoding: str, framing: str) -> Spoiler:
    if encoding == "xml":
        return spoil_xml.XmlSpoiler()
    return spoil_ber.BerSpoiler(keep_outer=framing == "none")


def with_private(report: model.EventReport, item: bytes) -> model.EventReport:
    return replace(report, private=(*report.private, item))


def with_eight_bit_name(report: model.EventReport) -> model.EventReport:
    """The event's own device gets a name of all octets that are not ASCII."""
    device: Any = getattr(report.event, "device", None)
    if not isinstance(device, model.DeviceId):
        return report
    event: Callable[..., Any] = replace
    return replace(report, event=event(report.event, device=replace(device, name=EIGHT_BIT)))
