"""What every line driver must do, played on each of them; the cable is laid by a fixture, the checks are the same."""

import random
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

import pytest

from osrec_drivers.e1.line import EngineLine
from osrec_drivers.errors import DriverError, LineError, OpenError
from osrec_drivers.line import IDLE, Alarm, Anchor, GapCause, Line, LineDriver, open_line
from osrec_drivers.satop import SatopDriver, SatopLine, bind
from osrec_drivers.virtual import Cable, Fault, FaultKind, VirtualDriver, cable

PATIENCE = 20.0  # seconds until a test gives up
NAMES = count()
DICE = random.Random(5)


@dataclass
class Link:
    """Two lines that hear each other."""

    driver: LineDriver
    near: EngineLine  # under test
    far: EngineLine
    resume: Callable[[Anchor], EngineLine]  # the near end closed and opened again

    def send(self, frames: bytes) -> None:
        self.far.transmit(frames)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.002)  # lets the line's thread run; the end is the condition's


@pytest.fixture(params=["virtual", "virtual-shifted", "satop", "satop6", "satop-rtp"])
def link(request: pytest.FixtureRequest) -> Iterator[Link]:
    driver: LineDriver
    opened: list[Line | socket.socket] = []

    def open_(spec: str, **more: object) -> EngineLine:
        line = driver.open(spec, **more)  # type: ignore[arg-type]
        assert isinstance(line, EngineLine)
        opened.append(line)
        return line

    if request.param.startswith("virtual"):
        driver, name = VirtualDriver(), f"conformance{next(NAMES)}"
        if request.param == "virtual-shifted":
            cable(name).sent_by["a"].shift(5)
        far, near = open_(f"virtual:{name}/a"), open_(f"virtual:{name}/b")

        def resume(anchor: Anchor) -> EngineLine:
            near.close()
            return open_(f"virtual:{name}/b", resume=anchor)

    else:
        driver = SatopDriver()
        host = "[::1]" if request.param == "satop6" else "127.0.0.1"
        rtp = "?rtp=1" if request.param == "satop-rtp" else ""
        held = bind(f"satop:{host}:0{rtp}")
        port = held.getsockname()[1]
        far = open_(f"satop:{host}:0/{host}:{port}{rtp}")
        near = open_(f"satop:{host}:0{rtp}", fd=held.dup().detach())

        def resume(anchor: Anchor) -> EngineLine:
            near.close()
            return open_(f"satop:{host}:0{rtp}", fd=held.detach(), resume=anchor)

        opened.append(held)
    yield Link(driver, near, far, resume)
    for thing in opened:
        thing.close()


def voice(frames: int) -> bytes:
    return DICE.randbytes(32 * frames)


def slot(frames: bytes, number: int) -> bytes:
    return frames[number::32]


def offset(line: Line, frames: bytes) -> int:
    """The sample number of the first of these frames, found in slot 1."""
    received = line.read(1, line.oldest, line.head - line.oldest)
    at = received.find(slot(frames, 1)[100:140])
    assert at >= 0
    return line.oldest + at - 100


def test_gives_the_octets_sent_on_every_slot_in_step(link: Link) -> None:
    frames = voice(1600)
    link.send(frames + voice(160))
    until(lambda: link.near.head >= 1700)
    first = offset(link.near, frames)
    for number in (1, 2, 15, 16, 17, 30, 31):
        assert link.near.read(number, first + 10, 1500) == slot(frames, number)[10:1510]
    assert link.near.gaps(first + 10, 1500) == []


def test_answers_in_step_while_nobody_transmits(link: Link) -> None:
    link.send(voice(1600))
    until(lambda: link.far.head >= 1500)
    assert link.far.read(5, 100, 1000) == b"\xd5" * 1000
    assert link.far.levels()[5] == float("-inf")
    assert link.near.levels()[5] > -10


def test_both_ends_are_healthy_after_a_while(link: Link) -> None:
    link.send(voice(3200))
    until(lambda: link.near.head >= 3100 and link.far.head >= 3100)
    for line in (link.near, link.far):
        status = line.status()
        assert status.alarms == set()
        assert status.aligned
        assert status.crc_multiframe
        assert status.counters.crc_errors == 0
        assert status.counters.fas_errors == 0
        assert status.counters.frames == status.received >= 3000
        assert status.head >= status.received
        assert status.expected >= status.received - 800


