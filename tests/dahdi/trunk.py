"""The two ends of the span under test: the DIUN2 emulator, and the recorder's line with its D channel."""

import threading
import time
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from osrec.isdn.messages import OwnerOutput
from osrec.isdn.runner import AccessRunner
from osrec.isdn.settings import AccessConfig
from osrec.wire.q921.frames import Side as LinkSide
from osrec_drivers.dahdi import DahdiLine
from osrec_drivers.line import DChannel
from osrec_emulators.audio.plane import Block
from osrec_emulators.diun2.board import Board
from osrec_emulators.diun2.faults import TimeSlot
from osrec_emulators.diun2.lapd import DataLink
from osrec_emulators.diun2.lapd_events import Arrived, Due, Establish, Output, Transmit
from osrec_emulators.pbx.media import Fork, Side

SLOTS = (*range(1, 16), *range(17, 32))  # telephone channels 1..30
PERIOD = 64_000  # samples after which the audio of the test repeats
_BLOCK = 160
_AHEAD = 4_000  # frames that wait in the line: half a second
_FORKS = tuple(Fork(f"{slot:02}", "1000", Side.OWN, "01") for slot in SLOTS)

AUDIO: NDArray[np.uint8] = np.random.default_rng(2).integers(0, 256, (len(SLOTS), PERIOD), np.uint8)
_TWICE = AUDIO[0].tobytes() * 2


class Pbx:
    """A DIUN2 board whose line is a DAHDI span: 30 forks, and the network side of a D channel."""

    def __init__(self, line: DahdiLine) -> None:
        layout = {fork.port: TimeSlot(0, slot) for fork, slot in zip(_FORKS, SLOTS, strict=True)}
        self.board = Board("D1", [line.spec], layout)
        self.link = DataLink(LinkSide.NETWORK)
        self.line = line
        self._channel: DChannel = line.d_channel()
        self._first = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="DIUN2")
        self._carry_out(self.link.handle(Establish(), time.monotonic()))
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self.line.close()

    def _run(self) -> None:
        while not self._stop.wait(0.01):
            self._speak()
            self._signal()

    def _speak(self) -> None:
        while self.line.outlet.queued < _AHEAD:
            at = self._first % PERIOD
            (frames,) = self.board.frames(Block(self._first, _FORKS, AUDIO[:, at : at + _BLOCK]))
            self.line.transmit(frames.tobytes())
            self._first += _BLOCK

    def _signal(self) -> None:
        now = time.monotonic()
        for frame in self._channel.receive():
            if frame.error is None:
                self._carry_out(self.link.handle(Arrived(frame.octets), now))
        if self.link.deadline is not None and self.link.deadline <= now:
            self._carry_out(self.link.handle(Due(), now))

    def _carry_out(self, outputs: list[Output]) -> None:
        for output in outputs:
            if isinstance(output, Transmit):
                self._channel.send(output.octets)


class Recorder:
    """The recorder's side: a line, and our LAPD on its D channel when asked for."""

    def __init__(self, line: DahdiLine, *, signals: bool = True) -> None:
        self.line = line
        self.told: list[OwnerOutput] = []
        self.channel = line.d_channel() if signals else None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recorder")
        if self.channel is not None:
            self.runner = AccessRunner(line.spec, AccessConfig(), self.channel, self.told.append)
            self._thread.start()

    def close(self) -> None:
        self._stop.set()
        if self.channel is not None:
            self._thread.join()
        self.line.close()

    @property
    def link_up(self) -> bool:
        return self.runner.access.link.up

    def _run(self) -> None:
        self.runner.start(time.monotonic())
        while not self._stop.wait(0.01):
            self.runner.turn(time.monotonic())

    # ---- audio ----

    def phase(self, first: int, count: int = 200) -> int:
        """Which sample of the test's audio stands at sample `first` of the line."""
        got = self.line.read(SLOTS[0], first, count)
        at: int = _TWICE.find(got)
        assert at >= 0, f"samples {first}..{first + count - 1} of time slot {SLOTS[0]} are nothing that was sent"
        return at % PERIOD

    def differing(self, first: int, count: int, phase: int) -> Iterator[str]:
        """What is not as it was sent, time slot by time slot; `phase` is that of `first`."""
        where = (phase + np.arange(count)) % PERIOD
        for row, slot in enumerate(SLOTS):
            got = np.frombuffer(self.line.read(slot, first, count), np.uint8)
            wrong = np.flatnonzero(got != AUDIO[row][where])
            if len(wrong):
                yield f"time slot {slot}: {len(wrong)} of {count} octets differ, the first at sample {first + wrong[0]}"
