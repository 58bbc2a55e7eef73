"""Times and spans of time as people give them to a command."""

from datetime import UTC, datetime
from typing import Annotated

import typer

SinceOption = Annotated[
    str | None,
    typer.Option(
        "--since", "--from", help="What began from this time on: 2026-11-23, or 2026-11-23T14:00 (local time)."
    ),
]
UntilOption = Annotated[str | None, typer.Option("--until", "--to", help="What began before this time.")]


def parse_time(text: str | None, option: str) -> datetime | None:
    """UTC. Raises BadParameter."""
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        said = (
            f"{text!r} is no time; write 2026-11-23 or 2026-11-23T14:00 (local time), or with a zone 2026-11-23T13:00Z"
        )
        raise typer.BadParameter(said, param_hint=option) from None


def parse_span(since: str | None, until: str | None) -> tuple[datetime | None, datetime | None]:
    """Both ends, in UTC. Raises BadParameter."""
    begin, end = parse_time(since, "--since"), parse_time(until, "--until")
    if begin is not None and end is not None and begin >= end:
        raise typer.BadParameter(f"--since {since} is not before --until {until}")
    return begin, end


def local(at: datetime) -> str:
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
