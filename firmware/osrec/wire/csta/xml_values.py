"""Values of CSTA XML as text: octets, times, numbers, and words for numbers.

Assumed, since no capture shows it: timestamps as ASN.1 has them (ISO 8601 is understood too), causes and errors by the
same words as in ECMA-285 (capital letters do not matter when reading).
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from osrec.errors import WireError
from osrec.wire.csta.events import read_time, write_time

_ANY_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})*")
MAX_NUMBER_DIGITS: Final = 18


def read_octets(text: str) -> bytes:
    """hexBinary, with the white space of a pretty printer; other text is taken as it is."""
    compact = "".join(text.split())
    return bytes.fromhex(compact) if _ANY_HEX.fullmatch(compact) else text.encode("utf-8", "replace")


def write_octets(octets: bytes) -> str:
    return octets.hex().upper()


def read_moment(text: str) -> datetime | None:
    """The PBX's local time: a zone is dropped, as from GeneralizedTime."""
    at = read_time(text.encode("ascii", "replace"))
    if at is not None:
        return at
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return None


def write_moment(at: datetime) -> str:
    return write_time(at).decode("ascii")


def read_number(text: str, what: str) -> int:
    if not text.removeprefix("-").isascii() or not text.removeprefix("-").isdigit() or len(text) > MAX_NUMBER_DIGITS:
        raise WireError(f"{what} {text[:40]!r} is no number of at most {MAX_NUMBER_DIGITS} digits", "ECMA-323")
    return int(text)


def read_boolean(text: str, what: str) -> bool:
    if text not in ("true", "false", "1", "0"):
        raise WireError(f"{what} {text[:40]!r} is neither true nor false", "ECMA-323")
    return text in ("true", "1")


def write_boolean(value: bool) -> str:
    return "true" if value else "false"


class Words:
    """Words for the numbers of one enumeration. A number without a word travels as digits."""

    def __init__(self, what: str, words: Mapping[int, str]) -> None:
        self._what = what
        self._words = dict(words)
        self._numbers = {word.lower(): number for number, word in words.items()}

    def write(self, number: int) -> str:
        return self._words.get(int(number), str(int(number)))

    def known(self, text: str) -> int | None:
        """The number; None when the word is not known."""
        if text.removeprefix("-").isdecimal() and text.isascii() and len(text) <= MAX_NUMBER_DIGITS:
            return int(text)
        return self._numbers.get(text.lower())

    def read(self, text: str) -> int:
        number = self.known(text)
        if number is None:
            raise WireError(f"{self._what} {text[:60]!r} is not known", "ECMA-323")
        return number
