"""Stations that are not watched, as the journal tells the next run of them."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from osrec.store.block import Flag, Kind
from osrec.store.config import StoreConfig
from osrec.store.disk import Disk
from osrec.store.records import Unwatched
from osrec.store.scan import SegmentReader, list_segments
from osrec.store.unwatched import MOST, UnwatchedStations
from tests.journal_support import LEFT, RIGHT, SMALL, START, Tape, new_writer, opened

REFUSED = Unwatched(stations=["3100", "3101"], since=START, blame="licence", detail="limit")
AGAIN = Unwatched(stations=["3100"])


@pytest.fixture
def config(tmp_path: Path) -> StoreConfig:
    return replace(SMALL, data=tmp_path, segments=4)


def test_the_next_run_knows_what_a_killed_one_had_not_told(config: StoreConfig) -> None:
    writer = new_writer(config)
    writer.tell(REFUSED)
    writer.tell(AGAIN)
    writer.finish(0.0)
    (left,) = new_writer(config, run=2).recovered.unwatched
    assert left == REFUSED.model_copy(update={"stations": ["3101"]})


def test_each_segment_begins_with_the_stations_that_are_not_watched(config: StoreConfig) -> None:
    writer, tape = new_writer(config), Tape()
    writer.tell(REFUSED)
    writer.open(opened(1), tape, LEFT, RIGHT)
    for tick in range(1, 60):
        tape.head = tick * 800
        writer.prepare()
        if tick == 10:
            writer.tell(AGAIN)
        writer.step(tick / 10)
    writer.finish(6.0)
    *older, newest = list_segments(Disk(), config.journals)
    blocks = [block for _, block in SegmentReader(Disk(), newest).read() if Flag.REPEATED in block.flags]
    (said,) = [block.payload for block in blocks if block.kind is Kind.RECORD and b'"unwatched"' in block.payload]
    assert Unwatched.model_validate_json(said).stations == ["3101"]
    for segment in older:
        segment.path.unlink()
    assert [one.stations for one in new_writer(config, run=2).recovered.unwatched] == [["3101"]]


def test_what_is_written_since_a_segment_began_is_newer_than_its_beginning() -> None:
    newest = UnwatchedStations([AGAIN])
    newest.precede(UnwatchedStations([REFUSED]))
    assert [one.stations for one in newest] == [["3101"]]


def test_stations_for_which_the_same_holds_share_records_of_bounded_length() -> None:
    names = [str(number) for number in range(3100, 3100 + MOST + 1)]
    one_by_one = UnwatchedStations(REFUSED.model_copy(update={"stations": [name]}) for name in names)
    assert [len(one.stations) for one in one_by_one] == [MOST, 1]


def test_too_many_stations_leave_room_for_audio() -> None:
    many = UnwatchedStations(
        REFUSED.model_copy(update={"stations": [str(number)], "since": START + timedelta(seconds=number)})
        for number in range(100)
    )
    said = list(many.fitting(1000))
    assert 0 < len(said) < 100
    assert sum(len(one.model_dump_json()) for one in said) <= 1000
