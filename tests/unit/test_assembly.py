from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from osrec.store.assembly import Assembly, Audio, Hole
from osrec.store.block import Block, Codec, Kind, Sides
from osrec.store.records import Closed
from osrec.store.segment import Segment
from tests.journal_support import LEFT, RIGHT, check_truth, octets_of

SEGMENT = Segment(1, Path("/d"))
RECORDING = UUID(int=1)


def audio(first: int, count: int) -> Block:
    payload = octets_of(LEFT, first, count) + octets_of(RIGHT, first, count)
    return Block(Kind.AUDIO, 1, 0, RECORDING, payload, first, count, Codec.ALAW, Sides.BOTH)


def gap(first: int, count: int, cause: str = "los") -> Block:
    return Block(Kind.GAP, 1, 0, RECORDING, cause.encode(), first, count)


def assemble(*blocks: Block) -> list[Audio | Hole]:
    assembly = Assembly(RECORDING)
    for position, block in enumerate(blocks):
        assembly.take(SEGMENT, position, block)
    return list(assembly.pieces(lambda segment, position, length: blocks[position]))


def test_samples_written_twice_are_taken_once_however_they_were_cut() -> None:
    found = assemble(audio(0, 1000), audio(200, 300), audio(900, 400), audio(0, 1000))
    assert check_truth(found) == {"audio": 1300}
    assert all(piece.left for piece in found if isinstance(piece, Audio))


def test_audio_wins_over_a_gap_and_gaps_name_their_cause() -> None:
    assert assemble(audio(0, 10), gap(5, 20), gap(25, 5, "ais"), audio(28, 2))[1:] == [
        Hole(10, 15, "los"),
        Hole(25, 3, "ais"),
        Audio(28, octets_of(LEFT, 28, 2), octets_of(RIGHT, 28, 2)),
    ]


def test_what_nothing_tells_of_was_damaged() -> None:
    assert assemble(audio(0, 10), gap(20, 5), audio(30, 1))[1:4] == [
        Hole(10, 10, "journal_damaged"),
        Hole(20, 5, "los"),
        Hole(25, 5, "journal_damaged"),
    ]


def test_nothing_beyond_the_end_is_taken_also_when_a_gap_lies_across_it() -> None:
    blocks = [audio(0, 10), gap(10, 30), audio(40, 100)]
    assembly = Assembly(RECORDING)
    for position, block in enumerate(blocks):
        assembly.take(SEGMENT, position, block)
    assembly.closed = Closed(recording=RECORDING, at=datetime(2026, 11, 23, tzinfo=UTC), last_sample=20, reason="")
    found = list(assembly.pieces(lambda segment, position, length: blocks[position]))
    assert found == [Audio(0, octets_of(LEFT, 0, 10), octets_of(RIGHT, 0, 10)), Hole(10, 10, "los")]


stretches = st.lists(st.tuples(st.booleans(), st.integers(0, 300), st.integers(1, 60)), min_size=1, max_size=12)


@given(stretches)
@settings(max_examples=200, deadline=None)
def test_any_blocks_make_one_unbroken_recording(found: list[tuple[bool, int, int]]) -> None:
    blocks = [audio(first, count) if sound else gap(first, count) for sound, first, count in found]
    counts = check_truth(assemble(*blocks))
    heard = {n for sound, first, count in found if sound for n in range(first, first + count)}
    told = {n for sound, first, count in found if not sound for n in range(first, first + count)} - heard
    everything = range(min(heard | told), max(heard | told) + 1)
    assert counts["audio"] == len(heard)
    assert counts.get("los", 0) == len(told)
    assert counts.get("journal_damaged", 0) == len(everything) - len(heard | told)
