"""CSTA XML (ECMA-323 editions 3 to 5): one frame of framing xml8, four digits and a document, to and from a PDU.

The values are those of ASN.1. What only ROSE has is mapped: a Reject travels as the error serviceNotSupported when the
operation was not recognised, else as the error generic of the category operation. Reading is by local names: any prefix
and any edition's namespace will do, order does not matter, what is unknown is left out with a remark.
`decode` raises WireError when the frame is no CSTA message and nothing else.
"""

from typing import Final

from osrec.errors import UsageError, WireError
from osrec.wire.csta import xml_sessions
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
    ResetSessionTimer,
    Result,
    ReturnError,
    ReturnResult,
    SessionTimerReset,
    UnknownArgument,
)
from osrec.wire.csta.services import opcode_of
from osrec.wire.csta.xml_aliases import NONE, Aliases
from osrec.wire.csta.xml_devices import Style
from osrec.wire.csta.xml_events import is_event, read_event_report, write_event_report
from osrec.wire.csta.xml_names import (
    ERROR_CATEGORIES,
    ERROR_ELEMENTS,
    ERROR_WORDS,
    OPCODES,
    RESPONSE,
    SESSION_NAMESPACE,
    is_ours,
)
from osrec.wire.csta.xml_responses import READ_RESPONSE, write_response
from osrec.wire.csta.xml_services import READ_REQUEST, write_request
from osrec.wire.csta.xml_tree import MAX_OCTETS, Node, as_it_came, document, element, fragment, parse

EVENT_INVOKE_ID: Final = 9999
LAST_INVOKE_ID: Final = 9998  # of a request
_DIGITS: Final = 4
_ERROR: Final = "CSTAErrorCode"
_EVENT_REPORT: Final = 21
_INVOKE_PROBLEM, _UNRECOGNIZED_OPERATION = 1, 1  # X.880
_GENERIC, _SERVICE_NOT_SUPPORTED = 1, 50  # errors of the category operation
_NO_NUMBER: Final = -1  # value of an error whose word is not known


def decode(frame: bytes, aliases: Aliases = NONE) -> Pdu:
    """Read one PDU. Raises WireError."""
    return decode_with_remarks(frame, aliases)[0]


def decode_with_remarks(frame: bytes, aliases: Aliases = NONE) -> tuple[Pdu, tuple[str, ...]]:
    """Read one PDU and say what had to be tolerated (an event report has it as `remarks`). Raises WireError."""
    digits = bytes(frame[:_DIGITS])
    if len(digits) < _DIGITS or not digits.isdigit():
        raise WireError(f"frame begins with {digits!r}, expected four digits of invoke id", "ECMA-323 annex J")
    root = parse(bytes(frame[_DIGITS:]))
    if not is_ours(root.namespace):
        raise WireError(f"{root.qname[:60]} of namespace {str(root.namespace)[:80]} is no CSTA message", "ECMA-323")
    aliases.read(root)
    notes: list[str] = []
    pdu = _pdu(int(digits), root, notes)
    return pdu, tuple(notes)


def _pdu(invoke_id: int, root: Node, notes: list[str]) -> Pdu:
    if root.name in xml_sessions.READ:
        return xml_sessions.READ[root.name](root, invoke_id)
    if root.name == _ERROR:
        return _error(invoke_id, root, notes)
    if is_event(root):
        return Invoke(invoke_id, _event(root, notes))
    service = root.name.removesuffix(RESPONSE)
    opcode = OPCODES.get(service)
    if service == root.name:
        return Invoke(invoke_id, _request(opcode, root, notes))
    return _response(invoke_id, opcode, root, notes)


def _event(root: Node, notes: list[str]) -> Argument:
    try:
        return read_event_report(root, notes)
    except WireError as error:
        return UnknownArgument(_EVENT_REPORT, fragment(root), str(error))


def _request(opcode: int | None, root: Node, notes: list[str]) -> Argument:
    reader = None if opcode is None else READ_REQUEST.get(opcode)
    if reader is None:
        return UnknownArgument(opcode, fragment(root), f"service {root.name[:60]} is not known")
    try:
        return reader(root, notes)
    except WireError as error:
        return UnknownArgument(opcode, fragment(root), str(error))


def _response(invoke_id: int, opcode: int | None, root: Node, notes: list[str]) -> ReturnResult:
    reader = None if opcode is None else READ_RESPONSE.get(opcode)
    if reader is None:
        unknown = UnknownArgument(opcode, fragment(root), f"response {root.name[:60]} is not known")
        return ReturnResult(invoke_id, unknown, opcode)
    try:
        return ReturnResult(invoke_id, reader(root, notes), opcode)
    except WireError as error:
        return ReturnResult(invoke_id, UnknownArgument(opcode, fragment(root), str(error)), opcode)


