"""The emulated trunks on a cable, from the PBX's calls to the octets at the far end, without any recorder of ours."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import pytest

from osrec.wire.csta.model import ConnectionId, DeviceId, LocalState, Participation, SingleStepConference
from osrec.wire.q921.frames import Information, Side, encode
from osrec.wire.q931.bearer import SPEECH_A_LAW
from osrec.wire.q931.channel import time_slot
from osrec.wire.q931.codec import compose
from osrec.wire.q931.codec import encode as write
from osrec.wire.q931.messages import CallReference, MessageType
from osrec.wire.q931.numbers import CalledPartyNumber
from osrec_drivers.e1.dchannel import Channel as EngineChannel
from osrec_drivers.e1.engine import Engine
from osrec_drivers.e1.hdlc import HdlcEncoder
from osrec_drivers.line import Alarm, DChannel, Line, open_line
from osrec_emulators.audio.plane import AudioPlane
from osrec_emulators.audio.voices import load_voices
from osrec_emulators.check.sent import Truth, load_truth
from osrec_emulators.diun2 import call_events as layer3
from osrec_emulators.diun2 import callcontrol_events as control
from osrec_emulators.diun2.callcontrol import CallControl
from osrec_emulators.diun2.config import BoardConfig
from osrec_emulators.diun2.outlet import Outlet
from osrec_emulators.diun2.signals import Signals
from osrec_emulators.diun2.trunk import IsdnTrunk
from osrec_emulators.diun2.trunk_events import Finished, HungUp, TrunkCall
from osrec_emulators.diun2.truth import AudioTruth
from osrec_emulators.diut2 import channel as bits
from osrec_emulators.pbx.config import PbxConfig
from osrec_emulators.pbx.world import World

SPEECH = Path(__file__).parents[1] / "vectors" / "speech"
START = datetime(2026, 11, 24, 8, tzinfo=UTC)
TICK = 0.01
FRAMES = 80  # of a tick
IDLE = b"\xd5" * 32
VOICES = ("en-reception", "de-zentrale")


class FarEnd(Protocol):
    """Whoever answers the PBX's calls."""

    def step(self, now: float) -> None: ...


class IsdnEnd:
    """Answers every call on a D channel at once."""

    def __init__(self, channel: DChannel | EngineChannel, dialect: layer3.Dialect) -> None:
        self.control = CallControl(dialect)
        self._channel = channel

    def step(self, now: float) -> None:
        for frame in self._channel.receive():
            if frame.error is None:
                self._take(self.control.handle(control.Arrived(frame.octets), now), now)
        if self.control.deadline is not None and self.control.deadline <= now:
            self._take(self.control.handle(control.Due(), now), now)

    def dial(self, digits: str, slot: int) -> None:
        """Call the PBX."""
        elements = (SPEECH_A_LAW, time_slot(slot), CalledPartyNumber(digits))
        place = control.Place(self.control.next_reference(), (slot,), elements)
        self._take(self.control.handle(place, 0.0), 0.0)

    def _take(self, outputs: list[control.Output], now: float) -> None:
        for output in outputs:
            match output:
                case control.Transmit(octets):
                    self._channel.send(octets)
                case control.Offered(id):
                    for event in (layer3.Accept(), layer3.Answer()):
                        self._take(self.control.handle(control.Tell(id, event), now), now)


