"""What the PBX answered, in words."""

from osrec.csta.messages import Lost
from osrec.wire.csta.causes import error_name, reject_name
from osrec.wire.csta.model import Reject, ReturnError


def outcome_text(outcome: object) -> str:
    """What the PBX answered to a request that did not succeed."""
    match outcome:
        case ReturnError(_, category, value):
            return error_name(category, value)
        case Reject(_, kind, problem):
            return reject_name(kind, problem)
        case Lost(reason):
            return f"no answer: {reason}"
        case _:
            return f"unexpected answer {type(outcome).__name__}"
