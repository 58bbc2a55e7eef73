import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import BigInteger

from osrec.errors import StoreError
from osrec.store.database import connect, migrate
from osrec.store.index import Index, NoSuchRecordingError
from osrec.store.records import Direction, Party
from osrec.store.schema import Base, UtcTime
from osrec.store.sidecar import Sidecar
from tests.journal_support import START, conversation, opened

HASHES = {"left": "11", "right": "22"}


def sidecar(number: int, direction: Direction = "in", *numbers: str | None) -> Sidecar:
    base = opened(number)
    return Sidecar.model_validate(
        {
            **base.model_dump(),
            "schema": "osrec.recording/1",
            "recording": UUID(int=number << 96 | 1),
            "started": base.at,
            "ended": base.at + timedelta(seconds=10),
            "direction": direction,
            "parties": [Party(number=one) for one in numbers or (base.station, "+493012345678")],
            "sample_count": 80_000,
            "gaps": [{"first": 10, "count": 20, "cause": "los"}],
            "events": [],
            "reason": "cleared",
            "media": {"file": "a.flac", "format": "flac", "bytes": 5, "sha256": "33", "octets_sha256": HASHES},
            "peaks": {"file": "a.peaks", "samples_per_point": 160, "points": 1, "bytes": 1, "sha256": "44"},
            "flags": ["left_open"],
        }
    )


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    migrate(tmp_path / "index.sqlite")
    with Index(tmp_path / "index.sqlite") as index:
        yield index


def put(index: Index, *sidecars: Sidecar) -> None:
    for one in sidecars:
        index.put(one, "2026/01/02/x.json", "55", START)


def found(index: Index, **filters: object) -> list[int]:
    return [row.id.int >> 96 for row in index.search(**filters).rows]  # type: ignore[arg-type]


def test_a_recording_is_found_as_it_was_put(index: Index) -> None:
    put(index, sidecar(1))
    (row,) = index.search().rows
    assert row == index.get(str(row.id))
    assert (row.started, row.ended) == (opened(1).at, opened(1).at + timedelta(seconds=10))
    assert (row.station, row.direction, row.seconds, row.missing_samples) == ("3001", "in", 10.0, 20)
    assert row.parties == (Party(number="3001"), Party(number="+493012345678"))
    assert (row.sidecar, row.media_file) == ("2026/01/02/x.json", "2026/01/02/a.flac")
    assert (row.left_sha256, row.right_sha256, row.flags, row.key_id) == ("11", "22", ("left_open",), 0)


def test_putting_a_recording_again_replaces_it(index: Index) -> None:
    put(index, sidecar(1), sidecar(1, "out", "77"))
    assert found(index, direction="out", party="77") == [1]
    assert found(index, party="3001") == []


def test_the_newest_come_first_and_times_limit(index: Index) -> None:
    put(index, sidecar(2), sidecar(1), sidecar(3))
    assert found(index) == [3, 2, 1]
    assert found(index, since=START + timedelta(seconds=2)) == [3, 2]
    assert found(index, until=START + timedelta(seconds=2)) == [1]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [("3001", [1]), ("300*", [2, 1]), ("*678", [2, 1]), ("+49*78", [2, 1]), ("*0123*", [2, 1]), ("30?1", [1]),
     ("[3]001", []), ("*", [3, 2, 1]), ("%", []), ("a[b", [3]), ("a[*", [3])],
)  # fmt: skip
def test_numbers_match_with_stars_and_question_marks(index: Index, pattern: str, expected: list[int]) -> None:
    put(index, sidecar(1), sidecar(2), sidecar(3, "in", "a[b", None))
    assert found(index, party=pattern) == expected


def test_a_station_is_found_by_number_or_pattern(index: Index) -> None:
    put(index, sidecar(1), sidecar(2))
    assert found(index, station="3002") == [2]
    assert found(index, station="3*") == [2, 1]


def test_pages_follow_each_other_without_hole_or_repetition(index: Index) -> None:
    put(index, *(sidecar(number) for number in range(1, 8)))
    seen, cursor = [], None
    for _ in range(4):
        page = index.search(limit=2, cursor=cursor)
        seen += [row.id.int >> 96 for row in page.rows]
        if (cursor := page.cursor) is None:
            break
    assert seen == [7, 6, 5, 4, 3, 2, 1]
    with pytest.raises(StoreError, match="cursor 'nonsense'"):
        index.search(cursor="nonsense")


def test_a_recording_is_found_by_the_beginning_of_its_id(index: Index) -> None:
    put(index, sidecar(0x10000001), sidecar(0x10000002))
    assert index.get("10000001").id.int >> 96 == 0x10000001
    with pytest.raises(NoSuchRecordingError, match="more than one"):
        index.get("1000")
    for wrong in ("f", "", "%"):
        with pytest.raises(NoSuchRecordingError, match="there is none"):
            index.get(wrong)


def test_conversations_are_found_as_they_were_told(index: Index) -> None:
    never = conversation(2, outcome="not_recorded", reason="no rule matched", answered=None, recordings=[])
    index.tell([conversation(1), never, conversation(1, direction="out")])
    newest, oldest = index.conversations().rows
    assert (newest.outcome, newest.reason, newest.answered) == ("not_recorded", "no rule matched", None)
    assert oldest.recordings == (UUID(int=1),)
    assert (oldest.direction, oldest.decision) == ("out", conversation(1).decision)
    assert [row.id.int for row in index.conversations(outcome="recorded").rows] == [101]
    assert [row.id.int for row in index.conversations(party="*678", direction="in").rows] == [102]
    assert [row.id.int for row in index.conversations(since=never.started).rows] == [102]


def test_the_migrations_make_the_tables_of_the_schema(tmp_path: Path) -> None:
    migrate(tmp_path / "index.sqlite")
    engine = connect(tmp_path / "index.sqlite")

    def same_type(context: object, column: object, metadata: object, found: object, wanted: object) -> bool | None:
        return not isinstance(found, BigInteger) if isinstance(wanted, UtcTime) else None

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": same_type})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_migrating_again_changes_nothing_and_going_back_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    migrate(path)
    migrate(path)
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    database.close()


def test_the_index_is_written_to_the_disk_before_a_commit_returns(index: Index) -> None:
    with index._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL


def test_an_index_that_is_not_there_is_not_made_by_asking(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no index"):
        Index(tmp_path / "index.sqlite")
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_no_index_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    path.write_bytes(b"nonsense" * 1000)
    with pytest.raises(StoreError, match=r"index\.sqlite"):
        migrate(path)
    with Index(path) as index, pytest.raises(StoreError, match=r"index\.sqlite"):
        index.search()
