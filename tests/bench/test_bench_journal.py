"""The journal against the same audio put into SQLite as blobs, which the best-known durable store does."""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from osrec.store.config import StoreConfig
from osrec.store.writer import JournalWriter
from osrec_drivers.line import Gap
from tests.journal_support import LEFT, RIGHT, TICK, opened, run_started

RECORDINGS = 30  # one busy E1 pair: 60 slots
TICKS = 50  # 5 s of writes every 100 ms and commits every 500 ms
CHANNEL_SECONDS = 2 * RECORDINGS * TICKS / 10


class Loop:
    """A line that always has audio, and costs next to nothing: what is measured is the journal."""

    def __init__(self) -> None:
        self.head = self.oldest = 0
        self._octets = bytes(range(256)) * 400

    def read(self, slot: int, first: int, count: int) -> bytes:
        return self._octets[slot : slot + count]

    def gaps(self, first: int, count: int) -> list[Gap]:
        return []


def journal(directory: Path) -> Callable[[], None]:
    config = StoreConfig(directory, segments=2, segment_bytes=32 << 20, keep_free_bytes=0)
    writer = JournalWriter(config, run_started())
    while writer.prepare():
        pass
    line = Loop()
    for number in range(RECORDINGS):
        writer.open(opened(number + 1), line, LEFT, RIGHT)
    writer.step(0.0)
    tick = 0

    def work() -> None:
        nonlocal tick
        for _ in range(TICKS):
            tick += 1
            line.head = tick * TICK
            writer.step(tick / 10)

    return work


def blobs(directory: Path) -> Callable[[], None]:
    directory.mkdir(exist_ok=True)
    database = sqlite3.connect(directory / "audio.sqlite", isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("CREATE TABLE audio (recording BLOB, sample INTEGER, at INTEGER, octets BLOB)")
    line, ids = Loop(), [UUID(int=number).bytes for number in range(RECORDINGS)]
    tick = 0

    def work() -> None:
        nonlocal tick
        for _ in range(TICKS):
            first = tick * TICK
            tick += 1
            if not database.in_transaction:
                database.execute("BEGIN")
            database.executemany(
                "INSERT INTO audio VALUES (?, ?, ?, ?)",
                [(id, first, tick, line.read(LEFT, first, TICK) + line.read(RIGHT, first, TICK)) for id in ids],
            )
            if tick % 5 == 0:
                database.execute("COMMIT")

    return work


STORES = {"journal": journal, "sqlite blobs, WAL, FULL": blobs}


def octets_written() -> int:
    """By this process, through system calls."""
    status = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(status["wchar"])


@pytest.mark.parametrize("store", STORES)
def test_bench_writing_of_60_slots(benchmark: BenchmarkFixture, tmp_path: Path, store: str) -> None:
    """extra_info: channels that a core could write, and seconds of a core that a second of the 60 slots costs."""
    work = STORES[store](tmp_path / "data")
    work()
    spent: list[float] = []

    def measured() -> None:
        began = time.process_time()
        work()
        spent.append(time.process_time() - began)

    before = octets_written()
    benchmark.pedantic(measured, rounds=5, iterations=1)  # type: ignore[no-untyped-call]
    audio = 8000 * CHANNEL_SECONDS * len(spent)
    benchmark.extra_info["octets written per octet of audio"] = round((octets_written() - before) / audio, 2)
    core = min(spent)
    benchmark.extra_info["channels per core"] = round(CHANNEL_SECONDS / core)
    benchmark.extra_info["core at 60 slots, %"] = round(100 * core / (TICKS / 10), 2)


def test_the_journal_costs_less_than_two_per_cent_of_a_core_at_60_slots(tmp_path: Path) -> None:
    """The product's goal. The best of several rounds counts, since the machine may be busy with other things."""
    work = journal(tmp_path / "data")
    work()
    costs = []
    for _ in range(5):
        began = time.process_time()
        work()
        costs.append((time.process_time() - began) / (TICKS / 10))
    assert min(costs) < 0.02
