"""Identifiers of CSTA XML as the octets that the model has, since ASN.1 has octets.

These are callID, cross references, linkage and register ids, and dynamic devices. Text of upper-case hex, which
OpenScape Voice sends and we send, is the octets it says. Any other text is kept as it is behind the mark `xml:`, so
that what a peer sent always goes back to it unchanged. Octets that begin with the mark without having been read from
XML are the one thing that does not survive.
"""

import re
from typing import Final

MARK: Final = b"xml:"
_HEX = re.compile(r"(?:[0-9A-F]{2})+")


def read_identifier(text: str) -> bytes:
    if not text:
        return b""
    if _HEX.fullmatch(text):
        octets = bytes.fromhex(text)
        if not octets.startswith(MARK):
            return octets
    return MARK + text.encode("utf-8", "replace")


def write_identifier(octets: bytes) -> str:
    if octets.startswith(MARK):
        return octets[len(MARK) :].decode("utf-8", "replace")
    return octets.hex().upper()


def octets_text(octets: bytes) -> str:
    """For people: hex; what came as text in XML, and XML itself, is shown as text."""
    if octets.startswith((MARK, b"<")):
        text = octets.removeprefix(MARK).decode("utf-8", "replace")
        if text.isprintable():
            return text
    return octets.hex()
