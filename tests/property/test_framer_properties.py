"""The framer against its oracle and against arbitrary octets and chunks."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from osrec_drivers.e1.framer import Framer
from osrec_drivers.line import GapCause
from tests.reference import e1


@st.composite
def damaged_lines(draw: st.DrawFn, most: int = 60) -> bytes:
    """E1 at some offset, with errors, slips, silences and stretches of ones, with or without CRC-4."""
    dice = random.Random(draw(st.integers(0, 2**32)))
    frames = dice.randbytes(32 * draw(st.integers(1, most)))
    with_crc4 = draw(st.sampled_from([True, True, False]))
    line = e1.send(frames, with_crc4=with_crc4, e_bit=draw(st.integers(0, 1)), sa=draw(st.integers(0, 31)))
    if draw(st.booleans()):  # the same slot of all frames imitates FAS and no FAS in turn
        slot, signals = draw(st.integers(1, 30)), (b"\x9b", b"\xdf")
        line = b"".join(
            line[at : at + slot] + signals[at // 32 % 2] + line[at + slot + 1 : at + 32]
            for at in range(0, len(line), 32)
        )
    shift = draw(st.integers(0, 511))
    value = int.from_bytes(line) << 512 - shift
    line = bytes(value.to_bytes(len(line) + 64))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(line)))
        count = draw(st.integers(1, 200))
        kind = draw(st.sampled_from(["slip", "frames", "zeros", "ones", "errors", "fas", "si"]))
        if kind == "slip":
            line = line[:at] + line[at + count :]
        elif kind == "frames":
            line = line[:at] + line[at + 32 * (count % 20) :]
        elif kind == "zeros":
            line = line[:at] + bytes(count) + line[at + count :]
        elif kind == "ones":
            line = line[:at] + b"\xff" * count + line[at + count :]
        elif kind == "errors":
            line = line[:at] + dice.randbytes(count // 8) + line[at + count // 8 :]
        elif kind == "si":  # one bit in each of some frames, TS0 among them when the line is octet aligned
            line = line[:at] + bytes(octet ^ 0x80 * (n % 64 == 0) for n, octet in enumerate(line[at:]))
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
        framer.slips,
        framer.bit2_errors,
        framer.sa,
        framer.interworking,
    )


def told(framer: Framer) -> list[tuple[str, bool, int]]:
    return [(change.alarm.value, change.raised, change.sample) for change in framer.changes()]


def compare(line: bytes, *, crc4: bool = True, portable: bool = False) -> None:
    slow, framer = e1.SlowFramer(crc4=crc4), Framer(crc4=crc4, portable=portable)
    slow.feed(line)
    out = framer.feed(line)
    assert out == slow.sure()
    assert told(framer) == slow.changes
    assert framer.position == slow.position
    assert framer.aligned == slow.aligned
    assert framer.crc_multiframe == slow.crc_multiframe
    assert framer.interworking == slow.interworking
    assert framer.sa == slow.sa
    for counter in ("losses", "slips", "fas_errors", "bit2_errors", "crc_errors", "remote_crc_errors"):
        assert getattr(framer, counter) == getattr(slow, counter), counter


@settings(max_examples=100, deadline=None)
@given(damaged_lines(), st.booleans(), st.booleans())
def test_the_framer_equals_its_oracle(line: bytes, crc4: bool, portable: bool) -> None:
    compare(line, crc4=crc4, portable=portable)


@settings(max_examples=25, deadline=None)
@given(damaged_lines(most=260))
def test_the_framer_equals_its_oracle_on_long_lines(line: bytes) -> None:
    compare(line)


@settings(max_examples=80, deadline=None)
@given(damaged_lines(most=150), st.data())
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


@settings(max_examples=40, deadline=None)
@given(damaged_lines(most=150), st.data())
def test_losses_fall_where_they_fall_however_the_rest_is_cut(line: bytes, data: st.DataObject) -> None:
    """With octets known to be missing here and there: whole, in chunks, and without AVX2."""
    losses = sorted(data.draw(st.lists(st.integers(0, len(line)), max_size=4)))
    missing = [data.draw(st.sampled_from([1, 32, 256, 1280])) for _ in losses]
    framers = [Framer(), Framer(), Framer(portable=True)]
    outs = [b"", b"", b""]
    for begin, end, lost in zip([0, *losses], [*losses, len(line)], [*missing, 0], strict=True):
        part = line[begin:end]
        for n, framer in enumerate(framers):
            for chunk in [part] if n != 1 else chunks(data, part):
                outs[n] += framer.feed(chunk)
            framer.miss(lost, GapCause.PACKET_LOSS)
    assert outs[0] == outs[1] == outs[2]
    assert seen(framers[0]) == seen(framers[1]) == seen(framers[2])
    assert framers[0].changes() == framers[1].changes() == framers[2].changes()
