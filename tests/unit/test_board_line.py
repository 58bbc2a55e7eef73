"""A line outlives its board: whatever that does, the line says so and tries to have it back."""

import logging
import time
from collections.abc import Callable, Iterator

import pytest

from osrec_drivers.board_line import Board, BoardLine
from osrec_drivers.e1.engine import Engine
from osrec_drivers.errors import LineError, OpenError
from osrec_drivers.line import Alarm, GapCause
from osrec_drivers.outlet import ROOM

FRAMES = bytes(32 * 160)


class Puppet(Board):
    """A board that does what a test wants, 160 frames at a time."""

    def __init__(self) -> None:
        self.trouble: Exception | None = None
        self.there = True
        self.answers: Exception | None = None  # what it raises when it is to be opened again
        self.asked = 0
        self.opened = 1
        self.closed = 0

    def serve(self, line: BoardLine) -> None:
        while not line.closing:
            if self.trouble is not None:
                raise self.trouble
            line.intake.take(FRAMES, line.clock())
            line.pause(0.02)

    def reopen(self) -> None:
        self.asked += 1
        if self.answers is not None:
            raise self.answers
        if not self.there:
            raise OpenError("it is not there")
        self.opened += 1

    def close(self) -> None:
        self.closed += 1

    def counters(self) -> dict[str, int]:
        return {"packets": 7}


@pytest.fixture
def board() -> Puppet:
    return Puppet()


@pytest.fixture
def line(board: Puppet) -> Iterator[BoardLine]:
    made = BoardLine("puppet:1", Engine(crc4=False, capacity=1 << 16), board, writes_ts0=True)
    yield made
    made.close()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.002)  # lets the line's thread run; the end is the condition's


def test_a_board_that_fails_and_comes_back_leaves_a_gap(line: BoardLine, board: Puppet) -> None:
    until(lambda: line.head >= 320)
    begin = line.head
    board.trouble, board.there = LineError("cable out"), False
    until(lambda: line.failure is not None)
    assert line.failure == "cable out"
    assert line.status().alarms == {Alarm.UNPLUGGED}
    board.trouble, board.there = None, True
    until(lambda: not line.status().alarms)
    assert line.failure is None
    assert board.opened == 2
    assert GapCause.UNPLUGGED in {gap.cause for gap in line.gaps(begin, line.head - begin)}


def test_an_error_that_nobody_foresaw_is_logged_and_does_not_end_the_line(
    line: BoardLine, board: Puppet, caplog: pytest.LogCaptureFixture
) -> None:
    until(lambda: line.head >= 320)
    with caplog.at_level(logging.ERROR):
        board.trouble = ZeroDivisionError("of all things")
        until(lambda: board.opened >= 2)
        board.trouble = None
        until(lambda: not line.status().alarms)
    assert "line 'puppet:1': its board failed in a way that nobody foresaw" in caplog.text
    assert "of all things" in caplog.text


def test_a_board_that_answers_what_nobody_foresaw_is_tried_again_and_logged_once(
    line: BoardLine, board: Puppet, caplog: pytest.LogCaptureFixture
) -> None:
    until(lambda: line.head >= 320)
    with caplog.at_level(logging.ERROR):
        board.trouble, board.answers = LineError("gone"), OSError(5, "it is just being plugged in")
        until(lambda: board.asked >= 3)
        board.trouble = board.answers = None
        until(lambda: not line.status().alarms)
    assert caplog.text.count("line 'puppet:1': its board cannot be opened again for what nobody foresaw") == 1
    assert line.failure is None


def test_closing_does_not_wait_for_a_board_that_is_gone(line: BoardLine, board: Puppet) -> None:
    board.trouble, board.there = LineError("gone"), False
    until(lambda: line.failure is not None)
    begin = time.monotonic()
    line.close()
    assert time.monotonic() - begin < 0.4, "less than until it would have looked again"
    assert board.closed == 1


def test_what_the_board_counts_is_in_the_status(line: BoardLine) -> None:
    assert line.status().counters.packets == 7


def test_too_many_frames_are_refused_with_the_name_of_the_line(line: BoardLine) -> None:
    line.transmit(bytes(32 * ROOM))
    with pytest.raises(LineError, match=f"line 'puppet:1': 1 frames do not fit: {ROOM} of {ROOM} wait"):
        line.transmit(bytes(32))
