"""Times and spans of time as people give them to a command."""

from datetime import UTC, datetime
from typing import Annotated

import typer

SinceOption = Annotated[
    str | None, typer.Option(help="From this time on: 2026-11-23, or 2026-11-23T14:00 (local time).")
]
UntilOption = Annotated[str | None, typer.Option(help="Before this time.")]


def parse_time(text: str | None) -> datetime | None:
    """UTC. Raises BadParameter."""
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time; write 2026-11-23 or 2026-11-23T14:00") from None


def parse_span(
    since: str | None, until: str | None, names: tuple[str, str] = ("--since", "--until")
) -> tuple[datetime | None, datetime | None]:
    """Both ends, in UTC. Raises BadParameter."""
    begin, end = parse_time(since), parse_time(until)
    if begin is not None and end is not None and begin >= end:
        raise typer.BadParameter(f"{names[0]} {since} is not before {names[1]} {until}")
    return begin, end


def local(at: datetime) -> str:
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
