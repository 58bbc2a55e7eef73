"""The board: forks on their slots, idle elsewhere, and what its faults do."""

import numpy as np

from osrec_drivers.line import Alarm
from osrec_emulators.audio.plane import Block
from osrec_emulators.diun2.board import Board, Carried
from osrec_emulators.diun2.faults import Faults, TimeSlot
from osrec_emulators.pbx.media import Fork, Side

LAYOUT = {"7101": TimeSlot(0, 1), "7102": TimeSlot(0, 2), "7201": TimeSlot(1, 17)}
OWN = Fork("7101", "3101", Side.OWN, "01")
OTHER = Fork("7102", "3101", Side.OTHER, "01")
SECOND = Fork("7201", "3102", Side.OWN, "02")
ELSEWHERE = Fork("7999", "3103", Side.OWN, "03")


def board(**faults: object) -> Board:
    return Board("a", ["virtual:a", "virtual:b"], LAYOUT, Faults(**faults))  # type: ignore[arg-type]


def block(*forks: Fork, count: int = 80) -> Block:
    rows = np.arange(len(forks), dtype=np.uint8)[:, np.newaxis]
    return Block(0, forks, np.arange(count, dtype=np.uint8) + rows)


def test_a_board_without_forks_sends_idle_in_every_slot() -> None:
    frames = board().frames(block())
    assert [each.shape for each in frames] == [(80, 32)] * 2
    assert all((each == 0xD5).all() for each in frames)


def test_forks_are_on_their_slots_of_their_lines_and_nowhere_else() -> None:
    frames = board().frames(block(OWN, ELSEWHERE, OTHER, SECOND))
    assert frames[0][:4, [1, 2]].tolist() == [[0, 2], [1, 3], [2, 4], [3, 5]]
    assert frames[1][:4, 17].tolist() == [3, 4, 5, 6]
    frames[0][:, [1, 2]] = frames[1][:, 17] = 0xD5
    assert all((each == 0xD5).all() for each in frames)


def test_a_fork_ends_with_the_block() -> None:
    one = board()
    one.frames(block(OWN))
    assert (one.frames(block())[0] == 0xD5).all()
    assert one.carried == ()


def test_the_state_tells_frames_forks_and_alarms() -> None:
    one = board()
    one.frames(block(OWN, OTHER, SECOND))
    one.frames(block(OWN, OTHER, SECOND, count=8))
    one.hear(1, frozenset({Alarm.LOS}))
    assert [(port.sent, port.forks, port.alarms) for port in one.state] == [
        (88, 2, frozenset()),
        (88, 1, frozenset({Alarm.LOS})),
    ]


def test_a_muted_slot_carries_idle_though_it_is_forked() -> None:
    one = board(mute=frozenset({TimeSlot(0, 1)}))
    frames = one.frames(block(OWN, OTHER))[0]
    assert (frames[:, 1] == 0xD5).all()
    assert (frames[:, 2] != 0xD5).any()


def test_a_stuck_slot_sends_one_octet_for_ever() -> None:
    one = board(stuck={TimeSlot(0, 2): 0xFF})
    assert (one.frames(block())[0][:, 2] == 0xFF).all()
    assert (one.frames(block(OWN, OTHER))[0][:, 2] == 0xFF).all()
    assert one.idle(TimeSlot(0, 2)) == 0xFF
    assert one.idle(TimeSlot(0, 1)) == 0xD5


def test_swapped_slots_carry_what_is_meant_for_the_other() -> None:
    healthy = board().frames(block(OWN, OTHER))[0]
    one = board(swap=((TimeSlot(0, 1), TimeSlot(0, 2)),))
    assert np.array_equal(one.frames(block(OWN, OTHER))[0][:, [2, 1]], healthy[:, [1, 2]])
    assert one.carried == (Carried(OWN, TimeSlot(0, 2)), Carried(OTHER, TimeSlot(0, 1)))
