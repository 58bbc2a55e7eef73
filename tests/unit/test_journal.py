"""The journal at every system call: killed there, cut from power there, failed there."""

import errno
import random
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from osrec.errors import StoreError, UsageError
from osrec.store.assembly import Audio, Hole
from osrec.store.block import NO_RECORDING, Block, Kind, encode
from osrec.store.config import StoreConfig
from osrec.store.disk import Disk
from osrec.store.scan import SegmentReader, list_segments
from osrec.store.segment import Segment
from osrec.store.state import Condition, JournalFullError
from osrec.store.writer import JournalWriter
from osrec_drivers.line import Gap, GapCause
from tests.journal_support import (
    LEFT,
    RIGHT,
    SMALL,
    START,
    TICK,
    Tape,
    anchor,
    check_truth,
    conversation,
    new_writer,
    note,
    opened,
    pieces,
    read_journal,
    run_started,
)
from tests.memory_disk import MemoryDisk, PowerCutError

TICKS = 24
LAST = 12 * TICK  # recording 1 ends here
SPARED = replace(SMALL, spare=Path("/spare"))


class Call:
    """Two recordings over several small segments; knows what has been acknowledged, whenever it ends."""

    def __init__(self, config: StoreConfig, disk: MemoryDisk) -> None:
        self.tape = Tape(gaps=[Gap(1000, 50, GapCause.PACKET_LOSS)])
        self.acknowledged = 0
        self.writer: JournalWriter | None = None
        self._config, self._disk = config, disk

    def run(self) -> None:
        writer = self.writer = new_writer(self._config, self._disk)
        writer.open(opened(1), self.tape, LEFT, RIGHT)
        for tick in range(1, TICKS + 1):
            self._tell(writer, tick)
            self.tape.head = tick * TICK
            writer.step(tick / 10)
            if writer.state.condition is not Condition.STOPPED:
                self.acknowledged = self.tape.head
        writer.finish(TICKS / 10)

    def _tell(self, writer: JournalWriter, tick: int) -> None:
        if tick == 3:
            writer.open(opened(2, first_sample=TICK), self.tape, LEFT, RIGHT)
            writer.note(note(2, "held", 2 * TICK, parties=[]))
        if tick == 8:
            writer.anchor(anchor("virtual:a/b", 7 * TICK))
        if tick == 10:
            writer.close(UUID(int=1), LAST, START, "cleared")
            writer.tell(conversation(1))

    def check(self, disk: MemoryDisk) -> None:
        """Everything acknowledged is there, octet for octet, and nothing else."""
        intake = read_journal(self._config, disk)
        for number, first in ((1, 0), (2, TICK)):
            due = self.due(number)
            if due == 0:
                continue
            assembly = intake.recordings[UUID(int=number)]
            assert assembly.opened == opened(number, first_sample=first)
            assert assembly.end_sample >= due
            self.check_pieces(number, pieces(disk, assembly))
        if self.acknowledged >= LAST:
            assert intake.recordings[UUID(int=1)].closed is not None
            assert [ended for _, ended in intake.told][:1] == [conversation(1)]

    def due(self, number: int) -> int:
        """One past the last sample that must be there; recording 2 was opened in the third tick."""
        if number == 1:
            return min(self.acknowledged, LAST)
        return self.acknowledged if self.acknowledged >= 3 * TICK else 0

    def check_pieces(self, number: int, found: list[Audio | Hole]) -> None:
        """What is missing is what the line lost, or was never acknowledged."""
        check_truth(found)
        for hole in found:
            if isinstance(hole, Hole):
                assert hole == Hole(1000, 50, "packet_loss") or hole.first >= self.due(number)


def count_calls() -> int:
    disk = MemoryDisk()
    Call(SMALL, disk).run()
    return disk.calls


