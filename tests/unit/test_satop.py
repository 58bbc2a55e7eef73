"""RFC 4553 packets, one by one, with time as an argument."""

import random
import struct

import pytest

from osrec_drivers.e1.engine import Engine
from osrec_drivers.e1.pseudowire import Port
from osrec_drivers.errors import LineError, OpenError
from osrec_drivers.line import Alarm, Anchor, Gap, GapCause
from osrec_drivers.satop_spec import parse
from tests.reference import e1

MS = 1_000_000
FRAMES = random.Random(9).randbytes(32 * 8 * 400)
LINE = e1.send(FRAMES)  # 400 packets


def packet(number: int, sequence: int, *, lbit: int = 0, rbit: int = 0, length: int = 0, head: bytes = b"") -> bytes:
    word = bytes([lbit << 3 | rbit << 2, length]) + struct.pack(">H", sequence & 0xFFFF)
    return head + word + LINE[256 * number : 256 * number + 256]


def new_port(resume: Anchor | None = None, **options: object) -> Port:
    return Port(Engine(capacity=1 << 13, resume=resume), **options)  # type: ignore[arg-type]


def feed(port: Port, numbers: list[int], base: int = 0, start_ns: int = 1000 * MS) -> None:
    """Packets in this order, each a millisecond after the one before."""
    for place, number in enumerate(numbers):
        port.take(packet(number, base + number), start_ns + place * MS)


def equal(port: Port, first: int, count: int, sent_from: int | None = None) -> bool:
    begin = first if sent_from is None else sent_from
    return port.engine.read(7, first, count) == FRAMES[7::32][begin : begin + count]


def test_sequence_numbers_wrap() -> None:  # RFC 4553 4.3.1
    port = new_port()
    feed(port, list(range(40)), base=65520)
    assert port.engine.head == 320
    assert equal(port, 0, 320)
    assert port.counters()["packets_lost"] == 0
    assert port.anchor() == Anchor(312, 23, 1039 * MS)


def test_packets_out_of_order_are_put_in_order() -> None:
    port = new_port()
    feed(port, [0, 1, 2, 5, 3, 4, 6, 7])
    assert equal(port, 0, 64)
    assert port.counters()["packets_reordered"] == 2
    assert port.counters()["packets_lost"] == 0


def test_a_lost_packet_is_a_gap_of_its_length_and_alignment_stays() -> None:
    port = new_port(jitter_ms=5)
    feed(port, [n for n in range(60) if n not in (30, 31)])
    assert port.engine.gaps(0, 1000) == [Gap(240, 16, GapCause.PACKET_LOSS)]
    assert port.engine.read(7, 240, 16) == b"\xd5" * 16
    assert equal(port, 256, 224)
    assert port.counters()["packets_lost"] == 2
    assert port.engine.snapshot()[4]["alignment_losses"] == 0
    assert port.engine.snapshot()[4]["crc_errors"] == 0


def test_a_missing_packet_is_waited_for_as_long_as_the_jitter_buffer_is_deep() -> None:
    port = new_port(jitter_ms=20)
    feed(port, [0, 1, 2, 4])
    port.tick(1000 * MS + 22 * MS)
    assert port.engine.head == 24
    port.tick(1000 * MS + 23 * MS)
    assert port.engine.head == 40


def test_late_and_duplicate_packets_are_counted_apart() -> None:
    port = new_port(jitter_ms=2)
    feed(port, [0, 1, 2, 4, 5, 6, 7, 3, 7, 5])
    assert port.counters() == {
        "packets": 10,
        "packets_lost": 1,
        "packets_late": 1,
        "packets_reordered": 0,
        "packets_duplicate": 2,
        "packets_malformed": 0,
    }
    assert port.engine.gaps(0, 100) == [Gap(24, 8, GapCause.PACKET_LOSS)]


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"\0\0\0",
        packet(0, 0)[:-1],
        packet(0, 0) + b"\0",
        b"\x10" + packet(0, 0)[1:],  # bits 0..3 must be 0
        packet(0, 0, length=0x40),  # a fragment
        packet(0, 0, length=9),  # LEN of another length
        bytes([0, 0, 0, 0]),  # no payload, and L not set
    ],
)
def test_malformed_packets_are_counted_and_change_nothing(datagram: bytes) -> None:  # RFC 4553 4.3
    port = new_port()
    feed(port, [0, 1])
    port.take(datagram, 1002 * MS)
    assert port.counters()["packets_malformed"] == 1
    assert port.counters()["packets"] == 2
    assert port.engine.head == 16


