"""Whose talk was in which recording: what a loss that is noticed late has cost, and whom."""

from uuid import UUID

from osrec.engine.served import Served

ONE, TWO = UUID(int=1), UUID(int=2)
BOTH = (ONE, TWO)


def served(*steps: tuple[float, dict[str, tuple[UUID, ...]]]) -> Served:
    pieces = Served()
    for now, talking in steps:
        pieces.update(talking, now, BOTH)
    return pieces


def test_all_who_talked_in_a_lost_recording_have_missed_it_those_who_left_too() -> None:
    pieces = served((0, {"3100": (ONE,), "3101": (ONE,)}), (5, {"3100": (ONE,)}), (8, {"3100": (ONE,), "3102": (ONE,)}))
    assert sorted(pieces.lost(ONE, 2, 10)) == [("3100", 2, 10), ("3101", 2, 5), ("3102", 8, 10)]
    assert list(pieces.lost(ONE, 10, 10)) == []


def test_who_did_not_talk_meanwhile_has_missed_nothing() -> None:
    pieces = served((0, {"3100": (ONE,)}), (4, {}), (6, {"3100": (ONE,)}))
    assert list(pieces.lost(ONE, 2, 10)) == [("3100", 2, 4), ("3100", 6, 10)]


def test_what_another_recording_has_is_not_missed() -> None:
    pieces = served((0, {"3100": (ONE,)}), (3, {"3100": BOTH}), (7, {"3100": (ONE,)}))
    assert list(pieces.lost(ONE, 1, 10)) == [("3100", 1, 3), ("3100", 7, 10)]
    assert list(pieces.lost(TWO, 1, 10)) == [], "the first had all of it"


def test_recordings_that_are_over_are_forgotten() -> None:
    pieces = served((0, {"3100": (ONE,)}))
    pieces.update({"3100": (TWO,)}, 5, (TWO,))
    assert list(pieces.lost(ONE, 0, 10)) == []
    assert list(pieces.lost(TWO, 0, 10)) == [("3100", 5, 10)]


def test_a_conversation_that_takes_up_another_takes_its_pieces() -> None:
    one, other = served((0, {"3100": (ONE,)})), served((0, {"3101": (TWO,)}))
    one.absorb(other)
    assert list(one.lost(TWO, 0, 1)) == [("3101", 0, 1)]
