"""Calls, connections and threads as the PBX keeps them (ECMA-269 clause 6), without any behaviour."""

import itertools
import random
from collections.abc import Callable, Container
from dataclasses import dataclass, field

from osrec.errors import UsageError
from osrec.wire.csta import model
from osrec.wire.csta.model import LocalState


class RuleError(UsageError):
    """A command that the state of the call does not allow; the message names the rule."""


class Cause:
    """Causes that the PBX gives, ECMA-285 EventCause; csta.md of the references lists which steer a recorder."""

    ACTIVE_PARTICIPATION = 1
    ALTERNATE = 2
    BUSY = 3
    CALL_BACK = 4
    CALL_FORWARD_IMMEDIATE = 6
    CALL_FORWARD_BUSY = 7
    CALL_FORWARD_NO_ANSWER = 8
    CALL_FORWARD = 9
    CALL_NOT_ANSWERED = 10
    CALL_PICKUP = 11
    CAMP_ON = 12
    DEST_NOT_OBTAINABLE = 13
    KEY_OPERATION = 17
    NETWORK_NOT_OBTAINABLE = 21
    NEW_CALL = 22
    NO_AVAILABLE_AGENTS = 23
    PARK = 25
    OVERFLOW = 26
    RECALL = 27
    REDIRECTED = 28
    SILENT_PARTICIPATION = 31
    TRANSFER = 32
    TRUNKS_BUSY = 33
    CONSULTATION = 37
    DISTRIBUTED = 38
    ENTERING_DISTRIBUTION = 42
    NORMAL_CLEARING = 48
    SINGLE_STEP_CONFERENCE = 51
    SINGLE_STEP_TRANSFER = 52
    CONFERENCE = 63
    KEY_OPERATION_IN_USE = 71
    MULTIPLE_ALERTING = 74
    NORMAL = 78
    PATH_REPLACEMENT = 109


@dataclass(frozen=True, slots=True)
class Party:
    """Who takes part: a station, or with `trunk` somebody outside who is reached over it.

    `shown` is why events do not name the number, None when they do; `called_in`: it was he who called.
    """

    number: str
    trunk: str | None = None
    shown: model.NoDevice | None = None
    called_in: bool = False


@dataclass(slots=True)
class Leg:
    """A connection: one device in one call.

    Attributes:
        device: a station, a trunk or a recorder port.
        party: as whom the device appears; the number outside for a trunk.
        dynamic: the connection's dynamic device id, for a PBX that is configured to use them.
        records: the station that a recorder port listens to; such a leg is never heard and counts for nothing.
        offered: the number that was called while the device rings for it; all that ring for one are alternatives.
        bridged: an appearance of a shared line that another one uses: it may join, and counts for nothing until then.
    """

    device: str
    party: Party
    state: LocalState
    dynamic: bytes
    records: str | None = None
    offered: str | None = None
    bridged: bool = False

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
    """A call: its connections by device.

    Attributes:
        failed: the number that was called is not reached; the caller hears the busy tone.
        diversions: how often it was sent on; a limit ends loops.
        wanted: the station that the caller did not reach, for call-back and camp-on.
        transferrer: the station to which it comes back when nobody answers.
        unanswered: when the call is sent on if nobody answers, and how.
        line: the shared line that was called.
        prompts: a call-back: the telephone of who wanted it rings before anybody is called.
        user_data, correlator: what a party attached; the events carry it from then on.
    """

    id: bytes
    linkage_id: bytes
    thread: Thread
    calling: Party
    called: Party | None = None
    redirected_from: str | None = None
    answered: bool = False
    failed: bool = False
    diversions: int = 0
    wanted: str | None = None
    transferrer: str | None = None
    unanswered: tuple[float, Callable[["Call"], None]] | None = None
    line: str | None = None
    prompts: bool = False
    user_data: bytes | None = None
    correlator: bytes | None = None
    legs: dict[str, Leg] = field(default_factory=dict)

    @property
    def connections(self) -> list[Leg]:
        """Connections that did not fail, without those of recorder ports."""
        return [leg for leg in self.legs.values() if not leg.silent and leg.state is not LocalState.FAIL]

    @property
    def active(self) -> list[Leg]:
        """Connections that hold the call together: of people, not failed, and no unused appearances of a line."""
        return [leg for leg in self.connections if not leg.bridged]

    def in_state(self, *states: LocalState) -> list[Leg]:
        return [leg for leg in self.active if leg.state in states]

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
    """Call ids, which come again after a wrap, and ids of threads that no other run has had.

    Args:
        wrap: how many call ids there are before they come again; None: all that fit into the octets.
    """

    def __init__(self, call_id_octets: int, run: bytes, seed: int, wrap: int | None = None) -> None:
        self._octets = call_id_octets
        self._run = run
        self._rng = random.Random(f"identifiers {seed}")
        self._largest = (1 << 8 * call_id_octets) - 1
        self._wrap = min(wrap or self._largest, self._largest)
        self._next_call = 1
        self._next_leg = 1
        self._next_global = 1

    def call_id(self, used: Container[bytes]) -> bytes:
        """The next one that is free; one beyond the wrap when more calls run than there are ids before it."""
        in_turn = (1 + (self._next_call - 1 + step) % self._wrap for step in range(self._wrap))
        for number in itertools.chain(in_turn, range(self._wrap + 1, self._largest + 1)):
            chosen = number.to_bytes(self._octets, "big")
            if chosen not in used:
                self._next_call = 1 + number % self._wrap
                return chosen
        raise RuleError(f"all {self._largest} call ids of {self._octets} octets are in use")

    def dynamic_device(self) -> bytes:
        chosen = (self._next_leg % 0x10000).to_bytes(2, "big")
        self._next_leg += 1
        return chosen

    def global_id(self) -> bytes:
        """16 octets, as seen from a HiPath: 8 of this run, 4 that scatter, 4 that count."""
        self._next_global += 1
        return self._run + self._rng.randbytes(4) + (self._next_global % (1 << 32)).to_bytes(4, "big")
