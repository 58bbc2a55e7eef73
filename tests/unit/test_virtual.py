"""The cable inside one process."""

import random

import pytest

from osrec_drivers.line import Anchor, GapCause
from osrec_drivers.virtual import Direction, Fault, FaultKind, VirtualDriver, VirtualLine, cable

OCTETS = random.Random(6).randbytes(500)


def carried(direction: Direction, *pieces: bytes) -> bytes:
    return b"".join(
        part if isinstance(part, bytes) else b"?" * part for piece in pieces for part in direction.carry(piece)
    )


@pytest.mark.parametrize("bits", [0, 1, 4, 7])
def test_a_shifted_cable_delays_bits_and_loses_none(bits: int) -> None:
    direction = Direction()
    direction.shift(bits)
    came = carried(direction, OCTETS[:3], OCTETS[3:100], OCTETS[100:])
    assert int.from_bytes(came) == int.from_bytes(OCTETS) >> bits


def test_faults_strike_one_after_the_other_across_pieces() -> None:
    direction = Direction()
    direction.damage(Fault(FaultKind.ZEROS, 10))
    direction.damage(Fault(FaultKind.LOST, 5))
    direction.damage(Fault(FaultKind.SLIPPED, 5))
    direction.damage(Fault(FaultKind.ONES, 5))
    came = carried(direction, OCTETS[:7], OCTETS[7:12], OCTETS[12:])
    assert came == bytes(10) + b"?" * 5 + b"\xff" * 5 + OCTETS[25:]


def test_bit_errors_come_at_their_rate() -> None:
    direction = Direction()
    direction.damage(Fault(FaultKind.BIT_ERRORS, 500, rate=0.05))
    wrong = (int.from_bytes(carried(direction, OCTETS)) ^ int.from_bytes(OCTETS)).bit_count()
    assert 120 < wrong < 280


def test_a_shift_of_whole_octets_is_refused() -> None:
    with pytest.raises(ValueError, match=r"shift of 8 bits: a cable delays by 0\.\.7"):
        Direction().shift(8)


def test_sent_counts_the_frames_of_either_end() -> None:
    a, b = (VirtualDriver().open(f"virtual:counted/{end}") for end in "ab")
    assert isinstance(a, VirtualLine)
    assert isinstance(b, VirtualLine)
    a.transmit(bytes(32 * 100))
    assert (a.sent, b.sent) == (100, 100)  # b answers with idle frames
    b.transmit(bytes(32 * 10))
    assert (a.sent, b.sent) == (100, 110)
    a.close()
    b.close()


def test_an_open_end_swallows_what_is_sent() -> None:
    a = VirtualDriver().open("virtual:openend/a")
    a.transmit(bytes(32 * 80))
    b = VirtualDriver().open("virtual:openend/b")
    assert b.head == 0
    a.transmit(bytes(32 * 80))
    assert b.head == 80
    a.close()
    b.close()


def test_a_resumed_end_counts_what_it_missed() -> None:
    a, b = (VirtualDriver().open(f"virtual:missed/{end}") for end in "ab")
    a.transmit(bytes(32 * 804))
    anchor = b.anchor()
    assert anchor is not None
    assert (anchor.sample, anchor.sequence) == (800, 100)
    b.close()
    a.transmit(bytes(32 * 100))
    b = VirtualDriver().open("virtual:missed/b", resume=Anchor(anchor.sample, anchor.sequence, 0))
    assert b.head == 904
    assert [(gap.first, gap.count, gap.cause) for gap in b.gaps(0, 1000)] == [(800, 104, GapCause.NOT_LISTENING)]
    a.transmit(bytes(32 * 80))
    status = b.status()
    assert (status.head, status.received, status.expected) == (984, 80, 80)
    a.close()
    b.close()


def test_cables_are_found_by_name() -> None:
    assert cable("same") is cable("same")
    assert cable("same") is not cable("other")
