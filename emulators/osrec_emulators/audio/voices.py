"""Speech files: raw A-law octets, 8000 a second, named by their stem."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from osrec.errors import ConfigError
from osrec_emulators.audio.alaw import Octets

Voices = Mapping[str, Octets]
SUFFIX = ".alaw"


def load_voices(directory: Path) -> dict[str, Octets]:
    """All speech files of a directory by name. Raises ConfigError when there is none."""
    voices = {
        path.stem: np.frombuffer(path.read_bytes(), np.uint8)
        for path in sorted(directory.glob(f"*{SUFFIX}"))
        if path.stat().st_size
    }
    if not voices:
        raise ConfigError(
            f"{directory}: no speech files; a directory with *{SUFFIX} files (raw A-law, 8 kHz) is needed"
        )
    return voices
