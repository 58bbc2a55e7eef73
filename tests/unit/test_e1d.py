"""Messages of osmo-e1d, octets as its proto.h lays them out; frames from its streams; what it refuses."""

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from osrec_drivers import e1d_messages as messages
from osrec_drivers.e1d import E1dDriver, parse
from osrec_drivers.e1d_control import Control
from osrec_drivers.e1d_messages import E1dError, Kind, LineEntry, LineMode, Message, SlotMode
from osrec_drivers.e1d_slots import Slots, Superchannel, carried_of, frames_of
from osrec_drivers.errors import OpenError
from osrec_drivers.intake import with_ts0
from osrec_drivers.line import Alarm
from osrec_emulators.app import app
from osrec_emulators.e1d.server import Daemon
from tests.conformance.links import until


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    running = Daemon(tmp_path / "e1d.ctl", pairs=1, lines=2)
    yield running
    running.close()


def test_a_request_for_a_slot_has_the_octets_of_proto_h() -> None:
    config = messages.slot_config(SlotMode.RAW, 160, force=True)
    request = Message(Kind.OPEN_SLOT, 1, 0, 16, config)
    assert messages.encode(request) == bytes.fromhex("e101 0c00 04 01 00 10  10 80 a000")
    assert messages.decode(messages.encode(request)) == request
    assert messages.read_slot_config(config) == (SlotMode.RAW, messages.FORCE, 160)


def test_answers_are_read_as_proto_h_lays_them_out() -> None:
    interfaces = messages.decode(bytes.fromhex("e101 0c00 80 ff ff ff  00 01 01 02"))
    assert messages.interfaces_of(interfaces) == [0, 1]
    lines = messages.decode(bytes.fromhex("e101 0e00 81 01 ff ff  00 20 00 01 22 00"))
    assert messages.lines_of(1, lines) == [LineEntry(1, 0, LineMode.CHANNELIZED), LineEntry(1, 1, LineMode.E1OIP)]
    slots = messages.decode(bytes.fromhex("e101 1400 82 01 00 ff  01 00 00 0000 00  02 10 00 a000 00"))
    assert messages.open_slots_of(slots) == [2]


@pytest.mark.parametrize(
    ("octets", "message"),
    [
        ("e101", "2 octets on the control socket: a header has 8"),
        ("e100 0800 00 ff ff ff", "magic 0x00e1 on the control socket: osmo-e1d of the version we know says 0x01e1"),
        ("e101 0900 00 ff ff ff", "length 9 of a message on the control socket: it has 8 octets"),
    ],
)
def test_what_is_no_message_is_named(octets: str, message: str) -> None:
    with pytest.raises(E1dError, match=message):
        messages.decode(bytes.fromhex(octets))


def test_an_answer_to_another_request_is_an_error() -> None:
    with pytest.raises(E1dError, match="answer of type 0x81 to a request of type 0x04"):
        messages.refuses(Message(Kind.OPEN_SLOT), Message(0x81, payload=b"x"))
    assert messages.refuses(Message(Kind.OPEN_SLOT), Message(0x84))
    assert messages.refuses(Message(Kind.OPEN_SLOT), Message(0xC4, payload=b"x"))
    assert not messages.refuses(Message(Kind.OPEN_SLOT), Message(0x84, payload=b"x"))


def test_frames_come_out_of_the_superchannel_however_it_is_cut() -> None:
    octets = bytes(range(31)) * 40
    whole = Superchannel().take(octets)
    stream, parts = Superchannel(), []
    for first in range(0, len(octets), 17):
        parts.append(stream.take(octets[first : first + 17]))
    assert np.concatenate(parts).tobytes() == whole.tobytes() == octets


def test_ts0_is_written_in_turn_and_taken_away_again() -> None:
    carried = np.arange(62, dtype=np.uint8).reshape(2, 31)
    frames = frames_of(carried)
    assert carried_of(frames) == carried.tobytes()
    assert with_ts0(frames, 7)[::32] == b"\xdf\x9b"
    assert with_ts0(frames, 8)[::32] == b"\x9b\xdf"
    assert carried_of(with_ts0(frames, 7)) == carried.tobytes()


