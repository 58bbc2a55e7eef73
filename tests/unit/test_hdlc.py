"""HDLC framing of D channels."""

import pytest

from osrec_drivers.e1.hdlc import HdlcDecoder, HdlcEncoder, HdlcError, HdlcFrame
from tests.reference.hdlc import FLAG, fcs16, frame_bits, slots_of, turned

SABME = bytes([0x00, 0x01, 0x7F])  # SAPI 0, TEI 0, command of the user side, P = 1; Q.921 3
ONES = [1] * 16


def decode(bits: list[int], **options: int) -> list[tuple[bytes, str | None]]:
    decoder = HdlcDecoder(**options)  # type: ignore[arg-type]
    return [(frame.octets, frame.error) for frame in decoder.feed(slots_of(bits + FLAG * 2))]


def with_fcs(octets: bytes) -> bytes:
    return octets + fcs16(octets).to_bytes(2, "little")


def raw(octets: bytes) -> list[int]:
    """Bits of octets that bring their own FCS and need no zero inserted."""
    bits = [octet >> i & 1 for octet in octets for i in range(8)]
    assert "11111" not in "".join(map(str, bits))
    return bits


def test_the_fcs_is_that_of_the_known_check_value() -> None:
    assert fcs16(b"123456789") == 0x906E  # CRC-16/X-25 in every catalogue of checksums


def test_a_frame_between_two_flags_is_found_with_the_octet_of_its_end() -> None:
    line = slots_of(FLAG + frame_bits(SABME) + FLAG)
    assert HdlcDecoder().feed(line + b"\x7e" * 4) == [HdlcFrame(len(line), SABME)]  # one zero was inserted


def test_one_flag_closes_a_frame_and_opens_the_next() -> None:  # Q.921 2.2
    assert decode(FLAG + frame_bits(SABME) + FLAG + frame_bits(b"\x02\x01\x73")) == [
        (SABME, None),
        (b"\x02\x01\x73", None),
    ]


def test_two_flags_may_share_a_zero() -> None:
    assert decode(FLAG + FLAG[1:] + FLAG[1:] + frame_bits(SABME) + FLAG + FLAG[1:]) == [(SABME, None)]


def test_octets_in_which_the_first_bit_is_the_lowest_are_taken_too() -> None:
    line = slots_of(FLAG + frame_bits(SABME) + FLAG * 2)
    assert [frame.octets for frame in HdlcDecoder(lsb_first=True).feed(turned(line))] == [SABME]
    assert HdlcEncoder(lsb_first=True).pull(9) == turned(HdlcEncoder().pull(9))


@pytest.mark.parametrize("ones", [7, 8, 14, 15, 200])
def test_seven_ones_or_more_abort_a_frame_once(ones: int) -> None:  # Q.921 2.8
    bits = FLAG + raw(b"\x00\x01\x02") + [0] + [1] * ones + [0] + FLAG + frame_bits(SABME)
    found = decode(bits)
    assert [error for _, error in found] == ["abort", None]
    assert found[0][0] == b"\x00\x01\x02"


def test_idling_by_ones_behind_a_flag_is_no_abort() -> None:
    assert decode(FLAG + ONES + FLAG + frame_bits(SABME) + FLAG + ONES) == [(SABME, None)]


def test_a_wrong_bit_fails_the_fcs_and_shows_what_came() -> None:
    octets = with_fcs(b"\x00\x01\x00\x00\x05")
    assert decode(FLAG + raw(bytes([octets[0] ^ 4]) + octets[1:])) == [(b"\x04" + octets[1:], "fcs")]


def test_bits_that_make_no_whole_octets_are_told() -> None:
    assert decode(FLAG + raw(with_fcs(b"\x00\x01\x00\x00")) + [0]) == [(with_fcs(b"\x00\x01\x00\x00"), "octets")]


@pytest.mark.parametrize(("octets", "error"), [(b"\x01", "short"), (b"\x01\x02", None), (b"\x01\x02\x00", None)])
def test_frames_shorter_than_the_shortest_are_told(octets: bytes, error: str | None) -> None:
    assert [e for _, e in decode(FLAG + frame_bits(octets))] == [error]


@pytest.mark.parametrize(("count", "error"), [(63, None), (64, None), (65, "long"), (66, "long"), (500, "long")])
def test_frames_longer_than_the_longest_are_told_once(count: int, error: str | None) -> None:
    found = decode(FLAG + frame_bits(bytes(count)) + FLAG + frame_bits(SABME), longest=64)
    assert [e for _, e in found] == [error, None]
    assert found[1][0] == SABME


def test_the_longest_frame_is_that_of_q921_unless_said_otherwise() -> None:
    assert decode(FLAG + frame_bits(bytes(264))) == [(bytes(264), None)]  # 260 and 4, Q.921 5.9.3
    assert decode(FLAG + frame_bits(bytes(265)))[0][1] == "long"