def resume_and_check(call: Call, disk: MemoryDisk) -> None:
    """The next run finds what runs, goes on, and closes it."""
    writer = new_writer(SMALL, disk, run=2)
    numbers = {recording.opened.recording.int for recording in writer.recovered.recordings}
    if call.acknowledged >= 3 * TICK:
        assert 2 in numbers
        assert (1 in numbers) <= (call.acknowledged <= LAST)
    if call.acknowledged >= 8 * TICK:
        assert writer.recovered.anchors["virtual:a/b"] == anchor("virtual:a/b", 7 * TICK)
    tape = Tape(ring=TICK)  # its ring begins anew: what came meanwhile is lost
    tape.head = TICKS * TICK + 10 * TICK
    for recording in writer.recovered.recordings:
        assert recording.last_sample >= call.due(recording.opened.recording.int)
        writer.resume(recording.opened.recording, tape)
        writer.close(recording.opened.recording, tape.head, START, "cleared")
    writer.step(0.0)
    writer.finish(0.0)
    intake = read_journal(SMALL, disk)
    for number in numbers:
        assembly = intake.recordings[UUID(int=number)]
        assert assembly.closed is not None
        call.check_pieces(number, pieces(disk, assembly))


def cut(at: int) -> tuple[Call, MemoryDisk]:
    disk = MemoryDisk()
    disk.cut_at = at
    call = Call(SMALL, disk)
    with pytest.raises(PowerCutError):
        call.run()
    return call, disk


def test_a_live_reader_passes_a_block_longer_than_its_window(tmp_path: Path) -> None:
    segment = Segment(5, tmp_path)
    contents = [b"{}", b"{" + b" " * 300_000 + b"}", b"{}"]
    blocks = [encode(Block(Kind.RECORD, 5, number, NO_RECORDING, octets)) for number, octets in enumerate(contents)]
    segment.path.write_bytes(b"".join(blocks) + bytes(1 << 20))
    read = [block.sequence for _, block in SegmentReader(Disk(), segment).read(live=True)]
    assert read == [0, 1, 2]


def test_nothing_acknowledged_is_lost_when_the_process_is_killed_at_any_call() -> None:
    for at in range(1, count_calls() + 1):
        call, disk = cut(at)
        after = disk.after_kill()
        call.check(after)
        resume_and_check(call, after)


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
def test_nothing_acknowledged_is_lost_when_the_power_goes_at_any_call(chance: float) -> None:
    for at in range(1, count_calls() + 1):
        chooser = random.Random(at)
        call, disk = cut(at)
        after = disk.after_power_cut(lambda chooser=chooser: chooser.random() < chance)  # type: ignore[misc]
        call.check(after)
        resume_and_check(call, after)


def test_nothing_acknowledged_is_lost_when_the_power_goes_again_during_recovery() -> None:
    call, disk = cut(count_calls() * 3 // 4)
    first = disk.after_power_cut(lambda: False)
    for at in range(1, 40):
        second = first.after_kill()
        second.cut_at = at
        try:
            resume_and_check(call, second)
        except PowerCutError:
            third = second.after_power_cut(lambda: False)
            call.check(third)
            new_writer(SMALL, third, run=3).finish(0.0)
            continue
        break
    else:
        pytest.fail("the recovery never came to its end")


class Failing:
    """Lets one call fail: the `which`-th of its kind."""

    def __init__(self, kind: str, which: int, error: int) -> None:
        self.left, self._kind, self._error = which, kind, error

    def __call__(self, name: str, path: Path, number: int) -> int:
        if name != self._kind:
            return 0
        self.left -= 1
        return self._error if self.left == 0 else 0


@pytest.mark.parametrize("config", [SMALL, SPARED], ids=["alone", "with a spare"])
@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("fdatasync", errno.EIO),
        ("pwrite", errno.EIO),
        ("pwrite", errno.ENOSPC),
        ("rename", errno.EROFS),
        ("open", errno.EMFILE),
    ],
)
def test_one_failed_call_anywhere_loses_nothing(config: StoreConfig, kind: str, error: int) -> None:
    for which in range(1, 1000):
        disk = MemoryDisk()
        new_writer(config, disk).finish(0.0)
        failing = disk.fail = Failing(kind, which, error)
        call = Call(config, disk)
        call.run()
        assert call.writer is not None
        assert call.acknowledged == TICKS * TICK
        call.check(disk.after_power_cut(lambda: False))
        call.check(disk.after_kill())  # the page cache still has what the disk refused: samples are there twice
        if failing.left > 0:
            assert call.writer.state.failures == 0
            return
        assert call.writer.state.failures == 1
    pytest.fail("no run came through without a fault")


