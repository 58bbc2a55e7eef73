"""`osrec-emulate cap-load`: the emulated PBX sends so many events a second to the client that monitors everything."""

import asyncio
import json
import math
import signal
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from osrec.errors import ConfigError, OsrecError
from osrec.wire.csta import model
from osrec_emulators.cap.load import Load, Recorded
from osrec_emulators.config import load_config
from osrec_emulators.pbx.calls import Occurrence
from osrec_emulators.pbx.services import Answer
from osrec_emulators.pbx.world import World
from osrec_emulators.runner import Emulation

QUIET = 1.0  # seconds without a request of the client after which it has all that it wanted
DRAIN = 3.0  # seconds in which the client takes what is under way
PATIENCE = 300.0  # seconds in which all stations have to be monitored


class LoadError(OsrecError):
    """The client did not do what the measurement needs."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send: `rate` events a second for `seconds`; the first `recorded` stations are those that are recorded."""

    rate: float
    seconds: float
    recorded: int
    talk: float


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it; times in seconds.

    Attributes:
        monitored_after: from the association to the last MonitorStart.
        settled_after: from the association to the last request of the client before the load: its snapshots are done.
        events: event reports that the client was sent, since it connected.
        forked: of the `answered` calls of recorded stations, those for which the client asked for a fork.
        delay_p50, delay_p99, delay_longest: from the Established event to the fork request.
        late: the longest that the emulator itself was late.
    """

    monitors: int
    monitored_after: float
    settled_after: float
    events: int
    seconds: float
    calls: int
    answered: int
    forked: int
    delay_p50: float | None
    delay_p99: float | None
    delay_longest: float | None
    late: float


class Phase(Enum):
    WAIT = "wait"
    SETTLE = "settle"
    LOAD = "load"
    WIND_DOWN = "wind down"
    DRAIN = "drain"
    OVER = "over"


class LoadRun:
    """Waits for the client, plays the load, and measures. One step is one tick of the emulation."""

    def __init__(self, emulation: Emulation, plan: Plan) -> None:
        stations = list(emulation.world.directory.stations)
        if len(stations) < 2 * plan.recorded + 3:
            raise LoadError(
                f"pbx.stations: {len(stations)} stations; {plan.recorded} recorded ones need a partner each"
            )
        self.phase = Phase.WAIT
        self.result: Result | None = None
        self._emulation = emulation
        self._plan = plan
        self._stations = len(stations)
        pairs = list(zip(stations[: plan.recorded], stations[plan.recorded : 2 * plan.recorded], strict=True))
        self._recorded = Recorded(emulation.world, pairs, plan.talk)
        self._load = Load(emulation.world, stations[2 * plan.recorded :], plan.rate)
        self._front = _Front(emulation.world, self._recorded, emulation)
        emulation.server.pbx = self._front
        emulation.traffic = self.tick
        self._associated: float | None = None
        self._monitored = self._settled = self._since = 0.0

    def tick(self, now: float) -> Iterable[Occurrence]:
        """What happens until now."""
        match self.phase:
            case Phase.WAIT:
                self._wait(now)
            case Phase.SETTLE if now - self._front.last_request >= QUIET:
                self._settled = max(self._monitored, self._front.settled)
                self._enter(Phase.LOAD, now)
                self._emulation.late = 0.0
            case Phase.LOAD:
                if now < self._since + self._plan.seconds:
                    return [*self._load.advance(now), *self._recorded.advance(now)]
                self._enter(Phase.WIND_DOWN, now)
                self._load.wind_down()
            case Phase.WIND_DOWN:
                if self._load.idle:
                    self._enter(Phase.DRAIN, now)
                return self._load.advance(now)
            case Phase.DRAIN if now >= self._since + DRAIN:
                self._conclude()
            case _:
                pass
        return ()

    def _wait(self, now: float) -> None:
        clients = self._emulation.server.clients
        if self._associated is None:
            self._associated = now if any(client.associated for client in clients) else None
        if any(client.monitors >= self._stations for client in clients):
            self._monitored = now
            self._enter(Phase.SETTLE, now)
        elif now >= PATIENCE:
            most = max((client.monitors for client in clients), default=0)
            raise LoadError(f"{most} of {self._stations} stations monitored after {PATIENCE:g} s; all have to be")

    def _enter(self, phase: Phase, now: float) -> None:
        self.phase, self._since = phase, now

    def _conclude(self) -> None:
        client = max(self._emulation.server.clients, key=lambda each: each.monitors, default=None)
        if client is None:
            raise LoadError("the client is gone")
        began = self._associated or 0.0
        delays = sorted(self._recorded.delays)
        self.phase = Phase.OVER
        self.result = Result(
            monitors=client.monitors,
            monitored_after=round(self._monitored - began, 3),
            settled_after=round(self._settled - began, 3),
            events=client.counters.events,
            seconds=self._plan.seconds,
            calls=self._load.calls + self._recorded.answered,
            answered=self._recorded.answered,
            forked=len(delays),
            delay_p50=percentile(delays, 50),
            delay_p99=percentile(delays, 99),
            delay_longest=percentile(delays, 100),
            late=round(self._emulation.late, 3),
        )


class _Front:
    """Stands before the PBX and looks at the requests."""

    def __init__(self, world: World, recorded: Recorded, emulation: Emulation) -> None:
        self.last_request = self.settled = 0.0
        self._world = world
        self._recorded = recorded
        self._emulation = emulation

    def request(self, service: model.Argument, now: float) -> Answer:
        clock = self._emulation.clock()
        self.last_request = clock
        match service:
            case model.SingleStepConference(active_call=call) | model.JoinCall(active_call=call):
                if isinstance(call.device, model.DeviceId):
                    self._recorded.asked(call.device.number, clock)
            case _:
                self.settled = clock
        return self._world.request(service, now)

    def known(self, device: str) -> bool:
        self.last_request = self.settled = self._emulation.clock()
        return self._world.known(device)

    def devices(self) -> list[str]:
        return self._world.devices()

    def local_time(self, at: float) -> datetime:
        return self._world.local_time(at)


def percentile(ordered: Sequence[float], share: int) -> float | None:
    """The smallest value that so many percent do not exceed (nearest rank); None of nothing."""
    if not ordered:
        return None
    return round(ordered[max(math.ceil(share * len(ordered) / 100), 1) - 1], 4)


def cap_load(
    *,
    config: Annotated[Path, typer.Option("-c", "--config", help="TOML file of the PBX, without scripts and load.")],
    events: Annotated[float, typer.Option(min=1, help="Event reports a second.")] = 1000.0,
    seconds: Annotated[float, typer.Option(min=1, help="How long.")] = 60.0,
    recorded: Annotated[int, typer.Option(min=0, help="Stations that are recorded: the first ones.")] = 20,
    talk: Annotated[float, typer.Option(min=0.5, help="Seconds of their calls.")] = 4.0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same ids.")] = 1,
) -> None:
    """Wait until a client monitors all stations, send events at a given rate, print what came of it as JSON."""
    try:
        result = asyncio.run(_run(config, Plan(events, seconds, recorded, talk), seed))
    except ConfigError as error:
        print(f"osrec-emulate: {error}", file=sys.stderr)
        raise typer.Exit(2) from None
    except (OsrecError, OSError) as error:
        print(f"osrec-emulate: {config}: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    print(json.dumps(asdict(result)), flush=True)


async def _run(file: Path, plan: Plan, seed: int) -> Result:
    emulation = Emulation(load_config(file), seed)
    run = LoadRun(emulation, plan)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await emulation.start()
    try:
        listening = f"{emulation.config.cap.listen}:{emulation.server.port}"
        print(f"ready: CSTA on {listening} with {len(emulation.world.directory.stations)} stations", flush=True)
        over = asyncio.create_task(_until_over(run, stop))
        await emulation.run(stop, None)
        over.cancel()
    finally:
        await emulation.close()
    if run.result is None:
        raise LoadError("stopped before the measurement was over")
    return run.result


async def _until_over(run: LoadRun, stop: asyncio.Event) -> None:
    while run.phase is not Phase.OVER:
        await asyncio.sleep(0.1)
    stop.set()
