"""Speech on slots that no recording holds."""

from datetime import UTC, datetime, timedelta

import pytest

from osrec.engine.alarms import AlarmCleared, AlarmRaised
from osrec.recorder.strays import LAG, WRITE, Strays
from osrec.store.records import Stray

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SLOT = ("trunk1", 7)
OTHER = ("trunk1", 8)
LOUD, SILENT = -20.0, float("-inf")


class Line:
    """Slots 7 and 8 of one line, looked at twice a second."""

    def __init__(self) -> None:
        self.strays = Strays(-55.0, 0.5)
        self.seconds = 0.0
        self.found: list[Stray] = []
        self.alarms: list[AlarmRaised | AlarmCleared] = []

    def carry(self, seconds: float, level: float, *, held: bool = False, up: bool = True) -> "Line":
        for _ in range(round(seconds / 0.5)):
            self.seconds += 0.5
            levels = [SILENT] * 32
            levels[7] = level
            at = NOON + timedelta(seconds=self.seconds)
            by_line = {"trunk1": levels} if up else {}
            self.found += self.strays.look(by_line, [SLOT, OTHER], [SLOT] if held else [], at)
            self.alarms += self.strays.alarms()
        return self

    @property
    def spans(self) -> list[tuple[float, float, float]]:
        return [
            ((one.since - NOON).total_seconds(), (one.until - NOON).total_seconds(), one.speech_seconds)
            for one in self.found
        ]


def test_speech_without_recording_is_told_when_it_has_ended() -> None:
    line = Line().carry(10, SILENT).carry(42, LOUD)
    assert line.found == []
    line.carry(6, SILENT)
    assert line.spans == [(10, 52, 42)]
    assert (line.found[0].line, line.found[0].slot) == SLOT


def test_pauses_belong_to_it_and_do_not_count_as_speech() -> None:
    line = Line().carry(4, LOUD).carry(4, SILENT).carry(3, LOUD).carry(10, SILENT)
    assert line.spans == [(0, 11, 7)]


def test_an_alarm_stands_while_it_lasts() -> None:
    line = Line().carry(2.5, LOUD)
    assert line.alarms == []
    line.carry(1, LOUD)
    (raised,) = line.alarms
    assert isinstance(raised, AlarmRaised)
    assert raised.key == "stray-audio:trunk1:7"
    line.carry(6, SILENT)
    assert line.alarms[1:] == [AlarmCleared("stray-audio:trunk1:7")]


def test_a_click_is_no_speech() -> None:
    assert Line().carry(2, LOUD).carry(20, SILENT).found == []


def test_audio_of_a_recording_does_not_count() -> None:
    assert Line().carry(60, LOUD, held=True).carry(30, SILENT).found == []


@pytest.mark.parametrize(("early", "late"), [(1.0, 0.0), (0.0, LAG - 0.5), (2.0, LAG - 0.5)])
def test_audio_a_moment_before_and_after_a_recording_is_its_own(early: float, late: float) -> None:
    line = Line().carry(early, LOUD).carry(30, LOUD, held=True).carry(late, LOUD).carry(30, SILENT)
    assert (line.found, line.alarms) == ([], [])


def test_speech_that_goes_on_after_a_recording_is_told() -> None:
    line = Line().carry(30, LOUD, held=True).carry(20, LOUD).carry(10, SILENT)
    ((since, until, speech),) = line.spans
    assert (until, speech) == (50, until - since)
    assert since == 30 + LAG - 0.5


def test_a_recording_that_begins_ends_it() -> None:
    line = Line().carry(10, LOUD).carry(5, LOUD, held=True)
    assert line.spans == [(0, 10, 10)]


def test_what_lasts_long_is_told_part_by_part() -> None:
    line = Line().carry(2 * WRITE + 10, LOUD).carry(10, SILENT)
    assert [round(until - since) for since, until, _ in line.spans] == [60, 60, 10]
    assert sum(speech for *_, speech in line.spans) == 2 * WRITE + 10
    assert len(line.alarms) == 2, "raised and cleared once"


def test_a_line_in_alarm_carries_no_speech() -> None:
    assert Line().carry(30, LOUD, up=False).carry(10, SILENT).found == []


def test_what_lasts_is_told_when_the_recorder_ends() -> None:
    line = Line().carry(10, LOUD)
    assert [one.speech_seconds for one in line.strays.flush()] == [10.0]
