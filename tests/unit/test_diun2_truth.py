"""What the boards sent, as the checks will read it."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from osrec_emulators.audio.alaw import Octets
from osrec_emulators.audio.plane import Block
from osrec_emulators.check.sent import load_truth
from osrec_emulators.diun2.board import Board
from osrec_emulators.diun2.faults import Faults, TimeSlot
from osrec_emulators.diun2.truth import INDEX, AudioTruth
from osrec_emulators.pbx.media import Fork, Side

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
LAYOUT = {"7101": TimeSlot(0, 1), "7102": TimeSlot(0, 17)}
OWN = Fork("7101", "3101", Side.OWN, "01")
OTHER = Fork("7102", "3101", Side.OTHER, "01")
NEXT = Fork("7101", "3102", Side.OWN, "02")


class Rig:
    """A board and its truth; `sent` is what its line would have got."""

    def __init__(self, directory: Path, keep: timedelta | None = None, faults: Faults | None = None) -> None:
        self.board = Board("a", ["virtual:a"], LAYOUT, faults)
        self.truth = AudioTruth(directory, [self.board], AT, keep)
        self._sent: list[Octets] = []
        self._forks: tuple[Fork, ...] = ()
        self._random = np.random.default_rng(1)

    @property
    def at(self) -> datetime:
        return AT + timedelta(seconds=self.board.sent / 8000)

    @property
    def sent(self) -> Octets:
        return np.concatenate(self._sent)

    def send(self, count: int, *forks: Fork) -> None:
        if forks != self._forks:
            self._forks = forks
        octets: Octets = self._random.integers(0, 256, (len(forks), count), np.uint8)
        at = self.at
        frames = self.board.frames(Block(0, self._forks, octets))
        self.truth.write(self.board, frames, at)
        self._sent.append(frames[0])


def test_every_slot_is_given_back_as_it_was_sent(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.send(80)
    rig.send(80, OWN)
    for _ in range(250):
        rig.send(80, OWN, OTHER)
    rig.send(8, OTHER)
    rig.send(80, NEXT)
    rig.send(80)
    rig.truth.close(rig.at)
    truth = load_truth(tmp_path)
    for port, slot in (("7101", 1), ("7102", 17)):
        assert np.array_equal(truth.slots[port].sent(0, len(rig.sent)), rig.sent[:, slot])
    assert [(fork.call, fork.first, fork.end) for fork in truth.slots["7101"].forks] == [
        ("01", 80, 20160),
        ("02", 20168, 20248),
    ]
    assert [(fork.side, fork.station, fork.first) for fork in truth.slots["7102"].forks] == [(Side.OTHER, "3101", 160)]


def test_octets_are_on_disk_a_second_later_though_nobody_closed_the_truth(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    for _ in range(101):
        rig.send(80, OWN)
    (fork,) = load_truth(tmp_path).slots["7101"].forks
    assert np.array_equal(fork.octets, rig.sent[: len(fork.octets), 1])
    assert len(fork.octets) == 8000
    rig.truth.close(rig.at)


def test_only_the_last_minutes_are_kept(tmp_path: Path) -> None:
    rig = Rig(tmp_path, keep=timedelta(minutes=1))
    for _ in range(150):
        rig.send(8000, OWN, OTHER)
    rig.truth.close(rig.at)
    slot = load_truth(tmp_path).slots["7101"]
    first = slot.forks[0].first
    assert 60 * 8000 <= rig.board.sent - first <= 76 * 8000
    assert np.array_equal(slot.sent(first, rig.board.sent - first), rig.sent[first:, 1])
    assert len({fork.number for fork in slot.forks}) == 1
    assert sum(path.stat().st_size for path in tmp_path.rglob("*.alaw")) <= 2 * 76 * 8000


def test_a_fault_is_in_the_truth_as_it_was_sent(tmp_path: Path) -> None:
    swap = ((TimeSlot(0, 1), TimeSlot(0, 17)),)
    rig = Rig(tmp_path, faults=Faults(swap=swap, stuck={TimeSlot(0, 17): 0xFF}))
    rig.send(80)
    rig.send(80, OWN, OTHER)
    rig.truth.close(rig.at)
    slots = load_truth(tmp_path).slots
    assert [fork.side for fork in slots["7101"].forks] == [Side.OTHER]
    assert slots["7102"].sent(0, 160).tolist() == [0xFF] * 160


def test_the_index_tells_when_a_fork_began_and_ended(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.send(8000)
    rig.send(8000, OWN)
    rig.truth.close(rig.at)
    rows = [json.loads(line) for line in (tmp_path / "audio-000001" / INDEX).read_text().splitlines()]
    fork, end = rows[-2:]
    assert (fork["at"], end["at"]) == ("2026-03-01T12:00:01.000+00:00", "2026-03-01T12:00:02.000+00:00")
    assert (fork["line"], fork["slot"], fork["first"], end["count"]) == ("a/1", 1, 8000, 8000)
