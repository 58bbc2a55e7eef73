"""G.711 against the text of the recommendation."""

import numpy as np

from osrec_drivers.dsp.g711 import alaw_decode, alaw_encode, ulaw_decode, ulaw_encode

CODES = np.arange(256, dtype=np.uint8)
ALL = np.arange(-32768, 32768).astype(np.int16)


def test_decodes_the_known_a_law_codes() -> None:  # G.711 table 1
    octets = bytes([0xD5, 0x55, 0xAA, 0x2A, 0xD4, 0x80])
    assert alaw_decode(octets).tolist() == [8, -8, 32256, -32256, 24, 5504]


def test_decodes_the_known_u_law_codes() -> None:  # G.711 table 2
    assert ulaw_decode(bytes([0xFF, 0x7F, 0x80, 0x00, 0xFE])).tolist() == [0, 0, 32124, -32124, 8]


def test_a_law_octets_come_back_from_their_samples() -> None:
    assert np.array_equal(alaw_encode(alaw_decode(CODES)), CODES)


def test_u_law_octets_come_back_but_for_the_second_zero() -> None:
    back = ulaw_encode(ulaw_decode(CODES))
    assert np.nonzero(back != CODES)[0].tolist() == [0x7F]
    assert back[0x7F] == 0xFF


def test_each_sample_lies_within_the_step_of_its_code() -> None:  # G.711 tables 1 and 2: decision values
    a_law, u_law = alaw_encode(ALL).astype(int) ^ 0x55, ulaw_encode(ALL).astype(int) ^ 0xFF
    for codes, decode, encode, half, top in (
        (a_law, alaw_decode, alaw_encode, 8 << np.maximum((a_law >> 4 & 7) - 1, 0), 32767),
        (u_law, ulaw_decode, ulaw_encode, 4 << (u_law >> 4 & 7), 32635),  # 32635: where µ-law is overloaded
    ):
        inside = np.abs(ALL.astype(int)) <= top
        error = np.abs(ALL.astype(int) - decode(encode(ALL)).astype(int))
        assert len(np.unique(codes)) >= 255
        assert np.all(error[inside] <= half[inside])


def test_encoders_grow_with_the_sample() -> None:
    for encode, decode in ((alaw_encode, alaw_decode), (ulaw_encode, ulaw_decode)):
        assert np.all(np.diff(decode(encode(ALL)).astype(int)) >= 0)


def test_any_length_decodes_alike() -> None:
    for length in range(67):
        octets = np.resize(CODES[::-1], length)
        assert alaw_decode(octets).tolist() == [int(alaw_decode(bytes([o]))[0]) for o in octets]
