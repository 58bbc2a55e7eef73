"""The facility element, Q.932 and ECMA-165 (QSIG): service components as octets, taken apart on demand."""

from dataclasses import dataclass
from enum import IntEnum

from osrec.errors import WireError
from osrec.wire.csta.ber import walk
from osrec.wire.q931.cursor import EXTENSION, Cursor, code, field

_ROSE = {0xA1: "invoke", 0xA2: "returnResult", 0xA3: "returnError", 0xA4: "reject"}


class Profile(IntEnum):
    """Protocol profile, octet 3."""

    REMOTE_OPERATIONS = 0x11
    CMIP = 0x12
    ACSE = 0x13
    NETWORKING_EXTENSIONS = 0x1F


@dataclass(frozen=True, slots=True)
class Facility:
    """0x1C. `octets` are what follows the protocol profile."""

    octets: bytes
    profile: int = Profile.REMOTE_OPERATIONS


@dataclass(frozen=True, slots=True)
class FacilityParts:
    """The components of a facility, each whole with tag and length; None or nothing when absent.

    Attributes:
        extension: network facility extension: which entity of which PINX it is meant for.
        protocol_profile: network protocol profile.
        interpretation: interpretation APDU: what to do with an operation that is not known.
        operations: ROSE APDUs in order.
        others: what is none of these.
    """

    extension: bytes | None = None
    protocol_profile: bytes | None = None
    interpretation: bytes | None = None
    operations: tuple[bytes, ...] = ()
    others: tuple[bytes, ...] = ()


def read(octets: Cursor) -> Facility:
    profile = octets.last("3 (protocol profile)") & 0x1F
    return Facility(octets.rest(), code(Profile, profile))


def write(facility: Facility) -> bytes:
    return bytes([EXTENSION | field(facility.profile, 0x1F, "protocol profile")]) + facility.octets


def parts(facility: Facility) -> FacilityParts:
    """Raises WireError when the octets are no row of BER elements with definite lengths."""
    extension = profile = interpretation = None
    operations, others = [], []
    for _, _, begin, end in walk(facility.octets):
        whole = facility.octets[begin:end]
        match whole[0]:
            case 0xAA:  # [10], ECMA-165
                extension = whole
            case 0x92:
                profile = whole
            case 0x8B:
                interpretation = whole
            case 0xA1 | 0xA2 | 0xA3 | 0xA4:
                operations.append(whole)
            case _:
                others.append(whole)
    return FacilityParts(extension, profile, interpretation, tuple(operations), tuple(others))


def operation_name(octets: bytes) -> str:
    """`invoke 5 of operation 0` for a ROSE APDU; what cannot be read is left out."""
    kind = _ROSE.get(octets[0], "component")
    try:
        contents = walk(octets)[0][1]
        items = [item for item in walk(contents) if item[0] == 0x02]
    except (WireError, IndexError):
        return kind
    numbers = [int.from_bytes(item[1], "big", signed=True) for item in items]
    named = ("", " of operation ") if kind == "invoke" else ("", ", value ")
    return f"{kind} " + "".join(f"{before}{number}" for before, number in zip(named, numbers, strict=False))