def _error(invoke_id: int, root: Node, notes: list[str]) -> ReturnError:
    """The first category of <CSTAErrorCode>; its text is a word, or free text of the vendor."""
    chosen = next((child for child in root.children if child.name in ERROR_CATEGORIES), None)
    if chosen is None:
        text = root.children[0].name if root.children else root.value()
        return ReturnError(invoke_id, ErrorCategory.UNSPECIFIED, 0, text or None)
    category = ERROR_CATEGORIES[chosen.name]
    if category is ErrorCategory.UNSPECIFIED:
        return ReturnError(invoke_id, category, 0, chosen.value() or None)
    value = ERROR_WORDS[category].known(chosen.value())
    if value is None:
        notes.append(f"error {chosen.value()[:60]!r} of {chosen.name} is not known")
        return ReturnError(invoke_id, category, _NO_NUMBER, chosen.value())
    return ReturnError(invoke_id, category, value)


# --- writing


def encode(pdu: Pdu, style: Style, aliases: Aliases = NONE) -> bytes:
    """Write one PDU. Raises UsageError when the value has no place in XML, or the document in a frame."""
    invoke_id, root = _written(pdu, style)
    namespace = SESSION_NAMESPACE if root.name in xml_sessions.READ else style.namespace
    aliases.write(root)
    written = document(root, namespace)
    if len(written) > MAX_OCTETS:
        raise UsageError(f"{root.name} of {len(written)} octets: 16 bits of length leave {MAX_OCTETS}")
    return b"%04d" % invoke_id + written


def _written(pdu: Pdu, style: Style) -> tuple[int, Node]:
    match pdu:
        case Invoke(_, EventReport() as report):
            return EVENT_INVOKE_ID, write_event_report(report, style)
        case Invoke(_, UnknownArgument(opcode=opcode) as argument) if opcode == _EVENT_REPORT:
            return EVENT_INVOKE_ID, _write_argument(argument, style)
        case Invoke(invoke_id, argument):
            return _checked(invoke_id, LAST_INVOKE_ID), _write_argument(argument, style)
        case ReturnResult(invoke_id, result, opcode):
            return _checked(invoke_id), _write_result(result, opcode, style)
        case ReturnError(invoke_id, category, value, text):
            return _checked(invoke_id), _write_error(category, value, text)
        case Reject(invoke_id, kind, problem):
            unknown = (kind, problem) == (_INVOKE_PROBLEM, _UNRECOGNIZED_OPERATION)
            value = _SERVICE_NOT_SUPPORTED if unknown else _GENERIC
            return _checked(invoke_id or 0), _write_error(ErrorCategory.OPERATION, value, None)
        case Abort():
            return 0, xml_sessions.write(pdu)
        case Associate() | Associated() | Release() | Released():
            return _checked(1 if pdu.invoke_id is None else pdu.invoke_id), xml_sessions.write(pdu)


def _checked(invoke_id: int, last: int = EVENT_INVOKE_ID) -> int:
    if not 0 <= invoke_id <= last:
        raise UsageError(f"invoke id {invoke_id}: XML has four digits, of which this kind may use 0..{last}")
    return invoke_id


def _write_argument(argument: Argument, style: Style) -> Node:
    if isinstance(argument, UnknownArgument):
        return as_it_came(argument.body, f"operation {argument.opcode}")
    if isinstance(argument, ResetSessionTimer):
        return xml_sessions.write_reset(argument)
    opcode = opcode_of(argument)
    assert opcode is not None  # every argument that is left has one
    return write_request(opcode, argument, style)


def _write_result(result: Result, opcode: int | None, style: Style) -> Node:
    if isinstance(result, UnknownArgument):
        return as_it_came(result.body, f"operation {result.opcode}")
    if isinstance(result, SessionTimerReset):
        return xml_sessions.write_was_reset(result)
    return write_response(opcode, result, style)


def _write_error(category: ErrorCategory | int, value: int, text: str | None) -> Node:
    if category not in ERROR_ELEMENTS:
        raise UsageError(f"error category {int(category)} has no name in XML, known are 0..7")
    known = ErrorCategory(category)
    if text is None and known is not ErrorCategory.UNSPECIFIED:
        text = ERROR_WORDS[known].write(value)
    return element(_ERROR, element(ERROR_ELEMENTS[known], text=text or ""))
