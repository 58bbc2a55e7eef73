"""What the ledger is made of outlives a crash, the index and the journal; and it is held against the files."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from osrec.store.config import StoreConfig
from osrec.store.database import migrate
from osrec.store.daybook import Daybook
from osrec.store.disk import Disk
from osrec.store.index import Index
from osrec.store.keeper import Keeper
from osrec.store.ledger import Ledger
from osrec.store.ledger_json import ledger_json
from osrec.store.reconcile import reconcile
from osrec.store.records import Blind, ConversationEnded, Missed, Stray
from osrec.store.scan import list_segments
from osrec_drivers.line import Gap, GapCause
from tests.journal_support import LEFT, RIGHT, SMALL, START, TICK, Tape, conversation, new_writer, opened

BLIND = Blind(station=None, since=START, until=START + timedelta(seconds=30), blame="link_down", detail="cut")
STRAY = Stray(line="trunk1", slot=7, since=START, until=START + timedelta(seconds=42), speech_seconds=41.7)
MISSED = Missed(station="3002", since=START, until=START + timedelta(seconds=9), blame="no_pair")


@pytest.fixture
def config(tmp_path: Path) -> StoreConfig:
    return replace(SMALL, data=tmp_path / "data", segments=3)


def record(config: StoreConfig) -> None:
    """A recorder's run: conversation 1 recorded with a gap, 2 not, 3 in full; blind for a time, and stray audio."""
    tape, writer = Tape(gaps=[Gap(1000, 50, GapCause.PACKET_LOSS)]), new_writer(config)
    writer.open(opened(1), tape, LEFT, RIGHT)
    for tick in range(1, 11):
        tape.head = tick * TICK
        writer.step(tick / 10)
        if tick == 3:
            writer.open(opened(3, first_sample=3 * TICK), tape, LEFT, RIGHT)
    for number in (1, 3):
        writer.close(UUID(int=number), tape.head, START + timedelta(seconds=10), "cleared")
        writer.tell(conversation(number))
    writer.tell(conversation(2, recordings=[], outcome="not_recorded", reason="no free pair", missed=[MISSED]))
    writer.tell(BLIND)
    writer.tell(STRAY)
    writer.step(1.0)
    writer.finish(1.0)


@contextmanager
def kept(config: StoreConfig) -> Iterator[Keeper]:
    keeper = Keeper(config, now=lambda: START)
    try:
        keeper.step(0.0)
        yield keeper
    finally:
        keeper.close()


def classes(ledger: Ledger) -> dict[int, str]:
    return {entry.conversation.id.int - 100: entry.kind for entry in ledger.entries}


ALL = {1: "gaps", 2: "not_recorded", 3: "recorded"}


def test_each_conversation_is_told_with_its_gaps_and_what_was_missed(config: StoreConfig) -> None:
    record(config)
    with kept(config):
        ledger = reconcile(config)
    assert classes(ledger) == ALL
    first, second, _ = ledger.entries
    (gap,) = first.recordings[0].gaps
    assert (gap.cause, gap.since) == ("packet_loss", opened(1).at + timedelta(seconds=1000 / 8000))
    assert (second.reason, second.detail) == ("no_pair", "no free pair")
    assert ledger.blind == (BLIND,)
    assert ledger.stray == (STRAY,)
    assert len(ledger.findings) == 1
    assert "line trunk1, slot 7: 42 s of speech with no conversation" in ledger.findings[0]
    assert "nobody was watched then: link_down" in ledger.findings[0]


def test_the_ledger_outlives_the_index_and_the_journal(config: StoreConfig) -> None:
    record(config)
    with kept(config):
        before = reconcile(config)
    for path in [*config.data.glob("index.sqlite*"), *(one.path for one in list_segments(Disk(), config.journals))]:
        path.unlink()
    with kept(config):
        assert reconcile(config) == before


def test_the_day_files_hold_each_line_once_however_often_the_keeper_begins_again(config: StoreConfig) -> None:
    record(config)
    for _ in range(3):
        with kept(config):
            pass
    (day,) = Daybook(Disk(), config.daybook).sizes()
    lines = (config.daybook / day).read_text().splitlines()
    assert len(lines) == len(set(lines)) == 5


def test_what_is_in_a_day_file_and_not_in_the_index_goes_there_at_the_next_start(config: StoreConfig) -> None:
    record(config)
    with kept(config):
        pass
    Daybook(Disk(), config.daybook).append([conversation(9, recordings=[], outcome="not_recorded")])  # then: kill -9
    with kept(config):
        assert classes(reconcile(config)) == ALL | {9: "not_recorded"}


def test_a_line_that_a_crash_cut_off_is_skipped_and_does_not_spoil_the_next(config: StoreConfig) -> None:
    book = Daybook(Disk(), config.daybook)
    book.append([conversation(1)])
    (day,) = book.sizes()
    with (config.daybook / day).open("ab") as file:
        file.write(b'{"kind":"conv')
    again = Daybook(Disk(), config.daybook)
    written, sizes = again.append([conversation(1), conversation(2)])
    assert written == [conversation(2)]
    assert sizes == again.sizes()
    assert list(again.read(day)) == [conversation(1), conversation(2)]
    assert list(again.read(day, sizes[day])) == []


