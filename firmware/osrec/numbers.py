"""Sets of numbers as people write them: "3100-3139", "31??", "+48*"."""

import re
from collections.abc import Iterable
from fnmatch import translate

RANGE = re.compile(r"(\d+)-(\d+)")
NUMBER = re.compile(r"\+?[0-9*#]+")
PATTERN = re.compile(r"([0-9+*#?]|\[[0-9-]+\])+")
WILDCARDS = "*?["
MOST_NUMBERS = 100_000  # of one range: more is a slip of the finger, and would fill the memory


def expand(entries: Iterable[str]) -> list[str]:
    """Every number that "3100-3139" or "3100" stands for, in order, each once. Raises ValueError naming the entry."""
    numbers: dict[str, None] = {}
    for entry in entries:
        for part in (piece.strip() for piece in entry.split(",")):
            numbers.update(dict.fromkeys(_expand_one(part)))
    return list(numbers)


def _expand_one(part: str) -> list[str]:
    span = RANGE.fullmatch(part)
    if span is None:
        if not NUMBER.fullmatch(part) or "*" in part:
            raise ValueError(f"{part!r} is neither a number like 3100 nor a range like 3100-3139")
        return [part]
    low, high = span.groups()
    if len(low) != len(high) or int(low) > int(high):
        raise ValueError(f"range {part!r}: both ends need the same number of digits, the lower one first")
    if int(high) - int(low) >= MOST_NUMBERS:
        raise ValueError(f"range {part!r} has more than {MOST_NUMBERS:,} numbers")
    return [f"{number:0{len(low)}d}" for number in range(int(low), int(high) + 1)]


def check_pattern(entry: str) -> str:
    """Raises ValueError when it is no number with wildcards."""
    if not PATTERN.fullmatch(entry):
        raise ValueError(f"{entry!r} is no pattern of numbers; write 3105, 31?? or +48* (? is one digit, * any number)")
    return entry


class Patterns:
    """Numbers, ranges and wildcards ("3100-3139", "31??", "+48*"), to ask whether a number is among them.

    Raises ValueError naming the entry that is wrong.
    """

    def __init__(self, entries: Iterable[str]) -> None:
        self.entries = tuple(entries)
        exact = [entry for entry in self.entries if not any(letter in entry for letter in WILDCARDS)]
        for entry in set(self.entries) - set(exact):
            check_pattern(entry)
        self._exact = frozenset(expand(exact))
        wild = [entry for entry in self.entries if entry not in exact]
        self._wild = re.compile("|".join(translate(entry) for entry in wild)) if wild else None

    def __contains__(self, number: object) -> bool:
        if not isinstance(number, str):
            return False
        return number in self._exact or bool(self._wild and self._wild.match(number))

    def __bool__(self) -> bool:
        return bool(self.entries)
