"""`python -m osrec.recorder.supervisor FILE`, what `osrec run` becomes: starts recorder and keeper, restarts whichever
dies, and holds the lines' sockets open meanwhile.

On the appliance systemd does this (FDSTORE); elsewhere `osrec run` does. What arrives while the recorder is down waits
in the kernel's socket buffers, so a killed recorder loses no packet if it is back before they are full.
"""

import asyncio
import os
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

import structlog

from osrec.config import Config, load
from osrec.errors import ConfigError
from osrec.log import set_up
from osrec.recorder.parent import EX_CONFIG, HELD, SUPERVISED
from osrec_drivers.errors import DriverError
from osrec_drivers.line import hold_line

log = structlog.get_logger()
RECORDER = "recorder"
STEADY = 5.0  # a process that ran so long is restarted at once
LONGEST_WAIT = 10.0
PATIENCE = 15.0  # seconds a process has to stop by itself


@dataclass(frozen=True, slots=True)
class Part:
    """One process to keep running."""

    name: str
    command: list[str]
    environment: dict[str, str]
    sockets: tuple[int, ...] = ()


class Processes:
    """Those that run now."""

    def __init__(self) -> None:
        self.by_name: dict[str, asyncio.subprocess.Process] = {}

    def reload(self) -> None:
        """The recorder shall read its rules again; one that starts just now reads them anyway."""
        recorder = self.by_name.get(RECORDER)
        if recorder is not None and recorder.returncode is None:
            recorder.send_signal(signal.SIGHUP)


def parts(config: Config, path: Path, held: dict[str, socket.socket]) -> list[Part]:
    """The processes of a recorder."""
    environment = os.environ | {SUPERVISED: str(os.getpid())}
    fds = {name: one.fileno() for name, one in held.items()}
    recorder_environment = environment | {HELD: " ".join(f"{name}={fd}" for name, fd in fds.items())}
    here = [sys.executable, "-m"]
    return [
        Part(RECORDER, [*here, "osrec.recorder.main", str(path)], recorder_environment, tuple(fds.values())),
        Part("keeper", [*here, "osrec.recorder.keeper", str(path)], environment),
    ]


async def supervise(config: Config, path: Path) -> int:
    """Run until SIGTERM or SIGINT; the exit code. Raises DriverError when a socket cannot be had."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    held = {line.name: one for line in config.lines if (one := hold_line(line.spec)) is not None}
    try:
        running = Processes()
        loop.add_signal_handler(signal.SIGHUP, running.reload)
        recorder, keeper = parts(config, path, held)
        recorder_gone = asyncio.Event()  # only then may the keeper stop: it stores what the recorder wrote last
        recording = asyncio.create_task(_keep(recorder, running, stopping))
        keeping = asyncio.create_task(_keep(keeper, running, recorder_gone))
        await asyncio.wait((recording, keeping), return_when=asyncio.FIRST_COMPLETED)
        stopping.set()
        code = await recording
        recorder_gone.set()
        return max(code, await keeping)
    finally:
        for one in held.values():
            one.close()


async def _keep(part: Part, running: Processes, stopping: asyncio.Event) -> int:
    """Run one process again and again until told to stop; its last exit code (0 when it ended as told)."""
    loop = asyncio.get_running_loop()
    wait: float | None = None
    while True:
        began = loop.time()
        code = await _run(part, running, stopping)
        if stopping.is_set():
            return max(code, 0)
        if code == EX_CONFIG and wait is None:
            return code  # refused from the start; a file that was spoilt later must not stop what runs
        wait = _next_wait(wait, steady=loop.time() - began >= STEADY)
        log.error("process died, starting it again", name=part.name, code=code, wait=wait)
        await _sleep(wait, stopping)
        if stopping.is_set():
            return 0


async def _run(part: Part, running: Processes, stopping: asyncio.Event) -> int:
    """Run one process to its end; its exit code."""
    try:
        process = await asyncio.create_subprocess_exec(
            *part.command, env=part.environment, pass_fds=part.sockets, process_group=0
        )
    except OSError as error:  # no memory, too many processes: that passes
        log.error("process cannot be started", name=part.name, error=str(error))
        return 1
    running.by_name[part.name] = process
    try:
        return await _until_end(process, stopping)
    finally:
        del running.by_name[part.name]


def _next_wait(last: float | None, *, steady: bool) -> float:
    """At once the first time, then after longer and longer pauses while it does not stay up."""
    if steady or last is None:
        return 0.0
    return min(max(last * 2, 0.5), LONGEST_WAIT)


async def _until_end(process: asyncio.subprocess.Process, stopping: asyncio.Event) -> int:
    ended = asyncio.create_task(process.wait())
    told = asyncio.create_task(stopping.wait())
    await asyncio.wait({ended, told}, return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    if not ended.done():
        process.terminate()
        try:
            await asyncio.wait_for(asyncio.shield(ended), PATIENCE)
        except TimeoutError:
            log.error("process does not stop, killing it", pid=process.pid)
            process.kill()
    return await ended


async def _sleep(seconds: float, stopping: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(stopping.wait(), seconds)
    except TimeoutError:
        return


def main() -> int:
    set_up("supervisor")
    path = Path(sys.argv[1])
    try:
        return asyncio.run(supervise(load(path), path))
    except ConfigError as error:
        log.error("configuration refused", error=str(error))
        return EX_CONFIG
    except DriverError as error:
        log.error("recorder cannot run", error=str(error))
        return 1


if __name__ == "__main__":
    sys.exit(main())
