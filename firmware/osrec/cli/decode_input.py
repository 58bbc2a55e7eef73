"""Where the octets come from that `osrec decode` shows: captures, raw octets, hex and XML as text."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import typer

from osrec.errors import UsageError, WireError
from osrec.wire import pcap
from osrec.wire.csta import capture
from osrec.wire.csta.capture import Flow, Piece
from osrec.wire.csta.framing import Xml8, framing_named

Item = TypeVar("Item")

_LOGGED = re.compile(r"(?P<name>[^<]*?)(?P<invoke_id>\d{4})?(?P<document><.*>)\s*")


def source(file: Path | None, hex_: str | None) -> Iterator[Piece]:
    if (file is None) == (hex_ is None):
        raise typer.BadParameter("give either FILE or --hex HEX")
    if hex_ is not None:
        return iter([Piece(Flow("--hex", ""), 0.0, hex_octets(hex_, "--hex"))])
    assert file is not None
    octets = contents(file)
    if pcap.is_capture(octets):
        return guarded(file, capture.pieces(octets))
    if octets.lstrip()[:1] == b"<":
        return iter([Piece(Flow(file.name, ""), 0.0, _framed("0000", octets.strip()))])
    lines = text_lines(octets)
    if lines is not None:
        return iter([Piece(Flow(name, "", number), 0.0, line) for number, (name, line) in enumerate(lines)])
    return iter([Piece(Flow(file.name, ""), 0.0, octets)])


def contents(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}") from error


def guarded(file: Path, found: Iterator[Item]) -> Iterator[Item]:
    """What could be read of a broken file is shown first."""
    try:
        yield from found
    except WireError as error:
        typer.echo(f"{file}: {error}", err=True)


def hex_octets(text: str, where: str) -> bytes:
    try:
        return bytes.fromhex(text.replace(":", "").replace("0x", ""))
    except ValueError as error:
        raise typer.BadParameter(f"{where}: {text!r} is no hex: {error}") from error


def text_lines(octets: bytes) -> list[tuple[str, bytes]] | None:
    """Lines of `[NAME] HEX` or of XML, `#` begins a comment; None when it is another kind of file."""
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        return None
    lines = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.partition("#")[0].strip():
            continue
        named = _xml_line(line, number) or _hex_line(line, number)
        if named is None:
            return None
        lines.append(named)
    return lines


def _xml_line(line: str, number: int) -> tuple[str, bytes] | None:
    """A document as logs show it, `1011<?xml ...`; the header, which logs leave out, is put before it."""
    found = _LOGGED.fullmatch(line)
    if found is None:
        return None
    name = found["name"].strip() or f"line {number}"
    return name, _framed(found["invoke_id"] or "0000", found["document"].encode("utf-8"))


def _framed(invoke_id: str, document: bytes) -> bytes:
    try:
        return framing_named(Xml8.name).encode(invoke_id.encode("ascii") + document)
    except UsageError as error:
        raise typer.BadParameter(str(error)) from error


def _hex_line(line: str, number: int) -> tuple[str, bytes] | None:
    words = line.partition("#")[0].split()
    name = f"line {number}"
    if not _is_hex(words[0]):
        name, words = words[0], words[1:]
    if not words or not all(_is_hex(word) for word in words):
        return None
    return name, bytes.fromhex("".join(words))


def _is_hex(word: str) -> bool:
    return len(word) % 2 == 0 and all(digit in "0123456789abcdefABCDEF" for digit in word)
