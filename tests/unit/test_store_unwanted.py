"""Audio that must not be kept: paused, on demand and not asked for, or never; and what survives kill -9."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random
from uuid import UUID

import pytest

from osrec.store.config import StoreConfig
from osrec.store.disk import Disk
from osrec.store.index import Index
from osrec.store.keeper import Keeper
from osrec.store.media import read_octets
from osrec.store.reconcile import reconcile
from osrec.store.records import Decision, Dropped, Erased, Kept
from osrec.store.scan import list_segments
from osrec.store.sidecar import Sidecar, read_sidecar
from osrec.store.verify import verify
from osrec.store.writer import JournalWriter
from tests.journal_support import (
    LEFT,
    RIGHT,
    SMALL,
    START,
    TICK,
    Tape,
    new_writer,
    note,
    opened,
    read_journal,
)

ONE = UUID(int=1)
IDLE = 0xD5
PIECE = 100  # octets
NOISE = {slot: Random(slot).randbytes(600 * TICK) for slot in (LEFT, RIGHT)}


def octets_of(slot: int, first: int, count: int) -> bytes:
    """What the tape carries: no piece of it comes twice."""
    return NOISE[slot][first : first + count]


class NoisyTape(Tape):
    def read(self, slot: int, first: int, count: int) -> bytes:
        super().read(slot, first, count)  # refuses what it would refuse
        return octets_of(slot, first, count)


@pytest.fixture
def config(tmp_path: Path) -> StoreConfig:
    return replace(SMALL, data=tmp_path / "data", segments=3)


class Run:
    """A recorder's run with one recording, tick by tick."""

    def __init__(
        self, config: StoreConfig, *, provisional: bool = False, run: int = 1, tape: Tape | None = None
    ) -> None:
        self.tape = tape or NoisyTape()
        self.writer: JournalWriter = new_writer(config, run=run)
        self.tick = self.tape.head // TICK
        if tape is None:
            rule = Decision(action="on_demand" if provisional else "record", rule="r", version="1")
            self.writer.open(opened(1, provisional=provisional, decision=rule), self.tape, LEFT, RIGHT)
        else:
            self.writer.resume(ONE, self.tape)

    def ticks(self, count: int) -> "Run":
        for _ in range(count):
            self.tick += 1
            self.tape.head = self.tick * TICK
            self.writer.step(self.tick / 10)
        return self

    def pause(self, sample: int) -> "Run":
        self.writer.note(note(1, "pause", sample, paused=True))
        return self

    def go_on(self, sample: int) -> "Run":
        self.writer.note(note(1, "resume", sample, paused=False))
        return self

    def keep(self, sample: int | None) -> "Run":
        self.writer.keep(Kept(recording=ONE, at=START, first_sample=sample, by="somebody"))
        return self

    def erase(self, sample: int) -> "Run":
        self.writer.erase(Erased(recording=ONE, at=START, first_sample=sample))
        return self

    def close(self) -> None:
        self.writer.close(ONE, self.tape.head, START + timedelta(seconds=10), "cleared")
        self.writer.step(self.tick / 10)
        self.writer.finish(self.tick / 10)

    def kill(self) -> None:
        """As kill -9: what was not written is gone."""
        self.writer._journal.close()
        for lock in self.writer._locks:
            self.writer._disk.close(lock)


def keep(config: StoreConfig, *times: float) -> None:
    keeper = Keeper(config, now=lambda: START)
    try:
        for now in times or (0.0, 1.0):
            keeper.step(now)
    finally:
        keeper.close()


def stored(config: StoreConfig) -> tuple[Sidecar, bytes]:
    """Its sidecar, and the octets of its left side."""
    with Index(config.index) as index:
        (row,) = index.search().rows
    sidecar = read_sidecar(config.media / row.sidecar)
    return sidecar, b"".join(left for left, _ in read_octets(config.media / row.media_file))


