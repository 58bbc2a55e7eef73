"""The recorder's process: opens what the configuration names, and turns the crank."""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, suppress
from functools import partial
from importlib.metadata import version
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import structlog
from uuid6 import uuid7

from osrec.config import Config
from osrec.config_recording import Recording
from osrec.csta.messages import Output as LinkOutput
from osrec.csta.runner import LinkRunner
from osrec.recorder.clock import SystemClock
from osrec.recorder.control import ControlServer
from osrec.recorder.keeper_watch import look_at_keeper
from osrec.recorder.line_requests import LineRequests
from osrec.recorder.line_watch import LineWatch
from osrec.recorder.link_requests import LinkRequests
from osrec.recorder.listening import Ears
from osrec.recorder.parent import HELD
from osrec.recorder.parts import build_engine, build_trunks, link_config, store_config
from osrec.recorder.requests import Requests
from osrec.recorder.service import Recorder
from osrec.recorder.snapshot import Snapshot
from osrec.store.records import RunStarted
from osrec.store.recovery import Recovered
from osrec.store.state import JournalState
from osrec.store.takeover import boot_id
from osrec.store.writer import JournalWriter
from osrec_drivers.e1.criteria import Criteria
from osrec_drivers.errors import OpenError
from osrec_drivers.line import Anchor, Line, open_line

T = TypeVar("T")
log = structlog.get_logger()
PAUSE_AFTER_FAULT = 0.5
LINES_SAVED_EVERY = 60  # seconds: what a kill -9 may cost of the lines' error performance
LAST_SAVE = 2.0  # seconds that its last writing may take
RESUME_MARGIN = 0.9  # of the time after which the keeper finishes what was left open: never both


def held_sockets(environment: Mapping[str, str]) -> dict[str, int]:
    """File descriptors by line name, from the supervisor's environment variable."""
    entries = (entry.partition("=") for entry in environment.get(HELD, "").split())
    return {line: int(fd) for line, _, fd in entries}


def open_lines(config: Config, anchors: Mapping[str, Anchor], held: Mapping[str, int], lines: dict[str, Line]) -> None:
    """Put all lines into `lines`, their sample numbers going on from the anchors. Raises DriverError."""
    for line in config.lines:
        resume = anchors.get(line.name)
        try:
            lines[line.name] = open_line(line.spec, fd=held.get(line.name), resume=resume)
        except OpenError as error:
            if line.name not in held:
                raise
            log.warning("held socket not taken: the configuration has changed?", line=line.name, error=str(error))
            lines[line.name] = open_line(line.spec, resume=resume)
        lines[line.name].judge_by(Criteria(**line.criteria))


def _close_lines(lines: Mapping[str, Line]) -> None:
    for line in lines.values():
        line.close()


def anchors_of(recovered: Recovered, boot: str) -> dict[str, Anchor]:
    """Where the lines of the earlier run stood; nothing after a start of the machine, which starts its clock anew."""
    return {
        name: Anchor(last.sample, last.sequence, last.monotonic_ns)
        for name, last in recovered.anchors.items()
        if last.boot_id == boot
    }


def _watch_over(config: Config, lines: Mapping[str, Line], clock: SystemClock) -> LineWatch:
    thresholds = {line.name: line.thresholds for line in config.lines}
    return LineWatch(lines, clock.at, config.data.directory, thresholds)


def _ears(how: Recording, lines: Mapping[str, Line], watch: LineWatch) -> Ears:
    return Ears(lines, bytes(how.idle_codes), how.preroll, how.energy_dbm0, watch.hear)


def _control(
    config: Config, snapshot: Snapshot, requests: Requests, about_link: LinkRequests, about_lines: LineRequests
) -> ControlServer:
    methods = requests.methods() | about_link.methods() | about_lines.methods()
    streams = about_link.streams() | about_lines.streams()
    return ControlServer(config.data.directory / "control.sock", snapshot.status, methods, streams)


async def run(config: Config, path: Path) -> None:
    """Record until SIGTERM or SIGINT; SIGHUP reloads the rules of the file at `path`.

    Raises DriverError, StoreError when a part cannot start.
    """
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with AsyncExitStack() as ending:
        await _record(config, path, stopping, ending)


