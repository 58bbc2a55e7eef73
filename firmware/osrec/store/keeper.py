"""The keeper: a process that turns ended recordings into files and index rows, and only then lets the journal go.

It can be killed at any moment: a recording exists when its sidecar has got its name, and everything before that is made
again from the journal; a row that is then still missing is made from the sidecar.
"""

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import structlog

from osrec.errors import StoreError
from osrec.store.assembly import Assembly, seconds
from osrec.store.config import StoreConfig
from osrec.store.cut_off import cut_off, cut_off_with, dropped_parts
from osrec.store.database import migrate
from osrec.store.daybook import Daybook
from osrec.store.disk import Disk
from osrec.store.follow import Follower
from osrec.store.going import cut_off_going
from osrec.store.index import Index, Told
from osrec.store.intake import Intake
from osrec.store.layout import TEMPORARY, recording_of
from osrec.store.media import file_sha256
from osrec.store.progress import Progress, write_progress
from osrec.store.publish import Made, discard, make, publish
from osrec.store.running import UNASSIGNED
from osrec.store.scrub import Done, scrub
from osrec.store.segment import release
from osrec.store.sidecar import read_sidecar
from osrec.store.takeover import LOCK_NAME

KEEPER_LOCK = "keeper.lock"
_POLL = 0.5  # seconds
_SIGN_EVERY = 5.0  # seconds between two signs of life; at once when it has told something
_RETRY = 30.0  # seconds until a recording that could not be stored is tried again
_SETTLED = 5.0  # seconds after which a new recorder has said which recordings it goes on with
_OLDEST_UNTOLD = timedelta(days=7)  # how far back conversations are looked for that no recorder told of
_RESTART = (1.0, 5.0, 15.0, 60.0)  # seconds between attempts after a failure of all of it

_log = structlog.get_logger(__name__)