def test_an_alarm_that_came_and_went_is_told_once(link: Link) -> None:
    link.send(voice(1600))
    until(lambda: link.near.head >= 1500)
    told = link.near.changes()
    assert [change.raised for change in told if change.alarm is Alarm.RAI] in ([True, False], [])
    assert all(change.sample <= 1600 for change in told)
    assert link.near.changes() == []


def test_reading_outside_the_ring_is_refused_with_what_it_holds(link: Link) -> None:
    link.send(voice(800))
    until(lambda: link.near.head >= 700)
    with pytest.raises(LineError, match="the ring holds"):
        link.near.read(1, link.near.head - 10, 8000)
    with pytest.raises(LineError, match=r"samples -5\.\.-1 asked for"):
        link.near.read(1, -5, 5)
    with pytest.raises(ValueError, match=r"slot 32: time slots are 0\.\.31"):
        link.near.read(32, 0, 1)
    assert link.near.read(1, link.near.head, 0) == b""


def test_what_is_wiped_of_a_slot_can_be_read_by_nobody_and_nothing_else_is_touched(link: Link) -> None:
    frames = voice(1600)
    link.send(frames + voice(160))
    until(lambda: link.near.head >= 1700)
    first = offset(link.near, frames)
    link.near.wipe(5, first + 400, 300)
    expected = bytearray(slot(frames, 5))
    expected[400:700] = bytes([IDLE]) * 300
    assert link.near.read(5, first + 10, 1500) == expected[10:1510]
    for number in (4, 6, 31):
        assert link.near.read(number, first + 10, 1500) == slot(frames, number)[10:1510]
    assert link.near.gaps(first + 10, 1500) == []


def test_wiping_goes_as_far_as_the_ring_and_no_further(link: Link) -> None:
    link.send(voice(1600))
    until(lambda: link.near.head >= 1500)
    head = link.near.head
    link.near.wipe(7, -5000, head + 5000 + 100_000_000)
    assert set(link.near.read(7, link.near.oldest, head - link.near.oldest)) == {IDLE}
    with pytest.raises(ValueError, match=r"slot 32: time slots are 0\.\.31"):
        link.near.wipe(32, 0, 1)
    with pytest.raises(ValueError, match="count -1"):
        link.near.wipe(1, 0, -1)


def test_refuses_half_a_frame(link: Link) -> None:
    with pytest.raises(ValueError, match="33 octets: frames are 32 octets each"):
        link.near.transmit(bytes(33))


def test_closing_twice_does_nothing_and_transmitting_then_is_refused(link: Link) -> None:
    link.near.close()
    link.near.close()
    with pytest.raises(LineError, match="it is closed"):
        link.near.transmit(bytes(32))


def test_nothing_has_arrived_at_first(link: Link) -> None:
    assert link.near.anchor() is None
    assert link.near.head == link.near.oldest == 0
    assert link.near.status().received == 0


def test_sample_numbers_go_on_after_a_restart(link: Link) -> None:
    """What was sent while nobody listened is a gap, or still in the socket; either way the numbers fit."""
    before, between, after = voice(1600), voice(800), voice(1600)
    link.send(before)
    until(lambda: link.near.head >= 1590)
    first = offset(link.near, before)
    anchor = link.near.anchor()
    assert anchor is not None
    link.near.close()
    link.send(between)
    near = link.resume(anchor)
    link.send(after + voice(160))
    until(lambda: near.head >= first + 4000)
    assert near.oldest == anchor.sample
    assert offset(near, after) == first + 2400
    causes = {gap.cause for gap in near.gaps(near.oldest, near.head - near.oldest)}
    assert causes <= {GapCause.NOT_LISTENING, GapCause.LOF}


def test_every_driver_checks_a_spec_without_opening(link: Link) -> None:
    link.driver.check(link.near.spec)
    with pytest.raises(OpenError, match="is named"):
        link.driver.check("other:thing")
    assert isinstance(list(link.driver.detect()), list)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("virtual", "a line is named DRIVER:REST"),
        ("isdn:1", "no driver 'isdn'; installed are satop, virtual"),
        ("virtual:x/c", "virtual:NAME/a or virtual:NAME/b"),
        ("virtual:x/a?fast=1", "option 'fast=1' is unknown"),
        ("satop:127.0.0.1", "local end '127.0.0.1' must be HOST:PORT"),
        ("satop:127.0.0.1:70000", "port 1..65535"),
        ("satop:::1:5000", "an IPv6 address stands in brackets"),
        ("satop:127.0.0.1:0/[::1]:5000", "must both be IPv4 or both IPv6"),
        ("satop:127.0.0.1:0/127.0.0.1:0", "remote end '127.0.0.1:0' must be HOST:PORT"),
        ("satop:127.0.0.1:0?payload=100", "payload='100' must be a multiple of 32 octets up to 1408"),
        ("satop:127.0.0.1:0?speed=1", "option 'speed' is unknown; there are payload, rtp"),
        ("satop:127.0.0.1:0?rtp=yes", "option rtp='yes' must be 0 or 1"),
        ("satop:192.0.2.77:5000", r"cannot listen at \('192.0.2.77', 5000\)"),
    ],
)
def test_a_wrong_spec_is_named_with_what_would_be_right(spec: str, message: str) -> None:
    with pytest.raises(DriverError, match=message.replace("[", r"\[").replace("?", r"\?")):
        open_line(spec)


