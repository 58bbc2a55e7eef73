"""Alembic's entry: the connection comes from `osrec.store.database`, there is no alembic.ini."""

from alembic import context

from osrec.store.schema import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