def test_slots_are_put_side_by_side_and_wait_for_each_other() -> None:
    slots = Slots([1, 31])
    lost, carried = slots.take({1: b"ab", 31: b"x"})
    assert (lost, carried.shape) == (0, (1, 31))
    assert carried[0, 0] == ord("a")
    assert carried[0, 30] == ord("x")
    assert set(carried[0, 1:30].tolist()) == {0xD5}
    lost, carried = slots.take({31: b"y"})
    assert carried[:, [0, 30]].tolist() == [[ord("b"), ord("y")]]


def test_a_slot_that_stays_behind_has_lost_octets_and_all_begin_anew() -> None:
    slots = Slots([1, 2])
    slots.take({1: bytes(500), 2: b""})
    told = [slots.take({1: bytes(160), 2: bytes(160)}) for _ in range(10)]
    assert [lost for lost, _ in told if lost] == [660]  # the 500, and what stood there when it was sure
    lost, carried = slots.take({1: b"abc", 2: b"xyz"})
    assert lost == 0
    assert carried[:, :2].tobytes() == b"axbycz"


def test_a_slot_that_is_behind_for_a_moment_has_lost_nothing() -> None:
    slots = Slots([1, 2])
    for _ in range(4):
        assert slots.take({1: bytes(160), 2: b"\0"})[0] == 0
    assert slots.take({1: b"", 2: bytes(636)})[0] == 0
    assert slots.take({1: b"a", 2: b"x"})[1][:, :2].tobytes() == b"ax"


@pytest.mark.parametrize(
    ("spec", "path", "place"),
    [
        ("e1d:/tmp/osmo-e1d.ctl", "/tmp/osmo-e1d.ctl", (0, 0)),
        ("e1d:/tmp/osmo-e1d.ctl:2/1", "/tmp/osmo-e1d.ctl", (2, 1)),
        ("e1d:/run/a:b/e1d.ctl", "/run/a:b/e1d.ctl", (0, 0)),
    ],
)
def test_a_line_is_named_by_socket_interface_and_number(spec: str, path: str, place: tuple[int, int]) -> None:
    said = parse(spec)
    assert (said.path, (said.interface, said.line)) == (path, place)


def test_lines_are_found_and_it_is_told_which_are_free(daemon: Daemon) -> None:
    driver = E1dDriver([daemon.path, f"{daemon.path}.missing"])
    line = driver.open(f"e1d:{daemon.path}:0/1?mode=channelized&slots=1-3")
    assert {info.spec.rpartition(":")[2]: info.free for info in driver.detect()} == {
        "0/0": True,
        "0/1": False,
        "1/0": True,
        "1/1": True,
    }
    line.close()


def test_a_slot_that_another_program_has_is_refused_and_can_be_forced(daemon: Daemon) -> None:
    driver = E1dDriver()
    first = driver.open(f"e1d:{daemon.path}:0/0")
    with pytest.raises(OpenError, match=r"refuses the superchannel of interface 0, line 0: .*\(force=1 takes it away"):
        driver.open(f"e1d:{daemon.path}:0/0")
    second = driver.open(f"e1d:{daemon.path}:0/0?force=1")
    first.close()
    second.close()


def test_a_line_that_does_not_exist_is_refused_by_name(daemon: Daemon) -> None:
    with pytest.raises(OpenError, match="refuses a mode for interface 7, line 0"):
        E1dDriver().open(f"e1d:{daemon.path}:7/0")


def test_a_socket_of_something_else_is_no_daemon(tmp_path: Path) -> None:
    path = str(tmp_path / "other.ctl")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(path)
        listener.listen()

        def talk() -> None:
            with listener.accept()[0] as client:
                client.recv(4096)
                client.send(b"hello, I am no osmo-e1d")

        answering = threading.Thread(target=talk)
        answering.start()
        with pytest.raises(OpenError, match="magic 0x6568"):
            E1dDriver().open(f"e1d:{path}")
        answering.join()