def test_a_descriptor_that_is_no_bound_udp_socket_is_refused() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_STREAM) as stream,
        pytest.raises(OpenError, match="must be a bound UDP socket"),
    ):
        SatopDriver().open("satop:127.0.0.1:0", fd=stream.fileno())
    with pytest.raises(OpenError, match="a virtual line has none"):
        VirtualDriver().open("virtual:nofd/a", fd=3)


def test_a_socket_that_outlives_its_process_keeps_the_packets() -> None:
    """What a supervisor does: the recorder is gone for 1600 frames and nothing is missing but the frame it broke."""
    with bind("satop:127.0.0.1:0") as held:
        far = SatopDriver().open(f"satop:127.0.0.1:0/127.0.0.1:{held.getsockname()[1]}")
        near = SatopDriver().open("satop:127.0.0.1:0", fd=held.dup().detach())
        assert isinstance(far, SatopLine)
        frames = voice(4800)
        far.transmit(frames[: 32 * 1600])
        until(lambda: near.head >= 1600)
        near.close()
        anchor = near.anchor()
        assert anchor is not None
        far.transmit(frames[32 * 1600 :])
        until(lambda: far.sent == 4800)
        again = SatopDriver().open("satop:127.0.0.1:0", fd=held.dup().detach(), resume=anchor)
        until(lambda: again.head >= 4800)
        assert again.read(9, 1608, 3192) == slot(frames, 9)[1608:]
        assert [(gap.first, gap.count) for gap in again.gaps(0, 4800)] == [(1592, 8)]  # the packet of the anchor
        far.close()
        again.close()


def test_virtual_faults_are_seen_for_what_they_are() -> None:
    laid: Cable = cable("faulty")
    far, near = open_line("virtual:faulty/a"), open_line("virtual:faulty/b")
    far.transmit(voice(1600))
    for kind, alarm, cause in (
        (FaultKind.ZEROS, Alarm.LOS, GapCause.LOS),
        (FaultKind.ONES, Alarm.AIS, GapCause.AIS),
    ):
        begin = near.head
        laid.sent_by["a"].damage(Fault(kind, 32 * 800))
        far.transmit(voice(800))
        assert near.status().alarms == {alarm}
        assert Alarm.RAI in far.status().alarms
        far.transmit(voice(800))
        assert near.status().alarms == set()
        assert cause in {gap.cause for gap in near.gaps(begin, 1600)}
    laid.sent_by["a"].damage(Fault(FaultKind.LOST, 32 * 80))
    begin = near.head
    far.transmit(voice(800))
    assert [(gap.first, gap.count, gap.cause) for gap in near.gaps(begin, 800)] == [(begin, 80, GapCause.PACKET_LOSS)]
    losses = near.status().counters.alignment_losses
    laid.sent_by["a"].damage(Fault(FaultKind.SLIPPED, 5))
    far.transmit(voice(800))
    assert near.status().counters.alignment_losses == losses + 1
    laid.sent_by["a"].damage(Fault(FaultKind.BIT_ERRORS, 32 * 800, rate=1e-4))
    far.transmit(voice(1600))
    assert near.status().counters.crc_errors > 0
    assert far.status().counters.remote_crc_errors > 0
    near.close()
    far.close()


def test_detect_tells_the_cables_and_which_ends_are_free() -> None:
    line = open_line("virtual:seen/a")
    told = {info.spec: info.free for info in VirtualDriver().detect()}
    assert told["virtual:seen/a"] is False
    assert told["virtual:seen/b"] is True
    with pytest.raises(OpenError, match="is open already"):
        open_line("virtual:seen/a")
    line.close()
    assert list(SatopDriver().detect()) == []
