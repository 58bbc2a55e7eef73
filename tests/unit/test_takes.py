"""Recordings on their way into the journal: where their audio begins."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from osrec.engine.messages import Listen, Open
from osrec.recorder.takes import Takes
from osrec.recorder.trunks import Trunks
from osrec.store.disk import Disk
from osrec.store.records import Decision
from tests.journal_support import SMALL, new_writer, read_journal
from tests.scenario.site import VirtualClock
from tests.unit.test_listening import PAIR, Trunk

ID = UUID(int=1)
OTHER = UUID(int=3)
VOICE = 0x12
OPEN = Open(ID, UUID(int=2), "3100", PAIR, "in", [], [], Decision(action="record", rule="all", version="1"))


@pytest.fixture
def trunk() -> Iterator[Trunk]:
    both = Trunk()
    yield both
    both.near.close()
    both.far.close()


def begun(trunk: Trunk, directory: Path, *silences: float) -> tuple[int, int]:
    """(where the recording begins, where the line stood when it was first asked for).

    Somebody's voice, the request, and `silences` seconds of idle code, each with half a second of voice behind it;
    after the last of them the audio is noted, and the recording opened.
    """
    config = replace(SMALL, data=directory, segments=4)
    writer = new_writer(config)
    takes = Takes({"trunk1": trunk.near}, trunk.ears(), writer, VirtualClock(), Trunks().reference)
    trunk.send(2.0, own=VOICE)
    asked = trunk.near.head
    takes.do(Listen(ID, PAIR, reach_back=False))
    for seconds in silences:
        trunk.send(seconds)
        trunk.send(0.5, own=VOICE)
    takes.do(Listen(ID, PAIR, reach_back=True))
    takes.open(OPEN)
    writer.finish(0.0)
    opened = read_journal(config, Disk()).recordings[ID].opened
    assert opened is not None
    return opened.first_sample, asked


def test_audio_noted_a_second_time_reaches_back_to_the_first_time_and_no_further(trunk: Trunk, tmp_path: Path) -> None:
    first, asked = begun(trunk, tmp_path, 0.0)
    assert first == asked, "who spoke on the pair before is somebody else"


def test_audio_since_a_moment_is_taken_whole_whatever_came_before(trunk: Trunk, tmp_path: Path) -> None:
    writer, clock = new_writer(replace(SMALL, data=tmp_path, segments=4)), VirtualClock()
    takes = Takes({"trunk1": trunk.near}, trunk.ears(), writer, clock, Trunks().reference)
    trunk.send(20.0, own=VOICE)
    clock.time += 20.0
    takes.do(Listen(ID, PAIR, reach_back=True, since=clock.now() - 12.0))
    takes.open(OPEN)
    takes.do(Listen(OTHER, PAIR, reach_back=True, since=clock.now() - 500.0))
    takes.open(replace(OPEN, recording=OTHER))
    writer.finish(0.0)
    recordings = read_journal(replace(SMALL, data=tmp_path), Disk()).recordings
    assert recordings[ID].began == trunk.near.head - 12 * 8000
    assert recordings[OTHER].began == trunk.near.oldest, "as far as the line's memory goes back"
    assert recordings[ID].heard == trunk.near.head


def test_idle_code_before_the_audio_that_is_noted_is_none_of_it(trunk: Trunk, tmp_path: Path) -> None:
    first, asked = begun(trunk, tmp_path, 9.0)
    assert first == pytest.approx(asked + 9.0 * 8000, abs=8)
