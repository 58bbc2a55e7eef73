"""Media files: from the pieces of a recording to FLAC (A-law) or WAV (µ-law), peaks and hashes, and back to octets."""

import hashlib
import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import soundfile

from osrec.errors import StoreError
from osrec.store import wav
from osrec.store.assembly import Audio, Hole
from osrec.store.companding import IDLE, SILENT, CodecName, compress_exactly, expand
from osrec_drivers.line import FRAME_RATE

POINT = 160  # samples a point of the waveform: 20 ms
_PORTION = 200 * POINT  # samples in memory at a time: 4 s
PEAKS_HEADER = struct.Struct("<8sIIQ")  # magic, samples a point, sides, points
PEAKS_MAGIC = b"OSRECPK1"

_Write = Callable[[bytes, bytes], object]
Format = Literal["flac", "wav"]
Side = Literal["left", "right"]


def media_format(codec: CodecName, sample_count: int) -> Format:
    """FLAC where it can give the octets back; a FLAC file without a single sample cannot be made."""
    return "flac" if codec == "alaw" and sample_count else "wav"


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: hashes in hex, holes as the journal counts them.

    Attributes:
        silent: sides on which something arrived, and nothing but idle code.
    """

    sample_count: int
    left_sha256: str
    right_sha256: str
    points: int
    holes: tuple[Hole, ...]
    silent: tuple[Side, ...] = ()


class _Portions:
    """Collects pieces into portions of equal length, with idle code where samples are missing."""

    def __init__(self, codec: CodecName) -> None:
        self._idle = bytes([IDLE[codec]])
        self._silent = SILENT[codec]
        self._sounds: dict[Side, bool] = {}
        self._left, self._right = bytearray(), bytearray()
        self.holes: list[Hole] = []

    def split(self, pieces: Iterable[Audio | Hole]) -> Iterator[tuple[bytes, bytes]]:
        for piece in pieces:
            for left, right in self._octets(piece):
                self._left += left
                self._right += right
                while len(self._left) >= _PORTION:
                    yield self._cut(_PORTION)
        if self._left:
            yield self._cut(len(self._left))

    def _octets(self, piece: Audio | Hole) -> Iterator[tuple[bytes, bytes]]:
        if isinstance(piece, Audio):
            self._listen("left", piece.left)
            self._listen("right", piece.right)
            yield piece.left, piece.right
            return
        last = self.holes[-1] if self.holes else None
        if last and last.cause == piece.cause and last.first + last.count == piece.first:
            self.holes[-1] = Hole(last.first, last.count + piece.count, piece.cause)
        else:
            self.holes.append(piece)
        for at in range(0, piece.count, _PORTION):
            filler = self._idle * min(_PORTION, piece.count - at)
            yield filler, filler

    def _listen(self, side: Side, octets: bytes) -> None:
        if not self._sounds.get(side):
            self._sounds[side] = bool(octets.translate(None, self._silent))

    @property
    def silent(self) -> tuple[Side, ...]:
        return tuple(side for side, sounds in self._sounds.items() if not sounds)

    def _cut(self, count: int) -> tuple[bytes, bytes]:
        portion = bytes(self._left[:count]), bytes(self._right[:count])
        del self._left[:count], self._right[:count]
        return portion


def write_media(
    media: Path, peaks: Path, codec: CodecName, sample_count: int, pieces: Iterable[Audio | Hole], *, compression: float
) -> Written:
    """Write both files. Raises StoreError; what was begun is left for the caller to remove."""
    portions = _Portions(codec)
    left_hash, right_hash, points = hashlib.sha256(), hashlib.sha256(), 0
    try:
        with peaks.open("wb") as peaks_file, _writer(media, codec, sample_count, compression) as write:
            peaks_file.write(PEAKS_HEADER.pack(PEAKS_MAGIC, POINT, 2, -(-sample_count // POINT)))
            for left, right in portions.split(pieces):
                left_hash.update(left)
                right_hash.update(right)
                write(left, right)
                peaks_file.write(_peaks(left, right, codec))
                points += -(-len(left) // POINT)
    except (OSError, soundfile.SoundFileError) as error:
        raise StoreError(f"{media}: cannot be written: {error}") from error
    hashes = left_hash.hexdigest(), right_hash.hexdigest()
    return Written(sample_count, *hashes, points, tuple(portions.holes), portions.silent)


@contextmanager
def _writer(path: Path, codec: CodecName, sample_count: int, compression: float) -> Iterator[_Write]:
    """Gives a function that writes the next octets of left and right."""
    if media_format(codec, sample_count) == "wav":
        with path.open("wb") as wav_file:
            wav_file.write(wav.header(codec, sample_count))
            yield lambda left, right: wav_file.write(wav.interleave(left, right))
        return
    with soundfile.SoundFile(
        path, "w", FRAME_RATE, 2, "PCM_16", format="FLAC", compression_level=compression
    ) as flac_file:
        yield lambda left, right: flac_file.write(np.column_stack((expand(left, codec), expand(right, codec))))


def _peaks(left: bytes, right: bytes, codec: CodecName) -> bytes:
    """The highest magnitude of each side in each 20 ms, 0..32767, left and right in turn, 16 bits little endian."""
    columns = []
    for octets in (left, right):
        magnitudes = np.abs(expand(octets, codec).astype(np.int32))
        padded = np.zeros(-(-len(magnitudes) // POINT) * POINT, np.int32)
        padded[: len(magnitudes)] = magnitudes
        columns.append(padded.reshape(-1, POINT).max(axis=1))
    return np.column_stack(columns).astype("<u2").tobytes()


def read_peaks(octets: bytes) -> list[tuple[int, int]]:
    """Points (left, right) of a peaks file. Raises StoreError when it is none or not whole."""
    if len(octets) < PEAKS_HEADER.size:
        raise StoreError(f"a peaks file of {len(octets)} octets: its header has {PEAKS_HEADER.size}")
    magic, point, sides, points = PEAKS_HEADER.unpack_from(octets)
    if (magic, point, sides) != (PEAKS_MAGIC, POINT, 2) or len(octets) != PEAKS_HEADER.size + 4 * points:
        raise StoreError(
            f"magic {magic!r}, {point} samples a point, {sides} sides, {len(octets)} octets: no peaks file"
        )
    pairs = np.frombuffer(octets, "<u2", offset=PEAKS_HEADER.size).reshape(-1, 2)
    return [(int(left), int(right)) for left, right in pairs]


def read_octets(media: Path) -> Iterator[tuple[bytes, bytes]]:
    """The codes of left and right as they were on the line, in portions. Raises StoreError when they cannot be had."""
    try:
        yield from _read_wav(media) if media.suffix == ".wav" else _read_flac(media)
    except (OSError, soundfile.SoundFileError) as error:
        raise StoreError(f"{media}: cannot be read: {error}") from error
    except StoreError as error:
        raise StoreError(f"{media}: {error}") from error


def _read_flac(media: Path) -> Iterator[tuple[bytes, bytes]]:
    with soundfile.SoundFile(media) as file:
        if (file.format, file.samplerate, file.channels) != ("FLAC", FRAME_RATE, 2):
            raise StoreError(
                f"{file.format}, {file.samplerate} Hz, {file.channels} channels: expected FLAC, 8000 Hz, 2"
            )
        expected, got = file.frames, 0
        while len(samples := file.read(_PORTION, "int16", always_2d=True)):
            got += len(samples)
            yield compress_exactly(samples[:, 0]), compress_exactly(samples[:, 1])
        if got != expected:
            raise StoreError(f"{got} samples can be decoded of {expected}")


def _read_wav(media: Path) -> Iterator[tuple[bytes, bytes]]:
    with media.open("rb") as file:
        _, sample_count = wav.parse_header(file.read(wav.HEADER_LENGTH))
        left = sample_count
        while left and (octets := file.read(2 * min(_PORTION, left))):
            yield octets[0::2], octets[1::2]
            left -= len(octets) // 2
        if left:
            raise StoreError(f"{left} samples are missing at its end")


def octets_sha256(media: Path) -> tuple[int, str, str]:
    """Sample count and hashes of the codes of left and right. Raises StoreError."""
    left_hash, right_hash, count = hashlib.sha256(), hashlib.sha256(), 0
    for left, right in read_octets(media):
        left_hash.update(left)
        right_hash.update(right)
        count += len(left)
    return count, left_hash.hexdigest(), right_hash.hexdigest()


def file_sha256(path: Path) -> tuple[int, str]:
    """Length and hash of a file. Raises OSError."""
    with path.open("rb") as file:
        return path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()
