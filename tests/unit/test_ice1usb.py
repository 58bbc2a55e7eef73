"""What an icE1usb says and is told; the board's own count of frames in all its readings; its losses, to the frame."""

import ctypes
from collections.abc import Iterator
from functools import partial

import pytest
import usb1

from osrec_drivers.board_line import BoardLine
from osrec_drivers.e1.engine import Engine
from osrec_drivers.errors import OpenError
from osrec_drivers.ice1usb import Ice1usbBoard, Ice1usbDriver, parse
from osrec_drivers.ice1usb_protocol import (
    Errors,
    Flag,
    Position,
    Timing,
    TxConfig,
    TxRate,
    read_interrupt,
    since,
    write_interrupt,
)
from osrec_drivers.line import FRAME_RATE, Alarm, GapCause, Line
from osrec_drivers.virtual import Fault, FaultKind
from osrec_emulators.ice1usb.board import IceBoard
from osrec_emulators.ice1usb.bus import Bus
from osrec_emulators.ice1usb.libusb import Context
from tests.conformance.links import until


def test_an_interrupt_has_the_octets_of_the_firmware() -> None:
    octets = bytes.fromhex("01 0300 0100 0002 0001 06")
    errors = Errors(crc=3, alignment=1, overflows=512, underflows=256, flags=Flag.LOS | Flag.RAI)
    assert read_interrupt(octets) == errors
    assert write_interrupt(errors) == octets
    assert read_interrupt(b"\x02" + octets[1:]) is None
    assert read_interrupt(octets[:-1]) is None
    assert since(0xFFFF, 1) == 2


def test_the_recorder_takes_its_clock_from_the_pbx_unless_told_otherwise() -> None:
    assert TxConfig().encode() == b"\x00\x01\x00\x00"
    assert TxConfig(timing=Timing.LOCAL, alarm=True).encode() == b"\x00\x00\x00\x01"


def test_a_rate_that_no_packet_can_hold_is_forgotten_with_the_next_that_is_told() -> None:
    rate = TxRate()
    rate.feedback(b"\xff\xff\xff")
    rate.next()
    rate.feedback((8 << 10).to_bytes(3, "little"))
    assert [rate.next() for _ in range(4)] == [8, 8, 8, 8]


def test_packets_hold_as_many_frames_as_the_board_wants() -> None:
    rate = TxRate()
    assert [rate.next() for _ in range(4)] == [8, 8, 8, 8]
    rate.feedback((8192 + 256).to_bytes(3, "little"))
    assert sum(rate.next() for _ in range(8)) == 66
    rate.feedback((8192 - 256).to_bytes(3, "little"))
    assert sum(rate.next() for _ in range(8)) == 62
    rate.feedback(b"\x00")  # no feedback at all
    rate.feedback(bytes(3))
    assert rate.next() == 4, "the firmware's least"
    rate.feedback(b"\xff\xff\xff")
    assert rate.next() == 9, "and most"


@pytest.mark.parametrize("place", [0, 3])
@pytest.mark.parametrize("circle", [16, 256])
def test_the_count_of_frames_is_understood_wherever_it_stands(place: int, circle: int) -> None:
    position, count = Position(), 0

    def packet(frames: int, nominal: int = 0) -> int:
        nonlocal count
        header = bytearray(4)
        header[place] = count % circle
        count += frames
        return position.missing(bytes(header), frames, nominal)

    assert [packet(8) for _ in range(12)] == [0] * 12
    assert position.circle == circle
    count += 5
    assert packet(9) == 5
    assert packet(8) == 0
    count += 16
    assert packet(8, nominal=16) == 16
    count += 255
    assert packet(8, nominal=256) == 255


def test_a_count_that_is_not_understood_counts_packets_only() -> None:
    position = Position()
    assert [position.missing(b"\x0a\x0b\x0c\x0d", 8) for _ in range(20)] == [0] * 20
    assert position.missing(b"\x0a\x0b\x0c\x0d", 8, nominal=24) == 24
    assert position.circle == 0


