"""How much journal is left: free segments written ahead, and the room to make more."""

from osrec.store.block import HEADER_LENGTH
from osrec.store.config import StoreConfig
from osrec.store.segment import SegmentDirectory
from osrec_drivers.line import FRAME_RATE

_HYSTERESIS = 1.1  # accept again only with this much more than the reserve

_REPEATED = 2048  # octets of the records about one recording, generously


class Space:
    """Looks after the free segments of all directories. `prepare` may run in a thread of its own.

    Attributes:
        free_segments: on all directories, when last measured.
        capacity_seconds: how long the running recordings can go on, when last measured.
        accepts_new: whether one more would still leave the reserve.
        error: why no segment could be made lately, or None.
    """

    def __init__(self, config: StoreConfig, directories: list[SegmentDirectory]) -> None:
        self._config = config
        self._wanted = {
            directory.path: config.segments if number == 0 else config.spare_segments
            for number, directory in enumerate(directories)
        }
        self._directories = list(directories)
        self._refused: set[int] = set()  # directories, by their number, where the last attempt failed
        self.free_segments = 0
        self.capacity_seconds = 0.0
        self.accepts_new = True
        self.error: str | None = None

    def prepare(self) -> bool:
        """Write one free segment where one is missing. False when none is, or when none can be made."""
        for number, directory in enumerate(self._directories):
            try:
                if len(directory.free()) >= self._wanted[directory.path]:
                    continue
                if self._room(directory) < 1:
                    continue
                directory.prepare()
            except OSError as error:
                self.error = f"{directory.path}: no segment could be written ahead: {error}"
                self._refused.add(number)
                continue
            self._refused.discard(number)
            self.error = None
            return True
        return False

    def measure(self, active: SegmentDirectory, left: int, recordings: int) -> None:
        """Bring the attributes up to date. `left` are the octets left in the current segment."""
        if active is not self._directories[0]:  # the first one failed: now the spare needs as many
            self._wanted[active.path] = self._config.segments
        self.free_segments = sum(_count(directory) for directory in self._directories)
        number = self._directories.index(active)
        segments = self.free_segments + (0 if number in self._refused else self._room(active))
        self.capacity_seconds = self._seconds(left, segments, max(1, recordings))
        after = self._seconds(left, segments, recordings + 1)
        reserve = self._config.reserve_seconds
        self.accepts_new = after >= (reserve if self.accepts_new else reserve * _HYSTERESIS)

    def _seconds(self, left: int, segments: int, recordings: int) -> float:
        """How long so many recordings can be written, a little less than truly.

        At its beginning a segment tells again what runs, and at its end there may be no room for one more block.
        """
        rate = 2 * FRAME_RATE + HEADER_LENGTH / self._config.write_seconds  # octets a second of one recording
        lost = recordings * _REPEATED + int(rate * self._config.write_seconds)
        usable = max(0, self._config.segment_bytes - lost)
        return (left + segments * usable) / (recordings * rate)

    def _room(self, directory: SegmentDirectory) -> int:
        """Segments that could still be made there."""
        try:
            free = directory.free_bytes() - self._config.keep_free_bytes
        except OSError:
            return 0
        return max(0, free // self._config.segment_bytes)


def _count(directory: SegmentDirectory) -> int:
    try:
        return len(directory.free())
    except OSError:
        return 0
