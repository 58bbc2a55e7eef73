"""What an earlier run of the recorder left in the journal: recordings to go on with, and where its lines stood."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import structlog
from pydantic import TypeAdapter, ValidationError

from osrec.store.block import Block, Flag, Kind
from osrec.store.disk import Disk
from osrec.store.going import Goings
from osrec.store.layout import sidecar_path
from osrec.store.records import (
    AnyRecord,
    Closed,
    ConversationEnded,
    Direction,
    Erased,
    Going,
    Kept,
    LineAnchor,
    Note,
    Opened,
    Party,
    Record,
    RunStarted,
    Unwatched,
)
from osrec.store.running import earlier
from osrec.store.scan import SegmentReader
from osrec.store.segment import Segment
from osrec.store.unwatched import UnwatchedStations

_log = structlog.get_logger(__name__)
_RECORDS: TypeAdapter[AnyRecord] = TypeAdapter(AnyRecord)


def decode_record(block: Block) -> AnyRecord | None:
    """The record of a RECORD block; None when a later version wrote one that we do not know."""
    try:
        return _RECORDS.validate_json(block.payload)
    except ValidationError:
        return None


@dataclass(frozen=True, slots=True)
class OpenRecording:
    """A recording that was running when the journal ended.

    Attributes:
        notes: those that changed parties, direction, calls or conversation, and others of the newest segments.
        last_sample: one past its last sample on the disk.
        last_at: when that was written, UTC.
        kept: if it is provisional: that somebody asked for it.
    """

    opened: Opened
    notes: tuple[Note, ...]
    last_sample: int
    last_at: datetime
    kept: Kept | None = None

    @property
    def parties(self) -> list[Party]:
        return next((note.parties for note in reversed(self.notes) if note.parties is not None), self.opened.parties)

    @property
    def direction(self) -> Direction:
        directions = (note.direction for note in reversed(self.notes) if note.direction is not None)
        return next(directions, self.opened.direction)

    @property
    def calls(self) -> list[str]:
        return next((note.calls for note in reversed(self.notes) if note.calls is not None), self.opened.calls)

    @property
    def via(self) -> list[str]:
        return next((note.via for note in reversed(self.notes) if note.via is not None), self.opened.via)

    @property
    def parked_by(self) -> str | None:
        parked = (note.parked_by for note in reversed(self.notes) if note.parked_by is not None)
        return next(parked, self.opened.parked_by)

    @property
    def conversation(self) -> UUID:
        conversations = (note.conversation for note in reversed(self.notes) if note.conversation is not None)
        return next(conversations, self.opened.conversation)

    @property
    def paused(self) -> bool:
        return next((note.paused for note in reversed(self.notes) if note.paused is not None), False)

    def closed(self, reason: str) -> Closed:
        """Its last record, when nobody goes on with it: it ends where its audio ends."""
        return Closed(recording=self.opened.recording, at=self.last_at, last_sample=self.last_sample, reason=reason)


@dataclass(frozen=True, slots=True)
class Recovered:
    """The state that the journal ended with.

    Attributes:
        recordings: still open, oldest first.
        anchors: the newest of each line, by its spec.
        run: the run that wrote last; None when the journal is empty.
        conversations: that went on then.
        unwatched: stations that were not watched then, and since when; the ledger does not have it.
    """

    recordings: tuple[OpenRecording, ...] = ()
    anchors: dict[str, LineAnchor] = field(default_factory=dict)
    run: RunStarted | None = None
    conversations: tuple[Going, ...] = ()
    unwatched: tuple[Unwatched, ...] = ()


@dataclass(slots=True)
class _Contents:
    """What one segment tells."""

    opened: dict[UUID, Opened] = field(default_factory=dict)
    closed: set[UUID] = field(default_factory=set)
    notes: dict[UUID, list[Note]] = field(default_factory=dict)
    kept: dict[UUID, Kept] = field(default_factory=dict)
    last: dict[UUID, tuple[int, int]] = field(default_factory=dict)  # one past the last sample, wall_ns
    anchors: dict[str, LineAnchor] = field(default_factory=dict)
    goings: Goings = field(default_factory=Goings)
    unwatched: UnwatchedStations = field(default_factory=UnwatchedStations)
    run: RunStarted | None = None
    complete: bool = False  # the records that a segment begins with are all there

    def take(self, record: Record) -> None:
        match record:
            case Opened():
                self.opened[record.recording] = record
            case Note():
                self.notes.setdefault(record.recording, []).append(record)
            case Kept():
                self.keep(record)
            case Closed() | Erased():
                self.closed.add(record.recording)
            case LineAnchor():
                self.anchors[record.line] = record
            case Going() | ConversationEnded():
                self.goings.take(record)
            case Unwatched():
                self.unwatched.take(record)
            case RunStarted():
                self.run = record

    def keep(self, kept: Kept) -> None:
        self.kept[kept.recording] = earlier(self.kept.get(kept.recording, kept), kept)


def _contents(disk: Disk, segment: Segment) -> _Contents:
    contents, whole = _Contents(), 0
    for _, block in SegmentReader(disk, segment).read():
        if block.kind is not Kind.RECORD:
            end, wall_ns = contents.last.get(block.recording, (block.sample, 0))
            contents.last[block.recording] = max(end, block.sample + block.count), max(wall_ns, block.wall_ns)
            continue
        if block.sequence == whole and Flag.REPEATED in block.flags:
            whole += 1
            contents.complete = contents.complete or Flag.SET_END in block.flags
        if (record := decode_record(block)) is not None:
            contents.take(record)
    return contents


class _Backwards:
    """Puts the state together from the newest segment on, and stops as soon as nothing is unknown."""

    def __init__(self) -> None:
        self.sum = _Contents()
        self._wanted: set[UUID] | None = None  # known once a segment with a complete beginning was read

    def add(self, older: _Contents) -> bool:
        """Take the next older segment. True when no other is needed."""
        newer = self.sum
        newer.closed |= older.closed
        newer.run = newer.run or older.run
        newer.opened = older.opened | newer.opened
        newer.anchors = older.anchors | newer.anchors
        newer.goings.precede(older.goings, others=self._wanted is None)
        if self._wanted is None:
            newer.unwatched.precede(older.unwatched)
        for recording, notes in older.notes.items():
            newer.notes[recording] = notes + newer.notes.get(recording, [])
        for kept in older.kept.values():
            newer.keep(kept)
        for recording, (end, wall_ns) in older.last.items():
            known_end, known_wall = newer.last.get(recording, (end, wall_ns))
            newer.last[recording] = max(end, known_end), max(wall_ns, known_wall)
        if self._wanted is None and older.complete:
            self._wanted = set(newer.opened)
        return self._wanted is not None and all(recording in newer.last for recording in self._wanted - newer.closed)

    def recovered(self) -> Recovered:
        wanted = (set(self.sum.opened) if self._wanted is None else self._wanted) - self.sum.closed
        recordings = [self._recording(self.sum.opened[recording]) for recording in wanted]
        recordings.sort(key=lambda recording: (recording.opened.at, recording.opened.recording))
        state = self.sum
        return Recovered(tuple(recordings), state.anchors, state.run, tuple(state.goings), tuple(state.unwatched))

    def _recording(self, opened: Opened) -> OpenRecording:
        at_ns = int(opened.at.timestamp() * 1e9)
        end, wall_ns = self.sum.last.get(opened.recording, (opened.first_sample, at_ns))
        notes = {note.model_dump_json(): note for note in self.sum.notes.get(opened.recording, [])}  # said again: once
        written = datetime.fromtimestamp(wall_ns / 1e9, UTC)
        return OpenRecording(opened, tuple(notes.values()), end, written, self.sum.kept.get(opened.recording))


def recover(disk: Disk, segments: list[Segment]) -> Recovered:
    """Read the end of the journal; of many segments only the newest are read.

    A segment that cannot be read must not keep the recorder from recording: what the others tell is taken.
    """
    state = _Backwards()
    for segment in reversed(segments):
        try:
            contents = _contents(disk, segment)
        except FileNotFoundError:  # the keeper released it just now
            continue
        except OSError as error:
            _log.error("a segment of the journal cannot be read", segment=str(segment.path), error=str(error))
            continue
        if state.add(contents):
            break
    return state.recovered()


def divide(
    found: Recovered, media: Path, oldest: datetime
) -> tuple[tuple[OpenRecording, ...], tuple[OpenRecording, ...]]:
    """Recordings that can be gone on with, and those whose audio ended before `oldest`.

    One that the keeper has finished meanwhile is neither.
    """
    fresh: list[OpenRecording] = []
    stale: list[OpenRecording] = []
    for one in found.recordings:
        if not _exists(sidecar_path(media, one.opened.at, one.opened.recording)):
            (stale if one.last_at < oldest else fresh).append(one)
    return tuple(fresh), tuple(stale)


def _exists(path: Path) -> bool:
    """A disk that does not answer has not stored it, as far as we know."""
    try:
        return path.exists()
    except OSError:
        return False
