"""The keeper: stopped at every step, and begun again, it ends with the same files and rows."""

import errno
import hashlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import soundfile

from osrec.errors import StoreError
from osrec.store.assembly import Assembly
from osrec.store.config import StoreConfig
from osrec.store.disk import Disk
from osrec.store.index import Index
from osrec.store.keeper import Keeper
from osrec.store.media import Written, read_octets, read_peaks, write_media
from osrec.store.publish import Made, make
from osrec.store.scan import list_segments
from osrec.store.sidecar import Sidecar, read_sidecar
from osrec.store.verify import verify
from osrec_drivers.line import Gap, GapCause
from tests.journal_support import (
    LEFT,
    RIGHT,
    SMALL,
    START,
    TICK,
    Tape,
    conversation,
    new_writer,
    note,
    octets_of,
    opened,
)

LINE_GAP = Gap(1000, 50, GapCause.PACKET_LOSS)


class StoppedError(BaseException):
    """kill -9: nobody may catch this."""


class StoppingDisk(Disk):
    """The process ends before the n-th call that changes something; or that call fails."""

    def __init__(self, stop_at: int = 0, fail_at: int = 0) -> None:
        self.calls, self._stop_at, self._fail_at = 0, stop_at, fail_at

    def _count(self) -> None:
        self.calls += 1
        if self.calls == self._stop_at:
            raise StoppedError
        if self.calls == self._fail_at:
            raise OSError(errno.ENOSPC, "No space left on device")

    def pwrite(self, fd: int, octets: bytes | memoryview, offset: int) -> int:
        self._count()
        return super().pwrite(fd, octets, offset)

    def fsync(self, fd: int) -> None:
        self._count()
        super().fsync(fd)

    def rename(self, old: Path, new: Path) -> None:
        self._count()
        super().rename(old, new)

    def unlink(self, path: Path) -> None:
        self._count()
        super().unlink(path)

    def sync_directory(self, directory: Path) -> None:
        self._count()
        super().sync_directory(directory)


@pytest.fixture
def config(tmp_path: Path) -> StoreConfig:
    return replace(SMALL, data=tmp_path / "data", segments=3)


def record(config: StoreConfig, *numbers: int, close: bool = True, ticks: int = 10, **changes: object) -> None:
    """A run of the recorder that records so many calls at once."""
    tape, writer = Tape(gaps=[LINE_GAP]), new_writer(config)
    for number in numbers:
        writer.open(opened(number, **changes), tape, LEFT, RIGHT)  # type: ignore[arg-type]
    for tick in range(1, ticks + 1):
        tape.head = tick * TICK
        writer.step(tick / 10)
    for number in numbers:
        writer.note(note(number, "transferred", 4 * TICK, direction="out", conversation=UUID(int=500 + number)))
        if close:
            writer.close(UUID(int=number), tape.head, START + timedelta(seconds=10), "cleared")
            writer.tell(conversation(number))
    writer.step(ticks / 10)
    writer.finish(ticks / 10)


def keep(config: StoreConfig, disk: Disk | None = None, *times: float) -> None:
    keeper = Keeper(config, disk=disk, now=lambda: START)
    try:
        for now in times or (0.0,):
            keeper.step(now)
    finally:
        keeper.close()


def sidecar_of(config: StoreConfig, number: int) -> tuple[Path, Sidecar]:
    with Index(config.index) as index:
        path = config.media / index.get(str(UUID(int=number))).sidecar
    return path, read_sidecar(path)


def octets(path: Path) -> tuple[bytes, bytes]:
    left, right = zip(*read_octets(path), strict=True)
    return b"".join(left), b"".join(right)


def expected(slot: int, count: int, *gaps: tuple[int, int], idle: int = 0xD5) -> bytes:
    line = bytearray(octets_of(slot, 0, count))
    for first, length in gaps:
        line[first : first + length] = bytes([idle]) * length
    return bytes(line)


def files(config: StoreConfig) -> Iterator[str]:
    for path in sorted(config.media.rglob("*")):
        if path.is_file():
            yield path.relative_to(config.media).as_posix()


