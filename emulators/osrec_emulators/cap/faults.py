"""What goes wrong at the CAP server; the default one is healthy."""

from dataclasses import dataclass
from enum import Enum


class Refusal(Enum):
    """How an association is refused."""

    REJECT = "reject"  # AARE, rejected-permanent
    ABORT = "abort"  # ABRT
    SILENCE = "silence"  # nothing at all


@dataclass(frozen=True, slots=True)
class Faults:
    """Faults as data.

    Attributes:
        refuse: how every association is refused; None: those with valid credentials are accepted.
        silent_from: seconds after the association from which nothing is sent any more, on an open connection.
        drop_at: seconds after the association at which the connection is closed.
        licences_taken: licences that somebody else holds.
        event_before_result: seconds for which the result of MonitorStart waits for an event to overtake it.
    """

    refuse: Refusal | None = None
    silent_from: float | None = None
    drop_at: float | None = None
    licences_taken: int = 0
    event_before_result: float = 0.0
