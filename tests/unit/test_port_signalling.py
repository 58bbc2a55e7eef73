"""Signalling through a SAToP port that is late: time that passes unsent takes no octet of a D channel along."""

from osrec_drivers.e1 import cas
from osrec_drivers.e1.dchannel import Channel
from osrec_drivers.e1.engine import Engine
from osrec_drivers.e1.hdlc import HdlcDecoder
from osrec_drivers.e1.pseudowire import Port
from tests.reference import cas as slow_cas

MS = 1_000_000
FRAME = 32
HEADER = 4


def sent(port: Port, now: int) -> bytes:
    out = b""
    while (packet := port.due(now)) is not None:
        out += packet[HEADER:]
    return out


def test_a_d_channel_waits_while_frames_are_passed_over() -> None:
    port = Port(Engine(capacity=1 << 12))
    channel = Channel(port.engine, 16)
    channel.send(bytes(range(100)))
    port.transmit(bytes(FRAME * 8 * 400), due_ns=1000 * MS)  # 400 ms of frames
    line = sent(port, 1400 * MS)
    assert port.unsent == 8 * 150  # older than 250 ms: passed over
    frames = HdlcDecoder().feed(line[16::FRAME])
    assert [(frame.octets, frame.error) for frame in frames] == [(bytes(range(100)), None)]


def test_the_cas_multiframe_goes_on_while_frames_are_passed_over() -> None:
    port = Port(Engine(crc4=False, capacity=1 << 12))
    cas.send(port.engine, 4, 0b0101)
    port.transmit(bytes(FRAME * 8 * 401), due_ns=1000 * MS)
    line = sent(port, 1401 * MS)
    assert port.unsent == 8 * 151
    assert line[16::FRAME] == slow_cas.send({4: 0b0101}, 8 * 401, remote_alarm=True)[8 * 151 :]


def test_two_seconds_of_test_octets_leave_in_step_with_what_comes() -> None:
    port = Port(Engine(capacity=1 << 12))
    assert port.engine.send(5, bytes(range(200)) * 2) == 400
    for n in range(60):
        port.take(bytes(2) + n.to_bytes(2) + bytes(256), (1000 + n) * MS)
    line = sent(port, 1060 * MS)
    assert line[5::FRAME] == bytes(range(200)) * 2 + b"\xd5" * 80
