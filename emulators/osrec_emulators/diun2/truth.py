"""What the boards really sent, written to files that only the checks read.

The directory holds one epoch after another, `audio-000001`, `audio-000002`, ...; the oldest go when only the last
minutes are to be kept. An epoch holds one raw file for each time slot that carried a fork, the octets of its forks one
after the other, and `forks.jsonl`, whose objects are, by their member `is`:

    epoch  the directory's first row: number, at
    slot   a recorder port's place: port, line, slot, idle (the octet that it sends outside forks)
    fork   a fork's octets begin, or go on from the epoch before: fork (number), line, slot, port, station, side, call,
           first (number of the frame on that line, counted from the start of the boards), file, offset (in it), at
    end    its octets end: fork, count (of octets in this epoch), at; without it they reach to the end of the file

Whatever is in no fork is idle. `line` is NAME/N, the board's name and its line counted from 1; `at` is UTC.
"""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BufferedWriter
from pathlib import Path
from typing import TextIO

import numpy as np

from osrec_emulators.audio.alaw import Octets
from osrec_emulators.diun2.board import Board, Carried
from osrec_emulators.diun2.faults import TimeSlot

INDEX = "forks.jsonl"
EPOCHS_KEPT = 4  # whole epochs behind the current one, so that what is kept varies by a quarter
FLUSH_FRAMES = 8000  # a second's octets go to the files at once
_NEVER = timedelta(days=36500)


def line_name(board: str, line: int) -> str:
    """How the truth calls a board's line; 0 is its first."""
    return f"{board}/{line + 1}"


class _Epoch:
    """One directory: an index and a raw file for each slot."""

    def __init__(self, directory: Path, began: datetime) -> None:
        self.directory = directory
        self.began = began
        directory.mkdir(parents=True)
        self._index: TextIO = (directory / INDEX).open("w", encoding="utf-8")
        self._slots: dict[str, BufferedWriter] = {}

    def note(self, row: dict[str, object]) -> None:
        self._index.write(json.dumps(row) + "\n")

    def slot(self, name: str) -> BufferedWriter:
        if name not in self._slots:
            self._slots[name] = (self.directory / name).open("wb")
        return self._slots[name]

    def flush(self) -> None:
        for file in self._files():
            file.flush()

    def close(self) -> None:
        for file in self._files():
            file.close()

    def _files(self) -> list[BufferedWriter | TextIO]:
        """The octets first: a fork in the index has them on disk."""
        return [*self._slots.values(), self._index]


@dataclass(slots=True)
class _Running:
    """A fork whose octets are being written."""

    number: int
    carried: Carried
    file: BufferedWriter
    count: int = 0


class AudioTruth:
    """Writes what all boards send.

    Attributes:
        directory: where the epochs are.
        keep: how much of the past to keep at least, None: all.
    """

    def __init__(self, directory: Path, boards: Sequence[Board], at: datetime, keep: timedelta | None = None) -> None:
        self.directory = directory
        self.keep = keep
        self._boards = {board.name: _BoardTruth(board) for board in boards}
        self._forks = 0
        self._epochs = 0
        self._epoch = self._begin_epoch(at)

    def write(self, board: Board, frames: Sequence[Octets], at: datetime) -> None:
        """Take what a board just made, its first frame going out at `at`."""
        if at - self._epoch.began > (self.keep / EPOCHS_KEPT if self.keep else _NEVER):
            self._next_epoch(at)
        truth = self._boards[board.name]
        if truth.carried is not board.carried:
            self._change(truth, board.sent - len(frames[0]), at)
        truth.held.append(frames)
        truth.held_frames += len(frames[0])
        if truth.held_frames >= FLUSH_FRAMES:
            truth.store()
            self._epoch.flush()

    def close(self, at: datetime) -> None:
        """End what runs and write everything out; `at` is when the last frame has gone."""
        self._end_all(at)
        self._epoch.close()

    def _begin_epoch(self, at: datetime) -> _Epoch:
        self._epochs += 1
        epoch = _Epoch(self.directory / f"audio-{self._epochs:06}", at)
        epoch.note({"is": "epoch", "number": self._epochs, "at": at.isoformat(timespec="milliseconds")})
        for truth in self._boards.values():
            for port, slot in truth.board.layout.items():
                idle = truth.board.idle(slot)
                line = line_name(truth.board.name, slot.line)
                epoch.note({"is": "slot", "port": port, "line": line, "slot": slot.slot, "idle": idle})
        epoch.flush()
        return epoch

    def _next_epoch(self, at: datetime) -> None:
        self._end_all(at)
        self._epoch.close()
        self._epoch = self._begin_epoch(at)
        outdated = self._epochs - EPOCHS_KEPT - 1
        if outdated > 0:
            shutil.rmtree(self.directory / f"audio-{outdated:06}")

    def _end_all(self, at: datetime) -> None:
        for truth in self._boards.values():
            truth.store()
            for running in truth.running.values():
                self._end(running, at)
            truth.running = {}
            truth.carried = ()  # those that still run begin again in the next epoch, under their numbers

    def _change(self, truth: "_BoardTruth", first: int, at: datetime) -> None:
        """Forks came or went before frame `first`."""
        truth.store()
        now = set(truth.board.carried)
        for carried in [carried for carried in truth.running if carried not in now]:
            self._end(truth.running.pop(carried), at)
        truth.numbers = {carried: number for carried, number in truth.numbers.items() if carried in now}
        for carried in truth.board.carried:
            if carried not in truth.running:
                truth.running[carried] = self._start(truth, carried, first, at)
        truth.carried = truth.board.carried
        self._epoch.flush()

    def _start(self, truth: "_BoardTruth", carried: Carried, first: int, at: datetime) -> _Running:
        if carried not in truth.numbers:
            self._forks += 1
            truth.numbers[carried] = self._forks
        name = f"{truth.board.name}-{carried.at.line + 1}-{carried.at.slot:02}.alaw"
        file = self._epoch.slot(name)
        fork = carried.fork
        self._epoch.note(
            {
                "is": "fork",
                "fork": truth.numbers[carried],
                "line": line_name(truth.board.name, carried.at.line),
                "slot": carried.at.slot,
                "port": fork.port,
                "station": fork.station,
                "side": fork.side.value,
                "call": fork.call,
                "first": first,
                "file": name,
                "offset": file.tell(),
                "at": at.isoformat(timespec="milliseconds"),
            }
        )
        return _Running(truth.numbers[carried], carried, file)

    def _end(self, running: _Running, at: datetime) -> None:
        row = {"is": "end", "fork": running.number, "count": running.count}
        self._epoch.note({**row, "at": at.isoformat(timespec="milliseconds")})


class _BoardTruth:
    """What of one board is on its way to the files."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.carried: tuple[Carried, ...] = ()
        self.numbers: dict[Carried, int] = {}
        self.running: dict[Carried, _Running] = {}
        self.held: list[Sequence[Octets]] = []
        self.held_frames = 0

    def store(self) -> None:
        """Write the held frames' octets to the forks that they belong to."""
        if self.running and self.held:
            lines = [np.concatenate(blocks) for blocks in zip(*self.held, strict=True)]
            for running in self.running.values():
                slot: TimeSlot = running.carried.at
                running.file.write(lines[slot.line][:, slot.slot].tobytes())
                running.count += self.held_frames
        self.held = []
        self.held_frames = 0
