"""Loops of a SAToP port and of an engine, step by step."""

import random

from osrec_drivers.e1.engine import Engine
from osrec_drivers.e1.pseudowire import Port
from osrec_drivers.line import Alarm, GapCause
from tests.reference import e1

MS = 1_000_000
FRAME = 32
PACKET = 8 * FRAME
HEADER = 4


def packets_of(octets: bytes) -> list[bytes]:
    pieces = [octets[at : at + PACKET] for at in range(0, len(octets), PACKET)]
    return [bytes(2) + number.to_bytes(2) + piece for number, piece in enumerate(pieces)]


def voice(frames: int) -> bytes:
    return random.Random(6).randbytes(FRAME * frames)


def answered(port: Port, now: int) -> bytes:
    sent = b""
    while (packet := port.due(now)) is not None:
        sent += packet[HEADER:]
    return sent


def test_a_remote_loop_sends_back_each_bit_in_its_place() -> None:
    port = Port(Engine(capacity=1 << 13))
    port.engine.loop = "remote"
    line = e1.send(voice(8 * 40))
    back = b""
    for n, packet in enumerate(packets_of(line)):
        port.take(packet, (1000 + n) * MS)
        back += answered(port, (1000 + n) * MS)
    assert back == line
    assert port.engine.head == 8 * 40


def test_what_was_lost_comes_back_as_ones() -> None:
    engine = Engine(capacity=1 << 13)
    engine.loop = "remote"
    line = e1.send(voice(24))
    engine.receive(line[: 8 * FRAME])
    engine.miss(8 * FRAME, GapCause.PACKET_LOSS)
    engine.receive(line[16 * FRAME :])
    back = engine.transmit(bytes(24 * FRAME))
    assert back == line[: 8 * FRAME] + b"\xff" * 8 * FRAME + line[16 * FRAME :]


def test_a_local_loop_goes_round_without_packets_once_the_line_was_up() -> None:
    """A cable is tested from one end before the other one is plugged in."""
    port = Port(Engine(capacity=1 << 14))
    for n, packet in enumerate(packets_of(e1.send(voice(8 * 20)))):
        port.take(packet, (1000 + n) * MS)
    answered(port, 1020 * MS)
    port.engine.loop = "local"
    tone = random.Random(7).randbytes(2000)
    port.engine.send(9, tone)
    for now in range(1025, 2600, 5):
        port.tick(now * MS)
        answered(port, now * MS)
    snapshot = port.engine.snapshot()
    assert snapshot[0] == {Alarm.NO_PACKETS}
    assert snapshot[1]
    assert tone in port.engine.read(9, port.engine.oldest, port.engine.head - port.engine.oldest)


def test_a_loop_that_ends_leaves_the_line_as_it_was() -> None:
    engine = Engine(capacity=1 << 13)
    line = e1.send(voice(400))
    engine.receive(line[: 160 * FRAME])
    engine.loop = "local"
    for at in range(160, 240, 8):
        engine.receive(line[at * FRAME : (at + 8) * FRAME])
        engine.transmit(bytes(8 * FRAME))
    assert engine.read(3, 160, 70) != line[160 * FRAME + 3 :: FRAME][:70]
    engine.loop = "none"
    engine.receive(line[240 * FRAME :])
    assert engine.read(3, 260, 130) == line[260 * FRAME + 3 :: FRAME][:130]