def test_the_l_bit_is_a_gap_with_or_without_payload() -> None:  # RFC 4553 4.3.1
    port = new_port()
    feed(port, list(range(8)))
    port.take(packet(8, 8, lbit=1), 1008 * MS)
    port.take(bytes([8, 4, 0, 9]), 1009 * MS)
    port.take(packet(10, 10), 1010 * MS)
    assert port.engine.gaps(0, 100) == [Gap(64, 16, GapCause.REMOTE_FAULT)]
    assert equal(port, 80, 8)


def test_the_l_bit_is_ais_to_us_until_the_gateway_has_its_line_again() -> None:  # RFC 4553 4.3.1
    port = new_port()
    feed(port, list(range(8)))
    assert port.engine.snapshot()[0] == frozenset()
    port.take(packet(8, 8, lbit=1), 1008 * MS)
    assert port.engine.snapshot()[0] == {Alarm.AIS}
    port.take(packet(9, 9), 1009 * MS)
    assert port.engine.snapshot()[0] == frozenset()


def test_a_packet_that_comes_after_the_timeout_with_others_behind_it_shifts_nothing() -> None:
    port = new_port(timeout_ms=100)
    feed(port, list(range(100)))
    for number in range(101, 250):
        port.take(packet(number, number), (1000 + number) * MS)
    port.take(packet(100, 100), 1250 * MS)
    feed(port, list(range(250, 400)), start_ns=1251 * MS)
    assert port.engine.head == 3200
    assert equal(port, 2000, 1200)


def test_the_r_bit_is_remote_alarm() -> None:  # RFC 4553 4.3.1
    port = new_port()
    feed(port, list(range(8)))
    port.take(packet(8, 8, rbit=1), 1008 * MS)
    assert port.engine.snapshot()[0] == {Alarm.RAI}
    port.take(packet(9, 9), 1009 * MS)
    assert port.engine.snapshot()[0] == set()


def test_silence_is_an_alarm_and_its_length_comes_from_the_sequence_number() -> None:
    port = new_port()
    feed(port, list(range(10)))
    port.tick(1009 * MS + 500 * MS)
    assert Alarm.NO_PACKETS not in port.engine.snapshot()[0]
    port.tick(1009 * MS + 501 * MS)
    assert Alarm.NO_PACKETS in port.engine.snapshot()[0]
    port.take(packet(10, 3010), 1000 * MS + 3012 * MS)  # 2 ms later than its place
    assert port.engine.snapshot()[0] == set()
    assert port.engine.gaps(0, 10**6) == [Gap(80, 24000, GapCause.NO_PACKETS)]
    assert port.engine.head == 24088
    assert port.counters()["packets_lost"] == 3000


def test_time_goes_on_in_silence_but_never_beyond_what_the_far_end_may_say() -> None:
    port = new_port()
    feed(port, list(range(10)))
    port.tick(1009 * MS + 5000 * MS)
    assert 80 + 8 * 4400 < port.engine.head < 80 + 8 * 4500
    port.take(packet(10, 10 + 4600), 1000 * MS + 10 * MS + 5010 * MS)
    assert port.engine.head == 8 * (4600 + 11)


