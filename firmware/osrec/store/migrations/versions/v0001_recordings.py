"""Recordings and conversations, with their parties."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "recordings",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("conversation", sa.String(36), nullable=False),
        sa.Column("station", sa.String(64), nullable=False),
        sa.Column("started", sa.BigInteger, nullable=False),
        sa.Column("ended", sa.BigInteger, nullable=False),
        sa.Column("direction", sa.String(16), nullable=False),
        sa.Column("codec", sa.String(16), nullable=False),
        sa.Column("sample_count", sa.BigInteger, nullable=False),
        sa.Column("missing_samples", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("sidecar", sa.Text, nullable=False),
        sa.Column("sidecar_sha256", sa.String(64), nullable=False),
        sa.Column("media_file", sa.Text, nullable=False),
        sa.Column("media_bytes", sa.BigInteger, nullable=False),
        sa.Column("media_sha256", sa.String(64), nullable=False),
        sa.Column("left_sha256", sa.String(64), nullable=False),
        sa.Column("right_sha256", sa.String(64), nullable=False),
        sa.Column("key_id", sa.BigInteger, nullable=False),
        sa.Column("flags", sa.Text, nullable=False),
        sa.Column("schema_version", sa.Integer, nullable=False),
        sa.Column("stored", sa.BigInteger, nullable=False),
    )
    op.create_index("recordings_started", "recordings", ["started", "id"])
    op.create_index("recordings_station", "recordings", ["station", "started"])
    op.create_index("recordings_conversation", "recordings", ["conversation"])
    op.create_index("recordings_stored", "recordings", ["stored"])
    op.create_table(
        "conversations",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("started", sa.BigInteger, nullable=False),
        sa.Column("answered", sa.BigInteger),
        sa.Column("ended", sa.BigInteger, nullable=False),
        sa.Column("direction", sa.String(16), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("stations", sa.Text, nullable=False),
        sa.Column("calls", sa.Text, nullable=False),
        sa.Column("recordings", sa.Text, nullable=False),
        sa.Column("decision", sa.Text, nullable=False),
    )
    op.create_index("conversations_started", "conversations", ["started", "id"])
    _create_parties("recording", "recordings")
    _create_parties("conversation", "conversations")


def _create_parties(owner: str, owners: str) -> None:
    table = f"{owner}_parties"
    op.create_table(
        table,
        sa.Column(owner, sa.String(36), sa.ForeignKey(f"{owners}.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("number", sa.String(64)),
        sa.Column("number_reversed", sa.String(64)),
        sa.Column("name", sa.Text),
        sa.Column("external", sa.Boolean, nullable=False),
        sa.Column("recorded", sa.Boolean, nullable=False),
    )
    op.create_index(f"{table}_number", table, ["number"])
    op.create_index(f"{table}_number_reversed", table, ["number_reversed"])


def downgrade() -> None:
    for table in ("conversation_parties", "recording_parties", "conversations", "recordings"):
        op.drop_table(table)
