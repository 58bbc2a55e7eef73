"""What the fuzzing begins with is sound; the fuzzing itself is `make fuzz`."""

import pytest

from tests.fuzz.__main__ import NAMES
from tests.fuzz.cut import Cut, piece
from tests.fuzz.targets import TARGETS


def test_every_target_has_its_name() -> None:
    assert list(TARGETS) == list(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_seed_passes_its_target_and_is_taken_whole(name: str) -> None:
    target = TARGETS[name]
    found = target.seeds()
    assert found
    for seed in found:
        target.run(seed)
        assert len(seed) <= target.longest


def test_a_piece_is_cut_as_it_was_written() -> None:
    cut = Cut(piece(b"abc") + piece(b"") + b"\5rest")
    assert (cut.piece(), cut.piece(), cut.number(3), cut.rest()) == (b"abc", b"", 2, b"rest")
    assert not cut
    assert (cut.number(9), cut.piece()) == (0, b"")
