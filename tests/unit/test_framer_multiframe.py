"""The CRC-4 multiframe: gained, missed, sought elsewhere and given up, each at the right frame."""

import random

import pytest

from osrec_drivers.e1.criteria import Criteria
from osrec_drivers.e1.framer import Framer
from osrec_drivers.line import Alarm, AlarmChange, GapCause
from tests.reference import e1

FRAME = 32


def voice(count: int, seed: int = 1) -> bytes:
    dice = random.Random(seed)
    return b"".join(b"\0" + dice.randbytes(31) for _ in range(count))


def imitated(frames: bytes, slot: int, *, parity: int = 0) -> bytes:
    """These line octets, but a time slot in them carries FAS and not FAS in turn, as a far end's TS0 would."""
    out = bytearray(frames)
    for first, signal in ((parity, b"\x9b"), (1 - parity, b"\xdf")):
        octets = slice(slot + 32 * first, None, 64)
        out[octets] = signal * len(out[octets])
    return bytes(out)


def of(framer: Framer, alarm: Alarm) -> list[AlarmChange]:
    return [change for change in framer.changes() if change.alarm is alarm]


def test_lmfa_comes_with_the_64th_frame_without_a_multiframe() -> None:  # G.706 4.2: 8 ms
    line = e1.send(voice(80), with_crc4=False)
    framer = Framer()
    framer.feed(line[: 63 * FRAME])
    assert framer.alarms == set()
    framer.feed(line[63 * FRAME : 64 * FRAME])
    assert of(framer, Alarm.LMFA) == [AlarmChange(Alarm.LMFA, True, 64)]
    assert framer.aligned


def test_lmfa_goes_with_the_second_mfas() -> None:  # G.706 4.2
    framer = Framer()
    framer.feed(e1.send(voice(80), with_crc4=False) + e1.send(voice(48)))
    assert of(framer, Alarm.LMFA) == [AlarmChange(Alarm.LMFA, True, 64), AlarmChange(Alarm.LMFA, False, 80 + 28)]
    assert framer.crc_multiframe


def test_lmfa_goes_when_the_frames_themselves_are_lost() -> None:
    framer = Framer()
    framer.feed(e1.send(voice(80), with_crc4=False) + random.Random(2).randbytes(10 * FRAME))
    assert Alarm.LMFA not in framer.alarms
    assert Alarm.LOF in framer.alarms


def test_without_crc4_there_is_no_lmfa() -> None:
    framer = Framer(crc4=False)
    framer.feed(e1.send(voice(400), with_crc4=False))
    assert framer.changes() == []
    assert not framer.interworking


@pytest.mark.parametrize(("frames", "given_up"), [(3199, False), (3200, True)])
def test_400_ms_without_a_multiframe_mean_that_the_far_end_sends_none(frames: int, given_up: bool) -> None:
    framer = Framer()  # G.706 Annex B
    framer.feed(e1.send(voice(16), with_crc4=False) * 200 + bytes(0))
    assert framer.interworking
    framer = Framer()
    framer.feed((e1.send(voice(16), with_crc4=False) * 200)[: frames * FRAME])
    assert framer.interworking is given_up
    assert framer.aligned
    assert framer.alarms == {Alarm.LMFA}


def test_a_multiframe_that_comes_after_400_ms_is_taken_all_the_same() -> None:
    framer = Framer()
    framer.feed(e1.send(voice(16), with_crc4=False) * 210 + e1.send(voice(64)))
    assert framer.crc_multiframe
    assert not framer.interworking
    assert framer.alarms == set()


@pytest.mark.parametrize("parity", [0, 1])
@pytest.mark.parametrize("slot", [1, 7, 20, 31])
def test_leaves_a_time_slot_that_imitates_fas_for_the_frames_that_have_a_multiframe(slot: int, parity: int) -> None:
    """G.706 4.2: found first, the imitation has no multiframe within 8 ms, so the search goes on beside it.

    Whatever comes first behind it, the imitation itself is not tried again meanwhile.
    """
    frames = voice(200 + parity)
    line = imitated(e1.send(frames), slot, parity=parity)[slot + 32 * parity :]  # the imitation is found first
    framer = Framer()
    out = framer.feed(line)
    assert framer.crc_multiframe
    assert framer.losses == 1
    assert framer.slips == 0
    true = [line[32 - slot + at : 64 - slot + at] for at in range(0, len(line) - 64, 32)]
    found = [out[at : at + 32] for at in range(0, len(out), 32)]
    assert found[-60:] == true[len(true) - 60 :] or found[-61:-1] == true[len(true) - 60 :]
    moves = of(framer, Alarm.LMFA)
    assert [change.raised for change in moves] == [True, False]
    assert 64 < moves[1].sample < 64 + 46  # 8 ms, then FAS, at worst 28 frames to the first MFAS, 16 to the second


