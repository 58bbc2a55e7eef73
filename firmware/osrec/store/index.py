"""The index of recordings, conversations and the ledger's facts: put by the keeper, searched by everybody."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from osrec.errors import OsrecError, StoreError
from osrec.store.database import connect
from osrec.store.index_rows import (
    Conversation,
    Recording,
    Told,
    conversation_of,
    conversation_row,
    ledger_row,
    recording_of,
    recording_row,
    together,
)
from osrec.store.index_search import between, matches, matches_number, parse_cursor
from osrec.store.records import Blind, ConversationEnded, Direction, Dropped, Stray
from osrec.store.schema import (
    ConversationPartyRow,
    ConversationRow,
    LedgerDayRow,
    LedgerRow,
    RecordingPartyRow,
    RecordingRow,
)
from osrec.store.sidecar import Sidecar

Row = TypeVar("Row")
Fact = TypeVar("Fact", Blind, Stray, Dropped)
Table = TypeVar("Table", RecordingRow, ConversationRow)


__all__ = ["Conversation", "Index", "NoSuchRecordingError", "Page", "Recording", "Told"]

_MOST_IDS = 500  # in one question: SQLite takes 32766
_CANDIDATES = 5  # named when an id is not unique


class NoSuchRecordingError(OsrecError):
    """No recording, or more than one, has that id; the message says which."""


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Rows, newest first; `cursor` asks for those that follow, None when there are none."""

    rows: tuple[Row, ...]
    cursor: str | None


