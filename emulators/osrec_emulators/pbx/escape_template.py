"""Private data of Escape as a template of octets, read backwards: what a client sent, back to what it meant.

The format is in docs/fork-strategies.md. The PBX knows which octets to expect, and which of them are values.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

PLACEHOLDERS = ("call", "station", "own", "other")
START_NEEDS = frozenset({"station", "own", "other"})
STOP_NEEDS = frozenset({"own", "other"})
DEFAULT_START = "30( 80(01) 81({call}) 82({station}) 83({own}) 84({other}) )"
DEFAULT_STOP = "30( 80(02) 81({call}) 82({station}) 83({own}) 84({other}) )"

_TOKEN = re.compile(r"\s*(?:(?P<octet>[0-9A-Fa-f]{2})|(?P<mark>[()])|\{(?P<name>[^{}]*)\}|(?P<wrong>\S))")


@dataclass(frozen=True, slots=True)
class _Value:
    """A placeholder: it takes whatever its parentheses hold."""

    name: str


@dataclass(frozen=True, slots=True)
class _Group:
    """What is between parentheses; on the wire its length comes first."""

    parts: "tuple[_Part, ...]"


_Part = int | _Value | _Group


class Template:
    """One template, read once.

    Raises ValueError that says what is wrong with the text and where.
    """

    def __init__(self, text: str, needs: frozenset[str]) -> None:
        self.text = text
        self._parts = _parse(text)
        names = _names(self._parts)
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"{text!r}: {{{name}}} comes twice; each placeholder comes at most once")
        if lacking := sorted(needs - set(names)):
            raise ValueError(f"{text!r}: {{{lacking[0]}}} is missing")
        if len(self._parts) < 2 or not isinstance(self._parts[-1], _Group) or _Group in map(type, self._parts[:-1]):
            raise ValueError(f"{text!r}: the whole is one BER element: a tag, then its contents in parentheses")

    def match(self, octets: bytes) -> Mapping[str, bytes] | None:
        """The values of the placeholders; None when these octets are none of this template."""
        values: dict[str, bytes] = {}
        return values if _match(self._parts, octets, values) == len(octets) else None


def _parse(text: str) -> tuple[_Part, ...]:
    stack: list[list[_Part]] = [[]]
    at = 0
    while (found := _TOKEN.match(text, at)) is not None:
        at = found.end()
        match found.lastgroup:
            case "octet":
                stack[-1].append(int(found["octet"], 16))
            case "name":
                stack[-1].append(_placeholder(text, found["name"]))
            case "mark" if found["mark"] == "(":
                stack.append([])
            case "mark" if len(stack) > 1:
                group = _group(text, stack.pop())
                stack[-1].append(group)
            case "mark":
                raise ValueError(f"{text!r}: ')' at {found.start('mark') + 1} closes nothing")
            case _:
                wrong = found["wrong"]
                raise ValueError(
                    f"{text!r}: {wrong!r} at {found.start('wrong') + 1}: a template has pairs of hexadecimal digits, "
                    f"parentheses and {', '.join(f'{{{name}}}' for name in PLACEHOLDERS)}"
                )
    if len(stack) > 1:
        raise ValueError(f"{text!r}: '(' is never closed")
    if any(isinstance(part, _Value) for part in stack[0]):
        raise ValueError(f"{text!r}: a placeholder stands in parentheses, which give its length")
    return tuple(stack[0])


def _placeholder(text: str, name: str) -> _Value:
    if name not in PLACEHOLDERS:
        raise ValueError(f"{text!r}: {{{name}}} is no placeholder; there are {', '.join(PLACEHOLDERS)}")
    return _Value(name)


def _group(text: str, parts: list[_Part]) -> _Group:
    if len(parts) > 1 and any(isinstance(part, _Value) for part in parts):
        raise ValueError(f"{text!r}: a placeholder stands alone in its parentheses")
    return _Group(tuple(parts))


def _names(parts: tuple[_Part, ...]) -> list[str]:
    names: list[str] = []
    for part in parts:
        if isinstance(part, _Value):
            names.append(part.name)
        elif isinstance(part, _Group):
            names += _names(part.parts)
    return names


def _match(parts: tuple[_Part, ...], octets: bytes, values: dict[str, bytes]) -> int | None:
    """Octets taken by the parts from the beginning on; None when they do not fit."""
    at = 0
    for part in parts:
        if isinstance(part, _Value):
            values[part.name] = octets[at:]
            at = len(octets)
        elif isinstance(part, _Group):
            span = _contents(octets, at)
            if span is None or _match(part.parts, octets[span[0] : span[1]], values) != span[1] - span[0]:
                return None
            at = span[1]
        elif at < len(octets) and octets[at] == part:
            at += 1
        else:
            return None
    return at


def _contents(octets: bytes, at: int) -> tuple[int, int] | None:
    """Begin and end of what a BER length at `at` announces (X.690 8.1.3); None when it is not all there."""
    if at >= len(octets):
        return None
    begin, length = at + 1, octets[at]
    if length > 0x80:
        begin += length - 0x80
        length = int.from_bytes(octets[at + 1 : begin], "big")
    elif length == 0x80:
        return None
    return (begin, begin + length) if begin + length <= len(octets) else None
