"""Lines on a terminal: what is wrong with them and what it most likely means, drawn where one would rather look."""

from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from osrec.cli.live import bar, duration, line_state

SEVERITY_STYLE = {"fault": "bold red", "warning": "yellow", "note": "dim"}
EVENTS_SHOWN = 8  # alarm changes, of one line that was asked for
TALK = -50.0  # dBm0 from which a slot is called loud: what a bar begins to show
QUARTERS_A_ROW = 48  # half a day
NOT_UP = frozenset({"los", "lof", "ais", "no_packets", "unplugged"})


def lines_view(status: dict[str, Any], height: int | None = None) -> RenderableType:
    """Each line: what is wrong, its counters, each slot with its level and who is on it; whatever the height."""
    return Group(*(line_panel(line) for line in status["lines"]))


def line_panel(line: dict[str, Any], *, whole: bool = False) -> RenderableType:
    """One line; `whole`: with what happened lately."""
    head = Text(f"{line['name']}  {line['spec']}  ", "bold")
    head.append(line_state(line))
    parts: list[RenderableType] = [_picture(line), *map(_finding, line.get("findings", []))]
    parts += [_account(line), _slots(line)]
    if line.get("signalling"):
        parts.append(_signalling(line["signalling"]))
    if whole and line.get("events"):
        parts.append(_events(line["events"]))
    return Panel(Group(*parts), title=head, title_align="left")


# --- what is wrong


def _picture(line: dict[str, Any]) -> RenderableType:
    """Both directions of the cable."""
    alarms = set(line["alarms"])
    down = sorted(alarms & NOT_UP) or ([] if line["aligned"] else ["no frames yet"])
    deaf = "rai" in alarms
    table = Table(box=None, show_header=False, padding=(0, 1))
    table.add_row("PBX", _arrow(not down, towards_us=True), "recorder", _in_words(line, down))
    sent = Text("the PBX says that it cannot receive us (RAI)", "bold red") if deaf else _far_words(line, bool(down))
    table.add_row("PBX", _arrow(None if down else not deaf, towards_us=False), "recorder", sent)
    return table


def _arrow(works: bool | None, *, towards_us: bool) -> Text:
    shaft = {True: "════════", False: "══╳ ╳══ ", None: "── ? ── "}[works]
    style = {True: "green", False: "bold red", None: "dim"}[works]
    return Text(f"{shaft}►" if towards_us else f"◄{shaft}", style)


def _in_words(line: dict[str, Any], down: list[str]) -> Text:
    if down:
        return Text(" ".join(down).upper(), "bold red")
    crc4 = {
        "multiframe": "frames and CRC-4",
        "non-crc interworking": "frames; the far end sends no CRC-4",
        "searching": "frames; CRC-4 multiframe not found yet",
        "off": "frames; CRC-4 off",
    }
    known = crc4.get(line.get("crc4", ""), "frames and CRC-4" if line["crc_multiframe"] else "frames, no CRC-4")
    others = sorted(set(line["alarms"]) - {"rai"} - NOT_UP)
    return Text(known, "yellow" if others else "green").append(f"  {' '.join(others).upper()}" if others else "")


def _far_words(line: dict[str, Any], blind: bool) -> Text:
    if blind:
        return Text("not known: what the PBX says of us does not come", "dim")
    errors = line["counters"]["remote_crc_errors"]
    return Text(f"the PBX found {errors} errored blocks" if errors else "the PBX finds nothing wrong", "green")


def _finding(finding: dict[str, Any]) -> RenderableType:
    text = Text(f"{finding['severity']}: {finding['what']}\n", SEVERITY_STYLE[finding["severity"]])
    return text.append(f"    likely: {finding['likely']}", "default")


# --- counts


def _account(line: dict[str, Any]) -> RenderableType:
    counters = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in line["counters"].items() if value)
    text = f"received {line['received']} of {line['expected']} samples in {duration(line['seconds'])}; {_clock(line)}"
    if "performance" in line:
        near, far = (_seconds(side, line["performance"][side]) for side in ("near", "far"))
        text += f"\nthis quarter of an hour: {near}; {far}"
    return Text(f"{text}\n{counters or 'nothing counted yet'}")


def _clock(line: dict[str, Any]) -> str:
    rate, ppm = line.get("slips_per_hour"), line["ppm"]
    slips = "slips not known yet" if rate is None else f"{rate:g} slips an hour" if rate else "no slips"
    return slips if ppm is None else f"{slips}, clock {ppm:+.1f} ppm"


def _seconds(side: str, told: dict[str, Any]) -> str:
    """Seconds of one direction in the quarter that runs."""
    quarter = told["quarter"]
    state = "" if told["available"] else " UNAVAILABLE"
    return f"{side}{state} ES {quarter['es']}, SES {quarter['ses']}, BBE {quarter['bbe']}, UAS {quarter['uas']}"


