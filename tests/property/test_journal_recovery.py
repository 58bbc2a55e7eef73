"""Whatever is cut off, torn or flipped in a journal: what is whole survives, nothing is invented."""

import os
from dataclasses import replace
from functools import cache
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from osrec.store.assembly import Audio
from osrec.store.block import Block, blocks, encode
from osrec.store.recovery import recover
from osrec.store.scan import SegmentReader, list_segments
from osrec.store.segment import Segment
from tests.journal_support import (
    LEFT,
    RIGHT,
    SMALL,
    START,
    TICK,
    Tape,
    check_truth,
    new_writer,
    note,
    opened,
    pieces,
    read_journal,
)
from tests.memory_disk import MemoryDisk


@cache
def written() -> tuple[Segment, bytes]:
    """A segment with two recordings, a note and an end, and stale blocks of its earlier life behind them."""
    disk = MemoryDisk()
    tape, writer = Tape(), new_writer(SMALL, disk)
    writer.open(opened(1), tape, LEFT, RIGHT)
    writer.open(opened(2), tape, RIGHT, LEFT)
    for tick in range(1, 5):
        tape.head = tick * TICK // 4
        writer.step(tick / 10)
    writer.note(note(1, "held", TICK))
    writer.close(UUID(int=2), TICK, START, "cleared")
    writer.finish(1.0)
    (segment,) = list_segments(disk, SMALL.journals)
    octets = disk.pread(disk.open(segment.path, os.O_RDONLY), SMALL.segment_bytes, 0)
    end = octets.rstrip(b"\0")
    return segment, end + b"".join(encode(replace(block, segment=7)) for _, block in blocks(end))


def disk_with(octets: bytes) -> MemoryDisk:
    disk = MemoryDisk()
    segment, _ = written()
    disk.make_directory(segment.directory)
    disk.pwrite(disk.open(segment.path, os.O_RDWR | os.O_CREAT), octets, 0)
    return disk


def read(octets: bytes) -> tuple[list[tuple[int, Block]], int]:
    segment, _ = written()
    reader = SegmentReader(disk_with(octets), segment)
    return list(reader.read()), reader.missing


@cache
def all_blocks() -> list[tuple[int, Block]]:
    found, missing = read(written()[1])
    assert missing == 0
    return found


def test_every_truncation_leaves_exactly_the_blocks_before_it() -> None:
    _, octets = written()
    end = all_blocks()[-1][0] + all_blocks()[-1][1].length
    for length in range(end + 1):
        found, missing = read(octets[:length])
        assert found == [(at, block) for at, block in all_blocks() if at + block.length <= length]
        assert missing == 0


def test_recovery_succeeds_at_every_truncation() -> None:
    segment, octets = written()
    for length in range(0, len(octets), 7):
        disk = disk_with(octets[:length])
        for recording in recover(disk, [segment]).recordings:
            assert recording.opened == opened(recording.opened.recording.int)
            assert recording.last_sample <= TICK


flips = st.lists(st.tuples(st.integers(0, len(written()[1]) - 1), st.integers(1, 255)), min_size=1, max_size=6)


@given(flips)
@settings(max_examples=150, deadline=None)
def test_flipped_octets_cost_the_blocks_they_hit_and_no_other(hits: list[tuple[int, int]]) -> None:
    octets = bytearray(written()[1])
    for at, mask in hits:
        octets[at] ^= mask
    whole = [
        (at, block)
        for at, block in all_blocks()
        if bytes(octets[at : at + block.length]) == written()[1][at : at + block.length]
    ]
    found, missing = read(bytes(octets))
    assert found == whole
    last = whole[-1][1].sequence if whole else -1
    assert missing == last + 1 - len(whole)


@given(st.integers(0, len(written()[1])), st.integers(1, 4096), st.binary(min_size=1, max_size=64))
@settings(max_examples=150, deadline=None)
def test_a_torn_stretch_becomes_a_gap_and_the_rest_is_the_truth(first: int, length: int, pattern: bytes) -> None:
    octets = bytearray(written()[1])
    end = min(first + length, len(octets))
    octets[first:end] = (pattern * (length // len(pattern) + 1))[: end - first]
    disk = disk_with(bytes(octets))
    intake = read_journal(SMALL, disk)
    assert set(intake.recordings) <= {UUID(int=1), UUID(int=2)}
    assembly = intake.recordings.get(UUID(int=1))
    if assembly is not None:
        assert set(check_truth(pieces(disk, assembly))) <= {"audio", "journal_damaged"}


@given(st.binary(max_size=2000))
@settings(max_examples=100, deadline=None)
def test_any_octets_at_all_are_read_without_a_fault(octets: bytes) -> None:
    assert read(octets) == ([], 0)


def test_damage_after_it_was_read_becomes_a_gap() -> None:
    segment, octets = written()
    disk = disk_with(octets)
    assembly = read_journal(SMALL, disk).recordings[UUID(int=1)]
    at = next(at for at, block in all_blocks() if block.count and block.recording == UUID(int=1))
    disk.pwrite(disk.open(segment.path, os.O_RDWR), b"\0", at + 100)
    found = pieces(disk, assembly)
    assert not isinstance(found[0], Audio)
    assert check_truth(found) == {"journal_damaged": TICK // 4, "audio": 3 * TICK // 4}


def test_a_live_reader_waits_for_a_block_that_is_only_half_there() -> None:
    segment, octets = written()
    at, block = all_blocks()[5]
    disk = disk_with(octets[: at + 50])
    reader = SegmentReader(disk, segment)
    assert len(list(reader.read(live=True))) == 5
    assert list(reader.read(live=True)) == []
    disk.pwrite(disk.open(segment.path, os.O_RDWR), octets[: at + block.length], 0)
    assert list(reader.read(live=True)) == [(at, block)]


def test_a_live_reader_believes_a_hole_when_it_sees_it_twice() -> None:
    segment, octets = written()
    at, _ = all_blocks()[5]
    damaged = bytearray(octets)
    damaged[at + 60] ^= 1
    reader = SegmentReader(disk_with(bytes(damaged)), segment)
    assert len(list(reader.read(live=True))) == 5
    assert list(reader.read(live=True)) == all_blocks()[6:]
    assert reader.missing == 1