class Index:
    """The index of one data directory; `database.migrate` makes it. All methods raise StoreError."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise StoreError(f"{path}: there is no index; the keeper makes it when the recorder runs (osrec run)")
        self._path = path
        self._engine = connect(path)

    def __enter__(self) -> "Index":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        self._engine.dispose()

    def put(self, sidecar: Sidecar, file: str, sha256: str, stored: datetime) -> None:
        """Add a recording, or put it anew.

        Args:
            file: the sidecar's, below the media directory.
            sha256: the sidecar's.
        """
        row = recording_row(sidecar, file, sha256, stored)
        with self._session() as session:
            if (old := session.get(RecordingRow, row.id)) is not None:
                session.delete(old)
                session.flush()
            session.add(row)
            session.commit()

    def tell(self, told: Iterable[Told], days: Mapping[str, int] | None = None) -> None:
        """Add conversations and what else the ledger needs, all in one transaction.

        Of a conversation that is known already, as when the recorder was restarted during it, the parts are put
        together; anything else that is known already stays as it is.

        Args:
            days: how many octets of which day's file that makes.
        """
        with self._session() as session:
            for one in told:
                if isinstance(one, ConversationEnded):
                    _put_conversation(session, one)
                else:
                    session.merge(ledger_row(one))
                session.flush()
            for day, octets in (days or {}).items():
                session.merge(LedgerDayRow(day=day, octets=octets))
            session.commit()

    def day_octets(self) -> dict[str, int]:
        """How much of each day's file the index has."""
        with self._session() as session:
            return {row.day: row.octets for row in session.scalars(select(LedgerDayRow))}

    def facts(self, kind: type[Fact], since: datetime | None = None, until: datetime | None = None) -> list[Fact]:
        """Blind spans, stray or dropped audio that touch a span of time, oldest first."""
        statement = select(LedgerRow.record).where(LedgerRow.kind == kind.model_fields["kind"].default)
        if since is not None:
            statement = statement.where(LedgerRow.until > since)
        if until is not None:
            statement = statement.where(LedgerRow.since < until)
        with self._session() as session:
            texts = session.scalars(statement.order_by(LedgerRow.since, LedgerRow.id)).all()
        return [kind.model_validate_json(text) for text in texts]

    def dropped_of(self, conversations: Iterable[UUID]) -> list[Dropped]:
        """What was dropped of those conversations, oldest first."""
        ids = [str(id) for id in conversations]
        statement = select(LedgerRow.record).where(LedgerRow.kind == "dropped", LedgerRow.conversation.in_(ids))
        with self._session() as session:
            texts = session.scalars(statement.order_by(LedgerRow.since, LedgerRow.id)).all()
        return [Dropped.model_validate_json(text) for text in texts]

    def recordings_of(self, conversations: Iterable[UUID]) -> list[Recording]:
        """Their recordings, oldest first."""
        return self._rows(RecordingRow.conversation.in_([str(id) for id in conversations]))

    def by_ids(self, recordings: Iterable[UUID]) -> list[Recording]:
        """Those of these that there are, oldest first."""
        ids = [str(id) for id in recordings]
        portions = (ids[at : at + _MOST_IDS] for at in range(0, len(ids), _MOST_IDS))
        return [row for portion in portions for row in self._rows(RecordingRow.id.in_(portion))]

    def _rows(self, condition: ColumnElement[bool]) -> list[Recording]:
        with self._session() as session:
            rows = session.scalars(select(RecordingRow).where(condition).order_by(RecordingRow.started))
            return [recording_of(row) for row in rows]

    def untold(self, since: datetime | None = None, until: datetime | None = None) -> list[Recording]:
        """Those that began in a span of time, and of whose conversation nothing is known."""
        condition = ~select(ConversationRow.id).where(ConversationRow.id == RecordingRow.conversation).exists()
        if since is not None:
            condition &= RecordingRow.started >= since
        if until is not None:
            condition &= RecordingRow.started < until
        return [row for row in self._rows(condition) if not self.claims(row.id, row.conversation)]

    def claims(self, recording: UUID, conversation: UUID) -> bool:
        """Whether that conversation is known, or any that names the recording."""
        names = ConversationRow.recordings.contains(str(recording))  # it was joined with another one afterwards
        statement = select(ConversationRow.id).where(or_(ConversationRow.id == str(conversation), names)).limit(1)
        with self._session() as session:
            return session.scalar(statement) is not None

    def ended(self, conversations: Iterable[UUID]) -> dict[UUID, datetime]:
        """When those of these that are known ended, as far as is known."""
        ids = [str(id) for id in conversations]
        portions = (ids[at : at + _MOST_IDS] for at in range(0, len(ids), _MOST_IDS))
        columns = select(ConversationRow.id, ConversationRow.ended)
        with self._session() as session:
            rows = (row for some in portions for row in session.execute(columns.where(ConversationRow.id.in_(some))))
            return {UUID(id): ended for id, ended in rows}

    def has(self, recording: UUID) -> bool:
        with self._session() as session:
            return session.get(RecordingRow, str(recording)) is not None

    def has_dropped(self, recording: UUID) -> bool:
        """Whether nothing of it was kept."""
        statement = select(LedgerRow.record).where(LedgerRow.recording == str(recording))
        with self._session() as session:
            return any(Dropped.model_validate_json(text).whole for text in session.scalars(statement))

    def newest_stored(self) -> datetime | None:
        """When the last recording was put; None when there is none."""
        with self._session() as session:
            return session.scalar(select(RecordingRow.stored).order_by(RecordingRow.stored.desc()).limit(1))

    def get(self, id: str) -> Recording:
        """A recording by its id, or the beginning or end of it. Raises NoSuchRecordingError."""
        text = id.strip().lower()
        begins = RecordingRow.id.startswith(text, autoescape=True)
        ends = RecordingRow.id.endswith(text, autoescape=True)
        with self._session() as session:
            rows = session.scalars(select(RecordingRow).where(begins | ends).limit(_CANDIDATES + 1)).all()
            if not text or not rows:
                raise NoSuchRecordingError(f"recording {id!r}: there is none; `osrec recordings` lists them")
            if len(rows) > 1:
                several = ", ".join(row.id for row in rows[:_CANDIDATES]) + (", ..." if len(rows) > _CANDIDATES else "")
                raise NoSuchRecordingError(f"recording {id!r}: more than one begins or ends like that: {several}")
            return recording_of(rows[0])

    def search(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        party: str | None = None,
        direction: Direction | None = None,
        station: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Recording]:
        """Recordings, newest first.

        Args:
            since, until: of the start; the latter is excluded.
            party: number of any participant; * stands for any digits, none too, ? for one.
            station: number of the monitored station, with * too.
            cursor: of the page before.
        """
        statement = select(RecordingRow).where(*between(RecordingRow, since, until))
        if direction is not None:
            statement = statement.where(RecordingRow.direction == direction)
        if station is not None:
            statement = statement.where(matches(RecordingRow.station, station))
        if party is not None:
            numbers = matches_number(RecordingPartyRow, party)
            statement = statement.where(RecordingRow.id.in_(select(RecordingPartyRow.recording).where(numbers)))
        rows, next_cursor = self._page(statement, RecordingRow, limit, cursor)
        return Page(tuple(recording_of(row) for row in rows), next_cursor)

    def conversations(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        party: str | None = None,
        direction: Direction | None = None,
        outcome: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Conversation]:
        """Conversations, newest first; the arguments are those of `search`."""
        statement = select(ConversationRow).where(*between(ConversationRow, since, until))
        if direction is not None:
            statement = statement.where(ConversationRow.direction == direction)
        if outcome is not None:
            statement = statement.where(ConversationRow.outcome == outcome)
        if party is not None:
            numbers = matches_number(ConversationPartyRow, party)
            statement = statement.where(
                ConversationRow.id.in_(select(ConversationPartyRow.conversation).where(numbers))
            )
        rows, next_cursor = self._page(statement, ConversationRow, limit, cursor)
        return Page(tuple(conversation_of(row) for row in rows), next_cursor)

    def _page(
        self, statement: Select[Table], table: type[Table], limit: int, cursor: str | None
    ) -> tuple[list[Table], str | None]:
        """Pages by key: the thousandth costs what the first one does."""
        if cursor is not None:
            at, id = parse_cursor(cursor)
            statement = statement.where(or_(table.started < at, and_(table.started == at, table.id < id)))
        statement = statement.order_by(table.started.desc(), table.id.desc()).limit(limit + 1)
        with self._session() as session:
            rows = list(session.scalars(statement).all())
        last = rows[limit - 1] if len(rows) > limit else None
        return rows[:limit], None if last is None else f"{last.started.isoformat()}/{last.id}"

    @contextmanager
    def _session(self) -> Iterator[Session]:
        try:
            with Session(self._engine, expire_on_commit=False) as session:
                yield session
        except SQLAlchemyError as error:
            raise StoreError(f"{self._path}: {getattr(error, 'orig', None) or error}") from error


def _put_conversation(session: Session, ended: ConversationEnded) -> None:
    row = session.get(ConversationRow, str(ended.conversation))
    if row is not None:
        ended = together(conversation_of(row), ended)
        session.delete(row)
        session.flush()
    session.add(conversation_row(ended))
