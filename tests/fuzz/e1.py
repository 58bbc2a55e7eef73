"""The C of HDLC and of the framer against their oracles, which are instrumented: their branches lead the way."""

import random

from osrec_drivers.e1.framer import Framer
from osrec_drivers.e1.hdlc import HdlcDecoder
from tests.fuzz.cut import Cut
from tests.fuzz.seeds import frames
from tests.reference import e1
from tests.reference.hdlc import FLAG, SlowDecoder, frame_bits, slots_of

MOST_OCTETS = 3200  # of a line, for the oracle is slow
COUNTERS = ("losses", "slips", "fas_errors", "bit2_errors", "crc_errors", "remote_crc_errors")


def hdlc(data: bytes) -> None:
    """Time slot octets, in two chunks, with any limits."""
    cut = Cut(data)
    lsb_first, shortest, longest, place = cut.number(2) == 1, 1 + cut.number(6), 6 + cut.number(30), cut.number(256)
    octets = cut.rest()
    slow = SlowDecoder(shortest=shortest, longest=longest, lsb_first=lsb_first)
    slow.feed(octets)
    decoder = HdlcDecoder(shortest=shortest, longest=longest, lsb_first=lsb_first)
    found = decoder.feed(octets[:place]) + decoder.feed(octets[place:])
    assert [(frame.end, frame.octets, frame.error) for frame in found] == slow.found
    assert decoder.position == len(octets)
    assert decoder.frames == sum(error is None for _, _, error in slow.found)
    assert sum(decoder.errors.values()) == sum(error is not None for _, _, error in slow.found)


def hdlc_seeds() -> list[bytes]:
    """Frames between flags, with shared flags, cut off, and with a wrong bit."""
    found = []
    for number, frame in enumerate(frames()):
        bits = FLAG + frame_bits(frame[:20]) + FLAG + frame_bits(b"\xff\xff\x1f") + FLAG[1:] + [1] * (number % 12)
        bits[20 + number] ^= number % 3 == 0
        lsb_first = number % 2 == 1
        found.append(bytes([lsb_first, 1, 20, number]) + slots_of(bits + FLAG * 2, lsb_first=lsb_first))
    return found


def framer(data: bytes) -> None:
    """A line that the data writes and spoils, in two chunks."""
    cut = Cut(data)
    crc4, portable, place = cut.number(2) == 0, cut.number(2) == 1, 16 * cut.number(256)
    line = _line(cut)
    slow, fast = e1.SlowFramer(crc4=crc4), Framer(crc4=crc4, portable=portable)
    slow.feed(line)
    out = fast.feed(line[:place]) + fast.feed(line[place:])
    assert out == slow.sure()
    assert [(change.alarm.value, change.raised, change.sample) for change in fast.changes()] == slow.changes
    assert (fast.position, fast.aligned, fast.crc_multiframe) == (slow.position, slow.aligned, slow.crc_multiframe)
    assert (fast.interworking, fast.sa) == (slow.interworking, slow.sa)
    for counter in COUNTERS:
        assert getattr(fast, counter) == getattr(slow, counter), counter


def _line(cut: Cut) -> bytes:
    line = bytearray()
    while cut and len(line) < MOST_OCTETS:
        match cut.number(6):
            case 0 | 1:
                line += _frames(cut)
            case 2:
                line += bytes([(0, 255, 0x9B, 0xDF)[cut.number(4)]]) * cut.number(256)
            case 3:
                line += cut.octets(1 + cut.number(64))
            case 4:
                del line[max(0, len(line) - cut.number(256)) :]
            case 5:
                _flip(line, cut)
    shift = cut.number(8)
    return (int.from_bytes(line) << 8 - shift).to_bytes(len(line) + 1)[:MOST_OCTETS]


def _frames(cut: Cut) -> bytes:
    """Good frames; what they carry follows from one octet."""
    carried = random.Random(cut.number(256)).randbytes(32 * (1 + cut.number(64)))
    bits = cut.number(256)
    return e1.send(carried, with_crc4=bool(bits & 1), a_bit=bits >> 1 & 1, e_bit=bits >> 2 & 1, sa=bits >> 3)


def _flip(line: bytearray, cut: Cut) -> None:
    """Some bits, `step` frames apart, from one place behind the middle on."""
    at, bit, step, count = len(line) // 2 + cut.number(256), cut.number(8), 1 + cut.number(16), 1 + cut.number(24)
    for _ in range(count):
        if at < len(line):
            line[at] ^= 0x80 >> bit
        at += 32 * step


FRAMER_SEEDS = [
    bytes([crc4, portable, 40]) + b"".join(steps)
    for crc4 in range(2)
    for portable in range(2)
    for steps in (
        [b"\0\7\x3f\xfd"],
        [b"\0\7\x1f\xfd", b"\4\x21", b"\1\x09\x1f\xff"],
        [b"\0\7\x3f\xfd", b"\5\0\3\2\x14", b"\0\7\x1f\xfc"],
        [b"\2\0\xff", b"\0\7\x1f\xfd", b"\2\1\xff", b"\2\1\xff", b"\0\7\x10\xfd"],
        [b"\3\x20" + bytes(range(32)), b"\0\7\x20\xfd"],
    )
]