def test_an_imitation_is_kept_when_nothing_else_has_a_multiframe() -> None:
    line = imitated(e1.send(voice(3400), with_crc4=False), 5)
    framer = Framer()
    framer.feed(line)
    assert framer.losses == 0
    assert framer.interworking


def test_frames_sought_beside_begin_where_the_others_end() -> None:
    framer = Framer()
    out = framer.feed(imitated(e1.send(voice(200)), 9)[9:])
    assert framer.gaps() == []
    assert len(out) // FRAME == framer.position == framer.frames


def test_a_slip_by_whole_double_frames_moves_the_multiframe() -> None:
    """A gateway that loses eight frames leaves FAS in its place: only MFAS tells."""
    line = e1.send(voice(160))
    framer = Framer()
    framer.feed(line[: 64 * FRAME] + line[72 * FRAME :])
    assert framer.slips == 1
    assert framer.losses == 0
    assert framer.crc_multiframe
    assert framer.crc_errors <= 4  # until the new place was found
    before = framer.remote_crc_errors
    framer.feed(line[: 64 * FRAME])
    assert framer.remote_crc_errors - before <= 8


@pytest.mark.parametrize("octets", [1, 32, 33, 96, -32])
def test_a_slip_is_counted_when_alignment_is_found_elsewhere(octets: int) -> None:
    line = e1.send(voice(160))
    framer = Framer()
    framer.feed(line[: 64 * FRAME] + line[64 * FRAME + octets :])
    assert framer.slips == 1
    assert framer.losses == 1


def test_alignment_lost_by_errors_and_found_in_its_place_is_no_slip() -> None:
    line = bytearray(e1.send(voice(160)))
    for frame in (64, 66, 68):
        line[frame * FRAME] ^= 0x10
    framer = Framer()
    framer.feed(bytes(line))
    assert framer.losses == 1
    assert framer.slips == 0


def test_alignment_found_elsewhere_after_los_is_no_slip() -> None:
    line = e1.send(voice(80))
    framer = Framer()
    framer.feed(line + bytes(20 * FRAME + 7) + line)
    assert framer.losses == 1
    assert framer.slips == 0


def test_packets_known_to_be_lost_are_no_slip() -> None:
    line = e1.send(voice(160))
    framer = Framer()
    framer.feed(line[: 64 * FRAME])
    framer.miss(8 * FRAME, GapCause.PACKET_LOSS)
    framer.feed(line[72 * FRAME :])
    assert framer.slips == framer.losses == framer.crc_errors == 0


def test_sa_bits_count_after_three_in_a_row() -> None:  # G.704 2.3.2
    framer = Framer()
    framer.feed(e1.send(voice(5), sa=0b10110))
    assert framer.sa is None
    framer.feed(e1.send(voice(6), sa=0b10110)[5 * FRAME :])
    assert framer.sa == 0b10110
    framer.feed(e1.send(voice(8), sa=0b00001)[: 4 * FRAME])
    assert framer.sa == 0b10110
    framer.feed(e1.send(voice(8), sa=0b00001)[4 * FRAME : 6 * FRAME])
    assert framer.sa == 0b00001


def test_sa_bits_that_change_in_a_healthy_line_are_seen() -> None:
    framer = Framer()
    framer.feed(e1.send(voice(96)) + e1.send(voice(96), sa=0))
    assert framer.sa == 0
    assert framer.losses == 0


def test_bit_2_errors_are_counted_even_where_they_do_not_lose_alignment() -> None:
    line = bytearray(e1.send(voice(80), with_crc4=False))
    for frame in (31, 33, 35):
        line[frame * FRAME] ^= 0x40
    framer = Framer(crc4=False, criteria=Criteria(bad_nfas=0))
    framer.feed(bytes(line))
    assert framer.bit2_errors == 3
    assert framer.losses == 0


def test_every_threshold_is_of_the_table() -> None:
    framer = Framer(criteria=Criteria(multiframe_frames=32, interworking_frames=100, sa_times=1))
    framer.feed(e1.send(voice(3), sa=5))
    assert framer.sa == 5
    framer = Framer(criteria=Criteria(multiframe_frames=32, interworking_frames=100))
    framer.feed(e1.send(voice(100), with_crc4=False))
    assert of(framer, Alarm.LMFA) == [AlarmChange(Alarm.LMFA, True, 32)]
    assert framer.interworking


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"bad_fas": 0}, r"bad_fas = 0: must be 1\.\.100"),
        ({"multiframe_frames": 27}, r"multiframe_frames = 27: must be 28\.\.8000"),
        ({"crc_blocks": 900}, "crc_bad_blocks = 915 of crc_blocks = 900: so many cannot be bad"),
    ],
)
def test_a_threshold_that_none_can_be_is_refused(values: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Criteria(**values)
