"""The index of recordings and conversations: put by the keeper, searched by everybody."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import InstrumentedAttribute, Session

from osrec.errors import OsrecError, StoreError
from osrec.store.assembly import seconds
from osrec.store.database import connect
from osrec.store.records import ConversationEnded, Decision, Direction, Party
from osrec.store.schema import ConversationPartyRow, ConversationRow, RecordingPartyRow, RecordingRow
from osrec.store.sidecar import Sidecar

Row = TypeVar("Row")
Table = TypeVar("Table", RecordingRow, ConversationRow)


_CANDIDATES = 5  # named when an id is not unique


class NoSuchRecordingError(OsrecError):
    """No recording, or more than one, has that id; the message says which."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording as the index knows it; `sidecar` is below the media directory and tells everything else."""

    id: UUID
    conversation: UUID
    station: str
    started: datetime
    ended: datetime
    direction: Direction
    parties: tuple[Party, ...]
    codec: str
    sample_count: int
    missing_samples: int
    reason: str
    sidecar: str
    sidecar_sha256: str
    media_file: str
    media_bytes: int
    media_sha256: str
    left_sha256: str
    right_sha256: str
    key_id: int
    flags: tuple[str, ...]
    stored: datetime

    @property
    def seconds(self) -> float:
        return seconds(self.sample_count)

    @property
    def missing_seconds(self) -> float:
        return seconds(self.missing_samples)


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation that is over."""

    id: UUID
    started: datetime
    answered: datetime | None
    ended: datetime
    direction: Direction
    outcome: str
    reason: str | None
    stations: tuple[str, ...]
    parties: tuple[Party, ...]
    calls: tuple[str, ...]
    recordings: tuple[UUID, ...]
    decision: Decision


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
        parties = [RecordingPartyRow(**_party_columns(at, party)) for at, party in enumerate(sidecar.parties)]
        row = RecordingRow(
            id=str(sidecar.recording),
            conversation=str(sidecar.conversation),
            station=sidecar.station,
            started=sidecar.started,
            ended=sidecar.ended,
            direction=sidecar.direction,
            codec=sidecar.codec,
            sample_count=sidecar.sample_count,
            missing_samples=sidecar.missing_samples,
            reason=sidecar.reason,
            sidecar=file,
            sidecar_sha256=sha256,
            media_file=str(Path(file).with_name(sidecar.media.file)),
            media_bytes=sidecar.media.bytes,
            media_sha256=sidecar.media.sha256,
            left_sha256=sidecar.media.octets_sha256.left,
            right_sha256=sidecar.media.octets_sha256.right,
            key_id=sidecar.key_id,
            flags=" ".join(sidecar.flags),
            stored=stored,
            parties=parties,
        )
        with self._session() as session:
            if (old := session.get(RecordingRow, row.id)) is not None:
                session.delete(old)
                session.flush()
            session.add(row)
            session.commit()

    def put_conversations(self, ended: Iterable[ConversationEnded]) -> None:
        """Add conversations, all in one transaction.

        Of one that is known already, as when the recorder was restarted during it, the parts are put together.
        """
        with self._session() as session:
            for one in ended:
                row = session.get(ConversationRow, str(one.conversation))
                whole = one
                if row is not None:
                    whole = _together(_conversation(row), one)
                    session.delete(row)
                    session.flush()
                session.add(_conversation_row(whole))
                session.flush()
            session.commit()

    def has(self, recording: UUID) -> bool:
        with self._session() as session:
            return session.get(RecordingRow, str(recording)) is not None

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
            return _recording(rows[0])

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
        statement = select(RecordingRow).where(*_between(RecordingRow, since, until))
        if direction is not None:
            statement = statement.where(RecordingRow.direction == direction)
        if station is not None:
            statement = statement.where(_matches(RecordingRow.station, station))
        if party is not None:
            numbers = _matches_number(RecordingPartyRow, party)
            statement = statement.where(RecordingRow.id.in_(select(RecordingPartyRow.recording).where(numbers)))
        rows, next_cursor = self._page(statement, RecordingRow, limit, cursor)
        return Page(tuple(_recording(row) for row in rows), next_cursor)

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
        statement = select(ConversationRow).where(*_between(ConversationRow, since, until))
        if direction is not None:
            statement = statement.where(ConversationRow.direction == direction)
        if outcome is not None:
            statement = statement.where(ConversationRow.outcome == outcome)
        if party is not None:
            numbers = _matches_number(ConversationPartyRow, party)
            statement = statement.where(
                ConversationRow.id.in_(select(ConversationPartyRow.conversation).where(numbers))
            )
        rows, next_cursor = self._page(statement, ConversationRow, limit, cursor)
        return Page(tuple(_conversation(row) for row in rows), next_cursor)

    def _page(
        self, statement: Select[Table], table: type[Table], limit: int, cursor: str | None
    ) -> tuple[list[Table], str | None]:
        """Pages by key: the thousandth costs what the first one does."""
        if cursor is not None:
            at, id = _parse_cursor(cursor)
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


def _party_columns(position: int, party: Party) -> dict[str, object]:
    reverse = None if party.number is None else party.number[::-1]
    return {"position": position, "number_reversed": reverse, **party.model_dump()}


def _conversation_row(ended: ConversationEnded) -> ConversationRow:
    return ConversationRow(
        id=str(ended.conversation),
        started=ended.started,
        answered=ended.answered,
        ended=ended.ended,
        direction=ended.direction,
        outcome=ended.outcome,
        reason=ended.reason,
        stations=json.dumps(ended.stations),
        calls=json.dumps(ended.calls),
        recordings=json.dumps([str(recording) for recording in ended.recordings]),
        decision=ended.decision.model_dump_json(),
        parties=[ConversationPartyRow(**_party_columns(at, party)) for at, party in enumerate(ended.parties)],
    )


def _together(known: Conversation, more: ConversationEnded) -> ConversationEnded:
    """One conversation of two parts; what the later one says of parties and decision counts."""
    answers = [at for at in (known.answered, more.answered) if at is not None]
    recordings = list(dict.fromkeys([*known.recordings, *more.recordings]))
    return more.model_copy(
        update={
            "started": min(known.started, more.started),
            "answered": min(answers, default=None),
            "ended": max(known.ended, more.ended),
            "direction": known.direction if more.direction == "unknown" else more.direction,
            "stations": list(dict.fromkeys([*known.stations, *more.stations])),
            "calls": list(dict.fromkeys([*known.calls, *more.calls])),
            "parties": more.parties + [p for p in known.parties if p.number not in {q.number for q in more.parties}],
            "recordings": recordings,
            "outcome": "recorded" if recordings else "not_recorded",
            "reason": None if recordings else more.reason,
        }
    )


def _party(row: RecordingPartyRow | ConversationPartyRow) -> Party:
    return Party(number=row.number, name=row.name, external=row.external, recorded=row.recorded)


def _recording(row: RecordingRow) -> Recording:
    return Recording(
        UUID(row.id),
        UUID(row.conversation),
        row.station,
        row.started,
        row.ended,
        row.direction,
        tuple(_party(party) for party in row.parties),
        row.codec,
        row.sample_count,
        row.missing_samples,
        row.reason,
        row.sidecar,
        row.sidecar_sha256,
        row.media_file,
        row.media_bytes,
        row.media_sha256,
        row.left_sha256,
        row.right_sha256,
        row.key_id,
        tuple(row.flags.split()),
        row.stored,
    )


def _conversation(row: ConversationRow) -> Conversation:
    return Conversation(
        UUID(row.id),
        row.started,
        row.answered,
        row.ended,
        row.direction,
        row.outcome,
        row.reason,
        tuple(json.loads(row.stations)),
        tuple(_party(party) for party in row.parties),
        tuple(json.loads(row.calls)),
        tuple(UUID(recording) for recording in json.loads(row.recordings)),
        Decision.model_validate_json(row.decision),
    )


def _between(
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


def _matches(column: InstrumentedAttribute[Any], pattern: str) -> ColumnElement[bool]:
    return (
        column.op("GLOB", is_comparison=True)(_glob(pattern)) if "*" in pattern or "?" in pattern else column == pattern
    )


def _matches_number(table: type[RecordingPartyRow] | type[ConversationPartyRow], pattern: str) -> ColumnElement[bool]:
    if pattern.startswith("*") and not set("*?") & set(pattern[1:]):
        return _matches(table.number_reversed, pattern[::-1])
    return _matches(table.number, pattern)


def _parse_cursor(cursor: str) -> tuple[datetime, str]:
    at, _, id = cursor.partition("/")
    try:
        return datetime.fromisoformat(at).astimezone(UTC), str(UUID(id))
    except ValueError:
        raise StoreError(f"cursor {cursor!r}: give the one that came with the page before") from None
