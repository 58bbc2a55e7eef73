"""TEI management: the messages of Q.921 5.3, which travel in UI frames of SAPI 63, TEI 127 (basic rate access)."""

from dataclasses import dataclass
from enum import IntEnum

from osrec.errors import UsageError, WireError
from osrec.wire.q921.frames import GROUP_TEI, SAPI_MANAGEMENT, Dlci, U, Unnumbered, command

ENTITY = 0x0F  # management entity identifier of TEI administration, 5.3.2
MANAGEMENT = Dlci(SAPI_MANAGEMENT, GROUP_TEI)
ANY_TEI = 127  # action indicator: any value will do (request), all values are meant (check, remove)


class TeiMessage(IntEnum):
    """Message types, 5.3.2."""

    IDENTITY_REQUEST = 1
    IDENTITY_ASSIGNED = 2
    IDENTITY_DENIED = 3
    IDENTITY_CHECK_REQUEST = 4
    IDENTITY_CHECK_RESPONSE = 5
    IDENTITY_REMOVE = 6
    IDENTITY_VERIFY = 7


@dataclass(frozen=True, slots=True)
class TeiManagement:
    """One message: Ri 0..65535; `teis` are its action indicators, several in a check response only."""

    kind: TeiMessage
    reference: int
    teis: tuple[int, ...]


def read(octets: bytes) -> TeiManagement:
    """The information field of a UI frame of SAPI 63. Raises WireError; octets are counted from 1 in this field."""
    if len(octets) < 5:
        raise WireError(f"TEI management message of {len(octets)} octets, expected at least 5", "Q.921 5.3.2")
    if octets[0] != ENTITY:
        raise WireError(f"management entity identifier 0x{octets[0]:02x} at octet 1, expected 0x0f", "Q.921 5.3.2")
    if not 1 <= octets[3] <= len(TeiMessage):
        raise WireError(f"message type {octets[3]} at octet 4: known are 1..7", "Q.921 5.3.2")
    return TeiManagement(TeiMessage(octets[3]), int.from_bytes(octets[1:3], "big"), _teis(octets[4:]))


def _teis(octets: bytes) -> tuple[int, ...]:
    """Action indicators, each an octet; the extension bit of the last is 1 (5.3.2)."""
    for count, octet in enumerate(octets, 1):
        if octet & 1:
            return tuple(octet >> 1 for octet in octets[:count])
    raise WireError(f"no action indicator from octet 5 to {4 + len(octets)} has the extension bit 1", "Q.921 5.3.2")


def write(message: TeiManagement) -> bytes:
    """Raises UsageError when a field does not fit."""
    if not 0 <= message.reference <= 0xFFFF:
        raise UsageError(f"reference number {message.reference}: 0..65535 [Q.921 5.3.2]")
    if not message.teis or (len(message.teis) > 1 and message.kind is not TeiMessage.IDENTITY_CHECK_RESPONSE):
        raise UsageError(f"{message.kind.name} with {len(message.teis)} action indicators, expected 1 [Q.921 5.3]")
    for tei in message.teis:
        if not 0 <= tei <= ANY_TEI:
            raise UsageError(f"action indicator {tei}: 0..127 [Q.921 5.3.2]")
    indicators = bytearray(tei << 1 for tei in message.teis)
    indicators[-1] |= 1
    return bytes([ENTITY, *message.reference.to_bytes(2, "big"), message.kind]) + indicators


def frame(message: TeiManagement) -> Unnumbered:
    """The UI frame that carries it: a command to all, P is 0."""
    return command(U.UI, p=False, octets=write(message), dlci=MANAGEMENT)
