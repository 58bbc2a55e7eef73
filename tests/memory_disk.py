"""A disk in memory that forgets what was not synced, tears sectors, fills up and fails when told to.

It does what storage engineers have measured of real ones: an error of fdatasync drops what was to be written, and the
next call succeeds. `tests/unit/test_memory_disk.py` holds it against the operating system's files.
"""

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from osrec.store.disk import Disk

SECTOR = 512


class PowerCutError(BaseException):
    """The machine, or the process, is gone: nobody may catch this."""


@dataclass(eq=False)
class _Inode:
    data: bytearray = field(default_factory=bytearray)
    durable: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes]] = field(default_factory=list)

    def sync(self) -> None:
        self.durable = bytearray(self.data)
        self.pending.clear()


class MemoryDisk(Disk):
    """Files in memory.

    Attributes:
        calls: system calls that change something, so far.
        cut_at: number of the call in which everything ends, half done if it writes; None: never.
        fail: called with the name of the call, its path and its number; gives the errno it fails with, or 0.
        capacity: bytes that fit.
    """

    def __init__(self, capacity: int = 1 << 40) -> None:
        self.capacity = capacity
        self.calls = 0
        self.cut_at: int | None = None
        self.fail: Callable[[str, Path, int], int] = lambda name, path, number: 0
        self._names: dict[Path, _Inode] = {}
        self._durable_names: dict[Path, _Inode] = {}
        self._directories: set[Path] = set()
        self._open: dict[int, tuple[Path, _Inode]] = {}
        self._next = 1000

    def open(self, path: Path, flags: int) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR):
            self._call("open", path)
        if flags & os.O_CREAT:
            self._names.setdefault(path, _Inode())
        self._must_exist(path)
        if flags & os.O_TRUNC:
            self._names[path].data.clear()
        self._next += 1
        self._open[self._next] = path, self._names[path]
        return self._next

    def close(self, fd: int) -> None:
        self._open.pop(fd)

    def pread(self, fd: int, count: int, offset: int) -> bytes:
        return bytes(self._open[fd][1].data[offset : offset + count])

    def pwrite(self, fd: int, octets: bytes | memoryview, offset: int) -> int:
        path, inode = self._open[fd]
        if self._cut():
            self._write(inode, bytes(octets)[: len(octets) // 2], offset)
        self._call("pwrite", path)
        if offset + len(octets) - len(inode.data) > self.free_bytes(path.parent):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        taken = bytes(octets[: 1 << 16])  # a system call may take a part only
        self._write(inode, taken, offset)
        return len(taken)

    def fdatasync(self, fd: int) -> None:
        path, inode = self._open[fd]
        try:
            self._call("fdatasync", path)
        except OSError:
            inode.pending.clear()  # the kernel drops the pages: the next call reports success
            raise
        for offset, octets in inode.pending:
            _put(inode.durable, octets, offset)
        inode.pending.clear()

    def fsync(self, fd: int) -> None:
        self.fdatasync(fd)

    def rename(self, old: Path, new: Path) -> None:
        self._call("rename", new)
        self._names[new] = self._names.pop(old)

    def unlink(self, path: Path) -> None:
        self._call("unlink", path)
        self._must_exist(path)
        del self._names[path]

    def make_directory(self, path: Path) -> None:
        self._directories.add(path)

    def names(self, directory: Path) -> list[str]:
        if directory not in self._directories:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(directory))
        return [path.name for path in self._names if path.parent == directory]

    def size(self, path: Path) -> int:
        return len(self._names[path].data)

    def free_bytes(self, directory: Path) -> int:
        return self.capacity - sum(len(inode.data) for inode in self._names.values())

    def sync_directory(self, directory: Path) -> None:
        self._call("sync_directory", directory)
        others = {path: inode for path, inode in self._durable_names.items() if path.parent != directory}
        self._durable_names = others | {path: one for path, one in self._names.items() if path.parent == directory}

    def lock(self, path: Path) -> int:
        self._call("lock", path)
        self._names.setdefault(path, _Inode())
        return self.open(path, os.O_RDONLY)

    def after_kill(self) -> "MemoryDisk":
        """What the next process finds when only this one died."""
        for inode in self._names.values():
            inode.pending.clear()
        return self._next_life(self._names, lambda inode: inode.data)

    def after_power_cut(self, reached: Callable[[], bool]) -> "MemoryDisk":
        """What the next boot finds.

        Args:
            reached: says of each thing that was not synced, a name or a sector, whether it reached the disk.
        """
        names = dict(self._durable_names)
        for path in self._names.keys() ^ self._durable_names.keys():
            if reached():
                names.pop(path, None)
                if path in self._names:
                    names[path] = self._names[path]
        return self._next_life(names, lambda inode: _settle(inode, reached))

    def _next_life(self, names: dict[Path, _Inode], content: Callable[[_Inode], bytearray]) -> "MemoryDisk":
        disk = MemoryDisk(self.capacity)
        disk._directories = set(self._directories)
        contents = {id(inode): content(inode) for inode in names.values()}
        disk._names = {
            path: _Inode(bytearray(contents[id(inode)]), bytearray(contents[id(inode)]))
            for path, inode in names.items()
        }
        disk._durable_names = dict(disk._names)
        return disk

    def _write(self, inode: _Inode, octets: bytes, offset: int) -> None:
        _put(inode.data, octets, offset)
        inode.pending.append((offset, octets))

    def _must_exist(self, path: Path) -> None:
        if path not in self._names:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))

    def _cut(self) -> bool:
        return self.cut_at is not None and self.calls + 1 >= self.cut_at

    def _call(self, name: str, path: Path) -> None:
        if self._cut():
            raise PowerCutError
        self.calls += 1
        if error := self.fail(name, path, self.calls):
            raise OSError(error, os.strerror(error), str(path))


def _put(data: bytearray, octets: bytes, offset: int) -> None:
    if len(data) < offset:
        data += bytes(offset - len(data))
    data[offset : offset + len(octets)] = octets


def _settle(inode: _Inode, reached: Callable[[], bool]) -> bytearray:
    """What was synced, and of each later write those sectors that reached the disk."""
    data = bytearray(inode.durable)
    for offset, octets in inode.pending:
        end = offset + len(octets)
        for at in range(offset - offset % SECTOR, end, SECTOR):
            if reached():
                first, last = max(at, offset), min(at + SECTOR, end)
                _put(data, octets[first - offset : last - offset], first)
    return data
