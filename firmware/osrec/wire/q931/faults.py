"""What is wrong with a message that could be read, kept beside it: a tap shows it, a machine answers it."""

from dataclasses import dataclass
from enum import Enum

from osrec.wire.q931.causes import CauseValue
from osrec.wire.q931.registry import element_name


class FaultKind(Enum):
    """What is wrong with a message, by the clauses that say how to answer."""

    MESSAGE_TYPE = "5.8.4"
    ORDER = "5.8.5.1"
    REPEATED = "5.8.5.2"
    MISSING = "5.8.6.1"
    CONTENTS = "5.8.6.2"  # of a mandatory element; 5.8.7.2 for the others
    UNKNOWN = "5.8.7.1"
    SHIFT = "4.5.3"


_CAUSES = {
    FaultKind.MESSAGE_TYPE: CauseValue.MESSAGE_TYPE_NOT_IMPLEMENTED,
    FaultKind.MISSING: CauseValue.MANDATORY_ELEMENT_MISSING,
    FaultKind.CONTENTS: CauseValue.INVALID_ELEMENT_CONTENTS,
    FaultKind.UNKNOWN: CauseValue.ELEMENT_NOT_IMPLEMENTED,
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a message that could be read.

    Attributes:
        octet: where it begins; for a missing element one beyond the message.
        identifier: of the element, or the message type.
    """

    kind: FaultKind
    octet: int
    identifier: int
    text: str
    codeset: int = 0

    @property
    def cause(self) -> CauseValue | None:
        """What a STATUS about it says, None when it needs no answer."""
        if self.kind is FaultKind.UNKNOWN and self.comprehension_required:
            return CauseValue.MANDATORY_ELEMENT_MISSING
        return _CAUSES.get(self.kind)

    @property
    def comprehension_required(self) -> bool:
        """Identifiers whose bits 8 to 5 are 0 may not be passed over, 4.5.1."""
        return self.kind is not FaultKind.MESSAGE_TYPE and self.identifier < 0x10

    def __str__(self) -> str:
        what = "" if self.kind is FaultKind.MESSAGE_TYPE else f"information element {self._name} "
        return f"{what}at octet {self.octet}: {self.text} [Q.931 {self.kind.value}]".strip()

    @property
    def _name(self) -> str:
        return element_name(self.identifier, self.codeset)
