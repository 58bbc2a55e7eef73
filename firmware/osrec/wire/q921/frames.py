"""LAPD frames from octets and to octets: address and control field of Q.921 clause 3, modulo 128.

A frame here is what stands between the flags, without FCS; octets are counted from 1, the first of the address.
`decode` raises nothing but WireError: `InvalidFrameError` for what 2.9 discards without a word, `FrameRejectError` for
what 3.6.11 answers with a new establishment. It keeps no state, so a tap may join at any frame.
"""

from dataclasses import dataclass
from enum import Enum

from osrec.errors import UsageError, WireError

SAPI_CALL_CONTROL, SAPI_PACKET_CALL_CONTROL, SAPI_X25, SAPI_MANAGEMENT = 0, 1, 16, 63  # table 2
GROUP_TEI = 127  # broadcast, 3.3.4.1
MODULUS = 128
N201 = 260  # octets of an information field at most, 5.9.3
_POLL_FINAL = 0x10  # in the one octet of a U format
_ADDRESS = 2  # octets


class Side(Enum):
    """Which end of the data link speaks; it settles what C/R means (table 1)."""

    USER = "user"
    NETWORK = "network"

    @property
    def other(self) -> "Side":
        return Side.USER if self is Side.NETWORK else Side.NETWORK


class S(Enum):
    """Supervisory formats by their first control octet, table 5."""

    RR = 0x01
    RNR = 0x05
    REJ = 0x09


class U(Enum):
    """Unnumbered formats by their control octet with P/F 0, table 5."""

    UI = 0x03
    DM = 0x0F
    DISC = 0x43
    UA = 0x63
    SABME = 0x6F
    FRMR = 0x87
    XID = 0xAF


COMMANDS = frozenset({U.UI, U.DISC, U.SABME})
RESPONSES = frozenset({U.DM, U.UA, U.FRMR})
WITH_INFORMATION = frozenset({U.UI, U.FRMR, U.XID})


class Rejected(Enum):
    """Why a frame is rejected, 3.6.11, with the MDL-ERROR code of table II.1."""

    NOT_IMPLEMENTED = "L"
    INFORMATION_NOT_PERMITTED = "M"
    WRONG_SIZE = "N"
    TOO_LONG = "O"


class InvalidFrameError(WireError):
    """2.9: no valid address or too short for its format: discarded, nobody is told."""


class FrameRejectError(WireError):
    """3.6.11: a frame for the link `dlci` that cannot be right.

    Attributes:
        dlci: the link it came for.
        reason: which of the conditions of 3.6.11 it meets.
    """

    def __init__(self, message: str, dlci: "Dlci", reason: Rejected) -> None:
        super().__init__(message, "Q.921 3.6.11")
        self.dlci = dlci
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Dlci:
    """Data link connection identifier: SAPI 0..63 and TEI 0..127."""

    sapi: int = SAPI_CALL_CONTROL
    tei: int = 0


CALL_CONTROL = Dlci()  # the one link of a primary rate access


