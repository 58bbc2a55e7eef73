"""What goes into and comes out of a line whose forks come with signalling, whichever it is: DSS1, QSIG or CAS."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import ClassVar, Protocol

from osrec_emulators.pbx.media import Fork, Side

# --- events


@dataclass(frozen=True, slots=True)
class Start:
    """The board comes up."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The recorder's ports that are in calls of the PBX now, those of other lines too."""

    joined: Mapping[str, Fork]


@dataclass(frozen=True, slots=True)
class FrameArrived:
    """A frame from the D channel, between its flags, without FCS."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class CasArrived:
    """The recorder's signalling of a time slot changed."""

    slot: int
    abcd: int


@dataclass(frozen=True, slots=True)
class CasAligned:
    """The recorder's CAS multiframe was found or lost."""

    aligned: bool


@dataclass(frozen=True, slots=True)
class Restart:
    """A craftsman restarts channels, or with none named the whole interface: RESTART goes out, Q.931 5.5.1."""

    slots: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Due:
    """The time that `deadline` named has come."""


def changed(before: Mapping[str, Fork], now: Mapping[str, Fork]) -> tuple[list[str], list[str]]:
    """Ports that left their call and ports that entered one; a port that went from one station to another did both.

    A fork that follows its station into another call is the same fork.
    """

    def kept(port: str) -> bool:
        return port in before and port in now and _what(before[port]) == _what(now[port])

    return [port for port in before if not kept(port)], [port for port in now if not kept(port)]


def _what(fork: Fork) -> tuple[str, Side]:
    return fork.station, fork.side


# --- outputs


@dataclass(frozen=True, slots=True)
class SendFrame:
    """A frame for the D channel."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class SendCas:
    """Signalling of a time slot from now on."""

    slot: int
    abcd: int


@dataclass(frozen=True, slots=True)
class HungUp:
    """The recorder ended the call of this port, or did not take it: the port leaves the PBX's call."""

    port: str


@dataclass(frozen=True, slots=True)
class Dialled:
    """The recorder dialled this from a port, as it would with MakeCall over CSTA."""

    port: str
    digits: str


@dataclass(slots=True)
class TrunkCall:
    """What the truth says of a call on a trunk, in PBX time.

    Attributes:
        ports, slots: of its forks, in the same order; `announced` is what the signalling named.
        reference: of the D channel, and whether it is the PBX's own; None with CAS.
        by: who ended it: "pbx", "recorder", or "link" when the signalling was lost.
        faults: what was played on it.
    """

    ports: tuple[str, ...]
    slots: tuple[int, ...]
    announced: tuple[int, ...]
    setup_at: float
    called: str = ""
    calling: str = ""
    reference: int | None = None
    placed_by_pbx: bool = True
    answered_at: float | None = None
    ended_at: float | None = None
    cause: int | None = None
    by: str | None = None
    faults: tuple[str, ...] = ()

    def as_json(self, wall: Callable[[float], datetime]) -> dict[str, object]:
        """A row of the truth, its times in UTC."""
        row = asdict(self)
        for name in ("setup_at", "answered_at", "ended_at"):
            row[name] = None if row[name] is None else wall(row[name]).isoformat(timespec="milliseconds")
        return row


@dataclass(frozen=True, slots=True)
class Finished:
    """A call is over."""

    call: TrunkCall


Event = Start | Ports | FrameArrived | CasArrived | CasAligned | Restart | Due
Output = SendFrame | SendCas | HungUp | Dialled | Finished


class Trunk(Protocol):
    """The signalling of one line.

    Attributes:
        has_d_channel: time slot 16 carries HDLC, else the CAS multiframe.
    """

    has_d_channel: ClassVar[bool]

    @property
    def open(self) -> Mapping[str, int]:
        """The time slot that carries each port's fork now."""
        ...

    @property
    def version(self) -> int:
        """Grows with every change of `open`."""
        ...

    @property
    def up(self) -> bool:
        """Whether calls could be placed: data link established, CAS multiframe of the recorder seen."""
        ...

    @property
    def deadline(self) -> float | None:
        """When to call handle(Due(), now)."""
        ...

    def handle(self, event: Event, now: float) -> list[Output]:
        """Advance by one event. What the recorder sends can never make it raise."""
        ...

    def unfinished(self) -> list[TrunkCall]:
        """The calls of which no `Finished` was told, for the truth when all ends."""
        ...