def on_disk(config: StoreConfig, first: int, end: int) -> list[int]:
    """Samples from which on the disk has some of the tape, of those in a span."""
    contents = [path.read_bytes() for path in config.data.rglob("*") if path.is_file()]
    starts = range(first, end - PIECE + 1, PIECE)
    pieces = {at: [octets_of(slot, at, PIECE) for slot in (LEFT, RIGHT)] for at in starts}
    return [at for at, both in pieces.items() if any(piece in content for content in contents for piece in both)]


def dropped(config: StoreConfig) -> list[Dropped]:
    with Index(config.index) as index:
        return index.facts(Dropped)


# --- paused


def test_a_pause_is_a_gap_from_its_exact_sample_to_its_exact_sample(config: StoreConfig) -> None:
    Run(config).ticks(3).pause(3 * TICK + 17).ticks(4).go_on(6 * TICK + 5).ticks(3).close()
    keep(config)
    sidecar, left = stored(config)
    first, end = 3 * TICK + 17, 6 * TICK + 5
    assert [gap.model_dump() for gap in sidecar.gaps] == [{"first": first, "count": end - first, "cause": "paused"}]
    assert left[:first] == octets_of(LEFT, 0, first)
    assert set(left[first:end]) == {IDLE}
    assert left[end:] == octets_of(LEFT, end, 10 * TICK - end)
    assert on_disk(config, first, end) == []
    assert [one.findings for one in verify(config)] == [()]


def test_audio_in_a_pause_is_found_by_verify(config: StoreConfig) -> None:
    Run(config).ticks(3).pause(3 * TICK).ticks(3).go_on(6 * TICK).ticks(3).close()
    keep(config)
    path = next(config.media.rglob("*.json"))
    sidecar = read_sidecar(path)
    (gap,) = sidecar.gaps
    moved = sidecar.model_copy(update={"gaps": [gap.model_copy(update={"first": gap.first - 1})]})
    path.write_text(moved.model_dump_json())
    (found,) = verify(config)
    assert any("has audio between samples 2399 and 4799, where it was paused" in one for one in found.findings)


def test_the_line_is_not_even_read_while_paused(config: StoreConfig) -> None:
    run = Run(config).ticks(2).pause(2 * TICK)
    read: list[int] = []
    original: Callable[[int, int, int], bytes] = run.tape.read

    def listening(slot: int, first: int, count: int) -> bytes:
        read.append(first)
        return original(slot, first, count)

    run.tape.read = listening  # type: ignore[method-assign]
    run.ticks(4)
    assert read == []
    run.close()


def test_octets_that_were_written_before_the_pause_was_known_are_taken_out_again(config: StoreConfig) -> None:
    run = Run(config).ticks(5).pause(3 * TICK)  # the writer was quicker than the request by two ticks
    assert on_disk(config, 3 * TICK, 5 * TICK) != []
    run.ticks(1)
    keep(config)  # while it runs
    assert on_disk(config, 3 * TICK, 5 * TICK) == []
    assert on_disk(config, 0, 3 * TICK) != []
    run.ticks(3).go_on(9 * TICK).ticks(1).close()
    keep(config)
    sidecar, left = stored(config)
    assert [(gap.first, gap.count, gap.cause) for gap in sidecar.gaps] == [(3 * TICK, 6 * TICK, "paused")]
    assert left[: 3 * TICK] == octets_of(LEFT, 0, 3 * TICK)


def test_a_recorder_that_is_killed_while_paused_finds_it_paused(config: StoreConfig) -> None:
    run = Run(config).ticks(3).pause(3 * TICK).ticks(2)
    run.kill()
    run.tape.head += 5 * TICK
    again = Run(config, run=2, tape=run.tape)
    (found,) = again.writer.recovered.recordings
    assert found.paused
    again.ticks(30)  # several segments on
    again.go_on(40 * TICK).ticks(2).close()
    keep(config)
    sidecar, _ = stored(config)
    assert [(gap.first, gap.count, gap.cause) for gap in sidecar.gaps] == [(3 * TICK, 37 * TICK, "paused")]
    assert on_disk(config, 3 * TICK, 40 * TICK) == []


