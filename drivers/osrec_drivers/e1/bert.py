"""Bit error test of time slots: a pseudorandom pattern goes out on each, what comes back is compared; O.151..O.153.

Each slot has its own pattern, so a bad one shows, and slots that somebody swapped do, too. It needs a far end that
sends back what it gets: a loop plug, or a loop there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from osrec_drivers.e1.prbs import Pattern, PrbsChecker, PrbsGenerator
from osrec_drivers.line import FRAME_RATE, SLOTS, Line

AHEAD = FRAME_RATE * 3 // 4  # octets queued ahead of the line: whoever calls `step` may be late by that much
SETTLE = FRAME_RATE  # samples after the start in which a pattern may still be on its way
PATTERNS = {"2^15-1": Pattern.PRBS_15, "2^11-1": Pattern.PRBS_11, "2^9-1": Pattern.PRBS_9}
CONFIDENCE = 3.0  # n bits without an error: the rate is below 3/n with 95 % certainty


class Verdict(StrEnum):
    PASSED = "passed"
    ERRORS = "errors"
    NO_PATTERN = "no pattern"
    SHORT = "too short to tell"


@dataclass(frozen=True, slots=True)
class SlotResult:
    """What a slot has brought.

    Attributes:
        bits: compared while the pattern was followed; `errors` of them were wrong.
        losses: times the pattern was lost. slips: times it went on whole octets further or back.
        missing: octets that never came.
        settled: from when on a pattern should have come, time has passed.
    """

    slot: int
    bits: int
    errors: int
    losses: int
    slips: int
    missing: int
    synchronised: bool
    settled: bool = True

    @property
    def rate(self) -> float | None:
        """Wrong bits in all, None while there are none to compare."""
        return self.errors / self.bits if self.bits else None

    @property
    def verdict(self) -> Verdict:
        if self.errors or self.losses or self.missing:
            return Verdict.ERRORS
        if self.bits and self.synchronised:
            return Verdict.PASSED
        return Verdict.NO_PATTERN if self.settled else Verdict.SHORT


def overall(results: Sequence[SlotResult]) -> Verdict:
    """The worst of all slots; when none has a pattern, that is the first thing to mend."""
    verdicts = {one.verdict for one in results}
    if verdicts == {Verdict.NO_PATTERN}:
        return Verdict.NO_PATTERN
    if verdicts == {Verdict.PASSED}:
        return Verdict.PASSED
    return Verdict.SHORT if verdicts <= {Verdict.PASSED, Verdict.SHORT} else Verdict.ERRORS


class _Slot:
    """One direction there, one back."""

    def __init__(self, number: int, pattern: Pattern, head: int) -> None:
        self.number = number
        self.missing = 0
        self._source = PrbsGenerator(pattern)
        self._checker = PrbsChecker(pattern)
        self._begun = head
        self._taken = head  # samples before it are compared
        self._waiting = b""  # of the pattern, not queued yet
        self._sent = 0

    def send(self, line: Line, head: int) -> None:
        room = head - self._begun + AHEAD - self._sent - len(self._waiting)
        self._waiting += self._source.pull(max(room, 0))
        taken = line.send(self.number, self._waiting) if self._waiting else 0
        self._waiting = self._waiting[taken:]
        self._sent += taken

    def receive(self, line: Line, head: int) -> None:
        first = max(self._taken, line.oldest)
        self._miss(first - self._taken)
        for gap in line.gaps(first, head - first):
            self._checker.feed(line.read(self.number, first, gap.first - first))
            self._miss(gap.count)
            first = gap.first + gap.count
        self._checker.feed(line.read(self.number, first, head - first))
        self._taken = head

    def _miss(self, octets: int) -> None:
        if self._checker.bits:  # what is missing before the pattern first came says nothing of it
            self.missing += octets

    def result(self) -> SlotResult:
        checker = self._checker
        settled = self._taken - self._begun >= SETTLE
        return SlotResult(
            self.number,
            checker.bits,
            checker.errors,
            checker.losses,
            checker.slips,
            self.missing,
            checker.synchronised,
            settled,
        )


class BitErrorTest:
    """A test that runs; `step` at least twice a second keeps it going."""

    def __init__(self, line: Line, slots: Sequence[int], pattern: Pattern = Pattern.PRBS_15) -> None:
        wrong = [slot for slot in slots if not 1 <= slot < SLOTS]
        if wrong or not slots:
            raise ValueError(
                f"slots {list(slots)}: one or more of 1..{SLOTS - 1}; 0 carries the frame alignment [G.704]"
            )
        self._line = line
        self._begun = line.head
        self._slots = [_Slot(number, pattern, self._begun) for number in sorted(set(slots))]

    def step(self) -> None:
        """Send and compare what is due. Raises LineError when a slot belongs to a D channel or the line is closed."""
        head = self._line.head
        for slot in self._slots:
            slot.send(self._line, head)
            slot.receive(self._line, head)

    @property
    def seconds(self) -> float:
        """How long it has run, by the line's own clock."""
        return (self._line.head - self._begun) / FRAME_RATE

    def results(self) -> list[SlotResult]:
        return [slot.result() for slot in self._slots]