def test_a_failed_sync_is_not_tried_again_but_written_to_the_spare() -> None:
    disk = MemoryDisk()
    call = Call(SPARED, disk)
    disk.fail = lambda name, path, number: (
        errno.EIO if name == "fdatasync" and "/data" in str(path) and "seg-" in path.name else 0
    )
    call.run()
    assert call.writer is not None
    assert call.writer.state.condition is Condition.FAILED_OVER
    assert call.writer.state.failures == 1
    assert call.writer.state.directory == "/spare/journal"
    assert "/data/journal" in (call.writer.state.error or "")
    assert {str(one.directory) for one in list_segments(disk, SPARED.journals)} == {"/data/journal", "/spare/journal"}
    call.check(disk.after_power_cut(lambda: False))


def test_audio_waits_in_memory_while_no_disk_takes_it() -> None:
    disk = MemoryDisk()
    tape, writer = Tape(), new_writer(SMALL, disk)
    writer.open(opened(1), tape, LEFT, RIGHT)
    tape.head = TICK
    writer.step(0.0)
    disk.fail = lambda name, path, number: errno.EIO
    for tick in range(1, 30):
        tape.head += TICK
        writer.step(tick / 10)
    assert writer.state.condition == "stopped"
    assert not writer.accepts_new
    disk.fail = lambda name, path, number: 0
    for tick in range(30, 60):
        tape.head += TICK
        writer.step(tick / 10)
    assert writer.state.condition == "failed_over"
    assert check_truth(pieces(disk, read_journal(SMALL, disk).recordings[UUID(int=1)])) == {"audio": 60 * TICK}


def test_a_disk_that_hangs_longer_than_the_ring_costs_a_gap_with_its_cause() -> None:
    disk = MemoryDisk()
    tape, writer = Tape(ring=10 * TICK), new_writer(SMALL, disk)
    writer.open(opened(1), tape, LEFT, RIGHT)
    tape.head = TICK
    writer.step(0.0)
    tape.head = 15 * TICK
    writer.step(70.0)
    counts = check_truth(pieces(disk, read_journal(SMALL, disk).recordings[UUID(int=1)]))
    assert counts == {"audio": 11 * TICK, "journal_stalled": 4 * TICK}


def test_a_full_disk_refuses_new_recordings_while_running_ones_go_on() -> None:
    config = replace(SMALL, segments=4, reserve_seconds=1.5)
    disk = MemoryDisk(capacity=6 * SMALL.segment_bytes)
    tape, writer = Tape(), new_writer(config, disk)
    while writer.prepare():
        pass
    writer.open(opened(1), tape, LEFT, RIGHT)
    tick = 0
    while writer.accepts_new:
        tick += 1
        tape.head = tick * TICK
        writer.step(float(tick))
    state = writer.state
    assert state.condition is Condition.FULL
    assert state.capacity_seconds > config.reserve_seconds  # for what runs; one more would go below
    with pytest.raises(JournalFullError, match=r"3002 refused: the journal lasts \d+ s"):
        writer.open(opened(2), tape, LEFT, RIGHT)
    for _ in range(int(state.capacity_seconds * 10) - 1):  # to the very end of the reserve
        tick += 1
        tape.head = tick * TICK
        writer.step(float(tick))
    assert writer.state.failures == 0
    assert check_truth(pieces(disk, read_journal(config, disk).recordings[UUID(int=1)])) == {"audio": tape.head}
    for segment in list_segments(disk, config.journals)[:4]:  # the keeper lets them go
        disk.rename(segment.path, segment.directory / f"free-{segment.id:016x}.seg")
    writer.step(float(tick + 2))
    assert writer.accepts_new
    assert writer.state.condition is Condition.OK


