"""What a data link is told and what it tells: the primitives of Q.921 clause 4, and its timers."""

from dataclasses import dataclass
from enum import Enum
from math import isfinite

from osrec.errors import UsageError
from osrec.wire.q921.frames import CALL_CONTROL, N201, Dlci, Frame, Rejected


class LinkTimer(Enum):
    """Q.921 5.9; and the ACKNOWLEDGE PENDING of Annex B, due at once: an I frame may still carry it."""

    T200 = "T200"
    T203 = "T203"
    ACKNOWLEDGE = "acknowledge pending"


@dataclass(frozen=True, slots=True)
class LinkConfig:
    """System parameters, Q.921 5.9. Times in seconds.

    Attributes:
        dlci: SAPI and TEI, 0 and 0 on a primary rate access.
        t200: until an answer is due, 5.9.1.
        n200: repetitions at most, 5.9.2.
        n201: octets of an information field at most, 5.9.3.
        k: I frames outstanding at most, 5.9.5: 7 on a primary rate access.
        t203: silence after which the peer is asked whether it is still there, 5.9.8.
    """

    dlci: Dlci = CALL_CONTROL
    t200: float = 1.0
    n200: int = 3
    n201: int = N201
    k: int = 7
    t203: float = 10.0

    def __post_init__(self) -> None:
        for name, value in (("T200", self.t200), ("T203", self.t203)):
            if not (isfinite(value) and value > 0):
                raise UsageError(f"{name} {value:g} s: a number of seconds, more than 0 [Q.921 5.9]")
        if self.t203 < self.t200:
            raise UsageError(
                f"T203 {self.t203:g} s is less than T200, {self.t200:g} s: it would ask before an answer is due"
            )
        if self.n200 < 0:
            raise UsageError(f"N200 {self.n200}: at least 0 [Q.921 5.9.2]")
        if not 1 <= self.k <= 127:
            raise UsageError(f"k {self.k}: 1..127 [Q.921 5.9.5]")


# --- events


@dataclass(frozen=True, slots=True)
class EstablishRequest:
    """DL-ESTABLISH request."""


@dataclass(frozen=True, slots=True)
class ReleaseRequest:
    """DL-RELEASE request."""


@dataclass(frozen=True, slots=True)
class DataRequest:
    """DL-DATA request: a message, acknowledged."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class UnitDataRequest:
    """DL-UNIT DATA request: a message to all, not acknowledged."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class OwnBusy:
    """Layer 3 cannot take more messages, or can again: own receiver busy condition, 5.6.6."""

    busy: bool


@dataclass(frozen=True, slots=True)
class Deactivated:
    """PH-DEACTIVATE indication that stays: layer 1 is gone."""


@dataclass(frozen=True, slots=True)
class FrameReceived:
    frame: Frame


@dataclass(frozen=True, slots=True)
class FrameRejected:
    """A frame for this link met a condition of 3.6.11."""

    reason: Rejected


@dataclass(frozen=True, slots=True)
class TimerExpired:
    """The deadline was reached."""


LinkEvent = (
    EstablishRequest
    | ReleaseRequest
    | DataRequest
    | UnitDataRequest
    | OwnBusy
    | Deactivated
    | FrameReceived
    | FrameRejected
    | TimerExpired
)


# --- outputs


@dataclass(frozen=True, slots=True)
class Transmit:
    frame: Frame


@dataclass(frozen=True, slots=True)
class Established:
    """DL-ESTABLISH confirm, or indication: the peer asked for it, or all that was outstanding is lost."""

    confirm: bool


@dataclass(frozen=True, slots=True)
class Released:
    """DL-RELEASE confirm, or indication."""

    confirm: bool


@dataclass(frozen=True, slots=True)
class DataReceived:
    """DL-DATA indication."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class UnitDataReceived:
    """DL-UNIT DATA indication."""

    octets: bytes


class LinkFault(Enum):
    """MDL-ERROR indication by its letter in table II.1."""

    SUPERVISORY_FINAL = "A"
    DM_FINAL = "B"
    UA_FINAL = "C"
    UA_NOT_FINAL = "D"
    DM_NOT_FINAL = "E"
    PEER_RESET = "F"
    NO_ESTABLISHMENT = "G"
    NO_RELEASE = "H"
    NO_RECOVERY = "I"
    WRONG_N_R = "J"
    FRMR = "K"
    NOT_IMPLEMENTED = "L"
    INFORMATION_NOT_PERMITTED = "M"
    WRONG_SIZE = "N"
    TOO_LONG = "O"


FAULT_TEXTS = {
    LinkFault.SUPERVISORY_FINAL: "answer to an enquiry that was not sent",
    LinkFault.DM_FINAL: "DM with F 1 that was not asked for",
    LinkFault.UA_FINAL: "UA with F 1 that was not asked for",
    LinkFault.UA_NOT_FINAL: "UA with F 0",
    LinkFault.DM_NOT_FINAL: "DM: the peer has lost the link",
    LinkFault.PEER_RESET: "SABME: the peer establishes the link anew",
    LinkFault.NO_ESTABLISHMENT: "no answer to SABME",
    LinkFault.NO_RELEASE: "no answer to DISC",
    LinkFault.NO_RECOVERY: "no answer to enquiries",
    LinkFault.WRONG_N_R: "N(R) of a frame that was not sent",
    LinkFault.FRMR: "FRMR: the peer rejects a frame of ours",
    LinkFault.NOT_IMPLEMENTED: "frame that is in no table",
    LinkFault.INFORMATION_NOT_PERMITTED: "information where none is permitted",
    LinkFault.WRONG_SIZE: "frame of a wrong size",
    LinkFault.TOO_LONG: "information field longer than N201",
}


@dataclass(frozen=True, slots=True)
class LinkError:
    """MDL-ERROR indication: to count and log; what was to be done about it is done."""

    fault: LinkFault


LinkOutput = Transmit | Established | Released | DataReceived | UnitDataReceived | LinkError
