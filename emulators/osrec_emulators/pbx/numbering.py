"""The numbering plan: ranges as an administrator writes them, spelled out number by number."""

from collections.abc import Iterable

LARGEST_RANGE = 10_000  # more stations than one OpenScape 4000 node carries


def expand(pattern: str) -> list[str]:
    """Numbers of "3100" or "3100-3139", in order; leading zeros are kept.

    Raises ValueError that says what the pattern should look like.
    """
    first, dash, last = pattern.replace(" ", "").partition("-")
    if not dash:
        last = first
    if not (first.isascii() and first.isdigit() and last.isascii() and last.isdigit()):
        raise ValueError(f"{pattern!r} is no number and no range such as 3100-3139")
    if len(first) != len(last) or int(last) < int(first):
        raise ValueError(f"{pattern!r}: a range goes upwards and both ends have the same count of digits")
    if int(last) - int(first) >= LARGEST_RANGE:
        raise ValueError(f"{pattern!r} has more than {LARGEST_RANGE} numbers")
    return [str(number).zfill(len(first)) for number in range(int(first), int(last) + 1)]


def expand_all(patterns: Iterable[str]) -> list[str]:
    """Numbers of several patterns. Raises ValueError when one number comes twice."""
    seen: dict[str, str] = {}
    for pattern in patterns:
        for number in expand(pattern):
            if number in seen:
                raise ValueError(f"number {number} is in {seen[number]!r} and again in {pattern!r}")
            seen[number] = pattern
    return list(seen)