def test_an_event_between_question_and_answer_is_kept(daemon: Daemon) -> None:
    control = Control(daemon.path)
    assert len(control.lines()) == 4
    daemon.tell(Kind.AIS_ON, 0, 1)
    fd = control.open_slot(0, 1, 5, 160)
    (event,) = control.events()
    assert (event.kind, event.interface, event.line) == (Kind.AIS_ON, 0, 1)
    assert list(control.events()) == []
    os.close(fd)
    control.close()


def test_the_emulated_daemon_is_a_command_for_other_programs_too(tmp_path: Path) -> None:
    path = tmp_path / "e1d.ctl"
    found: list[str] = []

    def look() -> None:
        until(path.exists)
        found.extend(info.spec for info in E1dDriver([str(path)]).detect())

    looking = threading.Thread(target=look)
    looking.start()
    done = CliRunner().invoke(app, ["e1d", str(path), "--lines", "2", "--seconds", "0.5"])
    looking.join()
    assert done.exit_code == 0, done.output
    assert found == [f"e1d:{path}:{interface}/{line}" for interface in (0, 1) for line in (0, 1)]
    assert not path.exists(), "the socket goes with the daemon"


def test_a_daemon_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "e1d.ctl"
    line = E1dDriver().open(f"e1d:{path}?wait=1")
    until(lambda: Alarm.UNPLUGGED in line.status().alarms)
    assert line.head == 0
    daemon = Daemon(path)
    until(lambda: line.head > 800 and not line.status().alarms)
    assert line.gaps(0, line.head) == []
    line.close()
    daemon.close()


class Forger:
    """Somebody at the other end of a control socket who sends a descriptor with whatever it says."""

    def __init__(self, path: Path, *told: Message) -> None:
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listening.bind(str(path))
        self._listening.listen()
        self.control = Control(str(path))
        self._peer = self._listening.accept()[0]
        for message in told:
            read, write = os.pipe()
            socket.send_fds(self._peer, [messages.encode(message)], [read, write])
            os.close(read)
            os.close(write)

    def close(self) -> None:
        self.control.close()
        self._peer.close()
        self._listening.close()


def _open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (Message(Kind.OPEN_SLOT | messages.REFUSAL, 0, 0, 5, b"x"), "refuses time slot 5"),
        (Message(Kind.OPEN_SLOT | messages.ANSWER, 0, 0, 5), "refuses time slot 5"),
        (Message(Kind.LINES | messages.ANSWER, 0, 0, 5, b"x"), "answer of type 0x81 to a request of type 0x04"),
    ],
)
def test_a_descriptor_that_comes_with_a_refusal_is_closed(tmp_path: Path, told: Message, said: str) -> None:
    forger = Forger(tmp_path / "e1d.ctl", Message(Kind.LOS_ON, 0, 0), told)
    before = _open_descriptors()
    with pytest.raises(E1dError, match=said):
        forger.control.open_slot(0, 0, 5, 160)
    # two came with the event and two with the answer; they count only once they have been received
    assert _open_descriptors() == before
    forger.close()


def test_a_descriptor_that_nobody_asked_for_is_closed(tmp_path: Path) -> None:
    lines = Message(Kind.CONFIGURE_LINE | messages.ANSWER, 0, 0, payload=b"x")
    opened = Message(Kind.OPEN_SLOT | messages.ANSWER, 0, 0, 5, b"x")
    forger = Forger(tmp_path / "e1d.ctl", lines, opened, Message(Kind.LOS_ON, 0, 0))
    before = _open_descriptors()
    forger.control.configure(0, 0, LineMode.CHANNELIZED)
    assert _open_descriptors() == before
    fd = forger.control.open_slot(0, 0, 5, 160)
    assert _open_descriptors() == before + 1, "the one that was asked for, of two"
    os.close(fd)
    assert [event.kind for event in forger.control.events()] == [Kind.LOS_ON]
    assert _open_descriptors() == before
    forger.close()
