"""The emulated PBX as a whole: switch, scripts, load, services and truth, driven by whoever has a clock."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

from osrec.wire.csta import model
from osrec_emulators.pbx.calls import Identifiers, Occurrence
from osrec_emulators.pbx.config import PbxConfig
from osrec_emulators.pbx.directory import Directory
from osrec_emulators.pbx.fork_faults import ForkFaults
from osrec_emulators.pbx.load import Load
from osrec_emulators.pbx.numbering import expand_all
from osrec_emulators.pbx.plays import Note, Play, Plays, script_steps
from osrec_emulators.pbx.services import Answer, Services
from osrec_emulators.pbx.switch import Switch
from osrec_emulators.pbx.topology import SwitchTopology
from osrec_emulators.pbx.truth import Truth

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def virtual_wall(now: float) -> datetime:
    """The wall clock of a run in virtual time: PBX time 0 is New Year 2026, UTC."""
    return EPOCH + timedelta(seconds=now)


class Source(Protocol):
    """Something that wants to act at `deadline`."""

    @property
    def deadline(self) -> float | None: ...

    def run(self, now: float) -> None: ...


class World:
    """Composes the PBX. Sans I/O: time is an argument, what happens is returned.

    Args:
        seed: the same configuration and seed give the same calls at the same times.
        wall: PBX time to aware UTC, for the truth and for the time stamps of events.
        sink: takes each line of calls.jsonl, with its newline, when a conversation has ended; None: nobody wants them.

    Attributes:
        switch: the calls; tests and consoles may give it commands between two advances.
        topology: who hears whom, for the audio plane.
        truth: counts of running and finished conversations.
        plays: running scripts.
        load: the random load, None without one.
    """

    def __init__(
        self,
        config: PbxConfig,
        seed: int = 0,
        *,
        wall: Callable[[float], datetime] = virtual_wall,
        sink: Callable[[str], object] | None = None,
    ) -> None:
        self.config = config
        self.directory = Directory(config)
        self.truth = Truth(sink, wall, self.directory.names)
        self._wall = wall
        # The wall clock makes the ids of a run differ from those of the run before, which a recorder still has on disk.
        run = int(wall(0.0).timestamp() * 1000).to_bytes(8, "big")[2:] + random.Random(f"run {seed}").randbytes(2)
        self.switch = Switch(
            config, self.directory, Identifiers(config.call_id_octets, run, seed, config.call_id_wrap), self.truth
        )
        self.topology = SwitchTopology(self.switch)
        self.plays = Plays(self.switch, self.topology)
        self.load = self._make_load(config, seed)
        self.switch.forks.faults = ForkFaults(config.fork.faults, seed)
        self._services = Services(config.fork, self.switch, self.truth)
        self._sources: list[Source] = [self.plays, _OwnAccord(self.switch), self.switch.forks]
        if self.load is not None:
            self._sources.append(self.load)
        for script in config.script:
            play = Play(script.name or f"script from {script.steps[0].party}", script_steps(script))
            self._sources.append(_Repeating(self.plays, play, script.start, script.repeat))

    def _make_load(self, config: PbxConfig, seed: int) -> Load | None:
        if config.load is None:
            return None
        busy_by_themselves = set(config.group_members())
        others = [station for station in self.directory.stations if station not in busy_by_themselves]
        stations = expand_all(config.load.stations) or others
        return Load(config.load, config, stations, self.switch, self.plays, seed=seed)

    @property
    def deadline(self) -> float | None:
        """When advance() has something to do; None when only a command or request can change anything."""
        return min((due for source in self._sources if (due := source.deadline) is not None), default=None)

    def advance(self, now: float) -> list[Occurrence]:
        """Let everything happen that is due until `now`, each at its own time."""
        while (source := self._next(now)) is not None:
            due = source.deadline
            assert due is not None
            self.switch.now = max(self.switch.now, due)
            source.run(due)
        self.switch.now = max(self.switch.now, now)
        return self.switch.take()

    def request(self, service: model.Argument, now: float) -> Answer:
        """Serve a CTI client. What happened before it, but was not taken yet, comes with it."""
        self.switch.now = max(self.switch.now, now)
        served = self._services.serve(service)
        return Answer(served.result, tuple(self.switch.take()), served.delay)

    def hang_up(self, port: str, now: float) -> list[Occurrence]:
        """A recorder port leaves its call by itself: its trunk says that the recorder has hung up."""
        self.switch.now = max(self.switch.now, now)
        if port in self.switch.forks.joined:
            self.switch.free_port(port)
        return self.switch.take()

    def dial(self, port: str, digits: str, now: float) -> list[Occurrence]:
        """A recorder port dials over its trunk what it could have asked for with MakeCall; nothing when refused."""
        request = model.MakeCall(model.DeviceId(port), model.DeviceId(digits))
        return list(self.request(request, now).occurrences)

    def snapshot(self, device: str) -> model.DeviceSnapshot:
        """The calls of a device. Raises Refused when there is no such device."""
        return self._services.snapshot(device)

    def known(self, device: str) -> bool:
        """Whether the number belongs to a station, trunk or recorder port."""
        return self.directory.known(device)

    def devices(self) -> list[str]:
        """Stations, as a client is told of them."""
        return list(self.directory.stations)

    def stop(self, now: float) -> list[Occurrence]:
        """End gracefully: nothing begins any more, everybody hangs up, every conversation gets its line of truth."""
        occurrences = self.advance(now)
        del self._sources[:]
        for call in list(self.switch.calls.values()):
            self.switch.clear_call(call)
        return occurrences + self.switch.take()

    def take_notes(self) -> list[Note]:
        """What is worth a line in the log: steps that were impossible."""
        notes, self.plays.notes = self.plays.notes, []
        return notes

    def local_time(self, at: float) -> datetime:
        """PBX local time without zone, as events carry it."""
        return (self._wall(at) + timedelta(hours=self.config.utc_offset)).replace(tzinfo=None, microsecond=0)

    def _next(self, now: float) -> Source | None:
        due = [source for source in self._sources if source.deadline is not None and source.deadline <= now]
        return min(due, key=lambda source: source.deadline or 0.0, default=None)


class _OwnAccord:
    """What the switch does by itself."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch

    @property
    def deadline(self) -> float | None:
        return self._switch.deadline

    def run(self, now: float) -> None:
        self._switch.expire()


class _Repeating:
    """Starts a script once or every so often."""

    def __init__(self, plays: Plays, play: Play, start: float, repeat: float | None) -> None:
        self.deadline: float | None = start
        self._plays = plays
        self._play = play
        self._repeat = repeat

    def run(self, now: float) -> None:
        self._plays.start(self._play, now)
        self.deadline = None if self._repeat is None else now + self._repeat
