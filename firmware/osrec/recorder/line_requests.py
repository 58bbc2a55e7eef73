"""What can be asked of a running recorder about a line: its error performance, a loop, a bit error test."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, get_args

import structlog

from osrec.config_lines import slot_list
from osrec.engine.alarms import AlarmCleared, AlarmRaised, Severity
from osrec.engine.pool import Block
from osrec.recorder.control import Method, RefusedError, Request, Stream
from osrec.recorder.line_watch import LineWatch
from osrec.recorder.service import Recorder
from osrec_drivers.e1.bert import PATTERNS, BitErrorTest, overall
from osrec_drivers.errors import LineError
from osrec_drivers.line import Line, LoopKind

log = structlog.get_logger()
STEP = 0.1  # seconds between two looks at a bit error test
TELL = 1.0  # seconds between two answers
LONGEST = 30 * 24 * 3600.0  # seconds of a test
LOOPS: tuple[LoopKind, ...] = get_args(LoopKind)


class LineRequests:
    """Methods of the control socket.

    Args:
        now: gives the wall time.
    """

    def __init__(self, recorder: Recorder, watch: LineWatch, now: Callable[[], datetime]) -> None:
        self._recorder = recorder
        self._watch = watch
        self._now = now

    def methods(self) -> dict[str, Method]:
        return {"performance": self._performance, "loop": self._loop}

    def streams(self) -> dict[str, Stream]:
        return {"bert": self._bert}

    async def _performance(self, request: Request) -> dict[str, Any]:
        name, _ = self._line(request)
        return {"performance": self._watch.performance(name)}

    async def _loop(self, request: Request) -> dict[str, Any]:
        name, line = self._line(request)
        kind = request.get("kind")
        if kind not in LOOPS:
            raise RefusedError(f"kind = {kind!r}: one of {', '.join(LOOPS)}")
        busy = sorted(self._busy(name))
        if kind != "none" and busy and request.get("force") is not True:
            raise RefusedError(
                f"line {name}: its slots {_listed(busy)} are in use by calls, and a loop would spoil them;"
                " wait until they are over, or force it"
            )
        try:
            line.loop(kind)
        except (LineError, ValueError, NotImplementedError) as error:
            raise RefusedError(f"line {name}: {error}") from error
        key = f"line-loop:{name}"
        text = f"line {name}: loop {kind}; `osrec lines {name} loop off` ends it"
        self._recorder.engine.pool.block(name, kind != "none", Block.LOOP)
        change = AlarmCleared(key) if kind == "none" else AlarmRaised(key, Severity.MAJOR, text)
        self._recorder.alarms.take(change, self._now())
        log.warning("loop", line=name, kind=kind)
        return {"line": name, "kind": kind}

    # --- bit error test

    async def _bert(self, request: Request) -> AsyncGenerator[dict[str, Any], None]:
        name, line = self._line(request)
        slots, pattern, seconds = _slots(request), _pattern(request), _seconds(request)
        self._refuse_busy(name, slots)
        under_test = {(name, slot) for slot in slots}
        tested = self._recorder.ears.under_test
        if both := sorted(slot for _, slot in under_test & tested):
            raise RefusedError(f"line {name}: slots {_listed(both)} are under test already")
        test = BitErrorTest(line, slots, PATTERNS[pattern])
        tested |= under_test
        self._reserve(name, slots, True)
        try:
            async for done in self._steps(test, seconds, lambda: self._refuse_busy(name, slots)):
                yield {"bert": bert_json(name, pattern, test, done=done)}
        except LineError as error:
            raise RefusedError(f"line {name}: {error}") from error
        finally:
            tested -= under_test
            self._reserve(name, slots, False)

    def _reserve(self, name: str, slots: Sequence[int], reserved: bool) -> None:
        """Keep calls away from the slots. Where two tests share a pair, each has a slot of it."""
        under_test = self._recorder.ears.under_test
        pool = self._recorder.engine.pool
        for pair in pool.pairs:
            both = pair.own.slot, pair.other.slot
            if pair.line == name and not set(slots).isdisjoint(both):
                pool.reserve(pair, reserved or any((name, slot) in under_test for slot in both))

    async def _steps(
        self, test: BitErrorTest, seconds: float | None, before: Callable[[], None]
    ) -> AsyncGenerator[bool, None]:
        """Keep the test going; now and then whether it is over, to be told. `before` each step may raise."""
        loop = asyncio.get_running_loop()
        begun = told = loop.time()
        while True:
            before()
            test.step()
            now = loop.time()
            over = seconds is not None and now - begun >= seconds
            if over or now - told >= TELL:
                told = now
                yield over
            if over:
                return
            await asyncio.sleep(STEP)

    def _refuse_busy(self, name: str, slots: Sequence[int]) -> None:
        busy = sorted(self._busy(name) & set(slots))
        if busy:
            raise RefusedError(
                f"line {name}: slots {_listed(busy)} are in use by calls, of recordings or of the PBX; no test there"
            )

    # --- what requests name

    def _busy(self, name: str) -> set[int]:
        """Slots of the line that recordings or calls of the PBX hold.

        Where signalling chooses the slots, a recording that no call has come for yet has none.
        """
        engine = self._recorder.engine
        bearers = engine.forks.bearers
        signalled = name in bearers.signalled
        recordings = [one for one in engine.recordings.values() if one.pair.line == name]
        placed = [one.carrier if signalled else one.channels for one in recordings]
        called = [pair for pair in engine.pool.pairs if signalled and pair.line == name]
        slots = {port.slot for pair in placed if pair is not None for port in (pair.own, pair.other)}
        return slots.union(*map(bearers.slots, called))

    def _line(self, request: Request) -> tuple[str, Line]:
        name = request.get("line")
        if not isinstance(name, str) or name not in self._recorder.lines:
            raise RefusedError(f"line = {name!r}: one of {', '.join(self._recorder.lines)}")
        return name, self._recorder.lines[name]


def bert_json(line: str, pattern: str, test: BitErrorTest, *, done: bool) -> dict[str, Any]:
    """What a test has found so far: docs/control.md."""
    results = test.results()
    return {
        "line": line,
        "pattern": pattern,
        "seconds": round(test.seconds, 1),
        "slots": [asdict(one) | {"rate": one.rate, "verdict": one.verdict.value} for one in results],
        "verdict": overall(results).value,
        "done": done,
    }


def _listed(slots: Sequence[int]) -> str:
    return ", ".join(map(str, slots))


def _slots(request: Request) -> list[int]:
    slots = request.get("slots")
    if not isinstance(slots, str):
        raise RefusedError(f"slots = {slots!r}: numbers and ranges as text, such as 1-15,17-31")
    try:
        return slot_list(slots)
    except ValueError as error:
        raise RefusedError(f"slots = {error}") from error


def _pattern(request: Request) -> str:
    pattern = request.get("pattern", "2^15-1")
    if not isinstance(pattern, str) or pattern not in PATTERNS:
        raise RefusedError(f"pattern = {pattern!r}: one of {', '.join(PATTERNS)}")
    return pattern


def _seconds(request: Request) -> float | None:
    seconds = request.get("seconds")
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= LONGEST:
        raise RefusedError(f"seconds = {seconds!r}: how long to test, more than 0; without it until you close")
    return float(seconds)