@pytest.mark.parametrize("late_ms", [90, -90])
def test_silence_longer_than_a_wrap_is_counted_by_clock_and_sequence_number(late_ms: int) -> None:
    port = new_port()
    feed(port, list(range(10)))
    away = 3 * 65536 + 777
    port.take(packet(10, 10 + away), 1000 * MS + (10 + away) * MS + late_ms * MS)
    assert port.engine.head == 8 * (11 + away)


def test_a_sender_that_counts_anew_is_placed_by_the_clock() -> None:
    port = new_port()
    feed(port, list(range(100)))
    for n in range(100, 140):
        port.take(packet(n, 40000 + n), 1000 * MS + (n + 1000) * MS)
    assert port.engine.head == 8 * 1140
    assert port.engine.gaps(0, 10**6) == [Gap(800, 8000, GapCause.NO_PACKETS)]
    assert equal(port, 8800, 320, sent_from=800)


@pytest.mark.parametrize("back", [40, 64, 65, 300, 499])
def test_a_sender_that_counts_anew_from_a_little_before_is_not_late_for_ever(back: int) -> None:
    port = new_port()
    feed(port, list(range(8)), base=1000)
    for n in range(400):
        port.take(packet(n % 16, 1008 - back + n), 1000 * MS + (8 + n) * MS)
    if back > 250:
        assert port.engine.head == 8 * 408
    else:
        assert port.engine.head == 8 * (408 - back)
    gaps = port.engine.gaps(0, 10**6)
    assert sum(gap.count for gap in gaps) == (8 * 250 if back > 250 else 0)


def test_an_anchor_of_another_boot_does_not_stop_the_line() -> None:
    port = new_port(resume=Anchor(800, 10, 10**15))
    feed(port, list(range(20)), base=30_000)
    assert port.engine.head == 960
    assert port.engine.gaps(0, 10_000) == []


def test_one_stray_packet_moves_nothing() -> None:  # RFC 3550 A.1
    port = new_port()
    feed(port, list(range(20)))
    port.take(packet(20, 30000), 1020 * MS)
    for n in range(20, 40):
        port.take(packet(n, n), 1000 * MS + (n + 1) * MS)
    assert port.engine.head == 320
    assert port.engine.gaps(0, 1000) == []


def test_a_long_burst_of_loss_in_a_running_stream_is_found_by_the_clock() -> None:
    port = new_port()
    feed(port, list(range(20)))
    for n in range(320, 340):
        port.take(packet(n, n), 1000 * MS + n * MS)
    assert port.engine.head == 8 * 340
    assert port.engine.gaps(0, 10**5) == [Gap(160, 2400, GapCause.PACKET_LOSS)]
    assert equal(port, 2560, 160)


@pytest.mark.parametrize("away", [1, 500, 65536 + 20, 200_000])
def test_sample_numbers_go_on_from_an_anchor(away: int) -> None:
    anchor = Anchor(8_000_000, 65000, 5_000 * MS)
    port = new_port(resume=anchor)
    assert port.engine.head == 8_000_000
    first = 8_000_000 + 8 * away
    for n in range(8):
        port.take(packet(n, 65000 + away + n), 5_000 * MS + (away + n) * MS + 3 * MS)
    assert port.engine.head == first + 64
    gaps = port.engine.gaps(first - 8, 72)
    assert gaps == [Gap(first - 8, 8, GapCause.NOT_LISTENING)]
    assert port.counters()["packets_lost"] == 0


def test_an_anchor_of_a_sender_that_began_anew_is_followed_by_the_clock() -> None:
    port = new_port(resume=Anchor(80, 10, 1000 * MS))
    port.take(packet(0, 33333), 3000 * MS)
    assert port.engine.gaps(0, 10**6)[0] == Gap(80, 16000, GapCause.NOT_LISTENING)


def test_nothing_is_sent_before_something_comes() -> None:
    port = new_port()
    assert port.due(0) is None
    feed(port, [0, 1])
    assert len(list(iter(lambda: port.due(1001 * MS), None))) == 2


