"""The disk in memory behaves like the operating system's, until it is told to fail."""

import errno
import os
from pathlib import Path

import pytest

from osrec.store.disk import Disk, write_all, write_file
from tests.memory_disk import MemoryDisk, PowerCutError


def play(disk: Disk, root: Path) -> tuple[list[str], bytes, int]:
    """One script for both kinds of disk."""
    directory = root / "a" / "b"
    disk.make_directory(directory)
    write_file(disk, directory / "one", b"0123456789")
    fd = disk.open(directory / "one", os.O_RDWR)
    write_all(disk, fd, b"XY", 4)
    write_all(disk, fd, bytes(70_000), 20)
    disk.fdatasync(fd)
    head = disk.pread(fd, 24, 2)
    disk.close(fd)
    disk.rename(directory / "one", directory / "two")
    write_file(disk, directory / "three", b"")
    disk.unlink(directory / "three")
    disk.sync_directory(directory)
    return disk.names(directory), head, disk.size(directory / "two")


def test_memory_and_system_agree(tmp_path: Path) -> None:
    assert play(MemoryDisk(), tmp_path) == play(Disk(), tmp_path)


def test_both_refuse_a_file_that_is_not_there(tmp_path: Path) -> None:
    for disk in (MemoryDisk(), Disk()):
        disk.make_directory(tmp_path)
        with pytest.raises(FileNotFoundError):
            disk.open(tmp_path / "none", os.O_RDONLY)


def test_a_lock_is_held_by_one_only(tmp_path: Path) -> None:
    disk = Disk()
    first = disk.lock(tmp_path / "lock")
    with pytest.raises(BlockingIOError):
        disk.lock(tmp_path / "lock")
    disk.close(first)
    disk.close(disk.lock(tmp_path / "lock"))


def unsynced(disk: MemoryDisk) -> int:
    directory = Path("/d")
    disk.make_directory(directory)
    write_file(disk, directory / "f", b"a" * 1024)
    disk.sync_directory(directory)
    fd = disk.open(directory / "f", os.O_WRONLY)
    disk.pwrite(fd, b"b" * 1024, 0)
    return fd


def content(disk: MemoryDisk) -> bytes:
    return disk.pread(disk.open(Path("/d/f"), os.O_RDONLY), 4096, 0)


def test_a_power_cut_forgets_what_was_not_synced() -> None:
    disk = MemoryDisk()
    unsynced(disk)
    assert content(disk.after_power_cut(lambda: False)) == b"a" * 1024
    assert content(disk.after_kill()) == b"b" * 1024


def test_a_power_cut_tears_at_sectors() -> None:
    disk = MemoryDisk()
    unsynced(disk)
    reached = iter([True, False])
    assert content(disk.after_power_cut(lambda: next(reached))) == b"b" * 512 + b"a" * 512


def test_a_failed_sync_loses_the_data_and_the_next_one_succeeds() -> None:
    disk = MemoryDisk()
    fd = unsynced(disk)
    disk.fail = lambda name, path, number: errno.EIO
    with pytest.raises(OSError, match="Input/output error"):
        disk.fdatasync(fd)
    disk.fail = lambda name, path, number: 0
    disk.fdatasync(fd)
    assert content(disk.after_power_cut(lambda: True)) == b"a" * 1024


def test_a_full_disk_takes_writes_within_files_only() -> None:
    disk = MemoryDisk(capacity=2048)
    fd = unsynced(disk)
    disk.pwrite(fd, b"c" * 1024, 0)
    with pytest.raises(OSError, match="No space"):
        disk.pwrite(fd, b"c" * 2048, 1024)


def test_the_end_comes_in_the_middle_of_a_write() -> None:
    disk = MemoryDisk()
    fd = unsynced(disk)
    disk.cut_at = disk.calls + 1
    with pytest.raises(PowerCutError):
        disk.pwrite(fd, b"c" * 1024, 0)
    assert content(disk.after_kill()) == b"c" * 512 + b"b" * 512