def test_each_segment_says_again_that_it_is_paused_and_kept(config: StoreConfig) -> None:
    run = Run(config, provisional=True).ticks(1).keep(None).pause(TICK).ticks(500)
    assert len(list_segments(Disk(), config.journals)) > 2
    for segment in list_segments(Disk(), config.journals)[:-1]:
        segment.path.unlink()
    run.kill()
    (found,) = new_writer(config, run=2).recovered.recordings
    assert found.paused
    assert found.kept is not None


def test_a_failed_disk_does_not_put_paused_audio_into_the_next_segment(config: StoreConfig) -> None:
    run = Run(config).ticks(2).pause(2 * TICK).ticks(2)
    run.writer._running[ONE].restore()  # as after an fdatasync that failed
    run.ticks(2).close()
    keep(config)
    assert on_disk(config, 2 * TICK, 6 * TICK) == []


# --- on demand


def test_a_provisional_recording_that_nobody_asked_for_is_overwritten_and_told(config: StoreConfig) -> None:
    Run(config, provisional=True).ticks(10).close()
    assert on_disk(config, 0, 10 * TICK) != []
    keep(config)
    assert on_disk(config, 0, 10 * TICK) == []
    assert not list(config.media.rglob("*.*"))
    (part,) = dropped(config)
    assert (part.recording, part.cause, part.whole) == (ONE, "not_kept", True)
    assert part.until - part.since == timedelta(seconds=1)


@pytest.mark.parametrize(("sample", "first"), [(None, 0), (4 * TICK + 3, 4 * TICK + 3), (-5, 0)])
def test_one_that_was_asked_for_is_kept_from_that_sample_on(
    config: StoreConfig, sample: int | None, first: int
) -> None:
    Run(config, provisional=True).ticks(6).keep(sample).ticks(4).close()
    keep(config)
    sidecar, left = stored(config)
    assert left == octets_of(LEFT, first, 10 * TICK - first)
    assert sidecar.first_sample == first
    assert sidecar.started == opened(1).at + timedelta(seconds=first / 8000)
    assert sidecar.kept is not None
    assert sidecar.kept.by == "somebody"
    assert on_disk(config, 0, first) == []
    assert [one.whole for one in dropped(config)] == ([False] if first else [])


def test_who_asks_for_more_gets_it_and_who_asks_for_less_takes_nothing_away(config: StoreConfig) -> None:
    Run(config, provisional=True).ticks(5).keep(4 * TICK).keep(None).keep(3 * TICK).ticks(5).close()
    keep(config)
    assert stored(config)[1] == octets_of(LEFT, 0, 10 * TICK)


def test_what_was_asked_for_survives_a_kill_and_a_keeper_that_has_to_finish_it(config: StoreConfig) -> None:
    Run(config, provisional=True).ticks(5).keep(2 * TICK).ticks(1).kill()
    keep(config, 0.0, config.resume_seconds + 1)
    assert stored(config)[1] == octets_of(LEFT, 2 * TICK, 4 * TICK)


def test_a_recorder_that_does_not_go_on_with_it_yet_says_again_that_it_is_kept(config: StoreConfig) -> None:
    Run(config, provisional=True).ticks(2).keep(None).ticks(1).kill()
    writer, tape = new_writer(config, run=2), NoisyTape()
    writer.open(opened(2), tape, LEFT, RIGHT)
    for tick in range(1, 60):  # several segments
        tape.head = tick * TICK
        writer.step(tick / 10)
    for segment in list_segments(Disk(), config.journals)[:-1]:
        segment.path.unlink()
    writer._journal.close()
    for lock in writer._locks:
        writer._disk.close(lock)
    found = new_writer(config, run=3).recovered.recordings
    assert [one.kept is not None for one in found if one.opened.recording == ONE] == [True]


def test_what_nobody_asked_for_is_dropped_when_its_recorder_never_comes_back(config: StoreConfig) -> None:
    Run(config, provisional=True).ticks(6).kill()
    keep(config, 0.0, config.resume_seconds - 1)
    assert on_disk(config, 0, 6 * TICK) != []  # somebody may still ask for it
    keep(config, 0.0, config.resume_seconds + 1)
    assert on_disk(config, 0, 6 * TICK) == []
    assert [one.cause for one in dropped(config)] == ["not_kept"]
    (entry,) = reconcile(config).entries  # its conversation is not forgotten
    assert (entry.kind, entry.reason) == ("not_recorded", "not_kept")


