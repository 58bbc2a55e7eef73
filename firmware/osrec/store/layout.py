"""Where the files of a recording lie in the data directory."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

SIDECAR, PEAKS = ".json", ".peaks"
TEMPORARY = ".new-"  # begins the name of a file that is not yet complete


def recording_of(name: str) -> UUID | None:
    """The recording that a sidecar of this name belongs to; None when it is no sidecar's name."""
    try:
        return UUID(name.removesuffix(SIDECAR)) if name.endswith(SIDECAR) else None
    except ValueError:
        return None


def media_directory(media: Path, started: datetime) -> Path:
    """A directory a day, by UTC."""
    return media / started.astimezone(UTC).strftime("%Y/%m/%d")


def sidecar_path(media: Path, started: datetime, recording: UUID) -> Path:
    """The file that makes a recording exist: it is renamed into place when all others of it are on the disk."""
    return media_directory(media, started) / f"{recording}{SIDECAR}"
