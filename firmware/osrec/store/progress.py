"""How far the keeper has come: `DATA/keeper.json`, its sign of life and where others go on to read the journal.

Only a hint, and never synced: without it, or with an old one, the journal is read from its beginning.
"""

import os
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from osrec.store.disk import Disk, write_all

NAME = "keeper.json"
_HALF_MADE = "keeper.json.tmp"


class Progress(BaseModel):
    """Of the keeper.

    Attributes:
        at: when it wrote this.
        told: by segment file, up to which position the index has all conversations that the journal tells.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    at: datetime
    told: dict[str, int]


def write_progress(disk: Disk, data: Path, progress: Progress) -> None:
    """Raises OSError."""
    temporary = data / _HALF_MADE
    fd = disk.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        write_all(disk, fd, progress.model_dump_json().encode(), 0)
    finally:
        disk.close(fd)
    disk.rename(temporary, data / NAME)


def read_progress(data: Path) -> Progress | None:
    """None when there is none that can be read."""
    try:
        return Progress.model_validate_json((data / NAME).read_bytes())
    except (OSError, ValidationError):
        return None


def stamp(data: Path) -> int | None:
    """Changes with each sign of life; None when there has been none."""
    try:
        return (data / NAME).stat().st_mtime_ns
    except OSError:
        return None
