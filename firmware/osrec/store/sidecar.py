"""The JSON file beside each media file: everything that is known about a recording. Described in docs/sidecar.md."""

import json
from datetime import datetime
from pathlib import Path
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from osrec.errors import StoreError
from osrec.store.records import Channel, Clock, Decision, Direction, Party

SCHEMA = "osrec.recording/1"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, serialize_by_alias=True)


class MissingSamples(_Part):
    """Samples that did not arrive or were lost; the media file has idle code in their place."""

    first: int = Field(ge=0, description="counted from the recording's first sample")
    count: int = Field(gt=0)
    cause: str


class Event(_Part):
    """Something that happened in the recording."""

    at: datetime
    sample: int | None = Field(description="counted from the recording's first sample; null when not known")
    kind: str
    cause: str | None = None
    detail: dict[str, str] = {}


class KeptAt(_Part):
    """Somebody asked for a recording on demand."""

    at: datetime
    by: str


class SideHashes(_Part):
    left: str
    right: str


class Media(_Part):
    """The audio. `octets_sha256` is over the codes of a side as in the file, idle code included."""

    file: str
    format: Literal["flac", "wav"]
    bytes: int
    sha256: str
    octets_sha256: SideHashes


class Peaks(_Part):
    """The waveform, for display."""

    file: str
    samples_per_point: int
    points: int
    bytes: int
    sha256: str


class Sidecar(_Part):
    schema_name: Literal["osrec.recording/1"] = Field("osrec.recording/1", alias="schema")
    recording: UUID
    conversation: UUID
    station: str
    started: datetime
    ended: datetime
    direction: Direction
    parties: list[Party]
    calls: list[str]
    via: list[str] = Field([], description="queues, groups and forwarding stations through which the call came")
    parked_by: str | None = Field(None, description="who parked the call last")
    channels: tuple[Channel, Channel]
    codec: Literal["alaw", "ulaw"]
    first_sample: int = Field(description="number on the line's own count")
    sample_count: int = Field(ge=0)
    gaps: list[MissingSamples]
    events: list[Event]
    clock: Clock
    decision: Decision
    kept: KeptAt | None = Field(None, description="of a recording on demand: who asked for it, and when")
    reason: str = Field(description="why it ended")
    media: Media
    peaks: Peaks
    key_id: int = Field(0, description="0: in clear")
    flags: list[Literal["left_open", "metadata_lost", "journal_damaged", "left_silent", "right_silent"]] = []

    @property
    def missing_samples(self) -> int:
        return sum(gap.count for gap in self.gaps)


def read_sidecar(path: Path) -> Sidecar:
    """Raises StoreError when it is not there, not readable or not of a schema that we know."""
    try:
        return Sidecar.model_validate_json(path.read_bytes())
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise StoreError(f"{path}: {place}: {first['msg']}; expected {SCHEMA}, see docs/sidecar.md") from error


def main() -> None:
    """Print the JSON schema, for docs/sidecar.schema.json."""
    print(json.dumps(Sidecar.model_json_schema(), indent=2))


if __name__ == "__main__":
    main()
