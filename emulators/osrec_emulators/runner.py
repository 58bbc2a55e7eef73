"""Runs the emulated PBX in real time: CAP server, call model, audio and boards in one asyncio loop."""

import asyncio
import json
import logging
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TextIO

from osrec_drivers.line import Line, open_line
from osrec_emulators.audio.plane import AudioPlane
from osrec_emulators.audio.voices import load_voices
from osrec_emulators.cap.server import CapServer
from osrec_emulators.config import EmulatorConfig, TruthConfig
from osrec_emulators.diun2.board import Board, PortState
from osrec_emulators.diun2.outlet import Outlet
from osrec_emulators.diun2.pacer import Pacer
from osrec_emulators.diun2.signals import Signals
from osrec_emulators.diun2.trunk_events import Dialled, Finished, HungUp, TrunkCall
from osrec_emulators.diun2.truth import AudioTruth, line_name
from osrec_emulators.pbx.calls import Occurrence
from osrec_emulators.pbx.world import World
from osrec_emulators.watch import Seen, Watch

TICK = 0.01  # seconds: 80 frames, 10 SAToP packets
FLUSH = 0.05  # seconds in which lines that pace their packets send the last ones
STOOD_STILL = 0.25  # seconds: what the lines had to send is then passed over, as by a board whose clock goes on
LOOK_AT_CLIENTS = 10  # ticks between two looks at who is connected
LOOK_AT_LINES = 100  # ticks between two looks at the receive sides
CALLS = "calls.jsonl"
OUTAGES = "outages.jsonl"  # when nobody watched; others who bring about outages add to it
TRUNK_CALLS = "trunk-calls.jsonl"  # one line for each call that a trunk's signalling carried
FAULTS = "faults.jsonl"  # one line for each fault that the CAP server played

_log = logging.getLogger(__name__)


