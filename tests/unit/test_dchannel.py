"""The D channel of an engine: in step with the line, through gaps, and never unbounded."""

import random
import subprocess
import sys

import pytest

from osrec_drivers.e1.dchannel import Channel
from osrec_drivers.e1.engine import Engine
from osrec_drivers.e1.hdlc import HdlcDecoder
from osrec_drivers.errors import LineError
from osrec_drivers.line import DChannel, DCounters, DFrame, GapCause

FRAME = 32
SABME = b"\x02\x01\x7f"


def opened(slot: int = 16) -> tuple[Engine, Channel]:
    engine = Engine(capacity=1 << 14)
    return engine, Channel(engine, slot)


def test_is_a_d_channel() -> None:
    assert isinstance(opened()[1], DChannel)


def test_frames_come_with_the_sample_that_holds_their_closing_flag() -> None:
    engine, channel = opened()
    sender = Engine(capacity=1 << 12)
    far = Channel(sender, 16)
    frames = [random.Random(n).randbytes(5 + n) for n in range(20)]
    line = sender.transmit(bytes(FRAME * 10))
    for frame in frames:
        assert far.send(frame)
    line += sender.transmit(bytes(FRAME * 400))
    decoder = HdlcDecoder()
    expected = [DFrame(frame.end, frame.octets) for frame in decoder.feed(line[16::FRAME])]
    for at in range(0, len(line), 1000):
        engine.receive(line[at : at + 1000])
    got = channel.receive()
    assert [frame.octets for frame in got] == frames
    assert got == expected
    assert channel.receive() == []


def test_flags_fill_the_slot_without_anyone_doing_anything() -> None:
    engine, _ = opened(5)
    sent = engine.transmit(bytes(FRAME * 100))
    assert sent[5::FRAME] == b"\x7e" * 100
    assert sent[4::FRAME] == bytes(100)


def test_a_frame_queued_late_breaks_no_other() -> None:
    engine, channel = opened()
    decoder, got = HdlcDecoder(), []
    dice = random.Random(8)
    frames = [dice.randbytes(dice.randint(3, 60)) for _ in range(60)]
    for frame in frames:
        channel.send(frame)
        got += decoder.feed(engine.transmit(bytes(FRAME * dice.randint(1, 100)))[16::FRAME])
    got += decoder.feed(engine.transmit(bytes(FRAME * 4000))[16::FRAME])
    assert [frame.octets for frame in got] == frames
    assert {frame.error for frame in got} == {None}


def test_a_full_queue_refuses_and_counts() -> None:
    engine, channel = opened()
    taken = 0
    while channel.send(bytes(260)):
        taken += 1
    assert 20 < taken < 40  # a second of 64 kbit/s
    assert channel.counters == DCounters(sent=taken, unsent=1)
    engine.transmit(bytes(FRAME * 1000))
    assert channel.send(bytes(260))


def test_missing_samples_abort_the_frame_under_way_only() -> None:
    sender, engine = Engine(capacity=1 << 12), Engine(capacity=1 << 14)
    far, channel = Channel(sender, 16), Channel(engine, 16)
    for n in range(10):
        far.send(bytes([n]) * 40)
    line = sender.transmit(bytes(FRAME * 800))
    engine.receive(line[: FRAME * 200])
    engine.miss(FRAME * 8, GapCause.PACKET_LOSS)
    engine.receive(line[FRAME * 208 :])
    got = channel.receive()
    good = [frame for frame in got if frame.error is None]
    assert [frame.octets[0] for frame in good] == [n for n in range(10) if n != 4]
    assert [frame.error for frame in got if frame.error] == ["abort"]
    assert channel.counters.aborts == 1
    assert channel.counters.frames == 9
    whole = HdlcDecoder().feed(line[16::FRAME])
    assert [frame.sample for frame in good] == [frame.end for frame in whole if frame.octets[0] != 4]


