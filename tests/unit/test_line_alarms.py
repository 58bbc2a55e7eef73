"""Each alarm and counter of a line, raised by the emulator's declared fault: set and clear at the right frame.

The table of docs/e1.md names these tests.
"""

import pytest

from osrec_drivers.e1 import cas
from osrec_drivers.e1.dchannel import Channel
from osrec_drivers.e1.engine import Engine
from osrec_drivers.e1.transmitter import Transmitter
from osrec_drivers.line import Alarm, AlarmChange, Crc4
from osrec_emulators.diun2.line_faults import LineFault, What
from osrec_emulators.diun2.spoiler import Spoiler
from tests.reference import cas as slow_cas

FRAME = 32
BLOCK = 8  # frames of a CRC-4 block
FIRST = 64  # frame that a fault begins with: frame 0 of a multiframe
COUNT = 32


class Trunk:
    """An emulated line with its faults, and the engine that hears it. Its slots are all 01010101."""

    def __init__(self, *faults: LineFault, crc4: bool = True, with_cas: bool = False, d_channel: bool = False) -> None:
        self.engine = Engine(crc4=crc4, capacity=1 << 15)
        self.channel = Channel(self.engine, 16) if d_channel else None
        self._with_cas = with_cas
        if with_cas:
            cas.state(self.engine)
        self._far = Transmitter()
        self._far.multiframe = True
        self._spoiler = Spoiler(faults)

    def run(self, frames: int, slot_16: bytes = b"") -> "Trunk":
        octets = bytearray(b"\x55" * FRAME * frames)
        if self._with_cas:
            octets[16::FRAME] = slow_cas.send({}, frames)
        if slot_16:
            octets[16::FRAME] = slot_16
        self.engine.receive(self._spoiler.spoil(self._far.send(bytes(octets))))
        return self

    def of(self, alarm: Alarm) -> list[tuple[bool, int]]:
        return [(change.raised, change.sample) for change in self.changes() if change.alarm is alarm]

    def changes(self) -> list[AlarmChange]:
        return self.engine.changes()

    def count(self, counter: str) -> int:
        return self.engine.snapshot()[4][counter]


def fault(what: What, first: int = FIRST, count: int = COUNT, **more: float) -> LineFault:
    return LineFault(what, first, count, **more)  # type: ignore[arg-type]  # of the kinds that it takes


def test_a_healthy_line_has_no_alarm_and_no_error() -> None:
    trunk = Trunk(with_cas=True).run(800)
    assert trunk.changes() == []
    counters = trunk.engine.snapshot()[4]
    assert counters.pop("frames") == 800
    assert set(counters.values()) == {0}


def test_los_is_255_zeros_and_ends_with_32_ones() -> None:
    """Its bit 255 is in the first frame; of the frames behind it, the first nine octets have 32 ones."""
    trunk = Trunk(fault(What.LOS)).run(256)
    assert trunk.of(Alarm.LOS) == [(True, FIRST), (False, FIRST + COUNT)]


def test_ais_is_two_periods_of_ones_and_ends_with_two_of_others() -> None:
    trunk = Trunk(fault(What.AIS)).run(256)
    assert trunk.of(Alarm.AIS) == [(True, FIRST + 4), (False, FIRST + COUNT + 4)]


def test_lof_comes_with_the_third_wrong_fas_and_goes_with_the_first_right_frame() -> None:
    """FAS of frames 64, 66, 68 are wrong; FAS of 96 and 98 are right again, and 95 is whole."""
    trunk = Trunk(fault(What.LOF)).run(256)
    assert trunk.of(Alarm.LOF) == [(True, FIRST + 5), (False, FIRST + COUNT - 1)]
    assert trunk.count("fas_errors") == 3
    assert trunk.count("alignment_losses") == 1


def test_lof_comes_with_the_third_wrong_bit_2() -> None:
    """Of frames 65, 67, 69; FAS of 96 and 98 have a right one between them again."""
    trunk = Trunk(fault(What.NFAS)).run(256)
    assert trunk.of(Alarm.LOF) == [(True, FIRST + 6), (False, FIRST + COUNT)]
    assert trunk.count("bit2_errors") == 3
    assert trunk.count("fas_errors") == 0


def test_rai_comes_and_goes_with_the_third_a_bit() -> None:
    """In frames 65, 67, 69 and 97, 99, 101."""
    trunk = Trunk(fault(What.RAI)).run(256)
    assert trunk.changes() == [AlarmChange(Alarm.RAI, True, 70), AlarmChange(Alarm.RAI, False, 102)]


@pytest.mark.parametrize("what", [What.CRC_OFF, What.NO_MULTIFRAME])
def test_lmfa_comes_after_8_ms_and_goes_with_the_second_mfas(what: What) -> None:
    """MFAS end in frames 11 and 27 of what follows."""
    trunk = Trunk(fault(what, 0, 320)).run(640)
    assert trunk.changes() == [AlarmChange(Alarm.LMFA, True, 64), AlarmChange(Alarm.LMFA, False, 320 + 28)]