class Emulation:
    """The PBX with everything that belongs to it. It is opened by `start`, runs in `run`, and is closed by `close`.

    Attributes:
        world: the call model.
        server: the CAP server.
        boards: the trunk boards for the recorder.
        late: the longest that a tick came late, in seconds.
        traffic: what happens beyond the PBX's own scripts and load, asked at every tick.
    """

    def __init__(self, config: EmulatorConfig, seed: int) -> None:
        voices = load_voices(config.audio.speech)
        self.config = config
        self.late = 0.0
        self.traffic: Callable[[float], Iterable[Occurrence]] = lambda now: ()
        self._resources = ExitStack()
        self._start_ns = time.monotonic_ns()
        self._started_at = datetime.now(UTC)
        sink = faults = None
        if config.truth is not None:
            self._clear(config.truth)
            sink = self._open_lines(config.truth, CALLS).write
            faults = self._open_lines(config.truth, FAULTS)
        self.world = World(config.pbx, seed, wall=self.wall, sink=sink)
        self.server = CapServer(config.cap, self.world, self.clock)
        if faults is not None:
            write = faults.write
            self.server.on_fault = lambda fault: write(json.dumps(fault.as_json(self.wall(fault.at))) + "\n")
        self._watch = self._open_watch(config.truth)
        self.boards = [each.board() for each in config.boards]
        self._plane = AudioPlane(self.world.topology, voices)
        self._lines: list[list[Line]] = []
        self._signals: list[Signals] = []
        self._outlets: list[Outlet] = []
        self._trunk_calls = self._open_lines(config.truth, TRUNK_CALLS).write if config.truth is not None else None
        self._truth: AudioTruth | None = None
        self._pacer = Pacer(self._start_ns)

    def clock(self) -> float:
        """PBX time: seconds since the start."""
        return (time.monotonic_ns() - self._start_ns) / 1e9

    def wall(self, now: float) -> datetime:
        """PBX time as UTC; a step of the system clock does not move it."""
        return self._started_at + timedelta(seconds=now)

    async def start(self) -> None:
        """Open the lines, then listen. Raises OpenError, OSError."""
        try:
            for board in self.boards:
                lines = [self._open(spec) for spec in board.lines]
                self._lines.append(lines)
                self._signals.append(Signals(board, lines))
                self._outlets.append(Outlet(board, lines))
            await self._listen()
        except BaseException:
            self._resources.close()
            raise
        if self.config.truth is not None and self.config.truth.audio:
            minutes = self.config.truth.keep_minutes
            keep = timedelta(minutes=minutes) if minutes else None
            self._truth = AudioTruth(self.config.truth.directory, self.boards, self.wall(self.clock()), keep)

    async def run(self, stop: asyncio.Event, seconds: float | None) -> None:
        """Live until `stop` is set or the time is over."""
        for signals in self._signals:
            signals.start(self.clock())
        await self._ticks(lambda now: stop.is_set() or (seconds is not None and now >= seconds), live=True)

    async def wind_down(self, drain: float) -> None:
        """Hang everything up and go on sending for `drain` seconds: the recorder takes what is under way."""
        now = self.clock()
        self.server.publish(self.world.stop(now))
        await self._ticks(lambda later: later >= now + drain, live=False)
        await asyncio.sleep(FLUSH)

    async def close(self) -> None:
        """Write the truth, free the lines, hang up on clients."""
        for board, signals in zip(self.boards, self._signals, strict=False):
            for line, call in signals.calls_left():
                self._note_trunk_call(board, line, call)
        if self._truth is not None:
            self._truth.close(self.wall(self._pacer.handed / 8000))
        await self.server.close()
        self._resources.close()

    @property
    def ports(self) -> Sequence[PortState]:
        """All E1 ports, board by board."""
        return [port for board in self.boards for port in board.state]

    async def _ticks(self, over: Callable[[float], bool], *, live: bool) -> None:
        due = self.clock()
        tick = 0
        while not over(now := self.clock()):
            self.late = max(self.late, now - due)
            if now - due > STOOD_STILL:
                _log.warning(
                    "stood still for %.2f s: most of its audio is not sent, and missing at the far end", now - due
                )
            if live:
                self.server.publish(self.world.advance(now))
                self.server.publish(self.traffic(now))
            self._signal(now)
            self._send()
            if self._watch is not None and tick % LOOK_AT_CLIENTS == 0:
                self._watch.look(self._seen(), now)
            if tick % LOOK_AT_LINES == 0:
                self._look()
            tick += 1
            due = max(due + TICK, now)
            await asyncio.sleep(due - self.clock())

    def _send(self) -> None:
        for count in self._pacer.due(time.monotonic_ns()):
            first = self._plane.position
            at = self.wall(first / 8000)
            block = self._plane.render(count)
            for board, outlet in zip(self.boards, self._outlets, strict=True):
                due_ns = self._pacer.time_to_send(board.sent, board.faults.ppm)
                frames = board.frames(block)
                outlet.send(frames, due_ns)
                if self._truth is not None:
                    self._truth.write(board, frames, at)

    def _signal(self, now: float) -> None:
        """Let the trunks' calls follow the forks, and the forks what the recorder does with the calls."""
        joined = self.world.switch.forks.joined
        for board, signals in zip(self.boards, self._signals, strict=True):
            for line, outcome in signals.step(joined, now):
                match outcome:
                    case Finished(call):
                        self._note_trunk_call(board, line, call)
                    case HungUp(port):
                        self.server.publish(self.world.hang_up(port, now))
                    case Dialled(port, digits):
                        self.server.publish(self.world.dial(port, digits, now))

    def _note_trunk_call(self, board: Board, line: int, call: TrunkCall) -> None:
        if self._trunk_calls is not None:
            row = {"line": line_name(board.name, line)} | call.as_json(self.wall)
            self._trunk_calls(json.dumps(row) + "\n")

    def _look(self) -> None:
        for note in self.world.take_notes():
            _log.info("%s", note)
        for board, lines in zip(self.boards, self._lines, strict=True):
            for index, line in enumerate(lines):
                board.hear(index, line.status().alarms)

    def _seen(self) -> Seen:
        licences = self.server.licences
        exhausted = licences.size is not None and licences.used >= licences.size
        return Seen(self.server.associated, self.server.monitored, exhausted, self.server.owes)

    def _open_watch(self, truth: TruthConfig | None) -> Watch | None:
        if truth is None:
            return None
        watch = Watch(self.world.directory.stations, self.wall, self._open_lines(truth, OUTAGES).write)
        self._resources.callback(lambda: watch.close(self.clock()))
        return watch

    async def _listen(self) -> None:
        cap = self.config.cap
        try:
            await self.server.start()
        except OSError as error:
            raise OSError(f"cap.listen = {cap.listen!r}, cap.port = {cap.port}: {error.strerror}") from error

    def _open(self, spec: str) -> Line:
        line = open_line(spec)
        self._resources.callback(line.close)
        return line

    @staticmethod
    def _clear(truth: TruthConfig) -> None:
        """Begin a new truth: frame numbers start at 0, so nothing of an earlier run may stay."""
        truth.directory.mkdir(parents=True, exist_ok=True)
        for old in truth.directory.glob("audio-*"):
            shutil.rmtree(old)

    def _open_lines(self, truth: TruthConfig, name: str) -> TextIO:
        return self._resources.enter_context(_lines_file(truth.directory / name))


def _lines_file(path: Path) -> TextIO:
    """A new file to which others may append, too."""
    path.unlink(missing_ok=True)
    return path.open("a", encoding="utf-8", buffering=1)
