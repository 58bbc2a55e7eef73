"""What the call model tells the audio plane: who hears whom, and which recorder ports carry whose audio."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class Side(Enum):
    """Which half of a station's audio a recorder port carries."""

    OWN = "own"  # what the station says
    OTHER = "other"  # what the station hears


@dataclass(frozen=True, slots=True)
class Fork:
    """One side of a station's audio, put on a recorder port."""

    port: str  # the port's number in the PBX's numbering plan
    station: str
    side: Side
    call: str  # call id, hex, of the recorder's leg


@dataclass(frozen=True, slots=True)
class Voice:
    """The voice of a party."""

    device: str


@dataclass(frozen=True, slots=True)
class Tone:
    """A tone or announcement of the PBX: "dial", "ringback", "busy", "music"."""

    name: str


Source = Voice | Tone


class Topology(Protocol):
    """The state of the switching network, as far as audio goes."""

    @property
    def version(self) -> int:
        """Grows with every change, so that a plane may keep what it worked out."""
        ...

    @property
    def forks(self) -> Mapping[str, Fork]:
        """Running forks by port."""
        ...

    def hears(self, device: str) -> Sequence[Source]:
        """What a device hears now, apart from itself; empty when it is idle or hears nothing."""
        ...

    def speaks(self, device: str) -> bool:
        """Whether the device's microphone is open: it has a connection that is connected."""
        ...

    def says(self, device: str) -> str:
        """The name of what the device says while it speaks: a speech file's name, or "tone:N" for a numbered tone."""
        ...
