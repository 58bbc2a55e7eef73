"""The recorder's state on a terminal, in one glance: `osrec status`."""

from typing import Any, Literal

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

SEVERITY_STYLE = {"critical": "bold white on red", "major": "bold red", "warning": "yellow"}
HEADLINE, TABLE, MIN_ROWS = 5, 6, 2  # lines on the screen: of the head, of a table besides its rows
ON_ITS_WAY = 800  # samples: what the far end has sent by now and the jitter buffer still holds is not missing
LOWEST = -50.0  # dBm0 at the left end of a level bar
BARS = " ▁▂▃▄▅▆▇█"


def status_view(status: dict[str, Any], height: int | None = None) -> RenderableType:
    """Everything in one glance; with the terminal's height, no more rows than it can show."""
    parts: list[RenderableType] = [_headline(status)]
    if status["alarms"]:
        parts.append(_alarms(status["alarms"]))
    parts.append(_lines(status["lines"]))
    conversations, recordings = status["conversations"], status["recordings"]
    if height is None:
        return Group(*parts, _conversations(conversations), _recordings(recordings))
    left = height - HEADLINE - TABLE * 3 - len(status["lines"]) - (len(status["alarms"]) + 1 if status["alarms"] else 0)
    shown = min(len(recordings), max(left // 2, MIN_ROWS))
    parts.append(_recordings(recordings[:shown], len(recordings) - shown))
    shown = min(len(conversations), max(left - shown, MIN_ROWS))
    parts.append(_conversations(conversations[:shown], len(conversations) - shown))
    return Group(*parts)


def _headline(status: dict[str, Any]) -> RenderableType:
    link, pairs, journal = status["link"], status["pairs"], status["journal"]
    text = Text()
    text.append(f"{status['unit']}  ", "bold")
    text.append(f"recording {len(status['recordings'])} of {pairs['all']}", "bold green")
    text.append("   CSTA ")
    text.append("up" if link["up"] else link["state"], "green" if link["up"] else "bold red")
    text.append(f" {link['peer']}, {link['monitors']} of {link['stations']} stations monitored")
    text.append(f"\nconversations {len(status['conversations'])} running, {status['concluded']} ended")
    if journal:
        text.append(f"   journal {journal['condition']}, room for {duration(journal['capacity_seconds'])}")
        text.append(f", commit {journal['commit_seconds'] * 1000:.1f} ms")
    text.append(f"   up {duration(status['uptime'])}, version {status['version']}")
    text.append(f"\nrules {status['rules']['version']}")
    if status.get("ledger"):
        today = status["ledger"]
        text.append(f"   today {today['recorded']} recorded in full, {today['gaps']} with gaps, ")
        text.append(f"{today['not_recorded']} not recorded")
    return Panel(text, title="osrec", title_align="left")


def _alarms(alarms: list[dict[str, Any]]) -> RenderableType:
    table = Table(title="Alarms", title_justify="left", show_header=False, box=None)
    for alarm in alarms:
        since = str(alarm["since"])[:19].replace("T", " ")
        table.add_row(Text(alarm["severity"], SEVERITY_STYLE[alarm["severity"]]), since, alarm["text"])
    return table


def _lines(lines: list[dict[str, Any]]) -> RenderableType:
    table = Table(title="Lines", title_justify="left")
    for column in ("line", "state", "slots 0-31: level", "missing", "CRC-4 errors", "packets lost", "clock ppm"):
        justify: Literal["right", "left"] = "right" if column in ("missing", "CRC-4 errors", "packets lost") else "left"
        table.add_column(column, justify=justify, no_wrap=column.startswith("slots"))
    for line in lines:
        counters = line["counters"]
        table.add_row(
            line["name"],
            line_state(line),
            "".join(bar(level) for level in line["levels"]),
            str(_missing(line)),
            str(counters["crc_errors"]),
            str(counters["packets_lost"]),
            "-" if line["ppm"] is None else f"{line['ppm']:+.1f}",
        )
    return table


def _missing(line: dict[str, Any]) -> int:
    missing = line["expected"] - line["received"]
    return missing if missing > ON_ITS_WAY else 0


def line_state(line: dict[str, Any]) -> Text:
    """The line's alarms, or what it is aligned to."""
    if line["alarms"]:
        return Text(" ".join(line["alarms"]).upper(), "bold red")
    if not line["aligned"]:
        return Text("no frames yet", "yellow")
    return Text("frames + CRC-4" if line["crc_multiframe"] else "frames, no CRC-4", "green")


def bar(level: float | None) -> str:
    """A level in dBm0 as one character."""
    if level is None or level <= LOWEST:
        return BARS[0]
    return BARS[min(int((level - LOWEST) / -LOWEST * (len(BARS) - 1)) + 1, len(BARS) - 1)]


def _conversations(conversations: list[dict[str, Any]], more: int = 0) -> RenderableType:
    table = Table(title=_title("Conversations", more), title_justify="left")
    for column in ("since", "direction", "parties", "legs", "recorded at"):
        table.add_column(column)
    for one in conversations:
        parties = ", ".join(_party(party) for party in one["parties"])
        legs = "; ".join(
            " ".join(f"{device} {state}" for device, state in call.items()) for call in one["legs"].values()
        )
        recorded = Text(", ".join(one["recorded_at"]), "green")
        if not one["recorded_at"]:
            recorded = Text(one["reason"] or "-", "red" if one["reason"] else "dim")
        table.add_row(duration(one["seconds"]), one["direction"], parties, legs, recorded)
    return table


def _party(party: dict[str, Any]) -> str:
    return f"{party['number']} {party['name']}" if party["name"] else str(party["number"])


def _title(what: str, more: int) -> str:
    return f"{what} (and {more} more)" if more > 0 else what


def _recordings(recordings: list[dict[str, Any]], more: int = 0) -> RenderableType:
    table = Table(title=_title("Recordings", more), title_justify="left")
    for column in ("recording", "station", "pair", "length", "own", "other", "rule", "state"):
        table.add_column(column)
    for one in recordings:
        own, other = (_decibels(one[side]) for side in ("level_own", "level_other"))
        table.add_row(
            one["id"], one["station"], one["pair"], duration(one["seconds"]), own, other, one["rule"], _doing(one)
        )
    return table


def _doing(recording: dict[str, Any]) -> Text:
    """Its state, and what people asked of it."""
    text = Text(recording["state"])
    if recording["provisional"]:
        text.append(" on demand", "dim")
    if recording["paused"]:
        text.append(" PAUSED", "bold yellow")
    return text


def _decibels(level: float | None) -> str:
    return f"{bar(level)} silent" if level is None else f"{bar(level)} {level:.0f} dBm0"


def duration(seconds: float) -> str:
    whole = int(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02d}:{whole % 60:02d}"
