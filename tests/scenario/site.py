"""A whole site in one process and in virtual time: emulated PBX, CAP session, DIUN2 on a cable, recorder, keeper.

Every octet goes the way it goes in the field (framing, BER, E1 with CRC-4, journal, FLAC); only sockets, threads and
clocks are replaced. What the PBX sent is judged by the emulators' own judge.
"""

import json
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

from osrec.config import Config
from osrec.csta import messages as link
from osrec.csta.link import Link
from osrec.errors import WireError
from osrec.recorder.listening import Ears
from osrec.recorder.parts import build_engine, build_trunks, link_config, store_config
from osrec.recorder.runner import RESUME_MARGIN, anchors_of
from osrec.recorder.service import Recorder
from osrec.store.disk import Disk
from osrec.store.index import Conversation, Index, Recording
from osrec.store.keeper import Keeper
from osrec.store.records import Clock as ClockState
from osrec.store.records import RunStarted
from osrec.store.sidecar import Sidecar, read_sidecar
from osrec.store.writer import JournalWriter
from osrec.wire.csta.model import Argument
from osrec_drivers.line import Line, open_line
from osrec_drivers.virtual import Fault, FaultKind, cable
from osrec_emulators.audio.plane import AudioPlane
from osrec_emulators.audio.voices import load_voices
from osrec_emulators.cap import session as cap_session
from osrec_emulators.cap.config import CapConfig
from osrec_emulators.cap.faults import Connection, Restart
from osrec_emulators.cap.licences import LicencePool
from osrec_emulators.cap.status import PlayedFault
from osrec_emulators.check.judge import check
from osrec_emulators.check.verdict import Report
from osrec_emulators.check.withheld import FAULTS
from osrec_emulators.diun2.config import BoardConfig
from osrec_emulators.diun2.faults import Faults
from osrec_emulators.diun2.outlet import Outlet
from osrec_emulators.diun2.signals import Signals
from osrec_emulators.diun2.trunk_events import Dialled, Finished, HungUp, TrunkCall
from osrec_emulators.diun2.truth import AudioTruth
from osrec_emulators.pbx.config import PbxConfig
from osrec_emulators.pbx.world import World

START = datetime(2026, 11, 23, 12, tzinfo=UTC)
PAIRS = 15  # on one E1 line
TICK = 0.01  # 80 frames, as the emulator's own pacer takes them
SPEECH = Path(__file__).parents[1] / "vectors" / "speech"
VOICES = ("en-reception", "de-zentrale", "pl-sekretariat", "en-helpdesk")


class SmallDisk(Disk):
    """The real file system, said to have no more than so much room.

    Attributes:
        room: octets, None: what there really is.
    """

    room: int | None = None

    def free_bytes(self, directory: Path) -> int:
        return super().free_bytes(directory) if self.room is None else self.room


class VirtualClock:
    """Both clocks of the recorder; they go when the site says so."""

    def __init__(self) -> None:
        self.time = 0.0
        self.step = timedelta()  # of the wall clock against the monotonic one

    def now(self) -> float:
        return self.time

    def at(self) -> datetime:
        return START + timedelta(seconds=self.time) + self.step

    def state(self) -> ClockState:
        return ClockState(source="test", synchronised=True, offset_us=0, uncertainty_us=10)


