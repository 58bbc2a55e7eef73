"""The D channel of a DAHDI span, with DAHDI's HDLC and with ours."""

from collections.abc import Iterator

import pytest

from osrec_drivers import dahdi_abi as abi
from osrec_drivers.errors import LineError
from osrec_drivers.line import Alarm
from tests.unit.dahdi_bench import Bench, voice, where


@pytest.fixture
def bench() -> Iterator[Bench]:
    with Bench() as bench:
        yield bench


@pytest.mark.parametrize("hdlc", ["ours", "dahdi"])
def test_frames_of_a_d_channel_pass_both_ways_while_time_slots_carry_audio(bench: Bench, hdlc: str) -> None:
    near, far = bench.pair(f"?hdlc={hdlc}")
    ours, theirs = near.d_channel(), far.d_channel()
    frames = voice(300)
    far.transmit(frames)
    for number in range(20):
        assert theirs.send(bytes([2, 1, number]))
        assert ours.send(bytes([0, 1, number]))
        bench.model.pass_time(10)
    bench.model.pass_time(300)
    assert [frame.octets for frame in ours.receive()] == [bytes([2, 1, number]) for number in range(20)]
    assert [frame.octets for frame in theirs.receive()] == [bytes([0, 1, number]) for number in range(20)]
    assert (ours.counters.frames, ours.counters.sent, ours.counters.aborts) == (20, 20, 0)
    begin = where(near, frames)
    for slot in (1, 15, 17, 31):
        assert near.read(slot, begin, 2400) == frames[slot::32]


def test_an_error_that_dahdi_tells_of_a_frame_is_told_in_its_place(bench: Bench) -> None:
    near, _ = bench.pair("?hdlc=dahdi")
    channel = near.d_channel()
    for event in (abi.Event.ABORT, abi.Event.BAD_FCS, abi.Event.OVERRUN):
        bench.model.spans[2].channels[15].events.append(event)
    assert [frame.error for frame in channel.receive()] == ["abort", "fcs", "long"]
    assert (channel.counters.aborts, channel.counters.bad_fcs, channel.counters.long) == (1, 1, 1)
    bench.model.spans[2].channels[15].events.append(abi.Event.ABORT)
    assert channel.send(b"\0\1\2")  # an event in the way is fetched first
    assert [frame.error for frame in channel.receive()] == ["abort"]


def test_a_d_channel_of_dahdi_is_opened_once_and_refuses_what_is_no_frame(bench: Bench) -> None:
    near, _ = bench.pair("?hdlc=dahdi")
    channel = near.d_channel()
    with pytest.raises(LineError, match="time slot 16 has a D channel already"):
        near.d_channel()
    with pytest.raises(LineError, match="hdlc=dahdi gives time slot 16 to DAHDI's HDLC"):
        near.cas()
    with pytest.raises(ValueError, match="0 octets: a frame has 1 to"):
        channel.send(b"")
    channel.close()
    with pytest.raises(LineError, match="closed"):
        channel.send(b"\0")
    near.d_channel()


def test_a_full_queue_refuses_frames_and_counts_them(bench: Bench) -> None:
    near, _ = bench.pair("?hdlc=dahdi")
    channel = near.d_channel()
    taken = [channel.send(b"\0\1\2") for _ in range(40)]
    assert taken == [True] * 32 + [False] * 8
    assert (channel.counters.sent, channel.counters.unsent) == (32, 8)


def test_cas_passes_in_time_slot_16_as_on_any_line(bench: Bench) -> None:
    near, far = bench.pair()
    assert not near.cas().aligned
    far.send_cas(5, 0b0101)
    far.send_cas(31, 0b1001)
    bench.model.pass_time(300)
    state = near.cas()
    assert state.aligned
    assert (state.abcd[5], state.abcd[31]) == (0b0101, 0b1001)
    assert near.status().alarms <= {Alarm.RAI16}  # we send no CAS ourselves
