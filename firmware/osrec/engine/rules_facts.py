"""What the rules look at."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from osrec.store.records import Direction


@dataclass(frozen=True, slots=True)
class Facts:
    """One monitored station in one conversation, as far as it is known.

    Attributes:
        numbers: of everybody else in it, as the PBX gave them.
        e164: the same in the form +49..., those that could be brought into it.
        names: of everybody else in it.
        trunks: that the call came or went over.
        accounts: account codes that were dialled.
        digits: the keys that were pressed in it (DTMF), one after the other.
        at: when the conversation began, aware: so office hours that end do not change a running call.
        conversation: its id, which decides about a percentage.
    """

    station: str
    direction: Direction
    numbers: tuple[str, ...] = ()
    e164: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    trunks: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    digits: str = ""
    at: datetime | None = None
    conversation: UUID | None = None
