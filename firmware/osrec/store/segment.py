"""Segments: files of the journal that are written full of zeros before use, and recycled by rename.

`seg-<id>.seg` belongs to the journal, `free-<id>.seg` may be taken, `new-<id>.tmp` is being written. Ids grow with time
and are never used twice, so a block of a file's earlier life is known by the id it carries.
"""

import os
import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from osrec.store.disk import Disk, write_all

_NAME = re.compile(r"(seg|free|new)-([0-9a-f]{16})\.(seg|tmp)")
_ZEROS = bytes(1 << 20)


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """A segment file of the journal; segments sort in the order they were written."""

    id: int
    directory: Path

    @property
    def path(self) -> Path:
        return self.directory / f"seg-{self.id:016x}.seg"


class Ids:
    """Gives out segment ids, also to several threads: microseconds since 1970, but always more than any before."""

    def __init__(self, wall_ns: Callable[[], int] = time.time_ns) -> None:
        self._wall_ns = wall_ns
        self._last = 0
        self._lock = threading.Lock()

    def after(self, id: int) -> None:
        """Give out only ids greater than this one."""
        with self._lock:
            self._last = max(self._last, id)

    def next(self) -> int:
        with self._lock:
            self._last = max(self._last + 1, self._wall_ns() // 1000)
            return self._last


class SegmentDirectory:
    """One directory of segments. Its methods raise OSError."""

    def __init__(self, disk: Disk, path: Path, segment_bytes: int, ids: Ids) -> None:
        self._disk = disk
        self.path = path
        self.segment_bytes = segment_bytes
        self._ids = ids

    def begin(self) -> None:
        """Make the directory, remove what a crash left half made, and learn the ids in use."""
        self._disk.make_directory(self.path)
        for prefix, id, path in self._files():
            self._ids.after(id)
            if prefix == "new" or (prefix == "free" and self._disk.size(path) != self.segment_bytes):
                self._disk.unlink(path)

    def segments(self) -> list[Segment]:
        """Those of the journal, oldest first."""
        return sorted(Segment(id, self.path) for prefix, id, _ in self._files() if prefix == "seg")

    def free(self) -> list[Path]:
        return sorted(path for prefix, _, path in self._files() if prefix == "free")

    def free_bytes(self) -> int:
        """Room for more segments on the file system."""
        return self._disk.free_bytes(self.path)

    def prepare(self) -> Path:
        """Write one more free segment; when that fails nothing of it remains."""
        id = self._ids.next()
        temporary, free = self.path / f"new-{id:016x}.tmp", self.path / f"free-{id:016x}.seg"
        try:
            self._write_zeros(temporary)
            self._disk.rename(temporary, free)
            self._disk.sync_directory(self.path)
        except OSError:
            with suppress(OSError):
                self._disk.unlink(temporary)
            raise
        return free

    def take(self) -> Segment:
        """Make a free segment part of the journal. Writes one when there is none, which takes its time."""
        free = self.free()
        source = free[0] if free else self.prepare()
        segment = Segment(self._ids.next(), self.path)
        self._disk.rename(source, segment.path)
        self._disk.sync_directory(self.path)
        return segment

    def _write_zeros(self, path: Path) -> None:
        fd = self._disk.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        try:
            for at in range(0, self.segment_bytes, len(_ZEROS)):
                write_all(self._disk, fd, memoryview(_ZEROS)[: self.segment_bytes - at], at)
                if at % (8 * len(_ZEROS)) == 0:  # small portions, or a commit of the journal waits behind all of it
                    self._disk.fdatasync(fd)
            self._disk.fsync(fd)
        finally:
            self._disk.close(fd)

    def _files(self) -> list[tuple[str, int, Path]]:
        matches = (_NAME.fullmatch(name) for name in self._disk.names(self.path))
        return [(match[1], int(match[2], 16), self.path / match[0]) for match in matches if match]


def release(disk: Disk, segment: Segment, keep: int) -> None:
    """Let a segment of the journal go: to the free ones while these are fewer than `keep`, else for good."""
    free = sum(name.startswith("free-") for name in disk.names(segment.directory))
    if free < keep:
        disk.rename(segment.path, segment.directory / f"free-{segment.id:016x}.seg")
    else:
        disk.unlink(segment.path)
    disk.sync_directory(segment.directory)
