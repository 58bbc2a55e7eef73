"""The index as a database: how it is opened, and brought to the current schema."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from osrec.errors import StoreError

MIGRATIONS = Path(__file__).with_name("migrations")
_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",  # with NORMAL a power cut takes back what was committed, even the tables
    "foreign_keys = ON",
    "busy_timeout = 10000",
)


def connect(path: Path) -> Engine:
    engine = create_engine(f"sqlite:///{path}")

    @event.listens_for(engine, "connect")
    def set_pragmas(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()
        connection.isolation_level = None  # or the module begins transactions itself, and not before a CREATE TABLE

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def migrate(path: Path, revision: str = "head") -> None:
    """Make the index, or bring it to the current schema; an interrupted migration is rolled back. Raises StoreError."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    path.touch(0o640)
    engine = connect(path)
    try:
        with engine.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
            connection.commit()
    except SQLAlchemyError as error:
        raise StoreError(
            f"{path}: cannot be brought to schema {revision}: {getattr(error, 'orig', None) or error}"
        ) from error
    finally:
        engine.dispose()