def test_frames_in_doubt_wait_until_alignment_is_sure() -> None:
    """A D channel must not read octets that turn out not to be its own."""
    sender, engine = Engine(crc4=False, capacity=1 << 12), Engine(crc4=False, capacity=1 << 14)
    far, channel = Channel(sender, 16), Channel(engine, 16)
    far.send(bytes(12))
    line = bytearray(sender.transmit(bytes(FRAME * 16)))
    line[4 * FRAME] ^= 0x10  # FAS of frame 4
    engine.receive(bytes(line[: 6 * FRAME]))
    assert engine.head == 4
    engine.receive(bytes(line[6 * FRAME :]))
    engine.receive(sender.transmit(bytes(FRAME * 40)))
    assert [frame.octets for frame in channel.receive()] == [bytes(12)]


def test_errors_are_named_and_counted() -> None:
    sender, engine = Engine(capacity=1 << 12), Engine(capacity=1 << 14)
    far, channel = Channel(sender, 16), Channel(engine, 16)
    far.send(bytes(range(20)))
    far.send(SABME)
    line = bytearray(sender.transmit(bytes(FRAME * 160)))
    line[10 * FRAME + 16] ^= 0x08
    engine.receive(bytes(line))
    got = channel.receive()
    assert (got[0].error, got[-1].error, got[-1].octets) == ("fcs", None, SABME)
    assert channel.counters.bad_fcs == 1


def test_when_nobody_fetches_the_newest_are_lost_and_counted() -> None:
    sender, engine = Engine(capacity=1 << 12), Engine(capacity=1 << 14)
    far, channel = Channel(sender, 16), Channel(engine, 16)
    sent = 0
    while sent < 1500:
        while far.send(bytes([sent % 251, 1, 2, 3])):
            sent += 1
        engine.receive(sender.transmit(bytes(FRAME * 2000)))
    engine.receive(sender.transmit(bytes(FRAME * 9000)))
    got = channel.receive()
    counters = channel.counters
    assert counters.frames == sent
    assert len(got) + counters.overruns == sent
    assert 900 < len(got) <= 1024
    assert [frame.octets[0] for frame in got] == [n % 251 for n in range(len(got))]
    far.send(SABME)
    engine.receive(sender.transmit(bytes(FRAME * 100)))
    assert [frame.octets for frame in channel.receive()] == [SABME]


def test_a_closed_channel_takes_and_gives_nothing_and_frees_its_slot() -> None:
    engine, channel = opened(9)
    channel.send(SABME)
    channel.close()
    channel.close()
    assert channel.receive() == []
    assert channel.counters.sent == 1
    with pytest.raises(LineError, match="slot 9: the D channel is closed"):
        channel.send(SABME)
    assert engine.transmit(bytes(FRAME * 8))[9::FRAME] == bytes(8)
    Channel(engine, 9).close()


def test_two_channels_share_a_line_but_not_a_slot() -> None:
    sender, engine = Engine(capacity=1 << 12), Engine(capacity=1 << 14)
    far, near = [Channel(sender, 16), Channel(sender, 31)], [Channel(engine, 16), Channel(engine, 31)]
    far[0].send(b"one")
    far[1].send(b"other")
    engine.receive(sender.transmit(bytes(FRAME * 100)))
    assert [[frame.octets for frame in channel.receive()] for channel in near] == [[b"one"], [b"other"]]
    with pytest.raises(LineError, match="slot 31: another D channel"):
        Channel(engine, 31)


@pytest.mark.parametrize("slot", [0, 32, -1])
def test_a_slot_that_is_none_is_refused(slot: int) -> None:
    with pytest.raises(ValueError, match=rf"slot {slot}: time slots 1\.\.31"):
        Channel(Engine(capacity=1 << 12), slot)


@pytest.mark.parametrize("octets", [0, 265])
def test_a_frame_of_a_wrong_length_is_refused(octets: int) -> None:
    with pytest.raises(ValueError, match=f"{octets} octets: a frame has 1 to 264"):
        opened()[1].send(bytes(octets))


def test_a_program_that_ends_without_closing_anything_ends_in_order() -> None:
    program = """
from osrec_drivers.line import open_line
ends = [open_line(f"virtual:left-open/{end}") for end in "ab"]
channels = [end.d_channel() for end in ends]
ends[0].transmit(bytes(32 * 800))
channels[0].send(bytes(5))
ends[0].mine, ends[1].mine = channels, ends  # a circle, for the collector
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