# --- slots


def _slots(line: dict[str, Any]) -> RenderableType:
    table = Table(box=None, show_header=False, padding=(0, 1))
    for first in range(0, 32, 8):
        table.add_row(*(_slot(line, slot) for slot in range(first, first + 8)))
    return table


def _slot(line: dict[str, Any], slot: int) -> Text:
    state, style = slot_state(line, slot)
    return Text(f"{slot:2d} {bar(line['levels'][slot])} ").append(state, style)


def slot_state(line: dict[str, Any], slot: int) -> tuple[str, str]:
    """What is on a slot in a word, and its style."""
    station = line["slots"].get(str(slot))
    if station:
        return station, "green"
    if slot == 0:
        return "frames", "dim"
    if slot == 16 and line.get("signalling"):
        return ("D" if line["signalling"]["kind"] in ("dss1", "qsig") else "CAS"), "cyan"
    if slot not in line.get("call_slots", range(1, 32)):
        return "unused", "dim"
    level = line["levels"][slot]
    return ("audio", "yellow") if level is not None and level > TALK else ("-", "dim")


def _signalling(told: dict[str, Any]) -> RenderableType:
    """Of whatever kind: what is up or down first, then all the rest as it is told."""
    up = told.get("up")
    text = Text(f"signalling {told['kind']}: ")
    if up is not None:
        text.append("up" if up else "DOWN", "green" if up else "bold red")
    rest = {key: value for key, value in told.items() if key not in ("kind", "up") and not isinstance(value, dict)}
    text.append("".join(f", {key.replace('_', ' ')} {value}" for key, value in rest.items() if value is not None))
    for key, value in told.items():
        if isinstance(value, dict):
            counts = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in value.items() if count)
            text.append(f"\n    {key.replace('_', ' ')}: {counts or 'nothing yet'}")
    return text


def _events(events: list[dict[str, Any]]) -> RenderableType:
    table = Table(title="Alarms lately", title_justify="left", show_header=False, box=None)
    for one in events[-EVENTS_SHOWN:]:
        came = Text("came", "red") if one["raised"] else Text("went", "green")
        table.add_row(_local(one["at"]), one["alarm"].upper(), came)
    return table


# --- error performance


def performance_view(told: dict[str, Any]) -> RenderableType:
    """A picture of a day, and the quarters that were not perfect."""
    quarters = told["quarters"]
    parts: list[RenderableType] = [Text(_thresholds(told["thresholds"]), "dim")]
    for side in ("near", "far"):
        state = "available" if told["available"][side] else "UNAVAILABLE"
        parts.append(Text(f"{side} end, {state}", "bold" if told["available"][side] else "bold red"))
        marks = [_mark(one[side]) for one in quarters]
        for first in range(0, len(marks), QUARTERS_A_ROW):
            row = Text(f"  {_local(quarters[first]['start'])[5:16]}  ")
            for mark, style in marks[first : first + QUARTERS_A_ROW]:
                row.append(mark, style)
            parts.append(row)
    parts.append(Text("  · no error  e errored  S severely errored  U unavailable  ? not all of it seen", "dim"))
    return Group(*parts, _quarters(told))


def _thresholds(told: dict[str, Any]) -> str:
    severe = round(told["ses_share"] * told["blocks"])
    return (
        f"a second is severely errored from {severe} of {told['blocks']} blocks (without CRC-4: {told['ses_fas']} wrong"
        f" FAS) or with a defect; time is unavailable from {told['unavailable']} such seconds in a row [G.826]"
    )


def _mark(counts: dict[str, int]) -> tuple[str, str]:
    for key, mark, style in (("uas", "U", "bold white on red"), ("ses", "S", "bold red"), ("es", "e", "yellow")):
        if counts[key]:
            return mark, style
    return ("·", "green") if counts["seconds"] else ("?", "dim")


def _quarters(told: dict[str, Any]) -> RenderableType:
    table = Table(title="Quarters and days that were not perfect, and those that run", title_justify="left")
    table.add_column("from")
    for side in ("near", "far"):
        for column in ("seconds", "ES", "SES", "BBE", "UAS"):
            table.add_column(f"{side} {column}", justify="right")
    for name in ("days", "quarters"):
        bins = told[name]
        for one in bins:
            errored = any(one[side][key] for side in ("near", "far") for key in ("es", "uas"))
            if errored or one is bins[-1]:
                table.add_row(_local(one["start"])[: 10 if name == "days" else 16], *_row(one))
    return table


def _row(one: dict[str, Any]) -> list[str]:
    return [str(one[side][key]) for side in ("near", "far") for key in ("seconds", "es", "ses", "bbe", "uas")]


def _local(at: str) -> str:
    """A time as people at the place write it."""
    return f"{datetime.fromisoformat(at).astimezone():%Y-%m-%d %H:%M:%S}"
