"""The ledger: what became of each conversation. Every one is in exactly one class; described in docs/ledger.md."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from osrec.store.index import Conversation
from osrec.store.records import Blind, Dropped, Stray

Class = Literal["recorded", "gaps", "not_recorded"]
CLASSES: tuple[Class, ...] = ("recorded", "gaps", "not_recorded")


@dataclass(frozen=True, slots=True)
class Span:
    """A span of time without audio, and why."""

    since: datetime
    until: datetime
    cause: str

    @property
    def seconds(self) -> float:
        return (self.until - self.since).total_seconds()


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording of a conversation: from when to when, and where it has no audio.

    Attributes:
        silent: sides on which nothing but idle code arrived from its beginning to its end. So does it from somebody who
            makes no sound, and on a slot that is not connected: nobody can tell them apart, and it is no gap.
    """

    id: UUID
    station: str
    since: datetime
    until: datetime
    gaps: tuple[Span, ...]
    silent: tuple[Literal["own", "other"], ...] = ()


@dataclass(frozen=True, slots=True)
class Unrecorded:
    """A station that talked, and was not recorded, or not kept."""

    station: str
    span: Span
    detail: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One conversation.

    Attributes:
        reason: of one that is not recorded; None else.
        detail: the same for people, "" when nothing is to be said.
    """

    conversation: Conversation
    kind: Class
    reason: str | None
    detail: str
    recordings: tuple[Recorded, ...]
    missed: tuple[Unrecorded, ...]

    @property
    def causes(self) -> Counter[str]:
        """How often what is the cause of something that is not there."""
        if self.kind == "not_recorded":
            return Counter([self.reason or "too_short"])
        return Counter({gap.cause for one in self.recordings for gap in one.gaps} | {m.span.cause for m in self.missed})


@dataclass(frozen=True, slots=True)
class Ledger:
    """The conversations that began in a span of time, and what was seen besides them.

    Attributes:
        blind: spans in which stations were not watched.
        stray: audio that belongs to no conversation.
        findings: what does not fit together; nothing, when all is in order.
    """

    since: datetime | None
    until: datetime | None
    entries: tuple[Entry, ...]
    blind: tuple[Blind, ...]
    stray: tuple[Stray, ...]
    findings: tuple[str, ...]

    def totals(self) -> dict[Class, int]:
        counts = Counter(entry.kind for entry in self.entries)
        return {kind: counts[kind] for kind in CLASSES}

    def causes(self) -> dict[Class, dict[str, int]]:
        """Conversations by cause, most frequent first; one with several causes counts with each."""
        sums: dict[Class, Counter[str]] = {kind: Counter() for kind in CLASSES}
        for entry in self.entries:
            sums[entry.kind] += entry.causes
        return {kind: dict(counts.most_common()) for kind, counts in sums.items()}


def classify(
    conversation: Conversation, recordings: Sequence[Recorded], dropped: Sequence[Dropped], lost: int
) -> Entry:
    """The class of a conversation.

    Args:
        recordings: those that are there.
        dropped: what the keeper dropped of it, as told.
        lost: recordings that should be there and are not.
    """
    missed = [Unrecorded(one.station, Span(one.since, one.until, one.blame), one.detail) for one in conversation.missed]
    missed += [Unrecorded(one.station, span, None) for one in dropped if (span := _span(one, conversation)).seconds > 0]
    missed.sort(key=lambda one: one.span.since)
    if not recordings:
        reason = _why_not(conversation, dropped, lost)
        detail = conversation.reason or ("its file is not there" if reason == "lost" else "")
        return Entry(conversation, "not_recorded", reason, detail, (), tuple(missed))
    whole = not missed and not lost and not any(one.gaps for one in recordings)
    detail = conversation.reason or (f"{lost} of its recordings are not there" if lost else "")
    return Entry(conversation, "recorded" if whole else "gaps", None, detail, tuple(recordings), tuple(missed))


def _span(dropped: Dropped, conversation: Conversation) -> Span:
    """What a rule says never to from some moment on, it says to all that follows, not only to what was dropped."""
    to_the_end = dropped.cause == "never" and not dropped.whole
    return Span(dropped.since, max(dropped.until, conversation.ended) if to_the_end else dropped.until, dropped.cause)


def _why_not(conversation: Conversation, dropped: Sequence[Dropped], lost: int) -> str:
    """The one reason of a conversation without a recording."""
    if lost:
        return "lost"
    if conversation.decision.action == "never" or any(one.cause == "never" for one in dropped):
        return "never"
    if conversation.decision.action == "none":
        return "no_rule"
    if conversation.answered is None and not conversation.missed:
        return "not_answered"
    if conversation.decision.action == "on_demand" and (dropped or not conversation.missed):
        return "not_kept"
    if conversation.missed:
        lengths: Counter[str] = Counter()
        for one in conversation.missed:
            lengths[one.blame] += max(1, int((one.until - one.since) / timedelta(microseconds=1)))
        return lengths.most_common(1)[0][0]
    return "too_short"
