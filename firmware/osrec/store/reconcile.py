"""Puts the ledger together: index, sidecars and media files against each other, and against what the lines heard."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal
from uuid import UUID

from osrec.errors import StoreError
from osrec.store.assembly import seconds
from osrec.store.config import StoreConfig
from osrec.store.index import Conversation, Index, Recording
from osrec.store.ledger import Entry, Ledger, Recorded, Span, classify
from osrec.store.records import Blind, Dropped, Stray
from osrec.store.sidecar import read_sidecar

PAGE = 500
NO_INDEX = (
    "recordings, blind spans, stray audio and what was stored before are missing here, the journal alone was read; "
    "the keeper makes the index when the recorder runs (osrec run)"
)
# by the flag of the sidecar
SILENT_SIDES: dict[str, Literal["own", "other"]] = {"left_silent": "own", "right_silent": "other"}


def reconcile(
    config: StoreConfig,
    since: datetime | None = None,
    until: datetime | None = None,
    running: Collection[UUID] = (),
) -> Ledger:
    """The ledger of the conversations that began in a span of time. Without an index it is empty, which is a finding.

    Args:
        running: conversations that go on: they are in no class yet, and their recordings are no findings.
    """
    if not config.index.exists():
        return Ledger(since, until, (), (), (), (f"{config.index} is not there: {NO_INDEX}",))
    with Index(config.index) as index:
        return _Reconciliation(config, index, running).ledger(since, until)


class _Reconciliation:
    def __init__(self, config: StoreConfig, index: Index, running: Collection[UUID]) -> None:
        self._media = config.media
        self._index = index
        self._running = running
        self._findings: list[str] = []

    def ledger(self, since: datetime | None, until: datetime | None) -> Ledger:
        entries: list[Entry] = []
        for page in self._pages(since, until):
            entries += self._entries(page)
        entries.sort(key=lambda entry: (entry.conversation.started, entry.conversation.id))
        blind = self._index.facts(Blind, since, until)
        stray = self._index.facts(Stray, since, until)
        self._findings += self._unclaimed(
            since, until, {one.id for entry in entries for one in entry.recordings}, blind
        )
        self._findings += (_stray_text(one, blind) for one in stray)
        return Ledger(since, until, tuple(entries), tuple(blind), tuple(stray), tuple(self._findings))

    def _pages(self, since: datetime | None, until: datetime | None) -> Iterator[list[Conversation]]:
        cursor: str | None = None
        while True:
            page = self._index.conversations(since=since, until=until, limit=PAGE, cursor=cursor)
            yield [one for one in page.rows if one.id not in self._running]
            if (cursor := page.cursor) is None:
                return

    def _entries(self, conversations: list[Conversation]) -> Iterator[Entry]:
        """Of one page, with three questions to the index for all of them."""
        ids = [one.id for one in conversations]
        rows: dict[UUID, dict[UUID, Recording]] = defaultdict(dict)
        for row in self._index.recordings_of(ids):
            rows[row.conversation][row.id] = row
        others = [id for one in conversations for id in one.recordings if id not in rows[one.id]]
        named = {row.id: row for row in self._index.by_ids(others)}
        dropped: dict[UUID, list[Dropped]] = defaultdict(list)
        for part in self._index.dropped_of(ids):
            dropped[part.conversation].append(part)
        for one in conversations:
            mine = rows[one.id] | {id: named[id] for id in one.recordings if id in named}
            yield self._entry(one, list(mine.values()), dropped[one.id])

    def _entry(self, one: Conversation, rows: list[Recording], dropped: list[Dropped]) -> Entry:
        gone = {part.recording for part in dropped if part.whole}
        missing = set(one.recordings) - {row.id for row in rows} - gone
        missing = {id for id in missing if not self._index.has_dropped(id)}
        self._findings += (f"conversation {one.id}: its recording {id} is not in the index" for id in sorted(missing))
        there = [recorded for row in rows if (recorded := self._recorded(row)) is not None]
        there.sort(key=lambda recorded: recorded.since)
        return classify(one, there, dropped, len(missing) + len(rows) - len(there))

    def _recorded(self, row: Recording) -> Recorded | None:
        """None when its files are not there."""
        path = self._media / row.sidecar
        absent = next((file for file in (path, self._media / row.media_file) if not _exists(file)), None)
        if absent is not None:
            self._findings.append(f"recording {row.id} of station {row.station}: {absent} is not there")
            return None
        gaps = self._gaps(row, path) if row.missing_samples else ()
        silent = tuple(side for flag, side in SILENT_SIDES.items() if flag in row.flags)
        return Recorded(row.id, row.station, row.started, row.ended, gaps, silent)

    def _gaps(self, row: Recording, path: Path) -> tuple[Span, ...]:
        try:
            sidecar = read_sidecar(path)
        except StoreError as error:
            self._findings.append(f"recording {row.id} of station {row.station}: {error}")
            return (Span(row.started, row.ended, "unknown"),)
        return tuple(Span(_at(row, gap.first), _at(row, gap.first + gap.count), gap.cause) for gap in sidecar.gaps)

    def _unclaimed(
        self, since: datetime | None, until: datetime | None, claimed: Collection[UUID], blind: list[Blind]
    ) -> Iterator[str]:
        """Recordings that belong to no conversation that is over or goes on."""
        for row in self._index.untold(since, until):
            if row.id not in claimed and row.conversation not in self._running:
                text = f"recording {row.id} of station {row.station}: no conversation {row.conversation} is known"
                yield text + _blinded(blind, row.started, row.ended)


def _at(row: Recording, sample: int) -> datetime:
    return row.started + timedelta(seconds=seconds(sample))


def _exists(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def _stray_text(stray: Stray, blind: list[Blind]) -> str:
    """What a person would want to look into."""
    text = (
        f"line {stray.line}, slot {stray.slot}: {stray.speech_seconds:.0f} s of speech with no conversation, "
        f"{stray.since:%Y-%m-%d %H:%M:%S} to {stray.until:%H:%M:%S} UTC"
    )
    return text + _blinded(blind, stray.since, stray.until)


def _blinded(blind: Iterable[Blind], since: datetime, until: datetime) -> str:
    """Why nobody told of it, as far as that is known."""
    found = next((one for one in blind if one.since < until and since < one.until), None)
    if found is None:
        return ""
    whom = "nobody was" if found.station is None else f"station {found.station} was not"
    return f"; {whom} watched then: {found.blame}"
