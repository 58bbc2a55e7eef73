"""CAS in time slot 16: alignment, abcd, alarms and what we send, each at the right frame."""

import random

import pytest

from osrec_drivers.e1 import cas
from osrec_drivers.e1.criteria import Criteria
from osrec_drivers.e1.dchannel import Channel
from osrec_drivers.e1.engine import Engine
from osrec_drivers.errors import LineError
from osrec_drivers.line import Alarm, AlarmChange, CasChange, GapCause
from tests.reference import cas as slow
from tests.reference import e1

FRAME = 32
CAS_ALARMS = {Alarm.LMFA16, Alarm.AIS16, Alarm.RAI16}


class Feed:
    """An engine that is fed frames whose time slot 16 carries the octets given."""

    def __init__(self, criteria: Criteria | None = None) -> None:
        self.engine = Engine(crc4=False, capacity=1 << 14, criteria=criteria)
        cas.state(self.engine)
        self._dice = random.Random(4)
        self._sent = 0

    def __call__(self, slot_16: bytes) -> None:
        frames = bytearray(b"".join(self._dice.randbytes(32) for _ in slot_16))
        frames[16::32] = slot_16
        padded = bytes(32 * (self._sent % 2)) + bytes(frames)  # FAS in the even ones
        self.engine.receive(e1.send(padded, with_crc4=False)[32 * (self._sent % 2) :])
        self._sent += len(slot_16)

    def alarms(self) -> list[AlarmChange]:
        return [change for change in self.engine.changes() if change.alarm in CAS_ALARMS]


def test_aligns_with_the_first_mfas_behind_an_octet_that_is_not_zero() -> None:  # G.732 5.2
    feed = Feed()
    feed(slow.send({}, 32)[5:16])
    assert not cas.state(feed.engine).aligned
    feed(slow.send({}, 1))
    assert cas.state(feed.engine).aligned
    assert cas.state(feed.engine).spare == 0b111
    behind_zeros = Feed()
    behind_zeros(b"\xdd\x00\x0b")
    assert cas.state(behind_zeros.engine).aligned  # 0x00 is itself a MFAS behind 0xdd
    behind_zeros = Feed()
    behind_zeros(b"\x00\x0b\xdd\xdd")
    assert not cas.state(behind_zeros.engine).aligned


def test_abcd_counts_with_the_second_multiframe_and_is_told_with_its_first_sample() -> None:
    feed = Feed()
    feed(slow.send({3: 0b0101, 19: 0b1001}, 16))
    assert cas.changes(feed.engine) == []
    feed(slow.send({3: 0b0101, 19: 0b1001}, 32))
    state = cas.state(feed.engine)
    assert (state.abcd[3], state.abcd[19], state.abcd[4]) == (0b0101, 0b1001, 0b1101)
    assert state.abcd[0] is state.abcd[16] is None
    told = {change.slot: change for change in cas.changes(feed.engine)}
    assert told[3] == CasChange(3, 0b0101, 19)  # aligned with frame 16
    assert told[19] == CasChange(19, 0b1001, 19)
    assert len(told) == 30
    feed(slow.send({3: 0b1111, 19: 0b1001}, 32))
    assert cas.changes(feed.engine) == [CasChange(3, 0b1111, 51)]


def test_a_single_wrong_abcd_is_no_change() -> None:
    feed = Feed()
    feed(slow.send({}, 64) + slow.send({7: 1}, 16) + slow.send({}, 32))
    assert all(change.abcd == 0b1101 for change in cas.changes(feed.engine))


def test_a_change_may_count_at_once_if_so_configured() -> None:
    feed = Feed(Criteria(cas_times=1))
    feed(slow.send({}, 64) + slow.send({7: 1}, 16))
    assert cas.changes(feed.engine)[-1] == CasChange(7, 1, 71)


@pytest.mark.parametrize(("wrong", "lost"), [(1, False), (2, True)])
def test_two_wrong_mfas_lose_the_multiframe(wrong: int, lost: bool) -> None:  # G.732 5.2
    feed = Feed()
    octets = bytearray(slow.send({}, 96))
    for n in range(wrong):
        octets[32 + 16 * n] = 0xDB
    feed(bytes(octets[: 32 + 16 * wrong]))
    assert cas.state(feed.engine).aligned is not lost
    if lost:
        assert feed.alarms() == [AlarmChange(Alarm.LMFA16, True, 49)]
        assert set(cas.state(feed.engine).abcd) == {None}
        feed(bytes(octets[64:]))
        assert feed.alarms() == [AlarmChange(Alarm.LMFA16, False, 65)]
        assert feed.engine.snapshot()[4]["cas_multiframe_losses"] == 1


def test_the_same_signals_are_not_told_again_after_alignment_was_lost() -> None:
    feed = Feed()
    feed(slow.send({5: 2}, 64))
    cas.changes(feed.engine)
    feed(b"\xdd" * 40 + slow.send({5: 2, 6: 9}, 64))
    assert cas.changes(feed.engine) == [CasChange(6, 9, 64 + 40 + 6)]
    assert cas.state(feed.engine).abcd[5] == 2


