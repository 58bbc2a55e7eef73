"""What stands in the spec of a line after its driver: a place, then `?OPTION=VALUE&...`."""

from collections.abc import Callable, Mapping
from typing import Any

from osrec_drivers.errors import OpenError

Reader = tuple[Callable[[str], Any], str]  # reads a value or raises ValueError, and what would be right
Options = Mapping[str, Reader]


def choice(*names: str) -> Reader:
    def read(text: str) -> str:
        if text not in names:
            raise ValueError
        return text

    return read, " or ".join(names)


def number(least: int, most: int) -> Reader:
    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
            raise ValueError
        return int(text)

    return read, f"a number {least}..{most}"


def _flag(text: str) -> bool:
    return bool(("0", "1").index(text))


def _slots(text: str) -> tuple[int, ...]:
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        found += range(_slot(first), _slot(last if dash else first) + 1)
    if not found or len(set(found)) < len(found):
        raise ValueError
    return tuple(found)


def _slot(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 2 or not 1 <= int(text) <= 31:
        raise ValueError
    return int(text)


flag: Reader = (_flag, "0 or 1")
slot_list: Reader = (_slots, "time slots 1..31, as in 1-15,17-31")


def split(spec: str, driver: str, form: str, options: Options) -> tuple[str, dict[str, Any]]:
    """Place and options. Raises OpenError, which says `form`: how such a line is named."""
    name, colon, rest = spec.partition(":")
    place, _, query = rest.partition("?")
    if name != driver or not colon or not place:
        raise OpenError(f"line {spec!r}: such a line is named {form}")
    found = {}
    for item in query.split("&") if query else ():
        key, _, text = item.partition("=")
        if key not in options:
            raise OpenError(f"line {spec!r}: option {key!r} is unknown; there are {', '.join(options)}")
        read, right = options[key]
        try:
            found[key] = read(text)
        except ValueError:
            raise OpenError(f"line {spec!r}: option {key}={text!r} must be {right}") from None
    return place, found
