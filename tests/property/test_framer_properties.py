"""The framer against its oracle and against arbitrary octets and chunks."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from osrec_drivers.e1.framer import Framer
from osrec_drivers.line import GapCause
from tests.reference import e1


@st.composite
def damaged_lines(draw: st.DrawFn) -> bytes:
    """E1 at some offset, with errors, slips, silences and stretches of ones."""
    dice = random.Random(draw(st.integers(0, 2**32)))
    line = e1.send(dice.randbytes(32 * draw(st.integers(1, 60))), e_bit=draw(st.integers(0, 1)))
    shift = draw(st.integers(0, 511))
    value = int.from_bytes(line) << 512 - shift
    line = bytes(value.to_bytes(len(line) + 64))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(line)))
        count = draw(st.integers(1, 200))
        kind = draw(st.sampled_from(["slip", "zeros", "ones", "errors", "fas"]))
        if kind == "slip":
            line = line[:at] + line[at + count :]
        elif kind == "zeros":
            line = line[:at] + bytes(count) + line[at + count :]
        elif kind == "ones":
            line = line[:at] + b"\xff" * count + line[at + count :]
        elif kind == "errors":
            line = line[:at] + dice.randbytes(count // 8) + line[at + count // 8 :]
        else:
            line = line[:at] + b"\x1b" + line[at + 1 :]
    return line


def chunks(data: st.DataObject, octets: bytes) -> list[bytes]:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(octets)), max_size=12)))
    return [octets[a:b] for a, b in zip([0, *cuts], [*cuts, len(octets)], strict=True)]


def seen(framer: Framer) -> tuple[object, ...]:
    return (
        framer.position,
        framer.aligned,
        framer.crc_multiframe,
        framer.alarms,
        framer.frames,
        framer.fas_errors,
        framer.crc_errors,
        framer.remote_crc_errors,
        framer.losses,
    )


@settings(max_examples=50, deadline=None)
@given(damaged_lines())
def test_the_framer_equals_its_oracle(line: bytes) -> None:
    slow, framer = e1.SlowFramer(), Framer()
    slow.feed(line)
    out = framer.feed(line)
    assert out == b"".join(slow.frames[n] for n in sorted(slow.frames))
    assert framer.aligned == slow.aligned
    assert framer.crc_multiframe == slow.crc_multiframe
    assert framer.losses == slow.losses
    assert framer.fas_errors == slow.fas_errors
    assert framer.crc_errors == slow.crc_errors
    assert framer.remote_crc_errors == slow.remote_crc_errors


@settings(max_examples=80, deadline=None)
@given(damaged_lines(), st.data())
def test_any_chunking_gives_the_same_frames_gaps_and_alarms(line: bytes, data: st.DataObject) -> None:
    whole, parts = Framer(), Framer()
    out = whole.feed(line)
    gaps = []
    pieces = []
    for chunk in chunks(data, line):
        pieces.append(parts.feed(chunk))
        gaps += parts.gaps()
    assert b"".join(pieces) == out
    assert seen(parts) == seen(whole)
    assert parts.changes() == whole.changes()
    assert sum(gap.count for gap in gaps) == sum(gap.count for gap in whole.gaps())


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=700), st.integers(0, 5000)), max_size=20))
def test_no_octets_and_no_losses_upset_it(story: list[bytes | int]) -> None:
    framer = Framer()
    total = frames = 0
    for part in story:
        if isinstance(part, int):
            framer.miss(part, GapCause.PACKET_LOSS)
            total += part
        else:
            frames += len(framer.feed(part)) // 32
            total += len(part)
    assert total // 32 - 4 <= framer.position <= total // 32 + 1
    assert frames <= framer.position


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 4095))
def test_a_line_is_found_behind_any_noise(seed: int, shift: int) -> None:
    dice = random.Random(seed)
    frames = dice.randbytes(32 * 80)
    line = e1.send(frames)
    bits = dice.getrandbits(4096) >> 4096 - shift if shift else 0
    value = (bits << 8 * len(line) | int.from_bytes(line)) << -shift % 8
    framer = Framer()
    out = framer.feed(value.to_bytes((8 * len(line) + shift + 7) // 8))
    sent = [frames[i + 1 : i + 32] for i in range(0, len(frames), 32)]
    found = [out[i + 1 : i + 32] for i in range(0, len(out), 32)][-60:]
    assert found in (sent[20:80], sent[19:79], sent[18:78])  # the last unit of 32 octets may not be whole
