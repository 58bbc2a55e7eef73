import hashlib
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from osrec.errors import StoreError
from osrec.store import wav
from osrec.store.assembly import Audio, Hole
from osrec.store.companding import CodecName, compress_exactly, expand
from osrec.store.media import PEAKS_HEADER, media_format, octets_sha256, read_octets, read_peaks, write_media

ALL_CODES = bytes(range(256))


def write(directory: Path, codec: CodecName, pieces: list[Audio | Hole], count: int) -> Path:
    media = directory / f"a.{media_format(codec, count)}"
    write_media(media, directory / "a.peaks", codec, count, pieces, compression=0.5)
    return media


def test_all_codes_of_alaw_come_back_from_their_linear_values() -> None:
    assert compress_exactly(expand(ALL_CODES, "alaw")) == ALL_CODES
    assert len(set(expand(ALL_CODES, "alaw").tolist())) == 256


def test_two_codes_of_ulaw_are_the_same_linear_value() -> None:  # so FLAC cannot keep them
    assert len(set(expand(ALL_CODES, "ulaw").tolist())) == 255


@pytest.mark.parametrize(
    ("codec", "code", "value"),
    [
        ("alaw", 0xD5, 8), ("alaw", 0x55, -8), ("alaw", 0xAA, 32256), ("alaw", 0x2A, -32256),
        ("ulaw", 0xFF, 0), ("ulaw", 0x7F, 0), ("ulaw", 0x80, 32124), ("ulaw", 0x00, -32124),
    ],
)  # fmt: skip
def test_codes_have_the_values_of_the_standard(codec: CodecName, code: int, value: int) -> None:  # G.711 tables 1, 2
    assert expand(bytes([code]), codec).tolist() == [value]


def test_a_sample_that_no_code_has_is_refused() -> None:
    with pytest.raises(StoreError, match="linear sample 9 is the value of no A-law code"):
        compress_exactly(np.array([8, 9], np.int16))


@pytest.mark.parametrize("codec", ["alaw", "ulaw"])
def test_all_codes_come_back_from_the_file(tmp_path: Path, codec: CodecName) -> None:
    left, right = ALL_CODES * 200, ALL_CODES[::-1] * 200  # more than one portion
    media = write(tmp_path, codec, [Audio(0, left[:777], right[:777]), Audio(777, left[777:], right[777:])], len(left))
    parts = list(read_octets(media))
    assert b"".join(part for part, _ in parts) == left
    assert b"".join(part for _, part in parts) == right
    assert octets_sha256(media) == (len(left), hashlib.sha256(left).hexdigest(), hashlib.sha256(right).hexdigest())


@pytest.mark.parametrize(
    ("codec", "left", "right", "silent"),
    [
        ("alaw", b"\xd5\x55" * 80, b"\xd5" * 159 + b"\x54", ("left",)),
        ("alaw", b"\xd5" * 160, b"\x55" * 160, ("left", "right")),
        ("ulaw", b"\xd5" * 160, b"\xff\x7f" * 80, ("right",)),
        ("alaw", b"\x00" + b"\xd5" * 159, b"\xd5" * 159 + b"\x00", ()),
    ],
)
def test_a_side_on_which_nothing_but_idle_code_came_is_silent(
    tmp_path: Path, codec: CodecName, left: bytes, right: bytes, silent: tuple[str, ...]
) -> None:
    pieces: list[Audio | Hole] = [
        Audio(0, left[:80], right[:80]),
        Hole(80, 40, "paused"),
        Audio(120, left[80:], right[80:]),
    ]
    written = write_media(tmp_path / "a.x", tmp_path / "a.peaks", codec, 200, pieces, compression=0.5)
    assert written.silent == silent


def test_a_side_of_which_nothing_came_at_all_is_not_called_silent(tmp_path: Path) -> None:
    pieces = [Hole(0, 160, "los")]
    written = write_media(tmp_path / "a.x", tmp_path / "a.peaks", "alaw", 160, pieces, compression=0.5)
    assert written.silent == ()


def test_adjacent_holes_of_one_cause_are_one_gap_of_idle_code(tmp_path: Path) -> None:
    pieces: list[Audio | Hole] = [
        Hole(5, 10, "los"),
        Hole(15, 70_000, "los"),
        Hole(70_015, 1, "ais"),
        Audio(70_016, b"\x11", b"\x22"),
    ]
    written = write_media(tmp_path / "a.flac", tmp_path / "a.peaks", "alaw", 70_012, pieces, compression=0.5)
    assert written.holes == (Hole(5, 70_010, "los"), Hole(70_015, 1, "ais"))
    left = b"".join(left for left, _ in read_octets(tmp_path / "a.flac"))
    assert left == b"\xd5" * 70_011 + b"\x11"


def test_peaks_are_the_highest_magnitude_of_each_20_ms(tmp_path: Path) -> None:
    left = bytearray(b"\xd5" * 400)
    left[170] = 0x2A
    write(tmp_path, "alaw", [Audio(0, bytes(left), b"\x55" * 400)], 400)
    octets = (tmp_path / "a.peaks").read_bytes()
    assert PEAKS_HEADER.unpack_from(octets) == (b"OSRECPK1", 160, 2, 3)
    assert read_peaks(octets) == [(8, 8), (32256, 8), (8, 8)]
    with pytest.raises(StoreError, match="no peaks file"):
        read_peaks(octets[:-1])


def test_an_empty_recording_has_files_too(tmp_path: Path) -> None:
    media = write(tmp_path, "alaw", [], 0)
    assert list(read_octets(media)) == []
    assert read_peaks((tmp_path / "a.peaks").read_bytes()) == []


def test_a_flac_file_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.flac", np.zeros((10, 1), np.int16), 16000, "PCM_16")
    with pytest.raises(StoreError, match=r"FLAC, 16000 Hz, 1 channels: expected FLAC, 8000 Hz, 2"):
        list(read_octets(tmp_path / "a.flac"))


def test_a_cut_file_is_an_error_and_not_a_shorter_recording(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 256, 80_000, np.uint8).tobytes()
    for codec in ("alaw", "ulaw"):
        media = write(tmp_path, codec, [Audio(0, noise, noise)], 80_000)
        media.write_bytes(media.read_bytes()[:90_000])
        with pytest.raises(StoreError):
            list(read_octets(media))


def test_a_wav_header_is_read_as_it_was_written() -> None:
    assert wav.parse_header(wav.header("alaw", 1234)) == ("alaw", 1234)
    assert wav.header("ulaw", 3)[:4] == b"RIFF"
    with pytest.raises(StoreError, match="not a WAV file"):
        wav.parse_header(wav.header("alaw", 1234)[:-1] + b"\xff")


def test_a_recording_too_long_for_a_wav_file_is_refused() -> None:
    with pytest.raises(StoreError, match="octets at most"):
        wav.header("alaw", 1 << 31)


def test_a_long_recording_is_not_held_in_memory(tmp_path: Path) -> None:
    def pieces() -> Iterator[Audio | Hole]:
        for first in range(0, 2_400_000, 800):  # 5 min, 4.8 MB
            yield Audio(first, b"\x11" * 800, b"\x22" * 800)

    tracemalloc.start()
    write_media(tmp_path / "a.flac", tmp_path / "a.peaks", "alaw", 2_400_000, pieces(), compression=0.0)
    octets_sha256(tmp_path / "a.flac")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_500_000
