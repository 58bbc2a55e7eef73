"""What the keeper has read from the journal and what of it is already safe elsewhere: pure bookkeeping."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from osrec.store.assembly import Assembly
from osrec.store.block import NO_RECORDING, Block, Flag, Kind
from osrec.store.going import Goings
from osrec.store.records import (
    Blind,
    Closed,
    ConversationEnded,
    Erased,
    Going,
    Kept,
    LineAnchor,
    Note,
    Opened,
    RunStarted,
    Stray,
)
from osrec.store.recovery import decode_record
from osrec.store.segment import Segment


@dataclass(slots=True)
class Intake:
    """The state of the keeper; all of it can be read again from the journal.

    Attributes:
        recordings: not yet stored.
        stored: ids whose files and row are safe, while the journal still has something of them.
        told: conversations and what else belongs to no recording, not yet in the index, by the segment that tells it.
        goings: conversations that go on.
        run: of the recorder that wrote last; run_began: when it began; last_alive: its last sign of life.
    """

    recordings: dict[UUID, Assembly] = field(default_factory=dict)
    stored: set[UUID] = field(default_factory=set)
    told: list[tuple[Segment, ConversationEnded | Blind | Stray]] = field(default_factory=list)
    goings: Goings = field(default_factory=Goings)
    run: UUID = NO_RECORDING
    run_began: datetime | None = None
    last_alive: datetime | None = None
    _mentions: dict[Segment, set[UUID]] = field(default_factory=dict)

    def take(self, segment: Segment, position: int, block: Block) -> None:
        if block.kind is not Kind.RECORD:
            self._assembly(segment, block.recording).take(segment, position, block)
            return
        record = decode_record(block)
        match record:
            case Opened() | Kept() | Erased() | Note() | Closed():
                repeated = Flag.REPEATED in block.flags
                if repeated and record.recording in self.stored:
                    return
                assembly = self._assembly(None if repeated else segment, record.recording)
                assembly.take_record(segment, block, record)
            case ConversationEnded() | Blind() | Stray():
                self.goings.take(record)
                self.told.append((segment, record))
            case Going():
                self.goings.take(record)
            case RunStarted():
                self.run, self.run_began = record.run, record.at
            case LineAnchor():
                self.last_alive = max(record.at, self.last_alive or record.at)
            case _:  # an unknown record is for a later version
                pass

    def closed(self) -> list[Assembly]:
        """Complete recordings that are not stored."""
        return [assembly for assembly in self.recordings.values() if assembly.is_closed]

    def left_open(self) -> list[Assembly]:
        return [assembly for assembly in self.recordings.values() if not assembly.is_closed]

    def set_stored(self, recording: UUID) -> None:
        self.stored.add(recording)
        self.recordings.pop(recording, None)

    def needed(self, segment: Segment) -> bool:
        """Whether anything in it is not yet safe elsewhere."""
        return any(told == segment for told, _ in self.told) or not (self._mentions.get(segment, set()) <= self.stored)

    def forget(self, segment: Segment) -> None:
        """It was released."""
        gone = self._mentions.pop(segment, set())
        self.stored -= gone - set().union(*self._mentions.values())

    def _assembly(self, segment: Segment | None, recording: UUID) -> Assembly:
        if segment is not None:
            self._mentions.setdefault(segment, set()).add(recording)
        assembly = self.recordings.get(recording) or Assembly(recording)
        if recording not in self.stored:
            self.recordings[recording] = assembly
        if segment is not None:
            assembly.run = self.run
        return assembly