def test_frames_leave_in_order_one_packet_a_millisecond() -> None:
    port = new_port(sequence=65535)
    port.transmit(FRAMES[: 32 * 20])
    sent = [port.due(1000 * MS), port.due(1000 * MS), port.due(1001 * MS), port.due(1002 * MS)]
    assert sent[1] is None
    assert sent[3] is None  # half a packet is left: it waits for the rest
    assert [sent[0][:4], sent[2][:4]] == [b"\0\0\xff\xff", b"\0\0\0\0"]  # type: ignore[index]
    assert sent[0][4:] == e1.send(FRAMES[:256], a_bit=1)  # type: ignore[index]  # we receive nothing
    assert (port.sent, port.queued) == (16, 4)
    port.transmit(FRAMES[32 * 20 : 32 * 24])
    assert port.due(1009 * MS)[4 + 31 :: 32] == FRAMES[32 * 16 + 31 : 32 * 24 : 32]  # type: ignore[index]


def test_what_is_long_due_is_passed_over_and_counted_in_numbers_and_multiframe() -> None:
    port = new_port(sequence=65533, rtp=True)
    port.transmit(FRAMES[: 32 * 8 * 5], 1000 * MS)
    assert port.due(999 * MS) is None
    sent = port.due(1253 * MS)  # 250 ms after the fourth
    assert sent is not None
    assert sent[:8] == bytes([0x80, 96, 0, 0, 0, 0, 0, 24])
    five_frames = sent[16:][:160]  # behind them is an E bit, which is ours
    assert five_frames == e1.send(FRAMES[: 256 * 5], a_bit=1)[256 * 3 :][:160]
    assert (port.sent, port.unsent, port.queued) == (8, 24, 8)


def test_frames_without_a_time_are_never_passed_over() -> None:
    port = new_port()
    port.transmit(FRAMES[: 32 * 16])
    assert port.due(1000 * MS) is not None
    assert port.due(9000 * MS) is not None
    assert port.unsent == 0


def test_a_full_queue_takes_frames_with_a_time_and_gives_up_the_oldest() -> None:
    port = new_port(queue=100, sequence=7)
    port.transmit(FRAMES[: 32 * 96], 1000 * MS)
    port.transmit(FRAMES[32 * 96 : 32 * 112], 1012 * MS)
    assert (port.queued, port.unsent) == (96, 16)
    assert port.due(1001 * MS) is None, "the first of what is left is due at 1002 ms"
    assert port.due(1002 * MS)[4 + 31 :: 32] == FRAMES[32 * 16 + 31 : 32 * 24 : 32]  # type: ignore[index]


LONG = FRAMES * 60  # 24 s


