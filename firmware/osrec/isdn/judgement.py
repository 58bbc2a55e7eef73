"""What is wrong with a message and what follows from it: Q.931 5.8.4 to 5.8.7."""

from collections.abc import Sequence
from dataclasses import dataclass

from osrec.wire.q931.causes import CauseValue
from osrec.wire.q931.channel import ChannelIdentification
from osrec.wire.q931.faults import Fault, FaultKind
from osrec.wire.q931.messages import Message, MessageType, mandatory
from osrec.wire.q931.registry import BY_IDENTIFIER, identifier_of

_CLEARING = frozenset({MessageType.DISCONNECT, MessageType.RELEASE, MessageType.RELEASE_COMPLETE})


@dataclass(frozen=True, slots=True)
class Judgement:
    """Attributes:
    cause: what to tell the peer; None: nothing.
    diagnostics: of that cause: the identifiers of the elements, or the message type.
    passable: the message is to be acted on all the same.
    """

    cause: CauseValue | None = None
    diagnostics: bytes = b""
    passable: bool = True


SOUND = Judgement()
_MOST_NAMED = 8  # elements in the diagnostics


def judge(message: Message, faults: Sequence[Fault], *, needs_channel: bool) -> Judgement:
    """`needs_channel`: a SETUP has to say its channel.

    An element that is not known, or an optional one that cannot be read, is passed over without a word (5.8.7.1 and
    5.8.7.2: STATUS may be sent): some equipment clears a call for which it gets one.
    """
    if any(fault.kind is FaultKind.MESSAGE_TYPE for fault in faults):
        return Judgement(CauseValue.MESSAGE_TYPE_NOT_IMPLEMENTED, bytes([message.kind]), passable=False)
    required = set(mandatory(message.kind))
    if needs_channel and message.kind == MessageType.SETUP:
        required.add(identifier_of(ChannelIdentification))
    broken = {fault.identifier for fault in faults if fault.kind is FaultKind.CONTENTS} & required
    missing = {identifier for identifier in required - broken if not _has(message, identifier)}
    missing |= {
        fault.identifier for fault in faults if fault.kind is FaultKind.UNKNOWN and fault.comprehension_required
    }
    passable = message.kind in _CLEARING  # the call ends, whatever else is wrong
    if missing:
        return Judgement(CauseValue.MANDATORY_ELEMENT_MISSING, _named(missing), passable)
    if broken:
        return Judgement(CauseValue.INVALID_ELEMENT_CONTENTS, _named(broken), passable)
    return SOUND


def _has(message: Message, identifier: int) -> bool:
    """An element that is there but empty is missing, 4.5.1: it was read as nothing but octets."""
    codec = BY_IDENTIFIER.get(identifier)
    return codec is None or message.first(codec.type) is not None


def _named(identifiers: set[int]) -> bytes:
    return bytes(sorted(identifiers)[:_MOST_NAMED])