async def _record(config: Config, path: Path, stopping: asyncio.Event, ending: AsyncExitStack) -> None:
    """`ending` ends what has begun, the last first, also when what comes after it cannot begin."""
    loop = asyncio.get_running_loop()
    ending.callback(log.info, "recorder stopped")
    clock, boot = SystemClock(), boot_id()
    engine = build_engine(config, clock.at())

    recorder: Recorder | None = None

    def journal_state(state: JournalState) -> None:
        if recorder is not None:
            recorder.journal_state(state)

    def from_thread(take: Callable[[T], None], news: T) -> None:
        with suppress(RuntimeError):  # the loop is closed: we are ending
            loop.call_soon_threadsafe(take, news)

    run_id = uuid7()
    started = RunStarted(run=run_id, at=clock.at(), boot_id=boot, version=version("osrec"))
    lines: dict[str, Line] = {}
    ending.callback(_close_lines, lines)  # last of all: the writer takes what they hold
    writer = JournalWriter(store_config(config), started, on_state=partial(from_thread, journal_state))
    ending.callback(writer.stop)
    recovered = writer.recovered
    anchors = anchors_of(recovered, boot)
    open_lines(config, anchors, held_sockets(os.environ), lines)
    watch = _watch_over(config, lines, clock)
    ending.callback(watch.save, patience=LAST_SAVE)
    writer.start()

    def link_output(output: LinkOutput) -> None:
        assert recorder is not None
        try:
            recorder.take(output)
        except Exception:  # a fault of ours in one event must not end the recordings of all others
            log.exception("event could not be followed", output=output)

    link = LinkRunner(link_config(config), on_output=link_output)
    ears = _ears(config.recording, lines, watch)
    recorder = Recorder(engine, lines, ears, writer, link.request, clock, boot)
    ending.callback(recorder.stop)
    recorder.resume(anchors, config.data.resume_seconds * RESUME_MARGIN)
    recorder.trunks.begin(build_trunks(config, lines, recorder.adopted, clock.now()))
    snapshot = Snapshot(config, recorder, link, clock, run_id, watch)
    requests = Requests(recorder, writer, path, clock.at)
    control = _control(config, snapshot, requests, LinkRequests(link), LineRequests(recorder, watch, clock.at))
    loop.add_signal_handler(signal.SIGHUP, requests.reload_soon)
    ending.push_async_callback(control.close)
    await control.start()
    ending.callback(look_at_keeper(config.data.directory, partial(from_thread, recorder.keeper_seen)).set)
    log.info("recorder runs", run=str(run_id), lines=len(lines), pairs=len(engine.pool.pairs))
    await _until(stopping, link.run(), _tick(recorder, clock), _watch(watch))


async def _until(stopping: asyncio.Event, *parts: Coroutine[Any, Any, None]) -> None:
    """Run the parts until told to stop. A part that ends by itself failed: its error comes out, for a restart."""
    tasks = [asyncio.create_task(part) for part in parts]
    stop = asyncio.create_task(stopping.wait())
    try:
        done, _ = await asyncio.wait({stop, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        for task in done - {stop}:
            task.result()
    finally:
        for task in (stop, *tasks):
            task.cancel()
        await asyncio.gather(stop, *tasks, return_exceptions=True)


async def _tick(recorder: Recorder, clock: SystemClock) -> None:
    while True:
        try:
            recorder.tick()
        except Exception:  # the same as in link_output: go on with all the others
            log.exception("tick failed")
            await asyncio.sleep(PAUSE_AFTER_FAULT)
        # requests and reports move the deadline at any time, so it is looked at again soon
        await asyncio.sleep(min(max(recorder.deadline - clock.now(), 0.005), 0.05))


async def _watch(watch: LineWatch) -> None:
    """Count the seconds of the lines; now and then write them down."""
    for second in count():
        try:
            watch.look()
            if second % LINES_SAVED_EVERY == 0:
                watch.save()
        except Exception:  # the same as in link_output
            log.exception("lines could not be looked at")
        await asyncio.sleep(1.0)
