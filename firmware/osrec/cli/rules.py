"""`osrec rules`: what is recorded, why, and what another set of rules would change."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.table import Table

from osrec.calls.numbering import Site
from osrec.cli.common import DEFAULT_CONFIG, ConfigOption, JsonOption, console, control_socket, plain_errors, print_json
from osrec.cli.times import SinceOption, UntilOption, local, parse_span, parse_time
from osrec.cli.told import number_of, others
from osrec.config import Config, load, load_rules
from osrec.config_rules import RuleSection, RulesPart
from osrec.engine.rules import Facts
from osrec.recorder import ask
from osrec.recorder.parts import numbering, store_config
from osrec.recorder.replay import Replayed, replay, summary
from osrec.recorder.rules import build_rules
from osrec.store.index import Conversation, Index
from osrec.store.records import Direction

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
PAGE = 500
FileOption = Annotated[Path | None, typer.Option("--file", help="Other rules than those of the configuration.")]


@app.command()
@plain_errors
def show(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """The rules of the configuration, and whether they are those that the recorder uses."""
    loaded = load(config)
    rules = build_rules(loaded)
    try:
        active = ask.request(control_socket(loaded), {"ask": "rules"})["rules"]
    except ask.NotRunningError:
        active = None
    sections = [_conditions(section) for section in loaded.rules]
    if json:
        print_json({"digest": rules.digest, "rules": sections, "warnings": rules.warnings(), "active": active})
        return
    for number, section in enumerate(sections, 1):
        conditions = "; ".join(
            f"{key} {_words(value)}" for key, value in section.items() if key not in ("name", "action")
        )
        console.print(
            f"{number:3d}  {section['action']:9s}  {section['name']}"
            + (f"  [dim]{conditions}[/]" if conditions else "")
        )
    for warning in rules.warnings():
        console.print(f"[yellow]warning[/] {warning}")
    console.print(_use(rules.digest, active))


def _conditions(section: RuleSection) -> dict[str, Any]:
    return section.model_dump(exclude_defaults=True)


def _words(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _use(digest: str, active: dict[str, Any] | None) -> str:
    if active is None:
        return f"version {digest}; no recorder runs"
    if active["digest"] == digest:
        return f"version {active['version']}: the recorder uses these rules"
    return f"version {digest}; the recorder still uses {active['version']}: `osrec rules reload` loads these"


@app.command()
@plain_errors
def reload(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Have the recorder read rules, groups, times and calendar anew; what runs goes on. A mistake changes nothing."""
    answer = ask.request(control_socket(load(config)), {"ask": "reload"})
    if json:
        print_json(answer)
        return
    for warning in answer["rules"]["warnings"]:
        console.print(f"[yellow]warning[/] {warning}")
    what = f"version {answer['rules']['version']}, {len(answer['rules']['names'])} rules"
    console.print(f"{what}; before {answer['before']}" if answer["changed"] else f"{what}: the same as before")


@app.command()
@plain_errors
def explain(
    station: Annotated[str, typer.Argument(help="Number of the monitored station.")],
    number: Annotated[str, typer.Argument(help="Number of the other party; - when it is not known.")],
    config: ConfigOption = DEFAULT_CONFIG,
    file: FileOption = None,
    direction: Annotated[Direction, typer.Option(help="Of the call.")] = "in",
    at: Annotated[str | None, typer.Option(help="When it began: 2026-11-23T14:00 (local time); default now.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the other party.")] = None,
    trunk: Annotated[str | None, typer.Option(help="Trunk that it came or went over.")] = None,
    account: Annotated[str | None, typer.Option(help="Account code.")] = None,
    digits: Annotated[str, typer.Option(help="Keys that were pressed in it (DTMF).")] = "",
    conversation: Annotated[UUID | None, typer.Option(help="Its id, which decides about a percentage.")] = None,
    json: JsonOption = False,
) -> None:
    """What would be decided about a call, and how each rule was looked at."""
    loaded = load_rules(file or config)
    other = number_of(number, "NUMBER", unknown=True)
    numbers, e164 = others(other, _site(loaded, config), direction)
    facts = Facts(
        station=number_of(station, "STATION"),
        direction=direction,
        numbers=numbers,
        e164=e164,
        names=(name,) if name else (),
        trunks=(number_of(trunk, "--trunk"),) if trunk is not None else (),
        accounts=(number_of(account, "--account"),) if account is not None else (),
        digits=digits,
        at=parse_time(at, "--at") or datetime.now(UTC),
        conversation=conversation,
    )
    decision = build_rules(loaded).decide(facts)
    if json:
        print_json(decision.model_dump())
        return
    console.print(f"{decision.action}: {f'rule {decision.rule!r}' if decision.rule else 'no rule matches'}")
    for line in decision.trace:
        console.print(f"  {line}")
    for key, value in decision.facts.items():
        console.print(f"  matched {key}: {value}")