def test_zeros_over_a_multiframe_lose_it() -> None:  # G.732 5.2
    feed = Feed()
    feed(slow.send({}, 48))
    feed(bytes(15))
    assert cas.state(feed.engine).aligned
    feed(bytes(1))
    assert not cas.state(feed.engine).aligned
    assert feed.alarms() == [AlarmChange(Alarm.LMFA16, True, 64)]
    patient = Feed(Criteria(cas_zero_multiframes=2))
    patient(slow.send({}, 48) + bytes(31))
    assert cas.state(patient.engine).aligned
    patient(bytes(1))
    assert not cas.state(patient.engine).aligned


def test_without_a_multiframe_from_the_start_lmfa16_comes_after_4_ms() -> None:
    feed = Feed()
    feed(b"\xd5" * 31)
    assert feed.alarms() == []
    feed(b"\xd5")
    assert feed.alarms() == [AlarmChange(Alarm.LMFA16, True, 32)]


def test_all_ones_over_a_multiframe_are_ais16_and_no_lmfa16() -> None:
    feed = Feed()
    feed(slow.send({}, 48) + b"\xff" * 48)
    assert feed.alarms() == [AlarmChange(Alarm.AIS16, True, 64)]
    feed(slow.send({}, 16))
    assert feed.alarms() == [AlarmChange(Alarm.AIS16, False, 97)]


def test_a_zero_in_a_multiframe_is_no_ais16_but_may_be_allowed() -> None:
    ones = b"\xff" * 15 + b"\xfe"
    strict, lax = Feed(), Feed(Criteria(ais16_zeros=3, ais16_multiframes=2))
    strict(ones * 3)
    lax(ones)
    assert Alarm.AIS16 not in {change.alarm for change in strict.alarms()}
    assert lax.alarms() == []
    lax(ones)
    assert lax.alarms()[0] == AlarmChange(Alarm.AIS16, True, 32)


def test_rai16_comes_and_goes_after_three_y_bits() -> None:  # G.704 5.1.3.2
    feed = Feed()
    feed(slow.send({}, 48) + slow.send({}, 33, remote_alarm=True))
    assert feed.alarms() == [AlarmChange(Alarm.RAI16, True, 81)]
    feed(slow.send({}, 48, remote_alarm=True)[33:] + slow.send({}, 33))
    assert feed.alarms() == [AlarmChange(Alarm.RAI16, False, 96 + 33)]


def test_losing_the_frames_clears_the_alarms_of_slot_16_and_counts_a_loss() -> None:
    feed = Feed()
    feed(slow.send({}, 48, remote_alarm=True) + slow.send({}, 2, remote_alarm=True))
    feed.alarms()
    feed.engine.receive(bytes(32 * 20))
    assert [(change.alarm, change.raised) for change in feed.alarms()] == [(Alarm.RAI16, False)]
    assert not cas.state(feed.engine).aligned
    assert feed.engine.snapshot()[4]["cas_multiframe_losses"] == 1


def test_lost_packets_leave_the_multiframe_in_its_place() -> None:
    feed = Feed()
    feed(slow.send({5: 3}, 64))
    cas.changes(feed.engine)
    feed.engine.miss(8 * 32, GapCause.PACKET_LOSS)
    feed._sent += 8
    feed(slow.send({5: 3}, 64)[8:] + slow.send({5: 8}, 48))
    assert cas.changes(feed.engine) == [CasChange(5, 8, 64 + 64 + 5)]
    assert feed.engine.snapshot()[4]["cas_multiframe_losses"] == 0


def test_sends_what_the_oracle_sends_and_says_that_it_does_not_receive() -> None:
    engine = Engine(crc4=False, capacity=1 << 12)
    cas.send(engine, 3, 0b0101)
    cas.send(engine, 31, 0b1000)
    sent = engine.transmit(bytes(32 * 48))
    assert sent[16::32] == slow.send({3: 0b0101, 31: 0b1000}, 48, remote_alarm=True)
    assert sent[15::32] == bytes(48)
    engine.receive(e1.send(b"".join(bytes(16) + bytes([octet]) + bytes(15) for octet in slow.send({}, 64))))
    assert engine.transmit(bytes(32 * 16))[16::32] == slow.send({3: 0b0101, 31: 0b1000}, 16)


def test_wrong_slots_and_signals_are_refused() -> None:
    engine = Engine(capacity=1 << 12)
    with pytest.raises(ValueError, match=r"slot 16: CAS signals for time slots 1\.\.15 and 17\.\.31"):
        cas.send(engine, 16, 1)
    with pytest.raises(ValueError, match=r"abcd 0: four bits, and 0000 is forbidden"):
        cas.send(engine, 1, 0)
    occupied = Engine(capacity=1 << 12)
    channel = Channel(occupied, 16)
    with pytest.raises(LineError, match="slot 16: a D channel is there"):
        cas.state(occupied)
    channel.close()
    cas.state(occupied)
    with pytest.raises(LineError, match="another D channel or CAS is there already"):
        Channel(occupied, 16)
