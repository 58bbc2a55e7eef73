"""The system calls of the DAHDI driver, behind a protocol: tests put a model of the kernel's part in their place."""

import contextlib
import fcntl
import os
import select
import time
from pathlib import Path
from typing import Protocol


class System(Protocol):
    """All methods raise OSError as the calls of the same name do.

    Attributes:
        pumps: descriptors are the kernel's own, so that C may read them in a thread without the GIL.
    """

    @property
    def pumps(self) -> bool: ...

    def open(self, path: str) -> int: ...

    def close(self, fd: int) -> None: ...

    def ioctl(self, fd: int, request: int, argument: bytearray) -> None:
        """What the kernel answers is in the argument afterwards."""

    def read(self, fd: int, count: int) -> bytes: ...

    def write(self, fd: int, octets: bytes) -> int: ...

    def wait(self, fd: int, wake: int, milliseconds: int) -> None:
        """Until the channel has octets or an event, the descriptor `wake` is readable, or that time is over."""

    def text(self, path: str) -> str:
        """A file of /proc or /sys; empty when there is none."""

    def names(self, path: str) -> list[str]:
        """What a directory has in it, in order; nothing when there is none."""

    def now(self) -> int:
        """CLOCK_MONOTONIC in ns."""


class Linux:
    """The kernel that we run on."""

    pumps = True

    def open(self, path: str) -> int:
        return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def close(self, fd: int) -> None:
        os.close(fd)

    def ioctl(self, fd: int, request: int, argument: bytearray) -> None:
        fcntl.ioctl(fd, request, argument)

    def read(self, fd: int, count: int) -> bytes:
        return os.read(fd, count)

    def write(self, fd: int, octets: bytes) -> int:
        return os.write(fd, octets)

    def wait(self, fd: int, wake: int, milliseconds: int) -> None:
        poll = select.poll()
        poll.register(fd, select.POLLIN | select.POLLPRI)
        poll.register(wake, select.POLLIN)
        poll.poll(milliseconds)

    def text(self, path: str) -> str:
        with contextlib.suppress(OSError):
            return Path(path).read_text(encoding="utf-8", errors="replace")
        return ""

    def names(self, path: str) -> list[str]:
        with contextlib.suppress(OSError):
            return sorted(entry.name for entry in Path(path).iterdir())
        return []

    def now(self) -> int:
        return time.monotonic_ns()
