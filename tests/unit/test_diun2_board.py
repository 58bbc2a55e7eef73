"""The board: forks on their slots, idle elsewhere, and what its faults do."""

from typing import ClassVar

import numpy as np
import pytest

from osrec_drivers.line import Alarm
from osrec_emulators.audio.plane import Block
from osrec_emulators.diun2.board import Board, Carried
from osrec_emulators.diun2.faults import Faults, TimeSlot
from osrec_emulators.diun2.trunk_events import Event, Output, TrunkCall
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


class Way:
    """A trunk of which only the open slots count."""

    has_d_channel: ClassVar[bool] = True
    up = True
    deadline: float | None = None

    def __init__(self) -> None:
        self.open: dict[str, int] = {}
        self.version = 0

    def set(self, **slots: int) -> None:
        self.open = {port.removeprefix("p"): slot for port, slot in slots.items()}
        self.version += 1

    def handle(self, event: Event, now: float) -> list[Output]:
        return []

    def unfinished(self) -> list[TrunkCall]:
        return []


def test_on_a_signalled_line_a_fork_is_where_and_when_the_signalling_says() -> None:
    way = Way()
    one = Board("a", ["virtual:a", "virtual:b"], LAYOUT, trunks=[way, None])
    forks = block(OWN, SECOND)
    assert (one.frames(forks)[0] == 0xD5).all()
    way.set(p7101=9)
    frames = one.frames(forks)
    assert frames[0][:2, 9].tolist() == [0, 1]
    assert frames[1][:2, 17].tolist() == [1, 2]
    assert one.carried == (Carried(OWN, TimeSlot(0, 9)), Carried(SECOND, TimeSlot(1, 17)))
    way.set()
    assert (one.frames(forks)[0] == 0xD5).all()


def test_the_state_tells_whether_calls_can_be_placed() -> None:
    one = Board("a", ["virtual:a", "virtual:b"], LAYOUT, trunks=[Way(), None])
    assert [port.signalling for port in one.state] == [True, None]


def test_a_wrong_idle_code_is_in_every_slot_that_is_idle_or_mute() -> None:
    one = board(idle=0x55, mute=frozenset({TimeSlot(0, 1)}))
    frames = one.frames(block(OWN, OTHER))[0]
    assert (frames[:, 1] == 0x55).all()
    assert (frames[:, 31] == 0x55).all()
    assert (frames[:, 2] != 0x55).any()
    assert one.idle(TimeSlot(0, 1)) == 0x55


@pytest.mark.parametrize(("ppm", "slips"), [(50.0, 4), (-50.0, -4)])
def test_a_clock_that_is_off_slips_whole_frames_once_in_a_while(ppm: float, slips: int) -> None:
    one = board(ppm=ppm)
    counts = [len(one.frames(block(OWN))[0]) for _ in range(1000)]  # 10 s: 0.4 frames a second
    assert sum(counts) == one.sent == 80_000 + slips
    assert set(counts) == {80, 80 + slips // abs(slips)}


def test_a_fast_clock_repeats_a_frame_and_a_slow_one_drops_it() -> None:
    fast, slow = board(ppm=12_500.0), board(ppm=-12_500.0)  # one frame in a block of 80
    assert fast.frames(block(OWN))[0][-3:, 1].tolist() == [78, 79, 79]
    assert slow.frames(block(OWN))[0][-3:, 1].tolist() == [76, 77, 78]
