"""Conversations that go on, as the journal tells of them: put together, said again, ended, merged, and bounded."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from osrec.store.block import Flag, Kind
from osrec.store.config import StoreConfig
from osrec.store.disk import Disk
from osrec.store.going import CUT_OFF, Goings, cut_off_going
from osrec.store.index import Index
from osrec.store.intake import Intake
from osrec.store.keeper import Keeper
from osrec.store.records import Blame, Decision, Going, Missed, Party, Uncovered
from osrec.store.scan import SegmentReader, list_segments
from tests.journal_support import (
    LEFT,
    RIGHT,
    SMALL,
    START,
    Tape,
    anchor,
    conversation,
    new_writer,
    opened,
    read_journal,
)

ONE, TWO = UUID(int=101), UUID(int=102)
RECORD = Decision(action="record", rule="all", version="1")
NEVER = Decision(action="never", rule="secret", version="1")


@pytest.fixture
def config(tmp_path: Path) -> StoreConfig:
    return replace(SMALL, data=tmp_path, segments=4)


def first(conversation: UUID = ONE, **changes: object) -> Going:
    members: dict[str, object] = {
        "kind": "going",
        "conversation": conversation,
        "started": START,
        "stations": ["3100"],
        "parties": [Party(number="3100")],
        "decision": RECORD,
    }
    return Going.model_validate(members | changes)


def more(conversation: UUID = ONE, **changes: object) -> Going:
    return Going.model_validate({"kind": "going", "conversation": conversation} | changes)


def missed(begin: float, end: float, blame: Blame = "no_pair") -> Missed:
    since, until = (START + timedelta(seconds=moment) for moment in (begin, end))
    return Missed(station="3100", since=since, until=until, blame=blame)


def written(config: StoreConfig) -> Iterator[dict[str, object]]:
    """Records of conversations that go on, as they are in the journal."""
    for segment in list_segments(Disk(), config.journals):
        for _, block in SegmentReader(Disk(), segment).read():
            if block.kind is Kind.RECORD and b'"kind":"going"' in block.payload:
                yield json.loads(block.payload) | {"repeated": Flag.REPEATED in block.flags}


def test_a_change_says_what_changed_and_nothing_else(config: StoreConfig) -> None:
    writer = new_writer(config)
    writer.tell(first())
    writer.tell(more(digits="42", answered=None))
    writer.step(0.0)
    _, change = [one for one in written(config) if not one["repeated"]]
    assert change == {"kind": "going", "conversation": str(ONE), "digits": "42", "answered": None, "repeated": False}


def test_records_of_a_conversation_add_up() -> None:
    goings = Goings()
    goings.take(first(accounts=["0071"], uncovered=[Uncovered(station="3100", since=START, blame="no_pair")]))
    goings.take(more(missed=[missed(0, 3)], uncovered=[]))
    goings.take(more(missed=[missed(0, 3)], keeping="Anna"))
    goings.take(more(missed=[missed(5, 6)]))
    (going,) = goings
    assert (going.accounts, going.keeping, going.stations, going.uncovered) == (["0071"], "Anna", ["3100"], [])
    assert going.missed == [missed(0, 3), missed(5, 6)], "each span once"


def test_what_was_killed_is_recovered_and_what_had_ended_is_not(config: StoreConfig) -> None:
    writer = new_writer(config)
    for going in (first(), first(TWO), first(UUID(int=103)), more(digits="1")):
        writer.tell(going)
    writer.tell(conversation(2))
    writer.tell(more(UUID(int=103), merged_into=ONE))
    writer.step(0.0)
    writer.finish(0.0)
    (recovered,) = new_writer(config, run=2).recovered.conversations
    assert (recovered.conversation, recovered.digits, recovered.stations) == (ONE, "1", ["3100"])


def test_a_conversation_told_as_ended_by_a_recorder_that_stopped_may_go_on(config: StoreConfig) -> None:
    writer = new_writer(config)
    writer.tell(first())
    writer.tell(conversation(1))
    writer.tell(first(accounts=["0071"]))
    writer.finish(0.0)
    (recovered,) = new_writer(config, run=2).recovered.conversations
    assert recovered.accounts == ["0071"]


def test_each_segment_begins_with_the_conversations_that_go_on(config: StoreConfig) -> None:
    writer, tape = new_writer(config), Tape()
    writer.tell(first(missed=[missed(0, 3)]))
    writer.open(opened(1), tape, LEFT, RIGHT)
    for tick in range(1, 60):
        tape.head = tick * 800
        writer.prepare()
        if tick == 10:
            writer.tell(more(digits="42"))
        writer.step(tick / 10)
    writer.finish(6.0)
    segments = list_segments(Disk(), config.journals)
    assert len(segments) > 2
    intake = Intake()
    for position, block in SegmentReader(Disk(), segments[-1]).read():
        intake.take(segments[-1], position, block)
    (going,) = intake.goings
    assert (going.digits, going.missed, going.started) == ("42", [missed(0, 3)], START)
    for segment in segments[:-1]:
        segment.path.unlink()
    assert [one.digits for one in new_writer(config, run=2).recovered.conversations] == ["42"]


def test_too_many_conversations_leave_room_for_audio(config: StoreConfig) -> None:
    writer, tape = new_writer(config), Tape()
    for number in range(200):
        writer.tell(first(UUID(int=1000 + number), digits="1" * 200))
    writer.open(opened(1), tape, LEFT, RIGHT)
    for tick in range(1, 30):
        tape.head = tick * 800
        while writer.prepare():
            pass
        writer.step(tick / 10)
    writer.finish(3.0)
    intake = read_journal(config, Disk())
    assert intake.recordings[UUID(int=1)].heard == 29 * 800


def test_a_conversation_whose_beginning_is_damaged_stops_nobody(config: StoreConfig) -> None:
    writer = new_writer(config)
    writer.tell(more(digits="42"))
    writer.finish(0.0)
    (recovered,) = new_writer(config, run=2).recovered.conversations
    assert cut_off_going(recovered, START) is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"decision": NEVER}, f"rule 'secret' says never; {CUT_OFF}"),
        ({"decision": Decision(action="none", rule=None, version="1")}, f"no rule matches; {CUT_OFF}"),
        ({}, f"not answered; {CUT_OFF}"),
        ({"answered": START, "missed": [missed(0, 3)]}, f"no_pair; {CUT_OFF}"),
        ({"answered": START}, f"ended before the PBX had forked it; {CUT_OFF}"),
        ({"answered": START, "recordings": [UUID(int=1)]}, CUT_OFF),
    ],
)
def test_what_nobody_goes_on_with_ends_with_all_that_is_known(changes: dict[str, object], reason: str) -> None:
    record = cut_off_going(first(ONE, **changes), START + timedelta(seconds=9))
    assert record is not None
    assert (record.reason, record.outcome) == (reason, "recorded" if "recordings" in changes else "not_recorded")
    assert record.ended == START + timedelta(seconds=9)


def test_what_goes_on_where_it_had_ended_is_missed_once() -> None:
    uncovered = Uncovered(station="3100", since=START + timedelta(seconds=8), blame="no_pair", detail="none")
    told = [missed(0, 3), missed(3, 3), missed(3, 5), missed(5, 6, "fork_lost")]
    record = cut_off_going(first(answered=START, missed=told, uncovered=[uncovered]), START + timedelta(seconds=9))
    assert record is not None
    spans = [(one.blame, (one.until - one.since).total_seconds()) for one in record.missed]
    assert spans == [("no_pair", 5.0), ("fork_lost", 1.0), ("no_pair", 1.0)]


def test_what_was_being_missed_is_missed_to_the_end() -> None:
    uncovered = Uncovered(station="3100", since=START + timedelta(seconds=2), blame="fork_refused")
    record = cut_off_going(first(answered=START, uncovered=[uncovered]), START + timedelta(seconds=9))
    assert record is not None
    assert [(one.blame, (one.until - one.since).total_seconds()) for one in record.missed] == [("fork_refused", 7.0)]


def test_the_keeper_tells_of_conversations_whose_recorder_does_not_come_back(config: StoreConfig) -> None:
    writer = new_writer(config)
    writer.tell(first(decision=NEVER))
    writer.anchor(anchor("trunk1", 800))
    writer.finish(0.0)
    keeper = Keeper(config)
    keeper.step(0.0)
    keeper.step(config.resume_seconds - 1.0)
    with Index(config.index) as index:
        assert index.conversations().rows == ()
        keeper.step(config.resume_seconds)
        (told,) = index.conversations().rows
    keeper.close()
    assert (told.id, told.decision.action, told.ended) == (ONE, "never", START)
