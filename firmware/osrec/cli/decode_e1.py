"""`osrec decode e1`: what a raw bit capture of an E1 line holds."""

import json
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any

import typer

from osrec.cli.decode_input import contents
from osrec.cli.live import bar
from osrec.recorder.line_findings import Finding, Trend, findings
from osrec_drivers.e1.capture import CaptureReport, Form, SlotContent, analyse
from osrec_drivers.e1cap_format import is_tracer, read_tracer
from osrec_drivers.errors import LineError
from osrec_drivers.line import FRAME_RATE, CasState, Gap, LineStatus

CHANGES_SHOWN = 20
TRACER_HEADER = 4  # octets of each packet in front of its frames


def e1(
    file: Annotated[
        Path, typer.Argument(help="Octets as they came off the line, at any bit offset; or a file of e1-tracer-record.")
    ],
    json_: Annotated[bool, typer.Option("--json", help="One JSON object a direction.")] = False,
) -> None:
    """A raw capture of an E1 line: bit offset, frames, CRC-4, alarms, counters, and what each time slot carries."""
    found = [(name, analyse(octets)) for name, octets in _directions(file)]
    for name, report in found:
        value = {"stream": name} | as_json(report)
        typer.echo(json.dumps(value, ensure_ascii=False) if json_ else "\n".join(as_lines(name, report)))
    if all(report.form is None for _, report in found):
        raise typer.Exit(1)


def _directions(file: Path) -> list[tuple[str, bytes]]:
    """The bits of a line by name: of one direction, or of both that an e1-tracer has recorded."""
    octets = contents(file)
    if not octets:
        raise typer.BadParameter(f"{file}: it is empty")
    if not is_tracer(octets):
        return [(file.name, octets)]
    parts: dict[int, list[bytes]] = {}
    try:
        for packet in read_tracer(BytesIO(octets)):
            if packet.octets is not None:  # else the transfer failed: alignment will tell
                parts.setdefault(packet.endpoint, []).append(packet.octets[TRACER_HEADER:])
    except LineError as error:  # what could be read of a broken file is shown
        typer.echo(f"{file}: {error}", err=True)
    if not parts:
        raise typer.BadParameter(f"{file}: a file of e1-tracer-record without a whole packet")
    return [(f"{file.name} endpoint 0x{endpoint:02x}", b"".join(part)) for endpoint, part in sorted(parts.items())]


# --- in words


def as_lines(name: str, report: CaptureReport) -> Iterator[str]:
    yield f"{name}: {report.octets:,} octets, {report.seconds:.3f} s of a 2048 kbit/s line"
    yield f"  bits      {_bits(report)}"
    yield (
        f"  frames    {report.frames:,} in alignment; FAS errors {report.fas_errors}, bit 2 errors"
        f" {report.bit2_errors}, alignment losses {report.alignment_losses}, slips {report.slips}"
    )
    yield (
        f"  CRC-4     {report.crc4.value}; {report.crc_errors} errored blocks,"
        f" {report.remote_crc_errors} told by E bits of the other end"
    )
    if report.sa is not None:
        yield f"  Sa4..Sa8  {report.sa:05b}"
    yield from _alarms(report)
    for finding in findings_of(report):
        yield f"  {finding.severity:<9} {finding.what}"
        yield f"            likely: {finding.likely}"
    yield from _slots(report.slots)
    if report.cas is not None:
        yield from _cas(report.cas)


def _bits(report: CaptureReport) -> str:
    if report.form is None:
        return "no frames: neither as captured nor inverted nor with the least significant bit first"
    form = " and ".join(_oddities(report.form)) or "as they should be"
    offset = report.offset or 0
    return f"first frame at bit {offset} (octet {offset // 8}, bit {offset % 8}); {form}"


def _oddities(form: Form) -> list[str]:
    return [text for odd, text in ((form.inverted, "inverted"), (form.lsb_first, "least significant bit first")) if odd]


def _alarms(report: CaptureReport) -> Iterator[str]:
    standing = ", ".join(sorted(alarm.value.upper() for alarm in report.standing)) or "none"
    yield f"  alarms    {standing} at the end"
    for change in report.changes[:CHANGES_SHOWN]:
        came = "came" if change.raised else "went"
        yield f"            {change.sample / FRAME_RATE:9.3f} s  {change.alarm.value.upper()} {came}"
    if len(report.changes) > CHANGES_SHOWN:
        yield f"            and {len(report.changes) - CHANGES_SHOWN} changes more"
    for cause, samples in missing(report.gaps).items():
        yield f"  missing   {samples:,} samples, {samples / FRAME_RATE:.3f} s: {cause}"


