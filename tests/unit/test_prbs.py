"""Bit error tests with pseudorandom patterns."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osrec_drivers.e1.prbs import Pattern, PrbsChecker, PrbsGenerator, SyncChange
from tests.reference import prbs
from tests.reference.e1 import bits_of

ALL = list(Pattern)
LONG = 20_000


@pytest.mark.parametrize("pattern", ALL)
def test_the_source_equals_a_shift_register(pattern: Pattern) -> None:
    count = 2 * pattern.period // 8 + 100
    assert PrbsGenerator(pattern).pull(count) == prbs.octets(*pattern.value, count)


@pytest.mark.parametrize(("pattern", "zeros", "ones"), [(ALL[0], 8, 9), (ALL[1], 10, 11), (ALL[2], 15, 14)])
def test_each_pattern_has_its_period_and_its_longest_runs(pattern: Pattern, zeros: int, ones: int) -> None:
    """O.153, O.152: 8 and 10 zeros, not inverted; O.151: 15 zeros, because it is inverted."""
    bits = "".join(map(str, bits_of(PrbsGenerator(pattern).pull(2 * pattern.period // 8 + 1))))[: 2 * pattern.period]
    period = bits[: pattern.period]
    assert bits == period * 2
    assert max(map(len, bits.split("1"))) == zeros
    assert max(map(len, bits.split("0"))) == ones


@pytest.mark.parametrize("pattern", ALL)
def test_a_clean_pattern_is_followed_from_any_phase_without_an_error(pattern: Pattern) -> None:
    for start in (0, 1, 17, 100, 4000):
        generator, checker = PrbsGenerator(pattern), PrbsChecker(pattern)
        generator.pull(start)
        changes = checker.feed(generator.pull(LONG))
        assert [(change.synchronised, change.displacement) for change in changes] == [(True, None)]
        assert changes[0].octet <= 11
        assert checker.bits == 8 * (LONG - changes[0].octet)
        assert checker.errors == checker.losses == checker.slips == 0
        assert checker.position == LONG


@pytest.mark.parametrize("pattern", ALL)
def test_each_wrong_bit_counts_once(pattern: Pattern) -> None:
    line, dice = bytearray(PrbsGenerator(pattern).pull(LONG)), random.Random(1)
    wrong = dice.sample(range(8 * 20, 8 * LONG), 200)
    for bit in wrong:
        line[bit >> 3] ^= 0x80 >> (bit & 7)
    checker = PrbsChecker(pattern)
    assert len(checker.feed(line)) == 1
    assert checker.errors == 200


@pytest.mark.parametrize("octet", [b"\x00", b"\xff", b"\xd5", b"\x7e"])
@pytest.mark.parametrize("pattern", ALL)
def test_a_line_without_the_pattern_gives_no_synchronism(pattern: Pattern, octet: bytes) -> None:
    checker = PrbsChecker(pattern)
    assert checker.feed(octet * LONG) == []
    assert checker.feed(random.Random(2).randbytes(LONG)) == []
    assert not checker.synchronised
    assert checker.bits == 0


@pytest.mark.parametrize("pattern", ALL)
def test_a_pattern_that_ends_loses_synchronism_and_takes_its_errors_back(pattern: Pattern) -> None:
    checker = PrbsChecker(pattern)
    checker.feed(PrbsGenerator(pattern).pull(LONG))
    changes = checker.feed(b"\xd5" * 1000)
    assert [(change.synchronised, change.displacement) for change in changes] == [(False, None)]
    assert LONG <= changes[0].octet <= LONG + 128
    assert checker.errors == 0
    assert 8 * (LONG - 200) < checker.bits <= 8 * LONG
    assert checker.losses == 1


def test_wrong_bits_in_the_window_before_are_taken_back_wherever_the_pattern_ends() -> None:
    line = PrbsGenerator(Pattern.PRBS_15).pull(2000)
    for end in range(1000, 1064):
        checker = PrbsChecker(Pattern.PRBS_15)
        checker.feed(line[:end] + b"\xd5" * 200)
        assert (checker.errors, checker.losses) == (0, 1)


@pytest.mark.parametrize("slots", [1, 4, 30])
@pytest.mark.parametrize("pattern", ALL[1:])
@pytest.mark.parametrize("frames", [1, -1, 3])
def test_slips_of_the_line_are_seen_with_their_size(pattern: Pattern, slots: int, frames: int) -> None:
    line = PrbsGenerator(pattern).pull(3 * LONG)
    cut = 10_007 * slots % LONG
    line = line[:cut] + line[cut + frames * slots :] if frames > 0 else line[:cut] + line[cut - slots :]
    checker = PrbsChecker(pattern, slots=slots)
    changes = checker.feed(line)
    assert [change.synchronised for change in changes] == [True, False, True]
    assert changes[2].displacement == 8 * slots * frames
    assert changes[2].octet < cut + 160
    assert checker.slips == 1
    assert checker.errors == 0


def test_a_jump_that_is_no_whole_frame_is_no_slip() -> None:
    line = PrbsGenerator(Pattern.PRBS_15).pull(LONG)
    checker = PrbsChecker(Pattern.PRBS_15, slots=2)
    assert checker.feed(line[:5000] + line[5003:])[2].displacement == 24
    assert checker.slips == 0


@pytest.mark.parametrize(("share", "holds"), [(0.02, True), (0.1, True), (0.35, False)])
def test_synchronism_outlasts_many_errors_but_not_one_bit_in_three(share: float, holds: bool) -> None:
    dice, checker = random.Random(3), PrbsChecker(Pattern.PRBS_15)
    line = bytearray(PrbsGenerator(Pattern.PRBS_15).pull(LONG))
    for bit in range(800, 8 * LONG):
        if dice.random() < share:
            line[bit >> 3] ^= 0x80 >> (bit & 7)
    checker.feed(line)
    assert (checker.losses == 0) == holds
    if holds:
        assert checker.errors == pytest.approx(8 * LONG * share, rel=0.05)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(ALL), st.integers(0, 2**32), st.data())
def test_any_chunking_gives_the_same_result(pattern: Pattern, seed: int, data: st.DataObject) -> None:
    dice = random.Random(seed)
    line = PrbsGenerator(pattern).pull(900)
    line = line[: dice.randrange(900)] + dice.randbytes(dice.randrange(100)) + line
    cuts = sorted(data.draw(st.lists(st.integers(0, len(line)), max_size=12)))
    whole, parts, found = PrbsChecker(pattern), PrbsChecker(pattern), list[SyncChange]()
    for first, end in zip([0, *cuts], [*cuts, len(line)], strict=True):
        found += parts.feed(line[first:end])
    assert found == whole.feed(line)
    assert (parts.bits, parts.errors, parts.losses, parts.slips) == (
        whole.bits,
        whole.errors,
        whole.losses,
        whole.slips,
    )


@pytest.mark.parametrize("slots", [0, 32])
def test_slots_that_no_line_has_are_refused(slots: int) -> None:
    with pytest.raises(ValueError, match=f"slots {slots}"):
        PrbsChecker(Pattern.PRBS_9, slots=slots)
