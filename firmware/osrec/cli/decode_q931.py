"""`osrec decode q931`: what a D channel carries, frame by frame, from a tap's capture or from hex in a log."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from osrec.cli.decode_input import contents, guarded, hex_octets, text_lines
from osrec.errors import WireError
from osrec.wire import pcap
from osrec.wire.plain import plain
from osrec.wire.q921 import render as q921_render
from osrec.wire.q921.capture import Caught, caught, without_fcs
from osrec.wire.q921.frames import SAPI_CALL_CONTROL, Frame, Side, Supervisory, decode, sender_of
from osrec.wire.q931 import render as q931_render
from osrec.wire.q931.codec import decode_with_faults
from osrec.wire.q931.messages import PROTOCOL_DISCRIMINATOR, Message

_SIDES = {side.value: side for side in Side}


@dataclass(frozen=True, slots=True)
class Named:
    """A frame with the name that a text file gives it."""

    caught: Caught
    name: str = ""


@dataclass(slots=True)
class Read:
    """All that could be made of one frame, or of a bare message."""

    frame: Frame | None = None
    about: str | None = None  # what FRMR, XID and TEI management say
    message: Message | None = None
    remarks: list[str] = field(default_factory=list)
    undecodable: str | None = None


def q931(
    file: Annotated[
        Path | None, typer.Argument(help="pcap or pcapng of LAPD, or text: a line is `[user|network|NAME] HEX`.")
    ] = None,
    hex_: Annotated[str | None, typer.Option("--hex", metavar="HEX", help="Octets to read instead of a file.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="One JSON object a frame.")] = False,
) -> None:
    """Q.931 in LAPD frames of a D channel, or alone: some lines, or one JSON object, for each frame."""
    understood = 0
    for named in _frames(file, hex_):
        read = read_frame(named.caught)
        understood += read.undecodable is None
        typer.echo(json.dumps(_as_json(named, read)) if json_ else "\n".join(_as_lines(named, read)))
    if not understood:
        typer.echo("nothing could be read as LAPD or Q.931", err=True)
        raise typer.Exit(1)


# --- from octets to messages


def _frames(file: Path | None, hex_: str | None) -> Sequence[Named]:
    if (file is None) == (hex_ is None):
        raise typer.BadParameter("give either FILE or --hex HEX")
    if hex_ is not None:
        return _of_text([("", hex_octets(hex_, "--hex"))])
    assert file is not None
    octets = contents(file)
    if pcap.is_capture(octets):
        frames, _ = without_fcs(list(guarded(file, caught(octets))))
        return [Named(frame) for frame in frames]
    lines = text_lines(octets)
    if lines is None:
        raise typer.BadParameter(f"{file}: neither pcap nor pcapng nor lines of hex")
    return _of_text(lines)


def _of_text(lines: Sequence[tuple[str, bytes]]) -> Sequence[Named]:
    frames, _ = without_fcs([Caught(octets, None, _SIDES.get(name) or sender_of(octets)) for name, octets in lines])
    return [Named(frame, name) for frame, (name, _) in zip(frames, lines, strict=True)]


def read_frame(found: Caught) -> Read:
    """Never raises: what cannot be read is said in the result."""
    read = Read()
    if found.octets[:1] == bytes([PROTOCOL_DISCRIMINATOR]):  # no SAPI that is in use has an address like this
        _read_message(found.octets, read)
        return read
    try:
        read.frame = decode(found.octets, found.sender or Side.USER)
        read.about = q921_render.information_text(read.frame)
    except WireError as error:
        read.undecodable = str(error)
        return read
    if read.frame.dlci.sapi == SAPI_CALL_CONTROL and read.about is None and not isinstance(read.frame, Supervisory):
        _read_message(read.frame.octets, read)
    return read


def _read_message(octets: bytes, read: Read) -> None:
    if not octets:
        return
    try:
        read.message, faults = decode_with_faults(octets)
        read.remarks = [str(fault) for fault in faults]
    except WireError as error:
        read.undecodable = str(error)


# --- showing them


def _as_lines(named: Named, read: Read) -> list[str]:
    found = named.caught
    at = _time(found)
    head = "" if at is None else f"{at:%Y-%m-%d %H:%M:%S.%f} "
    label = _label(named)
    head += f"{label}: " if label else ""
    lines, indent = [], ""
    if read.frame is not None:
        lines.append(head + q921_render.as_line(read.frame, cr_known=found.sender is not None))
        head = indent = "    "
    if read.about is not None:
        lines.append(head + read.about)
    if read.message is not None:
        first, *others = q931_render.as_lines(read.message)
        lines += [head + first, *(indent + line for line in others)]
    if read.undecodable is not None:
        lines.append(f"{head}UNDECODABLE {read.undecodable}: {found.octets.hex()}")
    return lines + [f"    remark: {remark}" for remark in read.remarks]


def _time(found: Caught) -> datetime | None:
    """None, too, when a broken capture puts it beyond the calendar."""
    try:
        return None if found.at is None else datetime.fromtimestamp(found.at, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _label(named: Named) -> str:
    sender = named.caught.sender
    way = "" if sender is None else f"{sender.value} > {sender.other.value}"
    return " ".join(part for part in ("" if named.name in _SIDES else named.name, way) if part)


def _as_json(named: Named, read: Read) -> dict[str, Any]:
    found = named.caught
    value: dict[str, Any] = {"stream": named.name} if named.name else {}
    at = _time(found)
    if at is not None:
        value["captured"] = at.isoformat()
    value["sender"] = found.sender.value if found.sender else None
    if read.frame is not None:
        value["frame"] = plain(read.frame)
        if found.sender is None:
            value["frame"].pop("command", None)  # C/R alone does not tell
    if read.about is not None:
        value["information"] = read.about
    if read.message is not None:
        value |= {"q931": q931_render.as_json(read.message), "remarks": read.remarks}
    if read.undecodable is not None:
        value["undecodable"] = read.undecodable
    return value | {"hex": found.octets.hex()}
