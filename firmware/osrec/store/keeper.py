"""The keeper: a process that turns ended recordings into files and index rows, and only then lets the journal go.

It can be killed at any moment: a recording exists when its sidecar has got its name, and everything before that is made
again from the journal; a row that is then still missing is made from the sidecar.
"""

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import structlog

from osrec.errors import StoreError
from osrec.store.assembly import Assembly
from osrec.store.config import StoreConfig
from osrec.store.database import migrate
from osrec.store.disk import Disk
from osrec.store.follow import Follower
from osrec.store.index import Index
from osrec.store.layout import TEMPORARY, recording_of
from osrec.store.ledger import Ledger
from osrec.store.media import file_sha256
from osrec.store.publish import Made, discard, make, publish
from osrec.store.records import ConversationEnded
from osrec.store.segment import release
from osrec.store.sidecar import Sidecar, read_sidecar
from osrec.store.takeover import LOCK_NAME

KEEPER_LOCK = "keeper.lock"
_POLL = 0.5  # seconds
_RETRY = 30.0  # seconds until a recording that could not be stored is tried again
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
        self._ledger = Ledger()
        self._retry: dict[UUID, float] = {}
        self._quiet_since: float | None = None
        self._run: tuple[UUID, float] | None = None
        self._reconcile()

    def close(self) -> None:
        self._index.close()
        self._disk.close(self._lock)

    def step(self, now: float) -> None:
        """Store what ended since the last step. `now` is monotonic."""
        if self._poll() or self._quiet_since is None:
            self._quiet_since = now
        if self._run is None or self._run[0] != self._ledger.run:
            self._run = self._ledger.run, now
        self._store_conversations()
        for assembly in self._ledger.closed():
            self._store(assembly, now, self._publish)
        for assembly in self._ledger.left_open():
            self._store_left_open(assembly, now)
        self._release()

    def _poll(self) -> bool:
        """Read the news of the journal. True when there are any."""
        news = False
        for segment, position, block in self._follower.poll():
            self._ledger.take(segment, position, block)
            news = True
        return news

    def _store_conversations(self) -> None:
        if self._ledger.conversations:
            self._index.put_conversations(ended for _, ended in self._ledger.conversations)
            self._ledger.conversations.clear()

    # Recordings.

    def _store(self, assembly: Assembly, now: float, publish: Callable[[Made], bool]) -> None:
        """One that cannot be stored must not hold up the others: it is tried again later."""
        recording = assembly.recording
        if now < self._retry.get(recording, now):
            return
        if self._index.has(recording):
            self._ledger.set_stored(recording)
            return
        try:
            made = make(self._disk, self._config, assembly)
            if not publish(made):
                return
        except (OSError, StoreError) as error:
            self._retry[recording] = now + _RETRY
            _log.error("a recording could not be stored", recording=str(recording), error=str(error), again=_RETRY)
            return
        self._retry.pop(recording, None)
        self._put(made.directory / made.name)
        self._ledger.set_stored(recording)
        _log.info(
            "recording stored",
            recording=str(recording),
            seconds=made.sidecar.sample_count / 8000,
            missing_samples=made.sidecar.missing_samples,
            flags=made.sidecar.flags,
        )

    def _publish(self, made: Made) -> bool:
        publish(self._disk, made)
        return True

    def _store_left_open(self, assembly: Assembly, now: float) -> None:
        """A recording that nobody goes on with: its recorder is gone, and none came back for it in time."""
        patience = self._config.resume_seconds
        if self._run is not None and assembly.run != self._run[0]:
            if now - self._run[1] >= 2 * patience:  # a newer recorder runs and has not taken it over
                self._store(assembly, now, self._publish)
        elif self._quiet_since is not None and now - self._quiet_since >= patience:
            self._store(assembly, now, lambda made: self._publish_alone(made, assembly))

    def _publish_alone(self, made: Made, assembly: Assembly) -> bool:
        """Publish while no recorder can start; not if one runs, or has written on meanwhile."""
        blocks = assembly.blocks
        with ExitStack() as locks:
            try:
                for directory in self._config.journals:
                    locks.callback(self._disk.close, self._disk.lock(directory / LOCK_NAME))
            except BlockingIOError:
                self._quiet_since = None  # it runs and has nothing to write
            else:
                self._poll()
                if assembly.blocks == blocks and assembly.closed is None:
                    return self._publish(made)
        discard(self._disk, made)
        return False

    def _put(self, sidecar: Path) -> None:
        description = read_sidecar(sidecar)
        if "left_open" in description.flags:  # and so is its conversation: no recorder will tell how it ended
            self._index.put_conversations([_cut_off(description)])
        self._index.put(
            description,
            sidecar.relative_to(self._config.media).as_posix(),
            file_sha256(sidecar)[1],
            self._now(),
        )

    def _release(self) -> None:
        """Let go of segments of which everything is safe elsewhere."""
        for segment in self._follower.disposable():
            if not self._ledger.needed(segment):
                release(self._disk, segment, self._config.segments)
                self._ledger.forget(segment)
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

        Only days in which something changed since the last recording was stored can have either.
        """
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


def _cut_off(sidecar: Sidecar) -> ConversationEnded:
    """What is known of a conversation whose recorder never came back."""
    return ConversationEnded(
        conversation=sidecar.conversation,
        started=sidecar.started,
        answered=sidecar.started,
        ended=sidecar.ended,
        direction=sidecar.direction,
        stations=[sidecar.station],
        parties=sidecar.parties,
        calls=sidecar.calls,
        decision=sidecar.decision,
        recordings=[sidecar.recording],
        outcome="recorded",
    )


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