def test_recycled_segments_show_nothing_of_their_former_life() -> None:
    disk = MemoryDisk()
    Call(SMALL, disk).run()
    old = list_segments(disk, SMALL.journals)
    for segment in old:
        disk.rename(segment.path, segment.directory / f"free-{segment.id:016x}.seg")
    tape, writer = Tape(), new_writer(SMALL, disk)
    writer.open(opened(5), tape, LEFT, RIGHT)
    tape.head = TICK
    writer.step(0.0)
    (segment,) = list_segments(disk, SMALL.journals)
    assert segment.id > old[-1].id
    assert set(read_journal(SMALL, disk).recordings) == {UUID(int=5)}
    assert disk.size(segment.path) == SMALL.segment_bytes  # never grown


def test_each_segment_tells_on_its_own_what_runs() -> None:
    disk = MemoryDisk()
    Call(SMALL, disk).run()
    *older, newest = list_segments(disk, SMALL.journals)
    for segment in older:
        disk.unlink(segment.path)
    recovered = new_writer(SMALL, disk, run=2).recovered
    (left,) = recovered.recordings
    assert left.opened == opened(2, first_sample=TICK)
    assert left.parties == []  # as the note said, in a segment that is gone
    assert left.direction == "in"
    assert left.last_sample == TICKS * TICK
    assert recovered.anchors == {"virtual:a/b": anchor("virtual:a/b", 7 * TICK)}
    assert recovered.run is not None
    assert [block.sequence for _, block in SegmentReader(disk, newest).read()][:2] == [0, 1]


def test_a_recording_not_resumed_in_time_is_closed_where_its_audio_ends() -> None:
    disk = MemoryDisk()
    Call(SMALL, disk).run()
    writer = new_writer(SMALL, disk, run=2)
    writer.step(SMALL.resume_seconds - 0.1)
    assert read_journal(SMALL, disk).recordings[UUID(int=2)].closed is None
    writer.step(SMALL.resume_seconds)
    closed = read_journal(SMALL, disk).recordings[UUID(int=2)].closed
    assert closed is not None
    assert (closed.last_sample, closed.reason) == (TICKS * TICK, "recorder_restart")


def test_a_recording_ends_exactly_where_it_was_closed_though_its_audio_is_still_to_come() -> None:
    disk = MemoryDisk()
    tape, writer = Tape(), new_writer(SMALL, disk)
    writer.open(opened(1), tape, LEFT, RIGHT)
    writer.close(UUID(int=1), 1234, START, "cleared")
    tape.head = TICK
    writer.step(0.0)
    assert read_journal(SMALL, disk).recordings[UUID(int=1)].closed is None
    tape.head = 2 * TICK
    writer.step(0.1)
    assembly = read_journal(SMALL, disk).recordings[UUID(int=1)]
    assert assembly.closed is not None
    assert check_truth(pieces(disk, assembly)) == {"audio": 1234}
    writer.step(1.2)
    assert writer.state.recordings == 0


def test_a_stop_writes_everything_up_to_now() -> None:
    disk = MemoryDisk()
    tape, writer = Tape(), new_writer(replace(SMALL, commit_seconds=0.5), disk)
    writer.open(opened(1), tape, LEFT, RIGHT)
    writer.step(0.0)
    tape.head = 20 * TICK
    writer.close(UUID(int=1), 1 << 40, START, "recorder_stopped")
    writer.finish(0.1)
    after = disk.after_power_cut(lambda: False)
    assembly = read_journal(SMALL, after).recordings[UUID(int=1)]
    assert check_truth(pieces(after, assembly)) == {"audio": 20 * TICK}
    assert assembly.closed is not None
    assert assembly.closed.last_sample == 20 * TICK


def test_a_resumed_recording_goes_on_behind_a_gap_that_says_why() -> None:
    disk = MemoryDisk()
    Call(SMALL, disk).run()
    tape, writer = Tape(ring=TICK), new_writer(SMALL, disk.after_kill(), run=2)
    tape.head = (TICKS + 10) * TICK
    disk = disk.after_kill()
    writer = new_writer(SMALL, disk, run=2)
    writer.resume(UUID(int=2), tape)
    writer.note(note(2, "transferred", tape.head, direction="out"))
    writer.close(UUID(int=2), tape.head, START, "cleared")
    writer.finish(0.0)
    assembly = read_journal(SMALL, disk).recordings[UUID(int=2)]
    assert check_truth(pieces(disk, assembly)) == {
        "audio": (TICKS - 1) * TICK - 50 + TICK,
        "packet_loss": 50,
        "recorder_restart": 9 * TICK,
    }
    assert [one.event.kind for one in assembly.notes] == ["held", "transferred"]


