"""One CSTA PDU from octets and to octets: ROSE (X.880, tags of X.229) and ACSE around the CSTA services.

`decode` raises WireError when the octets are no PDU and nothing else, in time linear in their number.
A PDU whose envelope is sound and whose argument is not comes back with an UnknownArgument, so that it can be rejected.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

from osrec.errors import UsageError, WireError
from osrec.wire.csta import acse
from osrec.wire.csta.ber import (
    IndefiniteLengthError,
    definite,
    element,
    integer,
    integer_octets,
    named,
    walk,
    walk_until_fault,
)
from osrec.wire.csta.model import (
    Abort,
    Argument,
    Associate,
    Associated,
    ErrorCategory,
    EventReport,
    Invoke,
    Pdu,
    Reject,
    Release,
    Released,
    Result,
    ReturnError,
    ReturnResult,
    UnknownArgument,
)
from osrec.wire.csta.results import READ_RESULT, write_result
from osrec.wire.csta.services import READ_ARGUMENT, write_argument

Body = TypeVar("Body")

KNOWN_OPERATIONS = frozenset(READ_ARGUMENT)  # whose arguments we read
MAX_PDU = 1 << 20  # octets, ours: the largest snapshot of a device is a few kilo-octets

_INVOKE, _RESULT, _ERROR, _REJECT = 0x81, 0x82, 0x83, 0x84
_INTEGER, _NULL, _SEQUENCE = 0x02, 0x05, 0x10
_CONTEXT = 0x80
_ACSE = (acse.AARQ, acse.AARE, acse.RLRQ, acse.RLRE, acse.ABRT)
_UNIVERSAL_FAILURE = 1  # errcode


def decode(octets: bytes) -> Pdu:
    """Read one PDU. Raises WireError."""
    return decode_with_remarks(octets)[0]


def decode_with_remarks(octets: bytes) -> tuple[Pdu, tuple[str, ...]]:
    """Read one PDU and say what had to be tolerated (an event report has it as `remarks`). Raises WireError."""
    if len(octets) > MAX_PDU:
        raise WireError(f"PDU of {len(octets)} octets, allowed are {MAX_PDU}")
    notes: list[str] = []
    try:
        pdu = _decode(bytes(octets), notes)
    except IndefiniteLengthError:
        notes = ["indefinite lengths"]
        pdu = _decode(definite(octets), notes)
    if isinstance(pdu, Invoke) and isinstance(pdu.argument, EventReport):
        return pdu, pdu.argument.remarks
    return pdu, tuple(notes)


def _decode(octets: bytes, notes: list[str]) -> Pdu:
    if not octets:
        raise WireError("PDU of no octets")
    key, contents, end = _outermost(octets)
    if end < len(octets):
        notes.append(f"{len(octets) - end} octets after the PDU")
    if key in _ACSE:
        return acse.read(key, contents)
    if key == _INVOKE:
        return _invoke(contents, notes)
    if key == _RESULT:
        return _return_result(contents, notes)
    if key == _ERROR:
        return _return_error(contents)
    if key == _REJECT:
        return _reject(contents)
    raise WireError(f"PDU is {named(key)}, known are ROSE [1] to [4] and ACSE [APPLICATION 0] to [APPLICATION 4]")


def _outermost(octets: bytes) -> tuple[int, bytes, int]:
    """The first element; what follows it need not be readable."""
    items, fault = walk_until_fault(octets)
    if not items:
        raise fault or WireError("PDU of no octets")
    key, contents, _, end = items[0]
    if not octets[0] & 0x20:
        raise WireError(f"PDU {named(key)} is primitive")
    return key, contents, end


def _invoke(contents: bytes, notes: list[str]) -> Invoke:
    items = walk(contents)
    if not items or items[0][0] != _INTEGER:
        raise WireError("invoke without invokeID", "X.880")
    invoke_id = integer(items[0][1])
    rest = items[1:]
    if rest and rest[0][0] == _CONTEXT:
        notes.append("linkedID ignored")
        rest = rest[1:]
    if not rest:
        raise WireError(f"invoke {invoke_id} without operation code", "X.880")
    key, code, begin, end = rest[0]
    if key != _INTEGER:
        reason = f"operation code is {named(key)}, expected a local value"
        return Invoke(invoke_id, UnknownArgument(None, contents[begin:], reason))
    return Invoke(invoke_id, _argument(integer(code), contents[end:], notes))


def _argument(opcode: int, body: bytes, notes: list[str]) -> Argument:
    return _body(READ_ARGUMENT, opcode, body, notes)


def _body(
    readers: Mapping[int, Callable[[bytes, list[str]], Body]], opcode: int, body: bytes, notes: list[str]
) -> Body | UnknownArgument:
    """What an operation carries; kept as it came, with the reason, when it cannot be read."""
    reader = readers.get(opcode)
    if reader is None:
        return UnknownArgument(opcode, body, f"operation {opcode} is not known")
    try:
        return reader(body, notes)
    except IndefiniteLengthError:
        raise
    except WireError as error:
        return UnknownArgument(opcode, body, str(error))


def _return_result(contents: bytes, notes: list[str]) -> ReturnResult:
    items = walk(contents)
    if not items or items[0][0] != _INTEGER:
        raise WireError("returnResult without invokeID", "X.880")
    invoke_id = integer(items[0][1])
    body = contents[items[0][3] :]
    inner = walk(items[1][1]) if len(items) > 1 and items[1][0] == _SEQUENCE else []
    if not inner or inner[0][0] != _INTEGER:
        return ReturnResult(invoke_id, UnknownArgument(None, body, "result without operation code"))
    opcode = integer(inner[0][1])
    return ReturnResult(invoke_id, _result(opcode, items[1][1][inner[0][3] :], notes), opcode)


def _result(opcode: int, body: bytes, notes: list[str]) -> Result:
    return _body(READ_RESULT, opcode, body, notes)


def read_result(opcode: int, body: bytes) -> Result:
    """The result of one operation; UnknownArgument when it cannot be read.

    For results that came without their operation code: whoever knows what the invoke id stands for reads them by this.
    """
    try:
        return _result(opcode, body, [])
    except IndefiniteLengthError as error:  # `decode` has rewritten them: this body comes from elsewhere
        return UnknownArgument(opcode, body, str(error))


def _return_error(contents: bytes) -> ReturnError:
    items = walk(contents)
    if len(items) < 2 or items[0][0] != _INTEGER or items[1][0] != _INTEGER:
        raise WireError("returnError without invokeID and error code", "X.880")
    invoke_id = integer(items[0][1])
    if len(items) < 3:
        return ReturnError(invoke_id, ErrorCategory.UNSPECIFIED, 0)
    category: ErrorCategory | int = items[2][0] & 0x1F
    if items[2][0] & 0xC0 != _CONTEXT:
        raise WireError(f"error parameter is {named(items[2][0])}, expected [0] to [7]", "ECMA-285")
    if category <= ErrorCategory.UNSPECIFIED:
        category = ErrorCategory(category)
    return ReturnError(invoke_id, category, _error_value(items[2][1]))


def _error_value(contents: bytes) -> int:
    """The ENUMERATED inside its explicit tag; bare contents are understood too."""
    items, _ = walk_until_fault(contents)
    if items and items[0][0] in (0x0A, _INTEGER):
        return integer(items[0][1])
    if not contents or (items and items[0][0] == _NULL):
        return 0
    return integer(contents)


def _reject(contents: bytes) -> Reject:
    items = walk(contents)
    if len(items) < 2 or items[0][0] not in (_INTEGER, _NULL):
        raise WireError("reject without invokeID and problem", "X.880")
    invoke_id = integer(items[0][1]) if items[0][0] == _INTEGER else None
    if items[1][0] & 0xC0 != _CONTEXT:
        raise WireError(f"problem of reject is {named(items[1][0])}, expected [0] to [3]", "X.880")
    return Reject(invoke_id, items[1][0] & 0x1F, integer(items[1][1]))


def encode(pdu: Pdu) -> bytes:
    """Write one PDU. Raises UsageError when the value has no place on the wire."""
    match pdu:
        case Invoke(invoke_id, argument):
            opcode, body = write_argument(argument)
            return element(0xA1, _integer(invoke_id) + _integer(opcode) + body)
        case ReturnResult(invoke_id, result, opcode):
            answered, body = write_result(result, opcode)
            inner = body if answered is None else element(0x30, _integer(answered) + body)
            return element(0xA2, _integer(invoke_id) + inner)
        case ReturnError(invoke_id, category, value):
            return element(0xA3, _integer(invoke_id) + _integer(_UNIVERSAL_FAILURE) + _error_element(category, value))
        case Reject(invoke_id, kind, problem):
            if not 0 <= kind <= 3:
                raise UsageError(f"reject kind {kind}: known are 0..3")
            who = b"\x05\x00" if invoke_id is None else _integer(invoke_id)
            return element(0xA4, who + element(_CONTEXT | kind, integer_octets(problem)))
        case Associate() | Associated() | Release() | Released() | Abort():
            return acse.write(pdu)


def _integer(value: int) -> bytes:
    return element(_INTEGER, integer_octets(value))


def _error_element(category: ErrorCategory | int, value: int) -> bytes:
    if not 0 <= category <= 30:
        raise UsageError(f"error category {category}: a tag is 0..30")
    if category == ErrorCategory.UNSPECIFIED:
        return element(0xA0 | category, b"\x05\x00")
    return element(0xA0 | category, element(0x0A, integer_octets(value)))
