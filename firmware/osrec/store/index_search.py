"""Conditions of a search in the index: spans of time, numbers with wildcards, the place where a page ended."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_
from sqlalchemy.orm import InstrumentedAttribute

from osrec.errors import StoreError
from osrec.store.schema import ConversationPartyRow, ConversationRow, RecordingPartyRow, RecordingRow


def between(
    table: type[RecordingRow] | type[ConversationRow], since: datetime | None, until: datetime | None
) -> list[ColumnElement[bool]]:
    conditions = []
    if since is not None:
        conditions.append(table.started >= since)
    if until is not None:
        conditions.append(table.started < until)
    return conditions


def _glob(pattern: str) -> str:
    """* and ? are special; SQLite's GLOB uses an index for what stands before them."""
    return pattern.replace("[", "[[]")


def matches(column: InstrumentedAttribute[Any], pattern: str) -> ColumnElement[bool]:
    return (
        column.op("GLOB", is_comparison=True)(_glob(pattern)) if "*" in pattern or "?" in pattern else column == pattern
    )


def matches_number(table: type[RecordingPartyRow] | type[ConversationPartyRow], pattern: str) -> ColumnElement[bool]:
    if pattern.startswith("*") and not set("*?") & set(pattern[1:]):
        return matches(table.number_reversed, pattern[::-1])
    if pattern.startswith("+"):
        return or_(matches(table.number, pattern), matches(table.e164, pattern))
    return matches(table.number, pattern)


def parse_cursor(cursor: str) -> tuple[datetime, str]:
    at, _, id = cursor.partition("/")
    try:
        return datetime.fromisoformat(at).astimezone(UTC), str(UUID(id))
    except ValueError:
        raise StoreError(f"cursor {cursor!r}: give the one that came with the page before") from None
