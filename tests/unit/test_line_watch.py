"""The watch over the lines of a recorder: what it tells, and what it keeps over a restart."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from osrec.recorder.line_watch import FILE, LineWatch
from osrec_drivers.e1.performance import Thresholds
from osrec_drivers.line import IDLE, Line, open_line
from osrec_drivers.virtual import Fault, FaultKind, cable

NAMES = count()
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECOND = bytes([IDLE]) * 32 * 8000


class Rig:
    """A line that is watched, once a second."""

    def __init__(self, directory: Path) -> None:
        self.name = f"watch{next(NAMES)}"
        self.directory = directory
        self.far: Line = open_line(f"virtual:{self.name}/a")
        self.near: Line = open_line(f"virtual:{self.name}/b")
        self.now = NOON
        self.far.transmit(SECOND[: 32 * 1600])
        self.watch = self.start()

    def start(self) -> LineWatch:
        """As after a restart of the recorder."""
        watch = LineWatch({"trunk1": self.near}, lambda: self.now, self.directory)
        watch.look()
        return watch

    def run(self, seconds: int) -> None:
        for _ in range(seconds):
            self.far.transmit(SECOND)
            self.now += timedelta(seconds=1)
            for change in self.near.changes():
                self.watch.hear("trunk1", change)
            self.watch.look()

    def damage(self, kind: FaultKind, frames: int, rate: float = 1e-5) -> None:
        cable(self.name).sent_by["a"].damage(Fault(kind, 32 * frames, rate))

    def counted(self) -> int:
        return sum(one["near"]["seconds"] for one in self.watch.performance("trunk1")["quarters"])


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path)
    yield rig
    rig.near.close()
    rig.far.close()


def test_a_sound_line_is_told_with_its_seconds_and_nothing_else(rig: Rig) -> None:
    rig.run(3)
    told = rig.watch.told("trunk1")
    assert told["findings"] == []
    assert told["performance"]["near"] == {
        "quarter": {"seconds": 3, "es": 0, "ses": 0, "bbe": 0, "uas": 0},
        "day": {"seconds": 3, "es": 0, "ses": 0, "bbe": 0, "uas": 0},
        "available": True,
    }
    assert told["slips_per_hour"] is None, "three seconds tell nothing of an hour"


def test_errors_of_the_last_minute_are_a_finding_and_older_ones_are_not(rig: Rig) -> None:
    rig.run(2)
    rig.damage(FaultKind.BIT_ERRORS, 8000)
    rig.run(1)
    assert [one["what"][:12] for one in rig.watch.told("trunk1")["findings"]] == ["bit errors t"]
    rig.run(130)
    assert rig.watch.told("trunk1")["findings"] == []
    assert rig.watch.told("trunk1")["performance"]["near"]["day"]["es"] == 1


def test_slips_are_told_as_a_rate_once_a_minute_was_seen(rig: Rig) -> None:
    rig.run(30)
    rig.damage(FaultKind.SLIPPED, 1)
    rig.run(31)
    assert rig.near.status().counters.slips == 1
    assert rig.watch.told("trunk1")["slips_per_hour"] == pytest.approx(3600 / 61, rel=0.01)


def test_alarms_are_remembered_with_their_time(rig: Rig) -> None:
    rig.run(1)
    rig.damage(FaultKind.ZEROS, 4000)
    rig.run(3)
    events = [(one["alarm"], one["raised"]) for one in rig.watch.told("trunk1")["events"]]
    assert [one for one in events if one[0] == "los"] == [("los", True), ("los", False)]
    assert all(NOON.isoformat() <= one["at"] <= rig.now.isoformat() for one in rig.watch.told("trunk1")["events"])


def test_counts_go_on_after_a_restart(rig: Rig) -> None:
    rig.run(5)
    rig.watch.save(patience=10.0)
    rig.watch = rig.start()
    assert rig.counted() == 5
    rig.run(2)
    assert rig.counted() == 7


@pytest.mark.parametrize("content", ["", "{", "[]", '{"form": 9, "lines": {}}', '{"form": 1, "lines": {"trunk1": {}}}'])
def test_a_file_that_cannot_be_read_begins_anew_and_stops_nothing(rig: Rig, content: str) -> None:
    (rig.directory / FILE).write_text(content)
    rig.watch = rig.start()
    rig.run(1)
    assert rig.counted() == 1
    rig.watch.save(patience=10.0)
    assert json.loads((rig.directory / FILE).read_text())["lines"].keys() == {"trunk1"}


def test_a_directory_that_is_gone_costs_the_counts_only(rig: Rig) -> None:
    watch = LineWatch({"trunk1": rig.near}, lambda: rig.now, rig.directory / "none")
    watch.save(patience=10.0)
    watch.look()


def test_thresholds_are_told_with_the_counts(rig: Rig) -> None:
    watch = LineWatch({"trunk1": rig.near}, lambda: rig.now, thresholds={"trunk1": Thresholds(ses_share=0.832)})
    assert watch.performance("trunk1")["thresholds"]["ses_share"] == 0.832


def test_a_clock_that_is_put_back_makes_no_rate_of_slips(rig: Rig) -> None:
    rig.run(61)
    rig.now -= timedelta(hours=2)
    rig.run(1)
    assert rig.watch.told("trunk1")["slips_per_hour"] is None
    rig.run(61)
    assert rig.watch.told("trunk1")["slips_per_hour"] == 0.0
