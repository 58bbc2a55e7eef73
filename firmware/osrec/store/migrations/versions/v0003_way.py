"""The way that a conversation came: through which queues, groups and forwarding stations; and who parked it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("conversations", sa.Column("via", sa.Text, nullable=False, server_default="[]"))
    op.add_column("conversations", sa.Column("parked_by", sa.String(64)))


def downgrade() -> None:
    for column in ("parked_by", "via"):
        op.drop_column("conversations", column)
