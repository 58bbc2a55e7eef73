"""Commands that search, show, export and verify what was recorded; they need no running recorder."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Literal

import typer
from rich.table import Table

from osrec.cli.common import DEFAULT_CONFIG, ConfigOption, JsonOption, console, plain_errors, print_json
from osrec.cli.times import SinceOption, UntilOption, local, parse_span
from osrec.config import Config, load
from osrec.errors import ConfigError
from osrec.numbers import check_pattern
from osrec.recorder.parts import store_config
from osrec.store.assembly import seconds
from osrec.store.export import Format
from osrec.store.export import export as export_recording
from osrec.store.index import Conversation, Index, Recording
from osrec.store.ledger_json import not_stored_json
from osrec.store.not_stored import NotStored, not_stored
from osrec.store.records import Party
from osrec.store.running import PAUSED
from osrec.store.sidecar import Sidecar, read_sidecar
from osrec.store.verify import verify as verify_store

Direction = Literal["in", "out", "internal", "unknown"]
PartyOption = Annotated[
    str | None, typer.Option(help="Number of anybody in the call; * stands for any digits, ? for one.")
]
DirectionOption = Annotated[Direction | None, typer.Option(help="Direction of the call.")]
StationOption = Annotated[
    str | None, typer.Option(help="Number of the recorded station; * stands for any digits, ? for one.")
]
LimitOption = Annotated[int, typer.Option("--limit", "-n", min=1, help="How many, newest first.")]
CursorOption = Annotated[str | None, typer.Option(help="Go on where the last page ended.")]


def _pattern(text: str | None) -> str | None:
    try:
        return None if text is None else check_pattern(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _index(config: Config) -> Index:
    return Index(store_config(config).index)


@plain_errors
def recordings(
    config: ConfigOption = DEFAULT_CONFIG,
    since: SinceOption = None,
    until: UntilOption = None,
    party: PartyOption = None,
    direction: DirectionOption = None,
    station: StationOption = None,
    limit: LimitOption = 50,
    cursor: CursorOption = None,
    json: JsonOption = False,
) -> None:
    """List recordings, newest first."""
    begin, end = parse_span(since, until)
    with _index(load(config)) as index:
        page = index.search(
            since=begin,
            until=end,
            party=_pattern(party),
            direction=direction,
            station=_pattern(station),
            limit=limit,
            cursor=cursor,
        )
    if json:
        rows = [asdict(one) | {"parties": [p.model_dump() for p in one.parties]} for one in page.rows]
        print_json({"recordings": rows, "cursor": page.cursor})
        return
    if not page.rows:
        console.print("no recordings match")
        return
    table = Table("recording", "started", "length", "direction", "station", "parties", "missing", box=None)
    for one in page.rows:
        table.add_row(
            str(one.id),
            local(one.started),
            f"{one.seconds:.1f} s",
            one.direction,
            one.station,
            _names(one.parties),
            f"{one.missing_seconds:.3f} s" if one.missing_samples else "-",
        )
    console.print(table)
    if page.cursor:
        console.print(f"more with --cursor {page.cursor}")


@plain_errors
def conversations(
    config: ConfigOption = DEFAULT_CONFIG,
    since: SinceOption = None,
    until: UntilOption = None,
    party: PartyOption = None,
    direction: DirectionOption = None,
    outcome: Annotated[Literal["recorded", "not_recorded"] | None, typer.Option(help="Only these.")] = None,
    limit: LimitOption = 50,
    cursor: CursorOption = None,
    json: JsonOption = False,
) -> None:
    """List conversations of monitored stations, recorded or not, with the reason."""
    begin, end = parse_span(since, until)
    loaded = load(config)
    waiting: list[NotStored] = []
    if cursor is None:  # with the newest
        journalled, problems = not_stored(store_config(loaded))
        for problem in problems:
            print(f"osrec: {problem}", file=sys.stderr)
        wanted = _pattern(party)
        waiting = [
            one
            for one in journalled
            if one.began_in(begin, end)
            and direction in (None, one.conversation.direction)
            and outcome in (None, one.conversation.outcome)
            and (wanted is None or _has_party(one.conversation, wanted))
        ]
    with _index(loaded) as index:
        page = index.conversations(
            since=begin,
            until=end,
            party=_pattern(party),
            direction=direction,
            outcome=outcome,
            limit=limit,
            cursor=cursor,
        )
    if json:
        rows = [_conversation(one) for one in page.rows]
        ended = [not_stored_json(one) for one in waiting]
        print_json({"conversations": rows, "not_stored": ended, "cursor": page.cursor})
        return
    if not page.rows and not waiting:
        console.print("no conversations match")
        return
    table = Table("conversation", "started", "direction", "parties", "outcome", box=None)
    for over in reversed(waiting):
        one = over.conversation
        table.add_row(
            str(one.id), local(one.started), one.direction, _names(one.parties), "[yellow]ended, not yet stored[/]"
        )
    for one in page.rows:
        result = f"{len(one.recordings)} recording(s)" if one.recordings else f"not recorded: {one.reason}"
        table.add_row(str(one.id), local(one.started), one.direction, _names(one.parties), result)
    console.print(table)
    if page.cursor:
        console.print(f"more with --cursor {page.cursor}")


def _has_party(one: Conversation, pattern: str) -> bool:
    """As the index matches numbers: * stands for any digits, ? for one."""
    forms = (form for party in one.parties for form in (party.number, party.e164 if pattern[:1] == "+" else None))
    return any(form is not None and fnmatchcase(form, pattern) for form in forms)


def _conversation(one: Conversation) -> dict[str, Any]:
    return asdict(one) | {
        "parties": [p.model_dump() for p in one.parties],
        "decision": one.decision.model_dump(),
        "missed": [missed.model_dump() for missed in one.missed],
    }


@plain_errors
def show(
    id: Annotated[str, typer.Argument(help="Recording, or the beginning of its id.")],
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Everything about one recording."""
    sidecar, path, _ = _find(load(config), id)
    if json:
        print_json(sidecar.model_dump(mode="json"))
        return
    _describe(sidecar, path)


