"""`osrec decode`: says what a capture holds. Field engineers settle a site's dialect with it."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from osrec.cli.decode_e1 import e1
from osrec.cli.decode_input import source
from osrec.cli.decode_q931 import q931
from osrec.errors import WireError
from osrec.wire.csta.capture import Flow, Piece
from osrec.wire.csta.dialect import dialect
from osrec.wire.csta.framing import NAMES, Xml8, detect, framing_named
from osrec.wire.csta.framing import Framing as StreamFraming
from osrec.wire.csta.render import MASK, as_json, as_line

app = typer.Typer(help="Say what a capture holds.", no_args_is_help=True)

_DETECTABLE = 8  # octets after which a framing is known or not
_AARQ = 0x60  # what a PDU with a password begins with
_XML_SECRETS = (b"applicationSpecificInfo", b"assword")  # elements of a session that hold a login
_DIALECTS = {name: dialect("xml" if name == Xml8.name else "asn1", name) for name in NAMES}


class Framing(StrEnum):
    """The framings of `osrec.wire.csta.framing`, and to find out by looking."""

    AUTO = "auto"
    BE2 = "be2"
    SIEMENS = "siemens"
    TPKT = "tpkt"
    BE4 = "be4"
    NONE = "none"
    XML8 = "xml8"


@dataclass(frozen=True, slots=True)
class Found:
    """One PDU, or what stood in its place."""

    label: str
    at: float | None
    octets: bytes
    framing: str
    fault: str | None = None


@app.callback()
def _decode() -> None:
    """Say what a capture holds."""


@app.command()
def csta(
    file: Annotated[
        Path | None, typer.Argument(help="pcap, pcapng, raw octets, or text: a line is `[NAME] HEX` or `[0001]<XML>`.")
    ] = None,
    framing: Annotated[Framing, typer.Option(help="How PDUs are delimited in the stream.")] = Framing.AUTO,
    hex_: Annotated[str | None, typer.Option("--hex", metavar="HEX", help="Octets to read instead of a file.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="One JSON object a PDU.")] = False,
    show_secrets: Annotated[bool, typer.Option(help="Show passwords and the octets that hold them.")] = False,
) -> None:
    """CSTA phase III in ASN.1 or XML: one line, or one JSON object, for each PDU."""
    read = 0
    for found in _found(source(file, hex_), framing):
        shown = _as_json(found, show_secrets) if json_ else _as_line(found, show_secrets)
        read += not shown.fault
        typer.echo(shown.text)
    if not read:
        typer.echo("nothing could be read as CSTA", err=True)
        raise typer.Exit(1)


app.command()(q931)
app.command()(e1)


# --- from octets to PDUs


@dataclass(slots=True)
class _Reader:
    """One direction of one connection."""

    flow: Flow
    chosen: Framing
    framing: StreamFraming | None = None
    first: bytes = b""
    at: float | None = None

    @property
    def label(self) -> str:
        return f"{self.flow.source} > {self.flow.destination}" if self.flow.destination else self.flow.source

    def take(self, piece: Piece) -> Iterator[Found]:
        self.at = piece.at if self.flow.destination else None
        if piece.missing:
            yield self._fault(b"", f"{piece.missing} octets were not captured")
            self.framing, self.first = None, b""
        octets = piece.octets
        if self.framing is None:
            octets = self.first + octets
            name = detect(octets) if self.chosen is Framing.AUTO else self.chosen.value
            if name is None:
                self.first = octets if len(octets) < _DETECTABLE else b""
                if not self.first:
                    yield self._fault(octets, "no framing recognised")
                return
            self.framing, self.first = framing_named(name), b""
        yield from self._frames(octets)

    def _frames(self, octets: bytes) -> Iterator[Found]:
        assert self.framing is not None
        name = self.framing.name
        try:
            frames = self.framing.feed(octets)
            while frames:
                for frame in frames:
                    yield Found(self.label, self.at, frame, name)
                frames = self.framing.feed(b"")
        except WireError as error:
            self.framing = None  # perhaps the next segment begins with a frame again
            yield self._fault(octets, str(error))

    def finish(self) -> Iterator[Found]:
        if self.first:
            yield self._fault(self.first, "no framing recognised")
        elif self.framing is not None and self.framing.held:
            yield self._fault(b"", f"ends with {self.framing.held} octets of an unfinished PDU")

    def _fault(self, octets: bytes, why: str) -> Found:
        return Found(self.label, self.at, octets, self.framing.name if self.framing else "", why)


def _found(pieces: Iterator[Piece], framing: Framing) -> Iterator[Found]:
    readers: dict[Flow, _Reader] = {}
    for piece in pieces:
        reader = readers.setdefault(piece.flow, _Reader(piece.flow, framing))
        yield from reader.take(piece)
    for reader in readers.values():
        yield from reader.finish()


# --- showing them


@dataclass(frozen=True, slots=True)
class Shown:
    text: str
    fault: bool


def _hex(found: Found, secrets: bool) -> str:
    if _may_hold_password(found) and not secrets:
        return f"{MASK} ({len(found.octets)} octets that may hold a password)"
    return found.octets.hex()


def _may_hold_password(found: Found) -> bool:
    """An association request; octets that could not be delimited may hold one anywhere."""
    if any(secret in found.octets for secret in _XML_SECRETS):
        return True
    return _AARQ in (found.octets[:1] if found.fault is None else found.octets)


def _as_line(found: Found, secrets: bool) -> Shown:
    time = "" if found.at is None else f"{datetime.fromtimestamp(found.at, UTC):%Y-%m-%d %H:%M:%S.%f} "
    head = f"{time}{found.label}: "
    if found.fault is not None:
        octets = f": {_hex(found, secrets)}" if found.octets else ""
        return Shown(f"{head}UNREADABLE {found.fault}{octets}", fault=True)
    try:
        pdu, remarks = _DIALECTS[found.framing].decode_with_remarks(found.octets)
    except WireError as error:
        return Shown(f"{head}UNDECODABLE {error}: {_hex(found, secrets)}", fault=True)
    lines = [head + as_line(pdu, secrets=secrets), *(f"    remark: {remark}" for remark in remarks)]
    return Shown("\n".join(lines), fault=False)


def _as_json(found: Found, secrets: bool) -> Shown:
    value: dict[str, Any] = {"stream": found.label, "framing": found.framing or None}
    if found.at is not None:
        value["captured"] = datetime.fromtimestamp(found.at, UTC).isoformat()
    fault = found.fault
    if fault is None:
        try:
            pdu, remarks = _DIALECTS[found.framing].decode_with_remarks(found.octets)
            value |= {"pdu": as_json(pdu, secrets=secrets), "remarks": list(remarks)}
        except WireError as error:
            fault = str(error)
    if fault is not None:
        value["undecodable"] = fault
    value["hex"] = _hex(found, secrets)
    if found.framing == Xml8.name and (secrets or not _may_hold_password(found)):
        value["text"] = found.octets.decode("utf-8", "replace")
    return Shown(json.dumps(value), fault=fault is not None)


if __name__ == "__main__":
    sys.exit(app())