def test_a_recording_becomes_media_peaks_sidecar_and_row(config: StoreConfig) -> None:
    record(config, 1)
    keep(config)
    path, sidecar = sidecar_of(config, 1)
    name = str(UUID(int=1))
    assert list(files(config)) == [f"2026/01/02/{name}.{end}" for end in ("flac", "json", "peaks")]
    left, right = expected(LEFT, 10 * TICK, (1000, 50)), expected(RIGHT, 10 * TICK, (1000, 50))
    assert octets(path.with_name(sidecar.media.file)) == (left, right)
    assert sidecar.media.octets_sha256.left == hashlib.sha256(left).hexdigest()
    assert sidecar.media.octets_sha256.right == hashlib.sha256(right).hexdigest()
    assert sidecar.sample_count == 10 * TICK
    assert [gap.model_dump() for gap in sidecar.gaps] == [{"first": 1000, "count": 50, "cause": "packet_loss"}]
    assert sidecar.direction == "out"  # as the note said
    assert sidecar.conversation == UUID(int=501)
    assert [(event.kind, event.sample) for event in sidecar.events] == [("transferred", 4 * TICK)]
    assert (sidecar.reason, sidecar.flags) == ("cleared", [])
    assert sidecar.started == opened(1).at
    assert len(read_peaks(path.with_name(sidecar.peaks.file).read_bytes())) == 10 * TICK // 160
    assert [result.findings for result in verify(config)] == [()]


def test_samples_count_from_the_beginning_of_the_recording_in_the_sidecar(config: StoreConfig) -> None:
    record(config, 1, first_sample=500)
    keep(config)
    _, sidecar = sidecar_of(config, 1)
    assert sidecar.first_sample == 500
    assert sidecar.gaps[0].first == 500
    assert sidecar.events[0].sample == 4 * TICK - 500
    assert sidecar.sample_count == 10 * TICK - 500


def test_ulaw_is_kept_as_received(config: StoreConfig) -> None:
    record(config, 1, codec="ulaw")
    keep(config)
    path, sidecar = sidecar_of(config, 1)
    assert sidecar.media.file.endswith(".wav")
    assert octets(path.with_name(sidecar.media.file))[0] == expected(LEFT, 10 * TICK, (1000, 50), idle=0xFF)
    assert [result.findings for result in verify(config)] == [()]


def test_segments_are_released_only_when_all_in_them_is_stored(config: StoreConfig) -> None:
    disk = Disk()
    record(config, 1, 2, ticks=40)
    before = list_segments(disk, config.journals)
    assert len(before) > 3
    keep(config)
    assert list_segments(disk, config.journals) == before[-1:]  # the newest tells where the lines stood
    names = [name for name in disk.names(config.journal) if name.startswith("free-")]
    assert len(names) == config.segments  # the others were deleted


def test_a_running_recording_keeps_its_segments(config: StoreConfig) -> None:
    record(config, 1, ticks=30, close=False)
    before = list_segments(Disk(), config.journals)
    keep(config)
    assert list_segments(Disk(), config.journals) == before


def test_stopped_at_any_step_and_begun_again_it_comes_to_the_same_end(config: StoreConfig, tmp_path: Path) -> None:
    for stop_at in range(1, 200):
        one = replace(config, data=tmp_path / str(stop_at))
        record(one, 1, 2, ticks=12)
        disk = StoppingDisk(stop_at)
        with suppress(StoppedError):
            keep(one, disk)
        keep(one)
        assert [result.findings for result in verify(one)] == [(), ()]
        assert len(list(files(one))) == 6
        for number in (1, 2):
            path, sidecar = sidecar_of(one, number)
            assert octets(path.with_name(sidecar.media.file))[1] == expected(RIGHT, 12 * TICK, (1000, 50))
        with Index(one.index) as index:
            assert {found.id.int for found in index.conversations().rows} == {101, 102}
        assert len(list_segments(Disk(), one.journals)) == 1
        if disk.calls < stop_at:
            return
    pytest.fail("no run came through without being stopped")