@dataclass(frozen=True, slots=True)
class Information:
    """I: always a command."""

    n_s: int
    n_r: int
    octets: bytes
    p: bool = False
    dlci: Dlci = CALL_CONTROL

    @property
    def command(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Supervisory:
    """RR, RNR, REJ: command (pf is P) or response (pf is F)."""

    kind: S
    n_r: int
    command: bool
    pf: bool = False
    dlci: Dlci = CALL_CONTROL


@dataclass(frozen=True, slots=True)
class Unnumbered:
    """A U format. Only XID may be either; what the others are, command or response, follows from the kind."""

    kind: U
    command: bool
    pf: bool = False
    octets: bytes = b""
    dlci: Dlci = CALL_CONTROL


Frame = Information | Supervisory | Unnumbered


def command(kind: U, *, p: bool = True, octets: bytes = b"", dlci: Dlci = CALL_CONTROL) -> Unnumbered:
    """SABME, DISC, XID and UI as commands."""
    return Unnumbered(kind, True, p, octets, dlci)


def response(kind: U, *, f: bool, octets: bytes = b"", dlci: Dlci = CALL_CONTROL) -> Unnumbered:
    """UA, DM, FRMR and XID as responses."""
    return Unnumbered(kind, False, f, octets, dlci)


def command_response_bit(is_command: bool, sender: Side) -> bool:
    """C/R as table 1 says: 1 in commands of the network and in responses of the user."""
    return is_command is (sender is Side.NETWORK)


# --- from octets


def decode(octets: bytes, sender: Side, n201: int = N201) -> Frame:
    """Read a frame that `sender` sent. Raises InvalidFrameError, FrameRejectError.

    A U frame that is a response only, such as UA, and whose C/R says command is returned so: `command` tells what C/R
    says, and the link judges it. An I frame is a command whatever its C/R says.
    """
    dlci, cr = _address(octets)
    is_command = cr is (sender is Side.NETWORK)
    first = octets[2]
    if first & 0x03 == 0x03:
        return _unnumbered(octets, dlci, is_command, n201)
    if len(octets) < 4:
        raise InvalidFrameError(f"control 0x{first:02x} at octet 3: octet 4 with N(R) is missing", "Q.921 2.9")
    n_r, pf = octets[3] >> 1, bool(octets[3] & 1)
    if first & 0x01:
        return _supervisory(octets, dlci, is_command, n_r, pf)
    _check_size(octets, 4, dlci, n201)
    return Information(first >> 1, n_r, octets[4:], pf, dlci)


def _address(octets: bytes) -> tuple[Dlci, bool]:
    if len(octets) < _ADDRESS + 1:
        raise InvalidFrameError(f"frame of {len(octets)} octets: address and control take 3", "Q.921 2.9")
    if octets[0] & 1:
        raise InvalidFrameError(f"address 0x{octets[0]:02x} at octet 1: EA is 1, a second octet is due", "Q.921 3.3.1")
    if not octets[1] & 1:
        raise InvalidFrameError(f"address 0x{octets[1]:02x} at octet 2: EA is 0, it ends here", "Q.921 3.3.1")
    return Dlci(octets[0] >> 2, octets[1] >> 1), bool(octets[0] & 2)


def _unnumbered(octets: bytes, dlci: Dlci, is_command: bool, n201: int) -> Unnumbered:
    control = octets[2]
    kind = _U.get(control & ~_POLL_FINAL)
    if kind is None:
        raise FrameRejectError(f"control 0x{control:02x} at octet 3 is not in table 5", dlci, Rejected.NOT_IMPLEMENTED)
    if kind not in WITH_INFORMATION and len(octets) > 3:
        raise FrameRejectError(
            f"{kind.name} with {len(octets) - 3} octets of information at octet 4: it carries none",
            dlci,
            Rejected.INFORMATION_NOT_PERMITTED,
        )
    _check_size(octets, 3, dlci, n201)
    return Unnumbered(kind, is_command, bool(control & _POLL_FINAL), octets[3:], dlci)


def _supervisory(octets: bytes, dlci: Dlci, is_command: bool, n_r: int, pf: bool) -> Supervisory:
    kind = _S.get(octets[2])
    if kind is None:
        raise FrameRejectError(
            f"control 0x{octets[2]:02x} at octet 3 is not in table 5", dlci, Rejected.NOT_IMPLEMENTED
        )
    if len(octets) > 4:
        raise FrameRejectError(f"{kind.name} of {len(octets)} octets, expected 4", dlci, Rejected.WRONG_SIZE)
    return Supervisory(kind, n_r, is_command, pf, dlci)


def _check_size(octets: bytes, header: int, dlci: Dlci, n201: int) -> None:
    if len(octets) - header > n201:
        raise FrameRejectError(
            f"information field of {len(octets) - header} octets at octet {header + 1}, N201 is {n201}",
            dlci,
            Rejected.TOO_LONG,
        )


_S = {kind.value: kind for kind in S}
_U = {kind.value: kind for kind in U}


def sender_of(octets: bytes) -> Side | None:
    """Which side sent a frame that a tap caught, as far as the frame alone tells.

    I frames and most U formats are commands only or responses only, so C/R names the side; None for S formats and XID,
    and for what cannot be read.
    """
    try:
        frame = decode(octets, Side.NETWORK)
    except WireError:
        return None
    if isinstance(frame, Information):
        is_command = True
    elif isinstance(frame, Unnumbered) and frame.kind is not U.XID:
        is_command = frame.kind in COMMANDS
    else:
        return None
    return Side.NETWORK if is_command is bool(octets[0] & 2) else Side.USER


# --- to octets


def encode(frame: Frame, sender: Side) -> bytes:
    """Write a frame that `sender` sends. Raises UsageError when a field does not fit or the kind forbids it."""
    header = _address_octets(frame.dlci, command_response_bit(frame.command, sender))
    match frame:
        case Information(n_s, n_r, octets, p):
            return header + bytes([_sequence("N(S)", n_s) << 1, _sequence("N(R)", n_r) << 1 | p]) + octets
        case Supervisory(kind, n_r, _, pf):
            return header + bytes([kind.value, _sequence("N(R)", n_r) << 1 | pf])
        case Unnumbered(kind, is_command, pf, octets):
            _check_unnumbered(kind, is_command, octets)
            return header + bytes([kind.value | (_POLL_FINAL if pf else 0)]) + octets


def _address_octets(dlci: Dlci, cr: bool) -> bytes:
    if not 0 <= dlci.sapi <= 63:
        raise UsageError(f"SAPI {dlci.sapi}: 0..63 [Q.921 3.3.3]")
    if not 0 <= dlci.tei <= GROUP_TEI:
        raise UsageError(f"TEI {dlci.tei}: 0..127 [Q.921 3.3.4]")
    return bytes([dlci.sapi << 2 | cr << 1, dlci.tei << 1 | 1])


def _sequence(name: str, value: int) -> int:
    if not 0 <= value < MODULUS:
        raise UsageError(f"{name} {value}: 0..127 [Q.921 3.5]")
    return value


def _check_unnumbered(kind: U, is_command: bool, octets: bytes) -> None:
    if kind in (RESPONSES if is_command else COMMANDS):
        raise UsageError(f"{kind.name} as a {'command' if is_command else 'response'} [Q.921 table 5]")
    if octets and kind not in WITH_INFORMATION:
        raise UsageError(f"{kind.name} with {len(octets)} octets of information: it carries none [Q.921 3.6]")
