"""D channels, CAS, loops, slots and Sa bits of the lines themselves: on a cable, and over SAToP."""

import gc
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

import pytest

from osrec_drivers.e1.criteria import Criteria
from osrec_drivers.e1.dchannel import Channel
from osrec_drivers.e1.line import EngineLine
from osrec_drivers.errors import LineError
from osrec_drivers.line import Alarm, Crc4, DFrame, open_line
from osrec_drivers.virtual import Fault, FaultKind, cable

PATIENCE = 20.0  # seconds until a test gives up
NAMES = count()
DICE = random.Random(11)
STEP = 160  # frames


@dataclass
class Link:
    """Two lines that hear each other; the far one is fed frames, the near one answers in step."""

    near: EngineLine
    far: EngineLine

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, "it did not come true in time"
            self.run(STEP)

    def run(self, frames: int) -> None:
        """Time passes: at once on a virtual line, by the clock on another."""
        head = self.near.head
        self.far.transmit(DICE.randbytes(32 * frames))
        while self.near.head < head + frames - 16:
            time.sleep(0.002)  # lets the lines' threads run


@pytest.fixture(params=["virtual", "satop"])
def link(request: pytest.FixtureRequest) -> Iterator[Link]:
    if request.param == "virtual":
        name = f"signalling{next(NAMES)}"
        near, far = open_line(f"virtual:{name}/a"), open_line(f"virtual:{name}/b")
    else:
        near = open_line("satop:127.0.0.1:0")
        port = near.address[1]  # type: ignore[attr-defined]  # a SAToP line has one
        far = open_line(f"satop:127.0.0.1:0/127.0.0.1:{port}")
    assert isinstance(near, EngineLine)
    assert isinstance(far, EngineLine)
    link = Link(near, far)
    link.run(2 * STEP)
    yield link
    near.close()
    far.close()


def test_frames_of_a_d_channel_pass_both_ways(link: Link) -> None:
    near, far = link.near.d_channel(), link.far.d_channel()
    link.run(STEP)
    near.send(b"\x00\x01\x73")
    far.send(b"\x02\x01\x7f")
    got_near: list[DFrame] = []
    got_far: list[DFrame] = []

    def passed() -> bool:
        got_near.extend(near.receive())
        got_far.extend(far.receive())
        return bool(got_near and got_far)

    link.until(passed)
    assert [frame.octets for frame in got_near if not frame.error] == [b"\x02\x01\x7f"]
    assert [frame.octets for frame in got_far if not frame.error] == [b"\x00\x01\x73"]


def test_closing_the_line_closes_its_d_channel(link: Link) -> None:
    channel = link.near.d_channel(3)
    link.near.close()
    with pytest.raises(LineError, match="slot 3: the D channel is closed"):
        channel.send(b"\x00\x01")


def test_cas_passes_both_ways(link: Link) -> None:
    link.near.send_cas(5, 0b0101)
    link.far.send_cas(30, 0b1001)
    link.until(lambda: link.near.cas().abcd[30] == 0b1001 and link.far.cas().abcd[5] == 0b0101)
    link.until(lambda: not {Alarm.LMFA16, Alarm.RAI16} & (link.near.status().alarms | link.far.status().alarms))
    assert {(change.slot, change.abcd) for change in link.near.cas_changes()} >= {(30, 0b1001), (5, 0b1101)}
    assert link.near.cas_changes() == []


def test_a_far_end_that_gets_no_cas_of_ours_says_so(link: Link) -> None:
    link.far.send_cas(1, 0b1001)
    link.until(lambda: Alarm.RAI16 in link.near.status().alarms if link.near.cas().aligned else False)
    assert Alarm.LMFA16 in link.far.status().alarms


def test_octets_sent_on_a_slot_take_the_place_of_idle(link: Link) -> None:
    tone = DICE.randbytes(3000)
    assert link.near.send(7, tone) == 3000
    link.until(lambda: tone in link.far.read(7, link.far.oldest, link.far.head - link.far.oldest))
    assert set(link.far.read(8, link.far.head - 500, 500)) == {0xD5}


def test_a_slot_takes_two_seconds_of_octets_and_none_where_signalling_is(link: Link) -> None:
    assert link.near.send(4, bytes(20_000)) == 16_000
    link.run(STEP)
    assert 0 < link.near.send(4, bytes(20_000)) <= 2 * STEP
    link.near.d_channel(16)
    with pytest.raises(LineError, match="slot 16: signalling is sent there"):
        link.near.send(16, b"\0")
    with pytest.raises(ValueError, match=r"slot 0: time slots 1\.\.31"):
        link.near.send(0, b"\0")