@pytest.mark.parametrize("method", ["put", "tell"])
@pytest.mark.parametrize("before", [True, False])
def test_stopped_around_the_row_it_comes_to_the_same_end(
    config: StoreConfig, monkeypatch: pytest.MonkeyPatch, method: str, before: bool
) -> None:
    record(config, 1)
    real = getattr(Index, method)

    def stop(self: Index, *arguments: object) -> None:
        if not before:
            real(self, *arguments)
        raise StoppedError

    with monkeypatch.context() as patch:
        patch.setattr(Index, method, stop)
        with pytest.raises(StoppedError):
            keep(config)
    keep(config)
    assert [result.findings for result in verify(config)] == [()]
    with Index(config.index) as index:
        assert len(index.search().rows) == len(index.conversations().rows) == 1


def test_a_call_that_fails_leaves_the_recording_in_the_journal_for_the_next_attempt(
    config: StoreConfig, tmp_path: Path
) -> None:
    for fail_at in range(1, 200):
        one = replace(config, data=tmp_path / str(fail_at))
        record(one, 1)
        disk = StoppingDisk(fail_at=fail_at)
        with suppress(OSError, StoreError):
            keep(one, disk)
        keep(one)
        assert [result.findings for result in verify(one)] == [()]
        if disk.calls < fail_at:
            return
    pytest.fail("no run came through without a failure")