def test_a_far_end_without_crc4_is_known_as_such_after_400_ms() -> None:
    trunk = Trunk(fault(What.CRC_OFF, 0, 6400)).run(3199)
    assert trunk.engine.crc4_state is Crc4.SEARCHING
    assert trunk.run(1).engine.crc4_state is Crc4.INTERWORKING
    assert trunk.run(6400 - 3200 + 28).engine.crc4_state is Crc4.MULTIFRAME


def test_each_bad_block_is_one_crc_error() -> None:
    trunk = Trunk(fault(What.CRC_ERRORS, FIRST, 5 * BLOCK)).run(256)
    assert trunk.count("crc_errors") == 5
    assert trunk.changes() == []


@pytest.mark.parametrize(("blocks", "losses"), [(914, 0), (915, 1)])
def test_915_bad_blocks_of_1000_lose_alignment(blocks: int, losses: int) -> None:
    """A bad block is known with its last frame; FAS is where it was, but the search goes on behind the next one."""
    trunk = Trunk(fault(What.CRC_ERRORS, 48, blocks * BLOCK)).run(9000)
    assert trunk.count("alignment_losses") == losses
    lost = 48 + blocks * BLOCK
    assert trunk.of(Alarm.LOF) == [(True, lost), (False, lost + 1)] * losses


def test_a_burst_of_bit_errors_is_counted_and_over() -> None:
    trunk = Trunk(fault(What.BIT_ERRORS, FIRST, 160, rate=1e-3)).run(1600)
    assert 10 < trunk.count("crc_errors") <= 21
    assert trunk.changes() == []
    errors = trunk.count("crc_errors")
    assert trunk.run(1600).count("crc_errors") == errors


def test_bit_errors_in_fas_and_in_bit_2_are_counted() -> None:
    trunk = Trunk(fault(What.BIT_ERRORS, FIRST, 4000, rate=2e-3)).run(4800)
    assert 10 < trunk.count("fas_errors") < 50  # 7 bits of 2000 frames: 28
    assert 0 < trunk.count("bit2_errors") < 12  # one bit of 2000: 4


def test_each_e_bit_that_is_0_is_one_remote_crc_error() -> None:
    """Of frames 64 .. 127, four multiframes with two E bits each."""
    trunk = Trunk(fault(What.E_BITS, FIRST, 64)).run(256)
    assert trunk.count("remote_crc_errors") == 8
    assert trunk.changes() == []


@pytest.mark.parametrize("what", [What.DROPPED, What.REPEATED])
@pytest.mark.parametrize("octets", [32, 5, 256])
def test_octets_that_come_twice_or_never_are_a_slip(what: What, octets: int) -> None:
    trunk = Trunk(fault(what, FIRST, 1, octets=octets)).run(256)
    assert trunk.count("slips") == 1
    assert trunk.engine.crc4_state is Crc4.MULTIFRAME


def test_lmfa16_comes_with_the_second_wrong_mfas_and_goes_with_a_right_one() -> None:
    """Wrong in frames 64 and 80, right in frame 96."""
    trunk = Trunk(fault(What.NO_CAS), with_cas=True).run(256)
    assert trunk.changes() == [AlarmChange(Alarm.LMFA16, True, 81), AlarmChange(Alarm.LMFA16, False, 97)]
    assert trunk.count("cas_multiframe_losses") == 1


def test_lmfa16_comes_with_a_multiframe_of_zeros() -> None:
    """The zeros of frames 64 .. 79; MFAS in frame 96 stands behind zeros, that in 112 does not."""
    trunk = Trunk(fault(What.ZEROS16), with_cas=True).run(256)
    assert trunk.changes() == [AlarmChange(Alarm.LMFA16, True, 80), AlarmChange(Alarm.LMFA16, False, 113)]


def test_ais16_comes_with_a_multiframe_of_ones_and_goes_with_mfas() -> None:
    """The ones of frames 64 .. 79; MFAS in frame 96."""
    trunk = Trunk(fault(What.AIS16), with_cas=True).run(256)
    assert trunk.changes() == [AlarmChange(Alarm.AIS16, True, 80), AlarmChange(Alarm.AIS16, False, 97)]


def test_rai16_comes_and_goes_with_the_third_y_bit() -> None:
    """In frames 64, 80, 96 and 112, 128, 144."""
    trunk = Trunk(fault(What.RAI16, FIRST, 48), with_cas=True).run(256)
    assert trunk.changes() == [AlarmChange(Alarm.RAI16, True, 97), AlarmChange(Alarm.RAI16, False, 145)]


def test_what_strikes_a_d_channel_is_counted_there() -> None:
    """AIS16 aborts the frame under way; bit errors spoil some of those behind it."""
    far = Engine(capacity=1 << 12)
    sender = Channel(far, 16)
    for n in range(60):
        sender.send(bytes([n]) * 40)
    slot_16 = far.transmit(bytes(FRAME * 3000))[16::FRAME]
    faults = [fault(What.AIS16, 64, 16), fault(What.BIT_ERRORS, 800, 800, rate=2e-3)]
    trunk = Trunk(*faults, d_channel=True).run(3000, slot_16)
    assert trunk.channel is not None
    counters = trunk.channel.counters
    assert counters.aborts >= 1
    assert counters.bad_fcs + counters.octet_errors + counters.aborts > 3
    assert 40 < counters.frames < 60
    assert counters.frames == sum(frame.error is None for frame in trunk.channel.receive())
