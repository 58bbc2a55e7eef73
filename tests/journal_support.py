"""What the tests of the store share: a tape to record from, the records of a call, and a way to read a journal back."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from osrec.store.assembly import Assembly, Audio, Blocks, Hole
from osrec.store.config import StoreConfig
from osrec.store.disk import Disk
from osrec.store.intake import Intake
from osrec.store.records import (
    Channel,
    Clock,
    ConversationEnded,
    Decision,
    LineAnchor,
    Note,
    Opened,
    Party,
    RunStarted,
    TimelineEvent,
)
from osrec.store.scan import SegmentReader, list_segments
from osrec.store.writer import JournalWriter
from osrec_drivers.errors import LineError
from osrec_drivers.line import Gap

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LEFT, RIGHT = 1, 2
TICK = 800  # samples in 0.1 s
SMALL = StoreConfig(
    Path("/data"), segment_bytes=24576, segments=2, commit_seconds=0.0, reserve_seconds=0.0, keep_free_bytes=0
)
RULE = Decision(action="record", rule="all", version="1")


def octets_of(slot: int, first: int, count: int) -> bytes:
    """What slot `slot` of the tape carries: no stretch of it comes twice."""
    return bytes((n * 2654435761 >> 13) + slot * 31 & 0xFF for n in range(first, first + count))


class Tape:
    """A line whose audio is known: the source of recordings and the truth to compare them with."""

    def __init__(self, *, ring: int = 480_000, gaps: Sequence[Gap] = ()) -> None:
        self.head = 0
        self._ring = ring
        self._gaps = list(gaps)

    @property
    def oldest(self) -> int:
        return max(0, self.head - self._ring)

    def read(self, slot: int, first: int, count: int) -> bytes:
        if first < self.oldest or first + count > self.head:
            raise LineError(f"samples {first}..{first + count}: the ring holds {self.oldest}..{self.head}")
        return octets_of(slot, first, count)

    def gaps(self, first: int, count: int) -> list[Gap]:
        end = first + count
        return [
            replace(gap, first=max(first, gap.first), count=min(end, gap.first + gap.count) - max(first, gap.first))
            for gap in self._gaps
            if gap.first < end and gap.first + gap.count > first
        ]


def wall_ns() -> Callable[[], int]:
    """A clock that goes on by a microsecond whenever it is read."""
    now = int(START.timestamp()) * 1_000_000_000

    def read() -> int:
        nonlocal now
        now += 1000
        return now

    return read


def run_started(number: int = 1) -> RunStarted:
    return RunStarted(run=UUID(int=9000 + number), at=START, boot_id="b", version="0")


def opened(number: int, first_sample: int = 0, **changes: object) -> Opened:
    values: dict[str, object] = {
        "recording": UUID(int=number),
        "conversation": UUID(int=100 + number),
        "station": f"{3000 + number}",
        "at": START + timedelta(seconds=number),
        "first_sample": first_sample,
        "channels": (
            Channel(side="left", line="virtual:a/b", slot=LEFT, port="7001"),
            Channel(side="right", line="virtual:a/b", slot=RIGHT, port="7002"),
        ),
        "direction": "in",
        "parties": [Party(number=f"{3000 + number}", recorded=True), Party(number="+493012345678", external=True)],
        "calls": ["0a"],
        "decision": RULE,
        "clock": Clock(source="ntp", synchronised=True, offset_us=12),
    }
    return Opened.model_validate(values | changes)


def note(number: int, kind: str, sample: int, **changes: object) -> Note:
    event = TimelineEvent(at=START + timedelta(seconds=sample / 8000), sample=sample, kind=kind)
    return Note.model_validate({"recording": UUID(int=number), "event": event, **changes})


def conversation(number: int, **changes: object) -> ConversationEnded:
    values: dict[str, object] = {
        "conversation": UUID(int=100 + number),
        "started": START + timedelta(seconds=number),
        "answered": START + timedelta(seconds=number + 1),
        "ended": START + timedelta(seconds=number + 10),
        "direction": "in",
        "stations": [f"{3000 + number}"],
        "parties": [Party(number=f"{3000 + number}", recorded=True), Party(number="+493012345678", external=True)],
        "calls": ["0a"],
        "decision": RULE,
        "recordings": [UUID(int=number)],
        "outcome": "recorded",
    }
    return ConversationEnded.model_validate(values | changes)


def anchor(line: str, sample: int) -> LineAnchor:
    return LineAnchor(line=line, sample=sample, sequence=sample & 0xFFFF, monotonic_ns=sample, boot_id="b", at=START)


def new_writer(config: StoreConfig, disk: Disk | None = None, run: int = 1) -> JournalWriter:
    """A writer whose time is the test's."""
    return JournalWriter(config, run_started(run), disk=disk, monotonic=lambda: 0.0, wall_ns=wall_ns())


def read_journal(config: StoreConfig, disk: Disk) -> Intake:
    """All that the journal tells, read from its beginning."""
    intake = Intake()
    for segment in list_segments(disk, config.journals):
        for position, block in SegmentReader(disk, segment).read():
            intake.take(segment, position, block)
    return intake


def pieces(disk: Disk, assembly: Assembly) -> list[Audio | Hole]:
    with Blocks(disk) as blocks:
        return list(assembly.pieces(blocks))


def check_truth(found: Sequence[Audio | Hole]) -> dict[str, int]:
    """Nothing is invented, out of order or twice. Gives the samples missing by cause, and of "audio"."""
    counts = {"audio": 0}
    at = found[0].first if found else 0
    for piece in found:
        assert piece.first == at
        if isinstance(piece, Audio):
            assert piece.left == octets_of(LEFT, at, len(piece.left))
            assert piece.right == octets_of(RIGHT, at, len(piece.right))
            counts["audio"] += len(piece.left)
            at += len(piece.left)
        else:
            counts[piece.cause] = counts.get(piece.cause, 0) + piece.count
            at += piece.count
    return counts
