"""Codes and times of channel associated signalling on a recorder trunk; all of it is configuration."""

from dataclasses import dataclass
from math import isfinite

from osrec.errors import UsageError

CODES = ("their_idle", "their_seize", "their_block", "our_idle", "our_ack", "our_answer", "our_clear")


@dataclass(frozen=True, slots=True)
class CasConfig:
    """abcd as 4 bits, a being 8; the defaults are those of the digital line signalling of R2, Q.421 table 1.

    Attributes:
        their_idle: the PBX has no call on the slot; also how it ends one. their_seize: it has put a call there.
        their_block: it does not use the slot; None: there is no such code.
        our_idle: there is no call. our_ack: we have seen the seizure; None: we say nothing before the answer.
        our_answer: we have answered. our_clear: we want the call ended.
        recognition: seconds for which a code must stand before it counts, Q.421 3.1.5.
        answer_after: seconds from the seizure to our answer.
        clear_patience: seconds that the PBX has to end a call that we want ended.
        loss_patience: seconds without multiframe after which calls are taken for over.
    """

    their_idle: int = 0b1001
    their_seize: int = 0b0001
    their_block: int | None = 0b1101
    our_idle: int = 0b1001
    our_ack: int | None = 0b1101
    our_answer: int = 0b0101
    our_clear: int = 0b1101
    recognition: float = 0.02
    answer_after: float = 0.1
    clear_patience: float = 10.0
    loss_patience: float = 90.0

    def __post_init__(self) -> None:
        for name in CODES:
            code = getattr(self, name)
            if code is not None and not 1 <= code <= 15:
                raise UsageError(f"{name} = {code:04b}: four bits, and not 0000, which is forbidden [G.704 5.1.3.2.2]")
        for one, other in (
            ("their_idle", "their_seize"),
            ("their_block", "their_seize"),
            ("their_block", "their_idle"),
            ("our_idle", "our_answer"),
            ("our_ack", "our_idle"),  # the PBX would see no acknowledgement
            ("our_clear", "our_answer"),  # nor that we want the call ended
        ):
            if getattr(self, one) == getattr(self, other):
                raise UsageError(f"{one} and {other} are both {getattr(self, one):04b}: they must differ")
        for name in ("recognition", "answer_after", "clear_patience", "loss_patience"):
            seconds = getattr(self, name)
            if not (isfinite(seconds) and seconds >= 0):
                raise UsageError(f"{name} = {seconds:g} s: a number of seconds, 0 or more")
        if self.clear_patience == 0:
            raise UsageError("clear_patience = 0 s: more than 0, it is what lies between two complaints")