def stopped_for(stall_ms: int, near: Port, far: Port, *, ticks: int = 200) -> list[int]:
    """A sender whose caller gives 10 ms each 10 ms is stopped, thread and caller, 300 ms after the start.

    The far end gets each packet as it leaves. Returns how late each left, in ms.
    """
    begin, handed, late = 1000 * MS, 0, []
    for tick in range(ticks):
        now = begin + (tick * 10 + (stall_ms if tick > 30 else 0)) * MS
        if tick > 30:
            far.tick(now)  # in silence, time goes on
        while begin + (handed + 80) * MS // 8 <= now:  # all that became due meanwhile, in a row
            given = LONG[32 * handed : 32 * (handed + 80)]
            near.transmit(given, begin + handed * MS // 8 + 15 * MS)
            handed += 80
        for sweep in (now, now + 5 * MS):
            for _ in range(10):  # as many as the thread sends at a time
                number = near.sent + near.unsent
                if (datagram := near.due(sweep)) is None:
                    break
                number = near.sent + near.unsent - 8
                late.append((sweep - begin - 15 * MS - number * MS // 8) // MS)
                far.take(datagram, sweep)
    return late


@pytest.mark.parametrize("stall_ms", [150, 401, 702, 2001, 20_001])
def test_a_sender_that_was_stopped_is_on_time_again_and_the_far_end_knows_what_is_missing(stall_ms: int) -> None:
    near, far = Port(Engine(), sequence=65_000), Port(Engine())
    late = stopped_for(stall_ms, near, far)
    assert max(late) <= 260, "what is later than that is not sent"
    assert set(late[-500:]) <= set(range(6)), "it runs on time again, to a sweep of the thread"
    gaps = [gap for gap in far.engine.gaps(0, far.engine.head) if gap.first >= 800]
    assert sum(gap.count for gap in gaps) == near.unsent
    assert near.unsent == pytest.approx(max(0, stall_ms - 250) * 8, abs=160)
    first = far.engine.head - 4000
    assert far.engine.read(7, first, 4000) == LONG[7::32][first : first + 4000], "each frame has its own number"
    assert far.engine.snapshot()[4]["alignment_losses"] == 0
    assert far.engine.snapshot()[4]["crc_errors"] == 0


def test_the_rtp_header_comes_first_and_counts_frames() -> None:  # RFC 4553 4.3.2
    port = new_port(rtp=True, payload_type=97, ssrc=0x01020304, sequence=7)
    port.transmit(FRAMES[: 32 * 16])
    first, second = port.due(0), port.due(2 * MS)
    assert first is not None
    assert second is not None
    assert first[:16] == bytes([0x80, 97, 0, 7, 0, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 7])
    assert second[:8] == bytes([0x80, 97, 0, 8, 0, 0, 0, 8])
    other = new_port(rtp=True)
    other.take(first, 0)
    assert other.counters()["packets"] == 1
    other.take(first[12:], 0)
    assert other.counters()["packets_malformed"] == 1


def test_the_r_bit_says_that_nothing_reaches_us() -> None:  # RFC 4553 4.3.1
    port = new_port()
    port.tick(1)
    port.tick(600 * MS)
    port.transmit(FRAMES[:256])
    packet_ = port.due(600 * MS)
    assert packet_ is not None
    assert packet_[0] == 0x04


def test_short_packets_say_their_length() -> None:  # RFC 4553 4.3.1
    port = new_port(payload=32)
    port.transmit(FRAMES[:32])
    short = port.due(0)
    assert short is not None
    assert (len(short), short[1]) == (36, 36)


def test_a_full_queue_refuses_more() -> None:
    port = new_port(queue=100)
    port.transmit(bytes(3200))
    with pytest.raises(LineError, match="1 frames given, 100 wait"):
        port.transmit(bytes(32))


def test_the_far_clock_shows_in_the_arrivals() -> None:
    port = new_port()
    for n in range(400):
        for part in range(20):
            sequence = 20 * n + part
            port.take(packet(0, sequence), 1000 * MS + sequence * 999_950)  # 50 ppm fast
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in zip(port.drift(), port.drift()[1:], strict=False)]
    assert slopes[2] == pytest.approx(-50e-6, rel=0.05)


def test_a_spec_says_all_its_options() -> None:
    said = parse("satop:[::]:5001/[::1]:5002?payload=512&rtp=1&payload_type=100&jitter_ms=7&crc4=0&sequence=3")
    assert said.local.address[:2] == ("::", 5001)
    assert said.remote is not None
    assert said.remote.address[:2] == ("::1", 5002)
    assert (said.payload, said.rtp, said.payload_type, said.jitter_ms) == (512, True, 100, 7)
    assert (said.crc4, said.sequence, said.timeout_ms) == (False, 3, 500)


def test_a_jitter_buffer_deeper_than_the_timeout_is_refused() -> None:
    with pytest.raises(OpenError, match="jitter_ms=150 must be less than timeout_ms=100"):
        parse("satop:127.0.0.1:5001?jitter_ms=150&timeout_ms=100")


def test_a_host_that_is_not_known_is_named() -> None:
    with pytest.raises(OpenError, match=r"remote host 'nowhere\.invalid' is not known"):
        parse("satop:127.0.0.1:0/nowhere.invalid:5000")