def test_only_what_an_earlier_run_left_can_be_resumed() -> None:
    writer = new_writer(SMALL, MemoryDisk())
    with pytest.raises(UsageError, match="cannot be resumed"):
        writer.resume(UUID(int=77), Tape())


def test_a_record_too_long_for_a_segment_does_not_stop_the_journal() -> None:
    disk = MemoryDisk()
    tape, writer = Tape(), new_writer(SMALL, disk)
    writer.open(opened(1), tape, LEFT, RIGHT)
    writer.tell(conversation(1, reason="x" * SMALL.segment_bytes))
    writer.tell(conversation(2))
    tape.head = TICK
    writer.step(0.0)
    intake = read_journal(SMALL, disk)
    assert [ended for _, ended in intake.told] == [conversation(2)]
    assert check_truth(pieces(disk, intake.recordings[UUID(int=1)])) == {"audio": TICK}
    assert writer.state.failures == 0


def test_a_journal_has_one_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("osrec.store.takeover._PATIENCE", 0.0)
    config = replace(SMALL, data=tmp_path)
    first = new_writer(config)
    with pytest.raises(StoreError, match=r"writer\.lock: another recorder writes this journal"):
        new_writer(config)
    first.finish(0.0)
    new_writer(config).finish(0.0)


def test_recording_begins_on_the_spare_when_the_first_directory_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "journal").write_bytes(b"a file where a directory should be")
    config = replace(SMALL, data=tmp_path / "data", spare=tmp_path / "spare")
    tape, writer = Tape(), new_writer(config)
    assert writer.state.condition is Condition.FAILED_OVER
    assert str(config.journal) in (writer.state.error or "")
    writer.open(opened(1), tape, LEFT, RIGHT)
    tape.head = TICK
    writer.step(0.0)
    assert writer.state.directory == str(tmp_path / "spare" / "journal")
    writer.finish(0.0)


def newest_only(disk: MemoryDisk) -> MemoryDisk:
    after = disk.after_kill()
    for segment in list_segments(after, SMALL.journals)[:-1]:
        after.unlink(segment.path)
    return after


def test_a_recording_not_yet_resumed_is_offered_to_the_next_run_too() -> None:
    disk = MemoryDisk()
    Call(SMALL, disk).run()
    second = new_writer(SMALL, disk, run=2)
    second.step(0.0)
    (left,) = new_writer(SMALL, newest_only(disk), run=3).recovered.recordings
    assert left.opened == opened(2, first_sample=TICK)
    assert left.parties == []


def test_a_segment_that_begins_just_behind_an_end_does_not_tell_of_it_as_running() -> None:
    for tick in range(1, 24):
        disk = MemoryDisk()
        tape, writer = Tape(), new_writer(replace(SMALL, commit_seconds=60.0), disk)
        writer.open(opened(1), tape, LEFT, RIGHT)
        writer.open(opened(2), tape, LEFT, RIGHT)
        for now in range(1, tick + 1):
            tape.head = now * TICK
            if now == tick:
                writer.close(UUID(int=1), tape.head, START, "cleared")
            writer.step(now / 10)
        recovered = new_writer(SMALL, newest_only(disk), run=2).recovered
        assert [one.opened.recording.int for one in recovered.recordings] == [2]


def test_a_recording_that_ended_too_long_ago_is_closed_at_once() -> None:
    disk = MemoryDisk()
    Call(SMALL, disk).run()
    later = int(START.timestamp() + 3600) * 1_000_000_000
    writer = JournalWriter(SMALL, run_started(2), disk=disk, monotonic=lambda: 0.0, wall_ns=lambda: later)
    assert writer.recovered.recordings == ()
    writer.step(0.0)
    closed = read_journal(SMALL, disk).recordings[UUID(int=2)].closed
    assert closed is not None
    assert (closed.last_sample, closed.reason) == (TICKS * TICK, "recorder_stopped")
