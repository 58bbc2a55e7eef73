"""CAS on a virtual line, looked at as late and as often as the recorder happens to."""

from collections.abc import Iterator
from itertools import count
from typing import Any, cast

import pytest

from osrec.cas.settings import CasConfig
from osrec.engine.messages import Released, Seized, SignallingChanged
from osrec.recorder.cas_trunk import CasTrunk
from osrec.recorder.trunk_news import News
from osrec_drivers.line import FRAME_RATE, CasState, Line, open_line
from osrec_drivers.virtual import Fault, FaultKind, cable

CODES = CasConfig()
SLOTS = (*range(1, 16), *range(17, 32))
FRAME = bytes([0xD5]) * 32
POLL = 160  # frames
SEIZED = Seized("trunk1", 1, "7101")
CLEARED = Released("trunk1", 1, "7101", "the PBX cleared it")
_cables = count()


class Trunk:
    """A trunk whose PBX says on slot 1 what the test says."""

    def __init__(self, config: CasConfig = CODES) -> None:
        self._cable = f"cas-trunk-{next(_cables)}"
        self.ours, self.pbx = open_line(f"virtual:{self._cable}/a"), open_line(f"virtual:{self._cable}/b")
        for slot in SLOTS:
            self.pbx.send_cas(slot, CODES.their_idle)
        self.now = 0.0
        self.trunk = CasTrunk("trunk1", config, {1: "7101", 2: "7102"}, self.ours, self.now)
        assert self.goes_on(1.0) == [SignallingChanged("trunk1", up=True)]

    def ends(self) -> None:
        self.ours.close()
        self.pbx.close()

    def passes(self, seconds: float) -> None:
        """Time in which nobody looks."""
        frames = round(seconds * FRAME_RATE)
        self.pbx.transmit(FRAME * frames)
        self.now += frames / FRAME_RATE

    def looks(self) -> list[News]:
        return self.trunk.step(self.now)

    def goes_on(self, seconds: float, poll: int = POLL) -> list[News]:
        news: list[News] = []
        end = self.now + seconds
        while end - self.now > 1e-9:
            self.passes(min(poll / FRAME_RATE, end - self.now))
            news += self.looks()
        return news

    def says(self, abcd: int) -> None:
        self.pbx.send_cas(1, abcd)

    def is_cut(self, frames: int) -> None:
        cable(self._cable).sent_by["b"].damage(Fault(FaultKind.ZEROS, 32 * frames))


@pytest.fixture
def trunk() -> Iterator[Trunk]:
    made = Trunk()
    yield made
    made.ends()


@pytest.mark.parametrize("phase", range(0, POLL, 20))
def test_a_short_loss_of_the_multiframe_ends_no_call(trunk: Trunk, phase: int) -> None:
    trunk.says(CODES.their_seize)
    assert trunk.goes_on(1.0) == [SEIZED]
    trunk.is_cut(800 + phase)
    news = trunk.goes_on(2.0)
    assert {type(each) for each in news} == {SignallingChanged}
    assert trunk.goes_on(CODES.loss_patience + 5.0, FRAME_RATE) == []
    trunk.says(CODES.their_idle)
    assert trunk.goes_on(1.0) == [CLEARED]


def test_a_call_that_is_cleared_while_the_multiframe_is_lost_is_over_when_it_is_found(trunk: Trunk) -> None:
    trunk.says(CODES.their_seize)
    trunk.goes_on(1.0)
    trunk.is_cut(4000)
    trunk.goes_on(0.4)
    trunk.says(CODES.their_idle)
    assert trunk.goes_on(1.0)[-1] == CLEARED


def test_a_multiframe_that_is_found_again_keeps_the_call_also_while_no_code_can_be_read() -> None:
    trunk = Trunk(CasConfig(loss_patience=1.0))
    trunk.says(CODES.their_seize)
    assert trunk.goes_on(1.0) == [SEIZED]
    trunk.is_cut(800)
    news: list[News] = []
    for multiframe in range(1000):
        trunk.says(CODES.their_idle if multiframe % 2 else CODES.their_seize)
        trunk.passes(16 / FRAME_RATE)
        news += trunk.looks()
    assert {type(each) for each in news} == {SignallingChanged}
    trunk.ends()


def test_a_multiframe_that_stays_lost_ends_the_call(trunk: Trunk) -> None:
    trunk.says(CODES.their_seize)
    trunk.goes_on(1.0)
    trunk.is_cut(100 * FRAME_RATE)
    news = trunk.goes_on(95.0, FRAME_RATE)
    assert news[-1] == Released("trunk1", 1, "7101", "its CAS multiframe stayed lost")


def test_two_calls_over_a_stall_of_ours_stay_two(trunk: Trunk) -> None:
    trunk.says(CODES.their_seize)
    assert trunk.goes_on(1.0) == [SEIZED]
    trunk.says(CODES.their_idle)
    trunk.passes(0.3)
    trunk.says(CODES.their_seize)
    trunk.passes(0.3)
    assert trunk.looks() == [CLEARED, SEIZED]
    assert trunk.goes_on(1.0) == []


def test_a_code_that_was_too_short_is_none_also_when_we_look_late(trunk: Trunk) -> None:
    trunk.says(CODES.their_seize)
    trunk.passes(CODES.recognition / 2)
    trunk.says(CODES.their_idle)
    trunk.passes(0.5)
    assert trunk.looks() == []


class _Late:
    """A line whose far end clears slot 1 just behind the first look that finds it seized, as lines have threads."""

    def __init__(self, line: Line, pbx: Line) -> None:
        self._line = line
        self._pbx = pbx
        self.armed = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._line, name)

    def cas(self) -> CasState:
        state = self._line.cas()
        if state.abcd[1] == CODES.their_seize and self.armed:
            self.armed = False
            self._pbx.send_cas(1, CODES.their_idle)
            self._pbx.transmit(FRAME * 80)
        return state


def test_a_change_between_two_looks_at_the_line_is_not_lost() -> None:
    trunk = Trunk()
    late = _Late(trunk.ours, trunk.pbx)
    trunk.says(CODES.their_seize)
    trunk.passes(0.1)
    trunk.trunk = CasTrunk("trunk1", CODES, {1: "7101", 2: "7102"}, cast("Line", late), trunk.now)
    late.armed = True
    trunk.goes_on(1.0)
    assert not late.armed
    assert trunk.trunk.state()["slots"] == {"idle": 2}
    trunk.ends()
