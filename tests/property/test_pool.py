"""The pool under any order of leases and releases."""

from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from hypothesis.strategies import data, integers, sampled_from

from osrec.engine.pool import Pair, Pool, Port
from osrec.errors import UsageError

PAIRS = [
    Pair(f"trunk{line}", Port(slot, f"{line}{slot}"), Port(slot + 1, f"{line}{slot + 1}"))
    for line in (1, 2)
    for slot in (1, 3, 5)
]


class PoolMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.pool = Pool(PAIRS)
        self.held: dict[Pair, UUID] = {}
        self.blocked: set[str] = set()
        self.reserved: set[Pair] = set()
        self.next = 0

    @rule()
    def lease(self) -> None:
        self.next += 1
        owner = UUID(int=self.next)
        pair = self.pool.lease(owner)
        if pair is None:
            assert all(p in self.held or p.line in self.blocked for p in PAIRS)
            return
        assert pair not in self.held
        assert pair.line not in self.blocked
        free = {p for p in PAIRS if p not in self.held and p.line not in self.blocked}
        assert pair not in self.reserved or free <= self.reserved
        self.held[pair] = owner

    @precondition(lambda self: self.held)
    @rule(data=data())
    def release(self, data) -> None:  # type: ignore[no-untyped-def]
        pair = data.draw(sampled_from(sorted(self.held, key=str)))
        self.pool.release(pair)
        del self.held[pair]

    @rule(pair=sampled_from(PAIRS))
    def take(self, pair: Pair) -> None:
        if pair in self.held:
            with pytest.raises(UsageError, match="not free"):
                self.pool.take(pair, UUID(int=0))
        else:
            self.next += 1
            self.pool.take(pair, UUID(int=self.next))
            self.held[pair] = UUID(int=self.next)

    @rule(line=integers(1, 2))
    def block(self, line: int) -> None:
        self.blocked ^= {f"trunk{line}"}
        self.pool.block(f"trunk{line}", f"trunk{line}" in self.blocked)

    @rule(pair=sampled_from(PAIRS))
    def reserve(self, pair: Pair) -> None:
        self.reserved ^= {pair}
        self.pool.reserve(pair, pair in self.reserved)

    @invariant()
    def owners_agree(self) -> None:
        assert {p: self.pool.owner(p) for p in PAIRS if self.pool.owner(p)} == self.held
        assert self.pool.leased == len(self.held)
        assert self.pool.free == sum(p not in self.held and p.line not in self.blocked for p in PAIRS)


PoolMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
test_no_slot_is_ever_leased_twice = PoolMachine.TestCase


def test_a_slot_in_two_pairs_is_refused() -> None:
    twice = [PAIRS[0], Pair("trunk1", Port(2, "902"), Port(9, "909"))]
    with pytest.raises(ValueError, match="slot 2 stands in two pairs"):
        Pool(twice)


def test_a_port_number_in_two_pairs_is_refused() -> None:
    twice = [PAIRS[0], Pair("trunk2", Port(1, "11"), Port(2, "22"))]
    with pytest.raises(ValueError, match="port 11 stands in two pairs"):
        Pool(twice)


def test_the_pair_released_longest_ago_goes_first() -> None:
    pool = Pool(PAIRS[:2])
    first = pool.lease(UUID(int=1))
    assert first is not None
    pool.release(first)
    assert pool.lease(UUID(int=2)) == PAIRS[1]
