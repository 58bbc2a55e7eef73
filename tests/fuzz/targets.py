"""What is fuzzed, by name."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from osrec.wire.csta.framing import NAMES, framing_named
from tests.fuzz import access, e1, seeds, wire


@dataclass(frozen=True, slots=True)
class Target:
    """Raises for data that make a finding.

    Attributes:
        seeds: data to begin with.
        longest: octets of data at most.
        words: what data of this kind is made of, to be put in anywhere.
    """

    run: Callable[[bytes], None]
    seeds: Callable[[], list[bytes]]
    longest: int
    words: Callable[[], list[bytes]] = list


def _streams() -> list[bytes]:
    """PDUs in each framing, with a head that cuts the stream."""
    said = seeds.pdus()[:3]
    found = []
    for number, name in enumerate(NAMES):
        digits = b"0001" if name == "xml8" else b""
        stream = b"".join(framing_named(name).encode(digits + pdu) for pdu in said)
        found.append(bytes([number, 1, 3, 9, 60]) + stream)
    return found


def _tags() -> list[bytes]:
    """Tags and texts of the documents."""
    return sorted({word for document in seeds.documents() for word in re.findall(rb"<[^>?]*>|[^<>]{1,20}", document)})


TARGETS = {
    "q921": Target(wire.q921, seeds.frames, 300),
    "q931": Target(wire.q931, lambda: seeds.messages() + seeds.frames(), 400),
    "access": Target(access.access, access.seeds, 2000),
    "hdlc": Target(e1.hdlc, e1.hdlc_seeds, 400),
    "framer": Target(e1.framer, lambda: e1.FRAMER_SEEDS, 300),
    "csta-asn1": Target(wire.csta_asn1, seeds.pdus, 1000),
    "csta-xml": Target(wire.csta_xml, seeds.documents, 3000, _tags),
    "csta-framing": Target(wire.csta_framing, _streams, 1000),
}
