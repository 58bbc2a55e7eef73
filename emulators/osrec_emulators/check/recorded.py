"""Recordings as they lie on disk: a JSON sidecar and a FLAC file each, read with nothing of the recorder's own code."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

import numpy as np
import soundfile
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from osrec_emulators.audio import alaw
from osrec_emulators.audio.alaw import Octets

SCHEMA = "osrec.recording/1"


class _Part(BaseModel):
    """Members of a sidecar that the check does not judge are passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Channel(_Part):
    side: Literal["left", "right"]
    line: str
    slot: int
    port: str


class DeclaredGap(_Part):
    """Samples said to be missing, from the recording's start on."""

    first: int = Field(ge=0)
    count: int = Field(gt=0)
    cause: str

    @property
    def end(self) -> int:
        return self.first + self.count


class SidecarParty(_Part):
    """A participant; `number` None: the PBX did not tell it."""

    number: str | None


class Hashes(_Part):
    left: str
    right: str


class Media(_Part):
    file: str
    sha256: str
    octets_sha256: Hashes


class Sidecar(_Part):
    """What the recorder says of one recording."""

    schema_: str = Field(alias="schema")
    recording: str
    conversation: str
    station: str
    started: datetime
    ended: datetime
    calls: tuple[str, ...]
    parties: tuple[SidecarParty, ...] = ()
    channels: tuple[Channel, ...]
    codec: str
    first_sample: int
    sample_count: int = Field(ge=0)
    gaps: tuple[DeclaredGap, ...]
    media: Media

    @model_validator(mode="after")
    def _known(self) -> "Sidecar":
        if self.schema_ != SCHEMA:
            raise ValueError(f"schema {self.schema_!r}, not {SCHEMA!r}")
        if sorted(channel.side for channel in self.channels) != ["left", "right"]:
            raise ValueError("not one left and one right channel")
        if self.codec.lower().replace("-", "") not in ("alaw", "pcma"):
            raise ValueError(f"codec {self.codec!r}, not A-law")
        if any(gap.end > self.sample_count for gap in self.gaps):
            raise ValueError("a gap reaches beyond the end")
        return self

    @property
    def is_nobodys(self) -> bool:
        """The recorder says that it does not know whose audio it is."""
        return not (self.calls or self.parties)

    def channel(self, side: Literal["left", "right"]) -> Channel:
        return next(channel for channel in self.channels if channel.side == side)


@dataclass(frozen=True, slots=True)
class Recording:
    """A sidecar with the octets of its media file.

    Attributes:
        octets: left, right.
        faults: what is wrong with the files themselves.
    """

    path: Path
    sidecar: Sidecar
    octets: tuple[Octets, Octets]
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A sidecar or media file that says nothing."""

    path: Path
    reason: str


def sidecars(directory: Path) -> list[Path]:
    """All sidecars below a media directory."""
    return sorted(path for path in directory.rglob("*.json") if path.is_file())


def read_sidecar(path: Path) -> Sidecar | Unreadable:
    try:
        return Sidecar.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        return Unreadable(path, f"sidecar: {'.'.join(map(str, first['loc'])) or 'whole'}: {first['msg']}")


def read_media(path: Path, sidecar: Sidecar) -> Recording | Unreadable:
    """Decode the media file back to octets."""
    file = path.parent / sidecar.media.file
    try:
        samples, rate = soundfile.read(file, dtype="int16", always_2d=True)
    except (OSError, soundfile.LibsndfileError) as error:
        return Unreadable(path, f"media file {sidecar.media.file}: {error}")
    if rate != 8000 or samples.shape[1] != 2:
        return Unreadable(path, f"{rate} samples a second on {samples.shape[1]} channels; 8000 on 2 would be right")
    octets = (_side(samples, 0), _side(samples, 1))
    return Recording(path, sidecar, octets, tuple(_file_faults(file, sidecar, samples, octets)))


def _side(samples: alaw.Samples, column: int) -> Octets:
    return alaw.encode(np.ascontiguousarray(samples[:, column]))


def _file_faults(file: Path, sidecar: Sidecar, samples: alaw.Samples, octets: tuple[Octets, Octets]) -> list[str]:
    faults = []
    if len(samples) != sidecar.sample_count:
        faults.append(f"{len(samples)} samples in the file, sample_count says {sidecar.sample_count}")
    if inexact := alaw.inexact(np.ascontiguousarray(samples)):
        faults.append(f"{inexact} samples are no A-law values")
    if hashlib.sha256(file.read_bytes()).hexdigest() != sidecar.media.sha256:
        faults.append("media.sha256 is not the file's")
    hashes = sidecar.media.octets_sha256
    for side, octets_of_side, said in zip(("left", "right"), octets, (hashes.left, hashes.right), strict=True):
        if hashlib.sha256(octets_of_side.tobytes()).hexdigest() != said:
            faults.append(f"media.octets_sha256.{side} is not that of the octets")
    return faults
