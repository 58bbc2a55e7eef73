"""Day files: each conversation and each fact of the ledger, a JSON line for each, so that they outlive the index.

`DATA/ledger/YYYY/MM/DD.jsonl`, by the UTC day on which it ended. The lines are records of docs/journal.md.
"""

import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Annotated

import structlog
from pydantic import Field, TypeAdapter, ValidationError

from osrec.store.disk import Disk, write_all
from osrec.store.index import Told
from osrec.store.records import ConversationEnded
from osrec.store.scan import opened

_TOLD: TypeAdapter[Told] = TypeAdapter(Annotated[Told, Field(discriminator="kind")])
_REMEMBERED_DAYS = 3  # whose lines are known by heart, lest they are written twice

_log = structlog.get_logger(__name__)


class Daybook:
    """The day files of a data directory. Its methods raise OSError."""

    def __init__(self, disk: Disk, directory: Path) -> None:
        self._disk = disk
        self._directory = directory
        self._known: dict[str, set[bytes]] = {}

    def append(self, told: Iterable[Told]) -> tuple[list[Told], dict[str, int]]:
        """Write to the disk what is not there yet: what that is, and how long the day files are that it went to."""
        new: dict[str, list[Told]] = {}
        for one in told:
            new.setdefault(_day(one), []).append(one)
        written: list[Told] = []
        days: dict[str, int] = {}
        for day, records in new.items():
            lines = {digest: one for one in records if (digest := _digest(_line(one))) not in self._lines(day)}
            if lines:
                days[day] = self._write(day, b"".join(_line(one) for one in lines.values()))
                self._known[day] |= lines.keys()
                written += lines.values()
        return written, days

    def sizes(self) -> dict[str, int]:
        """The octets of each day's file."""
        found = self._directory.glob("*/*/*.jsonl")
        return {path.relative_to(self._directory).as_posix(): self._disk.size(path) for path in sorted(found)}

    def read(self, day: str, octets: int = 0) -> Iterator[Told]:
        """What a day's file tells behind so many octets; a line that a crash cut off is skipped."""
        for line in self._octets(day)[octets:].splitlines():
            if line:
                try:
                    yield _TOLD.validate_json(line)
                except ValidationError as error:
                    _log.warning("a line of a day file is skipped", day=day, octets=len(line), error=str(error))

    def _lines(self, day: str) -> set[bytes]:
        if day not in self._known:
            while len(self._known) >= _REMEMBERED_DAYS:
                del self._known[min(self._known)]
            self._known[day] = {_digest(line + b"\n") for line in self._octets(day).splitlines()}
        return self._known[day]

    def _octets(self, day: str) -> bytes:
        path = self._directory / day
        if not path.exists():
            return b""
        with opened(self._disk, path) as fd:
            return self._disk.pread(fd, self._disk.size(path), 0)

    def _write(self, day: str, octets: bytes) -> int:
        path = self._directory / day
        self._disk.make_directory(path.parent)
        fd = self._disk.open(path, os.O_RDWR | os.O_CREAT)
        try:
            before = self._disk.size(path)
            if before and self._disk.pread(fd, 1, before - 1) != b"\n":
                octets = b"\n" + octets  # a crash cut the last line off
            write_all(self._disk, fd, octets, before)
            self._disk.fsync(fd)
        finally:
            self._disk.close(fd)
        if not before:
            self._disk.sync_directory(path.parent)
        return before + len(octets)


def _day(one: Told) -> str:
    ended: datetime = one.ended if isinstance(one, ConversationEnded) else one.until
    return ended.astimezone(UTC).strftime("%Y/%m/%d.jsonl")


def _line(one: Told) -> bytes:
    return one.model_dump_json().encode() + b"\n"


def _digest(line: bytes) -> bytes:
    return blake2b(line, digest_size=16).digest()
