"""Calls, connections and threads as the PBX keeps them (ECMA-269 clause 6), without any behaviour."""

import random
from collections.abc import Container
from dataclasses import dataclass, field

from osrec.errors import UsageError
from osrec.wire.csta import model
from osrec.wire.csta.model import LocalState


class RuleError(UsageError):
    """A command that the state of the call does not allow; the message names the rule."""


class Cause:
    """Causes that the PBX gives, ECMA-285 EventCause; csta.md of the references lists which steer a recorder."""

    ALTERNATE = 2
    BUSY = 3
    CALL_FORWARD = 9
    CALL_NOT_ANSWERED = 10
    CALL_PICKUP = 11
    DEST_NOT_OBTAINABLE = 13
    KEY_OPERATION = 17
    NEW_CALL = 22
    SILENT_PARTICIPATION = 31
    TRANSFER = 32
    TRUNKS_BUSY = 33
    CONSULTATION = 37
    NORMAL_CLEARING = 48
    SINGLE_STEP_CONFERENCE = 51
    CONFERENCE = 63
    NORMAL = 78


@dataclass(frozen=True, slots=True)
class Party:
    """Who takes part: a station, or with `trunk` somebody outside who is reached over it."""

    number: str
    trunk: str | None = None


@dataclass(slots=True)
class Leg:
    """A connection: one device in one call.

    Attributes:
        device: a station, a trunk or a recorder port.
        party: as whom the device appears; the number outside for a trunk.
        dynamic: the connection's dynamic device id, for a PBX that is configured to use them.
        records: the station that a recorder port listens to; such a leg is never heard and counts for nothing.
    """

    device: str
    party: Party
    state: LocalState
    dynamic: bytes
    records: str | None = None

    @property
    def silent(self) -> bool:
        return self.records is not None


@dataclass(slots=True, eq=False)
class Thread:
    """What a person calls the conversation: all calls that came from one by consultation, transfer, conference."""

    id: bytes
    live: int = 0  # calls that have not ended


@dataclass(slots=True, eq=False)
class Call:
    """A call: its connections by device."""

    id: bytes
    linkage_id: bytes
    thread: Thread
    calling: Party
    called: Party | None = None
    redirected_from: str | None = None
    answered: bool = False
    gives_up: float | None = None  # when the caller stops waiting for an answer, or listening to the busy tone
    legs: dict[str, Leg] = field(default_factory=dict)

    @property
    def active(self) -> list[Leg]:
        """Connections that hold the call together: of people, and not failed."""
        return [leg for leg in self.legs.values() if not leg.silent and leg.state is not LocalState.FAIL]

    @property
    def linkage(self) -> model.Linkage:
        return model.Linkage(call=self.linkage_id, thread=self.thread.id)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """Something that happened, as the monitors of one device see it. `at` is PBX time in seconds."""

    at: float
    device: str
    event: model.Event


class Identifiers:
    """Call ids that come again only after a wrap, and ids of threads that no other run has had."""

    def __init__(self, call_id_octets: int, run: bytes, seed: int) -> None:
        self._octets = call_id_octets
        self._run = run
        self._rng = random.Random(f"identifiers {seed}")
        self._next_call = 1
        self._next_leg = 1
        self._next_global = 1

    def call_id(self, used: Container[bytes]) -> bytes:
        while True:
            chosen = self._next_call.to_bytes(self._octets, "big")
            self._next_call = (self._next_call + 1) % (1 << 8 * self._octets)
            if chosen not in used and any(chosen):
                return chosen

    def dynamic_device(self) -> bytes:
        chosen = (self._next_leg % 0x10000).to_bytes(2, "big")
        self._next_leg += 1
        return chosen

    def global_id(self) -> bytes:
        """16 octets, as seen from a HiPath: 8 of this run, 4 that scatter, 4 that count."""
        self._next_global += 1
        return self._run + self._rng.randbytes(4) + (self._next_global % (1 << 32)).to_bytes(4, "big")
