"""While the keeper stands still no conversation is missing: the journal tells of those that are over."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from osrec.engine.alarms import AlarmCleared, AlarmRaised
from osrec.errors import StoreError
from osrec.recorder.keeper_watch import STILL_AFTER, KeeperWatch
from osrec.store.config import StoreConfig
from osrec.store.keeper import Keeper
from osrec.store.not_stored import OVERDUE, NotStored, findings, not_stored
from osrec.store.progress import NAME, read_progress, stamp
from osrec.store.reconcile import reconcile
from osrec.store.records import ConversationEnded, Missed
from osrec.store.writer import JournalWriter
from tests.journal_support import SMALL, START, conversation, new_writer

MISSED = Missed(station="3002", since=START, until=START + timedelta(seconds=9), blame="no_pair")
UNRECORDED = conversation(2, recordings=[], outcome="not_recorded", reason="no free pair", missed=[MISSED])


@pytest.fixture
def config(tmp_path: Path) -> StoreConfig:
    return replace(SMALL, data=tmp_path / "data", segments=3)


@contextmanager
def recorder(config: StoreConfig, run: int = 1) -> Iterator[JournalWriter]:
    writer = new_writer(config, run=run)
    yield writer
    writer.finish(100.0)


@contextmanager
def keeper(config: StoreConfig) -> Iterator[Keeper]:
    one = Keeper(config, now=lambda: START)
    one.step(0.0)
    yield one
    one.close()


def tell(writer: JournalWriter, now: float, *told: ConversationEnded) -> None:
    for one in told:
        writer.tell(one)
    writer.step(now)


def waiting(config: StoreConfig) -> list[NotStored]:
    found, problems = not_stored(config)
    assert problems == []
    return found


def ids(config: StoreConfig) -> list[int]:
    return [one.conversation.id.int - 100 for one in waiting(config)]


def test_what_is_over_while_the_keeper_stands_still_is_listed_until_it_goes_on(config: StoreConfig) -> None:
    with keeper(config) as standing, recorder(config) as writer:
        tell(writer, 1.0, conversation(1))
        standing.step(1.0)
        assert ids(config) == []
        tell(writer, 2.0, UNRECORDED, conversation(3))
        assert ids(config) == [2, 3]
        standing.step(2.0)
        assert ids(config) == []


def test_a_restart_of_the_recorder_loses_none(config: StoreConfig) -> None:
    with keeper(config):
        with recorder(config) as writer:
            tell(writer, 1.0, UNRECORDED)
        with recorder(config, run=2) as writer:
            tell(writer, 1.0, conversation(3))
        assert ids(config) == [2, 3]


def test_the_class_is_told_of_what_has_no_audio_and_left_open_of_what_may_have_gaps(config: StoreConfig) -> None:
    with keeper(config), recorder(config) as writer:
        tell(writer, 1.0, UNRECORDED, conversation(3))
        assert [(one.kind, one.reason) for one in waiting(config)] == [("not_recorded", "no_pair"), (None, None)]


@pytest.mark.parametrize("octets", [None, b"", b"{"])
def test_without_a_sign_of_the_keeper_the_whole_journal_is_read(config: StoreConfig, octets: bytes | None) -> None:
    with keeper(config) as standing, recorder(config) as writer:
        tell(writer, 1.0, conversation(1))
        standing.step(1.0)
        tell(writer, 2.0, conversation(3))
        path = config.data / NAME
        path.unlink()
        if octets is not None:
            path.write_bytes(octets)
        assert ids(config) == [3], "the index has the other one"


def test_where_no_keeper_ever_ran_the_journal_has_all_of_them(config: StoreConfig) -> None:
    with recorder(config) as writer:
        tell(writer, 1.0, UNRECORDED, conversation(3))
    assert not config.index.exists()
    assert ids(config) == [2, 3]
    ledger = reconcile(config)
    (finding,) = ledger.findings
    assert ledger.entries == ()
    assert f"{config.index} is not there: " in finding


def test_without_a_data_directory_nothing_can_be_told(config: StoreConfig) -> None:
    with pytest.raises(StoreError, match=f"^{config.data}: there is no such data directory"):
        not_stored(config)


def test_one_that_went_on_after_the_keeper_had_stored_it_is_not_stored_with_its_end(config: StoreConfig) -> None:
    with keeper(config) as standing, recorder(config) as writer:
        first = conversation(1)
        tell(writer, 1.0, first)
        standing.step(1.0)
        tell(writer, 2.0, first.model_copy(update={"ended": first.ended + timedelta(minutes=1)}))
        assert ids(config) == [1]


def test_a_journal_that_cannot_be_read_is_told(config: StoreConfig) -> None:
    with keeper(config):
        config.journal.rename(config.data / "away")
        _, (problem,) = not_stored(config)
    assert str(config.journal) in problem
    assert "may be missing" in problem


def test_what_waits_too_long_is_a_finding(config: StoreConfig) -> None:
    with keeper(config), recorder(config) as writer:
        tell(writer, 1.0, UNRECORDED)
        (one,) = found = waiting(config)
    assert findings(found, one.journalled + OVERDUE - timedelta(milliseconds=1)) == []
    (text,) = findings(found, one.journalled + OVERDUE)
    assert "1 ended conversation(s) not yet stored, for 30 s" in text


def test_the_keeper_gives_a_sign_of_life_though_nothing_happens(config: StoreConfig) -> None:
    with keeper(config) as running:
        (config.data / NAME).unlink()
        running.step(1.0)
        assert stamp(config.data) is None, "not at each of its steps"
        running.step(5.0)
        assert stamp(config.data) is not None
        progress = read_progress(config.data)
        assert progress is not None
        assert progress.at == START


def test_a_disk_that_refuses_the_sign_of_life_does_not_keep_the_keeper_from_storing(config: StoreConfig) -> None:
    with keeper(config) as running, recorder(config) as writer:
        (config.data / NAME).unlink()
        (config.data / NAME).mkdir()
        tell(writer, 1.0, UNRECORDED)
        running.step(10.0)
        assert ids(config) == []


def test_a_keeper_without_progress_raises_an_alarm_which_progress_clears() -> None:
    watch = KeeperWatch()
    assert watch.silent(0.0) is None
    for now in (100.0, 100.0 + STILL_AFTER - 0.1):
        watch.seen(1, now)
        assert isinstance(watch.alarm(now), AlarmCleared)
    raised = watch.alarm(100.0 + STILL_AFTER)
    assert isinstance(raised, AlarmRaised)
    assert (raised.key, "for 60 s" in raised.text) == ("keeper", True)
    watch.seen(2, 170.0)
    assert isinstance(watch.alarm(170.0), AlarmCleared)


def test_a_keeper_that_never_gave_a_sign_of_life_raises_the_alarm_too() -> None:
    watch = KeeperWatch()
    watch.seen(None, 0.0)
    watch.seen(None, STILL_AFTER)
    assert isinstance(watch.alarm(STILL_AFTER), AlarmRaised)
