"""What the store is told: where the data lie, and how much journal is kept ready."""

from dataclasses import dataclass
from pathlib import Path

BLOCK_SAMPLES = 8000  # most samples of a side in one block: 1 s


@dataclass(frozen=True, slots=True)
class StoreConfig:
    """The store of one recorder.

    Attributes:
        data: directory of journal, media and index.
        spare: directory on a second file system, where the journal goes on when the first one fails; or None.
        segment_bytes: size of one journal segment.
        segments: free segments kept written ahead.
        spare_segments: the same on the spare directory, until it is needed.
        write_seconds: how often audio goes to the kernel: what kill -9 may cost.
        commit_seconds: how often it goes to the disk: what a power cut may cost, plus the time of a commit.
        reserve_seconds: new recordings are refused when the journal would last less than this for those that run.
        keep_free_bytes: free space that the journal leaves to the media files and the index.
        resume_seconds: a restarted recorder may go on with its recordings for so long.
        compression: of FLAC, 0.0 (fast) .. 1.0 (small).
    """

    data: Path
    spare: Path | None = None
    segment_bytes: int = 64 * 1024 * 1024
    segments: int = 16
    spare_segments: int = 4
    write_seconds: float = 0.1
    commit_seconds: float = 0.5
    reserve_seconds: float = 600.0
    keep_free_bytes: int = 128 * 1024 * 1024
    resume_seconds: float = 60.0
    compression: float = 0.5

    @property
    def journal(self) -> Path:
        return self.data / "journal"

    @property
    def journals(self) -> tuple[Path, ...]:
        """Directories of segments, the first one preferred."""
        return (self.journal,) if self.spare is None else (self.journal, self.spare / "journal")

    @property
    def media(self) -> Path:
        return self.data / "media"

    @property
    def daybook(self) -> Path:
        return self.data / "ledger"

    @property
    def index(self) -> Path:
        return self.data / "index.sqlite"
