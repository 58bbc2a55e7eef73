"""Two ends of a D channel with a bad wire between them, in virtual time."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count

from osrec.errors import UsageError
from osrec.isdn.access import Access, AccessEvent, AccessOutput, OctetsReceived, SendOctets, Start
from osrec.isdn.messages import (
    By,
    CallReleased,
    CallStarted,
    ChannelTaken,
    Connected,
    LinkDown,
    LinkUp,
    OwnerOutput,
    TimerExpired,
)
from osrec.isdn.profile import Protocol, Role
from osrec.isdn.settings import AccessConfig

DELAY = 0.02  # seconds that a frame is on its way
SECOND = Role.USER, Role.NETWORK


@dataclass(slots=True)
class Owner:
    """Keeps the books of what it is told, and finds contradictions at once.

    Attributes:
        slots: slot by call, between ChannelTaken and CallReleased.
        through: calls that are connected.
    """

    up: bool = False
    slots: dict[int, int] = field(default_factory=dict)
    through: set[int] = field(default_factory=set)
    over: set[int] = field(default_factory=set)
    started: set[int] = field(default_factory=set)

    def adopt(self, call: int, slot: int) -> None:
        """A call of an earlier run is through."""
        assert slot not in self.slots.values(), f"slot {slot} is taken twice"
        self.slots[call] = slot
        self.through.add(call)

    def take(self, output: OwnerOutput) -> None:
        match output:
            case LinkUp():
                assert not self.up
                self.up = True
            case LinkDown():
                assert self.up
                self.up = False
            case CallStarted(_, call, _):
                self.started.add(call)
            case ChannelTaken(call, slot):
                assert call not in self.slots
                assert slot not in self.slots.values(), f"slot {slot} is taken twice"
                self.slots[call] = slot
            case Connected(call, slot):
                assert self.slots[call] == slot
                self.through.add(call)
            case CallReleased(call, slot, by=by):
                assert call not in self.over, "released twice"
                assert call in self.slots or call in self.started
                assert isinstance(by, By)
                assert slot == self.slots.pop(call, slot)
                self.through.discard(call)
                self.over.add(call)


class Wire:
    """Both ends by their role: events by time, frames on the way.

    Attributes:
        loss: share of frames that are lost. cut: none gets through.
        spoil: what becomes of a frame on its way.
    """

    def __init__(self, protocol: Protocol, seed: int, config: Callable[[Role], AccessConfig] | None = None) -> None:
        make = config or (lambda role: AccessConfig(protocol, role))
        self.ends = {role: Access(make(role)) for role in SECOND}
        self.owners = {role: Owner() for role in SECOND}
        self.now = 0.0
        self.loss = 0.0
        self.cut = False
        self.spoil: Callable[[bytes], bytes] = bytes
        self._random = random.Random(seed)
        self._order = count()
        self._flying: list[tuple[float, int, Role, bytes]] = []

    def start(self) -> None:
        for role in SECOND:
            self.does(role, Start())

    def does(self, role: Role, event: AccessEvent) -> None:
        """An owner may ask for what has become impossible a moment ago."""
        try:
            outputs = self.ends[role].handle(event, self.now)
        except UsageError:
            assert not isinstance(event, OctetsReceived | TimerExpired)
            return
        self._carry(role, outputs)

    def _carry(self, role: Role, outputs: list[AccessOutput]) -> None:
        other = Role.USER if role is Role.NETWORK else Role.NETWORK
        for output in outputs:
            if not isinstance(output, SendOctets):
                self.owners[role].take(output)
            elif not self.cut and self._random.random() >= self.loss:
                heappush(self._flying, (self.now + DELAY, next(self._order), other, self.spoil(output.octets)))

    def passes(self, seconds: float) -> None:
        """Let time pass."""
        end = self.now + seconds
        for role in self._due(end):
            deadline = self.ends[role].deadline
            if deadline is not None and deadline <= self.now:
                self.does(role, TimerExpired())
            while self._flying and self._flying[0][0] <= self.now:
                _, _, to, octets = heappop(self._flying)
                self.does(to, OctetsReceived(octets))
        self.now = end

    def _due(self, end: float) -> Iterator[Role]:
        """Go from one thing that is due to the next."""
        while True:
            deadlines = [end.deadline for end in self.ends.values() if end.deadline is not None]
            deadlines += [self._flying[0][0]] if self._flying else []
            due = min(deadlines, default=end)
            if due > end:
                return
            self.now = max(self.now, due)
            yield from SECOND
