"""The journal against the same audio put into SQLite as blobs, which the best-known durable store does."""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from pytest_benchmark.fixture import BenchmarkFixture

from osrec.store.config import StoreConfig
from osrec.store.writer import JournalWriter
from osrec_drivers.line import Gap
from tests.journal_support import LEFT, RIGHT, TICK, opened, run_started

RECORDINGS = 30  # one busy E1 pair: 60 slots
ROUNDS = 5
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


def octets_written() -> int:
    """By this process, through system calls."""
    status = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(status["wchar"])


class Meter:
    """What one second of the 60 slots costs a store: CPU time at best, and octets written per octet of audio."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._spent: list[float] = []
        work()
        self._before = octets_written()

    def __call__(self) -> None:
        began = time.process_time()
        self._work()
        self._spent.append(time.process_time() - began)

    @property
    def core(self) -> float:
        return min(self._spent) / (TICKS / 10)

    @property
    def amplification(self) -> float:
        return (octets_written() - self._before) / (8000 * CHANNEL_SECONDS * len(self._spent))


def test_bench_journal_of_60_slots(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    ours = Meter(journal(tmp_path / "journal"))
    benchmark.pedantic(ours, rounds=ROUNDS, iterations=1)  # type: ignore[no-untyped-call]
    amplification = ours.amplification
    peer = Meter(blobs(tmp_path / "blobs"))
    for _ in range(ROUNDS):
        peer()
    benchmark.extra_info["channels per core"] = round(2 * RECORDINGS / ours.core)
    benchmark.extra_info["% of a core at 60 slots"] = round(100 * ours.core, 2)
    benchmark.extra_info["times SQLite blobs (WAL, FULL)"] = round(peer.core / ours.core, 2)
    benchmark.extra_info["octets written per octet of audio"] = round(amplification, 2)
    benchmark.extra_info["by SQLite"] = round(peer.amplification, 2)
