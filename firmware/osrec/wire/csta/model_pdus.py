"""How arguments and results travel (ROSE, X.880), and how an association begins and ends (ACSE, X.227; ECMA-354)."""

from dataclasses import dataclass, field
from enum import IntEnum

from osrec.wire.csta.model_services import (
    Argument,
    Result,
)


@dataclass(frozen=True, slots=True)
class Invoke:
    invoke_id: int
    argument: Argument


@dataclass(frozen=True, slots=True)
class ReturnResult:
    """`result` is UnknownArgument when the opcode is not given or the body did not decode."""

    invoke_id: int
    result: Result
    opcode: int | None = None


class ErrorCategory(IntEnum):
    """UniversalFailure alternatives, ECMA-285."""

    OPERATION = 0
    SECURITY = 1
    STATE_INCOMPATIBILITY = 2
    SYSTEM_RESOURCE = 3
    SUBSCRIBED_RESOURCE = 4
    PERFORMANCE = 5
    PRIVATE_DATA = 6
    UNSPECIFIED = 7


@dataclass(frozen=True, slots=True)
class ReturnError:
    """`value` is the inner error code (0 for UNSPECIFIED); see errors named in causes.py.

    `text`: the word of an XML error that has no number in `category`; its value is then -1.
    """

    invoke_id: int
    category: ErrorCategory | int
    value: int
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Reject:
    """`kind`: 0 general, 1 invoke, 2 returnResult, 3 returnError; `problem` as in X.880."""

    invoke_id: int | None
    kind: int
    problem: int


@dataclass(frozen=True, slots=True)
class Session:
    """StartApplicationSession (ECMA-354): what an XML association asks for, or what its positive answer gives.

    `versions` are namespaces of CSTA editions, best first; an answer has one. `id` is the answer's sessionID.
    `specific` is XML for applicationSpecificInfo as a site wants it, a login for example.
    """

    application: str
    versions: tuple[str, ...]
    seconds: int | None = None  # session duration
    id: str | None = None
    specific: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Associate:
    """AARQ. `version` holds the octets of the cSTAVersion bit string and the count of bits; 0: no user-information.

    `reference` is the direct-reference of the user-information's EXTERNAL where a site wants one, as Panasonic
    (1.3.12.0.285.200).
    """

    context: str = "1.3.12.0.218"
    name: bytes | None = None
    password: bytes | None = field(default=None, repr=False)
    version: tuple[bytes, int] = (b"\x10\x00", 16)
    reference: str | None = None
    protocol_version: bool = False  # whether protocol-version {version1} is sent
    session: Session | None = None  # XML: ECMA-354 StartApplicationSession
    invoke_id: int | None = None  # XML: of the frame; None sends 1


@dataclass(frozen=True, slots=True)
class Associated:
    """AARE. `result`: 0 accepted, 1 rejected permanent, 2 rejected transient."""

    result: int
    diagnostic: int = 0
    context: str = "1.3.12.0.218"
    stamp: bytes | None = None  # aps-stamp
    system_version: bytes | None = None
    version: tuple[bytes, int] | None = None
    session: Session | None = None
    invoke_id: int | None = None  # XML: of the request that it answers; None sends 1


@dataclass(frozen=True, slots=True)
class Release:  # RLRQ; XML: StopApplicationSession
    reason: int | None = None
    session: str | None = None  # XML: sessionID
    invoke_id: int | None = None  # XML: of the frame; None sends 1


@dataclass(frozen=True, slots=True)
class Released:  # RLRE; XML: StopApplicationSessionPosResponse
    reason: int | None = None
    invoke_id: int | None = None  # XML: of the request that it answers; None sends 1


@dataclass(frozen=True, slots=True)
class Abort:  # ABRT; XML: ApplicationSessionTerminated
    source: int = 0
    diagnostic: int | None = None
    session: str | None = None  # XML: sessionID


Pdu = Invoke | ReturnResult | ReturnError | Reject | Associate | Associated | Release | Released | Abort
