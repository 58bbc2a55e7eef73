"""What the ledger needs: what was missed of a conversation, blind spans, stray and dropped audio, and the day files."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_OF_CONVERSATIONS = {"missed": "[]", "accounts": "[]", "digits": "", "trunks": "[]"}
_PARTIES = ("recording_parties", "conversation_parties")


def upgrade() -> None:
    for column, default in _OF_CONVERSATIONS.items():
        op.add_column("conversations", sa.Column(column, sa.Text, nullable=False, server_default=default))
    for table in _PARTIES:
        op.add_column(table, sa.Column("e164", sa.String(64)))
    op.create_table(
        "ledger",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("recording", sa.String(36)),
        sa.Column("conversation", sa.String(36)),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("record", sa.Text, nullable=False),
    )
    op.create_index("ledger_since", "ledger", ["kind", "since"])
    op.create_index("ledger_recording", "ledger", ["recording"])
    op.create_index("ledger_conversation", "ledger", ["conversation"])
    op.create_table(
        "ledger_days",
        sa.Column("day", sa.String(32), primary_key=True),
        sa.Column("octets", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    for table in ("ledger_days", "ledger"):
        op.drop_table(table)
    for table in _PARTIES:
        op.drop_column(table, "e164")
    for column in _OF_CONVERSATIONS:
        op.drop_column("conversations", column)
