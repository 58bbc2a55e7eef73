"""The append-only log of a recorder process: blocks into segments, one fdatasync for all of them.

An error of the disk is never answered by trying again: after a failed fdatasync the kernel drops the pages and the next
call reports success (docs/journal.md). The segment is left as it is, and the caller writes everything that was not
committed to the next one, on another file system if there is one.
"""

import errno
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from uuid import UUID

from osrec.store.block import NO_RECORDING, Block, Codec, Flag, Kind, Sides, encode
from osrec.store.disk import Disk, write_all
from osrec.store.records import Closed, Erased, Going, Kept, Note, Opened, Record
from osrec.store.segment import Segment, SegmentDirectory


@dataclass(frozen=True, slots=True)
class Entry:
    """What a block is made of, before it is known where it comes to stand."""

    kind: Kind
    payload: bytes
    recording: UUID = NO_RECORDING
    sample: int = 0
    count: int = 0
    codec: Codec = Codec.NONE
    sides: Sides = Sides.NONE
    flags: Flag = Flag.NONE


def record_entry(record: Record, flags: Flag = Flag.NONE) -> Entry:
    recording = record.recording if isinstance(record, Opened | Kept | Erased | Note | Closed) else NO_RECORDING
    changes_only = isinstance(record, Going)
    text = record.model_dump_json(exclude_unset=changes_only)
    return Entry(Kind.RECORD, text.encode(), recording, flags=flags)


class Journal:
    """Appends to one segment after another. Methods that write raise OSError; call `fail` then.

    Attributes:
        bytes_written: since construction, to the kernel.
    """

    def __init__(
        self, disk: Disk, directories: list[SegmentDirectory], preamble: Callable[[], Iterable[Record]]
    ) -> None:
        """
        Args:
            directories: the first is preferred; one that fails goes to the end.
            preamble: gives the records with which each segment begins, to be understood without earlier ones.
        """
        self._disk = disk
        self._directories = directories
        self._preamble = preamble
        self._segment: Segment | None = None
        self._fd = -1
        self._size = 0
        self._end = 0  # position after the blocks in the kernel and in the buffer
        self._buffer: list[bytes] = []
        self._buffered = 0
        self._sequence = 0
        self._clock = (0, 0)
        self.bytes_written = 0

    @property
    def directory(self) -> SegmentDirectory:
        """Where the current or else the next segment is."""
        return self._directories[0]

    @property
    def segment(self) -> Segment | None:
        return self._segment

    @property
    def left(self) -> int:
        """Octets left in the current segment."""
        return self._size - self._end if self._segment else 0

    def append(self, entry: Entry, monotonic_ns: int, wall_ns: int) -> None:
        """Put a block into the buffer, and first, if it does not fit, begin the next segment."""
        self._clock = monotonic_ns, wall_ns
        if self._segment is None:
            self._begin()
        octets = self._encode(entry)
        if len(octets) > self.left:
            self.commit()
            self._close()
            self._begin()
            octets = self._encode(entry)
        if len(octets) > self.left:
            raise OSError(errno.EFBIG, f"a block of {len(octets)} octets does not fit a segment of {self._size}")
        self._put(octets)

    def flush(self) -> None:
        """Hand the buffer to the kernel: from here on only the machine's own death can lose it."""
        if self._buffered:
            write_all(self._disk, self._fd, b"".join(self._buffer), self._end - self._buffered)
            self.bytes_written += self._buffered
            self._buffer.clear()
            self._buffered = 0

    def commit(self) -> None:
        """Bring everything appended so far to the disk."""
        self.flush()
        if self._segment is not None:
            self._disk.fdatasync(self._fd)

    def fail(self) -> None:
        """Leave the segment that failed; the next one comes from another directory if there is one."""
        self._close()
        self._directories.append(self._directories.pop(0))

    def close(self) -> None:
        self._close()

    def _begin(self) -> None:
        self._take()
        for octets in self._encoded_preamble():
            if len(octets) > self.left:
                raise OSError(errno.EFBIG, f"the records that begin a segment do not fit its {self._size} octets")
            self._put(octets)
        self.flush()

    def _take(self) -> None:
        self._segment = self.directory.take()
        self._fd = self._disk.open(self._segment.path, os.O_WRONLY)
        self._size, self._end, self._sequence = self.directory.segment_bytes, 0, 0

    def _encoded_preamble(self) -> Iterator[bytes]:
        entries = [record_entry(record, Flag.REPEATED) for record in self._preamble()]
        for number, entry in enumerate(entries, 1):
            last = Flag.SET_END if number == len(entries) else Flag.NONE
            yield self._encode(replace(entry, flags=entry.flags | last))

    def _encode(self, entry: Entry) -> bytes:
        assert self._segment is not None
        monotonic_ns, wall_ns = self._clock
        return encode(
            Block(
                entry.kind,
                self._segment.id,
                self._sequence,
                entry.recording,
                entry.payload,
                entry.sample,
                entry.count,
                entry.codec,
                entry.sides,
                entry.flags,
                0,
                monotonic_ns,
                wall_ns,
            )
        )

    def _put(self, octets: bytes) -> None:
        self._buffer.append(octets)
        self._buffered += len(octets)
        self._end += len(octets)
        self._sequence += 1

    def _close(self) -> None:
        fd, self._fd, self._segment = self._fd, -1, None
        self._buffer.clear()
        self._buffered = self._size = self._end = 0
        if fd >= 0:
            with suppress(OSError):  # it can report nothing that fdatasync has not reported
                self._disk.close(fd)