def _find(config: Config, id: str) -> tuple[Sidecar, Path, Recording]:
    store = store_config(config)
    with _index(config) as index:
        found = index.get(id)
    path = store.media / found.sidecar
    return read_sidecar(path), path, found


def _describe(sidecar: Sidecar, path: Path) -> None:
    left, right = sidecar.channels
    clock = sidecar.clock
    table = Table(show_header=False, box=None)
    rows = {
        "recording": str(sidecar.recording),
        "conversation": str(sidecar.conversation),
        "time": f"{local(sidecar.started)} to {local(sidecar.ended)}, {sidecar.sample_count / 8000:.3f} s",
        "direction": sidecar.direction,
        "parties": _names(sidecar.parties),
        "left": f"station {sidecar.station}, line {left.line}, slot {left.slot}, port {left.port}",
        "right": f"the other side, line {right.line}, slot {right.slot}, port {right.port}",
        "PBX calls": ", ".join(sidecar.calls),
        **({"came via": ", ".join(sidecar.via)} if sidecar.via else {}),
        **({"parked by": sidecar.parked_by} if sidecar.parked_by else {}),
        "rule": f"{sidecar.decision.rule} (version {sidecar.decision.version})",
        "ended": sidecar.reason,
        "clock": f"{clock.source}, synchronised {clock.synchronised}, line clock {_ppm(clock.line_ppm)}",
        "file": f"{path.with_name(sidecar.media.file)}, {sidecar.media.bytes} bytes",
        "SHA-256": sidecar.media.sha256,
    }
    for key, value in rows.items():
        table.add_row(key, value)
    console.print(table)
    for line in sidecar.decision.trace:
        console.print(f"  rule {line}")
    if sidecar.kept is not None:
        console.print(f"  on demand, kept for {sidecar.kept.by} at {local(sidecar.kept.at)}")
    for gap in sidecar.gaps:
        console.print(
            f"  [red]{'paused' if gap.cause == PAUSED else 'missing'}[/] {gap.first / 8000:.3f} s "
            f"to {(gap.first + gap.count) / 8000:.3f} s: {gap.cause}"
        )
    for event in sidecar.events:
        before = (event.at - sidecar.started).total_seconds()  # what happened while nothing was recorded yet
        at = before if event.sample is None else event.sample / 8000
        details = ", ".join(f"{key} {value}" for key, value in event.detail.items())
        console.print(f"  {at:8.3f} s  {event.kind}  {event.cause or ''}  {details}")


@plain_errors
def export(
    id: Annotated[str, typer.Argument(help="Recording, or the beginning of its id.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write, - for the standard output.")],
    format: Annotated[Format, typer.Option(help="wav keeps the octets as received.")] = "wav",
    config: ConfigOption = DEFAULT_CONFIG,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Write one recording as WAV (A-law, octet for octet), FLAC or Opus."""
    sidecar, path, _ = _find(load(config), id)
    if str(output) == "-":
        with TemporaryDirectory() as directory:
            export_recording(path, format, Path(directory) / "out")
            sys.stdout.buffer.write((Path(directory) / "out").read_bytes())
        return
    _check_output(output, force)
    export_recording(path, format, output)
    paused = sum(gap.count for gap in sidecar.gaps if gap.cause == PAUSED)
    silent = f", silent for {seconds(paused):.1f} s where it was paused" if paused else ""
    print(f"{output}: {output.stat().st_size} bytes{silent}")


def _check_output(output: Path, force: bool) -> None:
    if not output.parent.is_dir():
        raise ConfigError(f"{output}: there is no directory {output.parent}")
    if output.exists() and not output.is_file():
        raise ConfigError(f"{output} is no ordinary file; name a file, or - for the standard output")
    if output.exists() and not force:
        raise ConfigError(f"{output} exists; --force replaces it")


@plain_errors
def verify(
    id: Annotated[str | None, typer.Argument(help="Recording; without it, all of them.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Compare files, hashes and index: has anything changed since it was recorded? Exit code 1 if so."""
    store = store_config(load(config))
    intact = changed = 0
    found: list[dict[str, Any]] = []
    for one in verify_store(store, id):
        intact, changed = (intact + 1, changed) if one.intact else (intact, changed + 1)
        found.append(asdict(one) | {"intact": one.intact})
        if not json:
            for finding in one.findings:
                console.print(f"[red]changed[/] {one.recording or ''} {finding}")
            if intact % 500 == 0 and intact:
                console.print(f"{intact} recordings intact so far ...")
    if json:
        print_json(found)
    else:
        console.print(f"{intact} recordings intact, {changed} findings")
    raise typer.Exit(1 if changed else 0)


def _ppm(ppm: float | None) -> str:
    return "not known" if ppm is None else f"{ppm:+.1f} ppm"


def _names(parties: Sequence[Party]) -> str:
    return ", ".join(f"{p.number or 'unknown'} {p.name}" if p.name else p.number or "unknown" for p in parties)