class Site:
    """One PBX and one recorder.

    Args:
        directory: of data and truth.
        scripts: the PBX's [[script]] sections, as in its TOML file.
        stations: how many, from 3100 on.
        pairs: how many channel pairs, 15 on each line of the board.
        board: what goes wrong on it. trunk: more keys of its section: signalling, isdn, cas, faults.
        line: more keys of the recorder's [[lines]].
        pbx: more keys of the PBX's [pbx] section. cap: keys of its [cap] section.
        recorder: changes to the recorder's configuration, by section.

    Attributes:
        connection: number of the link's last one.
        last_station: the first is 3100.
        boot: of the recorder's machine.
        deaf: nothing arrives on either side of the link any more, and nobody is told.
        disk_hangs: then the journal's thread gets nothing done.
        played: faults of the CAP server that were declared.
        trunk_calls: calls of the trunk's signalling that are over.
    """

    _cables = count()

    def __init__(
        self,
        directory: Path,
        *scripts: dict[str, Any],
        stations: int = 4,
        pairs: int = 15,
        licences: int | None = None,
        fork: dict[str, Any] | None = None,
        board: Faults | None = None,
        trunk: dict[str, Any] | None = None,
        line: dict[str, Any] | None = None,
        pbx: dict[str, Any] | None = None,
        cap: dict[str, Any] | None = None,
        **recorder: Any,
    ) -> None:
        self.directory = directory
        self.clock = VirtualClock()
        self.last_station = 3100 + stations - 1
        site = f"site{next(self._cables)}"
        self._trunks = {f"trunk{n + 1}": f"{site}-{n}" for n in range(-(-pairs // PAIRS))}  # cables by line name
        self.boot = "first boot"
        self.disk = SmallDisk()
        self.disk_hangs = False
        self._pairs = pairs
        self._stack = ExitStack()
        self._ids = count(1)
        self._connections = count(1)
        self.connection = 0
        self.deaf = False
        self._left_behind: list[cap_session.Session] = []  # that were not told that their client has gone
        self._events: deque[link.Event] = deque()
        self._outputs: deque[tuple[cap_session.Session, cap_session.Output]] = deque()
        self._carrying = False
        self.played: list[cap_session.Played] = []
        self._line = line or {}
        self._make_pbx({"script": list(scripts), "fork": fork or {}} | (pbx or {}), board, trunk or {})
        self._make_cap({"licences": licences, "status_interval": 0} | (cap or {}))
        self._make_config(recorder)
        self.recorder: Recorder | None = None
        self.start_recorder()
        self.keeper = Keeper(store_config(self.config))

    def __enter__(self) -> "Site":
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()
        self.keeper.close()

    # --- the PBX

    def _make_pbx(self, settings: dict[str, Any], faults: Faults | None, trunk: dict[str, Any]) -> None:
        ports = f"7101-{7100 + 2 * self._pairs}"
        config = PbxConfig.model_validate(
            {
                "stations": [{"range": f"3100-{self.last_station}", "voices": VOICES}],
                "trunks": [{"range": "7801-7830", "voices": VOICES[::-1]}],
                "recorder_ports": [ports],
            }
            | settings
        )
        truth = self.directory / "truth"
        truth.mkdir(parents=True, exist_ok=True)
        calls = self._stack.enter_context((truth / "calls.jsonl").open("w", encoding="utf-8", buffering=1))
        self._faults = self._stack.enter_context((truth / FAULTS).open("w", encoding="utf-8", buffering=1))
        self.world = World(config, seed=1, wall=lambda now: START + timedelta(seconds=now), sink=calls.write)
        specs = tuple(f"virtual:{one}/a" for one in self._trunks.values())
        board = {"name": "diun2", "lines": specs, "ports": tuple(self._ports().values())}
        self.board = BoardConfig.model_validate(board | trunk).board()
        self.board.faults = faults or self.board.faults
        self._sending = [open_line(spec) for spec in specs]
        for line in self._sending:
            self._stack.callback(line.close)
        self._outlet = Outlet(self.board, self._sending)
        self._signals = Signals(self.board, self._sending)
        self._signals.start(0.0)
        self.trunk_calls: list[TrunkCall] = []
        self._plane = AudioPlane(self.world.topology, load_voices(SPEECH))
        self._truth = AudioTruth(truth, [self.board], START, None)
        self._stack.callback(lambda: self._truth.close(self.clock.at()))

    def _make_cap(self, settings: dict[str, Any]) -> None:
        self._cap_config = CapConfig.model_validate(settings)
        self.licences = LicencePool(self._cap_config.licences, self._cap_config.licence_changes)
        self._session: cap_session.Session | None = None

    def _ports(self) -> dict[str, str]:
        """Port numbers by line name."""
        firsts = range(7101, 7101 + 2 * self._pairs, 2 * PAIRS)
        last = 7100 + 2 * self._pairs
        return {name: f"{n}-{min(n + 2 * PAIRS - 1, last)}" for name, n in zip(self._trunks, firsts, strict=True)}

    def switch(self, command: Callable[[Any], object]) -> None:
        """Have somebody do something now: the PBX's call model is handed to `command`."""
        self.world.advance(self.clock.time)
        command(self.world.switch)

    def cut_link(self) -> None:
        """The CSTA connection breaks; `mend_link` brings it back. Of a lost one only TCP's own time-out tells."""
        if self._session is not None:
            timed_out = self.deaf
            self.hang_up()
            if self.recorder is not None:
                self._link_event(link.Disconnected("cut by the test", timed_out))

    def restart_cap(self) -> None:
        """All that it knows of its clients is gone, also of those that left without a word; see `mend_link`."""
        self.cut_link()
        for session in self._left_behind:
            session.closed()
        self._left_behind.clear()

    def lose_link(self) -> None:
        """What the network carries gets lost from now on, in both directions, until the link is made anew."""
        self.deaf = self._session is not None

    def hang_up(self) -> None:
        """The CAP's side of the connection is gone; a CAP that hears nothing of it keeps its monitors for a while."""
        if self._session is None:
            return
        if self.deaf:
            self._left_behind.append(self._session)
        else:
            self._session.closed()
        self._session, self.deaf = None, False

    def mend_link(self, listener: int = 1) -> None:
        """`listener`: at which of its addresses the CAP is called."""
        if self._session is None and self.recorder is not None:
            self.connection = next(self._connections)
            connection = Connection(number=self.connection, listener=listener)
            self._session = session = cap_session.Session(
                self._cap_config, self.world, self.licences, connection=connection
            )
            self._dialect = self._cap_config.dialect()
            self._framing = self._dialect.framing()
            self._link_event(link.Connected())
            self._carry(session, session.connected(self.clock.time))

    @property
    def session(self) -> cap_session.Session | None:
        """The CAP server's side of the link, None while there is none."""
        return self._session

    @property
    def connected(self) -> bool:
        return self._session is not None

    @property
    def csta_link(self) -> Link:
        """The recorder's side of it."""
        return self._link

    @property
    def restarts(self) -> tuple[Restart, ...]:
        """When the CAP goes down, as was declared; whoever dials plays it."""
        return self._cap_config.restarts

    def hang_up_in_order(self, reason: str) -> None:
        """The recorder releases the association."""
        self._link_event(link.CloseRequested(reason))

    def restart_channels(self, *slots: int) -> None:
        """The PBX restarts channels of its trunks, or all of them."""
        self._signals.restart(self.clock.time, slots)

    def damage(self, kind: FaultKind, seconds: float, line: str = "trunk1") -> None:
        """What the PBX sends in the next seconds suffers on the cable."""
        cable(self._trunks[line]).sent_by["a"].damage(Fault(kind, round(seconds * 8000) * 32))

    # --- the recorder

    def _make_config(self, changes: dict[str, Any]) -> None:
        sections: dict[str, Any] = {
            "data": {"directory": str(self.directory / "data"), "segment_mib": 1, "segments": 4, "reserve_seconds": 1},
            "csta": {} if "servers" in changes.get("csta", {}) else {"host": "in.process", "port": 1},
            "lines": [
                {"name": name, "spec": f"virtual:{self._trunks[name]}/b", "slots": _slots(ports), "ports": [ports]}
                | self._line
                for name, ports in self._ports().items()
            ],
            "stations": {"monitored": [f"3100-{self.last_station}"], "trunks": ["78??"]},
            "recording": {},
            "rules": [{"name": "all", "action": "record"}],
        }
        for name, change in changes.items():
            sections[name] = sections.get(name, {}) | change if isinstance(change, dict) else change
        self.config = Config.model_validate(sections)

    def start_recorder(self, *, linked: bool = True) -> None:
        """As after power-on, or after `kill_recorder`: with what the journal holds. Not `linked`: the CAP is away."""
        started = RunStarted(run=self._new_id(), at=self.clock.at(), boot_id=self.boot, version="test")
        self.writer = JournalWriter(
            store_config(self.config),
            started,
            disk=self.disk,
            monotonic=self.clock.now,
            wall_ns=lambda: int(self.clock.at().timestamp() * 1e9),
        )
        while self.writer.prepare():
            pass
        anchors = anchors_of(self.writer.recovered, self.boot)
        self.lines: dict[str, Line] = {
            one.name: open_line(one.spec, resume=anchors.get(one.name)) for one in self.config.lines
        }
        spoken = link_config(self.config).link
        last = min(spoken.max_invoke_id, self._cap_config.dialect().last_invoke_id)  # as the real runner does
        self._link = Link(replace(spoken, max_invoke_id=last))
        engine = build_engine(self.config)
        ears = Ears(self.lines, bytes(self.config.recording.idle_codes), self.config.recording.preroll)
        self.recorder = Recorder(engine, self.lines, ears, self.writer, self._request, self.clock, self.boot)
        self.recorder.resume(anchors, self.config.data.resume_seconds * RESUME_MARGIN)
        self.recorder.trunks.begin(build_trunks(self.config, self.lines, self.recorder.adopted, self.clock.now()))
        if linked:
            self.mend_link()

    def stop_recorder(self) -> None:
        """As by SIGTERM."""
        assert self.recorder is not None
        self.recorder.stop()
        self.writer.stop()
        self.recorder = None
        self.cut_link()
        self._close_lines()

    def kill_recorder(self) -> None:
        """As kill -9: what was not written is gone, nobody says goodbye."""
        self.recorder = None
        self.cut_link()
        self._close_lines()
        self.writer._journal.close()  # what the kernel does for a killed process: its descriptors and locks go
        for lock in self.writer._locks:
            self.writer._disk.close(lock)

    def _request(self, token: Any, argument: Argument) -> None:
        self._link_event(link.ServiceRequested(token, argument))

    def _link_event(self, event: link.Event) -> None:
        """One event after the other, as the real runner does: what an event brings about waits its turn."""
        self._events.append(event)
        if len(self._events) > 1:
            return
        while self._events:
            for output in self._link.handle(self._events[0], self.clock.time):
                self._carry_out(output)
            self._events.popleft()

    def _carry_out(self, output: link.Output) -> None:
        match output:
            case link.Send(pdu):
                self._to_cap(self._framing.encode(self._dialect.encode(pdu)))
            case link.Close():
                self.hang_up()
            case _ if self.recorder is not None:
                self.recorder.take(output)

    def _to_cap(self, octets: bytes) -> None:
        if self._session is not None and not self.deaf:
            self._carry(self._session, self._session.receive(octets, self.clock.time))

    def _carry(self, session: cap_session.Session, outputs: list[cap_session.Output]) -> None:
        """What the CAP does arrives in that order; what the recorder says to it meanwhile is answered behind it."""
        self._outputs.extend((session, output) for output in outputs)
        if self._carrying:
            return
        self._carrying = True
        try:
            while self._outputs:
                self._deliver(*self._outputs.popleft())
        finally:
            self._carrying = False

    def _deliver(self, session: cap_session.Session, output: cap_session.Output) -> None:
        match output:
            case _ if session is not self._session:
                pass  # the connection is gone
            case cap_session.Played():
                self._note_played(session, output)
            case cap_session.Send() | cap_session.Close() if self.deaf:
                pass
            case cap_session.Send(octets):
                self._to_link(octets)
            case cap_session.Happened(occurrences):
                self._publish(occurrences)
            case cap_session.Close(reason):
                self.hang_up()
                self._link_event(link.Disconnected(reason))

    def _note_played(self, session: cap_session.Session, fault: cap_session.Played) -> None:
        self.played.append(fault)
        told = PlayedFault(fault.at, str(self.connection), session.user, fault.fault, fault.detail)
        self._faults.write(json.dumps(told.as_json(START + timedelta(seconds=fault.at))) + "\n")

    def _publish(self, occurrences: Any) -> None:
        if self._session is not None and occurrences:
            self._carry(self._session, self._session.publish(occurrences, self.clock.time))

    def _session_timers(self) -> None:
        for session in (*self._left_behind, self._session):
            if session is not None and session.deadline is not None and session.deadline <= self.clock.time:
                self._carry(session, session.expire(self.clock.time))

    def _to_link(self, octets: bytes) -> None:
        for frame in self._framing.feed(octets):
            try:
                self._link_event(link.PduReceived(self._dialect.decode(frame)))
            except WireError as error:
                self._link_event(link.Undecodable(str(error), frame))

    def _new_id(self) -> UUID:
        return UUID(int=(0x7 << 76) | next(self._ids))

    # --- time

    def run(self, seconds: float) -> "Site":
        """Let that much time pass."""
        end = round((self.clock.time + seconds) / TICK)
        while (tick := round(self.clock.time / TICK)) < end:
            self.clock.time = (tick + 1) * TICK
            self._publish(self.world.advance(self.clock.time))
            self._session_timers()
            self._signal()
            self._audio(int(TICK * 8000))
            if self._link.deadline is not None and self._link.deadline <= self.clock.time:
                self._link_event(link.TimerExpired())
            if self.recorder is not None:
                self.recorder.tick()
                if tick % 10 == 0 and not self.disk_hangs:
                    self.writer.prepare()
                    self.writer.step(self.clock.time)
                    self.recorder.journal_state(self.writer.state)
            if tick % 100 == 0:
                self.keeper.step(self.clock.time)
        return self

    def _signal(self) -> None:
        """The trunks' calls follow the forks, and the forks what the recorder does with the calls."""
        for _, outcome in self._signals.step(self.world.switch.forks.joined, self.clock.time):
            match outcome:
                case Finished(call):
                    self.trunk_calls.append(call)
                case HungUp(port):
                    self._publish(self.world.hang_up(port, self.clock.time))
                case Dialled(port, digits):
                    self._publish(self.world.dial(port, digits, self.clock.time))

    def _audio(self, frames: int) -> None:
        block = self._plane.render(frames)
        lines = self.board.frames(block)
        self._outlet.send(lines)
        self._truth.write(self.board, lines, self.clock.at())

    def finish(self) -> None:
        """Everybody hangs up; the recorder stops in order; the keeper stores what is left."""
        self._publish(self.world.stop(self.clock.time))
        self.run(1.5)
        assert self.recorder is not None
        self.recorder.stop()
        self.writer.stop()
        self._close_lines()
        self._stack.close()
        for _ in range(3):
            self.clock.time += 1.0
            self.keeper.step(self.clock.time)

    def _close_lines(self) -> None:
        for line in self.lines.values():
            line.close()

    # --- what came of it

    def judge(self, *gaps: str, restarts: int = 0) -> Report:
        """The emulators' verdict on the recordings; `gaps`: causes of those that the test brought about."""
        return check(self.directory / "truth", self.directory / "data" / "media", ["31??"], restarts, gaps)

    def recordings(self) -> list[Recording]:
        """Oldest first."""
        with Index(store_config(self.config).index) as index:
            return list(index.search(limit=1000).rows)[::-1]

    def sidecars(self) -> list[Sidecar]:
        return [read_sidecar(store_config(self.config).media / one.sidecar) for one in self.recordings()]

    def conversations(self) -> list[Conversation]:
        """Oldest first."""
        with Index(store_config(self.config).index) as index:
            return list(index.conversations(limit=1000).rows)[::-1]


def _slots(ports: str) -> str:
    """Time slots for so many ports: all from 1 on but 16."""
    first, last = map(int, ports.split("-"))
    return ",".join(map(str, [slot for slot in range(1, 32) if slot != 16][: last - first + 1]))
