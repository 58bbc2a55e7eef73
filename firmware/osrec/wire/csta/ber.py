"""Basic Encoding Rules (X.690) as a tolerant walker: tags, lengths and contents, without knowing any type.

asn1tools defines and encodes our messages but gives up on a whole event when one member is new to it; a recorder
wants the rest of the event. So received octets are walked here, level by level, and every level is judged on its own.
"""

from osrec.errors import WireError

Item = tuple[int, bytes, int, int]
"""(key, contents, begin, end): the tag without its constructed bit, and where the whole element lies."""

CONSTRUCTED = 0x20
MAX_DEPTH = 32  # ours: the deepest member of an event that we read lies at level 10
MAX_INTEGER = 16  # octets, ours: identifiers on the wire have at most 4
_CLASSES = ("universal ", "APPLICATION ", "", "PRIVATE ")


class IndefiniteLengthError(WireError):
    """An element without length (X.690 8.1.3.6); `definite` rewrites the octets so that `walk` can read them."""


def walk(octets: bytes) -> list[Item]:
    """Take apart one level.

    Raises WireError on a broken tag or length, IndefiniteLengthError when `definite` has to come first.
    """
    items: list[Item] = []
    _scan(octets, items)
    return items


def walk_until_fault(octets: bytes) -> tuple[list[Item], WireError | None]:
    """The elements before the first broken one, and what is wrong with that one."""
    items: list[Item] = []
    try:
        _scan(octets, items)
    except IndefiniteLengthError:
        raise
    except WireError as fault:
        return items, fault
    return items, None


def _scan(octets: bytes, items: list[Item]) -> None:
    at, size = 0, len(octets)
    while at < size:
        begin = at
        key, at = _tag(octets, at)
        if at >= size:
            raise WireError(f"element {named(key)} ends before its length", "X.690 8.1.3")
        length = octets[at]
        at += 1
        if length > 0x7F:
            if length == 0x80:
                raise IndefiniteLengthError(f"element {named(key)} has indefinite length", "X.690 8.1.3.6")
            length, at = _long_length(octets, at, length & 0x7F, key)
        end = at + length
        if end > size:
            raise WireError(f"element {named(key)} says {length} octets, {size - at} are left", "X.690 8.1.3")
        items.append((key, octets[at:end], begin, end))
        at = end


def _tag(octets: bytes, at: int) -> tuple[int, int]:
    first = octets[at]
    at += 1
    if first & 0x1F != 0x1F:
        return first & ~CONSTRUCTED, at
    number = 0
    for position in range(at, min(at + 4, len(octets))):
        number = number << 7 | octets[position] & 0x7F
        if octets[position] < 0x80:
            return number << 8 | first & 0xC0 | 0x1F, position + 1
    raise WireError(f"tag number after 0x{first:02x} does not end within 4 octets", "X.690 8.1.2.4")


def _long_length(octets: bytes, at: int, count: int, key: int) -> tuple[int, int]:
    if at + count > len(octets):
        raise WireError(f"element {named(key)} ends within its length", "X.690 8.1.3.5")
    return int.from_bytes(octets[at : at + count], "big"), at + count


def named(key: int) -> str:
    """The tag as the standards write it: [5], [APPLICATION 11], [universal 16]."""
    number = key >> 8 if key & 0x1F == 0x1F else key & 0x1F
    return f"[{_CLASSES[key >> 6 & 3]}{number}]"


def definite(octets: bytes) -> bytes:
    """Rewrite every indefinite length within `octets`; what cannot be read inside a definite element stays as it is."""
    rewritten, at = bytearray(), 0
    while at < len(octets):
        element, at = _definite_element(octets, at, len(octets), MAX_DEPTH)
        rewritten += element
    return bytes(rewritten)


def _definite_element(octets: bytes, at: int, stop: int, depth: int) -> tuple[bytes, int]:
    """One element that begins at `at`, rewritten, and where the next begins."""
    if not depth:
        raise WireError(f"more than {MAX_DEPTH} elements within each other")
    begin = at
    key, at = _tag(octets, at)
    head = octets[begin:at]
    if at >= stop:
        raise WireError(f"element {named(key)} ends before its length", "X.690 8.1.3")
    first = octets[at]
    if first == 0x80:
        inner, at = _until_end_of_contents(octets, at + 1, stop, depth)
        return head + length_of(inner) + inner, at
    length, at = _long_length(octets, at + 1, first & 0x7F, key) if first > 0x7F else (first, at + 1)
    end = at + length
    if end > stop:
        raise WireError(f"element {named(key)} says {length} octets, {stop - at} are left", "X.690 8.1.3")
    inner = octets[at:end]
    if head[0] & CONSTRUCTED:
        inner = _definite_or_same(octets, at, end, depth)
    return head + length_of(inner) + inner, end


def _until_end_of_contents(octets: bytes, at: int, stop: int, depth: int) -> tuple[bytes, int]:
    inner = bytearray()
    while octets[at : at + 2] != b"\0\0":
        if at >= stop:
            raise WireError("indefinite length without end-of-contents octets", "X.690 8.1.5")
        element, at = _definite_element(octets, at, stop, depth - 1)
        inner += element
    return bytes(inner), at + 2


def _definite_or_same(octets: bytes, at: int, end: int, depth: int) -> bytes:
    inner, begin = bytearray(), at
    try:
        while at < end:
            element, at = _definite_element(octets, at, end, depth - 1)
            inner += element
    except WireError:
        return octets[begin:end]
    return bytes(inner)


def string(octets: bytes, item: Item) -> bytes:
    """The contents of a string, joined when it was sent in pieces (X.690 8.7.3)."""
    _, contents, begin, _ = item
    if not octets[begin] & CONSTRUCTED:
        return contents
    return b"".join(piece for _, piece, _, _ in walk(contents))


def integer(contents: bytes) -> int:
    if not 0 < len(contents) <= MAX_INTEGER:
        raise WireError(f"integer of {len(contents)} octets, allowed are 1..{MAX_INTEGER}", "X.690 8.3")
    return int.from_bytes(contents, "big", signed=True)


def integer_octets(value: int) -> bytes:
    """The shortest contents of an INTEGER (X.690 8.3.2)."""
    return value.to_bytes((value + (value < 0)).bit_length() // 8 + 1, "big", signed=True)


def length_of(contents: bytes) -> bytes:
    if len(contents) < 0x80:
        return bytes([len(contents)])
    octets = len(contents).to_bytes((len(contents).bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(octets)]) + octets


def element(tag: int, contents: bytes) -> bytes:
    """One element with a tag of one octet."""
    return bytes([tag]) + length_of(contents) + contents
