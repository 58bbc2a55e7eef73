"""HDB3 both ways."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osrec_drivers.e1.hdb3 import Hdb3Decoder, Hdb3Encoder
from tests.reference import hdb3
from tests.reference.e1 import octets_of

DATA = st.lists(
    st.sampled_from([b"\x00", b"\x00\x00", b"\xff", b"\x80", b"\x01", b"\x10", b"\x84", b"\x21"])
    | st.binary(min_size=1, max_size=20)
).map(b"".join)


def encoded(octets: bytes) -> tuple[bytes, bytes]:
    encoder = Hdb3Encoder()
    (p, n), (last_p, last_n) = encoder.feed(octets), encoder.flush()
    return p + last_p, n + last_n


def decoded(decoder: Hdb3Decoder, positive: bytes, negative: bytes) -> bytes:
    return decoder.feed(positive, negative) + decoder.flush()


def marks(text: str) -> tuple[bytes, bytes]:
    """Planes of marks written as + - 0, filled up with alternating marks to whole octets."""
    found = [{"+": 1, "-": -1, "0": 0}[mark] for mark in text]
    while len(found) % 8:
        found.append(-next(mark for mark in reversed(found) if mark))
    return hdb3.planes(found)


def decode_marks(text: str) -> tuple[str, Hdb3Decoder]:
    decoder = Hdb3Decoder()
    octets = decoded(decoder, *marks(text))
    return "".join(f"{octet:08b}" for octet in octets)[: len(text)], decoder


@pytest.mark.parametrize(
    ("bits", "text"),
    [
        ("10000000", "+000+000"),  # an odd number of marks since the last violation: 000V
        ("11000000", "+-+00+00"),  # an even number: B00V
        ("00001000", "+00+-000"),
        ("1000000001000011", "+000+-00-+000+-+"),
        ("0" * 16, "+00+-00-+00+-00-"),
    ],
)
def test_four_zeros_become_violations_that_alternate(bits: str, text: str) -> None:  # G.703 annex A
    p, n = encoded(octets_of([int(bit) for bit in bits]))
    expected_p, expected_n = hdb3.planes([{"+": 1, "-": -1, "0": 0}[mark] for mark in text])
    assert (p, n) == (expected_p, expected_n)


@settings(max_examples=300, deadline=None)
@given(DATA)
def test_the_encoder_equals_its_oracle_and_the_decoder_brings_the_octets_back(octets: bytes) -> None:
    planes, decoder = encoded(octets), Hdb3Decoder()
    assert planes == hdb3.planes(hdb3.encode(octets))
    assert decoded(decoder, *planes) == octets
    assert decoder.code_errors == decoder.zero_runs == decoder.both == 0


@settings(max_examples=300, deadline=None)
@given(DATA, st.lists(st.tuples(st.integers(0, 1), st.integers(0, 2000)), max_size=6))
def test_the_decoder_equals_its_oracle_on_marks_with_errors(octets: bytes, wrong: list[tuple[int, int]]) -> None:
    planes = [bytearray(plane) for plane in encoded(octets)]
    for plane, bit in wrong:
        if octets:
            planes[plane][bit // 8 % len(octets)] ^= 1 << bit % 8
    compare(bytes(planes[0]), bytes(planes[1]))


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 200), st.integers(0, 2**32), st.booleans())
def test_the_decoder_equals_its_oracle_on_any_marks(count: int, seed: int, both: bool) -> None:
    dice = random.Random(seed)
    positive, negative = dice.randbytes(count), dice.randbytes(count)
    if not both:
        negative = bytes(n & ~p for p, n in zip(positive, negative, strict=True))
    compare(positive, negative)


@pytest.mark.parametrize("portable", [False, True])
@pytest.mark.parametrize("step", [1500, 700, 513, 512, 511, 8])
def test_long_blocks_are_coded_as_short_ones(step: int, portable: bool) -> None:
    dice = random.Random(1)
    octets = bytes(dice.choice((0, 0, 1, 0x80, dice.randrange(256))) for _ in range(1500))
    encoder, decoder = Hdb3Encoder(portable=portable), Hdb3Decoder(portable=portable)
    parts = [encoder.feed(octets[first : first + step]) for first in range(0, 1500, step)] + [encoder.flush()]
    assert (b"".join(p for p, _ in parts), b"".join(n for _, n in parts)) == hdb3.planes(hdb3.encode(octets))
    assert b"".join(decoder.feed(p, n) for p, n in parts) + decoder.flush() == octets


def compare(positive: bytes, negative: bytes) -> None:
    for portable in (False, True):
        compare_with(Hdb3Decoder(portable=portable), positive, negative)


def compare_with(decoder: Hdb3Decoder, positive: bytes, negative: bytes) -> None:
    slow = hdb3.SlowDecoder()
    assert decoded(decoder, positive, negative) == slow.decode(positive, negative)
    assert decoder.violations == slow.violations
    assert decoder.code_errors == slow.code_errors
    assert decoder.zero_runs == slow.zero_runs
    assert decoder.both == slow.both


@settings(max_examples=100, deadline=None)
@given(DATA, st.data())
def test_any_chunking_gives_the_same(octets: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(octets)), max_size=8)))
    encoder, decoder = Hdb3Encoder(), Hdb3Decoder()
    out = b""
    p = n = b""
    for first, end in zip([0, *cuts], [*cuts, len(octets)], strict=True):
        more_p, more_n = encoder.feed(octets[first:end])
        out += decoder.feed(more_p, more_n)
        p, n = p + more_p, n + more_n
    last_p, last_n = encoder.flush()
    assert (p + last_p, n + last_n) == encoded(octets)
    assert out + decoder.feed(last_p, last_n) + decoder.flush() == octets


@pytest.mark.parametrize(
    ("text", "bits"),
    [
        ("+-+00+-+-", "110000111"),
        ("-+-00-+-+", "110000111"),
        ("+000+-+-+", "100001111"),
        ("-000-+-+-", "100001111"),
    ],
)
def test_a_line_is_decoded_whichever_way_round_its_wires_are(text: str, bits: str) -> None:
    found, decoder = decode_marks(text)
    assert found == bits
    assert (decoder.violations, decoder.code_errors) == (1, 0)


def test_a_violation_without_two_zeros_before_it_is_a_code_error_and_stays_a_mark() -> None:
    bits, decoder = decode_marks("+-+0+-+-")
    assert bits == "11101111"
    assert (decoder.violations, decoder.code_errors) == (0, 1)


def test_violations_that_do_not_alternate_are_code_errors() -> None:
    bits, decoder = decode_marks("+000+-+000+-+-+-")
    assert bits == "1000011000011111"
    assert (decoder.violations, decoder.code_errors) == (1, 1)


@pytest.mark.parametrize(("zeros", "runs"), [(3, 0), (4, 1), (5, 1), (40, 1)])
def test_a_run_of_zeros_counts_once(zeros: int, runs: int) -> None:
    text = "+-" + "0" * zeros + "+-"
    assert decode_marks(text)[1].zero_runs == runs


def test_planes_of_unlike_length_are_refused() -> None:
    with pytest.raises(ValueError, match="2 octets of positive, 3 of negative"):
        Hdb3Decoder().feed(bytes(2), bytes(3))


def test_what_are_no_octets_is_refused() -> None:
    with pytest.raises(ValueError, match="items of 2 octets"):
        Hdb3Encoder().feed(np.zeros(4, np.int16))
    with pytest.raises(ValueError, match="contiguous"):
        Hdb3Encoder().feed(np.zeros((4, 4), np.uint8)[:, 1])