class Desk:
    """Two boards with a cable between them, and a line on each."""

    def __init__(self, options: str = "", *, patient: bool = True) -> None:
        self.bus = Bus(patient=patient)
        self.there, self.here = self.bus.plug(IceBoard("far0")), self.bus.plug(IceBoard("near0"))
        self.cable = self.bus.connect(self.there.ports[0], self.here.ports[0])
        self.port = self.here.ports[0]
        self.driver = Ice1usbDriver(partial(Context, self.bus), self.bus.clock.now)
        self.far: Line = self.driver.open("ice1usb:far0")
        self.near: Line = self.driver.open(f"ice1usb:near0{options}")

    def close(self) -> None:
        self.near.close()
        self.far.close()


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    until(lambda: made.near.head > 1600 and made.near.status().alarms == set())
    yield made
    made.close()


def test_packets_cut_short_are_thrown_away_and_counted_to_the_frame(desk: Desk) -> None:
    begin = desk.near.head
    desk.port.cut = 3
    until(lambda: desk.near.status().counters.overruns > 0)
    until(lambda: desk.near.head > begin + 2400)
    status = desk.near.status()
    (gap,) = desk.near.gaps(begin, desk.near.head - begin)
    assert gap.cause is GapCause.OVERRUN
    assert 24 <= gap.count <= 26, "frames begin between octets: one more may be broken"
    assert status.counters.packets_malformed == 3
    assert status.counters.alignment_losses == 0
    assert status.aligned