def test_a_file_that_is_not_there_is_found_and_its_conversation_is_not_called_recorded(config: StoreConfig) -> None:
    record(config)
    with kept(config):
        pass
    flac = next(config.media.rglob(f"{UUID(int=3)}.flac"))
    flac.unlink()
    ledger = reconcile(config)
    entry = ledger.entries[2]
    assert (entry.kind, entry.reason) == ("not_recorded", "lost")
    assert f"{flac} is not there" in ledger.findings[0]


def test_a_recording_that_the_index_does_not_know_is_found(config: StoreConfig) -> None:
    with kept(config) as keeper:
        keeper._tell([conversation(5)])
        ledger = reconcile(config)
    assert classes(ledger) == {5: "not_recorded"}
    assert ledger.entries[0].reason == "lost"
    assert f"its recording {UUID(int=5)} is not in the index" in ledger.findings[0]


def test_a_recording_without_a_conversation_is_found_but_not_while_it_goes_on(config: StoreConfig) -> None:
    tape, writer = Tape(), new_writer(config)
    writer.open(opened(1), tape, LEFT, RIGHT)
    tape.head = TICK
    writer.close(UUID(int=1), TICK, START, "transferred")
    writer.finish(1.0)
    with kept(config) as keeper:
        (finding,) = reconcile(config).findings
        assert f"no conversation {UUID(int=101)} is known" in finding
        assert reconcile(config, running=[UUID(int=101)]).findings == ()
        joined = conversation(7, recordings=[UUID(int=1)])  # it was joined with another one in the end
        keeper._tell([joined])
        assert reconcile(config).findings == ()


def test_a_conversation_that_goes_on_is_in_no_class(config: StoreConfig) -> None:
    record(config)
    with kept(config):
        assert classes(reconcile(config, running=[UUID(int=101)])) == {2: "not_recorded", 3: "recorded"}


def test_only_what_began_in_the_span_is_told(config: StoreConfig) -> None:
    record(config)
    with kept(config):
        since, until = START + timedelta(seconds=2), START + timedelta(seconds=3)
        assert classes(reconcile(config, since, until)) == {2: "not_recorded"}
        later = reconcile(config, START + timedelta(hours=1))
        assert (later.entries, later.blind, later.stray, later.findings) == ((), (), (), ())


def test_parts_of_a_conversation_are_put_together_with_what_was_missed_of_each(config: StoreConfig) -> None:
    with kept(config) as keeper:
        other = MISSED.model_copy(update={"blame": "link_down"})
        keeper._tell([conversation(2, recordings=[], missed=[MISSED], digits="12", accounts=["1"])])
        keeper._tell([conversation(2, recordings=[], missed=[MISSED, other], digits="34", accounts=["1", "2"])])
        with Index(config.index) as index:
            (row,) = index.conversations().rows
    assert row.missed == (MISSED, other)
    assert (row.digits, row.accounts) == ("1234", ("1", "2"))


def test_an_index_of_an_earlier_version_is_brought_up_with_all_that_it_has(config: StoreConfig) -> None:
    config.data.mkdir()
    migrate(config.index, "0001")
    old = conversation(1)
    with sqlite3.connect(config.index) as database:
        database.execute(
            "INSERT INTO conversations VALUES (?, 1, NULL, 2, 'in', 'not_recorded', 'busy', '[]', '[]', '[]', ?)",
            (str(old.conversation), old.decision.model_dump_json()),
        )
        database.execute(
            "INSERT INTO conversation_parties VALUES (?, 0, '3001', '1003', NULL, 0, 1)", (str(old.conversation),)
        )
    database.close()
    migrate(config.index)
    with Index(config.index) as index:
        (row,) = index.conversations(party="3001").rows
        assert (row.id, row.reason, row.missed, row.trunks) == (old.conversation, "busy", (), ())
        assert row.parties[0].e164 is None
        index.tell([conversation(2)])
        assert len(index.conversations().rows) == 2


def test_the_json_has_the_members_that_its_version_promises(config: StoreConfig) -> None:
    record(config)
    with kept(config):
        value = ledger_json(reconcile(config), [{"id": "x", "stations": ["3100"], "more": 1}])
    assert {"version", "from", "to", "conversations", "running", "blind", "stray", "totals", "findings"} <= set(value)
    assert value["totals"] == {"recorded": 1, "gaps": 1, "not_recorded": 1}
    gaps, missed, _ = value["conversations"]
    assert set(gaps) == {
        *("id", "started", "ended", "answered", "direction", "stations", "parties", "calls", "via", "parked_by"),
        *("class", "reason", "detail", "recordings", "missed"),
    }
    assert set(gaps["recordings"][0]) == {"id", "station", "from", "to", "gaps", "silent"}
    assert set(gaps["recordings"][0]["gaps"][0]) == {"from", "to", "cause"}
    assert set(missed["missed"][0]) == {"station", "from", "to", "cause", "detail"}
    assert value["running"] == [{"id": "x", "stations": ["3100"]}]


def test_a_conversation_record_of_before_is_still_read() -> None:
    old = conversation(1).model_dump(mode="json")
    for member in ("missed", "accounts", "digits", "trunks", "via", "parked_by"):
        del old[member]
    assert ConversationEnded.model_validate(old) == conversation(1)
