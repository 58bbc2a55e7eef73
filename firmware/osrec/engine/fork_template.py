"""Templates of private data: octets in hex, lengths as parentheses, and places for what changes.

docs/fork-strategies.md is their definition: `30( 80(01) 81({call}) 82({station}) 83({own}) 84({other}) )`.
"""

import re

PLACEHOLDERS = ("call", "station", "own", "other")
START = "30( 80(01) 81({call}) 82({station}) 83({own}) 84({other}) )"
STOP = "30( 80(02) 81({call}) 82({station}) 83({own}) 84({other}) )"

_TOKEN = re.compile(r"(?P<octet>[0-9A-Fa-f]{2})|(?P<open>\()|(?P<close>\))|\{(?P<name>\w*)\}|(?P<space>\s+)")
_SAMPLE = {"call": b"\0\1", "station": b"3100", "own": b"7101", "other": b"7102"}

_Item = bytes | str | list["_Item"]  # octets, a placeholder's name, or what stands in parentheses


class ForkTemplate:
    """One template.

    Args:
        text: as the configuration has it.
        needed: placeholders that it must have.

    Raises ValueError with the place when the text is no template, or not one BER element.
    """

    def __init__(self, text: str, needed: tuple[str, ...]) -> None:
        self._items, used = _parse(text)
        missing = [f"{{{name}}}" for name in needed if name not in used]
        if missing:
            raise ValueError(f"template {text!r} lacks {' and '.join(missing)}")
        if not _is_one_element(_octets(self._items, _SAMPLE)):
            raise ValueError(
                f"template {text!r} is not exactly one BER element: a tag and, in parentheses, its content"
            )

    def octets(self, call_id: bytes, station: str, own: str, other: str) -> bytes:
        """The private data for a call, a station and two ports."""
        values = {"call": call_id, "station": _latin(station), "own": _latin(own), "other": _latin(other)}
        return _octets(self._items, values)


def start_template(text: str = START) -> ForkTemplate:
    """The template of a request for a fork. Raises ValueError."""
    return ForkTemplate(text, ("station", "own", "other"))


def stop_template(text: str = STOP) -> ForkTemplate:
    """The template of the request that ends a fork. Raises ValueError."""
    return ForkTemplate(text, ("own", "other"))


def _latin(number: str) -> bytes:
    return number.encode("latin-1")


def _parse(text: str) -> tuple[list[_Item], set[str]]:
    open_groups: list[list[_Item]] = [[]]
    used: set[str] = set()
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise _fault(text, at, "expected two hexadecimal digits, a parenthesis or a placeholder such as {call}")
        group = open_groups[-1]
        if token["octet"]:
            group.append(bytes.fromhex(token["octet"]))
        elif token["open"]:
            inner: list[_Item] = []
            group.append(inner)
            open_groups.append(inner)
        elif token["close"]:
            if len(open_groups) == 1:
                raise _fault(text, at, "a parenthesis closes that was not opened")
            open_groups.pop()
            if len(group) > 1 and any(isinstance(item, str) for item in group):
                raise _fault(text, at, "a placeholder stands alone in its parentheses")
        elif not token["space"]:
            group.append(_placeholder(text, at, token["name"], used))
        at = token.end()
    if len(open_groups) > 1:
        raise _fault(text, at, f"{len(open_groups) - 1} parentheses are not closed")
    if any(isinstance(item, str) for item in open_groups[0]):
        raise _fault(text, 0, "a placeholder stands alone in its parentheses")
    return open_groups[0], used


def _placeholder(text: str, at: int, name: str, used: set[str]) -> str:
    if name not in PLACEHOLDERS:
        known = ", ".join(f"{{{one}}}" for one in PLACEHOLDERS)
        raise _fault(text, at, f"no placeholder {{{name}}}; there are {known}")
    if name in used:
        raise _fault(text, at, f"{{{name}}} comes twice")
    used.add(name)
    return name


def _fault(text: str, at: int, what: str) -> ValueError:
    return ValueError(f"template {text!r}, at position {at + 1}: {what}")


def _octets(items: list[_Item], values: dict[str, bytes]) -> bytes:
    parts: list[bytes] = []
    for item in items:
        if isinstance(item, bytes):
            parts.append(item)
        elif isinstance(item, str):
            parts.append(values[item])
        else:
            content = _octets(item, values)
            parts.append(_length(len(content)) + content)
    return b"".join(parts)


def _length(count: int) -> bytes:
    """Definite form, minimal, X.690 8.1.3."""
    if count < 0x80:
        return bytes([count])
    octets = count.to_bytes((count.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(octets)]) + octets


def _is_one_element(octets: bytes) -> bool:
    """Identifier octets (X.690 8.1.2), a definite length, and exactly so many octets of content."""
    at = 1
    if octets[:1] and octets[0] & 0x1F == 0x1F:
        while at < len(octets) and octets[at] & 0x80:
            at += 1
        at += 1
    if at >= len(octets):
        return False
    length, at = octets[at], at + 1
    if length >= 0x80:
        count = length & 0x7F
        length, at = int.from_bytes(octets[at : at + count], "big"), at + count
        if not count:
            return False
    return at + length == len(octets)
