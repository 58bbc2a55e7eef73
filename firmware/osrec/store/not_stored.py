"""Conversations that are over and that the index does not have yet: the journal alone tells of them.

The keeper puts them into the index within a second or so. While it stands still the ledger must have them all the same.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from osrec.errors import StoreError
from osrec.store.block import Block, Kind
from osrec.store.config import StoreConfig
from osrec.store.disk import Disk
from osrec.store.index import Conversation, Index
from osrec.store.index_rows import of_record, together
from osrec.store.ledger import Class, classify
from osrec.store.progress import read_progress
from osrec.store.records import ConversationEnded
from osrec.store.recovery import decode_record
from osrec.store.scan import SegmentReader
from osrec.store.segment import Ids, Segment, SegmentDirectory

OVERDUE = timedelta(seconds=30)  # the keeper looks twice a second; making one long file keeps it from that


@dataclass(frozen=True, slots=True)
class NotStored:
    """One conversation.

    Attributes:
        journalled: since when the journal has its end.
        kind: its class when that is known already: it is not when there is audio of it, which may have gaps.
        reason: of one that is not recorded.
    """

    conversation: Conversation
    journalled: datetime
    kind: Class | None
    reason: str | None

    def began_in(self, since: datetime | None, until: datetime | None) -> bool:
        started = self.conversation.started
        return (since is None or since <= started) and (until is None or started < until)

    def overdue(self, now: datetime) -> bool:
        return now - self.journalled >= OVERDUE


def not_stored(config: StoreConfig, disk: Disk | None = None) -> tuple[list[NotStored], list[str]]:
    """Those of the journal, oldest first, and what of it could not be read. Raises StoreError without data directory.

    The journal is read first: what the keeper tells and lets go of meanwhile, the index has by then. Where no keeper
    has ever run there is no index, and the journal has all of them.
    """
    if not config.data.is_dir():
        raise StoreError(f"{config.data}: there is no such data directory; the recorder makes it (osrec run)")
    found, problems = _journalled(disk or Disk(), config)
    known = _stored(config, found) if config.index.exists() else {}
    missing = [one for id, one in found.items() if id not in known or known[id] < one[0].ended]
    missing.sort(key=lambda one: (one[0].started, one[0].id))
    return [_classified(conversation, at) for conversation, at in missing], problems


def _stored(config: StoreConfig, conversations: Iterable[UUID]) -> dict[UUID, datetime]:
    with Index(config.index) as index:
        return index.ended(conversations)


def findings(waiting: Iterable[NotStored], now: datetime) -> list[str]:
    """Those that have waited too long, in a line for a person."""
    late = [one for one in waiting if one.overdue(now)]
    if not late:
        return []
    since = min(one.journalled for one in late)
    return [
        f"{len(late)} ended conversation(s) not yet stored, for {(now - since).total_seconds():.0f} s by now: "
        "the keeper is behind, or stands still; the journal keeps them until it has stored them"
    ]


def _classified(one: Conversation, at: datetime) -> NotStored:
    if one.recordings:
        return NotStored(one, at, None, None)
    entry = classify(one, [], [], 0)
    return NotStored(one, at, entry.kind, entry.reason)


def _journalled(disk: Disk, config: StoreConfig) -> tuple[dict[UUID, tuple[Conversation, datetime]], list[str]]:
    """What the journal tells behind the place up to which the index has all of it."""
    progress = read_progress(config.data)
    told = {} if progress is None else progress.told
    segments, problems = _segments(disk, config.journals)
    found: dict[UUID, tuple[Conversation, datetime]] = {}
    for segment in segments:
        try:
            for block in _blocks(disk, segment, told.get(str(segment.path), 0)):
                _take(found, block)
        except FileNotFoundError:  # the keeper let go of it just now: the index has it
            continue
        except OSError as error:
            problems.append(_unreadable(segment.path, error))
    return found, problems


def _segments(disk: Disk, directories: Iterable[Path]) -> tuple[list[Segment], list[str]]:
    found: list[Segment] = []
    problems: list[str] = []
    for path in directories:
        try:
            found += SegmentDirectory(disk, path, 0, Ids()).segments()
        except OSError as error:
            problems.append(_unreadable(path, error))
    return sorted(found), problems


def _unreadable(path: Path, error: OSError) -> str:
    return f"the journal {path} cannot be read, conversations that are not yet stored may be missing here: {error}"


def _blocks(disk: Disk, segment: Segment, start: int) -> Iterable[Block]:
    reader = SegmentReader(disk, segment)
    reader.at = start
    return (block for _, block in reader.read() if block.kind is Kind.RECORD)


def _take(found: dict[UUID, tuple[Conversation, datetime]], block: Block) -> None:
    record = decode_record(block)
    if not isinstance(record, ConversationEnded):
        return
    if (known := found.get(record.conversation)) is not None:
        record = together(known[0], record)
    found[record.conversation] = of_record(record), datetime.fromtimestamp(block.wall_ns / 1e9, UTC)