@pytest.mark.parametrize(("shortest", "longest"), [(0, 10), (5, 4), (1, 4097)])
def test_limits_that_make_no_sense_are_refused(shortest: int, longest: int) -> None:
    with pytest.raises(ValueError, match=rf"shortest {shortest}, longest {longest}: .* 4096 octets"):
        HdlcDecoder(shortest=shortest, longest=longest)


def test_octets_that_did_not_arrive_end_the_frame_under_way_and_are_counted() -> None:
    decoder = HdlcDecoder()
    line = slots_of(FLAG + frame_bits(bytes(20)) + FLAG)
    assert decoder.feed(line[:10]) == []
    assert decoder.skip(8000) == [HdlcFrame(10, bytes(8), HdlcError.ABORT)]
    assert decoder.feed(line[10:]) == []  # its rest, behind no flag
    assert decoder.skip(5) == []
    again = slots_of(frame_bits(bytes(20)) + FLAG)
    assert decoder.feed(b"\x7e" + again) == [HdlcFrame(8010 + len(line) - 10 + 5 + len(again), bytes(20))]


def test_an_idle_line_brings_nothing_however_long() -> None:
    for idle in (b"\x7e", b"\x3f", b"\xfc", b"\xff", b"\x00", b"\xd5"):
        decoder = HdlcDecoder()
        assert [frame for frame in decoder.feed(idle * 100_001) if frame.error != HdlcError.LONG] == []
        assert decoder.position == 100_001


def test_frames_behind_a_long_idle_end_where_they_do() -> None:
    for idle in range(40, 120):
        line = slots_of(FLAG * idle + frame_bits(SABME) + FLAG * 50)
        assert HdlcDecoder().feed(line) == [HdlcFrame(idle + 6, SABME)]


def test_counters_say_what_was_found() -> None:
    decoder = HdlcDecoder()
    bits = FLAG + frame_bits(SABME) + FLAG + frame_bits(SABME)[:-9] + ONES + FLAG + frame_bits(b"\x01") + FLAG * 2
    decoder.feed(slots_of(bits))
    assert decoder.frames == 1
    assert decoder.errors == {"abort": 1, "fcs": 0, "octets": 0, "long": 0, "short": 1}


def test_an_encoder_without_frames_sends_flags_or_ones() -> None:
    assert HdlcEncoder().pull(5) == b"\x7e" * 5
    assert HdlcEncoder(ones=True).pull(5) == b"\xff" * 5
    assert HdlcEncoder().pull(0) == b""


def test_frames_follow_each_other_with_one_flag_and_no_octet_boundary() -> None:
    encoder = HdlcEncoder()
    encoder.send(SABME)
    encoder.send(SABME)
    bits = FLAG + frame_bits(SABME) + FLAG + frame_bits(SABME) + FLAG * 4
    assert encoder.pull(len(bits) // 8) == slots_of(bits)


def test_a_flag_that_fills_is_finished_before_a_frame_begins() -> None:
    encoder = HdlcEncoder()
    encoder.send(SABME)  # not a whole number of octets on the line, so the flags behind it straddle them
    first = encoder.pull(8)
    encoder.send(SABME)
    bits = FLAG + frame_bits(SABME) + FLAG + FLAG + frame_bits(SABME) + FLAG * 3
    assert first + encoder.pull(len(bits) // 8 - 8) == slots_of(bits)


def test_a_full_queue_refuses_a_frame_whole() -> None:
    encoder, decoder = HdlcEncoder(), HdlcDecoder()
    sent = 0
    while encoder.send(bytes([sent % 251]) * 260):
        sent += 1
    assert 25 < sent < 40
    assert encoder.frames == sent
    found = decoder.feed(encoder.pull(encoder.pending + 1))
    assert [frame.octets[0] for frame in found] == [n % 251 for n in range(sent)]
    assert encoder.send(b"\x01" * 260)


@pytest.mark.parametrize("count", [0, 4097])
def test_frames_of_no_or_too_many_octets_are_refused(count: int) -> None:
    with pytest.raises(ValueError, match=f"{count} octets"):
        HdlcEncoder().send(bytes(count))


def test_counts_below_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="-1 octets"):
        HdlcEncoder().pull(-1)
    with pytest.raises(ValueError, match="-1 octets"):
        HdlcDecoder().skip(-1)


@pytest.mark.parametrize("frame", [b"\xff" * length for length in range(2, 10)])
def test_between_flags_come_eight_ones_or_none(frame: bytes) -> None:
    encoder, decoder = HdlcEncoder(ones=True), HdlcDecoder()
    found = []
    for _ in range(3):  # stuffing ends frames at any bit of an octet
        encoder.send(frame)
        while encoder.pending:
            found += decoder.feed(encoder.pull(1))
    encoder.send(frame)
    found += decoder.feed(encoder.pull(40))
    assert [one.octets for one in found] == [frame] * 4
    assert not any(decoder.errors.values())
