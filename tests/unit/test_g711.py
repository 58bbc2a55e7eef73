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


def test_each_sample_gets_a_code_nearest_to_it() -> None:
    for encode, decode, top in ((alaw_encode, alaw_decode, 32256), (ulaw_encode, ulaw_decode, 32124)):
        values = np.sort(decode(CODES).astype(int))
        best = np.abs(ALL.astype(int)[:, None] - values[None, :]).min(axis=1)
        error = np.abs(ALL.astype(int) - decode(encode(ALL)).astype(int))
        inside = np.abs(ALL.astype(int)) <= top
        assert np.all(error[inside] <= best[inside] + 2)  # ties and one-complement rounding of G.191


def test_encoders_grow_with_the_sample() -> None:
    for encode, decode in ((alaw_encode, alaw_decode), (ulaw_encode, ulaw_decode)):
        assert np.all(np.diff(decode(encode(ALL)).astype(int)) >= 0)


def test_any_length_decodes_alike() -> None:
    for length in range(67):
        octets = np.resize(CODES[::-1], length)
        assert alaw_decode(octets).tolist() == [int(alaw_decode(bytes([o]))[0]) for o in octets]
