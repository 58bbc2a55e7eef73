"""A recording in another format, for people and other programs."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal

import numpy as np
import soundfile

from osrec.errors import StoreError
from osrec.store import wav
from osrec.store.companding import expand
from osrec.store.media import read_octets
from osrec.store.sidecar import Sidecar, read_sidecar
from osrec_drivers.line import FRAME_RATE

Format = Literal["wav", "flac", "opus"]


def export(sidecar: Path, format: Format, out: Path) -> None:
    """Write the recording of a sidecar to a file; an existing one is replaced when all is well.

    Args:
        format: "wav" has the G.711 octets as they were on the line, "flac" their linear values, losslessly, "opus" is
            for listening. Left is the monitored station.

    Raises StoreError; then nothing is left at `out` that was not there before.
    """
    description = read_sidecar(sidecar)
    media = sidecar.with_name(description.media.file)
    temporary = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        _WRITERS[format](media, description, temporary)
        temporary.replace(out)
    except (OSError, soundfile.SoundFileError) as error:
        raise StoreError(f"{out}: cannot be written: {error}") from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def _wav(media: Path, sidecar: Sidecar, out: Path) -> None:
    with out.open("wb") as file:
        file.write(wav.header(sidecar.codec, sidecar.sample_count))
        for left, right in _octets(media, sidecar):
            file.write(wav.interleave(left, right))


def _flac(media: Path, sidecar: Sidecar, out: Path) -> None:
    _linear(media, sidecar, out, "FLAC", "PCM_16")


def _opus(media: Path, sidecar: Sidecar, out: Path) -> None:
    _linear(media, sidecar, out, "OGG", "OPUS")


def _linear(media: Path, sidecar: Sidecar, out: Path, format: str, subtype: str) -> None:
    with soundfile.SoundFile(out, "w", FRAME_RATE, 2, subtype, format=format) as file:
        for left, right in _octets(media, sidecar):
            file.write(np.column_stack((expand(left, sidecar.codec), expand(right, sidecar.codec))))


def _octets(media: Path, sidecar: Sidecar) -> Iterator[tuple[bytes, bytes]]:
    """The octets of both sides; as many as the sidecar says, or it is an error."""
    got = 0
    for left, right in read_octets(media):
        got += len(left)
        yield left, right
    if got != sidecar.sample_count:
        raise StoreError(f"{media}: gives {got} samples, its sidecar says {sidecar.sample_count}; `osrec verify` it")


_WRITERS = {"wav": _wav, "flac": _flac, "opus": _opus}