def test_a_remote_loop_gives_the_far_end_its_own_octets_back(link: Link) -> None:
    link.near.loop("remote")
    assert link.near.status().loop == "remote"
    frames = DICE.randbytes(32 * 1200)
    link.run(STEP)
    link.far.transmit(frames)
    link.until(lambda: frames[9::32] in link.far.read(9, link.far.oldest, link.far.head - link.far.oldest))
    assert frames[9::32] in link.near.read(9, link.near.oldest, link.near.head - link.near.oldest)
    assert link.far.status().aligned
    link.near.loop("none")
    link.until(lambda: set(link.far.read(9, link.far.head - 100, 100)) == {0xD5})


def test_a_local_loop_gives_us_what_we_send(link: Link) -> None:
    link.near.loop("local")
    link.run(5 * STEP)
    tone = DICE.randbytes(400)

    def heard(line: EngineLine) -> bool:
        link.near.send(12, tone)  # again and again: a busy machine may tear it
        return tone in line.read(12, line.oldest, line.head - line.oldest)

    link.until(lambda: heard(link.near))
    link.until(lambda: heard(link.far))
    link.until(lambda: link.near.status().alarms == frozenset())
    with pytest.raises(ValueError, match="loop 'sideways': there is none, local, remote"):
        link.near.loop("sideways")  # type: ignore[arg-type]


def test_sa_bits_are_the_far_ends(link: Link) -> None:
    assert link.near.status().sa == 31
    link.far.send_sa(0b01010)
    link.until(lambda: link.near.status().sa == 0b01010)
    with pytest.raises(ValueError, match=r"Sa bits 32: Sa4\.\.Sa8 are five bits"):
        link.far.send_sa(32)


def test_a_line_may_be_judged_by_other_thresholds() -> None:
    name = f"judged{next(NAMES)}"
    near, far = open_line(f"virtual:{name}/a"), open_line(f"virtual:{name}/b?crc4=0")
    near.judge_by(Criteria(interworking_frames=800))
    far.transmit(bytes(32 * 810))
    assert near.status().crc4 is Crc4.INTERWORKING
    near.close()
    far.close()


def test_the_state_of_crc4_is_told() -> None:
    name = f"crc{next(NAMES)}"
    near, far = open_line(f"virtual:{name}/a"), open_line(f"virtual:{name}/b?crc4=0")
    assert near.status().crc4 is Crc4.SEARCHING
    far.transmit(bytes(32 * 400))
    assert near.status().crc4 is Crc4.SEARCHING
    assert near.status().alarms == {Alarm.LMFA}
    far.transmit(bytes(32 * 3200))
    assert near.status().crc4 is Crc4.INTERWORKING
    assert far.status().crc4 is Crc4.OFF
    assert far.status().alarms == frozenset()
    near.close()
    far.close()


def test_a_d_channel_survives_a_lost_packet_and_a_cut_cable() -> None:
    name = f"cut{next(NAMES)}"
    near, far = open_line(f"virtual:{name}/a"), open_line(f"virtual:{name}/b")
    channels = near.d_channel(), far.d_channel()
    far.transmit(bytes(32 * 400))
    for kind in (FaultKind.LOST, FaultKind.ZEROS, FaultKind.SLIPPED):
        cable(name).sent_by["b"].damage(Fault(kind, 32 * 83 + 5))
        far.transmit(bytes(32 * 1600))
        channels[1].send(b"\x02\x01\x7f")
        far.transmit(bytes(32 * 400))
        assert [frame.octets for frame in channels[0].receive() if frame.error is None] == [b"\x02\x01\x7f"]
    near.close()
    far.close()


def test_a_line_does_not_keep_channels_that_were_closed() -> None:
    line = open_line(f"virtual:signalling{next(NAMES)}/a")
    kept = line.d_channel(5)
    before = _channels()
    for _ in range(20):
        line.d_channel(16).close()
    assert _channels() <= before + 1
    line.close()
    with pytest.raises(LineError, match="slot 5: the D channel is closed"):
        kept.send(b"x")


def _channels() -> int:
    return sum(isinstance(one, Channel) for one in gc.get_objects())
