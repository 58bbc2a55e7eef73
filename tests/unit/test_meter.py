"""What a line brings, second by second, as its error performance counts it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from osrec_drivers.e1.meter import Meter
from osrec_drivers.e1.performance import Counts, Performance
from osrec_drivers.line import IDLE, Line, open_line
from osrec_drivers.virtual import Cable, Fault, FaultKind, cable

NAMES = count()
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
FRAME = 32
SECOND = bytes([IDLE]) * FRAME * 8000


class Rig:
    """A line with a meter, and the far end that sends; its clock goes with what is sent."""

    def __init__(self, options: str = "") -> None:
        name = f"meter{next(NAMES)}"
        self.far: Line = open_line(f"virtual:{name}/a{options}")
        self.near: Line = open_line(f"virtual:{name}/b{options}")
        self.cable: Cable = cable(name)
        self.meter = Meter(self.near, Performance())
        self.now = NOON

    def damage(self, kind: FaultKind, frames: int, *, rate: float = 1e-3, end: str = "a") -> None:
        self.cable.sent_by[end].damage(Fault(kind, FRAME * frames, rate))

    def run(self, seconds: float) -> None:
        self.far.transmit(SECOND[: int(seconds * 8000) * FRAME])
        self.now += timedelta(seconds=seconds)

    def look(self, *, seconds: int = 1) -> tuple[Counts, Counts]:
        """So many more seconds, looked at once behind each: near and far end since the start."""
        for _ in range(seconds):
            self.run(1.0)
            self.meter.look(self.now)
        return self.counts()

    def counts(self) -> tuple[Counts, Counts]:
        quarters = self.meter.performance.quarters()
        return sum((one.near for one in quarters), Counts()), sum((one.far for one in quarters), Counts())


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    rig.run(0.2)  # both ends find each other
    rig.meter.look(rig.now)
    yield rig
    for line in (rig.near, rig.far):
        line.close()


def test_a_sound_line_has_seconds_without_errors(rig: Rig) -> None:
    assert rig.look(seconds=3) == (Counts(3), Counts(3))


def test_few_bit_errors_are_background_errors_here(rig: Rig) -> None:
    rig.damage(FaultKind.BIT_ERRORS, 800, rate=1e-5)
    near, far = rig.look(seconds=2)
    assert (near.seconds, near.es, near.ses, near.uas) == (2, 1, 0, 0)
    assert near.bbe == rig.near.status().counters.crc_errors > 0
    assert far == Counts(2)


def test_errors_on_the_way_to_the_far_end_come_back_by_e_bits(rig: Rig) -> None:
    before = rig.near.status().counters.remote_crc_errors  # E bits are 0 until both ends have found the other
    rig.damage(FaultKind.BIT_ERRORS, 800, rate=1e-5, end="b")
    near, far = rig.look(seconds=2)
    assert near == Counts(2)
    assert far == Counts(2, es=1, bbe=rig.near.status().counters.remote_crc_errors - before)
    assert far.bbe > 0


def test_many_bit_errors_make_a_severe_second(rig: Rig) -> None:
    rig.damage(FaultKind.BIT_ERRORS, 7000, rate=1e-3)
    near, _ = rig.look(seconds=2)
    assert near.ses == 1


def test_a_cable_that_is_out_for_twenty_milliseconds_is_a_severe_second_and_the_far_end_not_known_in_it(
    rig: Rig,
) -> None:
    rig.damage(FaultKind.ZEROS, 160)
    near, far = rig.look(seconds=3)
    assert (near.seconds, near.ses) == (3, 1)
    assert far.seconds == 2


def test_twelve_seconds_of_ais_are_unavailable_time(rig: Rig) -> None:
    rig.damage(FaultKind.ONES, 12 * 8000)
    near, _ = rig.look(seconds=12)
    assert near.uas == near.seconds >= 11  # the newest octets are still looked at for frames
    assert not rig.meter.performance.near_available
    near, _ = rig.look(seconds=12)
    assert near.uas in (12, 13)  # the second in which frames were found again may be the thirteenth
    assert rig.meter.performance.near_available


def test_a_far_end_that_complains_has_severe_seconds(rig: Rig) -> None:
    rig.damage(FaultKind.ZEROS, 8000, end="b")
    near, far = rig.look(seconds=3)
    assert near == Counts(3)
    assert far.ses >= 1


def test_an_alarm_of_the_far_end_that_comes_and_goes_between_two_looks_counts(rig: Rig) -> None:
    rig.damage(FaultKind.ZEROS, 80, end="b")
    rig.run(1.0)
    for change in rig.near.changes():
        rig.meter.hear(change)
    rig.meter.look(rig.now)
    assert rig.counts()[1].ses == 1


def test_a_lost_packet_spoils_its_block_and_no_more(rig: Rig) -> None:
    rig.damage(FaultKind.LOST, 8)
    near, _ = rig.look(seconds=2)
    assert (near.es, near.ses) == (1, 0)
    assert 1 <= near.bbe <= 2  # a packet may lie in two blocks


def test_seconds_after_a_stall_are_counted_all_and_share_the_errors(rig: Rig) -> None:
    rig.damage(FaultKind.BIT_ERRORS, 8000, rate=2e-5)
    for _ in range(4):
        rig.run(1.0)
    rig.meter.look(rig.now)
    near, _ = rig.counts()
    assert (near.seconds, near.es) == (4, 4)
    assert near.bbe == rig.near.status().counters.crc_errors


def test_less_than_a_second_is_not_counted_yet(rig: Rig) -> None:
    rig.run(0.9)
    rig.meter.look(rig.now)
    assert rig.counts() == (Counts(), Counts())
    rig.run(0.1)
    rig.meter.look(rig.now)
    assert rig.counts()[0].seconds == 1


def test_without_crc_4_wrong_alignment_signals_are_the_errors() -> None:
    rig = Rig("?crc4=0")
    rig.run(0.2)
    rig.meter.look(rig.now)
    rig.damage(FaultKind.BIT_ERRORS, 8000, rate=1e-4)
    near, far = rig.look(seconds=2)
    assert near.bbe == rig.near.status().counters.fas_errors > 0
    assert far == Counts(2)
    for line in (rig.near, rig.far):
        line.close()


def test_time_in_which_nobody_listened_is_not_counted() -> None:
    first = Rig()
    first.run(1.0)
    anchor = first.near.anchor()
    assert anchor is not None
    first.near.close()
    first.run(3.0)
    first.near = open_line(first.near.spec, resume=anchor)
    first.meter = Meter(first.near, Performance())
    first.meter.look(first.now)
    assert first.look(seconds=2)[0].seconds == 2
    for line in (first.near, first.far):
        line.close()
