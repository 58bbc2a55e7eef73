"""Tables of the index. A change here needs a migration in `migrations/versions`; a test compares the two."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Boolean, Dialect, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.types import TypeDecorator

from osrec.store.records import Direction

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class UtcTime(TypeDecorator[datetime]):
    """A moment as microseconds since 1970-01-01 UTC: sorts and compares in any database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else _EPOCH + value * _MICROSECOND


class Base(DeclarativeBase):
    pass


class RecordingRow(Base):
    """One media file with its sidecar. `id` and `conversation` are UUIDs as text."""

    __tablename__ = "recordings"
    __table_args__ = (
        Index("recordings_started", "started", "id"),
        Index("recordings_station", "station", "started"),
        Index("recordings_conversation", "conversation"),
        Index("recordings_stored", "stored"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    conversation: Mapped[str] = mapped_column(String(36))
    station: Mapped[str] = mapped_column(String(64))
    started: Mapped[datetime] = mapped_column(UtcTime)
    ended: Mapped[datetime] = mapped_column(UtcTime)
    direction: Mapped[Direction] = mapped_column(String(16))
    codec: Mapped[str] = mapped_column(String(16))
    sample_count: Mapped[int] = mapped_column(BigInteger)
    missing_samples: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(Text)
    sidecar: Mapped[str] = mapped_column(Text)  # below the media directory, as are the files it names
    sidecar_sha256: Mapped[str] = mapped_column(String(64))
    media_file: Mapped[str] = mapped_column(Text)
    media_bytes: Mapped[int] = mapped_column(BigInteger)
    media_sha256: Mapped[str] = mapped_column(String(64))
    left_sha256: Mapped[str] = mapped_column(String(64))
    right_sha256: Mapped[str] = mapped_column(String(64))
    key_id: Mapped[int] = mapped_column(BigInteger, default=0)
    flags: Mapped[str] = mapped_column(Text, default="")  # separated by spaces
    schema_version: Mapped[int] = mapped_column(Integer, default=1)  # of the sidecar
    stored: Mapped[datetime] = mapped_column(UtcTime)
    parties: Mapped[list["RecordingPartyRow"]] = relationship(
        order_by="RecordingPartyRow.position", cascade="all, delete-orphan", lazy="selectin"
    )


class _PartyColumns:
    """`number_reversed` makes a search for the last digits as fast as one for the first."""

    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    number: Mapped[str | None] = mapped_column(String(64))
    number_reversed: Mapped[str | None] = mapped_column(String(64))
    name: Mapped[str | None] = mapped_column(Text)
    e164: Mapped[str | None] = mapped_column(String(64))
    external: Mapped[bool] = mapped_column(Boolean)
    recorded: Mapped[bool] = mapped_column(Boolean)


class RecordingPartyRow(_PartyColumns, Base):
    __tablename__ = "recording_parties"
    __table_args__ = (
        Index("recording_parties_number", "number"),
        Index("recording_parties_number_reversed", "number_reversed"),
    )

    recording: Mapped[str] = mapped_column(ForeignKey("recordings.id", ondelete="CASCADE"), primary_key=True)


class ConversationRow(Base):
    """A conversation of a monitored station: recorded, or why not. Lists and the decision are JSON."""

    __tablename__ = "conversations"
    __table_args__ = (Index("conversations_started", "started", "id"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    started: Mapped[datetime] = mapped_column(UtcTime)
    answered: Mapped[datetime | None] = mapped_column(UtcTime)
    ended: Mapped[datetime] = mapped_column(UtcTime)
    direction: Mapped[Direction] = mapped_column(String(16))
    outcome: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(Text)
    stations: Mapped[str] = mapped_column(Text)
    calls: Mapped[str] = mapped_column(Text)
    recordings: Mapped[str] = mapped_column(Text)
    decision: Mapped[str] = mapped_column(Text)
    missed: Mapped[str] = mapped_column(Text, server_default="[]")
    accounts: Mapped[str] = mapped_column(Text, server_default="[]")
    digits: Mapped[str] = mapped_column(Text, server_default="")
    trunks: Mapped[str] = mapped_column(Text, server_default="[]")
    via: Mapped[str] = mapped_column(Text, server_default="[]")
    parked_by: Mapped[str | None] = mapped_column(String(64))
    parties: Mapped[list["ConversationPartyRow"]] = relationship(
        order_by="ConversationPartyRow.position", cascade="all, delete-orphan", lazy="selectin"
    )


class ConversationPartyRow(_PartyColumns, Base):
    __tablename__ = "conversation_parties"
    __table_args__ = (
        Index("conversation_parties_number", "number"),
        Index("conversation_parties_number_reversed", "number_reversed"),
    )

    conversation: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True)


class LedgerRow(Base):
    """A blind span, stray audio, or audio that was dropped: `record` is its JSON, as in the day's file."""

    __tablename__ = "ledger"
    __table_args__ = (
        Index("ledger_since", "kind", "since"),
        Index("ledger_recording", "recording"),
        Index("ledger_conversation", "conversation"),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)  # SHA-256 of the record
    kind: Mapped[str] = mapped_column(String(16))
    recording: Mapped[str | None] = mapped_column(String(36))  # of which audio was dropped
    conversation: Mapped[str | None] = mapped_column(String(36))  # its
    since: Mapped[datetime] = mapped_column(UtcTime)
    until: Mapped[datetime] = mapped_column(UtcTime)
    record: Mapped[str] = mapped_column(Text)


class LedgerDayRow(Base):
    """How much of a day's file is in the index; `day` is the file's name below the directory of them."""

    __tablename__ = "ledger_days"

    day: Mapped[str] = mapped_column(String(32), primary_key=True)
    octets: Mapped[int] = mapped_column(BigInteger)