# --- never


def test_a_recording_that_may_never_be_is_overwritten_whole(config: StoreConfig) -> None:
    run = Run(config).ticks(4).erase(0)
    run.ticks(4).close()
    keep(config)
    assert on_disk(config, 0, 8 * TICK) == []
    assert [(one.cause, one.whole) for one in dropped(config)] == [("never", True)]


def test_one_that_may_no_more_be_from_some_sample_on_ends_there(config: StoreConfig) -> None:
    run = Run(config).ticks(6).erase(4 * TICK + 9)
    run.ticks(3).close()
    keep(config)
    sidecar, left = stored(config)
    assert left == octets_of(LEFT, 0, 4 * TICK + 9)
    assert sidecar.reason == "a rule says never"
    assert on_disk(config, 4 * TICK + 9, 9 * TICK) == []
    assert [(one.cause, one.whole) for one in dropped(config)] == [("never", False)]


def test_a_recorder_killed_before_it_could_close_an_erased_recording_does_not_go_on_with_it(
    config: StoreConfig,
) -> None:
    run = Run(config).ticks(7)
    run.writer._records.append(Erased(recording=ONE, at=START, first_sample=2 * TICK))  # the last that was written
    run.writer.step(0.7)
    run.kill()
    writer = new_writer(config, run=2)
    assert writer.recovered.recordings == ()
    writer.finish(0.0)
    keep(config)
    assert on_disk(config, 2 * TICK, 7 * TICK) == []  # that does not wait
    keep(config, 0.0, 2 * config.resume_seconds + 1)
    assert stored(config)[1] == octets_of(LEFT, 0, 2 * TICK)


# --- the keeper, stopped at any step


class StoppedError(BaseException):
    """kill -9."""


class StoppingDisk(Disk):
    def __init__(self, stop_at: int) -> None:
        self.calls, self._stop_at = 0, stop_at

    def pwrite(self, fd: int, octets: bytes | memoryview, offset: int) -> int:
        self.calls += 1
        if self.calls == self._stop_at:
            raise StoppedError
        return super().pwrite(fd, octets, offset)

    def rename(self, old: Path, new: Path) -> None:
        self.calls += 1
        if self.calls == self._stop_at:
            raise StoppedError
        super().rename(old, new)


@pytest.mark.parametrize("kept_from", [None, 3 * TICK])
def test_a_keeper_stopped_at_any_step_ends_with_nothing_unwanted_and_everything_told_once(
    config: StoreConfig, tmp_path: Path, kept_from: int | None
) -> None:
    for stop_at in range(1, 100):
        one = replace(config, data=tmp_path / f"stop{stop_at}")
        run = Run(one, provisional=True).ticks(6)
        if kept_from is not None:
            run.keep(kept_from)
        run.ticks(1).close()
        disk = StoppingDisk(stop_at)
        with suppress(StoppedError):
            keeper = Keeper(one, disk=disk, now=lambda: START)
            try:
                keeper.step(0.0)
            finally:
                keeper.close()
        keep(one)
        assert on_disk(one, 0, kept_from or 7 * TICK) == []
        assert [part.whole for part in dropped(one)] == [kept_from is None]
        assert [found.findings for found in verify(one)] == ([] if kept_from is None else [()])
        if disk.calls < stop_at:
            return
    pytest.fail("no run came through without being stopped")


def test_the_journal_of_a_dropped_recording_can_still_be_read(config: StoreConfig) -> None:
    """Overwritten blocks are whole blocks: nothing is taken for damage."""
    run = Run(config).ticks(5).pause(3 * TICK).ticks(1)
    keep(config)
    run.kill()
    assembly = read_journal(config, Disk()).recordings[ONE]
    assert all(hole.cause != "journal_damaged" for hole in assembly._holes)
