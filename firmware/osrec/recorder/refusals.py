"""Calls of the PBX that call control refused by itself: what that means for whoever looks after the two ends."""

from osrec.isdn.messages import TurnedAway
from osrec.wire.q931.causes import CauseValue, cause_name

_INCOMPLETE = "its SETUP lacks, or garbles, what it must say: compare dss1 and qsig at both ends (osrec decode q931)"
HINTS: dict[int, str] = {
    CauseValue.NO_CHANNEL_AVAILABLE: "all slots have calls: do `slots` here and the PBX's board agree?",
    CauseValue.REQUESTED_CHANNEL_NOT_AVAILABLE: "the channel that it names has a call, or is being restarted",
    CauseValue.BEARER_NOT_IMPLEMENTED: "its bearer capability is neither speech, 3.1 kHz audio nor 64 kbit/s",
    CauseValue.CHANNEL_TYPE_NOT_IMPLEMENTED: "it names an H channel, or more than two channels",
    CauseValue.SERVICE_NOT_IMPLEMENTED: "it has no channel and is for signalling alone",
    CauseValue.CHANNEL_DOES_NOT_EXIST: "the channel that it names is not in `slots` of the line",
    CauseValue.MANDATORY_ELEMENT_MISSING: _INCOMPLETE,
    CauseValue.INVALID_ELEMENT_CONTENTS: _INCOMPLETE,
}


def told(line: str, refused: TurnedAway) -> str:
    """For people."""
    hint = HINTS.get(refused.cause)
    return (
        f"the PBX's call to {refused.called or 'no number'} on {line} is refused: {named(refused.cause)}"
        f"{f': {hint}' if hint else ''}"
    )


def named(cause: int) -> str:
    return f"{cause_name(cause)} ({cause})"