def test_what_the_board_itself_had_no_room_for_is_found_by_the_clock() -> None:
    desk = Desk()
    until(lambda: desk.near.head > 1600 and desk.near.status().alarms == set())
    begin = desk.near.head
    with desk.bus.lock:
        kept = desk.port.packet
        desk.port.packet = lambda: b""  # type: ignore[method-assign]  # the host asks, and the board has no answer
    until(lambda: desk.port.overflows >= 10)
    with desk.bus.lock:
        desk.port.packet = kept  # type: ignore[method-assign]
    until(lambda: desk.near.status().counters.overruns > 0)
    until(lambda: desk.near.head > begin + 6000)
    lost = 16 * desk.port.overflows
    found = sum(g.count for g in desk.near.gaps(begin, desk.near.head - begin) if g.cause is GapCause.OVERRUN)
    assert found == pytest.approx(lost, abs=FRAME_RATE // 100)
    desk.close()


def test_a_pulled_cable_is_no_signal_as_the_board_says(desk: Desk) -> None:
    desk.cable.out = True
    until(lambda: Alarm.LOS in desk.near.status().alarms)
    assert Alarm.NO_PACKETS not in desk.near.status().alarms
    desk.cable.out = False
    until(lambda: Alarm.LOS not in desk.near.status().alarms)


def test_without_frames_a_board_that_frames_itself_gives_nothing_and_says_so() -> None:
    desk = Desk("?rx=multiframe")
    until(lambda: desk.near.head > 1600 and desk.near.status().alarms == set())
    begin = desk.near.head
    desk.cable.from_a.damage(Fault(FaultKind.ONES, 32 * 8000))
    until(lambda: Alarm.LOF in desk.near.status().alarms)
    until(lambda: not desk.near.status().alarms - {Alarm.RAI})
    until(lambda: desk.near.head > begin + 8000)
    causes = {gap.cause for gap in desk.near.gaps(begin, desk.near.head - begin)}
    assert GapCause.LOF in causes
    assert GapCause.NO_PACKETS not in causes
    desk.close()


def test_a_board_is_found_by_its_serial_number(desk: Desk) -> None:
    assert [(info.spec, info.free) for info in desk.driver.detect()] == [
        ("ice1usb:far0:0", None),
        ("ice1usb:far0:1", None),
        ("ice1usb:near0:0", None),
        ("ice1usb:near0:1", None),
    ]
    with pytest.raises(OpenError, match=r"no icE1usb with serial number 'gone0' and port 0; plugged in: far0:0, "):
        desk.driver.open("ice1usb:gone0")
    with pytest.raises(OpenError, match=r"icE1usb near0, port 0: .*BUSY.*; has osmo-e1d taken it\?"):
        desk.driver.open("ice1usb:near0:0")


def test_frames_go_both_ways_on_both_ports_of_a_board() -> None:
    bus = Bus()
    board = bus.plug(IceBoard("both0"))
    bus.connect(board.ports[0], board.ports[1])
    driver = Ice1usbDriver(partial(Context, bus), bus.clock.now)
    lines = [driver.open("ice1usb:both0:0"), driver.open("ice1usb:both0:1")]
    for line in lines:
        until(lambda line=line: line.head > 800 and line.status().alarms == set())  # type: ignore[misc]
    words = bytes(range(200))
    lines[0].send(7, words)
    lines[1].send(8, words)
    until(lambda: words in lines[1].read(7, 0, lines[1].head) and words in lines[0].read(8, 0, lines[0].head))
    for line in lines:
        line.close()


def test_a_stall_of_the_interpreter_delays_and_loses_nothing() -> None:
    desk = Desk(patient=False)
    until(lambda: desk.near.head > 1600 and desk.near.status().alarms == set())
    begin, before = desk.near.head, desk.near.status().counters.overruns
    # a call through PyDLL keeps the GIL: no Python thread can run meanwhile
    ctypes.PyDLL(None).usleep(120_000)
    until(lambda: desk.near.head > begin + 2400)
    assert desk.near.status().counters.overruns == before
    assert GapCause.OVERRUN not in {gap.cause for gap in desk.near.gaps(begin, desk.near.head - begin)}
    desk.close()


def test_a_board_that_is_not_plugged_in_yet_is_waited_for() -> None:
    bus = Bus()
    driver = Ice1usbDriver(partial(Context, bus), bus.clock.now)
    line = driver.open("ice1usb:late0?wait=1")
    until(lambda: Alarm.UNPLUGGED in line.status().alarms)
    far = bus.plug(IceBoard("far0"))
    bus.connect(far.ports[0], bus.plug(IceBoard("late0")).ports[0])
    sender = driver.open("ice1usb:far0")
    until(lambda: line.head > 800 and not line.status().alarms)
    line.close()
    sender.close()


def test_a_board_that_is_just_being_plugged_in_is_no_board_yet(desk: Desk) -> None:
    desk.there.enumerating = True
    assert [info.spec for info in desk.driver.detect()] == ["ice1usb:near0:0", "ice1usb:near0:1"]
    with pytest.raises(
        OpenError, match="no icE1usb with serial number 'far0' and port 1; plugged in: near0:0, near0:1"
    ):
        desk.driver.open("ice1usb:far0:1")


def _comes_back(desk: Desk, why: str) -> None:
    """The line has said why it is gone, and has octets again."""
    assert isinstance(desk.near, BoardLine)
    line = desk.near
    until(lambda: line.failure is not None)
    assert why in str(line.failure)
    desk.here.jammed = desk.here.hung = False
    until(lambda: not line.status().alarms)
    begin = line.head
    until(lambda: line.head > begin + 800)
    assert line.failure is None


def test_a_transfer_that_the_bus_does_not_take_is_told_and_the_board_opened_again(desk: Desk) -> None:
    desk.here.jammed = True
    _comes_back(desk, "LIBUSB_ERROR_IO")


def test_a_board_that_gives_nothing_any_more_is_opened_again(desk: Desk) -> None:
    desk.here.hung = True
    _comes_back(desk, "icE1usb near0 has given nothing for 2.")


def test_closing_frees_the_port_although_the_bus_answers_with_errors() -> None:
    bus = Bus()
    bus.connect(bus.plug(IceBoard("far0")).ports[0], bus.plug(IceBoard("near0")).ports[0])
    made: list[Deaf] = []

    def contexts() -> Deaf:
        made.append(Deaf(bus))
        return made[-1]

    board = Ice1usbBoard(parse("ice1usb:near0"), contexts)
    line = BoardLine("ice1usb:near0", Engine(capacity=1 << 12), board, clock=bus.clock.now)
    until(lambda: made[0].asked > 0)
    made[0].deaf = True
    until(lambda: line.failure is not None)
    assert made[0].closed
    until(lambda: line.failure is None)
    line.close()
    assert [context.closed for context in made] == [True] * len(made)


class Deaf(Context):
    """A context that raises when it is asked for events; it remembers that it was closed."""

    deaf = closed = False
    asked = 0

    def handleEventsTimeout(self, tv: float = 0) -> None:  # noqa: N802
        self.asked += 1
        if self.deaf:
            raise usb1.USBErrorIO(usb1.ERROR_IO)
        super().handleEventsTimeout(tv)

    def close(self) -> None:
        self.closed = True