class Keeper:
    """One run of the keeper. `step` raises OSError and StoreError: throw it away then, and begin again."""

    def __init__(
        self,
        config: StoreConfig,
        *,
        disk: Disk | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Take the data directory, bring the index to the current schema and repair what a crash left."""
        self._config = config
        self._disk = disk or Disk()
        self._now = now
        self._disk.make_directory(config.media)
        self._lock = self._take_lock()
        try:
            migrate(config.index)
            self._index = Index(config.index)
        except BaseException:  # also when it is stopped just now: who tries again needs the lock
            self._disk.close(self._lock)
            raise
        for directory in config.journals:
            self._disk.make_directory(directory)
        self._follower = Follower(self._disk, config.journals)
        self._intake = Intake()
        self._daybook = Daybook(self._disk, config.daybook)
        self._scrubbed: dict[UUID, Done] = {}
        self._retry: dict[UUID, float] = {}
        self._told: dict[str, int] = {}  # up to where all that the journal tells is in the index
        self._signed: float | None = None
        self._quiet_since: float | None = None
        self._run: tuple[UUID, float] | None = None
        self._looked_back: UUID | None = None  # the run at whose begin conversations were looked for
        self._given_up: UUID | None = None  # the run whose conversations were told of, since it is gone
        self._reconcile()

    def close(self) -> None:
        self._index.close()
        self._disk.close(self._lock)

    def step(self, now: float) -> None:
        """Store what ended since the last step. `now` is monotonic."""
        if self._poll() or self._quiet_since is None:
            self._quiet_since = now
        if self._run is None or self._run[0] != self._intake.run:
            self._run = self._intake.run, now
        news = bool(self._intake.told)
        self._store_told()
        self._told = self._follower.positions()
        self._sign(now, news=news)
        for assembly in [*self._intake.recordings.values()]:
            self._scrub(assembly)
        for assembly in self._intake.closed():
            self._store(assembly, now)
            self._sign(now, news=True)
        for assembly in self._intake.left_open():
            self._store_left_open(assembly, now)
        self._tell_untold(now)
        self._tell_left_going(now)
        self._release()

    def _poll(self) -> bool:
        """Read the news of the journal. True when there are any."""
        news = False
        for segment, position, block in self._follower.poll():
            self._intake.take(segment, position, block)
            news = True
        return news

    def _store_told(self) -> None:
        if self._intake.told:
            self._tell(one for _, one in self._intake.told)
            self._intake.told.clear()

    def _sign(self, now: float, *, news: bool) -> None:
        """Tell how far it has come; at once when it has stored something."""
        if not news and self._signed is not None and now - self._signed < _SIGN_EVERY:
            return
        self._signed = now
        try:
            write_progress(self._disk, self._config.data, Progress(at=self._now(), told=self._told))
        except OSError as error:  # the ledger reads more of the journal then, and the recorder raises an alarm
            _log.error("no sign of life can be written", error=str(error))

    def _tell(self, told: Iterable[Told]) -> None:
        """To the day's file first: the index can be made from it again."""
        written, days = self._daybook.append(told)
        self._index.tell(written, days)

    def _tell_untold(self, now: float) -> None:
        """A recorder that is killed right after a call has closed its recording and not told of its conversation."""
        run, began = self._intake.run, self._intake.run_began
        if began is None or self._looked_back == run or self._run is None or now - self._run[1] < _SETTLED:
            return
        self._looked_back = run
        goes_on = {assembly.latest["conversation"] for assembly in self._intake.recordings.values()}
        for row in self._index.untold(began - _OLDEST_UNTOLD, began):
            if row.conversation in goes_on or row.conversation in self._intake.goings or row.ended >= began:
                continue
            try:
                sidecar = read_sidecar(self._config.media / row.sidecar)
                if any(event.kind == UNASSIGNED for event in sidecar.events):
                    continue  # it is nobody's: a finding of the ledger
                self._tell([cut_off(sidecar)])
                _log.warning("a conversation is told of by its recording", recording=str(row.id))
            except StoreError as error:  # a finding of the ledger
                _log.error("a conversation cannot be told of by its recording", error=str(error))

    def _tell_left_going(self, now: float) -> None:
        """Conversations whose recorder is gone, and none came back in time: the last that is known of them.

        The journal keeps them for the recorder that comes back some day: it knows that they may not be recorded.
        """
        intake = self._intake
        gone = self._quiet_since is not None and now - self._quiet_since >= self._config.resume_seconds
        if not gone or self._given_up == intake.run or intake.last_alive is None:
            return
        self._given_up = intake.run
        for going in intake.goings:
            ended = going.over or going.unseen_since or intake.last_alive
            if (told := cut_off_going(going, ended)) is not None:
                self._tell([told])
                _log.warning("a conversation is told of as far as it is known", conversation=str(going.conversation))

    # Recordings.

    def _scrub(self, assembly: Assembly) -> None:
        """Overwrite what nobody may keep, also of a recording that goes on."""
        changed = scrub(self._disk, assembly, self._scrubbed.setdefault(assembly.recording, set()))
        if changed:
            _log.info("audio taken out of the journal", recording=str(assembly.recording), blocks=changed)

    def _store(self, assembly: Assembly, now: float, *, alone: bool = False) -> None:
        """One that cannot be stored must not hold up the others: it is tried again later.

        Args:
            alone: only while no recorder can go on with it.
        """
        recording = assembly.recording
        if now < self._retry.get(recording, now):
            return
        if self._index.has(recording) or self._index.has_dropped(recording):
            self._set_stored(recording)
            return
        try:
            stored = self._drop(assembly, alone) if assembly.unwanted else self._keep(assembly, alone)
        except (OSError, StoreError) as error:
            self._retry[recording] = now + _RETRY
            _log.error("a recording could not be stored", recording=str(recording), error=str(error), again=_RETRY)
            return
        if stored:
            self._retry.pop(recording, None)
            self._set_stored(recording)

    def _set_stored(self, recording: UUID) -> None:
        self._intake.set_stored(recording)
        self._scrubbed.pop(recording, None)

    def _keep(self, assembly: Assembly, alone: bool) -> bool:
        """Make files of it. False when it goes on after all."""
        made = make(self._disk, self._config, assembly)
        if alone and not self._finish(assembly, lambda: self._publish(assembly, made)):
            discard(self._disk, made)
            return False
        if not alone:
            self._publish(assembly, made)
        self._put(made.directory / made.name)
        _log.info(
            "recording stored",
            recording=str(assembly.recording),
            seconds=seconds(made.sidecar.sample_count),
            missing_samples=made.sidecar.missing_samples,
            flags=made.sidecar.flags,
        )
        return True

    def _publish(self, assembly: Assembly, made: Made) -> None:
        self._tell(dropped_parts(assembly))
        publish(self._disk, made)

    def _drop(self, assembly: Assembly, alone: bool) -> bool:
        """Nobody asked for it, or nobody may have it. False when it goes on after all."""
        if alone and not self._finish(assembly, lambda: None):
            return False
        scrub(self._disk, assembly, set())
        self._tell(dropped_parts(assembly))
        if not assembly.is_closed:  # and so is its conversation: no recorder will tell how it ended
            self._tell([cut_off_with(assembly)])
        _log.info("recording dropped", recording=str(assembly.recording), cause=assembly.unwanted)
        return True

    def _store_left_open(self, assembly: Assembly, now: float) -> None:
        """A recording that nobody goes on with: its recorder is gone, and none came back for it in time."""
        patience = self._config.resume_seconds
        if self._run is not None and assembly.run != self._run[0]:
            if now - self._run[1] >= 2 * patience:  # a newer recorder runs and has not taken it over
                self._store(assembly, now)
        elif self._quiet_since is not None and now - self._quiet_since >= patience:
            self._store(assembly, now, alone=True)

    def _finish(self, assembly: Assembly, last: Callable[[], None]) -> bool:
        """Do the last step while no recorder can start; not if one runs, or has written on meanwhile."""
        blocks = assembly.blocks
        with ExitStack() as locks:
            try:
                for directory in self._config.journals:
                    locks.callback(self._disk.close, self._disk.lock(directory / LOCK_NAME))
            except BlockingIOError:
                self._quiet_since = None  # it runs and has nothing to write
                return False
            self._poll()
            if assembly.blocks != blocks or assembly.is_closed:
                return False
            last()
            assembly.abandoned = True
            return True

    def _put(self, sidecar: Path) -> None:
        description = read_sidecar(sidecar)
        if "left_open" in description.flags:  # and so is its conversation: no recorder will tell how it ended
            self._tell([cut_off(description)])
        self._index.put(
            description,
            sidecar.relative_to(self._config.media).as_posix(),
            file_sha256(sidecar)[1],
            self._now(),
        )

    def _release(self) -> None:
        """Let go of segments of which everything is safe elsewhere."""
        for segment in self._follower.disposable():
            if not self._intake.needed(segment):
                release(self._disk, segment, self._config.segments)
                self._intake.forget(segment)
                self._follower.forget(segment)

    # After a crash.

    def _take_lock(self) -> int:
        path = self._config.data / KEEPER_LOCK
        try:
            return self._disk.lock(path)
        except BlockingIOError:
            raise StoreError(f"{path}: another keeper runs on this data directory; stop it first") from None

    def _reconcile(self) -> None:
        """Remove half-made files, and give a row to each sidecar that has none.

        Only days in which something changed since the last recording was stored can have either. What the day files
        tell and the index does not know goes there, too.
        """
        known = self._index.day_octets()
        for name, size in self._daybook.sizes().items():
            if size > known.get(name, 0):
                self._index.tell(self._daybook.read(name, known.get(name, 0)), {name: size})
        newest = self._index.newest_stored()
        since = 0.0 if newest is None else (newest - timedelta(days=1)).timestamp()
        for day in self._config.media.glob("*/*/*"):
            if day.stat().st_mtime >= since:
                self._reconcile_day(day)

    def _reconcile_day(self, day: Path) -> None:
        for name in sorted(self._disk.names(day)):
            if name.startswith(TEMPORARY):
                self._disk.unlink(day / name)
            elif (recording := recording_of(name)) is not None and not self._index.has(recording):
                self._put_found(day / name)

    def _put_found(self, sidecar: Path) -> None:
        try:
            self._put(sidecar)
            _log.warning("a recording had no row in the index", sidecar=str(sidecar))
        except StoreError as error:  # left where it is for `verify` to report
            _log.error("a sidecar cannot be read", error=str(error))


def run_keeper(config: StoreConfig, stop: threading.Event) -> None:
    """Keep until `stop` is set. After a failure it begins again from the journal, at growing intervals."""
    failures = 0
    while not stop.is_set():
        try:
            _keep(config, stop)
        except Exception as error:  # whatever it is: the recordings are in the journal, so look again later
            pause = _RESTART[min(failures, len(_RESTART) - 1)]
            failures += 1
            ours = not isinstance(error, StoreError | OSError)  # a bug, whose place somebody must know
            _log.error("the keeper begins again", error=str(error), seconds=pause, exc_info=ours)
            stop.wait(pause)


def _keep(config: StoreConfig, stop: threading.Event) -> None:
    keeper = Keeper(config)
    try:
        while not stop.wait(_POLL):
            keeper.step(time.monotonic())
        keeper.step(time.monotonic())  # what ended since
    finally:
        keeper.close()
