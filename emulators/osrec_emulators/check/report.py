"""The verdicts as a person reads them, and as JSON."""

import json
from dataclasses import asdict
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from osrec_emulators.check.lateness import Lateness
from osrec_emulators.check.verdict import ConversationVerdict, LedgerVerdict, RecordingVerdict, Report, Shortage

LOG_WIDTH = 110  # of output that goes to a file, so that the table's cells stay whole


def show(report: Report, console: Console) -> None:
    """Print a line for each recording, then what is wrong, then the counts."""
    if not console.is_terminal:
        console.width = max(console.width, LOG_WIDTH)
    if report.recordings:
        console.print(_table(report.recordings))
    for recording in report.recordings:
        for fault in recording.faults:
            console.print(f"[red]wrong[/] recording {recording.recording} ({recording.path.name}): {escape(fault)}")
    for conversation in report.judged:
        for fault in conversation.faults:
            console.print(f"[red]wrong[/] {_name(conversation)}: {escape(fault)}")
    for fault in report.faults:
        console.print(f"[red]wrong[/] {escape(fault)}")
    if report.ledger is not None:
        _show_ledger(report.ledger, console)
    console.print(_summary(report))


def as_json(report: Report) -> str:
    members: dict[str, Any] = {"right": report.right, **asdict(report)}
    entries = members["ledger"]["entries"] if report.ledger is not None else ()
    for each in (*members["recordings"], *members["judged"], *entries):
        each["right"] = not each["faults"]
    return json.dumps(members, default=str, indent=2, ensure_ascii=False)


def _show_ledger(ledger: LedgerVerdict, console: Console) -> None:
    for entry in ledger.entries:
        for fault in entry.faults:
            calls, stations = ", ".join(entry.calls), ", ".join(entry.stations)
            console.print(f"[red]wrong[/] ledger {entry.id} (calls {calls}; stations {stations}): {escape(fault)}")
    for fault in ledger.faults:
        console.print(f"[red]wrong[/] {escape(fault)}")


def _table(recordings: tuple[RecordingVerdict, ...]) -> Table:
    headers = ("recording", "station", "ports", "started", "seconds", "gaps", "octets", "verdict")
    table = Table(*headers, box=box.SIMPLE_HEAD, pad_edge=False)
    for column in table.columns:
        column.no_wrap = True
    for each in recordings:
        gaps = f"{each.gaps}: {each.gap_samples / 8:g} ms" if each.gaps else "-"
        table.add_row(
            each.recording[-8:],  # the random end of a UUIDv7
            each.station,
            "+".join(each.ports),
            each.started.strftime("%H:%M:%S") if each.started else "",
            f"{each.seconds:.3f}",
            gaps,
            f"{each.octets}",
            "[green]equal[/]" if each.right else "[red]wrong[/]",
        )
    return table


def _name(conversation: ConversationVerdict) -> str:
    calls, stations = ", ".join(conversation.calls), ", ".join(conversation.stations)
    return f"conversation {conversation.thread} (calls {calls}; stations {stations})"


def _summary(report: Report) -> str:
    right = sum(each.right for each in report.recordings)
    recorded = sum(each.right for each in report.judged)
    lines = [
        f"conversations: {report.conversations} ended, {len(report.judged)} to be recorded, {recorded} in full",
        f"recordings:    {len(report.recordings)} judged, {right} equal octet for octet, side for side",
        f"gaps:          {sum(each.gaps for each in report.recordings)} declared, "
        f"{sum(each.gap_samples for each in report.recordings) / 8000:.3f} s in all",
        _lateness(report.lateness),
        *(f"line {each.line}: offset {', '.join(map(str, each.offsets))}" for each in report.runs),
    ]
    if report.ledger is not None:
        lines.append(_ledger(report.ledger))
    if report.older:
        lines.append(f"passed over:   {report.older} recordings from before this truth")
    lines.append("[green]all right[/]" if report.right else "[red]NOT RIGHT[/]")
    return "\n".join(lines)


def _lateness(late: Lateness) -> str:
    if not late.begins:
        return "asked for:     nobody talked, or the truth does not tell when"
    milliseconds = ", ".join(
        f"{name} {value * 1000:.0f} ms"
        for name, value in (("mean", late.mean), ("p99", late.p99), ("max", late.largest))
    )
    return f"asked for:     {late.forked} forks in {late.begins} talks; from talk to both sides granted {milliseconds}"


def _ledger(ledger: LedgerVerdict) -> str:
    right = sum(entry.right for entry in ledger.entries)
    excused = len(ledger.excused) + sum(len(entry.excused) for entry in ledger.entries)
    classes = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in ledger.classes)
    return (
        f"ledger:        {ledger.conversations} conversations of watched stations, {len(ledger.entries)} entries "
        f"({classes}), {right} right; {ledger.blind} are in none"
        + (f"; {excused} faults excused, since events were withheld" if excused else "")
        + _shortage(ledger.shortage)
    )


def _shortage(short: Shortage) -> str:
    if not short.spans:
        return ""
    used = f"{short.in_use:.1f} of {short.pairs} pairs were in use then, {short.least:.1f} at least"
    return f"\nno pair:       {short.spans} spans, {short.seconds:.1f} s; {used}"
