"""One monitored device: where it stands, and what of its events was seen."""

from collections import deque
from dataclasses import dataclass, field
from enum import Enum

from osrec.wire.csta.causes import error_name, reject_name
from osrec.wire.csta.model import ErrorCategory, EventReport, Reject, Result, ReturnError

Answer = Result | ReturnError | Reject | None
"""None: the time for the answer is over."""

LICENCE = (ErrorCategory.SYSTEM_RESOURCE, 7)  # overallMonitorLimitExceeded: what a PBX says when licences are missing
_LICENCE_WORD = "overallMonitorLimitExceeded"
BUSY = (  # slow down and come again: outstandingReqLimitExceeded, performanceLimitExceeded
    (ErrorCategory.SUBSCRIBED_RESOURCE, 4),
    (ErrorCategory.PERFORMANCE, 2),
)
UNSUPPORTED = ((ErrorCategory.OPERATION, 50),)  # serviceNotSupported
_UNRECOGNIZED_OPERATION = (1, 1)  # kind and problem of a reject, X.880
REMEMBERED = 32  # sequence numbers by which a repeated event is known


class Phase(Enum):
    """Where a device stands."""

    WAITING = "to be started"
    STARTING = "MonitorStart sent"
    SNAPPING = "running, its snapshot awaited"
    RUNNING = "running"


class Order(Enum):
    """What a sequence number says about the event that has it."""

    NEXT = "nothing is missing before it"
    REPEATED = "it came before"
    GAP = "something is missing before it"


class Sequence:
    """The messageSequenceNumbers of one monitor."""

    __slots__ = ("_recent", "last")

    def __init__(self) -> None:
        self.last: int | None = None
        self._recent: deque[int] = deque(maxlen=REMEMBERED)

    def take(self, number: int, last_on_link: int | None) -> Order:
        """The next event's number; no text says whether a PBX counts per monitor or per link, so both are right.

        A number below the last one that is new to us is no gap: the count wrapped, or the event was overtaken.
        """
        last = self.last
        if last is None or number == last + 1:
            order = Order.NEXT
        elif number in self._recent:
            return Order.REPEATED
        elif number > last and last_on_link is not None and number != last_on_link + 1:
            order = Order.GAP
        else:
            order = Order.NEXT
        self.last = number if last is None or number > last or last - number > REMEMBERED else last
        self._recent.append(number)
        return order


@dataclass(slots=True)
class Monitor:
    """One device.

    Attributes:
        due: when it is to be started, while it waits.
        attempts: refusals in a row. refusal: the last one's reason.
        holding: whether its events wait for the snapshot, in `held`, and `held_until` when at most.
        again: events were lost while its snapshot was under way: one more is needed.
        gap_snapshot_from: no snapshot for the sake of a sequence gap before.
    """

    device: str
    phase: Phase = Phase.WAITING
    due: float = 0.0
    attempts: int = 0
    started: float = 0.0
    refusal: str | None = None
    cross_ref: bytes = b""
    holding: bool = False
    held: list[EventReport] = field(default_factory=list)
    held_until: float = 0.0
    again: bool = False
    sequence: Sequence = field(default_factory=Sequence)
    gap_snapshot_from: float = 0.0


def refusal_of(answer: Answer) -> tuple[str, tuple[int, int] | None]:
    """What the PBX said, for people, and as (category, value) of an error."""
    match answer:
        case None:
            return "no answer", None
        case ReturnError(_, category, value, text):
            if text is not None and text.endswith(_LICENCE_WORD):  # an XML server's own category with that error
                return text, LICENCE
            return text or error_name(category, value), (category, value)
        case Reject(_, kind, problem):
            return f"rejected: {reject_name(kind, problem)}", None
        case _:
            return f"unexpected answer: {getattr(answer, 'reason', '') or type(answer).__name__}", None


def unsupported(answer: Answer) -> bool:
    """The PBX does not know the service at all."""
    match answer:
        case ReturnError(_, category, value):
            return (category, value) in UNSUPPORTED
        case Reject(_, kind, problem):
            return (kind, problem) == _UNRECOGNIZED_OPERATION
        case _:
            return False
