"""What to say to a PBX that sends what we cannot use, and what to say of it to people."""

from osrec.csta.messages import Trouble
from osrec.wire.csta.causes import error_name, operation_name, reject_name
from osrec.wire.csta.codec import KNOWN_OPERATIONS
from osrec.wire.csta.model import Argument, Reject, ReturnError, ReturnResult, UnknownArgument
from osrec.wire.csta.services import opcode_of

_UNANSWERED = (21, 76, 77)  # operations that ROSE never answers: events and segments
_INVOKE_PROBLEM, _UNRECOGNIZED_OPERATION, _MISTYPED_ARGUMENT = 1, 1, 2  # X.880


def refusal(invoke_id: int, argument: Argument) -> tuple[Trouble, Reject | None]:
    """An invoke that is none of our business, or that could not be read; None: it is never answered."""
    opcode = opcode_of(argument)
    problem, reason = _UNRECOGNIZED_OPERATION, "is not for us"
    if isinstance(argument, UnknownArgument):
        problem = _MISTYPED_ARGUMENT if opcode in KNOWN_OPERATIONS else _UNRECOGNIZED_OPERATION
        reason = f"could not be read: {argument.reason}"
    trouble = Trouble(f"{operation_name(opcode)} {reason}")
    return trouble, None if opcode in _UNANSWERED else Reject(invoke_id, _INVOKE_PROBLEM, problem)


def stray(pdu: ReturnResult | ReturnError | Reject) -> Trouble:
    """An answer to what we did not ask."""
    match pdu:
        case ReturnError(_, category, value):
            text = f"error {error_name(category, value)}"
        case Reject(_, kind, problem):
            text = f"reject {reject_name(kind, problem)}"
        case ReturnResult():
            text = f"result of {operation_name(pdu.opcode)}"
    return Trouble(f"{text} for invoke {pdu.invoke_id} that is not outstanding")
