"""The system calls by which the store writes. Tests put a disk in its place that fails, tears or forgets."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

MODE = 0o640


class Disk:
    """The operating system's files. Every method raises OSError."""

    def open(self, path: Path, flags: int) -> int:
        return os.open(path, flags | os.O_CLOEXEC, MODE)

    def close(self, fd: int) -> None:
        os.close(fd)

    def pread(self, fd: int, count: int, offset: int) -> bytes:
        return os.pread(fd, count, offset)

    def pwrite(self, fd: int, octets: bytes | memoryview, offset: int) -> int:
        return os.pwrite(fd, octets, offset)

    def fdatasync(self, fd: int) -> None:
        os.fdatasync(fd)

    def fsync(self, fd: int) -> None:
        os.fsync(fd)

    def rename(self, old: Path, new: Path) -> None:
        os.rename(old, new)  # noqa: PTH104

    def unlink(self, path: Path) -> None:
        os.unlink(path)  # noqa: PTH108

    def make_directory(self, path: Path) -> None:
        """Make it and its parents; those that exist are left alone."""
        if path.is_dir():
            return
        self.make_directory(path.parent)
        with suppress(FileExistsError):
            path.mkdir(mode=0o750)
        self.sync_directory(path.parent)

    def names(self, directory: Path) -> list[str]:
        return os.listdir(directory)  # noqa: PTH208

    def size(self, path: Path) -> int:
        return path.stat().st_size

    def free_bytes(self, directory: Path) -> int:
        status = os.statvfs(directory)
        return status.f_bavail * status.f_frsize

    def sync_directory(self, directory: Path) -> None:
        """A new or renamed name is only then sure to be there after a power cut."""
        fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def lock(self, path: Path) -> int:
        """Take a lock that goes when this process ends, however it ends. Raises BlockingIOError when it is held."""
        fd = self.open(path, os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(fd)
            raise
        return fd


def write_all(disk: Disk, fd: int, octets: bytes | memoryview, offset: int) -> None:
    """Write all of it; a system call may take only a part."""
    rest = memoryview(octets)
    while rest:
        written = disk.pwrite(fd, rest, offset)
        rest, offset = rest[written:], offset + written


def write_file(disk: Disk, path: Path, octets: bytes) -> None:
    """Write a file to the disk; its name is sure only after `sync_directory`."""
    fd = disk.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        write_all(disk, fd, octets, 0)
        disk.fsync(fd)
    finally:
        disk.close(fd)


def sync_file(disk: Disk, path: Path) -> None:
    """Bring a file to the disk that something else has written."""
    fd = disk.open(path, os.O_RDONLY)
    try:
        disk.fsync(fd)
    finally:
        disk.close(fd)
