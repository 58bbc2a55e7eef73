"""HDLC against its oracle, against arbitrary octets and chunks, and both ways."""

from hypothesis import given, settings
from hypothesis import strategies as st

from osrec_drivers.e1.hdlc import HdlcDecoder, HdlcEncoder, HdlcFrame
from tests.reference.hdlc import FLAG, SlowDecoder, frame_bits, slots_of

FRAMES = st.binary(min_size=2, max_size=40) | st.integers(2, 40).map(lambda n: b"\xff" * n)


@st.composite
def lines(draw: st.DrawFn) -> list[int]:
    """Bits with frames, shared flags, flags that share a zero, aborts, ones, noise and wrong bits."""
    bits: list[int] = draw(st.lists(st.integers(0, 1), max_size=20))
    for kind in draw(
        st.lists(st.sampled_from(["frame", "flag", "shared", "ones", "noise", "idle", "rest"]), max_size=14)
    ):
        match kind:
            case "frame":
                bits += FLAG + frame_bits(draw(FRAMES)) + FLAG
            case "flag":
                bits += FLAG
            case "shared":
                bits += FLAG[1:]
            case "ones":
                bits += [1] * draw(st.integers(1, 200))
            case "noise":
                bits += draw(st.lists(st.integers(0, 1), max_size=90))
            case "idle":
                bits += FLAG * draw(st.integers(1, 60))
            case "rest":
                bits += frame_bits(draw(FRAMES))
    for at in draw(st.lists(st.integers(0, max(0, len(bits) - 1)), max_size=3)):
        if bits:
            bits[at] ^= 1
    return bits


def plain(frames: list[HdlcFrame]) -> list[tuple[int, bytes, str | None]]:
    return [(frame.end, frame.octets, frame.error) for frame in frames]


@settings(max_examples=300, deadline=None)
@given(lines(), st.booleans(), st.integers(1, 6), st.integers(6, 30))
def test_the_decoder_equals_its_oracle(bits: list[int], lsb_first: bool, shortest: int, longest: int) -> None:
    octets = slots_of(bits, lsb_first=lsb_first)
    slow = SlowDecoder(shortest=shortest, longest=longest, lsb_first=lsb_first)
    slow.feed(octets)
    decoder = HdlcDecoder(shortest=shortest, longest=longest, lsb_first=lsb_first)
    assert plain(decoder.feed(octets)) == slow.found
    assert decoder.position == len(octets)
    assert decoder.frames == sum(error is None for _, _, error in slow.found)
    assert sum(decoder.errors.values()) == sum(error is not None for _, _, error in slow.found)


@settings(max_examples=150, deadline=None)
@given(
    lines() | st.binary(max_size=900).map(lambda octets: [o >> 7 - i & 1 for o in octets for i in range(8)]), st.data()
)
def test_any_chunking_gives_the_same_frames(bits: list[int], data: st.DataObject) -> None:
    octets = slots_of(bits)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(octets)), max_size=12)))
    parts, found = HdlcDecoder(longest=30), []
    for first, end in zip([0, *cuts], [*cuts, len(octets)], strict=True):
        found += parts.feed(octets[first:end])
    assert found == HdlcDecoder(longest=30).feed(octets)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 30), FRAMES), max_size=12),
    st.integers(1, 50),
    st.booleans(),
    st.booleans(),
)
def test_frames_come_back_in_order_whenever_they_are_sent(
    story: list[tuple[int, bytes]], step: int, ones: bool, lsb_first: bool
) -> None:
    encoder, decoder = HdlcEncoder(ones=ones, lsb_first=lsb_first), HdlcDecoder(lsb_first=lsb_first)
    found = []
    for pause, frame in story:
        found += decoder.feed(encoder.pull(pause))
        assert encoder.send(frame)
    while encoder.pending:
        found += decoder.feed(encoder.pull(step))
    found += decoder.feed(encoder.pull(2))
    assert [frame.octets for frame in found] == [frame for _, frame in story]
    assert not any(decoder.errors.values())


ONES = st.lists(
    st.sampled_from([b"\xff", b"\xff" * 6, b"\x1f", b"\xf8", b"\x7c", b"\x0f\x80", b"\xf0\x01", b"\0"])
    | st.binary(max_size=9),
    min_size=1,
    max_size=40,
).map(b"".join)


@settings(max_examples=200, deadline=None)
@given(st.lists(ONES.filter(bool), min_size=1, max_size=5))
def test_zeros_are_put_behind_five_ones_as_the_oracle_does(frames: list[bytes]) -> None:
    encoder, bits = HdlcEncoder(), list(FLAG)
    for frame in frames:
        assert encoder.send(frame)
        bits += [*frame_bits(frame), *FLAG]
    count = len(bits) // 8
    assert encoder.pull(count) == slots_of(bits)[:count]


@settings(max_examples=100, deadline=None)
@given(st.lists(FRAMES, max_size=8), st.lists(st.integers(0, 40), max_size=20), st.booleans())
def test_any_way_of_pulling_gives_the_same_octets(frames: list[bytes], counts: list[int], ones: bool) -> None:
    whole, parts = HdlcEncoder(ones=ones), HdlcEncoder(ones=ones)
    for frame in frames:
        assert whole.send(frame)
        assert parts.send(frame)
    assert b"".join(parts.pull(count) for count in counts) == whole.pull(sum(counts))
