"""The writer as a thread and as a process: real files, real time, a real kill -9."""

import random
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from osrec.store.config import StoreConfig
from osrec.store.disk import Disk
from osrec.store.keeper import run_keeper
from osrec.store.state import Condition, JournalState
from osrec.store.verify import verify
from osrec.store.writer import JournalWriter
from tests.journal_support import (
    LEFT,
    RIGHT,
    SMALL,
    START,
    TICK,
    Tape,
    check_truth,
    new_writer,
    opened,
    pieces,
    read_journal,
    run_started,
)

CHILD = """
import sys
from dataclasses import replace
from pathlib import Path
from tests.journal_support import LEFT, RIGHT, SMALL, TICK, Tape, new_writer, opened

writer = new_writer(replace(SMALL, data=Path(sys.argv[1]), segments=4, segment_bytes=1 << 20))
tape = Tape()
for number in range(1, 5):
    writer.open(opened(number), tape, LEFT, RIGHT)
for tick in range(1, 100_000):
    tape.head = tick * TICK
    writer.step(tick / 10)
    print(tape.head, flush=True)
"""


def test_a_killed_process_loses_nothing_that_it_had_written(tmp_path: Path) -> None:
    config = replace(SMALL, data=tmp_path, segments=4, segment_bytes=1 << 20)
    root = Path(__file__).parents[2]
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(tmp_path)], stdout=subprocess.PIPE, cwd=root)
    assert child.stdout is not None
    acknowledged = 0
    for _ in range(random.randint(1, 150)):
        acknowledged = int(child.stdout.readline())
    child.send_signal(signal.SIGKILL)
    rest = child.stdout.read().split(b"\n")[:-1]  # what it said before it was gone
    acknowledged = int(rest[-1]) if rest else acknowledged
    child.wait()
    child.stdout.close()
    disk = Disk()
    intake = read_journal(config, disk)
    for number in range(1, 5):
        found = check_truth(pieces(disk, intake.recordings[UUID(int=number)]))
        assert set(found) == {"audio"}
        assert acknowledged <= found["audio"] <= acknowledged + TICK
    writer = new_writer(config, run=2)
    assert len(writer.recovered.recordings) == 4
    writer.finish(0.0)


def test_threads_record_and_keep_a_call(tmp_path: Path) -> None:
    config = StoreConfig(tmp_path, segment_bytes=1 << 20, segments=2, write_seconds=0.01, commit_seconds=0.02)
    states: list[JournalState] = []
    committed, stop = threading.Event(), threading.Event()

    def on_state(state: JournalState) -> None:
        states.append(state)
        if state.bytes_written > 0 and state.recordings == 0:
            committed.set()

    writer = JournalWriter(config, run_started(), on_state=on_state)
    keeper = threading.Thread(target=run_keeper, args=(config, stop))
    writer.start()
    keeper.start()
    tape = Tape()
    tape.head = 10 * TICK
    writer.open(opened(1), tape, LEFT, RIGHT)
    writer.close(UUID(int=1), tape.head, START, "cleared")
    writer.stop()
    stop.set()  # it looks once more before it ends
    keeper.join()
    assert states[-1].condition is Condition.OK
    assert states[-1].recordings == 0
    assert [result.findings for result in verify(config)] == [()]


def test_a_failing_source_does_not_end_the_other_recordings(tmp_path: Path) -> None:
    class Broken(Tape):
        def read(self, slot: int, first: int, count: int) -> bytes:
            raise RuntimeError("a bug")

    config = replace(SMALL, data=tmp_path)
    tape, writer = Tape(), new_writer(config)
    broken = Broken()
    writer.open(opened(1), broken, LEFT, RIGHT)
    writer.open(opened(2), tape, LEFT, RIGHT)
    tape.head = broken.head = TICK
    writer.step(0.0)
    writer.finish(0.1)
    disk = Disk()
    assert check_truth(pieces(disk, read_journal(config, disk).recordings[UUID(int=2)])) == {"audio": TICK}
