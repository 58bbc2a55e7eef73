"""Numbers and subaddresses of the parties: Q.931 4.5.8 to 4.5.11, connected ones Q.951, diversion Q.952."""

from dataclasses import dataclass
from enum import IntEnum

from osrec.errors import UsageError
from osrec.wire.q931.cursor import EXTENSION, Cursor, code, field, group, text


class TypeOfNumber(IntEnum):
    """TON, 4.5.8."""

    UNKNOWN = 0
    INTERNATIONAL = 1
    NATIONAL = 2
    NETWORK_SPECIFIC = 3
    SUBSCRIBER = 4
    ABBREVIATED = 6


class NumberingPlan(IntEnum):
    """NPI, 4.5.8."""

    UNKNOWN = 0
    ISDN = 1
    DATA = 3
    TELEX = 4
    NATIONAL_STANDARD = 8
    PRIVATE = 9


class PresentationIndicator(IntEnum):
    """4.5.10."""

    ALLOWED = 0
    RESTRICTED = 1
    NOT_AVAILABLE = 2


class Screening(IntEnum):
    """4.5.10."""

    USER_NOT_SCREENED = 0
    USER_PASSED = 1
    USER_FAILED = 2
    NETWORK = 3


class RedirectionReason(IntEnum):
    """Octet 3b of the redirecting number, Q.952."""

    UNKNOWN = 0
    BUSY = 1
    NO_REPLY = 2
    DEFLECTION = 4
    OUT_OF_ORDER = 9
    BY_CALLED_DTE = 10
    UNCONDITIONAL = 15


@dataclass(frozen=True, slots=True)
class Presentation:
    """Octet 3a of a number."""

    indicator: int = PresentationIndicator.ALLOWED
    screening: int = Screening.USER_NOT_SCREENED


@dataclass(frozen=True, slots=True)
class CalledPartyNumber:
    """4.5.8. Digits are IA5 characters; `*`, `#` and more are possible."""

    digits: str
    ton: int = TypeOfNumber.UNKNOWN
    npi: int = NumberingPlan.ISDN


@dataclass(frozen=True, slots=True)
class _PresentedNumber:
    digits: str
    ton: int = TypeOfNumber.UNKNOWN
    npi: int = NumberingPlan.ISDN
    presentation: Presentation | None = None  # None: octet 3a is left out


@dataclass(frozen=True, slots=True)
class CallingPartyNumber(_PresentedNumber):
    """4.5.10."""


@dataclass(frozen=True, slots=True)
class ConnectedNumber(_PresentedNumber):
    """Q.951.5; in QSIG too."""


@dataclass(frozen=True, slots=True)
class RedirectionNumber(_PresentedNumber):
    """Q.952: where the call goes now."""


@dataclass(frozen=True, slots=True)
class RedirectingNumber(_PresentedNumber):
    """Q.952: where the call was sent on, and why; a reason (octet 3b) needs `presentation` (octet 3a) before it."""

    reason: int | None = None


def read_called(octets: Cursor) -> CalledPartyNumber:
    ton, npi = _ton_npi(octets.last("3 (type of number and numbering plan)"))
    return CalledPartyNumber(_digits(octets), ton, npi)


def write_called(number: CalledPartyNumber) -> bytes:
    return bytes([EXTENSION | _octet_3(number.ton, number.npi)]) + text(number.digits, "digits")


def read_calling(octets: Cursor) -> CallingPartyNumber:
    ton, npi, more = _head(octets)
    return CallingPartyNumber(_digits(octets), ton, npi, _presentation(more))


def read_connected(octets: Cursor) -> ConnectedNumber:
    ton, npi, more = _head(octets)
    return ConnectedNumber(_digits(octets), ton, npi, _presentation(more))


def read_redirection(octets: Cursor) -> RedirectionNumber:
    ton, npi, more = _head(octets)
    return RedirectionNumber(_digits(octets), ton, npi, _presentation(more))


def read_redirecting(octets: Cursor) -> RedirectingNumber:
    ton, npi, more = _head(octets, most=3)
    reason = code(RedirectionReason, more[1] & 0x0F) if len(more) == 2 else None
    return RedirectingNumber(_digits(octets), ton, npi, _presentation(more), reason)


def write_presented(number: _PresentedNumber) -> bytes:
    values = [_octet_3(number.ton, number.npi)]
    if number.presentation is not None:
        shown = number.presentation
        values.append(field(shown.indicator, 3, "presentation") << 5 | field(shown.screening, 3, "screening"))
    if isinstance(number, RedirectingNumber) and number.reason is not None:
        if number.presentation is None:
            raise UsageError(f"reason {number.reason} of a redirecting number without presentation [Q.952]")
        values.append(field(number.reason, 15, "reason for redirection"))
    return group(bytes(values), "number") + text(number.digits, "digits")


def _head(octets: Cursor, most: int = 2) -> tuple[int, int, bytes]:
    """TON, NPI and the values of octets 3a and 3b."""
    first, *more = octets.group("3 (type of number and numbering plan)")
    if len(more) >= most:
        raise octets.fault(f"octet group 3 has {len(more) + 1} octets, at most {most} are known")
    return (*_ton_npi(first), bytes(more))


def _ton_npi(octet: int) -> tuple[int, int]:
    return code(TypeOfNumber, octet >> 4 & 7), code(NumberingPlan, octet & 0x0F)


def _octet_3(ton: int, npi: int) -> int:
    return field(ton, 7, "type of number") << 4 | field(npi, 15, "numbering plan")


def _presentation(more: bytes) -> Presentation | None:
    if not more:
        return None
    return Presentation(code(PresentationIndicator, more[0] >> 5 & 3), code(Screening, more[0] & 3))


def _digits(octets: Cursor) -> str:
    return octets.rest().decode("latin-1")


# --- subaddresses


class SubaddressType(IntEnum):
    """4.5.9."""

    NSAP = 0
    USER = 2


@dataclass(frozen=True, slots=True)
class _Subaddress:
    octets: bytes
    type: int = SubaddressType.NSAP
    odd: bool = False  # an odd number of address signals, BCD coded


@dataclass(frozen=True, slots=True)
class CalledPartySubaddress(_Subaddress):
    """4.5.9."""


@dataclass(frozen=True, slots=True)
class CallingPartySubaddress(_Subaddress):
    """4.5.11."""


@dataclass(frozen=True, slots=True)
class ConnectedSubaddress(_Subaddress):
    """Q.951.5."""


def read_subaddress(kind: type[_Subaddress], octets: Cursor) -> _Subaddress:
    octet = octets.last("3 (type of subaddress)")
    return kind(octets.rest(), code(SubaddressType, octet >> 4 & 7), bool(octet & 0x08))


def write_subaddress(subaddress: _Subaddress) -> bytes:
    kind = field(subaddress.type, 7, "type of subaddress")
    return bytes([EXTENSION | kind << 4 | subaddress.odd << 3]) + subaddress.octets