def test_one_recording_that_cannot_be_stored_does_not_hold_up_the_others(
    config: StoreConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(config, 1, 2)

    def refuse_the_first(disk: Disk, config: StoreConfig, assembly: Assembly) -> Made:
        if assembly.recording == UUID(int=1):
            raise StoreError("not this one")
        return make(disk, config, assembly)

    with monkeypatch.context() as patch:
        patch.setattr("osrec.store.keeper.make", refuse_the_first)
        keep(config)
    with Index(config.index) as index:
        assert [row.id.int for row in index.search().rows] == [2]
    keep(config)
    assert len([result for result in verify(config) if result.intact]) == 2


def test_a_recording_that_nobody_goes_on_with_is_stored_when_its_recorder_is_gone(config: StoreConfig) -> None:
    record(config, 1, close=False)
    keep(config, None, 0.0, config.resume_seconds - 1)
    with Index(config.index) as index:
        assert index.search().rows == ()
    keep(config, None, 0.0, config.resume_seconds + 1)
    _, sidecar = sidecar_of(config, 1)
    assert (sidecar.reason, sidecar.flags, sidecar.sample_count) == ("left_open", ["left_open"], 10 * TICK)
    writer = new_writer(config, run=2)
    assert writer.recovered.recordings == ()
    writer.finish(0.0)


def test_a_recording_left_open_is_not_touched_while_a_recorder_runs(config: StoreConfig) -> None:
    record(config, 1, close=False)
    writer = new_writer(config, run=2)
    keep(config, None, 0.0, config.resume_seconds + 1)
    with Index(config.index) as index:
        assert index.search().rows == ()
    assert not list(config.media.rglob(".new-*"))
    writer.finish(0.0)


def test_damaged_blocks_become_a_gap_and_nothing_else(config: StoreConfig) -> None:
    record(config, 1)
    (segment,) = list_segments(Disk(), config.journals)
    octets_of_segment = bytearray(segment.path.read_bytes())
    at = octets_of_segment.index(octets_of(LEFT, 3 * TICK, 100))
    octets_of_segment[at] ^= 1
    segment.path.write_bytes(octets_of_segment)
    keep(config, None, 0.0, 0.5)  # a hole in the newest segment is believed when it is seen twice
    path, sidecar = sidecar_of(config, 1)
    assert [(gap.first, gap.count, gap.cause) for gap in sidecar.gaps] == [
        (1000, 50, "packet_loss"),
        (3 * TICK, TICK, "journal_damaged"),
    ]
    assert sidecar.flags == ["journal_damaged"]
    assert octets(path.with_name(sidecar.media.file))[0] == expected(LEFT, 10 * TICK, (1000, 50), (3 * TICK, TICK))


def test_audio_whose_description_is_lost_is_kept(config: StoreConfig) -> None:
    record(config, 1)
    (segment,) = list_segments(Disk(), config.journals)
    content = segment.path.read_bytes()
    segment.path.write_bytes(content.replace(b'"kind":"opened"', b'"kind":"OPENED"'))
    keep(config, None, 0.0, 0.5, 1.0)  # two holes, each believed when it is seen twice
    _, sidecar = sidecar_of(config, 1)
    assert sidecar.flags == ["metadata_lost"]
    assert (sidecar.station, sidecar.sample_count) == ("", 10 * TICK)


def test_two_keepers_do_not_work_on_one_directory(config: StoreConfig) -> None:
    keeper = Keeper(config)
    with pytest.raises(StoreError, match="another keeper runs"):
        Keeper(config)
    keeper.close()


def test_a_foreign_file_among_the_media_is_left_alone(config: StoreConfig) -> None:
    record(config, 1)
    keep(config)
    day = config.media / "2026" / "01" / "02"
    (day / "notes.json").write_text("{}")
    (day / f"{UUID(int=9)}.json").write_text("{}")
    keep(config)
    assert (day / "notes.json").exists()
    assert sum(not result.intact for result in verify(config)) == 2


def test_a_recording_without_a_single_sample_is_stored_too(config: StoreConfig) -> None:
    writer = new_writer(config)
    writer.open(opened(1), Tape(), LEFT, RIGHT)
    writer.close(UUID(int=1), 0, START, "cleared")
    writer.finish(0.0)
    keep(config)
    _, sidecar = sidecar_of(config, 1)
    assert (sidecar.sample_count, sidecar.media.format, sidecar.gaps) == (0, "wav", [])
    assert [result.findings for result in verify(config)] == [()]


def test_what_a_crash_left_half_made_is_removed(config: StoreConfig) -> None:
    record(config, 1)
    keep(config)
    left = config.media / "2026" / "01" / "02" / f".new-{UUID(int=9)}.flac"
    left.write_bytes(b"half")
    keep(config)
    assert not left.exists()


def test_a_sidecar_without_a_row_gets_one(config: StoreConfig) -> None:
    record(config, 1)
    record(config, 2)  # in a later segment, so that nothing of the first is left in the journal
    keep(config)
    for path in config.data.glob("index.sqlite*"):
        path.unlink()
    for segment in list_segments(Disk(), config.journals):
        segment.path.unlink()
    keep(config)
    assert [result.findings for result in verify(config)] == [(), ()]


def test_a_file_that_does_not_give_the_octets_back_is_not_taken_for_the_recording(
    config: StoreConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(config, 1)

    def write_wrongly(media: Path, *arguments: Any, **options: Any) -> Written:
        written = write_media(media, *arguments, **options)
        samples, rate = soundfile.read(media, dtype="int16")
        soundfile.write(media, samples[:, ::-1], rate, "PCM_16", format="FLAC")
        return written

    with monkeypatch.context() as patch:
        patch.setattr("osrec.store.publish.write_media", write_wrongly)
        keep(config)
    assert list(files(config)) == []
    keep(config)
    assert [result.findings for result in verify(config)] == [()]


def test_a_recording_that_goes_on_at_the_last_moment_is_not_published(config: StoreConfig) -> None:
    class Racing(Disk):
        """A recorder comes, goes on with the recording, and is gone again, just before the keeper locks it out."""

        raced = False

        def lock(self, path: Path) -> int:
            if path.name == "writer.lock" and not self.raced:
                self.raced = True
                writer, tape = new_writer(config, run=2), Tape()
                tape.head = 12 * TICK
                writer.resume(UUID(int=1), tape)
                writer.finish(0.0)
            return super().lock(path)

    record(config, 1, close=False)
    keep(config, Racing(), 0.0, config.resume_seconds + 1)
    assert list(files(config)) == []
    keep(config, None, 0.0, config.resume_seconds + 1)
    assert sidecar_of(config, 1)[1].sample_count == 12 * TICK
