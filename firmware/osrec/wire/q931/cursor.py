"""Reading the contents of one information element: octets in order, with the label that Q.931 gives each of them."""

from enum import IntEnum
from typing import TypeVar

from osrec.errors import UsageError, WireError

Code = TypeVar("Code", bound=IntEnum)

EXTENSION = 0x80  # 1: the octet group ends here, 4.5.1


class ContentError(WireError):
    """Contents of an information element that break its coding; octet `at` of the contents, counted from 0."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.at = at


class Cursor:
    """Walks the contents of an information element."""

    __slots__ = ("at", "contents")

    def __init__(self, contents: bytes) -> None:
        self.contents = contents
        self.at = 0

    @property
    def left(self) -> int:
        return len(self.contents) - self.at

    def octet(self, label: str) -> int:
        """The next octet; `label` as in the figure, with what it holds: "3 (restart class)"."""
        if not self.left:
            raise ContentError(f"octet {label} is missing", self.at)
        self.at += 1
        return self.contents[self.at - 1]

    def peek(self) -> int | None:
        return self.contents[self.at] if self.left else None

    def group(self, label: str) -> bytes:
        """An octet group: octets up to the first with the extension bit 1, seven bits of each."""
        begin = self.at
        while not self.octet(label) & EXTENSION:
            pass
        return bytes(octet & 0x7F for octet in self.contents[begin : self.at])

    def last(self, label: str) -> int:
        """An octet group that has one octet: its seven bits."""
        octet = self.octet(label)
        if not octet & EXTENSION:
            raise ContentError(
                f"octet {label} 0x{octet:02x}: extension bit is 0, no further octet is known", self.at - 1
            )
        return octet & 0x7F

    def rest(self) -> bytes:
        begin, self.at = self.at, len(self.contents)
        return self.contents[begin:]

    def fault(self, message: str) -> ContentError:
        """About the octet read last."""
        return ContentError(message, max(0, self.at - 1))


def code(kind: type[Code], value: int) -> int:
    """The named value when it has a name; reserved values stay numbers."""
    try:
        return kind(value)
    except ValueError:
        return value


def group(values: bytes, name: str) -> bytes:
    """Seven-bit values as an octet group. Raises UsageError."""
    if not values or max(values) > 0x7F:
        raise UsageError(
            f"{name} {values.hex(' ') or 'empty'}: a group has at least one value, each 0..127 [Q.931 4.5.1]"
        )
    return values[:-1] + bytes([values[-1] | EXTENSION])


def field(value: int, most: int, name: str) -> int:
    """A value checked against the room that its bits give it. Raises UsageError."""
    if not 0 <= value <= most:
        raise UsageError(f"{name} {value}: 0..{most}")
    return int(value)


def text(characters: str, name: str) -> bytes:
    """Raises UsageError for what has no octet; the elements ask for IA5 and some equipment sends ISO 8859-1."""
    try:
        return characters.encode("latin-1")
    except UnicodeEncodeError as error:
        raise UsageError(f"{name} {characters!r}: no octet for {characters[error.start]!r}") from error
