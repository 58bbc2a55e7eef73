"""The whole audio side at work in virtual time: calls, forks, board, cable, truth; a simple recorder; the judge."""

from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import numpy as np

from osrec.wire.csta.model import ConnectionId, DeviceId, LocalState, Participation, SingleStepConference
from osrec_drivers.line import Line, open_line
from osrec_emulators.audio.plane import AudioPlane
from osrec_emulators.audio.voices import load_voices
from osrec_emulators.check.judge import check
from osrec_emulators.diun2.board import Board
from osrec_emulators.diun2.config import BoardConfig
from osrec_emulators.diun2.truth import AudioTruth
from osrec_emulators.pbx.config import PbxConfig
from osrec_emulators.pbx.media import Side
from osrec_emulators.pbx.world import World, virtual_wall
from tests.unit.check_media import store

SPEECH = Path(__file__).parents[1] / "vectors" / "speech"
BLOCK = 160
MARGIN = 800  # samples before and after a fork: slots must have been idle so long
PBX = {
    "stations": [{"range": "3101-3112"}],
    "trunks": [{"range": "8001-8010"}],
    "recorder_ports": ["7101-7130"],
    "load": {"keep": 4, "mean_hold": 5.0, "ring": [0.5, 1.0], "hold": 0.3, "transfer": 0.3, "conference": 0.3},
}


@dataclass
class Taken:
    """A recording that runs."""

    pair: tuple[str, str]
    first: int  # sample number
    calls: set[str] = field(default_factory=set)


class SimpleRecorder:
    """Forks whoever is connected and writes what its end of the cable received."""

    def __init__(self, world: World, line: Line, board: Board, media: Path) -> None:
        self._world, self._line, self._board, self._media = world, line, board, media
        ports = sorted(board.layout)
        self._free = deque(zip(ports[::2], ports[1::2], strict=True))
        self._running: dict[str, Taken] = {}
        self._ended: list[tuple[int, str, Taken, int]] = []
        self.written = 0

    def look(self, now: float) -> None:
        """Follow the calls, once a block."""
        forks = self._world.topology.forks
        for station, taken in list(self._running.items()):
            of_station = [forks[port] for port in taken.pair if port in forks and forks[port].station == station]
            taken.calls |= {fork.call for fork in of_station}
            if not of_station:
                self._ended.append((self._line.head + 2 * MARGIN, station, taken, self._line.head + MARGIN))
                del self._running[station]
        for call in list(self._world.switch.calls.values()):
            for leg in list(call.legs.values()):
                talks = leg.state is LocalState.CONNECTED and call.answered and not leg.silent
                if talks and leg.device.startswith("31") and leg.device not in self._running:
                    self._fork(call.id, leg.device, now)

    def finish(self) -> None:
        """Write recordings whose audio has all arrived."""
        while self._ended and self._ended[0][0] <= self._line.head:
            _, station, taken, end = self._ended.pop(0)
            slots = [self._board.layout[port].slot for port in taken.pair]
            octets = [self._line.read(slot, taken.first, end - taken.first) for slot in slots]
            store(
                self._media / station,
                station=station,
                calls=taken.calls,
                ports=taken.pair,
                layout=self._board.layout,
                octets=np.array([np.frombuffer(side, np.uint8) for side in octets]),
                first_sample=taken.first,
                began=virtual_wall(taken.first / 8000),
                line=self._line.spec,
            )
            self._free.append(taken.pair)
            self.written += 1

    def _fork(self, call: bytes, station: str, now: float) -> None:
        pair = self._free.popleft()
        for port in pair:
            connection = ConnectionId(call, DeviceId(station))
            self._world.request(SingleStepConference(connection, DeviceId(port), Participation.SILENT), now)
        forks = self._world.topology.forks
        assert [forks[port].side for port in pair] == [Side.OWN, Side.OTHER]
        self._running[station] = Taken(pair, self._line.head - MARGIN, {forks[pair[0]].call})


def test_random_calls_with_hold_transfer_and_conference_come_over_the_cable_as_the_truth_says(tmp_path: Path) -> None:
    spec = f"virtual:{tmp_path.name}/a"
    config = BoardConfig(name="diun2", lines=(spec,), ports=("7101-7130",))
    board = Board(config.name, config.lines, config.layout())
    near, far = open_line(spec), open_line(spec[:-1] + "b")
    truth_directory = tmp_path / "truth"
    truth_directory.mkdir()
    with (truth_directory / "calls.jsonl").open("w") as calls:
        world = World(PbxConfig.model_validate(PBX), seed=3, sink=calls.write)
        plane = AudioPlane(world.topology, load_voices(SPEECH))
        truth = AudioTruth(truth_directory, [board], virtual_wall(0.0))
        recorder = SimpleRecorder(world, far, board, tmp_path / "media")

        def live_until(end: float, stopping: bool = False) -> None:
            while (now := plane.position / 8000) < end:
                if not stopping:
                    world.advance(now)
                recorder.look(now)
                block = plane.render(BLOCK)
                frames = board.frames(block)
                near.transmit(frames[0].tobytes())
                truth.write(board, frames, virtual_wall(block.first / 8000))
                recorder.finish()

        live_until(40.0)
        world.stop(40.0)
        live_until(40.5, stopping=True)
        truth.close(virtual_wall(40.5))
    near.close()
    far.close()
    report = check(truth_directory, tmp_path / "media", ("31*",))
    assert [fault for each in report.recordings for fault in each.faults] == []
    assert [fault for each in report.judged for fault in each.faults] == []
    assert report.right
    assert len(report.judged) >= 10
    assert len(report.recordings) == recorder.written > len(report.judged)
    assert sum(each.forks for each in report.judged) >= 2 * len(report.recordings)
    assert timedelta(seconds=sum(each.seconds for each in report.recordings)) > timedelta(seconds=100)