def _site(loaded: RulesPart, config: Path) -> Site:
    """Of the configuration that has the rules; of the recorder's, when they stand in a file of their own."""
    if isinstance(loaded, Config):
        return numbering(loaded)
    return numbering(load(config)) if config.exists() else Site()


@app.command("test")
@plain_errors
def try_draft(
    file: Annotated[Path, typer.Argument(help="Draft: a file with rules, or a whole configuration.")],
    config: ConfigOption = DEFAULT_CONFIG,
    since: SinceOption = None,
    until: UntilOption = None,
    json: JsonOption = False,
) -> None:
    """Replay past conversations against a draft: which would be decided differently? Exit code 1 if any would."""
    begin, end = parse_span(since, until)
    rules = build_rules(load_rules(file))
    replayed: list[Replayed] = []
    with Index(store_config(load(config)).index) as index:
        replayed += replay(rules, _conversations(index, begin, end))
    replayed.sort(key=lambda one: one.conversation.started)
    changed = [one for one in replayed if one.changes]
    if json:
        print_json(_json(rules.digest, replayed, changed, rules.warnings()))
    else:
        _print(replayed, changed, rules.warnings())
    raise typer.Exit(1 if changed else 0)


def _conversations(index: Index, since: datetime | None, until: datetime | None) -> Iterator[Conversation]:
    cursor: str | None = None
    while True:
        page = index.conversations(since=since, until=until, limit=PAGE, cursor=cursor)
        yield from page.rows
        if (cursor := page.cursor) is None:
            return


def _json(digest: str, replayed: list[Replayed], changed: list[Replayed], warnings: list[str]) -> dict[str, Any]:
    return {
        "digest": digest,
        "conversations": len(replayed),
        "changed": [
            {
                "conversation": str(one.conversation.id),
                "started": one.conversation.started,
                "station": one.station,
                "parties": [party.number for party in one.conversation.parties],
                "before": one.before.model_dump(),
                "after": one.after.model_dump(),
            }
            for one in changed
        ],
        "summary": [
            {"before": before, "after": after, "conversations": count}
            for (before, after), count in summary(replayed).most_common()
        ],
        "warnings": warnings,
    }


def _print(replayed: list[Replayed], changed: list[Replayed], warnings: list[str]) -> None:
    if changed:
        table = Table("conversation", "started", "station", "with", "was", "would be", "why", box=None)
        for one in changed:
            conversation = one.conversation
            others = ", ".join(p.number or "unknown" for p in conversation.parties if p.number != one.station)
            was, would_be = one.outcomes
            before = f"{was} ({one.before.rule or 'no rule'})"
            after = f"{would_be} ({one.after.rule or 'no rule'})"
            table.add_row(
                str(conversation.id), local(conversation.started), one.station, others or "-", before, after, one.why
            )
        console.print(table)
    console.print(f"{len(replayed)} conversations, {len(changed)} would be decided differently")
    for (before, after), count in summary(replayed).most_common():
        console.print(f"  {count:6d} {before}" + ("" if before == after else f" -> {after}"))
    for warning in warnings:
        console.print(f"[yellow]warning[/] {warning}")
