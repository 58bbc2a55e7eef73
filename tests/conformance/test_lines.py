"""What every driver must do, whatever carries the line. A new driver joins `links.BUILDERS`."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from osrec_drivers.errors import LineError, OpenError
from osrec_drivers.line import IDLE, Alarm, DChannel
from tests.conformance.links import BUILDERS, Link, has, linked, slot, voice

SPEECH = random.Random(7).randbytes(800)


@pytest.fixture(params=BUILDERS)
def link(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Link]:
    with linked(request.param, tmp_path) as made:
        yield made


def test_gives_the_octets_sent_on_every_slot_in_step(link: Link) -> None:
    frames = voice(1600)
    link.send(frames)
    first = link.arrival(frames)
    for number in (1, 2, 15, 16, 17, 30, 31):
        assert link.near.read(number, first + 10, 1500) == slot(frames, number)[10:1510]
    assert link.near.gaps(first + 10, 1500) == []


def test_answers_in_step_while_nobody_transmits(link: Link) -> None:
    frames = voice(1600)
    link.send(frames)
    link.wait(lambda: link.near.levels()[5] > -10)
    link.arrival(frames)
    link.wait(lambda: link.far.head >= 1500)
    assert link.far.read(5, link.far.head - 500, 500) == b"\xd5" * 500
    assert link.far.levels()[5] == float("-inf")


def test_both_ends_are_healthy_after_a_while(link: Link) -> None:
    link.send(voice(3200))
    for line in (link.near, link.far):
        link.wait(lambda line=line: line.head >= 3000 and line.status().alarms == set())  # type: ignore[misc]
        status = line.status()
        assert status.aligned
        assert status.crc_multiframe == link.crc4
        assert status.counters.crc_errors == 0
        assert status.counters.fas_errors == 0
        assert status.counters.frames == status.received
        assert status.head >= status.received >= 2500
        assert status.expected >= status.received - 800


def test_an_alarm_that_came_and_went_is_told_once(link: Link) -> None:
    frames = voice(1600)
    link.send(frames)
    link.arrival(frames)
    link.wait(lambda: not has(Alarm.RAI, link.near))
    told = link.near.changes()
    assert [change.raised for change in told if change.alarm is Alarm.RAI] in ([True, False], [])
    assert all(change.sample <= link.near.head for change in told)
    assert link.near.changes() == []


def test_reading_outside_the_ring_is_refused_with_what_it_holds(link: Link) -> None:
    link.send(voice(800))
    link.wait(lambda: link.near.head >= 700)
    with pytest.raises(LineError, match="the ring holds"):
        link.near.read(1, link.near.head - 10, 16000)
    with pytest.raises(LineError, match=r"samples -5\.\.-1 asked for"):
        link.near.read(1, -5, 5)
    with pytest.raises(ValueError, match=r"slot 32: time slots are 0\.\.31"):
        link.near.read(32, 0, 1)
    assert link.near.read(1, link.near.head, 0) == b""


def test_what_is_wiped_of_a_slot_can_be_read_by_nobody_and_nothing_else_is_touched(link: Link) -> None:
    frames = voice(1600)
    link.send(frames)
    first = link.arrival(frames)
    link.near.wipe(5, first + 400, 300)
    expected = bytearray(slot(frames, 5))
    expected[400:700] = bytes([IDLE]) * 300
    assert link.near.read(5, first + 10, 1500) == expected[10:1510]
    for number in (4, 6, 31):
        assert link.near.read(number, first + 10, 1500) == slot(frames, number)[10:1510]
    assert link.near.gaps(first + 10, 1500) == []


def test_wiping_goes_as_far_as_the_ring_and_no_further(link: Link) -> None:
    frames = voice(1600)
    link.send(frames)
    link.arrival(frames)
    head = link.near.head
    link.near.wipe(7, -5000, head + 5000 + 100_000_000)
    assert set(link.near.read(7, link.near.oldest, head - link.near.oldest)) == {IDLE}
    with pytest.raises(ValueError, match=r"slot 32: time slots are 0\.\.31"):
        link.near.wipe(32, 0, 1)
    with pytest.raises(ValueError, match="count -1"):
        link.near.wipe(1, 0, -1)


def test_refuses_half_a_frame(link: Link) -> None:
    with pytest.raises(ValueError, match="33 octets: frames are 32 octets each"):
        link.near.transmit(bytes(33))


def test_closing_twice_does_nothing_and_transmitting_then_is_refused(link: Link) -> None:
    link.near.close()
    link.near.close()
    with pytest.raises(LineError, match="it is closed"):
        link.near.transmit(bytes(32))


def test_nothing_has_arrived_at_first(link: Link) -> None:
    if link.runs:
        pytest.skip("octets come as soon as the line is open")
    assert link.near.anchor() is None
    assert link.near.head == link.near.oldest == 0
    assert link.near.status().received == 0


def _first_frame(link: Link, channel: DChannel) -> bytes:
    heard: list[bytes] = []

    def there() -> bool:
        heard.extend(frame.octets for frame in channel.receive() if not frame.error)
        return heard != []

    link.wait(there)
    return heard[0]


def test_a_d_channel_carries_frames_both_ways(link: Link) -> None:
    near, far = link.near.d_channel(), link.far.d_channel()
    link.wait(lambda: not (has(Alarm.RAI, link.near) or has(Alarm.RAI, link.far)) and link.far.head > 800)
    assert near.send(b"\x02\x01\x7f")
    assert far.send(b"\x00\x01\x73")
    assert _first_frame(link, near) == b"\x00\x01\x73"
    assert _first_frame(link, far) == b"\x02\x01\x7f"
    link.near.close()
    assert near.receive() == []
    with pytest.raises(LineError, match="closed"):
        near.send(b"\x02\x01\x7f")


def test_signalling_by_cas_reaches_the_far_end(link: Link) -> None:
    link.near.cas()
    link.far.send_cas(5, 0b0101)
    link.far.send_cas(30, 0b1001)
    link.wait(lambda: (link.near.cas().abcd[5], link.near.cas().abcd[30]) == (0b0101, 0b1001))
    assert link.near.cas().aligned
    assert (5, 0b0101) in {(change.slot, change.abcd) for change in link.near.cas_changes()}


def test_octets_for_one_slot_go_out_in_one_piece_and_in_place_of_idle(link: Link) -> None:
    link.wait(lambda: link.near.head >= 800)
    assert link.far.send(3, SPEECH) == len(SPEECH)
    link.wait(lambda: SPEECH in link.near.read(3, link.near.oldest, link.near.head - link.near.oldest))
    assert SPEECH not in link.near.read(4, link.near.oldest, link.near.head - link.near.oldest)


def test_a_remote_loop_gives_the_far_end_what_it_sends(link: Link) -> None:
    link.wait(lambda: link.near.head >= 800)
    link.near.loop("remote")
    assert link.near.status().loop == "remote"
    said = 0

    def comes_back() -> bool:
        nonlocal said
        if link.far.head >= said + 4000:  # at first it has to find its own frames; and a stalled thread breaks a loop
            said = link.far.head
            link.far.send(9, SPEECH)
        return SPEECH in link.far.read(9, link.far.oldest, link.far.head - link.far.oldest)

    link.wait(comes_back)
    link.near.loop("none")
    assert link.near.status().loop == "none"


def test_every_driver_checks_a_spec_without_opening(link: Link) -> None:
    link.driver.check(link.near.spec)
    with pytest.raises(OpenError, match="is named"):
        link.driver.check("other:thing")
    with pytest.raises(OpenError, match=r"option .*colour.* is unknown"):
        link.driver.check(link.near.spec.partition("?")[0] + "?colour=1")
    assert isinstance(list(link.driver.detect()), list)
