"""Frame and multiframe alignment, alarms and counters, clause by clause."""

import random

import pytest

from osrec_drivers.e1.criteria import Criteria
from osrec_drivers.e1.framer import Framer
from osrec_drivers.line import Alarm, AlarmChange, Gap, GapCause
from tests.reference import e1

FRAME = 32


def voice(count: int, seed: int = 1) -> bytes:
    """Frames with random slots but a TS0 of zeros."""
    dice = random.Random(seed)
    return b"".join(b"\0" + dice.randbytes(31) for _ in range(count))


def late(octets: bytes, bits: int) -> bytes:
    """The same bits after `bits` zeros."""
    whole = -(-(8 * len(octets) + bits) // 8)
    return (int.from_bytes(octets) << 8 * whole - 8 * len(octets) - bits).to_bytes(whole)


def slots(frames: bytes) -> list[bytes]:
    return [frames[i + 1 : i + FRAME] for i in range(0, len(frames), FRAME)]


def flip(octets: bytes, *bits: int) -> bytes:
    return (int.from_bytes(octets) ^ sum(1 << 8 * len(octets) - 1 - bit for bit in bits)).to_bytes(len(octets))


@pytest.mark.parametrize("bits", [0, 1, 7, 8, 100, 255, 256, 300, 511])
def test_finds_the_frames_at_any_bit_offset(bits: int) -> None:  # G.706 4.1.2
    frames = voice(64)
    framer = Framer()
    out = framer.feed(late(e1.send(frames), bits) + bytes(FRAME))
    assert slots(out)[:64] == slots(frames)
    assert framer.aligned
    assert framer.position == 64 + bits // 256 or framer.position == 65 + bits // 256


def test_needs_fas_then_bit_2_then_fas() -> None:  # G.706 4.1.2
    line = e1.send(voice(3))
    assert not Framer().feed(line[: 2 * FRAME])
    assert len(Framer().feed(line)) == 3 * FRAME
    assert not Framer().feed(flip(line, 256 + 1))  # bit 2 of frame 1 is 0
    assert not Framer().feed(flip(line, 512 + 7))  # the second FAS is wrong


def test_gives_the_frame_before_the_first_fas() -> None:
    frames = voice(5)
    out = Framer().feed(e1.send(frames)[FRAME:])
    assert slots(out) == slots(frames)[1:]


@pytest.mark.parametrize(("errors", "losses"), [(2, 0), (3, 1)])
def test_loses_alignment_after_three_bad_fas(errors: int, losses: int) -> None:  # G.706 4.1.1
    line = e1.send(voice(40), with_crc4=False)
    framer = Framer(crc4=False)
    framer.feed(flip(line, *(16 * 256 + 512 * n + 3 for n in range(errors))))
    assert framer.losses == losses
    assert framer.fas_errors == errors


def test_holds_frames_in_doubt_until_the_next_good_fas() -> None:
    frames = voice(12)
    line = flip(e1.send(frames, with_crc4=False), 4 * 256 + 3)
    framer = Framer(crc4=False)
    assert slots(framer.feed(line[: 6 * FRAME])) == slots(frames)[:4]
    assert slots(framer.feed(line[6 * FRAME : 7 * FRAME])) == slots(frames)[4:7]


def test_takes_doubtful_frames_back_when_alignment_is_lost() -> None:
    frames = voice(40)
    line = e1.send(frames, with_crc4=False)
    framer = Framer(crc4=False)
    out = framer.feed(line[: 16 * FRAME] + line[16 * FRAME + 5 :])  # five octets slip
    assert slots(out)[:16] == slots(frames)[:16]
    (gap,) = framer.gaps()
    assert gap.first == 16
    assert gap.cause is GapCause.LOF
    after = slots(out)[16:]
    assert len(after) > 14
    assert after == slots(frames)[39 - len(after) : 39]
    assert 16 + gap.count + len(after) == framer.position


def test_loses_alignment_after_three_bad_bits_2_if_asked() -> None:  # G.706 4.1.1
    line = flip(e1.send(voice(40), with_crc4=False), *(17 * 256 + 512 * n + 1 for n in range(3)))
    strict, lax = Framer(crc4=False), Framer(crc4=False, criteria=Criteria(bad_nfas=0))
    strict.feed(line)
    lax.feed(line)
    assert (strict.losses, lax.losses) == (1, 0)


def test_finds_the_multiframe_with_the_second_mfas() -> None:  # G.706 4.2
    line = e1.send(voice(48))
    framer = Framer()
    framer.feed(line[: 27 * FRAME])
    assert not framer.crc_multiframe
    framer.feed(line[27 * FRAME : 28 * FRAME])
    assert framer.crc_multiframe


def test_finds_no_multiframe_where_none_is_sent() -> None:
    framer = Framer()
    framer.feed(e1.send(voice(200), with_crc4=False))
    assert framer.aligned
    assert not framer.crc_multiframe
    assert framer.crc_errors == 0


@pytest.mark.parametrize("bit", [8, 300, 1024, 2047])
def test_counts_one_error_for_a_bad_sub_multiframe(bit: int) -> None:  # G.704 2.3.3.5
    framer = Framer()
    framer.feed(flip(e1.send(voice(96)), 48 * 256 + bit))
    assert framer.crc_errors == 1
    assert framer.losses == 0


def test_counts_e_bits_that_are_zero() -> None:  # G.704 2.3.3.4
    framer = Framer()
    framer.feed(e1.send(voice(16 * 5), e_bit=0))
    assert framer.remote_crc_errors == 2 + 2 * 3  # from the multiframe in which alignment was gained


def test_searches_anew_after_915_bad_blocks_of_1000() -> None:  # G.706 4.3.2
    frames = voice(16)
    line = bytearray(e1.send(frames * 500))
    for block in range(8 * FRAME, len(line), 8 * FRAME):
        line[block + 40] ^= 0x10
    framer = Framer()
    framer.feed(bytes(line))
    assert framer.fas_errors == 0
    assert framer.losses == 1
    assert framer.aligned


@pytest.mark.parametrize(("errors", "losses"), [(914, 0), (915, 1)])
def test_the_915th_bad_block_of_1000_is_one_too_many(errors: int, losses: int) -> None:  # G.706 4.3.2
    line = bytearray(e1.send(voice(16) * 504))
    for block in range(5, 5 + errors):
        line[block * 8 * FRAME + 40] ^= 0x10
    framer = Framer()
    framer.feed(bytes(line))
    assert framer.crc_errors == errors
    assert framer.losses == losses


def test_reports_los_after_255_zeros_and_its_end() -> None:  # G.775
    line = e1.send(voice(32), with_crc4=False)
    framer = Framer(crc4=False)
    framer.feed(line)
    framer.feed(bytes(31))
    assert framer.alarms == set()
    framer.feed(bytes(32 * 20 + 1))
    assert framer.alarms == {Alarm.LOS}
    framer.feed(line)
    assert framer.alarms == set()
    assert [(c.alarm, c.raised) for c in framer.changes()] == [
        (Alarm.LOS, True),
        (Alarm.LOS, False),
        (Alarm.LOF, True),
        (Alarm.LOF, False),
    ]
    assert {gap.cause for gap in framer.gaps()} <= {GapCause.LOS, GapCause.LOF}
    assert framer.position == 85


def test_los_stays_with_31_ones_in_255_bits() -> None:  # G.775
    framer = Framer()
    framer.feed(bytes(64))
    sparse = bytes([0x80] * 31 + [0] * 224)  # 31 ones, then a long run of zeros: in no window 32
    framer.feed(sparse)
    assert Alarm.LOS in framer.alarms
    framer.feed(bytes([0xC0] * 64))
    assert Alarm.LOS not in framer.alarms


def test_reports_ais_after_two_periods_of_ones() -> None:  # G.775
    framer = Framer(crc4=False)
    framer.feed(e1.send(voice(32), with_crc4=False))
    framer.feed(b"\xff" * 127 + b"\xfe")
    assert framer.alarms == {Alarm.AIS}
    framer.feed(b"\xff" * 640)
    assert [gap.cause for gap in framer.gaps()] == [GapCause.AIS]
    framer.feed(e1.send(voice(32), with_crc4=False))
    assert framer.alarms == set()


@pytest.mark.parametrize("bits", [0, 3])
def test_ais_before_the_first_fas_is_no_frame(bits: int) -> None:
    frames = voice(64)
    framer = Framer()
    out = framer.feed(e1.send(frames))
    out += framer.feed(late(bytes([0xFF]) * 100 * FRAME + e1.send(frames), bits) + bytes(FRAME))
    assert b"\xff" * 31 not in out
    assert b"".join(slots(frames)) in b"".join(slots(out)[64:])


def test_three_zeros_in_512_bits_are_no_ais() -> None:  # G.775
    framer = Framer()
    framer.feed((b"\xff" * 63 + b"\xf8") * 20)
    assert framer.alarms == {Alarm.LOF}


def test_rai_comes_and_goes_after_three_a_bits() -> None:  # O.162 2.1.4
    healthy, alarmed = (e1.send(voice(32), with_crc4=False, a_bit=a) for a in (0, 1))
    framer = Framer(crc4=False)
    framer.feed(healthy + alarmed[: 5 * FRAME])
    assert framer.alarms == set()
    framer.feed(alarmed[5 * FRAME :])
    assert framer.alarms == {Alarm.RAI}
    framer.feed(healthy[: 6 * FRAME])
    assert framer.changes() == [AlarmChange(Alarm.RAI, True, 38), AlarmChange(Alarm.RAI, False, 70)]


def test_keeps_alignment_and_count_through_octets_known_to_be_missing() -> None:
    frames = voice(96)
    line = late(e1.send(frames), 3)
    framer = Framer()
    out = framer.feed(line[: 40 * FRAME])
    framer.miss(8 * FRAME, GapCause.PACKET_LOSS)
    out += framer.feed(line[48 * FRAME :])
    assert framer.gaps() == [Gap(39, 9, GapCause.PACKET_LOSS)]  # frame 39 ends 3 bits into what is missing
    assert slots(out) == slots(frames)[:39] + slots(frames)[48:95]
    assert (framer.losses, framer.fas_errors, framer.crc_errors) == (0, 0, 0)
    assert framer.crc_multiframe


def test_counts_missing_octets_while_it_searches() -> None:
    framer = Framer()
    framer.feed(b"\x5a" * 320)
    framer.miss(3200, GapCause.NO_PACKETS)
    assert framer.position == 110
    assert framer.gaps()[-1] == Gap(10, 100, GapCause.NO_PACKETS)
