"""Sets of time: spans of seconds since 1970, UTC, and what remains of one set when another is taken away."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

Span = tuple[float, float]


def span(since: datetime, until: datetime) -> Span:
    return since.timestamp(), until.timestamp()


def union(spans: Iterable[Span]) -> list[Span]:
    """In order, without overlaps; empty ones are left out."""
    merged: list[Span] = []
    for since, until in sorted(spans):
        if merged and since <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], until)
        elif until > since:
            merged.append((since, until))
    return merged


def without(spans: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """What of the first lies in none of the second."""
    left = union(spans)
    for since, until in union(others):
        left = [piece for a, b in left for piece in ((a, min(b, since)), (max(a, until), b)) if piece[1] > piece[0]]
    return left


def within(spans: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """What of the first lies in one of the second, too."""
    merged = union(others)
    pieces = ((max(a, c), min(b, d)) for a, b in union(spans) for c, d in merged)
    return [(since, until) for since, until in pieces if until > since]


def onward(seeds: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """Each seed, and on from there as long as one of the others follows without a break."""
    merged, found = union(others), []
    for since, until in union(seeds):
        reached = until
        for begin, end in merged:
            reached = max(reached, end) if begin <= reached else reached
        found.append((since, reached))
    return found


def padded(spans: Iterable[Span], by: float) -> list[Span]:
    """Each longer by so much at both ends."""
    return [(since - by, until + by) for since, until in spans]


def longer(spans: Iterable[Span], than: float) -> list[Span]:
    return [each for each in spans if each[1] - each[0] > than]


def length(spans: Iterable[Span]) -> float:
    return sum(until - since for since, until in union(spans))


def overlaps(one: Span, other: Span, slack: float = 0.0) -> bool:
    """Whether two spans have a moment in common, or miss it by no more than `slack`."""
    return one[0] <= other[1] + slack and other[0] <= one[1] + slack


def text(spans: Sequence[Span]) -> str:
    """For a message: "12.3 s from 14:05:07.250 on", and of how many more."""
    since, until = spans[0]
    first = f"{until - since:.1f} s from {datetime.fromtimestamp(since, UTC):%H:%M:%S.%f}"[:-3] + " on"
    return first if len(spans) == 1 else f"{first} and {len(spans) - 1} more times, {length(spans):.1f} s in all"
