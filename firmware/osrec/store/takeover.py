"""How a recorder takes a journal: it alone, and on whichever directories can be written."""

import time
from dataclasses import dataclass
from pathlib import Path

from osrec.errors import StoreError
from osrec.store.disk import Disk
from osrec.store.segment import SegmentDirectory

LOCK_NAME = "writer.lock"
_PATIENCE = 5.0  # seconds; the keeper holds the lock for moments only
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Takeover:
    """Directories to write to, the locks on them (file descriptors), and what is wrong with one left out."""

    directories: list[SegmentDirectory]
    locks: list[int]
    problem: str | None


def boot_id() -> str:
    """Changes at each start of the machine: monotonic times are comparable only within one."""
    return _BOOT_ID.read_text().strip()


def take_over(disk: Disk, directories: list[SegmentDirectory]) -> Takeover:
    """Take all directories that can be written. Raises StoreError when none can be, or another process has one."""
    usable, locks, problem = [], [], None
    try:
        for directory in directories:
            try:
                directory.begin()
                locks.append(_lock(disk, directory.path / LOCK_NAME))
                usable.append(directory)
            except OSError as error:
                problem = f"{directory.path}: {error}"
        if not usable:
            raise StoreError(f"{problem}; the journal has no directory to be written to")
    except StoreError:
        for lock in locks:
            disk.close(lock)
        raise
    return Takeover(usable, locks, problem)


def _lock(disk: Disk, path: Path) -> int:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return disk.lock(path)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise StoreError(f"{path}: another recorder writes this journal; stop it first") from None
            time.sleep(0.05)
