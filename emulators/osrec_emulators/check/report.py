"""The verdicts as a person reads them, and as JSON."""

import json
from dataclasses import asdict
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from osrec_emulators.check.verdict import ConversationVerdict, RecordingVerdict, Report

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
    console.print(_summary(report))


def as_json(report: Report) -> str:
    members: dict[str, Any] = {"right": report.right, **asdict(report)}
    for each in (*members["recordings"], *members["judged"]):
        each["right"] = not each["faults"]
    return json.dumps(members, default=str, indent=2, ensure_ascii=False)


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
        *(f"line {each.line}: offset {', '.join(map(str, each.offsets))}" for each in report.runs),
    ]
    if report.older:
        lines.append(f"passed over:   {report.older} recordings from before this truth")
    lines.append("[green]all right[/]" if report.right else "[red]NOT RIGHT[/]")
    return "\n".join(lines)
