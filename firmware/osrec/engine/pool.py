"""Leases of channel pairs: never two recordings on one slot, never half a pair."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from uuid import UUID

from osrec.errors import UsageError


@dataclass(frozen=True, slots=True)
class Port:
    """One time slot, and the number by which the PBX puts audio on it."""

    slot: int
    number: str


@dataclass(frozen=True, slots=True)
class Pair:
    """The two channels of one recording, on one line, so that they are in step."""

    line: str
    own: Port
    other: Port

    def __str__(self) -> str:
        return f"{self.line}:{self.own.slot}+{self.other.slot}"


class Block(Enum):
    """Why a line's pairs are not to be leased."""

    ALARM = "alarm"
    SIGNALLING = "signalling"  # no call can be put on it
    LOOP = "loop"  # somebody looks for a fault: what comes is what goes


class Pool:
    """Which pair belongs to which recording.

    Free pairs wait in a queue, so that the one released longest ago goes first: a late hang-up in the PBX does not
    meet a new call. Raises ValueError when a slot or a port number stands in two pairs.
    """

    def __init__(self, pairs: Iterable[Pair]) -> None:
        self.pairs = tuple(pairs)
        self._check()
        self._free: OrderedDict[Pair, None] = OrderedDict.fromkeys(self.pairs)
        self._leases: dict[Pair, UUID] = {}
        self._blocked: dict[str, set[Block]] = {}
        self._doubtful: set[Pair] = set()
        self._reserved: set[Pair] = set()

    def _check(self) -> None:
        slots = [(pair.line, port.slot) for pair in self.pairs for port in (pair.own, pair.other)]
        numbers = [port.number for pair in self.pairs for port in (pair.own, pair.other)]
        for line, slot in slots:
            if slots.count((line, slot)) > 1:
                raise ValueError(f"line {line!r}: slot {slot} stands in two pairs")
        for number in numbers:
            if numbers.count(number) > 1:
                raise ValueError(f"port {number} stands in two pairs; each slot needs a port number of its own")

    def lease(self, recording: UUID, avoid: Iterable[Pair] = (), rather_not: Iterable[Pair] = ()) -> Pair | None:
        """A free pair on a line that is up, None when there is none.

        Args:
            avoid: pairs that just failed: not these.
            rather_not: these only when there is no other; the same goes for doubtful pairs, and more so for reserved.
        """
        if not self._free:
            return None
        shunned, disliked = set(avoid), self._doubtful.union(rather_not)
        free = [p for p in self._free if p.line not in self._blocked and p not in shunned]
        pair = min(free, key=lambda p: (p in self._reserved, p in disliked), default=None)
        if pair is not None:
            del self._free[pair]
            self._leases[pair] = recording
        return pair

    def take(self, pair: Pair, recording: UUID) -> None:
        """Lease one certain pair, for a recording that an earlier run had begun. Raises UsageError when it is taken."""
        if pair not in self._free:
            raise UsageError(f"pair {pair} is not free: {self._leases.get(pair, 'not in the pool')}")
        del self._free[pair]
        self._leases[pair] = recording

    def release(self, pair: Pair) -> None:
        """Give a pair back. Raises UsageError when it was not leased."""
        if self._leases.pop(pair, None) is None:
            raise UsageError(f"pair {pair} is not leased")
        self._free[pair] = None

    def block(self, line: str, blocked: bool, by: Block = Block.ALARM) -> None:
        """Keep the pairs of a line out of new leases while this stands; running ones stay."""
        blocks = self._blocked.get(line, set()) - {by} | ({by} if blocked else set())
        self._blocked.pop(line, None)
        if blocks:
            self._blocked[line] = blocks

    def doubt(self, pair: Pair, doubtful: bool) -> None:
        """Lease the pair only when there is no other."""
        (self._doubtful.add if doubtful else self._doubtful.discard)(pair)

    def reserve(self, pair: Pair, reserved: bool) -> None:
        """Somebody tests a slot of the pair: a recording gets it only where it would get none, and ends the test."""
        (self._reserved.add if reserved else self._reserved.discard)(pair)

    def blocked(self, line: str) -> bool:
        """Whether something keeps the line's pairs from being leased."""
        return line in self._blocked

    def free_elsewhere(self, line: str) -> bool:
        """Whether a pair of another line could be leased now."""
        return any(pair.line != line and pair.line not in self._blocked for pair in self._free)

    def owner(self, pair: Pair) -> UUID | None:
        return self._leases.get(pair)

    @property
    def free(self) -> int:
        """Pairs that could be leased now."""
        return sum(pair.line not in self._blocked for pair in self._free)

    @property
    def idle_in_alarm(self) -> int:
        """Pairs that could be leased now if their lines were not in alarm."""
        return sum(pair.line in self._blocked for pair in self._free)

    @property
    def leased(self) -> int:
        return len(self._leases)
