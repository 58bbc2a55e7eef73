"""Where a recording's audio begins, and what is on a pair: looked up in the ring of a virtual line."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count

import numpy as np
import pytest

from osrec.engine.alarms import AlarmCleared, AlarmRaised
from osrec.engine.messages import Heard
from osrec.engine.pool import Pair, Port
from osrec.recorder.listening import Ears
from osrec_drivers.line import IDLE, Line, open_line
from osrec_drivers.virtual import Fault, FaultKind, cable

PAIR = Pair("trunk1", Port(1, "7101"), Port(2, "7102"))
SECOND = 8000
NUMBERS = count()


class Trunk:
    """Both ends of a cable; `send` puts audio on slots 1 and 2 for a time."""

    def __init__(self) -> None:
        self.name = f"listening{next(NUMBERS)}"
        self.far = open_line(f"virtual:{self.name}/a")
        self.near: Line = open_line(f"virtual:{self.name}/b")
        self.send(0.1)  # alignment

    def send(self, seconds: float, own: int = IDLE, other: int = IDLE) -> None:
        frames = np.full((int(seconds * SECOND), 32), IDLE, np.uint8)
        frames[:, 1], frames[:, 2] = own, other
        self.far.transmit(frames.tobytes())

    def ears(self, preroll: float = 5.0) -> Ears:
        return Ears({"trunk1": self.near}, bytes([IDLE, 0x55]), preroll)


def look(ears: Ears) -> Heard:
    return ears.look([PAIR], [], [PAIR], datetime(2026, 11, 23, 12, tzinfo=UTC))


@pytest.fixture
def trunk() -> Iterator[Trunk]:
    both = Trunk()
    yield both
    both.near.close()
    both.far.close()


def test_a_recording_of_an_idle_pair_begins_now(trunk: Trunk) -> None:
    trunk.send(3)
    assert trunk.ears().begin(PAIR, reach_back=True) == (trunk.near.head, trunk.near.head)


def test_audio_that_came_before_its_event_belongs_to_the_recording(trunk: Trunk) -> None:
    trunk.send(1)
    begin = trunk.near.head
    trunk.send(3, own=0x12)
    first, head = trunk.ears().begin(PAIR, reach_back=True)
    assert head - first == 3 * SECOND
    assert abs(first - begin) <= 16, "but for the frames that the framer holds back"


def test_the_pre_roll_reaches_back_no_further_than_configured(trunk: Trunk) -> None:
    trunk.send(4, other=0x34)
    first, head = trunk.ears(preroll=1.5).begin(PAIR, reach_back=True)
    assert head - first == 1.5 * SECOND


def test_the_pre_roll_is_cut_at_the_end_of_the_call_before(trunk: Trunk) -> None:
    ears = trunk.ears()
    trunk.send(2, own=0x12)
    ears.end(PAIR, trunk.near.head)
    trunk.send(1, own=0x56)
    first, head = ears.begin(PAIR, reach_back=True)
    assert head - first == SECOND


def test_where_nothing_can_be_there_before_it_is_asked_for_a_recording_begins_now(trunk: Trunk) -> None:
    trunk.send(2, own=0x12)
    assert trunk.ears().begin(PAIR, reach_back=False) == (trunk.near.head, trunk.near.head)


def test_a_gap_is_no_idle_code(trunk: Trunk) -> None:
    ears = trunk.ears()
    cable(trunk.name).sent_by["a"].damage(Fault(FaultKind.LOST, 32 * SECOND))
    trunk.send(1)
    assert not look(ears).pairs[PAIR].idle


def test_a_look_tells_levels_idle_and_equal_sides(trunk: Trunk) -> None:
    ears = trunk.ears()
    trunk.send(1)
    heard = look(ears).pairs[PAIR]
    assert (heard.idle, heard.same, heard.own) == (True, False, float("-inf"))
    trunk.send(1, own=0x2A, other=0x2A)
    heard = look(ears).pairs[PAIR]
    assert (heard.idle, heard.same) == (False, True)
    trunk.send(1, own=0x2A)
    heard = look(ears).pairs[PAIR]
    assert (heard.same, heard.own_idle, heard.other_idle) == (False, False, True)
    assert heard.own > -20
    assert heard.other == float("-inf")


def test_a_line_without_signal_is_down_and_says_what_to_look_at(trunk: Trunk) -> None:
    ears = trunk.ears()
    ears.alarms()
    cable(trunk.name).sent_by["a"].damage(Fault(FaultKind.ZEROS, 32 * SECOND))
    trunk.send(1)
    raised = {change.key: change for change in ears.alarms() if isinstance(change, AlarmRaised)}
    assert "is the cable plugged in" in raised["line-los:trunk1"].text
    assert look(ears).lines_down == {"trunk1"}
    trunk.send(1)
    assert AlarmCleared("line-los:trunk1") in ears.alarms()
    assert look(ears).lines_down == frozenset()
