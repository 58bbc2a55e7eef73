"""Information fields of FRMR (3.6.11) and of XID (parameter negotiation, appendix IV; format of ISO/IEC 8885)."""

from dataclasses import dataclass
from enum import IntEnum

from osrec.errors import UsageError, WireError

FORMAT, GROUP = 0x82, 0x80  # format and group identifier of parameter negotiation
_FRMR_SIZE = 5
_W, _X, _Y, _Z = 1, 2, 4, 8


@dataclass(frozen=True, slots=True)
class FrameReject:
    """What FRMR says of the frame it rejects, 3.6.11 (modulo 128).

    Attributes:
        control: control field of that frame, two octets; the second is 0 for U formats.
        v_s, v_r: state variables of the rejecting side.
        was_response: that frame was a response (its C/R says so).
        undefined_control, not_permitted, too_long, invalid_n_r: W, X, Y and Z.
    """

    control: bytes
    v_s: int
    v_r: int
    was_response: bool = False
    undefined_control: bool = False
    not_permitted: bool = False
    too_long: bool = False
    invalid_n_r: bool = False


def read_frmr(octets: bytes) -> FrameReject:
    if len(octets) != _FRMR_SIZE:
        raise WireError(f"information field of FRMR has {len(octets)} octets, expected 5", "Q.921 3.6.11")
    if octets[2] & 1:
        raise WireError(f"V(S) 0x{octets[2]:02x} at octet 3: bit 1 is 0", "Q.921 3.6.11")
    if octets[4] & 0xF0:
        raise WireError(f"reasons 0x{octets[4]:02x} at octet 5: bits 8 to 5 are 0", "Q.921 3.6.11")
    reasons = (bool(octets[4] & bit) for bit in (_W, _X, _Y, _Z))
    return FrameReject(octets[:2], octets[2] >> 1, octets[3] >> 1, bool(octets[3] & 1), *reasons)


def write_frmr(field: FrameReject) -> bytes:
    if len(field.control) != 2:
        raise UsageError(f"rejected control field {field.control.hex(' ')}: two octets [Q.921 3.6.11]")
    for name, value in (("V(S)", field.v_s), ("V(R)", field.v_r)):
        if not 0 <= value < 128:
            raise UsageError(f"{name} {value}: 0..127 [Q.921 3.6.11]")
    reasons = _W * field.undefined_control | _X * field.not_permitted | _Y * field.too_long | _Z * field.invalid_n_r
    return field.control + bytes([field.v_s << 1, field.v_r << 1 | field.was_response, reasons])


class Parameter(IntEnum):
    """Parameters of a data link that XID may negotiate; T200 is in tenths of a second."""

    N201_TRANSMIT = 5
    N201_RECEIVE = 6
    K_TRANSMIT = 7
    T200 = 9


@dataclass(frozen=True, slots=True)
class ParameterNegotiation:
    """Identifier and value of each parameter, in the order of the wire; an unknown identifier stays a number."""

    parameters: tuple[tuple[int, bytes], ...]

    def get(self, parameter: Parameter) -> int | None:
        """The value of a parameter, None when it is not in the field."""
        return next((int.from_bytes(value, "big") for number, value in self.parameters if number == parameter), None)


def read_xid(octets: bytes) -> ParameterNegotiation:
    """An XID field may also be empty or of another format: WireError says which was found."""
    if octets[:2] != bytes([FORMAT, GROUP]):
        raise WireError(
            f"XID field begins with {octets[:2].hex(' ') or 'nothing'}, expected 82 80", "Q.921 appendix IV"
        )
    if len(octets) < 4 or int.from_bytes(octets[2:4], "big") != len(octets) - 4:
        raise WireError(f"group length {octets[2:4].hex()} at octet 3: {max(0, len(octets) - 4)} octets follow")
    parameters, at = [], 4
    while at < len(octets):
        end = at + 2 + octets[at + 1] if at + 1 < len(octets) else len(octets) + 1
        if end > len(octets):
            raise WireError(f"parameter {octets[at]} at octet {at + 1} runs beyond the field of {len(octets)} octets")
        parameters.append((octets[at], octets[at + 2 : end]))
        at = end
    return ParameterNegotiation(tuple(parameters))


def write_xid(field: ParameterNegotiation) -> bytes:
    group = bytearray()
    for number, value in field.parameters:
        if not 0 <= number <= 255 or len(value) > 255:
            raise UsageError(f"parameter {number} of {len(value)} octets: number and length are one octet each")
        group += bytes([number, len(value)]) + value
    if len(group) > 0xFFFF:
        raise UsageError(f"parameters of {len(group)} octets: a group has at most 65535")
    return bytes([FORMAT, GROUP]) + len(group).to_bytes(2, "big") + group
