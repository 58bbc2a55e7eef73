"""What lines share that a thread of ours serves: their board comes, gives and takes octets, goes, comes back.

A driver adds a Board: how to get at it, and a loop that moves octets between it and the two sans-I/O parts, Intake and
Outlet. A board that goes away (unplugged, its daemon restarted) is an alarm and a gap, never the end of the line: the
thread tries to open it again twice a second.
"""

import logging
import os
import select
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace

from osrec_drivers.e1.engine import Engine
from osrec_drivers.e1.line import EngineLine
from osrec_drivers.errors import DriverError, LineError
from osrec_drivers.intake import FRAME, FRAME_NS, Intake
from osrec_drivers.line import AlarmChange, Anchor, LineCounters, LineStatus, Octets
from osrec_drivers.outlet import Outlet

_log = logging.getLogger(__name__)
_RETRY = 0.5  # seconds between attempts to open a board that is gone


class Board(ABC):
    """An open board. Only the line's thread uses it, but for `close` after that thread has ended."""

    @abstractmethod
    def serve(self, line: "BoardLine") -> None:
        """Move octets until `line.closing`. Raises LineError when the board is gone."""

    @abstractmethod
    def reopen(self) -> None:
        """Open it again after `serve` raised. Raises DriverError when it is not there."""

    @abstractmethod
    def close(self) -> None: ...

    def counters(self) -> dict[str, int]:
        """Counts that only the board knows, by their names in LineCounters."""
        return {}


class BoardLine(EngineLine):
    """A line with a Board behind it.

    Attributes:
        intake: where the board's octets go.
        outlet: frames that wait to be sent.
        wake: descriptor that becomes readable when the line is to be closed.
        clock: what time it is for the board, CLOCK_MONOTONIC in ns.
        failure: why the board is gone, None while it is there.
    """

    def __init__(
        self,
        spec: str,
        engine: Engine,
        board: Board,
        *,
        writes_ts0: bool = False,
        intake: Intake | None = None,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.spec = spec
        self.engine = engine
        self.intake = intake or Intake(engine, writes_ts0=writes_ts0)
        self.clock = clock
        self.outlet = Outlet()
        self.wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self.failure: str | None = None
        self._board = board
        self._closing = threading.Event()
        self._closed = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=spec.partition("?")[0], daemon=True)
        self._thread.start()

    @property
    def closing(self) -> bool:
        return self._closing.is_set()

    @property
    def sent(self) -> int:
        """Frames given to `transmit` that were sent."""
        return self.outlet.sent

    def next_frames(self, count: int) -> bytes:
        """The next frames for the board to send, TS0 written, idle ones where nobody transmits."""
        return self.engine.transmit(self.outlet.take(count, self.clock()))

    def pause(self, seconds: float) -> None:
        """Wait, but not for longer than the line lives."""
        select.select([self.wake], [], [], seconds)

    # ---- Line ----

    def changes(self) -> Sequence[AlarmChange]:
        return sorted([*super().changes(), *self.intake.changes()], key=lambda change: change.sample)

    def status(self) -> LineStatus:
        first = self.intake.first_arrival
        expected = 0 if first is None else (self.clock() - first) // FRAME_NS
        status = self._engine_status()
        counters = replace(status.counters, overruns=self.intake.overruns, **self._board.counters())
        alarms = status.alarms | self.intake.alarms
        return replace(status, alarms=alarms, expected=expected, ppm=self.intake.ppm(), counters=counters)

    def _engine_status(self) -> LineStatus:
        alarms, aligned, multiframe, head, counters = self.engine.snapshot()
        return LineStatus(
            spec=self.spec,
            alarms=alarms,
            aligned=aligned,
            crc_multiframe=multiframe,
            head=head,
            received=counters["frames"],
            expected=0,
            ppm=None,
            counters=LineCounters(**counters),
            crc4=self.engine.crc4_state,
            sa=self.engine.sa,
            loop=self.engine.loop,
        )

    def anchor(self) -> Anchor | None:
        if self.intake.first_arrival is None:
            return None
        resume = self.engine.resume
        first = 0 if resume is None else resume.sample
        frames = self.engine.octets // FRAME
        return Anchor(first + frames, 0, self.intake.due(frames))

    def transmit(self, frames: Octets, due_ns: int | None = None) -> None:
        if self.closing:
            raise LineError(f"line {self.spec!r}: it is closed")
        try:
            self.outlet.put(frames, due_ns)
        except LineError as error:
            raise LineError(f"line {self.spec!r}: {error}") from None

    def close(self) -> None:
        with self._closed:
            if self._closing.is_set():
                return
            self._closing.set()
            self._close_channels()
            os.eventfd_write(self.wake, 1)
            self._thread.join()
            self._board.close()
            os.close(self.wake)

    # ---- the thread ----

    def _run(self) -> None:
        while not self.closing:
            try:
                self._board.serve(self)
            except Exception as error:  # whatever a board does, its line goes on: with an alarm, until it is better
                if not isinstance(error, LineError):
                    _log.exception("line %r: its board failed in a way that nobody foresaw", self.spec)
                self.intake.gone()
                self.failure = str(error)
                self._wait_for_it()

    def _wait_for_it(self) -> None:
        told = False
        while not self.closing:
            self.pause(_RETRY)
            self.intake.tick(self.clock())
            if self.closing:
                return
            try:
                self._board.reopen()
            except DriverError:
                continue
            except Exception:  # a board that is just being plugged in answers anything: it may be there the next time
                if not told:
                    _log.exception("line %r: its board cannot be opened again for what nobody foresaw", self.spec)
                told = True
                continue
            self.failure = None
            return