class CasEnd:
    """Answers every seizure at once."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._slots = {slot: bits.Channel(bits.Codes(), bits.ChannelTimers()) for slot in range(1, 32) if slot != 16}
        line.cas()
        for slot in self._slots:
            line.send_cas(slot, bits.Codes().idle)

    def step(self, now: float) -> None:
        for change in self._line.cas_changes():
            self._take(change.slot, bits.Signalled(change.abcd), now)

    def _take(self, slot: int, event: bits.Event, now: float) -> None:
        for output in self._slots[slot].handle(event, now):
            if isinstance(output, bits.Say):
                self._line.send_cas(slot, output.abcd)
            elif isinstance(output, bits.Offered):
                self._take(slot, bits.Answer(), now)


class Bench:
    """A PBX with one board of one line, in virtual time, and somebody who answers at the far end of its cable.

    Attributes:
        calls: of the trunk that are over.
    """

    _cables = iter(range(1000))

    def __init__(self, directory: Path, signalling: str, **board: Any) -> None:
        cable = f"bench{next(self._cables)}"
        config = PbxConfig.model_validate(
            {"stations": [{"range": "3100-3103", "voices": VOICES}], "recorder_ports": ["7101-7130"]}
        )
        self.now = 0.0
        self.calls: list[TrunkCall] = []
        self.world = World(config, seed=1, wall=self._wall)
        section = {"name": "a", "lines": [f"virtual:{cable}/a"], "ports": ["7101-7130"], "signalling": signalling}
        self.board = BoardConfig.model_validate(section | board).board()
        self.line, self.far = (open_line(f"virtual:{cable}/{end}") for end in "ab")
        self._outlet = Outlet(self.board, [self.line])
        self._signals = Signals(self.board, [self.line])
        self._plane = AudioPlane(self.world.topology, load_voices(SPEECH))
        self._truth = AudioTruth(directory, [self.board], START)
        self._directory = directory
        self.end: FarEnd
        if signalling == "cas":
            self.end = CasEnd(self.far)
        else:
            self.channel = self.far.d_channel()
            self.end = IsdnEnd(self.channel, layer3.Dialect(signalling == "qsig", Side.USER))
        self._signals.start(0.0)

    def close(self) -> Truth:
        self._truth.close(self._wall(self.now))
        (self._directory / "calls.jsonl").touch()
        self.line.close()
        self.far.close()
        return load_truth(self._directory)

    def _wall(self, now: float) -> datetime:
        return START + timedelta(seconds=now)

    def run(self, seconds: float) -> "Bench":
        for _ in range(round(seconds / TICK)):
            self.now = round(self.now + TICK, 2)
            self.world.advance(self.now)
            for _, outcome in self._signals.step(self.world.switch.forks.joined, self.now):
                match outcome:
                    case Finished(call):
                        self.calls.append(call)
                    case HungUp(port):
                        self.world.hang_up(port, self.now)
            block = self._plane.render(FRAMES)
            frames = self.board.frames(block)
            self._truth.write(self.board, frames, self._wall(self.now - TICK))
            self._outlet.send(frames)
            self.end.step(self.now)
            self.far.transmit(IDLE * FRAMES)
        return self

    def talk(self) -> "Bench":
        """3100 and 3101 are connected, and both sides of 3100 are asked for."""
        switch = self.world.switch
        switch.make_call("3100", "3101")
        self.run(0.1)
        switch.answer("3101")
        self.run(0.1)
        for port in ("7101", "7102"):
            call, leg = next(
                (call, leg)
                for call in switch.calls.values()
                for leg in call.legs.values()
                if leg.device == "3100" and leg.state is LocalState.CONNECTED
            )
            connection = ConnectionId(call.id, DeviceId(leg.device))
            self.world.request(SingleStepConference(connection, DeviceId(port), Participation.SILENT), self.now)
        return self

    def heard(self, slot: int) -> bytes:
        return self.far.read(slot, 0, self.far.head)


@pytest.fixture(params=["dss1", "qsig", "cas"])
def signalling(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def sent(truth: Truth, port: str) -> bytes:
    return b"".join(fork.octets.tobytes() for fork in truth.slots[port].forks)


def test_the_far_end_hears_what_the_truth_says_was_sent(tmp_path: Path, signalling: str) -> None:
    bench = Bench(tmp_path, signalling).run(1.0).talk().run(3.0)
    bench.world.switch.clear("3101")
    bench.run(0.5)
    heard = {port: bench.heard(slot) for port, slot in (("7101", 1), ("7102", 2))}
    truth = bench.close()
    for port, octets in heard.items():
        (fork,) = truth.slots[port].forks
        assert len(fork.octets) > 2 * 8000
        assert octets[fork.first : fork.end] == fork.octets.tobytes()
        assert set(octets[1600 : fork.first]) | set(octets[fork.end :]) == {0xD5}
    assert [(call.ports, call.slots, call.by) for call in bench.calls] == [
        (("7101",), (1,), "pbx"),
        (("7102",), (2,), "pbx"),
    ]


def test_audio_begins_with_the_answer_and_ends_with_the_fork(tmp_path: Path, signalling: str) -> None:
    bench = Bench(tmp_path, signalling).run(1.0).talk().run(2.0)
    bench.world.switch.clear("3101")
    bench.run(0.5)
    (fork,) = bench.close().slots["7101"].forks
    call = bench.calls[0]
    assert call.answered_at is not None
    assert call.ended_at is not None
    began, ended = fork.at - START, fork.at - START + timedelta(seconds=len(fork.octets) / 8000)
    assert abs(began.total_seconds() - call.answered_at) <= 2 * TICK
    assert abs(ended.total_seconds() - call.ended_at) <= 5 * TICK
    assert call.setup_at < call.answered_at


def test_calls_go_on_over_a_cut_of_time_slot_16(tmp_path: Path, signalling: str) -> None:
    cut = {"faults": {"bits": [{"what": "ais16", "at": 3.0, "seconds": 15.0}]}}
    bench = Bench(tmp_path, signalling, **cut).run(1.0).talk().run(9.0)
    assert bench.board.trunks[0] is not None
    assert bench.board.trunks[0].open == {"7101": 1, "7102": 2}
    bench.run(15.0)
    assert bench.board.trunks[0].up
    assert bench.calls == []
    bench.world.switch.clear("3101")
    bench.run(0.5)
    assert len(bench.calls) == 2
    bench.close()


def test_a_line_with_bit_errors_carries_its_calls_all_the_same(tmp_path: Path, signalling: str) -> None:
    noise = {"faults": {"bits": [{"what": "bit_errors", "at": 1.0, "seconds": 20.0, "rate": 3e-4}]}}
    bench = Bench(tmp_path, signalling, **noise).run(1.0).talk().run(9.0)
    bench.world.switch.clear("3101")
    bench.run(12.0)
    assert {call.ports for call in bench.calls} == {("7101",), ("7102",)}
    assert all(call.answered_at is not None for call in bench.calls)
    assert bench.far.status().counters.crc_errors > 1000
    bench.close()


def test_a_clock_that_is_off_slips_frames_and_the_truth_says_what_went_out(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "dss1", faults={"ppm": 500.0}).run(1.0).talk().run(5.0)
    heard = bench.heard(1)
    assert bench.board.sent - round(bench.now * 8000) == int(bench.now * 8000 * 500e-6)
    (fork,) = bench.close().slots["7101"].forks
    assert heard[fork.first : fork.end] == fork.octets.tobytes()
    assert bench.far.status().alarms == frozenset()


def test_swapped_slots_and_a_wrong_idle_code_reach_the_far_end(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "dss1", faults={"swap": [["1/1", "1/2"]], "idle": 0x55}).run(1.0).talk().run(2.0)
    first, second = bench.heard(1), bench.heard(2)
    truth = bench.close()
    own = next(fork for fork in truth.slots["7102"].forks)
    assert own.port == "7101"
    assert second[own.first : own.end] == own.octets.tobytes()
    assert set(first[1600 : own.first - 800]) == {0x55}


@pytest.mark.parametrize("damaged", [0, 1])
def test_a_frame_that_was_damaged_on_its_way_says_nothing(tmp_path: Path, damaged: int) -> None:
    bench = Bench(tmp_path, "dss1", isdn={"caller": "recorder"}).run(1.0)
    trunk = bench.board.trunks[0]
    assert isinstance(trunk, IsdnTrunk)
    assert trunk.up
    bench.channel.close()
    encoder = HdlcEncoder()
    setup = compose(MessageType.SETUP, CallReference(9), SPEECH_A_LAW, time_slot(1))
    frame = encode(Information(1, 1, write(setup)), Side.USER)  # the first of theirs acknowledged RESTART
    encoder.send(frame)
    octets = bytearray(encoder.pull(100))
    octets[1 + len(frame) + 1] ^= damaged  # in the FCS, behind a flag and the frame
    bench.far.send(16, octets)
    bench.run(0.3)
    assert len(trunk.calls) == 1 - damaged
    bench.close()


# --- as a process


def packets(far: socket.socket) -> Iterator[tuple[bytes, tuple[str, int]]]:
    """SAToP payloads until the PBX stops."""
    while True:
        try:
            datagram, sender = far.recvfrom(2000)
        except TimeoutError:
            return
        yield datagram[4:], sender


def test_a_pbx_of_its_own_process_calls_over_the_network(tmp_path: Path) -> None:
    far = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    far.bind(("127.0.0.1", 0))
    (tmp_path / "pbx.toml").write_text(
        f"""
        [pbx]
        recorder_ports = ["7101-7102"]
        stations = [{{range = "3100-3101"}}]
        fork = {{strategies = ["make-call"]}}
        [[pbx.script]]
        start = 0.2
        steps = [
            {{at = 0, from = "3100", action = "call", to = "3101"}},
            {{after = 0.1, from = "3101", action = "answer"}},
        ]
        [cap]
        port = 0
        [audio]
        speech = "{SPEECH}"
        [[boards]]
        name = "diun2"
        lines = ["satop:127.0.0.1:0/127.0.0.1:{far.getsockname()[1]}"]
        ports = ["7101-7102"]
        signalling = "dss1"
        isdn = {{caller = "recorder", dialling = true}}
        faults = {{bits = [{{what = "rai", at = 1.0, seconds = 0.2}}]}}
        [truth]
        directory = "truth"
        """
    )
    run = [
        sys.executable,
        "-c",
        "from osrec_emulators.app import main; main()",
        "pbx",
        "-c",
        str(tmp_path / "pbx.toml"),
    ]
    engine = Engine()
    end = IsdnEnd(EngineChannel(engine, 16), layer3.Dialect(side=Side.USER))
    with far, subprocess.Popen([*run, "--seconds", "2", "--drain", "0.3"], stdout=subprocess.DEVNULL) as process:
        far.settimeout(10)
        for number, (octets, sender) in enumerate(packets(far)):
            far.settimeout(0.5)
            engine.receive(octets)
            end.step(number / 1000)
            if number == 700:
                end.dial("*443100", slot=1)
            far.sendto(number.to_bytes(4, "big") + engine.transmit(IDLE * 8), sender)
        assert process.wait(10) == 0
    (row,) = [json.loads(line) for line in (tmp_path / "truth" / "trunk-calls.jsonl").read_text().splitlines()]
    told = {name: row[name] for name in ("line", "ports", "slots", "called", "placed_by_pbx", "by")}
    assert told == {
        "line": "diun2/1",
        "ports": ["7101"],
        "slots": [1],
        "called": "*443100",
        "placed_by_pbx": False,
        "by": "pbx",
    }
    (fork,) = load_truth(tmp_path / "truth").slots["7101"].forks
    times = [datetime.fromisoformat(row[name]) for name in ("setup_at", "answered_at", "ended_at")]
    assert times == sorted(times)
    assert abs((fork.at - times[1]).total_seconds()) < 0.1
    assert Alarm.RAI in {change.alarm for change in engine.changes() if change.sample > 4000}
