"""`osrec ledger`: what became of each conversation, and the sums."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.table import Table

from osrec.cli.common import DEFAULT_CONFIG, ConfigOption, JsonOption, console, control_socket, plain_errors, print_json
from osrec.cli.times import SinceOption, UntilOption, local, parse_span
from osrec.cli.unwatched import merged
from osrec.config import Config, load
from osrec.numbers import Patterns
from osrec.recorder import ask
from osrec.recorder.parts import store_config
from osrec.store.index import Conversation
from osrec.store.ledger import CLASSES, Class, Entry, Ledger, Recorded, Span
from osrec.store.ledger_json import ledger_json
from osrec.store.not_stored import NotStored, findings, not_stored
from osrec.store.reconcile import reconcile

WORDS: dict[Class, str] = {"recorded": "recorded in full", "gaps": "recorded with gaps", "not_recorded": "not recorded"}
STYLES: dict[Class, str] = {"recorded": "green", "gaps": "yellow", "not_recorded": "red"}


@plain_errors
def ledger(
    config: ConfigOption = DEFAULT_CONFIG,
    since: SinceOption = None,
    until: UntilOption = None,
    kind: Annotated[Class | None, typer.Option("--class", help="Only these.")] = None,
    station: Annotated[
        str | None, typer.Option(help="Only those of this station, or of those: 3105, 3100-3139, 31??.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Each conversation of a monitored station: recorded in full, with gaps, or not, and why. Exit code 1 if something
    does not fit together."""
    begin, end = parse_span(since, until)
    loaded = load(config)
    wanted = _stations(station)
    going_on = _running(loaded)
    running = [one for one in going_on if _fits(one["stations"], wanted)]
    ids = {UUID(one["id"]) for one in going_on}
    journalled, problems = not_stored(store_config(loaded))
    ended = [one for one in journalled if one.conversation.id not in ids]
    found = reconcile(store_config(loaded), begin, end, ids | {one.conversation.id for one in ended})
    ended = [one for one in ended if one.began_in(begin, end)]
    looked_into = (*found.findings, *problems, *findings(ended, datetime.now(UTC)))
    waiting = [one for one in ended if kind in (None, one.kind) and _fits(one.conversation.stations, wanted)]
    entries = [one for one in found.entries if kind in (None, one.kind) and _fits(one.conversation.stations, wanted)]
    shown = Ledger(begin, end, tuple(entries), found.blind, found.stray, looked_into)
    if json:
        print_json(ledger_json(shown, running, waiting))
    else:
        _print(shown, running, waiting)
    raise typer.Exit(1 if looked_into else 0)


def _stations(text: str | None) -> Patterns | None:
    try:
        return None if text is None else Patterns([text])
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _fits(stations: Iterable[str], wanted: Patterns | None) -> bool:
    return wanted is None or any(one in wanted for one in stations)


def _running(config: Config) -> list[dict[str, Any]]:
    """Conversations that go on, none when no recorder runs."""
    try:
        found: list[dict[str, Any]] = ask.status(control_socket(config))["conversations"]
    except ask.NotRunningError:
        return []
    return found


def _print(ledger: Ledger, running: list[dict[str, Any]], waiting: list[NotStored]) -> None:
    headings = "conversation", "started", "direction", "station", "with", "class", "what is missing, and why"
    table = Table(*headings, box=None)
    for entry in ledger.entries:
        one = entry.conversation
        table.add_row(*_who(one), f"[{STYLES[entry.kind]}]{WORDS[entry.kind]}[/]", _missing(entry))
    for over in waiting:
        table.add_row(*_who(over.conversation), "[yellow]ended, not yet stored[/]", _foreseen(over))
    for conversation in running:
        stations = ", ".join(conversation["stations"])
        table.add_row(conversation["id"], "", conversation["direction"], stations, "", "still running", "")
    console.print(table)
    _print_sums(ledger, running, waiting)


def _who(one: Conversation) -> tuple[str, str, str, str, str]:
    others = [party.number or "unknown" for party in one.parties if party.number not in one.stations]
    return str(one.id), local(one.started), one.direction, ", ".join(one.stations), ", ".join(others) or "-"


def _foreseen(one: NotStored) -> str:
    if one.kind is None:
        return "its class shows when its recordings are stored"
    return f"will be {WORDS[one.kind]}" + (f": {one.reason}" if one.reason else "")


def _missing(entry: Entry) -> str:
    if entry.kind == "not_recorded":
        reason = str(entry.reason)
        same = entry.detail in ("", reason.replace("_", " "))
        return reason if same else f"{reason}: {entry.detail}"
    spans = [(one.station, gap) for one in entry.recordings for gap in one.gaps]
    spans += [(one.station, one.span) for one in entry.missed]
    spans.sort(key=lambda pair: pair[1].since)
    texts = dict.fromkeys(f"{station} {_when(gap)}: {gap.cause}" for station, gap in spans)
    texts |= dict.fromkeys(_silent(one) for one in entry.recordings if one.silent)
    return "; ".join(texts) or entry.detail or "-"


def _silent(one: Recorded) -> str:
    sides = " and ".join({"own": "its own side", "other": "the other side"}[side] for side in one.silent)
    return f"{one.station} {_clock(one.since)}: {sides} silent all the time"


def _when(gap: Span) -> str:
    """Of a call that was in progress when we came nobody knows since when: its span has no length."""
    return f"{_clock(gap.since)}, {gap.seconds:.1f} s" if gap.seconds > 0 else f"before {_clock(gap.since)}"


def _clock(at: datetime) -> str:
    return at.astimezone().strftime("%H:%M:%S")


def _print_sums(ledger: Ledger, running: list[dict[str, Any]], waiting: list[NotStored]) -> None:
    causes, totals = ledger.causes(), ledger.totals()
    console.print(f"\n{len(ledger.entries)} conversations" + (f", {len(running)} more still run" if running else ""))
    if waiting:
        console.print(f"  {len(waiting):6d} more ended and not yet stored: in no class yet")
    for kind in CLASSES:
        why = ", ".join(f"{count} {cause}" for cause, count in causes[kind].items())
        console.print(f"  {totals[kind]:6d} {WORDS[kind]}" + (f": {why}" if why else ""))
    for unwatched in merged(ledger.blind):
        why = f"{unwatched.cause}, {unwatched.detail}" if unwatched.detail else unwatched.cause
        console.print(
            f"[yellow]not watched[/] {unwatched.whom}, {local(unwatched.since)} for {unwatched.seconds:.1f} s: {why}"
        )
    for finding in ledger.findings:
        console.print(f"[red]look into[/] {finding}")