def missing(gaps: tuple[Gap, ...]) -> dict[str, int]:
    """Samples without a frame, by cause."""
    counts: Counter[str] = Counter()
    for gap in gaps:
        counts[gap.cause.value] += gap.count
    return dict(counts)


def findings_of(report: CaptureReport) -> list[Finding]:
    """What `osrec lines` would say of the line at the end of the capture."""
    status = LineStatus(
        spec="",
        alarms=report.standing,
        aligned=report.form is not None,
        crc_multiframe=report.crc4.value == "multiframe",
        head=0,
        received=report.frames,
        expected=report.frames,
        ppm=None,
        crc4=report.crc4,
    )
    return findings(status, Trend())


def _slots(slots: tuple[SlotContent, ...]) -> Iterator[str]:
    for first in range(0, len(slots), 8):
        yield "  slots     " + "  ".join(_slot(one) for one in slots[first : first + 8])
    for one in slots:
        if one.hdlc is not None:
            wrong = ", ".join(f"{error.value} {count}" for error, count in one.hdlc.errors.items() if count)
            yield (
                f"  slot {one.slot:<4} HDLC: {one.hdlc.frames} frames, {100 * one.hdlc.flags:.0f} % flags"
                f"; errors: {wrong or 'none'}"
            )
            for frame in one.hdlc.first:
                yield f"            {frame.end / FRAME_RATE:9.3f} s  {frame.octets.hex(' ')}"


def _slot(one: SlotContent) -> str:
    shown = bar(one.loudest if math.isfinite(one.loudest) else None)
    return f"{one.slot:2d} {shown} {_carries(one):<8}"


def _carries(one: SlotContent) -> str:
    if one.slot == 0:
        return "frames"
    if one.hdlc is not None:
        return "HDLC"
    if one.idle is not None:
        return f"idle {one.idle:02X}"
    return f"{one.level:.0f} dBm0" if math.isfinite(one.level) else "silent"


def _cas(cas: CasState) -> Iterator[str]:
    by_code: dict[int, list[int]] = {}
    for slot, abcd in enumerate(cas.abcd):
        if abcd is not None:
            by_code.setdefault(abcd, []).append(slot)
    yield "  CAS       multiframe in slot 16"
    for abcd, slots in sorted(by_code.items()):
        yield f"            abcd {abcd:04b} in slots {', '.join(map(str, slots))}"


# --- as JSON


def as_json(report: CaptureReport) -> dict[str, Any]:
    value = {
        name: getattr(report, name)
        for name in (
            "octets",
            "offset",
            "frames",
            "fas_errors",
            "bit2_errors",
            "crc_errors",
            "remote_crc_errors",
            "alignment_losses",
            "slips",
            "sa",
        )
    }
    return value | {
        "seconds": report.seconds,
        "form": None if report.form is None else asdict(report.form),
        "crc4": report.crc4.value,
        "alarms": sorted(report.standing),
        "changes": [
            {"alarm": change.alarm.value, "raised": change.raised, "sample": change.sample} for change in report.changes
        ],
        "missing": missing(report.gaps),
        "findings": [asdict(one) for one in findings_of(report)],
        "slots": [_slot_json(one) for one in report.slots],
        "cas": None if report.cas is None else [None if abcd is None else f"{abcd:04b}" for abcd in report.cas.abcd],
    }


def _slot_json(one: SlotContent) -> dict[str, Any]:
    hdlc = one.hdlc
    return {
        "slot": one.slot,
        "level": _level(one.level),
        "loudest": _level(one.loudest),
        "idle": None if one.idle is None else f"{one.idle:02x}",
        "hdlc": None
        if hdlc is None
        else {
            "frames": hdlc.frames,
            "errors": {error.value: count for error, count in hdlc.errors.items()},
            "flags": round(hdlc.flags, 3),
            "first": [{"sample": frame.end, "hex": frame.octets.hex()} for frame in hdlc.first],
        },
    }


def _level(level: float) -> float | None:
    return round(level, 1) if math.isfinite(level) else None
