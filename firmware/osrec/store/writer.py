"""The writer: a thread that takes the audio of all running recordings out of the lines' rings into the journal.

A disk that hangs blocks this thread only. Audio counts as written when its commit returned; until then it can still be
read from the ring, which holds a minute, and after a failure it is written once more to a new segment.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from queue import Empty, SimpleQueue
from uuid import UUID

import structlog

from osrec.errors import UsageError
from osrec.store.block import MAX_PAYLOAD
from osrec.store.config import StoreConfig
from osrec.store.disk import Disk
from osrec.store.going import Goings
from osrec.store.health import Health
from osrec.store.journal import Journal, record_entry
from osrec.store.records import (
    Blind,
    ConversationEnded,
    Erased,
    Going,
    Kept,
    LineAnchor,
    Note,
    Opened,
    Record,
    RunStarted,
    Stray,
    Unwatched,
)
from osrec.store.recovery import OpenRecording, Recovered, divide, recover
from osrec.store.running import RECORDER_RESTART, Running, Source
from osrec.store.scan import list_segments
from osrec.store.segment import Ids, SegmentDirectory
from osrec.store.space import Space
from osrec.store.state import Condition, JournalFullError, JournalState
from osrec.store.takeover import take_over
from osrec.store.unwatched import UnwatchedStations

_BACK_OFF = 1.0  # seconds between attempts while nothing can be written
_REPORT_SECONDS = 1.0

_log = structlog.get_logger(__name__)


class JournalWriter:
    """Owns the journal. The calls of the recorder never block; `step` does the work, the thread only calls it.

    Attributes:
        recovered: what an earlier run left; its recordings can be resumed for `config.resume_seconds`.
    """

    def __init__(
        self,
        config: StoreConfig,
        run: RunStarted,
        *,
        on_state: Callable[[JournalState], None] = lambda state: None,
        disk: Disk | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """Take the journal and read how it ended.

        Args:
            run: says that this process writes now.
            on_state: called in the writer's thread, at each change and once a second.

        Raises StoreError when another process has it, or when no directory can be read.
        """
        self._config = config
        self._run = run
        self._on_state = on_state
        self._disk = disk or Disk()
        self._monotonic = monotonic
        self._wall_ns = wall_ns
        ids = Ids(wall_ns)
        directories = [SegmentDirectory(self._disk, path, config.segment_bytes, ids) for path in config.journals]
        taken = take_over(self._disk, directories)
        self._locks = taken.locks
        self._space = Space(config, taken.directories)
        self._journal = Journal(self._disk, list(taken.directories), self._preamble)
        self._requests: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._longest_record = min(MAX_PAYLOAD, config.segment_bytes // 4)
        self._records: deque[Record] = deque([run])
        self._uncommitted: list[Record] = []
        self._running: dict[UUID, Running] = {}
        self._waiting: list[Future[None]] = []
        self._failing: set[UUID] = set()
        self._anchors: dict[str, LineAnchor] = {}
        self._unresumed: dict[UUID, OpenRecording] = {}
        self._goings = Goings()
        self._unwatched = UnwatchedStations()
        self._resume_until = monotonic() + config.resume_seconds
        self._next_commit = self._next_report = self._retry_at = 0.0
        self._health = Health(monotonic(), taken.problem)
        self.recovered = self._recover()
        self._measure()
        self._state = self._snapshot()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    # What the recorder calls, from any thread.

    @property
    def accepts_new(self) -> bool:
        """Whether a recording may be opened."""
        return self._state.accepts_new

    @property
    def state(self) -> JournalState:
        """As last reported. When `committed` is old the disk hangs: the thread cannot say so itself."""
        return self._state

    def open(self, opened: Opened, source: Source, left_slot: int, right_slot: int) -> None:
        """Begin a recording at `opened.first_sample`, which may lie in the past as far as the ring goes back.

        Raises JournalFullError while the journal has no room to spare.
        """
        if not self.accepts_new:
            state = self._state
            raise JournalFullError(
                f"{state.directory or self._config.journal}: recording {opened.recording} of {opened.station} refused: "
                f"the journal lasts {state.capacity_seconds:.0f} s, {self._config.reserve_seconds:.0f} s are reserved "
                "for recordings that run; free space on that file system"
            )
        running = Running(opened, source, (left_slot, right_slot), opened.first_sample)
        self._requests.put(partial(self._do_open, running))

    def resume(
        self, recording: UUID, source: Source, left_slot: int | None = None, right_slot: int | None = None
    ) -> None:
        """Go on with a recording of `recovered`; what lies between is a gap ("recorder_restart" or the line's cause).

        Args:
            left_slot, right_slot: where they are not those it was opened with.

        Raises UsageError when it is none of those.
        """
        found = next((one for one in self.recovered.recordings if one.opened.recording == recording), None)
        if found is None:
            raise UsageError(f"recording {recording} cannot be resumed: an earlier run left none of that id open")
        slots = {channel.side: channel.slot for channel in found.opened.channels}
        left = slots["left"] if left_slot is None else left_slot
        right = slots["right"] if right_slot is None else right_slot
        running = Running(found.opened, source, (left, right), found.last_sample, RECORDER_RESTART)
        for note in found.notes:
            running.note(note)
        running.kept = found.kept
        self._requests.put(partial(self._do_open, running))

    def note(self, note: Note) -> None:
        """Add an event to the time line of a recording; one with `paused` takes its audio out, or in again."""
        self._requests.put(partial(self._do_note, note))

    def close(self, recording: UUID, last_sample: int, at: datetime, reason: str) -> None:
        """End a recording before `last_sample`, which may still lie ahead. A second time does nothing."""
        self._requests.put(partial(self._do_close, recording, last_sample, at, reason))

    def keep(self, kept: Kept) -> None:
        """A provisional recording is asked for."""
        self._requests.put(partial(self._do_keep, kept))

    def erase(self, erased: Erased) -> None:
        """End a recording where nothing of it may be kept; what is in the journal already, the keeper overwrites."""
        self._requests.put(partial(self._do_erase, erased))

    def tell(self, record: ConversationEnded | Going | Blind | Unwatched | Stray) -> None:
        """What belongs to no recording."""
        self._requests.put(partial(self._do_tell, record))

    def settled(self) -> Future[None]:
        """Done when all that was asked before is in the kernel, where no kill -9 can lose it."""
        future: Future[None] = Future()
        self._requests.put(partial(self._waiting.append, future))
        return future

    def anchor(self, anchor: LineAnchor) -> None:
        """Say where a line's sample numbers stand, for the next run; now and then is enough."""
        self._requests.put(partial(self._do_anchor, anchor))

    def start(self) -> None:
        """Start the thread, and one that writes segments ahead."""
        self._threads = [
            threading.Thread(target=self._write_loop, name="journal", daemon=True),
            threading.Thread(target=self._prepare_loop, name="journal-space", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def stop(self, timeout: float | None = 10.0) -> None:
        """Write and commit everything up to now, and let the journal go. Recordings not closed can be resumed later."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout)
        if not self._threads:
            self.finish(self._monotonic())

    # What the threads call; tests call it by hand.

    def prepare(self) -> bool:
        """Write one free segment if one is missing and can be made."""
        return self._space.prepare()

    def step(self, now: float) -> None:
        """Write what came since the last step, commit when it is time."""
        self._take_requests()
        self._give_up_resuming(now)
        if not self._health.stopped or now >= self._retry_at:
            try:
                self._write(now)
                if now >= self._next_commit:
                    self._commit(now)
            except OSError as error:
                self._fail_over(error, now)
        self._report(now)

    def finish(self, now: float) -> None:
        """Write all that there is, commit, release the journal."""
        self._take_requests()
        at = self._at()
        for running in self._running.values():
            running.cut(at)
        self._next_commit = self._retry_at = now
        for _ in range(100):  # 5 s of audio each, far more than the ring holds
            self.step(now)
            if self._health.stopped or not any(one.written < one.end for one in self._running.values()):
                break
        if not self._health.stopped:
            try:
                self._commit(now)
            except OSError as error:
                self._fail_over(error, now)
        self._report(now)
        self._journal.close()
        for lock in self._locks:
            self._disk.close(lock)

    def _write_loop(self) -> None:
        due = self._monotonic()
        while not self._stop.wait(max(0.0, due - self._monotonic())):
            due = max(due + self._config.write_seconds, self._monotonic())
            try:
                self.step(self._monotonic())
            except Exception:  # the outer loop: what could not be written is still in the ring
                _log.exception("the journal writer failed")
        self.finish(self._monotonic())

    def _prepare_loop(self) -> None:
        pause = 0.0
        while not self._stop.wait(pause):
            pause = 0.05 if self.prepare() else _BACK_OFF

    # Requests, in the writer's thread.

    def _take_requests(self) -> None:
        while True:
            try:
                self._requests.get_nowait()()
            except Empty:
                return

    def _do_open(self, running: Running) -> None:
        recording = running.opened.recording
        self._unresumed.pop(recording, None)
        self._records.append(running.opened)  # of a resumed one again: so the keeper knows at once that this run has it
        self._running.setdefault(recording, running)

    def _do_note(self, note: Note) -> None:
        if (running := self._running.get(note.recording)) is not None:
            running.note(note)
        self._records.append(note)

    def _do_keep(self, kept: Kept) -> None:
        if (running := self._running.get(kept.recording)) is not None:
            running.keep(kept)
        self._records.append(kept)

    def _do_erase(self, erased: Erased) -> None:
        self._records.append(erased)
        if (running := self._running.get(erased.recording)) is not None:
            running.erase(erased, self._at())
        elif (left := self._unresumed.pop(erased.recording, None)) is not None:
            self._records.append(left.closed(erased.cause))

    def _do_close(self, recording: UUID, last_sample: int, at: datetime, reason: str) -> None:
        if (running := self._running.get(recording)) is not None:
            running.close(last_sample, at, reason)
        elif (left := self._unresumed.pop(recording, None)) is not None:
            self._records.append(left.closed(reason))

    def _do_tell(self, record: Record) -> None:
        self._goings.take(record)
        self._unwatched.take(record)
        self._records.append(record)

    def _do_anchor(self, anchor: LineAnchor) -> None:
        self._anchors[anchor.line] = anchor
        self._records.append(anchor)

    # Writing.

    def _write(self, now: float) -> None:
        now_ns, wall_ns = int(now * 1e9), self._wall_ns()
        while self._records:
            entry = record_entry(self._records[0])
            if len(entry.payload) > self._longest_record:  # it would stop the journal for all
                _log.error(
                    "a record is too long for the journal", kind=self._records.popleft(), octets=len(entry.payload)
                )
                continue
            self._journal.append(entry, now_ns, wall_ns)
            self._uncommitted.append(self._records.popleft())
        for running in self._running.values():
            try:
                for entry in running.entries():
                    self._journal.append(entry, now_ns, wall_ns)
            except OSError:
                raise
            except Exception:  # a bug in one recording's source must not end all the others
                self._log_failing(running)
                continue
            if running.complete and running.closed and not running.closed_written:
                self._journal.append(record_entry(running.closed), now_ns, wall_ns)
                running.closed_written = True
        self._journal.flush()
        for future in self._waiting:
            future.set_result(None)
        self._waiting.clear()

    def _log_failing(self, running: Running) -> None:
        """Once for each recording: it is tried again ten times a second."""
        if running.opened.recording not in self._failing:
            self._failing.add(running.opened.recording)
            _log.exception("the source of a recording failed", recording=str(running.opened.recording))

    def _commit(self, now: float) -> None:
        began = self._monotonic()
        self._journal.commit()
        self._health.commit(now, self._monotonic() - began)
        self._next_commit = max(self._next_commit + self._config.commit_seconds, now)
        self._uncommitted.clear()
        for running in list(self._running.values()):
            running.commit()
            if running.closed_written:
                del self._running[running.opened.recording]

    def _fail_over(self, error: OSError, now: float) -> None:
        """Write what was not committed to another segment; wait when that fails too."""
        self._abandon(error)
        try:
            self._write(now)
            self._commit(now)
        except OSError as second:
            self._abandon(second)
            self._health.stopped, self._retry_at = True, now + _BACK_OFF

    def _abandon(self, error: OSError) -> None:
        directory = self._journal.directory.path
        self._health.fail(f"{directory}: {error}", self._monotonic())
        _log.error("the journal left a segment", directory=str(directory), error=str(error))
        self._journal.fail()
        self._records.extendleft(reversed(self._uncommitted))
        self._uncommitted.clear()
        for running in self._running.values():
            running.restore()

    def _preamble(self) -> Iterator[Record]:
        """What each segment begins with: whoever reads only this one knows what runs."""
        yield self._run
        yield from self._anchors.values()
        for running in self._running.values():
            if not running.closed_written:
                yield running.opened
                yield from running.latest
        for left in self._unresumed.values():
            yield left.opened
            yield from left.notes
            if left.kept is not None:
                yield left.kept
        yield from self._unwatched.fitting(self._config.segment_bytes // 16)
        yield from self._goings.fitting(self._config.segment_bytes // 4)  # the rest is for audio

    # Recovery.

    def _recover(self) -> Recovered:
        """What can be resumed; recordings that ended too long ago are closed where their audio ends."""
        found = recover(self._disk, list_segments(self._disk, self._config.journals))
        oldest = self._at() - timedelta(seconds=self._config.resume_seconds)
        fresh, stale = divide(found, self._config.media, oldest)
        self._anchors = dict(found.anchors)
        self._goings = Goings(found.conversations)
        self._unwatched = UnwatchedStations(found.unwatched)
        self._unresumed = {one.opened.recording: one for one in fresh}
        self._records.extend(one.closed("recorder_stopped") for one in stale)
        return replace(found, recordings=fresh)

    def _give_up_resuming(self, now: float) -> None:
        if self._unresumed and now >= self._resume_until:
            self._records.extend(one.closed("recorder_restart") for one in self._unresumed.values())
            self._unresumed.clear()

    # State.

    def _measure(self) -> None:
        self._space.measure(self._journal.directory, self._journal.left, len(self._running) + len(self._unresumed))

    def _report(self, now: float) -> None:
        if now >= self._next_report or self._condition() is not self._state.condition:
            self._next_report = now + _REPORT_SECONDS
            self._measure()
            self._state = self._snapshot()
            self._on_state(self._state)

    def _condition(self) -> Condition:
        away = self._journal.directory.path != self._config.journal
        return self._health.condition(accepts_new=self._space.accepts_new, away=away, now=self._monotonic())

    def _snapshot(self) -> JournalState:
        return self._health.state(self._condition(), self._space, self._journal, len(self._running))

    def _at(self) -> datetime:
        return datetime.fromtimestamp(self._wall_ns() / 1e9, UTC)
